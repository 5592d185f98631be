/* A part of project_request_check(). Private to this folder. */
#ifndef JOB_IPAM_CHECK_H
#define JOB_IPAM_CHECK_H

#include "job/job.h"

/* Of the network with that index in the request; NULL is fine. */
enum err_code ipam_check(const struct ipam *ipam, size_t network, struct err *err) WARN_UNUSED;

#endif
