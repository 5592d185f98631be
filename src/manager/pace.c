/* The brake on replacing what was lost. A cluster that loses many nodes at once has more likely lost its network than
 * its machines: starting everything again elsewhere would overload what is left, and be undone a moment later.
 *
 * A storm is LIMIT_STORM_NODES nodes, and more than LIMIT_STORM_PERCENT of all, lost within one timeout. It holds
 * all replacements for one timeout more; nodes that return in time keep their tasks. A storm is seen with its first
 * node: what hits all at one moment makes them silent at once, but lost one after the other, by when each was heard
 * last; so nodes that have been silent for half the timeout, which no healthy one is, count as lost. With the first
 * node that returns, all have one timeout more, once: the others are as near, and what they run shall not be started
 * on whoever is the fastest. Another storm during a hold is held for one timeout from its own first node. And at any
 * time at most LIMIT_REPLACE_PER_SECOND lost tasks are replaced in a second, or one for each node that is ready.
 *
 * The operator's word that a machine is off (node rm --fenced) ends the wait for it, and so the hold; not the bound:
 * what follows a task that was written off is started at that rate too, together with what is lost.
 *
 * Invariant: only such tasks are held; their classes are apart from those of tasks that wait for their first node. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
#include "manager/core.h"

#define WINDOW_MS 100

static size_t count_members(const struct manager *manager)
{
	size_t n = 0;
	for (size_t i = 0; i < manager->cluster.columns.n; i++)
		n += !manager->cluster.columns.entry[i]->record.left;
	return n;
}

/* Nodes that are not lost yet, but on their way. */
static size_t count_silent(const struct manager *manager, const struct node_entry *lost)
{
	int64_t since_ms = manager->in->now_ms - manager->options.node_silent_ms / 2;
	size_t n = 0;
	for (size_t i = 0; i < manager->cluster.columns.n; i++) {
		const struct node_entry *node = manager->cluster.columns.entry[i];
		n += node != lost && node->state != NODE_DOWN && node->state != NODE_LEFT &&
		     node->heard_ms <= since_ms;
	}
	return n;
}

static bool is_storm(size_t n_lost, size_t n_members)
{
	return n_lost >= LIMIT_STORM_NODES && n_lost * 100 > n_members * LIMIT_STORM_PERCENT;
}

/* A storm during a hold: the nodes of a hold's own storm are lost before it ends, and change nothing. */
static void lengthen_hold(struct manager *manager)
{
	struct pace *pace = &manager->pace;
	int64_t until_ms = pace->lost.items[0].key + manager->options.node_silent_ms;
	if (pace->hold_until_ms < until_ms)
		pace->hold_until_ms = until_ms;
}

static void begin_hold(struct manager *manager, size_t n_lost, size_t n_members)
{
	struct pace *pace = &manager->pace;
	pace->hold_until_ms = manager->in->now_ms + manager->options.node_silent_ms;
	pace->storm = true;
	struct text message;
	text_init(&message, LIMIT_MESSAGE_BYTES);
	text_addf(&message, "%zu of %zu nodes were lost or fell silent within ", n_lost, n_members);
	text_add_duration(&message, manager->options.node_silent_ms);
	text_add(&message, ": their tasks are not started elsewhere before another ");
	text_add_duration(&message, manager->options.node_silent_ms);
	text_add(&message, " have passed");
	notes_add(&manager->out->notes, "%s", text_string(&message));
	happen(manager, "cluster", "cluster", manager->cluster.meta.cluster, "storm", "",
	       text_string(&message));
	text_release(&message);
}

void pace_node_lost(struct manager *manager, const struct node_entry *node)
{
	struct pace *pace = &manager->pace;
	int64_t now_ms = manager->in->now_ms;
	queue_push(&pace->lost, (struct queue_item){ now_ms, node->record.id.uuid, 0 });
	while (pace->lost.items[0].key <= now_ms - manager->options.node_silent_ms)
		queue_pop(&pace->lost);
	size_t n_members = count_members(manager);
	if (now_ms < pace->hold_until_ms) {
		if (is_storm(pace->lost.n, n_members))
			lengthen_hold(manager);
		return;
	}
	size_t n_lost = pace->lost.n + count_silent(manager, node);
	if (is_storm(n_lost, n_members))
		begin_hold(manager, n_lost, n_members);
}

void pace_node_back(struct manager *manager)
{
	if (!manager->pace.storm)
		return;
	manager->pace.storm = false;
	manager->pace.hold_until_ms = manager->in->now_ms + manager->options.node_silent_ms;
}

void pace_stood_still(struct manager *manager, int64_t for_ms)
{
	int64_t now_ms = manager->in->now_ms;
	if (manager->pace.hold_until_ms > now_ms - for_ms)
		manager->pace.hold_until_ms = now_ms + manager->options.node_silent_ms;
}

static void begin_window(struct manager *manager)
{
	struct pace *pace = &manager->pace;
	int64_t per_second = 0;
	/* Who asks again in the same turn has replaced nothing: no need to count again. */
	if (pace->window_ms == manager->in->now_ms && pace->window_max)
		return;
	for (size_t i = 0; i < manager->cluster.columns.n; i++)
		per_second += manager->cluster.columns.entry[i]->state == NODE_READY;
	if (per_second < LIMIT_REPLACE_PER_SECOND)
		per_second = LIMIT_REPLACE_PER_SECOND;
	pace->window_ms = manager->in->now_ms;
	pace->window_n = 0;
	pace->window_max = per_second * WINDOW_MS / 1000;
}

/* What is held for the rate alone is not to wait for the end of a hold. */
static void wake_at(struct pace *pace, int64_t at_ms)
{
	if (pace->wake_ms > at_ms)
		pace->wake_ms = at_ms;
}

bool pace_allows(struct manager *manager, const struct pending *pending)
{
	struct pace *pace = &manager->pace;
	int64_t now_ms = manager->in->now_ms;
	if (pending->lost && now_ms < pace->hold_until_ms && !PLANTED(PLANTED_BRAKE_OFF)) {
		wake_at(pace, pace->hold_until_ms);
		return false;
	}
	if (!pace->window_n || now_ms - pace->window_ms >= WINDOW_MS)
		begin_window(manager);
	if (pace->window_n < pace->window_max)
		return true;
	wake_at(pace, pace->window_ms + WINDOW_MS);
	return false;
}

void pace_count(struct manager *manager, const struct pending *pending)
{
	PRE(manager->pace.window_n < manager->pace.window_max);
	manager->pace.window_n++;
	/* What the storm's nodes ran is started elsewhere: nothing is left to wait for. */
	if (pending->lost)
		manager->pace.storm = false;
}

void pace_park(struct manager *manager, struct task_class *class)
{
	class->parked = true;
	class->paced = true;
	class->reason = REASON_QUEUED;
	string_set(&class->message, "waits, so that not too much is started again at once");
	manager->n_parked += class->n;
}

void pace_wake(struct manager *manager)
{
	if (manager->in->now_ms < manager->pace.wake_ms)
		return;
	manager->pace.wake_ms = INT64_MAX;
	size_t at = 0;
	for (struct task_class *class; (class = map_next(&manager->classes, &at));)
		if (class->paced)
			class_unpark(manager, class);
}
