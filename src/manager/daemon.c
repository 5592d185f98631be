/* The order of one turn is the contract of manager.h, written once, in turn(): commit, then speak.
 *
 * Invariants:
 * 1. Outside a turn the world is what the store holds, as it stands after a start; NULL: the store could not be read
 *    back, and there is nothing to read.
 * 2. While read_only no worker is connected, the core is not stepped, and the probe is armed.
 * 3. Every mutation that came in is answered exactly once, or its client has left. */
#include "manager/daemon.h"

#include <string.h>

#include "api/server.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/audit.h"
#include "manager/gate.h"
#include "manager/manager.h"
#include "manager/plans.h"
#include "manager/vault.h"
#include "net/shell.h"
#include "store/store.h"

#define PART	      "manager"
#define PROBE_SECONDS 1

/* An event with everything it points to, until its step. */
struct queued {
	int kind;
	struct api_mutation *mutation;
	uint64_t session;
	bool local; /* of a session that opened, and the address it came from */
	char address[LIMIT_ADDRESS_BYTES];
	struct sync_up up;
};

struct manager_daemon {
	struct event_base *base;
	struct api_server *server;
	struct audit *audit; /* NULL: none is kept */
	const struct store_ops *store_ops;
	struct store *store;
	struct manager *manager; /* NULL: lost, see invariant 1 */
	struct manager_options options;
	struct manager_out out;
	int64_t rev; /* of the last durable commit */
	struct queued *queue;
	size_t n_queue;
	size_t queue_capacity;
	struct event *turn;  /* runs once after the events that filled the queue */
	struct event *timer; /* the core's deadline */
	struct event *probe; /* while read-only: may we commit again? */
	bool read_only;
	struct err read_only_err;
	struct gate *gate;
	struct plans *plans;
	struct vault *vault;		    /* secrets */
	bool forgets;			    /* those that another key sealed */
	char joined_at[ENDPOINT_TEXT_SIZE]; /* where joiners find us; "": nowhere */
};

/* ---- the queue ----------------------------------------------------------------------------------------- */

static struct queued *queue_add(struct manager_daemon *daemon, int kind)
{
	daemon->queue = base_grow(daemon->queue, daemon->n_queue, &daemon->queue_capacity,
				  sizeof(struct queued));
	struct queued *queued = &daemon->queue[daemon->n_queue++];
	*queued = (struct queued){ .kind = kind };
	event_active(daemon->turn, EV_TIMEOUT, 1);
	return queued;
}

static void queued_release(struct queued *queued)
{
	api_mutation_free(queued->mutation);
	record_release(&sync_up_type, &queued->up);
}

static void queue_clear(struct manager_daemon *daemon)
{
	for (size_t i = 0; i < daemon->n_queue; i++)
		queued_release(&daemon->queue[i]);
	daemon->n_queue = 0;
}

/* Answer every queued mutation with an error: nothing of it happened, or it is unknown and the key tells. */
static void queue_refuse(struct manager_daemon *daemon, const struct err *err)
{
	for (size_t i = 0; i < daemon->n_queue; i++) {
		if (!daemon->queue[i].mutation)
			continue;
		struct manager_reply reply = { .handle = daemon->queue[i].mutation->request.handle,
					       .err = *err };
		api_server_reply(daemon->server, &reply);
	}
}

/* ---- store --------------------------------------------------------------------------------------------- */

static enum err_code visit(void *visitor, const struct change *change, struct err *err)
{
	return manager_replay(visitor, change, err);
}

static struct manager_in input(struct manager_daemon *daemon)
{
	return (struct manager_in){ .now_ms = shell_now_ms(),
				    .wall_ms = shell_wall_ms(),
				    .seed = shell_seed(),
				    .rev = daemon->rev + 1 };
}

