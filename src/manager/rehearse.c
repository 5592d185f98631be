/* A request on a copy of the world, step by step through time that jumps.
 *
 * Invariants: workers answer for what they were told and for nothing else, through the same events as real ones; time
 * goes on only when they have nothing more to say, and only while something of the project is due. */
#include "manager/rehearse.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/depend.h"
#include "manager/rehearsal.h"

/* Nobody is judged any further: for longer than anything that is waited for. */
#define FOREVER_MS (INT64_MAX / 4)
/* After so long without any change, beyond what the jobs of the project wait for by themselves, nothing more comes. */
#define PATIENCE_MS (15LL * 60 * 1000)

struct rehearsal {
	struct manager *manager;
	const char *project;
	struct manager_in in;
	struct random random;
	struct manager_out out;
	struct task_id *told; /* tasks that workers have something to say of */
	size_t n_told, told_capacity;
	struct manager_event *events;
	struct sync_up *ups;
	size_t n_events, events_capacity, ups_capacity;
	struct teller teller;
	struct job_id *ended; /* those that take turns, and have been let come to their end */
	size_t n_ended, ended_capacity;
	int64_t changed_ms; /* the last time that something changed */
	int64_t patience_ms;
};

/* ---- willing workers ---- */

static void tell(struct rehearsal *rehearsal, struct task_id task)
{
	rehearsal->told = base_grow(rehearsal->told, rehearsal->n_told, &rehearsal->told_capacity,
				    sizeof(struct task_id));
	rehearsal->told[rehearsal->n_told++] = task;
}

/* NULL: nobody can say anything of it. */
static const struct session *session_of(const struct manager *manager, const struct task *task)
{
	const struct node_entry *node = cluster_node(&manager->cluster, task->desired.node);
	if (!node || !node->runtime_ok || node->state == NODE_DOWN || node->state == NODE_LEFT)
		return NULL;
	const struct node_watch *watch = map_get(&manager->nodes, task->desired.node.uuid);
	return watch ? watch->session : NULL;
}

static bool has_ended(const struct rehearsal *rehearsal, const struct job_entry *entry)
{
	for (size_t i = 0; i < rehearsal->n_ended; i++)
		if (uuid_equal(rehearsal->ended[i].uuid, entry->job.id.uuid))
			return true;
	return false;
}

static bool is_own(const struct rehearsal *rehearsal, const struct job_entry *entry)
{
	return strcmp(entry->job.project, rehearsal->project) == 0;
}

/* Does a job of the project wait for its success? */
static bool is_awaited(const struct rehearsal *rehearsal, const struct job_entry *entry)
{
	const struct project_entry *project =
		cluster_project(&rehearsal->manager->cluster, rehearsal->project);
	for (size_t i = 0; project && i < project->n_jobs; i++) {
		const struct job_spec *spec = &job_entry_current(project->jobs[i])->spec;
		for (size_t j = 0; j < spec->depends_on.n; j++)
			if (spec->depends_on.items[j].condition == DEPEND_COMPLETED &&
			    depend_is_on(&spec->depends_on.items[j], rehearsal->project,
					 entry->job.project, entry->job.name))
				return true;
	}
	return false;
}

/* Those of other projects go on as they are, unless somebody of this one waits for them. */
static bool succeeds(const struct rehearsal *rehearsal, const struct task *task)
{
	const struct job_entry *entry = cluster_job_of(&rehearsal->manager->cluster, task);
	return job_spec_completes(cluster_task_spec(&rehearsal->manager->cluster, task)) &&
	       (!job_takes_turns(entry) || has_ended(rehearsal, entry)) &&
	       (is_own(rehearsal, entry) || is_awaited(rehearsal, entry));
}

static void run(const struct rehearsal *rehearsal, const struct task *task,
		struct task_observed *observed)
{
	if (task->state != TASK_RUNNING) {
		observed->attempt++;
		observed->started_wall_ms = rehearsal->in.wall_ms;
	}
	observed->state = TASK_RUNNING;
	observed->reason = REASON_RUNNING;
	observed->health = HEALTH_HEALTHY;
	if (!succeeds(rehearsal, task))
		return;
	observed->state = TASK_COMPLETED;
	observed->reason = REASON_EXIT_ZERO;
	observed->exit_code = 0;
}

static void end(struct task_observed *observed, int reason)
{
	if (!task_is_final(observed->state)) {
		observed->state = TASK_COMPLETED;
		observed->reason = reason;
	}
}

