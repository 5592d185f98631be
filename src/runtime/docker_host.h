/* The parts of docker_body_create() that few jobs ask for: one function for a family of keys. */
#ifndef RUNTIME_DOCKER_HOST_H
#define RUNTIME_DOCKER_HOST_H

#include "job/spec.h"
#include "runtime/json_build.h"

/* The list, unless it is empty. */
void put_list(struct json_build *build, json_t *object, const char *key,
	      const struct strings *strings);

/* A whole body, and its HostConfig; nothing is put for NULL. */
void put_extras(struct json_build *build, json_t *host, const struct extras *extras);

/* `host` is the body's HostConfig; nothing is put for NULL. */
void put_tuning(struct json_build *build, json_t *host, const struct tuning *tuning);
void put_isolation(struct json_build *build, json_t *host, const struct isolation *isolation);

#endif
