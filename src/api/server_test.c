/* The server over a real socket, with the manager's core behind it and no store: what a client sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "api/envelope.h"
#include "api/json.h"
#include "api/server.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "net/http_client.h"

#define PATIENCE_SECONDS 30
#define JOB(name, more)	 "{\"name\":\"" name "\",\"spec\":{\"image\":\"a:1\"" more "}}"

struct world {
	struct event_base *base;
	struct api_server *server;
	struct http_client *http;
	struct manager *manager;
	struct manager_out out;
	int64_t rev;
	struct api_health health;
	bool hold; /* mutations wait in `held` */
	struct api_mutation *held;
	uint64_t left; /* the mutation whose client went away last */
	char folder[64];
	char socket_path[96];
};

/* ---- the backend: the daemon without its store ------------------------------------------------------------ */

static struct manager_in input(struct world *world)
{
	int64_t rev = ++world->rev;
	return (struct manager_in){
		.now_ms = 1000 * rev, .wall_ms = 1000000 + rev, .seed = (uint64_t)rev, .rev = rev
	};
}

static void step(struct world *world, const struct manager_event *event)
{
	struct manager_in in = input(world);
	in.events = event;
	in.n_events = 1;
	manager_out_clear(&world->out);
	manager_step(world->manager, &in, &world->out);
	for (size_t i = 0; i < world->out.n_replies; i++)
		api_server_reply(world->server, &world->out.replies[i]);
	api_server_downs(world->server, world->out.downs, world->out.n_downs);
	api_server_publish(world->server, world->out.happenings, world->out.n_happenings, 0);
}

static void carry_out(struct world *world, struct api_mutation *mutation)
{
	step(world,
	     &(struct manager_event){ .kind = MANAGER_REQUEST, .request = &mutation->request });
	api_mutation_free(mutation);
}

static const struct manager *backend_manager(void *owner)
{
	return ((struct world *)owner)->manager;
}

static void backend_health(void *owner, struct api_health *ret_health)
{
	const struct world *world = owner;
	*ret_health = world->health;
	ret_health->revision = world->rev;
}

static void backend_submit(void *owner, struct api_mutation *mutation)
{
	struct world *world = owner;
	if (world->hold)
		world->held = mutation;
	else
		carry_out(world, mutation);
}

static void backend_left(void *owner, uint64_t handle)
{
	((struct world *)owner)->left = handle;
}

static void backend_opened(void *owner, uint64_t session, bool local, const char *address)
{
	step(owner, &(struct manager_event){ .kind = MANAGER_SESSION_OPENED,
					     .session = session,
					     .local = local,
					     .address = address });
}

static void backend_closed(void *owner, uint64_t session)
{
	step(owner, &(struct manager_event){ .kind = MANAGER_SESSION_CLOSED, .session = session });
}

static void backend_up(void *owner, uint64_t session, struct sync_up *up)
{
	step(owner,
	     &(struct manager_event){ .kind = MANAGER_SYNC_UP, .session = session, .up = up });
	record_release(&sync_up_type, up);
}

static void backend_trust(void *owner, struct api_trust *ret_trust)
{
	(void)owner;
	*ret_trust = (struct api_trust){ .address = "" };
}

static const struct api_backend backend = { backend_manager, backend_health, backend_submit,
					    backend_submit,  backend_left,   backend_opened,
					    backend_up,	     backend_closed, backend_trust };

