/* New revisions one slot at a time, scaling, stopping, restarting and removing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "manager_story.h"

/* "shop/web" of `replicas` on alpha, running. */
static void begin(struct story *story, int mode, int64_t replicas)
{
	story_begin(story);
	story_join(story, "alpha");
	story_project(story, "shop");
	story_job(story, "web", replicas)->mode = mode;
	assert_int_equal(story_apply(story), ERR_NONE);
	story_forget(story);
}

static void set_image(struct story *story, const char *image)
{
	string_set(&story->request.jobs.items[0].spec.image, image);
}

static void an_unchanged_project_changes_nothing(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	size_t n_changes = story.n_changes;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	story_tells(&story, "");
	assert_int_equal(story.n_changes, n_changes);
	story_end(&story);
}

static void an_update_replaces_one_task_after_the_other_stopping_first(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 3);
	set_image(&story, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "web", EFFECT_UPDATED);
	story_tells(&story,
		    "job shop/web revision 2 accepted\n"
		    "shop/web.1 stopping: updated\n"
		    "job shop/web is updating: 3 of 3 tasks still to be replaced; web.1 is "
		    "stopping: updated\n"
		    "shop/web.1 completed: updated\n"
		    "shop/web.1 scheduled on alpha\n"
		    "shop/web.1 running\n"
		    "shop/web.2 stopping: updated\n"
		    "shop/web.2 completed: updated\n"
		    "shop/web.2 scheduled on alpha\n"
		    "shop/web.2 running\n"
		    "shop/web.3 stopping: updated\n"
		    "shop/web.3 completed: updated\n"
		    "shop/web.3 scheduled on alpha\n"
		    "job shop/web is pending: 2 of 3 ready; web.3 scheduled: placed on alpha\n"
		    "shop/web.3 running\n"
		    "job shop/web is running: 3 of 3 ready\n");
	story_end(&story);
}

static void an_update_waits_until_the_old_task_is_gone_and_the_new_one_is_ready(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	story.hold_stop = "web";
	story.starting = "web";
	set_image(&story, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	story_tells(&story, "job shop/web revision 2 accepted\n"
			    "shop/web.1 stopping: updated\n"
			    "job shop/web is updating: 2 of 2 tasks still to be replaced; web.1 is "
			    "stopping: updated\n");
	story.hold_stop = NULL;
	story_pass(&story, 60000);
	story_tells(&story, "shop/web.1 completed: updated\n"
			    "shop/web.1 scheduled on alpha\n"
			    "shop/web.1 running\n");
	story_health(&story, "shop/web.1", HEALTH_HEALTHY);
	story_tells(&story,
		    "shop/web.1 healthy\n"
		    "shop/web.2 stopping: updated\n"
		    "shop/web.2 completed: updated\n"
		    "shop/web.2 scheduled on alpha\n"
		    "job shop/web is pending: 1 of 2 ready; web.2 scheduled: placed on alpha\n"
		    "shop/web.2 running\n");
	story_end(&story);
}

static void an_update_whose_task_fails_for_good_pauses_until_a_newer_revision(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 3);
	story.hold_start = "web";
	set_image(&story, "busybox:broken");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 1");
	story_pass(&story, 600000);
	story_stands(
		&story, "shop/web", STANDING_DEGRADED,
		"the update is paused with 2 of 3 tasks still to be replaced; 1 of 3 given up; "
		"web.1 failed: exited with status 1");
	story_why(&story, "shop/web.2", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story.hold_start = NULL;
	story_forget(&story);
	set_image(&story, "busybox:3");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story,
		    "job shop/web revision 3 accepted\n"
		    "shop/web.1 scheduled on alpha\n"
		    "job shop/web is updating: 2 of 3 tasks still to be replaced; web.1 scheduled: "
		    "placed on alpha\n"
		    "shop/web.1 running\n"
		    "shop/web.2 stopping: updated\n"
		    "shop/web.2 completed: updated\n"
		    "shop/web.2 scheduled on alpha\n"
		    "shop/web.2 running\n"
		    "shop/web.3 stopping: updated\n"
		    "shop/web.3 completed: updated\n"
		    "shop/web.3 scheduled on alpha\n"
		    "job shop/web is pending: 2 of 3 ready; web.3 scheduled: placed on alpha\n"
		    "shop/web.3 running\n"
		    "job shop/web is running: 3 of 3 ready\n");
	story_end(&story);
}

