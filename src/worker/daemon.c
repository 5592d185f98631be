/* The order of one turn is the contract of worker.h, written once, in turn(): commit, then act. */
#include "worker/daemon.h"

#include <string.h>
#include <unistd.h>

#include "api/envelope.h"
#include "base/alloc.h"
#include "base/check.h"
#include "net/http_client.h"
#include "net/shell.h"
#include "runtime/runtime.h"
#include "store/store.h"
#include "trust/membership.h"
#include "worker/files.h"
#include "worker/guard.h"
#include "worker/log_streams.h"
#include "worker/machine.h"
#include "worker/reconnect.h"
#include "worker/renewal.h"
#include "worker/worker.h"

#define PART	      "worker"
#define STATS_SECONDS 5
#define PROBE_SECONDS 1

/* An event with everything it points to, until its step. */
struct queued {
	int kind;
	struct sync_down down;
	uint64_t daemon_instance;
	struct container_result result;
	uint64_t op;
	char *name;
	struct node_facts facts;
	struct node_stats stats;
};

struct worker_daemon {
	struct event_base *base;
	struct endpoint manager;
	struct renewal *renewal; /* NULL: no certificate is needed */
	char *runtime_socket_path;
	char *docker_config;
	struct pairs labels;
	struct worker_options options;
	const struct store_ops *store_ops;
	struct store *store;
	struct worker *worker;
	struct worker_out out;
	const struct runtime_ops *runtime_ops;
	struct runtime *runtime;
	struct files *files; /* configs and secrets of tasks */
	struct guard *guard;
	bool guards_all;	     /* and not only what came over TLS */
	struct uuid runtime_cluster; /* what the runtime was told */
	char disk_path[1024];
	struct machine_meter meter;
	struct websocket *session; /* NULL: not connected */
	bool session_open;
	int64_t session_opened_ms;
	struct reconnect reconnecting;
	enum err_code said; /* why there was no session, the last time it was told */
	struct log_streams *streams;
	struct queued *queue;
	size_t n_queue;
	size_t queue_capacity;
	struct event *turn;
	struct event *timer;
	struct event *reconnect;
	struct event *stats;
	struct event *probe;
	void (*removed)(void *owner);
	void *owner;
	bool removed_told;
	bool store_broken; /* nothing is decided until the store takes commits again */
};

static void connect_manager(struct worker_daemon *daemon);

/* ---- the queue ----------------------------------------------------------------------------------------- */

static struct queued *queue_add(struct worker_daemon *daemon, int kind)
{
	daemon->queue = base_grow(daemon->queue, daemon->n_queue, &daemon->queue_capacity,
				  sizeof(struct queued));
	struct queued *queued = &daemon->queue[daemon->n_queue++];
	*queued = (struct queued){ .kind = kind };
	event_active(daemon->turn, EV_TIMEOUT, 1);
	return queued;
}

static void queue_clear(struct worker_daemon *daemon)
{
	for (size_t i = 0; i < daemon->n_queue; i++) {
		struct queued *queued = &daemon->queue[i];
		record_release(&sync_down_type, &queued->down);
		container_result_release(&queued->result);
		base_free(queued->name);
		record_release(&node_facts_type, &queued->facts);
	}
	daemon->n_queue = 0;
}

/* ---- the runtime's events ------------------------------------------------------------------------------ */

static void on_runtime_done(void *shell, struct container_result *result)
{
	container_result_take(&queue_add(shell, WORKER_ACTION_DONE)->result, result);
}

