/* Bodies of requests to Docker, made from the nouns. No I/O. */
#ifndef RUNTIME_DOCKER_BODY_H
#define RUNTIME_DOCKER_BODY_H

#include "task/container.h"

/* What the body of a create depends on besides the action. */
struct docker_body_context {
	int64_t api_minor;
	/* Anonymous volumes of the attempt before, target to name. */
	const struct pairs *carried;
	/* The image's own entry point, for a command written empty; NULL: not asked. */
	const struct strings *image_entrypoint;
};

/* The body of POST /containers/create. NULL with err set (ERR_INVALID, ERR_UNSUPPORTED) for what Docker could not be
 * told; the caller frees with base_free(). */
char *docker_body_create(const struct container_action *action,
			 const struct docker_body_context *context, struct err *err);

/* True when the image's entry point must be known to make the body. */
bool docker_body_needs_entrypoint(const struct job_spec *spec);

/* The body of POST /networks/NAME/connect for action->networks[index]. */
char *docker_body_connect(const struct container_action *action, size_t index,
			  const char *container, struct err *err);

char *docker_body_network(const struct container_action *action, int64_t api_minor,
			  struct err *err);
char *docker_body_volume(const struct container_action *action, struct err *err);

/* Label of a container that lists the volumes it took over from the attempt before, separated by commas. */
#define LABEL_CARRIED "drover.carried-volumes"

#endif
