/* Nodes that were removed. Invariant: a node is never both there, unless it has left, and remembered as removed. */
#include "base/alloc.h"
#include "base/check.h"
#include "cluster/internal.h"

struct removed_node *cluster_removed_node(const struct cluster *cluster, struct node_id id)
{
	return map_get(&cluster->removed_nodes, id.uuid);
}

bool cluster_was_removed(const struct cluster *cluster, struct node_id id, const char **ret_name)
{
	const struct node_entry *node = cluster_node(cluster, id);
	const struct removed_node *removed = cluster_removed_node(cluster, id);
	if (!removed && !(node && node->record.left))
		return false;
	*ret_name = removed ? removed->name : node->record.facts.hostname;
	return true;
}

const struct removed_node *cluster_put_removed_node(struct cluster *cluster,
						    struct changes *changes,
						    struct removed_node *removed)
{
	PRE(!uuid_is_zero(removed->id.uuid));
	PRE(!cluster_removed_node(cluster, removed->id));
	struct removed_node *kept = base_calloc(1, sizeof(*kept));
	*kept = *removed;
	*removed = (struct removed_node){ 0 };
	cluster_map_add(&cluster->removed_nodes, kept->id.uuid, kept);
	cluster_record_put(changes, cluster_key_of_removed_node(kept->id), &removed_node_type,
			   kept);
	return kept;
}

void cluster_delete_removed_node(struct cluster *cluster, struct changes *changes,
				 struct removed_node *removed)
{
	cluster_record_delete(changes, cluster_key_of_removed_node(removed->id));
	cluster_map_drop(&cluster->removed_nodes, removed->id.uuid, removed);
	record_release(&removed_node_type, removed);
	base_free(removed);
}
