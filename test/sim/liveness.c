/* After the last fault: what is wanted runs and nothing else (L1), nothing waits that could run (L2), no container is
 * left without a task (L4). Each is looked at with the eyes of the checker: the records of the manager on one side, the
 * containers of the machines on the other.
 *
 * Of a machine that stays broken nothing is demanded, but that nobody waits for it who could run on one that works. */
#include <string.h>

#include "job/depend.h"
#include "liveness.h"

static void wrong(struct look *look, int invariant, const struct task *task, const char *why)
{
	look->fine = false;
	if (!look->tell)
		return;
	char name[TASK_NAME_SIZE];
	violated(look->sim, invariant, "%s (%s, %s: %s) %s",
		 cluster_task_name(look->cluster, task, name),
		 enum_name(task_state_names, task->state), reason_name(task->reason),
		 task_message(task) ? task_message(task) : "", why);
}

static void wrong_job(struct look *look, const struct job_entry *entry, const char *why)
{
	look->fine = false;
	if (look->tell)
		violated(look->sim, INVARIANT_L1, "%s/%s %s", entry->job.project, entry->job.name,
			 why);
}

static struct sim_worker *worker_of(const struct look *look, struct node_id node)
{
	for (int i = 0; i < look->sim->n_workers; i++) {
		struct sim_worker *worker = &look->sim->workers[i];
		if (worker->core && uuid_equal(worker_node_id(worker->core).uuid, node.uuid))
			return worker;
	}
	return NULL;
}

bool look_works(const struct look *look, struct node_id id)
{
	const struct sim_worker *worker = worker_of(look, id);
	const char *name;
	return worker && !worker->broken && !cluster_was_removed(look->cluster, id, &name);
}

static bool is_drained(const struct look *look, struct node_id id)
{
	const struct node_entry *node = cluster_node(look->cluster, id);
	return node && node->record.draining;
}

/* On a machine that stays broken. */
static bool is_out(const struct look *look, const struct task *task)
{
	return !uuid_is_zero(task->desired.node.uuid) && !look_works(look, task->desired.node);
}

static int count_running(const struct look *look, struct task_id id, int64_t attempt)
{
	int n = 0;
	for (int i = 0; i < look->sim->n_workers; i++) {
		const struct sim_docker *docker = &look->sim->workers[i].docker;
		for (size_t j = 0; j < docker->n_containers; j++) {
			const struct sim_container *container = docker->containers[j];
			n += !container->foreign && sim_container_runs(container) &&
			     uuid_equal(container->seen.task.uuid, id.uuid) &&
			     (!attempt || container->seen.attempt == attempt);
		}
	}
	return n;
}

/* ---- L2 ---- */

static bool port_is_free(const struct node_entry *node, const struct port *port)
{
	for (int64_t number = port->host_first; number <= port->host_last; number++) {
		bool used = false;
		for (size_t i = 0; i < node->tasks.n; i++) {
			const struct task *task = node->tasks.items[i];
			for (size_t j = 0; j < task_rare(task)->ports.n; j++)
				used |= task_occupies_node(task) &&
					task_rare(task)->ports.items[j].host_port == number;
		}
		if (!used)
			return true;
	}
	return false;
}

/* The value of a constraint's key, as people have written it: the operator's label wins. */
static const char *value_on(const struct node_entry *node, const char *key)
{
	static const char prefix[] = "node.labels.";
	if (strncmp(key, prefix, strlen(prefix)) != 0)
		return node->record.facts.hostname;
	const char *value = pairs_get(&node->record.labels, key + strlen(prefix));
	if (!value)
		value = pairs_get(&node->record.facts.labels, key + strlen(prefix));
	return value ? value : "";
}

/* The requests write them without spaces: KEY==VALUE or KEY!=VALUE. */
static bool constraint_holds(const struct node_entry *node, const char *constraint)
{
	char key[64];
	const char *operator= strpbrk(constraint, "!=");
	text_print(key, sizeof(key), "%.*s", (int)(operator- constraint), constraint);
	bool same = strcmp(value_on(node, key), operator+ 2) == 0;
	return same == (*operator== '=');
}

bool check_placement_allows(const struct node_entry *node, const struct job_spec *spec)
{
	for (size_t i = 0; i < spec->placement.constraints.n; i++)
		if (!constraint_holds(node, spec->placement.constraints.items[i]))
			return false;
	return true;
}

