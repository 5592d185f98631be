#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/map.h"
#include "cli/find.h"
#include "cli/watch.h"

static void ports_text(const struct task_view *task, struct text *out)
{
	for (size_t i = 0; i < task->ports.n; i++) {
		const struct port_view *port = &task->ports.items[i];
		text_addf(out, "%s%s%s%lld->%lld/%s", i ? ", " : "",
			  port->host_ip ? port->host_ip : "", port->host_ip ? ":" : "",
			  (long long)port->host_port, (long long)port->container_port,
			  enum_name(port_protocol_names, port->protocol));
	}
}

/* "running (healthy)", "scheduled (pulling)", "failed (out_of_memory)". */
static void state_text(const struct task_view *task, struct text *out)
{
	text_add(out, enum_name(task_state_names, task->state));
	if (task->state == TASK_RUNNING && task->health != HEALTH_NONE)
		text_addf(out, " (%s)", enum_name(task_health_names, task->health));
	else if (task->state != TASK_RUNNING || task->reason != REASON_RUNNING)
		text_addf(out, " (%s)", reason_name(task->reason));
	if (task->unreachable)
		text_add(out, ", unreachable");
}

static void add_row(struct table *table, const struct task_view *task, bool wide)
{
	char id[UUID_TEXT_SIZE];
	struct text state, ports;
	text_init(&state, LIMIT_MESSAGE_BYTES);
	text_init(&ports, LIMIT_MESSAGE_BYTES);
	state_text(task, &state);
	ports_text(task, &ports);
	table_add(table, task->name);
	table_add(table, text_string(&state));
	table_add(table, task->node_name);
	table_add(table, task->image);
	table_add(table, text_string(&ports));
	table_add(table, task->state == TASK_RUNNING
				 ? table_age(task->started_wall_ms)
				 : table_age(task->finished_wall_ms ? task->finished_wall_ms
								    : task->created_wall_ms));
	if (wide) {
		table_addf(table, "%lld", (long long)task->attempt);
		table_addf(table, "%lld", (long long)task->revision);
		table_add(table, uuid_format(task->id, id));
		table_add(table, task->container);
		table_add(table, task->message);
	}
	text_release(&state);
	text_release(&ports);
}

static void make_table(struct table *table, const struct task_page *page, bool wide)
{
	static const char *const narrow_headings[] = { "TASK",	"STATE", "NODE", "IMAGE",
						       "PORTS", "SINCE", NULL };
	static const char *const wide_headings[] = { "TASK",  "STATE",	   "NODE",    "IMAGE",
						     "PORTS", "SINCE",	   "ATTEMPT", "REVISION",
						     "ID",    "CONTAINER", "MESSAGE", NULL };
	table_init(table, wide ? wide_headings : narrow_headings);
	for (size_t i = 0; i < page->tasks.n; i++)
		add_row(table, &page->tasks.items[i], wide);
}

static void print_table(const struct task_page *page, bool wide)
{
	struct table table;
	make_table(&table, page, wide);
	table_print(&table, wide);
	table_release(&table);
}

/* People read by name and slot; ids sort by creation. */
static int compare(const void *a, const void *b)
{
	const struct task_view *x = a;
	const struct task_view *y = b;
	int by_project = strcmp(x->project, y->project);
	int by_job = strcmp(x->job, y->job);
	if (by_project || by_job)
		return by_project ? by_project : by_job;
	if (x->slot != y->slot)
		return x->slot < y->slot ? -1 : 1;
	return uuid_compare(x->id, y->id);
}

/* The newest of a service's slot that should run and has failed: what `ps` is looked at for. */
static bool is_missed(const struct task_page *page, const struct task_view *task,
		      const struct job_page *jobs)
{
	if (task->state != TASK_FAILED || task->wanted != TASK_WANT_RUN)
		return false;
	for (size_t i = 0; i < jobs->jobs.n; i++)
		if (uuid_equal(jobs->jobs.items[i].id, task->job_id) &&
		    (jobs->jobs.items[i].mode == JOB_REPLICATED_JOB ||
		     jobs->jobs.items[i].mode == JOB_GLOBAL_JOB))
			return false;
	return find_in_slot(page, task->job_id, task->slot) == task;
}

/* Leave out what has ended, unless it is missed, or was `seen` before it ended. */
static void drop_final(struct task_page *page, const struct job_page *jobs, const struct map *seen)
{
	struct task_page kept = { 0 };
	for (size_t i = 0; i < page->tasks.n; i++) {
		struct task_view *task = &page->tasks.items[i];
		if (task_is_final(task->state) && !is_missed(page, task, jobs) &&
		    !map_get(seen, task->id))
			continue;
		struct task_view *copy = list_add(&kept.tasks, sizeof(*copy));
		record_copy(&task_view_type, copy, task);
	}
	record_release(&task_page_type, page);
	*page = kept;
}

