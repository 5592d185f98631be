#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "job/spec.h"
#include "job/syntax.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void all(bool (*is)(const char *), bool expected, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is(texts[i]) != expected)
			fail_msg("\"%s\" should be %s", texts[i], expected ? "good" : "bad");
}

static bool is_image(const char *text)
{
	return image_parse(text, NULL);
}

static void image_references_follow_the_distribution_grammar(void **state)
{
	(void)state;
	static const char *const good[] = {
		"nginx",
		"nginx:1.27",
		"library/nginx:1.27-alpine",
		"localhost/app",
		"localhost:5000/app:v1",
		("registry.example.com:5000/team/app@sha256:" HEX64),
		("ghcr.io/a/b__c/d--e/f.g:T_a.g-1@sha256:" HEX64),
		"[2001:db8::1]:5000/app",
		"127.0.0.1:5000/app",
		"EXAMPLE/app",
		"a/b/c/d",
		("sha256:" HEX64),
		"1234",
	};
	static const char *const bad[] = {
		"",
		":1",
		("@sha256:" HEX64),
		"Nginx",
		"nginx:",
		"nginx:-a",
		"nginx:.a",
		"nginx:a b",
		"nginx latest",
		"nginx@sha256:abc",
		("nginx@sha256:" HEX64 "0"),
		("nginx@" HEX64),
		"/nginx",
		"nginx/",
		"a//b",
		"a/B",
		"a..b",
		"a___b",
		"-a",
		"a-",
		"a_-b",
		"example.com:x/app",
		"example.com:70000/app",
		"example.com/",
		"-example.com/app",
		"[::1/app",
		"http://example.com/app",
		"nginx:1.27\n",
		"n\xc3\xa9",
	};
	all(is_image, true, good, ARRAY_LEN(good));
	all(is_image, false, bad, ARRAY_LEN(bad));
}

static void the_parts_of_an_image_reference_are_found(void **state)
{
	(void)state;
	struct image_reference image;
	assert_true(image_parse("localhost:5000/team/app:v1@sha256:" HEX64, &image));
	assert_int_equal(image.domain_len, strlen("localhost:5000"));
	assert_int_equal(image.name_len, strlen("localhost:5000/team/app"));
	assert_int_equal(image.tag_len, 2);
	assert_memory_equal(image.tag, "v1", 2);
	assert_string_equal(image.digest, "sha256:" HEX64);
	assert_true(image_parse("team/app", &image));
	assert_int_equal(image.domain_len, 0);
	assert_null(image.tag);
	assert_null(image.digest);
}

static void long_names_and_tags_are_no_images(void **state)
{
	(void)state;
	char text[400];
	memset(text, 'a', sizeof(text));
	text[255] = '\0';
	assert_true(is_image(text));
	text[255] = 'a';
	text[256] = '\0';
	assert_false(is_image(text));
	memset(text, 'a', sizeof(text));
	text[1] = ':';
	text[2 + 128] = '\0';
	assert_true(is_image(text));
	text[2 + 128] = 'a';
	text[2 + 129] = '\0';
	assert_false(is_image(text));
}

static void host_names_follow_rfc_1123(void **state)
{
	(void)state;
	static const char *const good[] = { "a", "web-1", "3com", "WEB.example.com", "a.b-c.d" };
	static const char *const bad[] = {
		"",	"-a",	"a-",
		"a..b", ".a",	"a.",
		"a_b",	"a b",	"h\xc3\xa9",
		"a/b",	"a.-b", "a123456789b123456789c123456789d123456789e123456789f123456789g123x",
	};
	all(is_hostname, true, good, ARRAY_LEN(good));
	all(is_hostname, false, bad, ARRAY_LEN(bad));
}

static void addresses_of_both_families_are_read(void **state)
{
	(void)state;
	static const char *const good[] = {
		"0.0.0.0",
		"127.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"1::",
		"2001:db8::1",
		"1:2:3:4:5:6:7:8",
		"fe80::A",
		"::ffff:1.2.3.4",
		"1:2:3:4:5:6:1.2.3.4",
		"1::3:4:5:6:7:8",
	};
	static const char *const bad[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"256.1.1.1",
		"1.2.3.04",
		"1.2.3.",
		"a.b.c.d",
		":",
		":::",
		"1:::2",
		"1::2::3",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"12345::",
		"g::1",
		"1:2:3:4:5:6:7:8::",
		":1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:",
		"::1.2.3",
		"fe80::1%eth0",
		"1:2:3:4:5:6:7:1.2.3.4",
		"localhost",
		"::1 ",
	};
	all(is_ip_address, true, good, ARRAY_LEN(good));
	all(is_ip_address, false, bad, ARRAY_LEN(bad));
}

