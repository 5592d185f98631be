/* Moving a task whose work goes on: where the job allows it a new task takes its slot first, and the old one is stopped
 * once the new one is ready. What may not run twice is stopped at once, and so is what has waited for another node for
 * LIMIT_MOVE_PATIENCE_MS and found none; the slot then waits with the reason that the scheduler gives.
 *
 * An update that is to start first moves tasks in the same way (update.c), but then the old one stays for as long as
 * the new one is not ready: what fails is the update's to judge.
 *
 * Every move off a node ends. One of the two has LIMIT_MOVE_STEP_MS for each step that no successor in this move has
 * taken before: to have a node, to have its image, to run; and from there to be ready, for which it has the start
 * period of its health check besides. If that passes, whatever the reason (a gate that is closed, starts that fail
 * over and over, an end that nothing follows, health that does not come), the old one is stopped without it, and its
 * record says so. A new revision or restart begins anew.
 *
 * What is stored has no state of a move: a slot moves while the task its newest one replaces is not final. So a move
 * goes on after a restart of the manager where it was; only the time of its present step begins anew.
 *
 * Invariant: at most two tasks of a slot are not final and not withdrawn: the newest, and the one it replaces. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/moving.h"

static bool node_drains(const struct manager *manager, const struct task *task)
{
	return cluster_node(&manager->cluster, task->desired.node)->record.draining;
}

/* Why the task is to leave its slot to the other; REASON_NONE: it may stay. */
static int cause_of(const struct manager *manager, const struct job_entry *entry,
		    const struct task *task, const struct task *successor)
{
	bool kept = task_is_kept(entry, task);
	if (kept ? !task_is_kept(entry, successor) : task->desired.revision != entry->job.revision)
		return REASON_UPDATED;
	if (!kept && task_is_stale(entry, task))
		return REASON_RESTARTED;
	if (node_drains(manager, task))
		return REASON_DRAINED;
	return task_is_to_move(task) ? REASON_REBALANCED : REASON_NONE;
}

static bool is_fixed(const struct port *port)
{
	return port->host_first && port->host_first == port->host_last;
}

bool move_may_run_twice(const struct manager *manager, const struct job_entry *entry,
			const struct task *task)
{
	const struct job_spec *spec = &successor_revision(entry, task)->spec;
	if (job_runs_to_completion(entry) || !task_is_ready(task) || job_spec_lease_ms(spec) ||
	    job_spec_lease_ms(cluster_task_spec(&manager->cluster, task)))
		return false;
	for (size_t i = 0; i < spec->ports.n; i++)
		if (is_fixed(&spec->ports.items[i]))
			return false;
	struct task model;
	pending_model(manager, task, true, &model);
	return !scheduler_ties(&manager->cluster, &model);
}

bool move_has_waited(const struct manager *manager, const struct pending *pending)
{
	return !nodes_in_grace(manager) &&
	       manager->in->now_ms - pending->since_ms >= LIMIT_MOVE_PATIENCE_MS;
}

/* Has it found no node, and looked for long enough? */
static bool waits_in_vain(const struct manager *manager, const struct task *task)
{
	const struct pending *pending =
		task->state == TASK_PENDING ? pending_get(manager, task->desired.id) : NULL;
	return pending && pending->class && pending->class->parked &&
	       move_has_waited(manager, pending);
}

/* ---- how far it has come ---- */

int task_stage(const struct task *task)
{
	switch (task->state) {
	case TASK_RUNNING: return STAGE_RUNS;
	case TASK_SCHEDULED: break;
	default: return STAGE_NONE;
	}
	bool has_image = task->reason == REASON_STARTING || task->reason == REASON_RESTARTING;
	return has_image ? STAGE_HAS_IMAGE : STAGE_PLACED;
}

int64_t stage_limit_ms(const struct job_spec *spec, int stage, int64_t step_ms)
{
	return step_ms + (stage == STAGE_RUNS ? job_spec_start_period_ms(spec) : 0);
}

