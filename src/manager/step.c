/* What every file of the core needs to write a step's output: groups of records, ids, rows of the lists in `out`.
 *
 * Invariants: every group has at most LIMIT_GROUP_RECORDS records and LIMIT_GROUP_BYTES bytes; ids rise. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"

/* A group is closed well before it is full: one more record of the largest kind still fits. */
#define GROUP_BYTES_FULL (LIMIT_GROUP_BYTES / 4)
/* What a burst needed is not kept for the next: that is 100 bytes for each of its tasks. */
#define ITEMS_KEPT 256

static void close_group(struct manager *manager)
{
	changes_begin_group(&manager->out->changes);
	manager->group_from = manager->out->changes.n;
	manager->group_counted = manager->out->changes.n;
	manager->group_bytes = 0;
}

static void count_group(struct manager *manager)
{
	const struct changes *changes = &manager->out->changes;
	for (; manager->group_counted < changes->n; manager->group_counted++) {
		const struct change *change = &changes->items[manager->group_counted];
		manager->group_bytes += change->key_len + change->value_len;
	}
}

void group_begin(struct manager *manager)
{
	PRE(!manager->group_held);
	close_group(manager);
	manager->group_held = true;
}

void group_end(struct manager *manager)
{
	PRE(manager->group_held);
	count_group(manager);
	POST(manager->out->changes.n - manager->group_from <= LIMIT_GROUP_RECORDS);
	POST(manager->group_bytes <= LIMIT_GROUP_BYTES);
	manager->group_held = false;
	close_group(manager);
}

void group_reserve(struct manager *manager, size_t n_records)
{
	PRE(n_records <= LIMIT_GROUP_RECORDS);
	if (manager->group_held)
		return;
	count_group(manager);
	size_t n = manager->out->changes.n - manager->group_from;
	if (n + n_records > LIMIT_GROUP_RECORDS || manager->group_bytes > GROUP_BYTES_FULL)
		close_group(manager);
}

int64_t wall_now(const struct manager *manager)
{
	int64_t wall_ms = manager->in->wall_ms;
	if (wall_ms < 0)
		return 0;
	/* The timestamp of an id has 48 bits. */
	int64_t wall_ms_max = (1LL << 47) - 1;
	return wall_ms > wall_ms_max ? wall_ms_max : wall_ms;
}

int64_t wall_left_ms(const struct manager *manager, int64_t wall_ms, int64_t max_ms)
{
	int64_t left_ms = wall_ms - wall_now(manager);
	if (left_ms < 0)
		return 0;
	return left_ms < max_ms ? left_ms : max_ms;
}

void id_seen(struct manager *manager, struct uuid id)
{
	int64_t ms = 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.bytes[i];
	if (ms >= manager->id_ms) {
		manager->id_ms = ms;
		manager->id_count = 0xfff; /* the next id takes the next millisecond */
	}
}

/* RFC 9562, section 6.2, method 1: the 12 bits after the version count within one millisecond, so that ids sort in the
 * order they were made. */
struct uuid id_next(struct manager *manager)
{
	int64_t wall_ms = wall_now(manager);
	if (wall_ms > manager->id_ms) {
		manager->id_ms = wall_ms;
		manager->id_count = 0;
	} else if (manager->id_count >= 0xfff) {
		manager->id_ms++;
		manager->id_count = 0;
	} else {
		manager->id_count++;
	}
	struct uuid id = uuid_make(&manager->random, manager->id_ms);
	id.bytes[6] = (uint8_t)(0x70 | manager->id_count >> 8);
	id.bytes[7] = (uint8_t)(manager->id_count & 0xff);
	return id;
}

struct uuid key_of_number(uint64_t number)
{
	struct uuid key = { 0 };
	for (int i = 0; i < 8; i++)
		key.bytes[i] = (uint8_t)(number >> (56 - 8 * i));
	return key;
}

struct manager_reply *out_reply(struct manager *manager, uint64_t handle)
{
	struct manager_out *out = manager->out;
	out->replies = base_grow(out->replies, out->n_replies, &out->replies_capacity,
				 sizeof(struct manager_reply));
	struct manager_reply *reply = &out->replies[out->n_replies++];
	*reply = (struct manager_reply){ .handle = handle };
	return reply;
}

struct manager_down *out_down(struct manager *manager, uint64_t session)
{
	struct manager_out *out = manager->out;
	out->downs = base_grow(out->downs, out->n_downs, &out->downs_capacity,
			       sizeof(struct manager_down));
	struct manager_down *down = &out->downs[out->n_downs++];
	*down = (struct manager_down){ .session = session };
	return down;
}

static void empty(struct manager_out *out)
{
	changes_clear(&out->changes);
	for (size_t i = 0; i < out->n_replies; i++)
		record_release(&manager_answer_type, &out->replies[i].answer);
	out->n_replies = 0;
	for (size_t i = 0; i < out->n_downs; i++) {
		struct sync_down *down = &out->downs[i].message;
		base_free(down->templates.items);
		down->templates.items = NULL;
		down->templates.n = 0;
		record_release(&sync_down_type, down);
	}
	out->n_downs = 0;
	for (size_t i = 0; i < out->n_templates; i++) {
		record_release(&sync_template_type, out->templates[i]);
		base_free(out->templates[i]);
	}
	out->n_templates = 0;
	for (size_t i = 0; i < out->n_happenings; i++) {
		base_free(out->happenings[i].subject);
		base_free(out->happenings[i].message);
	}
	out->n_happenings = 0;
	notes_clear(&out->notes);
}

void manager_out_clear(struct manager_out *out)
{
	if (out->changes.n > ITEMS_KEPT || out->n_happenings > ITEMS_KEPT)
		manager_out_release(out);
	else
		empty(out);
	out->deadline_ms = INT64_MAX;
}

void manager_out_release(struct manager_out *out)
{
	empty(out);
	changes_release(&out->changes);
	base_free(out->replies);
	base_free(out->downs);
	base_free(out->templates);
	base_free(out->happenings);
	notes_release(&out->notes);
	*out = (struct manager_out){ 0 };
}
