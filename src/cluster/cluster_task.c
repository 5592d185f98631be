/* Invariants: between edit and save a task weighs nothing and is on no list it may be about to
 * leave; a node once set stays (work that must go elsewhere gets a new task); `wanted` only rises;
 * the state moves only by task_move(). */
#include "base/alloc.h"
#include "base/check.h"
#include "cluster/internal.h"

static void put_desired(struct changes *changes, const struct task *task)
{
	struct task_desired desired;
	task_get_desired(task, &desired);
	cluster_record_put(changes, cluster_key_of_task(desired.id), &task_desired_type, &desired);
}

struct task *cluster_add_task(struct cluster *cluster, struct changes *changes,
			      struct task_desired *desired)
{
	PRE(!uuid_is_zero(desired->id.uuid));
	PRE(uuid_is_zero(desired->node.uuid));
	PRE(!desired->verdict);
	struct job_entry *job = cluster_job(cluster, desired->job);
	PRE(job);
	PRE(job_entry_revision(job, desired->revision));
	struct task *task = base_calloc(1, sizeof(*task));
	task_take_desired(task, desired, &job->job.id);
	task_derive_reason(task);
	id_index_add(&cluster->tasks, task);
	task_list_insert(&job->tasks, task);
	weight_on(cluster, task);
	job->dirty = true;
	put_desired(changes, task);
	return task;
}

void cluster_task_edit(struct cluster *cluster, struct task *task)
{
	PRE(!cluster->edit.task);
	PRE(cluster_task(cluster, task->desired.id) == task);
	weight_off(cluster, task);
	cluster->edit = (struct cluster_edit){ task,
					       *task->desired.job,
					       task->desired.node,
					       task->desired.wanted,
					       task->desired.verdict,
					       task_is_on_list_of_node(task),
					       task->desired.written_off };
}

/* What an edit may not have done. */
static void check_edit(const struct cluster *cluster, const struct task *task)
{
	const struct cluster_edit *edit = &cluster->edit;
	const struct desired_half *desired = &task->desired;
	const struct job_entry *job = cluster_job(cluster, *desired->job);
	INVARIANT(cluster_task(cluster, desired->id) == task);
	INVARIANT(uuid_equal(desired->job->uuid, edit->job.uuid));
	INVARIANT(job_entry_revision(job, desired->revision));
	INVARIANT(desired->wanted >= edit->wanted);
	INVARIANT(desired->written_off >= edit->written_off);
	INVARIANT(IMPLIES(!uuid_is_zero(edit->node.uuid),
			  uuid_equal(desired->node.uuid, edit->node.uuid)));
	INVARIANT(IMPLIES(desired->verdict, task_is_final(desired->verdict)));
	/* Nobody judges twice, and nobody judges what has ended by itself. */
	INVARIANT(IMPLIES(task_is_final(task->state), desired->verdict == edit->verdict));
}

void cluster_task_save(struct cluster *cluster, struct changes *changes, struct task *task)
{
	PRE(cluster->edit.task == task);
	check_edit(cluster, task);
	bool placed_now =
		uuid_is_zero(cluster->edit.node.uuid) && !uuid_is_zero(task->desired.node.uuid);
	int state = task_derive_state(task);
	if (state != task->state) {
		task_must_move(task, state);
		task_derive_reason(task);
	}
	if (placed_now) {
		struct node_entry *node = cluster_node(cluster, task->desired.node);
		INVARIANT(node);
		task_list_insert(&node->tasks, task);
	} else if (cluster->edit.on_list && !task_is_on_list_of_node(task)) {
		task_list_remove(&cluster_node(cluster, task->desired.node)->tasks, task);
	}
	task_tidy(task);
	cluster->edit = (struct cluster_edit){ 0 };
	weight_on(cluster, task);
	cluster_job_of(cluster, task)->dirty = true;
	put_desired(changes, task);
}

void cluster_delete_task(struct cluster *cluster, struct changes *changes, struct task *task)
{
	PRE(!cluster->edit.task);
	PRE(cluster_task(cluster, task->desired.id) == task);
	PRE(!task_occupies_node(task));
	struct job_entry *job = cluster_job_of(cluster, task);
	weight_off(cluster, task);
	task_list_remove(&job->tasks, task);
	if (task_is_on_list_of_node(task))
		task_list_remove(&cluster_node(cluster, task->desired.node)->tasks, task);
	if (task->observed.version > 0)
		cluster_record_delete(changes, cluster_key_of_observed(task->desired.id));
	cluster_record_delete(changes, cluster_key_of_task(task->desired.id));
	id_index_remove(&cluster->tasks, task);
	job->dirty = true;
	cluster_task_free(task);
}
