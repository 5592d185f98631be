#include "base/notes.h"

#include <stdarg.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

void notes_add(struct notes *notes, const char *format, ...)
{
	struct text text;
	text_init(&text, LIMIT_MESSAGE_BYTES);
	va_list arguments;
	va_start(arguments, format);
	text_addv(&text, format, arguments);
	va_end(arguments);
	notes->items = base_grow(notes->items, notes->n, &notes->capacity, sizeof(char *));
	notes->items[notes->n++] = text_take(&text);
}

void notes_clear(struct notes *notes)
{
	for (size_t i = 0; i < notes->n; i++)
		base_free(notes->items[i]);
	notes->n = 0;
}

void notes_release(struct notes *notes)
{
	notes_clear(notes);
	base_free(notes->items);
	*notes = (struct notes){ 0 };
}
