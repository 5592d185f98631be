/* Every later build reads what the releases in GOLDEN_DIR wrote, says to them what they can read, and takes over their
 * stores. A failure here is a change that would part this release from its neighbour: not the file is wrong. */
#include "base/testing.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "api/json.h"
#include "base/alloc.h"
#include "base/parse.h"
#include "golden.h"
#include "manager/manager.h"
#include "worker/worker.h"

#define LINE_BYTES_MAX (1 << 20)

static const char *const releases[] = { "1" };

/* The lines of a file of a release; false: there is none, for its type is younger. */
static bool read_lines(const char *release, const char *name, const char *suffix,
		       struct strings *lines)
{
	char path[512];
	static char line[LINE_BYTES_MAX];
	text_print(path, sizeof(path), "%s/%s/%s%s", GOLDEN_DIR, release, name, suffix);
	FILE *file = fopen(path, "rb");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		strings_add(lines, line);
	}
	fclose(file);
	return true;
}

static unsigned char digit(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Bytes of hexadecimal text up to a blank or the end; the caller frees. */
static unsigned char *from_hex(const char **at, size_t *ret_len)
{
	size_t len = strcspn(*at, " ") / 2;
	unsigned char *bytes = base_calloc(len + 1, 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)(digit((*at)[2 * i]) << 4 | digit((*at)[2 * i + 1]));
	*at += 2 * len;
	*at += **at == ' ';
	*ret_len = len;
	return bytes;
}

/* ---- records and messages ---- */

static void check_record(const struct record_type *type, const char *line)
{
	struct err err;
	size_t len;
	unsigned char *bytes = from_hex(&line, &len);
	_cleanup_free_ void *stored = base_calloc(1, type->size);
	_cleanup_free_ void *said = base_calloc(1, type->size);
	if (record_decode(type, bytes, len, stored, &err))
		fail_msg("%s: %s", type->name, err.message);
	if (json_read_record(type, line, strlen(line), LINE_BYTES_MAX, JSON_INTERNAL, said, &err))
		fail_msg("%s: %s: %s", type->name, err.field, err.message);
	/* A field that is younger than the release means in both forms what was before it, and is not said. */
	char *again = json_write_record(type, stored, JSON_INTERNAL);
	json_t *expected = json_loads(line, 0, NULL);
	json_t *found = json_loads(again, 0, NULL);
	if (!json_equal(expected, found))
		fail_msg("%s: read %s\nas %s", type->name, line, again);
	assert_true(record_equal(type, stored, said));
	json_decref(expected);
	json_decref(found);
	base_free(again);
	base_free(bytes);
	record_release(type, stored);
	record_release(type, said);
}

static void records_and_messages_of_older_releases_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(releases); i++)
		for (size_t j = 0; j < golden_types_n; j++) {
			struct strings lines = { 0 };
			bool there =
				read_lines(releases[i], golden_types[j]->name, ".records", &lines);
			for (size_t k = 0; k < lines.n; k++)
				check_record(golden_types[j], lines.items[k]);
			assert_true(there && lines.n > 0);
			strings_release(&lines);
		}
}

/* ---- tables ---- */

static const struct record_type *find_type(const struct record_type *type, const char *name)
{
	if (strcmp(type->name, name) == 0)
		return type;
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct record_type *found =
			type->fields[i].type ? find_type(type->fields[i].type, name) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

static const struct field *find_field(const char *type_name, const char *field_name)
{
	const struct record_type *type = NULL;
	for (size_t i = 0; i < golden_types_n && !type; i++)
		type = find_type(golden_types[i], type_name);
	for (size_t i = 0; type && i < type->n_fields; i++)
		if (strcmp(type->fields[i].name, field_name) == 0)
			return &type->fields[i];
	return NULL;
}

/* "a=0,b=1": each name still means its number. */
static void check_names(const struct field *field, const char *names)
{
	char name[64];
	int value, used;
	while (sscanf(names, " %63[^=]=%d%n", name, &value, &used) == 2) {
		int now = -1;
		assert_true(enum_value(field->names, name, &now));
		assert_int_equal(now, value);
		names += used;
		names += *names == ',';
	}
}

/* What was there keeps its tag and kind, takes at least what it took, and has the same value where nothing is written:
 * so an older release reads of a newer one what it knows. */
static void check_field(const char *line)
{
	char type[64], name[64];
	unsigned tag;
	int kind, used = 0;
	long long min, max, initial;
	if (!*line)
		return;
	assert_int_equal(sscanf(line, "%63s %63s %u %d %lld %lld %lld%n", type, name, &tag, &kind,
				&min, &max, &initial, &used),
			 7);
	const struct field *field = find_field(type, name);
	if (!field)
		fail_msg("%s.%s is gone", type, name);
	if (field->tag != tag || (int)field->kind != kind || field->initial != initial ||
	    field->min > min || field->max < max)
		fail_msg("%s.%s is another field now: %s", type, name, line);
	if (field->names)
		check_names(field, line + used);
}

static void fields_of_older_releases_are_what_they_were(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(releases); i++) {
		struct strings lines = { 0 };
		assert_true(read_lines(releases[i], "tables", ".txt", &lines));
		for (size_t j = 0; j < lines.n; j++)
			check_field(lines.items[j]);
		assert_true(lines.n > 100);
		strings_release(&lines);
	}
}

