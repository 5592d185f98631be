/* Roles and scopes, names in certificates, hashes, records. */
#include "base/testing.h"

#include <string.h>

#include "access/access.h"
#include "base/alloc.h"
#include "base/record_fill.h"

/* Written out a second time, so that a change of the table is seen. */
static void each_role_has_the_scopes_of_the_design_and_no_other(void **state)
{
	(void)state;
	// clang-format off
	static const char *const expected[] = {
		[ACCESS_NONE]	 = "none join",
		[ACCESS_MANAGER] = "none join",
		[ACCESS_WORKER]	 = "none join renew worker",
		[ACCESS_CLIENT]	 = "none join renew read logs write",
		[ACCESS_VIEWER]	 = "none join renew read logs",
		[ACCESS_ADMIN]	 = "none join renew read logs write admin",
	};
	// clang-format on
	for (int role = 0; role < (int)ARRAY_LEN(expected); role++) {
		struct text has;
		text_init(&has, 256);
		for (int scope = SCOPE_NONE; scope <= SCOPE_WORKER; scope++)
			if (access_allows(role, scope))
				text_addf(&has, "%s%s", has.len ? " " : "",
					  enum_name(access_scope_names, scope));
		assert_string_equal(text_string(&has), expected[role]);
		text_release(&has);
	}
	assert_false(access_allows(-1, SCOPE_NONE));
	assert_false(access_allows(ACCESS_ADMIN + 1, SCOPE_NONE));
	assert_false(access_allows(ACCESS_ADMIN, -1));
	assert_false(access_allows(ACCESS_ADMIN, SCOPE_WORKER + 1));
}

static void a_joiner_is_what_it_means_to_be(void **state)
{
	(void)state;
	static const int users[] = { ACCESS_CLIENT, ACCESS_VIEWER, ACCESS_ADMIN };
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		assert_true(access_joins(users[i], JOINER_ANY));
		assert_true(access_joins(users[i], JOINER_USER));
		assert_false(access_joins(users[i], JOINER_WORKER));
	}
	assert_true(access_joins(ACCESS_WORKER, JOINER_ANY));
	assert_true(access_joins(ACCESS_WORKER, JOINER_WORKER));
	assert_false(access_joins(ACCESS_WORKER, JOINER_USER));
}

static const char good[] = "drover://019b0000-0000-7000-8000-000000000001/worker/"
			   "019b0000-0000-7000-8000-000000000002";

static void a_name_is_read_as_it_is_written(void **state)
{
	(void)state;
	struct access_name name;
	struct err err;
	char again[ACCESS_URI_SIZE];
	assert_int_equal(access_uri_parse(good, &name, &err), ERR_NONE);
	assert_int_equal(name.role, ACCESS_WORKER);
	assert_int_equal(name.id.bytes[15], 2);
	assert_int_equal(name.cluster.bytes[15], 1);
	assert_string_equal(access_uri_format(&name, again), good);
}

static void any_other_name_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"drover://",
		"drover:///worker/",
		"https://019b0000-0000-7000-8000-000000000001/worker/"
		"019b0000-0000-7000-8000-000000000002",
		"drover://019b0000-0000-7000-8000-000000000001/worker",
		"drover://019b0000-0000-7000-8000-000000000001/worker/",
		"drover://019b0000-0000-7000-8000-000000000001/root/"
		"019b0000-0000-7000-8000-000000000002",
		"drover://019b0000-0000-7000-8000-000000000001//019b0000-0000-7000-8000-"
		"000000000002",
		"drover://019b0000-0000-7000-8000-000000000001/workerworkerworkerworker/"
		"019b0000-0000-7000-8000-000000000002",
		"drover://019B0000-0000-7000-8000-000000000001/worker/"
		"019b0000-0000-7000-8000-000000000002",
		"drover://019b0000-0000-7000-8000-000000000001/worker/"
		"019b0000-0000-7000-8000-000000000002/",
		"drover://019b0000-0000-7000-8000-000000000001/worker/"
		"019b0000-0000-7000-8000-000000000002?admin",
		"drover://019b0000-0000-7000-8000-000000000001/Worker/"
		"019b0000-0000-7000-8000-000000000002",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct access_name name;
		struct err err;
		assert_int_equal(access_uri_parse(bad[i], &name, &err), ERR_INVALID);
	}
	/* And every text that is good but for its end. */
	for (size_t len = 0; len < strlen(good); len++) {
		_cleanup_free_ char *cut = base_strndup(good, len);
		struct access_name name;
		assert_int_equal(access_uri_parse(cut, &name, NULL), ERR_INVALID);
	}
}

static void hashes_are_equal_only_when_they_are(void **state)
{
	(void)state;
	uint8_t bytes[ACCESS_HASH_BYTES] = { 0x00, 0x01, 0xab, 0xff };
	char a[ACCESS_HASH_TEXT_SIZE], b[ACCESS_HASH_TEXT_SIZE];
	access_hash_format(bytes, a);
	access_hash_format(bytes, b);
	assert_memory_equal(a, "0001abff00", 10);
	assert_int_equal(strlen(a), 64);
	assert_true(access_hash_equal(a, b));
	for (size_t i = 0; i < 64; i++) {
		b[i] ^= 1;
		assert_false(access_hash_equal(a, b));
		b[i] ^= 1;
	}
	assert_false(access_hash_equal(a, NULL));
	assert_false(access_hash_equal(NULL, NULL));
	assert_false(access_hash_equal("", ""));
}

static void the_tables_of_records_are_right(void **state)
{
	(void)state;
	static const struct record_type *const types[] = { &token_record_type,
							   &identity_record_type };
	struct random random = { 5 };
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		_cleanup_free_ char *problem = record_type_problem(types[i]);
		if (problem)
			fail_msg("%s", problem);
		_cleanup_free_ void *record = base_calloc(1, types[i]->size);
		_cleanup_free_ void *back = base_calloc(1, types[i]->size);
		struct text text;
		text_init(&text, SIZE_MAX / 2);
		record_fill(types[i], record, 2, &random);
		record_encode(types[i], record, &text);
		assert_int_equal(record_decode(types[i], text_string(&text), text.len, back, NULL),
				 ERR_NONE);
		assert_true(record_equal(types[i], record, back));
		record_release(types[i], record);
		record_release(types[i], back);
		text_release(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_role_has_the_scopes_of_the_design_and_no_other),
		cmocka_unit_test(a_joiner_is_what_it_means_to_be),
		TEST(a_name_is_read_as_it_is_written),
		TEST(any_other_name_is_refused),
		TEST(hashes_are_equal_only_when_they_are),
		TEST(the_tables_of_records_are_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
