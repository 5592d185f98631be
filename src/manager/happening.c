/* Invariant: what happens is told in the order it is decided; nothing here changes the world. */
#include "base/alloc.h"
#include "manager/core.h"

void happen(struct manager *manager, const char *kind, const char *subject, struct uuid id,
	    const char *state, const char *reason, const char *message)
{
	struct manager_out *out = manager->out;
	out->happenings = base_grow(out->happenings, out->n_happenings, &out->happenings_capacity,
				    sizeof(struct manager_happening));
	out->happenings[out->n_happenings++] = (struct manager_happening){
		.kind = kind,
		.subject = base_strdup(subject),
		.id = id,
		.state = state,
		.reason = reason,
		.message = base_strdup(message ? message : ""),
	};
}

void happen_task(struct manager *manager, const struct task *task, const char *state)
{
	char name[TASK_NAME_SIZE];
	char sentence[TASK_SENTENCE_SIZE];
	happen(manager, "task", cluster_task_name(&manager->cluster, task, name),
	       task->desired.id.uuid, state, reason_name(task->reason),
	       cluster_task_sentence(&manager->cluster, task, sentence));
}
