/* Answers kept under the key a caller gave, so that a request that is sent again has one effect.
 *
 * Invariants: an answer is stored in the group of its request's changes; failures are not kept, for they had no
 * effect. Age is monotonic: a clock that jumps forgets nothing. At most LIMIT_IDEMPOTENCY_KEYS are kept, the newest. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
#include "manager/core.h"

/* As the record takes. */
#define CALLER_BYTES_MAX 255

static const char *caller_of(const struct manager_request *request)
{
	return request->caller ? request->caller : "";
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal text into the bytes of a record. */
static enum err_code decode(const char *hex, struct manager_answer *answer, struct err *err)
{
	size_t len = strlen(hex);
	uint8_t *bytes = base_calloc(len / 2 + 1, 1);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; i + 1 < len && !code; i += 2) {
		int high = digit_of(hex[i]);
		int low = digit_of(hex[i + 1]);
		if (high < 0 || low < 0)
			code = err_set(err, ERR_DAMAGED, "a remembered answer is not hexadecimal");
		else
			bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	if (!code)
		code = record_decode(&manager_answer_type, bytes, len / 2, answer, err);
	base_free(bytes);
	return code;
}

void idempotency_encode(const struct manager_answer *answer, struct text *out)
{
	struct text bytes;
	text_init(&bytes, LIMIT_STRING_BYTES);
	record_encode(&manager_answer_type, answer, &bytes);
	for (size_t i = 0; i < bytes.len; i++)
		text_addf(out, "%02x", (unsigned)(uint8_t)bytes.bytes[i]);
	text_release(&bytes);
}

bool idempotency_recall(struct manager *manager, const struct manager_request *request,
			struct manager_reply *reply)
{
	if (!request->idempotency_key || PLANTED(PLANTED_KEY_FORGOTTEN))
		return false;
	const struct idempotency_record *record = cluster_idempotency(
		&manager->cluster, caller_of(request), request->idempotency_key);
	if (!record)
		return false;
	if (record->body_hash != request->body_hash)
		err_set_field(&reply->err, ERR_CONFLICT, "Idempotency-Key",
			      "the idempotency key \"%s\" was used for another request",
			      request->idempotency_key);
	else
		reply->err.code =
			decode(record->answer ? record->answer : "", &reply->answer, &reply->err);
	return true;
}

/* The one that would be forgotten next: the oldest. */
static void forget_first(struct manager *manager)
{
	struct idempotency_record *record =
		map_get(&manager->cluster.idempotency, manager->answers_kept.items[0].id);
	queue_pop(&manager->answers_kept);
	if (!record)
		return;
	group_reserve(manager, 1);
	cluster_delete_idempotency(&manager->cluster, &manager->out->changes, record);
}

enum err_code idempotency_check(struct manager *manager, const struct manager_request *request,
				struct err *err)
{
	const char *key = request->idempotency_key;
	if (!key)
		return ERR_NONE;
	const char *caller = caller_of(request);
	if (strlen(caller) > CALLER_BYTES_MAX || strchr(caller, '\n'))
		return err_set(err, ERR_INVALID,
			       "the caller's name cannot be kept with its answer");
	if (!*key || strlen(key) > LIMIT_IDEMPOTENCY_KEY_BYTES)
		return err_set_field(err, ERR_INVALID, "Idempotency-Key",
				     "an idempotency key has 1 to %d bytes, this has %zu",
				     LIMIT_IDEMPOTENCY_KEY_BYTES, strlen(key));
	idempotency_expire(manager);
	/* The oldest answer gives way: refusing new work for a day would cost more than its memory is worth. */
	while (manager->cluster.idempotency.n >= LIMIT_IDEMPOTENCY_KEYS)
		forget_first(manager);
	return ERR_NONE;
}

void idempotency_keep(struct manager *manager, const struct manager_request *request,
		      const struct manager_answer *answer)
{
	if (!request->idempotency_key)
		return;
	struct text hex;
	text_init(&hex, 2 * LIMIT_STRING_BYTES);
	idempotency_encode(answer, &hex);
	struct idempotency_record record = {
		.caller = base_strdup(caller_of(request)),
		.key = base_strdup(request->idempotency_key),
		.body_hash = request->body_hash,
		.created_wall_ms = wall_now(manager),
		.answer = text_take(&hex),
	};
	cluster_put_idempotency(&manager->cluster, &manager->out->changes, &record);
	queue_push(&manager->answers_kept,
		   (struct queue_item){ manager->in->now_ms + LIMIT_IDEMPOTENCY_AGE_MS,
					map_name_key(manager->cluster.salt, caller_of(request),
						     request->idempotency_key),
					0 });
}

/* How old they are only the wall clock would tell, and who set it forward by a day would have every request that
 * is asked again take effect twice: they are kept for a whole age from here, the oldest first to give way. */
void idempotency_start(struct manager *manager)
{
	size_t n = 0;
	struct idempotency_record **records = cluster_sorted_idempotency(&manager->cluster, &n);
	int64_t until_ms = manager->in->now_ms + LIMIT_IDEMPOTENCY_AGE_MS;
	for (size_t i = 0; i < n; i++)
		queue_push(&manager->answers_kept,
			   (struct queue_item){ until_ms + (int64_t)i,
						map_name_key(manager->cluster.salt,
							     records[i]->caller, records[i]->key),
						0 });
	base_free(records);
}

void idempotency_expire(struct manager *manager)
{
	const struct queue *kept = &manager->answers_kept;
	while (kept->n && kept->items[0].key <= manager->in->now_ms)
		forget_first(manager);
}
