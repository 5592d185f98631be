/* The scripted worker: keeps the protocol of node/sync.h, does at once what it is told, and reports it. */
#include "manager_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"

struct story_worker *story_worker(struct story *story, const char *name)
{
	for (size_t i = 0; i < story->n_workers; i++)
		if (strcmp(story->workers[i]->name, name) == 0)
			return story->workers[i];
	fail_msg("there is no worker %s", name);
	return NULL;
}

struct story_worker *worker_of_session(struct story *story, uint64_t session)
{
	for (size_t i = 0; i < story->n_workers; i++)
		if (story->workers[i]->session == session)
			return story->workers[i];
	return NULL;
}

struct held *held_find(const struct story_worker *worker, struct task_id id)
{
	for (size_t i = 0; i < worker->n_tasks; i++)
		if (uuid_equal(worker->tasks[i]->assignment.task.uuid, id.uuid))
			return worker->tasks[i];
	return NULL;
}

static void held_free(struct held *held)
{
	record_release(&sync_assignment_type, &held->assignment);
	record_release(&task_observed_type, &held->observed);
	base_free(held);
}

struct template_held *worker_template(const struct story_worker *worker, const struct held *held)
{
	for (size_t i = 0; i < worker->n_templates; i++)
		if (uuid_equal(worker->templates[i].job.uuid, held->assignment.job.uuid) &&
		    worker->templates[i].revision == held->assignment.revision)
			return &worker->templates[i];
	return NULL;
}

static const char *template_name(const struct story_worker *worker, const struct held *held)
{
	const struct template_held *template = worker_template(worker, held);
	return template ? template->name : NULL;
}

static void held_drop(struct story_worker *worker, size_t at)
{
	held_free(worker->tasks[at]);
	worker->tasks[at] = worker->tasks[--worker->n_tasks];
}

/* A worker keeps a template no longer than a task that uses it. */
static void drop_templates(struct story_worker *worker)
{
	for (size_t i = worker->n_templates; i > 0; i--) {
		struct template_held *template = &worker->templates[i - 1];
		bool used = false;
		for (size_t j = 0; j < worker->n_tasks; j++)
			used |= template_name(worker, worker->tasks[j]) == template->name;
		if (used)
			continue;
		base_free(template->name);
		strings_release(&template->hashes);
		*template = worker->templates[--worker->n_templates];
	}
}

static void take_template(struct story_worker *worker, const struct sync_template *template)
{
	struct held probe = { .assignment = { .job = template->job,
					      .revision = template->revision } };
	assert_non_null(template->spec.image);
	struct template_held *known = worker_template(worker, &probe);
	if (known) {
		known->over_tls = template->over_tls;
		return;
	}
	worker->templates = base_grow(worker->templates, worker->n_templates,
				      &worker->templates_capacity, sizeof(struct template_held));
	known = &worker->templates[worker->n_templates++];
	*known = (struct template_held){ .job = template->job,
					 .revision = template->revision,
					 .name = base_strdup(template->name),
					 .over_tls = template->over_tls };
	for (size_t i = 0; i < job_spec_n_contents(&template->spec); i++)
		strings_add(&known->hashes, job_spec_content(&template->spec, i, NULL)->hash);
}

static void take_assignment(struct story_worker *worker, const struct sync_assignment *assignment)
{
	struct held *held = held_find(worker, assignment->task);
	if (!held) {
		held = base_calloc(1, sizeof(*held));
		record_init(&task_observed_type, &held->observed);
		held->observed.task = assignment->task;
		held->observed.state = TASK_SCHEDULED;
		worker->tasks = base_grow(worker->tasks, worker->n_tasks, &worker->tasks_capacity,
					  sizeof(held));
		worker->tasks[worker->n_tasks++] = held;
	}
	record_release(&sync_assignment_type, &held->assignment);
	record_copy(&sync_assignment_type, &held->assignment, assignment);
	assert_int_equal(sync_reason(assignment->stop_reason, worker->facts.protocol),
			 assignment->stop_reason);
	/* The manager owes the template before the task. */
	assert_non_null(template_name(worker, held));
}

