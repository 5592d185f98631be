/* The core's own invariants, recomputed. */
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/roster.h"

static void check_slots(const struct manager *manager)
{
	size_t at = 0;
	for (const struct job_entry *entry; (entry = map_next(&manager->cluster.jobs, &at));) {
		struct slots slots;
		slots_build(&manager->cluster, entry, &slots);
		for (size_t i = 0; i < entry->tasks.n; i++) {
			const struct task *task = entry->tasks.items[i];
			const struct slot *slot = slots_find(&slots, task->desired.slot);
			const struct node_entry *node =
				cluster_node(&manager->cluster, task->desired.node);
			if (!slot) {
				INVARIANT(slot_is_settled(entry, task->desired.slot));
				INVARIANT(task->desired.wanted == TASK_WANT_REMOVE);
				INVARIANT(task_is_final(task->state));
				continue;
			}
			/* A global task is on the node of its slot. */
			INVARIANT(IMPLIES(
				job_spec_is_global(cluster_task_spec(&manager->cluster, task)) &&
					node,
				node->record.number == task->desired.slot));
			bool aside = task_is_withdrawn(task);
			INVARIANT(IMPLIES(aside, task->desired.wanted != TASK_WANT_RUN));
			/* At most one task of a slot is not final, and it is the newest; two while it moves. */
			INVARIANT(IMPLIES(!aside && !task_is_final(task->state),
					  task == slot->newest || task == slot->moving));
			/* Two tasks of one slot occupy nodes only while it moves, or when the older was given up. */
			INVARIANT(
				IMPLIES(!aside && task != slot->newest && task_occupies_node(task),
					task_is_given_up(task) ||
						uuid_equal(task_rare(slot->newest)->replaces.uuid,
							   task->desired.id.uuid)));
			INVARIANT(IMPLIES(task_is_given_up(task), task_is_final(task->state)));
		}
		slots_release(&slots);
	}
}

static void check_runs(const struct job_entry *entry)
{
	const struct job_runs *runs = &entry->job.scheduled;
	size_t n_open = 0;
	for (size_t i = 0; i < runs->runs.n; i++)
		n_open += runs->runs.items[i].outcome == RUN_UNDER_WAY;
	INVARIANT(n_open <= 1);
	const struct schedule *schedule = job_entry_current(entry)->spec.schedule;
	size_t n_ended = runs->runs.n - n_open - job_runs_count_waiting(runs);
	INVARIANT(n_ended <= (schedule ? (size_t)schedule_history(schedule) : 0));
}

static void check_job(const struct manager *manager, const struct job_entry *entry)
{
	const struct job_watch *watch = map_get(&manager->jobs, entry->job.id.uuid);
	INVARIANT(watch);
	INVARIANT(!watch->dirty);
	check_runs(entry);
	struct slots slots;
	struct job_facts facts;
	slots_build(&manager->cluster, entry, &slots);
	slots_facts(entry, &slots, &facts);
	slots_release(&slots);
	roster_check(watch->roster, &manager->cluster, entry);
	INVARIANT(facts.standing == watch->facts.standing);
	INVARIANT(facts.ready == watch->facts.ready);
	INVARIANT(facts.succeeded == watch->facts.succeeded);
	INVARIANT(facts.later == watch->facts.later);
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		const struct pending *pending = pending_get(manager, task->desired.id);
		if (task->state == TASK_PENDING) {
			INVARIANT(entry->job.wanted == JOB_RUN);
			INVARIANT(pending);
			INVARIANT(!pending->lost);
			INVARIANT(pending->where != PENDING_NEW);
		} else {
			INVARIANT(IMPLIES(pending, pending->lost && !task_is_off(task)));
		}
	}
}

static void check_queue(const struct manager *manager)
{
	size_t n_queued = 0;
	size_t n_parked = 0;
	size_t at = 0;
	for (const struct task_class *class; (class = map_next(&manager->classes, &at));) {
		size_t n = 0;
		for (size_t i = 0; i < class->queue.n; i++) {
			const struct pending *pending = pending_of(manager, &class->queue.items[i]);
			n += pending && pending->class == class;
		}
		INVARIANT(n == class->n);
		/* After a pass nothing is left untried. */
		INVARIANT(IMPLIES(class->n, class->parked));
		n_queued += n;
		n_parked += class->parked ? n : 0;
	}
	INVARIANT(n_parked == manager->n_parked);
	size_t n_deadlines = 0;
	at = 0;
	for (const struct pending *pending; (pending = map_next(&manager->pending, &at));) {
		INVARIANT(cluster_task(&manager->cluster, pending->task));
		INVARIANT((pending->class != NULL) == (pending->where == PENDING_QUEUED));
		n_queued -= pending->class != NULL;
		n_deadlines += pending->deadline_ms != INT64_MAX;
	}
	INVARIANT(n_queued == 0);
	const struct pending *kept_for = pending_get(manager, manager->keep.task);
	INVARIANT(IMPLIES(manager->keep.on, kept_for && kept_for->class));
	INVARIANT(n_deadlines == manager->n_deadlines);
}

static void check_tokens(const struct manager *manager)
{
	size_t at = 0;
	for (const struct token_record *token; (token = map_next(&manager->cluster.tokens, &at));)
		INVARIANT(token->expires_wall_ms >= manager->tokens_due_wall_ms);
	INVARIANT(manager->cluster.tokens.n <= LIMIT_TOKENS);
	INVARIANT(manager->cluster.identities.n <= LIMIT_IDENTITIES);
	INVARIANT(manager->cluster.removed_nodes.n <= LIMIT_REMOVED_NODES);
	INVARIANT(manager->cluster.removed_nodes.n == manager->removed.n);
}

static void check_nodes(const struct manager *manager)
{
	for (size_t i = 0; i < manager->cluster.columns.n; i++) {
		const struct node_entry *node = manager->cluster.columns.entry[i];
		const struct node_watch *watch = map_get(&manager->nodes, node->record.id.uuid);
		INVARIANT(watch);
		uint64_t digest = 0;
		for (size_t j = 0; j < node->tasks.n; j++) {
			const struct task *task = node->tasks.items[j];
			struct sync_assignment assignment = task_assignment(manager, task);
			digest += (uint64_t)sync_assignment_digest(&assignment);
			INVARIANT(task->unreachable == watch->lost);
		}
		INVARIANT(digest == watch->digest);
		INVARIANT(IMPLIES(node->state == NODE_DOWN, watch->lost));
		INVARIANT(IMPLIES(watch->lost,
				  node->state == NODE_DOWN || node->state == NODE_DEGRADED));
		INVARIANT(IMPLIES(node->state != NODE_DOWN && node->state != NODE_LEFT,
				  watch->timed));
	}
	size_t at = 0;
	for (const struct session *session; (session = map_next(&manager->sessions, &at));) {
		if (uuid_is_zero(session->node.uuid))
			continue;
		const struct node_watch *watch = map_get(&manager->nodes, session->node.uuid);
		INVARIANT(watch);
		INVARIANT(watch->session == session);
		if (session->speaks)
			continue;
		INVARIANT(session->n_changed == 0);
		INVARIANT(session->sent_digest == watch->digest);
	}
}

void manager_check(const struct manager *manager)
{
	cluster_check(&manager->cluster);
	/* Until the first step after the start nothing is settled. */
	if (!manager->started || manager->n_dirty)
		return;
	check_slots(manager);
	size_t at = 0;
	for (const struct job_entry *entry; (entry = map_next(&manager->cluster.jobs, &at));)
		check_job(manager, entry);
	check_queue(manager);
	check_tokens(manager);
	check_nodes(manager);
}
