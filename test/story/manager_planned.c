#include "manager_planned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

#define ANSWER_BYTES_MAX (16 * 1024 * 1024)

static _Noreturn void rehearse(struct story *story, int fd)
{
	struct project_plan plan = { 0 };
	struct err err = { 0 };
	struct text bytes;
	struct manager_in in = { .now_ms = story->now_ms,
				 .wall_ms = story->wall_ms,
				 .seed = story->seed + 77,
				 .rev = story->rev + 1 };
	struct manager_request request = { .kind = REQUEST_APPLY,
					   .over_tls = story->over_tls,
					   .caller = STORY_PLANNER,
					   .idempotency_key = STORY_PLANNER_KEY,
					   .project_request = &story->request };
	text_init(&bytes, ANSWER_BYTES_MAX);
	alarm(60);
	err.code = manager_rehearse(story->manager, &in, &request, &plan, &err);
	manager_check(story->manager);
	if (!err.code)
		record_encode(&project_plan_type, &plan, &bytes);
	bool written = write(fd, &err, sizeof(err)) == (ssize_t)sizeof(err);
	for (size_t at = 0; written && at < bytes.len;) {
		ssize_t n = write(fd, bytes.bytes + at, bytes.len - at);
		written = n > 0;
		at += (size_t)n;
	}
	_exit(written ? 0 : 2);
}

enum err_code story_plan(struct story *story, struct project_plan *ret_plan, struct err *err)
{
	int fds[2];
	char chunk[4096];
	struct text answer;
	ssize_t n;
	int status = 0;
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	if (child == 0)
		rehearse(story, fds[1]);
	assert_true(child > 0);
	close(fds[1]);
	text_init(&answer, ANSWER_BYTES_MAX);
	while ((n = read(fds[0], chunk, sizeof(chunk))) > 0)
		text_add_bytes(&answer, chunk, (size_t)n);
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(answer.len >= sizeof(*err));
	memcpy(err, answer.bytes, sizeof(*err));
	struct err damage;
	if (!err->code)
		assert_int_equal(record_decode(&project_plan_type, answer.bytes + sizeof(*err),
					       answer.len - sizeof(*err), ret_plan, &damage),
				 ERR_NONE);
	text_release(&answer);
	return err->code;
}

static const char *shown(const char *value)
{
	return value ? value : "-";
}

static void add_changes(struct text *out, const struct planned_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_addf(out, "  %s: %s -> %s\n", changes[i].field, shown(changes[i].before),
			  shown(changes[i].after));
}

static void add_task(struct text *out, const struct planned_task *task)
{
	text_addf(out, "  %s %s", enum_name(planned_act_names, task->act), task->name);
	if (task->from)
		text_addf(out, " from %s", task->from);
	if (task->node)
		text_addf(out, " to %s", task->node);
	for (size_t i = 0; i < task->ports.n; i++)
		text_addf(out, " port %lld", (long long)task->ports.items[i].host_port);
	if (task->unplaced)
		text_addf(out, ": %s", task->message);
	text_add_char(out, '\n');
}

static void add_job(struct text *out, const struct planned_job *job)
{
	text_addf(out, "%s %s %lld>%lld\n", job->name, enum_name(job_effect_names, job->effect),
		  (long long)job->revision_before, (long long)job->revision);
	add_changes(out, job->changes.items, job->changes.n);
	for (size_t i = 0; i < job->tasks.n; i++)
		add_task(out, &job->tasks.items[i]);
	if (job->stays)
		text_addf(out, "  %lld stay\n", (long long)job->stays);
	if (job->later)
		text_addf(out, "  %lld more to start, %lld at a time\n", (long long)job->later,
			  (long long)job->at_once);
	if (job->goes_on && job->tasks.n)
		text_add(out, "  all the same\n");
}

static void add_resources(struct text *out, const char *kind,
			  const struct planned_resource *resources, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		text_addf(out, "%s %s %s%s%s\n", kind, resources[i].name,
			  enum_name(planned_effect_names, resources[i].effect),
			  resources[i].node ? " on " : "",
			  resources[i].node ? resources[i].node : "");
		add_changes(out, resources[i].changes.items, resources[i].changes.n);
	}
}

void story_plans(struct story *story, const char *expected)
{
	struct project_plan plan;
	struct err err;
	struct text out;
	text_init(&out, ANSWER_BYTES_MAX);
	if (story_plan(story, &plan, &err)) {
		text_addf(&out, "%s: %s\n", err_name(err.code), err.message);
	} else {
		for (size_t i = 0; i < plan.jobs.n; i++)
			add_job(&out, &plan.jobs.items[i]);
		add_resources(&out, "network", plan.networks.items, plan.networks.n);
		add_resources(&out, "volume", plan.volumes.items, plan.volumes.n);
		for (size_t i = 0; i < plan.problems.n; i++)
			text_addf(&out, "! %s\n", plan.problems.items[i]);
		if (!plan.changes)
			text_add(&out, "nothing changes\n");
		record_release(&project_plan_type, &plan);
	}
	assert_string_equal(text_string(&out), expected);
	text_release(&out);
}

/* ---- the world itself, slot by slot ---- */

/* The newest task of a slot. */
struct seen {
	char name[TASK_NAME_SIZE];
	struct task_id task;
	struct node_id node;
	bool ended;   /* it occupies nothing any more */
	bool stopped; /* because it was told to end */
};

