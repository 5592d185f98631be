/* Going to a new revision, back to an older one, or through a restart: as many slots at a time as the policy says. A
 * slot's old task is stopped, and when it is gone the new one starts; or the new one starts first and the old one is
 * stopped when that is ready (move.c). A slot takes up one of the places until its new task is ready and the policy's
 * delay has passed since.
 *
 * New tasks are on trial (trial.c). When more of them have failed than may, the update goes no further, or the job goes
 * back to the revision before. What is done is on record with the job; what is due next follows from the slots, so it
 * goes on after a restart of the manager where it was, and a newer revision simply takes over.
 *
 * Invariant: of the slots that had a live task, at most as many as the policy allows side by side are without a ready
 * one because of us; those that failed aside. */
#include "base/limits.h"
#include "base/planted.h"
#include "manager/core.h"
#include "manager/roster.h"

bool job_is_rolling(const struct job_entry *entry)
{
	return job_is_under_way(&entry->job);
}

const struct update_policy *update_policy_of(const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	return entry->job.rolled_back_from && job_is_rolling(entry) ? &spec->rollback
								    : &spec->update;
}

bool update_is_failing(const struct update_policy *policy, const struct job_facts *facts)
{
	return facts->failed * 1000000 > policy->max_failure_ppm * facts->replaced;
}

static void look_at_old(const struct manager *manager, const struct job_entry *entry,
			const struct slot *slot, struct slot_roll *roll)
{
	/* The one before it may still be ending, or not be known to be gone: that is waited for, but not for a machine
	 * that is lost. */
	const struct task *before =
		cluster_task(&manager->cluster, task_rare(slot->newest)->replaces);
	bool settled = move_is_over(manager, slot->newest) ||
		       (before->desired.wanted != TASK_WANT_RUN && before->unreachable);
	roll->open = true;
	if (slot_look(entry, slot->newest) == SLOT_OLD && settled)
		roll->next = task_serves(slot->newest) ? NEXT_SERVES : NEXT_IDLE;
	else
		roll->busy = true;
}

/* Has that time come? Else look again then. */
static bool is_over(const struct manager *manager, struct slot_roll *roll, int64_t time_ms)
{
	if (time_ms <= manager->in->now_ms)
		return true;
	if (time_ms < roll->due_ms)
		roll->due_ms = time_ms;
	return false;
}

/* It has succeeded, or somebody has stopped it: it is waited for no longer. */
static bool is_over_for_good(const struct job_entry *entry, const struct task *task, int trial)
{
	int look = slot_look(entry, task);
	if (look == SLOT_DONE)
		return true;
	return look == SLOT_LEFT && trial != TRIAL_FAILED &&
	       reason_after(task_end_reason(entry, task)) == AFTER_ASKED;
}

static void look_at_new(struct manager *manager, const struct job_entry *entry,
			const struct slot *slot, struct slot_roll *roll)
{
	struct task *task = slot->newest;
	const struct update_policy *policy = update_policy_of(entry);
	int trial = trial_judge(manager, entry, task, &roll->due_ms);
	int64_t ready_ms = trial_ready_ms(manager, task);
	if (is_over_for_good(entry, task, trial))
		return;
	int64_t wait_ms =
		trial == TRIAL_FAILED ? update_policy_monitor_ms(policy) : policy->delay_ms;
	bool busy = ready_ms == INT64_MAX || !is_over(manager, roll, ready_ms + wait_ms);
	roll->open = trial == TRIAL_OPEN;
	if (trial == TRIAL_FAILED)
		roll->ill = busy;
	else
		roll->busy = busy && !PLANTED(PLANTED_UPDATE_UNBOUNDED);
}

/* Lost, drained or called home: its slot is without a ready task already. */
static bool is_to_be_replaced(const struct job_entry *entry, const struct task *task)
{
	return task->unreachable ||
	       (slot_look(entry, task) == SLOT_ENDING &&
		reason_after(task_end_reason(entry, task)) == AFTER_REPLACE_NOW);
}

static void look_at_slot(struct manager *manager, struct roster *roster,
			 const struct job_entry *entry, const struct slot *slot)
{
	struct slot_roll roll = { .next = NEXT_NOT, .due_ms = INT64_MAX };
	if (slot_is_old(entry, slot))
		look_at_old(manager, entry, slot, &roll);
	else if (slot->want == SLOT_WANTED && slot->newest &&
		 task_is_of_update(entry, slot->newest))
		look_at_new(manager, entry, slot, &roll);
	else if (slot->want == SLOT_WANTED && slot->newest)
		roll.busy = is_to_be_replaced(entry, slot->newest);
	roster_put(roster, entry, slot, &roll);
}

