/* A node: the manager's record of a machine, and what its worker says of it. */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "task/task.h"

enum node_state {
	NODE_READY = 0,
	NODE_DRAINING = 1, /* takes no new tasks, gives up those it has */
	NODE_DEGRADED = 2, /* worker alive, Docker not: takes no new tasks */
	NODE_DOWN = 3,	   /* silent for longer than the timeout */
	NODE_LEFT = 4,	   /* removed from the cluster; the record stays for a while */
};
extern const struct enum_name node_state_names[]; /* ready, draining, degraded, down, left */

enum node_role {
	NODE_WORKER = 0,
	NODE_BOTH = 1,	  /* a worker on the manager's own machine */
	NODE_MANAGER = 2, /* the manager's machine where no worker runs: in lists only, no node */
};
extern const struct enum_name node_role_names[]; /* worker, both, manager */

/* What the worker tells of its machine when a session starts, and again when it changes. */
struct node_facts {
	char *hostname;
	char *platform_os;     /* linux */
	char *platform_arch;   /* x86_64, as `uname -m` */
	char *runtime_version; /* Docker's */
	int64_t api_minor;     /* Engine API 1.N */
	char *drover_version;
	char *boot_id;
	struct pairs labels;	    /* of the worker: --label */
	struct pairs engine_labels; /* of the Docker daemon */
	struct resources capacity;  /* what tasks may reserve in all; pids unused */
	int64_t protocol;	    /* SYNC_PROTOCOL of the worker; 0: 1, which did not say */
	char *runtime_id; /* from Docker's id and root (GET /info), which copies of a machine share; NULL: not known */
};
extern const struct record_type node_facts_type;

/* What the table alone does not check: that a node's record with these facts fits a commit. ERR_INVALID naming the
 * field; ERR_LIMIT. */
enum err_code node_facts_check(const struct node_facts *facts, struct err *err) WARN_UNUSED;

/* Measured by the worker, never stored. Used = by everything on the machine, smoothed by the worker. */
struct node_stats {
	int64_t cpu_used_milli;
	int64_t memory_used_bytes;
	int64_t disk_used_bytes;
	int64_t load_milli; /* 1-minute load average, thousandths */
	int64_t tasks_running;
};
extern const struct record_type node_stats_type;

/* The stored record. */
struct node_record {
	struct node_id id;
	struct node_facts facts;
	struct pairs labels; /* set by `drover node label`; win over the worker's own */
	bool draining;
	int64_t joined_wall_ms;
	int role;	/* NODE_WORKER or NODE_BOTH: how its newest session came */
	int64_t number; /* from 1, in the order nodes joined; never given twice in a cluster */
	bool left;	/* removed by `drover node rm`: takes no session and no task */
	int64_t left_wall_ms;
	char *address; /* the numeric IP address its newest session came from; NULL: over the unix socket */
	bool docker_silent; /* said while it held a task with a lease, and not taken back yet */
};
extern const struct record_type node_record_type;

/* What is remembered of a node that has left once its record is forgotten, so that its worker is told, however late it
 * comes back. */
struct removed_node {
	struct node_id id;
	char *name;
	int64_t removed_wall_ms;
};
extern const struct record_type removed_node_type;

#endif
