#include "manager/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/limits.h"
#include "base/testing.h"

#define PLAIN "the planted secret"

struct bench {
	char dir[32];
	char key[64];
	struct vault *vault;
	struct api_mutation mutation;
	struct err err;
};

static void set_up(struct bench *bench)
{
	*bench = (struct bench){ .dir = "/tmp/drover-vault-XXXXXX" };
	assert_non_null(mkdtemp(bench->dir));
	text_print(bench->key, sizeof(bench->key), "%s/" VAULT_KEY_NAME, bench->dir);
	assert_int_equal(vault_open(bench->dir, NULL, &bench->vault, &bench->err), ERR_NONE);
}

static void tear_down(struct bench *bench)
{
	record_release(&project_request_type, &bench->mutation.project_request);
	vault_free(bench->vault);
	unlink(bench->key);
	rmdir(bench->dir);
}

/* A request of `project` whose job uses a config and a secret of these bytes. */
static void ask(struct bench *bench, const char *project, const char *bytes)
{
	struct project_request *request = &bench->mutation.project_request;
	record_release(&project_request_type, request);
	string_set(&request->name, project);
	_cleanup_free_ char *data = base64_encode(bytes, strlen(bytes));
	struct content_request *config = list_add(&request->configs, sizeof(*config));
	string_set(&config->key, "app");
	string_set(&config->data, data);
	struct content_request *secret = list_add(&request->secrets, sizeof(*secret));
	string_set(&secret->key, "pw");
	string_set(&secret->data, data);
	struct job_request *job = list_add(&request->jobs, sizeof(*job));
	struct content_use *use = list_add(&job->spec.configs, sizeof(*use));
	string_set(&use->source, "app");
	use = list_add(&job->spec.secrets, sizeof(*use));
	string_set(&use->source, "pw");
}

static const struct content_request *secret_of(const struct bench *bench)
{
	return &bench->mutation.project_request.secrets.items[0];
}

static enum err_code take(struct bench *bench, const char *project, const char *bytes)
{
	ask(bench, project, bytes);
	return vault_take(bench->vault, &bench->mutation, &bench->err);
}