static bool has_max_replicas(const struct node_entry *node, struct job_id job, int64_t max)
{
	int64_t n = 0;
	for (size_t i = 0; i < node->tasks.n; i++)
		n += task_occupies_node(node->tasks.items[i]) &&
		     uuid_equal(node->tasks.items[i]->desired.job->uuid, job.uuid);
	return max > 0 && n >= max;
}

bool look_fits(const struct cluster *cluster, const struct node_entry *node, struct job_id job,
	       const struct job_spec *spec)
{
	if (!check_placement_allows(node, spec) ||
	    has_max_replicas(node, job, spec->placement.max_replicas_per_node))
		return false;
	const struct resources *capacity = &node->record.facts.capacity;
	int64_t cpu_milli = capacity->cpu_milli;
	int64_t memory_bytes = capacity->memory_bytes;
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct task *other = node->tasks.items[i];
		if (!task_occupies_node(other))
			continue;
		cpu_milli -= cluster_task_spec(cluster, other)->reservations.cpu_milli;
		memory_bytes -= cluster_task_spec(cluster, other)->reservations.memory_bytes;
	}
	if (cpu_milli < spec->reservations.cpu_milli ||
	    memory_bytes < spec->reservations.memory_bytes)
		return false;
	for (size_t i = 0; i < spec->ports.n; i++)
		if (spec->ports.items[i].host_first && !port_is_free(node, &spec->ports.items[i]))
			return false;
	return true;
}

/* A task of this specification, of the job, on a machine that works. Tied ones (a project's network, a volume) may have
 * one home only: they could run when every node would take them. */
static bool could_run(const struct look *look, const struct job_entry *entry,
		      const struct job_spec *spec, int64_t slot)
{
	if (job_spec_is_global(spec)) {
		const struct node_entry *node = cluster_node_numbered(look->cluster, slot);
		return node && look_works(look, node->record.id) &&
		       look_fits(look->cluster, node, entry->job.id, spec);
	}
	bool tied = spec->networks.n || spec->mounts.n;
	if (home_is_pinned_out(look, entry, spec) ||
	    (home_is_shared(look, entry) && home_may_be_broken(look)))
		return false;
	const struct node_columns *columns = &look->cluster->columns;
	size_t n = 0;
	size_t n_working = 0;
	for (size_t i = 0; i < columns->n; i++) {
		if (!look_works(look, columns->entry[i]->record.id) ||
		    columns->entry[i]->record.draining)
			continue;
		n_working++;
		n += look_fits(look->cluster, columns->entry[i], entry->job.id, spec);
	}
	return tied ? n == n_working && n : n > 0;
}

static bool is_current(const struct job_entry *entry, const struct task *task)
{
	return task->desired.revision == entry->job.revision &&
	       task->desired.restarts_asked == entry->job.restarts_asked;
}

/* The update is paused, and has not come to it: it stays, and so does whatever follows it. */
static bool is_kept(const struct job_entry *entry, const struct task *task)
{
	return task->desired.revision != entry->job.revision && !entry->job.rolled_back_from &&
	       job_outcome(&entry->job, entry->job.revision) == OUTCOME_PAUSED;
}

/* Tasks of an older revision that still serve: no gate opens for them. */
static int64_t count_old_ready(const struct job_entry *entry)
{
	int64_t n = 0;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		n += task_is_ready(task) && !is_current(entry, task);
	}
	return n;
}

/* Runs, and nothing ever says that it is healthy. */
static bool is_never_healthy(const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	bool has_check = spec->probe || spec->health_check.test.n;
	for (size_t i = 0; i < entry->tasks.n && !has_check; i++) {
		const struct task *task = entry->tasks.items[i];
		if (is_current(entry, task) && task->state == TASK_RUNNING &&
		    task->observed.health == HEALTH_NONE)
			return true;
	}
	return false;
}