/* What a worker that does what it is told has to say of the task; false: nothing new. */
static bool say(const struct rehearsal *rehearsal, const struct task *task,
		struct task_observed *ret_observed)
{
	struct task_observed observed;
	int wanted = task->desired.wanted;
	bool final = task_is_final(task->state);
	bool settled = wanted == TASK_WANT_RUN
			       ? (final && task->observed.gone) ||
					 (task_is_ready(task) && !succeeds(rehearsal, task))
		       : wanted == TASK_WANT_STOP ? task->observed.gone
						  : task->observed.removed;
	if (settled)
		return false;
	struct task_observed known;
	char id[TASK_CONTAINER_ID_SIZE];
	task_get_observed(task, id, &known);
	record_copy(&task_observed_type, &observed, &known);
	observed.task = task->desired.id;
	observed.version++;
	string_set(&observed.message, NULL);
	if (wanted == TASK_WANT_RUN && !final)
		run(rehearsal, task, &observed);
	else
		end(&observed, task->desired.stop_reason);
	if (task_is_final(observed.state)) {
		observed.finished_wall_ms = rehearsal->in.wall_ms;
		observed.gone = true;
		observed.removed = wanted == TASK_WANT_REMOVE;
	}
	*ret_observed = observed;
	return true;
}

static void add_up(struct rehearsal *rehearsal, const struct session *session,
		   const struct task_observed *observed)
{
	const struct manager *manager = rehearsal->manager;
	rehearsal->ups = base_grow(rehearsal->ups, rehearsal->n_events, &rehearsal->ups_capacity,
				   sizeof(struct sync_up));
	rehearsal->events = base_grow(rehearsal->events, rehearsal->n_events,
				      &rehearsal->events_capacity, sizeof(struct manager_event));
	struct sync_up *up = &rehearsal->ups[rehearsal->n_events];
	*up = (struct sync_up){ .node = session->node,
				.cluster = manager->cluster.meta.cluster,
				.epoch = manager->cluster.meta.epoch,
				.rev = session->sent_rev,
				.digest = (int64_t)session->sent_digest,
				.runtime_ok = true,
				.report = session->report_acked + 1 };
	*(struct task_observed *)list_add(&up->observed, sizeof(*observed)) = *observed;
	rehearsal->events[rehearsal->n_events++] =
		(struct manager_event){ .kind = MANAGER_SYNC_UP, .session = session->number };
}

static void collect_answers(struct rehearsal *rehearsal)
{
	for (size_t i = 0; i < rehearsal->n_told; i++) {
		const struct task *task =
			cluster_task(&rehearsal->manager->cluster, rehearsal->told[i]);
		const struct session *session = task ? session_of(rehearsal->manager, task) : NULL;
		struct task_observed observed;
		if (session && say(rehearsal, task, &observed))
			add_up(rehearsal, session, &observed);
	}
	rehearsal->n_told = 0;
	for (size_t i = 0; i < rehearsal->n_events; i++)
		rehearsal->events[i].up = &rehearsal->ups[i];
}

static void drop_answers(struct rehearsal *rehearsal)
{
	for (size_t i = 0; i < rehearsal->n_events; i++)
		record_release(&sync_up_type, &rehearsal->ups[i]);
	rehearsal->n_events = 0;
}

/* ---- steps ---- */

static void step(struct rehearsal *rehearsal, const struct manager_event *events, size_t n_events)
{
	rehearsal->in.events = events;
	rehearsal->in.n_events = n_events;
	rehearsal->in.seed = random_next(&rehearsal->random);
	manager_out_clear(&rehearsal->out);
	manager_step(rehearsal->manager, &rehearsal->in, &rehearsal->out);
	if (rehearsal->out.changes.n) {
		rehearsal->in.rev++;
		rehearsal->changed_ms = rehearsal->in.now_ms;
	}
	for (size_t i = 0; i < rehearsal->out.n_downs; i++) {
		const struct sync_down *down = &rehearsal->out.downs[i].message;
		for (size_t j = 0; j < down->tasks.n; j++)
			tell(rehearsal, down->tasks.items[j].task);
	}
}

/* Until workers have nothing more to say. */
static void settle(struct rehearsal *rehearsal)
{
	while (rehearsal->n_told) {
		collect_answers(rehearsal);
		if (!rehearsal->n_events)
			return;
		step(rehearsal, rehearsal->events, rehearsal->n_events);
		drop_answers(rehearsal);
	}
}

