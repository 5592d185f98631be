/* Stories: a manager's core with scripted workers in virtual time. A test says what users ask and what workers report,
 * and compares the manager's notes with the lines it expects. Every step is checked (manager_check()), its changes go
 * into a store of bytes, and the manager can be killed at any point and replayed from it.
 *
 * The workers keep the real protocol (node/sync.h): what they hold comes only from messages. By default they do at
 * once what they are told and report it; hold_* make them silent about jobs of a name, so that a test can report
 * itself. */
#ifndef STORY_STORY_H
#define STORY_STORY_H

#include "manager/manager.h"

struct story_worker;
struct story_record;

struct story {
	struct manager *manager;
	struct manager_options options;
	struct manager_out out;
	struct manager_reply *reply; /* of the last request; in `out` */
	int64_t now_ms;
	int64_t wall_ms;
	int64_t rev;
	uint64_t seed;
	uint64_t next_session;
	struct story_worker **workers;
	size_t n_workers;
	struct story_record *records;
	size_t n_records, records_capacity;
	bool slow_link;	      /* what brings contents is answered with the next beat only */
	size_t content_bytes; /* so long is each of those asked for from now on; 0: short */
	struct text sent; /* hashes of the configs and secrets sent since the last story_sends() */
	struct text told; /* notes since the last story_tells() */
	const char *
		hold_start; /* jobs whose tasks do not report being started ("web cron"), and so on */
	const char *hold_stop;
	const char *hold_remove;
	const char *starting; /* jobs whose tasks run with health starting */
	const char *succeed;  /* jobs whose tasks exit 0 at once */
	const char *linger;   /* jobs whose ends are not confirmed yet */
	bool resume;	      /* tasks that said they restart do */
	bool over_tls;	      /* requests come from a client, not from the owner of the socket */
	bool quiet;	      /* do not let workers act after each request */
	struct project_request request;
	int close_code; /* with which a session was ended last (enum sync_close) */
	size_t n_downs; /* messages sent to workers so far */
	size_t n_steps;
	size_t n_changes;
};

void story_begin(struct story *story);
/* Replays the store into a fresh manager and compares before it frees everything. */
void story_end(struct story *story);

/* A worker with 4 CPUs and 8 GB joins. */
void story_join(struct story *story, const char *name);
/* ... with as much memory as is said. */
void story_join_with(struct story *story, const char *name, int64_t memory_bytes);
/* ... on the manager's own machine. */
void story_join_local(struct story *story, const char *name);
struct story_worker *story_worker(struct story *story, const char *name);
/* It stops speaking, or speaks again (in a new session). Its containers go on. */
void story_silence(struct story *story, const char *name);
void story_return(struct story *story, const char *name);
void story_set_runtime(struct story *story, const char *name, bool runtime_ok);
/* Another release takes the worker's place, in a new session. */
void story_set_protocol(struct story *story, const char *name, int64_t protocol);
void story_set_label(struct story *story, const char *name, const char *key, const char *value);
/* Lose, repeat or swap what goes between manager and worker. */
void story_lose_downs(struct story *story, const char *name, int n);
void story_repeat_ups(struct story *story, bool repeat);
void story_reorder_ups(struct story *story, bool reorder);
/* What the worker holds of a task becomes wrong. */
void story_corrupt(struct story *story, const char *name);
size_t story_fulls(const struct story *story, const char *name);
/* What Docker says when the worker is asked to remove a volume; NULL: it goes. */
void story_refuse_volumes(struct story *story, const char *name, const char *message);

/* Steps and messages until nothing more happens at this time; then time passes. */
void story_run(struct story *story);
void story_pass(struct story *story, int64_t ms);
/* One step by hand, committed and delivered. */
void story_step(struct story *story, const struct manager_in *in);
/* Kill the manager and start it again from what it committed. */
void story_restart(struct story *story);

/* A request is built: project, then jobs (the specification can be changed until it is sent). */
void story_project(struct story *story, const char *name);
struct job_spec *story_job(struct story *story, const char *name, int64_t replicas);
struct depend *story_depends(struct job_spec *spec, const char *job, int condition);
void story_mount(struct story *story, struct job_spec *spec, const char *volume);
/* The job uses a secret (or config), whose hash is KEY-VERSION; that of an earlier call is replaced. */
void story_content(struct story *story, struct job_spec *spec, int kind, const char *key,
		   int version);
/* What was sent to workers since the last call: "pw-1 token-1 ". */
void story_sends(struct story *story, const char *expected);
/* How many configs and secrets the manager keeps of the project. */
size_t story_keeps(struct story *story, const char *project);
/* Each sends a request, runs the story, and returns the code of the reply. */
enum err_code story_apply(struct story *story);
enum err_code story_submit(struct story *story);
enum err_code story_ask(struct story *story, const struct manager_request *request);
enum err_code story_act(struct story *story, int kind, const char *project, const char *job);
enum err_code story_scale(struct story *story, const char *project, const char *job,
			  int64_t replicas);
enum err_code story_act_task(struct story *story, int kind, const char *task);
/* Drain, resume or remove a worker's node; `fenced` for the last. */
enum err_code story_act_node(struct story *story, int kind, const char *name, bool fenced);

/* The node of a worker. Fails the test when there is none. */
struct node_entry *story_node(struct story *story, const char *name);
/* The newest task of a slot, withdrawn ones aside: "shop/web.2"; and with what came before. Fails the test when
 * there is none. */
struct task *story_task(struct story *story, const char *name);
size_t story_count(struct story *story,
		   const char *job); /* tasks of "shop/web", history included */
/* The worker reports: "shop/web.1" is in this state for this reason. */
void story_report(struct story *story, const char *task, int state, int reason,
		  const char *message);
/* ... and the message that says so is handed over, to be sent by hand in the session that is returned. */
uint64_t story_say(struct story *story, const char *task, int state, int reason,
		   struct sync_up *ret_up);
/* ... whichever task it is, if a worker holds it and it has not ended there. */
void story_report_task(struct story *story, struct task_id id, int state, int reason);
/* Does its worker hold it as a task that was asked for over TLS? */
bool story_is_over_tls(struct story *story, const char *task);
/* How many tasks the worker holds. */
size_t story_holds(struct story *story, const char *name);
void story_health(struct story *story, const char *task, int health);

/* Everything noted since the last call, line by line. */
void story_tells(struct story *story, const char *expected);
void story_forget(struct story *story);
/* "running 3/3 ready: 3 of 3 ready". */
void story_stands(struct story *story, const char *job, int standing, const char *message);
/* State and sentence of the newest task of a slot. */
void story_why(struct story *story, const char *task, int state, int reason, const char *sentence);
/* The effect the last reply names for a job. */
void story_effect(struct story *story, const char *job, int effect);

#endif
