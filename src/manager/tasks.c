/* Every change of a task, so that what follows from tasks is kept in step in one place: digests of desired sets, what
 * sessions must be told, the queue, the list of dirty jobs, notes and happenings.
 *
 * Invariant: between open_task() and close_task() nobody else reads the task. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
#include "manager/core.h"
#include "manager/roster.h"

/* A task as it was before a change. */
struct before {
	int state;
	int health;
	bool in_set;
	bool occupied;
};

bool task_in_set(const struct task *task)
{
	return !uuid_is_zero(task->desired.node.uuid) && !task->observed.removed &&
	       !task->desired.written_off;
}

struct sync_assignment task_assignment(const struct manager *manager, const struct task *task)
{
	const struct desired_half *desired = &task->desired;
	const struct task_rare *rare = task_rare(task);
	const struct node_entry *node = cluster_node(&manager->cluster, desired->node);
	struct sync_assignment assignment = {
		.task = desired->id,
		.job = *desired->job,
		.revision = desired->revision,
		.slot = desired->slot,
		.wanted = desired->wanted,
		.stop_reason = sync_reason(desired->stop_reason, node->record.facts.protocol),
		.attempts_before = rare->attempts_before,
	};
	assignment.ports.items = rare->ports.items;
	assignment.ports.n = rare->ports.n;
	return assignment;
}

static uint64_t digest_of(const struct manager *manager, const struct task *task)
{
	struct sync_assignment assignment = task_assignment(manager, task);
	return (uint64_t)sync_assignment_digest(&assignment);
}

static struct before leave_set(struct manager *manager, const struct task *task)
{
	struct before before = { task->state, task->observed.health, task_in_set(task),
				 task_occupies_node(task) };
	if (before.in_set)
		node_watch(manager, task->desired.node)->digest -= digest_of(manager, task);
	return before;
}

static void join_set(struct manager *manager, const struct task *task)
{
	if (task_in_set(task))
		node_watch(manager, task->desired.node)->digest += digest_of(manager, task);
}

static const char *node_name_of(const struct manager *manager, const struct task *task)
{
	return node_name(cluster_node(&manager->cluster, task->desired.node));
}

/* The last words of a note about an end: "exit_zero", "port_taken: host port 80 is taken". */
static void note_end(struct manager *manager, const char *name, const struct task *task,
		     const char *state)
{
	char sentence[TASK_SENTENCE_SIZE];
	const char *message = task_message(task);
	if (message && *message)
		notes_add(&manager->out->notes, "%s %s: %s: %s", name, state,
			  reason_name(task->reason),
			  cluster_task_sentence(&manager->cluster, task, sentence));
	else
		notes_add(&manager->out->notes, "%s %s: %s", name, state,
			  reason_name(task->reason));
}

static void note_state(struct manager *manager, const struct task *task,
		       const struct before *before)
{
	struct notes *notes = &manager->out->notes;
	char name[TASK_NAME_SIZE];
	cluster_task_name(&manager->cluster, task, name);
	switch (task->state) {
	case TASK_SCHEDULED:
		if (before->state == TASK_PENDING)
			notes_add(notes, "%s scheduled on %s", name, node_name_of(manager, task));
		else
			note_end(manager, name, task, "restarts");
		break;
	case TASK_RUNNING: notes_add(notes, "%s running", name); break;
	case TASK_COMPLETED:
	case TASK_FAILED:
		note_end(manager, name, task, enum_name(task_state_names, task->state));
		break;
	default: UNREACHABLE("no task goes back to pending");
	}
	if (!PLANTED(PLANTED_EVENT_LOST) || task->state != TASK_FAILED)
		happen_task(manager, task, enum_name(task_state_names, task->state));
}

static void note_health(struct manager *manager, const struct task *task)
{
	char name[TASK_NAME_SIZE];
	const char *health = enum_name(task_health_names, task->observed.health);
	notes_add(&manager->out->notes, "%s %s", cluster_task_name(&manager->cluster, task, name),
		  health);
	happen_task(manager, task, health);
}

