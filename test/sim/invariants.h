/* What must hold: the checker sees everything, and looks after every event that could have changed what it looks at.
 * The ids are those of the project's list of invariants. */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

#include "manager/manager.h"
#include "worker/worker.h"

// clang-format off
/*    id             name      what */
#define INVARIANT_TABLE(X)                                                                         \
	X(INVARIANT_I1,  "I1",   "one container per task")                                             \
	X(INVARIANT_I2,  "I2",   "one container per slot with a lease")                                \
	X(INVARIANT_I3,  "I3",   "what was answered is in the store")                                  \
	X(INVARIANT_I4,  "I4",   "states move by the rows of the table, each by its author")           \
	X(INVARIANT_I5,  "I5",   "final is final, and unknown is not failed")                          \
	X(INVARIANT_I6,  "I6",   "no node holds more than it has")                                     \
	X(INVARIANT_I7,  "I7",   "one owner per host port")                                            \
	X(INVARIANT_I8,  "I8",   "what exists once has one owner")                                     \
	X(INVARIANT_I10, "I10",  "nothing goes back to an older desired set")                          \
	X(INVARIANT_I11, "I11",  "stopped means stopped")                                              \
	X(INVARIANT_I12, "I12",  "only ours is touched")                                               \
	X(INVARIANT_I13, "I13",  "an update takes down no more than it may")                           \
	X(INVARIANT_I14, "I14",  "each slot succeeds once, attempts are counted")                      \
	X(INVARIANT_I15, "I15",  "one key, one effect, one answer")                                    \
	X(INVARIANT_I16, "I16",  "a client sees what it was answered")                                 \
	X(INVARIANT_I17, "I17",  "who follows the events knows what is")                               \
	X(INVARIANT_I18, "I18",  "what is kept is bounded")                                            \
	X(INVARIANT_I19, "I19",  "no node is given up before its time")                                \
	X(INVARIANT_I20, "I20",  "many nodes lost at once are not replaced at once")                   \
	X(INVARIANT_I21, "I21",  "a manager does not take its own machine for dead")                   \
	X(INVARIANT_I22, "I22",  "wall clocks decide nothing")                                         \
	X(INVARIANT_I23, "I23",  "stores hold what is accounted for")                                  \
	X(INVARIANT_I25, "I25",  "a task finds the bytes of its revision, and only while it can run")     \
	X(INVARIANT_I27, "I27",  "same seed, same story")                                              \
	X(INVARIANT_L1,  "L1",   "what is wanted runs, and nothing else")                              \
	X(INVARIANT_L2,  "L2",   "nothing waits that could run")                                       \
	X(INVARIANT_L3,  "L3",   "requests are answered")                                              \
	X(INVARIANT_L4,  "L4",   "no container without a task")                                        \
	X(INVARIANT_L5,  "L5",   "an update is done, or has failed with a reason")                      \
	X(INVARIANT_L7,  "L7",   "silence when there is nothing to do")                                \
	X(INVARIANT_PLACED,"placed", "a task is placed where its job allows")                          \
	X(INVARIANT_TURNS,"turns", "no more of a job's tasks at a time than it says")                   \
	X(INVARIANT_RUNS,"runs", "each time of a schedule is dealt with once, one run at a time")           \
	X(INVARIANT_CORE,"core", "no assertion of a core fails")                                       \
	X(INVARIANT_END, "end",  "a run ends")

enum invariant {
#define INVARIANT_ENUM(id, name, what) id,
	INVARIANT_TABLE(INVARIANT_ENUM)
#undef INVARIANT_ENUM
	INVARIANT_COUNT
};
// clang-format on

struct invariant_row {
	const char *name;
	const char *what;
};
extern const struct invariant_row invariant_rows[INVARIANT_COUNT];

