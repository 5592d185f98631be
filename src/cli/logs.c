#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "cli/find.h"
#include "cli/log_reader.h"
#include "cli/project.h"
#include "net/shell.h"

#define POLL_MS 500

/* What to read: the tasks of a project, of a job, or one task. */
struct wanted {
	char *query;
	struct uuid task; /* zero: all of the query's */
};

struct reading {
	struct invocation *invocation;
	struct log_reader *reader;
	LIST_OF(struct wanted) wanted;
	bool follow;
	bool told_nothing; /* that there is nothing to read yet */
};

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

static struct wanted *want(struct reading *reading, char *query)
{
	struct wanted *wanted = list_add(&reading->wanted, sizeof(*wanted));
	wanted->query = query;
	return wanted;
}

/* The project that is meant; NULL: operands are of any. Caller frees. */
static enum err_code read_project(const struct invocation *invocation, char **ret_name,
				  struct err *err)
{
	struct project_request project;
	*ret_name = NULL;
	if (invocation->operands.n && !project_option(invocation))
		return ERR_NONE;
	enum err_code code = project_identify(invocation, &project, err);
	if (code)
		return code;
	*ret_name = base_strdup(project.name);
	record_release(&project_request_type, &project);
	return ERR_NONE;
}

/* The operands, or the project when there are none; `prefix` when more than one task may speak. */
static enum err_code read_operands(struct reading *reading, bool *ret_prefix, struct err *err)
{
	struct invocation *invocation = reading->invocation;
	const struct strings *names = &invocation->operands;
	_cleanup_free_ char *project = NULL;
	enum err_code code = read_project(invocation, &project, err);
	if (code)
		return code;
	*ret_prefix = names->n != 1;
	if (names->n == 0)
		want(reading, find_query(project, NULL));
	for (size_t i = 0; i < names->n; i++) {
		struct found found = { 0 };
		code = find_job_or_task_of(invocation, project, names->items[i], &found, err);
		if (code)
			return code;
		struct wanted *wanted =
			want(reading, find_query(found.job.project, found.job.name));
		if (found.has_task)
			wanted->task = found.task.id;
		*ret_prefix = *ret_prefix || (!found.has_task && found.job.replicas > 1);
		found_release(&found);
	}
	return ERR_NONE;
}

/* Begin to read what is not being read yet; *ret_alive when any of the tasks may still write. */
static enum err_code add_tasks(struct reading *reading, bool *ret_alive, struct err *err)
{
	for (size_t i = 0; i < reading->wanted.n; i++) {
		const struct wanted *wanted = &reading->wanted.items[i];
		struct task_page page;
		enum err_code code = fetch_tasks(reading->invocation, wanted->query, &page, err);
		if (code)
			return code;
		for (size_t k = 0; k < page.tasks.n; k++) {
			const struct task_view *task = &page.tasks.items[k];
			if (!uuid_is_zero(wanted->task) && !uuid_equal(wanted->task, task->id))
				continue;
			log_reader_add(reading->reader, task);
			/* What has been written is read task by task, the oldest first. */
			if (!reading->follow)
				log_reader_run(reading->reader, -1);
			if (!reading->told_nothing && log_reader_is_empty(reading->reader)) {
				reading->told_nothing = true;
				fprintf(stderr, "drover logs: %s has not started: %s\n", task->name,
					task->message ? task->message : "");
			}
			*ret_alive = *ret_alive || !task_is_final(task->state);
		}
		record_release(&task_page_type, &page);
	}
	return ERR_NONE;
}

static enum err_code read_logs(struct reading *reading, struct err *err)
{
	bool more = true;
	while (more) {
		bool alive = false;
		enum err_code code = add_tasks(reading, &alive, err);
		if (code)
			return code;
		more = reading->follow && alive;
		/* A task that is restarted has a new attempt to read: look again now and then. What was written
		 * before we looked belongs to it, so the wish for the last lines only ends here. */
		log_reader_run(reading->reader, more ? POLL_MS : -1);
		log_reader_read_whole(reading->reader);
	}
	return ERR_NONE;
}

static int run(struct invocation *invocation)
{
	struct reading reading = { .invocation = invocation };
	struct log_reader_options options = { 0 };
	struct err err;
	int status = 0;
	enum err_code code = read_options(invocation, &options, &err);
	if (!code)
		code = read_operands(&reading, &options.prefix, &err);
	if (!code) {
		options.prefix = options.prefix && !cli_has(invocation, "no-log-prefix");
		reading.follow = options.follow;
		reading.reader = log_reader_new(invocation, &options);
		code = read_logs(&reading, &err);
		if (log_reader_failed(reading.reader))
			status = err_exit_status(ERR_UNAVAILABLE);
		log_reader_free(reading.reader);
	}
	for (size_t i = 0; i < reading.wanted.n; i++)
		base_free(reading.wanted.items[i].query);
	base_free(reading.wanted.items);
	return code ? cli_fail(invocation, &err) : status;
}

static const struct option options_table[] = {
	{ "follow", 'f', OPTION_FLAG, NULL, "go on with what comes, also after restarts" },
	{ "tail", 'n', OPTION_STRING, "LINES", "only the last lines of each task (default all)" },
	{ "since", 0, OPTION_STRING, "TIME",
	  "only what came later: 10m (ago), or 2026-01-31T12:00:00Z" },
	{ "timestamps", 't', OPTION_FLAG, NULL, "show when each line came" },
	{ "no-log-prefix", 0, OPTION_FLAG, NULL, "do not print task names before lines" },
	OPTIONS_PROJECT_BUT(0), /* -f is --follow, as it is Docker's */
};

const struct command command_logs = {
	.name = "logs",
	.operands = "[JOB|TASK...]",
	.summary = "Print what tasks wrote to their standard output and error",
	.details =
		"Without operands: of all tasks of the project. With operands and an option that "
		"names a project (or its file): of its jobs and tasks.",
	.options = options_table,
	.n_options = ARRAY_LEN(options_table),
	.operands_max = -1,
	.run = run,
};