/* Does a file of tables name this field? */
static bool has_line(const struct strings *lines, const char *begin)
{
	for (size_t i = 0; i < lines->n; i++)
		if (strncmp(lines->items[i], begin, strlen(begin)) == 0)
			return true;
	return false;
}

static void set_field(const struct field *field, struct job_spec *spec)
{
	void *at = (char *)spec + field->offset;
	switch (field->kind) {
	case FIELD_BOOL: *(bool *)at = !field->initial; break;
	case FIELD_INT: *(int64_t *)at = field->max; break;
	case FIELD_ENUM: *(int *)at = 1; break;
	case FIELD_STRING: string_set(at, "x"); break;
	case FIELD_STRINGS: strings_add(at, "x"); break;
	case FIELD_PAIRS: pairs_add(at, "x", "y"); break;
	case FIELD_STRUCTS: list_add(at, field->type->size); break;
	case FIELD_OPTIONAL: {
		void *record = base_calloc(1, field->type->size);
		memcpy(at, &record, sizeof(record));
		break;
	}
	default: fail_msg("say here how to set a field like %s", field->name);
	}
}

/* Younger fields that change nothing for the worker: the manager alone acts on them. The lease alone says nothing. */
static bool is_the_managers(const struct field *field)
{
	static const char *const names[] = { "network_reach", "volume_reach", "lease_ms",
					     "update",	      "rollback",     "update_deadline_ms",
					     "concurrency",   "schedule" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(field->name, names[i]) == 0)
			return true;
	return false;
}

/* A worker passes over what it does not know, so a job that asks for it must not be placed there. */
static void jobs_with_younger_fields_ask_for_younger_workers(void **state)
{
	(void)state;
	struct strings lines = { 0 };
	assert_true(read_lines("1", "tables", ".txt", &lines));
	for (size_t i = 0; i < job_spec_type.n_fields; i++) {
		const struct field *field = &job_spec_type.fields[i];
		char begin[128];
		text_print(begin, sizeof(begin), "job_spec %s ", field->name);
		if (has_line(&lines, begin) || is_the_managers(field))
			continue;
		struct job_spec spec;
		record_init(&job_spec_type, &spec);
		assert_int_equal(job_spec_protocol(&spec), 1);
		set_field(field, &spec);
		if (job_spec_protocol(&spec) < 2)
			fail_msg("job_spec_protocol() does not know %s", field->name);
		record_release(&job_spec_type, &spec);
	}
	strings_release(&lines);
}

/* The names a release knows for the reason of a stop, in the form of tables.txt. */
static const char *reasons_known(const struct strings *lines)
{
	static const char begin[] = "sync_assignment stop_reason ";
	for (size_t i = 0; i < lines->n; i++)
		if (strncmp(lines->items[i], begin, strlen(begin)) == 0)
			return strstr(lines->items[i], " none=");
	fail_msg("no line begins with %s", begin);
	return NULL;
}

