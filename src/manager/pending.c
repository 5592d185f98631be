/* Tasks that wait for a node: behind a gate, until their back-off is over, or queued in their class. A task that is on
 * a silent node waits here too, for its replacement.
 *
 * Invariants: every Pending task of a job that is wanted has one struct pending; a queue item is live while its stamp
 * is that of its task's struct pending; class->n counts the live items of a class. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"

/* Tasks that the brake may hold are classes of their own, so that it holds nobody else up. */
#define LOST_CLASS   0x9e3779b97f4a7c15u
#define FENCED_CLASS 0xc2b2ae3d27d4eb4fu

struct pending *pending_get(const struct manager *manager, struct task_id task)
{
	return map_get(&manager->pending, task.uuid);
}

struct pending *pending_of(const struct manager *manager, const struct queue_item *item)
{
	struct pending *pending = map_get(&manager->pending, item->id);
	return pending && pending->stamp == item->stamp ? pending : NULL;
}

void pending_model(const struct manager *manager, const struct task *task, bool lost,
		   struct task *ret_model)
{
	*ret_model = *task;
	if (!lost)
		return;
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	ret_model->desired.revision = (int32_t)successor_revision(entry, task)->number;
	ret_model->desired.node = (struct node_id){ { { 0 } } };
	ret_model->rare = NULL;
	ret_model->state = TASK_PENDING;
}

static void push_timed(struct manager *manager, struct pending *pending)
{
	pending->where = PENDING_TIMED;
	pending->stamp = ++manager->stamp;
	if (pending->due_ms != INT64_MAX)
		queue_push(
			&manager->timed,
			(struct queue_item){ pending->due_ms, pending->task.uuid, pending->stamp });
}

/* Its container may still run, and no second one may. */
static void wait_for_lease(struct manager *manager, struct pending *pending,
			   const struct task *task)
{
	push_timed(manager, pending);
	struct text told;
	char name[TASK_NAME_SIZE];
	text_init(&told, LIMIT_MESSAGE_BYTES);
	lease_tell(manager, task, &told);
	notes_add(&manager->out->notes, "%s waits: %s",
		  cluster_task_name(&manager->cluster, task, name), text_string(&told));
	text_release(&told);
}

void pending_add(struct manager *manager, struct task *task, bool lost)
{
	PRE(!pending_get(manager, task->desired.id));
	struct pending *pending = base_calloc(1, sizeof(*pending));
	pending->task = task->desired.id;
	pending->lost = lost;
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	pending->revision = lost ? successor_revision(entry, task)->number : task->desired.revision;
	pending->due_ms = INT64_MIN;
	pending->deadline_ms = INT64_MAX;
	map_put(&manager->pending, pending->task.uuid, pending);
	int64_t now_ms = manager->in->now_ms;
	if (lost) {
		pending->due_ms = lease_over_ms(manager, task);
		if (pending->due_ms > now_ms)
			wait_for_lease(manager, pending, task);
		else
			pending_enqueue(manager, pending);
		return;
	}
	const struct task *old = cluster_task(&manager->cluster, task_rare(task)->replaces);
	pending->moves = old && !task_is_final(old->state);
	pending->fenced = old && old->desired.written_off;
	if (task_rare(task)->not_before_ms)
		pending->due_ms = now_ms + wall_left_ms(manager, task_rare(task)->not_before_ms,
							BACKOFF_MAX_MS + BACKOFF_MAX_MS / 5);
	int64_t deadline_ms = cluster_task_spec(&manager->cluster, task)->placement_deadline_ms;
	if (!deadline_ms)
		return;
	pending->deadline_ms =
		now_ms +
		wall_left_ms(manager, task->desired.created_wall_ms + deadline_ms, deadline_ms);
	manager->n_deadlines++;
	queue_push(&manager->deadlines,
		   (struct queue_item){ pending->deadline_ms, pending->task.uuid, 0 });
}

static void leave_class(struct manager *manager, struct pending *pending)
{
	struct task_class *class = pending->class;
	if (!class)
		return;
	pending->class = NULL;
	pending->stamp = 0;
	class->n--;
	if (class->parked)
		manager->n_parked--;
}

