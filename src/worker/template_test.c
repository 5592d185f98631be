/* The templates of a job's revisions, and the tasks that use them. */
#include "base/testing.h"

#include "base/alloc.h"
#include "worker/worker_int.h"

static const struct job_id job = { { { 2 } } };

struct fixture {
	struct worker *worker;
	struct worker_out out;
	struct worker_in in;
	int64_t rev;
};

static int setup(void **state)
{
	struct fixture *fixture = base_calloc(1, sizeof(*fixture));
	struct worker_options options;
	worker_options_default(&options);
	fixture->worker = worker_new(&options);
	fixture->in = (struct worker_in){ .now_ms = 1000, .wall_ms = 1000, .seed = 1 };
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	worker_out_release(&fixture->out);
	worker_free(fixture->worker);
	base_free(fixture);
	return 0;
}

static void start(struct fixture *fixture)
{
	struct err err;
	struct worker_event opened = { .kind = WORKER_SESSION_OPENED };
	assert_int_equal(worker_start(fixture->worker, &fixture->in, "boot", &fixture->out, &err),
			 ERR_NONE);
	fixture->in.events = &opened;
	fixture->in.n_events = 1;
	worker_step(fixture->worker, &fixture->in, &fixture->out);
}

static void add_template(struct sync_down *down, int64_t revision, bool leased)
{
	struct sync_template *template = list_add(&down->templates, sizeof(*template));
	record_init(&sync_template_type, template);
	template->job = job;
	template->revision = revision;
	template->project = base_strdup("shop");
	template->name = base_strdup("web");
	template->spec.image = base_strdup("app:1");
	template->spec.on_disconnect = leased ? ON_DISCONNECT_STOP : 0;
}

static void add_task(struct sync_down *down, int64_t revision)
{
	struct sync_assignment *task = list_add(&down->tasks, sizeof(*task));
	record_init(&sync_assignment_type, task);
	task->task.uuid.bytes[0] = 3;
	task->job = job;
	task->revision = revision;
	task->slot = 1;
}

/* Takes what was put in. */
static void take_full(struct fixture *fixture, struct sync_down *down)
{
	down->cluster.bytes[0] = 1;
	down->epoch = 1;
	down->rev = ++fixture->rev;
	down->full = true;
	struct worker_event event = { .kind = WORKER_SYNC_DOWN, .down = down };
	fixture->in.now_ms++;
	fixture->in.events = &event;
	fixture->in.n_events = 1;
	worker_step(fixture->worker, &fixture->in, &fixture->out);
	worker_check(fixture->worker);
	record_release(&sync_down_type, down);
}

/* The template is known, and so what the task's record and its digest say. */
static void assert_uses(const struct fixture *fixture, int64_t revision)
{
	const struct worker_task *task = fixture->worker->task_first;
	assert_non_null(task);
	struct sync_assignment desired;
	worker_task_get_desired(task, &desired);
	assert_int_equal(desired.revision, revision);
	assert_true(uuid_equal(desired.job.uuid, job.uuid));
	assert_ptr_equal(task->template, worker_template_get(fixture->worker, job, revision));
}

static void put(struct worker *worker, int64_t revision)
{
	struct sync_template sync;
	record_init(&sync_template_type, &sync);
	sync.job = job;
	sync.revision = revision;
	worker_template_put(worker, &sync);
}

static void assert_known(const struct worker *worker, int64_t revision, bool known)
{
	const struct worker_template *template = worker_template_get(worker, job, revision);
	assert_int_equal(template != NULL, known);
	if (known)
		assert_int_equal(template->sync.revision, revision);
}

/* As a log tells it. */
static void forget(struct worker *worker, int64_t revision)
{
	struct err err;
	struct change change = { .kind = RECORD_TEMPLATE };
	change_key_id_number(&change, job.uuid, revision);
	assert_int_equal(worker_replay(worker, &change, &err), ERR_NONE);
}

