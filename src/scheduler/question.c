#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "scheduler/internal.h"

const struct volume_record *pinned_volume(const struct cluster *cluster,
					  const struct project_entry *project,
					  const struct job_spec *spec, const struct mount *mount)
{
	char buffer[VOLUME_NAME_SIZE];
	if (mount->kind != MOUNT_VOLUME || !mount->source || job_spec_volumes_per_node(spec))
		return NULL;
	const struct volume_record *volume =
		cluster_volume(cluster, cluster_volume_name(project, mount->source, buffer));
	return volume && !uuid_is_zero(volume->node.uuid) ? volume : NULL;
}

static void find_pins(struct question *question)
{
	const struct job_spec *spec = question->spec;
	question->pins = base_calloc(spec->mounts.n ? spec->mounts.n : 1, sizeof(struct pin));
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct volume_record *volume = pinned_volume(
			question->cluster, question->project, spec, &spec->mounts.items[i]);
		if (volume)
			question->pins[question->n_pins++] =
				(struct pin){ base_strdup(volume->name),
					      cluster_node(question->cluster, volume->node) };
	}
}

void question_init_alone(struct question *question, const struct cluster *cluster,
			 const struct task *task)
{
	const struct job_entry *job = cluster_job_of(cluster, task);
	PRE(job);
	*question = (struct question){ .cluster = cluster, .task = task, .job = job };
	question->project = cluster_project(cluster, job->job.project);
	PRE(question->project);
	question->spec = cluster_task_spec(cluster, task);
	match_init(&question->match, question->spec);
	if (!uuid_is_zero(task_rare(task)->move_to.uuid))
		question->only = cluster_node(cluster, task_rare(task)->move_to);
	if (job_spec_is_global(question->spec))
		question->only = cluster_node_numbered(cluster, task->desired.slot);
	question->engine = &engine_needs[job_engine(question->spec, &question->project->project)];
	question->protocol = job_revision_protocol(cluster_task_revision(cluster, task),
						   &question->project->project);
	find_pins(question);
	ports_order(question);
	question->grants = base_calloc(question->n_port_order, sizeof(struct port_grant));
}

void question_init(struct question *question, const struct cluster *cluster,
		   const struct task *task)
{
	question_init_alone(question, cluster, task);
	if (question->spec->networks.n)
		home_find(question);
}

bool scheduler_ties(const struct cluster *cluster, const struct task *task)
{
	struct question question;
	question_init(&question, cluster, task);
	bool ties = question.n_pins || question.shares;
	question_release(&question);
	return ties;
}

void question_release(struct question *question)
{
	for (size_t i = 0; i < question->n_pins; i++)
		base_free(question->pins[i].volume);
	base_free(question->pins);
	base_free(question->takers);
	match_release(&question->match);
	base_free(question->port_order);
	base_free(question->grants);
	*question = (struct question){ 0 };
}
