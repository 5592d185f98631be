/* Docker's list of containers: what is read does not depend on how the bytes were cut. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "runtime/docker_list.h"

#include "fuzz.h"

struct read {
	enum err_code code;
	struct container_seen *items;
	size_t n;
};

static struct read read_in_pieces(const char *text, size_t len, size_t piece)
{
	struct docker_list list;
	struct err err = { 0 };
	struct read read = { 0 };
	docker_list_init(&list);
	for (size_t at = 0; at < len; at += piece)
		docker_list_feed(&list, text + at, len - at < piece ? len - at : piece);
	read.code = docker_list_end(&list, &read.items, &read.n, &err);
	INVARIANT(IMPLIES(read.code, err.message[0] != '\0' && !read.items));
	docker_list_release(&list);
	return read;
}

static void check_same(const struct container_seen *a, const struct container_seen *b)
{
	INVARIANT(a && b);
	INVARIANT(strnlen(a->name, sizeof(a->name)) < sizeof(a->name));
	INVARIANT(strcmp(a->name, b->name) == 0 && strcmp(a->id, b->id) == 0);
	INVARIANT(a->state == b->state && a->health == b->health);
	INVARIANT(a->attempt == b->attempt && uuid_equal(a->cluster, b->cluster));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const size_t pieces[] = { 1, 7, 100 };
	const char *text = (const char *)bytes;
	struct read whole = read_in_pieces(text, len, len + 1);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct read cut = read_in_pieces(text, len, pieces[i]);
		INVARIANT(cut.code == whole.code && cut.n == whole.n);
		for (size_t j = 0; j < cut.n; j++)
			check_same(&whole.items[j], &cut.items[j]);
		base_free(cut.items);
	}
	base_free(whole.items);
	return 0;
}
