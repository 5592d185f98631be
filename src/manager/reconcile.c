/* From what jobs want to tasks: every dirty job is looked at slot by slot.
 *
 * Invariants: a slot has at most one task that is not final, the newest, except while it moves (move.c); a new task is
 * made only when no container of the one before it can be left, or in the commit that gives that one up: its node is
 * lost, its lease is over (lease.c), and the new one is placed elsewhere. That holds for one that runs there as far as
 * anybody knows, and for one that has ended and was not confirmed gone. So two tasks of a slot occupy nodes only while
 * it moves, or when the older was given up. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/depend.h"
#include "manager/moving.h"
#include "manager/roster.h"
#include "manager/runs.h"

/* The tasks of a job, safe to walk while tasks are deleted. */
static struct task **copy_tasks(const struct job_entry *entry, size_t *ret_n)
{
	*ret_n = entry->tasks.n;
	return entry->tasks.n
		       ? base_memdup(entry->tasks.items, entry->tasks.n * sizeof(struct task *))
		       : NULL;
}

static void settle_live(struct manager *manager, struct job_entry *entry, struct slot *slot,
			int look)
{
	struct task *task = slot->newest;
	int reason =
		task->desired.revision != entry->job.revision ? REASON_UPDATED : REASON_RESTARTED;
	bool behind = look == SLOT_OLD && task_is_behind(entry, task);
	if (behind && task->state == TASK_PENDING) {
		task_stop(manager, task, reason);
		slot->n_final++;
		slot->newest = task_create(manager, entry, task->desired.slot, task);
		return;
	}
	/* One that is to take over, and has not, serves nobody. */
	bool is_successor = slot->moving && slot->moving->desired.wanted == TASK_WANT_RUN;
	if (behind && (job_runs_to_completion(entry) || is_successor))
		task_stop(manager, task, reason);
	const struct pending *pending = pending_get(manager, task->desired.id);
	/* What would replace it is of another revision, and may fit other nodes now. */
	if (pending && pending->revision != successor_revision(entry, task)->number) {
		pending_drop(manager, task->desired.id);
		pending = NULL;
	}
	if (!pending && slot->want == SLOT_WANTED && may_replace_lost(entry, task))
		pending_add(manager, task, true);
}

/* Whom a new task follows: the newest, unless the one that was to follow was ended together with it, and
 * is not gone. */
static const struct task *predecessor_of(const struct slot *slot)
{
	const struct task *moving = slot->moving;
	return moving && moving->desired.wanted != TASK_WANT_RUN ? moving : slot->newest;
}

static void settle_slot(struct manager *manager, struct job_entry *entry, struct slot *slot,
			int64_t *n_free)
{
	rebalance_unbind(manager, slot);
	if (slot->moving)
		move_settle(manager, entry, slot);
	else
		move_begin(manager, entry, slot);
	int look = slot_look(entry, slot->newest);
	switch (look) {
	case SLOT_EMPTY:
	case SLOT_NEXT:
		if (*n_free <= 0)
			return;
		--*n_free;
		slot->newest = task_create(manager, entry, slot->number, predecessor_of(slot));
		return;
	case SLOT_LIVE:
	case SLOT_OLD:
	case SLOT_ENDING: settle_live(manager, entry, slot, look); return;
	case SLOT_DONE:
	case SLOT_LEFT: return;
	default: UNREACHABLE("no such look");
	}
}

/* Where no task is wanted: the highest go first. */
static void end_unwanted(struct manager *manager, const struct pass *pass)
{
	static const int reasons[] = { [SLOT_UNWANTED] = REASON_SCALED_DOWN,
				       [SLOT_DRAINED] = REASON_DRAINED,
				       [SLOT_UNFIT] = REASON_UNFIT };
	for (size_t i = pass_count(pass); i > 0; i--) {
		const struct slot *slot = pass_slot(pass, i - 1);
		if (slot->want == SLOT_WANTED || slot->want == SLOT_KEPT || !slot->newest)
			continue;
		if (!task_is_final(slot->newest->state))
			task_stop(manager, slot->newest, reasons[slot->want]);
		if (slot->moving)
			task_stop(manager, slot->moving, reasons[slot->want]);
	}
}