static void an_update_that_fits_nowhere_takes_only_one_task_down(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	story.request.jobs.items[0].spec.reservations.memory_bytes = 64LL << 30;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_pass(&story, 60000);
	story_why(&story, "shop/web.1", TASK_PENDING, REASON_NO_NODE_FITS,
		  "no node has 64 GB of memory free: 1 of 1 lacks memory (largest has 8 GB free of "
		  "8 GB)");
	story_why(&story, "shop/web.2", TASK_RUNNING, REASON_RUNNING, "running on alpha");
	story_end(&story);
}

static void a_change_of_replicas_alone_touches_no_other_task(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	story.request.jobs.items[0].spec.replicas = 3;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "web", EFFECT_SCALED);
	story_tells(&story,
		    "job shop/web scaled to 3\n"
		    "shop/web.3 scheduled on alpha\n"
		    "job shop/web is pending: 2 of 3 ready; web.3 scheduled: placed on alpha\n"
		    "shop/web.3 running\n"
		    "job shop/web is running: 3 of 3 ready\n");
	assert_int_equal(story_task(&story, "shop/web.3")->desired.revision, 1);
	story_end(&story);
}

/* "shop/web" of 2 on alpha, which has fast disks; beta has none. */
static void begin_on_ssd(struct story *story)
{
	story_begin(story);
	story_join(story, "alpha");
	story_set_label(story, "alpha", "disk", "ssd");
	story_project(story, "shop");
	story_job(story, "web", 2);
	assert_int_equal(story_apply(story), ERR_NONE);
	story_join(story, "beta");
	story_forget(story);
}

static void constrain(struct story *story, const char *constraint)
{
	struct placement *placement = &story->request.jobs.items[0].spec.placement;
	strings_release(&placement->constraints);
	strings_add(&placement->constraints, constraint);
}

static void a_constraint_that_all_tasks_meet_moves_none(void **state)
{
	(void)state;
	struct story story;
	begin_on_ssd(&story);
	constrain(&story, "node.labels.disk==ssd");
	story.request.jobs.items[0].spec.scheduler = base_strdup("binpack");
	story_depends(&story.request.jobs.items[0].spec, "db", DEPEND_STARTED)->optional = true;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "web", EFFECT_UPDATED);
	story_tells(&story, "job shop/web updated in place\n");
	assert_int_equal(story_task(&story, "shop/web.1")->desired.revision, 1);
	/* It holds from now on. */
	assert_int_equal(story_scale(&story, "shop", "web", 3), ERR_NONE);
	assert_ptr_equal(cluster_node(manager_cluster(story.manager),
				      story_task(&story, "shop/web.3")->desired.node),
			 story_node(&story, "alpha"));
	story_restart(&story);
	story_forget(&story);
	story_set_label(&story, "alpha", "disk", "hdd");
	story_set_label(&story, "beta", "disk", "ssd");
	story_run(&story);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.revision, 1);
	assert_ptr_equal(cluster_node(manager_cluster(story.manager),
				      story_task(&story, "shop/web.1")->desired.node),
			 story_node(&story, "beta"));
	story_end(&story);
}

