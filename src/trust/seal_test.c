#include "trust/seal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/testing.h"

static struct seal_key key_of(uint8_t byte)
{
	uint8_t master[SEAL_KEY_BYTES];
	struct seal_key key;
	memset(master, byte, sizeof(master));
	seal_key_derive(master, &key);
	return key;
}

static void what_is_sealed_opens_with_its_key_only(void **state)
{
	(void)state;
	struct seal_key key = key_of(1), other = key_of(2);
	static const char bytes[] = "a secret\0with a NUL";
	_cleanup_free_ char *sealed = seal_close(&key, "name", bytes, sizeof(bytes));
	_cleanup_free_ char *again = seal_close(&key, "name", bytes, sizeof(bytes));
	_cleanup_free_ char *opened = NULL;
	char *none;
	size_t len;
	struct err err;
	assert_string_not_equal(sealed, again);
	assert_int_equal(seal_open(&key, "name", sealed, &opened, &len, &err), ERR_NONE);
	assert_int_equal(len, sizeof(bytes));
	assert_memory_equal(opened, bytes, len);
	assert_int_equal(seal_open(&other, "name", sealed, &none, &len, &err), ERR_DAMAGED);
	assert_int_equal(seal_open(&key, "another", sealed, &none, &len, &err), ERR_DAMAGED);
	assert_int_equal(seal_open(&key, "name", "no base64!", &none, &len, &err), ERR_DAMAGED);
	assert_int_equal(seal_open(&key, "name", "AAAA", &none, &len, &err), ERR_DAMAGED);
	assert_string_not_equal(key.id, other.id);
}

/* Every bit counts: nonce, bytes and tag. */
static void every_change_is_seen(void **state)
{
	(void)state;
	struct seal_key key = key_of(3);
	_cleanup_free_ char *sealed = seal_close(&key, "", "xyz", 3);
	_cleanup_free_ char *raw = NULL;
	size_t raw_len;
	assert_true(base64_decode(sealed, &raw, &raw_len));
	assert_int_equal(raw_len, 3 + SEAL_ADDED_BYTES);
	for (size_t bit = 0; bit < 8 * raw_len; bit++) {
		char *none;
		size_t len;
		raw[bit / 8] ^= (char)(1 << bit % 8);
		_cleanup_free_ char *changed = base64_encode(raw, raw_len);
		raw[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(seal_open(&key, "", changed, &none, &len, NULL), ERR_DAMAGED);
	}
}

static void hashes_depend_on_key_and_on_where_parts_end(void **state)
{
	(void)state;
	struct seal_key key = key_of(4), other = key_of(5);
	const struct seal_part one[] = { { "ab", 2 }, { "c", 1 } };
	const struct seal_part two[] = { { "a", 1 }, { "bc", 2 } };
	char a[ACCESS_HASH_TEXT_SIZE], b[ACCESS_HASH_TEXT_SIZE];
	seal_hash(&key, one, 2, a);
	seal_hash(&key, one, 2, b);
	assert_string_equal(a, b);
	assert_int_equal(strlen(a), ACCESS_HASH_TEXT_SIZE - 1);
	seal_hash(&key, two, 2, b);
	assert_string_not_equal(a, b);
	seal_hash(&other, one, 2, b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_sealed_opens_with_its_key_only),
		TEST(every_change_is_seen),
		TEST(hashes_depend_on_key_and_on_where_parts_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
