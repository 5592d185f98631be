/* Placement constraints: `key==value`, `key!=value`, and `key=value` as the Compose specification's own example writes
 * it. Keys: node.id, node.hostname, node.ip, node.role, node.platform.os, node.platform.arch, node.labels.K,
 * engine.labels.K. Key and value compare ignoring case, the label's name K does not; a missing label compares as empty.
 * The value of node.ip is an address or a network (10.0.0.0/8), an architecture has both its spellings (x86_64 is
 * amd64). */
#ifndef JOB_CONSTRAINT_H
#define JOB_CONSTRAINT_H

#include <stdbool.h>

#include "base/err.h"
#include "job/address.h"

enum constraint_key {
	CONSTRAINT_NODE_ID,
	CONSTRAINT_HOSTNAME,
	CONSTRAINT_IP,
	CONSTRAINT_ROLE,
	CONSTRAINT_OS,
	CONSTRAINT_ARCH,
	CONSTRAINT_NODE_LABEL,
	CONSTRAINT_ENGINE_LABEL,
};

struct constraint {
	enum constraint_key key;
	char label[128]; /* of the two label keys */
	char value[256];
	struct ip_network network; /* of CONSTRAINT_IP */
	bool negated;
};

/* ERR_INVALID says what is wrong with the text. */
enum err_code constraint_parse(const char *text, struct constraint *ret_constraint,
			       struct err *err) WARN_UNUSED;

/* Does a node's value (NULL: missing, compares as empty) satisfy it? */
bool constraint_matches(const struct constraint *constraint, const char *value);

/* Read a preference, "node.labels.rack" or "engine.labels.rack", into a constraint without value. */
enum err_code preference_parse(const char *text, struct constraint *ret_constraint,
			       struct err *err) WARN_UNUSED;

#endif
