/* Networks no task uses any more, and volumes the manager wants removed.
 *
 * 1. A network goes while no task here names it and the manager's full set is known: with the
 *    last task that names it, before that task is said to be removed, or after a grace when the
 *    list shows it.
 * 2. One removal of each kind is in flight at a time. "In use" is an ordinary answer: it is
 *    tried again later. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "worker/worker_int.h"

#define VOLUME_RETRY_MS 5000

static struct leftover *find(struct leftovers *leftovers, const char *name)
{
	for (size_t i = 0; i < leftovers->n; i++)
		if (!strcmp(leftovers->items[i].name, name))
			return &leftovers->items[i];
	return NULL;
}

static struct leftover *add(struct leftovers *leftovers, const char *name, int64_t due_ms)
{
	leftovers->items = base_grow(leftovers->items, leftovers->n, &leftovers->capacity,
				     sizeof(struct leftover));
	struct leftover *added = &leftovers->items[leftovers->n++];
	*added = (struct leftover){ .name = base_strdup(name), .due_ms = due_ms };
	return added;
}

static void drop(struct leftovers *leftovers, struct leftover *item)
{
	base_free(item->name);
	base_free(item->message);
	size_t at = (size_t)(item - leftovers->items);
	memmove(item, item + 1, (leftovers->n - at - 1) * sizeof(*item));
	leftovers->n--;
}

/* Drop what the newest list or message did not name. */
static void sweep(struct leftovers *leftovers, uint64_t mark)
{
	for (size_t i = leftovers->n; i-- > 0;)
		if (leftovers->items[i].mark != mark)
			drop(leftovers, &leftovers->items[i]);
}

void worker_leftovers_release(struct leftovers *leftovers)
{
	while (leftovers->n)
		drop(leftovers, &leftovers->items[leftovers->n - 1]);
	base_free(leftovers->items);
	base_free(leftovers->op_name);
	*leftovers = (struct leftovers){ 0 };
}

/* Begin the removal of the first item that is due. */
static void begin(struct worker *worker, struct leftovers *leftovers, struct leftover *item,
		  int owner, int verb)
{
	base_free(leftovers->op_name);
	leftovers->op_name = base_strdup(item->name);
	struct container_action *action = worker_op_begin(worker, owner, verb, NULL);
	action->resource_name = leftovers->op_name;
	leftovers->op = action->op;
}

/* ---- networks ---- */

static bool template_uses(const struct sync_template *sync, const char *name)
{
	for (size_t i = 0; i < sync->networks.n; i++) {
		char *used = container_network_name(sync->project, &sync->networks.items[i]);
		bool same = !strcmp(used, name);
		base_free(used);
		if (same)
			return true;
	}
	return false;
}

static bool network_is_used(const struct worker *worker, const char *name)
{
	for (const struct worker_template *at = worker->template_first; at; at = at->next)
		if (at->users > at->releasing && template_uses(&at->sync, name))
			return true;
	return false;
}

/* Tasks that wait for the end of their networks look again. */
static void wake_releasing(struct worker *worker)
{
	for (struct worker_task *task = worker->task_first; task; task = task->next)
		if (task->releasing && !task->observed.removed)
			worker_task_mark_dirty(worker, task);
}

void worker_networks_take_list(struct worker *worker, const struct strings *names)
{
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->items[i];
		if (network_is_used(worker, name))
			continue;
		struct leftover *item = find(&worker->networks, name);
		if (!item)
			item = add(&worker->networks, name,
				   worker->now_ms + worker->options.orphan_grace_ms);
		item->mark = worker->list_mark;
	}
	sweep(&worker->networks, worker->list_mark);
	wake_releasing(worker);
}

/* Is the last user of this network gone, and the network not yet? `first`: then see to its
 * removal. */
static bool await_removal(struct worker *worker, const char *name, bool first)
{
	if (network_is_used(worker, name))
		return false;
	struct leftover *item = find(&worker->networks, name);
	if (!item && !first)
		return false;
	if (!item) {
		item = add(&worker->networks, name, worker->now_ms);
		item->mark = worker->list_mark;
	} else if (!item->tried) {
		item->due_ms = worker->now_ms;
	}
	return !item->tried;
}

/* The task's containers are removed for good. Take the networks along that only it still named;
 * true when nothing is left to wait for. What cannot be removed now is left to the list. */
