/* A world for one worker: its store, a manager that only sends sets and acknowledges, and a
 * Docker made of a table, in virtual time. What a container does follows from its image's name
 * (worker_programs.c). After every turn the world checks what must always hold: no two
 * containers of a task run, nothing foreign is touched, versions and (epoch, rev) rise, what is
 * final stays so, what is gone does not run. */
#ifndef STORY_WORKER_WORLD_H
#define STORY_WORKER_WORLD_H

#include "base/testing.h"

#include "base/alloc.h"
#include "worker/worker.h"

#define WORLD_CONTAINERS 128
#define WORLD_ACTIONS	 64
#define WORLD_TASKS	 128
#define WORLD_FAULTS	 16

/* What the containers of an image do. */
struct program {
	const char *image;
	int64_t runs_ms; /* exits by itself after this; 0: never */
	int64_t exit_code;
	bool oom;
	bool oom_told_late; /* the first inspection after the end does not say so yet, as with Docker */
	int64_t health_at_ms; /* reports `health` after this; 0: has no check */
	int health;
	bool ignores_stop; /* anything but SIGKILL */
	int64_t stop_exit_code;
	int64_t start_fault; /* enum container_fault: of every START */
	const char *start_words;
};
const struct program *program_find(const char *image);

struct world_container {
	struct container_seen seen;
	const struct program *program;
	bool anonymous_volume_kept; /* made with `previous` that was there */
	int64_t ends_at_ms;
	int64_t health_at_ms;
	int64_t stops_at_ms;
	char address[16]; /* while it runs; another one after each start */
	int looked;	  /* inspections after its end */
};

/* A fault waiting for its verb: it strikes `times` times. */
struct world_fault {
	int verb;
	int fault;
	const char *words;
	bool happens; /* the action is carried out all the same */
	bool whole;   /* of lists only those of all containers */
	int times;
};

struct world_action {
	struct container_action action;
	char *resource;
	char *signal;
	char *previous;
	char *image;
	char *address;
	char *hook; /* first word of its command */
	bool told;  /* that it is being pulled */
	size_t n_files;
	bool has_contents; /* FILES: all bytes are there */
	int64_t due_ms;
};

/* The newest the manager knows of a task, as it would store it. */
struct world_task {
	struct task_id id;
	struct task_observed observed;
	bool was_final;
};

struct world {
	struct worker_options options;
	struct worker *worker;
	struct worker_out out;
	int64_t now_ms;
	int64_t wall_offset_ms;
	char boot_id[16];

	/* The store: what is committed, by kind and key. */
	struct changes store;

	/* Docker. */
	bool docker_up;
	uint64_t instance;
	bool hints;
	int64_t latency_ms;
	struct world_container containers[WORLD_CONTAINERS];
	size_t n_containers;
	struct world_action actions[WORLD_ACTIONS];
	size_t n_actions;
	struct world_fault faults[WORLD_FAULTS];
	size_t n_faults;
	struct strings networks;
	struct strings volumes;
	bool images_there; /* nothing needs to be pulled */
	/* What a health check of any container is answered with; NULL: it is well. And after how long. */
	const char *ill;
	int64_t probe_ms;
	bool no_addresses; /* containers are in no network */
	int64_t probed_ms; /* when the last health check was begun */
	int n_starts;
	/* Hooks take this long; those of the command "bad" fail, "quit" ends the container. */
	int64_t hook_ms;
	struct text hooks; /* those run, "ATTEMPT:COMMAND " each */

	/* The tmpfs: tasks whose files are there, as text; a reboot empties it. */
	struct strings files;

	/* The manager. */
	bool session;
	bool acks;
	struct uuid cluster;
	int64_t epoch, rev;
	LIST_OF(struct sync_template) templates;
	LIST_OF(struct sync_assignment) tasks;
	size_t n_made; /* tasks ever */
	LIST_OF(struct sync_volume) volumes_remove;
	LIST_OF(struct sync_content) contents; /* sent with every whole set */
	int64_t ack_due;		       /* report to acknowledge in the next down; 0: none */
	bool full_due;			       /* the worker asked for it */
	bool answers_full;
	struct sync_up last_up;
	struct world_task known[WORLD_TASKS];
	size_t n_known;

