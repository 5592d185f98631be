/* Every derived fact, computed a second time straight from the records and compared: I6
 * (reservations), I7 (ports), I8 (one owner per name), I14 (the counts that run-to-completion jobs
 * read) and that each fact has one home. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/planted.h"
#include "cluster/internal.h"

/* What the tasks say one node carries. */
struct carried {
	int64_t cpu_milli;
	int64_t cpu_expected_milli;
	int64_t memory_bytes;
	int64_t memory_expected_bytes;
	int64_t disk_bytes;
	int64_t n_tasks;
	size_t n_listed;
	size_t n_holds;
};

static void check_list(const struct task_list *list)
{
	INVARIANT(list->gap + list->n <= list->capacity);
	for (size_t i = 1; i < list->n; i++)
		INVARIANT(uuid_compare(list->items[i - 1]->desired.id.uuid,
				       list->items[i]->desired.id.uuid) < 0);
}

static void check_holds_of(const struct node_entry *node, const struct task *task,
			   const struct job_spec *spec)
{
	for (size_t i = 0; i < task_rare(task)->ports.n; i++) {
		const struct port_grant *grant = &task_rare(task)->ports.items[i];
		INVARIANT(grant->index >= 0 && (size_t)grant->index < spec->ports.n);
		const struct port *port = &spec->ports.items[grant->index];
		INVARIANT(port->host_first > 0);
		INVARIANT(grant->host_port >= port->host_first);
		INVARIANT(grant->host_port <= port->host_last);
		INVARIANT(PLANTED(PLANTED_PORT_UNOWNED) ||
			  cluster_port_owner(node, port->host_ip, port->protocol,
					     grant->host_port) == task);
	}
}

static void check_task(const struct cluster *cluster, const struct task *task,
		       struct carried *carried)
{
	const struct desired_half *desired = &task->desired;
	const struct job_entry *job = cluster_job_of(cluster, task);
	INVARIANT(cluster_task(cluster, desired->id) == task);
	INVARIANT(job);
	INVARIANT(task_list_has(&job->tasks, task));
	INVARIANT(task->state == task_derive_state(task));
	INVARIANT(task->state >= TASK_PENDING && task->state <= TASK_FAILED);
	INVARIANT(IMPLIES(desired->verdict, task->reason == desired->verdict_reason));
	INVARIANT(IMPLIES(task->state == TASK_PENDING, task->observed.version == 0));
	INVARIANT(IMPLIES(task_rare(task)->waiting_message, task->state == TASK_PENDING));
	INVARIANT(IMPLIES(task->observed.gone || task->observed.removed || desired->written_off,
			  task_is_final(task->state)));
	const struct job_spec *spec = cluster_task_spec(cluster, task);
	/* The node of a task that was written off may be forgotten. */
	if (uuid_is_zero(desired->node.uuid) || desired->written_off)
		return;
	const struct node_entry *node = cluster_node(cluster, desired->node);
	INVARIANT(node);
	struct carried *sums = &carried[node->index];
	if (task_is_on_list_of_node(task)) {
		INVARIANT(task_list_has(&node->tasks, task));
		sums->n_listed++;
	}
	if (!task_occupies_node(task))
		return;
	struct resources expected = cluster_expected(&spec->reservations);
	sums->cpu_milli += spec->reservations.cpu_milli;
	sums->cpu_expected_milli += expected.cpu_milli;
	sums->memory_bytes += spec->reservations.memory_bytes;
	sums->memory_expected_bytes += expected.memory_bytes;
	sums->disk_bytes += spec->reservations.disk_bytes;
	sums->n_tasks++;
	sums->n_holds += task_rare(task)->ports.n;
	check_holds_of(node, task, spec);
}

static void check_tasks(const struct cluster *cluster, struct carried *carried)
{
	size_t n_by_state[ARRAY_LEN(cluster->n_tasks_by_state)] = { 0 };
	size_t position = 0;
	for (const struct task *task; (task = id_index_next(&cluster->tasks, &position));) {
		check_task(cluster, task, carried);
		n_by_state[task->state]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(n_by_state); i++)
		INVARIANT(n_by_state[i] == cluster->n_tasks_by_state[i]);
}