static void a_request_is_hashed_sealed_and_resolved(void **state)
{
	(void)state;
	struct bench bench;
	struct stat found;
	set_up(&bench);
	bench.mutation.request.body_hash = 5;
	assert_int_equal(access(bench.key, F_OK), -1);
	assert_int_equal(take(&bench, "shop", PLAIN), ERR_NONE);
	assert_int_equal(stat(bench.key, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
	assert_true(bench.mutation.request.body_hash != 5);
	const struct project_request *request = &bench.mutation.project_request;
	const struct job_spec *spec = &request->jobs.items[0].spec;
	_cleanup_free_ char *plain = base64_encode(PLAIN, strlen(PLAIN));
	assert_string_equal(request->configs.items[0].data, plain);
	assert_null(request->configs.items[0].seal);
	assert_null(strstr(secret_of(&bench)->data, plain));
	assert_string_equal(spec->secrets.items[0].hash, secret_of(&bench)->hash);
	assert_string_equal(spec->configs.items[0].hash, request->configs.items[0].hash);
	assert_string_not_equal(spec->configs.items[0].hash, spec->secrets.items[0].hash);
	tear_down(&bench);
}

static void a_plan_makes_no_key(void **state)
{
	struct bench bench;
	(void)state;
	set_up(&bench);
	ask(&bench, "shop", PLAIN);
	assert_int_equal(vault_take_for_plan(bench.vault, &bench.mutation, &bench.err), ERR_NONE);
	assert_non_null(secret_of(&bench)->hash);
	assert_int_equal(access(bench.key, F_OK), -1);
	ask(&bench, "shop", PLAIN);
	assert_int_equal(vault_take(bench.vault, &bench.mutation, &bench.err), ERR_NONE);
	assert_int_equal(access(bench.key, F_OK), 0);
	tear_down(&bench);
}

static void the_hash_of_a_secret_is_that_of_its_project_name_and_bytes(void **state)
{
	(void)state;
	struct bench bench;
	set_up(&bench);
	assert_int_equal(take(&bench, "shop", PLAIN), ERR_NONE);
	_cleanup_free_ char *hash = base_strdup(secret_of(&bench)->hash);
	assert_int_equal(take(&bench, "shop", PLAIN), ERR_NONE);
	assert_string_equal(secret_of(&bench)->hash, hash);
	assert_int_equal(take(&bench, "blog", PLAIN), ERR_NONE);
	assert_string_not_equal(secret_of(&bench)->hash, hash);
	assert_int_equal(take(&bench, "shop", "else"), ERR_NONE);
	assert_string_not_equal(secret_of(&bench)->hash, hash);
	/* Also after a restart. */
	vault_free(bench.vault);
	assert_int_equal(vault_open(bench.dir, NULL, &bench.vault, &bench.err), ERR_NONE);
	assert_int_equal(take(&bench, "shop", PLAIN), ERR_NONE);
	assert_string_equal(secret_of(&bench)->hash, hash);
	tear_down(&bench);
}

static void a_worker_is_given_what_was_sealed(void **state)
{
	(void)state;
	struct bench bench;
	struct sync_down down = { 0 };
	set_up(&bench);
	assert_int_equal(take(&bench, "shop", PLAIN), ERR_NONE);
	for (int i = 0; i < 2; i++) {
		struct sync_content *content = list_add(&down.contents, sizeof(*content));
		string_set(&content->hash, i ? "another" : secret_of(&bench)->hash);
		string_set(&content->data, secret_of(&bench)->data);
		string_set(&content->seal, secret_of(&bench)->seal);
	}
	vault_give(bench.vault, &down);
	_cleanup_free_ char *plain = base64_encode(PLAIN, strlen(PLAIN));
	assert_string_equal(down.contents.items[0].data, plain);
	assert_null(down.contents.items[0].seal);
	/* What was put in the place of another goes without its bytes. */
	assert_null(down.contents.items[1].data);
	record_release(&sync_down_type, &down);
	tear_down(&bench);
}

static void what_cannot_be_taken_names_its_field(void **state)
{
	(void)state;
	struct bench bench;
	char *large = base_calloc(LIMIT_CONTENT_BYTES + 2, 1);
	memset(large, 'x', LIMIT_CONTENT_BYTES + 1);
	set_up(&bench);
	assert_int_equal(take(&bench, "shop", large), ERR_TOO_LARGE);
	assert_string_equal(bench.err.field, "configs[0].data");
	assert_int_equal(take(&bench, "shop", ""), ERR_INVALID);
	ask(&bench, "shop", PLAIN);
	string_set(&bench.mutation.project_request.secrets.items[0].data, PLAIN);
	assert_int_equal(vault_take(bench.vault, &bench.mutation, &bench.err), ERR_INVALID);
	assert_string_equal(bench.err.field, "secrets[0].data");
	assert_null(strstr(bench.err.message, PLAIN));
	ask(&bench, "shop", PLAIN);
	string_set(&bench.mutation.project_request.secrets.items[0].key, NULL);
	assert_int_equal(vault_take(bench.vault, &bench.mutation, &bench.err), ERR_INVALID);
	assert_string_equal(bench.err.field, "secrets[0].key");
	ask(&bench, "shop", PLAIN);
	string_set(&bench.mutation.project_request.jobs.items[0].spec.secrets.items[0].source, "");
	assert_int_equal(vault_take(bench.vault, &bench.mutation, &bench.err), ERR_INVALID);
	assert_string_equal(bench.err.field, "jobs[0].spec.secrets[0].source");
	base_free(large);
	tear_down(&bench);
}

static void write_key(const struct bench *bench, const char *text, mode_t mode)
{
	FILE *file = fopen(bench->key, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(bench->key, mode), 0);
}

static void a_key_must_be_one_and_its_owners_alone(void **state)
{
	(void)state;
	struct bench bench;
	struct vault *vault;
	static const char good[] =
		"00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff\n";
	set_up(&bench);
	assert_int_equal(vault_open(bench.dir, bench.key, &vault, &bench.err), ERR_NOT_FOUND);
	write_key(&bench, good, 0644);
	assert_int_equal(vault_open(bench.dir, NULL, &vault, &bench.err), ERR_FORBIDDEN);
	write_key(&bench, "short\n", 0600);
	assert_int_equal(vault_open(bench.dir, NULL, &vault, &bench.err), ERR_INVALID);
	write_key(&bench, good, 0440);
	assert_int_equal(vault_open("/nowhere", bench.key, &vault, &bench.err), ERR_NONE);
	vault_free(vault);
	tear_down(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_hashed_sealed_and_resolved),
		TEST(a_plan_makes_no_key),
		TEST(the_hash_of_a_secret_is_that_of_its_project_name_and_bytes),
		TEST(a_worker_is_given_what_was_sealed),
		TEST(what_cannot_be_taken_names_its_field),
		TEST(a_key_must_be_one_and_its_owners_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
