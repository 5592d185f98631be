/* Global jobs: one task on each node that matches, as nodes come, go and change; and tasks that leave a node which no
 * longer matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "manager_worker.h"

static struct job_spec *global_job(struct story *story, const char *name, int mode)
{
	struct job_spec *spec = story_job(story, name, 1);
	spec->mode = mode;
	return spec;
}

/* alpha and beta, and a job on each. */
static void begin(struct story *story, int mode)
{
	story_begin(story);
	story_join(story, "alpha");
	story_join(story, "beta");
	story_project(story, "shop");
	global_job(story, "agent", mode);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_pass(story, 30000);
}

static void each_node_gets_one_and_a_new_node_at_once(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL);
	story_tells(&story, "node alpha joined\n"
			    "node alpha is ready\n"
			    "node beta joined\n"
			    "node beta is ready\n"
			    "job shop/agent revision 1 accepted\n"
			    "shop/agent.1 scheduled on alpha\n"
			    "shop/agent.2 scheduled on beta\n"
			    "shop/agent.1 running\n"
			    "shop/agent.2 running\n"
			    "job shop/agent is running: 2 of 2 ready\n");
	story_join(&story, "gamma");
	story_tells(&story, "node gamma joined\n"
			    "node gamma is ready\n"
			    "shop/agent.3 scheduled on gamma\n"
			    "job shop/agent is pending: 2 of 3 ready; agent.3 scheduled: placed on "
			    "gamma\n"
			    "shop/agent.3 running\n"
			    "job shop/agent is running: 3 of 3 ready\n");
	story_end(&story);
}

static void the_task_of_a_silent_node_waits_and_resumes(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL);
	struct task_id first = story_task(&story, "shop/agent.1")->desired.id;
	story_forget(&story);
	story_silence(&story, "alpha");
	story_pass(&story, 600000);
	story_tells(&story, "node alpha is down: it is silent with 1 task\n");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "1 of 1 ready, 1 unreachable");
	assert_int_equal(story_count(&story, "shop/agent"), 2);
	story_restart(&story);
	story_pass(&story, 600000);
	story_return(&story, "alpha");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	assert_true(uuid_equal(story_task(&story, "shop/agent.1")->desired.id.uuid, first.uuid));
	story_end(&story);
}

static void a_silent_node_gets_a_new_job_when_it_returns(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL);
	story_silence(&story, "alpha");
	story_pass(&story, 20000);
	global_job(&story, "probe", JOB_GLOBAL);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/probe", STANDING_RUNNING, "1 of 1 ready");
	story_return(&story, "alpha");
	story_stands(&story, "shop/probe", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

static void a_silent_node_does_not_hold_an_update_back(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL);
	story_silence(&story, "alpha");
	story_pass(&story, 20000);
	string_set(&story.request.jobs.items[0].spec.image, "busybox:2");
	story_forget(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "job shop/agent revision 2 accepted\n"
			    "shop/agent.2 stopping: updated\n"
			    "job shop/agent is updating: 1 of 1 tasks still to be replaced, 1 "
			    "unreachable; agent.2 is stopping: updated\n"
			    "shop/agent.2 completed: updated\n"
			    "shop/agent.2 scheduled on beta\n"
			    "job shop/agent is pending: 0 of 1 ready, 1 unreachable; agent.2 "
			    "scheduled: placed on beta\n"
			    "shop/agent.2 running\n"
			    "job shop/agent is running: 1 of 1 ready, 1 unreachable\n");
	/* Back with the old task: now it is replaced too. */
	story_return(&story, "alpha");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	assert_int_equal(story_task(&story, "shop/agent.1")->desired.revision, 2);
	story_end(&story);
}

