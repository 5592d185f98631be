#include "rig.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "net/shell.h"

#define WAIT_MS 30000

/* ---- stores that outlive their daemon ------------------------------------------------------------------ */

static struct rig *the_rig;

static enum err_code open_kept(struct rig_store *kept, const struct store_options *options,
			       struct store **ret_store, struct err *err)
{
	if (!kept->store && store_memory.open(options, &kept->store, err))
		return err->code;
	*ret_store = kept->store;
	return ERR_NONE;
}

static enum err_code replay_manager_store(struct store *store, store_visit_fn *visit, void *visitor,
					  struct err *err)
{
	if (the_rig->replays)
		return err_set(err, the_rig->replays, "replays fail as they were told to");
	return store_memory.replay(store, visit, visitor, err);
}

static void size_manager_store(struct store *store, int64_t *ret_used_bytes, int64_t *ret_max_bytes)
{
	the_rig->size_asks++;
	store_memory.size(store, ret_used_bytes, ret_max_bytes);
	if (!the_rig->manager_store.max_bytes)
		return;
	*ret_used_bytes = the_rig->manager_store.used_bytes;
	*ret_max_bytes = the_rig->manager_store.max_bytes;
}

static enum err_code open_manager_store(const struct store_options *options,
					struct store **ret_store, struct err *err)
{
	return open_kept(&the_rig->manager_store, options, ret_store, err);
}

static enum err_code open_worker_store(const struct store_options *options,
				       struct store **ret_store, struct err *err)
{
	return open_kept(&the_rig->worker_store, options, ret_store, err);
}

static void close_not(struct store *store)
{
	(void)store;
}

/* ---- a Docker that outlives the worker ----------------------------------------------------------------- */

/* Stands before the fake runtime; what was asked by a worker that is gone is answered to nobody. */
static struct {
	struct runtime *inner;
	const struct runtime_events *events; /* NULL: nobody listens */
	void *shell;
	size_t n_asked, n_stale;
	bool up;
	uint64_t instance;
	struct runtime_facts facts;
	struct event *tell_up;
} docker;

static void on_done(void *shell, struct container_result *result)
{
	(void)shell;
	docker.n_asked--;
	if (docker.n_stale)
		docker.n_stale--;
	else if (docker.events)
		docker.events->done(docker.shell, result);
}

static void on_up(void *shell, uint64_t instance, const struct runtime_facts *facts)
{
	(void)shell;
	docker.up = true;
	docker.instance = instance;
	docker.facts = *facts;
	docker.facts.labels = (struct pairs){ 0 };
	if (docker.events)
		docker.events->up(docker.shell, instance, facts);
}

static void on_down(void *shell, const char *why)
{
	(void)shell;
	docker.up = false;
	if (docker.events)
		docker.events->down(docker.shell, why);
}

static void on_hint(void *shell, const char *name)
{
	(void)shell;
	if (docker.events)
		docker.events->hint(docker.shell, name);
}

static void on_pulling(void *shell, uint64_t op)
{
	(void)shell;
	if (docker.events)
		docker.events->pulling(docker.shell, op);
}

static void on_progress(void *shell, uint64_t op, const char *text)
{
	(void)shell;
	(void)op;
	(void)text;
}

static void on_tell_up(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
	if (docker.events && docker.up)
		docker.events->up(docker.shell, docker.instance, &docker.facts);
}

static enum err_code docker_open(struct event_base *base, const struct runtime_options *options,
				 const struct runtime_events *events, void *shell,
				 struct runtime **ret_runtime, struct err *err)
{
	static const struct runtime_events inner_events = { .done = on_done,
							    .up = on_up,
							    .down = on_down,
							    .hint = on_hint,
							    .pulling = on_pulling,
							    .progress = on_progress };
	docker.events = events;
	docker.shell = shell;
	*ret_runtime = (struct runtime *)&docker;
	if (!docker.inner) {
		docker.tell_up = event_new(base, -1, 0, on_tell_up, NULL);
		return runtime_fake_ops.open(base, options, &inner_events, NULL, &docker.inner,
					     err);
	}
	runtime_fake_ops.set_cluster(docker.inner, options->cluster);
	event_active(docker.tell_up, EV_TIMEOUT, 0);
	return ERR_NONE;
}

static void docker_set_cluster(struct runtime *runtime, struct uuid cluster)
{
	(void)runtime;
	runtime_fake_ops.set_cluster(docker.inner, cluster);
}

static void docker_submit(struct runtime *runtime, const struct container_action *action)
{
	(void)runtime;
	docker.n_asked++;
	runtime_fake_ops.submit(docker.inner, action);
}

static struct runtime_logs *docker_logs_open(struct runtime *runtime, const char *name,
					     const struct runtime_logs_options *options,
					     const struct runtime_logs_events *events, void *reader)
{
	(void)runtime;
	return runtime_fake_ops.logs_open(docker.inner, name, options, events, reader);
}

