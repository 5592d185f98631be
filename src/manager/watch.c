/* Jobs between steps: which must be reconciled, and how they stood.
 *
 * Invariant: a job is in `dirty` exactly once while its watch says so; same for `touched`. */
#include "base/alloc.h"
#include "manager/core.h"
#include "manager/roster.h"

struct job_watch *job_watch(struct manager *manager, struct job_id id)
{
	struct job_watch *watch = map_get(&manager->jobs, id.uuid);
	if (watch)
		return watch;
	watch = base_calloc(1, sizeof(*watch));
	watch->id = id;
	watch->number = ++manager->watch_number;
	watch->standing_said = -1;
	/* What changed before we looked was not seen. */
	watch->recheck = true;
	watch->to_move = true;
	map_put(&manager->jobs, id.uuid, watch);
	return watch;
}

void job_watch_delete(struct manager *manager, struct job_id id)
{
	struct job_watch *watch = map_remove(&manager->jobs, id.uuid);
	manager->n_off_home -= watch && watch->off_home;
	if (watch)
		roster_free(watch->roster);
	base_free(watch);
}

static struct job_watch *reconcile_soon(struct manager *manager, struct job_id id)
{
	struct job_watch *watch = job_watch(manager, id);
	if (!watch->dirty) {
		watch->dirty = true;
		manager->dirty = base_grow(manager->dirty, manager->n_dirty,
					   &manager->dirty_capacity, sizeof(struct job_id));
		manager->dirty[manager->n_dirty++] = id;
	}
	if (!watch->touched) {
		watch->touched = true;
		manager->touched = base_grow(manager->touched, manager->n_touched,
					     &manager->touched_capacity, sizeof(struct job_id));
		manager->touched[manager->n_touched++] = id;
	}
	return watch;
}

void job_dirty(struct manager *manager, struct job_id id)
{
	roster_void(reconcile_soon(manager, id)->roster);
}

void job_due(struct manager *manager, struct job_id id)
{
	reconcile_soon(manager, id);
}

void task_dirty(struct manager *manager, const struct task *task)
{
	roster_task_changed(reconcile_soon(manager, *task->desired.job)->roster, task);
}

const char *job_name(const struct job_entry *entry, char out[JOB_NAME_SIZE])
{
	return text_print(out, JOB_NAME_SIZE, "%s/%s", entry->job.project, entry->job.name);
}