static void take_set(struct story_worker *worker, const struct sync_down *down)
{
	for (size_t i = 0; i < down->templates.n; i++)
		take_template(worker, &down->templates.items[i]);
	for (size_t i = 0; i < down->tasks.n; i++)
		take_assignment(worker, &down->tasks.items[i]);
	for (size_t i = worker->n_tasks; i > 0; i--) {
		struct task_id id = worker->tasks[i - 1]->assignment.task;
		bool drop = down->full;
		for (size_t j = 0; j < down->tasks.n && drop; j++)
			drop = !uuid_equal(down->tasks.items[j].task.uuid, id.uuid);
		for (size_t j = 0; j < down->forgotten.n && !drop; j++)
			drop = uuid_equal(down->forgotten.items[j].task.uuid, id.uuid);
		if (drop)
			held_drop(worker, i - 1);
	}
	drop_templates(worker);
}

static bool has_content(const struct story_worker *worker, const char *hash)
{
	for (size_t i = 0; i < worker->contents.n; i++)
		if (strcmp(worker->contents.items[i], hash) == 0)
			return true;
	return false;
}

static bool lacks_contents(const struct story_worker *worker, const struct held *held)
{
	const struct strings *hashes = &worker_template(worker, held)->hashes;
	for (size_t i = 0; i < hashes->n; i++)
		if (!has_content(worker, hashes->items[i]))
			return true;
	return false;
}

/* By a task of which a container can start; `wanted`: it is to. */
static bool is_needed(const struct story_worker *worker, const char *hash, bool wanted)
{
	for (size_t i = 0; i < worker->n_tasks; i++) {
		const struct held *held = worker->tasks[i];
		const struct strings *hashes = &worker_template(worker, held)->hashes;
		if (held->observed.gone || (wanted && held->assignment.wanted != TASK_WANT_RUN))
			continue;
		for (size_t j = 0; j < hashes->n; j++)
			if (strcmp(hashes->items[j], hash) == 0)
				return true;
	}
	return false;
}

/* A worker keeps bytes no longer than a task that needs them. */
static void drop_contents(struct story_worker *worker)
{
	struct strings kept = { 0 };
	for (size_t i = 0; i < worker->contents.n; i++)
		if (is_needed(worker, worker->contents.items[i], false))
			strings_add(&kept, worker->contents.items[i]);
	strings_release(&worker->contents);
	worker->contents = kept;
}

/* Messages are bounded, and bring only what a task needs that is to run. */
static void take_contents(struct story *story, struct story_worker *worker,
			  const struct sync_down *down)
{
	size_t n_bytes = 0;
	for (size_t i = 0; i < down->contents.n; i++) {
		const struct sync_content *content = &down->contents.items[i];
		assert_true(is_needed(worker, content->hash, true));
		if (!has_content(worker, content->hash))
			strings_add(&worker->contents, content->hash);
		n_bytes += strlen(content->data);
	}
	assert_true(down->contents.n <= LIMIT_SYNC_CONTENTS);
	assert_true(down->contents.n == 1 || n_bytes <= LIMIT_SYNC_CONTENTS_BYTES);
	worker->owes_up |= down->contents.n > 0 && !story->slow_link;
	drop_contents(worker);
}

/* What the wire carries, taken or not: the right bytes, each once a message. */
static void see_contents(struct story *story, const struct sync_down *down)
{
	for (size_t i = 0; i < down->contents.n; i++) {
		const struct sync_content *content = &down->contents.items[i];
		char data[160];
		bool forgotten =
			content->seal && strcmp(content->seal, CONTENT_SEAL_FORGOTTEN) == 0;
		text_print(data, sizeof(data), "bytes of %s", content->hash);
		if (forgotten)
			text_print(data, sizeof(data), "%s", CONTENT_SEAL_FORGOTTEN);
		assert_memory_equal(content->data, data, strlen(data));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(down->contents.items[j].hash, content->hash);
		text_addf(&story->sent, "%s ", content->hash);
	}
}

