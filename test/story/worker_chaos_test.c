/* Everything at once, drawn from a seed: faults, crashes, Docker and the session coming and
 * going, wishes changing. What must always hold is checked in every turn by the world; here,
 * what must hold in the end, when all is well again. The seed of a failing run is in its
 * message. */
#include <string.h>

#include "worker_world.h"

#define SEEDS	       120
#define ROUNDS	       60
#define TASKS_AT_START 4
#define TASKS_MAX      12

/* How often each happened over all seeds: chaos that does not happen proves nothing. */
enum happening {
	FAULT,
	CRASH,
	DOCKER_RESTART,
	DOCKER_BLINK,
	SESSION,
	NEW_TASK,
	WISH,
	VANISH,
	REPEAT,
	REBOOT,
	HINTS,
	HAPPENINGS,
};
static int happened[HAPPENINGS];

static const char *const images[] = { "app:1",	 "stubborn:1", "done:1",
				      "exit3:1", "sick:1",     "late3:1" };

static void strike(struct world *world, struct random *random)
{
	static const int faults[] = { FAULT_AMBIGUOUS, FAULT_UNREACHABLE, FAULT_FAILED };
	if (world->n_faults == WORLD_FAULTS)
		world->n_faults = 0;
	int verb = CONTAINER_PULL + (int)random_below(random, CONTAINER_LIST);
	int fault = faults[random_below(random, ARRAY_LEN(faults))];
	struct world_fault *added = world_fault(world, verb, fault, "EOF");
	added->times = 1 + (int)random_below(random, 4);
	added->happens = fault == FAULT_AMBIGUOUS && random_below(random, 2);
}

static void wish(struct world *world, struct random *random)
{
	if (!world->tasks.n || !world->session)
		return;
	struct sync_assignment *task = &world->tasks.items[random_below(random, world->tasks.n)];
	if (task->wanted == TASK_WANT_REMOVE)
		world_forget(world, task->task);
	else
		world_want(world, task->task, task->wanted + 1, REASON_STOPPED);
}

static void add_task(struct world *world, struct random *random)
{
	if (world->n_made >= TASKS_MAX || !world->session)
		return;
	struct task_id id = world_task(world, images[random_below(random, ARRAY_LEN(images))]);
	if (random_below(random, 2))
		world_send_change(world, world->rev, id);
	else
		world_send_full(world);
}

/* A message that comes late: one older than the newest, or a change on a base that is not the
 * worker's. */
static void repeat(struct world *world, struct random *random)
{
	if (world->rev < 2 || !world->tasks.n || !world->session)
		return;
	int64_t rev = world->rev;
	world->rev = rev - 1 - (int64_t)random_below(random, 2);
	if (random_below(random, 2))
		world_send_full(world);
	else
		world_send_change(world, rev - 1, world->tasks.items[0].task);
	world->rev = rev;
}

static void happen(struct world *world, struct random *random)
{
	int what = (int)random_below(random, HAPPENINGS);
	/* What is away mostly comes back soon, and machines seldom restart. */
	if (!world->session && random_below(random, 2))
		what = SESSION;
	else if (!world->docker_up && random_below(random, 2))
		what = DOCKER_RESTART;
	else if (what == REBOOT && random_below(random, 4))
		what = FAULT;
	happened[what]++;
	switch (what) {
	case FAULT: strike(world, random); break;
	case CRASH: world_crash(world); break;
	case DOCKER_RESTART:
		if (world->docker_up)
			world_docker_stop(world);
		else
			world_docker_start(world);
		break;
	case DOCKER_BLINK:
		if (world->docker_up)
			world_docker_blink(world);
		break;
	case SESSION: world_session(world, !world->session); break;
	case NEW_TASK: add_task(world, random); break;
	case WISH: wish(world, random); break;
	case VANISH:
		if (world->n_containers)
			world_remove_container(world, &world->containers[0]);
		break;
	case REPEAT: repeat(world, random); break;
	case REBOOT: world_reboot(world); break;
	default: world->hints = !world->hints; break;
	}
}

static void heal(struct world *world)
{
	world->n_faults = 0;
	world->hints = true;
	if (!world->docker_up)
		world_docker_start(world);
	if (!world->session)
		world_session(world, true);
	world_send_full(world);
	world_run(world, 900000);
	/* Not in the middle of looking at something. */
	while (world->n_actions)
		world_run(world, 1);
}

static void check_task(const struct world *world, const struct sync_assignment *task)
{
	const struct task_observed *observed = world_observed(world, task->task);
	int n_running = world_running(world, task->task);
	if (task->wanted != TASK_WANT_RUN || task_is_final(observed->state)) {
		assert_true(task_is_final(observed->state));
		assert_true(observed->gone);
		assert_int_equal(n_running, 0);
	}
	if (task->wanted == TASK_WANT_REMOVE)
		assert_true(observed->removed);
	if (observed->state == TASK_RUNNING)
		assert_int_equal(n_running, 1);
	/* Only what ends by itself again and again may be between two attempts. */
	if (observed->state == TASK_SCHEDULED)
		assert_true(observed->attempts_used > 3);
}

static void check_end(struct world *world)
{
	for (size_t i = 0; i < world->tasks.n; i++)
		check_task(world, &world->tasks.items[i]);
	for (size_t i = 0; i < world->n_containers; i++)
		assert_non_null(world_assignment(world, world->containers[i].seen.task));
	for (size_t i = 0; i < world->tasks.n; i++)
		if (world->tasks.items[i].wanted == TASK_WANT_REMOVE)
			for (size_t n = 0; n < world->n_containers; n++)
				assert_false(uuid_equal(world->containers[n].seen.task.uuid,
							world->tasks.items[i].task.uuid));
	assert_int_equal(world->last_up.rev, world->rev);
	assert_false(world->last_up.want_full);
}

static void whatever_happens_the_machine_ends_as_wanted(void **state)
{
	(void)state;
	size_t n_tasks = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct random random = { .state = seed * 7919 };
		struct world *world = world_new();
		print_message("seed %d\n", (int)seed);
		for (size_t i = 0; i < ARRAY_LEN(images); i++) {
			struct job_spec *spec = world_job(world, images[i], images[i]);
			spec->mode = i & 1 ? JOB_REPLICATED : JOB_REPLICATED_JOB;
		}
		world_session(world, true);
		for (int i = 0; i < TASKS_AT_START; i++)
			add_task(world, &random);
		for (int i = 0; i < ROUNDS; i++) {
			happen(world, &random);
			world_run(world, (int64_t)random_below(&random, 3000));
		}
		n_tasks += world->n_made;
		heal(world);
		check_end(world);
		world_free(world);
	}
	assert_true(n_tasks > 5 * SEEDS);
	for (int i = 0; i < HAPPENINGS; i++)
		assert_true(happened[i] > SEEDS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whatever_happens_the_machine_ends_as_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