static void a_constraint_that_a_task_breaks_makes_a_revision(void **state)
{
	(void)state;
	struct story story;
	begin_on_ssd(&story);
	constrain(&story, "node.labels.disk!=ssd");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story,
		    "job shop/web revision 2 accepted\n"
		    "shop/web.1 stopping: updated\n"
		    "job shop/web is updating: 2 of 2 tasks still to be replaced; web.1 is "
		    "stopping: updated\n"
		    "shop/web.1 completed: updated\n"
		    "shop/web.1 scheduled on beta\n"
		    "shop/web.1 running\n"
		    "shop/web.2 stopping: updated\n"
		    "shop/web.2 completed: updated\n"
		    "shop/web.2 scheduled on beta\n"
		    "job shop/web is pending: 1 of 2 ready; web.2 scheduled: placed on beta\n"
		    "shop/web.2 running\n"
		    "job shop/web is running: 2 of 2 ready\n");
	story_end(&story);
}

static void a_task_that_waits_goes_by_the_new_constraint(void **state)
{
	(void)state;
	struct story story;
	begin_on_ssd(&story);
	constrain(&story, "node.labels.disk==ssd");
	story.request.jobs.items[0].spec.placement.max_replicas_per_node = 2;
	story.request.jobs.items[0].spec.replicas = 3;
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.3")->state, TASK_PENDING);
	story_forget(&story);
	constrain(&story, "node.labels.disk!=tape");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story, "job shop/web updated in place\n"
			    "shop/web.3 scheduled on beta\n"
			    "shop/web.3 running\n"
			    "job shop/web is running: 3 of 3 ready\n");
	story_end(&story);
}

static void too_many_on_one_machine_make_a_revision(void **state)
{
	(void)state;
	struct story story;
	begin_on_ssd(&story);
	story.request.jobs.items[0].spec.placement.max_replicas_per_node = 1;
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.1")->desired.revision, 2);
	assert_true(!uuid_equal(story_task(&story, "shop/web.1")->desired.node.uuid,
				story_task(&story, "shop/web.2")->desired.node.uuid));
	story_end(&story);
}

static void what_was_given_up_is_tried_again_where_the_constraint_changes(void **state)
{
	(void)state;
	struct story story;
	begin_on_ssd(&story);
	story_report(&story, "shop/web.2", TASK_FAILED, REASON_EXIT_NONZERO, "exited with 1");
	constrain(&story, "node.labels.disk==ssd");
	assert_int_equal(story_apply(&story), ERR_NONE);
	assert_int_equal(story_task(&story, "shop/web.2")->state, TASK_RUNNING);
	assert_int_equal(story_task(&story, "shop/web.2")->desired.revision, 2);
	story_end(&story);
}

static void scaling_down_ends_the_highest_slots_and_keeps_nothing_of_them(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 3);
	assert_int_equal(story_scale(&story, "shop", "web", 1), ERR_NONE);
	story_effect(&story, "web", EFFECT_SCALED);
	story_tells(&story, "job shop/web scaled to 1\n"
			    "shop/web.3 stopping: scaled_down\n"
			    "shop/web.2 stopping: scaled_down\n"
			    "shop/web.2 completed: scaled_down\n"
			    "shop/web.3 completed: scaled_down\n"
			    "shop/web.2 removed\n"
			    "shop/web.3 removed\n");
	assert_int_equal(story_count(&story, "shop/web"), 1);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story_end(&story);
}

static void scaling_up_again_while_tasks_still_end_fills_the_slots_anew(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	story.hold_stop = "web";
	assert_int_equal(story_scale(&story, "shop", "web", 1), ERR_NONE);
	assert_int_equal(story_scale(&story, "shop", "web", 2), ERR_NONE);
	story.hold_stop = NULL;
	story_forget(&story);
	story_run(&story);
	story_tells(&story, "shop/web.2 completed: scaled_down\n"
			    "shop/web.2 scheduled on alpha\n"
			    "shop/web.2 running\n"
			    "job shop/web is running: 2 of 2 ready\n");
	story_end(&story);
}

