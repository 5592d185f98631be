/* Both daemons on one loop, over a real socket in a folder of the test's own, with a store in memory that fails when
 * told to and a fake Docker that outlives the worker. Waiting is for a condition; the cap on it only turns a hang into
 * a failure. */
#ifndef TEST_SHELLS_RIG_H
#define TEST_SHELLS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "manager/daemon.h"
#include "net/http_client.h"
#include "runtime/fake.h"
#include "store/store.h"
#include "worker/daemon.h"

/* A store in memory that outlives its daemon. */
struct rig_store {
	struct store *store;
	struct store_ops ops;
	int64_t used_bytes, max_bytes; /* what it says of itself when max_bytes is not 0 */
};

struct rig {
	struct event_base *base;
	char folder[64];
	char socket_path[96];
	struct endpoint endpoint; /* of the socket; borrows its path */
	struct http_client *http;
	struct manager_daemon *manager;
	struct worker_daemon *worker;
	struct rig_store manager_store;
	struct rig_store worker_store;
	int size_asks;	       /* of the manager's store: one per handshake of a worker */
	enum err_code replays; /* of the manager's store fail with this */
	char listen[300];      /* where it listened for other machines; see members.h */
};

/* A loop and the stores; no daemon yet. One rig at a time. For cmocka: *state is the rig. */
int rig_setup(void **state);
int rig_teardown(void **state);
void rig_start_manager(struct rig *rig);
void rig_stop_manager(struct rig *rig);
struct worker_daemon_options rig_worker_options(struct rig *rig);
void rig_start_worker(struct rig *rig);
void rig_stop_worker(struct rig *rig);

/* The fake Docker of the worker. */
struct runtime *rig_docker(void);
struct fake_world *rig_world(void);
size_t rig_containers_running(void);
/* A line for each container, newest first: name and id. */
void rig_list_containers(char out[4096]);

/* Turn the loop until condition(rig, argument); `what` names it when it never comes. */
void rig_until(struct rig *rig, const char *what, bool (*condition)(struct rig *, const void *),
	       const void *argument);
/* Turn the loop for so long: for what shall not happen. */
void rig_turn(struct rig *rig, int duration_ms);

struct rig_answer {
	int status;
	json_t *body; /* NULL: it was not JSON */
};
/* One call, to its end. The answer's body is the caller's. */
struct rig_answer rig_call(struct rig *rig, const char *method, const char *target,
			   const char *idempotency_key, const char *body);
/* One call of which only the status matters. */
int rig_status(struct rig *rig, const char *method, const char *target, const char *idempotency_key,
	       const char *body);

/* A job "web" that runs until it is stopped. */
#define RIG_WEB(replicas)                                                                          \
	"{\"jobs\":[{\"name\":\"web\",\"spec\":{\"image\":\"busybox\",\"has_command\":true,"       \
	"\"command\":[\"sh\",\"-c\",\"trap 'exit 0' TERM; while :; do sleep 1; done\"],"           \
	"\"replicas\":" replicas "}}]}"
/* Manager, worker, and RIG_WEB("2") running as project shop, asked for under the key "up". */
void rig_bring_up(struct rig *rig);
void rig_wait_ready(struct rig *rig);
int rig_count_tasks(struct rig *rig, const char *state);
void rig_wait_running(struct rig *rig, int count);
/* The cluster's view shows read_only as `const bool *` says. */
bool rig_is_read_only(struct rig *rig, const void *wanted);
/* The text of a member of the first item of a list: rig_first(rig, "tasks", "id", out). */
void rig_first(struct rig *rig, const char *list, const char *member, char out[128]);

#endif
