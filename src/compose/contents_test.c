/* Configs and secrets of Compose files. */
#include "compose/testing.h"

#include "base/base64.h"
#include "base/limits.h"

static const struct test_file files[] = {
	{ "/srv/shop/app.conf", "a=1\n" },
	{ "/srv/shop/deep/pw", "hunter2" },
	{ "/srv/shop/empty", "" },
	{ NULL, NULL },
};

static void assert_bytes(const struct content_request *content, const char *expected)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len;
	assert_true(base64_decode(content->data, &bytes, &len));
	assert_string_equal(bytes, expected);
}

static const char whole[] =
	"services:\n"
	"  web:\n"
	"    image: nginx\n"
	"    configs:\n"
	"      - app\n"
	"      - {source: inline, target: /etc/inline.conf, uid: \"103\", gid: 104, mode: 0640}\n"
	"      - {source: app, target: sub/app}\n"
	"    secrets:\n"
	"      - pw\n"
	"      - {source: token, target: api, mode: \"400\"}\n"
	"      - {source: token, target: /run/secrets/token}\n"
	"configs:\n"
	"  app: {file: ./app.conf, labels: {a: b}}\n"
	"  inline: {content: \"user=${WHO} $$5\\n\", name: shop_inline}\n"
	"  unused: {file: ./missing}\n"
	"secrets:\n"
	"  pw: {file: deep/../deep/pw, name: other}\n"
	"  token: {environment: TOKEN}\n"
	"  unused: {environment: NOT_SET}\n";

static struct project_request load_whole(const char *text, size_t n_warnings)
{
	struct test_world world = { .files = files };
	pairs_add(&world.environment, "WHO", "me");
	pairs_add(&world.environment, "TOKEN", "s$3");
	struct project_request request = test_good(&world, text);
	/* What changes nothing is said to. */
	assert_int_equal(world.warnings.items.n, n_warnings);
	for (size_t i = 0; i < n_warnings; i++)
		assert_non_null(strstr(world.warnings.items.items[i], " nothing: "));
	test_world_release(&world);
	return request;
}

static void all_forms_are_read(void **state)
{
	(void)state;
	struct project_request request = load_whole(whole, 3);
	assert_int_equal(request.configs.n, 2);
	assert_int_equal(request.secrets.n, 2);
	assert_bytes(&request.configs.items[0], "a=1\n");
	assert_string_equal(request.configs.items[0].origin_name, "/srv/shop/app.conf");
	assert_string_equal(pairs_get(&request.configs.items[0].labels, "a"), "b");
	assert_bytes(&request.configs.items[1], "user=me $5\n");
	assert_null(request.configs.items[1].name);
	assert_bytes(&request.secrets.items[0], "hunter2");
	assert_string_equal(request.secrets.items[0].name, "other");
	assert_string_equal(request.secrets.items[0].origin_name, "/srv/shop/deep/pw");
	assert_bytes(&request.secrets.items[1], "s$3");
	const struct job_spec *spec = &request.jobs.items[0].spec;
	assert_int_equal(spec->configs.n, 3);
	assert_null(spec->configs.items[0].target);
	assert_int_equal(spec->configs.items[1].uid, 103);
	assert_int_equal(spec->configs.items[1].gid, 104);
	assert_int_equal(spec->configs.items[1].mode, 0440);
	assert_string_equal(spec->configs.items[2].target, "/sub/app");
	assert_string_equal(spec->secrets.items[1].target, "/run/secrets/api");
	assert_int_equal(spec->secrets.items[1].mode, 0400);
	assert_null(spec->secrets.items[2].target);
	test_request_release(&request);
}

