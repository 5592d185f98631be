#include "manager_story.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"

struct story_record {
	uint8_t kind;
	uint8_t key_len;
	uint8_t key[CHANGE_KEY_BYTES_MAX];
	void *value;
	size_t value_len;
};

/* A task as the worker holds it. */
struct held {
	struct sync_assignment assignment;
	struct task_observed observed;
	int64_t unacked; /* 0: acknowledged */
};

struct template_held {
	struct job_id job;
	int64_t revision;
	char *name;
};

struct story_worker {
	char *name;
	struct node_id node;
	struct node_facts facts;
	uint64_t session;
	bool silent;
	bool introduced;
	bool runtime_ok;
	int64_t epoch;
	int64_t rev;
	struct uuid cluster;
	bool want_full;
	bool owes_up;
	int64_t report;
	int64_t version;
	struct held **tasks;
	size_t n_tasks, tasks_capacity;
	struct template_held *templates;
	size_t n_templates, templates_capacity;
	struct strings volumes_asked;
	const char *volume_refusal;
	int lose_downs;
	size_t n_fulls;
	bool repeat_ups;
	bool reorder_ups;
	struct sync_up kept; /* an older message, to come late */
	bool has_kept;
	int64_t next_beat_ms;
};

/* ---- the store ---- */

static struct story_record *record_find(struct story *story, const struct change *change)
{
	for (size_t i = 0; i < story->n_records; i++) {
		struct story_record *record = &story->records[i];
		if (record->kind == change->kind && record->key_len == change->key_len &&
		    memcmp(record->key, change->key, change->key_len) == 0)
			return record;
	}
	return NULL;
}

static void record_write(struct story *story, const struct change *change)
{
	struct story_record *record = record_find(story, change);
	if (!change->value) {
		assert_non_null(record); /* nothing is deleted that was never written */
		base_free(record->value);
		*record = story->records[--story->n_records];
		return;
	}
	if (!record) {
		story->records = base_grow(story->records, story->n_records,
					   &story->records_capacity, sizeof(*record));
		record = &story->records[story->n_records++];
		*record = (struct story_record){ .kind = change->kind, .key_len = change->key_len };
		memcpy(record->key, change->key, change->key_len);
	}
	base_free(record->value);
	record->value = base_memdup(change->value, change->value_len);
	record->value_len = change->value_len;
}

static void check_groups(const struct changes *changes)
{
	size_t n = 0;
	size_t bytes = 0;
	for (size_t i = 0; i < changes->n; i++) {
		const struct change *change = &changes->items[i];
		if (change->starts_group)
			n = bytes = 0;
		n++;
		bytes += change->key_len + change->value_len;
		assert_true(n <= LIMIT_GROUP_RECORDS);
		assert_true(bytes <= LIMIT_GROUP_BYTES);
	}
}

static void tell(struct story *story)
{
	for (size_t i = 0; i < story->out.notes.n; i++) {
		text_add(&story->told, story->out.notes.items[i]);
		text_add_char(&story->told, '\n');
	}
}

static void commit(struct story *story)
{
	check_groups(&story->out.changes);
	for (size_t i = 0; i < story->out.changes.n; i++)
		record_write(story, &story->out.changes.items[i]);
	story->n_changes += story->out.changes.n;
	if (story->out.changes.n)
		story->rev++;
	tell(story);
}

static struct manager *replay(struct story *story)
{
	struct manager *manager = manager_new(&story->options, 0x5a17);
	struct err err;
	for (size_t i = 0; i < story->n_records; i++) {
		const struct story_record *record = &story->records[i];
		struct change change = { .kind = record->kind, .key_len = record->key_len };
		memcpy(change.key, record->key, record->key_len);
		change.value = record->value;
		change.value_len = record->value_len;
		if (manager_replay(manager, &change, &err))
			fail_msg("replay: %s", err.message);
	}
	return manager;
}

