/* The simulated world: a manager, its workers, their stores, their Dockers, the network between them and the clients,
 * in one process and in virtual time. The two cores are the archives of the program as shipped; everything around them
 * is a model that may fail in every way of faults.h.
 *
 * Everything that is drawn comes from one stream of random numbers, and events of the same time happen in the order in
 * which they were planned: the same seed tells the same story, hash for hash (I27). */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdarg.h>

#include "base/alloc.h"
#include "faults.h"
#include "invariants.h"
#include "manager/manager.h"
#include "worker/worker.h"

#define SIM_WORKERS_MAX 5
#define SIM_CLIENTS	3
#define SIM_PROJECTS	2
#define SIM_LINES_KEPT	60
#define NEVER_MS	INT64_MAX

struct sim;

/* ---- world.c: time ---- */

struct event;
typedef void event_fn(struct sim *sim, struct event *event);

/* Something that happens at a time. `life` must still be *lives when it does, else it is dropped: what belongs to a
 * process dies with it. */
struct event {
	int64_t at_ms;
	uint64_t sequence;
	event_fn *run;
	void *subject;
	void *payload; /* owned; freed with `free_payload` after the event */
	void (*free_payload)(void *payload);
	uint64_t number;
	const uint64_t *lives; /* NULL: always */
	uint64_t life;
};