static bool dependency_is_met(const struct look *look, const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	for (size_t i = 0; i < spec->depends_on.n; i++) {
		const struct depend *depend = &spec->depends_on.items[i];
		const struct job_entry *other = cluster_job_named(
			look->cluster, depend_project(depend, entry->job.project), depend->job);
		if (!other)
			return false;
		struct job_status status = { 0 };
		manager_job_status(look->sim->manager.core, other, &status);
		bool met = depend->condition == DEPEND_COMPLETED
				   ? status.succeeded >= status.wanted
				   : status.ready - count_old_ready(other) >= status.wanted;
		base_free(status.message);
		if (!met || (depend->condition == DEPEND_HEALTHY && is_never_healthy(other)))
			return false;
	}
	return true;
}

static void look_at_waiting(struct look *look, const struct job_entry *entry,
			    const struct task *task)
{
	look->sim->checker.evaluated[INVARIANT_L2]++;
	if (task->state == TASK_SCHEDULED)
		wrong(look, INVARIANT_L2, task, "does not start");
	else if (task->reason == REASON_NO_NODE_FITS || task->reason == REASON_WAITS_VOLUME) {
		if (could_run(look, entry, cluster_task_spec(look->cluster, task),
			      task->desired.slot))
			wrong(look, INVARIANT_L2, task, "waits, and there is a node for it");
		else if (!job_spec_is_global(cluster_task_spec(look->cluster, task)) &&
			 home_could_be_elsewhere(look, entry))
			wrong(look, INVARIANT_L2, task,
			      "waits, and there is a node for all of its network");
	} else if (task->reason == REASON_WAITS_DEPENDENCY) {
		if (dependency_is_met(look, entry))
			wrong(look, INVARIANT_L2, task, "waits, and what it waits for is there");
	} else {
		wrong(look, INVARIANT_L2, task, "waits");
	}
}

/* ---- L1 ---- */

/* Slots beyond this one are not wanted. */
static int64_t last_slot(const struct look *look, const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	const struct node_columns *columns = &look->cluster->columns;
	if (!job_spec_is_global(spec))
		return spec->replicas;
	return columns->n ? columns->entry[columns->n - 1]->record.number : 0;
}

/* A global job's task is wanted on each machine that works and matches; that of another waits for its machine. */
static bool is_wanted(const struct look *look, const struct job_entry *entry, int64_t slot)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	if (!job_spec_is_global(spec))
		return slot <= spec->replicas;
	const struct node_entry *node = cluster_node_numbered(look->cluster, slot);
	return node && look_works(look, node->record.id) && !node->record.draining &&
	       check_placement_allows(node, spec);
}

static bool waits_for_machine(const struct look *look, const struct job_entry *entry, int64_t slot)
{
	const struct node_entry *node = cluster_node_numbered(look->cluster, slot);
	return job_spec_is_global(&job_entry_current(entry)->spec) && node &&
	       !look_works(look, node->record.id);
}

static const struct task *newest_of(const struct job_entry *entry, int64_t slot)
{
	const struct task *newest = NULL;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct desired_half *desired = &entry->tasks.items[i]->desired;
		/* One that is taken back is no longer of the slot. */
		if (desired->slot == slot && desired->stop_reason != REASON_WITHDRAWN)
			newest = entry->tasks.items[i];
	}
	return newest;
}

static bool task_is_gone(const struct task *task)
{
	return task->observed.gone || task->observed.removed || task->desired.verdict;
}

/* Of the revision that its slot is to have. */
static bool is_as_wanted(const struct job_entry *entry, const struct task *task)
{
	return is_current(entry, task) || is_kept(entry, task);
}

static void look_at_running(struct look *look, const struct job_entry *entry,
			    const struct task *task, bool update_is_held)
{
	struct sim_worker *worker = worker_of(look, task->desired.node);
	if (!worker || count_running(look, task->desired.id, task->observed.attempt) != 1)
		wrong(look, INVARIANT_L1, task, "has no running container of its attempt");
	else if (is_drained(look, task->desired.node))
		wrong(look, INVARIANT_L1, task, "is on a machine that is to be drained");
	else if (!task_is_ready(task))
		wrong(look, INVARIANT_L1, task, "is not ready");
	else if (job_spec_completes(&job_entry_current(entry)->spec))
		wrong(look, INVARIANT_L1, task, "has not run to completion");
	else if (!is_current(entry, task) && !update_is_held)
		wrong(look, INVARIANT_L1, task, "is of an older revision or restart");
	else if (task->desired.wanted != TASK_WANT_RUN)
		wrong(look, INVARIANT_L1, task, "is being stopped");
	else if (is_as_wanted(entry, task) && home_is_away(look, entry, task))
		wrong(look, INVARIANT_L1, task, "is apart from those it shares a network with");
}

