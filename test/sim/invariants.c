/* The checker's memory, and what it demands of the truth: containers, and what is said on the wire. */
#include "invariants.h"

#include <stdio.h>
#include <string.h>

#include "sim.h"

const struct invariant_row invariant_rows[INVARIANT_COUNT] = {
#define INVARIANT_ROW(id, name, what) { name, what },
	INVARIANT_TABLE(INVARIANT_ROW)
#undef INVARIANT_ROW
};

void violated(struct sim *sim, int invariant, const char *format, ...)
{
	struct checker *checker = &sim->checker;
	if (checker->failed)
		return;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(checker->message, sizeof(checker->message), format, arguments);
	va_end(arguments);
	checker->failed = true;
	checker->invariant = invariant;
	sim_tell(sim, "VIOLATED", "%s (%s): %s", invariant_rows[invariant].name,
		 invariant_rows[invariant].what, checker->message);
}

struct known_task *checker_task(struct sim *sim, struct task_id id)
{
	struct checker *checker = &sim->checker;
	struct known_task *known = map_get(&checker->tasks, id.uuid);
	if (known)
		return known;
	known = base_calloc(1, sizeof(*known));
	known->id = id;
	known->number = checker->n_tasks;
	known->restarts_max = -1;
	map_put(&checker->tasks, id.uuid, known);
	checker->task_order = base_grow(checker->task_order, checker->n_tasks,
					&checker->tasks_capacity, sizeof(known));
	checker->task_order[checker->n_tasks++] = known;
	return known;
}

void checker_release(struct checker *checker)
{
	for (size_t i = 0; i < checker->n_tasks; i++) {
		base_free(checker->task_order[i]->message);
		base_free(checker->task_order[i]);
	}
	base_free(checker->task_order);
	map_release(&checker->tasks);
	base_free(checker->jobs);
	base_free(checker->successes);
	for (size_t i = 0; i < checker->n_answers; i++)
		text_release(&checker->answers[i].answer);
	base_free(checker->answers);
	base_free(checker->maybes);
	checker_runs_release(checker);
}

/* ---- the truth ---- */

void checker_compare(struct sim *sim, const struct known_task *known)
{
	if (known->n_running == 0)
		return;
	if (known->n_running > 1)
		violated(sim, INVARIANT_I1, "%d containers of one task run, the newest is %s",
			 known->n_running, known->container);
	if (known->written_off)
		return;
	if (known->gone)
		violated(sim, INVARIANT_I11, "%s runs, and it was said to be gone",
			 known->container);
	if (known->state == TASK_COMPLETED && !known->verdict)
		violated(sim, INVARIANT_I11, "%s runs, and its task was said to be %s",
			 known->container, reason_name(known->reason));
}

static void check_container(struct sim *sim, const struct sim_container *container)
{
	struct known_task *known = checker_task(sim, container->seen.task);
	known->n_running++;
	known->container = container->seen.name;
	checker_compare(sim, known);
}

static void check_machine(struct sim *sim, const struct sim_worker *worker)
{
	int64_t memory_bytes = 0;
	int64_t cpu_milli = 0;
	for (size_t i = 0; i < worker->docker.n_containers; i++) {
		const struct sim_container *container = worker->docker.containers[i];
		if (container->foreign || !sim_container_runs(container))
			continue;
		memory_bytes += container->memory_bytes;
		cpu_milli += container->cpu_milli;
		check_container(sim, container);
	}
	if (memory_bytes > worker->memory_bytes || cpu_milli > worker->cpu_milli)
		violated(sim, INVARIANT_I6,
			 "%s runs containers that reserve %lld bytes of %lld, %lld mCPU of %lld",
			 worker->name, (long long)memory_bytes, (long long)worker->memory_bytes,
			 (long long)cpu_milli, (long long)worker->cpu_milli);
}

void check_truth(struct sim *sim)
{
	struct checker *checker = &sim->checker;
	if (!checker->truth_changed)
		return;
	checker->truth_changed = false;
	checker->evaluated[INVARIANT_I1]++;
	checker->evaluated[INVARIANT_I6]++;
	checker->evaluated[INVARIANT_I11]++;
	for (size_t i = 0; i < checker->n_tasks; i++)
		checker->task_order[i]->n_running = 0;
	for (int i = 0; i < sim->n_workers; i++)
		check_machine(sim, &sim->workers[i]);
}

/* The next one is not even made before the last one ended. But a creation that was given up may make an earlier one
 * once more, long after, when somebody else has removed that: nobody can know, and it never runs. */
