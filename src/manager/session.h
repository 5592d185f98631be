/* Inside the manager's core: what it remembers of a session with a worker. */
#ifndef MANAGER_SESSION_H
#define MANAGER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "job/job.h"
#include "manager/queue.h"
#include "node/node.h"
#include "task/task.h"

struct session_change {
	struct task_id task;
	struct job_id job;
	int64_t revision;
	uint64_t template;
};

/* The configs and secrets of one revision, which its tasks on a session's machine need. */
struct content_debt {
	struct job_id job;
	int64_t revision;
};

struct session {
	uint64_t number;
	struct node_id node;  /* zero: has not said yet who it is */
	bool local;	      /* came over the unix socket */
	char *address;	      /* came from this IP address; NULL: none */
	bool speaks;	      /* in manager.speakers or telling.waiting: owes a message */
	bool farewell;	      /* its node has left: after the next message it is ended */
	bool full;	      /* the next message carries the whole set */
	struct uuid instance; /* of the worker's process; zero: it did not say */
	int64_t sent_rev;     /* 0: nothing sent yet */
	int64_t sent_ms;      /* monotonic: the newest message */
	bool reported;	      /* its worker waits for the answer to a report */
	uint64_t sent_digest;
	int64_t report_acked;
	uint64_t *templates; /* those the worker holds, ascending (publish.c) */
	size_t n_templates;
	size_t templates_capacity;
	struct session_change *changed;
	size_t n_changed;
	size_t changed_capacity;
	struct map fed; /* the tasks whose configs and secrets it was sent, or is owed */
	struct content_debt *owed;
	size_t n_owed;
	size_t owed_capacity;
	size_t owed_at;	     /* those ahead are paid; of this one ... */
	size_t owed_content; /* ... so many contents are */
};

/* Of the manager: what it says to all workers (publish.c). */
struct telling {
	int64_t credit;	      /* messages that may be sent at once, in thousandths, ... */
	int64_t credit_ms;    /* ... as it stood then */
	struct queue waiting; /* sessions that owe one, by when they may be sent it */
	struct map templates; /* those made in this step, which `out` holds */
};

#endif
