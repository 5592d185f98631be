/* For tests of stores only: folders that go away, changes in one line, contents as one text. */
#ifndef STORE_STORE_TESTING_H
#define STORE_STORE_TESTING_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/text.h"
#include "store/store.h"

#define TESTING __attribute__((unused)) static

TESTING int testing_remove_one(const char *path, const struct stat *status, int kind,
			       struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

TESTING void testing_remove_dir(const char *path)
{
	nftw(path, testing_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* A new empty folder; `out` has 64 bytes. */
TESTING char *testing_make_dir(char *out)
{
	const char *parent = getenv("TMPDIR");
	snprintf(out, 64, "%.40s/drover-store-XXXXXX", parent == NULL ? "/tmp" : parent);
	assert_non_null(mkdtemp(out));
	return out;
}

TESTING void testing_put(struct changes *changes, uint8_t kind, const char *key, const char *value)
{
	struct change change = { .kind = kind };
	change_key_text(&change, key);
	if (value != NULL) {
		change.value_len = strlen(value);
		change.value = base_memdup(value, change.value_len + 1);
	}
	changes_add(changes, &change);
}

/* `len` bytes of `fill` under a numbered key. */
TESTING void testing_put_bytes(struct changes *changes, int number, size_t len, int fill)
{
	char key[16];
	struct change change = { .kind = RECORD_TASK };
	change_key_text(&change, text_print(key, sizeof(key), "key-%d", number));
	change.value = base_calloc(len, 1);
	memset(change.value, fill, len);
	change.value_len = len;
	changes_add(changes, &change);
}

/* Commit and empty the list. */
TESTING enum err_code testing_commit(const struct store_ops *ops, struct store *store,
				     struct changes *changes, struct err *err)
{
	enum err_code code = ops->commit(store, changes, err);
	changes_clear(changes);
	return code;
}

struct testing_contents {
	char *lines[20000];
	size_t n;
};

TESTING enum err_code testing_collect(void *visitor, const struct change *change, struct err *err)
{
	(void)err;
	struct testing_contents *contents = visitor;
	struct text line;
	text_init(&line, 4096);
	text_addf(&line, "%d:%.*s=%.*s", change->kind, change->key_len, (const char *)change->key,
		  (int)change->value_len, (const char *)change->value);
	assert_true(contents->n < ARRAY_LEN(contents->lines));
	contents->lines[contents->n++] = text_take(&line);
	return ERR_NONE;
}

TESTING int testing_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Everything in the store, sorted, as "kind:key=value kind:key=value"; the caller frees with base_free(). */
TESTING char *testing_contents(const struct store_ops *ops, struct store *store)
{
	struct testing_contents *contents = base_calloc(1, sizeof(*contents));
	struct err err = { 0 };
	assert_int_equal(ops->replay(store, testing_collect, contents, &err), ERR_NONE);
	qsort(contents->lines, contents->n, sizeof(char *), testing_compare);
	struct text all;
	text_init(&all, (size_t)64 << 20);
	for (size_t i = 0; i < contents->n; i++) {
		text_addf(&all, "%s%s", i == 0 ? "" : " ", contents->lines[i]);
		base_free(contents->lines[i]);
	}
	base_free(contents);
	return text_take(&all);
}

TESTING void testing_assert_contents(const struct store_ops *ops, struct store *store,
				     const char *expected)
{
	char *contents = testing_contents(ops, store);
	assert_string_equal(contents, expected);
	base_free(contents);
}

#endif
