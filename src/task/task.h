/* A task: the smallest unit of work, one container on one machine. *desired* is written only by the manager,
 * *observed* only by the worker that owns the task; its state follows from both and moves only by the rows of the
 * table in task.c.
 *
 *            +-----------------------------------------------------------+
 *            |                    placement deadline / stopped           v
 *        PENDING --node found--> SCHEDULED --started--> RUNNING --> COMPLETED | FAILED
 *                                    ^   |                 |              ^
 *                                    |   +--could not start / lost / stopped
 *                                    +---again here, attempt+1 */
#ifndef TASK_TASK_H
#define TASK_TASK_H

#include "base/limits.h"
#include "job/job.h"
#include "task/reason.h"

struct task_id {
	struct uuid uuid;
};

struct node_id {
	struct uuid uuid;
};

enum task_state {
	TASK_PENDING = 0,
	TASK_SCHEDULED = 1,
	TASK_RUNNING = 2,
	TASK_COMPLETED = 3,
	TASK_FAILED = 4,
};
extern const struct enum_name
	task_state_names[]; /* pending, scheduled, running, completed, failed */

enum task_health { HEALTH_NONE = 0, HEALTH_STARTING = 1, HEALTH_HEALTHY = 2, HEALTH_UNHEALTHY = 3 };
extern const struct enum_name task_health_names[]; /* none, starting, healthy, unhealthy */

/* What the manager wants of the worker. REMOVE: also its dead containers, then forget it. Only rises. */
enum task_wanted { TASK_WANT_RUN = 0, TASK_WANT_STOP = 1, TASK_WANT_REMOVE = 2 };
extern const struct enum_name task_wanted_names[]; /* run, stop, remove */

/* How a task that an update made is doing: told once and for all (manager/trial.c). */
enum task_trial { TRIAL_OPEN = 0, TRIAL_PASSED = 1, TRIAL_FAILED = 2 };
extern const struct enum_name task_trial_names[]; /* open, passed, failed */

/* A host port given to the task: for spec.ports[index]. */
struct port_grant {
	int64_t index;
	int64_t host_port;
};
extern const struct record_type port_grant_type;

/* The manager's half. Store key: task id. */
struct task_desired {
	struct task_id id;
	struct job_id job;
	int64_t revision;
	int64_t restarts_asked; /* of the job when this task was made */
	int64_t slot;		/* from 1 */
	struct node_id node;	/* zero until placed */
	int wanted;
	int stop_reason; /* enum reason: why wanted rose above RUN */
	LIST_OF(struct port_grant) ports;
	struct task_id replaces; /* the task whose slot this one took over; zero: none */
	int64_t start_failures; /* consecutive tasks of this slot that could not start; drives back-off */
	int64_t attempts_before; /* policy attempts used by earlier tasks of this slot and revision */
	int64_t not_before_ms;	 /* wall clock; do not place earlier (back-off) */
	int64_t created_wall_ms;
	int64_t scheduled_wall_ms;
	/* A final state the manager itself decided (never started, lost, dependency failed): TASK_COMPLETED or
	 * TASK_FAILED, else 0, with its reason. */
	int verdict;
	int verdict_reason;
	char *verdict_message;
	int64_t verdict_wall_ms;
	/* Its node was removed: nobody will ever confirm that no container of it is left, the operator's word has to
	 * do. Final, occupies no node, and its node may not be known any more. Only rises. */
	bool written_off;
	int trial;    /* of its slot in this roll */
	int64_t roll; /* of the job when this task was made */
	/* The node where it is to be. Of one that is somewhere else: it moves there when its job's turn comes; of one
	 * that is Pending: it is placed there or nowhere. Zero: anywhere. */
	struct node_id move_to;
	char *stop_message; /* why it was stopped, where stop_reason alone does not say; NULL: it does */
};
extern const struct record_type task_desired_type;

/* The worker's half. Store key: task id; in stores of release 1 (node, task). `version` rises with every change the
 * worker makes, across its restarts too; an older version never replaces a newer one. */
struct task_observed {
	struct task_id task;
	int64_t version;
	int state; /* TASK_SCHEDULED, RUNNING, COMPLETED or FAILED */
	int health;
	int64_t attempt;       /* number of the container, from 1; 0 before the first */
	int64_t attempts_used; /* restarts the policy counted */
	char *container_id;
	int64_t exit_code; /* -1: not known or still running */
	int reason;
	char *message;
	int64_t started_wall_ms;  /* of the newest attempt that started */
	int64_t finished_wall_ms; /* of the newest attempt that ended */
	bool gone;		  /* final, and no container of it can run or start any more */
	bool removed; /* answers TASK_WANT_REMOVE: nothing of it is left on the worker */
};
extern const struct record_type task_observed_type;

#define TASK_CONTAINER_ID_SIZE (LIMIT_CONTAINER_ID_BYTES + 1)

/* What is held of a task's records. The manager's world holds a million of them, and a worker ten thousand of the
 * observed halves: so each member is as narrow as its bounds, nothing is held twice, and what few tasks have lies apart
 * (struct task_rare, and struct worker_rare). Members are called as in the records. */
