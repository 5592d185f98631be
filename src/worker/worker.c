/* The worker's life and its step.
 *
 * 1. A step takes all events in, converges every task marked dirty, then saves and publishes:
 *    what is published is what is saved.
 * 2. Nothing is begun before the runtime was listed once in this life, so that containers of an
 *    earlier life are adopted and never doubled.
 * 3. All tasks stand in the index and in the list, in order of arrival; decisions follow the list. */
#include "worker/worker.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "worker/worker_int.h"

void worker_options_default(struct worker_options *options)
{
	*options = (struct worker_options){
		.starts_parallel = 4,
		.beat_ms = LIMIT_BEAT_MS,
		.list_ms = 10 * 1000,
		.list_each_ms = 10,
		.pull_timeout_ms = 10 * 60 * 1000,
		.call_timeout_ms = 30 * 1000,
		.backoff_first_ms = 1000,
		.backoff_max_ms = 5 * 60 * 1000,
		.stable_ms = 10 * 1000,
		.dead_containers_kept = 2,
		.probes_parallel = LIMIT_PROBES,
		.orphan_grace_ms = 5 * 1000,
	};
}

void worker_out_clear(struct worker_out *out)
{
	changes_clear(&out->changes);
	out->n_actions = 0;
	out->n_dropped = 0;
	if (out->has_up)
		record_release(&sync_up_type, &out->up);
	out->has_up = false;
	out->sweep_files = false;
	notes_clear(&out->notes);
	out->deadline_ms = NEVER_MS;
}

void worker_out_release(struct worker_out *out)
{
	worker_out_clear(out);
	changes_release(&out->changes);
	base_free(out->actions);
	base_free(out->dropped);
	notes_release(&out->notes);
	*out = (struct worker_out){ 0 };
}

struct worker *worker_new(const struct worker_options *options)
{
	PRE(options->starts_parallel > 0);
	PRE(options->beat_ms > 0);
	PRE(options->list_ms > 0);
	PRE(options->list_each_ms >= 0);
	PRE(options->backoff_first_ms > 0);
	PRE(options->backoff_max_ms >= options->backoff_first_ms);
	PRE(options->dead_containers_kept >= 0);
	struct worker *worker = base_calloc(1, sizeof(*worker));
	worker->options = *options;
	return worker;
}

static void take_back_lent(struct worker *worker)
{
	while (worker->n_lent)
		base_free(worker->lent[--worker->n_lent]);
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	take_back_lent(worker);
	while (worker->n_ops)
		worker_op_end(worker, worker->ops[0].op);
	while (worker->task_first)
		worker_task_delete(worker, worker->task_first);
	/* Of those that were in a queue something is left there. */
	struct worker_task *left = worker_take_dirty(worker);
	POST(!left);
	left = worker_take_unsaved(worker);
	POST(!left);
	while (worker->template_first)
		worker_template_delete(worker, worker->template_first);
	worker_strays_free(worker);
	worker_leftovers_release(&worker->networks);
	worker_leftovers_release(&worker->volumes);
	worker_contents_release(worker);
	map_release(&worker->templates);
	id_index_release(&worker->tasks);
	worker_queue_release(&worker->dirty);
	worker_queue_release(&worker->unsaved);
	worker_news_release(&worker->news);
	record_release(&worker_meta_type, &worker->meta);
	record_release(&node_facts_type, &worker->facts);
	base_free(worker->ops);
	base_free(worker->due);
	base_free(worker->lent);
	base_free(worker);
}

const char *worker_task_label(const struct worker_task *task, char out[TASK_LABEL_SIZE])
{
	if (!task->template)
		return text_print(out, TASK_LABEL_SIZE, "a task in slot %lld",
				  (long long)task->slot);
	const struct sync_template *sync = &task->template->sync;
	return text_print(out, TASK_LABEL_SIZE, "%s/%s.%lld", sync->project ? sync->project : "",
			  sync->name ? sync->name : "", (long long)task->slot);
}

void worker_task_mark_dirty(struct worker *worker, struct worker_task *task)
{
	if (task->dirty)
		return;
	task->dirty = true;
	worker_queue_add(&worker->dirty, task);
}

void worker_task_mark_unsaved(struct worker *worker, struct worker_task *task)
{
	if (task->unsaved)
		return;
	task->unsaved = true;
	worker_queue_add(&worker->unsaved, task);
}

