/* Invariant: what is drawn for one task never excludes itself, nor anything that occupies the node
 * (I7). */
#include <string.h>

#include "base/alloc.h"
#include "base/sort.h"
#include "job/syntax.h"
#include "scheduler/internal.h"

static bool is_published(const struct port *port)
{
	return port->host_first > 0;
}

static bool is_fixed(const struct port *port)
{
	return port->host_first == port->host_last;
}

/* Is the port excluded by one drawn before it? */
static bool drawn_already(const struct question *question, const struct port *port, int64_t number)
{
	for (size_t i = 0; i < question->n_grants; i++) {
		const struct port_grant *grant = &question->grants[i];
		const struct port *other = &question->spec->ports.items[grant->index];
		if (grant->host_port == number && other->protocol == port->protocol &&
		    host_ips_overlap(other->host_ip, port->host_ip))
			return true;
	}
	return false;
}

/* Ports that other programs are known to hold: to be passed over, the only ones, or like any other. */
enum foreign { FOREIGN_NOT, FOREIGN_ONLY, FOREIGN_TOO };

/* Draw the lowest free port from `from` on. */
static bool draw(struct question *question, const struct node_entry *node, size_t index,
		 int64_t from, enum foreign foreign)
{
	const struct port *port = &question->spec->ports.items[index];
	for (int64_t number = from; number <= port->host_last; number++) {
		if (cluster_port_owner(node, port->host_ip, port->protocol, number) ||
		    drawn_already(question, port, number))
			continue;
		if (foreign != FOREIGN_TOO &&
		    cluster_port_is_foreign(node, port->protocol, number) !=
			    (foreign == FOREIGN_ONLY))
			continue;
		question->grants[question->n_grants++] =
			(struct port_grant){ (int64_t)index, number };
		return true;
	}
	return false;
}

static int compare_numbers(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_pools(const struct port *a, const struct port *b)
{
	int order = compare_numbers(a->host_last, b->host_last);
	if (order == 0)
		order = compare_numbers(a->host_first, b->host_first);
	if (order == 0)
		order = compare_numbers(a->protocol, b->protocol);
	if (order == 0)
		order = strcmp(a->host_ip ? a->host_ip : "", b->host_ip ? b->host_ip : "");
	return order;
}

/* Fixed ports as they are written, then pools: the one that ends first has the least choice. */
static int compare_indexes(const void *a, const void *b, void *context)
{
	const struct job_spec *spec = context;
	const struct port *left = &spec->ports.items[*(const size_t *)a];
	const struct port *right = &spec->ports.items[*(const size_t *)b];
	if (is_fixed(left) || is_fixed(right))
		return (int)is_fixed(right) - (int)is_fixed(left);
	return compare_pools(left, right);
}

void ports_order(struct question *question)
{
	const struct job_spec *spec = question->spec;
	question->port_order = base_calloc(spec->ports.n, sizeof(size_t));
	for (size_t i = 0; i < spec->ports.n; i++)
		if (is_published(&spec->ports.items[i]))
			question->port_order[question->n_port_order++] = i;
	sort_stable(question->port_order, question->n_port_order, sizeof(size_t), compare_indexes,
		    (void *)(uintptr_t)spec);
}

static bool draw_all(struct question *question, const struct node_entry *node, enum foreign foreign,
		     size_t *ret_index)
{
	const struct port *before = NULL;
	question->n_grants = 0;
	for (size_t i = 0; i < question->n_port_order; i++) {
		size_t index = question->port_order[i];
		const struct port *port = &question->spec->ports.items[index];
		int64_t from = port->host_first;
		/* What an equal pool has passed over is as little to be had here. */
		if (before && compare_pools(before, port) == 0)
			from = question->grants[question->n_grants - 1].host_port + 1;
		/* Those may be free again, and where nothing else is left nothing is lost by trying. */
		if (!draw(question, node, index, from, foreign) &&
		    !(foreign == FOREIGN_NOT && node->foreign_ports &&
		      draw(question, node, index, port->host_first, FOREIGN_ONLY))) {
			*ret_index = index;
			return false;
		}
		before = port;
	}
	return true;
}

bool ports_draw(struct question *question, const struct node_entry *node, size_t *ret_index)
{
	/* One pool may have passed over the port that leaves enough for another. */
	return draw_all(question, node, FOREIGN_NOT, ret_index) ||
	       (node->foreign_ports && draw_all(question, node, FOREIGN_TOO, ret_index));
}
