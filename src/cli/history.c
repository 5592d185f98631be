#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "cli/find.h"

static const char *state_of(const struct job_history *history, const struct revision_view *revision)
{
	if (revision->current && history->update == UPDATE_STATE_PAUSED)
		return enum_name(update_state_names, UPDATE_STATE_PAUSED);
	/* A policy that lets so many fail rolls out to the end; the message counts them. */
	if (revision->outcome == OUTCOME_DONE && revision->message)
		return "done (failures)";
	return enum_name(outcome_names, revision->outcome);
}

static void print_table(const struct job_history *history, bool wide)
{
	static const char *const headings[] = { "REVISION", "CREATED", "STATE",
						"IMAGE",    "MESSAGE", NULL };
	struct table table;
	table_init(&table, headings);
	for (size_t i = 0; i < history->revisions.n; i++) {
		const struct revision_view *revision = &history->revisions.items[i];
		table_addf(&table, "%lld%s", (long long)revision->number,
			   revision->current ? " *" : "");
		table_add(&table, table_age(revision->created_wall_ms));
		table_add(&table, state_of(history, revision));
		table_add(&table, revision->image);
		table_add(&table, revision->message);
	}
	table_print(&table, wide);
	table_release(&table);
}

/* Local time, as people write it; "-": it never was. */
static const char *when(int64_t wall_ms, char out[32])
{
	struct tm local;
	time_t seconds = wall_ms / 1000;
	if (!wall_ms || !localtime_r(&seconds, &local) ||
	    !strftime(out, 32, "%Y-%m-%d %H:%M:%S", &local))
		return text_print(out, 32, "-");
	return out;
}

static void print_runs(const struct job_history *history, bool wide)
{
	static const char *const headings[] = { "TIME", "STARTED", "ENDED", "OUTCOME", NULL };
	struct table table;
	char buffer[32];
	if (!history->runs.n && !history->next_run_wall_ms)
		return;
	table_init(&table, headings);
	if (history->next_run_wall_ms) {
		table_add(&table, when(history->next_run_wall_ms, buffer));
		table_add(&table, "-");
		table_add(&table, "-");
		table_add(&table, "to come");
	}
	for (size_t i = 0; i < history->runs.n; i++) {
		const struct job_run *run = &history->runs.items[i];
		table_add(&table, run->scheduled_wall_ms ? when(run->scheduled_wall_ms, buffer)
							 : "by hand");
		table_add(&table, when(run->started_wall_ms, buffer));
		table_add(&table, when(run->ended_wall_ms, buffer));
		table_addf(&table, "%s%s", enum_name(run_outcome_names, run->outcome),
			   run->made_up ? " (made up)" : "");
	}
	puts("");
	table_print(&table, wide);
	table_release(&table);
}

static int run(struct invocation *invocation)
{
	struct err err;
	enum output_form form;
	struct found found = { 0 };
	struct job_history history;
	if (output_form(invocation, &form, &err) ||
	    find_job(invocation, invocation->operands.items[0], &found, &err))
		return cli_fail(invocation, &err);
	char target[128], id[UUID_TEXT_SIZE];
	text_print(target, sizeof(target), "/v1/jobs/%s/revisions", uuid_format(found.job.id, id));
	enum err_code code = fetch(invocation, target, &job_history_type, &history, &err);
	found_release(&found);
	if (code)
		return cli_fail(invocation, &err);
	if (form == OUTPUT_JSON)
		output_json(&job_history_type, &history);
	else {
		print_table(&history, form == OUTPUT_WIDE);
		print_runs(&history, form == OUTPUT_WIDE);
	}
	record_release(&job_history_type, &history);
	return 0;
}

static const struct option options[] = {
	OPTION_OUTPUT,
};

const struct command command_history = {
	.name = "history",
	.operands = "JOB",
	.summary = "List the revisions of a job and how their roll-outs went, and its runs",
	.details = "The current revision is marked. `drover rollback JOB --to REVISION` takes the "
		   "job back to one of them. Of a job with a schedule: its runs, too, the newest "
		   "first, and the next one.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
