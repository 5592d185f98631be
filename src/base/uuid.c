#include "base/uuid.h"

#include <string.h>

#include "base/check.h"

uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t bound)
{
	PRE(bound > 0);
	return random_next(random) % bound;
}

struct uuid uuid_make(struct random *random, int64_t wall_ms)
{
	struct uuid id;
	uint64_t high = (uint64_t)wall_ms << 16 | 0x7000u | (random_next(random) & 0x0fffu);
	uint64_t low = (random_next(random) & 0x3fffffffffffffffu) | 0x8000000000000000u;
	for (int i = 0; i < 8; i++) {
		id.bytes[i] = (uint8_t)(high >> (56 - 8 * i));
		id.bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
	}
	return id;
}

bool uuid_is_zero(struct uuid id)
{
	static const struct uuid zero;
	return uuid_equal(id, zero);
}

bool uuid_equal(struct uuid a, struct uuid b)
{
	return memcmp(a.bytes, b.bytes, UUID_BYTES) == 0;
}

int uuid_compare(struct uuid a, struct uuid b)
{
	return memcmp(a.bytes, b.bytes, UUID_BYTES);
}

uint64_t uuid_hash(struct uuid id)
{
	uint64_t halves[2];
	memcpy(halves, id.bytes, sizeof(halves));
	uint64_t mixed = (halves[0] ^ 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
	mixed ^= halves[1] + (mixed >> 32);
	mixed *= 0xc4ceb9fe1a85ec53u;
	return mixed ^ (mixed >> 29);
}

char *uuid_format(struct uuid id, char out[UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *at = out;
	for (int i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = digits[id.bytes[i] >> 4];
		*at++ = digits[id.bytes[i] & 15];
	}
	*at = '\0';
	return out;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err_code uuid_parse(const char *text, struct uuid *ret_id, struct err *err)
{
	struct uuid id = { 0 };
	if (strlen(text) != UUID_TEXT_LEN)
		return err_set(err, ERR_INVALID, "an id has 36 characters, this has %zu",
			       strlen(text));
	for (int i = 0, at = 0; i < UUID_BYTES; i++) {
		if (at == 8 || at == 13 || at == 18 || at == 23) {
			if (text[at] != '-')
				return err_set(err, ERR_INVALID, "not an id: \"%s\"", text);
			at++;
		}
		int high = digit_of(text[at]);
		int low = digit_of(text[at + 1]);
		if (high < 0 || low < 0)
			return err_set(err, ERR_INVALID, "not an id: \"%s\"", text);
		id.bytes[i] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	*ret_id = id;
	return ERR_NONE;
}