/* At those that have changed, and those of which the time has come. */
static void look_at_slots(struct manager *manager, const struct job_entry *entry,
			  const struct pass *pass)
{
	const struct slot *slot;
	for (size_t i = 0; i < pass_count(pass); i++)
		look_at_slot(manager, pass->roster, entry, pass_slot(pass, i));
	while ((slot = roster_due(pass->roster, manager->in->now_ms)))
		look_at_slot(manager, pass->roster, entry, slot);
}

static void begin(struct manager *manager, struct roster *roster, struct job_entry *entry,
		  struct slot *slot)
{
	struct task *task = slot->newest;
	bool beside = update_policy_of(entry)->order == UPDATE_START_FIRST && task_serves(task) &&
		      move_is_over(manager, task) &&
		      !job_spec_lease_ms(cluster_task_spec(&manager->cluster, task));
	if (beside) {
		move_start(manager, entry, slot);
		pending_settle(manager, slot->newest);
	} else {
		task_stop(manager, task,
			  task->desired.revision != entry->job.revision ? REASON_UPDATED
									: REASON_RESTARTED);
	}
	look_at_slot(manager, roster, entry, slot);
}

static void begin_next(struct manager *manager, struct roster *roster, struct job_entry *entry)
{
	const struct update_policy *policy = update_policy_of(entry);
	int64_t places = policy->parallelism ? policy->parallelism : 1;
	struct slot *slot;
	while ((places == UPDATE_ALL || roster_sum(roster).n_busy < places) &&
	       (slot = roster_next(roster)))
		begin(manager, roster, entry, slot);
}

static void look_again(struct manager *manager, const struct job_entry *entry, int64_t due_ms)
{
	struct job_watch *watch = job_watch(manager, entry->job.id);
	if (due_ms == watch->roll_due_ms)
		return;
	watch->roll_due_ms = due_ms;
	if (due_ms != INT64_MAX)
		queue_push(&manager->rolling, (struct queue_item){ due_ms, entry->job.id.uuid, 0 });
}

/* "exited with status 1", "was restarted 1 time: unhealthy: no answer; restarting at once" */
static void say_why(const struct manager *manager, const struct task *task, struct text *out)
{
	char sentence[TASK_SENTENCE_SIZE];
	int64_t n = task->observed.attempts_used;
	bool restarted = n && !task_is_final(task->state);
	if (restarted)
		text_addf(out, "was restarted %lld %s", (long long)n, n == 1 ? "time" : "times");
	/* Once it runs again, nobody knows any more why it ended. */
	if (!restarted || task->reason == REASON_RESTARTING)
		text_addf(out, "%s%s", restarted ? ": " : "",
			  cluster_task_sentence(&manager->cluster, task, sentence));
}

/* "1 of 3 failed: web.2 exited with status 1" */
static void say_failed(const struct manager *manager, const struct job_entry *entry,
		       const struct job_facts *facts, struct text *out)
{
	struct slots slots;
	const struct task *failed = NULL;
	slots_build(&manager->cluster, entry, &slots);
	for (size_t i = 0; i < slots.n && !failed; i++) {
		const struct task *task = slots.items[i].newest;
		if (task && task_is_of_update(entry, task) && task->desired.trial == TRIAL_FAILED)
			failed = task;
	}
	slots_release(&slots);
	text_addf(out, "%lld of %lld failed", (long long)facts->failed, (long long)facts->replaced);
	if (!failed)
		return;
	text_addf(out, ": %s.%lld ", entry->job.name, (long long)failed->desired.slot);
	say_why(manager, failed, out);
}

static void put_outcome(struct manager *manager, struct job_entry *entry, int outcome,
			const char *message)
{
	struct job job;
	record_copy(&job_type, &job, &entry->job);
	job_set_outcome(&job, job.revision, outcome, wall_now(manager), message);
	group_reserve(manager, 1);
	cluster_put_job(&manager->cluster, &manager->out->changes, &job);
	roster_void(job_watch(manager, entry->job.id)->roster);
}

static void finish(struct manager *manager, struct job_entry *entry, const struct job_facts *facts)
{
	struct text message;
	text_init(&message, LIMIT_MESSAGE_BYTES);
	if (facts->failed)
		say_failed(manager, entry, facts, &message);
	char name[JOB_NAME_SIZE];
	happen(manager, "job", job_name(entry, name), entry->job.id.uuid, "rolled_out", "",
	       text_string(&message));
	put_outcome(manager, entry, OUTCOME_DONE, facts->failed ? text_string(&message) : NULL);
	text_release(&message);
}

