#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/find.h"
#include "cli/rollout.h"
#include "cli/watch.h"

static void add_row(struct table *table, const struct job_view *job, bool wide)
{
	char id[UUID_TEXT_SIZE];
	char name[TASK_NAME_SIZE];
	bool completes = job->mode == JOB_REPLICATED_JOB || job->mode == JOB_GLOBAL_JOB;
	table_add(table, text_print(name, sizeof(name), "%s/%s", job->project, job->name));
	table_add(table, enum_name(job_mode_names, job->mode));
	table_add(table, enum_name(job_standing_names, job->standing));
	table_addf(table, "%lld/%lld", (long long)(completes ? job->succeeded : job->ready),
		   (long long)job->replicas);
	table_add(table, job->image);
	table_addf(table, "%lld", (long long)job->revision);
	table_add(table, table_age(job->created_wall_ms));
	if (wide) {
		table_add(table, uuid_format(job->id, id));
		table_add(table, job->message);
	}
}

static void print_table(const struct job_page *page, bool wide)
{
	static const char *const narrow_headings[] = { "JOB",	"MODE",	    "STATE",   "READY",
						       "IMAGE", "REVISION", "CREATED", NULL };
	static const char *const wide_headings[] = { "JOB",	"MODE",	    "STATE",   "READY",
						     "IMAGE",	"REVISION", "CREATED", "ID",
						     "MESSAGE", NULL };
	struct table table;
	table_init(&table, wide ? wide_headings : narrow_headings);
	for (size_t i = 0; i < page->jobs.n; i++)
		add_row(&table, &page->jobs.items[i], wide);
	table_print(&table, wide);
	table_release(&table);
}

/* What is looked at: all jobs, those of a project, or one. */
struct jobs {
	struct job_page page;
	char *query;
	bool wide;
	char *job;     /* PROJECT/NAME of the one whose roll-out is waited for; NULL: none */
	int64_t asked; /* the revision that is waited for; 0: whichever there is */
};

/* "updating", "running (rolling)", "updating (rolling_back)" */
static void add_standing(struct table *table, const struct job_view *job)
{
	const char *standing = enum_name(job_standing_names, job->standing);
	if (job->update == UPDATE_STATE_NONE ||
	    (job->update == UPDATE_STATE_ROLLING && job->standing == STANDING_UPDATING))
		table_add(table, standing);
	else
		table_addf(table, "%s (%s)", standing, enum_name(update_state_names, job->update));
}

static void add_watched_row(struct table *table, const struct job_view *job, bool wide)
{
	char id[UUID_TEXT_SIZE];
	bool completes = job->mode == JOB_REPLICATED_JOB || job->mode == JOB_GLOBAL_JOB;
	table_addf(table, "%s/%s", job->project, job->name);
	add_standing(table, job);
	table_addf(table, "%lld/%lld", (long long)(completes ? job->succeeded : job->ready),
		   (long long)job->replicas);
	if (completes)
		table_add(table, NULL);
	else
		table_addf(table, "%lld/%lld", (long long)job->running, (long long)job->replicas);
	table_addf(table, "%lld", (long long)job->revision);
	if (wide) {
		table_add(table, enum_name(job_mode_names, job->mode));
		table_add(table, job->image);
		table_add(table, uuid_format(job->id, id));
	}
	table_add(table, job->message);
}

static void fill(void *owner, struct table *table, struct watch_keys *keys)
{
	static const char *const narrow_headings[] = { "JOB",	   "STATE",   "READY", "UPDATED",
						       "REVISION", "MESSAGE", NULL };
	static const char *const wide_headings[] = { "JOB",	 "STATE", "READY", "UPDATED",
						     "REVISION", "MODE",  "IMAGE", "ID",
						     "MESSAGE",	 NULL };
	const struct jobs *jobs = owner;
	table_init(table, jobs->wide ? wide_headings : narrow_headings);
	for (size_t i = 0; i < jobs->page.jobs.n; i++) {
		const struct job_view *job = &jobs->page.jobs.items[i];
		struct uuid *key = list_add(&keys->ids, sizeof(*key));
		*key = job->id;
		add_watched_row(table, job, jobs->wide);
	}
}

static enum err_code fetch_page(struct invocation *invocation, void *owner, struct err *err)
{
	struct jobs *jobs = owner;
	return fetch_jobs(invocation, jobs->query, &jobs->page, err);
}

