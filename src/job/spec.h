/* What one task of a job is to be: the template that a job's revision holds. Every field is in the one table
 * `job_spec_type`; docs/GLOSSARY.md has the words, compose/ fills it from a Compose file, runtime/docker turns it
 * into a container. "Not written" is 0, NULL or an empty list unless a comment says otherwise. */
#ifndef JOB_SPEC_H
#define JOB_SPEC_H

#include "base/record.h"
#include "job/array.h"
#include "job/content.h"
#include "job/endpoint.h"
#include "job/extras.h"
#include "job/hooks.h"
#include "job/isolation.h"
#include "job/probe.h"
#include "job/schedule.h"
#include "job/tuning.h"

/* Global: one task on each node; its slot is the node's number. The *_JOB modes run to completion. */
enum job_mode { JOB_REPLICATED = 0, JOB_REPLICATED_JOB = 1, JOB_GLOBAL = 2, JOB_GLOBAL_JOB = 3 };
enum restart_condition { RESTART_ON_FAILURE = 0, RESTART_NONE = 1, RESTART_ANY = 2 };
enum pull_policy { PULL_MISSING = 0, PULL_ALWAYS = 1, PULL_NEVER = 2 };
enum port_protocol { PORT_TCP = 0, PORT_UDP = 1 };
enum mount_kind { MOUNT_VOLUME = 0, MOUNT_BIND = 1, MOUNT_TMPFS = 2 };
enum depend_condition { DEPEND_STARTED = 0, DEPEND_HEALTHY = 1, DEPEND_COMPLETED = 2 };
/* Where the networks and volumes of a job's tasks are: on one node, so the tasks are too; or on each node its own. */
enum reach { REACH_ONE_NODE = 0, REACH_PER_NODE = 1 };
enum on_disconnect { ON_DISCONNECT_KEEP = 0, ON_DISCONNECT_STOP = 1 };
enum update_order { UPDATE_STOP_FIRST = 0, UPDATE_START_FIRST = 1 };
enum update_failure { UPDATE_PAUSE = 0, UPDATE_CONTINUE = 1, UPDATE_ROLLBACK = 2 };
enum tristate { UNSET = 0, YES = 1, NO = 2 };

/* What lies below a bind mount that is a mount itself: comes along, read-only with it where the kernel can; does not
 * come along; comes along and stays writable; or must be read-only. */
enum mount_recursive {
	RECURSIVE_ENABLED = 0,
	RECURSIVE_DISABLED = 1,
	RECURSIVE_WRITABLE = 2,
	RECURSIVE_READONLY = 3
};
enum mount_selinux { SELINUX_NONE = 0, SELINUX_SHARED = 1, SELINUX_PRIVATE = 2 };

extern const struct enum_name mount_recursive_names[]; /* enabled, disabled, writable, readonly */
extern const struct enum_name mount_selinux_names[];   /* none, z, Z */
extern const struct enum_name job_mode_names[]; /* replicated, replicated-job, global, global-job */
extern const struct enum_name restart_condition_names[]; /* on-failure, none, any */
extern const struct enum_name pull_policy_names[];	 /* missing, always, never */
extern const struct enum_name port_protocol_names[];	 /* tcp, udp */
extern const struct enum_name mount_kind_names[];	 /* volume, bind, tmpfs */
extern const struct enum_name depend_condition_names[];	 /* service_started, service_healthy,
							    service_completed_successfully */
extern const struct enum_name reach_names[];		 /* one-node, per-node */
extern const struct enum_name on_disconnect_names[];	 /* keep, stop */
extern const struct enum_name update_order_names[];	 /* stop-first, start-first */
extern const struct enum_name update_failure_names[];	 /* pause, continue, rollback */
extern const struct enum_name tristate_names[];		 /* unset, yes, no */

/* One published port. host_first 0: not published on the host. host_first == host_last: a fixed port, one task per
 * node. Else a pool from which each task draws one. */
struct port {
	char *host_ip; /* NULL: all addresses */
	int64_t host_first;
	int64_t host_last;
	int64_t container_port;
	int protocol;
};
extern const struct record_type port_type;

struct mount {
	int kind;
	char *source; /* volume: key of the project's volume, NULL = anonymous; bind: absolute path */
	char *target;
	bool read_only;
	bool nocopy;		  /* volume */
	bool create_host_path;	  /* bind */
	char *propagation;	  /* bind; NULL: Docker's default */
	int64_t tmpfs_size_bytes; /* tmpfs; 0: no limit */
	int64_t tmpfs_mode;	  /* tmpfs; octal mode as a number, 0: Docker's default */
	char *tmpfs_options;	  /* tmpfs written under the service key: the text after ':' */
	char *subpath;		  /* volume with a name */
	struct pairs labels;	  /* volume without a name */
	int recursive;		  /* bind */
	int selinux;		  /* bind, made when it is missing */
};
extern const struct record_type mount_type;

