/* What a worker asks of a container runtime and what it hears back: small idempotent verbs. The worker's core decides
 * with these types alone; runtime/ carries them out. */
#ifndef TASK_CONTAINER_H
#define TASK_CONTAINER_H

#include "task/task.h"

/* Labels that mark what is ours. Nothing without LABEL_CLUSTER = our cluster id is ever touched. */
#define LABEL_CLUSTER  "drover.cluster"
#define LABEL_PROJECT  "drover.project"
#define LABEL_JOB      "drover.job"
#define LABEL_TASK     "drover.task"
#define LABEL_SLOT     "drover.slot"
#define LABEL_ATTEMPT  "drover.attempt"
#define LABEL_REVISION "drover.revision"

#define CONTAINER_NAME_SIZE 80

enum container_verb {
	CONTAINER_PULL = 1,	  /* image; already present is success */
	CONTAINER_CREATE,	  /* name; CONFLICT when the name exists */
	CONTAINER_START,	  /* already running is success */
	CONTAINER_KILL,		  /* send `signal`; not running is success */
	CONTAINER_REMOVE,	  /* force false; absent is success */
	CONTAINER_INSPECT,	  /* dials a fresh connection: see struct container_seen */
	CONTAINER_LIST,		  /* what has our cluster label: containers, networks */
	CONTAINER_NETWORK_ENSURE, /* existing is success */
	CONTAINER_NETWORK_REMOVE, /* absent is success; CONFLICT while in use */
	CONTAINER_VOLUME_ENSURE,
	CONTAINER_VOLUME_REMOVE, /* absent is success; CONFLICT while in use */
	CONTAINER_EXEC, /* run `hook` in the container: status 0 is success, else HOOK_FAILED */
	CONTAINER_PROBE, /* ask `address` as spec->probe says: healthy is success, else CHECK_FAILED */
	/* The worker's shell does this one itself: the task's configs and secrets as files, all of them; there
	 * already is success. NOT_FOUND: bytes are missing to make them; MOUNT_FAILED: they cannot be made. */
	CONTAINER_FILES,
};
extern const struct enum_name container_verb_names[]; /* pull, create, start, ... */

/* One thing to do. All pointers are borrowed until the call that takes the action returns. */
struct container_action {
	uint64_t op; /* the core's number for it, echoed in the result */
	int verb;
	char name[CONTAINER_NAME_SIZE]; /* container's name: "drover-TASKID-ATTEMPT" */
	int64_t timeout_ms;
	/* CREATE, PULL */
	const struct job_spec *spec;
	bool over_tls; /* who asked for it came over TLS: the machine's policy holds, whichever machine it is */
	const char *project;
	const char *job;
	struct uuid cluster;
	struct task_id task;
	int64_t revision;
	int64_t slot;
	int64_t attempt;
	const struct port_grant *ports;
	size_t n_ports;
	const struct network_spec *networks; /* those the spec uses, in its order */
	size_t n_networks;
	const struct volume_spec *volumes;
	size_t n_volumes;
	const char *
		previous; /* CREATE: container whose anonymous volumes are carried over; NULL: none */
	const char *
		files; /* CREATE: folder with the files of job_spec_content(), named by number; the shell's */
	/* FILES: the bytes of each job_spec_content(), base64; NULL: not here */
	const char *const *contents;
	/* LIST */
	bool ended; /* of the containers only those that neither run nor are paused */
	/* KILL */
	const char *signal; /* "SIGTERM" */
	/* REMOVE */
	bool with_volumes; /* anonymous ones too */
	/* NETWORK_*, VOLUME_* */
	const struct network_spec *network;
	const struct volume_spec *volume;
	/* Docker's name of the network or volume. INSPECT: of that in which the address is wanted; NULL: none. */
	const char *resource_name;
	/* PROBE */
	const char *address; /* of the container: numeric */
	/* EXEC */
	const struct hook *hook;
};

enum container_fault {
	FAULT_NONE = 0,
	FAULT_NOT_FOUND, /* no such container, network, volume */
	FAULT_CONFLICT,	 /* name exists; in use */
	FAULT_IMAGE_NOT_FOUND,
	FAULT_PULL_FAILED, /* registry unreachable, refused credentials, deadline */
	FAULT_PORT_TAKEN,
	FAULT_COMMAND_NOT_FOUND, /* entry point missing or not executable */
	FAULT_MOUNT_FAILED,	 /* bind source missing, volume driver */
	FAULT_REFUSED,		 /* 400: Docker will never take this specification */
	FAULT_POLICY,		 /* the policy of this machine says no: Docker was not asked */
	FAULT_UNREACHABLE,	 /* Docker did not get the request: nothing happened */
	FAULT_AMBIGUOUS,	 /* no, half or 5xx answer: it may have happened; inspect by name */
	FAULT_FAILED,		 /* a clear no of another kind */
	FAULT_HOOK_FAILED, /* it was run and failed; the message says how: "exited with status 3: ..." */
	FAULT_CHECK_FAILED, /* the check was made and failed; the message says how: "answered 503" */
};
extern const struct enum_name container_fault_names[];

enum container_state {
	CONTAINER_ABSENT = 0,
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_EXITED, /* also "dead" */
	CONTAINER_REMOVING,
};
extern const struct enum_name container_state_names[];

/* A container as the runtime shows it. INSPECT dials a fresh connection for each call, so that an answer proves the
 * daemon was still accepting connections after the state it reports: a daemon that shuts down closes its listener
 * first and kills containers after, and such an exit must read as interrupted. */
struct container_seen {
	char name[CONTAINER_NAME_SIZE];
	char id[80];
	struct uuid cluster;
	struct task_id task;
	int64_t attempt;
	int state;
	int health; /* enum task_health */
	int64_t exit_code;
	bool oom_killed;
	char *error;	   /* Docker's State.Error; owned */
	char *stop_signal; /* of the container's configuration; NULL: SIGTERM; owned */
	char *health_output; /* last lines of the last health check, for the message; may be NULL; owned */
	char *address; /* in the network that was asked for, while it runs; NULL: none; owned */
	int64_t started_wall_ms;
	int64_t finished_wall_ms;
};
void container_seen_release(struct container_seen *seen);
void container_seen_copy(struct container_seen *to, const struct container_seen *from);

struct container_result {
	uint64_t op;
	int verb;
	int fault;
	char *message; /* the runtime's own words on a fault; owned; may be NULL */
	uint64_t
		daemon_instance; /* which run of the daemon answered: differs after its restart; 0: unknown */
	struct container_seen seen; /* CREATE (id), INSPECT; state ABSENT with FAULT_NOT_FOUND */
	/* LIST */
	struct container_seen *list; /* owned */
	size_t n_list;
	struct strings networks; /* names of networks with our label */
};
void container_result_release(struct container_result *result);
/* Move it; `from` holds nothing after. */
void container_result_take(struct container_result *to, struct container_result *from);

/* "drover-TASKID-ATTEMPT". */
void container_name(struct task_id task, int64_t attempt, char out[CONTAINER_NAME_SIZE]);

/* Docker's name of a project's network or volume: its own `name`, or PROJECT_KEY. Caller frees. */
char *container_network_name(const char *project, const struct network_spec *network);
char *container_volume_name(const char *project, const struct volume_spec *volume);

#endif