static void an_update_goes_from_node_to_node(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL);
	string_set(&story.request.jobs.items[0].spec.image, "busybox:2");
	story_forget(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story,
		    "job shop/agent revision 2 accepted\n"
		    "shop/agent.1 stopping: updated\n"
		    "job shop/agent is updating: 2 of 2 tasks still to be replaced; agent.1 "
		    "is stopping: updated\n"
		    "shop/agent.1 completed: updated\n"
		    "shop/agent.1 scheduled on alpha\n"
		    "shop/agent.1 running\n"
		    "shop/agent.2 stopping: updated\n"
		    "shop/agent.2 completed: updated\n"
		    "shop/agent.2 scheduled on beta\n"
		    "job shop/agent is pending: 1 of 2 ready; agent.2 scheduled: placed on "
		    "beta\n"
		    "shop/agent.2 running\n"
		    "job shop/agent is running: 2 of 2 ready\n");
	story_end(&story);
}

static void labels_decide_who_has_one(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_project(&story, "shop");
	struct job_spec *spec = global_job(&story, "agent", JOB_GLOBAL);
	strings_add(&spec->placement.constraints, "node.labels.disk==ssd");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/agent", STANDING_PENDING,
		     "0 of 0 ready; no node matches node.labels.disk==ssd: 2 of 2 do not match "
		     "node.labels.disk==ssd");
	assert_int_equal(story_count(&story, "shop/agent"), 0);
	story_set_label(&story, "beta", "disk", "ssd");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "1 of 1 ready");
	story_set_label(&story, "alpha", "disk", "ssd");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	story_forget(&story);
	story_set_label(&story, "beta", "disk", "hdd");
	story_tells(&story, "shop/agent.2 stopping: no_longer_fits\n"
			    "shop/agent.2 completed: no_longer_fits\n");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "1 of 1 ready");
	story_why(&story, "shop/agent.2", TASK_COMPLETED, REASON_UNFIT,
		  "beta no longer matches what the job asks of a machine");
	/* It fits again: the same slot gets its next task. */
	story_set_label(&story, "beta", "disk", "ssd");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	assert_int_equal(story_count(&story, "shop/agent"), 3);
	story_end(&story);
}

static void a_slot_that_does_not_fit_says_why_in_terms_of_its_node(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join_with(&story, "beta", 1LL << 30);
	story_project(&story, "shop");
	global_job(&story, "agent", JOB_GLOBAL)->reservations.memory_bytes = 4LL << 30;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/agent", STANDING_PENDING,
		     "1 of 2 ready; agent.2 pending: beta lacks memory (4 GB asked, it has 1 GB "
		     "free of 1 GB)");
	story_set_runtime(&story, "beta", false);
	story_why(&story, "shop/agent.2", TASK_PENDING, REASON_NO_NODE_FITS,
		  "beta has a Docker that does not answer");
	story_silence(&story, "beta");
	story_pass(&story, 30000);
	story_why(&story, "shop/agent.2", TASK_PENDING, REASON_NO_NODE_FITS, "beta is down");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void attempts_are_counted_for_each_node(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL);
	story_forget(&story);
	story_report(&story, "shop/agent.1", TASK_FAILED, REASON_EXIT_NONZERO, "exit code 3");
	story_pass(&story, 600000);
	story_tells(&story,
		    "shop/agent.1 failed: exit_nonzero: exit code 3\n"
		    "job shop/agent is degraded: 1 of 2 given up; agent.1 failed: exit code "
		    "3\n");
	/* A port that somebody else has there is tried again there, for there is nowhere else. */
	story_act(&story, REQUEST_RESTART, "shop", "agent");
	story.hold_start = "agent";
	story_report(&story, "shop/agent.2", TASK_FAILED, REASON_PORT_TAKEN, "port 80 is taken");
	story.hold_start = NULL;
	story_pass(&story, 10000);
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	const struct task *task = story_task(&story, "shop/agent.2");
	assert_true(
		uuid_equal(task->desired.node.uuid, story_node(&story, "beta")->record.id.uuid));
	story_end(&story);
}

