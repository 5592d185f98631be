/* Random requests, reports and faults: whatever happens, every step keeps the invariants (story_step() checks them),
 * and once nothing disturbs it any more the cluster does what was asked and can be emptied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_story.h"

#define N_SEEDS 60
#define N_ACTS	150

/* The last one may leave for good. */
static const char *const nodes[] = { "alpha", "beta", "gamma", "delta" };
static const char *const projects[] = { "shop", "cart" };
static const char *const jobs[] = { "web", "db", "cron" };

static const char *pick(struct random *random, const char *const *names, size_t n)
{
	return names[random_below(random, n)];
}

static void fill_request(struct story *story, struct random *random)
{
	story_project(story, pick(random, projects, 2));
	for (size_t i = 0; i < 3; i++) {
		if (random_below(random, 4) == 0)
			continue;
		struct job_spec *spec = story_job(story, jobs[i], (int64_t)random_below(random, 5));
		char image[32];
		string_set(&spec->image, text_print(image, sizeof(image), "busybox:%d",
						    (int)random_below(random, 3)));
		spec->mode = i == 2 ? JOB_REPLICATED_JOB : JOB_REPLICATED;
		spec->priority = (int64_t)random_below(random, 3) * 40;
		spec->reservations.memory_bytes = (int64_t)random_below(random, 3) << 30;
		if (i == 1 && random_below(random, 3) == 0)
			story_mount(story, spec, "data");
		if (i == 1 && random_below(random, 3) == 0) {
			struct port *port = list_add(&spec->ports, sizeof(*port));
			*port = (struct port){ .host_first = 80,
					       .host_last = 81,
					       .container_port = 80 };
		}
		if (random_below(random, 6) == 0)
			spec->placement_deadline_ms = 7000;
	}
	/* On what comes before it in the list, so that there is no cycle. */
	for (size_t i = 1; i < story->request.jobs.n; i++)
		if (random_below(random, 3) == 0)
			story_depends(&story->request.jobs.items[i].spec,
				      story->request.jobs.items[0].name,
				      (int)random_below(random, 3))
				->restart = random_below(random, 2);
	story->request.remove_orphans = random_below(random, 3) == 0;
}

static struct task *any_task(struct story *story, struct random *random)
{
	const struct cluster *cluster = manager_cluster(story->manager);
	const struct job_entry *entry =
		cluster_job_named(cluster, pick(random, projects, 2), pick(random, jobs, 3));
	if (!entry || !entry->tasks.n)
		return NULL;
	return entry->tasks.items[random_below(random, entry->tasks.n)];
}

static void request_about_jobs(struct story *story, struct random *random)
{
	static const int kinds[] = { REQUEST_SCALE, REQUEST_STOP, REQUEST_RESTART, REQUEST_RESTART,
				     REQUEST_REMOVE };
	struct manager_request request = {
		.kind = kinds[random_below(random, 5)],
		.project = pick(random, projects, 2),
		.job = random_below(random, 4) ? pick(random, jobs, 3) : NULL,
		.replicas = (int64_t)random_below(random, 6),
		.with_volumes = random_below(random, 2),
	};
	story_ask(story, &request);
}

static void request_about_task(struct story *story, struct random *random)
{
	const struct task *task = any_task(story, random);
	if (!task)
		return;
	struct manager_request request = { .kind = random_below(random, 2) ? REQUEST_STOP
									   : REQUEST_RESTART,
					   .task = task->desired.id };
	story_ask(story, &request);
}

/* The container of a task ends, or is started again, in one of many ways. */
static void something_ends(struct story *story, struct random *random)
{
	static const int reasons[] = {
		REASON_EXIT_NONZERO, REASON_OOM_KILLED,	  REASON_INTERRUPTED,
		REASON_PULL_FAILED,  REASON_START_FAILED, REASON_PORT_TAKEN
	};
	const struct task *task = any_task(story, random);
	if (!task || (task->state != TASK_RUNNING && task->state != TASK_SCHEDULED))
		return;
	switch (random_below(random, 3)) {
	case 0:
		story_report_task(story, task->desired.id, TASK_COMPLETED, REASON_EXIT_ZERO);
		return;
	case 1:
		if (task->state == TASK_RUNNING)
			story_report_task(story, task->desired.id, TASK_SCHEDULED,
					  REASON_RESTARTING);
		return;
	default:
		story_report_task(story, task->desired.id, TASK_FAILED,
				  reasons[random_below(random, 6)]);
	}
}

