/* How code that knows only the table reaches a record's members. Private to base/record*.c and to codecs of records. */
#ifndef BASE_RECORD_WALK_H
#define BASE_RECORD_WALK_H

#include <string.h>

#include "base/alloc.h"
#include "base/record.h"

static inline void *field_at(const struct field *field, void *record)
{
	return (char *)record + field->offset;
}

static inline const void *field_at_const(const struct field *field, const void *record)
{
	return (const char *)record + field->offset;
}

/* The value of a LIST_OF() member, and writing one back. */
static inline struct list list_load(const void *at)
{
	struct list list;
	memcpy(&list, at, sizeof(list));
	return list;
}

static inline void list_store(void *at, const struct list *list)
{
	memcpy(at, list, sizeof(*list));
}

/* The struct of a FIELD_OPTIONAL, and a new zeroed one in its place. */
static inline void *optional_load(const void *at)
{
	void *record;
	memcpy(&record, at, sizeof(record));
	return record;
}

static inline void *optional_make(const struct record_type *type, void *at)
{
	void *record = base_calloc(1, type->size);
	memcpy(at, &record, sizeof(record));
	return record;
}

static inline void *list_item(const struct record_type *type, const struct list *list, size_t i)
{
	return (char *)list->items + i * type->size;
}

#endif
