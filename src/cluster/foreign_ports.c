/* Invariant: no port is in it twice; the one that was seen last is the last. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "cluster/cluster.h"

/* More than a machine's other programs usually hold of the pools of its jobs. */
#define PORTS_MAX 64

struct foreign_ports {
	uint32_t keys[PORTS_MAX];
	size_t n;
};

static uint32_t key_of(int protocol, int64_t port)
{
	PRE(port > 0 && port <= UINT16_MAX);
	return (uint32_t)protocol << 16 | (uint32_t)port;
}

static size_t find(const struct foreign_ports *ports, uint32_t key)
{
	size_t at = 0;
	while (at < ports->n && ports->keys[at] != key)
		at++;
	return at;
}

bool cluster_port_is_foreign(const struct node_entry *node, int protocol, int64_t port)
{
	const struct foreign_ports *ports = node->foreign_ports;
	return ports && find(ports, key_of(protocol, port)) < ports->n;
}

static void remove_at(struct foreign_ports *ports, size_t at)
{
	ports->n--;
	memmove(&ports->keys[at], &ports->keys[at + 1], (ports->n - at) * sizeof(ports->keys[0]));
}

void cluster_port_seen_foreign(struct node_entry *node, int protocol, int64_t port)
{
	uint32_t key = key_of(protocol, port);
	if (!node->foreign_ports)
		node->foreign_ports = base_calloc(1, sizeof(*node->foreign_ports));
	struct foreign_ports *ports = node->foreign_ports;
	size_t at = find(ports, key);
	if (at < ports->n)
		remove_at(ports, at);
	else if (ports->n == PORTS_MAX)
		remove_at(ports, 0);
	ports->keys[ports->n++] = key;
}

void cluster_port_seen_ours(struct node_entry *node, int protocol, int64_t port)
{
	struct foreign_ports *ports = node->foreign_ports;
	size_t at = ports ? find(ports, key_of(protocol, port)) : 0;
	if (ports && at < ports->n)
		remove_at(ports, at);
}
