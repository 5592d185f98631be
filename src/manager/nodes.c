/* Nodes: heard, silent, back.
 *
 * Invariants: a node is judged by monotonic time only, and never before the grace after our own start is over; a task
 * is `unreachable` exactly while its node is Down. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "manager/core.h"

struct node_watch *node_watch(struct manager *manager, struct node_id id)
{
	struct node_watch *watch = map_get(&manager->nodes, id.uuid);
	if (watch)
		return watch;
	watch = base_calloc(1, sizeof(*watch));
	watch->id = id;
	map_put(&manager->nodes, id.uuid, watch);
	return watch;
}

const char *node_name(const struct node_entry *node)
{
	return node->record.facts.hostname ? node->record.facts.hostname : "a node without a name";
}

static void note_node(struct manager *manager, const struct node_entry *node, const char *why)
{
	const char *state = enum_name(node_state_names, node->state);
	if (why)
		notes_add(&manager->out->notes, "node %s is %s: %s", node_name(node), state, why);
	else
		notes_add(&manager->out->notes, "node %s is %s", node_name(node), state);
	happen(manager, "node", node_name(node), node->record.id.uuid, state, "", why);
}

static struct node_record new_record(struct manager *manager, struct node_id id)
{
	struct meta_record meta = manager->cluster.meta;
	struct node_record record = { .id = id,
				      .joined_wall_ms = wall_now(manager),
				      .number = meta.next_node_number++ };
	cluster_put_meta(&manager->cluster, &manager->out->changes, &meta);
	return record;
}

/* NULL: none. */
static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

struct node_entry *node_introduce(struct manager *manager, struct node_entry *node,
				  const struct session *session, const struct sync_up *up)
{
	int role = session->local ? NODE_BOTH : NODE_WORKER;
	if (node && node->record.role == role && is_same(node->record.address, session->address) &&
	    record_equal(&node_facts_type, &node->record.facts, &up->facts))
		return node;
	/* A new node and the number the next one gets. */
	group_reserve(manager, 2);
	struct node_record record = { 0 };
	if (node)
		record_copy(&node_record_type, &record, &node->record);
	else
		record = new_record(manager, up->node);
	record.role = role;
	string_set(&record.address, session->address);
	record_release(&node_facts_type, &record.facts);
	record_copy(&node_facts_type, &record.facts, &up->facts);
	struct node_entry *entry =
		cluster_put_node(&manager->cluster, &manager->out->changes, &record);
	manager->wake = true;
	if (node)
		return entry;
	notes_add(&manager->out->notes, "node %s joined", node_name(entry));
	happen(manager, "node", node_name(entry), entry->record.id.uuid, "joined", "", NULL);
	return entry;
}

/* When the node counts as silent if nothing more is heard of it. */
static int64_t silent_at(const struct manager *manager, const struct node_entry *node)
{
	int64_t silent_ms = node->heard_ms + manager->options.node_silent_ms;
	int64_t grace_ms = manager->started_ms + manager->options.start_grace_ms;
	return silent_ms > grace_ms ? silent_ms : grace_ms;
}

static void watch_silence(struct manager *manager, const struct node_entry *node)
{
	struct node_watch *watch = node_watch(manager, node->record.id);
	if (watch->timed)
		return;
	watch->timed = true;
	queue_push(&manager->silence,
		   (struct queue_item){ silent_at(manager, node), node->record.id.uuid, 0 });
}

static void set_reachable(struct manager *manager, struct node_entry *node, bool reachable)
{
	for (size_t i = 0; i < node->tasks.n; i++) {
		struct task *task = node->tasks.items[i];
		task_set_unreachable(manager, task, !reachable);
		const struct pending *pending = pending_get(manager, task->desired.id);
		if (reachable && pending && pending->lost)
			pending_drop(manager, task->desired.id);
	}
}