/* One network of the project that the task joins; the service name is always an alias. */
struct network_use {
	char *network; /* key of the project's network */
	struct strings aliases;
	struct endpoint_settings *endpoint; /* NULL: nothing of it */
};
extern const struct record_type network_use_type;

struct ulimit {
	char *name;
	int64_t soft;
	int64_t hard;
};
extern const struct record_type ulimit_type;

/* Docker runs the check, the worker acts on it. test empty: the image's own check, if any. */
struct health_check {
	struct strings test; /* first item NONE, CMD or CMD-SHELL */
	bool disabled;
	int64_t interval_ms;	   /* 0 = 30 s, Docker's own default; same below */
	int64_t timeout_ms;	   /* 0 = 30 s */
	int64_t retries;	   /* 0 = 3 */
	int64_t start_period_ms;   /* 0 = none */
	int64_t start_interval_ms; /* 0 = 5 s; needs Engine API 1.44 */
};
extern const struct record_type health_check_type;

/* What a task reserves or may use. 0: nothing reserved, no limit. */
struct resources {
	int64_t cpu_milli; /* thousandths of a CPU */
	int64_t memory_bytes;
	int64_t disk_bytes;
	int64_t pids;
};
extern const struct record_type resources_type;

struct restart_policy {
	int condition;	  /* RESTART_ON_FAILURE where nothing is written */
	int64_t delay_ms; /* the minimum before every restart; 0: first one at once, then back-off */
	int64_t max_attempts; /* restarts allowed within the window; 0: no limit */
	int64_t window_ms;    /* only restarts within it count; 0: all count */
};
extern const struct record_type restart_policy_type;

/* How the tasks of a service go from one revision to another: defaults and meaning are Swarm's. */
struct update_policy {
	int64_t parallelism; /* slots at a time; 0: one; UPDATE_ALL */
	int64_t delay_ms;    /* from one slot's being ready to the next slot's turn */
	int64_t monitor_ms; /* what fails so soon after it came to run failed because of the update; 0 = 5 s */
	int failure_action;	 /* when more than max_failure_ppm of the slots have failed */
	int64_t max_failure_ppm; /* millionths, 0 to 1,000,000 */
	int order;
};
#define UPDATE_ALL (-1)
extern const struct record_type update_policy_type;

int64_t update_policy_monitor_ms(const struct update_policy *policy);

struct placement {
	struct strings constraints; /* "node.labels.disk==ssd"; ANDed */
	struct strings preferences; /* labels to spread over: "node.labels.rack" */
	int64_t max_replicas_per_node;
};
extern const struct record_type placement_type;

struct depend {
	char *job; /* name within its project */
	int condition;
	bool optional; /* Compose `required: false`: warn, do not wait for what is not there */
	bool restart;  /* restart me when an update restarts it */
	char *project; /* whose job it is; NULL: of the own project */
};
extern const struct record_type depend_type;

struct logging {
	char *driver; /* NULL: json-file with drover's size limits */
	struct pairs options;
};
extern const struct record_type logging_type;

/* What drover gives a driver that keeps its files without a limit, where no option says. */
#define LOG_SIZE_DEFAULT  "10m"
#define LOG_FILES_DEFAULT "3"

const char *logging_driver(const struct logging *logging);
bool log_driver_has_sizes(const char *driver);