void pending_drop(struct manager *manager, struct task_id task)
{
	struct pending *pending = map_remove(&manager->pending, task.uuid);
	if (!pending)
		return;
	leave_class(manager, pending);
	if (pending->deadline_ms != INT64_MAX)
		manager->n_deadlines--;
	base_free(pending);
}

void pending_gate(struct manager *manager, struct task *task, const char *message)
{
	struct pending *pending = pending_get(manager, task->desired.id);
	PRE(pending);
	leave_class(manager, pending);
	if (pending->where != PENDING_GATED) {
		char name[TASK_NAME_SIZE];
		notes_add(&manager->out->notes, "%s %s",
			  cluster_task_name(&manager->cluster, task, name), message);
	}
	pending->where = PENDING_GATED;
	pending->stamp = 0;
	task_set_waiting(manager, task, REASON_WAITS_DEPENDENCY, message);
}

static struct task_class *class_of(struct manager *manager, uint64_t hash)
{
	struct uuid key = key_of_number(hash);
	struct task_class *class = map_get(&manager->classes, key);
	if (class)
		return class;
	class = base_calloc(1, sizeof(*class));
	class->hash = hash;
	map_put(&manager->classes, key, class);
	return class;
}

void class_unpark(struct manager *manager, struct task_class *class)
{
	if (!class->parked)
		return;
	class->parked = false;
	class->paced = false;
	manager->n_parked -= class->n;
}

void class_delete(struct manager *manager, struct task_class *class)
{
	PRE(class->n == 0);
	map_remove(&manager->classes, key_of_number(class->hash));
	queue_release(&class->queue);
	base_free(class->message);
	base_free(class);
}

/* What `why` says of a task that is queued or parked. */
static void say_queued(struct manager *manager, struct task *task, const struct task_class *class)
{
	if (class->parked)
		task_set_waiting(manager, task, class->reason, class->message);
	else
		task_set_waiting(manager, task, REASON_QUEUED, "waits for its turn in the queue");
}

bool pending_is_paced(const struct pending *pending)
{
	return pending->lost || pending->fenced;
}

static uint64_t brake_of(const struct pending *pending)
{
	if (pending->lost)
		return LOST_CLASS;
	return pending->fenced ? FENCED_CLASS : 0;
}

void pending_enqueue(struct manager *manager, struct pending *pending)
{
	struct task *task = cluster_task(&manager->cluster, pending->task);
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	int64_t priority = job_entry_current(entry)->spec.priority;
	if (pending->class && pending->priority == priority)
		return;
	leave_class(manager, pending);
	struct task model;
	pending_model(manager, task, pending->lost, &model);
	uint64_t hash = scheduler_class(&manager->cluster, &model);
	struct task_class *class = class_of(manager, hash ^ brake_of(pending));
	if (pending->where != PENDING_QUEUED)
		pending->since_ms = manager->in->now_ms;
	pending->where = PENDING_QUEUED;
	pending->priority = priority;
	pending->class = class;
	pending->stamp = ++manager->stamp;
	class->n++;
	if (class->parked)
		manager->n_parked++;
	queue_push(&class->queue,
		   (struct queue_item){ -priority, pending->task.uuid, pending->stamp });
	if (!pending->lost)
		say_queued(manager, task, class);
}

void pending_class_anew(struct manager *manager, const struct job_entry *entry)
{
	for (size_t i = 0; i < entry->tasks.n; i++) {
		struct pending *pending = pending_get(manager, entry->tasks.items[i]->desired.id);
		if (!pending || !pending->class)
			continue;
		leave_class(manager, pending);
		pending_enqueue(manager, pending);
	}
}

/* So many of a job's newest tasks are looked at for the start that failed. */
#define LOOK_BACK_TASKS 4096

/* The start that failed last: of the task that is replaced, unless that one runs on until its successor is ready, and
 * what failed are the successors before this one. NULL: it is not kept. */