/* Where bytes are from is printed, and of secrets never the bytes. */
static void what_is_printed_reads_back_and_tells_no_secret(void **state)
{
	(void)state;
	struct project_request request = load_whole(whole, 3);
	_cleanup_free_ char *printed = compose_print(&request);
	assert_null(strstr(printed, "hunter2"));
	assert_null(strstr(printed, "s$3"));
	assert_non_null(strstr(printed, "file: /srv/shop/deep/pw"));
	assert_non_null(strstr(printed, "environment: TOKEN"));
	struct project_request again = load_whole(printed, 2);
	assert_true(record_equal(&project_request_type, &request, &again));
	_cleanup_free_ char *twice = compose_print(&again);
	assert_string_equal(twice, printed);
	test_request_release(&again);
	test_request_release(&request);
}

static void later_files_replace_by_target(void **state)
{
	(void)state;
	struct test_world world = { .files = files };
	static const char a[] =
		"services: {web: {image: x, configs: [{source: one, target: /c}]}}\n"
		"configs: {one: {content: a}}\n";
	static const char b[] =
		"services: {web: {configs: [{source: two, target: /c}, {source: one}]}}\n"
		"configs: {two: {content: b}}\n";
	const struct compose_file both[] = { { "a.yaml", a, strlen(a) },
					     { "b.yaml", b, strlen(b) } };
	struct project_request request;
	assert_int_equal(test_load_files(&world, both, 2, &request), ERR_NONE);
	const struct job_spec *spec = &request.jobs.items[0].spec;
	assert_int_equal(spec->configs.n, 2);
	assert_string_equal(spec->configs.items[0].source, "two");
	assert_string_equal(spec->configs.items[0].target, "/c");
	assert_string_equal(spec->configs.items[1].source, "one");
	test_request_release(&request);
	test_world_release(&world);
}

static char *refuse(void *reader, const char *path, size_t *ret_len, struct err *err)
{
	(void)reader;
	(void)ret_len;
	err_set(err, strcmp(path, "/etc/c") == 0 ? ERR_IO : ERR_NOT_FOUND,
		"cannot be opened: Permission denied");
	return NULL;
}

static void why_a_file_cannot_be_read_is_said_once(void **state)
{
	(void)state;
	static const char text[] = "services: {web: {image: x, configs: [c]}}\n"
				   "configs: {c: {file: /etc/c}}\n";
	const struct compose_file file = { "compose.yaml", text, strlen(text) };
	struct compose_options options = {
		.files = &file, .n_files = 1, .directory = "/srv/shop", .read_file = refuse
	};
	struct project_request request;
	struct err err = { 0 };
	assert_int_equal(compose_load(&options, &request, NULL, &err), ERR_IO);
	assert_string_equal(err.message, "the file /etc/c cannot be opened: Permission denied");
}

#define WITH_CONFIG(uses) "services: {web: {image: x, configs: [" uses "]}}\n"
#define WITH_SECRET	  "services: {web: {image: x, secrets: [s]}}\n"