static void a_run_to_completion_runs_once_on_each_node(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL_JOB);
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	story_report(&story, "shop/agent.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	story_report(&story, "shop/agent.2", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_stands(&story, "shop/agent", STANDING_COMPLETED, "2 of 2 succeeded");
	/* A node that joins later runs it too, and no other runs it again. */
	story_join(&story, "gamma");
	assert_int_equal(story_count(&story, "shop/agent"), 3);
	story_report(&story, "shop/agent.3", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_stands(&story, "shop/agent", STANDING_COMPLETED, "3 of 3 succeeded");
	story_silence(&story, "beta");
	story_pass(&story, 60000);
	story_stands(&story, "shop/agent", STANDING_COMPLETED, "2 of 2 succeeded");
	story_return(&story, "beta");
	story_restart(&story);
	story_pass(&story, 60000);
	story_stands(&story, "shop/agent", STANDING_COMPLETED, "3 of 3 succeeded");
	assert_int_equal(story_count(&story, "shop/agent"), 3);
	/* A new revision runs everywhere anew. */
	string_set(&story.request.jobs.items[0].spec.image, "busybox:2");
	story.succeed = "agent";
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/agent", STANDING_COMPLETED, "3 of 3 succeeded");
	assert_int_equal(story_count(&story, "shop/agent"), 6);
	story_end(&story);
}

static void a_node_without_success_keeps_a_run_from_being_complete(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL_JOB);
	story_report(&story, "shop/agent.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_report(&story, "shop/agent.2", TASK_FAILED, REASON_EXIT_NONZERO, "exit code 1");
	story_stands(&story, "shop/agent", STANDING_FAILED,
		     "1 of 2 given up; agent.2 failed: exit code 1");
	story.succeed = "agent";
	story_act(&story, REQUEST_RESTART, "shop", "agent");
	story_stands(&story, "shop/agent", STANDING_COMPLETED, "2 of 2 succeeded");
	story_end(&story);
}

static void what_depends_on_it_waits_for_all_nodes_there_are(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_project(&story, "shop");
	global_job(&story, "prepare", JOB_GLOBAL_JOB);
	story_depends(story_job(&story, "web", 1), "prepare", DEPEND_COMPLETED);
	assert_int_equal(story_apply(&story), ERR_NONE);
	/* Nowhere is not everywhere. */
	story_stands(&story, "shop/prepare", STANDING_PENDING,
		     "0 of 0 ready; no node has joined yet");
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for prepare to be completed: 0 of 0 succeeded");
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_report(&story, "shop/prepare.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_WAITS_DEPENDENCY,
		  "waits for prepare to be completed: 1 of 2 succeeded");
	story_report(&story, "shop/prepare.2", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void what_makes_no_sense_of_it_is_refused(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL);
	assert_int_equal(story_scale(&story, "shop", "agent", 3), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message,
			    "job shop/agent is global: it runs one task on each machine that "
			    "matches and has no replicas to scale");
	story.request.jobs.items[0].spec.replicas = 2;
	assert_int_equal(story_apply(&story), ERR_INVALID);
	assert_string_equal(story.reply->err.message,
			    "a global job runs one task on each machine, so it has no replicas");
	story_end(&story);
}

static void one_task_can_be_stopped_and_restarted(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL);
	story_act_task(&story, REQUEST_STOP, "shop/agent.2");
	story_stands(&story, "shop/agent", STANDING_DEGRADED,
		     "1 of 2 given up; agent.2 completed: stopped");
	story_act_task(&story, REQUEST_RESTART, "shop/agent.2");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	story_act(&story, REQUEST_STOP, "shop", "agent");
	story_join(&story, "gamma");
	story_stands(&story, "shop/agent", STANDING_STOPPED, "no container is left");
	story_act(&story, REQUEST_RESTART, "shop", "agent");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "3 of 3 ready");
	story_act(&story, REQUEST_REMOVE, "shop", NULL);
	assert_null(cluster_project(manager_cluster(story.manager), "shop"));
	story_end(&story);
}

