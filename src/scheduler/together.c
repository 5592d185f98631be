/* Jobs that share a network, as one: what all of them need of a machine.
 *
 * Invariant: whether a machine takes them all does not depend on where they are. What they have there already counts
 * as free, and all that is wanted of them as still to come; so nothing they do makes one machine better than
 * another. */
#include <string.h>

#include "base/alloc.h"
#include "job/syntax.h"
#include "scheduler/internal.h"

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

bool together_has(const struct together *together, const struct job_entry *job)
{
	for (size_t i = 0; i < together->networks.n; i++)
		if (uses_network(job, together->networks.items[i]))
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
static void add_shared(struct together *together, const struct job_spec *spec)
{
	for (size_t i = 0; i < spec->networks.n && !job_spec_networks_per_node(spec); i++) {
		const char *network = spec->networks.items[i].network;
		if (!strings_has(&together->networks, network) &&
		    is_shared(together->project, network))
			strings_add(&together->networks, network);
	}
}

/* Whoever shares a network with one of ours brings its own shared networks along. */
static void close_over(struct together *together)
{
	const struct project_entry *project = together->project;
	for (size_t n_before = 0; n_before != together->networks.n;) {
		n_before = together->networks.n;
		for (size_t i = 0; i < project->n_jobs; i++) {
			const struct job_revision *revision = job_entry_current(project->jobs[i]);
			if (revision && together_has(together, project->jobs[i]))
				add_shared(together, &revision->spec);
		}
	}
}

/* How many of its tasks are to run; of a run to completion those that have not succeeded. */
static int64_t wanted_of(const struct job_entry *job)
{
	const struct job_spec *spec = &job_entry_current(job)->spec;
	int64_t n = job->job.wanted == JOB_RUN ? spec->replicas : 0;
	for (size_t i = 0; i < job->tasks.n && job_spec_completes(spec); i++) {
		const struct desired_half *desired = &job->tasks.items[i]->desired;
		n -= desired->revision == job->job.revision &&
		     desired->restarts_asked == job->job.restarts_asked &&
		     task_succeeded(job->tasks.items[i]);
	}
	n -= slot_ranges_count(&job_settled(&job->job)->succeeded, spec->replicas);
	return n < job_spec_at_once(spec) ? n : job_spec_at_once(spec);
}

static void add_member(struct together *together, const struct job_entry *job)
{
	int64_t n_wanted = together_has(together, job) ? wanted_of(job) : 0;
	if (n_wanted <= 0)
		return;
	struct member *member = &together->members[together->n_members++];
	*member = (struct member){ .n_wanted = n_wanted };
	member->model.desired.job = &job->job.id;
	member->model.desired.revision = (int32_t)job->job.revision;
	question_init_alone(&member->question, together->cluster, &member->model);
}

void together_init(struct together *together, const struct cluster *cluster,
		   const struct project_entry *project, const struct job_spec *spec)
{
	*together = (struct together){ .cluster = cluster, .project = project };
	add_shared(together, spec);
	if (!together->networks.n)
		return;
	close_over(together);
	together->members = base_calloc(project->n_jobs, sizeof(struct member));
	for (size_t i = 0; i < project->n_jobs; i++)
		add_member(together, project->jobs[i]);
}

void together_release(struct together *together)
{
	for (size_t i = 0; i < together->n_members; i++)
		question_release(&together->members[i].question);
	base_free(together->members);
	strings_release(&together->networks);
	*together = (struct together){ 0 };
}

static const struct member *member_of(const struct together *together, const struct job_entry *job)
{
	for (size_t i = 0; i < together->n_members; i++)
		if (together->members[i].question.job == job)
			return &together->members[i];
	return NULL;
}

bool together_are_refused_for_good(const struct together *together, size_t column,
				   size_t *ret_member, struct refusal *ret_refusal)
{
	for (size_t i = 0; i < together->n_members; i++) {
		*ret_member = i;
		if (filters_refuse_for_good(&together->members[i].question, column, ret_refusal))
			return true;
	}
	return false;
}

/* ---- ports ---- */

static bool is_free_for(const struct together *together, const struct node_entry *node,
			const struct port *port, int64_t number)
{
	const struct task *owner = cluster_port_owner(node, port->host_ip, port->protocol, number);
	return !owner || member_of(together, cluster_job_of(together->cluster, owner));
}

/* Does a member before this one have the same fixed port? */
static bool is_taken_before(const struct together *together, size_t before, const struct port *port)
{
	for (size_t i = 0; i < before; i++) {
		const struct question *question = &together->members[i].question;
		for (size_t j = 0; j < question->n_port_order; j++) {
			const struct port *other =
				&question->spec->ports.items[question->port_order[j]];
			if (other->host_first == port->host_first &&
			    other->host_last == other->host_first &&
			    other->protocol == port->protocol &&
			    host_ips_overlap(other->host_ip, port->host_ip))
				return true;
		}
	}
	return false;
}

static bool lacks_ports(const struct together *together, size_t member,
			const struct node_entry *node, size_t *ret_index)
{
	const struct question *question = &together->members[member].question;
	for (size_t i = 0; i < question->n_port_order; i++) {
		const struct port *port = &question->spec->ports.items[question->port_order[i]];
		int64_t n_lacking = together->members[member].n_wanted;
		*ret_index = question->port_order[i];
		if (port->host_last == port->host_first && is_taken_before(together, member, port))
			return true;
		for (int64_t number = port->host_first; number <= port->host_last && n_lacking > 0;
		     number++)
			n_lacking -= is_free_for(together, node, port, number);
		if (n_lacking > 0)
			return true;
	}
	return false;
}

/* ---- resources ---- */

/* What nobody can have stays so. */
static void add_times(int64_t *sum, int64_t amount, int64_t n)
{
	int64_t product;
	if (__builtin_mul_overflow(amount, n, &product) ||
	    __builtin_add_overflow(*sum, product, sum))
		*sum = INT64_MAX;
}

static void add_resources(struct resources *sum, const struct resources *each, int64_t n)
{
	add_times(&sum->cpu_milli, each->cpu_milli, n);
	add_times(&sum->memory_bytes, each->memory_bytes, n);
	add_times(&sum->disk_bytes, each->disk_bytes, n);
}

struct resources together_request(const struct together *together)
{
	struct resources sum = { 0 };
	for (size_t i = 0; i < together->n_members; i++)
		add_resources(&sum, &together->members[i].question.spec->reservations,
			      together->members[i].n_wanted);
	return sum;
}

/* What their tasks have there already. */
static struct resources own_on(const struct together *together, const struct node_entry *node)
{
	struct resources sum = { 0 };
	for (size_t i = 0; i < together->n_members; i++) {
		const struct job_entry *job = together->members[i].question.job;
		if (!cluster_job_tasks_on(job, node))
			continue;
		for (size_t j = 0; j < job->tasks.n; j++) {
			const struct task *task = job->tasks.items[j];
			if (task_occupies_node(task) &&
			    uuid_equal(task->desired.node.uuid, node->record.id.uuid))
				add_resources(
					&sum,
					&cluster_task_spec(together->cluster, task)->reservations,
					1);
		}
	}
	return sum;
}

static bool lacks(int64_t request, int64_t capacity, int64_t reserved, int64_t own)
{
	return request > 0 && capacity - reserved + own < request;
}

static bool lacks_resources(const struct together *together, size_t column,
			    enum refusal_kind *ret_kind)
{
	const struct node_columns *columns = &together->cluster->columns;
	struct resources request = together_request(together);
	struct resources own = own_on(together, columns->entry[column]);
	bool cpu = lacks(request.cpu_milli, columns->cpu_capacity_milli[column],
			 columns->cpu_reserved_milli[column], own.cpu_milli);
	bool memory = lacks(request.memory_bytes, columns->memory_capacity_bytes[column],
			    columns->memory_reserved_bytes[column], own.memory_bytes);
	bool disk = lacks(request.disk_bytes, columns->disk_capacity_bytes[column],
			  columns->disk_reserved_bytes[column], own.disk_bytes);
	*ret_kind = cpu ? REFUSED_CPU : memory ? REFUSED_MEMORY : REFUSED_DISK;
	return cpu || memory || disk;
}

/* ---- all of it ---- */

static bool are_refused_now(const struct together *together, size_t column, size_t *ret_member,
			    struct refusal *ret_refusal)
{
	const struct node_entry *node = together->cluster->columns.entry[column];
	for (size_t i = 0; i < together->n_members; i++) {
		int64_t max = together->members[i].question.spec->placement.max_replicas_per_node;
		size_t port;
		*ret_member = i;
		*ret_refusal = (struct refusal){ .kind = REFUSED_MAX_REPLICAS };
		if (max > 0 && together->members[i].n_wanted > max)
			return true;
		if (lacks_ports(together, i, node, &port)) {
			*ret_refusal = (struct refusal){ REFUSED_PORT, port };
			return true;
		}
	}
	*ret_member = together->n_members;
	*ret_refusal = (struct refusal){ 0 };
	return lacks_resources(together, column, &ret_refusal->kind);
}

bool together_are_refused(const struct together *together, size_t column, size_t *ret_member,
			  struct refusal *ret_refusal)
{
	*ret_member = together->n_members;
	if (!together->n_members)
		return false;
	return readiness_refuses(&together->members[0].question, column, ret_refusal) ||
	       together_are_refused_for_good(together, column, ret_member, ret_refusal) ||
	       are_refused_now(together, column, ret_member, ret_refusal);
}