/* What the checker knows of a task, from the commits of the manager and from the truth of Docker. */
struct known_task {
	struct task_id id;
	size_t number;	/* in the order in which they were heard of */
	int told_state; /* by the events */
	bool committed; /* a commit of the manager held it */
	bool deleted;	/* a later one does not */
	bool gone;	/* it was said that no container of it can run */
	bool given_up;	/* its node was lost, and another took its place */
	bool unreachable; /* to the manager that decided the commit of which nobody knows the outcome */
	bool written_off; /* by an operator, who may be wrong: what runs of it is to end, and counts no more */
	struct job_id job;
	int64_t slot, revision, restarts_asked;
	struct node_id node;
	int state, reason, verdict, stop_reason;
	int64_t attempt, version, exit_code;
	int64_t attempts_before;
	char *message;
	/* Truth. */
	int64_t starts;
	int64_t interruptions; /* ends by Docker or the machine: use no attempt */
	int64_t restarts_max;  /* of its policy; -1: no limit */
	int64_t freed_attempt; /* the newest whose container somebody else removed: so its name is free */
	bool exited_zero; /* a container of it did end with 0, by itself */
	int n_running;
	const char *container; /* name of one that runs; while n_running is not 0 */
};

/* The last answered request about a job. */
/* What a revision of a job asks for; the last few are remembered. */
#define REVISIONS_KNOWN 32
struct known_revision {
	int64_t number;
	uint64_t hash;
	int64_t replicas;
	bool scaled;	 /* so many were said later */
	bool rolls_back; /* by itself, when it fails */
};

struct known_job {
	struct job_id id;
	char project[16];
	int64_t revision, replicas, restarts_asked;
	int wanted;
	bool deleted;
	bool uncertain; /* a request about it may have taken effect or not */
	uint64_t hash;	/* of the specification, but for the replicas */
	struct known_revision revisions[REVISIONS_KNOWN];
};

/* A slot that succeeded. */
struct known_success {
	struct job_id job;
	int64_t slot, revision, restarts_asked;
	struct task_id task;
};

/* An answer to a key. */
struct known_answer {
	char caller[16];
	char key[48];
	int64_t body_hash;
	bool open; /* it took effect, and nobody has heard the answer yet */
	struct text answer;
};

struct sim;
struct sim_request;
struct sim_worker;
struct sim_container;

struct checker {
	bool failed;
	int invariant;
	char message[512];
	uint64_t evaluated[INVARIANT_COUNT];
	struct map tasks; /* id -> known_task */
	struct known_task **task_order;
	size_t n_tasks, tasks_capacity;
	struct known_job *jobs;
	size_t n_jobs, jobs_capacity;
	struct known_success *successes;
	size_t n_successes, successes_capacity;
	struct known_answer *answers;
	size_t n_answers, answers_capacity;
	struct sim_request **maybes; /* their outcome is not known */
	size_t n_maybes, maybes_capacity;
	struct map runs; /* job id -> known_runs */
	bool unsure;	 /* a turn of the manager was lost, or its outcome is not known */
	bool truth_changed;
	int64_t degraded_ms;   /* a node was seen without its Docker */
	int64_t hold_until_ms; /* many nodes were lost at once: nothing is replaced before */
	uint64_t commits;
};

