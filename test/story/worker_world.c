#include "worker_world.h"

#include <string.h>

#include "base/limits.h"

#define TURNS_AT_ONE_TIME_MAX 2000

int64_t world_wall_ms(const struct world *world)
{
	return world->now_ms + world->wall_offset_ms;
}

/* ---- the store ---- */

static void store_apply(struct world *world, const struct change *change)
{
	struct changes *store = &world->store;
	world->n_puts++;
	for (size_t i = 0; i < store->n; i++) {
		struct change *at = &store->items[i];
		if (at->kind != change->kind || at->key_len != change->key_len ||
		    memcmp(at->key, change->key, at->key_len) != 0)
			continue;
		base_free(at->value);
		memmove(at, at + 1, (store->n - i - 1) * sizeof(*at));
		store->n--;
		break;
	}
	if (!change->value)
		return;
	struct change copy = *change;
	copy.value = base_memdup(change->value, change->value_len);
	changes_add(store, &copy);
}

/* ---- what the manager hears ---- */

static struct world_task *known(struct world *world, struct task_id id)
{
	for (size_t i = 0; i < world->n_known; i++)
		if (uuid_equal(world->known[i].id.uuid, id.uuid))
			return &world->known[i];
	assert_true(world->n_known < WORLD_TASKS);
	world->known[world->n_known] = (struct world_task){ .id = id };
	return &world->known[world->n_known++];
}

static void take_observed(struct world *world, const struct task_observed *observed)
{
	struct world_task *task = known(world, observed->task);
	const struct task_observed *old = &task->observed;
	assert_true(observed->version >= old->version);
	assert_int_equal(record_check(&task_observed_type, observed, NULL), ERR_NONE);
	if (observed->version == old->version)
		assert_true(record_equal(&task_observed_type, observed, old));
	assert_true(observed->attempt >= old->attempt);
	assert_true(observed->attempts_used >= old->attempts_used);
	/* I4: the rank falls only with a new attempt. I5: what is final stays as it is. */
	if (old->state == TASK_RUNNING && observed->state == TASK_SCHEDULED)
		assert_true(observed->attempt > old->attempt);
	if (task_is_final(old->state)) {
		assert_int_equal(observed->state, old->state);
		assert_int_equal(observed->reason, old->reason);
		assert_int_equal(observed->exit_code, old->exit_code);
		assert_string_equal(observed->message, old->message);
		assert_true(observed->gone >= old->gone);
	}
	record_release(&task_observed_type, &task->observed);
	record_copy(&task_observed_type, &task->observed, observed);
}

static void take_up(struct world *world, const struct sync_up *up)
{
	const struct sync_up *last = &world->last_up;
	assert_true(world->session);
	assert_true(up->report > last->report);
	assert_true(up->epoch > last->epoch || (up->epoch == last->epoch && up->rev >= last->rev));
	assert_true(uuid_equal(up->node.uuid, worker_node_id(world->worker).uuid));
	for (size_t i = 0; i < up->observed.n; i++)
		take_observed(world, &up->observed.items[i]);
	record_release(&sync_up_type, &world->last_up);
	record_copy(&sync_up_type, &world->last_up, up);
	world->n_ups++;
	if (world->acks)
		world->ack_due = up->report;
	if (world->answers_full && up->want_full && world->rev)
		world->full_due = true;
}

/* ---- turns ---- */

static void check(const struct world *world)
{
	worker_check(world->worker);
	for (size_t i = 0; i < world->n_containers; i++)
		assert_true(world_running(world, world->containers[i].seen.task) <= 1 ||
			    uuid_is_zero(world->containers[i].seen.task.uuid));
	for (size_t i = 0; i < world->n_known; i++)
		if (world->known[i].observed.gone)
			assert_int_equal(world_running(world, world->known[i].id), 0);
}

/* The order of every shell: commit, act, speak, tell. */
static void obey(struct world *world)
{
	struct worker_out *out = &world->out;
	for (size_t i = 0; i < out->changes.n; i++)
		store_apply(world, &out->changes.items[i]);
	for (size_t i = 0; i < out->n_dropped; i++)
		docker_cancel(world, out->dropped[i]);
	for (size_t i = 0; i < out->n_actions; i++)
		docker_submit(world, &out->actions[i]);
	if (out->sweep_files)
		docker_sweep_files(world);
	if (out->has_up)
		take_up(world, &out->up);
	for (size_t i = 0; i < out->notes.n; i++)
		text_addf(&world->story, "%s\n", out->notes.items[i]);
	check(world);
}