/* Is nothing to follow it? */
static bool is_left(const struct task *task)
{
	enum reason_after after = reason_after(task->reason);
	if (task->desired.stop_reason && !task_succeeded(task))
		after = reason_after(task->desired.stop_reason);
	return after == AFTER_LEAVE || after == AFTER_SUCCESS || after == AFTER_ASKED;
}

static void look_at_ended(struct look *look, const struct job_entry *entry, const struct task *task)
{
	if (!is_as_wanted(entry, task))
		wrong(look, INVARIANT_L1, task, "has no successor of the present revision");
	else if (!is_left(task))
		wrong(look, INVARIANT_L1, task, "has no successor");
}

/* It has ended, or was asked to stop, and nothing is to take its place. */
static bool only_ends(const struct job_entry *entry, const struct task *task)
{
	/* What may not run twice waits for its machine, or the operator's word, where it is not known
	 * whether its Docker obeys. */
	const struct job_spec *own = &job_entry_revision(entry, task->desired.revision)->spec;
	if (job_spec_lease_ms(own) || job_spec_lease_ms(&job_entry_current(entry)->spec))
		return true;
	if (task_is_final(task->state))
		return is_as_wanted(entry, task) && is_left(task);
	if (task->desired.wanted != TASK_WANT_STOP)
		return task->desired.wanted == TASK_WANT_REMOVE;
	return is_as_wanted(entry, task) && task->desired.stop_reason != REASON_SCALED_DOWN &&
	       reason_after(task->desired.stop_reason) != AFTER_REPLACE_NOW;
}

/* Where nothing can take its place it waits for its machine; so does one that only has to stop. A machine whose Docker
 * hangs, or whose store is full and has nothing new to store, still speaks for its tasks. */
static void look_at_out(struct look *look, const struct job_entry *entry, const struct task *task)
{
	const struct sim_worker *worker = worker_of(look, task->desired.node);
	bool may_speak =
		worker && (worker->broken == BROKEN_DOCKER || worker->broken == BROKEN_STORE);
	look->sim->checker.evaluated[INVARIANT_L1]++;
	if (only_ends(entry, task) || (may_speak && !task->unreachable))
		return;
	/* Also one that was asked to stop may have to be replaced then. */
	if (!task->unreachable)
		wrong(look, INVARIANT_L1, task, "is on a machine that is lost, and nobody says so");
	else if (!job_spec_is_global(&job_entry_current(entry)->spec) &&
		 could_run(look, entry,
			   is_kept(entry, task)
				   ? &job_entry_revision(entry, task->desired.revision)->spec
				   : &job_entry_current(entry)->spec,
			   task->desired.slot))
		wrong(look, INVARIANT_L1, task,
		      "is on a lost machine, and there is another for it");
}

/* A machine of a global job that is silent holds nothing back; one that only lacks its Docker, or its store, does. */
static bool may_hold(const struct look *look, const struct job_entry *entry, int64_t slot)
{
	const struct node_entry *node = cluster_node_numbered(look->cluster, slot);
	return is_wanted(look, entry, slot) ||
	       (waits_for_machine(look, entry, slot) && node->state != NODE_DOWN);
}

/* More of its new tasks have failed than may, and its policy is to wait for its user then. */
static bool is_paused(const struct look *look, const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	const struct update_policy *policy =
		entry->job.rolled_back_from && job_is_under_way(&entry->job) ? &spec->rollback
									     : &spec->update;
	int64_t n_replaced = 0;
	int64_t n_failed = 0;
	for (int64_t slot = 1; slot <= last_slot(look, entry); slot++) {
		const struct task *task = newest_of(entry, slot);
		if (!task || !is_wanted(look, entry, slot))
			continue;
		bool old = !is_current(entry, task);
		bool new = !old && task->desired.roll == entry->job.roll &&
			   !uuid_is_zero(task_rare(task)->replaces.uuid);
		/* Tried, and left to the old one. */
		bool tried = task->desired.revision != entry->job.revision &&
			     task->desired.roll == entry->job.roll;
		n_replaced += old || new;
		n_failed += (new || tried) && task->desired.trial == TRIAL_FAILED;
	}
	return policy->failure_action != UPDATE_CONTINUE &&
	       n_failed * 1000000 > policy->max_failure_ppm * n_replaced;
}