static void docker_logs_pause(struct runtime_logs *logs, bool pause)
{
	runtime_fake_ops.logs_pause(logs, pause);
}

static void docker_logs_close(struct runtime_logs *logs)
{
	runtime_fake_ops.logs_close(logs);
}

static bool docker_usage(struct runtime *runtime, const char *id, struct runtime_usage *ret_usage)
{
	(void)runtime;
	return runtime_fake_ops.usage(docker.inner, id, ret_usage);
}

static void docker_close(struct runtime *runtime)
{
	(void)runtime;
	docker.events = NULL;
	docker.n_stale = docker.n_asked;
	event_del(docker.tell_up);
}

static const struct runtime_ops docker_ops = {
	.name = "kept",
	.open = docker_open,
	.set_cluster = docker_set_cluster,
	.submit = docker_submit,
	.logs_open = docker_logs_open,
	.logs_pause = docker_logs_pause,
	.logs_close = docker_logs_close,
	.usage = docker_usage,
	.close = docker_close,
};

struct runtime *rig_docker(void)
{
	return docker.inner;
}

struct fake_world *rig_world(void)
{
	return runtime_fake_world(docker.inner);
}

size_t rig_containers_running(void)
{
	size_t n = 0;
	for (struct fake_container *at = rig_world()->containers; at; at = at->next)
		n += at->state == CONTAINER_RUNNING;
	return n;
}

void rig_list_containers(char out[4096])
{
	struct text text;
	text_init(&text, 4095);
	for (struct fake_container *at = rig_world()->containers; at; at = at->next)
		text_addf(&text, "%s %s\n", at->name, at->id);
	memcpy(out, text_string(&text), text.len + 1);
	text_release(&text);
}

/* ---- the rig ------------------------------------------------------------------------------------------- */