struct sight {
	struct seen *seen;
	size_t n;
};

static struct seen *seen_of(const struct sight *sight, const char *name)
{
	for (size_t i = 0; i < sight->n; i++)
		if (strcmp(sight->seen[i].name, name) == 0)
			return &sight->seen[i];
	return NULL;
}

static void see_job(struct sight *sight, const struct cluster *cluster,
		    const struct job_entry *entry)
{
	char name[TASK_NAME_SIZE];
	sight->seen = base_realloc(sight->seen, sight->n + entry->tasks.n + 1, sizeof(struct seen));
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		if (task->desired.stop_reason == REASON_WITHDRAWN)
			continue;
		cluster_task_name(cluster, task, name);
		struct seen *seen = seen_of(sight, name);
		if (!seen)
			seen = &sight->seen[sight->n++];
		*seen = (struct seen){ .task = task->desired.id,
				       .node = task->desired.node,
				       .ended = task_is_final(task->state),
				       .stopped = task->desired.wanted != TASK_WANT_RUN };
		text_print(seen->name, sizeof(seen->name), "%s", name);
	}
}

/* The tasks of all jobs of the request's project. */
static struct sight see(struct story *story)
{
	const struct cluster *cluster = manager_cluster(story->manager);
	const struct project_entry *project = cluster_project(cluster, story->request.name);
	struct sight sight = { 0 };
	for (size_t i = 0; project && i < project->n_jobs; i++)
		see_job(&sight, cluster, project->jobs[i]);
	return sight;
}

/* What has become of a slot: an enum planned_act, or NOT_TOUCHED. */
#define NOT_TOUCHED (-1)
static int act_of(const struct seen *before, const struct seen *after)
{
	bool was = before && !before->ended;
	if (!after || (before && uuid_equal(before->task.uuid, after->task.uuid)))
		return was && (!after || (after->ended && after->stopped)) ? PLANNED_STOP
									   : NOT_TOUCHED;
	if (after->stopped)
		return was ? PLANNED_STOP : NOT_TOUCHED;
	if (!was)
		return PLANNED_START;
	bool elsewhere = !uuid_is_zero(before->node.uuid) && !uuid_is_zero(after->node.uuid) &&
			 !uuid_equal(before->node.uuid, after->node.uuid);
	return elsewhere ? PLANNED_MOVE : PLANNED_REPLACE;
}

static const struct planned_task *planned_of(const struct project_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->jobs.n; i++)
		for (size_t j = 0; j < plan->jobs.items[i].tasks.n; j++)
			if (strcmp(plan->jobs.items[i].tasks.items[j].name, name) == 0)
				return &plan->jobs.items[i].tasks.items[j];
	return NULL;
}

static void is_listed(const struct project_plan *plan, const char *name, int act)
{
	const struct planned_task *planned = planned_of(plan, name);
	int listed = planned ? planned->act : NOT_TOUCHED;
	if (listed != act)
		fail_msg("%s: the plan says %s, and it came to %s", name,
			 planned ? enum_name(planned_act_names, listed) : "nothing",
			 act == NOT_TOUCHED ? "nothing" : enum_name(planned_act_names, act));
}

/* What has changed is listed, and what is listed has changed. */
static void lists_all(const struct project_plan *plan, const struct sight *before,
		      const struct sight *after)
{
	for (size_t i = 0; i < after->n; i++) {
		const char *name = after->seen[i].name;
		is_listed(plan, name, act_of(seen_of(before, name), &after->seen[i]));
	}
	for (size_t i = 0; i < before->n; i++) {
		const char *name = before->seen[i].name;
		is_listed(plan, name, act_of(&before->seen[i], seen_of(after, name)));
	}
	for (size_t i = 0; i < plan->jobs.n; i++)
		for (size_t j = 0; j < plan->jobs.items[i].tasks.n; j++) {
			const char *name = plan->jobs.items[i].tasks.items[j].name;
			assert_true(seen_of(before, name) || seen_of(after, name));
		}
}

static void is_as_planned(struct story *story, const struct planned_task *planned)
{
	if (planned->act == PLANNED_STOP)
		return;
	const struct task *task = story_task(story, planned->name);
	const struct node_entry *node =
		cluster_node(manager_cluster(story->manager), task->desired.node);
	assert_string_equal(node ? cluster_node_name(node) : "",
			    planned->node ? planned->node : "");
	assert_int_equal(task->state == TASK_PENDING, planned->unplaced);
	assert_int_equal(task_rare(task)->ports.n, planned->ports.n);
	for (size_t i = 0; i < planned->ports.n; i++)
		assert_int_equal(task_rare(task)->ports.items[i].host_port,
				 planned->ports.items[i].host_port);
}

void story_comes_true(struct story *story)
{
	struct project_plan plan = { 0 };
	struct err err;
	struct sight before = see(story);
	assert_int_equal(story_plan(story, &plan, &err), ERR_NONE);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_pass(story, plan.lasts_ms + 1000);
	struct sight after = see(story);
	lists_all(&plan, &before, &after);
	for (size_t i = 0; i < plan.jobs.n; i++)
		for (size_t j = 0; j < plan.jobs.items[i].tasks.n; j++)
			is_as_planned(story, &plan.jobs.items[i].tasks.items[j]);
	base_free(before.seen);
	base_free(after.seen);
	record_release(&project_plan_type, &plan);
}