static void free_if_nowhere(struct worker_task *task)
{
	if (task->deleted && !task->dirty && !task->unsaved)
		base_free(task);
}

struct worker_task *worker_take_dirty(struct worker *worker)
{
	while (!worker_queue_is_empty(&worker->dirty)) {
		struct worker_task *task = worker_queue_take(&worker->dirty);
		task->dirty = false;
		if (!task->deleted)
			return task;
		free_if_nowhere(task);
	}
	return NULL;
}

struct worker_task *worker_take_unsaved(struct worker *worker)
{
	while (!worker_queue_is_empty(&worker->unsaved)) {
		struct worker_task *task = worker_queue_take(&worker->unsaved);
		task->unsaved = false;
		if (!task->deleted)
			return task;
		free_if_nowhere(task);
	}
	return NULL;
}

struct worker_task *worker_task_get(const struct worker *worker, struct task_id id)
{
	return id_index_get(&worker->tasks, id.uuid);
}

bool worker_task_is_live(const struct worker_task *task)
{
	return !task_is_final(task->observed.state);
}

struct worker_task *worker_task_new(struct worker *worker, struct task_id id)
{
	PRE(!worker_task_get(worker, id));
	struct worker_task *task = base_calloc(1, sizeof(*task));
	task->id = id;
	task->attempt_first = 1;
	task->observed.state = TASK_SCHEDULED;
	task->observed.exit_code = -1;
	task->container = CONTAINER_UNKNOWN;
	task->old_container = CONTAINER_UNKNOWN;
	task->prev = worker->task_last;
	if (worker->task_last)
		worker->task_last->next = task;
	else
		worker->task_first = task;
	worker->task_last = task;
	id_index_add(&worker->tasks, task);
	return task;
}

void worker_task_delete(struct worker *worker, struct worker_task *task)
{
	PRE(!worker_doing(task)->op);
	worker_health_end(worker, task);
	worker_start_release(worker, task);
	worker_report_unlink(worker, task);
	worker_due_set(worker, task, NEVER_MS);
	if (!task->forgotten)
		worker->digest -= worker_task_digest(task);
	worker_task_unbind_template(worker, task);
	*(task->prev ? &task->prev->next : &worker->task_first) = task->next;
	*(task->next ? &task->next->prev : &worker->task_last) = task->prev;
	id_index_remove(&worker->tasks, task);
	worker_task_release_record(task);
	worker->running_counted = false;
	worker_doing_free(task);
	task->deleted = true;
	free_if_nowhere(task);
}

enum err_code worker_replay(struct worker *worker, const struct change *change, struct err *err)
{
	PRE(!worker->started);
	return worker_persist_replay(worker, change, err);
}

/* Everything that was started before this boot ended with it, and times of an earlier boot say
 * nothing. */
static void note_machine_restart(struct worker *worker, struct worker_task *task)
{
	if (!worker_task_is_live(task))
		return;
	task->machine_restarted = task->observed.attempt > 0;
	task->started_ms = 0;
	worker_task_set_restart_at(task, 0);
	task->assigned_ms = worker->now_ms;
	if (task->rare) {
		base_free(task->rare->restarts.items);
		task->rare->restarts.items = NULL;
		task->rare->restarts.n = 0;
	}
	worker_task_mark_unsaved(worker, task);
}

static void begin_turn(struct worker *worker, const struct worker_in *in, struct worker_out *out)
{
	worker_out_clear(out);
	take_back_lent(worker);
	worker->out = out;
	worker->now_ms = in->now_ms;
	worker->wall_ms = in->wall_ms;
	worker->random.state += in->seed;
}

/* The id that was given, that of the store, or a new one. */
static enum err_code settle_node(struct worker *worker, int64_t wall_ms, struct err *err)
{
	struct uuid given = worker->options.node.uuid;
	struct uuid *stored = &worker->meta.node.uuid;
	char given_text[UUID_TEXT_SIZE], stored_text[UUID_TEXT_SIZE];
	if (!uuid_is_zero(*stored) && !uuid_is_zero(given) && !uuid_equal(*stored, given) &&
	    !worker_removal_renew(worker, worker->options.node))
		return err_set(err, ERR_CONFLICT,
			       "the data here is that of node %s, but this worker is to be node %s",
			       uuid_format(*stored, stored_text), uuid_format(given, given_text));
	if (uuid_is_zero(*stored))
		*stored = uuid_is_zero(given) ? uuid_make(&worker->random, wall_ms) : given;
	return ERR_NONE;
}