/* A fresh world from the store, started in memory; what is to be committed for it lies in `out`. */
static enum err_code reload(struct manager_daemon *daemon, struct err *err)
{
	struct manager_in in = input(daemon);
	manager_out_clear(&daemon->out);
	manager_free(daemon->manager);
	daemon->options.forget_unless = daemon->forgets ? vault_key_id(daemon->vault) : NULL;
	daemon->manager = manager_new(&daemon->options, shell_seed());
	enum err_code code = daemon->store_ops->replay(daemon->store, visit, daemon->manager, err);
	if (!code)
		code = manager_start(daemon->manager, &in, &daemon->out, err);
	if (!code)
		code = vault_check(daemon->vault, manager_cluster(daemon->manager), err);
	if (code) {
		manager_free(daemon->manager);
		daemon->manager = NULL;
	}
	return code;
}

static enum err_code commit(struct manager_daemon *daemon, struct err *err)
{
	if (daemon->out.changes.n == 0)
		return ERR_NONE;
	enum err_code code = daemon->store_ops->commit(daemon->store, &daemon->out.changes, err);
	if (!code)
		daemon->rev++;
	return code;
}

static void speak(struct manager_daemon *daemon, int64_t wall_ms)
{
	struct manager_out *out = &daemon->out;
	for (size_t i = 0; i < out->n_replies; i++)
		api_server_reply(daemon->server, &out->replies[i]);
	for (size_t i = 0; i < out->n_downs; i++)
		vault_give(daemon->vault, &out->downs[i].message);
	api_server_downs(daemon->server, out->downs, out->n_downs);
	api_server_publish(daemon->server, out->happenings, out->n_happenings, wall_ms);
	shell_log_notes(PART, &out->notes);
	shell_arm(daemon->timer, out->deadline_ms);
}

/* Serve what the store holds, until it takes commits again. The start of this world is not durable: nothing of it is
 * said, and the start that will be raises the same epoch. */
static void become_read_only(struct manager_daemon *daemon, const struct err *err)
{
	struct err reload_err;
	daemon->read_only = true;
	daemon->read_only_err = *err;
	event_del(daemon->timer);
	if (reload(daemon, &reload_err)) {
		daemon->read_only_err = reload_err;
		shell_log(PART, "the store cannot be read back, serving nothing: %s",
			  reload_err.message);
	}
	manager_out_clear(&daemon->out);
	event_add(daemon->probe, &(struct timeval){ .tv_sec = PROBE_SECONDS });
}

/* What was written is unknown: throw the world away, replay, and tell everyone who waits. */
static void commit_failed(struct manager_daemon *daemon, const struct err *err)
{
	shell_log(PART,
		  "the store refused a commit, serving reads only until it takes one again: %s",
		  err->message);
	queue_refuse(daemon, err);
	queue_clear(daemon);
	api_server_drop_sessions(daemon->server, "the manager cannot store anything at the moment");
	become_read_only(daemon, err);
}

/* The first commit of a run: the cluster's id, the raised epoch. */
static enum err_code start_core(struct manager_daemon *daemon, struct err *err)
{
	int64_t wall_ms = shell_wall_ms();
	enum err_code code = reload(daemon, err);
	if (!code)
		code = commit(daemon, err);
	if (!code)
		speak(daemon, wall_ms);
	return code;
}

/* A full store takes no probe, and yet what makes nothing larger: else nothing could be removed from it. */
static enum err_code may_commit(struct manager_daemon *daemon, struct err *err)
{
	enum err_code code = daemon->store_ops->probe(daemon->store, err);
	return code == ERR_STORE_FULL ? ERR_NONE : code;
}

static void on_probe(evutil_socket_t fd, short what, void *arg)
{
	struct manager_daemon *daemon = arg;
	struct err err;
	(void)fd;
	(void)what;
	if (may_commit(daemon, &err) || start_core(daemon, &err)) {
		become_read_only(daemon, &err);
		return;
	}
	daemon->read_only = false;
	/* What the failed commit changed, if it took effect after all, was never told. */
	api_server_events_lost(daemon->server);
	shell_log(PART, "the store takes commits again");
}