/* Slots change their meaning with the mode: what was in them moves to where it belongs, or ends. */
static void a_job_may_become_global_and_back(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_project(&story, "shop");
	story_job(&story, "agent", 5);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story.request.jobs.items[0].spec.mode = JOB_GLOBAL;
	story.request.jobs.items[0].spec.replicas = 1;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	for (int i = 0; i < 2; i++) {
		const struct task *task = story_task(&story, i ? "shop/agent.2" : "shop/agent.1");
		const struct node_entry *node = story_node(&story, i ? "beta" : "alpha");
		assert_true(uuid_equal(task->desired.node.uuid, node->record.id.uuid));
	}
	story.request.jobs.items[0].spec.mode = JOB_REPLICATED;
	story.request.jobs.items[0].spec.replicas = 3;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	story_stands(&story, "shop/agent", STANDING_RUNNING, "3 of 3 ready");
	story_end(&story);
}

static void a_task_leaves_a_node_that_no_longer_matches(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_set_label(&story, "alpha", "disk", "ssd");
	story_project(&story, "shop");
	struct job_spec *spec = story_job(&story, "db", 1);
	strings_add(&spec->placement.constraints, "node.labels.disk==ssd");
	story_job(&story, "web", 2);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_forget(&story);
	story_set_label(&story, "beta", "disk", "ssd");
	story_tells(&story, "");
	story_set_label(&story, "alpha", "disk", "hdd");
	story_tells(&story, "shop/db.1 stopping: no_longer_fits\n"
			    "job shop/db is pending: 0 of 1 ready; db.1 is stopping: "
			    "no_longer_fits\n"
			    "shop/db.1 completed: no_longer_fits\n"
			    "shop/db.1 scheduled on beta\n"
			    "shop/db.1 running\n"
			    "job shop/db is running: 1 of 1 ready\n");
	/* With nowhere to go it ends all the same, and waits. */
	story_set_label(&story, "beta", "disk", "hdd");
	story_why(&story, "shop/db.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node matches node.labels.disk==ssd: 2 of 2 do not match "
		  "node.labels.disk==ssd");
	story_end(&story);
}

/* What is wanted is judged by what the task was made for, and also when the change was not seen. */
static void a_task_is_judged_by_its_own_revision_after_a_restart_too(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_worker(&story, "alpha")->address = "10.1.2.3";
	story_restart(&story);
	story_project(&story, "shop");
	struct job_spec *spec = story_job(&story, "db", 1);
	strings_add(&spec->placement.constraints, "node.ip==10.1.0.0/16");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/db", STANDING_RUNNING, "1 of 1 ready");
	story_worker(&story, "alpha")->address = "10.2.2.3";
	story_restart(&story);
	story_why(&story, "shop/db.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node matches node.ip==10.1.0.0/16: 1 of 1 does not match "
		  "node.ip==10.1.0.0/16");
	story_end(&story);
}

