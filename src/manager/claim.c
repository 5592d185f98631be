/* One worker of the cluster per Docker: two would take each other's containers for left over, and stop them. A worker
 * says which Docker it has and which boot of which machine it runs on; copies of a machine have the same Docker's id,
 * but not one boot.
 *
 * Who has a Docker keeps it until its node is down or has left: then a worker that comes with another identity, because
 * its data folder was lost, gets it. Of two that were there before, and neither is connected, the older node keeps it.
 * Until then the other one is told nothing, so it ends nothing either (worker/list.c).
 *
 * Invariant: it follows from the nodes' records and who is connected, so it is the same after a restart. */
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "manager/core.h"

static bool has_docker(const struct node_facts *facts)
{
	return facts->runtime_id && *facts->runtime_id && facts->boot_id && *facts->boot_id;
}

static struct uuid key_of(const struct node_facts *facts)
{
	uint64_t hash = hash_bytes(HASH_START, facts->runtime_id, strlen(facts->runtime_id) + 1);
	return key_of_number(hash_bytes(hash, facts->boot_id, strlen(facts->boot_id)));
}

static bool is_one_docker(const struct node_facts *a, const struct node_facts *b)
{
	return has_docker(a) && has_docker(b) && strcmp(a->runtime_id, b->runtime_id) == 0 &&
	       strcmp(a->boot_id, b->boot_id) == 0;
}

static void take(struct manager *manager, struct node_id node, const struct node_facts *facts)
{
	struct node_id *claim = map_get(&manager->claims, key_of(facts));
	if (!claim) {
		claim = base_calloc(1, sizeof(*claim));
		map_put(&manager->claims, key_of(facts), claim);
	}
	*claim = node;
}

static bool keeps_it(const struct node_entry *owner)
{
	return owner->state != NODE_DOWN && !owner->record.left;
}

const struct node_entry *claim_docker(struct manager *manager, struct node_id id,
				      const struct node_facts *facts)
{
	if (!has_docker(facts))
		return NULL;
	const struct node_id *claim = map_get(&manager->claims, key_of(facts));
	const struct node_entry *owner = claim ? cluster_node(&manager->cluster, *claim) : NULL;
	const struct node_entry *node = cluster_node(&manager->cluster, id);
	bool other = owner && owner != node && is_one_docker(&owner->record.facts, facts);
	if (other && keeps_it(owner)) {
		const struct node_watch *watch = map_get(&manager->nodes, owner->record.id.uuid);
		bool older = !node || owner->record.number < node->record.number;
		if (older || (watch && watch->session))
			return owner;
	}
	/* With another boot, or another Docker, the node has what it had before no more. */
	if (node && has_docker(&node->record.facts) && !is_one_docker(&node->record.facts, facts)) {
		const struct node_id *before =
			map_get(&manager->claims, key_of(&node->record.facts));
		if (before && uuid_equal(before->uuid, id.uuid))
			base_free(map_remove(&manager->claims, key_of(&node->record.facts)));
	}
	take(manager, id, facts);
	return NULL;
}

void claims_start(struct manager *manager)
{
	for (size_t i = 0; i < manager->cluster.columns.n; i++) {
		const struct node_entry *node = manager->cluster.columns.entry[i];
		if (!has_docker(&node->record.facts) || !keeps_it(node))
			continue;
		const struct node_id *claim =
			map_get(&manager->claims, key_of(&node->record.facts));
		const struct node_entry *owner =
			claim ? cluster_node(&manager->cluster, *claim) : NULL;
		if (!owner || node->record.number < owner->record.number)
			take(manager, node->record.id, &node->record.facts);
	}
}
