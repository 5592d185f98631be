#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "job/constraint.h"

static void each_key_and_operator_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct constraint expected;
	} cases[] = {
		{ "node.id==abc", { CONSTRAINT_NODE_ID, .value = "abc" } },
		{ "node.hostname!=web1",
		  { CONSTRAINT_HOSTNAME, .value = "web1", .negated = true } },
		{ "node.ip == 10.0.0.0/8", { CONSTRAINT_IP, .value = "10.0.0.0/8" } },
		{ "node.role == manager", { CONSTRAINT_ROLE, .value = "manager" } },
		{ " node.platform.os  !=  linux ",
		  { CONSTRAINT_OS, .value = "linux", .negated = true } },
		{ "node.platform.arch=x86_64", { CONSTRAINT_ARCH, .value = "x86_64" } },
		{ "node.labels.disk==ssd", { CONSTRAINT_NODE_LABEL, "disk", "ssd" } },
		{ "NODE.Labels.Disk==ssd", { CONSTRAINT_NODE_LABEL, "Disk", "ssd" } },
		{ "engine.labels.com.example/a-b==c=d",
		  { CONSTRAINT_ENGINE_LABEL, "com.example/a-b", "c=d" } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct constraint read;
		struct err err = { 0 };
		if (constraint_parse(cases[i].text, &read, &err))
			fail_msg("%s: %s", cases[i].text, err.message);
		assert_int_equal(read.key, cases[i].expected.key);
		assert_string_equal(read.label, cases[i].expected.label);
		assert_string_equal(read.value, cases[i].expected.value);
		assert_int_equal(read.negated, cases[i].expected.negated);
	}
}

static void other_texts_are_refused_with_their_words(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"node.role",
		"==x",
		"node.role==",
		"node.role!=",
		"node.role== ",
		"node.colour==red",
		"node.labels==x",
		"node.labels.==x",
		"node.labels.a b==x",
		"disk==ssd",
		"node.role>2",
		"node.role===x",
		"node.ip==web1",
		"node.ip==10.0.0.0/33",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct constraint untouched = { .key = CONSTRAINT_ARCH };
		struct err err = { 0 };
		if (!constraint_parse(texts[i], &untouched, &err))
			fail_msg("\"%s\" was read", texts[i]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.message, texts[i][0] ? "\"" : ""));
		assert_int_equal(untouched.key, CONSTRAINT_ARCH);
	}
}

static void long_names_and_values_are_refused(void **state)
{
	(void)state;
	char text[600];
	struct constraint constraint;
	memset(text, 'v', sizeof(text));
	memcpy(text, "node.labels.", 12);
	text[12 + 128] = '\0';
	memcpy(text + 12 + 128, "==x", 4);
	assert_int_equal(constraint_parse(text, &constraint, NULL), ERR_INVALID);
	memset(text, 'v', sizeof(text));
	memcpy(text, "node.id==", 9);
	text[9 + 256] = '\0';
	assert_int_equal(constraint_parse(text, &constraint, NULL), ERR_INVALID);
	text[9 + 255] = '\0';
	assert_int_equal(constraint_parse(text, &constraint, NULL), ERR_NONE);
}

static bool matches(const char *text, const char *value)
{
	struct constraint constraint;
	assert_int_equal(constraint_parse(text, &constraint, NULL), ERR_NONE);
	return constraint_matches(&constraint, value);
}

static void values_compare_ignoring_case_and_missing_is_empty(void **state)
{
	(void)state;
	assert_true(matches("node.labels.disk==SSD", "ssd"));
	assert_false(matches("node.labels.disk==ssd", "ssd2"));
	assert_false(matches("node.labels.disk==ssd2", "ssd"));
	assert_false(matches("node.labels.disk==ssd", NULL));
	assert_false(matches("node.labels.disk==ssd", ""));
	assert_true(matches("node.labels.disk!=ssd", NULL));
	assert_true(matches("node.labels.disk!=ssd", "hdd"));
	assert_false(matches("node.labels.disk!=ssd", "SSD"));
}

static void an_architecture_has_two_spellings(void **state)
{
	(void)state;
	assert_true(matches("node.platform.arch==amd64", "x86_64"));
	assert_true(matches("node.platform.arch==X86_64", "amd64"));
	assert_true(matches("node.platform.arch==aarch64", "aarch64"));
	assert_false(matches("node.platform.arch!=arm64", "aarch64"));
	assert_false(matches("node.platform.arch==arm64", "x86_64"));
}

static void an_address_is_compared_with_an_address_or_a_network(void **state)
{
	(void)state;
	assert_true(matches("node.ip==10.1.2.3", "10.1.2.3"));
	assert_false(matches("node.ip==10.1.2.3", "10.1.2.33"));
	assert_true(matches("node.ip==10.1.0.0/16", "10.1.2.3"));
	assert_false(matches("node.ip!=10.1.0.0/16", "10.1.2.3"));
	assert_true(matches("node.ip==2001:db8::/32", "2001:DB8:0::1"));
	assert_true(matches("node.ip!=2001:db8::1", "2001:db8::2"));
	/* One that is reached without an address has none. */
	assert_false(matches("node.ip==0.0.0.0/0", ""));
	assert_true(matches("node.ip!=10.0.0.0/8", NULL));
}

static void only_labels_are_spread_over(void **state)
{
	(void)state;
	struct constraint preference;
	assert_int_equal(preference_parse("node.labels.rack", &preference, NULL), ERR_NONE);
	assert_int_equal(preference.key, CONSTRAINT_NODE_LABEL);
	assert_string_equal(preference.label, "rack");
	assert_string_equal(preference.value, "");
	assert_int_equal(preference_parse("engine.labels.zone", &preference, NULL), ERR_NONE);
	assert_int_equal(preference.key, CONSTRAINT_ENGINE_LABEL);
	assert_int_equal(preference_parse("node.hostname", &preference, NULL), ERR_INVALID);
	assert_int_equal(preference_parse("rack", &preference, NULL), ERR_INVALID);
	assert_int_equal(preference_parse("node.labels.a==b", &preference, NULL), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_key_and_operator_is_read),
		TEST(other_texts_are_refused_with_their_words),
		TEST(long_names_and_values_are_refused),
		TEST(values_compare_ignoring_case_and_missing_is_empty),
		TEST(an_architecture_has_two_spellings),
		TEST(an_address_is_compared_with_an_address_or_a_network),
		TEST(only_labels_are_spread_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
