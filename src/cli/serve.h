/* Running a daemon in the foreground: what dev, manager and worker share. */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include <event2/event.h>

#include "cli/command.h"

#define OPTION_FILES_DIR                                                                           \
	{                                                                                          \
		"files-dir", 0, OPTION_STRING, "DIR",                                              \
			"where tasks' configs and secrets are, on a tmpfs (default "               \
			"/run/drover/files)"                                                       \
	}
#define OPTION_SECRETS_KEY                                                                         \
	{                                                                                          \
		"secrets-key", 0, OPTION_STRING, "FILE",                                           \
			"file with the key that seals secrets (default DIR/manager/secrets.key, "  \
			"made with the first secret)"                                              \
	}
#define OPTION_FORGET_SECRETS                                                                      \
	{                                                                                          \
		"forget-secrets", 0, OPTION_FLAG, NULL,                                            \
			"when their key is lost: forget the secrets it sealed, for good; "         \
			"`drover up` brings them anew"                                             \
	}
#define OPTION_LISTEN                                                                              \
	{                                                                                          \
		"listen", 0, OPTION_STRING, "ADDRESS:PORT",                                        \
			"let in other machines, over TLS; 0.0.0.0 is every address, 7700 the port" \
			" where none is written"                                                   \
	}
#define OPTION_ADVERTISE                                                                           \
	{                                                                                          \
		"advertise", 0, OPTION_STRING, "HOST:PORT",                                        \
			"where other machines find it; a name that they use must be this one "     \
			"(default: the "                                                           \
			"address of --listen)"                                                     \
	}

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