void worker_take(struct story *story, struct story_worker *worker, const struct sync_down *down)
{
	story->n_downs++;
	see_contents(story, down);
	if (worker->silent)
		return;
	if (worker->lose_downs > 0) {
		worker->lose_downs--;
		return;
	}
	worker->cluster = down->cluster;
	bool older = down->epoch < worker->epoch ||
		     (down->epoch == worker->epoch && down->rev < worker->rev);
	if (older)
		return;
	for (size_t i = 0; i < worker->n_tasks; i++)
		if (worker->tasks[i]->unacked && worker->tasks[i]->unacked <= down->report_acked)
			worker->tasks[i]->unacked = 0;
	strings_release(&worker->volumes_asked);
	for (size_t i = 0; i < down->volumes_remove.n; i++)
		strings_add(&worker->volumes_asked, down->volumes_remove.items[i].name);
	/* What was refused is tried again with the next beat. */
	worker->owes_up |= down->volumes_remove.n > 0 && !worker->volume_refusal;
	if (!down->full && (down->epoch != worker->epoch || down->base_rev != worker->rev)) {
		worker->want_full = true;
		worker->owes_up = true;
		return;
	}
	worker->want_full = false;
	worker->n_fulls += down->full;
	take_set(worker, down);
	take_contents(story, worker, down);
	worker->epoch = down->epoch;
	worker->rev = down->rev;
}