static void disturb(struct story *story, struct random *random)
{
	const char *name = pick(random, nodes, 4);
	switch (random_below(random, 11)) {
	case 0: story_silence(story, name); return;
	case 1: story_return(story, name); return;
	case 2: story_set_runtime(story, name, random_below(random, 2)); return;
	case 3: story_lose_downs(story, name, (int)random_below(random, 4)); return;
	case 4: story_repeat_ups(story, random_below(random, 2)); return;
	case 5: story_reorder_ups(story, random_below(random, 2)); return;
	case 6: story_restart(story); return;
	case 7: story_act_node(story, REQUEST_NODE_DRAIN, name, false); return;
	case 8: story_act_node(story, REQUEST_NODE_RESUME, name, false); return;
	case 9:
		story_act_node(story, REQUEST_NODE_REMOVE, nodes[3], random_below(random, 2));
		return;
	default:
		story->hold_start = random_below(random, 3) ? NULL : "web cron";
		story->hold_stop = random_below(random, 3) ? NULL : "db web";
		story->hold_remove = random_below(random, 3) ? NULL : "db cron";
	}
}

static void act(struct story *story, struct random *random)
{
	switch (random_below(random, 8)) {
	case 0:
		fill_request(story, random);
		story_apply(story);
		return;
	case 1:
	case 2: request_about_jobs(story, random); return;
	case 3: request_about_task(story, random); return;
	case 4:
	case 5: something_ends(story, random); return;
	case 6: disturb(story, random); return;
	default: story_pass(story, (int64_t)random_below(random, 20000));
	}
}

static void heal(struct story *story)
{
	story->hold_start = story->hold_stop = story->hold_remove = NULL;
	story->resume = true;
	story_repeat_ups(story, false);
	story_reorder_ups(story, false);
	for (size_t i = 0; i < 3; i++) {
		story_lose_downs(story, nodes[i], 0);
		story_set_runtime(story, nodes[i], true);
		story_return(story, nodes[i]);
		story_act_node(story, REQUEST_NODE_RESUME, nodes[i], false);
	}
	story_silence(story, nodes[3]);
	story_pass(story, 30000);
	story_act_node(story, REQUEST_NODE_REMOVE, nodes[3], true);
	story_pass(story, 30000);
}

/* A service that wants to run stands as running, or a task of it says why it waits. */
static void everything_is_as_asked(struct story *story)
{
	const struct cluster *cluster = manager_cluster(story->manager);
	size_t at = 0;
	for (const struct job_entry *entry; (entry = map_next(&cluster->jobs, &at));) {
		struct job_status status;
		manager_job_status(story->manager, entry, &status);
		bool waits = false;
		for (size_t i = 0; i < entry->tasks.n; i++)
			waits |= entry->tasks.items[i]->state == TASK_PENDING;
		/* What an update needs and can never have is for somebody to change. */
		if (status.standing == STANDING_UPDATING)
			waits |= status.reason == REASON_DEPENDENCY_FAILED;
		if (status.standing == STANDING_UPDATING ||
		    (status.standing == STANDING_PENDING && !waits))
			waits = status.reason == REASON_WAITS_DEPENDENCY ||
				status.reason == REASON_NO_NODE_FITS || waits;
		bool rests = status.standing == STANDING_RUNNING ||
			     status.standing == STANDING_COMPLETED ||
			     status.standing == STANDING_STOPPED ||
			     status.standing == STANDING_DEGRADED ||
			     status.standing == STANDING_FAILED;
		if (!rests && !waits)
			fail_msg("%s/%s does not come to rest: %s: %s", entry->job.project,
				 entry->job.name, enum_name(job_standing_names, status.standing),
				 status.message);
		base_free(status.message);
	}
}

static void empty(struct story *story)
{
	for (size_t i = 0; i < 2; i++) {
		struct manager_request request = { .kind = REQUEST_REMOVE,
						   .project = projects[i],
						   .with_volumes = true };
		story_ask(story, &request);
	}
	story_pass(story, 30000);
	const struct cluster *cluster = manager_cluster(story->manager);
	assert_int_equal(cluster->tasks.n, 0);
	assert_int_equal(cluster->jobs.n, 0);
	assert_int_equal(cluster->projects.n, 0);
	assert_int_equal(cluster->volumes.n, 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(story_holds(story, nodes[i]), 0);
}

static void live(uint64_t seed)
{
	struct story story;
	struct random random = { seed };
	story_begin(&story);
	for (size_t i = 0; i < 4; i++)
		story_join(&story, nodes[i]);
	for (int i = 0; i < N_ACTS; i++)
		act(&story, &random);
	heal(&story);
	story_pass(&story, 600000);
	everything_is_as_asked(&story);
	empty(&story);
	story_end(&story);
}

static void whatever_happens_the_cluster_comes_to_rest_as_asked(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		print_message("seed %d\n", (int)seed);
		live(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_happens_the_cluster_comes_to_rest_as_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
