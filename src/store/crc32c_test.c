#include "store/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void agrees_with_the_published_values(void **state)
{
	(void)state;
	/* RFC 3720, appendix B.4, and the usual check value. */
	uint8_t bytes[32] = { 0 };
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x46dd794e);
}

static void is_the_same_with_and_without_the_instruction(void **state)
{
	(void)state;
	uint8_t bytes[200];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t len = 0; len <= sizeof(bytes); len++)
		assert_int_equal(crc32c(7, bytes, len), crc32c_portable(7, bytes, len));
}

static void goes_on_from_a_former_checksum(void **state)
{
	(void)state;
	uint32_t whole = crc32c(0, "container", 9);
	for (size_t at = 0; at <= 9; at++)
		assert_int_equal(crc32c(crc32c(0, "container", at), &"container"[at], 9 - at),
				 whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_published_values),
		cmocka_unit_test(is_the_same_with_and_without_the_instruction),
		cmocka_unit_test(goes_on_from_a_former_checksum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
