#include "manager_worker.h"

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
#include "task/test_records.h"

struct story_record {
	uint8_t kind;
	uint8_t key_len;
	uint8_t key[CHANGE_KEY_BYTES_MAX];
	void *value;
	size_t value_len;
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

/* ---- steps ---- */

static void step(struct story *story, const struct manager_event *events, size_t n);

static void deliver(struct story *story)
{
	for (size_t i = 0; i < story->out.n_downs; i++) {
		const struct manager_down *down = &story->out.downs[i];
		struct story_worker *worker = worker_of_session(story, down->session);
		if (down->close)
			story->close_code = down->close;
		if (worker && down->close)
			worker->session = 0;
		else if (worker)
			worker_take(story, worker, &down->message);
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
					       .session = worker->session,
					       .local = worker->local,
					       .address = worker->address };
		step(story, &event, 1);
	}
	struct sync_up up;
	worker_fill_up(worker, &up);
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
			worker_act(story, worker, worker->tasks[j]);
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

/* The core writes nothing, so its failed assertion is told here; in a signal handler, so with write() alone. */
static void tell_check(int signal_number)
{
	(void)signal_number;
	const char *const parts[] = { check_last.file, ": ", check_last.kind, " failed: ",
				      check_last.what, "\n" };
	for (size_t i = 0; check_last.file && i < ARRAY_LEN(parts); i++)
		if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
			_exit(1);
}

void story_begin(struct story *story)
{
	signal(SIGABRT, tell_check);
	*story = (struct story){
		.options = { .scheduler = scheduler_find("spread"),
			     .node_silent_ms = LIMIT_NODE_SILENT_MS,
			     .runtime_grace_ms = LIMIT_RUNTIME_GRACE_MS,
			     .start_grace_ms = 15000,
			     .history_per_slot = LIMIT_HISTORY_PER_SLOT,
			     .ends_kept = LIMIT_ENDS_KEPT },
		.now_ms = 1000000,
		.wall_ms = 1700000000000,
		.rev = 1,
	};
	assert_non_null(story->options.scheduler);
	text_init(&story->told, (size_t)1 << 22);
	text_init(&story->sent, (size_t)1 << 20);
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
	for (const struct task *task; (task = id_index_next(&a->tasks, &at));) {
		const struct task *same = cluster_task(b, task->desired.id);
		assert_non_null(same);
		assert_int_equal(task->state, same->state);
		assert_same_records(task, same);
	}
	at = 0;
	for (const struct project_entry *entry; (entry = map_next(&a->projects, &at));)
		assert_true(record_equal(&project_type, &entry->project,
					 &cluster_project(b, entry->project.name)->project));
	at = 0;
	for (const struct job_entry *entry; (entry = map_next(&a->jobs, &at));)
		assert_true(record_equal(&job_revision_type, job_entry_current(entry),
					 job_entry_current(cluster_job(b, entry->job.id))));
	assert_int_equal(a->columns.n, b->columns.n);
	for (size_t i = 0; i < a->columns.n; i++)
		assert_true(record_equal(&node_record_type, &a->columns.entry[i]->record,
					 &b->columns.entry[i]->record));
	manager_out_release(&out);
	manager_free(other);
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
	text_release(&story->sent);
}

static void join(struct story *story, const char *name, int64_t memory_bytes, bool local)
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
		.protocol = SYNC_PROTOCOL,
		.capacity = { .cpu_milli = 4000,
			      .memory_bytes = memory_bytes,
			      .disk_bytes = 1LL << 40 },
	};
	worker->local = local;
	worker->runtime_ok = true;
	worker->owes_up = true;
	worker->next_beat_ms = story->now_ms + LIMIT_BEAT_MS;
	story->workers = base_realloc(story->workers, story->n_workers + 1, sizeof(worker));
	story->workers[story->n_workers++] = worker;
	story_run(story);
}

void story_join_with(struct story *story, const char *name, int64_t memory_bytes)
{
	join(story, name, memory_bytes, false);
}

void story_join(struct story *story, const char *name)
{
	join(story, name, 8LL << 30, false);
}

void story_join_local(struct story *story, const char *name)
{
	join(story, name, 8LL << 30, true);
}

struct node_entry *story_node(struct story *story, const char *name)
{
	struct node_entry *node =
		cluster_node(manager_cluster(story->manager), story_worker(story, name)->node);
	assert_non_null(node);
	return node;
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
	copy.over_tls = story->over_tls;
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

enum err_code story_act_node(struct story *story, int kind, const char *name, bool fenced)
{
	struct manager_request request = { .kind = kind,
					   .node = story_worker(story, name)->node,
					   .fenced = fenced };
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
		if (entry->tasks.items[i]->desired.slot == slot &&
		    entry->tasks.items[i]->desired.stop_reason != REASON_WITHDRAWN)
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
	worker_say(story, worker, held, state, reason, message);
	story_run(story);
}

uint64_t story_say(struct story *story, const char *task, int state, int reason,
		   struct sync_up *ret_up)
{
	struct story_worker *worker = NULL;
	struct held *held = held_of(story, task, &worker);
	worker_say(story, worker, held, state, reason, NULL);
	worker_fill_up(worker, ret_up);
	return worker->session;
}

void story_report_task(struct story *story, struct task_id id, int state, int reason)
{
	for (size_t i = 0; i < story->n_workers; i++) {
		struct held *held = held_find(story->workers[i], id);
		/* What is over on the worker is over. */
		if (!held || task_is_final(held->observed.state))
			continue;
		worker_say(story, story->workers[i], held, state, reason, "because");
		story_run(story);
		return;
	}
}

bool story_is_over_tls(struct story *story, const char *task)
{
	struct story_worker *worker = NULL;
	struct held *held = held_of(story, task, &worker);
	return worker_template(worker, held)->over_tls;
}

size_t story_holds(struct story *story, const char *name)
{
	return story_worker(story, name)->n_tasks;
}

void story_health(struct story *story, const char *task, int health)
{
	struct story_worker *worker = NULL;
	struct held *held = held_of(story, task, &worker);
	held->observed.health = health;
	worker_say(story, worker, held, held->observed.state, held->observed.reason, NULL);
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
