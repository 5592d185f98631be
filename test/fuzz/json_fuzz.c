/* JSON from users and from our own parts: text is refused with a reason, or it is a record that is written and read
 * again as the same one; and a request that is read can be checked. */
#include <string.h>

#include "api/envelope.h"
#include "api/json.h"
#include "api/views.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "job/job.h"
#include "node/sync.h"

#include "fuzz.h"

struct way {
	const struct record_type *type;
	enum json_direction direction;
};

/* The first byte of an input chooses; append only, or the corpus loses its meaning. */
static const struct way ways[] = {
	{ &project_request_type, JSON_REQUEST }, { &submit_request_type, JSON_REQUEST },
	{ &scale_request_type, JSON_REQUEST },	 { &sync_up_type, JSON_INTERNAL },
	{ &sync_down_type, JSON_INTERNAL },	 { &stream_request_type, JSON_INTERNAL },
	{ &error_answer_type, JSON_INTERNAL },	 { &task_page_type, JSON_INTERNAL },
};

static void check_round_trip(const struct way *way, const void *record)
{
	struct err err = { 0 };
	char *text = json_write_record(way->type, record, way->direction);
	void *again = base_calloc(1, way->type->size);
	enum err_code code = json_read_record(way->type, text, strlen(text),
					      LIMIT_JSON_APPLY_VALUES, way->direction, again, &err);
	INVARIANT(code == ERR_NONE);
	INVARIANT(record_equal(way->type, record, again));
	record_release(way->type, again);
	base_free(again);
	base_free(text);
}

static void read_record(const struct way *way, const char *bytes, size_t len)
{
	struct err err = { 0 };
	void *record = base_calloc(1, way->type->size);
	enum err_code code = json_read_record(way->type, bytes, len, LIMIT_JSON_VALUES,
					      way->direction, record, &err);
	INVARIANT(code == err.code);
	INVARIANT(!code == !err.message[0]);
	if (!code)
		check_round_trip(way, record);
	if (!code && way->type == &project_request_type) {
		code = project_request_check(record, &err);
		INVARIANT(!code || err.message[0]);
	}
	record_release(way->type, record);
	base_free(record);
}

/* What the direct reader takes is what the general one reads. */
static void read_direct(const struct way *way, const char *bytes, size_t len)
{
	struct err err = { 0 };
	void *direct = base_calloc(1, way->type->size);
	void *general = base_calloc(1, way->type->size);
	if (json_read_direct(way->type, bytes, len, direct)) {
		INVARIANT(json_read_record(way->type, bytes, len, LIMIT_JSON_APPLY_VALUES,
					   JSON_INTERNAL, general, &err) == ERR_NONE);
		INVARIANT(record_equal(way->type, direct, general));
	}
	record_release(way->type, direct);
	record_release(way->type, general);
	base_free(direct);
	base_free(general);
}

static void read_envelope(const char *bytes, size_t len)
{
	const char *kind;
	json_t *value, *root;
	struct err err;
	if (envelope_open(bytes, len, &kind, &value, &root, &err) == ERR_NONE) {
		INVARIANT(kind && value);
		json_decref(root);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	read_record(&ways[data[0] % ARRAY_LEN(ways)], (const char *)data + 1, size - 1);
	read_direct(&ways[data[0] % ARRAY_LEN(ways)], (const char *)data + 1, size - 1);
	read_envelope((const char *)data + 1, size - 1);
	return 0;
}