/* invariants.c: something does not hold. Only the first one counts. */
void violated(struct sim *sim, int invariant, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
struct known_task *checker_task(struct sim *sim, struct task_id id);
/* Does what is known of the task agree with the containers that run? */
void checker_compare(struct sim *sim, const struct known_task *known);
void checker_release(struct checker *checker);
/* After every event. */
void check_truth(struct sim *sim);

/* What the world tells the checker. */
void checker_container_started(struct sim *sim, struct sim_worker *worker,
			       struct sim_container *container);
void checker_container_made(struct sim *sim, struct sim_worker *worker,
			    const struct sim_container *container);
void checker_container_touched(struct sim *sim, struct sim_worker *worker,
			       const struct sim_container *container, int verb);
void checker_port_refused(struct sim *sim, struct sim_worker *worker,
			  const struct sim_container *container, const struct sim_container *owner);
void checker_up(struct sim *sim, struct sim_worker *worker, const struct sync_up *up);
void checker_down(struct sim *sim, const struct manager_down *down);

/* check_commit.c: the manager's world after the commit of a turn; out NULL: after that of a start. */
void checker_committed(struct sim *sim, const struct cluster *cluster,
		       const struct manager_out *out);
/* check_events.c: a follower takes the list, hears the events, is asked. */
void checker_list(struct sim *sim, const struct cluster *cluster);
void checker_told(struct sim *sim, const struct manager_out *out);
void checker_follows(struct sim *sim, const struct known_task *known, const struct task *task,
		     const char *name);
/* check_bounds.c: the history of the task's slot; all stores, after silence. */
void checker_history(struct sim *sim, const struct job_entry *entry, const struct task *task);
void check_stores(struct sim *sim);
/* check_unique.c: a container starts; numbers of nodes; a task has got its node. */
void checker_volumes(struct sim *sim, const struct sim_worker *worker,
		     const struct sim_container *container);
void checker_exclusive(struct sim *sim, const struct sim_worker *worker,
		       const struct sim_container *container);
void checker_numbers(struct sim *sim, const struct cluster *cluster);
void checker_placed(struct sim *sim, const struct cluster *cluster, const struct task *task,
		    const char *name);
/* check_turns.c: a job, after a commit; is it known of a slot how it ended; may one without a task wait? */
void checker_turns(struct sim *sim, const struct job_entry *entry);
bool checker_is_settled(const struct job_entry *entry, int64_t slot);
bool checker_turn_may_come(const struct job_entry *entry);
/* check_runs.c: a job's record, its tasks, after a commit. */
void checker_runs(struct sim *sim, const struct job_entry *entry, bool replayed);
void checker_run_tasks(struct sim *sim, const struct job_entry *entry);
void checker_runs_release(struct checker *checker);
/* check_updates.c: a task that an update stops. */
void checker_update(struct sim *sim, const struct cluster *cluster, const struct known_task *known,
		    const struct job_entry *entry, const struct task *task, const char *name);
void checker_rebalance(struct sim *sim, const struct known_task *known,
		       const struct job_entry *entry, const struct task *task, const char *name);
/* check_nodes.c: how nodes stand after a turn. */
void checker_turned(struct sim *sim, const struct cluster *cluster);
/* Is nothing to be replaced now, because many nodes were lost at once? */
bool checker_holds(const struct sim *sim);
/* check_requests.c: answers, before they are spoken, of a durable commit. */
void checker_answered(struct sim *sim, const struct cluster *cluster,
		      struct sim_request *const *requests, const struct manager_reply *replies,
		      size_t n);
/* After a commit: jobs that have gone back by themselves are known to. */
void checker_follow(struct sim *sim, const struct cluster *cluster);
/* Nobody knows whether the requests took effect: their step's commit failed or was cut off. */
void checker_uncertain(struct sim *sim, struct sim_request *const *requests, size_t n);
/* ... and what the manager took for lost when it decided that step: it stands in no record. */
void checker_uncertain_tasks(struct sim *sim, const struct cluster *cluster);
/* The manager has read its store back. */
void checker_replayed(struct sim *sim, const struct cluster *cluster);
/* The same world read back from the store's bytes. */
void checker_stored(struct sim *sim, const struct cluster *stored);
/* A client that was answered reads. */
void checker_read(struct sim *sim, const struct cluster *cluster, struct job_id job);

/* liveness.c: do the constraints of a job allow this node? Worked out apart from the scheduler. */
bool check_placement_allows(const struct node_entry *node, const struct job_spec *spec);
/* Is everything as it should be? When `tell`, what is not is a violation. */
bool check_liveness(struct sim *sim, bool tell);

#endif