static void a_slot_given_up_and_scaled_away_starts_anew_when_it_is_wanted_again(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	story.hold_remove = "web";
	story_report(&story, "shop/web.2", TASK_FAILED, REASON_EXIT_NONZERO,
		     "exited with status 3");
	assert_int_equal(story_scale(&story, "shop", "web", 1), ERR_NONE);
	assert_int_equal(story_scale(&story, "shop", "web", 2), ERR_NONE);
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

static void scaling_to_nothing_and_back(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	assert_int_equal(story_scale(&story, "shop", "web", 0), ERR_NONE);
	assert_int_equal(story_count(&story, "shop/web"), 0);
	story_stands(&story, "shop/web", STANDING_RUNNING, "0 of 0 ready");
	assert_int_equal(story_scale(&story, "shop", "web", 2), ERR_NONE);
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	assert_int_equal(story_scale(&story, "shop", "web", 2), ERR_NONE);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	assert_int_equal(story_scale(&story, "shop", "web", -1), ERR_INVALID);
	assert_int_equal(story_scale(&story, "shop", "web", 1000001), ERR_INVALID);
	assert_int_equal(story_scale(&story, "shop", "db", 1), ERR_NOT_FOUND);
	assert_int_equal(story_scale(&story, "cart", "web", 1), ERR_NOT_FOUND);
	story_end(&story);
}

static void stopping_a_job_ends_its_tasks_and_applying_it_runs_it_again(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "web"), ERR_NONE);
	story_pass(&story, 60000);
	story_tells(&story, "job shop/web is to stop\n"
			    "shop/web.1 stopping: stopped\n"
			    "job shop/web is stopped: 1 task is not confirmed gone\n"
			    "shop/web.1 completed: stopped\n");
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "web"), ERR_NONE);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "web", EFFECT_RESTARTED);
	story_tells(&story,
		    "job shop/web is to restart\n"
		    "shop/web.1 scheduled on alpha\n"
		    "job shop/web is pending: 0 of 1 ready; web.1 scheduled: placed on alpha\n"
		    "shop/web.1 running\n"
		    "job shop/web is running: 1 of 1 ready\n");
	story_end(&story);
}

static void restarting_a_job_replaces_its_tasks_one_by_one(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	assert_int_equal(story_act(&story, REQUEST_RESTART, "shop", NULL), ERR_NONE);
	story_effect(&story, "web", EFFECT_RESTARTED);
	story_tells(&story,
		    "job shop/web is to restart\n"
		    "shop/web.1 stopping: restarted\n"
		    "job shop/web is updating: 2 of 2 tasks still to be replaced; web.1 is "
		    "stopping: restarted\n"
		    "shop/web.1 completed: restarted\n"
		    "shop/web.1 scheduled on alpha\n"
		    "shop/web.1 running\n"
		    "shop/web.2 stopping: restarted\n"
		    "shop/web.2 completed: restarted\n"
		    "shop/web.2 scheduled on alpha\n"
		    "job shop/web is pending: 1 of 2 ready; web.2 scheduled: placed on alpha\n"
		    "shop/web.2 running\n"
		    "job shop/web is running: 2 of 2 ready\n");
	story_end(&story);
}

static void restarting_a_stopped_job_starts_it(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	story_act(&story, REQUEST_STOP, "shop", NULL);
	story_act(&story, REQUEST_RESTART, "shop", "web");
	story_stands(&story, "shop/web", STANDING_RUNNING, "2 of 2 ready");
	story_end(&story);
}