/* What a pool's ports are worth on this machine: which of several it was Docker does not say in a form to rely on. */
static void learn_ports(struct manager *manager, const struct task *task)
{
	struct node_entry *node = cluster_node(&manager->cluster, task->desired.node);
	const struct job_spec *spec = cluster_task_spec(&manager->cluster, task);
	bool taken = task->state == TASK_FAILED && task->reason == REASON_PORT_TAKEN;
	if (!node || (!taken && (task->state != TASK_RUNNING || !node->foreign_ports)))
		return;
	const struct task_rare *rare = task_rare(task);
	for (size_t i = 0; i < rare->ports.n; i++) {
		const struct port_grant *grant = &rare->ports.items[i];
		int protocol = spec->ports.items[grant->index].protocol;
		if (taken)
			cluster_port_seen_foreign(node, protocol, grant->host_port);
		else
			cluster_port_seen_ours(node, protocol, grant->host_port);
	}
}

static void changed(struct manager *manager, struct task *task, const struct before *before)
{
	task_dirty(manager, task);
	if (before->state == TASK_PENDING && task->state != TASK_PENDING)
		pending_drop(manager, task->desired.id);
	if (task_is_final(task->state) && pending_get(manager, task->desired.id))
		pending_drop(manager, task->desired.id);
	if (task_is_final(task->state)) {
		move_forget(manager, task->desired.id);
		trial_forget(manager, task->desired.id);
	}
	if (before->occupied && !task_occupies_node(task))
		manager->wake = true;
	if (before->state != task->state) {
		learn_ports(manager, task);
		note_state(manager, task, before);
	} else if (task->state == TASK_RUNNING && before->health != task->observed.health)
		note_health(manager, task);
}

static struct before open_task(struct manager *manager, struct task *task)
{
	struct before before = leave_set(manager, task);
	cluster_task_edit(&manager->cluster, task);
	return before;
}

static void close_task(struct manager *manager, struct task *task, const struct before *before)
{
	cluster_task_save(&manager->cluster, &manager->out->changes, task);
	join_set(manager, task);
	if (before->in_set || task_in_set(task))
		session_task_changed(manager, task);
	changed(manager, task, before);
}

static bool has_run(const struct task *task)
{
	return task->observed.started_wall_ms > 0;
}

/* The first start that fails waits a second, each further one twice as long; a fifth of jitter keeps many from coming
 * back together. */
static int64_t backoff_ms(struct manager *manager, int64_t failures)
{
	int64_t wait_ms = BACKOFF_FIRST_MS;
	for (int64_t i = 1; i < failures && wait_ms < BACKOFF_MAX_MS; i++)
		wait_ms *= 2;
	if (wait_ms > BACKOFF_MAX_MS)
		wait_ms = BACKOFF_MAX_MS;
	return wait_ms + (int64_t)random_below(&manager->random, (uint64_t)wait_ms / 5);
}

/* What the new task of a slot inherits from the one before it. */
static void inherit(struct manager *manager, const struct job_entry *entry, const struct task *old,
		    struct task_desired *desired)
{
	int reason = task_is_final(old->state) ? task_end_reason(entry, old) : REASON_NODE_LOST;
	if (reason == REASON_SCALED_DOWN || old->desired.wanted == TASK_WANT_REMOVE)
		return;
	/* One that never had a node has taken over nothing, nor has one that the task before it is still beside. */
	const struct task *moving = cluster_task(&manager->cluster, task_rare(old)->replaces);
	bool took_over = !uuid_is_zero(old->desired.node.uuid) && (!moving || task_is_off(moving));
	desired->replaces = took_over ? old->desired.id : task_rare(old)->replaces;
	if (task_is_behind(entry, old))
		return;
	if (old->desired.roll == desired->roll)
		desired->trial = old->desired.trial;
	enum reason_after after = reason_after(reason);
	if (after != AFTER_REPLACE_ELSEWHERE && after != AFTER_REPLACE_NOW)
		return;
	if (reason == REASON_RESTARTED)
		return;
	desired->attempts_before = task_rare(old)->attempts_before + old->observed.attempts_used;
	desired->start_failures = has_run(old) ? 0 : task_rare(old)->start_failures;
	if (after == AFTER_REPLACE_ELSEWHERE) {
		desired->start_failures++;
		desired->not_before_ms =
			wall_now(manager) + backoff_ms(manager, desired->start_failures);
	}
}