enum err_code worker_start(struct worker *worker, const struct worker_in *in, const char *boot_id,
			   struct worker_out *out, struct err *err)
{
	PRE(!worker->started);
	if (!boot_id || !*boot_id)
		return err_set(err, ERR_INVALID, "the machine has no boot id");
	begin_turn(worker, in, out);
	enum err_code code = settle_node(worker, in->wall_ms, err);
	if (code)
		return code;
	worker->started = true;
	/* Beside the worker's own numbers, which decide what it does. */
	struct random of_life = { .state = ~in->seed };
	worker->instance = uuid_make(&of_life, in->wall_ms);
	bool machine_restarted = worker->meta.boot_id && strcmp(worker->meta.boot_id, boot_id) != 0;
	string_set(&worker->meta.boot_id, boot_id);
	worker->number_next = worker->meta.numbers_ceiling > 0 ? worker->meta.numbers_ceiling : 1;
	worker->meta.numbers_ceiling = worker->number_next + NUMBERS_RESERVED;
	worker->meta_unsaved = true;
	worker->want_full = true;
	worker_list_now(worker);
	worker->beat_at_ms = in->now_ms;
	worker_lease_start(worker, machine_restarted);
	size_t n = 0;
	for (struct worker_task *task = worker->task_first; task; task = task->next, n++) {
		worker_task_bind_template(worker, task);
		if (machine_restarted)
			note_machine_restart(worker, task);
		worker_task_mark_dirty(worker, task);
	}
	worker_report_all_again(worker);
	worker_removal_start(worker);
	if (n)
		notes_add(&out->notes, "worker starts with %zu tasks%s", n,
			  machine_restarted ? "; the machine was restarted" : "");
	worker_persist_turn(worker);
	out->deadline_ms = in->now_ms;
	worker->out = NULL;
	return ERR_NONE;
}

static void set_runtime(struct worker *worker, bool up)
{
	worker->runtime_up = up;
	worker->send = true;
	for (struct worker_task *task = worker->task_first; task; task = task->next) {
		int reason = task->observed.reason;
		if (up) {
			worker_task_forget_container(task);
			worker_task_not_before(task, 0);
			if (reason == REASON_RUNTIME_AWAY)
				worker_task_show(worker, task, REASON_ASSIGNED,
						 worker_sentence("waits to be started"));
		} else if (reason == REASON_ASSIGNED || reason == REASON_PULLING ||
			   reason == REASON_STARTING) {
			worker_task_show(worker, task, REASON_RUNTIME_AWAY,
					 worker_sentence("Docker does not answer"));
		}
		worker_task_mark_dirty(worker, task);
	}
}

static void take_runtime_up(struct worker *worker, uint64_t daemon_instance)
{
	if (!worker->runtime_up)
		notes_add(&worker->out->notes, "Docker answers");
	worker->runtime_heard = true;
	worker->daemon_instance = daemon_instance;
	worker_list_now(worker);
	set_runtime(worker, true);
}

static void take_runtime_down(struct worker *worker)
{
	if (!worker->runtime_up && worker->runtime_heard)
		return;
	worker->runtime_heard = true;
	notes_add(&worker->out->notes, "Docker does not answer");
	set_runtime(worker, false);
}

static void take_session(struct worker *worker, bool open)
{
	worker->session = open && worker->meta.removal == WORKER_REMOVAL_NONE;
	if (!worker->session)
		return;
	worker->send = true;
	/* Docker may be about to answer: a machine that has not asked it is not one without it. */
	if (!worker->runtime_heard)
		worker->beat_at_ms = worker->now_ms + worker->options.beat_ms;
	worker->report_sent = 0;
	worker->report_acked = 0;
	worker->report_awaits_ack = false;
	worker->ask_full_at_ms = worker->now_ms;
	worker->facts_unacked = worker->has_facts;
	worker->facts_reported_in = 0;
	worker_list_now(worker);
}

