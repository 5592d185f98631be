/* Shared by the tests of this folder: loading from memory, with files that exist only there. */
#ifndef COMPOSE_TESTING_H
#define COMPOSE_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "compose/compose.h"

struct test_file {
	const char *path;
	const char *text;
};

/* What the next load sees; a test may replace it. */
struct test_world {
	const struct test_file *files; /* ends with path NULL; may be NULL */
	struct pairs environment;
	const char *project_name;
	const char *directory;
	const struct strings *profiles;
	const struct strings *services;
	const struct strings *environment_files;
	bool may_be_empty;
	struct compose_warnings warnings;
	struct err err;
};

static inline char *test_read(void *reader, const char *path, size_t *ret_len, struct err *err)
{
	const struct test_world *world = reader;
	for (const struct test_file *file = world->files; file && file->path; file++)
		if (strcmp(file->path, path) == 0) {
			*ret_len = strlen(file->text);
			return base_strdup(file->text);
		}
	err_set(err, ERR_NOT_FOUND, "no such file");
	return NULL;
}

static inline enum err_code test_load_files(struct test_world *world,
					    const struct compose_file *files, size_t n_files,
					    struct project_request *ret_request)
{
	struct compose_options options = {
		.files = files,
		.n_files = n_files,
		.directory = world->directory ? world->directory : "/srv/shop",
		.project_name = world->project_name,
		.environment = &world->environment,
		.profiles = world->profiles,
		.services = world->services,
		.environment_files = world->environment_files,
		.may_be_empty = world->may_be_empty,
		.read_file = test_read,
		.reader = world,
	};
	strings_release(&world->warnings.items);
	strings_release(&world->warnings.mistakes);
	world->err = (struct err){ 0 };
	return compose_load(&options, ret_request, &world->warnings, &world->err);
}

static inline enum err_code test_load(struct test_world *world, const char *text,
				      struct project_request *ret_request)
{
	struct compose_file file = { "compose.yaml", text, strlen(text) };
	return test_load_files(world, &file, 1, ret_request);
}

static inline void test_world_release(struct test_world *world)
{
	strings_release(&world->warnings.items);
	strings_release(&world->warnings.mistakes);
	pairs_release(&world->environment);
}

/* Load what must load; the caller releases with test_request_release(). */
static inline struct project_request test_good(struct test_world *world, const char *text)
{
	struct project_request request;
	if (test_load(world, text, &request) != ERR_NONE) {
		print_error("%s: %s\n", world->err.field, world->err.message);
		fail();
	}
	return request;
}

static inline void test_request_release(struct project_request *request)
{
	record_release(&project_request_type, request);
}

/* The lines of one service `web` with an image, below which `lines` stand. */
static inline char *test_service(const char *lines)
{
	struct text text;
	text_init(&text, 1 << 20);
	text_addf(&text, "services:\n  web:\n    image: nginx\n%s", lines);
	return text_take(&text);
}

/* The spec of that service. */
static inline struct project_request test_spec(const char *lines)
{
	struct test_world world = { 0 };
	_cleanup_free_ char *text = test_service(lines);
	struct project_request request = test_good(&world, text);
	assert_int_equal(request.jobs.n, 1);
	test_world_release(&world);
	return request;
}

/* `text` fails with exactly this field and a message that holds `words`. */
static inline void test_bad_file(const char *text, enum err_code code, const char *field,
				 const char *words)
{
	struct test_world world = { 0 };
	struct project_request request;
	assert_int_equal(test_load(&world, text, &request), code);
	assert_string_equal(world.err.field, field);
	if (!strstr(world.err.message, words)) {
		print_error("expected \"%s\" in \"%s\"\n", words, world.err.message);
		fail();
	}
	test_world_release(&world);
}

static inline void test_bad(const char *lines, enum err_code code, const char *field,
			    const char *words)
{
	_cleanup_free_ char *text = test_service(lines);
	test_bad_file(text, code, field, words);
}

#endif
