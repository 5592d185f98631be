/* A part of project_request_check(). Private to this folder. */
#ifndef JOB_IPAM_CHECK_H
#define JOB_IPAM_CHECK_H

#include "job/job.h"
#include "job/refuse.h"

/* Of the network with that index in the request; NULL is fine. */
enum err_code ipam_check(const struct ipam *ipam, size_t network, struct err *err) WARN_UNUSED;

/* May a container have the address there? NULL is fine; what an external network has is not known. */
enum err_code ipam_check_address(const struct network_spec *network, const char *address,
				 struct spot spot, struct err *err) WARN_UNUSED;

#endif