/* An update pauses where a slot has failed, waits for a node, or for one that is lost. */
static bool holds_update(const struct look *look, const struct job_entry *entry)
{
	for (int64_t slot = 1; slot <= last_slot(look, entry); slot++) {
		const struct task *task = newest_of(entry, slot);
		if (task && may_hold(look, entry, slot) &&
		    ((is_current(entry, task) && task->state != TASK_RUNNING) ||
		     is_out(look, task)))
			return true;
	}
	return false;
}

static void look_at_update(struct look *look, const struct job_entry *entry, bool held)
{
	look->sim->checker.evaluated[INVARIANT_L5]++;
	if (held || !job_is_under_way(&entry->job))
		return;
	look->fine = false;
	if (look->tell)
		violated(look->sim, INVARIANT_L5,
			 "the update of %s/%s to revision %lld is neither done nor paused",
			 entry->job.project, entry->job.name, (long long)entry->job.revision);
}

/* Is the job, as far as it can be, of its present revision and restart, and does it run? Not where one that was to be
 * replaced serves on, because its successor has failed. */
static bool is_replaced(const struct look *look, const struct job_entry *entry)
{
	if (job_is_under_way(&entry->job))
		return false;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		if (!is_current(entry, task) && !task_is_final(task->state) &&
		    is_wanted(look, entry, task->desired.slot))
			return false;
	}
	for (int64_t slot = 1; slot <= last_slot(look, entry); slot++) {
		const struct task *task = newest_of(entry, slot);
		if (is_wanted(look, entry, slot) &&
		    (!task || !is_current(entry, task) ||
		     !(task_is_ready(task) || task_is_final(task->state))))
			return false;
	}
	return true;
}

static void look_at_restart(struct look *look, const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	bool held = false;
	for (size_t i = 0; i < spec->depends_on.n; i++) {
		const struct depend *depend = &spec->depends_on.items[i];
		const struct job_entry *on = cluster_job_named(
			look->cluster, depend_project(depend, entry->job.project), depend->job);
		held |= depend->restart && on && on->job.wanted != JOB_REMOVE &&
			(on->job.wanted == JOB_STOP || !is_replaced(look, on));
	}
	if (entry->job.restart_due && !held)
		wrong_job(look, entry, "is to be restarted, and what it depends on is replaced");
}

static void look_at_wanted(struct look *look, const struct job_entry *entry)
{
	bool held = holds_update(look, entry) || !dependency_is_met(look, entry) ||
		    is_paused(look, entry);
	look_at_update(look, entry, held);
	look_at_restart(look, entry);
	for (int64_t slot = 1; slot <= last_slot(look, entry); slot++) {
		const struct task *task = newest_of(entry, slot);
		if (!is_wanted(look, entry, slot))
			continue;
		look->sim->checker.evaluated[INVARIANT_L1]++;
		bool lives = task && !task_is_final(task->state);
		/* One that another is to follow may find its turn taken by a slot before it. */
		bool has_turn = lives || (task && is_current(entry, task) && is_left(task));
		if ((!lives && checker_is_settled(entry, slot)) ||
		    (!has_turn && checker_turn_may_come(entry)))
			continue;
		if (!task)
			wrong_job(look, entry, "has an empty slot");
		else if (is_out(look, task) && (!task_is_final(task->state) || !task_is_gone(task)))
			look_at_out(look, entry, task);
		else if (task_is_final(task->state))
			look_at_ended(look, entry, task);
		else if (task->state == TASK_RUNNING)
			look_at_running(look, entry, task, held);
		else
			look_at_waiting(look, entry, task);
	}
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		if (!is_wanted(look, entry, task->desired.slot) && !task_is_final(task->state) &&
		    !is_out(look, task) && !waits_for_machine(look, entry, task->desired.slot))
			wrong(look, INVARIANT_L1, task, "is one too many");
	}
}

static void look_at_stopped(struct look *look, const struct job_entry *entry)
{
	look->sim->checker.evaluated[INVARIANT_L1]++;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		if (!task_is_final(task->state) && !is_out(look, task))
			wrong(look, INVARIANT_L1, task, "was to be stopped");
	}
}