static void signals_are_names_or_numbers(void **state)
{
	(void)state;
	static const char *const good[] = { "SIGTERM",	  "TERM",    "sigint",	 "15",
					    "1",	  "64",	     "SIGRTMIN", "RTMIN+3",
					    "SIGRTMAX-1", "SIGWINCH" };
	static const char *const bad[] = { "",	       "0",	  "65",	     "SIG",   "SIGFOO",
					   "TERM ",    "-9",	  "9x",	     "TERMX", "SIGSIGTERM",
					   "RTMIN+16", "RTMIN-1", "RTMAX+1", "RTMIN+" };
	all(is_signal, true, good, ARRAY_LEN(good));
	all(is_signal, false, bad, ARRAY_LEN(bad));
}

static void environment_keys_are_what_images_use(void **state)
{
	(void)state;
	static const char *const good[] = { "A",
					    "_",
					    "PATH",
					    "a1_b",
					    "discovery.type",
					    "my-key",
					    "2FA_KEY",
					    "Logging:Level",
					    "ProgramFiles(x86)",
					    "${KEY}",
					    "\xc3\xa9" };
	static const char *const bad[] = { "", "A=B", "=", "A B", "A\n", "\tA", "A\x7f" };
	all(is_environment_key, true, good, ARRAY_LEN(good));
	all(is_environment_key, false, bad, ARRAY_LEN(bad));
	char long_key[130];
	memset(long_key, 'K', sizeof(long_key));
	long_key[129] = '\0';
	assert_false(is_environment_key(long_key));
	long_key[128] = '\0';
	assert_true(is_environment_key(long_key));
}

static void paths_compare_without_spare_slashes(void **state)
{
	(void)state;
	assert_true(is_same_path("/data", "/data/"));
	assert_true(is_same_path("//data//x", "/data/x//"));
	assert_true(is_same_path("/", "///"));
	assert_false(is_same_path("/data", "/data2"));
	assert_false(is_same_path("/data/x", "/datax"));
	assert_false(is_same_path("/", "/a"));
	assert_true(path_climbs(".."));
	assert_true(path_climbs("/a/../b"));
	assert_true(path_climbs("/a//.."));
	assert_false(path_climbs("/a/..b/c.."));
	assert_false(path_climbs("/"));
}

static void names_of_projects_are_stricter_than_keys(void **state)
{
	(void)state;
	static const char *const both[] = { "a", "web", "my-app.v1", "a_b", "0" };
	static const char *const keys_only[] = { "Web", "pgData", "a-", "x_" };
	static const char *const neither[] = {
		"",	     "-a",
		"_a",	     ".a",
		"a b",	     "a/b",
		"h\xc3\xa9", "a123456789b123456789c123456789d123456789e123456789f123456789g123",
	};
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		assert_int_equal(name_check(both[i], "name", NULL), ERR_NONE);
		assert_int_equal(key_check(both[i], "name", NULL), ERR_NONE);
	}
	for (size_t i = 0; i < ARRAY_LEN(keys_only); i++) {
		assert_int_equal(name_check(keys_only[i], "name", NULL), ERR_INVALID);
		assert_int_equal(key_check(keys_only[i], "name", NULL), ERR_NONE);
	}
	for (size_t i = 0; i < ARRAY_LEN(neither); i++) {
		assert_int_equal(name_check(neither[i], "name", &err), ERR_INVALID);
		assert_string_equal(err.field, "name");
		assert_int_equal(key_check(neither[i], "name", NULL), ERR_INVALID);
	}
	assert_int_equal(name_check(NULL, "name", NULL), ERR_INVALID);
	assert_int_equal(key_check(NULL, "name", NULL), ERR_INVALID);
}

static void addresses_exclude_each_other_where_one_is_every_address(void **state)
{
	(void)state;
	static const char *const every[] = { NULL, "", "0.0.0.0", "::" };
	for (size_t i = 0; i < ARRAY_LEN(every); i++) {
		assert_true(host_ips_overlap(every[i], "127.0.0.1"));
		assert_true(host_ips_overlap("::1", every[i]));
		assert_true(host_ips_overlap(every[i], every[0]));
	}
	assert_true(host_ips_overlap("127.0.0.1", "127.0.0.1"));
	assert_false(host_ips_overlap("127.0.0.1", "127.0.0.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(image_references_follow_the_distribution_grammar),
		TEST(the_parts_of_an_image_reference_are_found),
		TEST(long_names_and_tags_are_no_images),
		TEST(host_names_follow_rfc_1123),
		TEST(addresses_of_both_families_are_read),
		TEST(signals_are_names_or_numbers),
		TEST(environment_keys_are_what_images_use),
		TEST(paths_compare_without_spare_slashes),
		TEST(names_of_projects_are_stricter_than_keys),
		TEST(addresses_exclude_each_other_where_one_is_every_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