struct task *task_create(struct manager *manager, struct job_entry *entry, int64_t slot,
			 const struct task *old)
{
	struct task_desired desired = {
		.id = { id_next(manager) },
		.job = entry->job.id,
		.revision = successor_revision(entry, old)->number,
		.restarts_asked = entry->job.restarts_asked,
		.roll = entry->job.roll,
		.slot = slot,
		.created_wall_ms = wall_now(manager),
	};
	if (old)
		inherit(manager, entry, old, &desired);
	group_reserve(manager, 1);
	struct task *task = cluster_add_task(&manager->cluster, &manager->out->changes, &desired);
	roster_task_made(job_watch(manager, entry->job.id)->roster, task);
	pending_add(manager, task, false);
	task_dirty(manager, task);
	return task;
}

static void put_on_node(struct manager *manager, struct task *task, struct scheduler_pick *pick)
{
	volume_pin(manager, task, pick->node);
	struct before before = open_task(manager, task);
	task->desired.node = pick->node->record.id;
	task->desired.scheduled_wall_ms = wall_now(manager);
	task_take_ports(task, pick->ports.items, pick->ports.n);
	pick->ports.items = NULL;
	pick->ports.n = 0;
	close_task(manager, task, &before);
}

void task_place(struct manager *manager, struct task *task, struct scheduler_pick *pick)
{
	PRE(task->state == TASK_PENDING);
	PRE(pick->node);
	group_reserve(manager, 1 + volume_pins_max(cluster_task_spec(&manager->cluster, task)));
	put_on_node(manager, task, pick);
}

/* "node alpha is silent", "Docker on node alpha does not answer". */
static const char *lost_because(const struct manager *manager, const struct task *lost,
				char out[LIMIT_NAME_BYTES * 5])
{
	const struct node_entry *node = cluster_node(&manager->cluster, lost->desired.node);
	return text_print(out, LIMIT_NAME_BYTES * 5,
			  node->state == NODE_DEGRADED ? "Docker on node %s does not answer"
						       : "node %s is silent",
			  node_name(node));
}

static void judge(const struct manager *manager, struct task *task, uint8_t state, int reason,
		  const char *message)
{
	struct task_rare *rare = task_make_rare(task);
	task->desired.verdict = state;
	task->desired.verdict_reason = (uint8_t)reason;
	rare->verdict_wall_ms = wall_now(manager);
	string_set(&rare->verdict_message, message);
}

/* It may never have ended, or a container of it may be left, but its slot goes on without it. How it ended stays, if it
 * has: only that it is to stop, and why, is new. */
static void give_up(struct manager *manager, struct task *lost, const char *message)
{
	struct before before = open_task(manager, lost);
	if (task_is_final(lost->state)) {
		if (lost->desired.wanted == TASK_WANT_RUN)
			lost->desired.wanted = TASK_WANT_STOP;
		lost->desired.stop_reason = REASON_NODE_LOST;
		close_task(manager, lost, &before);
		return;
	}
	judge(manager, lost, TASK_FAILED, REASON_NODE_LOST, message);
	if (lost->desired.wanted == TASK_WANT_RUN) {
		lost->desired.wanted = TASK_WANT_STOP;
		lost->desired.stop_reason = REASON_NODE_LOST;
	}
	close_task(manager, lost, &before);
}

void task_lose(struct manager *manager, struct task *lost, const struct node_entry *node)
{
	PRE(!task_is_final(lost->state));
	PRE(lost->unreachable);
	group_reserve(manager, 1);
	char because[LIMIT_NAME_BYTES * 5];
	char message[LIMIT_MESSAGE_BYTES];
	text_print(message, sizeof(message), "%s; the task has moved to %s",
		   lost_because(manager, lost, because), node ? node_name(node) : "another node");
	give_up(manager, lost, message);
}