/* What is known of the machine; `facts` NULL: nothing of Docker yet. */
static void queue_facts(struct worker_daemon *daemon, const struct runtime_facts *facts)
{
	struct node_facts *machine = &queue_add(daemon, WORKER_FACTS)->facts;
	if (facts && facts->data_root[0])
		guard_deny(daemon->guard, facts->data_root);
	/* Docker's folder may be out of our sight, on another machine even. */
	if (facts && facts->data_root[0] && access(facts->data_root, F_OK) == 0)
		text_print(daemon->disk_path, sizeof(daemon->disk_path), "%s", facts->data_root);
	machine_facts(machine, daemon->disk_path);
	machine->drover_version = base_strdup(DROVER_VERSION);
	for (size_t i = 0; i < daemon->labels.n; i++)
		pairs_put(&machine->labels, daemon->labels.items[i].key,
			  daemon->labels.items[i].value);
	if (!facts)
		return;
	machine->runtime_version = base_strdup(facts->version);
	machine->api_minor = facts->api_minor;
	machine->runtime_id = facts->id[0] ? base_strdup(facts->id) : NULL;
	for (size_t i = 0; i < facts->labels.n; i++)
		pairs_put(&machine->engine_labels, facts->labels.items[i].key,
			  facts->labels.items[i].value);
}

static void on_runtime_up(void *shell, uint64_t daemon_instance, const struct runtime_facts *facts)
{
	struct worker_daemon *daemon = shell;
	queue_facts(daemon, facts);
	queue_add(daemon, WORKER_RUNTIME_UP)->daemon_instance = daemon_instance;
	shell_log(PART, "Docker is %s, API 1.%lld", facts->version, (long long)facts->api_minor);
}

static void on_runtime_down(void *shell, const char *why)
{
	queue_add(shell, WORKER_RUNTIME_DOWN);
	shell_log(PART, "%s", why);
}

static void on_runtime_hint(void *shell, const char *container_name)
{
	queue_add(shell, WORKER_HINT)->name = base_strdup(container_name);
}

static void on_runtime_pulling(void *shell, uint64_t op)
{
	queue_add(shell, WORKER_PULLING)->op = op;
}

static void on_runtime_progress(void *shell, uint64_t op, const char *text)
{
	(void)shell;
	(void)op;
	shell_log(PART, "pull: %s", text);
}

static const struct runtime_events runtime_events = {
	.done = on_runtime_done,
	.up = on_runtime_up,
	.down = on_runtime_down,
	.hint = on_runtime_hint,
	.pulling = on_runtime_pulling,
	.progress = on_runtime_progress,
};

/* ---- the manager's session ----------------------------------------------------------------------------- */

static void on_session_opened(void *owner, struct websocket *websocket)
{
	char where[ENDPOINT_TEXT_SIZE];
	struct worker_daemon *daemon = owner;
	(void)websocket;
	daemon->session_open = true;
	daemon->session_opened_ms = shell_now_ms();
	queue_add(daemon, WORKER_SESSION_OPENED);
	shell_log(PART, "connected to the manager at %s", endpoint_text(&daemon->manager, where));
}

static void on_stream_request(struct worker_daemon *daemon, json_t *value, struct err *err)
{
	struct stream_request request;
	char container[CONTAINER_NAME_SIZE] = "";
	if (json_to_record(&stream_request_type, value, JSON_INTERNAL, "stream", &request, err)) {
		shell_log(PART, "ignored a stream request: %s", err->message);
		return;
	}
	worker_container_of(daemon->worker, request.task, request.attempt, container);
	log_streams_open(daemon->streams, &request, container,
			 worker_has_terminal(daemon->worker, request.task));
	record_release(&stream_request_type, &request);
}

/* Takes what `down` points to. */
static void take_down(struct worker_daemon *daemon, const struct sync_down *down)
{
	if (down->reconnect_ms)
		daemon->reconnecting.window_ms = down->reconnect_ms;
	queue_add(daemon, WORKER_SYNC_DOWN)->down = *down;
}

static void on_session_message(void *owner, struct websocket *websocket, bool text,
			       const void *bytes, size_t len)
{
	struct worker_daemon *daemon = owner;
	const char *kind;
	json_t *value, *root;
	struct sync_down down;
	struct err err;
	(void)websocket;
	if (text && envelope_read(bytes, len, "sync", &sync_down_type, &down)) {
		take_down(daemon, &down);
		return;
	}
	if (!text || envelope_open(bytes, len, &kind, &value, &root, &err)) {
		shell_log(PART, "ignored a message of the manager that cannot be read");
		return;
	}
	if (strcmp(kind, "stream") == 0) {
		on_stream_request(daemon, value, &err);
	} else if (strcmp(kind, "sync") == 0) {
		if (json_to_record(&sync_down_type, value, JSON_INTERNAL, "sync", &down, &err))
			shell_log(PART, "ignored a message of the manager: %s: %s", err.field,
				  err.message);
		else
			take_down(daemon, &down);
	}
	json_decref(root);
}