/* It stays until every machine has confirmed. */
static void look_at_removed(struct look *look, const struct job_entry *entry)
{
	bool waits = entry->tasks.n > 0;
	look->sim->checker.evaluated[INVARIANT_L1]++;
	for (size_t i = 0; i < entry->tasks.n; i++)
		waits &= is_out(look, entry->tasks.items[i]);
	if (!waits)
		wrong_job(look, entry, "was to be removed");
}

static void look_at_job(struct look *look, const struct job_entry *entry)
{
	switch (entry->job.wanted) {
	case JOB_RUN: look_at_wanted(look, entry); return;
	case JOB_STOP: look_at_stopped(look, entry); return;
	default: look_at_removed(look, entry); return;
	}
}

/* ---- L4 ---- */

static void look_at_container(struct look *look, const struct sim_worker *worker,
			      const struct sim_container *container)
{
	const struct task *task = cluster_task(look->cluster, container->seen.task);
	bool lives = task && !task_is_final(task->state);
	if (task && (lives || !sim_container_runs(container)))
		return;
	look->fine = false;
	if (look->tell)
		violated(look->sim, INVARIANT_L4, "%s on %s is %s, and no task accounts for it",
			 container->seen.name, worker->name,
			 enum_name(container_state_names, container->seen.state));
}

static void look_at_node(struct look *look, const struct sim_worker *worker)
{
	const struct node_entry *node =
		worker->core ? cluster_node(look->cluster, worker_node_id(worker->core)) : NULL;
	if (node && (node->state == NODE_READY || node->state == NODE_DRAINING))
		return;
	look->fine = false;
	if (look->tell)
		violated(look->sim, INVARIANT_L1, "%s works, and is %s", worker->name,
			 node ? enum_name(node_state_names, node->state) : "not known");
}

/* Removed from the cluster, as far as the manager or the worker knows: one may have forgotten it. */
static bool has_left(const struct look *look, const struct sim_worker *worker)
{
	const char *name;
	return worker->core &&
	       (worker_removal(worker->core) != WORKER_REMOVAL_NONE ||
		cluster_was_removed(look->cluster, worker_node_id(worker->core), &name));
}

/* Nothing may be left there of what was the cluster's. */
static void look_at_leaver(struct look *look, const struct sim_worker *worker)
{
	for (size_t i = 0; i < worker->docker.n_containers; i++) {
		const struct sim_container *container = worker->docker.containers[i];
		if (container->foreign)
			continue;
		look->fine = false;
		if (look->tell)
			violated(look->sim, INVARIANT_L4, "%s on %s is %s, which was removed",
				 container->seen.name, worker->name,
				 enum_name(container_state_names, container->seen.state));
	}
	if (worker_removal(worker->core) == WORKER_REMOVAL_OVER)
		return;
	look->fine = false;
	if (look->tell)
		violated(look->sim, INVARIANT_L1, "%s was removed, and does not end", worker->name);
}

static void look_at_machines(struct look *look)
{
	for (int i = 0; i < look->sim->n_workers; i++) {
		const struct sim_worker *worker = &look->sim->workers[i];
		if (worker->broken)
			continue;
		look->sim->checker.evaluated[INVARIANT_L4]++;
		if (has_left(look, worker)) {
			look_at_leaver(look, worker);
			continue;
		}
		look_at_node(look, worker);
		for (size_t j = 0; j < worker->docker.n_containers; j++)
			if (!worker->docker.containers[j]->foreign)
				look_at_container(look, worker, worker->docker.containers[j]);
	}
}

bool check_liveness(struct sim *sim, bool tell)
{
	struct look look = { .sim = sim, .tell = tell, .fine = true };
	if (!sim->manager.up || sim->manager.broken) {
		if (tell)
			violated(sim, INVARIANT_L1, "the manager does not come up");
		return false;
	}
	look.cluster = manager_cluster(sim->manager.core);
	look_at_machines(&look);
	size_t n = 0;
	struct project_entry **projects = cluster_sorted_projects(look.cluster, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < projects[i]->n_jobs; j++)
			look_at_job(&look, projects[i]->jobs[j]);
	base_free(projects);
	return look.fine;
}
