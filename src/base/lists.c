/* Invariant: the arrays here carry no capacity, so every append asks for the power of two that holds one more; asking
 * for the size a block already has costs nothing, and a block of any other size grows to fit. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/record.h"

static size_t room_for(size_t n)
{
	size_t room = 1;
	while (room < n)
		room *= 2;
	return room;
}

void strings_add(struct strings *strings, const char *string)
{
	PRE(string);
	strings->items = base_realloc(strings->items, room_for(strings->n + 1), sizeof(char *));
	strings->items[strings->n++] = base_strdup(string);
}

bool strings_has(const struct strings *strings, const char *string)
{
	for (size_t i = 0; i < strings->n; i++)
		if (strcmp(strings->items[i], string) == 0)
			return true;
	return false;
}

void strings_release(struct strings *strings)
{
	for (size_t i = 0; i < strings->n; i++)
		base_free(strings->items[i]);
	base_free(strings->items);
	*strings = (struct strings){ 0 };
}

void pairs_add(struct pairs *pairs, const char *key, const char *value)
{
	PRE(key);
	pairs->items = base_realloc(pairs->items, room_for(pairs->n + 1), sizeof(struct pair));
	pairs->items[pairs->n++] = (struct pair){ base_strdup(key), base_strdup(value) };
}

static struct pair *pair_of(const struct pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->items[i].key, key) == 0)
			return &pairs->items[i];
	return NULL;
}

void pairs_put(struct pairs *pairs, const char *key, const char *value)
{
	struct pair *pair = pair_of(pairs, key);
	if (pair)
		string_set(&pair->value, value);
	else
		pairs_add(pairs, key, value);
}

const char *pairs_get(const struct pairs *pairs, const char *key)
{
	const struct pair *pair = pair_of(pairs, key);
	return pair ? pair->value : NULL;
}

void pairs_release(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		base_free(pairs->items[i].key);
		base_free(pairs->items[i].value);
	}
	base_free(pairs->items);
	*pairs = (struct pairs){ 0 };
}

void *list_add(void *list, size_t size)
{
	/* memcpy: to the compiler, LIST_OF(x) and struct list are different types. */
	struct list value;
	memcpy(&value, list, sizeof(value));
	value.items = base_realloc(value.items, room_for(value.n + 1), size);
	void *item = (char *)value.items + value.n * size;
	memset(item, 0, size);
	value.n++;
	memcpy(list, &value, sizeof(value));
	return item;
}

void string_set(char **string, const char *value)
{
	/* The copy comes first: value may lie inside the old string. */
	char *copy = base_strdup(value);
	base_free(*string);
	*string = copy;
}

const char *enum_name(const struct enum_name *names, int value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return "?";
}

bool enum_value(const struct enum_name *names, const char *name, int *ret_value)
{
	for (; names->name; names++) {
		if (strcmp(names->name, name) == 0) {
			*ret_value = names->value;
			return true;
		}
	}
	return false;
}
