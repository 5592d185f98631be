/* How much is said when much happens at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/text.h"
#include "worker/worker.h"

#define TASKS 4

struct fixture {
	struct worker_options options;
	struct worker *worker;
	struct worker_out out;
	struct worker_in in;
	int64_t acked;
};

static void step(struct fixture *fixture, const struct worker_event *event)
{
	fixture->in.now_ms++;
	fixture->in.seed++;
	fixture->in.events = event;
	fixture->in.n_events = event ? 1 : 0;
	worker_out_clear(&fixture->out);
	worker_step(fixture->worker, &fixture->in, &fixture->out);
}

static struct sync_down message(const struct fixture *fixture)
{
	struct sync_down down;
	record_init(&sync_down_type, &down);
	down.cluster.bytes[0] = 1;
	down.epoch = 1;
	down.rev = 1;
	down.base_rev = 1;
	down.report_acked = fixture->acked;
	return down;
}

static void take(struct fixture *fixture, struct sync_down *down)
{
	struct worker_event event = { .kind = WORKER_SYNC_DOWN, .down = down };
	step(fixture, &event);
	record_release(&sync_down_type, down);
}

/* As many tasks at once, of one job. */
static void assign(struct fixture *fixture)
{
	struct sync_down down = message(fixture);
	down.full = true;
	struct sync_template *template = list_add(&down.templates, sizeof(*template));
	record_init(&sync_template_type, template);
	template->job.uuid.bytes[0] = 2;
	template->revision = 1;
	template->project = base_strdup("shop");
	template->name = base_strdup("web");
	template->spec.image = base_strdup("app:1");
	for (unsigned i = 0; i < TASKS; i++) {
		struct sync_assignment *task = list_add(&down.tasks, sizeof(*task));
		record_init(&sync_assignment_type, task);
		task->task.uuid.bytes[0] = 3;
		task->task.uuid.bytes[15] = (uint8_t)i;
		task->job = template->job;
		task->revision = 1;
		task->slot = i + 1;
	}
	take(fixture, &down);
}

/* A worker that has just started, with a session. */
static struct fixture *begin(void)
{
	struct fixture *fixture = base_calloc(1, sizeof(*fixture));
	struct err err;
	worker_options_default(&fixture->options);
	fixture->worker = worker_new(&fixture->options);
	fixture->in = (struct worker_in){ .now_ms = 1000, .wall_ms = 1000, .seed = 1 };
	assert_int_equal(worker_start(fixture->worker, &fixture->in, "boot", &fixture->out, &err),
			 ERR_NONE);
	struct worker_event opened = { .kind = WORKER_SESSION_OPENED };
	step(fixture, &opened);
	return fixture;
}

