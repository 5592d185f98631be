#include "cli/starts.h"

#include "base/alloc.h"
#include "task/reason.h"

struct place {
	struct uuid node;
	uint64_t ports;
};

/* Of one slot, and of one revision. */
struct failed_starts {
	struct uuid newest; /* task */
	int64_t revision;
	struct place places[STARTS_MAX];
	size_t n;
	bool in_vain;
};

static struct uuid slot_key(const struct task_view *task)
{
	struct uuid key = task->job_id;
	for (size_t i = 0; i < sizeof(task->slot); i++)
		key.bytes[sizeof(key.bytes) - 1 - i] ^= (unsigned char)(task->slot >> (8 * i));
	return key;
}

static struct place place_of(const struct task_view *task)
{
	struct place place = { .node = task->node };
	for (size_t i = 0; i < task->ports.n; i++)
		place.ports = place.ports * 65537 + (uint64_t)task->ports.items[i].host_port;
	return place;
}

static bool could_not_start(const struct task_view *task)
{
	return task->state == TASK_FAILED && reason_after(task->reason) == AFTER_REPLACE_ELSEWHERE;
}

void starts_release(struct starts *starts)
{
	size_t position = 0;
	for (void *slot; (slot = map_next(&starts->slots, &position));)
		base_free(slot);
	map_release(&starts->slots);
}

static struct failed_starts *slot_of(struct starts *starts, const struct task_view *task)
{
	struct failed_starts *slot = map_get(&starts->slots, slot_key(task));
	if (!slot) {
		slot = base_calloc(1, sizeof(*slot));
		map_put(&starts->slots, slot_key(task), slot);
	}
	return slot;
}

/* Has it failed there before? */
static bool add_place(struct failed_starts *slot, struct place place)
{
	for (size_t i = 0; i < slot->n; i++)
		if (uuid_equal(slot->places[i].node, place.node) &&
		    slot->places[i].ports == place.ports)
			return true;
	if (slot->n < STARTS_MAX)
		slot->places[slot->n++] = place;
	return false;
}

void starts_look(struct starts *starts, const struct task_view *task, bool before)
{
	if (!could_not_start(task))
		return;
	struct failed_starts *slot = slot_of(starts, task);
	if (uuid_compare(task->id, slot->newest) <= 0)
		return;
	if (task->revision != slot->revision)
		*slot = (struct failed_starts){ .revision = task->revision };
	slot->newest = task->id;
	bool known = add_place(slot, place_of(task));
	slot->in_vain |= !before && (known || slot->n == STARTS_MAX);
}

bool starts_are_in_vain(const struct starts *starts, const struct task_view *task)
{
	const struct failed_starts *slot = map_get(&starts->slots, slot_key(task));
	return slot && slot->in_vain && uuid_equal(slot->newest, task->id);
}