/* ---- time ---- */

static bool waits_for_time(const struct manager *manager, const struct task *task)
{
	const struct pending *pending = pending_get(manager, task->desired.id);
	return pending && pending->due_ms != INT64_MAX &&
	       (pending->where == PENDING_TIMED || (pending->class && pending->class->paced));
}

/* Does something of the job come by itself? */
static bool is_under_way(struct manager *manager, const struct job_entry *entry)
{
	if (entry->job.wanted != JOB_RUN)
		return false;
	const struct job_facts *facts = &job_watch(manager, entry->job.id)->facts;
	if ((facts->old || job_is_rolling(entry)) && !facts->paused)
		return true;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		if (map_get(&manager->moves, task->desired.id.uuid) ||
		    waits_for_time(manager, task))
			return true;
	}
	return false;
}

static bool anything_under_way(const struct rehearsal *rehearsal)
{
	const struct project_entry *project =
		cluster_project(&rehearsal->manager->cluster, rehearsal->project);
	for (size_t i = 0; project && i < project->n_jobs; i++)
		if (is_under_way(rehearsal->manager, project->jobs[i]))
			return true;
	return false;
}

/* False: nothing more is due. */
static bool pass_time(struct rehearsal *rehearsal)
{
	int64_t deadline_ms = rehearsal->out.deadline_ms;
	int64_t now_ms = rehearsal->in.now_ms;
	if (deadline_ms > rehearsal->changed_ms + rehearsal->patience_ms ||
	    !anything_under_way(rehearsal))
		return false;
	/* The wall clock stands still: no run of a schedule comes in between, whose next one would follow for ever. */
	rehearsal->in.now_ms += deadline_ms > now_ms ? deadline_ms - now_ms : 1;
	return true;
}

static int64_t patience_ms(const struct rehearsal *rehearsal)
{
	const struct project_entry *project =
		cluster_project(&rehearsal->manager->cluster, rehearsal->project);
	int64_t longest_ms = 0;
	for (size_t i = 0; project && i < project->n_jobs; i++) {
		const struct job_spec *spec = &job_entry_current(project->jobs[i])->spec;
		int64_t ms = job_spec_update_deadline_ms(spec) +
			     spec->health_check.start_period_ms + spec->update.delay_ms +
			     update_policy_monitor_ms(&spec->update) + spec->rollback.delay_ms +
			     update_policy_monitor_ms(&spec->rollback);
		longest_ms = ms > longest_ms ? ms : longest_ms;
	}
	return PATIENCE_MS + longest_ms;
}

static void go_on(struct rehearsal *rehearsal)
{
	rehearsal->patience_ms = patience_ms(rehearsal);
	settle(rehearsal);
	while (pass_time(rehearsal)) {
		step(rehearsal, NULL, 0);
		settle(rehearsal);
	}
}

/* ---- those who take turns ---- */

/* The slots that have no task yet succeed without one. */
static void skip_turns(struct rehearsal *rehearsal, struct job_entry *entry)
{
	struct manager *manager = rehearsal->manager;
	struct slots slots;
	struct job job;
	record_copy(&job_type, &job, &entry->job);
	struct settled *settled = job_settle(&job);
	int64_t replicas = job_replicas(entry);
	slots_build(&manager->cluster, entry, &slots);
	for (int64_t number = 1; number <= replicas; number++) {
		const struct slot *slot = slots_find(&slots, number);
		/* One range too many: that slot has its turn. */
		if ((!slot || !slot->newest) && !slot_is_settled(entry, number))
			(void)slot_ranges_add(&settled->succeeded, number);
	}
	slots_release(&slots);
	cluster_put_job(&manager->cluster, &rehearsal->out.changes, &job);
	job_dirty(manager, entry->job.id);
}

/* Let a job that others wait for come to its end, if it takes turns and has had one. */
static void end_turns_of(struct rehearsal *rehearsal, struct job_entry *entry)
{
	struct manager *manager = rehearsal->manager;
	if (entry->job.wanted != JOB_RUN || !job_takes_turns(entry) ||
	    !job_watch(manager, entry->job.id)->facts.running || !is_awaited(rehearsal, entry) ||
	    has_ended(rehearsal, entry))
		return;
	rehearsal_tell_now(&rehearsal->teller, entry->job.id);
	skip_turns(rehearsal, entry);
	rehearsal->ended = base_grow(rehearsal->ended, rehearsal->n_ended,
				     &rehearsal->ended_capacity, sizeof(struct job_id));
	rehearsal->ended[rehearsal->n_ended++] = entry->job.id;
	for (size_t i = 0; i < entry->tasks.n; i++)
		tell(rehearsal, entry->tasks.items[i]->desired.id);
}

