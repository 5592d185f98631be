/* Where those that share the network of a project are to be, with the eyes of the checker: on one machine. */
#include <string.h>

#include "liveness.h"

/* Where one of its volumes lives; NULL: it has none, or it lives nowhere yet. */
static const struct node_entry *pin_of(const struct look *look, const char *project,
				       const struct job_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		char buffer[VOLUME_NAME_SIZE];
		const struct volume_record *volume = cluster_volume(
			look->cluster, cluster_volume_name(cluster_project(look->cluster, project),
							   spec->mounts.items[i].source, buffer));
		if (volume)
			return cluster_node(look->cluster, volume->node);
	}
	return NULL;
}

/* The one network of the simulated projects. */
static bool uses_network(const struct job_entry *entry)
{
	return job_entry_current(entry) && job_entry_current(entry)->spec.networks.n > 0;
}

bool home_is_shared(const struct look *look, const struct job_entry *entry)
{
	const struct project_entry *project = cluster_project(look->cluster, entry->job.project);
	size_t n = 0;
	for (size_t i = 0; i < project->n_jobs; i++)
		n += uses_network(project->jobs[i]);
	return uses_network(entry) && n > 1;
}

bool home_is_pinned_out(const struct look *look, const struct job_entry *entry,
			const struct job_spec *spec)
{
	const struct project_entry *project = cluster_project(look->cluster, entry->job.project);
	const struct node_entry *pin = pin_of(look, entry->job.project, spec);
	for (size_t i = 0; !pin && home_is_shared(look, entry) && i < project->n_jobs; i++)
		if (uses_network(project->jobs[i]))
			pin = pin_of(look, entry->job.project,
				     &job_entry_current(project->jobs[i])->spec);
	return pin && (!look_works(look, pin->record.id) || pin->record.draining);
}

/* ---- those that share the network of a project, all of them ---- */

static bool all_are_allowed(const struct project_entry *project, const struct node_entry *node)
{
	for (size_t i = 0; i < project->n_jobs; i++) {
		const struct job_spec *spec = &job_entry_current(project->jobs[i])->spec;
		if (project->jobs[i]->job.wanted == JOB_RUN && uses_network(project->jobs[i]) &&
		    spec->replicas && !check_placement_allows(node, spec))
			return false;
	}
	return true;
}

static bool is_one_of_them(const struct look *look, const struct project_entry *project,
			   const struct task *task)
{
	const struct job_entry *entry = cluster_job_of(look->cluster, task);
	return strcmp(entry->job.project, project->project.name) == 0 && uses_network(entry);
}

/* What others than they have there. */
static void count_others(const struct look *look, const struct project_entry *project,
			 const struct node_entry *node, struct resources *ret_others)
{
	*ret_others = (struct resources){ 0 };
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct task *task = node->tasks.items[i];
		if (!task_occupies_node(task) || is_one_of_them(look, project, task))
			continue;
		const struct job_spec *spec = cluster_task_spec(look->cluster, task);
		ret_others->cpu_milli += spec->reservations.cpu_milli;
		ret_others->memory_bytes += spec->reservations.memory_bytes;
	}
}

static bool has_others_port(const struct look *look, const struct project_entry *project,
			    const struct node_entry *node, int64_t number)
{
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct task *task = node->tasks.items[i];
		for (size_t j = 0; j < task_rare(task)->ports.n; j++)
			if (task_rare(task)->ports.items[j].host_port == number &&
			    task_occupies_node(task) && !is_one_of_them(look, project, task))
				return true;
	}
	return false;
}

/* Has it ports for all, also where the others take theirs from the same pool? A fixed one that is in another's pool
 * may be drawn there first. */
static bool has_ports(const struct look *look, const struct project_entry *project,
		      const struct node_entry *node)
{
	int64_t n_wanted = 0;
	int64_t n_users = 0;
	for (size_t i = 0; i < project->n_jobs; i++) {
		const struct job_spec *spec = &job_entry_current(project->jobs[i])->spec;
		bool counts = uses_network(project->jobs[i]) && spec->ports.n;
		n_users += counts;
		n_wanted += counts ? spec->replicas : 0;
	}
	for (size_t i = 0; i < project->n_jobs; i++) {
		const struct job_spec *spec = &job_entry_current(project->jobs[i])->spec;
		int64_t n_free = 0;
		if (!uses_network(project->jobs[i]) || !spec->ports.n)
			continue;
		const struct port *port = &spec->ports.items[0];
		for (int64_t number = port->host_first; number <= port->host_last; number++)
			n_free += !has_others_port(look, project, node, number);
		if (n_free < n_wanted || (port->host_first == port->host_last && n_users > 1))
			return false;
	}
	return true;
}