static int64_t step_ms(const struct manager *manager, const struct task *successor, int stage)
{
	return stage_limit_ms(cluster_task_spec(&manager->cluster, successor), stage,
			      LIMIT_MOVE_STEP_MS);
}

static struct move *move_of(struct manager *manager, const struct slot *slot)
{
	struct task_id id = slot->moving->desired.id;
	const struct desired_half *successor = &slot->newest->desired;
	struct move *move = map_get(&manager->moves, id.uuid);
	if (!move) {
		move = base_calloc(1, sizeof(*move));
		*move = (struct move){ .task = id, .revision = -1, .due_ms = INT64_MAX };
		map_put(&manager->moves, id.uuid, move);
	}
	move->successor = successor->id;
	int stage = task_stage(slot->newest);
	bool anew = move->revision != successor->revision ||
		    move->restarts_asked != successor->restarts_asked;
	if (!anew && stage <= move->stage)
		return move;
	move->revision = successor->revision;
	move->restarts_asked = successor->restarts_asked;
	move->stage = stage;
	move->since_ms = manager->in->now_ms;
	return move;
}

/* When the successor will have come no further for too long; the move is looked at again then. */
static int64_t watch_move(struct manager *manager, const struct slot *slot)
{
	struct move *move = move_of(manager, slot);
	int64_t due_ms = move->since_ms + step_ms(manager, slot->newest, move->stage);
	/* What it has reported may wait to be read. */
	if (due_ms < manager->unread_until_ms)
		due_ms = manager->unread_until_ms;
	if (due_ms > manager->in->now_ms && due_ms != move->due_ms) {
		queue_push(&manager->moving, (struct queue_item){ due_ms, move->task.uuid, 0 });
		move->due_ms = due_ms;
	}
	return due_ms;
}

void moves_due(struct manager *manager)
{
	struct queue *moving = &manager->moving;
	while (moving->n && moving->items[0].key <= manager->in->now_ms) {
		struct queue_item item = moving->items[0];
		struct move *move = map_get(&manager->moves, item.id);
		queue_pop(moving);
		if (!move || move->due_ms != item.key)
			continue;
		move->due_ms = INT64_MAX;
		task_dirty(manager, cluster_task(&manager->cluster, move->task));
	}
}

int64_t moves_deadline(const struct manager *manager)
{
	return manager->moving.n ? manager->moving.items[0].key : INT64_MAX;
}

void move_forget(struct manager *manager, struct task_id task)
{
	base_free(map_remove(&manager->moves, task.uuid));
}

/* "running on beta, health starting", "failed: exit 1" */
static void add_successor(const struct manager *manager, const struct task *successor,
			  struct text *out)
{
	char sentence[TASK_SENTENCE_SIZE];
	if (successor->state == TASK_RUNNING)
		text_addf(out, "%s, health %s",
			  cluster_task_sentence(&manager->cluster, successor, sentence),
			  enum_name(task_health_names, successor->observed.health));
	else
		text_addf(out, "%s: %s", enum_name(task_state_names, successor->state),
			  cluster_task_sentence(&manager->cluster, successor, sentence));
}

bool move_tell(const struct manager *manager, const struct task *task, struct text *out)
{
	const struct move *move = map_get(&manager->moves, task->desired.id.uuid);
	const struct task *successor =
		move ? cluster_task(&manager->cluster, move->successor) : NULL;
	if (!successor || task->desired.wanted != TASK_WANT_RUN)
		return false;
	if (task_is_to_move(task))
		text_add(out,
			 "runs until another is ready on a better node, and stays if that comes "
			 "no further for ");
	else
		text_add(out, "runs until another is ready, at most ");
	text_add_duration(out, step_ms(manager, successor, move->stage));
	text_add(out, task_is_to_move(task) ? ": " : " if that comes no further: ");
	add_successor(manager, successor, out);
	return true;
}