/* Those of other projects that a job of this one waits for. */
static void end_turns_elsewhere(struct rehearsal *rehearsal, const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	for (size_t i = 0; i < spec->depends_on.n; i++) {
		const struct depend *depend = &spec->depends_on.items[i];
		struct job_entry *on = depend->project
					       ? cluster_job_named(&rehearsal->manager->cluster,
								   depend->project, depend->job)
					       : NULL;
		if (on)
			end_turns_of(rehearsal, on);
	}
}

/* False: there was nothing of the kind. */
static bool end_turns(struct rehearsal *rehearsal)
{
	const struct project_entry *project =
		cluster_project(&rehearsal->manager->cluster, rehearsal->project);
	size_t n_before = rehearsal->n_ended;
	for (size_t i = 0; project && i < project->n_jobs; i++) {
		end_turns_of(rehearsal, project->jobs[i]);
		end_turns_elsewhere(rehearsal, project->jobs[i]);
	}
	return rehearsal->n_ended != n_before;
}

/* ---- the request ---- */

/* What was under way when it began comes to its end as well. */
static void take_up(struct rehearsal *rehearsal)
{
	struct manager *manager = rehearsal->manager;
	size_t at = 0;
	manager->options.node_silent_ms = FOREVER_MS;
	manager->options.runtime_grace_ms = FOREVER_MS;
	manager->options.tell_per_node_us = 0;
	for (const struct task *task; (task = id_index_next(&manager->cluster.tasks, &at));)
		if (!uuid_is_zero(task->desired.node.uuid))
			tell(rehearsal, task->desired.id);
}

static enum err_code ask(struct rehearsal *rehearsal, const struct manager_request *request,
			 struct manager_answer *ret_answer, struct err *err)
{
	/* What the apply itself was answered with is no plan. */
	struct manager_request keyless = *request;
	keyless.idempotency_key = NULL;
	struct manager_event event = { .kind = MANAGER_REQUEST, .request = &keyless };
	step(rehearsal, &event, 1);
	POST(rehearsal->out.n_replies == 1);
	struct manager_reply *reply = &rehearsal->out.replies[0];
	if (reply->err.code) {
		*err = reply->err;
		return err->code;
	}
	*ret_answer = reply->answer;
	reply->answer = (struct manager_answer){ 0 };
	return ERR_NONE;
}

static void release(struct rehearsal *rehearsal)
{
	base_free(rehearsal->told);
	base_free(rehearsal->ended);
	base_free(rehearsal->events);
	base_free(rehearsal->ups);
	manager_out_release(&rehearsal->out);
}

enum err_code manager_rehearse(struct manager *manager, const struct manager_in *in,
			       const struct manager_request *request, struct project_plan *ret_plan,
			       struct err *err)
{
	PRE(request->kind == REQUEST_APPLY);
	PRE(request->project_request);
	struct rehearsal rehearsal = { .manager = manager,
				       .project = request->project_request->name,
				       .in = *in,
				       .random = { in->seed },
				       .changed_ms = in->now_ms };
	struct world_before before = { 0 };
	struct manager_answer answer = { 0 };
	struct project_plan plan = { 0 };
	if (rehearsal.project) {
		before_take(&before, manager, rehearsal.project);
		basis_take(manager, rehearsal.project, &plan.basis);
	}
	take_up(&rehearsal);
	enum err_code code = ask(&rehearsal, request, &answer, err);
	if (!code) {
		rehearsal.teller = (struct teller){
			.manager = manager, .before = &before, .answer = &answer, .plan = &plan
		};
		rehearsal_tell_begin(&rehearsal.teller);
		do
			go_on(&rehearsal);
		while (end_turns(&rehearsal));
		plan.lasts_ms = rehearsal.changed_ms - in->now_ms;
		rehearsal_tell(&rehearsal.teller);
		*ret_plan = plan;
	} else {
		record_release(&project_plan_type, &plan);
	}
	record_release(&manager_answer_type, &answer);
	before_release(&before);
	release(&rehearsal);
	return code;
}