static struct worker_in input(const struct world *world)
{
	return (struct worker_in){ .now_ms = world->now_ms,
				   .wall_ms = world_wall_ms(world),
				   .seed = 12345 };
}

static void crash_in_commit(struct world *world)
{
	for (size_t i = 0; i < world->cut_at && i < world->out.changes.n; i++)
		store_apply(world, &world->out.changes.items[i]);
	world->cut_at = 0;
	world_crash(world);
}

static void step(struct world *world, const struct worker_event *event)
{
	struct worker_in in = input(world);
	in.events = event;
	in.n_events = event != NULL;
	worker_step(world->worker, &in, &world->out);
	if (world->cut_at)
		crash_in_commit(world);
	else
		obey(world);
}

void world_event(struct world *world, const struct worker_event *event)
{
	step(world, event);
}

static void send_ack(struct world *world)
{
	struct sync_down down = { .cluster = world->cluster,
				  .epoch = world->epoch,
				  .rev = world->rev,
				  .base_rev = world->rev,
				  .report_acked = world->ack_due };
	world->ack_due = 0;
	for (size_t i = 0; i < world->volumes_remove.n; i++)
		record_copy(&sync_volume_type,
			    list_add(&down.volumes_remove, sizeof(struct sync_volume)),
			    &world->volumes_remove.items[i]);
	world_event(world, &(struct worker_event){ .kind = WORKER_SYNC_DOWN, .down = &down });
	record_release(&sync_down_type, &down);
}

static void add_set(const struct world *world, struct sync_down *down)
{
	for (size_t i = 0; i < world->templates.n; i++)
		record_copy(&sync_template_type,
			    list_add(&down->templates, sizeof(struct sync_template)),
			    &world->templates.items[i]);
	for (size_t i = 0; i < world->tasks.n; i++)
		record_copy(&sync_assignment_type,
			    list_add(&down->tasks, sizeof(struct sync_assignment)),
			    &world->tasks.items[i]);
	for (size_t i = 0; i < world->volumes_remove.n; i++)
		record_copy(&sync_volume_type,
			    list_add(&down->volumes_remove, sizeof(struct sync_volume)),
			    &world->volumes_remove.items[i]);
	for (size_t i = 0; i < world->contents.n; i++)
		record_copy(&sync_content_type,
			    list_add(&down->contents, sizeof(struct sync_content)),
			    &world->contents.items[i]);
}

static void send_full_at(struct world *world, int64_t rev)
{
	struct sync_down down = {
		.cluster = world->cluster, .epoch = world->epoch, .rev = rev, .full = true
	};
	world->full_due = false;
	add_set(world, &down);
	world_event(world, &(struct worker_event){ .kind = WORKER_SYNC_DOWN, .down = &down });
	record_release(&sync_down_type, &down);
}

void world_send_full(struct world *world)
{
	send_full_at(world, ++world->rev);
}

void world_send_change(struct world *world, int64_t base_rev, struct task_id id)
{
	struct sync_down down = { .cluster = world->cluster,
				  .epoch = world->epoch,
				  .rev = ++world->rev,
				  .base_rev = base_rev };
	struct sync_assignment *task = world_assignment(world, id);
	if (task)
		record_copy(&sync_assignment_type,
			    list_add(&down.tasks, sizeof(struct sync_assignment)), task);
	else
		((struct sync_task_ref *)list_add(&down.forgotten, sizeof(struct sync_task_ref)))
			->task = id;
	world_event(world, &(struct worker_event){ .kind = WORKER_SYNC_DOWN, .down = &down });
	record_release(&sync_down_type, &down);
}

/* One thing that is due now; false when nothing is. */
static bool turn(struct world *world)
{
	if (world->session && world->full_due) {
		send_full_at(world, world->rev);
		return true;
	}
	if (world->session && world->ack_due) {
		send_ack(world);
		return true;
	}
	if (docker_turn(world))
		return true;
	if (world->out.deadline_ms > world->now_ms)
		return false;
	step(world, NULL);
	return true;
}

