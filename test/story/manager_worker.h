/* Inside the manager's story harness: the scripted worker, shared by its two files. */
#ifndef STORY_MANAGER_WORKER_H
#define STORY_MANAGER_WORKER_H

#include "manager_story.h"

/* A task as the worker holds it. */
struct held {
	struct sync_assignment assignment;
	struct task_observed observed;
	int64_t unacked; /* 0: acknowledged */
};

struct template_held {
	struct job_id job;
	int64_t revision;
	char *name;
	struct strings hashes; /* of the configs and secrets its tasks need */
	bool over_tls;
};

struct story_worker {
	char *name;
	struct node_id node;
	struct node_facts facts;
	uint64_t session;
	const char *address; /* its sessions come from there; NULL: none */
	bool local;	     /* its sessions come from the manager's machine */
	bool silent;
	bool introduced;
	bool runtime_ok;
	int64_t epoch;
	int64_t rev;
	struct uuid cluster;
	bool want_full;
	bool owes_up;
	int64_t report;
	int64_t version;
	struct held **tasks;
	size_t n_tasks, tasks_capacity;
	struct template_held *templates;
	size_t n_templates, templates_capacity;
	struct strings contents; /* hashes of those it holds */
	struct strings volumes_asked;
	const char *volume_refusal;
	int lose_downs;
	size_t n_fulls;
	bool repeat_ups;
	bool reorder_ups;
	struct sync_up kept; /* an older message, to come late */
	bool has_kept;
	int64_t next_beat_ms;
};

/* NULL: it does not hold the task. */
struct held *held_find(const struct story_worker *worker, struct task_id id);
/* The template of a task it holds. */
struct template_held *worker_template(const struct story_worker *worker, const struct held *held);
struct story_worker *worker_of_session(struct story *story, uint64_t session);
void worker_take(struct story *story, struct story_worker *worker, const struct sync_down *down);
/* The task is in this state now; the next message says so. */
void worker_say(struct story *story, struct story_worker *worker, struct held *held, int state,
		int reason, const char *message);
/* Do what is wanted of the task. */
void worker_act(struct story *story, struct story_worker *worker, struct held *held);
void worker_fill_up(struct story_worker *worker, struct sync_up *ret_up);
void worker_free(struct story_worker *worker);

#endif
