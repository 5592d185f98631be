/* Where jobs that share a network live. A network is a bridge on one machine, so its users must be on one machine, too:
 * their home. It is where the data of one of them is, whether that machine works or not; or else where most of them
 * are. But where one of them may not run any more, or not yet, others are the home: one of the machines that take them
 * all, that where most of them have gone to already. It moves with the first task that is placed there, and the others
 * follow. Where no machine takes all of them, nothing moves.
 *
 * Invariant: it follows from what is stored and from which machines work, so it is the same after a restart. */
#include "base/alloc.h"
#include "base/planted.h"
#include "scheduler/internal.h"

/* Add the job's tasks to what each node has. A node that is to lose its tasks is no home, and what is to stop there
 * makes it none. */
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

typedef void count_fn(const struct cluster *cluster, const struct project_entry *project,
		      const struct job_entry *job, size_t *n);

static void count(const struct together *together, count_fn *add, size_t *n)
{
	const struct project_entry *project = together->project;
	for (size_t i = 0; i < project->n_jobs; i++)
		if (together_has(together, project->jobs[i]))
			add(together->cluster, project, project->jobs[i], n);
}

/* The node with the most, of those that are marked where any are; NULL: there is nothing. */
static const struct node_entry *most_of(const struct cluster *cluster, const size_t *n,
					const bool *marked)
{
	const struct node_columns *columns = &cluster->columns;
	size_t best = columns->n;
	for (size_t i = 0; i < columns->n; i++)
		if (n[i] && (!marked || marked[i]) && (best == columns->n || n[i] > n[best]))
			best = i;
	return best < columns->n ? columns->entry[best] : NULL;
}

typedef bool refuses_fn(const struct together *together, size_t column, size_t *ret_member,
			struct refusal *ret_refusal);

/* By column: does it take them all? NULL: none does. The caller frees. */
static bool *mark(const struct together *together, refuses_fn *refuses)
{
	size_t n_nodes = together->cluster->columns.n;
	size_t n_marked = 0;
	bool *marked = base_calloc(n_nodes, sizeof(*marked));
	for (size_t i = 0; i < n_nodes; i++) {
		size_t member;
		struct refusal refusal;
		marked[i] = !refuses(together, i, &member, &refusal);
		n_marked += marked[i];
	}
	if (n_marked)
		return marked;
	base_free(marked);
	return NULL;
}

/* They are nowhere, or where they cannot all be. */
static void look_elsewhere(const struct together *together, const size_t *n_tasks,
			   struct question *question)
{
	const struct cluster *cluster = together->cluster;
	bool *takers = mark(together, together_are_refused);
	if (takers) {
		question->home = most_of(cluster, n_tasks, takers);
		question->takers = question->home ? NULL : takers;
		base_free(question->home ? takers : NULL);
		return;
	}
	/* Whoever has gone to where all of them may run waits there for the others. */
	_cleanup_free_ bool *allowed = mark(together, together_are_refused_for_good);
	const struct node_entry *begun = allowed ? most_of(cluster, n_tasks, allowed) : NULL;
	question->nowhere = !begun;
	question->home = begun ? begun : most_of(cluster, n_tasks, NULL);
}

static void find(const struct together *together, struct question *question)
{
	const struct cluster *cluster = together->cluster;
	size_t n_nodes = cluster->columns.n;
	size_t member;
	struct refusal refusal;
	_cleanup_free_ size_t *n = base_calloc(n_nodes, sizeof(*n));
	count(together, count_pins, n);
	question->home = most_of(cluster, n, NULL);
	if (question->home) {
		question->nowhere = together_are_refused_for_good(together, question->home->index,
								  &member, &refusal);
		return;
	}
	count(together, count_tasks, n);
	const struct node_entry *most = most_of(cluster, n, NULL);
	question->home = most;
	if ((!most || together_are_refused_for_good(together, most->index, &member, &refusal)) &&
	    !PLANTED(PLANTED_HOME_KEPT))
		look_elsewhere(together, n, question);
	question->moves_home = question->home != most || !most;
}

void home_find(struct question *question)
{
	struct together together;
	together_init(&together, question->cluster, question->project, question->spec);
	question->shares = together.networks.n > 0;
	if (question->shares && question->cluster->columns.n)
		find(&together, question);
	together_release(&together);
}

const struct node_entry *scheduler_home(const struct cluster *cluster, const struct job_entry *job,
					bool *ret_open)
{
	const struct job_revision *revision = job_entry_current(job);
	*ret_open = false;
	if (!revision || !revision->spec.networks.n)
		return NULL;
	struct question question = { .cluster = cluster, .job = job, .spec = &revision->spec };
	question.project = cluster_project(cluster, job->job.project);
	home_find(&question);
	*ret_open = question.takers != NULL;
	base_free(question.takers);
	return question.home;
}
