/* Fault scripts: which call of which verb goes wrong how. One rule a line (or behind ';'):
 *
 *     VERB NTH FAULT [MILLISECONDS]        create 1 lost; inspect * late 200; hint 3 drop
 *
 * VERB is a name of container_verb_names, or hint. NTH counts that verb's calls from 1; '*' is every one. Read by the
 * fault-injecting runtime and by the fake Docker server. */
#ifndef RUNTIME_FAULT_SCRIPT_H
#define RUNTIME_FAULT_SCRIPT_H

#include "task/container.h"

#define FAULT_VERB_HINT 32
#define FAULT_VERBS_MAX 33
#define FAULT_RULES_MAX 1000

enum fault_kind {
	FAULT_KIND_UNREACHABLE = 1, /* nothing happens; the request is not taken */
	FAULT_KIND_REFUSE,	    /* nothing happens; a clear no */
	FAULT_KIND_ERROR,	    /* nothing happens; a 5xx answer */
	FAULT_KIND_ERROR_AFTER,	    /* it happens; a 5xx answer */
	FAULT_KIND_LOST,	    /* it happens; no answer, the connection ends */
	FAULT_KIND_HALF,	    /* it happens; the connection ends within the answer */
	FAULT_KIND_HANG,	    /* nothing happens, and no answer ever */
	FAULT_KIND_HANG_AFTER,	    /* it happens; no answer ever */
	FAULT_KIND_LATE,	    /* it happens; the answer comes MILLISECONDS later */
	FAULT_KIND_GHOST,	    /* nothing happens; the answer says it did */
	FAULT_KIND_THROTTLED,	    /* pull: the registry says too many requests */
	FAULT_KIND_RESTART, /* it happens; then the daemon restarts, and the answer is lost */
	FAULT_KIND_DROP,    /* hint: it is not told */
};
extern const struct enum_name fault_kind_names[];

struct fault_rule {
	int verb;
	int64_t nth; /* 0: every */
	int kind;
	int64_t delay_ms;
};

struct fault_script {
	LIST_OF(struct fault_rule) rules;
	int64_t calls[FAULT_VERBS_MAX];
};

/* ERR_SYNTAX names the rule. */
enum err_code fault_script_parse(const char *text, struct fault_script *ret_script,
				 struct err *err) WARN_UNUSED;
void fault_script_release(struct fault_script *script);

/* Count one more call of the verb: the rule it falls under, or NULL. */
const struct fault_rule *fault_script_next(struct fault_script *script, int verb);

#endif
