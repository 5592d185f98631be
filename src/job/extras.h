/* What few jobs ask of a container's surroundings: a terminal, names, marks. Behind a pointer in a specification. */
#ifndef JOB_EXTRAS_H
#define JOB_EXTRAS_H

#include "base/record.h"

struct extras {
	bool terminal; /* its output is one stream then */
	bool stdin_open;
	char *domainname;
	struct strings dns_options;
	struct strings dns_search;
	struct pairs annotations; /* for the OCI runtime */
	struct strings expose;	  /* "80/tcp": a remark on the container */
};
extern const struct record_type extras_type;

struct job_spec;

/* What is written, or extras of nothing. Borrowed. */
const struct extras *job_spec_extras(const struct job_spec *spec);

#endif
