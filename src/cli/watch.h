/* --watch: a list for as long as somebody looks. On a terminal it is redrawn in place; elsewhere each row is a line of
 * its own whenever what it says has changed, and with -o json an object on a line of its own. It is fetched again when
 * the manager tells that something happened (/v1/events), and every few seconds for what is measured. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "cli/output.h"

#define OPTION_WATCH                                                                               \
	{                                                                                          \
		"watch", 'w', OPTION_FLAG, NULL,                                                   \
			"stay and show what changes, until Ctrl-C; with -o json one object per "   \
			"line"                                                                     \
	}

struct watch_keys {
	LIST_OF(struct uuid) ids;
};

struct watch_source {
	const struct record_type *page_type;
	const char *items; /* the list in the page's JSON: "jobs" */
	void *page;
	/* Fill the page, which is empty. */
	enum err_code (*fetch)(struct invocation *invocation, void *owner, struct err *err);
	/* Add to `table` (not made yet) a row for each item to show, and to `keys` its id. */
	void (*fill)(void *owner, struct table *table, struct watch_keys *keys);
	/* Columns that change by themselves make no line; bit 0 is the first. */
	unsigned volatile_columns;
	/* Has what is waited for come to its end? NULL: nothing is waited for. */
	enum err_code (*judge)(void *owner, bool *ret_done, struct err *err);
	void *owner;
};

/* Watch until the source's judge says that it is done. ERR_UNAVAILABLE when the manager stays away for longer than a
 * restart takes. */
enum err_code watch(struct invocation *invocation, const struct watch_source *source,
		    enum output_form form, struct err *err) WARN_UNUSED;

#endif
