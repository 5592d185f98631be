/* What a worker says of its tasks, taken into the world. The bytes come from outside: whatever does
 * not fit the state table is refused softly, never asserted.
 *
 * Invariants: a version never falls; a state changes only row by row through task_move(); once a
 * task is final nothing of it changes but `gone` and `removed`, and those only rise. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
#include "cluster/internal.h"

/* The rows a report implies, at most Running -> Scheduled -> Running -> end. */
struct path {
	int states[3];
	size_t n;
};

static void path_add(struct path *path, int state)
{
	PRE(path->n < ARRAY_LEN(path->states));
	path->states[path->n++] = state;
}

/* Did a container run between what is known and what is reported now? Compares times for equality
 * only: clocks jump. */
static bool ran_since(const struct observed_half *known, const struct task_observed *report)
{
	return report->started_wall_ms > 0 && report->started_wall_ms != known->started_wall_ms;
}

/* The rows from the task's state to the reported one. What happened between two reports is not
 * told; only the rows that must have happened are walked. */
static struct path path_of(const struct task *task, const struct task_observed *report)
{
	const struct observed_half *known = &task->observed;
	struct path path = { 0 };
	bool newer_attempt = report->attempt > known->attempt;
	bool ran = ran_since(known, report);
	int state = task->state;
	if (state == TASK_RUNNING && newer_attempt) {
		path_add(&path, TASK_SCHEDULED);
		state = TASK_SCHEDULED;
	}
	if (state == TASK_SCHEDULED && ran && report->state != TASK_RUNNING) {
		path_add(&path, TASK_RUNNING);
		state = TASK_RUNNING;
	}
	if (state != report->state)
		path_add(&path, report->state);
	return path;
}

static bool path_is_legal(const struct task *task, const struct path *path)
{
	int state = task->state;
	for (size_t i = 0; i < path->n; i++) {
		if (!task_may_move(state, path->states[i]))
			return false;
		state = path->states[i];
	}
	return true;
}

bool observed_is_sound(const struct task_observed *report, struct err *err)
{
	if (report->state < TASK_SCHEDULED || report->state > TASK_FAILED)
		err_set(err, ERR_PROTOCOL, "a worker cannot report the state %d", report->state);
	else if (report->version <= 0)
		err_set(err, ERR_PROTOCOL, "a report has a version of at least 1");
	else if (!task_can_hold_observed(report))
		err_set(err, ERR_PROTOCOL, "no container is started more than %d times",
			LIMIT_TASK_COUNT);
	else if (report->reason == REASON_EXIT_ZERO && report->state != TASK_COMPLETED)
		err_set(err, ERR_PROTOCOL, "a task that is %s has not ended with exit code 0",
			enum_name(task_state_names, report->state));
	else
		return true;
	return false;
}

/* What no worker that keeps the contract sends, whatever the task's state. */
static bool report_is_sound(const struct task_observed *report, struct err *err)
{
	if (!observed_is_sound(report, err))
		return false;
	if (task_is_final(report->state) || (!report->gone && !report->removed))
		return true;
	err_set(err, ERR_PROTOCOL, "a task that is %s cannot be gone",
		enum_name(task_state_names, report->state));
	return false;
}

static bool report_is_acceptable(const struct task *task, struct node_id node,
				 const struct task_observed *report, struct err *err)
{
	const struct observed_half *known = &task->observed;
	if (uuid_is_zero(node.uuid) || !uuid_equal(task->desired.node.uuid, node.uuid)) {
		err_set(err, ERR_CONFLICT, "the task is not placed on the node that reports it");
	} else if (report->version < known->version) {
		err_set(err, ERR_CONFLICT, "report %lld is older than %lld, which is known",
			(long long)report->version, (long long)known->version);
	} else if (task->desired.written_off) {
		err_set(err, ERR_CONFLICT, "the task was given up with its node");
	} else if (task->desired.verdict) {
		return true;
	} else if (task_is_final(task->state) && report->state != task->state) {
		err_set(err, ERR_CONFLICT, "a task that is %s does not become %s",
			enum_name(task_state_names, task->state),
			enum_name(task_state_names, report->state));
	} else if (report->attempt < known->attempt) {
		err_set(err, ERR_CONFLICT, "attempt %lld comes after attempt %lld",
			(long long)report->attempt, (long long)known->attempt);
	} else {
		return true;
	}
	return false;
}