int rig_setup(void **state)
{
	static struct rig kept;
	struct rig *rig = &kept;
	*state = rig;
	*rig = (struct rig){ .folder = "/tmp/drover-shells-XXXXXX" };
	the_rig = rig;
	memset(&docker, 0, sizeof(docker));
	assert_non_null(mkdtemp(rig->folder));
	text_print(rig->socket_path, sizeof(rig->socket_path), "%s/s", rig->folder);
	rig->base = event_base_new();
	assert_non_null(rig->base);
	rig->http = http_client_new(rig->base, ENDPOINT_OF_PATH(rig->socket_path), 4);
	rig->manager_store.ops = store_memory;
	rig->manager_store.ops.open = open_manager_store;
	rig->manager_store.ops.close = close_not;
	rig->manager_store.ops.replay = replay_manager_store;
	rig->manager_store.ops.size = size_manager_store;
	rig->worker_store.ops = store_memory;
	rig->worker_store.ops.open = open_worker_store;
	rig->worker_store.ops.close = close_not;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;
	worker_daemon_free(rig->worker);
	manager_daemon_free(rig->manager);
	http_client_free(rig->http);
	if (docker.inner) {
		runtime_fake_ops.close(docker.inner);
		event_free(docker.tell_up);
	}
	/* WebSockets say goodbye; when nothing is left to wait for, this returns. */
	event_base_dispatch(rig->base);
	event_base_free(rig->base);
	if (rig->manager_store.store)
		store_memory.close(rig->manager_store.store);
	if (rig->worker_store.store)
		store_memory.close(rig->worker_store.store);
	/* With what the manager and whoever joined keep in it. */
	assert_int_equal(nftw(rig->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	return 0;
}

void rig_start_manager(struct rig *rig)
{
	struct err err = { 0 };
	struct manager_daemon_options options = { .data_dir = rig->folder,
						  .socket_path = rig->socket_path,
						  .store_ops = &rig->manager_store.ops };
	if (manager_daemon_new(rig->base, &options, &rig->manager, &err))
		fail_msg("the manager does not start: %s", err.message);
}

void rig_stop_manager(struct rig *rig)
{
	manager_daemon_free(rig->manager);
	rig->manager = NULL;
}

struct worker_daemon_options rig_worker_options(struct rig *rig)
{
	rig->endpoint.socket_path = rig->socket_path;
	return (struct worker_daemon_options){ .data_dir = rig->folder,
					       .manager = &rig->endpoint,
					       .runtime_ops = &docker_ops,
					       .store_ops = &rig->worker_store.ops };
}

void rig_start_worker(struct rig *rig)
{
	struct err err = { 0 };
	struct worker_daemon_options options = rig_worker_options(rig);
	if (worker_daemon_new(rig->base, &options, &rig->worker, &err))
		fail_msg("the worker does not start: %s", err.message);
}

void rig_stop_worker(struct rig *rig)
{
	worker_daemon_free(rig->worker);
	rig->worker = NULL;
}

static void on_watchdog(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	fail_msg("never came: %s", (const char *)argument);
}

static void turn_once(struct rig *rig, const char *what)
{
	struct event *watchdog =
		evtimer_new(rig->base, on_watchdog, (void *)(uintptr_t)(const void *)what);
	evtimer_add(watchdog, &(struct timeval){ .tv_sec = WAIT_MS / 1000 });
	event_base_loop(rig->base, EVLOOP_ONCE);
	event_free(watchdog);
}

void rig_until(struct rig *rig, const char *what, bool (*condition)(struct rig *, const void *),
	       const void *argument)
{
	int64_t end_ms = shell_now_ms() + WAIT_MS;
	while (!condition(rig, argument)) {
		if (shell_now_ms() > end_ms)
			fail_msg("never came: %s", what);
		turn_once(rig, what);
	}
}

void rig_turn(struct rig *rig, int duration_ms)
{
	struct timeval duration = { duration_ms / 1000, duration_ms % 1000 * 1000 };
	event_base_loopexit(rig->base, &duration);
	event_base_dispatch(rig->base);
}

/* ---- calls --------------------------------------------------------------------------------------------- */

struct pending_call {
	bool done;
	struct rig_answer answer;
};

static void on_answer(void *owner, struct http_call *call, const struct err *err,
		      enum http_sent sent, int status, struct http_view body)
{
	struct pending_call *pending = owner;
	(void)call;
	(void)sent;
	if (err)
		fail_msg("%s", err->message);
	pending->answer.status = status;
	if (body.len)
		pending->answer.body = json_loadb(body.bytes, body.len, 0, NULL);
	pending->done = true;
}

struct rig_answer rig_call(struct rig *rig, const char *method, const char *target,
			   const char *idempotency_key, const char *body)
{
	static const struct http_call_events events = { .done = on_answer };
	struct pending_call pending = { 0 };
	char headers[128] = "";
	if (idempotency_key)
		text_print(headers, sizeof(headers), "Idempotency-Key: %s\r\n", idempotency_key);
	struct http_call_options options = { .method = method,
					     .target = target,
					     .headers = headers[0] ? headers : NULL,
					     .content_type = body ? "application/json" : NULL,
					     .body = body,
					     .body_len = body ? strlen(body) : 0,
					     .timeout_ms = WAIT_MS };
	http_client_call(rig->http, &options, &events, &pending);
	while (!pending.done)
		turn_once(rig, target);
	return pending.answer;
}

int rig_status(struct rig *rig, const char *method, const char *target, const char *idempotency_key,
	       const char *body)
{
	struct rig_answer answer = rig_call(rig, method, target, idempotency_key, body);
	json_decref(answer.body);
	return answer.status;
}

int rig_count_tasks(struct rig *rig, const char *state)
{
	char target[96];
	text_print(target, sizeof(target), "/v1/tasks?state=%s", state);
	struct rig_answer answer = rig_call(rig, "GET", target, NULL, NULL);
	assert_int_equal(answer.status, 200);
	int n = (int)json_array_size(json_object_get(answer.body, "tasks"));
	json_decref(answer.body);
	return n;
}

static bool tasks_run(struct rig *rig, const void *count)
{
	return rig_count_tasks(rig, "running") == *(const int *)count;
}

void rig_wait_running(struct rig *rig, int count)
{
	rig_until(rig, "as many running tasks", tasks_run, &count);
}

static bool node_is_ready(struct rig *rig, const void *unused)
{
	(void)unused;
	struct rig_answer answer = rig_call(rig, "GET", "/v1/nodes", NULL, NULL);
	json_t *node = json_array_get(json_object_get(answer.body, "nodes"), 0);
	const char *state = json_string_value(json_object_get(node, "state"));
	const char *role = json_string_value(json_object_get(node, "role"));
	bool ready = state && strcmp(state, "ready") == 0 && strcmp(role, "manager") != 0;
	json_decref(answer.body);
	return ready;
}

void rig_wait_ready(struct rig *rig)
{
	rig_until(rig, "a ready node", node_is_ready, NULL);
}

void rig_bring_up(struct rig *rig)
{
	rig_start_manager(rig);
	rig_start_worker(rig);
	rig_wait_ready(rig);
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", "up", RIG_WEB("2")),
			 200);
	rig_wait_running(rig, 2);
}

bool rig_is_read_only(struct rig *rig, const void *wanted)
{
	struct rig_answer answer = rig_call(rig, "GET", "/v1/cluster", NULL, NULL);
	bool is = json_is_true(json_object_get(answer.body, "read_only"));
	json_decref(answer.body);
	return answer.status == 200 && is == *(const bool *)wanted;
}

void rig_first(struct rig *rig, const char *list, const char *member, char out[128])
{
	char target[64];
	text_print(target, sizeof(target), "/v1/%s", list);
	struct rig_answer answer = rig_call(rig, "GET", target, NULL, NULL);
	json_t *item = json_array_get(json_object_get(answer.body, list), 0);
	const char *text = json_string_value(json_object_get(item, member));
	assert_non_null(text);
	text_print(out, 128, "%s", text);
	json_decref(answer.body);
}
