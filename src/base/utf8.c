#include "base/utf8.h"

#include <string.h>

/* Lead byte's length and the bits of it that count. */
static size_t length_of(uint8_t lead, uint32_t *bits)
{
	if (lead < 0x80) {
		*bits = lead;
		return 1;
	}
	if ((lead & 0xe0) == 0xc0) {
		*bits = lead & 0x1f;
		return 2;
	}
	if ((lead & 0xf0) == 0xe0) {
		*bits = lead & 0x0f;
		return 3;
	}
	*bits = lead & 0x07;
	return (lead & 0xf8) == 0xf0 ? 4 : 0;
}

size_t utf8_read(const char *bytes, size_t len, uint32_t *ret_character)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t character;
	size_t n = len ? length_of((uint8_t)bytes[0], &character) : 0;
	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (((uint8_t)bytes[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | ((uint8_t)bytes[i] & 0x3f);
	}
	bool surrogate = character >= 0xd800 && character <= 0xdfff;
	if (character < smallest[n] || surrogate || character > 0x10ffff)
		return 0;
	*ret_character = character;
	return n;
}

bool utf8_is_valid(const char *bytes, size_t len)
{
	uint32_t character;
	for (size_t at = 0; at < len;) {
		size_t n = utf8_read(bytes + at, len - at, &character);
		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

void utf8_mend(char *bytes, size_t len)
{
	uint32_t character;
	for (size_t at = 0; at < len;) {
		size_t n = utf8_read(bytes + at, len - at, &character);
		if (n == 0)
			bytes[at] = '?';
		at += n ? n : 1;
	}
}
