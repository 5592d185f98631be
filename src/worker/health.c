/* The health check that the worker makes itself (job/probe.h): when to ask, and what an answer means.
 *
 * 1. A container is asked only while it is known to run, at the address that its newest inspection showed, and at
 *    most once at a time: beside the task's action, for a question changes nothing.
 * 2. At most `probes_parallel` questions are under way; further tasks wait, first in first out. In the queue is only
 *    who could be asked at once: anybody else at its head would hold up all of them.
 * 3. What worker_health() gives is of the current attempt. One that an earlier life had found healthy is so until the
 *    check fails as often as it takes.
 * 4. After a failure the container is inspected before anything follows from it: who is paused is not ill, and who has
 *    ended has its own reason. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/limits.h"
#include "job/isolation.h"
#include "worker/worker_int.h"

#define LOOPBACK "127.0.0.1"
/* Docker's own network, of those that join none of the project's. */
#define NETWORK_DEFAULT "bridge"

static const struct probe *probe_of(const struct worker_task *task)
{
	return task->template ? task->template->sync.spec.probe : NULL;
}

/* ---- where ---- */

static bool is_bridge(const struct network_spec *network)
{
	return !network->driver || strcmp(network->driver, "bridge") == 0;
}

/* The first network that the machine is in too: that of another driver need not be. */
static const struct network_spec *network_of(const struct sync_template *sync)
{
	for (size_t i = 0; i < sync->networks.n; i++)
		if (is_bridge(&sync->networks.items[i]))
			return &sync->networks.items[i];
	return sync->networks.n ? &sync->networks.items[0] : NULL;
}

static bool is_of_the_machine(const struct worker_task *task)
{
	return job_spec_isolation(&task->template->sync.spec)->network_mode == NETWORK_MODE_HOST;
}

void worker_health_want_address(struct worker_task *task, struct container_action *inspect)
{
	struct worker_doing *doing = worker_make_doing(task);
	if (!probe_of(task) || is_of_the_machine(task))
		return;
	const struct sync_template *sync = &task->template->sync;
	const struct network_spec *network = network_of(sync);
	base_free(doing->resource_name);
	doing->resource_name = network ? container_network_name(sync->project, network)
				       : base_strdup(NETWORK_DEFAULT);
	inspect->resource_name = doing->resource_name;
}

/* ---- turns ---- */

static void leave_queue(struct worker *worker, struct worker_health *health)
{
	*(health->queue_prev ? &health->queue_prev->queue_next : &worker->probe_first) =
		health->queue_next;
	*(health->queue_next ? &health->queue_next->queue_prev : &worker->probe_last) =
		health->queue_prev;
	health->queue_prev = health->queue_next = NULL;
	health->in_queue = false;
}

static void wake_first(struct worker *worker)
{
	if (worker->probe_first && worker->n_probes < worker->options.probes_parallel)
		worker_task_mark_dirty(worker, worker->probe_first->task);
}

static void give_up_turn(struct worker *worker, struct worker_health *health)
{
	if (!health->in_queue)
		return;
	leave_queue(worker, health);
	wake_first(worker);
}

static bool take_turn(struct worker *worker, struct worker_health *health)
{
	if (!health->in_queue) {
		health->in_queue = true;
		health->queue_prev = worker->probe_last;
		*(worker->probe_last ? &worker->probe_last->queue_next : &worker->probe_first) =
			health;
		worker->probe_last = health;
	}
	if (worker->probe_first != health || worker->n_probes >= worker->options.probes_parallel)
		return false;
	leave_queue(worker, health);
	return true;
}

/* ---- when ---- */

static bool in_start_period(const struct worker_task *task, int64_t at_ms)
{
	return worker_health(task)->status == HEALTH_STARTING &&
	       at_ms < task->started_ms + probe_of(task)->start_period_ms;
}

static int64_t interval_ms(const struct worker *worker, const struct worker_task *task)
{
	const struct probe *probe = probe_of(task);
	return in_start_period(task, worker->now_ms) ? probe_start_interval_ms(probe)
						     : probe_interval_ms(probe);
}

/* Tasks that begin together are spread: over half of the interval, or all of it where the container runs already. */
static int64_t first_wait_ms(const struct worker *worker, const struct worker_task *task)
{
	/* The second half of an id is drawn; the first is a time, and clocks decide nothing here. */
	const struct uuid *id = &task->id.uuid;
	uint64_t share = hash_bytes(HASH_START, id->bytes + UUID_BYTES / 2, UUID_BYTES / 2);
	int64_t interval = interval_ms(worker, task);
	if (worker_health(task)->adopted)
		return (int64_t)(share % (uint64_t)interval);
	return interval - (int64_t)(share % (uint64_t)(interval / 2 + 1));
}

static void begin(struct worker_task *task)
{
	const struct observed_half *observed = &task->observed;
	bool known = observed->state == TASK_RUNNING && task->attempt_ran == observed->attempt;
	struct worker_health *health = base_calloc(1, sizeof(*health));
	health->task = task;
	health->adopted = known;
	health->status =
		known && observed->health == HEALTH_HEALTHY ? HEALTH_HEALTHY : HEALTH_STARTING;
	worker_make_rare(task)->health = health;
}

int worker_health_of(struct worker_task *task)
{
	if (!probe_of(task))
		return task->seen_health;
	/* Decided, also by an earlier life. */
	if (task->ending_reason)
		return task->observed.health;
	if (!worker_health(task))
		begin(task);
	struct worker_health *health = worker_health(task);
	if (task->container == CONTAINER_PAUSED)
		health->failures = health->failures_in_row = 0;
	if (health->failures >= probe_retries(probe_of(task)))
		health->status = HEALTH_UNHEALTHY;
	return health->status;
}