static void take_facts(struct worker *worker, const struct node_facts *facts)
{
	if (worker->has_facts && record_equal(&node_facts_type, &worker->facts, facts))
		return;
	record_release(&node_facts_type, &worker->facts);
	record_copy(&node_facts_type, &worker->facts, facts);
	worker->has_facts = true;
	worker->facts_unacked = true;
	worker->facts_reported_in = 0;
	worker->send = true;
}

static void take_event(struct worker *worker, const struct worker_event *event)
{
	switch (event->kind) {
	case WORKER_SESSION_OPENED: take_session(worker, true); break;
	case WORKER_SESSION_CLOSED: take_session(worker, false); break;
	case WORKER_SYNC_DOWN: worker_desired_take(worker, event->down); break;
	case WORKER_RUNTIME_UP: take_runtime_up(worker, event->daemon_instance); break;
	case WORKER_RUNTIME_DOWN: take_runtime_down(worker); break;
	case WORKER_ACTION_DONE: worker_result_take(worker, event->result); break;
	case WORKER_HINT: worker_result_hint(worker, event->name); break;
	case WORKER_FACTS: take_facts(worker, event->facts); break;
	case WORKER_STATS:
		worker->has_stats = true;
		worker->stats = *event->stats;
		break;
	case WORKER_REMOVED: worker_removal_told(worker); break;
	case WORKER_PULLING: worker_start_pulling(worker, event->op); break;
	default: UNREACHABLE("no such event");
	}
}

/* What finds no room among the actions stays dirty; the next answer makes a turn. */
static void converge_dirty(struct worker *worker)
{
	struct worker_task *task;
	while (worker_ops_have_room(worker) && (task = worker_take_dirty(worker)))
		worker_task_converge(worker, task);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t deadline_ms(const struct worker *worker)
{
	int64_t at_ms = earlier(worker_due_first_ms(worker), worker_report_due_ms(worker));
	for (size_t i = 0; i < worker->n_ops; i++)
		at_ms = earlier(at_ms, worker->ops[i].expires_ms);
	if (!worker->runtime_up)
		return at_ms;
	at_ms = earlier(at_ms, worker->lease_at_ms);
	/* A stray that went makes its task dirty after the tasks had their turn. */
	if (!worker_queue_is_empty(&worker->dirty) && worker_ops_have_room(worker))
		return worker->now_ms;
	at_ms = earlier(at_ms, worker_strays_due_ms(worker));
	at_ms = earlier(at_ms, worker_leftovers_due_ms(worker));
	if (!worker->list_op && !uuid_is_zero(worker->meta.cluster))
		at_ms = earlier(at_ms, worker->list_at_ms);
	return at_ms;
}

void worker_step(struct worker *worker, const struct worker_in *in, struct worker_out *out)
{
	PRE(worker->started);
	begin_turn(worker, in, out);
	for (size_t i = 0; i < in->n_events; i++)
		take_event(worker, &in->events[i]);
	worker_result_expire(worker);
	worker_due_take(worker);
	worker_leases_look(worker);
	worker_contents_settle(worker);
	worker_list_advance(worker);
	converge_dirty(worker);
	if (worker->runtime_up) {
		worker_strays_advance(worker);
		worker_leftovers_advance(worker);
	}
	worker_removal_advance(worker);
	worker_report_publish(worker);
	worker_persist_turn(worker);
	worker_templates_trim(worker);
	out->deadline_ms = deadline_ms(worker);
	worker->out = NULL;
}

struct node_id worker_node_id(const struct worker *worker)
{
	return worker->meta.node;
}

struct uuid worker_cluster_id(const struct worker *worker)
{
	return worker->meta.cluster;
}

bool worker_has_terminal(const struct worker *worker, struct task_id id)
{
	const struct worker_task *task = worker_task_get(worker, id);
	return task && task->template && job_spec_extras(&task->template->sync.spec)->terminal;
}

bool worker_container_of(const struct worker *worker, struct task_id id, int64_t attempt,
			 char out[CONTAINER_NAME_SIZE])
{
	const struct worker_task *task = worker_task_get(worker, id);
	if (!task)
		return false;
	if (!attempt)
		attempt = task->attempt_ran;
	if (attempt < task->attempt_first || attempt > task->attempt_ran || attempt < 1)
		return false;
	container_name(id, attempt, out);
	return true;
}