/* What is looked at, and what was. */
struct tasks {
	struct task_page page;
	char *query;
	char *jobs_query; /* of the jobs whose tasks they are */
	bool all;
	bool wide;
	bool keeps_seen; /* lines: how a task that was shown has ended is shown, too */
	struct map seen;
};

static enum err_code fetch_page(struct invocation *invocation, void *owner, struct err *err)
{
	struct tasks *tasks = owner;
	struct task_page *page = &tasks->page;
	struct job_page jobs;
	enum err_code code = fetch_tasks(invocation, tasks->query, page, err);
	if (code)
		return code;
	if (!tasks->all) {
		code = fetch_jobs(invocation, tasks->jobs_query, &jobs, err);
		if (code) {
			record_release(&task_page_type, page);
			return code;
		}
		drop_final(page, &jobs, &tasks->seen);
		record_release(&job_page_type, &jobs);
	}
	for (size_t i = 0; tasks->keeps_seen && i < page->tasks.n; i++)
		map_put(&tasks->seen, page->tasks.items[i].id, tasks);
	if (page->tasks.n)
		qsort(page->tasks.items, page->tasks.n, sizeof(struct task_view), compare);
	return ERR_NONE;
}

static void fill(void *owner, struct table *table, struct watch_keys *keys)
{
	const struct tasks *tasks = owner;
	make_table(table, &tasks->page, tasks->wide);
	for (size_t i = 0; i < tasks->page.tasks.n; i++) {
		struct uuid *key = list_add(&keys->ids, sizeof(*key));
		*key = tasks->page.tasks.items[i].id;
	}
}

#define COLUMN_SINCE 5

static int watch_tasks(struct invocation *invocation, struct tasks *tasks, enum output_form form)
{
	struct err err;
	struct watch_source source = {
		.page_type = &task_page_type,
		.items = "tasks",
		.page = &tasks->page,
		.fetch = fetch_page,
		.fill = fill,
		.volatile_columns = 1u << COLUMN_SINCE,
		.owner = tasks,
	};
	if (cli_has(invocation, "quiet"))
		return cli_usage(invocation, "--watch shows how tasks stand: --quiet does not");
	tasks->keeps_seen = form == OUTPUT_JSON || !isatty(STDOUT_FILENO);
	return watch(invocation, &source, form, &err) ? cli_fail(invocation, &err) : 0;
}

static int list_tasks(struct invocation *invocation, struct tasks *tasks, enum output_form form)
{
	struct err err;
	if (fetch_page(invocation, tasks, &err))
		return cli_fail(invocation, &err);
	if (form == OUTPUT_JSON) {
		output_json(&task_page_type, &tasks->page);
	} else if (cli_has(invocation, "quiet")) {
		char id[UUID_TEXT_SIZE];
		for (size_t i = 0; i < tasks->page.tasks.n; i++)
			puts(uuid_format(tasks->page.tasks.items[i].id, id));
	} else {
		print_table(&tasks->page, form == OUTPUT_WIDE);
	}
	record_release(&task_page_type, &tasks->page);
	return 0;
}

static int run(struct invocation *invocation)
{
	struct err err;
	enum output_form form;
	const char *project = cli_string(invocation, "project-name", NULL);
	struct tasks tasks = { .all = cli_has(invocation, "all") };
	if (output_form(invocation, &form, &err))
		return cli_fail(invocation, &err);
	if (invocation->operands.n) {
		struct found found = { 0 };
		if (find_job_of(invocation, project, invocation->operands.items[0], &found, &err))
			return cli_fail(invocation, &err);
		tasks.query = find_query(found.job.project, found.job.name);
		tasks.jobs_query = find_job_query(&found.job);
		found_release(&found);
	} else {
		tasks.query = project ? find_query(project, NULL) : base_strdup("");
		tasks.jobs_query = base_strdup(tasks.query);
	}
	tasks.wide = form == OUTPUT_WIDE;
	int status = cli_has(invocation, "watch") ? watch_tasks(invocation, &tasks, form)
						  : list_tasks(invocation, &tasks, form);
	map_release(&tasks.seen);
	base_free(tasks.query);
	base_free(tasks.jobs_query);
	return status;
}

static const struct option options[] = {
	{ "all", 'a', OPTION_FLAG, NULL, "also tasks that have ended and are not missed" },
	{ "project-name", 'p', OPTION_STRING, "NAME", "only tasks of this project" },
	{ "quiet", 'q', OPTION_FLAG, NULL, "print ids only" },
	OPTION_WATCH,
	OPTION_OUTPUT,
};

const struct command command_ps = {
	.name = "ps",
	.operands = "[JOB]",
	.summary = "List tasks",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_max = 1,
	.run = run,
};
