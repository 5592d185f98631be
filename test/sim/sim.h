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

#define SIM_CLIENTS    3
#define SIM_LINES_KEPT 60
#define NEVER_MS       INT64_MAX

struct sim;

/* ---- world.c: time ---- */

struct event;
typedef void event_fn(struct sim *sim, struct event *event);

/* Something that happens at a time. `life` must still be *lives when it does, else it is dropped: what belongs to a
 * process dies with it. What belongs to somebody who stands still (a process that is paused, a machine that sleeps)
 * waits until *held_until_ms. */
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
	const int64_t *held_until_ms; /* NULL: nobody's */
};

/* Plan an event; the pointer lives until the next one is planned. */
struct event *sim_plan(struct sim *sim, int64_t in_ms, event_fn *run, void *subject);
int64_t sim_draw(struct sim *sim, int64_t from, int64_t to);
/* The same, as often near `from` as far from it: every order of size is as likely. */
int64_t sim_draw_wide(struct sim *sim, int64_t from, int64_t to);
/* True `per_mille` times in a thousand. */
bool sim_chance(struct sim *sim, int per_mille);
/* Does this fault strike now? Never after the world was healed, nor when this seed does not have the class. Counts. */
bool sim_strikes(struct sim *sim, enum fault_class class);
/* A line of the story: kept for the report of a failure, printed with --verbose, part of the hash. */
void sim_tell(struct sim *sim, const char *who, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void sim_hash(struct sim *sim, const void *bytes, size_t len);
/* Something was decided about the checker's task of this number. */
void sim_decide(struct sim *sim, size_t task, int64_t what, int64_t how);

/* What was counted, over all seeds of a run. */
struct sim_counts {
	uint64_t struck[FAULT_COUNT];
	/* Two classes that struck within SIM_PAIR_MS of each other; [a][b] with a < b. */
	uint64_t pairs[FAULT_COUNT][FAULT_COUNT];
	uint64_t evaluated[INVARIANT_COUNT];
};
#define SIM_PAIR_MS 10000

/* A machine's wall clock: virtual time, set wrong by somebody. */
struct sim_clock {
	int64_t jump_ms;
};
int64_t clock_wall_ms(const struct sim *sim, const struct sim_clock *clock);

/* ---- sim_store.c: bytes under keys ---- */

struct sim_store {
	struct changes records;
	struct map index;   /* hash of a key -> its record's place in `records`, plus 1 */
	uint64_t n_written; /* records, but for what is reserved for heartbeats now and then */
	bool full;
};
/* Carry out the first `n` changes. */
void sim_store_apply(struct sim_store *store, const struct changes *changes, size_t n);
/* As the store of a process does: atomic by group, and it may fail, or take *ret_takes_ms in which the process stands
 * still. */
enum err_code sim_store_commit(struct sim *sim, struct sim_store *store,
			       const struct changes *changes, int64_t *ret_takes_ms,
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
	bool exclusive; /* its job has a lease */
	bool batch;
	uint64_t number;		 /* of this container in this Docker */
	uint64_t run;			 /* raised by each start and end */
	int64_t memory_bytes, cpu_milli; /* reserved */
	LIST_OF(struct port_grant) ports;
	int protocols[8];
	char image[32];
	bool signalled; /* by us */
	bool probed;	/* the worker checks its health: Docker does not */
	bool answers;	/* and it would be well */
	int ended_by;
	struct strings volumes; /* named ones it mounts */
	struct strings networks;
};

struct sim_action;

struct sim_docker {
	bool up;
	uint64_t lives; /* raised when everything in flight ends */
	uint64_t instance;
	uint64_t containers_made, containers_started;
	struct sim_container **containers;
	size_t n_containers, containers_capacity;
	struct sim_action **actions; /* in flight */
	size_t n_actions, actions_capacity;
	struct strings images;
	struct strings networks;
	struct strings volumes;
	struct container_seen *ghosts; /* an old list */
	size_t n_ghosts;
	int64_t foreign_port;	 /* a host port somebody else holds; 0: none */
	int64_t frozen_until_ms; /* the daemon stands still; its containers do not */
	bool given_up;		 /* and the worker has noticed */
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
/* The daemon is stopped (SIGSTOP) for a while: calls are answered after it, or given up. */
void sim_docker_freeze(struct sim *sim, struct sim_worker *worker, int64_t for_ms);
/* The machine goes down with all that runs on it, and stays off until it is started. */
void sim_machine_off(struct sim *sim, struct sim_worker *worker);
void sim_machine_on(struct sim *sim, struct sim_worker *worker);

/* ---- machine_faults.c: what befalls machines, processes and links by itself ---- */

void machine_faults_plan(struct sim *sim);

/* docker_verbs.c */
struct sim_action {
	struct container_action action;
	struct job_spec spec; /* copies of what the action borrows */
	char *signal;
	char *resource;
	char *address;
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

/* What a worker is left with when the faults end. */
enum broken {
	BROKEN_NOT = 0,
	BROKEN_OFF,
	BROKEN_CUT,
	BROKEN_DEAF,
	BROKEN_MUTE,
	BROKEN_STOPPED,
	BROKEN_STORE,
	BROKEN_DOCKER,
	BROKEN_COUNT
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
	struct sim_clock clock;
	struct pairs labels;
	int release;		 /* of the program */
	int64_t paused_until_ms; /* the process stands still */
	int64_t asleep_until_ms; /* the machine does */
	bool off;		 /* the machine has no power */
	bool local;		 /* it is the manager's own, and no network lies between them */
	int broken;		 /* enum broken */
	bool given_up;		 /* an operator may have said that it is off */
	int64_t impaired_ms;	 /* until when its worker or its Docker could not obey */
	struct worker *core;
	struct worker_out out;
	struct worker_queued *queue;
	size_t n_queue, queue_capacity;
	bool turn_planned;
	bool committing; /* what `out` holds becomes durable at paused_until_ms at the earliest */
	bool store_broken;
	bool runtime_open;
	struct worker_options options;
	int64_t memory_bytes, cpu_milli;
	struct strings files; /* tasks whose configs and secrets are on the tmpfs */
	/* The connection. */
	uint64_t dials;	  /* raised by each try to connect */
	uint64_t session; /* 0: none */
	int64_t reconnect_ms;
	int64_t up_cut_until_ms, down_cut_until_ms; /* nothing passes in this direction */
	bool session_open;
	int64_t last_up_ms, last_down_ms; /* arrivals */
	struct uuid cluster;
	/* What the checker compares. */
	int64_t heard_ms;   /* by the manager */
	bool silence_heard; /* its newest message told the manager that Docker does not answer */
	uint64_t dismissed; /* the last session that is over for the manager */
	bool is_down;	    /* in its eyes */
	int64_t down_ms;    /* since when; 0: never, in this life of the manager */
	int64_t epoch_said, rev_said, report_said;
	uint64_t session_served;
	int64_t rev_served;
};

struct worker_queued *sim_worker_queue(struct sim_worker *worker, int kind);
void sim_worker_start(struct sim *sim, struct sim_worker *worker);
void sim_worker_crash(struct sim *sim, struct sim_worker *worker, int64_t back_in_ms);
/* SIGSTOP, and SIGCONT after a while. */
void sim_worker_pause(struct sim *sim, struct sim_worker *worker, int64_t for_ms);
void sim_worker_release(struct sim_worker *worker);
/* Docker answers: its facts, and that it does. */
void sim_worker_docker_up(struct sim_worker *worker);

/* files.c: configs and secrets. */
void sim_draw_content(struct sim *sim, struct project_request *request, struct job_spec *spec);
/* What the worker's shell does with CONTAINER_FILES. */
void sim_files_put(struct sim *sim, struct sim_worker *worker,
		   const struct container_action *action);
/* Are the files there of what is to start? */
void sim_files_check(struct sim *sim, const struct sim_worker *worker,
		     const struct container_action *action);
void sim_files_sweep(struct sim_worker *worker);
void check_files(struct sim *sim, const struct sim_worker *worker);

struct sim_request; /* requests.h */

struct manager_queued {
	int kind;
	struct sim_request *request; /* owned */
	uint64_t session;
	struct sim_worker *worker; /* SYNC_UP: whose */
	struct sync_up up;
};

struct manager_queue {
	struct manager_queued *items;
	size_t n, capacity;
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
	struct sim_clock clock;
	int64_t started_ms, stepped_ms;
	int64_t stepped_wall_ms; /* what its clock said in its last step */
	int64_t deadline_ms;	 /* of the core */
	int64_t paused_until_ms; /* the process stands still */
	int64_t rev;
	struct manager_queue queue;
	struct manager_queue turn; /* what the step of `out` was about */
	bool turn_planned;
	bool committing; /* the turn is durable at paused_until_ms at the earliest */
	uint64_t sessions_made;
};

struct manager_queued *sim_manager_queue(struct sim *sim, int kind);
void sim_manager_start(struct sim *sim);
void sim_manager_crash(struct sim *sim, int64_t back_in_ms);
void sim_manager_pause(struct sim *sim, int64_t for_ms);
void sim_manager_release(struct sim_manager *manager);

/* ---- network.c ---- */

void network_connect(struct sim *sim, struct sim_worker *worker);
void network_send_up(struct sim *sim, struct sim_worker *worker, const struct sync_up *up);
void network_send_down(struct sim *sim, const struct manager_down *down);
/* One end is gone: the other learns it after a while. */
void network_worker_gone(struct sim *sim, struct sim_worker *worker);
void network_manager_gone(struct sim *sim);
/* No message passes for a while; the connection does not outlive a long silence. */
enum link { LINK_UP = 1, LINK_DOWN = 2, LINK_BOTH = 3 };
void network_cut(struct sim *sim, struct sim_worker *worker, enum link link, int64_t for_ms);
void network_join(struct sim_worker *worker);
/* One end stands still: the other gives the connection up after a while. */
void network_worker_stalls(struct sim *sim, struct sim_worker *worker, int64_t for_ms);
void network_manager_stalls(struct sim *sim, int64_t for_ms);
/* How long what the worker said on its session had lain at the manager unread at that time; 0: nothing had. */
int64_t network_unread_ms(const struct sim *sim, const struct sim_worker *worker, int64_t at_ms);

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
/* Somebody stops the job. */
void client_stop(struct sim *sim, const struct job_entry *entry);
/* The request that must be answered once the faults are over. */
void client_ask_last(struct sim *sim);
void client_release(struct sim_client *client);

/* ---- the world ---- */

struct sim_options {
	int64_t events_max;
	bool verbose;
	/* For two runs that may only differ in their wall clocks: those of one are set wrong, those of the other stay.
	 * In neither the manager reads its store again, for there a back-off is kept as a wall time. */
	enum sim_clocks { CLOCKS_ANY = 0, CLOCKS_JUMP, CLOCKS_STAY } clocks;
};

struct sim {
	uint64_t seed;
	struct sim_options options;
	struct random random;
	int64_t now_ms;
	struct event *heap;
	size_t n_heap, heap_capacity;
	uint64_t sequence;
	uint64_t n_events;
	uint64_t hash;
	uint64_t decisions; /* hash of what was decided, whatever the wall clocks say */

	bool enabled[FAULT_COUNT];
	int rate[FAULT_COUNT];
	int64_t settled_ms;		/* from the last fault until all was as it should be */
	int64_t answered_ms;		/* the request after the last fault; 0: not yet */
	bool calm;			/* no faults any more */
	bool json;			/* messages travel as text */
	int64_t concurrency;		/* of run-to-completion jobs */
	bool schedules;			/* there are jobs that run at times */
	int64_t struck_ms[FAULT_COUNT]; /* last time; 0: never */
	struct sim_counts *counts;

	struct sim_manager manager;
	struct sim_worker *workers;
	int n_workers;
	size_t n_joined_again; /* removed machines, as new nodes */
	int n_projects;
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
	uint64_t hash, decisions;
	uint64_t n_events;
	int64_t virtual_ms;
	int64_t settled_ms; /* from the end of the faults to the end */
	int n_workers;
};

/* world.c: carry out what is planned until a time; false when something was violated or it does not come to an end. */
bool sim_run_until(struct sim *sim, int64_t until_ms);
/* Forget what is planned. */
void sim_drop_events(struct sim *sim);

/* heal.c: the faults end. Returns when the last of them will have. */
int64_t heal(struct sim *sim);
/* How long what works may take from then on until all is as it should be. */
int64_t heal_allowance_ms(const struct sim *sim);
/* check_runs.c: a schedule, drawn; jobs that have one run at their times while nothing is wrong, then they are stopped.
 * False: something was violated. */
struct schedule *sim_draw_schedule(struct sim *sim);
bool settle_schedules(struct sim *sim);
/* settle.c: the second phase. */
void settle(struct sim *sim);

/* seed.c: run one seed; adds to the counts. */
void sim_run(uint64_t seed, const struct sim_options *options, struct sim_result *ret_result,
	     struct sim_counts *counts);

#endif