static bool names(const char *list, const char *name)
{
	size_t len = name ? strlen(name) : 0;
	for (const char *at = list; at && name && (at = strstr(at, name)); at += len)
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

void worker_say(struct story *story, struct story_worker *worker, struct held *held, int state,
		int reason, const char *message)
{
	struct task_observed *observed = &held->observed;
	if (state == TASK_RUNNING && observed->state != TASK_RUNNING) {
		observed->attempt++;
		observed->started_wall_ms = story->wall_ms + observed->attempt;
	}
	observed->attempts_used += state == TASK_SCHEDULED && reason == REASON_RESTARTING &&
				   observed->state == TASK_RUNNING;
	bool ends = task_is_final(state);
	if (ends)
		observed->finished_wall_ms = story->wall_ms;
	observed->state = state;
	observed->reason = reason;
	observed->gone = ends && !names(story->linger, template_name(worker, held));
	observed->exit_code = reason == REASON_EXIT_ZERO ? 0 : -1;
	string_set(&observed->message, message);
	observed->version = ++worker->version;
	held->unacked = worker->report + 1;
	worker->owes_up = true;
}

/* That no container of it is left, or that it is forgotten. */
static void say_more(struct story_worker *worker, struct held *held)
{
	held->observed.version = ++worker->version;
	held->unacked = worker->report + 1;
	worker->owes_up = true;
}

void worker_act(struct story *story, struct story_worker *worker, struct held *held)
{
	const char *job = template_name(worker, held);
	struct task_observed *observed = &held->observed;
	bool final = task_is_final(observed->state);
	if (held->assignment.wanted == TASK_WANT_RUN && observed->state == TASK_SCHEDULED &&
	    !names(story->hold_start, job) && !lacks_contents(worker, held) &&
	    (story->resume || observed->reason != REASON_RESTARTING)) {
		observed->health = names(story->starting, job) ? HEALTH_STARTING : HEALTH_NONE;
		worker_say(story, worker, held, TASK_RUNNING, REASON_RUNNING, NULL);
		if (names(story->succeed, job))
			worker_say(story, worker, held, TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
		return;
	}
	if (held->assignment.wanted >= TASK_WANT_STOP && !final && !names(story->hold_stop, job)) {
		worker_say(story, worker, held, TASK_COMPLETED, held->assignment.stop_reason, NULL);
		final = true;
	}
	if (held->assignment.wanted == TASK_WANT_REMOVE && final && !observed->removed &&
	    !names(story->hold_remove, job)) {
		observed->removed = true;
		say_more(worker, held);
	} else if (final && !observed->gone && !names(story->linger, job)) {
		observed->gone = true;
		say_more(worker, held);
	}
}

void worker_fill_up(struct story_worker *worker, struct sync_up *up)
{
	*up = (struct sync_up){
		.node = worker->node,
		.cluster = worker->cluster,
		.epoch = worker->epoch,
		.rev = worker->rev,
		.want_full = worker->want_full,
		.runtime_ok = worker->runtime_ok,
		.has_facts = !worker->introduced,
		.report = ++worker->report,
	};
	uint64_t digest = 0;
	if (up->has_facts)
		record_copy(&node_facts_type, &up->facts, &worker->facts);
	for (size_t i = 0; i < worker->n_tasks; i++) {
		struct held *held = worker->tasks[i];
		digest += (uint64_t)sync_assignment_digest(&held->assignment);
		if (held->unacked)
			record_copy(&task_observed_type,
				    list_add(&up->observed, sizeof(struct task_observed)),
				    &held->observed);
	}
	up->digest = (int64_t)digest;
	for (size_t i = 0; i < worker->volumes_asked.n; i++) {
		struct sync_volume *volume = list_add(&up->volumes_removed, sizeof(*volume));
		volume->name = base_strdup(worker->volumes_asked.items[i]);
		volume->message = base_strdup(worker->volume_refusal);
	}
	strings_release(&worker->volumes_asked);
	worker->introduced = true;
	worker->owes_up = false;
}

void worker_free(struct story_worker *worker)
{
	for (size_t i = 0; i < worker->n_tasks; i++)
		held_free(worker->tasks[i]);
	for (size_t i = 0; i < worker->n_templates; i++) {
		base_free(worker->templates[i].name);
		strings_release(&worker->templates[i].hashes);
	}
	strings_release(&worker->contents);
	if (worker->has_kept)
		record_release(&sync_up_type, &worker->kept);
	base_free(worker->tasks);
	base_free(worker->templates);
	strings_release(&worker->volumes_asked);
	record_release(&node_facts_type, &worker->facts);
	base_free(worker->name);
	base_free(worker);
}

void story_silence(struct story *story, const char *name)
{
	struct story_worker *worker = story_worker(story, name);
	worker->silent = true;
	worker->session = 0;
}

void story_return(struct story *story, const char *name)
{
	struct story_worker *worker = story_worker(story, name);
	worker->silent = false;
	worker->owes_up = true;
	worker->next_beat_ms = story->now_ms + LIMIT_BEAT_MS;
	story_run(story);
}

void story_set_runtime(struct story *story, const char *name, bool runtime_ok)
{
	struct story_worker *worker = story_worker(story, name);
	worker->runtime_ok = runtime_ok;
	worker->owes_up = true;
	story_run(story);
}

void story_set_protocol(struct story *story, const char *name, int64_t protocol)
{
	story_silence(story, name);
	story_worker(story, name)->facts.protocol = protocol;
	story_worker(story, name)->introduced = false;
	story_return(story, name);
}

void story_set_label(struct story *story, const char *name, const char *key, const char *value)
{
	struct story_worker *worker = story_worker(story, name);
	pairs_put(&worker->facts.labels, key, value);
	worker->introduced = false;
	worker->owes_up = true;
	story_run(story);
}

void story_lose_downs(struct story *story, const char *name, int n)
{
	story_worker(story, name)->lose_downs = n;
}

void story_repeat_ups(struct story *story, bool repeat)
{
	for (size_t i = 0; i < story->n_workers; i++)
		story->workers[i]->repeat_ups = repeat;
}

void story_reorder_ups(struct story *story, bool reorder)
{
	for (size_t i = 0; i < story->n_workers; i++)
		story->workers[i]->reorder_ups = reorder;
}

size_t story_fulls(const struct story *story, const char *name)
{
	for (size_t i = 0; i < story->n_workers; i++)
		if (strcmp(story->workers[i]->name, name) == 0)
			return story->workers[i]->n_fulls;
	return 0;
}

void story_corrupt(struct story *story, const char *name)
{
	struct story_worker *worker = story_worker(story, name);
	assert_true(worker->n_tasks > 0);
	worker->tasks[0]->assignment.attempts_before++;
}

void story_refuse_volumes(struct story *story, const char *name, const char *message)
{
	story_worker(story, name)->volume_refusal = message;
}