void task_write_off(struct manager *manager, struct task *task)
{
	group_reserve(manager, 1);
	struct before before = open_task(manager, task);
	struct desired_half *desired = &task->desired;
	if (!task_is_final(task->state)) {
		/* What was to stop has stopped, one way or the other. */
		bool wanted = desired->wanted == TASK_WANT_RUN;
		char message[LIMIT_MESSAGE_BYTES];
		text_print(message, sizeof(message), "node %s was removed from the cluster",
			   node_name_of(manager, task));
		judge(manager, task, wanted ? TASK_FAILED : TASK_COMPLETED,
		      wanted ? REASON_NODE_LOST : desired->stop_reason, message);
	}
	desired->written_off = true;
	close_task(manager, task, &before);
	if (desired->wanted == TASK_WANT_REMOVE)
		task_delete(manager, task);
}

void task_withdraw(struct manager *manager, struct task *task)
{
	if (uuid_is_zero(task->desired.node.uuid)) {
		task_delete(manager, task);
		return;
	}
	group_reserve(manager, 1);
	struct before before = open_task(manager, task);
	if (task->desired.wanted == TASK_WANT_RUN)
		task->desired.wanted = TASK_WANT_STOP;
	task->desired.stop_reason = REASON_WITHDRAWN;
	close_task(manager, task, &before);
}

void task_replace_lost(struct manager *manager, struct task *lost, struct scheduler_pick *pick)
{
	PRE(!task_is_off(lost));
	PRE(lost->unreachable);
	PRE(lease_over_ms(manager, lost) <= manager->in->now_ms);
	struct job_entry *entry = cluster_job_of(&manager->cluster, lost);
	/* One group: either the old task is lost and the new one is placed, or neither. */
	group_reserve(manager, 3 + volume_pins_max(&successor_revision(entry, lost)->spec));
	bool held = manager->group_held;
	manager->group_held = true;
	struct task *task = task_create(manager, entry, lost->desired.slot, lost);
	char because[LIMIT_NAME_BYTES * 5];
	char message[LIMIT_MESSAGE_BYTES];
	text_print(message, sizeof(message), "%s; the task was started again on %s",
		   lost_because(manager, lost, because), node_name(pick->node));
	give_up(manager, lost, message);
	put_on_node(manager, task, pick);
	manager->group_held = held;
}

void task_verdict(struct manager *manager, struct task *task, int state, int reason,
		  const char *message)
{
	PRE(task->state == TASK_PENDING);
	group_reserve(manager, 1);
	struct before before = open_task(manager, task);
	judge(manager, task, (uint8_t)state, reason, message);
	close_task(manager, task, &before);
}

static void ask_to_stop(struct manager *manager, struct task *task, int reason, const char *message)
{
	group_reserve(manager, 1);
	struct before before = open_task(manager, task);
	task->desired.wanted = TASK_WANT_STOP;
	task->desired.stop_reason = (uint8_t)reason;
	string_set(&task_make_rare(task)->stop_message, message);
	close_task(manager, task, &before);
	char name[TASK_NAME_SIZE];
	cluster_task_name(&manager->cluster, task, name);
	notes_add(&manager->out->notes, "%s stopping: %s%s%s", name, reason_name(reason),
		  message ? ": " : "", message ? message : "");
	happen(manager, "task", name, task->desired.id.uuid, "stopping", reason_name(reason),
	       message);
}

void task_stop_because(struct manager *manager, struct task *task, int reason, const char *message)
{
	PRE(task->state == TASK_SCHEDULED || task->state == TASK_RUNNING);
	PRE(task->desired.wanted == TASK_WANT_RUN);
	ask_to_stop(manager, task, reason, message);
}

void task_stop(struct manager *manager, struct task *task, int reason)
{
	PRE(!task_is_final(task->state));
	if (task->state == TASK_PENDING) {
		task_verdict(manager, task, TASK_COMPLETED, reason, NULL);
		return;
	}
	bool stopping = task->desired.wanted >= TASK_WANT_STOP;
	if (task->desired.wanted == TASK_WANT_REMOVE || task_is_withdrawn(task) ||
	    (stopping && task->desired.stop_reason == reason))
		return;
	ask_to_stop(manager, task, reason, NULL);
}

void task_hurry(struct manager *manager, struct task *task)
{
	PRE(task->state == TASK_PENDING);
	pending_drop(manager, task->desired.id);
	struct before before = open_task(manager, task);
	task_make_rare(task)->not_before_ms = 0;
	close_task(manager, task, &before);
	pending_add(manager, task, false);
}