static void mistakes_name_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum err_code code;
		const char *field;
		const char *words;
	} rows[] = {
		{ WITH_CONFIG("c"), ERR_INVALID, "compose.yaml:1:38: services.web.configs[0]",
		  "the project has no config \"c\"" },
		{ WITH_CONFIG("c") "configs: {c: {file: none}}\n", ERR_NOT_FOUND,
		  "compose.yaml:2:21: configs.c.file", "the file /srv/shop/none does not exist" },
		{ WITH_CONFIG("c") "configs: {c: {file: empty}}\n", ERR_INVALID,
		  "compose.yaml:2:21: configs.c.file", "/srv/shop/empty is empty" },
		{ WITH_CONFIG("c") "configs: {c: {environment: NONE}}\n", ERR_INVALID,
		  "compose.yaml:2:28: configs.c.environment", "the variable NONE is not set" },
		{ WITH_CONFIG("c") "configs: {c: {content: ''}}\n", ERR_INVALID,
		  "compose.yaml:2:24: configs.c.content", "it is empty" },
		{ WITH_CONFIG("c") "configs: {c: }\n", ERR_INVALID, "compose.yaml:2:11: configs.c",
		  "needs one of file, environment and content" },
		{ WITH_CONFIG("c") "configs: {c: {content: a, file: app.conf}}\n", ERR_INVALID,
		  "compose.yaml:2:11: configs.c", "needs one of" },
		{ WITH_SECRET "secrets: {s: {content: a}}\n", ERR_INVALID,
		  "compose.yaml:2:15: secrets.s.content", "has no key \"content\"" },
		{ WITH_SECRET "secrets: {s: {external: true}}\n", ERR_UNSUPPORTED,
		  "compose.yaml:2:25: secrets.s.external", "external: true is refused" },
		{ WITH_CONFIG("{source: c, mode: 440}") "configs: {c: {content: a}}\n", ERR_INVALID,
		  "compose.yaml:1:56: services.web.configs[0].mode", "an octal mode like 0440" },
		{ WITH_CONFIG("{source: c, mode: 0222}") "configs: {c: {content: a}}\n",
		  ERR_INVALID, "compose.yaml:1:56: services.web.configs[0].mode",
		  "nobody could read it" },
		{ WITH_CONFIG("{source: c, mode: 01777}") "configs: {c: {content: a}}\n",
		  ERR_INVALID, "compose.yaml:1:56: services.web.configs[0].mode", "above 0777" },
		{ WITH_CONFIG("{source: c, uid: www}") "configs: {c: {content: a}}\n", ERR_INVALID,
		  "compose.yaml:1:55: services.web.configs[0].uid", "the number of a user" },
		{ WITH_CONFIG("{target: /c}") "configs: {c: {content: a}}\n", ERR_INVALID,
		  "compose.yaml:1:38: services.web.configs[0]", "a config needs a source" },
		{ WITH_CONFIG("c, {source: c, target: /c}") "configs: {c: {content: a}}\n",
		  ERR_INVALID, "compose.yaml:1:41: services.web.configs[1]",
		  "config c has the target \"/c\" already" },
		{ WITH_CONFIG("{source: c, target: ../c}") "configs: {c: {content: a}}\n",
		  ERR_INVALID, "compose.yaml:1:38: services.web.configs[0]",
		  "is not the path of a file" },
		{ "services: {web: {image: x, tmpfs: /c, configs: [c]}}\n"
		  "configs: {c: {content: a}}\n",
		  ERR_INVALID, "compose.yaml:1:49: services.web.configs[0]",
		  "a mount has the target \"/c\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct test_world world = { .files = files };
		struct project_request request;
		assert_int_equal(test_load(&world, rows[i].text, &request), rows[i].code);
		assert_string_equal(world.err.field, rows[i].field);
		if (!strstr(world.err.message, rows[i].words))
			fail_msg("expected \"%s\" in \"%s\"", rows[i].words, world.err.message);
		test_world_release(&world);
	}
}

/* One byte over is refused with both numbers; as many as may be are not. */
static void sizes_have_their_limit(void **state)
{
	(void)state;
	char *text = base_calloc(LIMIT_CONTENT_BYTES + 2, 1);
	memset(text, 'x', LIMIT_CONTENT_BYTES + 1);
	const struct test_file large[] = { { "/srv/shop/large", text }, { NULL, NULL } };
	struct test_world world = { .files = large };
	struct project_request request;
	static const char file[] = WITH_SECRET "secrets: {s: {file: large}}\n";
	assert_int_equal(test_load(&world, file, &request), ERR_TOO_LARGE);
	assert_string_equal(world.err.field, "compose.yaml:2:21: secrets.s.file");
	assert_string_equal(world.err.message,
			    "/srv/shop/large has 512000 bytes, and a secret at most 511999");
	text[LIMIT_CONTENT_BYTES] = '\0';
	request = test_good(&world, file);
	test_request_release(&request);
	test_world_release(&world);
	base_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms_are_read),
		cmocka_unit_test(what_is_printed_reads_back_and_tells_no_secret),
		cmocka_unit_test(later_files_replace_by_target),
		cmocka_unit_test(why_a_file_cannot_be_read_is_said_once),
		cmocka_unit_test(mistakes_name_their_place),
		cmocka_unit_test(sizes_have_their_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