static void on_session_closed(void *owner, struct websocket *websocket, const struct err *err)
{
	struct worker_daemon *daemon = owner;
	const char *reason;
	unsigned code = err->code == ERR_CLOSED ? websocket_close_code(websocket, &reason) : 0;
	int64_t now_ms = shell_now_ms();
	int64_t lasted_ms = daemon->session_open ? now_ms - daemon->session_opened_ms : 0;
	daemon->session = NULL;
	/* Say it once per loss and reason, not once per try. */
	if (daemon->session_open || !daemon->reconnecting.next_ms || daemon->said != err->code)
		shell_log(PART, "not connected to the manager: %s", err->message);
	daemon->said = err->code;
	if (err->code == ERR_FORBIDDEN && daemon->renewal)
		renewal_hurry(daemon->renewal);
	if (err->code == ERR_REMOVED || code == SYNC_CLOSE_REMOVED)
		queue_add(daemon, WORKER_REMOVED);
	if (daemon->session_open)
		queue_add(daemon, WORKER_SESSION_CLOSED);
	daemon->session_open = false;
	bool refused = err->code == ERR_FORBIDDEN || err->code == ERR_REMOVED;
	int64_t wait_ms =
		reconnect_wait_ms(&daemon->reconnecting, lasted_ms, code, refused, shell_seed());
	if (reconnect_advice(code))
		shell_log(PART, "%s; trying again in %lld s", reconnect_advice(code),
			  (long long)wait_ms / 1000);
	shell_arm(daemon->reconnect, now_ms + wait_ms);
}

/* Come back under the new certificate, before the old one ends. */
static void on_renewed(void *owner)
{
	struct worker_daemon *daemon = owner;
	if (daemon->store_broken)
		return;
	if (daemon->session)
		websocket_close(daemon->session, 1000, "the certificate was renewed");
	daemon->session = NULL;
	if (daemon->session_open)
		queue_add(daemon, WORKER_SESSION_CLOSED);
	daemon->session_open = false;
	daemon->reconnecting.next_ms = 0;
	shell_arm(daemon->reconnect, shell_now_ms() + LIMIT_RECONNECT_FIRST_MS);
}

static void connect_manager(struct worker_daemon *daemon)
{
	static const struct websocket_events events = { .opened = on_session_opened,
							.message = on_session_message,
							.closed = on_session_closed };
	char id[UUID_TEXT_SIZE];
	char target[96];
	if (worker_removal(daemon->worker) != WORKER_REMOVAL_NONE)
		return;
	text_print(target, sizeof(target), "/v1/nodes/%s/sync",
		   uuid_format(worker_node_id(daemon->worker).uuid, id));
	daemon->session =
		http_client_websocket(daemon->base, &daemon->manager, target, &events, daemon);
}

static void on_reconnect(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	connect_manager(arg);
}

static void close_session(struct worker_daemon *daemon)
{
	if (daemon->session)
		websocket_free(daemon->session);
	daemon->session = NULL;
	daemon->session_open = false;
	event_del(daemon->reconnect);
}

/* ---- store --------------------------------------------------------------------------------------------- */

static enum err_code visit(void *visitor, const struct change *change, struct err *err)
{
	return worker_replay(visitor, change, err);
}

static enum err_code commit(struct worker_daemon *daemon, struct err *err)
{
	if (daemon->out.changes.n == 0)
		return ERR_NONE;
	return daemon->store_ops->commit(daemon->store, &daemon->out.changes, err);
}