static void stop_without(struct manager *manager, const struct slot *slot, int cause)
{
	struct text message;
	text_init(&message, LIMIT_MESSAGE_BYTES);
	text_add(&message, "the one to follow it has come no further for ");
	text_add_duration(&message, step_ms(manager, slot->newest, move_of(manager, slot)->stage));
	text_add(&message, ": ");
	add_successor(manager, slot->newest, &message);
	task_stop_because(manager, slot->moving, cause, text_string(&message));
	text_release(&message);
}

/* ---- the move ---- */

/* The user's word about one of the two is meant for the slot: but not one that is over. The old task may not have ended
 * yet when its slot is scaled back, or its job restarted. */
static bool is_asked_to_end(const struct job_entry *entry, const struct task *task)
{
	return task->desired.wanted == TASK_WANT_STOP &&
	       task->desired.stop_reason == REASON_STOPPED && !task_is_behind(entry, task);
}

static void end_both(struct manager *manager, const struct job_entry *entry,
		     const struct slot *slot)
{
	const struct task *asked =
		is_asked_to_end(entry, slot->newest) ? slot->newest : slot->moving;
	struct task *other = asked == slot->newest ? slot->moving : slot->newest;
	if (is_asked_to_end(entry, asked) && !task_is_final(other->state))
		task_stop(manager, other, asked->desired.stop_reason);
}

/* All that were to take over: those that failed before the newest, too. */
static void take_back(struct manager *manager, struct job_entry *entry, struct slot *slot)
{
	struct task_id old = slot->moving->desired.id;
	move_forget(manager, old);
	for (size_t i = entry->tasks.n; i-- > 0;) {
		struct task *task = entry->tasks.items[i];
		if (task->desired.slot == slot->number && !task_is_withdrawn(task) &&
		    uuid_compare(task->desired.id.uuid, old.uuid) > 0)
			task_withdraw(manager, task);
	}
	slot->newest = slot->moving;
	slot->moving = NULL;
}

static void call_off(struct manager *manager, struct job_entry *entry, struct slot *slot)
{
	char name[TASK_NAME_SIZE];
	const struct node_entry *node = cluster_node(&manager->cluster, slot->moving->desired.node);
	notes_add(&manager->out->notes, "%s stays on %s: the move is called off",
		  cluster_task_name(&manager->cluster, slot->moving, name), node_name(node));
	take_back(manager, entry, slot);
}

/* The update is paused, and its task of this slot has failed: then the slot is the old one's, as those are that the
 * update has not come to. But what may still come round is left beside it for as long as the old one can stay. */
static bool is_the_old_ones(const struct manager *manager, const struct job_entry *entry,
			    const struct slot *slot)
{
	const struct task *new = slot->newest;
	return slot->moving->desired.wanted == TASK_WANT_RUN && task_is_kept(entry, slot->moving) &&
	       !task_is_kept(entry, new) && new->desired.trial == TRIAL_FAILED &&
	       !task_is_ready(new) &&
	       (slot_look(entry, new) == SLOT_LEFT || slot->moving->unreachable ||
		node_drains(manager, slot->moving));
}

static void leave_to_old(struct manager *manager, struct job_entry *entry, struct slot *slot)
{
	char name[TASK_NAME_SIZE];
	notes_add(&manager->out->notes, "%s stays at revision %lld: the update is paused",
		  cluster_task_name(&manager->cluster, slot->moving, name),
		  (long long)slot->moving->desired.revision);
	/* It stays on record that the update has failed here. */
	task_set_trial(manager, slot->moving, TRIAL_FAILED);
	take_back(manager, entry, slot);
}

/* The node of the old task is lost. The newest takes over when it is ready; if it was given up, another does, as for
 * any task that is lost, for the service was well before it was moved. */
static void settle_lost(struct manager *manager, struct job_entry *entry, const struct slot *slot)
{
	struct task *old = slot->moving;
	const struct pending *pending = pending_get(manager, old->desired.id);
	bool alone = slot_look(entry, slot->newest) == SLOT_LEFT;
	if (pending && (!alone || pending->revision != successor_revision(entry, old)->number)) {
		pending_drop(manager, old->desired.id);
		pending = NULL;
	}
	if (alone && !pending && may_replace_lost(entry, old))
		pending_add(manager, old, true);
}

