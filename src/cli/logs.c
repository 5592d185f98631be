#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "cli/find.h"
#include "cli/log_reader.h"
#include "net/shell.h"

#define POLL_MS 500

/* "10m" (ago), seconds since 1970, or RFC 3339 in UTC. */
static enum err_code read_since(const char *text, int64_t *ret_wall_ms, struct err *err)
{
	int64_t number;
	struct tm utc = { 0 };
	if (parse_int(text, 0, (int64_t)1 << 40, &number, NULL) == ERR_NONE) {
		*ret_wall_ms = number * 1000;
		return ERR_NONE;
	}
	if (parse_duration_ms(text, &number, NULL) == ERR_NONE) {
		*ret_wall_ms = shell_wall_ms() - number;
		return ERR_NONE;
	}
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	if (end && (*end == '\0' || strcmp(end, "Z") == 0)) {
		*ret_wall_ms = (int64_t)timegm(&utc) * 1000;
		return ERR_NONE;
	}
	return err_set_field(
		err, ERR_INVALID, "--since",
		"\"%s\" is neither a duration (10m), seconds since 1970 nor a time like "
		"2026-01-31T12:00:00Z",
		text);
}

static enum err_code read_options(const struct invocation *invocation,
				  struct log_reader_options *options, struct err *err)
{
	const char *tail = cli_string(invocation, "tail", "all");
	const char *since = cli_string(invocation, "since", NULL);
	options->follow = cli_has(invocation, "follow");
	options->timestamps = cli_has(invocation, "timestamps");
	options->tail = -1;
	if (strcmp(tail, "all") != 0 && parse_int(tail, 0, 1000000, &options->tail, NULL))
		return err_set_field(err, ERR_INVALID, "--tail",
				     "\"%s\" is neither a number nor \"all\"", tail);
	return since ? read_since(since, &options->since_wall_ms, err) : ERR_NONE;
}

/* The tasks to read: one, or all of the job. */
static enum err_code fetch_wanted(struct invocation *invocation, const struct found *found,
				  struct task_page *ret_page, struct err *err)
{
	_cleanup_free_ char *query = find_query(found->job.project, found->job.name);
	enum err_code code = fetch_tasks(invocation, query, ret_page, err);
	if (code || !found->has_task)
		return code;
	size_t kept = 0;
	for (size_t i = 0; i < ret_page->tasks.n; i++) {
		struct task_view *task = &ret_page->tasks.items[i];
		if (uuid_equal(task->id, found->task.id))
			ret_page->tasks.items[kept++] = *task;
		else
			record_release(&task_view_type, task);
	}
	ret_page->tasks.n = kept;
	return code;
}

static enum err_code read_logs(struct invocation *invocation, const struct found *found,
			       struct log_reader_options *options, struct err *err)
{
	struct log_reader *reader = NULL;
	bool more = true;
	enum err_code code = ERR_NONE;
	while (more && !code) {
		struct task_page page;
		code = fetch_wanted(invocation, found, &page, err);
		if (code)
			break;
		if (!reader) {
			options->prefix = !found->has_task && found->job.replicas > 1 &&
					  !cli_has(invocation, "no-log-prefix");
			reader = log_reader_new(invocation, options);
		}
		more = false;
		for (size_t i = 0; i < page.tasks.n; i++) {
			log_reader_add(reader, &page.tasks.items[i]);
			more = more ||
			       (options->follow && !task_is_final(page.tasks.items[i].state));
		}
		record_release(&task_page_type, &page);
		/* A task that is restarted has a new attempt to read: look again now and then. */
		log_reader_run(reader, more ? POLL_MS : -1);
		if (log_reader_err(reader)) {
			*err = *log_reader_err(reader);
			code = err->code;
		}
	}
	if (reader)
		log_reader_free(reader);
	return code;
}

static int run(struct invocation *invocation)
{
	struct found found = { 0 };
	struct log_reader_options options = { 0 };
	struct err err;
	enum err_code code = read_options(invocation, &options, &err);
	if (!code)
		code = find_job_or_task(invocation, invocation->operands.items[0], &found, &err);
	if (!code)
		code = read_logs(invocation, &found, &options, &err);
	found_release(&found);
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option options_table[] = {
	{ "follow", 'f', OPTION_FLAG, NULL, "go on with what comes" },
	{ "tail", 'n', OPTION_STRING, "LINES", "only the last lines of each task (default all)" },
	{ "since", 0, OPTION_STRING, "TIME",
	  "only what came later: 10m (ago), or 2026-01-31T12:00:00Z" },
	{ "timestamps", 't', OPTION_FLAG, NULL, "show when each line came" },
	{ "no-log-prefix", 0, OPTION_FLAG, NULL, "do not print task names before lines" },
};

const struct command command_logs = {
	.name = "logs",
	.operands = "JOB|TASK",
	.summary = "Print what tasks wrote to their standard output and error",
	.options = options_table,
	.n_options = ARRAY_LEN(options_table),
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
