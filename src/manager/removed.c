/* Nodes that were removed, for as long as their certificate could be shown: who comes back is told that it was removed,
 * and ends what it runs (worker/removal.c). Who is not known is never told so: it may be right, and this manager's
 * store an older copy.
 *
 * Invariants: that a node was removed is on disk before anybody is told; an id that was removed is never a node again,
 * so what an older copy of the store says about it is still true. */
#include "base/alloc.h"
#include "base/limits.h"
#include "manager/core.h"

static void forget_first(struct manager *manager)
{
	struct node_id id = { manager->removed.items[0].id };
	queue_pop(&manager->removed);
	group_reserve(manager, 1);
	cluster_delete_removed_node(&manager->cluster, &manager->out->changes,
				    cluster_removed_node(&manager->cluster, id));
}

static void watch(struct manager *manager, const struct removed_node *removed)
{
	int64_t wait_ms =
		wall_left_ms(manager, removed->removed_wall_ms + LIMIT_REMOVED_NODE_AGE_MS,
			     LIMIT_REMOVED_NODE_AGE_MS);
	queue_push(&manager->removed,
		   (struct queue_item){ manager->in->now_ms + wait_ms, removed->id.uuid, 0 });
}

void removed_remember(struct manager *manager, struct node_id id, const char *name,
		      int64_t removed_wall_ms)
{
	if (manager->removed.n >= LIMIT_REMOVED_NODES)
		forget_first(manager);
	struct removed_node removed = { .id = id,
					.name = base_strdup(name),
					.removed_wall_ms = removed_wall_ms };
	group_reserve(manager, 2);
	watch(manager,
	      cluster_put_removed_node(&manager->cluster, &manager->out->changes, &removed));
}

void removed_start(struct manager *manager)
{
	size_t at = 0;
	for (const struct removed_node *removed;
	     (removed = map_next(&manager->cluster.removed_nodes, &at));)
		watch(manager, removed);
}

void removed_expire(struct manager *manager)
{
	while (manager->removed.n && manager->removed.items[0].key <= manager->in->now_ms)
		forget_first(manager);
}

int64_t removed_deadline(const struct manager *manager)
{
	return manager->removed.n ? manager->removed.items[0].key : INT64_MAX;
}
