/* Which nodes a job's tasks may be on, as nodes come, go and change: the slots of global jobs, and tasks whose node no
 * longer matches what their specification asks of it.
 *
 * Invariants: the slot of a global job's task is the number of its node; every change of a node is seen here before
 * the step's jobs are reconciled. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"
#include "manager/core.h"

bool job_is_global(const struct job_entry *entry)
{
	return job_spec_is_global(&job_entry_current(entry)->spec);
}

static int want_of(const struct scheduler_match *match, const struct node_entry *node)
{
	if (!scheduler_matches(match, node))
		return SLOT_UNFIT;
	if (node->record.draining)
		return SLOT_DRAINED;
	return node->state == NODE_DOWN ? SLOT_KEPT : SLOT_WANTED;
}

static int compare_slots(const void *a, const void *b, void *context)
{
	(void)context;
	const struct slot *left = a;
	const struct slot *right = b;
	return left->number < right->number ? -1 : left->number > right->number;
}

/* Slots of tasks whose node has gone, and of those made while the job was of another mode. */
static void add_left_over(const struct job_entry *entry, struct slots *slots)
{
	size_t n_nodes = slots->n;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		int64_t number = entry->tasks.items[i]->desired.slot;
		struct slots nodes = { slots->items, n_nodes };
		if (!slots_find(&nodes, number))
			slots->items[slots->n++] = (struct slot){ .number = number };
	}
	if (slots->n == n_nodes)
		return;
	sort_stable(slots->items, slots->n, sizeof(struct slot), compare_slots, NULL);
	size_t n = 1;
	for (size_t i = 1; i < slots->n; i++)
		if (slots->items[i].number != slots->items[n - 1].number)
			slots->items[n++] = slots->items[i];
	slots->n = n;
}

void global_slots(const struct cluster *cluster, const struct job_entry *entry,
		  struct slots *ret_slots)
{
	const struct node_columns *columns = &cluster->columns;
	struct scheduler_match *match = scheduler_match_new(&job_entry_current(entry)->spec);
	struct slots slots = { .items = base_calloc(columns->n + entry->tasks.n + 1,
						    sizeof(struct slot)) };
	for (size_t i = 0; i < columns->n; i++) {
		const struct node_entry *node = columns->entry[i];
		if (!node->record.left && node->record.number)
			slots.items[slots.n++] = (struct slot){ .number = node->record.number,
								.node = node,
								.want = want_of(match, node) };
	}
	scheduler_match_free(match);
	add_left_over(entry, &slots);
	*ret_slots = slots;
}

/* ---- nodes that change ---- */

static bool asks_for_machine(const struct job_spec *spec)
{
	return spec->placement.constraints.n || spec->platform;
}

/* Jobs with a task there have it looked at again. */
static void recheck_tasks(struct manager *manager, const struct node_entry *node)
{
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct task *task = node->tasks.items[i];
		if (!asks_for_machine(cluster_task_spec(&manager->cluster, task)))
			continue;
		job_watch(manager, *task->desired.job)->recheck = true;
		job_dirty(manager, *task->desired.job);
	}
}

static int compare_job_ids(const void *a, const void *b, void *context)
{
	(void)context;
	return uuid_compare(((const struct job_id *)a)->uuid, ((const struct job_id *)b)->uuid);
}

/* In an order that depends on nothing but the jobs. */
static void reconcile_globals(struct manager *manager)
{
	const struct map *jobs = &manager->cluster.jobs;
	_cleanup_free_ struct job_id *ids = base_calloc(jobs->n ? jobs->n : 1, sizeof(*ids));
	size_t n = 0;
	size_t at = 0;
	for (const struct job_entry *entry; (entry = map_next(jobs, &at));)
		if (job_is_global(entry))
			ids[n++] = entry->job.id;
	sort_stable(ids, n, sizeof(*ids), compare_job_ids, NULL);
	for (size_t i = 0; i < n; i++)
		job_dirty(manager, ids[i]);
}

void nodes_see_changes(struct manager *manager)
{
	struct cluster *cluster = &manager->cluster;
	if (!cluster->nodes_dirty)
		return;
	cluster->nodes_dirty = false;
	for (size_t i = 0; i < cluster->columns.n; i++) {
		struct node_entry *node = cluster->columns.entry[i];
		if (node->dirty)
			recheck_tasks(manager, node);
		node->dirty = false;
	}
	reconcile_globals(manager);
}

/* ---- tasks whose node changed ---- */

static void leave_nodes(struct manager *manager, const struct job_entry *entry, int64_t revision,
			const struct scheduler_match *match)
{
	for (size_t i = 0; i < entry->tasks.n; i++) {
		struct task *task = entry->tasks.items[i];
		const struct node_entry *node = cluster_node(&manager->cluster, task->desired.node);
		if (task->desired.revision == revision && node && !task_is_final(task->state) &&
		    task->desired.wanted == TASK_WANT_RUN && !scheduler_matches(match, node))
			task_stop(manager, task, REASON_UNFIT);
	}
}

void tasks_leave_unfit(struct manager *manager, const struct job_entry *entry)
{
	struct job_watch *watch = job_watch(manager, entry->job.id);
	if (!watch->recheck)
		return;
	watch->recheck = false;
	for (size_t i = 0; i < entry->n_revisions; i++) {
		const struct job_revision *revision = entry->revisions[i];
		if (!asks_for_machine(&revision->spec))
			continue;
		struct scheduler_match *match = scheduler_match_new(&revision->spec);
		leave_nodes(manager, entry, revision->number, match);
		scheduler_match_free(match);
	}
}