static const struct task *failed_before(const struct manager *manager, const struct task *task)
{
	const struct task *old = cluster_task(&manager->cluster, task_rare(task)->replaces);
	if (old && task_is_final(old->state))
		return old;
	const struct task_list *tasks = &cluster_job_of(&manager->cluster, task)->tasks;
	for (size_t i = tasks->n; i > 0 && tasks->n - i < LOOK_BACK_TASKS; i--) {
		const struct task *one = tasks->items[i - 1];
		if (one->desired.slot == task->desired.slot && one->state == TASK_FAILED &&
		    uuid_compare(one->desired.id.uuid, task->desired.id.uuid) < 0)
			return one;
	}
	return NULL;
}

static void wait_for_time(struct manager *manager, struct pending *pending, struct task *task)
{
	if (pending->where == PENDING_TIMED)
		return;
	push_timed(manager, pending);
	char message[LIMIT_MESSAGE_BYTES];
	char sentence[TASK_SENTENCE_SIZE];
	const struct task *old = failed_before(manager, task);
	text_print(message, sizeof(message), "%lld %s in a row failed, the last one: %s",
		   (long long)task_rare(task)->start_failures,
		   task_rare(task)->start_failures == 1 ? "start" : "starts",
		   old ? cluster_task_sentence(&manager->cluster, old, sentence) : "not kept");
	task_set_waiting(manager, task, REASON_WAITS_BACKOFF, message);
}

void pending_settle(struct manager *manager, struct task *task)
{
	struct pending *pending = pending_get(manager, task->desired.id);
	PRE(pending);
	if (pending->due_ms > manager->in->now_ms)
		wait_for_time(manager, pending, task);
	else
		pending_enqueue(manager, pending);
}

void pending_due(struct manager *manager)
{
	struct queue *timed = &manager->timed;
	while (timed->n && timed->items[0].key <= manager->in->now_ms) {
		struct pending *pending = pending_of(manager, &timed->items[0]);
		queue_pop(timed);
		if (pending)
			pending_enqueue(manager, pending);
	}
}

/* The task an item of the queue of deadlines stands for; NULL: it was placed or is gone. */
static struct task *deadline_task(struct manager *manager, const struct queue_item *item)
{
	const struct pending *pending = map_get(&manager->pending, item->id);
	if (!pending || pending->deadline_ms != item->key)
		return NULL;
	return cluster_task(&manager->cluster, pending->task);
}

static void miss_deadline(struct manager *manager, struct task *task)
{
	struct text message;
	char sentence[TASK_SENTENCE_SIZE];
	text_init(&message, LIMIT_MESSAGE_BYTES);
	text_add(&message, "not placed within ");
	text_add_duration(&message,
			  cluster_task_spec(&manager->cluster, task)->placement_deadline_ms);
	text_addf(&message, ": %s", cluster_task_sentence(&manager->cluster, task, sentence));
	task_verdict(manager, task, TASK_FAILED, REASON_PLACEMENT_DEADLINE, text_string(&message));
	text_release(&message);
}

void pending_deadlines(struct manager *manager)
{
	struct queue *deadlines = &manager->deadlines;
	while (deadlines->n && deadlines->items[0].key <= manager->in->now_ms) {
		struct task *task = deadline_task(manager, &deadlines->items[0]);
		queue_pop(deadlines);
		if (task)
			miss_deadline(manager, task);
	}
	/* Items of tasks that were placed would otherwise stay until their time. */
	if (deadlines->n < 64 || deadlines->n / 2 < manager->n_deadlines)
		return;
	struct queue kept = { 0 };
	for (size_t i = 0; i < deadlines->n; i++)
		if (deadline_task(manager, &deadlines->items[i]))
			queue_push(&kept, deadlines->items[i]);
	queue_release(deadlines);
	*deadlines = kept;
}

int64_t pending_deadline(struct manager *manager)
{
	while (manager->timed.n && !pending_of(manager, &manager->timed.items[0]))
		queue_pop(&manager->timed);
	while (manager->deadlines.n && !deadline_task(manager, &manager->deadlines.items[0]))
		queue_pop(&manager->deadlines);
	int64_t next_ms = manager->timed.n ? manager->timed.items[0].key : INT64_MAX;
	if (manager->deadlines.n && manager->deadlines.items[0].key < next_ms)
		next_ms = manager->deadlines.items[0].key;
	return next_ms;
}
