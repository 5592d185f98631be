/* What a project declares besides its jobs, networks and volumes: what a request makes of the declarations. */
#ifndef MANAGER_DECLARED_H
#define MANAGER_DECLARED_H

#include "manager/core.h"

enum declared_kind { DECLARED_NETWORK = 0, DECLARED_VOLUME, DECLARED_KINDS };

/* The struct network_spec or volume_spec of that key; NULL: it is not declared. */
const void *declared_find(enum declared_kind kind, const struct project *project, const char *key);
/* Give `project` what the request declares, and of what was declared before all that a kept revision still names.
 * `existing` may be NULL. */
void declared_merge(const struct project_entry *existing, const struct manager_request *asked,
		    struct project *project);
/* Does a declaration that the specification names change? Then its tasks must be made anew. */
bool declared_change(const struct project *before, const struct project *after,
		     const struct job_spec *spec);
/* ERR_CONFLICT: the request declares what is there in another way. */
enum err_code declared_check_same(const struct project *project,
				  const struct project_request *request,
				  struct err *err) WARN_UNUSED;

#endif
