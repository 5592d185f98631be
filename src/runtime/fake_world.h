/* A Docker made of memory: images, containers, networks, volumes, with Docker's rules and Docker's words. The fake
 * runtime and the fake Docker server both stand on it, so that what a test means does not depend on which it uses.
 * Programs are fake_program.h's; their time is the loop's. */
#ifndef RUNTIME_FAKE_WORLD_H
#define RUNTIME_FAKE_WORLD_H

#include <event2/event.h>

#include "runtime/fake_program.h"
#include "task/container.h"

struct fake_port {
	char *host_ip; /* NULL or "": all */
	int64_t host_port;
	int protocol;
};

struct fake_mount {
	char *volume;	   /* name; NULL: a bind mount, or an anonymous volume */
	char *bind_source; /* NULL: a volume */
	bool create_source;
	char *target;
	bool anonymous; /* its volume was made for the container alone */
};

struct fake_endpoint {
	char *network;
	struct strings aliases;
};

/* What a container is made of. */
struct fake_config {
	char *image;
	char *platform;	     /* NULL: any */
	struct strings argv; /* entry point and command */
	bool init;
	int64_t memory_bytes;
	struct pairs labels;
	LIST_OF(struct fake_port) ports;
	LIST_OF(struct fake_mount) mounts;
	LIST_OF(struct fake_endpoint) endpoints;
	struct strings check; /* CMD or CMD-SHELL and its words; empty: none */
	int64_t check_interval_ms;
	int64_t check_start_period_ms;
	int64_t check_retries;
	char *stop_signal;
	char *log_driver;
};
void fake_config_release(struct fake_config *config);

struct fake_log_entry {
	int stream;
	int64_t wall_ms;
	char *text; /* a line with its newline */
};

struct fake_container {
	struct fake_container *next;
	struct fake_world *world;
	char name[CONTAINER_NAME_SIZE];
	char id[65];
	struct fake_config config;
	int state;
	int health;
	int64_t exit_code;
	bool oom_killed;
	char *error;
	char *health_output;
	char *exec_output; /* of the last command that was run in it */
	int64_t started_wall_ms, finished_wall_ms;
	struct fake_log_entry *log;
	size_t n_log, log_capacity;
	/* While it runs. */
	struct fake_program program;
	struct event *wake, *check;
	int64_t started_ms;
	int64_t check_failures;
};

struct fake_network {
	struct fake_network *next;
	char *name;
	struct pairs labels;
};

struct fake_volume {
	struct fake_volume *next;
	char *name;
	struct pairs labels;
	struct pairs files; /* path below the target to text */
};

/* As an HTTP answer of Docker's: status, and the words of an error. */
struct fake_answer {
	int status;
	char message[600];
};

/* `what`: "start", "die", "oom", "health_status: healthy", "destroy", or "log" when it wrote a line. */
typedef void fake_event_fn(void *owner, struct fake_container *container, const char *what);

struct fake_world {
	struct event_base *base;
	struct fake_container *containers; /* newest first */
	struct fake_network *networks;
	struct fake_volume *volumes;
	struct pairs images; /* to the platform each is for */
	uint64_t ids;
	int exec_looks;	   /* how often somebody asked what became of a command */
	uint64_t instance; /* which run of the daemon */
	fake_event_fn *event;
	void *owner;
};

struct fake_world *fake_world_new(struct event_base *base, fake_event_fn *event, void *owner);
void fake_world_free(struct fake_world *world);

/* Pulling makes any image but those whose name holds "absent" (no such manifest), "denied" (no credentials) or begins
 * with "127.0.0.1:1/" (no registry there). Without a platform it is one for FAKE_PLATFORM, the machine's. */
#define FAKE_PLATFORM "linux/amd64"
void fake_world_pull(struct fake_world *world, const char *image, const char *platform,
		     struct fake_answer *answer);
/* The platform of an image that is here; NULL: it is not. */
const char *fake_world_image(const struct fake_world *world, const char *image);
/* Is it for the platform (NULL: any)? */
bool fake_world_has_image(const struct fake_world *world, const char *image, const char *platform);

/* By name or id; NULL: none. */
struct fake_container *fake_world_find(struct fake_world *world, const char *name);
/* Takes what config holds. `*ret_container` on status 201. */
void fake_world_create(struct fake_world *world, const char *name, struct fake_config *config,
		       struct fake_container **ret_container, struct fake_answer *answer);
void fake_world_start(struct fake_world *world, const char *name, struct fake_answer *answer);
void fake_world_kill(struct fake_world *world, const char *name, const char *signal,
		     struct fake_answer *answer);
void fake_world_rename(struct fake_world *world, const char *name, const char *to,
		       struct fake_answer *answer);
void fake_world_remove(struct fake_world *world, const char *name, bool force, bool with_volumes,
		       struct fake_answer *answer);

struct fake_network *fake_world_network(struct fake_world *world, const char *name);
void fake_world_network_create(struct fake_world *world, const char *name,
			       const struct pairs *labels, struct fake_answer *answer);
void fake_world_network_remove(struct fake_world *world, const char *name,
			       struct fake_answer *answer);
void fake_world_connect(struct fake_world *world, const char *network, const char *container,
			const struct strings *aliases, struct fake_answer *answer);

struct fake_volume *fake_world_volume(struct fake_world *world, const char *name);
void fake_world_volume_create(struct fake_world *world, const char *name,
			      const struct pairs *labels, struct fake_answer *answer);
void fake_world_volume_remove(struct fake_world *world, const char *name,
			      struct fake_answer *answer);

/* The daemon stops and another run of it starts: what ran was killed (137), everything else stays. */
void fake_world_restart(struct fake_world *world);

/* Run a command in it, at once and without its time; its status, and what it wrote last in `exec_output`. */
int fake_container_exec(struct fake_container *container, const struct strings *argv);

/* What a health check of it says: NULL, or how it failed. */
const char *fake_container_ask(struct fake_container *container, const struct probe *probe);

/* Where every container of this world is, for those who ask for an address. */
#define FAKE_ADDRESS "127.0.0.1"

/* As INSPECT shows a container. */
void fake_container_see(const struct fake_container *container, struct container_seen *ret_seen);

#endif