static void one_task_is_restarted_or_stopped_alone(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 2);
	assert_int_equal(story_act_task(&story, REQUEST_RESTART, "shop/web.2"), ERR_NONE);
	story_tells(&story, "shop/web.2 stopping: restarted\n"
			    "job shop/web is pending: 1 of 2 ready; web.2 is stopping: restarted\n"
			    "shop/web.2 completed: restarted\n"
			    "shop/web.2 scheduled on alpha\n"
			    "shop/web.2 running\n"
			    "job shop/web is running: 2 of 2 ready\n");
	assert_int_equal(story_act_task(&story, REQUEST_STOP, "shop/web.2"), ERR_NONE);
	assert_int_equal(story_act_task(&story, REQUEST_STOP, "shop/web.2"), ERR_NONE);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	story_forget(&story);
	assert_int_equal(story_act_task(&story, REQUEST_RESTART, "shop/web.2"), ERR_NONE);
	story_tells(&story,
		    "shop/web.2 scheduled on alpha\n"
		    "job shop/web is pending: 1 of 2 ready; web.2 scheduled: placed on alpha\n"
		    "shop/web.2 running\n"
		    "job shop/web is running: 2 of 2 ready\n");
	story_end(&story);
}

static void a_task_of_the_past_cannot_be_restarted(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	struct manager_request request = { .kind = REQUEST_RESTART,
					   .task = story_task(&story, "shop/web.1")->desired.id };
	story_act_task(&story, REQUEST_RESTART, "shop/web.1");
	assert_int_equal(story_ask(&story, &request), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message,
			    "this task of shop/web.1 is history: a newer one has taken over");
	story_act(&story, REQUEST_STOP, "shop", "web");
	assert_int_equal(story_act_task(&story, REQUEST_RESTART, "shop/web.1"), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message, "job shop/web is stopped: restart the job");
	request.task.uuid.bytes[3] ^= 1;
	assert_int_equal(story_ask(&story, &request), ERR_NOT_FOUND);
	story_end(&story);
}

static void restarting_a_task_that_pauses_between_starts_starts_it_now(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	story.hold_start = "web";
	story_act(&story, REQUEST_RESTART, "shop", "web");
	story_report(&story, "shop/web.1", TASK_FAILED, REASON_PULL_FAILED, "no answer");
	story_forget(&story);
	assert_int_equal(story_act_task(&story, REQUEST_RESTART, "shop/web.1"), ERR_NONE);
	story_tells(&story, "shop/web.1 scheduled on alpha\n");
	story_end(&story);
}

static void an_update_of_a_job_that_runs_to_completion_runs_every_slot_anew(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB, 3);
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_forget(&story);
	set_image(&story, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_tells(&story,
		    "job shop/web revision 2 accepted\n"
		    "shop/web.2 stopping: updated\n"
		    "shop/web.3 stopping: updated\n"
		    "shop/web.1 scheduled on alpha\n"
		    "job shop/web is updating: 2 of 3 tasks still to be replaced; web.1 scheduled: "
		    "placed on alpha\n"
		    "shop/web.2 completed: updated\n"
		    "shop/web.3 completed: updated\n"
		    "shop/web.1 running\n"
		    "shop/web.2 scheduled on alpha\n"
		    "shop/web.3 scheduled on alpha\n"
		    "job shop/web is pending: 1 of 3 ready; web.2 scheduled: placed on alpha\n"
		    "shop/web.2 running\n"
		    "shop/web.3 running\n"
		    "job shop/web is running: 3 of 3 ready\n");
	story_end(&story);
}

static void removing_a_project_takes_everything_but_its_volumes(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	story_project(&story, "shop");
	story_mount(&story, story_job(&story, "db", 1), "data");
	story_job(&story, "web", 1)->reservations.memory_bytes = 64LL << 30;
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_forget(&story);
	assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", NULL), ERR_NONE);
	story_effect(&story, "db", EFFECT_REMOVED);
	story_tells(&story, "job shop/db is to be removed\n"
			    "job shop/web is to be removed\n"
			    "shop/db.1 stopping: removed\n"
			    "shop/web.1 removed\n"
			    "job shop/web removed\n"
			    "job shop/db is removing: 1 task is not confirmed gone\n"
			    "shop/db.1 completed: removed\n"
			    "shop/db.1 removed\n"
			    "job shop/db removed\n"
			    "project shop removed\n");
	assert_non_null(cluster_volume(manager_cluster(story.manager), "shop_data"));
	/* The volume can be removed by the project's name afterwards. */
	struct manager_request request = { .kind = REQUEST_REMOVE,
					   .project = "shop",
					   .with_volumes = true };
	assert_int_equal(story_ask(&story, &request), ERR_NONE);
	story_tells(&story, "volume shop_data is to be removed\n"
			    "volume shop_data removed\n");
	assert_int_equal(story_ask(&story, &request), ERR_NOT_FOUND);
	story_end(&story);
}