struct job_spec {
	/* What runs. */
	char *image;
	bool has_command; /* false: the image's own */
	struct strings command;
	bool has_entrypoint;
	struct strings entrypoint;
	struct pairs environment; /* value NULL: unset in the container */
	char *working_dir;
	char *user;
	char *hostname;
	int init; /* enum tristate */
	bool read_only;
	struct strings cap_add;
	struct strings cap_drop;
	struct pairs sysctls;
	LIST_OF(struct ulimit) ulimits;
	int64_t shm_size_bytes;
	struct strings extra_hosts; /* "host:ip" */
	struct strings dns;
	struct logging logging;
	struct pairs labels; /* of the container */
	int pull_policy;
	char *platform; /* "linux/arm64"; NULL: any that runs the image */
	/* What it reaches. */
	LIST_OF(struct port) ports;
	LIST_OF(struct mount) mounts;
	LIST_OF(struct network_use) networks;
	LIST_OF(struct content_use) configs;
	LIST_OF(struct content_use) secrets;
	/* How long and how often. */
	char *stop_signal;     /* NULL: the image's, else SIGTERM */
	int64_t stop_grace_ms; /* initial 10 s */
	struct health_check health_check;
	struct restart_policy restart;
	struct resources reservations;
	struct resources limits;
	/* Where and in what order. */
	struct placement placement;
	LIST_OF(struct depend) depends_on;
	int64_t priority;	       /* 0..100, initial 50; higher is placed first */
	char *scheduler;	       /* NULL: the cluster's */
	int64_t placement_deadline_ms; /* 0: wait for ever */
	int network_reach; /* enum reach, of networks that other jobs of the project share */
	int volume_reach;  /* enum reach, of named volumes */
	/* While its worker cannot reach the manager: keep, the container runs on; stop, the worker stops it when
	 * `lease_ms` have passed since it sent the last message that was answered. */
	int on_disconnect;
	int64_t lease_ms; /* with stop only; 0: the least, LIMIT_LEASE_MIN_MS */
	/* How changes come. */
	struct update_policy update;
	struct update_policy rollback;
	int64_t update_deadline_ms; /* a slot that comes no further for so long has failed; 0: LIMIT_MOVE_STEP_MS */
	/* How many. */
	int mode;
	int64_t replicas;    /* initial 1; of a global job always */
	int64_t concurrency; /* of a replicated-job: so many of its tasks at a time; 0: all */
	struct array *
		array; /* its slots have indices; `replicas` says how many again. NULL: they have not */
	struct schedule *schedule; /* it runs at times, to completion; NULL: once */
	int64_t max_run_time_ms; /* a container that runs for longer is ended, and fails; 0: none is */
	struct pairs job_labels; /* Compose deploy.labels: of the job, not of containers */
	/* What few ask for; NULL: nothing of it. */
	struct tuning *tuning;
	struct isolation *isolation;
	struct extras *extras;
	struct probe *probe;
	struct hooks *hooks;
};
extern const struct record_type job_spec_type;

/* Check what the table alone cannot: image present and well-formed, names, port ranges, duplicate targets, mounts,
 * constraints' syntax, signals, environment size, replicas against a fixed port's node count are the scheduler's.
 * Same code in the CLI and the manager. ERR_INVALID naming the field path. */
enum err_code job_spec_check(const struct job_spec *spec, struct err *err) WARN_UNUSED;

/* Has it a health check of its own? The image may have one where it has none. */
bool job_spec_has_check(const struct job_spec *spec);

/* One task on each node? */
bool job_spec_is_global(const struct job_spec *spec);
/* Is a slot done once its task has succeeded? */
bool job_spec_completes(const struct job_spec *spec);

/* Does each node have its own of the networks, and of the named volumes, that tasks use? Of a global job it has. */
bool job_spec_networks_per_node(const struct job_spec *spec);
bool job_spec_volumes_per_node(const struct job_spec *spec);

/* How long a container may run on without word from the manager; 0: for ever (on_disconnect: keep). */
int64_t job_spec_lease_ms(const struct job_spec *spec);

/* How many of its tasks there are side by side at most. */
int64_t job_spec_at_once(const struct job_spec *spec);

int64_t job_spec_update_deadline_ms(const struct job_spec *spec);

/* For how long after its start a container's failing health check says nothing. */
int64_t job_spec_start_period_ms(const struct job_spec *spec);

/* Configs, then secrets: how many in all, and one of them; `ret_kind` (enum content_kind) may be NULL. */
size_t job_spec_n_contents(const struct job_spec *spec);
const struct content_use *job_spec_content(const struct job_spec *spec, size_t i, int *ret_kind);

/* The least SYNC_PROTOCOL (node/sync.h) of a worker that does what is written here: an older one passes over fields it
 * does not know. */
int64_t job_spec_protocol(const struct job_spec *spec);

/* What going from one specification to another asks of the job's tasks. */
enum spec_change {
	SPEC_CHANGE_NONE =
		0, /* replicas, job_labels, priority, scheduler, placement_deadline_ms, how changes come */
	SPEC_CHANGE_PLACES, /* placement or depends_on too: none, where all are as these say anyway */
	SPEC_CHANGE_TASKS, /* anything else: new containers */
};
int job_spec_change(const struct job_spec *a, const struct job_spec *b);

/* The name of a project: [a-z0-9]([a-z0-9_.-]*[a-z0-9])?, at most LIMIT_NAME_BYTES. `field` names the place in err. */
enum err_code name_check(const char *name, const char *field, struct err *err) WARN_UNUSED;

/* The name of a job, network or volume within its project, as Compose files write them: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at
 * most LIMIT_NAME_BYTES. */
enum err_code key_check(const char *key, const char *field, struct err *err) WARN_UNUSED;

#endif