/* A number is given once, and columns are in the order of numbers. */
static void check_number(const struct cluster *cluster, size_t column)
{
	const struct node_columns *columns = &cluster->columns;
	int64_t number = columns->entry[column]->record.number;
	INVARIANT(IMPLIES(number, number < cluster->meta.next_node_number));
	INVARIANT(IMPLIES(number && column, columns->entry[column - 1]->record.number < number));
}

static void check_nodes(const struct cluster *cluster, const struct carried *carried)
{
	const struct node_columns *columns = &cluster->columns;
	INVARIANT(columns->n == cluster->nodes.n);
	for (size_t i = 0; i < columns->n; i++) {
		const struct node_entry *node = columns->entry[i];
		const struct resources *capacity = &node->record.facts.capacity;
		INVARIANT(node->index == i);
		INVARIANT(cluster_node(cluster, node->record.id) == node);
		check_number(cluster, i);
		INVARIANT((node->state == NODE_LEFT) == node->record.left);
		INVARIANT(IMPLIES(node->record.left, node->tasks.n == 0));
		INVARIANT(columns->number[i] == node->record.number);
		INVARIANT(columns->cpu_capacity_milli[i] == capacity->cpu_milli);
		INVARIANT(columns->memory_capacity_bytes[i] == capacity->memory_bytes);
		INVARIANT(columns->disk_capacity_bytes[i] == capacity->disk_bytes);
		INVARIANT(columns->cpu_reserved_milli[i] == carried[i].cpu_milli);
		INVARIANT(columns->cpu_expected_milli[i] == carried[i].cpu_expected_milli);
		INVARIANT(columns->memory_reserved_bytes[i] == carried[i].memory_bytes);
		INVARIANT(columns->memory_expected_bytes[i] == carried[i].memory_expected_bytes);
		INVARIANT(columns->disk_reserved_bytes[i] == carried[i].disk_bytes);
		INVARIANT(columns->tasks[i] == carried[i].n_tasks);
		INVARIANT(columns->ready[i] == node_entry_is_ready(node));
		INVARIANT(node->tasks.n == carried[i].n_listed);
		INVARIANT(node->n_holds == carried[i].n_holds);
		check_list(&node->tasks);
	}
}

/* The job's placements are exactly what its tasks say. `n_on_node` has a zero for every node,
 * before and after. */
static void check_placements(const struct cluster *cluster, const struct job_entry *job,
			     uint32_t *n_on_node)
{
	size_t n_nodes_used = 0;
	for (size_t i = 0; i < job->tasks.n; i++) {
		const struct task *task = job->tasks.items[i];
		if (task_occupies_node(task))
			n_nodes_used +=
				n_on_node[cluster_node(cluster, task->desired.node)->index]++ == 0;
	}
	INVARIANT(job->n_placements == n_nodes_used);
	for (size_t i = 0; i < job->n_placements; i++) {
		const struct job_placement *placement = &job->placements[i];
		INVARIANT(placement->node_index < cluster->columns.n);
		INVARIANT(IMPLIES(i, job->placements[i - 1].node_index < placement->node_index));
		INVARIANT(placement->n_tasks > 0);
		INVARIANT(placement->n_tasks == n_on_node[placement->node_index]);
		n_on_node[placement->node_index] = 0;
	}
}

/* Returns the number of tasks on the job's list. */
static size_t check_job(const struct cluster *cluster, const struct job_entry *job,
			uint32_t *n_on_node)
{
	INVARIANT(cluster_job(cluster, job->job.id) == job);
	INVARIANT(cluster_job_named(cluster, job->job.project, job->job.name) == job);
	INVARIANT(job_entry_current(job));
	for (size_t i = 0; i < job->n_revisions; i++) {
		INVARIANT(uuid_equal(job->revisions[i]->job.uuid, job->job.id.uuid));
		INVARIANT(IMPLIES(i, job->revisions[i - 1]->number < job->revisions[i]->number));
		INVARIANT(!content_missing(cluster, job->job.project, job->revisions[i]));
	}
	check_list(&job->tasks);
	for (size_t i = 0; i < job->tasks.n; i++)
		INVARIANT(job->tasks.items[i]->desired.job == &job->job.id);
	check_placements(cluster, job, n_on_node);
	return job->tasks.n;
}