static void start(struct story *story)
{
	story->manager = replay(story);
	struct manager_in in = { .now_ms = story->now_ms,
				 .wall_ms = story->wall_ms,
				 .seed = ++story->seed,
				 .rev = story->rev };
	struct err err;
	manager_out_clear(&story->out);
	if (manager_start(story->manager, &in, &story->out, &err))
		fail_msg("start: %s", err.message);
	manager_check(story->manager);
	commit(story);
}

/* ---- workers ---- */

struct story_worker *story_worker(struct story *story, const char *name)
{
	for (size_t i = 0; i < story->n_workers; i++)
		if (strcmp(story->workers[i]->name, name) == 0)
			return story->workers[i];
	fail_msg("there is no worker %s", name);
	return NULL;
}

static struct story_worker *worker_of_session(struct story *story, uint64_t session)
{
	for (size_t i = 0; i < story->n_workers; i++)
		if (story->workers[i]->session == session)
			return story->workers[i];
	return NULL;
}

static struct held *held_find(const struct story_worker *worker, struct task_id id)
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

static const char *template_name(const struct story_worker *worker, const struct held *held)
{
	for (size_t i = 0; i < worker->n_templates; i++)
		if (uuid_equal(worker->templates[i].job.uuid, held->assignment.job.uuid) &&
		    worker->templates[i].revision == held->assignment.revision)
			return worker->templates[i].name;
	return NULL;
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
		*template = worker->templates[--worker->n_templates];
	}
}