void task_remove(struct manager *manager, struct task *task)
{
	if (uuid_is_zero(task->desired.node.uuid) || task->observed.removed ||
	    task->desired.written_off) {
		task_delete(manager, task);
		return;
	}
	if (task->desired.wanted == TASK_WANT_REMOVE)
		return;
	group_reserve(manager, 1);
	bool ran = !task_is_final(task->state);
	struct before before = open_task(manager, task);
	task->desired.wanted = TASK_WANT_REMOVE;
	if (task->desired.stop_reason == REASON_NONE)
		task->desired.stop_reason = REASON_REMOVED;
	close_task(manager, task, &before);
	if (ran) {
		char name[TASK_NAME_SIZE];
		notes_add(&manager->out->notes, "%s stopping: removed",
			  cluster_task_name(&manager->cluster, task, name));
	}
}

void task_delete(struct manager *manager, struct task *task)
{
	char name[TASK_NAME_SIZE];
	cluster_task_name(&manager->cluster, task, name);
	struct before before = leave_set(manager, task);
	if (before.in_set)
		session_task_changed(manager, task);
	if (before.occupied)
		manager->wake = true;
	pending_drop(manager, task->desired.id);
	trial_forget(manager, task->desired.id);
	task_dirty(manager, task);
	roster_task_gone(job_watch(manager, *task->desired.job)->roster, task);
	happen(manager, "task", name, task->desired.id.uuid, "removed", reason_name(task->reason),
	       NULL);
	notes_add(&manager->out->notes, "%s removed", name);
	group_reserve(manager, 2);
	cluster_delete_task(&manager->cluster, &manager->out->changes, task);
}

/* A record that says nothing new is the normal case: reports are repeated until they are acknowledged. */
static bool is_news(const struct node_entry *node, const struct task *task,
		    const struct task_observed *observed)
{
	return task && uuid_equal(task->desired.node.uuid, node->record.id.uuid) &&
	       observed->version > task->observed.version;
}

void task_report(struct manager *manager, struct node_entry *node,
		 const struct task_observed *observed)
{
	struct task *task = cluster_task(&manager->cluster, observed->task);
	if (!is_news(node, task, observed) || cluster_observe_again(task, observed))
		return;
	group_reserve(manager, 1);
	struct task_observed copy;
	record_copy(&task_observed_type, &copy, observed);
	struct before before = leave_set(manager, task);
	struct err err;
	bool taken = cluster_observe(&manager->cluster, &manager->out->changes, node->record.id,
				     &copy, &err);
	join_set(manager, task);
	if (!taken) {
		char name[TASK_NAME_SIZE];
		notes_add(&manager->out->notes, "%s: a report of %s was refused: %s",
			  cluster_task_name(&manager->cluster, task, name), node_name(node),
			  err.message);
		return;
	}
	if (before.in_set != task_in_set(task))
		session_task_changed(manager, task);
	changed(manager, task, &before);
	if (task->observed.removed && task->desired.wanted == TASK_WANT_REMOVE &&
	    task_is_final(task->state))
		task_delete(manager, task);
}

void task_set_trial(struct manager *manager, struct task *task, int trial)
{
	group_reserve(manager, 1);
	cluster_task_edit(&manager->cluster, task);
	task->desired.trial = (uint8_t)trial;
	task->desired.roll = (int32_t)cluster_job_of(&manager->cluster, task)->job.roll;
	cluster_task_save(&manager->cluster, &manager->out->changes, task);
	roster_task_changed(job_watch(manager, *task->desired.job)->roster, task);
}

void task_set_waiting(struct manager *manager, struct task *task, int reason, const char *message)
{
	const char *known = task_message(task);
	if (task->reason == reason && known && strcmp(known, message) == 0)
		return;
	cluster_set_waiting(&manager->cluster, task, reason, base_strdup(message));
	roster_task_changed(job_watch(manager, *task->desired.job)->roster, task);
}

void task_set_unreachable(struct manager *manager, struct task *task, bool unreachable)
{
	if (task->unreachable == unreachable)
		return;
	cluster_set_unreachable(&manager->cluster, task, unreachable);
	task_dirty(manager, task);
	happen_task(manager, task, unreachable ? "unreachable" : "reachable");
}
