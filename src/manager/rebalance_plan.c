/* Tasks are moved on a copy of the world, one after the other, until no move is worth while: so the plan as a whole is
 * where the scheduler would not move anything any more. */
#include "base/alloc.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/moving.h"
#include "manager/rebalance.h"

/* Rounds over all tasks; each move gains, so there are few. */
#define ROUNDS_MAX 16

struct item {
	struct task *task;   /* the one that stands for it now */
	struct task_id id;   /* of the real one, ... */
	struct node_id from; /* ... and where that is */
};

struct rebalancing {
	struct manager *manager;
	struct item *items;
	size_t n, capacity;
	size_t n_moved; /* whose node is not that of the real one */
};

/* ---- which ---- */

static void add_job(struct rebalancing *rebalancing, const struct job_entry *entry,
		    struct rebalance_plan *plan)
{
	const struct manager *manager = rebalancing->manager;
	struct slots slots;
	if (entry->job.wanted != JOB_RUN)
		return;
	slots_build(&manager->cluster, entry, &slots);
	for (size_t i = 0; i < slots.n; i++) {
		const struct slot *slot = &slots.items[i];
		struct task *task = slot->newest;
		if (!task || slot->want != SLOT_WANTED || !task_occupies_node(task))
			continue;
		if (job_is_global(entry) || job_runs_to_completion(entry)) {
			plan->tied++;
		} else if (!rebalance_may_move(manager, entry, slot)) {
			plan->unsettled++;
		} else if (!move_may_run_twice(manager, entry, task)) {
			plan->tied++;
		} else {
			rebalancing->items = base_grow(rebalancing->items, rebalancing->n,
						       &rebalancing->capacity, sizeof(struct item));
			rebalancing->items[rebalancing->n++] =
				(struct item){ task, task->desired.id, task->desired.node };
		}
	}
	slots_release(&slots);
}

static void add_all(struct rebalancing *rebalancing, struct rebalance_plan *plan)
{
	size_t n = 0;
	struct project_entry **projects =
		cluster_sorted_projects(&rebalancing->manager->cluster, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < projects[i]->n_jobs; j++)
			add_job(rebalancing, projects[i]->jobs[j], plan);
	base_free(projects);
}

/* ---- where ---- */

static const struct scheduler_ops *policy_of(const struct manager *manager, const struct task *task)
{
	const char *wished =
		job_entry_current(cluster_job_of(&manager->cluster, task))->spec.scheduler;
	const struct scheduler_ops *policy = wished ? scheduler_find(wished) : NULL;
	return policy ? policy : manager->options.scheduler;
}

/* Asked while the task weighs nothing. */
static const struct node_entry *better_of(struct manager *manager, struct task *task)
{
	struct task model;
	struct cluster *cluster = &manager->cluster;
	pending_model(manager, task, true, &model);
	cluster_task_edit(cluster, task);
	const struct node_entry *better =
		scheduler_better(cluster, policy_of(manager, task), &model,
				 cluster_node(cluster, task->desired.node));
	cluster_task_save(cluster, NULL, task);
	return better;
}

/* One that stands for it takes its room there. False: it does not fit, after all. */
static bool move_item(struct manager *manager, struct item *item, const struct node_entry *node)
{
	struct cluster *cluster = &manager->cluster;
	struct task *old = item->task;
	struct task_desired desired = { .id = { uuid_make(&manager->random, ++manager->id_ms) },
					.job = *old->desired.job,
					.revision = old->desired.revision,
					.restarts_asked = old->desired.restarts_asked,
					.roll = old->desired.roll,
					.slot = old->desired.slot,
					.move_to = node->record.id };
	cluster_task_edit(cluster, old);
	old->desired.wanted = TASK_WANT_STOP;
	old->desired.verdict = TASK_FAILED;
	old->desired.verdict_reason = REASON_NODE_LOST;
	old->desired.written_off = true;
	cluster_task_save(cluster, NULL, old);
	struct task *new = cluster_add_task(cluster, NULL, &desired);
	struct scheduler_pick pick = { 0 };
	struct node_id nowhere = { { { 0 } } };
	scheduler_pick(cluster, NULL, policy_of(manager, new), new, nowhere, 0, &pick);
	item->task = new;
	bool placed = pick.node != NULL;
	if (placed) {
		cluster_task_edit(cluster, new);
		new->desired.node = pick.node->record.id;
		task_take_ports(new, pick.ports.items, pick.ports.n);
		pick.ports.items = NULL;
		cluster_task_save(cluster, NULL, new);
	}
	scheduler_pick_release(&pick);
	return placed;
}

static bool is_moved(const struct item *item)
{
	return !uuid_equal(item->task->desired.node.uuid, item->from.uuid);
}

/* True: something has moved. */
static bool round_over_all(struct rebalancing *rebalancing, struct rebalance_plan *plan)
{
	bool any = false;
	for (size_t i = 0; i < rebalancing->n; i++) {
		struct item *item = &rebalancing->items[i];
		if (uuid_is_zero(item->task->desired.node.uuid))
			continue;
		const struct node_entry *better = better_of(rebalancing->manager, item->task);
		if (!better)
			continue;
		bool was_moved = is_moved(item);
		if (!was_moved && rebalancing->n_moved >= LIMIT_REBALANCE_MOVES) {
			plan->more = true;
			continue;
		}
		any |= move_item(rebalancing->manager, item, better);
		rebalancing->n_moved += is_moved(item);
		rebalancing->n_moved -= was_moved;
	}
	return any;
}

static void tell_move(const struct manager *manager, const struct item *item,
		      struct rebalance_plan *plan)
{
	char name[TASK_NAME_SIZE];
	struct planned_move *move = list_add(&plan->moves, sizeof(*move));
	move->task = item->id.uuid;
	move->name = base_strdup(cluster_task_name(&manager->cluster, item->task, name));
	move->from = base_strdup(node_name(cluster_node(&manager->cluster, item->from)));
	move->to =
		base_strdup(node_name(cluster_node(&manager->cluster, item->task->desired.node)));
	move->node = item->task->desired.node.uuid;
}

void manager_plan_rebalance(struct manager *manager, const struct manager_in *in,
			    struct rebalance_plan *ret_plan)
{
	struct rebalancing rebalancing = { .manager = manager };
	struct rebalance_plan plan = { 0 };
	manager->in = in;
	manager->random = (struct random){ in->seed };
	add_all(&rebalancing, &plan);
	for (int i = 0; i < ROUNDS_MAX && round_over_all(&rebalancing, &plan); i++)
		continue;
	for (size_t i = 0; i < rebalancing.n; i++) {
		const struct item *item = &rebalancing.items[i];
		bool placed = !uuid_is_zero(item->task->desired.node.uuid);
		if (placed && is_moved(item))
			tell_move(manager, item, &plan);
		else
			plan.well++;
	}
	manager->in = NULL;
	base_free(rebalancing.items);
	*ret_plan = plan;
}