static void a_job_that_is_being_removed_cannot_be_applied(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	story.hold_remove = "web";
	assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", "web"), ERR_NONE);
	assert_int_equal(story_apply(&story), ERR_CONFLICT);
	assert_string_equal(story.reply->err.message,
			    "job shop/web is still being removed; try again when it is gone");
	assert_int_equal(story_act(&story, REQUEST_STOP, "shop", "web"), ERR_CONFLICT);
	assert_int_equal(story_act(&story, REQUEST_REMOVE, "shop", "web"), ERR_NONE);
	story_effect(&story, "web", EFFECT_UNCHANGED);
	story.hold_remove = NULL;
	story_run(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "web", EFFECT_CREATED);
	story_end(&story);
}

static void history_keeps_the_last_tasks_of_each_slot(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	for (int i = 0; i < 5; i++) {
		story_act(&story, REQUEST_RESTART, "shop", "web");
		assert_int_equal(story_count(&story, "shop/web"), i < 2 ? i + 2 : 3);
	}
	/* What never ran needs nobody's word to be forgotten. */
	story.request.jobs.items[0].spec.reservations.memory_bytes = 64LL << 30;
	for (int i = 0; i < 5; i++) {
		pairs_put(&story.request.jobs.items[0].spec.environment, "ROUND",
			  i % 2 ? "a" : "b");
		story_apply(&story);
	}
	assert_int_equal(story_count(&story, "shop/web"), 3);
	story_end(&story);
}

static void without_history_the_task_that_fills_a_slot_is_kept_all_the_same(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED_JOB, 1);
	story.options.history_per_slot = 0;
	story_restart(&story);
	story_act(&story, REQUEST_RESTART, "shop", "web");
	assert_int_equal(story_count(&story, "shop/web"), 1);
	story_report(&story, "shop/web.1", TASK_COMPLETED, REASON_EXIT_ZERO, NULL);
	story_pass(&story, 10000);
	assert_int_equal(story_count(&story, "shop/web"), 1);
	story_stands(&story, "shop/web", STANDING_COMPLETED, "1 of 1 succeeded");
	story_end(&story);
}

static void only_the_last_revisions_are_kept(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	for (int i = 0; i < 15; i++) {
		char image[32];
		set_image(&story, text_print(image, sizeof(image), "busybox:%d", i + 2));
		assert_int_equal(story_apply(&story), ERR_NONE);
	}
	const struct job_entry *entry =
		cluster_job_named(manager_cluster(story.manager), "shop", "web");
	assert_int_equal(entry->n_revisions, 10);
	assert_int_equal(entry->job.revision, 16);
	story_end(&story);
}

static void orphans_are_named_and_removed_only_when_asked(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 1);
	story_project(&story, "shop");
	story_job(&story, "api", 1);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "api", EFFECT_CREATED);
	story_effect(&story, "web", EFFECT_ORPHAN);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	story.request.remove_orphans = true;
	strings_add(&story.request.inactive, "web");
	story_forget(&story);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "api", EFFECT_UNCHANGED);
	story_stands(&story, "shop/web", STANDING_RUNNING, "1 of 1 ready");
	strings_release(&story.request.inactive);
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_effect(&story, "api", EFFECT_UNCHANGED);
	story_effect(&story, "web", EFFECT_REMOVED);
	story_tells(&story, "job shop/web is to be removed\n"
			    "shop/web.1 stopping: removed\n"
			    "job shop/web is removing: 1 task is not confirmed gone\n"
			    "shop/web.1 completed: removed\n"
			    "shop/web.1 removed\n"
			    "job shop/web removed\n");
	story_end(&story);
}