/* ---- a turn -------------------------------------------------------------------------------------------- */

static void turn(struct manager_daemon *daemon)
{
	struct manager_in in = input(daemon);
	struct err err;
	struct manager_event *events = base_calloc(daemon->n_queue, sizeof(*events));
	for (size_t i = 0; i < daemon->n_queue; i++) {
		struct queued *queued = &daemon->queue[i];
		events[i].kind = queued->kind;
		events[i].request = queued->mutation ? &queued->mutation->request : NULL;
		events[i].session = queued->session;
		events[i].local = queued->local;
		events[i].address = queued->address;
		events[i].up = &queued->up;
	}
	in.events = events;
	in.n_events = daemon->n_queue;
	manager_out_clear(&daemon->out);
	manager_step(daemon->manager, &in, &daemon->out);
	base_free(events);
	if (commit(daemon, &err)) {
		commit_failed(daemon, &err);
		return;
	}
	queue_clear(daemon);
	speak(daemon, in.wall_ms);
	shell_tidy_memory();
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct manager_daemon *daemon = arg;
	(void)fd;
	(void)what;
	if (!daemon->read_only) {
		turn(daemon);
		return;
	}
	/* These came in the turn that failed, behind it. */
	queue_refuse(daemon, &daemon->read_only_err);
	queue_clear(daemon);
}

/* ---- the API's backend --------------------------------------------------------------------------------- */

static const struct manager *backend_manager(void *owner)
{
	return ((struct manager_daemon *)owner)->manager;
}

static void backend_health(void *owner, struct api_health *ret_health)
{
	struct manager_daemon *daemon = owner;
	*ret_health = (struct api_health){ .revision = daemon->rev,
					   .read_only = daemon->read_only,
					   .code = daemon->read_only_err.code,
					   .message = daemon->read_only_err.message,
					   .store_name = daemon->store_ops->name,
					   .scheduler_name = daemon->options.scheduler->name };
	daemon->store_ops->size(daemon->store, &ret_health->store_used_bytes,
				&ret_health->store_max_bytes);
}

/* Stopping and removing, and what workers report, must always find room; so what asks for more is refused before the
 * store is full. */
static enum err_code check_room(struct manager_daemon *daemon, int kind, struct err *err)
{
	int64_t used_bytes = 0;
	int64_t max_bytes = 0;
	if (kind != REQUEST_APPLY && kind != REQUEST_SUBMIT && kind != REQUEST_SCALE &&
	    kind != REQUEST_NODE_LABEL)
		return ERR_NONE;
	daemon->store_ops->size(daemon->store, &used_bytes, &max_bytes);
	int64_t kept_bytes = max_bytes / 8;
	if (kept_bytes > LIMIT_STORE_HEADROOM_BYTES)
		kept_bytes = LIMIT_STORE_HEADROOM_BYTES;
	if (used_bytes <= max_bytes - kept_bytes)
		return ERR_NONE;
	return err_set(err, ERR_STORE_FULL,
		       "the store holds %lld KiB and has room for %lld KiB; the rest is kept for "
		       "stopping and removing",
		       (long long)(used_bytes / 1024), (long long)(max_bytes / 1024));
}

/* What only an admin may ask for: it is done only once its line is on disk. */
static bool is_grave(int kind)
{
	return kind > REQUEST_VOLUME_REMOVE && kind != REQUEST_JOIN && kind != REQUEST_ROLLBACK &&
	       kind != REQUEST_RUN_AGAIN;
}

