/* Compose files and their environment in, a project request out. Pure: files are read by the caller. Every key of the
 * Compose specification is honoured or refused with file:line:column, the key and the reason; an unknown key suggests
 * the nearest known one; only `x-*` is free. */
#ifndef COMPOSE_COMPOSE_H
#define COMPOSE_COMPOSE_H

#include "job/job.h"

/* Reads a file that a Compose file names (env_file, extends). Returns its text (base_free()) or NULL with err set
 * (ERR_NOT_FOUND when it is not there; else the message goes on after the file's name). `path` is absolute. */
typedef char *compose_read_fn(void *reader, const char *path, size_t *ret_len, struct err *err);

/* A part of the request ("jobs[0].spec.ports[1]") and its place in a file: "FILE:LINE:COLUMN: KEY.PATH". */
struct origin {
	char *record_path;
	char *field;
};

struct compose_origins {
	LIST_OF(struct origin) items;
};

struct compose_file {
	const char *name; /* as messages show it: "compose.yaml" */
	const char *text;
	size_t len;
};

struct compose_options {
	const struct compose_file *files; /* each merged over those before it; one at least */
	size_t n_files;
	const char *directory;	     /* absolute; relative paths in the files start here */
	const char *shown_directory; /* the same as messages begin it: "deploy/"; NULL: "" */
	/* -p; NULL: COMPOSE_PROJECT_NAME, then `name:`, then the directory's name. */
	const char *project_name;
	const struct pairs *environment; /* of the deployer; wins over .env; may be NULL */
	/* --profile, besides those of COMPOSE_PROFILES; may be NULL. */
	const struct strings *profiles;
	const struct strings *services; /* only these and what they depend on; NULL or none: all */
	bool may_be_empty;		/* no service need take part */
	/* --env-file: absolute paths, later ones win, instead of DIRECTORY/.env; may be NULL or none. */
	const struct strings *environment_files;
	/* For files that files name, and .env (DIRECTORY/.env, absent is fine). NULL: no .env, and the others are
	 * refused. */
	compose_read_fn *read_file;
	void *reader;
	struct compose_origins *origins; /* given to the caller with the request; NULL: not kept */
};

/* What was odd but not wrong: "the variable TAG is not set, using an empty text". Each begins with its place:
 * FILE:LINE:COLUMN: KEY.PATH in a Compose file, FILE:LINE in a file of variables. */
struct compose_warnings {
	struct strings items;
	/* When it fails: what else is wrong, in the same form and in order of files and lines. */
	struct strings mistakes;
	size_t n_untold; /* mistakes beyond LIMIT_COMPOSE_MISTAKES */
};

/* Parse. err->field is "FILE:LINE:COLUMN: KEY.PATH" of the first mistake. What is wrong with one key does not hide what
 * is wrong with the next, but what does not parse, merge or name what is there ends it. `*ret_request` is given to the
 * caller. */
enum err_code compose_load(const struct compose_options *options,
			   struct project_request *ret_request, struct compose_warnings *warnings,
			   struct err *err) WARN_UNUSED;

/* Replace err->field, a path of the request, by the place that the longest known part of it came from. False: none is
 * known, and it is as it was. */
bool compose_blame(const struct compose_origins *origins, struct err *err);
void compose_origins_release(struct compose_origins *origins);

/* The effective project as Compose YAML with every default filled in: `drover config`. Feeding it back gives an equal
 * request. Caller frees. */
char *compose_print(const struct project_request *request);

#endif
