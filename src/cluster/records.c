/* Invariant: the key of a record follows from its contents alone, so replay can check that a record
 * lies where it belongs. Tags are on disk: never reuse one. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "cluster/internal.h"

/* Those of tasks, which are most. */
#define RECORD_BYTES_MOSTLY 250

// clang-format off
static const struct field volume_fields[] = {
	ROW_STRING(1, struct volume_record, project, LIMIT_NAME_BYTES),
	ROW_STRING(2, struct volume_record, key, LIMIT_NAME_BYTES),
	ROW_STRING(3, struct volume_record, name, LIMIT_RESOURCE_NAME_BYTES),
	ROW_STRING(4, struct volume_record, driver, LIMIT_NAME_BYTES),
	ROW_UUID(5, struct volume_record, node),
	ROW_BOOL(6, struct volume_record, removing),
	ROW_STRING(7, struct volume_record, remove_error, LIMIT_MESSAGE_BYTES),
	ROW_INT(8, struct volume_record, created_wall_ms, LIMIT_WALL_MS),
	ROW_BOOL(9, struct volume_record, per_node),
};

static const struct field idempotency_fields[] = {
	ROW_STRING(1, struct idempotency_record, caller, LIMIT_CALLER_BYTES),
	ROW_STRING(2, struct idempotency_record, key, LIMIT_IDEMPOTENCY_KEY_BYTES),
	ROW_INT(3, struct idempotency_record, body_hash, INT64_MAX, .min = INT64_MIN),
	ROW_INT(4, struct idempotency_record, created_wall_ms, LIMIT_WALL_MS),
	ROW_STRING(5, struct idempotency_record, answer, LIMIT_ANSWER_BYTES),
};

static const struct field content_fields[] = {
	ROW_ENUM(1, struct content_record, kind, content_kind_names),
	ROW_STRING(2, struct content_record, project, LIMIT_NAME_BYTES),
	ROW_STRING(3, struct content_record, hash, CONTENT_HASH_BYTES),
	ROW_STRING(4, struct content_record, data, LIMIT_CONTENT_DATA_BYTES),
	ROW_STRING(5, struct content_record, seal, LIMIT_NAME_BYTES),
	ROW_INT(6, struct content_record, created_wall_ms, LIMIT_WALL_MS),
};

static const struct field meta_fields[] = {
	ROW_UUID(1, struct meta_record, cluster),
	ROW_INT(2, struct meta_record, epoch, LIMIT_COUNT),
	ROW_INT(3, struct meta_record, next_node_number, LIMIT_COUNT),
};
// clang-format on

RECORD_TYPE(volume_record, struct volume_record, volume_fields);
RECORD_TYPE(content_record, struct content_record, content_fields);
RECORD_TYPE(idempotency_record, struct idempotency_record, idempotency_fields);
RECORD_TYPE(meta_record, struct meta_record, meta_fields);

struct change cluster_key_of_meta(void)
{
	struct change change = { .kind = RECORD_META };
	change_key_text(&change, "cluster");
	return change;
}

struct change cluster_key_of_project(const char *name)
{
	struct change change = { .kind = RECORD_PROJECT };
	change_key_text(&change, name);
	return change;
}

struct change cluster_key_of_job(struct job_id id)
{
	struct change change = { .kind = RECORD_JOB };
	change_key_id(&change, id.uuid);
	return change;
}

struct change cluster_key_of_revision(struct job_id job, int64_t number)
{
	struct change change = { .kind = RECORD_REVISION };
	change_key_id_number(&change, job.uuid, number);
	return change;
}

struct change cluster_key_of_task(struct task_id id)
{
	struct change change = { .kind = RECORD_TASK };
	change_key_id(&change, id.uuid);
	return change;
}

/* Not under its node: the tasks of a job begin at about the same time, but on many nodes. Beside each other they are
 * written together. */
struct change cluster_key_of_observed(struct task_id task)
{
	struct change change = { .kind = RECORD_OBSERVED };
	change_key_id(&change, task.uuid);
	return change;
}

struct change cluster_first_key_of_observed(struct node_id node, struct task_id task)
{
	struct change change = { .kind = RECORD_OBSERVED };
	change_key_ids(&change, node.uuid, task.uuid);
	return change;
}

struct change cluster_key_of_node(struct node_id id)
{
	struct change change = { .kind = RECORD_NODE };
	change_key_id(&change, id.uuid);
	return change;
}

struct change cluster_key_of_volume(const struct volume_record *volume)
{
	struct change change = { .kind = RECORD_VOLUME };
	if (!volume->per_node) {
		change_key_text(&change, volume->name);
		return change;
	}
	/* Docker's names hold no newline. */
	char id[UUID_TEXT_SIZE];
	struct text text;
	text_init(&text, LIMIT_RESOURCE_NAME_BYTES + 1 + UUID_TEXT_SIZE);
	text_addf(&text, "%s\n%s", volume->name, uuid_format(volume->node.uuid, id));
	change_key_text(&change, text_string(&text));
	text_release(&text);
	return change;
}

struct change cluster_key_of_idempotency(const char *caller, const char *key)
{
	/* A caller's name holds no newline, so two pairs cannot join to one text. */
	struct change change = { .kind = RECORD_IDEMPOTENCY };
	struct text text;
	text_init(&text, LIMIT_CALLER_BYTES + 1 + LIMIT_IDEMPOTENCY_KEY_BYTES);
	text_addf(&text, "%s\n%s", caller, key);
	change_key_text(&change, text_string(&text));
	text_release(&text);
	return change;
}

struct change cluster_key_of_token(const char *id)
{
	struct change change = { .kind = RECORD_TOKEN };
	change_key_text(&change, id);
	return change;
}

struct change cluster_key_of_identity(struct uuid id)
{
	struct change change = { .kind = RECORD_IDENTITY };
	change_key_id(&change, id);
	return change;
}

struct change cluster_key_of_removed_node(struct node_id id)
{
	struct change change = { .kind = RECORD_REMOVED_NODE };
	change_key_id(&change, id.uuid);
	return change;
}

struct change cluster_key_of_content(const char *project, const char *hash)
{
	/* A project's name holds no newline. */
	struct change change = { .kind = RECORD_CONTENT };
	struct text text;
	text_init(&text, LIMIT_NAME_BYTES + 1 + CONTENT_HASH_BYTES);
	text_addf(&text, "%s\n%s", project, hash);
	change_key_text(&change, text_string(&text));
	text_release(&text);
	return change;
}

void cluster_record_put(struct changes *changes, struct change key, const struct record_type *type,
			const void *record)
{
	if (!changes)
		return;
	struct text bytes;
	text_init(&bytes, LIMIT_GROUP_BYTES);
	text_reserve(&bytes, RECORD_BYTES_MOSTLY);
	record_encode(type, record, &bytes);
	INVARIANT(!bytes.cut);
	key.value_len = bytes.len;
	key.value = text_take(&bytes);
	changes_add(changes, &key);
}

void cluster_record_delete(struct changes *changes, struct change key)
{
	if (changes)
		changes_add(changes, &key);
}
