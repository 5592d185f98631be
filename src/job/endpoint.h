/* How a task's container joins one network, beyond its names there. What few jobs ask for, so a network_use has it
 * behind a pointer. */
#ifndef JOB_ENDPOINT_H
#define JOB_ENDPOINT_H

#include "base/record.h"

struct endpoint_settings {
	struct pairs driver_opts;
	int64_t gateway_priority; /* the container's default route is by the network with the highest */
	char *interface_name;
	struct strings link_local_ips;
	/* One task has them, so they are for jobs of one. */
	char *mac_address;
	char *ipv4_address;
	char *ipv6_address;
};
extern const struct record_type endpoint_settings_type;

#endif
