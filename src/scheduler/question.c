#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "scheduler/internal.h"

#define API_MINOR_START_INTERVAL 44

static bool uses_network(const struct job_entry *job, const char *network)
{
	const struct job_revision *revision = job_entry_current(job);
	if (!revision || job_spec_networks_per_node(&revision->spec))
		return false;
	for (size_t i = 0; i < revision->spec.networks.n; i++)
		if (strcmp(revision->spec.networks.items[i].network, network) == 0)
			return true;
	return false;
}

/* Is the network used by more than one job of the project? */
static bool is_shared(const struct project_entry *project, const char *network)
{
	size_t n_users = 0;
	for (size_t i = 0; i < project->n_jobs && n_users < 2; i++)
		n_users += uses_network(project->jobs[i], network);
	return n_users > 1;
}

/* Add those of the specification's networks that more than one job uses. */
static void add_shared(const struct project_entry *project, const struct job_spec *spec,
		       struct strings *shared)
{
	for (size_t i = 0; i < spec->networks.n && !job_spec_networks_per_node(spec); i++) {
		const char *network = spec->networks.items[i].network;
		if (!strings_has(shared, network) && is_shared(project, network))
			strings_add(shared, network);
	}
}

static bool uses_one_of(const struct job_entry *job, const struct strings *networks)
{
	for (size_t i = 0; i < networks->n; i++)
		if (uses_network(job, networks->items[i]))
			return true;
	return false;
}

/* Add the job's tasks to what each node has of the project. A node that is to lose its tasks is no
 * home, and what is to stop there makes it none. */
static void count_tasks(const struct cluster *cluster, const struct project_entry *project,
			const struct job_entry *job, size_t *n_tasks)
{
	(void)project;
	for (size_t i = 0; i < job->tasks.n; i++) {
		const struct task *task = job->tasks.items[i];
		const struct node_entry *node = cluster_node(cluster, task->desired.node);
		if (node && !task_is_final(task->state) && task->desired.wanted == TASK_WANT_RUN &&
		    !task->unreachable && node->state != NODE_DOWN && !node->record.draining)
			n_tasks[node->index]++;
	}
}

/* The volume of a mount, if it lives on one machine already; NULL: it does not. */
static const struct volume_record *pinned_volume(const struct cluster *cluster,
						 const struct project_entry *project,
						 const struct job_spec *spec,
						 const struct mount *mount)
{
	char buffer[VOLUME_NAME_SIZE];
	if (mount->kind != MOUNT_VOLUME || !mount->source || job_spec_volumes_per_node(spec))
		return NULL;
	const struct volume_record *volume =
		cluster_volume(cluster, cluster_volume_name(project, mount->source, buffer));
	return volume && !uuid_is_zero(volume->node.uuid) ? volume : NULL;
}

/* The same for the volumes that live somewhere: data does not move. */
static void count_pins(const struct cluster *cluster, const struct project_entry *project,
		       const struct job_entry *job, size_t *n_pins)
{
	const struct job_spec *spec = &job_entry_current(job)->spec;
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct volume_record *volume =
			pinned_volume(cluster, project, spec, &spec->mounts.items[i]);
		const struct node_entry *node = volume ? cluster_node(cluster, volume->node) : NULL;
		if (node)
			n_pins[node->index]++;
	}
}

/* Whoever shares a network with one of ours brings its own shared networks along. */
static void close_over(const struct project_entry *project, struct strings *shared)
{
	for (size_t n_before = 0; n_before != shared->n;) {
		n_before = shared->n;
		for (size_t i = 0; i < project->n_jobs; i++) {
			const struct job_revision *revision = job_entry_current(project->jobs[i]);
			if (revision && uses_one_of(project->jobs[i], shared))
				add_shared(project, &revision->spec, shared);
		}
	}
}

typedef void count_fn(const struct cluster *cluster, const struct project_entry *project,
		      const struct job_entry *job, size_t *n);

/* The node with the most of what is counted, for the jobs that use these networks; NULL: there is
 * nothing. */
static const struct node_entry *node_with_most(const struct cluster *cluster,
					       const struct project_entry *project,
					       const struct strings *networks, count_fn *count)
{
	const struct node_columns *columns = &cluster->columns;
	if (!networks->n || !columns->n)
		return NULL;
	_cleanup_free_ size_t *n = base_calloc(columns->n, sizeof(*n));
	for (size_t i = 0; i < project->n_jobs; i++)
		if (uses_one_of(project->jobs[i], networks))
			count(cluster, project, project->jobs[i], n);
	size_t best = 0;
	for (size_t i = 1; i < columns->n; i++)
		if (n[i] > n[best])
			best = i;
	return n[best] ? columns->entry[best] : NULL;
}

/* Where the project's shared networks live; NULL: nowhere yet, or the job shares none. A network is
 * a bridge on one machine, so its users must be on one machine too: where the data of one of them
 * is, whether that machine works or not, or else where most of them are. */
static const struct node_entry *home_of(const struct cluster *cluster,
					const struct project_entry *project,
					const struct job_spec *spec)
{
	struct strings shared = { 0 };
	add_shared(project, spec, &shared);
	close_over(project, &shared);
	const struct node_entry *home = node_with_most(cluster, project, &shared, count_pins);
	if (!home)
		home = node_with_most(cluster, project, &shared, count_tasks);
	strings_release(&shared);
	return home;
}

const struct node_entry *scheduler_home(const struct cluster *cluster, const struct job_entry *job)
{
	const struct job_revision *revision = job_entry_current(job);
	if (!revision || !revision->spec.networks.n)
		return NULL;
	return home_of(cluster, cluster_project(cluster, job->job.project), &revision->spec);
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

void question_init(struct question *question, const struct cluster *cluster,
		   const struct task *task)
{
	const struct job_entry *job = cluster_job_of(cluster, task);
	PRE(job);
	*question = (struct question){ .cluster = cluster, .task = task, .job = job };
	question->project = cluster_project(cluster, job->job.project);
	PRE(question->project);
	question->spec = cluster_task_spec(cluster, task);
	match_init(&question->match, question->spec);
	if (job_spec_is_global(question->spec))
		question->only = cluster_node_numbered(cluster, task->desired.slot);
	if (question->spec->health_check.start_interval_ms > 0)
		question->api_minor = API_MINOR_START_INTERVAL;
	question->protocol = job_revision_protocol(cluster_task_revision(cluster, task),
						   &question->project->project);
	if (question->spec->networks.n)
		question->home = home_of(cluster, question->project, question->spec);
	find_pins(question);
	ports_order(question);
	question->grants = base_calloc(question->n_port_order, sizeof(struct port_grant));
}

bool scheduler_ties(const struct cluster *cluster, const struct task *task)
{
	struct question question;
	struct strings shared = { 0 };
	question_init(&question, cluster, task);
	add_shared(question.project, question.spec, &shared);
	bool ties = question.n_pins || shared.n;
	strings_release(&shared);
	question_release(&question);
	return ties;
}

void question_release(struct question *question)
{
	for (size_t i = 0; i < question->n_pins; i++)
		base_free(question->pins[i].volume);
	base_free(question->pins);
	match_release(&question->match);
	base_free(question->port_order);
	base_free(question->grants);
	*question = (struct question){ 0 };
}