static int setup(void **state)
{
	struct fixture *fixture = begin();
	struct worker_event down = { .kind = WORKER_RUNTIME_DOWN };
	step(fixture, &down);
	assign(fixture);
	/* That all wait for Docker is said with the beat. */
	fixture->in.now_ms += fixture->options.beat_ms;
	step(fixture, NULL);
	assert_true(fixture->out.has_up);
	assert_int_equal(fixture->out.up.observed.n, TASKS);
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

/* Something that is to be told at once, and no task changes. */
static void change_facts(struct fixture *fixture, int i)
{
	char name[16];
	struct node_facts facts;
	record_init(&node_facts_type, &facts);
	facts.hostname = base_strdup(text_print(name, sizeof(name), "host%d", i));
	struct worker_event event = { .kind = WORKER_FACTS, .facts = &facts };
	step(fixture, &event);
	record_release(&node_facts_type, &facts);
}

static void records_are_not_sent_again_before_their_ack(void **state)
{
	struct fixture *fixture = *state;
	int64_t report = fixture->out.up.report;
	for (int i = 0; i < 10; i++) {
		change_facts(fixture, i);
		assert_false(fixture->out.has_up);
	}
	fixture->acked = report;
	struct sync_down down = message(fixture);
	take(fixture, &down);
	/* What was held back comes with the ack. */
	assert_true(fixture->out.has_up);
	assert_true(fixture->out.up.has_facts);
	assert_int_equal(fixture->out.up.observed.n, 0);
}

static void beat(struct fixture *fixture)
{
	fixture->in.now_ms += fixture->options.beat_ms;
	step(fixture, NULL);
	assert_true(fixture->out.has_up);
}

static void the_beat_does_not_wait_for_an_ack(void **state)
{
	struct fixture *fixture = *state;
	int64_t report = fixture->out.up.report;
	beat(fixture);
	assert_int_equal(fixture->out.up.since, report);
	assert_int_equal(fixture->out.up.observed.n, 0);
	assert_false(fixture->out.up.has_facts);
}

static void without_an_ack_all_is_said_again_each_time_later(void **state)
{
	struct fixture *fixture = *state;
	static const int again_at[] = { 6, 18, 30, 42, 54, 66, 78, 90 };
	size_t n = 0;
	do
		beat(fixture);
	while (fixture->out.up.since);
	assert_int_equal(fixture->out.up.observed.n, TASKS);
	for (int i = 1; i <= 100; i++) {
		beat(fixture);
		bool again = n < ARRAY_LEN(again_at) && i == again_at[n];
		assert_int_equal(fixture->out.up.observed.n, again ? TASKS : 0);
		assert_int_equal(fixture->out.up.since == 0, again);
		n += again;
	}
	assert_int_equal(n, ARRAY_LEN(again_at));
}

static void each_ack_puts_off_the_repetition(void **state)
{
	struct fixture *fixture = *state;
	fixture->acked = fixture->out.up.report;
	for (int i = 0; i < 20; i++) {
		beat(fixture);
		assert_int_equal(fixture->out.up.observed.n, 0);
		assert_true(fixture->out.up.since > 0);
		struct sync_down down = message(fixture);
		take(fixture, &down);
		fixture->acked = fixture->out.has_up ? fixture->out.up.report : fixture->acked + 1;
	}
	for (int i = 0; i < 3; i++)
		beat(fixture);
	assert_int_equal(fixture->out.up.since, 0);
}

static void a_new_session_owes_nothing_to_the_old_one(void **state)
{
	struct fixture *fixture = *state;
	struct worker_event closed = { .kind = WORKER_SESSION_CLOSED };
	struct worker_event opened = { .kind = WORKER_SESSION_OPENED };
	step(fixture, &closed);
	assert_false(fixture->out.has_up);
	step(fixture, &opened);
	assert_true(fixture->out.has_up);
	assert_int_equal(fixture->out.up.observed.n, TASKS);
}

static void a_message_without_records_holds_nothing_back(void **state)
{
	struct fixture *fixture = *state;
	fixture->acked = fixture->out.up.report;
	struct sync_down down = message(fixture);
	take(fixture, &down);
	for (int i = 0; i < 4; i++) {
		change_facts(fixture, i);
		assert_true(fixture->out.has_up);
	}
}

static int setup_bare(void **state)
{
	*state = begin();
	return 0;
}

static void nothing_is_said_before_docker_has_answered(void **state)
{
	struct fixture *fixture = *state;
	struct worker_event up = { .kind = WORKER_RUNTIME_UP, .daemon_instance = 1 };
	assert_false(fixture->out.has_up);
	change_facts(fixture, 1);
	assert_false(fixture->out.has_up);
	step(fixture, &up);
	assert_true(fixture->out.has_up);
	assert_true(fixture->out.up.runtime_ok);
	assert_true(fixture->out.up.has_facts);
}

static void a_docker_that_does_not_answer_holds_back_one_beat(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(fixture->out.deadline_ms, fixture->in.now_ms + fixture->options.beat_ms);
	fixture->in.now_ms += fixture->options.beat_ms;
	step(fixture, NULL);
	assert_true(fixture->out.has_up);
	assert_false(fixture->out.up.runtime_ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_are_not_sent_again_before_their_ack, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_beat_does_not_wait_for_an_ack, setup, teardown),
		cmocka_unit_test_setup_teardown(without_an_ack_all_is_said_again_each_time_later,
						setup, teardown),
		cmocka_unit_test_setup_teardown(each_ack_puts_off_the_repetition, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_session_owes_nothing_to_the_old_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_message_without_records_holds_nothing_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_is_said_before_docker_has_answered,
						setup_bare, teardown),
		cmocka_unit_test_setup_teardown(a_docker_that_does_not_answer_holds_back_one_beat,
						setup_bare, teardown),
	};
	return cmocka_run_group_tests_name("reports", tests, NULL, NULL);
}
