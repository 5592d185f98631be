/* Moving tasks to nodes where they are better off: the moves are asked for one by one (rebalance_plan.c finds them),
 * and made a few of a job at a time, as its update policy says, through move.c: the new task is ready before the old
 * one is stopped. What cannot be done is called off, and the task stays where it is: nothing is ever stopped for its
 * sake.
 *
 * A task that is to move has the node on record (desired.move_to), and so has the one that follows it, which is placed
 * there or nowhere. So it goes on after a restart of the manager.
 *
 * Invariant: a task that may not run twice, one of an older revision and one that does not serve is not moved. */
#include "manager/rebalance.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/moving.h"

// clang-format off
static const struct field planned_move_fields[] = {
	ROW_UUID(1, struct planned_move, task, .flags = FIELD_REQUIRED),
	ROW_STRING(2, struct planned_move, name, LIMIT_STRING_BYTES),
	ROW_STRING(3, struct planned_move, from, LIMIT_STRING_BYTES),
	ROW_STRING(4, struct planned_move, to, LIMIT_STRING_BYTES),
	ROW_UUID(5, struct planned_move, node, .flags = FIELD_REQUIRED),
};
RECORD_TYPE(planned_move, struct planned_move, planned_move_fields);

static const struct field rebalance_plan_fields[] = {
	ROW_STRUCTS(1, struct rebalance_plan, moves, planned_move, LIMIT_REBALANCE_MOVES),
	ROW_INT(2, struct rebalance_plan, well, LIMIT_COUNT),
	ROW_INT(3, struct rebalance_plan, tied, LIMIT_COUNT),
	ROW_INT(4, struct rebalance_plan, unsettled, LIMIT_COUNT),
	ROW_BOOL(5, struct rebalance_plan, more),
};
RECORD_TYPE(rebalance_plan, struct rebalance_plan, rebalance_plan_fields);

static const struct field rebalance_request_fields[] = {
	ROW_STRUCTS(1, struct rebalance_request, moves, planned_move, LIMIT_REBALANCE_MOVES,
		    .flags = FIELD_REQUIRED),
};
RECORD_TYPE(rebalance_request, struct rebalance_request, rebalance_request_fields);
// clang-format on

bool task_is_to_move(const struct task *task)
{
	return !uuid_is_zero(task_rare(task)->move_to.uuid) &&
	       !uuid_is_zero(task->desired.node.uuid) &&
	       !uuid_equal(task_rare(task)->move_to.uuid, task->desired.node.uuid);
}

bool manager_task_is_to_move(const struct task *task)
{
	return !task_is_final(task->state) && task_is_to_move(task);
}

static void set_move_to(struct manager *manager, struct task *task, struct node_id node)
{
	group_reserve(manager, 1);
	cluster_task_edit(&manager->cluster, task);
	task_make_rare(task)->move_to = node;
	cluster_task_save(&manager->cluster, &manager->out->changes, task);
	job_dirty(manager, *task->desired.job);
	job_watch(manager, *task->desired.job)->to_move = true;
}

void rebalance_stay(struct manager *manager, struct task *task)
{
	set_move_to(manager, task, (struct node_id){ { { 0 } } });
}

void rebalance_unbind(struct manager *manager, const struct slot *slot)
{
	struct task *new = slot->newest;
	const struct task *old = slot->moving;
	bool serves = old && old->desired.wanted == TASK_WANT_RUN && !old->unreachable;
	if (serves || !new || new->state != TASK_PENDING ||
	    uuid_is_zero(task_rare(new)->move_to.uuid))
		return;
	rebalance_stay(manager, new);
	/* Of another class from now on. */
	pending_drop(manager, new->desired.id);
	pending_add(manager, new, false);
}

bool rebalance_may_move(const struct manager *manager, const struct job_entry *entry,
			const struct slot *slot)
{
	const struct task *task = slot->newest;
	return entry->job.wanted == JOB_RUN && !job_is_rolling(entry) && !slot->moving && task &&
	       slot->want == SLOT_WANTED && task_serves(task) && !task_is_stale(entry, task) &&
	       move_is_over(manager, task) &&
	       manager->cluster.columns
		       .ready[cluster_node(&manager->cluster, task->desired.node)->index];
}

static bool is_ready(const struct manager *manager, struct node_id id)
{
	const struct node_entry *node = cluster_node(&manager->cluster, id);
	return node && manager->cluster.columns.ready[node->index];
}

static int64_t places_of(const struct job_entry *entry)
{
	int64_t places = job_entry_current(entry)->spec.update.parallelism;
	return places == UPDATE_ALL ? INT64_MAX : places ? places : 1;
}

static bool any_is_to_move(const struct job_entry *entry)
{
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (!uuid_is_zero(task_rare(entry->tasks.items[i])->move_to.uuid))
			return true;
	return false;
}