/* Has the roll-out come to its end? A newer revision that takes over is what is waited for then. */
static enum err_code judge(void *owner, bool *ret_done, struct err *err)
{
	struct jobs *jobs = owner;
	if (!jobs->page.jobs.n)
		return err_set(err, ERR_NOT_FOUND, "%s was removed", jobs->job);
	const struct job_view *job = &jobs->page.jobs.items[0];
	if (job->update == UPDATE_STATE_ROLLING)
		jobs->asked = job->revision;
	else if (job->update == UPDATE_STATE_ROLLING_BACK)
		jobs->asked = job->rolled_back_because && strcmp(job->rolled_back_because,
								 JOB_ROLLBACK_ASKED) == 0
				      ? 0
				      : job->rolled_back_from;
	if (job->standing == STANDING_STOPPED)
		return err_set(err, ERR_FAILED, "%s is stopped", jobs->job);
	*ret_done = true;
	return rollout_judge(job, jobs->asked, ret_done, err);
}

static int watch_jobs(struct invocation *invocation, struct jobs *jobs, enum output_form form)
{
	struct err err;
	struct watch_source source = {
		.page_type = &job_page_type,
		.items = "jobs",
		.page = &jobs->page,
		.fetch = fetch_page,
		.fill = fill,
		.judge = jobs->job ? judge : NULL,
		.owner = jobs,
	};
	if (cli_has(invocation, "quiet"))
		return cli_usage(invocation, "--watch shows how jobs stand: --quiet does not");
	if (jobs->job)
		cli_on_interrupt("drover jobs: no longer watching; the roll-out goes on");
	return watch(invocation, &source, form, &err) ? cli_fail(invocation, &err) : 0;
}

static int list_jobs(struct invocation *invocation, struct jobs *jobs, enum output_form form)
{
	struct err err;
	if (fetch_jobs(invocation, jobs->query, &jobs->page, &err))
		return cli_fail(invocation, &err);
	if (form == OUTPUT_JSON) {
		output_json(&job_page_type, &jobs->page);
	} else if (cli_has(invocation, "quiet")) {
		char id[UUID_TEXT_SIZE];
		for (size_t i = 0; i < jobs->page.jobs.n; i++)
			puts(uuid_format(jobs->page.jobs.items[i].id, id));
	} else {
		print_table(&jobs->page, form == OUTPUT_WIDE);
	}
	record_release(&job_page_type, &jobs->page);
	return 0;
}

/* Of the one that the operand names. */
static enum err_code choose(struct invocation *invocation, struct jobs *jobs, struct err *err)
{
	struct found found = { 0 };
	char name[TASK_NAME_SIZE];
	enum err_code code = find_job_of(invocation, cli_string(invocation, "project-name", NULL),
					 invocation->operands.items[0], &found, err);
	if (code)
		return code;
	base_free(jobs->query);
	jobs->query = find_job_query(&found.job);
	jobs->job = base_strdup(
		text_print(name, sizeof(name), "%s/%s", found.job.project, found.job.name));
	found_release(&found);
	return ERR_NONE;
}

static int run(struct invocation *invocation)
{
	struct err err;
	enum output_form form;
	const char *project = cli_string(invocation, "project-name", NULL);
	struct jobs jobs = { 0 };
	if (output_form(invocation, &form, &err))
		return cli_fail(invocation, &err);
	jobs.query = project ? find_query(project, NULL) : base_strdup("");
	jobs.wide = form == OUTPUT_WIDE;
	int status = invocation->operands.n && choose(invocation, &jobs, &err)
			     ? cli_fail(invocation, &err)
		     : cli_has(invocation, "watch") ? watch_jobs(invocation, &jobs, form)
						    : list_jobs(invocation, &jobs, form);
	base_free(jobs.query);
	base_free(jobs.job);
	return status;
}

static const struct option options[] = {
	{ "project-name", 'p', OPTION_STRING, "NAME", "only jobs of this project" },
	{ "quiet", 'q', OPTION_FLAG, NULL, "print ids only" },
	OPTION_WATCH,
	OPTION_OUTPUT,
};

const struct command command_jobs = {
	.name = "jobs",
	.operands = "[JOB]",
	.summary = "List jobs",
	.details = "With --watch: how each stands and how far its roll-out is, live. `--watch JOB` "
		   "ends when the roll-out of that job has ended: with status 0 when it succeeded, "
		   "1 with the reason when it failed, was rolled back or was given up.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_max = 1,
	.run = run,
};