/* The task of a slot whose node is lost waits for the node, but not for what has changed meanwhile. */
static void settle_kept(struct manager *manager, struct job_entry *entry, struct slot *slot)
{
	struct task *task = slot->newest;
	if (task && !task_is_final(task->state))
		settle_live(manager, entry, slot, slot_look(entry, task));
}

static void settle_waiting(struct manager *manager, const struct job_entry *entry,
			   struct task *task, int gate, const char *message)
{
	if (task->state != TASK_PENDING)
		return;
	/* One of another revision follows one whose gate has opened. */
	if (gate == GATE_OPEN || task->desired.revision != entry->job.revision)
		pending_settle(manager, task);
	else if (gate == GATE_FAILED)
		task_verdict(manager, task, TASK_FAILED, REASON_DEPENDENCY_FAILED, message);
	else
		pending_gate(manager, task, message);
}

/* Tasks that wait for a node: by the gate, by time, or in the queue. An enum gate. */
static int settle_pending(struct manager *manager, struct job_entry *entry, const struct pass *pass)
{
	struct text message;
	text_init(&message, LIMIT_MESSAGE_BYTES);
	struct job_watch *watch = job_watch(manager, entry->job.id);
	int gate = depend_gate(manager, entry, &message);
	/* With the gate as open as it was, those that wait are where they are to wait. */
	bool all = !pass->roster || gate != GATE_OPEN || watch->gated;
	watch->gated = gate != GATE_OPEN;
	for (size_t i = 0; all && i < entry->tasks.n; i++)
		settle_waiting(manager, entry, entry->tasks.items[i], gate, text_string(&message));
	for (size_t i = 0; !all && i < pass_count(pass); i++)
		if (pass_slot(pass, i)->newest)
			settle_waiting(manager, entry, pass_slot(pass, i)->newest, gate, NULL);
	text_release(&message);
	return gate;
}

/* True: it is to be looked at again. */
static bool reconcile_slots(struct manager *manager, struct job_entry *entry)
{
	struct pass pass;
	bool again = false;
	tasks_leave_unfit(manager, entry);
	pass_begin(manager, entry, &pass);
	end_unwanted(manager, &pass);
	int64_t n_free = turns_free(entry, &pass.slots);
	for (size_t i = 0; i < pass_count(&pass); i++) {
		struct slot *slot = pass_slot(&pass, i);
		if (slot->want == SLOT_WANTED)
			settle_slot(manager, entry, slot, &n_free);
		else if (slot->want == SLOT_KEPT)
			settle_kept(manager, entry, slot);
	}
	rebalance_roll(manager, entry, &pass.slots);
	/* It looks at all slots, also at those that nothing has happened to yet. */
	pass_grow(&pass);
	int gate = settle_pending(manager, entry, &pass);
	tasks_come_home(manager, entry);
	again = update_roll(manager, entry, &pass, gate == GATE_OPEN);
	turns_settle(manager, entry, &pass.slots, gate == GATE_FAILED);
	pass_grow(&pass);
	prune_tasks(manager, entry, &pass);
	pass_end(&pass);
	return again;
}

/* Its run is over, and has not come to its end: another takes its place, or its machine is lost. */
static void end_what_is_left(struct manager *manager, const struct job_entry *entry)
{
	for (size_t i = 0; i < entry->tasks.n; i++) {
		struct task *task = entry->tasks.items[i];
		if (!task_is_final(task->state) && task->desired.wanted == TASK_WANT_RUN)
			task_stop(manager, task, REASON_STOPPED);
	}
}

static void reconcile_running(struct manager *manager, struct job_entry *entry)
{
	if (job_is_between_runs(entry))
		end_what_is_left(manager, entry);
	depend_restart(manager, entry);
	while (reconcile_slots(manager, entry))
		continue;
}