static int setup(void **state)
{
	struct world *world = base_calloc(1, sizeof(*world));
	struct manager_options options = { .scheduler = scheduler_find("epvm"),
					   .node_silent_ms = LIMIT_NODE_SILENT_MS,
					   .runtime_grace_ms = LIMIT_RUNTIME_GRACE_MS,
					   .start_grace_ms = LIMIT_START_GRACE_MS,
					   .history_per_slot = LIMIT_HISTORY_PER_SLOT };
	struct err err;
	text_print(world->folder, sizeof(world->folder), "/tmp/api-server-test-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	text_print(world->socket_path, sizeof(world->socket_path), "%s/s", world->folder);
	world->base = event_base_new();
	world->health = (struct api_health){ .store_name = "none", .scheduler_name = "epvm" };
	world->manager = manager_new(&options, 1);
	struct manager_in in = input(world);
	if (manager_start(world->manager, &in, &world->out, &err))
		fail_msg("%s", err.message);
	world->server = api_server_new(world->base, &backend, world);
	if (api_server_listen_unix(world->server, world->socket_path, &err))
		fail_msg("%s", err.message);
	world->http = http_client_new(world->base, ENDPOINT_OF_PATH(world->socket_path), 2);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	http_client_free(world->http);
	api_server_free(world->server);
	api_mutation_free(world->held);
	manager_out_release(&world->out);
	manager_free(world->manager);
	event_base_free(world->base);
	unlink(world->socket_path);
	rmdir(world->folder);
	base_free(world);
	return 0;
}

/* ---- the client ------------------------------------------------------------------------------------------ */

struct answer {
	bool done;
	int status;
	json_t *body; /* NULL: none */
};

static void on_done(void *owner, struct http_call *call, const struct err *err, enum http_sent sent,
		    int status, struct http_view body)
{
	struct answer *answer = owner;
	(void)call;
	(void)sent;
	if (err)
		fail_msg("%s", err->message);
	answer->done = true;
	answer->status = status;
	answer->body = body.len ? json_loadb(body.bytes, body.len, 0, NULL) : NULL;
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fail_msg("never came: %s", (const char *)arg);
}

static void turn_once(struct world *world, const char *waiting_for)
{
	struct event *watchdog =
		evtimer_new(world->base, on_watchdog, (void *)(uintptr_t)waiting_for);
	evtimer_add(watchdog, &(struct timeval){ .tv_sec = PATIENCE_SECONDS });
	event_base_loop(world->base, EVLOOP_ONCE);
	event_free(watchdog);
}

static struct http_call *begin(struct world *world, const char *method, const char *target,
			       const char *key, const char *body, struct answer *answer)
{
	static const struct http_call_events events = { .done = on_done };
	char headers[512] = "";
	if (key)
		text_print(headers, sizeof(headers), "Idempotency-Key: %s\r\n", key);
	struct http_call_options options = { .method = method,
					     .target = target,
					     .headers = key ? headers : NULL,
					     .content_type = body ? "application/json" : NULL,
					     .body = body,
					     .body_len = body ? strlen(body) : 0 };
	*answer = (struct answer){ 0 };
	return http_client_call(world->http, &options, &events, answer);
}

static struct answer call(struct world *world, const char *method, const char *target,
			  const char *key, const char *body)
{
	struct answer answer;
	begin(world, method, target, key, body, &answer);
	while (!answer.done)
		turn_once(world, target);
	return answer;
}

static const char *member(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static size_t count_jobs(struct world *world)
{
	struct answer answer = call(world, "GET", "/v1/jobs", NULL, NULL);
	size_t n = json_array_size(json_object_get(answer.body, "jobs"));
	assert_int_equal(answer.status, 200);
	json_decref(answer.body);
	return n;
}

/* ---- tests ----------------------------------------------------------------------------------------------- */

static void a_mutation_is_answered_and_can_be_read(void **state)
{
	struct world *world = *state;
	struct answer answer = call(world, "POST", "/v1/projects/shop/apply", NULL,
				    "{\"jobs\":[" JOB("web", ",\"replicas\":2") "]}");
	assert_int_equal(answer.status, 200);
	json_t *job = json_array_get(json_object_get(answer.body, "jobs"), 0);
	assert_string_equal(member(job, "effect"), "created");
	char target[96];
	text_print(target, sizeof(target), "/v1/jobs/%s", member(job, "id"));
	json_decref(answer.body);
	answer = call(world, "GET", target, NULL, NULL);
	assert_int_equal(answer.status, 200);
	assert_string_equal(member(answer.body, "name"), "web");
	assert_string_equal(member(json_object_get(answer.body, "spec"), "image"), "a:1");
	json_decref(answer.body);
	answer = call(world, "GET", "/v1/tasks?project=shop&job=web", NULL, NULL);
	assert_int_equal(json_array_size(json_object_get(answer.body, "tasks")), 2);
	json_decref(answer.body);
	answer = call(world, "GET", "/v1/tasks?project=shop&job=other", NULL, NULL);
	assert_int_equal(json_array_size(json_object_get(answer.body, "tasks")), 0);
	json_decref(answer.body);
}

static void pages_join_to_the_whole_list(void **state)
{
	struct world *world = *state;
	char target[256] = "/v1/jobs?limit=2", seen[64] = "";
	struct answer answer = call(world, "POST", "/v1/projects/p/apply", NULL,
				    "{\"jobs\":[" JOB("c", "") "," JOB("a", "") "," JOB(
					    "e", "") "," JOB("b", "") "," JOB("d", "") "]}");
	json_decref(answer.body);
	for (bool more = true; more;) {
		size_t i;
		json_t *job;
		answer = call(world, "GET", target, NULL, NULL);
		assert_int_equal(answer.status, 200);
		assert_true(json_array_size(json_object_get(answer.body, "jobs")) <= 2);
		json_array_foreach(json_object_get(answer.body, "jobs"), i, job)
			text_print(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s",
				   member(job, "name"));
		more = *member(answer.body, "next") != '\0';
		text_print(target, sizeof(target), "/v1/jobs?limit=2&after=%s",
			   member(answer.body, "next"));
		json_decref(answer.body);
	}
	assert_string_equal(seen, "abcde");
}

/* A list of several pages is of one moment, or is refused; who does not care says nothing of it. */
static void a_page_of_another_moment_is_refused_to_who_asks_for_one(void **state)
{
	struct world *world = *state;
	char strict[256], loose[256];
	struct answer answer = call(world, "POST", "/v1/projects/p/apply", NULL,
				    "{\"jobs\":[" JOB("a", "") "," JOB("b", "") "]}");
	json_decref(answer.body);
	answer = call(world, "GET", "/v1/jobs?limit=1", NULL, NULL);
	text_print(loose, sizeof(loose), "/v1/jobs?limit=1&after=%s", member(answer.body, "next"));
	text_print(strict, sizeof(strict), "%s&revision=%s", loose,
		   member(answer.body, "revision"));
	json_decref(answer.body);
	answer = call(world, "GET", strict, NULL, NULL);
	assert_int_equal(answer.status, 200);
	json_decref(answer.body);
	answer = call(world, "POST", "/v1/projects/p/apply", NULL, "{\"jobs\":[" JOB("c", "") "]}");
	json_decref(answer.body);
	answer = call(world, "GET", strict, NULL, NULL);
	assert_int_equal(answer.status, 409);
	assert_string_equal(member(json_object_get(answer.body, "error"), "field"), "revision");
	json_decref(answer.body);
	answer = call(world, "GET", loose, NULL, NULL);
	assert_int_equal(answer.status, 200);
	json_decref(answer.body);
}

static void every_error_has_the_one_shape_and_changes_nothing(void **state)
{
	static const struct {
		const char *method, *target, *body;
		int status;
		const char *code, *field;
	} rows[] = {
		{ "GET", "/v1/nothing", NULL, 404, "not_found", "" },
		{ "PUT", "/v1/jobs", "{}", 405, "method_not_allowed", "" },
		{ "GET", "/v1/jobs/x", NULL, 400, "invalid", "" },
		{ "GET", "/v1/jobs/01a20882-1856-7004-9435-bb38e4069325", NULL, 404, "not_found",
		  "" },
		{ "GET", "/v1/tasks?sate=running", NULL, 400, "invalid", "sate" },
		{ "GET", "/v1/jobs?limit=0", NULL, 400, "invalid", "limit" },
		{ "DELETE", "/v1/projects/p?volumes=yes", NULL, 400, "invalid", "volumes" },
		{ "DELETE", "/v1/projects/p", NULL, 404, "not_found", "" },
		{ "DELETE", "/v1/volumes/v", NULL, 404, "not_found", "" },
		{ "POST", "/v1/jobs", NULL, 400, "invalid", "" },
		{ "POST", "/v1/jobs", "{", 400, "syntax", "" },
		{ "POST", "/v1/jobs", "[]", 400, "invalid", "" },
		{ "POST", "/v1/jobs", "{\"project\":7}", 400, "invalid", "project" },
		{ "POST", "/v1/projects/p/apply",
		  "{\"jobs\":[{\"name\":\"a\",\"spec\":{\"imag\":1}}]}", 400, "invalid",
		  "jobs[0].spec.imag" },
		{ "POST", "/v1/projects/p/apply", "{\"name\":\"q\",\"jobs\":[]}", 400, "invalid",
		  "name" },
		{ "POST", "/v1/projects/p/stop", "{}", 413, "too_large", "" },
		{ "POST", "/v1/nodes/x/drain", NULL, 400, "invalid", "" },
		{ "POST", "/v1/nodes/01a20882-1856-7004-9435-bb38e4069325/drain", NULL, 404,
		  "not_found", "" },
		{ "DELETE", "/v1/nodes/01a20882-1856-7004-9435-bb38e4069325?fenced=yes", NULL, 400,
		  "invalid", "fenced" },
		{ "POST", "/v1/nodes/01a20882-1856-7004-9435-bb38e4069325/labels",
		  "{\"set\":{\"a\":1}}", 400, "invalid", "set.a" },
	};
	struct world *world = *state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct answer answer =
			call(world, rows[i].method, rows[i].target, NULL, rows[i].body);
		json_t *error = json_object_get(answer.body, "error");
		if (answer.status != rows[i].status ||
		    strcmp(member(error, "code"), rows[i].code) != 0 ||
		    (*rows[i].field && strcmp(member(error, "field"), rows[i].field) != 0) ||
		    !*member(error, "message"))
			fail_msg("%s %s: %d %s %s %s", rows[i].method, rows[i].target,
				 answer.status, member(error, "code"), member(error, "field"),
				 member(error, "message"));
		json_decref(answer.body);
	}
	assert_int_equal(count_jobs(world), 0);
}

static void a_key_makes_a_repetition_harmless(void **state)
{
	struct world *world = *state;
	const char *body = "{\"project\":\"p\",\"job\":" JOB("a", "") "}";
	struct answer first = call(world, "POST", "/v1/jobs", "k1", body);
	struct answer again = call(world, "POST", "/v1/jobs", "k1", body);
	struct answer other = call(world, "POST", "/v1/jobs", "k1",
				   "{\"project\":\"p\",\"job\":" JOB("b", "") "}");
	struct answer without = call(world, "POST", "/v1/jobs", NULL, body);
	assert_int_equal(first.status, 200);
	assert_int_equal(again.status, 200);
	assert_true(json_equal(first.body, again.body));
	assert_int_equal(other.status, 409);
	assert_int_equal(without.status, 409);
	assert_int_equal(count_jobs(world), 1);
	json_decref(first.body);
	json_decref(again.body);
	json_decref(other.body);
	json_decref(without.body);
}

static void a_key_that_is_too_long_is_refused(void **state)
{
	struct world *world = *state;
	char key[LIMIT_IDEMPOTENCY_KEY_BYTES + 2];
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	struct answer answer = call(world, "POST", "/v1/jobs", key,
				    "{\"project\":\"p\",\"job\":" JOB("a", "") "}");
	assert_int_equal(answer.status, 400);
	assert_string_equal(member(json_object_get(answer.body, "error"), "field"),
			    "Idempotency-Key");
	json_decref(answer.body);
	assert_int_equal(count_jobs(world), 0);
}

static void a_client_that_leaves_before_its_answer_is_forgotten(void **state)
{
	struct world *world = *state;
	struct answer left, answer;
	world->hold = true;
	struct http_call *going = begin(world, "POST", "/v1/jobs", NULL,
					"{\"project\":\"p\",\"job\":" JOB("a", "") "}", &left);
	while (!world->held)
		turn_once(world, "the mutation");
	http_call_cancel(going);
	/* A read on another connection: by its answer the server has seen the first one close. */
	answer = call(world, "GET", "/healthz", NULL, NULL);
	assert_int_equal(answer.status, 200);
	json_decref(answer.body);
	struct api_mutation *mutation = world->held;
	world->held = NULL;
	assert_int_equal(world->left, mutation->request.handle);
	carry_out(world, mutation);
	assert_false(left.done);
	assert_int_equal(count_jobs(world), 1);
}

static void while_the_store_refuses_reads_go_on(void **state)
{
	struct world *world = *state;
	world->health.read_only = true;
	world->health.code = ERR_STORE_FULL;
	world->health.message = "no room";
	struct answer answer = call(world, "POST", "/v1/jobs", NULL,
				    "{\"project\":\"p\",\"job\":" JOB("a", "") "}");
	assert_int_equal(answer.status, 507);
	assert_string_equal(member(json_object_get(answer.body, "error"), "message"), "no room");
	json_decref(answer.body);
	answer = call(world, "GET", "/v1/cluster", NULL, NULL);
	assert_int_equal(answer.status, 200);
	assert_true(json_is_true(json_object_get(answer.body, "read_only")));
	assert_string_equal(member(answer.body, "message"), "no room");
	json_decref(answer.body);
}

/* ---- a worker that says its task runs, and opens no stream ----------------------------------------------- */

#define NODE "01a20882-126a-714c-8704-434158c9baeb"

struct worker {
	struct websocket *websocket;
	bool opened;
	struct sync_up up;
	struct task_id task; /* assigned; zero: none */
	int streams_asked;
};

static void on_opened(void *owner, struct websocket *websocket)
{
	(void)websocket;
	((struct worker *)owner)->opened = true;
}

static void on_message(void *owner, struct websocket *websocket, bool text, const void *bytes,
		       size_t len)
{
	struct worker *worker = owner;
	const char *kind;
	json_t *value, *root;
	struct sync_down down;
	struct err err;
	(void)websocket;
	(void)text;
	if (envelope_open(bytes, len, &kind, &value, &root, &err))
		fail_msg("%s", err.message);
	worker->streams_asked += strcmp(kind, "stream") == 0;
	if (strcmp(kind, "sync") == 0) {
		if (json_to_record(&sync_down_type, value, JSON_INTERNAL, "", &down, &err))
			fail_msg("%s: %s", err.field, err.message);
		worker->up.cluster = down.cluster;
		worker->up.epoch = down.epoch;
		worker->up.rev = down.rev;
		if (down.tasks.n)
			worker->task = down.tasks.items[0].task;
		record_release(&sync_down_type, &down);
	}
	json_decref(root);
}

static void on_closed(void *owner, struct websocket *websocket, const struct err *err)
{
	(void)owner;
	(void)websocket;
	fail_msg("the session ended: %s", err->message);
}

static void worker_say(struct worker *worker)
{
	worker->up.report++;
	envelope_send(worker->websocket, "sync", &sync_up_type, &worker->up);
}

static void worker_join(struct world *world, struct worker *worker)
{
	static const struct websocket_events events = { .opened = on_opened,
							.message = on_message,
							.closed = on_closed };
	struct err err;
	*worker = (struct worker){ 0 };
	worker->websocket = http_client_websocket(world->base, ENDPOINT_OF_PATH(world->socket_path),
						  "/v1/nodes/" NODE "/sync", &events, worker);
	while (!worker->opened)
		turn_once(world, "the session");
	record_init(&sync_up_type, &worker->up);
	assert_int_equal(uuid_parse(NODE, &worker->up.node.uuid, &err), ERR_NONE);
	worker->up.runtime_ok = true;
	worker->up.has_facts = true;
	worker->up.facts.hostname = base_strdup("one");
	worker->up.facts.platform_os = base_strdup("linux");
	worker->up.facts.platform_arch = base_strdup("x86_64");
	worker->up.facts.runtime_version = base_strdup("20.10");
	worker->up.facts.drover_version = base_strdup("0.1.0");
	worker->up.facts.boot_id = base_strdup("boot");
	worker->up.facts.api_minor = 41;
	worker->up.facts.capacity.cpu_milli = 2000;
	worker->up.facts.capacity.memory_bytes = (int64_t)1 << 30;
	worker->up.facts.capacity.disk_bytes = (int64_t)1 << 30;
	worker_say(worker);
}

static void worker_run_task(struct world *world, struct worker *worker)
{
	while (uuid_is_zero(worker->task.uuid))
		turn_once(world, "an assignment");
	struct task_observed *observed = list_add(&worker->up.observed, sizeof(*observed));
	record_init(&task_observed_type, observed);
	observed->task = worker->task;
	observed->version = 1;
	observed->state = TASK_RUNNING;
	observed->attempt = 1;
	observed->reason = REASON_RUNNING;
	observed->container_id = base_strdup("c1");
	observed->started_wall_ms = 1;
	worker_say(worker);
	for (bool running = false; !running;) {
		struct answer answer = call(world, "GET", "/v1/tasks?state=running", NULL, NULL);
		running = json_array_size(json_object_get(answer.body, "tasks")) == 1;
		json_decref(answer.body);
	}
}

static void a_log_stream_that_the_worker_does_not_open_ends_in_time(void **state)
{
	struct world *world = *state;
	struct worker worker;
	char target[96], id[UUID_TEXT_SIZE];
	api_server_set_stream_call_ms(world->server, 50);
	worker_join(world, &worker);
	struct answer answer = call(world, "POST", "/v1/jobs", NULL,
				    "{\"project\":\"p\",\"job\":" JOB("a", "") "}");
	assert_int_equal(answer.status, 200);
	json_decref(answer.body);
	worker_run_task(world, &worker);
	text_print(target, sizeof(target), "/v1/tasks/%s/logs", uuid_format(worker.task.uuid, id));
	answer = call(world, "GET", target, NULL, NULL);
	assert_int_equal(answer.status, 504);
	assert_string_equal(member(json_object_get(answer.body, "error"), "message"),
			    "the worker did not open the log stream in time");
	assert_int_equal(worker.streams_asked, 1);
	json_decref(answer.body);
	websocket_free(worker.websocket);
	record_release(&sync_up_type, &worker.up);
}

/* The only row of /v1/nodes has this role. */
static bool lists_one(struct world *world, const char *role)
{
	struct answer answer = call(world, "GET", "/v1/nodes", NULL, NULL);
	json_t *nodes = json_object_get(answer.body, "nodes");
	assert_int_equal(json_array_size(nodes), 1);
	json_t *node = json_array_get(nodes, 0);
	assert_string_not_equal(member(node, "hostname"), "");
	bool same = strcmp(member(node, "role"), role) == 0;
	json_decref(answer.body);
	return same;
}

static void on_any_closed(void *owner, struct websocket *websocket, const struct err *err)
{
	struct worker *worker = owner;
	assert_non_null(strstr(err->message, "has connected again without a word here"));
	websocket_free(websocket);
	worker->websocket = NULL;
}

/* Who opens sessions and says nothing has one of them. */
static void a_node_has_one_session_that_is_silent(void **state)
{
	static const struct websocket_events events = { .opened = on_opened,
							.message = on_message,
							.closed = on_any_closed };
	struct world *world = *state;
	struct worker speaks, silent[3] = { 0 };
	worker_join(world, &speaks);
	while (!lists_one(world, "both"))
		turn_once(world, "the node");
	for (int i = 0; i < 3; i++) {
		silent[i].websocket =
			http_client_websocket(world->base, ENDPOINT_OF_PATH(world->socket_path),
					      "/v1/nodes/" NODE "/sync", &events, &silent[i]);
		while (!silent[i].opened || (i && silent[i - 1].websocket))
			turn_once(world, "the session, and the end of the one before");
	}
	assert_non_null(silent[2].websocket);
	websocket_free(silent[2].websocket);
	websocket_free(speaks.websocket);
	/* The server sees that those it has closed are gone. */
	for (int i = 0; i < 20; i++)
		event_base_loop(world->base, EVLOOP_NONBLOCK);
	record_release(&sync_up_type, &speaks.up);
}

static void the_managers_machine_is_listed_with_a_worker_or_without(void **state)
{
	struct world *world = *state;
	struct worker worker;
	assert_true(lists_one(world, "manager"));
	worker_join(world, &worker);
	while (!lists_one(world, "both"))
		turn_once(world, "the node");
	websocket_free(worker.websocket);
	record_release(&sync_up_type, &worker.up);
}

static void a_node_is_drained_labelled_resumed_and_removed(void **state)
{
	struct world *world = *state;
	struct worker worker;
	worker_join(world, &worker);
	while (!lists_one(world, "both"))
		turn_once(world, "the node");
	struct answer answer = call(world, "POST", "/v1/nodes/" NODE "/drain", NULL, NULL);
	assert_int_equal(answer.status, 200);
	assert_string_equal(member(answer.body, "node_name"), "one");
	json_decref(answer.body);
	answer = call(world, "POST", "/v1/nodes/" NODE "/labels", NULL,
		      "{\"set\":{\"disk\":\"ssd\"},\"remove\":[\"rack\"]}");
	assert_int_equal(answer.status, 200);
	json_decref(answer.body);
	answer = call(world, "GET", "/v1/nodes/" NODE, NULL, NULL);
	assert_string_equal(member(answer.body, "state"), "draining");
	assert_string_equal(member(json_object_get(answer.body, "labels"), "disk"), "ssd");
	json_decref(answer.body);
	answer = call(world, "POST", "/v1/nodes/" NODE "/resume", NULL, NULL);
	assert_int_equal(answer.status, 200);
	json_decref(answer.body);
	/* It is there, so nobody can say that it is off. */
	answer = call(world, "DELETE", "/v1/nodes/" NODE "?fenced=true", NULL, NULL);
	assert_int_equal(answer.status, 409);
	json_decref(answer.body);
	websocket_free(worker.websocket);
	record_release(&sync_up_type, &worker.up);
	answer = call(world, "DELETE", "/v1/nodes/" NODE "?fenced=false", NULL, NULL);
	assert_int_equal(answer.status, 200);
	json_decref(answer.body);
	answer = call(world, "GET", "/v1/nodes/" NODE, NULL, NULL);
	assert_string_equal(member(answer.body, "state"), "left");
	json_decref(answer.body);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mutation_is_answered_and_can_be_read),
		TEST(pages_join_to_the_whole_list),
		TEST(a_page_of_another_moment_is_refused_to_who_asks_for_one),
		TEST(every_error_has_the_one_shape_and_changes_nothing),
		TEST(a_key_makes_a_repetition_harmless),
		TEST(a_key_that_is_too_long_is_refused),
		TEST(a_client_that_leaves_before_its_answer_is_forgotten),
		TEST(while_the_store_refuses_reads_go_on),
		TEST(a_log_stream_that_the_worker_does_not_open_ends_in_time),
		TEST(a_node_has_one_session_that_is_silent),
		TEST(the_managers_machine_is_listed_with_a_worker_or_without),
		TEST(a_node_is_drained_labelled_resumed_and_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
