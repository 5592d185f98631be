/* The worker's own store: what it must know again after a crash.
 *
 * 1. Replay and life use the same structs; there is no other recovery.
 * 2. A record that an action of this turn depends on is saved in this turn; the shell commits
 *    before it acts.
 * 3. Templates are saved before the tasks that use them, (epoch, rev) after them: after a crash
 *    between groups the worker holds a newer set under an older number, and taking the same set
 *    again changes nothing.
 * 4. The name of the cluster is saved before anything of it: a worker with tasks and no cluster lists no
 *    containers, so nothing of it starts or ends before it is told the name, and one that was removed never is.
 * 5. Numbers given out are always below the ceiling on disk. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
#include "worker/worker_int.h"

#define RECORD_BYTES_MAX (2 * LIMIT_JOB_RECORD_BYTES)

static const struct enum_name removal_names[] = { { WORKER_REMOVAL_NONE, "none" },
						  { WORKER_REMOVAL_TOLD, "told" },
						  { WORKER_REMOVAL_OVER, "over" },
						  { 0 } };

static const struct field meta_fields[] = {
	ROW_UUID(1, struct worker_meta, node),
	ROW_UUID(2, struct worker_meta, cluster),
	ROW_STRING(3, struct worker_meta, boot_id, LIMIT_STRING_BYTES),
	ROW_INT(4, struct worker_meta, epoch, INT64_MAX),
	ROW_INT(5, struct worker_meta, rev, INT64_MAX),
	ROW_INT(6, struct worker_meta, numbers_ceiling, INT64_MAX),
	ROW_INT(7, struct worker_meta, answered_ms, INT64_MAX),
	ROW_ENUM(8, struct worker_meta, removal, removal_names),
};
RECORD_TYPE(worker_meta, struct worker_meta, meta_fields);

static const struct field restart_fields[] = {
	ROW_INT(1, struct worker_restart, at_ms, INT64_MAX, .min = INT64_MIN),
};
RECORD_TYPE(worker_restart, struct worker_restart, restart_fields);

static const struct field record_fields[] = {
	ROW_STRUCT(1, struct worker_record, desired, sync_assignment),
	ROW_ENUM(2, struct worker_record, wanted, task_wanted_names),
	ROW_BOOL(3, struct worker_record, forgotten),
	ROW_STRUCT(4, struct worker_record, observed, task_observed),
	ROW_INT(5, struct worker_record, attempt_first, LIMIT_COUNT),
	ROW_INT(6, struct worker_record, attempt_ran, LIMIT_COUNT),
	ROW_INT(7, struct worker_record, attempt_signalled, LIMIT_COUNT),
	ROW_BOOL(8, struct worker_record, killed),
	ROW_ENUM(9, struct worker_record, ending_reason, reason_names),
	ROW_STRING(10, struct worker_record, ending_message, LIMIT_MESSAGE_BYTES),
	ROW_BOOL(11, struct worker_record, machine_restarted),
	ROW_INT(12, struct worker_record, daemon_instance, INT64_MAX, .min = INT64_MIN),
	ROW_INT(13, struct worker_record, started_ms, INT64_MAX, .min = INT64_MIN),
	ROW_INT(14, struct worker_record, restart_at_ms, INT64_MAX, .min = INT64_MIN),
	ROW_INT(15, struct worker_record, restarts_in_row, LIMIT_COUNT),
	ROW_INT(16, struct worker_record, start_tries, LIMIT_COUNT),
	ROW_INT(17, struct worker_record, assigned_ms, INT64_MAX, .min = INT64_MIN),
	ROW_STRUCTS(18, struct worker_record, restarts, worker_restart, LIMIT_LIST_ITEMS),
	ROW_INT(19, struct worker_record, hooks_done, LIMIT_HOOKS),
};
RECORD_TYPE(worker_record, struct worker_record, record_fields);

static struct change encode(uint8_t kind, const struct record_type *type, const void *record)
{
	struct text text;
	text_init(&text, RECORD_BYTES_MAX);
	record_encode(type, record, &text);
	INVARIANT(!text.cut);
	struct change change = { .kind = kind };
	change.value_len = text.len;
	change.value = text_take(&text);
	return change;
}

static void put(struct worker *worker, const struct change *change)
{
	changes_begin_group(&worker->out->changes);
	changes_add(&worker->out->changes, change);
}

void worker_persist_template(struct worker *worker, const struct worker_template *template)
{
	struct change change = encode(RECORD_TEMPLATE, &sync_template_type, &template->sync);
	change_key_id_number(&change, template->sync.job.uuid, template->sync.revision);
	put(worker, &change);
}

void worker_persist_template_gone(struct worker *worker, const struct worker_template *template)
{
	struct change change = { .kind = RECORD_TEMPLATE };
	change_key_id_number(&change, template->sync.job.uuid, template->sync.revision);
	put(worker, &change);
}

void worker_persist_task_gone(struct worker *worker, struct task_id task)
{
	struct change change = { .kind = RECORD_ASSIGNMENT };
	change_key_id(&change, task.uuid);
	if (!PLANTED(PLANTED_RECORD_KEPT))
		put(worker, &change);
}

void worker_persist_meta(struct worker *worker)
{
	worker->meta_unsaved = false;
	struct change change = encode(RECORD_META, &worker_meta_type, &worker->meta);
	change_key_text(&change, "worker");
	put(worker, &change);
}

void worker_persist_turn(struct worker *worker)
{
	if (PLANTED(PLANTED_RESTLESS) && worker->task_first)
		worker_task_mark_unsaved(worker, worker->task_first);
	struct worker_task *task;
	while ((task = worker_take_unsaved(worker))) {
		struct worker_record record;
		char container_id[TASK_CONTAINER_ID_SIZE];
		worker_task_get_record(task, container_id, &record);
		struct change change = encode(RECORD_ASSIGNMENT, &worker_record_type, &record);
		change_key_id(&change, task->id.uuid);
		put(worker, &change);
	}
	if (worker->meta_unsaved)
		worker_persist_meta(worker);
}

static enum err_code replay_meta(struct worker *worker, const struct change *change,
				 struct err *err)
{
	struct worker_meta meta;
	if (record_decode(&worker_meta_type, change->value, change->value_len, &meta, err))
		return err_prefix(err, "the worker's own record");
	record_release(&worker_meta_type, &worker->meta);
	worker->meta = meta;
	return ERR_NONE;
}

static bool is_key_of(const struct change *change, struct task_id id)
{
	return !uuid_is_zero(id.uuid) && change->key_len == UUID_BYTES &&
	       !memcmp(change->key, id.uuid.bytes, UUID_BYTES);
}

/* What check.c holds true of every task; from disk it is an error, not an assertion. */
static bool is_sound(const struct worker_record *record)
{
	const struct task_observed *observed = &record->observed;
	bool final = task_is_final(observed->state);
	return uuid_equal(observed->task.uuid, record->desired.task.uuid) &&
	       observed->state != TASK_PENDING && record->attempt_first >= 1 &&
	       record->attempt_first <= observed->attempt + 1 &&
	       record->attempt_ran <= observed->attempt &&
	       record->attempt_signalled <= observed->attempt &&
	       record->wanted >= record->desired.wanted &&
	       IMPLIES(observed->state == TASK_RUNNING, record->attempt_ran == observed->attempt) &&
	       IMPLIES(observed->gone, final) && IMPLIES(observed->removed, observed->gone) &&
	       IMPLIES(observed->removed, record->attempt_first == observed->attempt + 1) &&
	       IMPLIES(observed->reason == REASON_EXIT_ZERO, observed->exit_code == 0) &&
	       IMPLIES(record->forgotten, record->wanted == TASK_WANT_REMOVE) &&
	       IMPLIES(record->ending_reason, record->ending_message);
}