/* A message with a word that is not known is passed over whole, and so is every later one that repeats it. */
static void workers_of_older_releases_know_every_reason_they_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(releases); i++) {
		struct strings lines = { 0 };
		assert_true(read_lines(releases[i], "tables", ".txt", &lines));
		const char *known = reasons_known(&lines);
		int64_t protocol = 0;
		struct err err;
		assert_int_equal(parse_int(releases[i], 1, SYNC_PROTOCOL, &protocol, &err),
				 ERR_NONE);
		for (int reason = 0; reason < REASON_COUNT; reason++) {
			int told = sync_reason(reason, protocol);
			char entry[64];
			text_print(entry, sizeof(entry), "%s=%d", reason_name(told), told);
			const char *at = strstr(known, entry);
			if (!at || !strchr(" ,", at[-1]) || !strchr(",", at[strlen(entry)]))
				fail_msg("%s is told as %s, which release %s does not know",
					 reason_name(reason), reason_name(told), releases[i]);
			assert_int_equal(sync_reason(reason, SYNC_PROTOCOL), reason);
		}
		strings_release(&lines);
	}
}

/* ---- stores ---- */

typedef enum err_code replay_fn(void *core, const struct change *change, struct err *err);

static void replay_store(const char *release, const char *name, replay_fn *replay, void *core)
{
	struct strings lines = { 0 };
	assert_true(read_lines(release, name, ".store", &lines));
	for (size_t i = 0; i < lines.n; i++) {
		struct change change = { 0 };
		struct err err;
		const char *at = lines.items[i];
		int kind, used;
		assert_int_equal(sscanf(at, "%d %n", &kind, &used), 1);
		at += used;
		size_t key_len;
		unsigned char *key = from_hex(&at, &key_len);
		change.kind = (uint8_t)kind;
		change.key_len = (uint8_t)key_len;
		memcpy(change.key, key, key_len);
		change.value = from_hex(&at, &change.value_len);
		if (replay(core, &change, &err))
			fail_msg("%s.store: %s", name, err.message);
		base_free(key);
		base_free(change.value);
	}
	strings_release(&lines);
}

static enum err_code replay_manager(void *core, const struct change *change, struct err *err)
{
	return manager_replay(core, change, err);
}

static enum err_code replay_worker(void *core, const struct change *change, struct err *err)
{
	return worker_replay(core, change, err);
}

static void a_manager_takes_over_an_older_ones_store(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(releases); i++) {
		struct manager_options options = { .scheduler = scheduler_find("epvm"),
						   .node_silent_ms = 10000,
						   .start_grace_ms = 60000,
						   .history_per_slot = 2 };
		struct manager_in in = {
			.now_ms = 1000, .wall_ms = 2000000000000, .seed = 1, .rev = 1000
		};
		struct manager_out out = { 0 };
		struct err err;
		struct manager *manager = manager_new(&options, 1);
		replay_store(releases[i], "manager", replay_manager, manager);
		if (manager_start(manager, &in, &out, &err))
			fail_msg("%s", err.message);
		manager_out_clear(&out);
		manager_step(manager, &in, &out);
		manager_check(manager);
		const struct job_entry *job =
			cluster_job_named(manager_cluster(manager), "shop", "web");
		assert_non_null(job);
		assert_int_equal(job->tasks.n, 2);
		for (size_t j = 0; j < job->tasks.n; j++)
			assert_int_equal(job->tasks.items[j]->state, TASK_RUNNING);
		manager_out_release(&out);
		manager_free(manager);
	}
}

static void a_worker_takes_over_an_older_ones_store(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(releases); i++) {
		struct worker_options options;
		struct worker_in in = { .now_ms = 1000, .wall_ms = 2000000000000, .seed = 1 };
		struct worker_out out = { 0 };
		struct err err;
		worker_options_default(&options);
		struct worker *worker = worker_new(&options);
		replay_store(releases[i], "worker", replay_worker, worker);
		if (worker_start(worker, &in, "boot", &out, &err))
			fail_msg("%s", err.message);
		worker_check(worker);
		assert_string_equal(out.notes.items[0],
				    "worker starts with 2 tasks; the machine was restarted");
		worker_out_release(&out);
		worker_free(worker);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_and_messages_of_older_releases_are_read),
		TEST(fields_of_older_releases_are_what_they_were),
		TEST(jobs_with_younger_fields_ask_for_younger_workers),
		TEST(workers_of_older_releases_know_every_reason_they_are_told),
		TEST(a_manager_takes_over_an_older_ones_store),
		TEST(a_worker_takes_over_an_older_ones_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