static void an_update_goes_on_after_the_manager_was_killed(void **state)
{
	(void)state;
	struct story story;
	begin(&story, JOB_REPLICATED, 3);
	story.starting = "web";
	set_image(&story, "busybox:2");
	assert_int_equal(story_apply(&story), ERR_NONE);
	story_restart(&story);
	story_stands(&story, "shop/web", STANDING_UPDATING,
		     "2 of 3 tasks still to be replaced; web.1 running: running on alpha");
	story_health(&story, "shop/web.1", HEALTH_HEALTHY);
	story_restart(&story);
	story_stands(&story, "shop/web", STANDING_UPDATING,
		     "1 of 3 tasks still to be replaced; web.2 running: running on alpha");
	story_health(&story, "shop/web.2", HEALTH_HEALTHY);
	story_health(&story, "shop/web.3", HEALTH_HEALTHY);
	story_stands(&story, "shop/web", STANDING_RUNNING, "3 of 3 ready");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unchanged_project_changes_nothing),
		cmocka_unit_test(an_update_replaces_one_task_after_the_other_stopping_first),
		cmocka_unit_test(
			an_update_waits_until_the_old_task_is_gone_and_the_new_one_is_ready),
		cmocka_unit_test(an_update_whose_task_fails_for_good_pauses_until_a_newer_revision),
		cmocka_unit_test(an_update_that_fits_nowhere_takes_only_one_task_down),
		cmocka_unit_test(a_change_of_replicas_alone_touches_no_other_task),
		cmocka_unit_test(a_constraint_that_all_tasks_meet_moves_none),
		cmocka_unit_test(a_constraint_that_a_task_breaks_makes_a_revision),
		cmocka_unit_test(too_many_on_one_machine_make_a_revision),
		cmocka_unit_test(a_task_that_waits_goes_by_the_new_constraint),
		cmocka_unit_test(what_was_given_up_is_tried_again_where_the_constraint_changes),
		cmocka_unit_test(scaling_down_ends_the_highest_slots_and_keeps_nothing_of_them),
		cmocka_unit_test(scaling_up_again_while_tasks_still_end_fills_the_slots_anew),
		cmocka_unit_test(
			a_slot_given_up_and_scaled_away_starts_anew_when_it_is_wanted_again),
		cmocka_unit_test(scaling_to_nothing_and_back),
		cmocka_unit_test(stopping_a_job_ends_its_tasks_and_applying_it_runs_it_again),
		cmocka_unit_test(restarting_a_job_replaces_its_tasks_one_by_one),
		cmocka_unit_test(restarting_a_stopped_job_starts_it),
		cmocka_unit_test(one_task_is_restarted_or_stopped_alone),
		cmocka_unit_test(a_task_of_the_past_cannot_be_restarted),
		cmocka_unit_test(restarting_a_task_that_pauses_between_starts_starts_it_now),
		cmocka_unit_test(an_update_of_a_job_that_runs_to_completion_runs_every_slot_anew),
		cmocka_unit_test(removing_a_project_takes_everything_but_its_volumes),
		cmocka_unit_test(a_job_that_is_being_removed_cannot_be_applied),
		cmocka_unit_test(history_keeps_the_last_tasks_of_each_slot),
		cmocka_unit_test(without_history_the_task_that_fills_a_slot_is_kept_all_the_same),
		cmocka_unit_test(only_the_last_revisions_are_kept),
		cmocka_unit_test(orphans_are_named_and_removed_only_when_asked),
		cmocka_unit_test(an_update_goes_on_after_the_manager_was_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