void worker_health_end(struct worker *worker, struct worker_task *task)
{
	struct worker_health *health = worker_health(task);
	if (!health)
		return;
	if (health->op)
		worker_op_drop(worker, health->op);
	if (health->in_queue)
		leave_queue(worker, health);
	wake_first(worker);
	base_free(health->words);
	base_free(health);
	task->rare->health = NULL;
}

/* ---- asking ---- */

static void ask(struct worker *worker, struct worker_task *task)
{
	const struct probe *probe = probe_of(task);
	const char *address = is_of_the_machine(task) ? LOOPBACK : worker_rare(task)->address;
	struct container_action *action =
		worker_op_begin_probe(worker, task, probe_timeout_ms(probe));
	action->address = address;
	worker_health(task)->asked_ms = worker->now_ms;
}

static bool may_be_asked(const struct worker *worker, const struct worker_task *task)
{
	return worker->runtime_up && worker->listed && worker_health(task) && probe_of(task) &&
	       worker_task_is_live(task) && task->wanted == TASK_WANT_RUN && !task->ending_reason &&
	       task->observed.state == TASK_RUNNING;
}

static void fail(struct worker *worker, struct worker_task *task, const char *words);

void worker_health_advance(struct worker *worker, struct worker_task *task)
{
	const struct worker_doing *doing = worker_doing(task);
	struct worker_health *health = worker_health(task);
	if (!may_be_asked(worker, task)) {
		if (health)
			give_up_turn(worker, health);
		return;
	}
	if (health->op)
		return;
	if (!health->next_ms)
		health->next_ms = worker->now_ms + first_wait_ms(worker, task);
	if (worker->now_ms < health->next_ms) {
		worker_due_sooner(worker, task, health->next_ms);
		return;
	}
	bool can_look = !doing->op && worker->now_ms >= doing->not_before_ms;
	bool can_ask = task->container == CONTAINER_RUNNING &&
		       (worker_rare(task)->address || is_of_the_machine(task));
	if (!can_ask)
		give_up_turn(worker, health);
	if (task->container == CONTAINER_PAUSED && can_look) {
		/* Nobody tells when it goes on. */
		health->next_ms = worker->now_ms + interval_ms(worker, task);
		worker_task_inspect(worker, task);
	} else if (task->container == CONTAINER_RUNNING && !can_ask) {
		health->asked_ms = worker->now_ms;
		fail(worker, task, "found no address of the container");
		worker_due_sooner(worker, task, worker->now_ms);
	} else if (can_ask && take_turn(worker, health)) {
		ask(worker, task);
		wake_first(worker);
	}
}

/* ---- answers ---- */

char *worker_health_told(const struct worker_task *task)
{
	const struct worker_health *health = worker_health(task);
	char *what = probe_told(probe_of(task));
	char *told = health->failures_in_row > 1
			     ? worker_sentence("health check %s %s, %lld times in a row", what,
					       health->words, (long long)health->failures_in_row)
			     : worker_sentence("health check %s %s", what, health->words);
	base_free(what);
	return told;
}

/* What `drover why` says of a task that runs. Takes `message`. */
static void show(struct worker *worker, struct worker_task *task, char *message)
{
	const struct observed_half *observed = &task->observed;
	bool news = observed->state == TASK_RUNNING && observed->reason == REASON_RUNNING &&
		    strcmp(worker_task_message(task), message) != 0;
	if (news)
		worker_task_show(worker, task, REASON_RUNNING, message);
	else
		base_free(message);
}

static void pass(struct worker *worker, struct worker_task *task)
{
	struct worker_health *health = worker_health(task);
	health->status = HEALTH_HEALTHY;
	health->failures = health->failures_in_row = 0;
	string_set(&health->words, NULL);
	health->next_ms = worker->now_ms + interval_ms(worker, task);
	show(worker, task, worker_sentence("running"));
}

static void fail(struct worker *worker, struct worker_task *task, const char *words)
{
	struct worker_health *health = worker_health(task);
	health->failures_in_row++;
	if (!in_start_period(task, health->asked_ms))
		health->failures++;
	string_set(&health->words, words);
	health->next_ms = worker->now_ms + interval_ms(worker, task);
	task->look = true;
	char *told = worker_health_told(task);
	show(worker, task, worker_sentence("running; %s", told));
	base_free(told);
}

/* Whether the container is well nobody knows: it is asked again in its time. */
static void note_unasked(struct worker *worker, struct worker_task *task, const char *words)
{
	worker_health(task)->next_ms = worker->now_ms + interval_ms(worker, task);
	if (!words || worker_health(task)->unasked_told)
		return;
	worker_health(task)->unasked_told = true;
	char label[TASK_LABEL_SIZE];
	char *what = probe_told(probe_of(task));
	notes_add(&worker->out->notes, "%s health check %s %s", worker_task_label(task, label),
		  what, words);
	base_free(what);
}

void worker_health_result(struct worker *worker, struct worker_task *task,
			  const struct container_result *result)
{
	wake_first(worker);
	worker_task_mark_dirty(worker, task);
	if (!may_be_asked(worker, task))
		return;
	switch (result->fault) {
	case FAULT_NONE: pass(worker, task); break;
	case FAULT_CHECK_FAILED:
		fail(worker, task, result->message ? result->message : "failed");
		break;
	case FAULT_FAILED: note_unasked(worker, task, result->message); break;
	default: note_unasked(worker, task, NULL); break;
	}
}