void rebalance_roll(struct manager *manager, struct job_entry *entry, const struct slots *slots)
{
	struct job_watch *watch = job_watch(manager, entry->job.id);
	int64_t n_busy = 0;
	if (job_is_rolling(entry) || !watch->to_move)
		return;
	watch->to_move = any_is_to_move(entry);
	for (size_t i = 0; i < slots->n; i++)
		n_busy += slots->items[i].moving != NULL;
	for (size_t i = 0; i < slots->n; i++) {
		struct slot *slot = &slots->items[i];
		if (!slot->newest || !task_is_to_move(slot->newest) ||
		    !rebalance_may_move(manager, entry, slot))
			continue;
		if (!is_ready(manager, task_rare(slot->newest)->move_to) ||
		    !move_may_run_twice(manager, entry, slot->newest)) {
			rebalance_stay(manager, slot->newest);
			continue;
		}
		if (n_busy >= places_of(entry))
			return;
		struct node_id node = task_rare(slot->newest)->move_to;
		move_start(manager, entry, slot);
		set_move_to(manager, slot->newest, node);
		n_busy++;
	}
}

/* ---- the request ---- */

static enum err_code check_move(const struct manager *manager, const struct planned_move *move,
				struct task **ret_task, struct err *err)
{
	const struct cluster *cluster = &manager->cluster;
	struct task *task = cluster_task(cluster, (struct task_id){ move->task });
	const struct node_entry *node = cluster_node(cluster, (struct node_id){ move->node });
	char id[UUID_TEXT_SIZE], name[TASK_NAME_SIZE];
	if (!task || task_is_final(task->state) || uuid_is_zero(task->desired.node.uuid))
		return err_set(err, ERR_CONFLICT, "there is no task %s to move any more",
			       move->name ? move->name : uuid_format(move->task, id));
	cluster_task_name(cluster, task, name);
	if (!node || node->record.left)
		return err_set(err, ERR_NOT_FOUND, "there is no node %s for %s",
			       move->to ? move->to : uuid_format(move->node, id), name);
	if (uuid_equal(task->desired.node.uuid, move->node))
		return err_set(err, ERR_CONFLICT, "%s is on node %s already", name,
			       node_name(node));
	if (!cluster->columns.ready[node->index])
		return err_set(err, ERR_CONFLICT, "node %s takes no tasks at the moment",
			       node_name(node));
	const struct job_entry *entry = cluster_job_of(cluster, task);
	struct slots slots;
	slots_build(cluster, entry, &slots);
	const struct slot *slot = slots_find(&slots, task->desired.slot);
	bool settled = slot && slot->newest == task && rebalance_may_move(manager, entry, slot);
	slots_release(&slots);
	if (!settled)
		return err_set(err, ERR_CONFLICT,
			       "%s is being updated or moved, or does not serve at the moment",
			       name);
	if (!move_may_run_twice(manager, entry, task))
		return err_set(err, ERR_CONFLICT,
			       "%s may not run twice, so it cannot be moved: drain its node", name);
	*ret_task = task;
	return ERR_NONE;
}

/* The jobs that are concerned, as many as an answer lists. */
static void add_answer(struct manager_answer *answer, const struct job_entry *entry)
{
	for (size_t i = 0; i < answer->jobs.n; i++)
		if (uuid_equal(answer->jobs.items[i].id.uuid, entry->job.id.uuid))
			return;
	if (answer->jobs.n >= LIMIT_JOBS_PER_PROJECT)
		return;
	struct job_answer *item = list_add(&answer->jobs, sizeof(*item));
	item->id = entry->job.id;
	item->name = base_strdup(entry->job.name);
	item->revision = entry->job.revision;
	item->effect = EFFECT_REBALANCED;
}

enum err_code rebalance(struct manager *manager, const struct manager_request *request,
			struct manager_answer *answer, struct err *err)
{
	const struct rebalance_request *asked = request->rebalance;
	if (!asked || !asked->moves.n)
		return err_set_field(err, ERR_INVALID, "moves", "the request names no move");
	struct task **tasks = base_calloc(asked->moves.n, sizeof(*tasks));
	enum err_code code = idempotency_check(manager, request, err);
	for (size_t i = 0; i < asked->moves.n && !code; i++)
		code = check_move(manager, &asked->moves.items[i], &tasks[i], err);
	for (size_t i = 0; i < asked->moves.n && !code; i++) {
		add_answer(answer, cluster_job_of(&manager->cluster, tasks[i]));
		set_move_to(manager, tasks[i], (struct node_id){ asked->moves.items[i].node });
	}
	if (!code) {
		notes_add(&manager->out->notes, "%zu %s to move to better nodes", asked->moves.n,
			  asked->moves.n == 1 ? "task is" : "tasks are");
		group_reserve(manager, 1);
		idempotency_keep(manager, request, answer);
	}
	base_free(tasks);
	return code;
}