struct desired_half {
	struct task_id id;	  /* a task begins with it */
	const struct job_id *job; /* borrowed from its job's record */
	struct node_id node;
	int64_t created_wall_ms;
	int64_t scheduled_wall_ms;
	int32_t revision;
	int32_t restarts_asked;
	int32_t slot;
	int32_t roll;
	uint8_t wanted;
	uint8_t stop_reason;
	uint8_t verdict;
	uint8_t verdict_reason;
	uint8_t trial;
	bool written_off;
};

/* Also a part of a worker's task. */
struct observed_half {
	int64_t version;
	int64_t started_wall_ms;
	int32_t attempt;
	int32_t attempts_used;
	int32_t exit_code;
	uint8_t state;
	uint8_t health;
	uint8_t reason;
	bool gone;
	bool removed;
	uint8_t usual_message; /* which of those that nearly every task has; 0: none, or another */
	bool has_docker_id;
	uint8_t docker_id
		[32]; /* the container's id, where it is the hexadecimal form of as many bytes */
};

/* What a half cannot hold of its record. */
struct observed_apart {
	char *container_id; /* any other than docker_id can hold */
	char *message;	    /* one that is not usual */
	int64_t finished_wall_ms;
};

struct task_rare {
	LIST_OF(struct port_grant) ports;
	struct task_id replaces;
	struct node_id move_to;
	int64_t start_failures;
	int64_t attempts_before;
	int64_t not_before_ms;
	char *verdict_message;
	int64_t verdict_wall_ms;
	char *stop_message;
	char *container_id;	/* any other than docker_id can hold */
	char *observed_message; /* one that is not usual */
	int64_t finished_wall_ms;
	char *waiting_message; /* of a Pending task: what it waits for; not stored */
};

/* A task in the manager's world: both halves and what follows from them. */
struct task {
	struct desired_half desired;
	struct observed_half observed; /* observed.version 0: nothing heard yet */
	struct task_rare *rare;	       /* NULL: all of it is zero; use task_rare() */
	uint8_t state;		       /* enum task_state; moved only by task_move() */
	uint8_t reason;		       /* enum reason: of the present state */
	bool unreachable;	       /* its node is silent; an observation, never a state */
};

/* To read: never NULL. */
const struct task_rare *task_rare(const struct task *task);
/* To write. Whoever may have made all of it zero calls task_tidy(), which frees it then. */
struct task_rare *task_make_rare(struct task *task);
void task_tidy(struct task *task);

/* Takes the array, which may be NULL where there are none. */
void task_take_ports(struct task *task, struct port_grant *items, size_t n);

/* The records, made from what is held and held. Get borrows from the task, and from the caller's `container_id`. Take
 * moves ownership of what it can hold: the record is zero afterwards, and what the half held before is freed. `job` is
 * the same id as in the record, and stays where it is for as long as the task. What can be held counts nothing further
 * than LIMIT_TASK_COUNT. */
bool task_can_hold_desired(const struct task_desired *desired);
bool task_can_hold_observed(const struct task_observed *observed);
void task_get_desired(const struct task *task, struct task_desired *ret_desired);
void task_get_observed(const struct task *task, char container_id[TASK_CONTAINER_ID_SIZE],
		       struct task_observed *ret_observed);
void task_take_desired(struct task *task, struct task_desired *desired, const struct job_id *job);
void task_take_observed(struct task *task, struct task_observed *observed);

/* The same of an observed half alone, and of what lies apart, whose texts a take gives; the task's id is the caller's.
 * Message and id of the container one by one: take gives back what the half does not hold, which a get is handed as
 * `otherwise`, or NULL. */
void observed_half_get(const struct observed_half *half, const struct observed_apart *apart,
		       char container_id[TASK_CONTAINER_ID_SIZE],
		       struct task_observed *ret_observed);
void observed_half_take(struct observed_half *half, struct task_observed *observed,
			struct observed_apart *ret_apart);
char *observed_half_message(const struct observed_half *half, char *otherwise);
char *observed_half_take_message(struct observed_half *half, char *message);
char *observed_half_container_id(const struct observed_half *half, char *otherwise,
				 char container_id[TASK_CONTAINER_ID_SIZE]);
char *observed_half_take_container_id(struct observed_half *half, char *container_id);

/* The sentence for people that goes with the reason of its present state; borrowed; NULL: none has been said. */
const char *task_message(const struct task *task);
void task_release(struct task *task);

/* May a task go from `from` to `to`? The whole table, nothing else. Staying is not a move. */
bool task_may_move(int from, int to);

/* Move; ERR_CONFLICT (and no change) for a move the table does not have. */
enum err_code task_move(struct task *task, int to, struct err *err) WARN_UNUSED;

bool task_is_final(int state);
/* Running, and health none or healthy. */
bool task_is_ready(const struct task *task);
/* Ended with reason exit_zero, the only success there is. */
bool task_succeeded(const struct task *task);
/* Placed, and its container is not yet confirmed gone (or written off): its reservation and ports still count. */
bool task_occupies_node(const struct task *task);

#endif
