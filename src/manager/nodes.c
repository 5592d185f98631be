/* Nodes: heard, silent, without Docker, back.
 *
 * Invariants: a node is judged by monotonic time only, and never before the grace after our own start is over; a task
 * is `unreachable` exactly while its node is lost: Down, or Degraded for longer than the grace of its runtime. What is
 * unreachable is unknown, not failed. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
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

static uint64_t digest_of_set(const struct manager *manager, const struct node_entry *node)
{
	uint64_t digest = 0;
	for (size_t i = 0; i < node->tasks.n; i++) {
		struct sync_assignment assignment = task_assignment(manager, node->tasks.items[i]);
		digest += (uint64_t)sync_assignment_digest(&assignment);
	}
	return digest;
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
	/* A worker of another release is told the same in other words. */
	node_watch(manager, entry->record.id)->digest = digest_of_set(manager, entry);
	if (node)
		return entry;
	notes_add(&manager->out->notes, "node %s joined", node_name(entry));
	happen(manager, "node", node_name(entry), entry->record.id.uuid, "joined", "", NULL);
	return entry;
}

/* Before that, workers may not have had the time to come back to us. */
static int64_t grace_end(const struct manager *manager)
{
	int64_t window_ms = LIMIT_RECONNECT_MAX_MS +
			    (int64_t)manager->cluster.columns.n * LIMIT_RECONNECT_PER_NODE_MS;
	int64_t grace_ms = manager->options.start_grace_ms;
	return manager->started_ms + (window_ms > grace_ms ? window_ms : grace_ms);
}

bool nodes_in_grace(const struct manager *manager)
{
	return manager->in->now_ms < grace_end(manager);
}

static int64_t not_in_grace(const struct manager *manager, int64_t at_ms)
{
	int64_t grace_ms = grace_end(manager);
	if (grace_ms < manager->unread_until_ms)
		grace_ms = manager->unread_until_ms;
	return at_ms > grace_ms || PLANTED(PLANTED_GRACE_SKIPPED) ? at_ms : grace_ms;
}

/* When the node counts as silent if nothing more is heard of it. */
static int64_t silent_at(const struct manager *manager, const struct node_entry *node)
{
	int64_t at_ms = node->heard_ms + manager->options.node_silent_ms;
	if (node->record.role == NODE_BOTH && PLANTED(PLANTED_STANDSTILL_UNSEEN))
		return at_ms > grace_end(manager) ? at_ms : grace_end(manager);
	return not_in_grace(manager, at_ms);
}

/* When it is judged next if nothing changes. */
static int64_t due_at(const struct manager *manager, const struct node_entry *node,
		      const struct node_watch *watch)
{
	if (node->state == NODE_DOWN || node->state == NODE_LEFT)
		return INT64_MAX;
	int64_t silent_ms = silent_at(manager, node);
	if (node->state != NODE_DEGRADED || watch->lost)
		return silent_ms;
	int64_t degraded_ms =
		not_in_grace(manager, watch->degraded_ms + manager->options.runtime_grace_ms);
	return degraded_ms < silent_ms ? degraded_ms : silent_ms;
}

/* Items of the queue whose key is not the node's due_ms are out of date. One that comes too early is looked at then. */
static void watch_node(struct manager *manager, const struct node_entry *node)
{
	struct node_watch *watch = node_watch(manager, node->record.id);
	int64_t due_ms = due_at(manager, node, watch);
	if (due_ms == INT64_MAX || (watch->timed && watch->due_ms <= due_ms))
		return;
	watch->timed = true;
	watch->due_ms = due_ms;
	queue_push(&manager->judged, (struct queue_item){ due_ms, node->record.id.uuid, 0 });
}

static void set_lost(struct manager *manager, struct node_entry *node, bool lost)
{
	struct node_watch *watch = node_watch(manager, node->record.id);
	if (watch->lost == lost)
		return;
	watch->lost = lost;
	for (size_t i = 0; i < node->tasks.n; i++) {
		struct task *task = node->tasks.items[i];
		task_set_unreachable(manager, task, lost);
		const struct pending *pending = pending_get(manager, task->desired.id);
		if (!lost && pending && pending->lost)
			pending_drop(manager, task->desired.id);
	}
	if (lost)
		pace_node_lost(manager, node);
	else
		pace_node_back(manager);
}

