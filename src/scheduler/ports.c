/* Invariant: what is drawn for one task never excludes itself, nor anything that occupies the node
 * (I7). */
#include "base/check.h"
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
		    cluster_host_ips_overlap(other->host_ip, port->host_ip))
			return true;
	}
	return false;
}

static bool draw(struct question *question, const struct node_entry *node, size_t index)
{
	const struct port *port = &question->spec->ports.items[index];
	for (int64_t number = port->host_first; number <= port->host_last; number++) {
		if (cluster_port_owner(node, port->host_ip, port->protocol, number) ||
		    drawn_already(question, port, number))
			continue;
		question->grants[question->n_grants++] =
			(struct port_grant){ (int64_t)index, number };
		return true;
	}
	return false;
}

static bool has_grant(const struct question *question, size_t index)
{
	for (size_t i = 0; i < question->n_grants; i++)
		if (question->grants[i].index == (int64_t)index)
			return true;
	return false;
}

/* The pool without a grant that ends first: it has the least choice. False: all are served. */
static bool next_pool(const struct question *question, size_t *ret_index)
{
	bool found = false;
	for (size_t i = 0; i < question->spec->ports.n; i++) {
		const struct port *port = &question->spec->ports.items[i];
		if (!is_published(port) || is_fixed(port) || has_grant(question, i))
			continue;
		if (!found || port->host_last < question->spec->ports.items[*ret_index].host_last)
			*ret_index = i;
		found = true;
	}
	return found;
}

static void sort_by_index(struct question *question)
{
	for (size_t i = 1; i < question->n_grants; i++) {
		struct port_grant grant = question->grants[i];
		size_t at = i;
		for (; at && question->grants[at - 1].index > grant.index; at--)
			question->grants[at] = question->grants[at - 1];
		question->grants[at] = grant;
	}
}

bool ports_draw(struct question *question, const struct node_entry *node, size_t *ret_index)
{
	question->n_grants = 0;
	for (size_t i = 0; i < question->spec->ports.n; i++) {
		const struct port *port = &question->spec->ports.items[i];
		if (is_published(port) && is_fixed(port) && !draw(question, node, i)) {
			*ret_index = i;
			return false;
		}
	}
	for (size_t i = 0; next_pool(question, &i);) {
		if (!draw(question, node, i)) {
			*ret_index = i;
			return false;
		}
	}
	sort_by_index(question);
	return true;
}