/* It was well where it is: it stays as soon as the other one fails, finds no room or comes no further. */
static void settle_rebalance(struct manager *manager, struct job_entry *entry, struct slot *slot)
{
	const struct task *new = slot->newest;
	if (!task_is_final(new->state) && new->desired.wanted == TASK_WANT_RUN &&
	    !waits_in_vain(manager, new) && watch_move(manager, slot) > manager->in->now_ms)
		return;
	rebalance_stay(manager, slot->moving);
	call_off(manager, entry, slot);
}

void move_settle(struct manager *manager, struct job_entry *entry, struct slot *slot)
{
	struct task *old = slot->moving;
	end_both(manager, entry, slot);
	if (old->desired.wanted != TASK_WANT_RUN) {
		/* It may never be told that it has ended. */
		if (old->unreachable)
			move_begin(manager, entry, slot);
		return;
	}
	if (is_the_old_ones(manager, entry, slot)) {
		leave_to_old(manager, entry, slot);
		move_begin(manager, entry, slot);
		return;
	}
	const struct task *new = slot->newest;
	int cause = cause_of(manager, entry, old, new);
	/* One within reach is worth more than a better node, ready or not: not stopped for what has ended there. */
	bool stays = cause == REASON_REBALANCED && !old->unreachable;
	bool taken_over = (task_is_ready(new) && new->desired.wanted == TASK_WANT_RUN) ||
			  (slot_look(entry, new) == SLOT_DONE && !stays);
	if (taken_over && old->unreachable) {
		task_lose(manager, old, cluster_node(&manager->cluster, new->desired.node));
		/* Nothing may happen to the slot any more that it would be looked at again for. */
		move_begin(manager, entry, slot);
	} else if (taken_over)
		task_stop(manager, old, cause ? cause : REASON_DRAINED);
	else if (old->unreachable)
		settle_lost(manager, entry, slot);
	else if (!cause)
		call_off(manager, entry, slot);
	else if (cause == REASON_REBALANCED)
		settle_rebalance(manager, entry, slot);
	else if (!node_drains(manager, old))
		return;
	else if (waits_in_vain(manager, new))
		task_stop(manager, old, cause);
	else if (watch_move(manager, slot) <= manager->in->now_ms)
		stop_without(manager, slot, cause);
}

void move_start(struct manager *manager, struct job_entry *entry, struct slot *slot)
{
	slot->moving = slot->newest;
	slot->newest = task_create(manager, entry, slot->number, slot->moving);
	watch_move(manager, slot);
}

bool move_is_over(const struct manager *manager, const struct task *task)
{
	const struct task *before = cluster_task(&manager->cluster, task_rare(task)->replaces);
	return !before || task_is_off(before);
}

/* The one before it has ended, and that it is gone will be told: a third beside them would be one too many. Of a lost
 * machine nothing is told. */
static bool waits_for_the_one_before(const struct manager *manager, const struct task *task)
{
	const struct task *before = cluster_task(&manager->cluster, task_rare(task)->replaces);
	return before && !task_is_off(before) && !before->unreachable;
}

void move_begin(struct manager *manager, struct job_entry *entry, struct slot *slot)
{
	struct task *task = slot->newest;
	bool placed = task && (task->state == TASK_SCHEDULED || task->state == TASK_RUNNING);
	if (!placed || task->desired.wanted != TASK_WANT_RUN || task->unreachable ||
	    !node_drains(manager, task))
		return;
	bool beside = move_may_run_twice(manager, entry, task);
	if (beside && waits_for_the_one_before(manager, task))
		return;
	if (!beside || !move_is_over(manager, task)) {
		task_stop(manager, task, REASON_DRAINED);
		return;
	}
	move_start(manager, entry, slot);
}