static void check_projects_and_jobs(const struct cluster *cluster, uint32_t *n_on_node)
{
	size_t n_jobs = 0;
	size_t n_tasks = 0;
	size_t position = 0;
	for (const struct project_entry *project;
	     (project = map_next(&cluster->projects, &position));) {
		INVARIANT(cluster_project(cluster, project->project.name) == project);
		for (size_t i = 0; i < project->n_jobs; i++) {
			const struct job_entry *job = project->jobs[i];
			INVARIANT(strcmp(job->job.project, project->project.name) == 0);
			INVARIANT(IMPLIES(i, strcmp(project->jobs[i - 1]->job.name, job->job.name) <
						     0));
			n_tasks += check_job(cluster, job, n_on_node);
		}
		n_jobs += project->n_jobs;
	}
	INVARIANT(n_jobs == cluster->jobs.n);
	INVARIANT(n_jobs == cluster->jobs_by_name.n);
	INVARIANT(n_tasks == cluster->tasks.n);
}

static void check_records(const struct cluster *cluster)
{
	size_t position = 0;
	for (const struct volume_record *volume;
	     (volume = map_next(&cluster->volumes, &position));) {
		INVARIANT(map_get(&cluster->volumes, cluster_volume_place(cluster, volume)) ==
			  volume);
	}
	position = 0;
	for (const struct idempotency_record *record;
	     (record = map_next(&cluster->idempotency, &position));)
		INVARIANT(cluster_idempotency(cluster, record->caller, record->key) == record);
	position = 0;
	for (const struct token_record *token; (token = map_next(&cluster->tokens, &position));) {
		INVARIANT(cluster_token(cluster, token->id) == token);
		INVARIANT(token_is_sound(token));
	}
	position = 0;
	for (const struct identity_record *identity;
	     (identity = map_next(&cluster->identities, &position));) {
		INVARIANT(identity_is_sound(identity));
		INVARIANT(cluster_identity(cluster, identity->id) == identity);
		INVARIANT(cluster_identity_of_key(cluster, identity->key_sha256) == identity);
	}
	INVARIANT(cluster->identities_by_key.n == cluster->identities.n);
	position = 0;
	for (const struct content_shelf *shelf;
	     (shelf = map_next(&cluster->contents, &position));) {
		INVARIANT(cluster_contents(cluster, shelf->project) == shelf);
		INVARIANT(shelf->n);
		for (size_t i = 0; i < shelf->n; i++) {
			const struct content_record *content = shelf->items[i];
			INVARIANT(content_is_sound(content));
			INVARIANT(cluster_content(cluster, shelf->project, content->hash) ==
				  content);
		}
	}
	position = 0;
	for (const struct removed_node *removed;
	     (removed = map_next(&cluster->removed_nodes, &position));) {
		INVARIANT(cluster_removed_node(cluster, removed->id) == removed);
		const struct node_entry *node = cluster_node(cluster, removed->id);
		INVARIANT(!node || node->record.left);
	}
}

void cluster_check(const struct cluster *cluster)
{
	INVARIANT(!cluster->edit.task);
	INVARIANT(cluster->replaying.n == 0);
	size_t n_nodes = cluster->columns.n ? cluster->columns.n : 1;
	_cleanup_free_ struct carried *carried = base_calloc(n_nodes, sizeof(*carried));
	_cleanup_free_ uint32_t *n_on_node = base_calloc(n_nodes, sizeof(*n_on_node));
	check_tasks(cluster, carried);
	check_nodes(cluster, carried);
	check_projects_and_jobs(cluster, n_on_node);
	check_records(cluster);
}