/* A final task learns only that its container is gone. Returns whether that is news. */
static bool take_flags(struct task *task, const struct task_observed *report)
{
	struct observed_half *known = &task->observed;
	bool gone = known->gone || report->gone || report->removed;
	bool removed = known->removed || report->removed;
	if (gone == known->gone && removed == known->removed)
		return false;
	if (known->version == 0) {
		struct task_observed nothing;
		record_init(&task_observed_type, &nothing);
		nothing.state = TASK_SCHEDULED;
		task_take_observed(task, &nothing);
	}
	if (PLANTED(PLANTED_FINAL_CHANGES))
		known->exit_code = (int32_t)report->exit_code;
	known->version = report->version;
	known->gone = gone;
	known->removed = removed;
	return true;
}

static void take_report(struct task *task, struct task_observed *report, const struct path *path)
{
	for (size_t i = 0; i < path->n; i++)
		task_must_move(task, path->states[i]);
	task_take_observed(task, report);
	task->observed.gone |= task->observed.removed;
	POST(task_derive_state(task) == task->state);
	task_derive_reason(task);
}

/* Apply an acceptable report. Returns whether anything changed. */
static bool apply(struct cluster *cluster, struct task *task, struct task_observed *report,
		  const struct path *path)
{
	bool was_on_list = task_is_on_list_of_node(task);
	bool changed = true;
	weight_off(cluster, task);
	if (task_is_final(task->state))
		changed = take_flags(task, report);
	else
		take_report(task, report, path);
	weight_on(cluster, task);
	if (was_on_list && !task_is_on_list_of_node(task))
		task_list_remove(&cluster_node(cluster, task->desired.node)->tasks, task);
	return changed;
}

static void put_observed(struct changes *changes, const struct task *task)
{
	struct task_observed observed;
	char container_id[TASK_CONTAINER_ID_SIZE];
	task_get_observed(task, container_id, &observed);
	cluster_record_put(changes, cluster_key_of_observed(observed.task), &task_observed_type,
			   &observed);
}

/* False: refused, with the reason in `err`. */
static bool observe(struct cluster *cluster, struct changes *changes, struct node_id node,
		    struct task_observed *report, struct err *err)
{
	struct task *task = cluster_task(cluster, report->task);
	if (!task) {
		err_set(err, ERR_NOT_FOUND, "there is no such task");
		return false;
	}
	if (!report_is_sound(report, err) || !report_is_acceptable(task, node, report, err))
		return false;
	if (report->version == task->observed.version)
		return true;
	struct path path = { 0 };
	if (!task_is_final(task->state)) {
		path = path_of(task, report);
		if (!path_is_legal(task, &path)) {
			err_set(err, ERR_CONFLICT, "a task that is %s does not become %s",
				enum_name(task_state_names, task->state),
				enum_name(task_state_names, report->state));
			return false;
		}
	}
	if (apply(cluster, task, report, &path)) {
		cluster_job_of(cluster, task)->dirty = true;
		put_observed(changes, task);
	}
	return true;
}

void cluster_refile_observed(struct cluster *cluster, struct changes *changes)
{
	PRE(cluster->filed_by_node.n > 0);
	const struct task *task = cluster->filed_by_node.items[--cluster->filed_by_node.n];
	cluster_record_delete(changes,
			      cluster_first_key_of_observed(task->desired.node, task->desired.id));
	put_observed(changes, task);
}

bool cluster_observe_again(struct task *task, const struct task_observed *observed)
{
	struct task_observed known;
	char container_id[TASK_CONTAINER_ID_SIZE];
	task_get_observed(task, container_id, &known);
	if (known.version == 0 || observed->version < known.version)
		return false;
	known.version = observed->version;
	if (!record_equal(&task_observed_type, &known, observed))
		return false;
	task->observed.version = observed->version;
	return true;
}

bool cluster_observe(struct cluster *cluster, struct changes *changes, struct node_id node,
		     struct task_observed *observed, struct err *err)
{
	PRE(!cluster->edit.task);
	bool taken = observe(cluster, changes, node, observed, err);
	record_release(&task_observed_type, observed);
	return taken;
}
