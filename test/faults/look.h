/* What a store holds, as drover's own store opens it. */
#ifndef FAULTS_LOOK_H
#define FAULTS_LOOK_H

#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct contents_found {
	uint64_t hash;	   /* of every record, in no order */
	struct text bytes; /* of every record, to look for identifiers in; the caller releases */
};

/* Open the store in `folder`, read it all, have it take a commit and read it again, and close it. What it says when it
 * refuses is in `err`. */
enum err_code look(const char *folder, struct contents_found *ret_found, struct err *err);

#endif