bool worker_networks_release(struct worker *worker, struct worker_task *task)
{
	bool waits = false;
	if (!task->template || !worker->full_taken)
		return true;
	bool first = !task->releasing;
	task->template->releasing += first;
	task->releasing = true;
	const struct sync_template *sync = &task->template->sync;
	for (size_t i = 0; i < sync->networks.n; i++) {
		char *name = container_network_name(sync->project, &sync->networks.items[i]);
		if (!sync->networks.items[i].external)
			waits = await_removal(worker, name, first) || waits;
		base_free(name);
	}
	return !waits;
}

bool worker_networks_removing(const struct worker *worker, const char *name)
{
	return worker->networks.op && !strcmp(worker->networks.op_name, name);
}

static void advance_networks(struct worker *worker)
{
	struct leftovers *networks = &worker->networks;
	if (!worker_is_admitted(worker))
		return;
	for (size_t i = 0; i < networks->n && !networks->op && worker_ops_have_room(worker); i++) {
		struct leftover *item = &networks->items[i];
		if (worker->now_ms < item->due_ms)
			continue;
		if (network_is_used(worker, item->name)) {
			drop(networks, item);
			i--;
			wake_releasing(worker);
		} else {
			begin(worker, networks, item, OP_NETWORK, CONTAINER_NETWORK_REMOVE);
		}
	}
}

void worker_network_result(struct worker *worker, const struct container_result *result)
{
	struct leftovers *networks = &worker->networks;
	networks->op = 0;
	wake_releasing(worker);
	struct leftover *item = find(networks, networks->op_name);
	if (!item)
		return;
	if (result->fault == FAULT_NONE || result->fault == FAULT_NOT_FOUND) {
		notes_add(&worker->out->notes, "removed network %s, which nothing uses",
			  item->name);
		drop(networks, item);
		return;
	}
	item->tried = true;
	item->due_ms = worker->now_ms + worker->options.list_ms;
}

/* ---- volumes ---- */

void worker_volumes_take(struct worker *worker, const struct sync_down *down)
{
	uint64_t mark = worker->volumes.n ? worker->volumes.items[0].mark + 1 : 1;
	for (size_t i = 0; i < down->volumes_remove.n; i++) {
		const char *name = down->volumes_remove.items[i].name;
		if (!name || !*name)
			continue;
		struct leftover *item = find(&worker->volumes, name);
		if (!item)
			item = add(&worker->volumes, name, worker->now_ms);
		item->mark = mark;
	}
	sweep(&worker->volumes, mark);
}

static void advance_volumes(struct worker *worker)
{
	struct leftovers *volumes = &worker->volumes;
	for (size_t i = 0; i < volumes->n && !volumes->op && worker_ops_have_room(worker); i++) {
		struct leftover *item = &volumes->items[i];
		if (!item->done && worker->now_ms >= item->due_ms)
			begin(worker, volumes, item, OP_VOLUME, CONTAINER_VOLUME_REMOVE);
	}
}

void worker_volume_result(struct worker *worker, const struct container_result *result)
{
	struct leftovers *volumes = &worker->volumes;
	volumes->op = 0;
	struct leftover *item = find(volumes, volumes->op_name);
	if (!item)
		return;
	if (result->fault == FAULT_NONE || result->fault == FAULT_NOT_FOUND) {
		notes_add(&worker->out->notes, "removed volume %s", item->name);
		item->done = true;
		string_set(&item->message, NULL);
		worker->send = true;
		return;
	}
	item->due_ms = worker->now_ms + VOLUME_RETRY_MS;
	if (result->fault == FAULT_UNREACHABLE || result->fault == FAULT_AMBIGUOUS)
		return;
	char *tail = worker_words_tail(result->message);
	char *message = worker_sentence("volume %s cannot be removed%s", item->name,
					*tail ? tail : ": it is in use");
	if (!item->message || strcmp(item->message, message) != 0) {
		notes_add(&worker->out->notes, "%s", message);
		string_set(&item->message, message);
		worker->send = true;
	}
	base_free(message);
	base_free(tail);
}

/* ---- both ---- */

void worker_leftovers_advance(struct worker *worker)
{
	advance_networks(worker);
	advance_volumes(worker);
}

int64_t worker_leftovers_due_ms(const struct worker *worker)
{
	int64_t at_ms = NEVER_MS;
	for (size_t i = 0;
	     worker_is_admitted(worker) && !worker->networks.op && i < worker->networks.n; i++)
		if (worker->networks.items[i].due_ms < at_ms)
			at_ms = worker->networks.items[i].due_ms;
	for (size_t i = 0; !worker->volumes.op && i < worker->volumes.n; i++)
		if (!worker->volumes.items[i].done && worker->volumes.items[i].due_ms < at_ms)
			at_ms = worker->volumes.items[i].due_ms;
	return at_ms;
}
