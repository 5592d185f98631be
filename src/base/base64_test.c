#include "base/base64.h"

#include <string.h>

#include "base/alloc.h"
#include "base/testing.h"

/* The vectors of RFC 4648, section 10. */
static void vectors(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		_cleanup_free_ char *text = base64_encode(pairs[i][0], strlen(pairs[i][0]));
		_cleanup_free_ char *bytes = NULL;
		size_t len = 99;
		assert_string_equal(text, pairs[i][1]);
		assert_int_equal(strlen(text), BASE64_LEN(strlen(pairs[i][0])));
		assert_true(base64_decode(text, &bytes, &len));
		assert_int_equal(len, strlen(pairs[i][0]));
		assert_string_equal(bytes, pairs[i][0]);
	}
}

static void every_byte(void **state)
{
	char in[256];
	(void)state;
	for (int i = 0; i < 256; i++)
		in[i] = (char)i;
	for (size_t len = 0; len <= sizeof(in); len++) {
		_cleanup_free_ char *text = base64_encode(in, len);
		_cleanup_free_ char *bytes = NULL;
		size_t back = 0;
		assert_true(base64_decode(text, &bytes, &back));
		assert_int_equal(back, len);
		assert_memory_equal(bytes, in, len);
	}
}

static void refused(void **state)
{
	static const char *const texts[] = { "Zg",	 "Zg=",	 "Zg===", "=",	  "====",
					     "Z===",	 "Zh==", "Zm9=",  "Z g=", "Zm9v\n",
					     "Zg==Zg==", "_-__", "Zm9v=" };
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *bytes = NULL;
		size_t len = 0;
		assert_false(base64_decode(texts[i], &bytes, &len));
		assert_null(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
