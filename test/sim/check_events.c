/* Who follows the events (I17): takes the list once, at a start of the manager, and from then on believes what it is
 * told. After each commit it must believe what is. */
#include <string.h>

#include "sim.h"

void checker_list(struct sim *sim, const struct cluster *cluster)
{
	size_t at = 0;
	for (const struct task *task; (task = id_index_next(&cluster->tasks, &at));)
		checker_task(sim, task->desired.id)->told_state = task->state;
}

/* The state an event is about; -1: about something else. */
static int state_told(const struct manager_happening *happening)
{
	for (int state = TASK_PENDING; state <= TASK_FAILED; state++)
		if (strcmp(happening->state, enum_name(task_state_names, state)) == 0)
			return state;
	return -1;
}

void checker_told(struct sim *sim, const struct manager_out *out)
{
	for (size_t i = 0; i < out->n_happenings; i++) {
		const struct manager_happening *happening = &out->happenings[i];
		int state = state_told(happening);
		if (strcmp(happening->kind, "task") == 0 && state >= 0)
			checker_task(sim, (struct task_id){ happening->id })->told_state = state;
	}
}

void checker_follows(struct sim *sim, const struct known_task *known, const struct task *task,
		     const char *name)
{
	sim->checker.evaluated[INVARIANT_I17]++;
	if (known->told_state != task->state)
		violated(sim, INVARIANT_I17, "%s is %s, and who follows the events thinks it is %s",
			 name, enum_name(task_state_names, task->state),
			 enum_name(task_state_names, known->told_state));
}