/* The state of a node that is not silent. */
static int state_of(const struct node_entry *node)
{
	if (node->heard_ms && !node->runtime_ok)
		return NODE_DEGRADED;
	return node->record.draining ? NODE_DRAINING : NODE_READY;
}

static bool has_lease(const struct manager *manager, const struct node_entry *node)
{
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct task *task = node->tasks.items[i];
		if (task_occupies_node(task) &&
		    job_spec_lease_ms(cluster_task_spec(&manager->cluster, task)))
			return true;
	}
	return false;
}

/* Who waits for a lease asks for it also after our restart. A node without Docker gets no task, so it is enough to look
 * when that begins. */
static void hear_docker(struct manager *manager, struct node_entry *node, bool silent)
{
	struct node_watch *watch = node_watch(manager, node->record.id);
	bool news = watch->docker_silent != silent || !node->heard_ms;
	watch->docker_silent = silent;
	if (!news || node->record.docker_silent == silent || (silent && !has_lease(manager, node)))
		return;
	struct node_record record;
	record_copy(&node_record_type, &record, &node->record);
	record.docker_silent = silent;
	group_reserve(manager, 1);
	cluster_put_node(&manager->cluster, &manager->out->changes, &record);
}

static const char *docker_away = "Docker does not answer there";

void node_heard(struct manager *manager, struct node_entry *node, bool runtime_ok)
{
	struct node_watch *watch = node_watch(manager, node->record.id);
	int old_state = node->heard_ms ? node->state : -1;
	hear_docker(manager, node, !runtime_ok);
	bool was_down = node->state == NODE_DOWN;
	bool same_runtime = node->runtime_ok == runtime_ok;
	node->heard_ms = manager->in->now_ms;
	cluster_set_node_runtime(&manager->cluster, node, runtime_ok);
	cluster_set_node_state(&manager->cluster, node, state_of(node));
	if (old_state != NODE_DEGRADED && !runtime_ok)
		watch->degraded_ms = manager->in->now_ms;
	if (was_down || runtime_ok)
		set_lost(manager, node, false);
	watch_node(manager, node);
	if (node->state == old_state && same_runtime)
		return;
	manager->wake = true;
	home_node_ready(manager, node);
	note_node(manager, node, runtime_ok ? NULL : docker_away);
}

void node_drain(struct manager *manager, struct node_entry *node)
{
	if (node->state != NODE_DOWN)
		cluster_set_node_state(&manager->cluster, node, state_of(node));
	for (size_t i = 0; i < node->tasks.n; i++)
		job_dirty(manager, *node->tasks.items[i]->desired.job);
	home_node_ready(manager, node);
	manager->wake = true;
	const char *state = node->record.draining ? "draining" : "resumed";
	notes_add(&manager->out->notes, "node %s is %s", node_name(node),
		  node->record.draining ? "to be drained" : "to take tasks again");
	happen(manager, "node", node_name(node), node->record.id.uuid, state, "", NULL);
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
	set_lost(manager, node, true);
	manager->wake = true;
}

/* The worker speaks, but nobody knows what its containers do. */
static void node_without_docker(struct manager *manager, struct node_entry *node)
{
	struct text why;
	text_init(&why, 128);
	text_add(&why, "Docker has not answered there for ");
	text_add_duration(&why, manager->options.runtime_grace_ms);
	text_addf(&why, ", with %zu %s", node->tasks.n, node->tasks.n == 1 ? "task" : "tasks");
	note_node(manager, node, text_string(&why));
	text_release(&why);
	set_lost(manager, node, true);
	manager->wake = true;
}

/* The node to be judged next: items that are out of date are dropped on the way, so the front of the queue is due when
 * its key says. */
static struct node_entry *next_judged(struct manager *manager)
{
	struct queue *judged = &manager->judged;
	while (judged->n) {
		struct queue_item item = judged->items[0];
		struct node_entry *node =
			cluster_node(&manager->cluster, (struct node_id){ item.id });
		struct node_watch *watch = map_get(&manager->nodes, item.id);
		bool live = node && watch && watch->timed && watch->due_ms == item.key;
		if (live && due_at(manager, node, watch) == item.key)
			return node;
		queue_pop(judged);
		if (!live)
			continue;
		watch->timed = false;
		watch_node(manager, node);
	}
	return NULL;
}