void world_run(struct world *world, int64_t duration_ms)
{
	int64_t end_ms = world->now_ms + duration_ms;
	for (;;) {
		for (int n = 0; turn(world); n++)
			assert_true(n < TURNS_AT_ONE_TIME_MAX);
		int64_t next_ms = docker_next_ms(world);
		if (world->out.deadline_ms < next_ms)
			next_ms = world->out.deadline_ms;
		if (next_ms > end_ms)
			break;
		world->now_ms = next_ms;
	}
	world->now_ms = end_ms;
}

/* ---- life cycle ---- */

static void start_worker(struct world *world)
{
	struct worker_in in = input(world);
	world->worker = worker_new(&world->options);
	for (size_t i = 0; i < world->store.n; i++)
		assert_int_equal(worker_replay(world->worker, &world->store.items[i], NULL),
				 ERR_NONE);
	assert_int_equal(worker_start(world->worker, &in, world->boot_id, &world->out, NULL),
			 ERR_NONE);
	obey(world);
	docker_sweep_files(world);
	if (world->docker_up)
		world_event(world, &(struct worker_event){ .kind = WORKER_RUNTIME_UP,
							   .daemon_instance = world->instance });
	if (world->session)
		world_event(world, &(struct worker_event){ .kind = WORKER_SESSION_OPENED });
}

struct world *world_new(void)
{
	struct world *world = base_calloc(1, sizeof(*world));
	worker_options_default(&world->options);
	world->now_ms = 1000;
	world->wall_offset_ms = 1700000000000;
	world->docker_up = true;
	world->instance = 7;
	world->hints = true;
	world->latency_ms = 10;
	world->probe_ms = 10;
	world->acks = true;
	world->answers_full = true;
	world->epoch = 1;
	world->cluster.bytes[0] = 0xc1;
	text_init(&world->story, 1 << 20);
	text_init(&world->hooks, 1 << 20);
	world->hook_ms = 100;
	text_print(world->boot_id, sizeof(world->boot_id), "boot-1");
	start_worker(world);
	return world;
}

void world_free(struct world *world)
{
	docker_release(world);
	worker_free(world->worker);
	worker_out_release(&world->out);
	changes_release(&world->store);
	text_release(&world->story);
	text_release(&world->hooks);
	record_release(&sync_up_type, &world->last_up);
	for (size_t i = 0; i < world->n_known; i++)
		record_release(&task_observed_type, &world->known[i].observed);
	struct sync_down lists = { 0 };
	memcpy(&lists.templates, &world->templates, sizeof(lists.templates));
	memcpy(&lists.tasks, &world->tasks, sizeof(lists.tasks));
	memcpy(&lists.volumes_remove, &world->volumes_remove, sizeof(lists.volumes_remove));
	memcpy(&lists.contents, &world->contents, sizeof(lists.contents));
	record_release(&sync_down_type, &lists);
	strings_release(&world->files);
	base_free(world);
}

void world_crash(struct world *world)
{
	docker_drop_actions(world, false);
	worker_free(world->worker);
	start_worker(world);
}

void world_reboot(struct world *world)
{
	world->docker_up = false;
	docker_drop_actions(world, false);
	worker_free(world->worker);
	for (size_t i = 0; i < world->n_containers; i++) {
		struct world_container *container = &world->containers[i];
		if (container->seen.state == CONTAINER_RUNNING) {
			container->seen.state = CONTAINER_EXITED;
			container->seen.exit_code = 0;
		}
		container->ends_at_ms = INT64_MAX;
		container->stops_at_ms = INT64_MAX;
		container->health_at_ms = INT64_MAX;
	}
	strings_release(&world->files);
	world->wall_offset_ms += world->now_ms;
	world->now_ms = 500;
	world->instance++;
	world->docker_up = true;
	text_print(world->boot_id, sizeof(world->boot_id), "boot-2");
	start_worker(world);
}

void world_session(struct world *world, bool open)
{
	world->session = open;
	world->ack_due = 0;
	world->full_due = false;
	world_event(world, &(struct worker_event){ .kind = open ? WORKER_SESSION_OPENED
								: WORKER_SESSION_CLOSED });
}

