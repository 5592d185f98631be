/* golden_write DIR: write what this release says and stores (golden.h) into DIR. Run once for each release that changes
 * something; what is there is never written again. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "base/alloc.h"
#include "base/record_fill.h"
#include "golden.h"

#define TEXT_BYTES_MAX	(64 << 20)
#define RECORDS_OF_EACH 8

static const char *folder;

static void write_file(const char *name, const char *suffix, const char *bytes, size_t len)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix);
	FILE *file = fopen(path, "wbx");
	if (!file || fwrite(bytes, 1, len, file) != len || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void add_hex(struct text *out, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_addf(out, "%02x", ((const unsigned char *)bytes)[i]);
}

static void add_record(const struct record_type *type, struct random *random, struct text *out)
{
	struct text bytes;
	void *record = base_calloc(1, type->size);
	text_init(&bytes, TEXT_BYTES_MAX);
	record_fill(type, record, 2, random);
	record_encode(type, record, &bytes);
	char *json = json_write_record(type, record, JSON_INTERNAL);
	add_hex(out, text_string(&bytes), bytes.len);
	text_addf(out, " %s\n", json);
	base_free(json);
	text_release(&bytes);
	record_release(type, record);
	base_free(record);
}

static void write_type(const struct record_type *type)
{
	struct random random = { 20260101 };
	struct text text;
	text_init(&text, TEXT_BYTES_MAX);
	for (int i = 0; i < RECORDS_OF_EACH; i++)
		add_record(type, &random, &text);
	write_file(type->name, ".records", text_string(&text), text.len);
	text_release(&text);
}

static void write_tables(void)
{
	struct text text;
	text_init(&text, TEXT_BYTES_MAX);
	text_add(&text, "\n");
	for (size_t i = 0; i < golden_types_n; i++)
		golden_describe(golden_types[i], &text);
	write_file("tables", ".txt", text_string(&text), text.len);
	text_release(&text);
}

/* "KIND KEY VALUE", a line for each record. */
static enum err_code visit(void *visitor, const struct change *change, struct err *err)
{
	struct text *out = visitor;
	(void)err;
	text_addf(out, "%d ", change->kind);
	add_hex(out, change->key, change->key_len);
	text_add(out, " ");
	add_hex(out, change->value, change->value_len);
	text_add(out, "\n");
	return ERR_NONE;
}

static void write_store(const char *name, const struct rig_store *rig_store)
{
	struct text text;
	struct err err;
	text_init(&text, TEXT_BYTES_MAX);
	if (rig_store->ops.replay(rig_store->store, visit, &text, &err)) {
		fprintf(stderr, "%s\n", err.message);
		exit(1);
	}
	write_file(name, ".store", text_string(&text), text.len);
	text_release(&text);
}

/* A manager and a worker with two running tasks, as they lie on disk. */
static void write_stores(void **state)
{
	struct rig *rig = *state;
	rig_bring_up(rig);
	write_store("manager", &rig->manager_store);
	write_store("worker", &rig->worker_store);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(write_stores, rig_setup, rig_teardown),
	};
	if (argc != 2) {
		fprintf(stderr, "usage: golden_write DIR\n");
		return 2;
	}
	folder = argv[1];
	for (size_t i = 0; i < golden_types_n; i++)
		write_type(golden_types[i]);
	write_tables();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