static void reconcile_stopped(struct manager *manager, struct job_entry *entry)
{
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (!task_is_final(entry->tasks.items[i]->state))
			task_stop(manager, entry->tasks.items[i], REASON_STOPPED);
	prune_all(manager, entry);
}

/* The last task is gone: the job goes, and with the last job its project. */
static void delete_job(struct manager *manager, struct job_entry *entry)
{
	char name[JOB_NAME_SIZE];
	struct job_id id = entry->job.id;
	struct project_entry *project = cluster_project(&manager->cluster, entry->job.project);
	notes_add(&manager->out->notes, "job %s removed", job_name(entry, name));
	happen(manager, "job", name, id.uuid, "removed", "", NULL);
	/* Whoever waits for it waits for something else from now on, or for nothing. */
	depend_wake(manager, entry);
	prune_revisions(manager, entry);
	group_reserve(manager, entry->n_revisions + 2);
	cluster_delete_job(&manager->cluster, &manager->out->changes, entry);
	job_watch_delete(manager, id);
	manager->wake = true;
	manager->volumes_changed = true;
	_cleanup_free_ char *project_name = base_strdup(project->project.name);
	if (!project->n_jobs) {
		notes_add(&manager->out->notes, "project %s removed", project_name);
		happen(manager, "project", project_name, (struct uuid){ 0 }, "removed", "", NULL);
		cluster_delete_project(&manager->cluster, &manager->out->changes, project);
	}
	contents_look(manager, project_name);
}

/* True: the job is gone. */
static bool reconcile_removed(struct manager *manager, struct job_entry *entry)
{
	size_t n = 0;
	struct task **tasks = copy_tasks(entry, &n);
	for (size_t i = 0; i < n; i++)
		task_remove(manager, tasks[i]);
	base_free(tasks);
	if (entry->tasks.n)
		return false;
	delete_job(manager, entry);
	return true;
}

static void reconcile_job(struct manager *manager, struct job_entry *entry)
{
	struct job_id id = entry->job.id;
	struct job_watch *watch = job_watch(manager, id);
	struct job_facts facts;
	/* A roll-out of nothing ends where it has begun, and somebody may have seen it in between. */
	bool was_rolling = job_is_rolling(entry);
	if (entry->job.wanted == JOB_REMOVE && reconcile_removed(manager, entry))
		return;
	do {
		if (entry->job.wanted == JOB_STOP)
			reconcile_stopped(manager, entry);
		else if (entry->job.wanted == JOB_RUN)
			reconcile_running(manager, entry);
		roster_facts(manager, entry, &facts);
	} while (runs_settle(manager, entry, &facts));
	roster_settle(watch->roster, &facts);
	roster_tidy(watch);
	home_settle(manager, entry);
	prune_revisions(manager, entry);
	runs_watch(manager, entry);
	bool same = watch->standing_said >= 0 && facts.wanted == watch->facts.wanted &&
		    facts.started == watch->facts.started && facts.old == watch->facts.old &&
		    facts.ready == watch->facts.ready &&
		    facts.unchecked == watch->facts.unchecked && facts.left == watch->facts.left &&
		    facts.succeeded == watch->facts.succeeded &&
		    facts.unreachable == watch->facts.unreachable &&
		    facts.standing == watch->facts.standing &&
		    facts.rolling == watch->facts.rolling && was_rolling == job_is_rolling(entry);
	watch->facts = facts;
	if (!same)
		depend_wake(manager, entry);
}

void reconcile(struct manager *manager)
{
	nodes_see_changes(manager);
	for (size_t i = 0; i < manager->n_dirty; i++) {
		struct job_id id = manager->dirty[i];
		struct job_entry *entry = cluster_job(&manager->cluster, id);
		if (!entry)
			continue;
		reconcile_job(manager, entry);
		entry = cluster_job(&manager->cluster, id);
		if (!entry)
			continue;
		/* What it did to itself needs no second look: one pass settles a job. */
		entry->dirty = false;
		job_watch(manager, id)->dirty = false;
	}
	manager->n_dirty = 0;
}
