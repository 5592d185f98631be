/* Invariant: a filter answers for one node from const facts, so the order of the nodes cannot
 * matter; the order of the filters only decides which reason is told. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/planted.h"
#include "scheduler/internal.h"

static bool refuse(struct refusal *ret_refusal, enum refusal_kind kind, size_t item)
{
	*ret_refusal = (struct refusal){ kind, item };
	return true;
}

bool readiness_refuses(const struct question *question, size_t column, struct refusal *ret_refusal)
{
	const struct node_columns *columns = &question->cluster->columns;
	if (columns->ready[column])
		return false;
	const struct node_entry *node = columns->entry[column];
	if (node->state == NODE_DOWN)
		return refuse(ret_refusal, REFUSED_DOWN, 0);
	if (node->record.draining || node->state == NODE_DRAINING)
		return refuse(ret_refusal, REFUSED_DRAINING, 0);
	if (node->heard_ms == 0)
		return refuse(ret_refusal, REFUSED_SILENT, 0);
	return refuse(ret_refusal, REFUSED_DEGRADED, 0);
}

static bool is_other_node(struct question *question, size_t column, struct refusal *ret_refusal)
{
	return job_spec_is_global(question->spec) &&
	       (!question->only || question->only->index != column) &&
	       refuse(ret_refusal, REFUSED_OTHER_NODE, 0);
}

static bool node_not_ready(struct question *question, size_t column, struct refusal *ret_refusal)
{
	return readiness_refuses(question, column, ret_refusal);
}

/* A request of nothing fits even where more is reserved than there is (a machine that shrank). */
static bool lacks(int64_t request, int64_t capacity, int64_t reserved)
{
	return request > 0 && capacity - reserved < request;
}

static bool lacks_resources(struct question *question, size_t column, struct refusal *ret_refusal)
{
	const struct node_columns *columns = &question->cluster->columns;
	const struct resources *request = &question->spec->reservations;
	if (lacks(request->cpu_milli, columns->cpu_capacity_milli[column],
		  columns->cpu_reserved_milli[column]))
		return refuse(ret_refusal, REFUSED_CPU, 0);
	if (!PLANTED(PLANTED_MEMORY_UNCHECKED) &&
	    lacks(request->memory_bytes, columns->memory_capacity_bytes[column],
		  columns->memory_reserved_bytes[column]))
		return refuse(ret_refusal, REFUSED_MEMORY, 0);
	if (lacks(request->disk_bytes, columns->disk_capacity_bytes[column],
		  columns->disk_reserved_bytes[column]))
		return refuse(ret_refusal, REFUSED_DISK, 0);
	return false;
}

static bool breaks_constraint(struct question *question, size_t column, struct refusal *ret_refusal)
{
	const struct node_entry *node = question->cluster->columns.entry[column];
	size_t broken = match_broken(&question->match, node);
	return broken < question->match.n_constraints && !PLANTED(PLANTED_PLACED_ANYWHERE) &&
	       refuse(ret_refusal, REFUSED_CONSTRAINT, broken);
}

static bool is_other_platform(struct question *question, size_t column, struct refusal *ret_refusal)
{
	const struct node_entry *node = question->cluster->columns.entry[column];
	return match_is_other_platform(&question->match, node) &&
	       refuse(ret_refusal, REFUSED_PLATFORM, 0);
}

static bool engine_too_old(struct question *question, size_t column, struct refusal *ret_refusal)
{
	const struct node_entry *node = question->cluster->columns.entry[column];
	return node->record.facts.api_minor < question->engine->minor &&
	       refuse(ret_refusal, REFUSED_API, 0);
}

static bool worker_too_old(struct question *question, size_t column, struct refusal *ret_refusal)
{
	int64_t protocol = question->cluster->columns.entry[column]->record.facts.protocol;
	return (protocol ? protocol : 1) < question->protocol &&
	       refuse(ret_refusal, REFUSED_PROTOCOL, 0);
}

static bool lacks_port(struct question *question, size_t column, struct refusal *ret_refusal)
{
	size_t index;
	return !ports_draw(question, question->cluster->columns.entry[column], &index) &&
	       refuse(ret_refusal, REFUSED_PORT, index);
}

static bool has_max_replicas(struct question *question, size_t column, struct refusal *ret_refusal)
{
	int64_t max = question->spec->placement.max_replicas_per_node;
	/* One of a global job is on each node anyway. */
	if (max <= 0 || job_spec_is_global(question->spec))
		return false;
	const struct node_entry *node = question->cluster->columns.entry[column];
	return cluster_job_tasks_on(question->job, node) >= (size_t)max &&
	       refuse(ret_refusal, REFUSED_MAX_REPLICAS, 0);
}

static bool off_network(struct question *question, size_t column, struct refusal *ret_refusal)
{
	bool off = question->takers ? !question->takers[column]
				    : question->home && question->home->index != column;
	return off && refuse(ret_refusal, REFUSED_NETWORK, 0);
}

static bool lacks_volume(struct question *question, size_t column, struct refusal *ret_refusal)
{
	for (size_t i = 0; i < question->n_pins && !PLANTED(PLANTED_PIN_IGNORED); i++)
		if (!question->pins[i].node || question->pins[i].node->index != column)
			return refuse(ret_refusal, REFUSED_VOLUME, i);
	return false;
}

static bool (*const filters[])(struct question *, size_t, struct refusal *) = {
	is_other_node,	   node_not_ready, lacks_resources, breaks_constraint,
	is_other_platform, engine_too_old, worker_too_old,  lacks_port,
	has_max_replicas,  off_network,	   lacks_volume,
};

bool filters_refuse(struct question *question, size_t column, struct refusal *ret_refusal)
{
	PRE(column < question->cluster->columns.n);
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		if (filters[i](question, column, ret_refusal))
			return true;
	return false;
}

bool filters_refuse_beside_resources(struct question *question, size_t column)
{
	struct refusal refusal;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		if (filters[i] != lacks_resources && filters[i](question, column, &refusal))
			return true;
	return false;
}

bool filters_refuse_for_good(struct question *question, size_t column, struct refusal *ret_refusal)
{
	return breaks_constraint(question, column, ret_refusal) ||
	       is_other_platform(question, column, ret_refusal) ||
	       engine_too_old(question, column, ret_refusal) ||
	       worker_too_old(question, column, ret_refusal) ||
	       lacks_volume(question, column, ret_refusal);
}

bool machine_refuses(struct question *question, size_t column, struct refusal *ret_refusal)
{
	return breaks_constraint(question, column, ret_refusal) ||
	       is_other_platform(question, column, ret_refusal) ||
	       node_not_ready(question, column, ret_refusal);
}
