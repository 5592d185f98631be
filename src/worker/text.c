/* Sentences for people: one line, bounded, never cut inside a character. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "worker/worker_int.h"

#define WORDS_BYTES_MAX 600

void worker_drop_half_character(struct text *text)
{
	size_t len = text->len;
	size_t tail = 0;
	while (tail < 3 && tail < len && ((uint8_t)text->bytes[len - 1 - tail] & 0xc0) == 0x80)
		tail++;
	if (tail == len)
		return;
	uint8_t first = (uint8_t)text->bytes[len - 1 - tail];
	size_t needs = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
	if (tail < needs)
		len -= tail + 1;
	text->bytes[len] = '\0';
	text->len = len;
}

char *worker_sentence(const char *format, ...)
{
	struct text text;
	text_init(&text, LIMIT_MESSAGE_BYTES);
	va_list arguments;
	va_start(arguments, format);
	text_addv(&text, format, arguments);
	va_end(arguments);
	if (text.cut)
		worker_drop_half_character(&text);
	for (size_t i = 0; i < text.len; i++)
		if ((uint8_t)text.bytes[i] < 0x20)
			text.bytes[i] = ' ';
	return text_take(&text);
}

char *worker_words_tail(const char *words)
{
	struct text text;
	text_init(&text, WORDS_BYTES_MAX);
	size_t len = words ? strlen(words) : 0;
	while (len && ((uint8_t)words[len - 1] <= ' ' || words[len - 1] == '.'))
		len--;
	if (len) {
		text_add(&text, ": ");
		text_add_bytes(&text, words, len);
	}
	if (text.cut)
		worker_drop_half_character(&text);
	return text_take(&text);
}