static void any_revision_may_go_and_the_others_stay(void **state)
{
	(void)state;
	static const int64_t orders[][3] = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 },
					     { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 } };
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct worker_options options;
		worker_options_default(&options);
		struct worker *worker = worker_new(&options);
		bool known[4] = { false, true, true, true };
		for (int64_t revision = 1; revision <= 3; revision++)
			put(worker, revision);
		for (size_t gone = 0; gone < 3; gone++) {
			forget(worker, orders[i][gone]);
			known[orders[i][gone]] = false;
			for (int64_t revision = 1; revision <= 3; revision++)
				assert_known(worker, revision, known[revision]);
			worker_check(worker);
		}
		put(worker, 2);
		assert_known(worker, 2, true);
		worker_free(worker);
	}
}

/* The oldest go, but not one that is used. */
static void what_is_not_used_is_kept_up_to_the_limit(void **state)
{
	struct fixture *fixture = *state;
	start(fixture);
	struct sync_down down;
	record_init(&sync_down_type, &down);
	for (int64_t revision = 1; revision <= TEMPLATES_UNUSED_MAX + 3; revision++)
		add_template(&down, revision, false);
	add_task(&down, 2);
	take_full(fixture, &down);
	assert_uses(fixture, 2);
	for (int64_t revision = 1; revision <= TEMPLATES_UNUSED_MAX + 3; revision++)
		assert_known(fixture->worker, revision, revision != 1 && revision != 3);
}

static void a_task_goes_to_another_revision_in_place(void **state)
{
	struct fixture *fixture = *state;
	start(fixture);
	for (int64_t revision = 1; revision <= 2; revision++) {
		struct sync_down down;
		record_init(&sync_down_type, &down);
		add_template(&down, revision, false);
		add_task(&down, revision);
		take_full(fixture, &down);
		assert_uses(fixture, revision);
	}
	assert_int_equal(worker_template_get(fixture->worker, job, 1)->users, 0);
	/* To one that is not known yet, and then comes. */
	struct sync_down down;
	record_init(&sync_down_type, &down);
	add_task(&down, 3);
	take_full(fixture, &down);
	assert_uses(fixture, 3);
	assert_null(fixture->worker->task_first->template);
	record_init(&sync_down_type, &down);
	add_template(&down, 3, false);
	add_task(&down, 3);
	take_full(fixture, &down);
	assert_uses(fixture, 3);
	assert_non_null(fixture->worker->task_first->template);
}

static void a_lease_that_comes_late_is_watched(void **state)
{
	struct fixture *fixture = *state;
	start(fixture);
	struct sync_down down;
	record_init(&sync_down_type, &down);
	add_task(&down, 1);
	take_full(fixture, &down);
	assert_false(fixture->worker->leased);
	record_init(&sync_down_type, &down);
	add_template(&down, 1, true);
	add_task(&down, 1);
	take_full(fixture, &down);
	assert_true(fixture->worker->leased);
}

static void a_lease_of_a_known_template_is_watched_when_a_task_comes(void **state)
{
	struct fixture *fixture = *state;
	start(fixture);
	for (int used = 0; used <= 1; used++) {
		struct sync_down down;
		record_init(&sync_down_type, &down);
		if (used)
			add_task(&down, 1);
		else
			add_template(&down, 1, true);
		take_full(fixture, &down);
		assert_int_equal(fixture->worker->leased, used);
	}
}

static void a_lease_that_a_template_gets_is_watched(void **state)
{
	struct fixture *fixture = *state;
	start(fixture);
	for (int leased = 0; leased <= 1; leased++) {
		struct sync_down down;
		record_init(&sync_down_type, &down);
		add_template(&down, 1, leased);
		add_task(&down, 1);
		take_full(fixture, &down);
		assert_uses(fixture, 1);
		assert_int_equal(fixture->worker->leased, leased);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_revision_may_go_and_the_others_stay),
		cmocka_unit_test_setup_teardown(what_is_not_used_is_kept_up_to_the_limit, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_task_goes_to_another_revision_in_place, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_lease_that_comes_late_is_watched, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_lease_of_a_known_template_is_watched_when_a_task_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lease_that_a_template_gets_is_watched, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