static void submit(struct worker_daemon *daemon, const struct container_action *action)
{
	struct container_result refusal;
	char folder[LIMIT_PATH_BYTES];
	struct container_action told = *action;
	if (action->verb == CONTAINER_FILES) {
		files_put(daemon->files, action, &refusal);
		queue_add(daemon, WORKER_ACTION_DONE)->result = refusal;
		return;
	}
	if (action->verb == CONTAINER_CREATE)
		told.files = files_of(daemon->files, action->task, folder);
	bool guarded = daemon->guards_all || action->over_tls;
	if (guarded && guard_refuses(daemon->guard, action, &refusal))
		queue_add(daemon, WORKER_ACTION_DONE)->result = refusal;
	else
		daemon->runtime_ops->submit(daemon->runtime, &told);
}

static bool needs_files(const void *owner, struct task_id task)
{
	return worker_needs_files(owner, task);
}

static void act(struct worker_daemon *daemon)
{
	struct worker_out *out = &daemon->out;
	struct uuid cluster = worker_cluster_id(daemon->worker);
	if (!uuid_equal(cluster, daemon->runtime_cluster)) {
		daemon->runtime_cluster = cluster;
		daemon->runtime_ops->set_cluster(daemon->runtime, cluster);
	}
	for (size_t i = 0; i < out->n_dropped; i++)
		daemon->runtime_ops->cancel(daemon->runtime, out->dropped[i]);
	for (size_t i = 0; i < out->n_actions; i++)
		submit(daemon, &out->actions[i]);
	if (out->sweep_files)
		files_sweep(daemon->files, needs_files, daemon->worker);
	if (out->has_up && daemon->session_open)
		envelope_send(daemon->session, "sync", &sync_up_type, &out->up);
	shell_log_notes(PART, &out->notes);
	shell_arm(daemon->timer, out->deadline_ms);
}

static struct worker_in input(void)
{
	return (struct worker_in){ .now_ms = shell_now_ms(),
				   .wall_ms = shell_wall_ms(),
				   .seed = shell_seed() };
}

/* A fresh core from the store, and its first commit. */
static enum err_code start_core(struct worker_daemon *daemon, struct err *err)
{
	struct worker_in in = input();
	char boot_id[64];
	worker_free(daemon->worker);
	daemon->worker = worker_new(&daemon->options);
	enum err_code code = daemon->store_ops->replay(daemon->store, visit, daemon->worker, err);
	if (code)
		return code;
	machine_boot_id(boot_id);
	worker_out_clear(&daemon->out);
	code = worker_start(daemon->worker, &in, boot_id, &daemon->out, err);
	if (!code)
		code = commit(daemon, err);
	if (code)
		return code;
	files_set_node(daemon->files, worker_node_id(daemon->worker));
	files_sweep(daemon->files, needs_files, daemon->worker);
	return ERR_NONE;
}

/* What was written is unknown: stand still until the store works, then start from what it holds. The runtime is
 * opened anew, so that no answer to an action of the old core reaches the new one. */
static void store_failed(struct worker_daemon *daemon, const struct err *err)
{
	shell_log(PART, "the store refused a commit, touching nothing until it takes one again: %s",
		  err->message);
	daemon->store_broken = true;
	queue_clear(daemon);
	event_del(daemon->timer);
	event_add(daemon->probe, &(struct timeval){ .tv_sec = PROBE_SECONDS });
}

/* Whom the manager has removed has nothing more to say to it. */
static void see_removal(struct worker_daemon *daemon)
{
	int removal = worker_removal(daemon->worker);
	if (removal == WORKER_REMOVAL_NONE)
		return;
	renewal_free(daemon->renewal);
	daemon->renewal = NULL;
	close_session(daemon);
	if (removal != WORKER_REMOVAL_OVER || daemon->removed_told)
		return;
	daemon->removed_told = true;
	if (daemon->removed)
		daemon->removed(daemon->owner);
}

/* ---- a turn -------------------------------------------------------------------------------------------- */