	/* What happened. */
	struct text story;
	size_t told; /* up to here a test has compared it */
	int n_ups;
	int n_done[16]; /* actions carried out, by verb */
	int n_puts;	/* records committed */

	/* Crash at the n-th action from now: before it is carried out, or after, without an
	 * answer. 0: never. */
	int crash_at;
	bool crash_after;
	/* Of the next turn only so many changes are committed, and the process ends. 0: never. */
	size_t cut_at;
	bool crashed;
};

struct world *world_new(void);
void world_free(struct world *world);

/* Let time go by. */
void world_run(struct world *world, int64_t duration_ms);
/* One event, as the shell would hand it in, and its turn. */
void world_event(struct world *world, const struct worker_event *event);

/* The process ends without a word, and starts again from what was committed. */
void world_crash(struct world *world);
/* The same, with a new boot of the machine: nothing runs any more. */
void world_reboot(struct world *world);
void world_docker_stop(struct world *world);  /* containers end as it goes down */
void world_docker_start(struct world *world); /* another run of it */
void world_docker_blink(struct world *world); /* live-restore: another run, the containers go on */
void world_session(struct world *world, bool open);

/* What is wanted. Slots and ids follow the order of tasks; job "shop/NAME" has the image as its
 * program. */
struct job_spec *world_job(struct world *world, const char *name, const char *image);
struct task_id world_task(struct world *world, const char *job);
/* The job uses this secret of these bytes. With `there` the manager can hand them over. */
void world_secret(struct world *world, struct job_spec *spec, const char *name, const char *bytes,
		  bool there);
/* Are the task's files on the tmpfs? */
bool world_has_files(const struct world *world, struct task_id id);
void world_want(struct world *world, struct task_id id, int wanted, int stop_reason);
void world_forget(struct world *world, struct task_id id);
/* Send the whole set, or the change against `base_rev`; rev rises. */
void world_send_full(struct world *world);
void world_send_change(struct world *world, int64_t base_rev, struct task_id id);
/* Job, task, session, full set: the usual beginning. */
struct task_id world_begin(struct world *world, const char *image);

/* The next action of this verb is answered so; once, and without being carried out, unless the
 * caller says else. */
struct world_fault *world_fault(struct world *world, int verb, int fault, const char *words);
struct world_container *world_container(struct world *world, struct task_id id, int64_t attempt);
struct world_container *world_put_container(struct world *world, const char *name,
					    struct uuid cluster, struct task_id id,
					    int64_t attempt);
void world_remove_container(struct world *world, struct world_container *container);
int world_running(const struct world *world, struct task_id id);
struct sync_assignment *world_assignment(struct world *world, struct task_id id);

/* What the manager knows. */
const struct task_observed *world_observed(const struct world *world, struct task_id id);

/* The story since the last comparison. */
void world_expect_story(struct world *world, const char *expected);
/* worker_docker.c: the table that stands for Docker. */
void docker_submit(struct world *world, const struct container_action *action);
void docker_cancel(struct world *world, uint64_t op);
int64_t docker_next_ms(const struct world *world);
/* Do the first thing that is due, with its event; false when nothing is. */
bool docker_turn(struct world *world);
/* Everything in flight ends without an answer; carried out or not. */
void docker_drop_actions(struct world *world, bool carry_out);
void docker_release(struct world *world);
/* What no task needs goes. */
void docker_sweep_files(struct world *world);
int64_t world_wall_ms(const struct world *world);

/* State, reason and sentence, as `drover why` would tell them. */
void world_expect(struct world *world, struct task_id id, int state, int reason,
		  const char *message);

#endif
