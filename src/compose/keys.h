/* Every key of the Compose specification, in one table: what is recognised, what is refused and why, who reads what
 * is honoured, what an unknown key was probably meant to be, and the tables of docs/compose.md all come from here.
 * A new key is one row. */
#ifndef COMPOSE_KEYS_H
#define COMPOSE_KEYS_H

#include "compose/at.h"
#include "job/engine.h"

enum section_id {
	SECTION_FILE,
	SECTION_INCLUDE,
	SECTION_SERVICE,
	SECTION_EXTENDS,
	SECTION_ENV_FILE,
	SECTION_ULIMIT,
	SECTION_BLKIO,
	SECTION_BLKIO_WEIGHT,
	SECTION_BLKIO_RATE,
	SECTION_DEVICE,
	SECTION_GPU,
	SECTION_LOGGING,
	SECTION_PORT,
	SECTION_MOUNT,
	SECTION_MOUNT_BIND,
	SECTION_MOUNT_VOLUME,
	SECTION_MOUNT_TMPFS,
	SECTION_SERVICE_NETWORK,
	SECTION_HEALTHCHECK,
	SECTION_HOOK,
	SECTION_DEPENDS_ON,
	SECTION_DEPLOY,
	SECTION_RESOURCES,
	SECTION_LIMITS,
	SECTION_RESERVATIONS,
	SECTION_DEVICE_REQUEST,
	SECTION_RESTART_POLICY,
	SECTION_UPDATE_CONFIG,
	SECTION_ROLLBACK_CONFIG,
	SECTION_PLACEMENT,
	SECTION_PREFERENCE,
	SECTION_DROVER,
	SECTION_SCHEDULE,
	SECTION_PROBE,
	SECTION_PROBE_HTTP,
	SECTION_PROBE_TCP,
	SECTION_NETWORK,
	SECTION_IPAM,
	SECTION_IPAM_POOL,
	SECTION_VOLUME,
	SECTION_CONTENT_USE,
	SECTION_CONFIG,
	SECTION_SECRET,
	SECTION_COUNT,
};

enum key_status {
	KEY_HONOURED,
	KEY_OBSOLETE, /* accepted with a warning; means nothing any more */
	KEY_WARNED,   /* accepted with a warning: something else than written, or nothing */
	KEY_REFUSED,
};

/* Reads the value at `at` into `target`. */
typedef enum err_code key_read_fn(const struct at *at, void *target, struct err *err);

struct key_row {
	const char *name;
	enum key_status status;
	key_read_fn *read; /* NULL: refused, or read by compose_load() itself */
	size_t offset;	   /* where in the section's struct `target` is */
	const char
		*record; /* field of the record it fills, for later checks; NULL: none or not one */
	const char *
		text; /* honoured: what to know about it; refused: the reason, a sentence's second half */
	enum engine_feature engine; /* the Docker it needs: others get no task of the service */
};

struct key_section {
	const char *place;	    /* "services.*.deploy" */
	const struct key_row *rows; /* in the order they are read */
	size_t n_rows;
};

extern const struct key_section key_sections[SECTION_COUNT];

/* Read a mapping by its section: unknown and refused keys fail, `x-*` is free, the others are read in the order of the
 * table into `target`, the section's struct. */
enum err_code keys_read(const struct at *at, enum section_id section, void *target,
			struct err *err) WARN_UNUSED;

/* Only look whether every key is known and not refused. */
enum err_code keys_check(const struct at *at, enum section_id section, struct err *err) WARN_UNUSED;

/* Only look whether every key is known; refused ones are. */
enum err_code keys_check_names(const struct at *at, enum section_id section,
			       struct err *err) WARN_UNUSED;

/* What `docker stack deploy` does with the key, in a word or two; "": not known (keys_swarm.c). */
const char *keys_in_swarm(enum section_id section, const char *key);
/* The tables of docs/compose.md, from the rows. */
void keys_markdown(struct text *out);

#endif