static void a_drained_node_loses_its_task_until_it_is_resumed(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL);
	story_forget(&story);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false), ERR_NONE);
	story_tells(&story, "node alpha is to be drained\n"
			    "shop/agent.1 stopping: drained\n"
			    "shop/agent.1 completed: drained\n");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "1 of 1 ready");
	/* A job that comes meanwhile leaves it out. */
	global_job(&story, "probe", JOB_GLOBAL);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_stands(&story, "shop/probe", STANDING_RUNNING, "1 of 1 ready");
	assert_int_equal(story_act_node(&story, REQUEST_NODE_DRAIN, "beta", false), ERR_NONE);
	story_stands(&story, "shop/agent", STANDING_PENDING,
		     "0 of 0 ready; no node is ready: 2 of 2 are draining");
	story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false);
	story_act_node(&story, REQUEST_NODE_RESUME, "beta", false);
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	story_stands(&story, "shop/probe", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

static void a_run_that_was_drained_away_runs_when_the_node_is_resumed(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_GLOBAL_JOB);
	story_report(&story, "shop/agent.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false);
	story_act_node(&story, REQUEST_NODE_DRAIN, "beta", false);
	story_act_node(&story, REQUEST_NODE_RESUME, "alpha", false);
	/* Alpha has done it already; beta was interrupted. */
	story_stands(&story, "shop/agent", STANDING_COMPLETED, "1 of 1 succeeded");
	story_act_node(&story, REQUEST_NODE_RESUME, "beta", false);
	story_stands(&story, "shop/agent", STANDING_RUNNING, "2 of 2 ready");
	story_report(&story, "shop/agent.2", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_stands(&story, "shop/agent", STANDING_COMPLETED, "2 of 2 succeeded");
	assert_int_equal(story_count(&story, "shop/agent"), 3);
	story_end(&story);
}

static void a_node_that_leaves_takes_its_task_and_its_volumes_along(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_project(&story, "shop");
	story_mount(&story, global_job(&story, "agent", JOB_GLOBAL), "state");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_act_node(&story, REQUEST_NODE_DRAIN, "alpha", false);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "alpha", false), ERR_NONE);
	assert_int_equal(manager_cluster(story.manager)->volumes.n, 1);
	story_pass(&story, 60000);
	story_stands(&story, "shop/agent", STANDING_RUNNING, "1 of 1 ready");
	/* Lost with all it had, by the operator's word. */
	story_silence(&story, "beta");
	story_pass(&story, 30000);
	assert_int_equal(story_act_node(&story, REQUEST_NODE_REMOVE, "beta", true), ERR_NONE);
	assert_int_equal(manager_cluster(story.manager)->volumes.n, 0);
	story_pass(&story, 60000);
	story_stands(&story, "shop/agent", STANDING_PENDING,
		     "0 of 0 ready; no node has joined yet");
	/* A number is not given twice, so neither is a slot. */
	story_join(&story, "gamma");
	story_stands(&story, "shop/agent", STANDING_RUNNING, "1 of 1 ready");
	assert_int_equal(story_task(&story, "shop/agent.3")->desired.slot, 3);
	story_end(&story);
}

static size_t count_volumes(struct story *story)
{
	return manager_cluster(story->manager)->volumes.n;
}

static void each_node_has_its_own_volume(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_project(&story, "shop");
	story_mount(&story, global_job(&story, "agent", JOB_GLOBAL), "state");
	struct job_spec *spec = story_job(&story, "cache", 2);
	story_mount(&story, spec, "warm");
	spec->volume_reach = REACH_PER_NODE;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "node alpha joined\n"
			    "node alpha is ready\n"
			    "node beta joined\n"
			    "node beta is ready\n"
			    "job shop/agent revision 1 accepted\n"
			    "job shop/cache revision 1 accepted\n"
			    "volume shop_state is on alpha\n"
			    "shop/agent.1 scheduled on alpha\n"
			    "volume shop_state is on beta\n"
			    "shop/agent.2 scheduled on beta\n"
			    "volume shop_warm is on alpha\n"
			    "shop/cache.1 scheduled on alpha\n"
			    "volume shop_warm is on beta\n"
			    "shop/cache.2 scheduled on beta\n"
			    "shop/agent.1 running\n"
			    "shop/cache.1 running\n"
			    "shop/agent.2 running\n"
			    "shop/cache.2 running\n"
			    "job shop/agent is running: 2 of 2 ready\n"
			    "job shop/cache is running: 2 of 2 ready\n");
	/* No pin keeps a task from moving on. */
	story_silence(&story, "beta");
	story_pass(&story, 30000);
	story_stands(&story, "shop/cache", STANDING_RUNNING, "2 of 2 ready");
	assert_int_equal(count_volumes(&story), 4);
	story_restart(&story);
	story_pass(&story, 60000);
	assert_int_equal(count_volumes(&story), 4);
	/* All of them go, each when its node can say so. */
	struct manager_request request = { .kind = REQUEST_REMOVE,
					   .project = "shop",
					   .with_volumes = true };
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	assert_int_equal(count_volumes(&story), 4);
	story_return(&story, "beta");
	assert_int_equal(count_volumes(&story), 0);
	story_end(&story);
}

