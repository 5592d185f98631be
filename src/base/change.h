/* Changes to persist: what a core hands to the store. The store keeps bytes under typed keys and knows no noun; this
 * is the shape both sides agree on. Groups are atomic: all records of a group are durable, or none is. */
#ifndef BASE_CHANGE_H
#define BASE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/uuid.h"

/* Kinds of records, of manager and worker stores alike. Numbers are on disk: never reuse one. */
enum record_kind {
	RECORD_META = 1, /* cluster id, epoch; the worker's identity */
	RECORD_PROJECT = 2,
	RECORD_JOB = 3,
	RECORD_REVISION = 4,
	RECORD_TASK = 5,     /* desired */
	RECORD_OBSERVED = 6, /* key: task; in stores of release 1 (node, task) */
	RECORD_NODE = 7,
	RECORD_VOLUME = 8,
	RECORD_IDEMPOTENCY = 9,
	RECORD_ASSIGNMENT = 10, /* worker: a task and what it knows of it */
	RECORD_TEMPLATE = 11,	/* worker: a job revision */
	RECORD_TOKEN = 12,
	RECORD_IDENTITY = 13,
	RECORD_REMOVED_NODE = 14,
	RECORD_CONTENT = 15, /* key (project, hash) */
};

#define CHANGE_KEY_BYTES_MAX 48

/* Put (value not NULL) or delete (value NULL). */
struct change {
	uint8_t kind;
	uint8_t key_len;
	uint8_t key[CHANGE_KEY_BYTES_MAX];
	void *value; /* owned */
	size_t value_len;
	bool starts_group; /* first record of a new atomic group */
};

/* A list of changes in order; owned by whoever holds it. All-zero is empty. */
struct changes {
	struct change *items;
	size_t n;
	size_t capacity;
	bool group_open; /* the next change joins the group of the last one */
};

/* The next change begins a new group. Calling it twice is fine. */
void changes_begin_group(struct changes *changes);

/* Append; takes `value`. */
void changes_add(struct changes *changes, const struct change *change);

/* Empty the list, freeing values. */
void changes_clear(struct changes *changes);
void changes_release(struct changes *changes);

/* Build keys. key_id: 16 bytes. key_ids: two ids. key_id_number: id, then the number big-endian. key_text: the bytes
 * of a name, or a hash of it when it is too long (then the value must carry the name). */
void change_key_id(struct change *change, struct uuid id);
void change_key_ids(struct change *change, struct uuid a, struct uuid b);
void change_key_id_number(struct change *change, struct uuid id, int64_t number);
void change_key_text(struct change *change, const char *text);

#endif
