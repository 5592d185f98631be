#include "base/base64.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *bytes, size_t len)
{
	const uint8_t *in = bytes;
	char *text = base_calloc(BASE64_LEN(len) + 1, 1);
	char *out = text;
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t word = (uint32_t)in[i] << 16;
		if (n > 1)
			word |= (uint32_t)in[i + 1] << 8;
		if (n > 2)
			word |= in[i + 2];
		*out++ = digits[word >> 18];
		*out++ = digits[word >> 12 & 63];
		*out++ = n > 1 ? digits[word >> 6 & 63] : '=';
		*out++ = n > 2 ? digits[word & 63] : '=';
	}
	return text;
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(const char *text, char **ret_bytes, size_t *ret_len)
{
	size_t len = strlen(text);
	size_t padding = 0;
	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	if (len % 4)
		return false;
	char *bytes = base_calloc(len / 4 * 3 + 1, 1);
	size_t n = 0;
	uint32_t word = 0;
	bool good = true;
	for (size_t i = 0; good && i < len; i++) {
		bool pads = i >= len - padding;
		int value = pads ? 0 : value_of(text[i]);
		good = value >= 0;
		word = word << 6 | (uint32_t)(value & 63);
		if (i % 4 != 3)
			continue;
		bytes[n++] = (char)(word >> 16 & 255);
		bytes[n++] = (char)(word >> 8 & 255);
		bytes[n++] = (char)(word & 255);
		word = 0;
	}
	/* What the padding stands for is no byte, and the bits before it are zero. */
	for (size_t i = 0; good && i < padding; i++)
		good = bytes[--n] == 0;
	if (!good) {
		explicit_bzero(bytes, len / 4 * 3);
		base_free(bytes);
		return false;
	}
	*ret_bytes = bytes;
	*ret_len = n;
	return true;
}
