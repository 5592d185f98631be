/* Where a value stands: the chain from the root down to one node. It makes the "FILE:LINE:COLUMN: KEY.PATH" of
 * every message, replaces variables in a scalar the moment it is reached, and remembers which part of the request
 * came from where, so that later checks can point into the file too. */
#ifndef COMPOSE_AT_H
#define COMPOSE_AT_H

#include "compose/compose.h"
#include "compose/interpolate.h"
#include "compose/yaml_tree.h"

/* Something wrong with a key, after which the reader went on. */
struct mistake {
	const struct load *load;
	const struct tree_node *where;
	struct err err;
};

/* A Compose file that takes part. */
struct load_file {
	struct source source;
	char *path; /* absolute; NULL: the caller read it */
	struct tree tree;
};

/* One run of compose_load(). */
struct load {
	const struct compose_options *options;
	struct compose_warnings *warnings;
	struct project_request *request;
	struct pairs environment; /* .env and the deployer's, the latter winning */
	struct strings warned;	  /* unset variables already reported */
	LIST_OF(struct load_file *) files;
	LIST_OF(struct pairs *) environments; /* of what is included with variables of its own */
	struct tree merged;		      /* the nodes that merging made */
	struct compose_origins origins;
	LIST_OF(struct mistake) mistakes;
	size_t mistakes_untold;
	const struct tree_node *failed_at; /* of the newest failure */
	char record_prefix[64];		   /* record path of what is being read: "jobs[0].spec." */
	int64_t interpolated_bytes;
	int64_t merged_nodes;
	int64_t file_bytes;
};

/* Lives on the stack of the function that reads the node; `up` outlives it. */
struct at {
	struct load *load;
	const struct at *up; /* NULL: the root */
	const char *name;    /* NULL: an item of a list */
	size_t index;
	const struct tree_node *key; /* NULL: an item of a list, or the root */
	struct tree_node *node;
	const char *
		record; /* path of the record's field it fills, as in struct key_row; may be NULL */
};

/* Step down to a map's entry or a list's item, replacing variables when it is a scalar. */
enum err_code at_entry(const struct at *map, const struct tree_entry *entry, struct at *ret_at,
		       struct err *err) WARN_UNUSED;
enum err_code at_item(const struct at *list, size_t index, struct at *ret_at,
		      struct err *err) WARN_UNUSED;

/* The entry of that key, to say something of it; the map itself where it is not written. */
struct at at_key(const struct at *map, const char *key);

/* Replace variables in everything below: what merging drops counts too. Values of `x-*` are left alone. */
enum err_code at_replace_all(const struct at *at, struct err *err) WARN_UNUSED;

/* Fail at the value, at its key, or at another node of the same path. Return `code`. */
enum err_code at_fail(const struct at *at, struct err *err, enum err_code code, const char *format,
		      ...) __attribute__((format(printf, 4, 5)));
enum err_code at_fail_key(const struct at *at, struct err *err, enum err_code code,
			  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Put the place into a failure that another function described; returns err->code. */
enum err_code at_blame(const struct at *at, struct err *err);

/* Keep a failure among the mistakes, unless it is one already; the reader may go on to what does not build on it, and
 * must fail in the end. The first goes to `err` too; returns the code of the first. */
enum err_code at_note(const struct at *at, enum err_code before, const struct err *mistake,
		      struct err *err);

/* Add a warning at the key (or at the item). */
void at_warn(const struct at *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Remember that `load->record_prefix` + the formatted path came from here. */
void at_origin(const struct at *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same of an item that becomes the n-th of the field its list fills, if that is known. */
void at_origin_item(const struct at *item, size_t n);

/* Of the list `load->record_prefix` + `list`, the items from `begin` to before `middle` stand behind those from there
 * to before `end` now. */
void load_origins_rotate(struct load *load, const char *list, size_t begin, size_t middle,
			 size_t end);

/* Replace err->field, a record path, by the place that the longest known part of it came from. */
void load_blame_origin(const struct load *load, struct err *err);

/* What is said of a variable, its name in place of %s. */
#define UNSET_WARNING "the variable %s is not set, using an empty text"

/* Add a warning at `field`, "FILE:LINE". */
void load_warn(struct load *load, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Add a warning at the place that the record path came from. */
void load_warn_origin(struct load *load, const char *record_path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Look variables up for this load, warning once for each that is not set. `context` must be a struct at. */
struct interpolation load_interpolation(const struct at *at);

/* Parse a file that takes part; `environment` is borrowed, the root stays the load's. What is no mapping fails. */
enum err_code load_add_file(struct load *load, const struct compose_file *file,
			    const char *directory, const struct pairs *environment,
			    struct tree_node **ret_root, struct err *err) WARN_UNUSED;

/* Variables that live as long as the load. */
struct pairs *load_add_environment(struct load *load);

/* The text of a file that is named at `at`, for which `noun` is the word; base_free() it. ERR_NOT_FOUND. */
enum err_code load_read(const struct at *at, const char *noun, const char *path, char **ret_text,
			size_t *ret_len, struct err *err) WARN_UNUSED;

/* The root of the Compose file with that absolute path, which is named at `at`. It is read once for each directory and
 * environment, those of `like`. */
enum err_code load_read_root(const struct at *at, const char *path, const struct source *like,
			     struct tree_node **ret_root, struct err *err) WARN_UNUSED;

/* Of the mistakes the first in the order of files and lines is put into `err`, the others are told beside the
 * warnings. */
void load_tell_mistakes(struct load *load, struct err *err);

void load_release(struct load *load);

#ifdef __clang_analyzer__
/* As in base/err.h: these never return ERR_NONE. */
#define at_fail(at, err, code, ...)	(at_fail(at, err, code, __VA_ARGS__), (code))
#define at_fail_key(at, err, code, ...) (at_fail_key(at, err, code, __VA_ARGS__), (code))
#define at_blame(at, err)		(at_blame(at, err), ERR_INVALID)
#endif

#endif
