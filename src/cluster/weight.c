/* Invariants: the sums below are over exactly the tasks with task_occupies_node(); a task holds
 * each of its ports once; a placement or hold that counts nothing is not kept. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/planted.h"
#include "cluster/internal.h"
#include "job/syntax.h"

struct resources cluster_expected(const struct resources *reservations)
{
	struct resources expected = *reservations;
	if (!expected.cpu_milli)
		expected.cpu_milli = NOMINAL_CPU_MILLI;
	if (!expected.memory_bytes)
		expected.memory_bytes = NOMINAL_MEMORY_BYTES;
	return expected;
}

/* The first position in the job's placements whose node is not before `node_index`. */
static size_t placement_position(const struct job_entry *job, uint32_t node_index)
{
	size_t low = 0;
	size_t high = job->n_placements;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (job->placements[middle].node_index < node_index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t cluster_job_tasks_on(const struct job_entry *job, const struct node_entry *node)
{
	size_t at = placement_position(job, node->index);
	if (at == job->n_placements || job->placements[at].node_index != node->index)
		return 0;
	return job->placements[at].n_tasks;
}

static void placement_add(struct job_entry *job, uint32_t node_index)
{
	size_t at = placement_position(job, node_index);
	if (at < job->n_placements && job->placements[at].node_index == node_index) {
		job->placements[at].n_tasks++;
		return;
	}
	job->placements = base_grow(job->placements, job->n_placements, &job->placements_capacity,
				    sizeof(struct job_placement));
	memmove(&job->placements[at + 1], &job->placements[at],
		(job->n_placements - at) * sizeof(struct job_placement));
	job->placements[at] = (struct job_placement){ node_index, 1 };
	job->n_placements++;
}

static void placement_remove(struct job_entry *job, uint32_t node_index)
{
	size_t at = placement_position(job, node_index);
	INVARIANT(at < job->n_placements);
	INVARIANT(job->placements[at].node_index == node_index);
	if (--job->placements[at].n_tasks)
		return;
	memmove(&job->placements[at], &job->placements[at + 1],
		(job->n_placements - at - 1) * sizeof(struct job_placement));
	job->n_placements--;
}

void weight_column_removed(struct job_entry *job, uint32_t node_index)
{
	for (size_t at = placement_position(job, node_index); at < job->n_placements; at++) {
		INVARIANT(job->placements[at].node_index > node_index);
		job->placements[at].node_index--;
	}
}

/* The first position in the node's holds that is not before (port, protocol). */
static size_t hold_position(const struct node_entry *node, int64_t port, int protocol)
{
	size_t low = 0;
	size_t high = node->n_holds;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct port_hold *hold = &node->holds[middle];
		if (hold->port < port || (hold->port == port && hold->protocol < protocol))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct port_hold *hold_that_excludes(const struct node_entry *node,
						  const char *host_ip, int protocol, int64_t port)
{
	for (size_t at = hold_position(node, port, protocol); at < node->n_holds; at++) {
		const struct port_hold *hold = &node->holds[at];
		if (hold->port != port || hold->protocol != protocol)
			break;
		if (host_ips_overlap(hold->host_ip, host_ip))
			return hold;
	}
	return NULL;
}

struct task *cluster_port_owner(const struct node_entry *node, const char *host_ip, int protocol,
				int64_t port)
{
	const struct port_hold *hold = hold_that_excludes(node, host_ip, protocol, port);
	if (PLANTED(PLANTED_PORT_UNOWNED))
		return NULL;
	return hold ? hold->task : NULL;
}

static const struct port *port_of(const struct job_spec *spec, const struct port_grant *grant)
{
	PRE(grant->index >= 0);
	PRE((size_t)grant->index < spec->ports.n);
	PRE(grant->host_port > 0 && grant->host_port <= UINT16_MAX);
	return &spec->ports.items[grant->index];
}

static void hold_add(struct node_entry *node, struct task *task, const struct port *port,
		     int64_t host_port)
{
	INVARIANT(PLANTED(PLANTED_PORT_UNOWNED) ||
		  !hold_that_excludes(node, port->host_ip, port->protocol, host_port));
	size_t at = hold_position(node, host_port, port->protocol);
	node->holds = base_grow(node->holds, node->n_holds, &node->holds_capacity,
				sizeof(struct port_hold));
	memmove(&node->holds[at + 1], &node->holds[at],
		(node->n_holds - at) * sizeof(struct port_hold));
	node->holds[at] = (struct port_hold){ port->host_ip, task, (uint16_t)host_port,
					      (uint8_t)port->protocol };
	node->n_holds++;
}

static void hold_remove(struct node_entry *node, const struct task *task, const struct port *port,
			int64_t host_port)
{
	const struct port_hold *hold =
		hold_that_excludes(node, port->host_ip, port->protocol, host_port);
	INVARIANT(hold);
	INVARIANT(hold->task == task);
	size_t at = (size_t)(hold - node->holds);
	memmove(&node->holds[at], &node->holds[at + 1],
		(node->n_holds - at - 1) * sizeof(struct port_hold));
	node->n_holds--;
}

const struct port_grant *weight_port_conflict(const struct cluster *cluster,
					      const struct task *task)
{
	if (!task_occupies_node(task))
		return NULL;
	const struct node_entry *node = cluster_node(cluster, task->desired.node);
	const struct job_spec *spec = cluster_task_spec(cluster, task);
	for (size_t i = 0; i < task_rare(task)->ports.n; i++) {
		const struct port_grant *grant = &task_rare(task)->ports.items[i];
		const struct port *port = port_of(spec, grant);
		if (hold_that_excludes(node, port->host_ip, port->protocol, grant->host_port))
			return grant;
		for (size_t j = 0; j < i; j++) {
			const struct port_grant *other = &task_rare(task)->ports.items[j];
			const struct port *taken = port_of(spec, other);
			if (other->host_port == grant->host_port &&
			    taken->protocol == port->protocol &&
			    host_ips_overlap(taken->host_ip, port->host_ip))
				return grant;
		}
	}
	return NULL;
}

/* Add the task's share to the sums of its node; `sign` is 1 or -1. */
static void add_to_columns(struct node_columns *columns, size_t at,
			   const struct resources *reserved, int64_t sign)
{
	struct resources expected = cluster_expected(reserved);
	columns->cpu_reserved_milli[at] += sign * reserved->cpu_milli;
	columns->cpu_expected_milli[at] += sign * expected.cpu_milli;
	columns->memory_reserved_bytes[at] += sign * reserved->memory_bytes;
	columns->memory_expected_bytes[at] += sign * expected.memory_bytes;
	columns->disk_reserved_bytes[at] += sign * reserved->disk_bytes;
	columns->tasks[at] += sign;
	columns_touch(columns, at);
	POST(columns->tasks[at] >= 0);
	POST(columns->cpu_reserved_milli[at] >= 0);
	POST(columns->memory_reserved_bytes[at] >= 0);
	POST(columns->disk_reserved_bytes[at] >= 0);
}

void weight_on(struct cluster *cluster, struct task *task)
{
	cluster->n_tasks_by_state[task->state]++;
	if (!task_occupies_node(task))
		return;
	const struct job_spec *spec = cluster_task_spec(cluster, task);
	struct node_entry *node = cluster_node(cluster, task->desired.node);
	PRE(node);
	add_to_columns(&cluster->columns, node->index, &spec->reservations, 1);
	placement_add(cluster_job_of(cluster, task), node->index);
	for (size_t i = 0; i < task_rare(task)->ports.n; i++) {
		const struct port_grant *grant = &task_rare(task)->ports.items[i];
		hold_add(node, task, port_of(spec, grant), grant->host_port);
	}
}

void weight_off(struct cluster *cluster, struct task *task)
{
	INVARIANT(cluster->n_tasks_by_state[task->state] > 0);
	cluster->n_tasks_by_state[task->state]--;
	if (!task_occupies_node(task))
		return;
	const struct job_spec *spec = cluster_task_spec(cluster, task);
	struct node_entry *node = cluster_node(cluster, task->desired.node);
	INVARIANT(node);
	add_to_columns(&cluster->columns, node->index, &spec->reservations, -1);
	placement_remove(cluster_job_of(cluster, task), node->index);
	for (size_t i = 0; i < task_rare(task)->ports.n; i++) {
		const struct port_grant *grant = &task_rare(task)->ports.items[i];
		hold_remove(node, task, port_of(spec, grant), grant->host_port);
	}
}