static void take_template(struct story_worker *worker, const struct sync_template *template)
{
	struct held probe = { .assignment = { .job = template->job,
					      .revision = template->revision } };
	assert_non_null(template->spec.image);
	if (template_name(worker, &probe))
		return;
	worker->templates = base_grow(worker->templates, worker->n_templates,
				      &worker->templates_capacity, sizeof(struct template_held));
	worker->templates[worker->n_templates++] =
		(struct template_held){ template->job, template->revision,
					base_strdup(template->name) };
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

static void take_down(struct story *story, struct story_worker *worker,
		      const struct sync_down *down)
{
	story->n_downs++;
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

static void say(struct story *story, struct story_worker *worker, struct held *held, int state,
		int reason, const char *message)
{
	struct task_observed *observed = &held->observed;
	if (state == TASK_RUNNING && observed->state != TASK_RUNNING) {
		observed->attempt++;
		observed->started_wall_ms = story->wall_ms + observed->attempt;
	}
	bool ends = task_is_final(state);
	if (ends)
		observed->finished_wall_ms = story->wall_ms;
	observed->state = state;
	observed->reason = reason;
	observed->gone = ends;
	observed->exit_code = reason == REASON_EXIT_ZERO ? 0 : -1;
	string_set(&observed->message, message);
	observed->version = ++worker->version;
	held->unacked = worker->report + 1;
	worker->owes_up = true;
}

static void act_on(struct story *story, struct story_worker *worker, struct held *held)
{
	const char *job = template_name(worker, held);
	struct task_observed *observed = &held->observed;
	bool final = task_is_final(observed->state);
	if (held->assignment.wanted == TASK_WANT_RUN && observed->state == TASK_SCHEDULED &&
	    !names(story->hold_start, job) && observed->reason != REASON_RESTARTING) {
		observed->health = names(story->starting, job) ? HEALTH_STARTING : HEALTH_NONE;
		say(story, worker, held, TASK_RUNNING, REASON_RUNNING, NULL);
		if (names(story->succeed, job))
			say(story, worker, held, TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
		return;
	}
	if (held->assignment.wanted >= TASK_WANT_STOP && !final && !names(story->hold_stop, job)) {
		say(story, worker, held, TASK_COMPLETED, held->assignment.stop_reason, NULL);
		final = true;
	}
	if (held->assignment.wanted == TASK_WANT_REMOVE && final && !observed->removed &&
	    !names(story->hold_remove, job)) {
		observed->removed = true;
		observed->version = ++worker->version;
		held->unacked = worker->report + 1;
		worker->owes_up = true;
	}
}

static void fill_up(struct story_worker *worker, struct sync_up *up)
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

/* ---- steps ---- */

static void step(struct story *story, const struct manager_event *events, size_t n);

static void deliver(struct story *story)
{
	for (size_t i = 0; i < story->out.n_downs; i++) {
		const struct manager_down *down = &story->out.downs[i];
		struct story_worker *worker = worker_of_session(story, down->session);
		if (worker && down->close)
			worker->session = 0;
		else if (worker)
			take_down(story, worker, &down->message);
	}
}

void story_step(struct story *story, const struct manager_in *in)
{
	manager_out_clear(&story->out);
	manager_step(story->manager, in, &story->out);
	story->n_steps++;
	manager_check(story->manager);
	commit(story);
	deliver(story);
}

static void step(struct story *story, const struct manager_event *events, size_t n)
{
	struct manager_in in = { .now_ms = story->now_ms,
				 .wall_ms = story->wall_ms,
				 .seed = ++story->seed,
				 .rev = story->rev,
				 .events = events,
				 .n_events = n };
	story_step(story, &in);
}

static void send(struct story *story, struct story_worker *worker, const struct sync_up *up)
{
	struct manager_event event = { .kind = MANAGER_SYNC_UP,
				       .session = worker->session,
				       .up = up };
	step(story, &event, 1);
}

static void speak(struct story *story, struct story_worker *worker)
{
	if (!worker->session) {
		worker->session = ++story->next_session;
		worker->introduced = false;
		struct manager_event event = { .kind = MANAGER_SESSION_OPENED,
					       .session = worker->session };
		step(story, &event, 1);
	}
	struct sync_up up;
	fill_up(worker, &up);
	if (worker->has_kept && worker->session && !up.has_facts) {
		/* The older message arrives after the newer. */
		send(story, worker, &up);
		send(story, worker, &worker->kept);
		record_release(&sync_up_type, &worker->kept);
		worker->has_kept = false;
	} else if (worker->reorder_ups && !up.has_facts) {
		worker->kept = up;
		worker->has_kept = true;
		worker->owes_up = true;
		return;
	} else {
		send(story, worker, &up);
		if (worker->repeat_ups)
			send(story, worker, &up);
	}
	record_release(&sync_up_type, &up);
}

static bool let_workers_act(struct story *story)
{
	bool any = false;
	for (size_t i = 0; i < story->n_workers; i++) {
		struct story_worker *worker = story->workers[i];
		for (size_t j = 0; j < worker->n_tasks; j++)
			act_on(story, worker, worker->tasks[j]);
		if (worker->silent || !worker->owes_up)
			continue;
		any = true;
		speak(story, worker);
	}
	return any;
}

void story_run(struct story *story)
{
	for (int i = 0; i < 10000; i++)
		if (!let_workers_act(story) && story->out.deadline_ms > story->now_ms)
			return;
		else if (story->out.deadline_ms <= story->now_ms)
			step(story, NULL, 0);
	fail_msg("the story does not come to rest");
}

void story_pass(struct story *story, int64_t ms)
{
	int64_t until_ms = story->now_ms + ms;
	story_run(story);
	while (story->now_ms < until_ms) {
		int64_t next_ms =
			story->out.deadline_ms < until_ms ? story->out.deadline_ms : until_ms;
		for (size_t i = 0; i < story->n_workers; i++)
			if (!story->workers[i]->silent && story->workers[i]->next_beat_ms < next_ms)
				next_ms = story->workers[i]->next_beat_ms;
		if (next_ms > story->now_ms) {
			story->wall_ms += next_ms - story->now_ms;
			story->now_ms = next_ms;
		}
		for (size_t i = 0; i < story->n_workers; i++) {
			struct story_worker *worker = story->workers[i];
			if (worker->silent || worker->next_beat_ms > story->now_ms)
				continue;
			worker->owes_up = true;
			worker->next_beat_ms = story->now_ms + LIMIT_BEAT_MS;
		}
		step(story, NULL, 0);
		story_run(story);
	}
}

/* ---- life cycle ---- */

/* The core writes nothing, so its failed assertion is told here. */
static void tell_check(int signal_number)
{
	static char line[512];
	(void)signal_number;
	int len = snprintf(line, sizeof(line), "%s:%d: %s failed: %s\n", check_last.file,
			   check_last.line, check_last.kind, check_last.what);
	if (check_last.file && len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		_exit(1);
}

void story_begin(struct story *story)
{
	signal(SIGABRT, tell_check);
	*story = (struct story){
		.options = { .scheduler = scheduler_find("spread"),
			     .node_silent_ms = LIMIT_NODE_SILENT_MS,
			     .start_grace_ms = 15000,
			     .history_per_slot = LIMIT_HISTORY_PER_SLOT },
		.now_ms = 1000000,
		.wall_ms = 1700000000000,
		.rev = 1,
	};
	assert_non_null(story->options.scheduler);
	text_init(&story->told, (size_t)1 << 22);
	start(story);
	story_run(story);
	story_forget(story);
}

void story_restart(struct story *story)
{
	manager_free(story->manager);
	for (size_t i = 0; i < story->n_workers; i++) {
		story->workers[i]->session = 0;
		story->workers[i]->owes_up = !story->workers[i]->silent;
	}
	start(story);
	story_run(story);
}

static void compare_with_replay(struct story *story)
{
	struct manager *other = replay(story);
	struct manager_in in = {
		.now_ms = story->now_ms, .wall_ms = story->wall_ms, .seed = 1, .rev = story->rev
	};
	struct manager_out out = { 0 };
	struct err err;
	if (manager_start(other, &in, &out, &err))
		fail_msg("start: %s", err.message);
	manager_check(other);
	const struct cluster *a = manager_cluster(story->manager);
	const struct cluster *b = manager_cluster(other);
	assert_int_equal(a->tasks.n, b->tasks.n);
	assert_int_equal(a->jobs.n, b->jobs.n);
	assert_int_equal(a->projects.n, b->projects.n);
	assert_int_equal(a->volumes.n, b->volumes.n);
	size_t at = 0;
	for (const struct task *task; (task = map_next(&a->tasks, &at));) {
		const struct task *same = cluster_task(b, task->desired.id);
		assert_non_null(same);
		assert_int_equal(task->state, same->state);
		assert_true(record_equal(&task_desired_type, &task->desired, &same->desired));
		assert_true(record_equal(&task_observed_type, &task->observed, &same->observed));
	}
	manager_out_release(&out);
	manager_free(other);
}

static void worker_free(struct story_worker *worker)
{
	for (size_t i = 0; i < worker->n_tasks; i++)
		held_free(worker->tasks[i]);
	for (size_t i = 0; i < worker->n_templates; i++)
		base_free(worker->templates[i].name);
	if (worker->has_kept)
		record_release(&sync_up_type, &worker->kept);
	base_free(worker->tasks);
	base_free(worker->templates);
	strings_release(&worker->volumes_asked);
	record_release(&node_facts_type, &worker->facts);
	base_free(worker->name);
	base_free(worker);
}

void story_end(struct story *story)
{
	compare_with_replay(story);
	manager_free(story->manager);
	manager_out_release(&story->out);
	for (size_t i = 0; i < story->n_workers; i++)
		worker_free(story->workers[i]);
	base_free(story->workers);
	for (size_t i = 0; i < story->n_records; i++)
		base_free(story->records[i].value);
	base_free(story->records);
	record_release(&project_request_type, &story->request);
	text_release(&story->told);
}

void story_join_with(struct story *story, const char *name, int64_t memory_bytes)
{
	struct story_worker *worker = base_calloc(1, sizeof(*worker));
	struct random random = { 0xabc0 + story->n_workers };
	worker->name = base_strdup(name);
	worker->node = (struct node_id){ uuid_make(&random, story->wall_ms) };
	worker->facts = (struct node_facts){
		.hostname = base_strdup(name),
		.platform_os = base_strdup("linux"),
		.platform_arch = base_strdup("x86_64"),
		.api_minor = 45,
		.capacity = { .cpu_milli = 4000,
			      .memory_bytes = memory_bytes,
			      .disk_bytes = 1LL << 40 },
	};
	worker->runtime_ok = true;
	worker->owes_up = true;
	worker->next_beat_ms = story->now_ms + LIMIT_BEAT_MS;
	story->workers = base_realloc(story->workers, story->n_workers + 1, sizeof(worker));
	story->workers[story->n_workers++] = worker;
	story_run(story);
}

void story_join(struct story *story, const char *name)
{
	story_join_with(story, name, 8LL << 30);
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

/* ---- requests ---- */

void story_project(struct story *story, const char *name)
{
	record_release(&project_request_type, &story->request);
	record_init(&project_request_type, &story->request);
	string_set(&story->request.name, name);
}

struct job_spec *story_job(struct story *story, const char *name, int64_t replicas)
{
	struct job_request *job = list_add(&story->request.jobs, sizeof(*job));
	record_init(&job_request_type, job);
	string_set(&job->name, name);
	string_set(&job->spec.image, "busybox:1");
	job->spec.replicas = replicas;
	return &job->spec;
}

struct depend *story_depends(struct job_spec *spec, const char *job, int condition)
{
	struct depend *depend = list_add(&spec->depends_on, sizeof(*depend));
	record_init(&depend_type, depend);
	string_set(&depend->job, job);
	depend->condition = condition;
	return depend;
}

void story_mount(struct story *story, struct job_spec *spec, const char *volume)
{
	bool declared = false;
	for (size_t i = 0; i < story->request.volumes.n; i++)
		declared |= strcmp(story->request.volumes.items[i].key, volume) == 0;
	if (!declared) {
		struct volume_spec *added = list_add(&story->request.volumes, sizeof(*added));
		record_init(&volume_spec_type, added);
		string_set(&added->key, volume);
	}
	struct mount *mount = list_add(&spec->mounts, sizeof(*mount));
	record_init(&mount_type, mount);
	mount->kind = MOUNT_VOLUME;
	string_set(&mount->source, volume);
	string_set(&mount->target, "/data");
}

enum err_code story_ask(struct story *story, const struct manager_request *request)
{
	struct manager_request copy = *request;
	copy.handle = story->seed + 1;
	struct manager_event event = { .kind = MANAGER_REQUEST, .request = &copy };
	step(story, &event, 1);
	assert_int_equal(story->out.n_replies, 1);
	assert_int_equal(story->out.replies[0].handle, copy.handle);
	/* The reply outlives the steps that follow. */
	static struct manager_reply reply;
	record_release(&manager_answer_type, &reply.answer);
	reply = story->out.replies[0];
	record_copy(&manager_answer_type, &reply.answer, &story->out.replies[0].answer);
	story->reply = &reply;
	if (!story->quiet)
		story_run(story);
	return reply.err.code;
}

static enum err_code send_project(struct story *story, int kind)
{
	struct manager_request request = { .kind = kind, .project_request = &story->request };
	return story_ask(story, &request);
}

enum err_code story_apply(struct story *story)
{
	return send_project(story, REQUEST_APPLY);
}

enum err_code story_submit(struct story *story)
{
	return send_project(story, REQUEST_SUBMIT);
}

enum err_code story_act(struct story *story, int kind, const char *project, const char *job)
{
	struct manager_request request = { .kind = kind, .project = project, .job = job };
	return story_ask(story, &request);
}

enum err_code story_scale(struct story *story, const char *project, const char *job,
			  int64_t replicas)
{
	struct manager_request request = {
		.kind = REQUEST_SCALE, .project = project, .job = job, .replicas = replicas
	};
	return story_ask(story, &request);
}

enum err_code story_act_task(struct story *story, int kind, const char *task)
{
	struct manager_request request = { .kind = kind,
					   .task = story_task(story, task)->desired.id };
	return story_ask(story, &request);
}

/* ---- looking ---- */

static const struct job_entry *job_of(struct story *story, const char *name, size_t name_len)
{
	char project[128];
	char job[128];
	const char *slash = memchr(name, '/', name_len);
	assert_non_null(slash);
	snprintf(project, sizeof(project), "%.*s", (int)(slash - name), name);
	snprintf(job, sizeof(job), "%.*s", (int)(name_len - (size_t)(slash - name) - 1), slash + 1);
	const struct job_entry *entry =
		cluster_job_named(manager_cluster(story->manager), project, job);
	if (!entry)
		fail_msg("there is no job %.*s", (int)name_len, name);
	return entry;
}

struct task *story_task(struct story *story, const char *name)
{
	const char *dot = strrchr(name, '.');
	assert_non_null(dot);
	int slot = 0;
	for (const char *at = dot + 1; *at; at++)
		slot = slot * 10 + (*at - '0');
	const struct job_entry *entry = job_of(story, name, (size_t)(dot - name));
	struct task *newest = NULL;
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->desired.slot == slot)
			newest = entry->tasks.items[i];
	if (!newest)
		fail_msg("there is no task %s", name);
	return newest;
}

size_t story_count(struct story *story, const char *job)
{
	return job_of(story, job, strlen(job))->tasks.n;
}

static struct held *held_of(struct story *story, const char *name, struct story_worker **ret_worker)
{
	const struct task *task = story_task(story, name);
	for (size_t i = 0; i < story->n_workers; i++) {
		struct held *held = held_find(story->workers[i], task->desired.id);
		if (held) {
			*ret_worker = story->workers[i];
			return held;
		}
	}
	fail_msg("no worker holds %s", name);
	return NULL;
}

void story_report(struct story *story, const char *task, int state, int reason, const char *message)
{
	struct story_worker *worker = NULL;
	struct held *held = held_of(story, task, &worker);
	say(story, worker, held, state, reason, message);
	story_run(story);
}

void story_health(struct story *story, const char *task, int health)
{
	struct story_worker *worker = NULL;
	struct held *held = held_of(story, task, &worker);
	held->observed.health = health;
	say(story, worker, held, held->observed.state, held->observed.reason, NULL);
	story_run(story);
}

void story_tells(struct story *story, const char *expected)
{
	const char *told = text_string(&story->told);
	if (strcmp(told, expected) != 0)
		fail_msg("the story went another way; expected:\n%s\ntold:\n%s", expected, told);
	text_clear(&story->told);
}

void story_forget(struct story *story)
{
	text_clear(&story->told);
}

void story_stands(struct story *story, const char *job, int standing, const char *message)
{
	struct job_status status;
	manager_job_status(story->manager, job_of(story, job, strlen(job)), &status);
	assert_string_equal(enum_name(job_standing_names, status.standing),
			    enum_name(job_standing_names, standing));
	assert_string_equal(status.message, message);
	base_free(status.message);
}

void story_why(struct story *story, const char *task, int state, int reason, const char *sentence)
{
	const struct task *found = story_task(story, task);
	char buffer[TASK_SENTENCE_SIZE];
	assert_string_equal(enum_name(task_state_names, found->state),
			    enum_name(task_state_names, state));
	assert_string_equal(reason_name(found->reason), reason_name(reason));
	assert_string_equal(cluster_task_sentence(manager_cluster(story->manager), found, buffer),
			    sentence);
}

void story_effect(struct story *story, const char *job, int effect)
{
	const struct manager_answer *answer = &story->reply->answer;
	for (size_t i = 0; i < answer->jobs.n; i++)
		if (strcmp(answer->jobs.items[i].name, job) == 0) {
			assert_string_equal(
				enum_name(job_effect_names, answer->jobs.items[i].effect),
				enum_name(job_effect_names, effect));
			return;
		}
	fail_msg("the answer does not name %s", job);
}