/* ---- what is wanted ---- */

static struct uuid numbered(uint8_t kind, size_t number)
{
	struct uuid id = { { 0x01, 0x90, kind, 0, 0, 0, 0x70, 0, 0x80 } };
	id.bytes[15] = (uint8_t)number;
	return id;
}

struct job_spec *world_job(struct world *world, const char *name, const char *image)
{
	struct sync_template *template = list_add(&world->templates, sizeof(*template));
	record_init(&sync_template_type, template);
	template->job.uuid = numbered(0xaa, world->templates.n);
	template->revision = 1;
	string_set(&template->project, "shop");
	string_set(&template->name, name);
	string_set(&template->spec.image, image);
	return &template->spec;
}

struct task_id world_task(struct world *world, const char *job)
{
	const struct sync_template *template = NULL;
	int64_t slot = 1;
	for (size_t i = 0; i < world->templates.n; i++)
		if (!strcmp(world->templates.items[i].name, job))
			template = &world->templates.items[i];
	assert_non_null(template);
	for (size_t i = 0; i < world->tasks.n; i++)
		slot += uuid_equal(world->tasks.items[i].job.uuid, template->job.uuid);
	struct sync_assignment *task = list_add(&world->tasks, sizeof(*task));
	task->task.uuid = numbered(0xbb, ++world->n_made);
	task->job = template->job;
	task->revision = template->revision;
	task->slot = slot;
	return task->task;
}

void world_secret(struct world *world, struct job_spec *spec, const char *name, const char *bytes,
		  bool there)
{
	struct content_use *use = list_add(&spec->secrets, sizeof(*use));
	char hash[64];
	text_print(hash, sizeof(hash), "hash of %s", name);
	string_set(&use->source, name);
	string_set(&use->hash, hash);
	if (!there)
		return;
	struct sync_content *content = list_add(&world->contents, sizeof(*content));
	content->kind = CONTENT_SECRET;
	string_set(&content->hash, hash);
	string_set(&content->data, bytes);
}

struct sync_assignment *world_assignment(struct world *world, struct task_id id)
{
	for (size_t i = 0; i < world->tasks.n; i++)
		if (uuid_equal(world->tasks.items[i].task.uuid, id.uuid))
			return &world->tasks.items[i];
	return NULL;
}

void world_want(struct world *world, struct task_id id, int wanted, int stop_reason)
{
	struct sync_assignment *task = world_assignment(world, id);
	task->wanted = wanted;
	task->stop_reason = stop_reason;
	world_send_change(world, world->rev, id);
}

void world_forget(struct world *world, struct task_id id)
{
	struct sync_assignment *task = world_assignment(world, id);
	record_release(&sync_assignment_type, task);
	size_t at = (size_t)(task - world->tasks.items);
	memmove(task, task + 1, (world->tasks.n - at - 1) * sizeof(*task));
	world->tasks.n--;
	world_send_change(world, world->rev, id);
}

struct task_id world_begin(struct world *world, const char *image)
{
	if (!world->templates.n)
		world_job(world, "web", image);
	struct task_id id = world_task(world, "web");
	world_session(world, true);
	world_send_full(world);
	return id;
}

/* ---- comparing ---- */

const struct task_observed *world_observed(const struct world *world, struct task_id id)
{
	for (size_t i = 0; i < world->n_known; i++)
		if (uuid_equal(world->known[i].id.uuid, id.uuid))
			return &world->known[i].observed;
	fail_msg("the manager never heard of this task");
	return NULL;
}

void world_expect_story(struct world *world, const char *expected)
{
	const char *told = text_string(&world->story) + world->told;
	assert_string_equal(told, expected);
	world->told = world->story.len;
}

void world_expect(struct world *world, struct task_id id, int state, int reason,
		  const char *message)
{
	const struct task_observed *observed = world_observed(world, id);
	assert_string_equal(enum_name(task_state_names, observed->state),
			    enum_name(task_state_names, state));
	assert_string_equal(reason_name(observed->reason), reason_name(reason));
	assert_string_equal(observed->message, message);
}
