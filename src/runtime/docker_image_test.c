#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "runtime/docker_image.h"

static void a_reference_comes_apart(void **state)
{
	(void)state;
	static const struct {
		const char *reference, *registry, *name, *tag;
	} rows[] = {
		{ "nginx", "docker.io", "nginx", "latest" },
		{ "nginx:1.25", "docker.io", "nginx", "1.25" },
		{ "team/app:2", "docker.io", "team/app", "2" },
		{ "docker.io/library/nginx", "docker.io", "docker.io/library/nginx", "latest" },
		{ "localhost/app", "localhost", "localhost/app", "latest" },
		{ "localhost:5000/app", "localhost:5000", "localhost:5000/app", "latest" },
		{ "127.0.0.1:5000/a/b:c", "127.0.0.1:5000", "127.0.0.1:5000/a/b", "c" },
		{ "ghcr.io/a/b@sha256:abc", "ghcr.io", "ghcr.io/a/b", "sha256:abc" },
		{ "a:1@sha256:abc", "docker.io", "a", "sha256:abc" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct docker_image image;
		assert_int_equal(docker_image_parse(rows[i].reference, &image, NULL), 0);
		assert_string_equal(image.registry, rows[i].registry);
		assert_string_equal(image.name, rows[i].name);
		assert_string_equal(image.tag, rows[i].tag);
	}
}

static void what_is_no_reference_is_refused(void **state)
{
	(void)state;
	static const char *const references[] = { "", ":1", "a:", "@sha256:1", "a@" };
	struct docker_image image;
	for (size_t i = 0; i < ARRAY_LEN(references); i++)
		assert_int_equal(docker_image_parse(references[i], &image, NULL), ERR_INVALID);
}

static const char config[] =
	"{\"auths\":{"
	"\"https://index.docker.io/v1/\":{\"auth\":\"dXNlcjpwYXNz\"},"
	"\"https://ghcr.io/v1/\":{\"identitytoken\":\"tok\"},"
	"\"plain.example\":{\"username\":\"u\",\"password\":\"p\"},"
	"\"broken.example\":{\"auth\":\"****\"},"
	"\"empty.example\":{}},"
	"\"credHelpers\":{\"ecr.example\":\"ecr-login\",\"evil.example\":\"../../bin/sh\"}}";

static void check_header(const char *registry, const char *expected)
{
	struct docker_credentials found = { 0 };
	assert_int_equal(docker_credentials_find(config, strlen(config), registry, &found, NULL),
			 0);
	assert_null(found.helper);
	if (expected)
		assert_string_equal(found.header, expected);
	else
		assert_null(found.header);
	docker_credentials_release(&found);
}

static void written_credentials_become_the_header(void **state)
{
	(void)state;
	/* {"username":"user","password":"pass","serveraddress":"https://index.docker.io/v1/"} */
	check_header("docker.io", "eyJ1c2VybmFtZSI6InVzZXIiLCJwYXNzd29yZCI6InBhc3MiLCJzZXJ2ZXJhZGRy"
				  "ZXNzIjoiaHR0cHM6Ly9pbmRleC5kb2NrZXIuaW8vdjEvIn0=");
	/* {"identitytoken":"tok","serveraddress":"ghcr.io"} */
	check_header("ghcr.io",
		     "eyJpZGVudGl0eXRva2VuIjoidG9rIiwic2VydmVyYWRkcmVzcyI6ImdoY3IuaW8ifQ==");
	/* {"username":"u","password":"p","serveraddress":"plain.example"} */
	check_header("plain.example", "eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAiLCJzZXJ2ZXJhZGRyZXNz"
				      "IjoicGxhaW4uZXhhbXBsZSJ9");
	check_header("unknown.example", NULL);
	check_header("empty.example", NULL);
}

static void a_helper_is_named_and_only_a_program_of_its_kind(void **state)
{
	(void)state;
	struct docker_credentials found = { 0 };
	struct err err = { 0 };
	assert_int_equal(
		docker_credentials_find(config, strlen(config), "ecr.example", &found, NULL), 0);
	assert_string_equal(found.helper, "docker-credential-ecr-login");
	docker_credentials_release(&found);
	assert_int_equal(
		docker_credentials_find(config, strlen(config), "evil.example", &found, &err),
		ERR_INVALID);
	static const char store[] = "{\"credsStore\":\"pass\",\"auths\":{\"a.example\":{}}}";
	assert_int_equal(docker_credentials_find(store, strlen(store), "a.example", &found, NULL),
			 0);
	assert_string_equal(found.helper, "docker-credential-pass");
	docker_credentials_release(&found);
}

static void a_configuration_that_cannot_be_read_is_told_without_its_secrets(void **state)
{
	(void)state;
	struct docker_credentials found = { 0 };
	struct err err = { 0 };
	assert_int_equal(
		docker_credentials_find(config, strlen(config), "broken.example", &found, &err),
		ERR_INVALID);
	assert_non_null(strstr(err.message, "broken.example"));
	assert_null(strstr(err.message, "****"));
	static const char *const configs[] = { "[]", "{", "\"secret\"" };
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		assert_int_equal(docker_credentials_find(configs[i], strlen(configs[i]),
							 "docker.io", &found, &err),
				 ERR_INVALID);
		assert_null(strstr(err.message, "secret"));
	}
}

static void a_helpers_answer_becomes_the_header(void **state)
{
	(void)state;
	static const char user[] = "{\"ServerURL\":\"x\",\"Username\":\"u\",\"Secret\":\"p\"}\n";
	static const char token[] = "{\"Username\":\"<token>\",\"Secret\":\"tok\"}";
	char *header;
	assert_int_equal(
		docker_credentials_answer(user, strlen(user), "plain.example", &header, NULL), 0);
	assert_string_equal(header, "eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAiLCJzZXJ2ZXJhZGRyZXNzIj"
				    "oicGxhaW4uZXhhbXBsZSJ9");
	base_free(header);
	assert_int_equal(docker_credentials_answer(token, strlen(token), "ghcr.io", &header, NULL),
			 0);
	assert_string_equal(header,
			    "eyJpZGVudGl0eXRva2VuIjoidG9rIiwic2VydmVyYWRkcmVzcyI6ImdoY3IuaW8ifQ==");
	base_free(header);
	assert_int_equal(docker_credentials_answer("{}", 2, "a", &header, NULL), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reference_comes_apart),
		cmocka_unit_test(what_is_no_reference_is_refused),
		cmocka_unit_test(written_credentials_become_the_header),
		cmocka_unit_test(a_helper_is_named_and_only_a_program_of_its_kind),
		cmocka_unit_test(a_configuration_that_cannot_be_read_is_told_without_its_secrets),
		cmocka_unit_test(a_helpers_answer_becomes_the_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