/* On record, and not only to be told: what an update has not come to stays at its revision while it is paused. False:
 * it is on record already. */
static bool pause(struct manager *manager, struct job_entry *entry, const struct job_facts *facts,
		  bool paused)
{
	if (paused == (job_outcome(&entry->job, entry->job.revision) == OUTCOME_PAUSED))
		return false;
	struct text message;
	text_init(&message, LIMIT_MESSAGE_BYTES);
	if (paused)
		say_failed(manager, entry, facts, &message);
	put_outcome(manager, entry, paused ? OUTCOME_PAUSED : OUTCOME_ROLLING,
		    paused ? text_string(&message) : NULL);
	text_release(&message);
	return true;
}

/* False: there is nothing to go back to, and the update is paused. */
static bool roll_back(struct manager *manager, struct job_entry *entry,
		      const struct job_facts *facts)
{
	const struct job_revision *target = rollback_target(entry);
	if (!target)
		return false;
	char name[JOB_NAME_SIZE];
	struct plan plan = { 0 };
	struct plan_job *job = plan_job_add(&plan, entry, EFFECT_ROLLED_BACK);
	struct text message;
	text_init(&message, LIMIT_MESSAGE_BYTES);
	say_failed(manager, entry, facts, &message);
	notes_add(&manager->out->notes, "job %s goes back to revision %lld: %s",
		  job_name(entry, name), (long long)target->number, text_string(&message));
	happen(manager, "job", name, entry->job.id.uuid, "rolled_back", "", text_string(&message));
	rollback_plan(manager, &job->job, target, text_string(&message));
	text_release(&message);
	job->put_revision = rollback_keeps_scale(entry, target, &job->revision);
	/* First, for what is not done yet when the manager dies is decided again. */
	plan_restart_dependents(manager, &plan, entry->job.project);
	plan_write_dependents(manager, &plan);
	job = &plan.jobs.items[0];
	group_reserve(manager, 2);
	job_write(manager, &job->job, job->put_revision ? &job->revision : NULL);
	plan_release(&plan);
	return true;
}

/* True: all is to be looked at again. */
static bool settle(struct manager *manager, struct roster *roster, struct job_entry *entry,
		   bool gate_open)
{
	const struct update_policy *policy = update_policy_of(entry);
	struct roll_sum sum = roster_sum(roster);
	struct job_facts facts;
	roster_facts(manager, entry, &facts);
	bool rolling = job_is_rolling(entry);
	bool failing =
		policy->failure_action != UPDATE_CONTINUE && update_is_failing(policy, &facts);
	if (failing && rolling && policy->failure_action == UPDATE_ROLLBACK &&
	    roll_back(manager, entry, &facts))
		return true;
	/* Those that failed may have come round: so an update that went no further ends, once there is nothing left
	 * to replace. */
	if (rolling && !sum.n_open && !(failing && sum.n_ill) && !PLANTED(PLANTED_UPDATE_ENDLESS))
		finish(manager, entry, &facts);
	else if (rolling && pause(manager, entry, &facts, failing))
		return true;
	else if (!failing && gate_open)
		begin_next(manager, roster, entry);
	return false;
}

bool update_roll(struct manager *manager, struct job_entry *entry, struct pass *pass,
		 bool gate_open)
{
	if (!pass->roster)
		return false;
	pass_grow(pass);
	if (!roster_has_old(pass, entry) && !job_is_rolling(entry)) {
		roster_count(pass, entry);
		return false;
	}
	look_at_slots(manager, entry, pass);
	bool again = settle(manager, pass->roster, entry, gate_open);
	look_again(manager, entry, roster_due_ms(pass->roster));
	return again;
}

void updates_due(struct manager *manager)
{
	struct queue *rolling = &manager->rolling;
	while (rolling->n && rolling->items[0].key <= manager->in->now_ms) {
		struct queue_item item = rolling->items[0];
		struct job_watch *watch = map_get(&manager->jobs, item.id);
		queue_pop(rolling);
		if (!watch || watch->roll_due_ms != item.key)
			continue;
		watch->roll_due_ms = INT64_MAX;
		job_due(manager, watch->id);
	}
}

int64_t updates_deadline(const struct manager *manager)
{
	return manager->rolling.n ? manager->rolling.items[0].key : INT64_MAX;
}