static void turn(struct worker_daemon *daemon)
{
	struct worker_in in = input();
	struct err err;
	struct worker_event *events = base_calloc(daemon->n_queue, sizeof(*events));
	for (size_t i = 0; i < daemon->n_queue; i++) {
		struct queued *queued = &daemon->queue[i];
		events[i] = (struct worker_event){ .kind = queued->kind,
						   .down = &queued->down,
						   .daemon_instance = queued->daemon_instance,
						   .result = &queued->result,
						   .op = queued->op,
						   .name = queued->name,
						   .facts = &queued->facts,
						   .stats = &queued->stats };
	}
	in.events = events;
	in.n_events = daemon->n_queue;
	worker_out_clear(&daemon->out);
	worker_step(daemon->worker, &in, &daemon->out);
	base_free(events);
	if (commit(daemon, &err)) {
		store_failed(daemon, &err);
		return;
	}
	queue_clear(daemon);
	act(daemon);
	see_removal(daemon);
	shell_tidy_memory();
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct worker_daemon *daemon = arg;
	(void)fd;
	(void)what;
	if (daemon->store_broken)
		queue_clear(daemon);
	else
		turn(daemon);
}

static void on_stats(evutil_socket_t fd, short what, void *arg)
{
	struct worker_daemon *daemon = arg;
	(void)fd;
	(void)what;
	machine_measure(&daemon->meter, daemon->disk_path, &queue_add(daemon, WORKER_STATS)->stats);
}

/* ---- life cycle ---------------------------------------------------------------------------------------- */

static void close_runtime(struct worker_daemon *daemon)
{
	log_streams_free(daemon->streams);
	daemon->streams = NULL;
	if (daemon->runtime)
		daemon->runtime_ops->close(daemon->runtime);
	daemon->runtime = NULL;
}

static enum err_code open_runtime(struct worker_daemon *daemon, struct err *err)
{
	struct runtime_options options = {
		.socket_path = daemon->runtime_socket_path,
		.docker_config = daemon->docker_config,
		.cluster = worker_cluster_id(daemon->worker),
	};
	daemon->runtime_cluster = options.cluster;
	enum err_code code = daemon->runtime_ops->open(daemon->base, &options, &runtime_events,
						       daemon, &daemon->runtime, err);
	if (!code)
		daemon->streams = log_streams_new(daemon->base, daemon->runtime_ops,
						  daemon->runtime, &daemon->manager);
	return code;
}

static void on_probe(evutil_socket_t fd, short what, void *arg)
{
	struct worker_daemon *daemon = arg;
	struct err err;
	(void)fd;
	(void)what;
	close_session(daemon);
	close_runtime(daemon);
	queue_clear(daemon);
	if (daemon->store_ops->probe(daemon->store, &err) || start_core(daemon, &err) ||
	    open_runtime(daemon, &err)) {
		event_add(daemon->probe, &(struct timeval){ .tv_sec = PROBE_SECONDS });
		return;
	}
	daemon->store_broken = false;
	shell_log(PART, "the store takes commits again");
	act(daemon);
	queue_facts(daemon, NULL);
	connect_manager(daemon);
}

static enum err_code start(struct worker_daemon *daemon,
			   const struct worker_daemon_options *options, struct err *err)
{
	const char *runtime_name = options->runtime_name ? options->runtime_name : "docker";
	struct store_options store_options = { .dir = options->data_dir };
	daemon->runtime_ops =
		options->runtime_ops ? options->runtime_ops : runtime_find(runtime_name);
	if (!daemon->runtime_ops)
		return err_set_field(err, ERR_INVALID, "--runtime", "there is no runtime \"%s\"",
				     runtime_name);
	daemon->store_ops = options->store_ops ? options->store_ops : &store_lmdb;
	/* The usual folder may never be needed, and not everybody can mount something there. */
	enum err_code code = options->files_dir ? files_check(daemon->files, err) : ERR_NONE;
	if (code)
		err_prefix(err, "--files-dir");
	else
		code = daemon->store_ops->open(&store_options, &daemon->store, err);
	if (!code)
		code = start_core(daemon, err);
	if (!code)
		code = open_runtime(daemon, err);
	return code;
}

/* A container that reaches the manager's socket or its keys is the owner of the cluster. */
static void open_guard(struct worker_daemon *daemon, const struct worker_daemon_options *options)
{
	daemon->guard = guard_new(options->policy_file ? options->policy_file : GUARD_FILE_DEFAULT);
	daemon->guards_all = options->policy_file || options->membership;
	guard_deny(daemon->guard, options->data_dir);
	guard_deny(daemon->guard, files_dir(daemon->files));
	guard_deny(daemon->guard, daemon->runtime_socket_path);
	if (options->manager_dir)
		guard_deny(daemon->guard, options->manager_dir);
	if (options->manager->socket_path)
		guard_deny(daemon->guard, options->manager->socket_path);
}