/* What the request is about, for a line of the audit log. Tokens go by their ids; nothing secret is in it. */
static void print_subject(const struct manager_request *request, char *out, size_t size)
{
	char id[UUID_TEXT_SIZE];
	if (request->trust && request->trust->token && request->trust->token[0])
		text_print(out, size, "%s", request->trust->token);
	else if (request->trust && !uuid_is_zero(request->trust->identity))
		text_print(out, size, "%s", uuid_format(request->trust->identity, id));
	else if (!uuid_is_zero(request->node.uuid))
		text_print(out, size, "%s%s", uuid_format(request->node.uuid, id),
			   request->fenced ? " fenced" : "");
	else if (!uuid_is_zero(request->task.uuid))
		text_print(out, size, "%s", uuid_format(request->task.uuid, id));
	else if (request->volume)
		text_print(out, size, "%s", request->volume);
	else if (request->job && request->job[0])
		text_print(out, size, "%s/%s", request->project, request->job);
	else
		text_print(out, size, "%s", request->project ? request->project : "");
}

/* Before the effect. A full disk must not keep anybody from stopping and removing. */
static enum err_code write_audit(struct manager_daemon *daemon,
				 const struct manager_request *request, struct err *err)
{
	char subject[512];
	bool grave = is_grave(request->kind);
	if (!daemon->audit)
		return ERR_NONE;
	print_subject(request, subject, sizeof(subject));
	enum err_code code =
		audit_write(daemon->audit, shell_wall_ms(), request->caller,
			    enum_name(manager_request_names, request->kind), subject, grave, err);
	if (!code || grave)
		return code;
	shell_log(PART, "%s", err->message);
	*err = (struct err){ 0 };
	return ERR_NONE;
}

static void backend_submit(void *owner, struct api_mutation *mutation)
{
	struct manager_daemon *daemon = owner;
	struct manager_reply reply = { .handle = mutation->request.handle };
	if (check_room(daemon, mutation->request.kind, &reply.err) ||
	    vault_take(daemon->vault, mutation, &reply.err) ||
	    write_audit(daemon, &mutation->request, &reply.err)) {
		api_server_reply(daemon->server, &reply);
		api_mutation_free(mutation);
		return;
	}
	queue_add(daemon, MANAGER_REQUEST)->mutation = mutation;
}

static void backend_plan(void *owner, struct api_mutation *mutation)
{
	struct manager_daemon *daemon = owner;
	struct manager_in in = input(daemon);
	struct manager_reply reply = { .handle = mutation->request.handle };
	if (vault_take_for_plan(daemon->vault, mutation, &reply.err)) {
		api_server_reply(daemon->server, &reply);
		api_mutation_free(mutation);
		return;
	}
	plans_make(daemon->plans, daemon->manager, &in, mutation);
}

static void backend_client_left(void *owner, uint64_t handle)
{
	struct manager_daemon *daemon = owner;
	plans_forget(daemon->plans, handle);
}

static void backend_session_opened(void *owner, uint64_t session, bool local, const char *address)
{
	struct queued *queued = queue_add(owner, MANAGER_SESSION_OPENED);
	queued->session = session;
	queued->local = local;
	text_print(queued->address, sizeof(queued->address), "%s", address);
}

static void backend_session_up(void *owner, uint64_t session, struct sync_up *up)
{
	struct queued *queued = queue_add(owner, MANAGER_SYNC_UP);
	queued->session = session;
	queued->up = *up;
	memset(up, 0, sizeof(*up));
}

static void backend_session_closed(void *owner, uint64_t session)
{
	queue_add(owner, MANAGER_SESSION_CLOSED)->session = session;
}

static void backend_trust(void *owner, struct api_trust *ret_trust)
{
	const struct manager_daemon *daemon = owner;
	*ret_trust = (struct api_trust){ gate_authority(daemon->gate), daemon->joined_at };
}

static const struct api_backend backend = {
	.manager = backend_manager,
	.health = backend_health,
	.submit = backend_submit,
	.plan = backend_plan,
	.client_left = backend_client_left,
	.session_opened = backend_session_opened,
	.session_up = backend_session_up,
	.session_closed = backend_session_closed,
	.trust = backend_trust,
};

