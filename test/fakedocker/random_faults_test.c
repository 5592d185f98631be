/* Scripts drawn from seeds: whatever goes wrong along the way, one who asks again and looks by name after every answer
 * that is no clear one ends with exactly one running container, and then with nothing. A failing seed is named and
 * replays: `random_faults_test SEED`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "fakedocker.h"
#include "runtime/contract.h"
#include "runtime/fake_world.h"
#include "runtime/fault_script.h"

#define SEEDS		300
#define RULES_MAX	6
#define STEPS_MAX	80
#define CALL_TIMEOUT_MS 60

static uint64_t only_seed; /* 0: all */
static int struck;	   /* answers that were no plain success, over all seeds */

struct story {
	struct bench bench;
	struct fakedocker *fakedocker;
	struct task_id task;
	struct job_spec spec;
	char name[CONTAINER_NAME_SIZE];
	char script[1024];
};

static void draw_script(struct random *random, char *script, size_t size)
{
	static const int verbs[] = { CONTAINER_CREATE, CONTAINER_START, CONTAINER_KILL,
				     CONTAINER_REMOVE, CONTAINER_INSPECT };
	struct text text;
	text_init(&text, size - 1);
	for (uint64_t i = 1 + random_below(random, RULES_MAX); i > 0; i--) {
		int kind = (int)(1 + random_below(random, FAULT_KIND_DROP - 1));
		int verb = verbs[random_below(random, ARRAY_LEN(verbs))];
		/* A lie about what an inspection saw would leave nothing to hold on to. */
		if (verb == CONTAINER_INSPECT && kind == FAULT_KIND_GHOST)
			kind = FAULT_KIND_LOST;
		text_addf(&text, "%s %d %s %d;", enum_name(container_verb_names, verb),
			  (int)(1 + random_below(random, 3)), enum_name(fault_kind_names, kind),
			  (int)random_below(random, 2 * CALL_TIMEOUT_MS));
	}
	text_print(script, size, "%s", text_string(&text));
	text_release(&text);
}

static void story_open(struct story *story, uint64_t seed)
{
	struct random random = { .state = seed };
	char path[64];
	struct err err = { 0 };
	struct fake_answer answer;
	draw_script(&random, story->script, sizeof(story->script));
	text_print(path, sizeof(path), "/tmp/drover-random-%d.sock", (int)seed);
	const struct fakedocker_options server = { .socket_path = path, .script = story->script };
	const struct runtime_options client = { .socket_path = path };
	story->bench.base = event_base_new();
	if (fakedocker_open(story->bench.base, &server, &story->fakedocker, &err))
		fail_msg("%s", err.message);
	fake_world_pull(fakedocker_world(story->fakedocker), "image:1", NULL, &answer);
	bench_open(&story->bench, runtime_find("docker"), &client, "image:1");
	bench_until_up(&story->bench, 1);
	story->task = bench_task();
	container_name(story->task, 1, story->name);
	bench_spec(&story->bench, &story->spec, NULL);
}

static void story_close(struct story *story)
{
	record_release(&job_spec_type, &story->spec);
	fakedocker_close(story->fakedocker);
	bench_close(&story->bench);
}

/* One action; a short patience, and a moment to come back when Docker was away. */
static const struct container_result *ask(struct story *story, int verb)
{
	struct container_action action = bench_action(&story->bench, verb, story->task, 1);
	action.spec = &story->spec;
	action.signal = "SIGKILL";
	action.timeout_ms = CALL_TIMEOUT_MS;
	const struct container_result *result = bench_do(&story->bench, &action);
	struck += result->fault != FAULT_NONE;
	if (result->fault == FAULT_UNREACHABLE)
		bench_rest(&story->bench, 50);
	return result;
}

/* What is: an enum container_state, from an answer that is clear. */
static int look(struct story *story)
{
	for (int i = 0; i < STEPS_MAX; i++) {
		const struct container_result *result = ask(story, CONTAINER_INSPECT);
		if (result->fault == FAULT_NONE || result->fault == FAULT_NOT_FOUND)
			return result->seen.state;
	}
	fail_msg("%s: nothing can be seen", story->script);
	return -1;
}

/* Ask for the one next verb that what is calls for, until it is `wanted`. */
static void strive(struct story *story, int wanted)
{
	for (int i = 0; i < STEPS_MAX; i++) {
		int state = look(story);
		if (state == wanted)
			return;
		if (wanted == CONTAINER_RUNNING)
			ask(story, state == CONTAINER_ABSENT ? CONTAINER_CREATE : CONTAINER_START);
		else
			ask(story, state == CONTAINER_RUNNING ? CONTAINER_KILL : CONTAINER_REMOVE);
	}
	fail_msg("%s: never %s", story->script, enum_name(container_state_names, wanted));
}

static void tell_seed(struct story *story, uint64_t seed)
{
	struct fake_world *world = fakedocker_world(story->fakedocker);
	strive(story, CONTAINER_RUNNING);
	const struct fake_container *container = fake_world_find(world, story->name);
	if (!container || container->state != CONTAINER_RUNNING || world->containers->next)
		fail_msg("seed %d (%s): not exactly one container runs", (int)seed, story->script);
	strive(story, CONTAINER_ABSENT);
	if (world->containers)
		fail_msg("seed %d (%s): something is left", (int)seed, story->script);
}

static void whatever_fails_one_container_runs_and_then_none(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct story story = { 0 };
		if (only_seed && seed != only_seed)
			continue;
		story_open(&story, seed);
		tell_seed(&story, seed);
		story_close(&story);
	}
	/* Scripts that never strike would prove nothing. */
	if (!only_seed)
		assert_true(struck > SEEDS);
	print_message("%d answers were no plain success\n", struck);
}

int main(int argc, char **argv)
{
	int64_t seed = 0;
	if (argc > 1 && parse_int(argv[1], 1, SEEDS, &seed, NULL) != ERR_NONE)
		return 2;
	only_seed = (uint64_t)seed;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_fails_one_container_runs_and_then_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