/* Plan an event; the pointer lives until the next one is planned. */
struct event *sim_plan(struct sim *sim, int64_t in_ms, event_fn *run, void *subject);
int64_t sim_draw(struct sim *sim, int64_t from, int64_t to);
/* True `per_mille` times in a thousand. */
bool sim_chance(struct sim *sim, int per_mille);
/* Does this fault strike now? Never after the world was healed, nor when this seed does not have the class. Counts. */
bool sim_strikes(struct sim *sim, enum fault_class class);
/* A line of the story: kept for the report of a failure, printed with --verbose, part of the hash. */
void sim_tell(struct sim *sim, const char *who, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int64_t sim_wall_ms(const struct sim *sim);
void sim_hash(struct sim *sim, const void *bytes, size_t len);

/* ---- sim_store.c: bytes under keys ---- */

struct sim_store {
	struct changes records;
	bool full;
};
/* Carry out the first `n` changes. */
void sim_store_apply(struct sim_store *store, const struct changes *changes, size_t n);
/* As the store of a process does: atomic by group, and it may fail. *ret_n_applied: changes that took effect. */
enum err_code sim_store_commit(struct sim *sim, struct sim_store *store,
			       const struct changes *changes, size_t *ret_n_applied,
			       struct err *err);
/* The number of changes before a crash cuts a commit off: whole groups. */
size_t sim_store_cut(struct sim *sim, const struct changes *changes);
void sim_store_release(struct sim_store *store);

/* ---- sim_docker.c: the truth about containers ---- */

enum ended_by { ENDED_NOT = 0, ENDED_ITSELF, ENDED_SIGNAL, ENDED_DOCKER, ENDED_OTHERS };

struct sim_container {
	struct container_seen seen;
	bool foreign; /* not ours: must never be touched */
	bool ignores_stop;
	bool batch;
	uint64_t number;		 /* of this container in this Docker */
	uint64_t run;			 /* raised by each start and end */
	int64_t memory_bytes, cpu_milli; /* reserved */
	LIST_OF(struct port_grant) ports;
	int protocols[8];
	char image[32];
	bool signalled; /* by us */
	int ended_by;
	struct strings volumes; /* named ones it mounts */
	struct strings networks;
};

struct sim_action;

struct sim_docker {
	bool up;
	uint64_t lives; /* raised when everything in flight ends */
	uint64_t instance;
	uint64_t containers_made;
	struct sim_container **containers;
	size_t n_containers, containers_capacity;
	struct sim_action **actions; /* in flight */
	size_t n_actions, actions_capacity;
	struct strings images;
	struct strings networks;
	struct strings volumes;
	struct container_seen *ghosts; /* an old list */
	size_t n_ghosts;
	int64_t foreign_port; /* a host port somebody else holds; 0: none */
};

struct sim_worker;
void sim_docker_submit(struct sim *sim, struct sim_worker *worker,
		       const struct container_action *action);
/* It goes away, killing its containers unless they live on; comes back; the machine restarts. */
void sim_docker_stop(struct sim *sim, struct sim_worker *worker, bool live_restore);
void sim_docker_start(struct sim *sim, struct sim_worker *worker);
/* What was in flight is answered by nobody: each takes effect now, or never. */
void sim_docker_orphan(struct sim *sim, struct sim_worker *worker);
void sim_docker_release(struct sim_docker *docker);
bool sim_container_runs(const struct sim_container *container);
void sim_docker_plan_faults(struct sim *sim);
/* docker_verbs.c */
struct sim_action {
	struct container_action action;
	struct job_spec spec; /* copies of what the action borrows */
	char *signal;
	char *resource;
	struct strings networks;
	struct strings volumes;
	LIST_OF(struct port_grant) ports;
	uint64_t number;
	bool done; /* took effect; its answer is still to come */
};
void sim_action_free(void *action);
int sim_docker_carry_out(struct sim *sim, struct sim_worker *worker, struct sim_action *action,
			 struct container_result *result);
void sim_docker_hint(struct sim *sim, struct sim_worker *worker, const char *name);
void sim_container_end(struct sim *sim, struct sim_worker *worker, struct sim_container *container,
		       int ended_by, int64_t exit_code);
struct sim_container *sim_docker_find(struct sim_docker *docker, const char *name);
struct sim_container *sim_docker_add(struct sim_docker *docker, const char *name);
void sim_docker_remove(struct sim_docker *docker, struct sim_container *container);

/* ---- worker_process.c and manager_process.c: the shells, as daemon.c has them ---- */

struct worker_queued {
	struct worker_event event;
	struct sync_down down;
	struct container_result result;
	char *name;
	struct node_facts facts;
	struct node_stats stats;
};

struct sim_worker {
	struct sim *sim;
	int index;
	char name[16];
	struct sim_store store;
	struct sim_docker docker;
	bool up;
	uint64_t lives;	 /* of the process: raised at each end */
	uint64_t timers; /* raised when the timer is armed anew */
	int64_t boot;
	int64_t boot_at_ms; /* its own clock begins here */
	struct worker *core;
	struct worker_out out;
	struct worker_queued *queue;
	size_t n_queue, queue_capacity;
	bool turn_planned;
	bool store_broken;
	bool runtime_open;
	struct worker_options options;
	int64_t memory_bytes, cpu_milli;
	/* The connection. */
	uint64_t dials;	  /* raised by each try to connect */
	uint64_t session; /* 0: none */
	int64_t reconnect_ms;
	int64_t cut_until_ms; /* partitioned from the manager */
	bool session_open;
	int64_t last_up_ms, last_down_ms; /* arrivals */
	struct uuid cluster;
	/* What I10 compares. */
	int64_t epoch_said, rev_said, report_said;
	uint64_t session_served;
	int64_t rev_served;
};

struct worker_queued *sim_worker_queue(struct sim_worker *worker, int kind);
void sim_worker_start(struct sim *sim, struct sim_worker *worker);
void sim_worker_crash(struct sim *sim, struct sim_worker *worker, int64_t back_in_ms);
void sim_worker_release(struct sim_worker *worker);
void sim_worker_docker_up(struct sim_worker *worker);

struct sim_request; /* requests.h */

struct manager_queued {
	int kind;
	struct sim_request *request; /* owned */
	uint64_t session;
	struct sync_up up;
};

struct sim_manager {
	struct sim_store store;
	struct manager *core;
	struct manager_options options;
	struct manager_out out;
	bool up;
	bool broken;  /* read-only until a probe succeeds */
	bool started; /* the core in `core` was started: false while read-only after a reload */
	uint64_t lives;
	uint64_t timers;
	int64_t rev;
	struct manager_queued *queue;
	size_t n_queue, queue_capacity;
	bool turn_planned;
	uint64_t sessions_made;
};

struct manager_queued *sim_manager_queue(struct sim *sim, int kind);
void sim_manager_start(struct sim *sim);
void sim_manager_crash(struct sim *sim, int64_t back_in_ms);
void sim_manager_release(struct sim_manager *manager);

/* ---- network.c ---- */

void network_connect(struct sim *sim, struct sim_worker *worker);
void network_send_up(struct sim *sim, struct sim_worker *worker, const struct sync_up *up);
void network_send_down(struct sim *sim, const struct manager_down *down);
/* One end is gone: the other learns it after a while. */
void network_worker_gone(struct sim *sim, struct sim_worker *worker);
void network_manager_gone(struct sim *sim);
/* No message passes for a while; the connection does not outlive a long silence. */
void network_cut(struct sim *sim, struct sim_worker *worker, int64_t for_ms);
bool network_is_cut(const struct sim *sim, const struct sim_worker *worker);

/* ---- client.c ---- */

struct sim_client {
	int index;
	uint64_t serial;
	struct sim_request *request; /* waits for its answer; NULL: none */
	int tries;
	uint64_t attempt; /* of the request in flight */
};
void client_start(struct sim *sim, struct sim_client *client);
void client_take_reply(struct sim *sim, const struct sim_request *request,
		       const struct manager_reply *reply);
void client_release(struct sim_client *client);

/* ---- the world ---- */

struct sim_options {
	int64_t events_max;
	bool verbose;
};

struct sim {
	uint64_t seed;
	struct sim_options options;
	struct random random;
	int64_t now_ms;
	int64_t wall_jump_ms;
	struct event *heap;
	size_t n_heap, heap_capacity;
	uint64_t sequence;
	uint64_t n_events;
	uint64_t hash;

	bool enabled[FAULT_COUNT];
	int rate[FAULT_COUNT];
	bool calm; /* no faults any more */
	bool json; /* messages travel as text */
	uint64_t struck[FAULT_COUNT];

	struct sim_manager manager;
	struct sim_worker workers[SIM_WORKERS_MAX];
	int n_workers;
	struct sim_client clients[SIM_CLIENTS];
	struct checker checker;

	char *lines[SIM_LINES_KEPT];
	size_t n_lines;
};

/* What one seed came to. */
struct sim_result {
	bool failed;
	int invariant; /* enum invariant */
	char message[512];
	uint64_t hash;
	uint64_t n_events;
	int64_t virtual_ms;
	int64_t settled_ms; /* from the end of the faults to the end */
};

/* Run one seed; adds what struck and what was evaluated to the totals. */
void sim_run(uint64_t seed, const struct sim_options *options, struct sim_result *ret_result,
	     uint64_t struck[FAULT_COUNT], uint64_t evaluated[INVARIANT_COUNT]);

#endif