/* ---- life cycle ---------------------------------------------------------------------------------------- */

static enum err_code choose(struct manager_daemon *daemon,
			    const struct manager_daemon_options *options, struct err *err)
{
	const char *scheduler = options->scheduler_name ? options->scheduler_name : "epvm";
	const char *store = options->store_name ? options->store_name : store_lmdb.name;
	daemon->options = (struct manager_options){ .scheduler = scheduler_find(scheduler),
						    .node_silent_ms = LIMIT_NODE_SILENT_MS,
						    .runtime_grace_ms = LIMIT_RUNTIME_GRACE_MS,
						    .start_grace_ms = LIMIT_START_GRACE_MS,
						    .history_per_slot = LIMIT_HISTORY_PER_SLOT,
						    .ends_kept = LIMIT_ENDS_KEPT,
						    .tell_per_node_us = LIMIT_TELL_PER_NODE_US,
						    .tell_per_second = LIMIT_TELL_PER_SECOND,
						    .nodes_max = options->nodes_max };
	if (options->nodes_max > LIMIT_NODES)
		return err_set_field(err, ERR_INVALID, "--max-nodes", "at most %d", LIMIT_NODES);
	if (!daemon->options.scheduler)
		return err_set_field(err, ERR_INVALID, "--scheduler", "\"%s\" is none of %s",
				     scheduler, scheduler_names());
	daemon->store_ops = options->store_ops			    ? options->store_ops
			    : strcmp(store, store_lmdb.name) == 0   ? &store_lmdb
			    : strcmp(store, store_memory.name) == 0 ? &store_memory
								    : NULL;
	if (!daemon->store_ops)
		return err_set_field(err, ERR_INVALID, "--store", "\"%s\" is none of lmdb, memory",
				     store);
	return ERR_NONE;
}

static enum err_code open_store(struct manager_daemon *daemon, const char *data_dir,
				struct err *err)
{
	struct store_options options = { .dir = data_dir };
	enum err_code code = daemon->store_ops->open(&options, &daemon->store, err);
	if (code)
		return code;
	code = start_core(daemon, err);
	/* A full disk is no reason not to serve reads; a store that cannot be read is, and so is one that holds
	 * nothing yet: each try to begin it makes another cluster. */
	if ((code == ERR_STORE_FULL || code == ERR_STORE) && daemon->manager &&
	    manager_cluster(daemon->manager)->meta.epoch > 1) {
		commit_failed(daemon, err);
		return ERR_NONE;
	}
	return code;
}

/* A store that forgets has no log to keep. */
static enum err_code open_audit(struct manager_daemon *daemon, const char *data_dir,
				struct err *err)
{
	int64_t bad_line = 0;
	if (daemon->store_ops != &store_lmdb)
		return ERR_NONE;
	enum err_code code = audit_open(data_dir, &daemon->audit, &bad_line, err);
	if (!code && bad_line)
		shell_log(PART, "%s/audit.log: line %lld does not follow from what came before it",
			  data_dir, (long long)bad_line);
	return code;
}

/* The cluster's CA lies beside the store, whose lock guards it. */
static enum err_code open_gate(struct manager_daemon *daemon,
			       const struct manager_daemon_options *options, struct err *err)
{
	char dir[LIMIT_PATH_BYTES];
	const struct cluster *cluster = daemon->manager ? manager_cluster(daemon->manager) : NULL;
	struct gate_options gate = {
		.dir = text_print(dir, sizeof(dir), "%s/trust", options->data_dir),
		.is_known = !cluster || cluster->identities.n || cluster->tokens.n,
		.new_authority = options->new_authority,
	};
	return gate_open(daemon->base, &gate, &daemon->gate, err);
}