void node_heard(struct manager *manager, struct node_entry *node, bool runtime_ok)
{
	node->heard_ms = manager->in->now_ms;
	node_watch(manager, node->record.id)->docker_silent = !runtime_ok;
	watch_silence(manager, node);
	int state = NODE_READY;
	if (!runtime_ok)
		state = NODE_DEGRADED;
	else if (node->record.draining)
		state = NODE_DRAINING;
	if (node->state == state && node->runtime_ok == runtime_ok)
		return;
	bool was_down = node->state == NODE_DOWN;
	cluster_set_node_runtime(&manager->cluster, node, runtime_ok);
	cluster_set_node_state(&manager->cluster, node, state);
	if (was_down)
		set_reachable(manager, node, true);
	manager->wake = true;
	note_node(manager, node, runtime_ok ? NULL : "Docker does not answer there");
}

static void node_down(struct manager *manager, struct node_entry *node)
{
	cluster_set_node_runtime(&manager->cluster, node, false);
	cluster_set_node_state(&manager->cluster, node, NODE_DOWN);
	cluster_set_node_stats(&manager->cluster, node, NULL, manager->in->now_ms);
	char why[64];
	text_print(why, sizeof(why), "it is silent with %zu %s", node->tasks.n,
		   node->tasks.n == 1 ? "task" : "tasks");
	note_node(manager, node, why);
	set_reachable(manager, node, false);
	/* What was tied to it by a shared network may go elsewhere. */
	manager->wake = true;
}

/* Drop what is out of date at the front of the queue, so that its key is a time something is due. */
static struct node_entry *most_silent(struct manager *manager)
{
	struct queue *silence = &manager->silence;
	while (silence->n) {
		struct queue_item item = silence->items[0];
		struct node_entry *node =
			cluster_node(&manager->cluster, (struct node_id){ item.id });
		int64_t due_ms = node ? silent_at(manager, node) : 0;
		if (node && node->state != NODE_DOWN && due_ms == item.key)
			return node;
		queue_pop(silence);
		if (!node)
			continue;
		node_watch(manager, node->record.id)->timed = false;
		if (node->state != NODE_DOWN)
			watch_silence(manager, node);
	}
	return NULL;
}

void nodes_judge(struct manager *manager)
{
	for (struct node_entry *node; (node = most_silent(manager));) {
		if (manager->silence.items[0].key > manager->in->now_ms)
			return;
		node_down(manager, node);
	}
}

int64_t nodes_deadline(struct manager *manager)
{
	return most_silent(manager) ? manager->silence.items[0].key : INT64_MAX;
}

/* A new store, or one of an earlier drover, whose nodes have no number. */
static void number_nodes(struct manager *manager)
{
	struct meta_record meta = manager->cluster.meta;
	struct node_columns *columns = &manager->cluster.columns;
	if (meta.next_node_number > 0)
		return;
	for (size_t i = 0; i < columns->n; i++) {
		struct node_record record;
		record_copy(&node_record_type, &record, &columns->entry[i]->record);
		record.number = (int64_t)i + 1;
		group_reserve(manager, 1);
		cluster_put_node(&manager->cluster, &manager->out->changes, &record);
	}
	meta.next_node_number = (int64_t)columns->n + 1;
	group_reserve(manager, 1);
	cluster_put_meta(&manager->cluster, &manager->out->changes, &meta);
}

void nodes_start(struct manager *manager)
{
	number_nodes(manager);
	for (size_t i = 0; i < manager->cluster.columns.n; i++) {
		struct node_entry *node = manager->cluster.columns.entry[i];
		node->heard_ms = manager->in->now_ms;
		watch_silence(manager, node);
		struct node_watch *watch = node_watch(manager, node->record.id);
		for (size_t j = 0; j < node->tasks.n; j++) {
			struct sync_assignment assignment = task_assignment(node->tasks.items[j]);
			watch->digest += (uint64_t)sync_assignment_digest(&assignment);
		}
	}
}