/* Forget nodes that have left long ago, but for the fact that they have. */
static void forget_left(struct manager *manager)
{
	struct queue *leaving = &manager->leaving;
	while (leaving->n && leaving->items[0].key <= manager->in->now_ms) {
		struct node_id id = { leaving->items[0].id };
		queue_pop(leaving);
		struct node_entry *node = cluster_node(&manager->cluster, id);
		notes_add(&manager->out->notes, "node %s, which has left, is forgotten",
			  node_name(node));
		if (manager->round > node->index)
			manager->round--;
		removed_remember(manager, id, node->record.facts.hostname,
				 node->record.left_wall_ms);
		cluster_delete_node(&manager->cluster, &manager->out->changes, node);
		base_free(map_remove(&manager->nodes, id.uuid));
	}
}

bool nodes_have_room(const struct manager *manager, struct err *err)
{
	const struct node_columns *columns = &manager->cluster.columns;
	int64_t max = manager->options.nodes_max ? manager->options.nodes_max : LIMIT_NODES;
	int64_t n = 0;
	for (size_t i = 0; i < columns->n; i++)
		n += !columns->entry[i]->record.left;
	if (n < max && columns->n < LIMIT_NODES)
		return true;
	err_set(err, ERR_LIMIT, "the cluster has %lld nodes, and may have no more", (long long)n);
	return false;
}

/* Steps come at least twice in this time while there is a node to be judged: one that comes later says that we stood
 * still. What our nodes said meanwhile may wait to be read, and they may have given us up: they have as much time as if
 * they had been heard now. */
static int64_t standstill_ms(const struct manager *manager)
{
	return manager->options.node_silent_ms / 2;
}

static void notice_standstill(struct manager *manager)
{
	int64_t now_ms = manager->in->now_ms;
	int64_t stood_ms = now_ms - manager->judged_ms;
	bool ticking = manager->judging;
	manager->judged_ms = now_ms;
	if (!ticking || stood_ms <= standstill_ms(manager))
		return;
	manager->unread_until_ms = now_ms + manager->options.node_silent_ms;
	pace_stood_still(manager, stood_ms);
}

void nodes_judge(struct manager *manager)
{
	notice_standstill(manager);
	forget_left(manager);
	for (struct node_entry *node; (node = next_judged(manager));) {
		if (manager->judged.items[0].key > manager->in->now_ms)
			return;
		if (silent_at(manager, node) <= manager->in->now_ms)
			node_down(manager, node);
		else
			node_without_docker(manager, node);
	}
}

int64_t nodes_deadline(struct manager *manager)
{
	int64_t judged_ms = INT64_MAX;
	manager->judging = next_judged(manager) != NULL;
	if (manager->judging) {
		judged_ms = manager->judged.items[0].key;
		int64_t tick_ms = manager->in->now_ms + standstill_ms(manager) / 2;
		if (judged_ms > tick_ms)
			judged_ms = tick_ms;
	}
	if (manager->leaving.n && manager->leaving.items[0].key < judged_ms)
		return manager->leaving.items[0].key;
	return judged_ms;
}

void node_left(struct manager *manager, const struct node_entry *node)
{
	PRE(node->tasks.n == 0);
	node_watch(manager, node->record.id)->lost = false;
	int64_t wait_ms = wall_left_ms(manager, node->record.left_wall_ms + LIMIT_LEFT_NODE_AGE_MS,
				       LIMIT_LEFT_NODE_AGE_MS);
	queue_push(&manager->leaving,
		   (struct queue_item){ manager->in->now_ms + wait_ms, node->record.id.uuid, 0 });
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
		struct node_watch *watch = node_watch(manager, node->record.id);
		if (node->record.left) {
			node_left(manager, node);
			continue;
		}
		cluster_set_node_state(&manager->cluster, node, state_of(node));
		watch_node(manager, node);
		watch->docker_silent = node->record.docker_silent;
		watch->digest = digest_of_set(manager, node);
	}
}