/* Others may ask for us by the name that joining tells them. */
static enum err_code know_own_name(struct manager_daemon *daemon, struct err *err)
{
	struct endpoint told = { 0 };
	enum err_code code = endpoint_parse(daemon->joined_at, &told, err);
	if (!code)
		api_server_set_name(daemon->server, told.host);
	endpoint_release(&told);
	return code;
}

/* For other machines: TLS, with a certificate of our own. */
static enum err_code listen_tcp(struct manager_daemon *daemon,
				const struct manager_daemon_options *options, struct err *err)
{
	struct endpoint endpoint = { 0 };
	if (!options->listen)
		return ERR_NONE;
	if (!daemon->manager)
		return err_set(err, daemon->read_only_err.code, "%s",
			       daemon->read_only_err.message);
	enum err_code code = endpoint_parse(options->listen, &endpoint, err);
	if (code)
		return code;
	if (endpoint.socket_path)
		code = err_set_field(err, ERR_INVALID, "--listen", "%s is a path, not ADDRESS:PORT",
				     options->listen);
	if (!code)
		code = gate_certify(daemon->gate, manager_cluster(daemon->manager)->meta.cluster,
				    &endpoint.tls, err);
	if (!code)
		code = api_server_listen_tcp(daemon->server, &endpoint, &endpoint.port, err);
	if (!code)
		code = gate_address(&endpoint, options->advertise, daemon->joined_at, err);
	if (!code)
		code = know_own_name(daemon, err);
	if (!code)
		shell_log(PART, "listening for other machines on %s, port %d; they find it at %s",
			  endpoint.host, endpoint.port, daemon->joined_at);
	endpoint_release(&endpoint);
	return code;
}

enum err_code manager_daemon_new(struct event_base *base,
				 const struct manager_daemon_options *options,
				 struct manager_daemon **ret_daemon, struct err *err)
{
	struct manager_daemon *daemon = base_calloc(1, sizeof(*daemon));
	enum err_code code = choose(daemon, options, err);
	daemon->base = base;
	daemon->forgets = options->forget_secrets;
	daemon->turn = event_new(base, -1, 0, on_turn, daemon);
	daemon->timer = event_new(base, -1, 0, on_turn, daemon);
	daemon->probe = event_new(base, -1, 0, on_probe, daemon);
	daemon->server = api_server_new(base, &backend, daemon);
	daemon->plans = plans_new(base, daemon->server);
	if (options->authorised_ms)
		api_server_set_authorised_ms(daemon->server, options->authorised_ms);
	if (!code)
		code = vault_open(options->data_dir, options->secrets_key, &daemon->vault, err);
	if (!code)
		code = open_store(daemon, options->data_dir, err);
	if (!code)
		code = open_audit(daemon, options->data_dir, err);
	if (!code)
		code = open_gate(daemon, options, err);
	if (!code)
		code = api_server_listen_unix(daemon->server, options->socket_path, err);
	if (!code)
		code = listen_tcp(daemon, options, err);
	if (code) {
		manager_daemon_free(daemon);
		return code;
	}
	shell_log(PART, "listening on %s, state in %s, scheduler %s", options->socket_path,
		  options->data_dir, daemon->options.scheduler->name);
	*ret_daemon = daemon;
	return ERR_NONE;
}

void manager_daemon_free(struct manager_daemon *daemon)
{
	if (!daemon)
		return;
	/* Before the server, whose clients go with it. */
	plans_free(daemon->plans);
	daemon->plans = NULL;
	api_server_free(daemon->server);
	audit_close(daemon->audit);
	queue_clear(daemon);
	base_free(daemon->queue);
	gate_free(daemon->gate);
	vault_free(daemon->vault);
	manager_out_release(&daemon->out);
	manager_free(daemon->manager);
	if (daemon->store)
		daemon->store_ops->close(daemon->store);
	event_free(daemon->turn);
	event_free(daemon->timer);
	event_free(daemon->probe);
	base_free(daemon);
}