static enum err_code replay_task(struct worker *worker, const struct change *change,
				 struct err *err)
{
	struct worker_record record;
	if (record_decode(&worker_record_type, change->value, change->value_len, &record, err))
		return err_prefix(err, "a task's record");
	struct task_id id = record.desired.task;
	const char *wrong = NULL;
	if (!worker_can_hold_record(&record))
		wrong = "a task's record counts too far";
	else if (!is_sound(&record) || !is_key_of(change, id))
		wrong = "a task's record contradicts itself";
	if (wrong) {
		record_release(&worker_record_type, &record);
		return err_set(err, ERR_DAMAGED, "%s", wrong);
	}
	struct worker_task *task = worker_task_get(worker, id);
	if (!task)
		task = worker_task_new(worker, id);
	else if (!task->forgotten)
		worker->digest -= worker_task_digest(task);
	worker_task_take_record(task, &record);
	if (!task->forgotten)
		worker->digest += worker_task_digest(task);
	return ERR_NONE;
}

static enum err_code replay_template(struct worker *worker, const struct change *change,
				     struct err *err)
{
	struct sync_template sync;
	if (record_decode(&sync_template_type, change->value, change->value_len, &sync, err))
		return err_prefix(err, "a template's record");
	worker_template_put(worker, &sync);
	record_release(&sync_template_type, &sync);
	return ERR_NONE;
}

/* A deletion in a log of changes; stores that replay only what is there never hand one over. */
static enum err_code replay_gone(struct worker *worker, const struct change *change)
{
	for (struct worker_task *task = worker->task_first, *next; task; task = next) {
		next = task->next;
		if (change->kind == RECORD_ASSIGNMENT && change->key_len == UUID_BYTES &&
		    !memcmp(change->key, task->id.uuid.bytes, UUID_BYTES))
			worker_task_delete(worker, task);
	}
	for (struct worker_template *template = worker->template_first, *next; template;
	     template = next) {
		next = template->next;
		struct change key;
		change_key_id_number(&key, template->sync.job.uuid, template->sync.revision);
		if (change->kind == RECORD_TEMPLATE && change->key_len == key.key_len &&
		    !memcmp(change->key, key.key, key.key_len))
			worker_template_delete(worker, template);
	}
	return ERR_NONE;
}

enum err_code worker_persist_replay(struct worker *worker, const struct change *change,
				    struct err *err)
{
	if (!change->value)
		return replay_gone(worker, change);
	switch (change->kind) {
	case RECORD_META: return replay_meta(worker, change, err);
	case RECORD_ASSIGNMENT: return replay_task(worker, change, err);
	case RECORD_TEMPLATE: return replay_template(worker, change, err);
	default:
		return err_set(err, ERR_DAMAGED, "a record of kind %d is not a worker's",
			       change->kind);
	}
}
