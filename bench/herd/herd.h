/* The control plane bench: one process plays N workers against a real manager. Each worker is the real core over a real
 * TLS session with a certificate of its own; only its containers are make-believe (they start at once), and what it
 * would write to its own disk is made and dropped, for its machine has a disk of its own. */
#ifndef HERD_H
#define HERD_H

#include <event2/event.h>
#include <sys/types.h>

#include "base/map.h"
#include "net/endpoint.h"
#include "worker/reconnect.h"
#include "worker/worker.h"

/* A container that was asked for. */
struct fake_container {
	struct task_id task;
	int64_t attempt;
	int state; /* enum container_state */
	int64_t exit_code;
	int64_t started_wall_ms;
	int64_t finished_wall_ms;
};

/* fake.c: the containers of one machine, by task and attempt. */
struct fake {
	struct map containers;
	struct strings networks;
	int64_t n_running;
};
void fake_carry_out(struct fake *fake, const struct container_action *action, struct uuid cluster,
		    struct container_result *ret_result);
void fake_release(struct fake *fake);

struct herd;
struct websocket;
struct herd_queued;

struct herd_worker {
	struct herd *herd;
	size_t number;
	bool killed;
	struct endpoint endpoint; /* its tls is the worker's own */
	struct worker *core;
	struct worker_out out;
	struct fake fake;
	struct websocket *session; /* NULL: none */
	bool open;
	bool told; /* by the manager, since the session opened, what it is to run */
	int64_t opened_ms;
	int64_t stats_ms; /* when its machine is measured next */
	struct reconnect reconnecting;
	struct event *timer;
	struct event *reconnect;
	struct herd_queued *queue;
	size_t n_queue;
	size_t queue_capacity;
	struct herd_worker *next_due; /* in herd.due */
	bool due;
};

struct herd {
	struct event_base *base;
	struct random random; /* of all: a question to the kernel a turn is dear for ten thousand */
	struct herd_worker *workers;
	size_t n_workers;
	int64_t cpu_milli; /* of each machine, and its memory: twice what its share of the tasks reserves */
	int64_t memory_bytes;
	struct herd_worker *due; /* workers with events to take, and the event that makes them */
	struct event *turn;
	/* Of the workers that were not killed. */
	int64_t n_running;
	size_t n_told;
	int64_t n_downs, n_ups; /* sync messages, to and from all workers */
	int64_t n_refused; /* sessions that ended otherwise than by our own hand, or did not begin */
};

/* worker.c. The membership lies in `dir`. Ends the program when it cannot be used. */
void herd_worker_start(struct herd *herd, size_t number, const char *dir);
/* The machine is off: nothing is said any more, the kernel closes what was open. */
void herd_worker_kill(struct herd_worker *worker);
void herd_worker_release(struct herd_worker *worker);
void herd_init(struct herd *herd, struct event_base *base, size_t n_workers, int64_t n_tasks);
void herd_release(struct herd *herd);

/* server.c: the manager's process, what /proc tells of it, and its API on the unix socket. */
struct http_client;
struct server {
	struct event_base *base;
	const char *program;
	char dir[256];
	char socket_path[300];
	char joined_at[64]; /* HOST:PORT */
	pid_t pid;	    /* 0: not our child */
	struct http_client *client;
	size_t n_waiting; /* calls without an answer */
	char *answer;	  /* the newest */
};
void server_start(struct server *server, int port);
/* For a process that was forked: calls of its own, on a loop of its own. */
void server_as_client(struct server *server);
/* Ends the bench if it has ended. */
void server_check_alive(const struct server *server);
/* Until it answers. */
void server_wait(struct server *server);
void server_kill(struct server *server, int signal);
/* One call, the loop running until it is answered; the answer is borrowed until the next. */
const char *server_call(struct server *server, const char *method, const char *target,
			const char *body);
/* Ask without waiting; server.n_waiting tells how many are not answered. */
void server_post(struct server *server, const char *target, const char *body);
/* The number behind "NAME": in a JSON text; -1: it is not there. */
int64_t server_number(const char *json, const char *name);
int64_t server_commits(struct server *server);

/* client.c: a process that submits the jobs and asks whether the manager answers. */
enum client_verb { CLIENT_SUBMIT = 's', CLIENT_ASK = 'a' };
struct client {
	pid_t pid;
	int fd;
	struct event *done;
	bool busy;
	double done_s; /* monotonic, by its own clock: when what was begun last was done */
};
/* While there are few workers: what they write afterwards would be copied, page by page. */
void client_start(struct client *client, struct event_base *base, const struct server *server,
		  int64_t n_tasks);
void client_begin(struct client *client, enum client_verb verb);
void client_end(struct client *client);

struct usage {
	double wall_s, server_cpu_s, herd_cpu_s;
	int64_t commits;
	int64_t sent_bytes, received_bytes; /* by the herd, TLS and all */
	int64_t n_downs, n_ups;		    /* messages to and from the herd */
	int64_t disk_bytes;		    /* written by the manager */
	double peak_mb, anonymous_mb;	    /* of the manager: since the phase began; now */
};
void usage_read(struct server *server, const struct herd *herd, struct usage *ret_usage);
/* The peak counts anew from here. */
void usage_reset_peak(const struct server *server);

double monotonic_s(void);
void pause_ms(long ms);
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
