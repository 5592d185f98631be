/* Records from the disk: bytes are refused, or they are a record that is written and read again as the same one. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/record.h"
#include "cluster/cluster.h"
#include "job/job.h"
#include "node/node.h"
#include "node/sync.h"
#include "task/task.h"
#include "worker/worker_int.h"

#include "fuzz.h"

/* The first byte of an input chooses; append only, or the corpus loses its meaning. */
static const struct record_type *const types[] = {
	&job_type,	     &job_revision_type, &project_type,	      &task_desired_type,
	&task_observed_type, &node_record_type,	 &volume_record_type, &idempotency_record_type,
	&meta_record_type,   &worker_meta_type,	 &worker_record_type, &sync_template_type,
	&sync_up_type,	     &sync_down_type,	 &token_record_type,  &identity_record_type,
	&removed_node_type,
};

static void check_round_trip(const struct record_type *type, const void *record)
{
	struct text first;
	struct text second;
	text_init(&first, (size_t)64 << 20);
	text_init(&second, (size_t)64 << 20);
	void *again = base_calloc(1, type->size);
	void *copy = base_calloc(1, type->size);
	record_encode(type, record, &first);
	INVARIANT(!first.cut);
	enum err_code code = record_decode(type, text_string(&first), first.len, again, NULL);
	INVARIANT(code == ERR_NONE);
	INVARIANT(record_equal(type, record, again));
	INVARIANT(record_hash(type, record) == record_hash(type, again));
	record_encode(type, again, &second);
	INVARIANT(first.len == second.len);
	INVARIANT(memcmp(text_string(&first), text_string(&second), first.len) == 0);
	record_copy(type, copy, record);
	INVARIANT(record_equal(type, record, copy));
	record_release(type, copy);
	record_release(type, again);
	base_free(copy);
	base_free(again);
	text_release(&first);
	text_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	const struct record_type *type = types[bytes[0] % ARRAY_LEN(types)];
	void *record = base_calloc(1, type->size);
	struct err err = { 0 };
	if (record_decode(type, bytes + 1, len - 1, record, &err) == ERR_NONE) {
		check_round_trip(type, record);
		record_release(type, record);
	} else {
		INVARIANT(err.code == ERR_DAMAGED);
		INVARIANT(err.message[0] != '\0');
	}
	base_free(record);
	return 0;
}
