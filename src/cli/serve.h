/* Running a daemon in the foreground: what dev, manager and worker share. */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include <event2/event.h>

#include "cli/command.h"

/* A loop for daemons that SIGTERM and SIGINT end cleanly. */
struct serve {
	struct event_base *base;
	struct event *terminate;
	struct event *interrupt;
};

void serve_init(struct serve *serve);
/* Until a signal ends it. */
void serve_run(struct serve *serve);
void serve_release(struct serve *serve);

/* "a=b" options as pairs; ERR_INVALID for one without '='. */
enum err_code serve_read_labels(const struct strings *texts, struct pairs *ret_labels,
				struct err *err) WARN_UNUSED;

/* The user's Docker configuration with registry credentials: DOCKER_CONFIG or ~/.docker/config.json. Caller frees. */
char *serve_docker_config(void);

#endif
