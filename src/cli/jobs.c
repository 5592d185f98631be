#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/find.h"

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

static int run(struct invocation *invocation)
{
	struct job_page page;
	struct err err;
	enum output_form form;
	const char *project = cli_string(invocation, "project-name", NULL);
	_cleanup_free_ char *query = project ? find_query(project, NULL) : base_strdup("");
	if (output_form(invocation, &form, &err) || fetch_jobs(invocation, query, &page, &err))
		return cli_fail(invocation, &err);
	if (form == OUTPUT_JSON) {
		output_json(&job_page_type, &page);
	} else if (cli_has(invocation, "quiet")) {
		char id[UUID_TEXT_SIZE];
		for (size_t i = 0; i < page.jobs.n; i++)
			puts(uuid_format(page.jobs.items[i].id, id));
	} else {
		print_table(&page, form == OUTPUT_WIDE);
	}
	record_release(&job_page_type, &page);
	return 0;
}

static const struct option options[] = {
	{ "project-name", 'p', OPTION_STRING, "NAME", "only jobs of this project" },
	{ "quiet", 'q', OPTION_FLAG, NULL, "print ids only" },
	OPTION_OUTPUT,
};

const struct command command_jobs = {
	.name = "jobs",
	.operands = "",
	.summary = "List jobs",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