void checker_container_made(struct sim *sim, struct sim_worker *worker,
			    const struct sim_container *container)
{
	bool freed =
		container->seen.attempt <= checker_task(sim, container->seen.task)->freed_attempt;
	sim->checker.evaluated[INVARIANT_I1]++;
	for (size_t i = 0; i < worker->docker.n_containers; i++) {
		const struct sim_container *other = worker->docker.containers[i];
		if (!other->foreign && sim_container_runs(other) &&
		    uuid_equal(other->seen.task.uuid, container->seen.task.uuid) &&
		    !(freed && container->seen.attempt < other->seen.attempt))
			violated(sim, INVARIANT_I1, "%s on %s was made while %s runs",
				 container->seen.name, worker->name, other->seen.name);
	}
}

void checker_container_started(struct sim *sim, struct sim_worker *worker,
			       struct sim_container *container)
{
	struct known_task *known = checker_task(sim, container->seen.task);
	known->starts++;
	/* What follows from a second container is not what is wrong. */
	check_truth(sim);
	checker_volumes(sim, worker, container);
	checker_exclusive(sim, worker, container);
	if (known->restarts_max < 0)
		return;
	sim->checker.evaluated[INVARIANT_I14]++;
	int64_t left = known->restarts_max - known->attempts_before;
	int64_t allowed = 1 + (left > 0 ? left : 0) + known->interruptions;
	if (known->starts > allowed)
		violated(sim, INVARIANT_I14,
			 "%s on %s is start %lld of its task, and %lld are allowed: 1, %lld "
			 "restarts less %lld used before, %lld interruptions",
			 container->seen.name, worker->name, (long long)known->starts,
			 (long long)allowed, (long long)known->restarts_max,
			 (long long)known->attempts_before, (long long)known->interruptions);
}

void checker_container_touched(struct sim *sim, struct sim_worker *worker,
			       const struct sim_container *container, int verb)
{
	if (verb != CONTAINER_START && verb != CONTAINER_KILL && verb != CONTAINER_REMOVE)
		return;
	sim->checker.evaluated[INVARIANT_I12]++;
	if (container->foreign)
		violated(sim, INVARIANT_I12, "%s on %s is not ours, and was asked to %s",
			 container->seen.name, worker->name, enum_name(container_verb_names, verb));
}

void checker_port_refused(struct sim *sim, struct sim_worker *worker,
			  const struct sim_container *container, const struct sim_container *owner)
{
	if (owner->foreign)
		return;
	if (uuid_equal(owner->seen.task.uuid, container->seen.task.uuid))
		violated(sim, INVARIANT_I1, "%s on %s was started while %s runs",
			 container->seen.name, worker->name, owner->seen.name);
	else
		violated(sim, INVARIANT_I7, "%s on %s was started with a port that %s has",
			 container->seen.name, worker->name, owner->seen.name);
}

/* ---- the wire ---- */

void checker_up(struct sim *sim, struct sim_worker *worker, const struct sync_up *up)
{
	sim->checker.evaluated[INVARIANT_I10]++;
	bool back = up->epoch < worker->epoch_said ||
		    (up->epoch == worker->epoch_said && up->rev < worker->rev_said);
	if (back)
		violated(sim, INVARIANT_I10, "%s went back from (%lld, %lld) to (%lld, %lld)",
			 worker->name, (long long)worker->epoch_said, (long long)worker->rev_said,
			 (long long)up->epoch, (long long)up->rev);
	if (up->report <= worker->report_said)
		violated(sim, INVARIANT_I10, "%s gives the number %lld to two reports",
			 worker->name, (long long)up->report);
	worker->epoch_said = up->epoch;
	worker->rev_said = up->rev;
	worker->report_said = up->report;
}

void checker_down(struct sim *sim, const struct manager_down *down)
{
	if (down->close)
		return;
	sim->checker.evaluated[INVARIANT_I10]++;
	for (int i = 0; i < sim->n_workers; i++) {
		struct sim_worker *worker = &sim->workers[i];
		if (worker->session != down->session)
			continue;
		if (worker->session_served == down->session &&
		    down->message.rev < worker->rev_served)
			violated(sim, INVARIANT_I10,
				 "the manager served %s rev %lld after rev %lld", worker->name,
				 (long long)down->message.rev, (long long)worker->rev_served);
		worker->session_served = down->session;
		worker->rev_served = down->message.rev;
	}
}