static void removing_a_volume_removes_it_on_every_node(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_join(&story, "gamma");
	story_project(&story, "shop");
	story_mount(&story, global_job(&story, "agent", JOB_GLOBAL), "state");
	assert_int_equal(story_apply(&story), ERR_NONE);
	struct manager_request request = { .kind = REQUEST_VOLUME_REMOVE, .volume = "shop_state" };
	assert_int_equal(story_ask(&story, &request), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message,
			    "volume shop_state is used by job shop/agent");
	story_act(&story, REQUEST_REMOVE, "shop", NULL);
	story_silence(&story, "gamma");
	story_forget(&story);
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	story_tells(&story, "volume shop_state on alpha is to be removed\n"
			    "volume shop_state on beta is to be removed\n"
			    "volume shop_state on gamma is to be removed\n"
			    "volume shop_state on alpha removed\n"
			    "volume shop_state on beta removed\n");
	/* While a copy is still to go, nobody may use the name. */
	assert_int_equal(story_apply(&story), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message, "volume shop_state is still being removed");
	story_return(&story, "gamma");
	assert_int_equal(count_volumes(&story), 0);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_end(&story);
}

/* What shares a network is together; what has it on each node is not. */
static void a_network_on_each_node_lets_a_project_spread(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_join(&story, "beta");
	story_join(&story, "gamma");
	story_project(&story, "shop");
	struct network_spec *network = list_add(&story.request.networks, sizeof(*network));
	record_init(&network_spec_type, network);
	string_set(&network->key, "default");
	const char *const names[] = { "db", "web", "proxy" };
	for (size_t i = 0; i < 3; i++) {
		struct job_spec *spec = story_job(&story, names[i], i == 2 ? 3 : 1);
		struct network_use *use = list_add(&spec->networks, sizeof(*use));
		record_init(&network_use_type, use);
		string_set(&use->network, "default");
		spec->network_reach = i == 2 ? REACH_PER_NODE : REACH_ONE_NODE;
	}
	assert_int_equal(story_apply(&story), ERR_NONE);
	const struct task *db = story_task(&story, "shop/db.1");
	const struct task *web = story_task(&story, "shop/web.1");
	assert_true(uuid_equal(db->desired.node.uuid, web->desired.node.uuid));
	for (size_t i = 0; i < 3; i++) {
		const struct node_entry *node = manager_cluster(story.manager)->columns.entry[i];
		const struct job_entry *proxy =
			cluster_job_named(manager_cluster(story.manager), "shop", "proxy");
		assert_int_equal(cluster_job_tasks_on(proxy, node), 1);
	}
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_node_gets_one_and_a_new_node_at_once),
		cmocka_unit_test(the_task_of_a_silent_node_waits_and_resumes),
		cmocka_unit_test(a_silent_node_gets_a_new_job_when_it_returns),
		cmocka_unit_test(a_silent_node_does_not_hold_an_update_back),
		cmocka_unit_test(an_update_goes_from_node_to_node),
		cmocka_unit_test(labels_decide_who_has_one),
		cmocka_unit_test(a_slot_that_does_not_fit_says_why_in_terms_of_its_node),
		cmocka_unit_test(attempts_are_counted_for_each_node),
		cmocka_unit_test(a_run_to_completion_runs_once_on_each_node),
		cmocka_unit_test(a_node_without_success_keeps_a_run_from_being_complete),
		cmocka_unit_test(what_depends_on_it_waits_for_all_nodes_there_are),
		cmocka_unit_test(what_makes_no_sense_of_it_is_refused),
		cmocka_unit_test(one_task_can_be_stopped_and_restarted),
		cmocka_unit_test(a_job_may_become_global_and_back),
		cmocka_unit_test(a_drained_node_loses_its_task_until_it_is_resumed),
		cmocka_unit_test(a_run_that_was_drained_away_runs_when_the_node_is_resumed),
		cmocka_unit_test(a_node_that_leaves_takes_its_task_and_its_volumes_along),
		cmocka_unit_test(each_node_has_its_own_volume),
		cmocka_unit_test(removing_a_volume_removes_it_on_every_node),
		cmocka_unit_test(a_network_on_each_node_lets_a_project_spread),
		cmocka_unit_test(a_task_leaves_a_node_that_no_longer_matches),
		cmocka_unit_test(a_task_is_judged_by_its_own_revision_after_a_restart_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