enum err_code worker_daemon_new(struct event_base *base,
				const struct worker_daemon_options *options,
				struct worker_daemon **ret_daemon, struct err *err)
{
	struct worker_daemon *daemon = base_calloc(1, sizeof(*daemon));
	struct node_stats first_reading;
	daemon->base = base;
	endpoint_copy(&daemon->manager, options->manager);
	daemon->runtime_socket_path =
		base_strdup(options->runtime_socket_path ? options->runtime_socket_path
							 : "/var/run/docker.sock");
	daemon->docker_config = base_strdup(options->docker_config);
	for (size_t i = 0; options->labels && i < options->labels->n; i++)
		pairs_put(&daemon->labels, options->labels->items[i].key,
			  options->labels->items[i].value);
	daemon->files = files_new(options->files_dir);
	open_guard(daemon, options);
	worker_options_default(&daemon->options);
	daemon->removed = options->removed;
	daemon->owner = options->owner;
	if (options->starts_parallel)
		daemon->options.starts_parallel = options->starts_parallel;
	if (options->membership)
		daemon->options.node.uuid = options->membership->certificate.name.id;
	text_print(daemon->disk_path, sizeof(daemon->disk_path), "%s", options->data_dir);
	daemon->turn = event_new(base, -1, 0, on_turn, daemon);
	daemon->timer = event_new(base, -1, 0, on_turn, daemon);
	daemon->reconnect = event_new(base, -1, 0, on_reconnect, daemon);
	daemon->probe = event_new(base, -1, 0, on_probe, daemon);
	daemon->stats = event_new(base, -1, EV_PERSIST, on_stats, daemon);
	enum err_code code = start(daemon, options, err);
	if (code) {
		worker_daemon_free(daemon);
		return code;
	}
	event_add(daemon->stats, &(struct timeval){ .tv_sec = STATS_SECONDS });
	/* The use of a processor shows between two readings. */
	machine_measure(&daemon->meter, daemon->disk_path, &first_reading);
	act(daemon);
	queue_facts(daemon, NULL);
	if (options->membership && worker_removal(daemon->worker) == WORKER_REMOVAL_NONE)
		daemon->renewal = renewal_new(base, options->membership, &daemon->manager,
					      on_renewed, daemon);
	connect_manager(daemon);
	*ret_daemon = daemon;
	return ERR_NONE;
}

enum err_code worker_daemon_look(const char *data_dir, struct node_id *ret_node, int *ret_removal,
				 struct err *err)
{
	struct store_options store_options = { .dir = data_dir };
	struct worker_options options;
	struct store *store = NULL;
	enum err_code code = store_lmdb.open(&store_options, &store, err);
	if (code)
		return code;
	worker_options_default(&options);
	struct worker *worker = worker_new(&options);
	code = store_lmdb.replay(store, visit, worker, err);
	*ret_node = worker_node_id(worker);
	*ret_removal = worker_removal(worker);
	worker_free(worker);
	store_lmdb.close(store);
	return code;
}

void worker_daemon_free(struct worker_daemon *daemon)
{
	if (!daemon)
		return;
	if (daemon->session)
		websocket_free(daemon->session);
	renewal_free(daemon->renewal);
	close_runtime(daemon);
	queue_clear(daemon);
	guard_free(daemon->guard);
	files_free(daemon->files);
	base_free(daemon->queue);
	worker_out_release(&daemon->out);
	worker_free(daemon->worker);
	if (daemon->store)
		daemon->store_ops->close(daemon->store);
	struct event *events[] = { daemon->turn, daemon->timer, daemon->reconnect, daemon->probe,
				   daemon->stats };
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		event_free(events[i]);
	pairs_release(&daemon->labels);
	endpoint_release(&daemon->manager);
	base_free(daemon->runtime_socket_path);
	base_free(daemon->docker_config);
	base_free(daemon);
}
