/* Invariant: tags are on disk, so a number is never given to another field. */
#include "node/node.h"

#include "base/limits.h"

// clang-format off
const struct enum_name node_state_names[] = {
	{ NODE_READY, "ready" }, { NODE_DRAINING, "draining" }, { NODE_DEGRADED, "degraded" },
	{ NODE_DOWN, "down" }, { NODE_LEFT, "left" }, { 0 }
};
const struct enum_name node_role_names[] = {
	{ NODE_WORKER, "worker" }, { NODE_BOTH, "both" }, { NODE_MANAGER, "manager" }, { 0 }
};

static const struct field node_facts_fields[] = {
	ROW_STRING(1, struct node_facts, hostname, LIMIT_HOSTNAME_BYTES),
	ROW_STRING(2, struct node_facts, platform_os, LIMIT_NAME_BYTES),
	ROW_STRING(3, struct node_facts, platform_arch, LIMIT_NAME_BYTES),
	ROW_STRING(4, struct node_facts, runtime_version, LIMIT_RESOURCE_NAME_BYTES),
	ROW_INT(5, struct node_facts, api_minor, 1000000),
	ROW_STRING(6, struct node_facts, drover_version, LIMIT_RESOURCE_NAME_BYTES),
	ROW_STRING(7, struct node_facts, boot_id, LIMIT_RESOURCE_NAME_BYTES),
	ROW_PAIRS(8, struct node_facts, labels, LIMIT_LIST_ITEMS),
	ROW_PAIRS(9, struct node_facts, engine_labels, LIMIT_LIST_ITEMS),
	ROW_STRUCT(10, struct node_facts, capacity, resources),
	ROW_INT(11, struct node_facts, protocol, LIMIT_COUNT),
	ROW_STRING(12, struct node_facts, runtime_id, LIMIT_RESOURCE_NAME_BYTES),
};
RECORD_TYPE(node_facts, struct node_facts, node_facts_fields);

static const struct field node_stats_fields[] = {
	ROW_INT(1, struct node_stats, cpu_used_milli, LIMIT_CPU_MILLI),
	ROW_INT(2, struct node_stats, memory_used_bytes, LIMIT_SIZE_BYTES),
	ROW_INT(3, struct node_stats, disk_used_bytes, LIMIT_SIZE_BYTES),
	ROW_INT(4, struct node_stats, load_milli, LIMIT_COUNT),
	ROW_INT(5, struct node_stats, tasks_running, LIMIT_TASKS),
};
RECORD_TYPE(node_stats, struct node_stats, node_stats_fields);

static const struct field node_record_fields[] = {
	ROW_UUID(1, struct node_record, id),
	ROW_STRUCT(2, struct node_record, facts, node_facts),
	ROW_PAIRS(3, struct node_record, labels, LIMIT_LIST_ITEMS),
	ROW_BOOL(4, struct node_record, draining),
	ROW_INT(5, struct node_record, joined_wall_ms, LIMIT_WALL_MS),
	ROW_ENUM(6, struct node_record, role, node_role_names),
	ROW_INT(7, struct node_record, number, LIMIT_COUNT),
	ROW_BOOL(8, struct node_record, left),
	ROW_INT(9, struct node_record, left_wall_ms, LIMIT_WALL_MS),
	ROW_STRING(10, struct node_record, address, LIMIT_ADDRESS_BYTES),
	ROW_BOOL(11, struct node_record, docker_silent),
};
RECORD_TYPE(node_record, struct node_record, node_record_fields);

static const struct field removed_node_fields[] = {
	ROW_UUID(1, struct removed_node, id),
	ROW_STRING(2, struct removed_node, name, LIMIT_HOSTNAME_BYTES),
	ROW_INT(3, struct removed_node, removed_wall_ms, LIMIT_WALL_MS),
};
RECORD_TYPE(removed_node, struct removed_node, removed_node_fields);
// clang-format on

enum err_code node_facts_check(const struct node_facts *facts, struct err *err)
{
	enum err_code code = record_check(&node_facts_type, facts, err);
	if (code)
		return code;
	struct text text;
	text_init(&text, LIMIT_NODE_RECORD_BYTES);
	record_encode(&node_facts_type, facts, &text);
	bool too_large = text.cut;
	text_release(&text);
	if (too_large)
		return err_set(err, ERR_LIMIT,
			       "the facts of a node, its labels among them, are larger than %d KB",
			       LIMIT_NODE_RECORD_BYTES / 1024);
	return ERR_NONE;
}