/* Does a machine take them all, as if none of them ran yet? Of those with a volume it is not asked. */
static bool takes_all(const struct look *look, const struct project_entry *project,
		      const struct node_entry *node)
{
	struct resources sum;
	if (!look_works(look, node->record.id) || node->record.draining ||
	    !all_are_allowed(project, node) || !has_ports(look, project, node))
		return false;
	count_others(look, project, node, &sum);
	for (size_t i = 0; i < project->n_jobs; i++) {
		const struct job_entry *entry = project->jobs[i];
		const struct job_spec *spec = &job_entry_current(entry)->spec;
		int64_t max = spec->placement.max_replicas_per_node;
		if (uses_network(entry) && spec->mounts.n)
			return false;
		if (!uses_network(entry) || entry->job.wanted != JOB_RUN)
			continue;
		if (max && spec->replicas > max)
			return false;
		sum.cpu_milli += spec->replicas * spec->reservations.cpu_milli;
		sum.memory_bytes += spec->replicas * spec->reservations.memory_bytes;
	}
	const struct resources *capacity = &node->record.facts.capacity;
	return sum.cpu_milli <= capacity->cpu_milli && sum.memory_bytes <= capacity->memory_bytes;
}

static bool somebody_takes_all(const struct look *look, const struct job_entry *entry)
{
	const struct project_entry *project = cluster_project(look->cluster, entry->job.project);
	const struct node_columns *columns = &look->cluster->columns;
	for (size_t i = 0; i < columns->n; i++)
		if (columns->entry[i] && takes_all(look, project, columns->entry[i]))
			return true;
	return false;
}

bool home_may_be_broken(const struct look *look)
{
	for (int i = 0; i < look->sim->n_workers; i++) {
		int broken = look->sim->workers[i].broken;
		if (broken == BROKEN_DOCKER || broken == BROKEN_STORE)
			return true;
	}
	return false;
}

static bool counts_at_home(const struct look *look, const struct task *task)
{
	return !task_is_final(task->state) && task->desired.wanted == TASK_WANT_RUN &&
	       look_works(look, task->desired.node) &&
	       !cluster_node(look->cluster, task->desired.node)->record.draining;
}

/* Where the network of its project lives: where data is, or most tasks are, the first such machine. */
static const struct node_entry *home_of(const struct look *look, const struct job_entry *entry)
{
	const struct project_entry *project = cluster_project(look->cluster, entry->job.project);
	const struct node_columns *columns = &look->cluster->columns;
	const struct node_entry *home = NULL;
	size_t most = 0;
	for (size_t column = 0; column < columns->n; column++) {
		size_t n = 0;
		for (size_t i = 0; i < project->n_jobs; i++) {
			const struct job_entry *job = project->jobs[i];
			if (!uses_network(job))
				continue;
			const struct node_entry *pin =
				pin_of(look, entry->job.project, &job_entry_current(job)->spec);
			if (pin)
				return pin;
			for (size_t j = 0; j < job->tasks.n; j++)
				n += counts_at_home(look, job->tasks.items[j]) &&
				     cluster_node(look->cluster,
						  job->tasks.items[j]->desired.node) ==
					     columns->entry[column];
		}
		if (n > most) {
			most = n;
			home = columns->entry[column];
		}
	}
	return home;
}

bool home_could_be_elsewhere(const struct look *look, const struct job_entry *entry)
{
	if (!home_is_shared(look, entry) || home_may_be_broken(look))
		return false;
	const struct node_entry *home = home_of(look, entry);
	const struct project_entry *project = cluster_project(look->cluster, entry->job.project);
	return (!home || !all_are_allowed(project, home)) && somebody_takes_all(look, entry);
}

static bool all_run(const struct project_entry *project)
{
	for (size_t i = 0; i < project->n_jobs; i++) {
		const struct job_entry *entry = project->jobs[i];
		int64_t n = 0;
		for (size_t j = 0; j < entry->tasks.n; j++)
			n += entry->tasks.items[j]->state == TASK_RUNNING &&
			     entry->tasks.items[j]->desired.wanted == TASK_WANT_RUN;
		if (uses_network(entry) && entry->job.wanted == JOB_RUN &&
		    n < job_entry_current(entry)->spec.replicas)
			return false;
	}
	return true;
}

/* The job is short of one already: no other is taken down as well. What it waits for need not be what another of its
 * tasks needs, where a paused update keeps that at an older revision. */
static bool any_waits(const struct job_entry *entry)
{
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->state == TASK_PENDING)
			return true;
	return false;
}

/* Who waits for all of them to be together goes on only once those that are not placed are. One that a paused update
 * keeps at its revision needs what that says. */
bool home_is_away(const struct look *look, const struct job_entry *entry, const struct task *task)
{
	const struct job_spec *spec = cluster_task_spec(look->cluster, task);
	const struct project_entry *project = cluster_project(look->cluster, entry->job.project);
	if (!home_is_shared(look, entry) || job_spec_is_global(spec) || !spec->networks.n ||
	    (task->desired.revision != entry->job.revision && any_waits(entry)))
		return false;
	const struct node_entry *home = home_of(look, entry);
	const struct node_entry *node = cluster_node(look->cluster, task->desired.node);
	if (!home || !all_are_allowed(project, home))
		return !all_are_allowed(project, node) && all_run(project) &&
		       home_could_be_elsewhere(look, entry);
	return home != node && look_works(look, home->record.id) && !home->record.draining &&
	       look_fits(look->cluster, home, entry->job.id, spec);
}
