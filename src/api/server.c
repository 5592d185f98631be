#include "api/server.h"

#include <string.h>

#include <event2/event.h>
#include <sys/random.h>

#include "api/server_int.h"
#include "base/alloc.h"
#include "base/check.h"
#include "net/shell.h"

#define KEEPALIVE_SECONDS 15
#define STREAM_CALL_MS	  10000

void api_mutation_free(struct api_mutation *mutation)
{
	if (!mutation)
		return;
	record_release(&project_request_type, &mutation->project_request);
	record_release(&labels_request_type, &mutation->labels);
	record_release(&rebalance_request_type, &mutation->rebalance);
	base_free(mutation->caller);
	base_free(mutation->idempotency_key);
	base_free(mutation->project);
	base_free(mutation->job);
	base_free(mutation->volume);
	base_free(mutation->joiner);
	base_free(mutation);
}

const struct manager *server_manager(const struct api_server *server)
{
	return server->backend->manager(server->owner);
}

const struct cluster *server_cluster(const struct api_server *server)
{
	return manager_cluster(server_manager(server));
}

/* ---- answers ------------------------------------------------------------------------------------------- */

static void answer_error_on(struct http_exchange *exchange, const struct err *err)
{
	struct error_answer answer = { { (char *)(uintptr_t)err_name(err->code),
					 (char *)(uintptr_t)err->message,
					 err->field[0] ? (char *)(uintptr_t)err->field : NULL } };
	json_t *error = json_from_record(&error_view_type, &answer.error, JSON_INTERNAL);
	json_t *object = json_pack("{s:o}", "error", error);
	char *text = json_dumps(object, JSON_COMPACT);
	int status = err_http_status(err->code);
	const char *headers = status == 503 || status == 429 ? "Retry-After: 1\r\n" : NULL;
	http_answer(exchange, status, JSON_CONTENT_TYPE, headers, text, strlen(text));
	free(text);
	json_decref(object);
}

void answer_error(struct api_request *request, const struct err *err)
{
	if (request->exchange)
		answer_error_on(request->exchange, err);
}

void answer_code(struct api_request *request, enum err_code code, const char *message)
{
	struct err err;
	err_set(&err, code, "%s", message);
	answer_error(request, &err);
}

void answer_record(struct api_request *request, int status, const struct record_type *type,
		   const void *record)
{
	if (!request->exchange)
		return;
	_cleanup_free_ char *text = json_write_record(type, record, JSON_ANSWER);
	http_answer(request->exchange, status, JSON_CONTENT_TYPE, NULL, text, strlen(text));
}

bool query_get(struct api_request *request, const char *name, char *out, size_t size)
{
	struct http_view value;
	struct err ignored;
	out[0] = '\0';
	if (!http_query_get(http_exchange_query(request->exchange), name, &value))
		return false;
	if (http_percent_decode(value, true, out, size, &ignored))
		text_print(out, size, "?");
	return true;
}

/* ---- requests ------------------------------------------------------------------------------------------ */

/* The world, or NULL while it cannot be read. */
static const struct cluster *world_of(const struct api_server *server)
{
	return server_manager(server) ? server_cluster(server) : NULL;
}

bool server_still_allows(const struct api_server *server, const struct http_peer *peer, int scope,
			 int64_t now_s, struct err *err)
{
	struct caller ignored;
	enum err_code code = authorize(world_of(server), peer, scope, now_s, &ignored, err);
	return code != ERR_FORBIDDEN && code != ERR_REMOVED;
}

/* How often may this caller ask? Workers and the owner of the socket: as often as they like. */
static enum err_code check_rate(struct api_request *request, struct err *err)
{
	struct api_server *server = request->server;
	const struct caller *caller = &request->caller;
	const struct http_peer *peer = http_exchange_peer(request->exchange);
	if (caller->local || caller->role == ACCESS_WORKER)
		return ERR_NONE;
	if (request->route->scope == SCOPE_JOIN &&
	    !buckets_take(&server->joins, bucket_of_address(peer->address), shell_now_ms()))
		return err_set(err, ERR_LIMIT,
			       "too many joins from %s have failed: try again in a minute",
			       peer->address);
	if (caller->role != ACCESS_NONE &&
	    !buckets_take(&server->requests, caller->id, shell_now_ms()))
		return err_set(err, ERR_LIMIT, "more than %d requests a second",
			       LIMIT_REQUESTS_PER_SECOND);
	return ERR_NONE;
}

/* May this caller have the route that was found, now? */
static enum err_code admit(struct api_request *request, struct err *err)
{
	enum err_code code = authorize(
		world_of(request->server), http_exchange_peer(request->exchange),
		(int)request->route->scope, shell_wall_ms() / 1000, &request->caller, err);
	return code ? code : check_rate(request, err);
}

/* A certificate that has expired is worth as much, for it may be renewed; that of who was removed is worth nothing.
 * Workers come in numbers, from anywhere. */
static enum http_standing standing_of(void *owner, const struct http_peer *peer)
{
	struct access_name name;
	struct err err;
	if (access_uri_parse(peer->uri, &name, &err) ||
	    !server_still_allows(owner, peer, SCOPE_RENEW, shell_wall_ms() / 1000, &err))
		return HTTP_STRANGER;
	return name.role == ACCESS_WORKER ? HTTP_EXEMPT : HTTP_KNOWN;
}

static int64_t on_begin(void *owner, struct http_exchange *exchange)
{
	struct api_server *server = owner;
	struct err err = { 0 };
	enum err_code code = ERR_NONE;
	struct api_request *request = base_calloc(1, sizeof(*request));
	request->server = server;
	request->exchange = exchange;
	http_exchange_set_owner_data(exchange, request);
	request->route = route_find(http_exchange_head(exchange)->method,
				    http_exchange_path(exchange), request->params, &code, &err);
	if (!request->route)
		err.code = code;
	else if (admit(request, &err) == ERR_NONE)
		return request->route->body_bytes_max;
	answer_error_on(exchange, &err);
	return -1;
}

static void on_request(void *owner, struct http_exchange *exchange)
{
	struct api_server *server = owner;
	struct api_request *request = http_exchange_owner_data(exchange);
	struct err err;
	if (!server_manager(server) && request->route->handle != handle_healthz) {
		struct api_health health = { 0 };
		server->backend->health(server->owner, &health);
		answer_code(request, health.code, health.message);
		return;
	}
	if (route_check_query(request->route, http_exchange_query(exchange), &err))
		answer_error(request, &err);
	else
		request->route->handle(request);
}

struct uuid number_key(uint64_t number)
{
	struct uuid key = { 0 };
	memcpy(key.bytes, &number, sizeof(number));
	return key;
}

static void on_closed(void *owner, struct http_exchange *exchange)
{
	struct api_server *server = owner;
	struct api_request *request = http_exchange_owner_data(exchange);
	if (!request)
		return;
	request->exchange = NULL;
	if (request->handle) {
		map_remove(&server->waiting, number_key(request->handle));
		server->backend->client_left(server->owner, request->handle);
	}
	if (request->follower)
		follower_drop(request);
	if (request->stream)
		stream_client_left(request);
	trust_work_free(request);
	base_free(request);
}

void api_server_reply(struct api_server *server, const struct manager_reply *reply)
{
	struct api_request *request = map_remove(&server->waiting, number_key(reply->handle));
	if (!request)
		return;
	request->handle = 0;
	if (reply->err.code)
		answer_error(request, &reply->err);
	else if (request->work)
		trust_reply(request, reply);
	else
		answer_record(request, 200, &manager_answer_type, &reply->answer);
}

void api_server_reply_text(struct api_server *server, uint64_t handle, const char *json, size_t len)
{
	struct api_request *request = map_remove(&server->waiting, number_key(handle));
	if (!request)
		return;
	request->handle = 0;
	if (request->exchange)
		http_answer(request->exchange, 200, JSON_CONTENT_TYPE, NULL, json, len);
}

/* ---- life cycle ---------------------------------------------------------------------------------------- */

static void on_keepalive(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct api_server *server = arg;
	for (struct api_follower *follower = server->followers, *next; follower; follower = next) {
		next = follower->next;
		http_stream_write(follower->request->exchange, ":\n\n", 3);
	}
}

static void on_authorised(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	followers_recheck(arg);
	streams_recheck(arg);
	sessions_recheck(arg);
}

struct api_server *api_server_new(struct event_base *base, const struct api_backend *backend,
				  void *owner)
{
	static const struct http_handler handler = { on_begin, on_request, on_closed, standing_of };
	struct api_server *server = base_calloc(1, sizeof(*server));
	struct http_server_options options;
	http_server_options_default(&options);
	server->base = base;
	server->backend = backend;
	server->owner = owner;
	server->stream_call_ms = STREAM_CALL_MS;
	server->http = http_server_new(base, &options, &handler, server);
	server->events = base_calloc(LIMIT_EVENTS_KEPT, sizeof(*server->events));
	server->keepalive = event_new(base, -1, EV_PERSIST, on_keepalive, server);
	event_add(server->keepalive, &(struct timeval){ .tv_sec = KEEPALIVE_SECONDS });
	server->authorised = event_new(base, -1, EV_PERSIST, on_authorised, server);
	api_server_set_authorised_ms(server, LIMIT_STREAM_AUTHORISED_MS);
	buckets_init(&server->joins, LIMIT_JOINS_PER_MINUTE, LIMIT_JOINS_PER_MINUTE);
	buckets_init(&server->requests, 60 * LIMIT_REQUESTS_PER_SECOND, LIMIT_REQUESTS_BURST);
	if (getrandom(&server->ids.state, sizeof(server->ids.state), 0) !=
	    (ssize_t)sizeof(server->ids.state))
		UNREACHABLE("getrandom() of eight bytes cannot fail");
	return server;
}

enum err_code api_server_listen_unix(struct api_server *server, const char *path, struct err *err)
{
	return http_server_listen_unix(server->http, path, err);
}

enum err_code api_server_listen_tcp(struct api_server *server, const struct endpoint *endpoint,
				    int *ret_port, struct err *err)
{
	return http_server_listen_tcp(server->http, endpoint, ret_port, err);
}

void api_server_set_name(struct api_server *server, const char *name)
{
	http_server_set_name(server->http, name);
}

void api_server_set_stream_call_ms(struct api_server *server, int call_ms)
{
	server->stream_call_ms = call_ms;
}

void api_server_set_authorised_ms(struct api_server *server, int authorised_ms)
{
	event_add(server->authorised, &(struct timeval){ .tv_sec = authorised_ms / 1000,
							 .tv_usec = authorised_ms % 1000 * 1000 });
}

void api_server_free(struct api_server *server)
{
	if (!server)
		return;
	sessions_free(server);
	streams_free(server);
	http_server_free(server->http);
	events_free(server);
	event_free(server->keepalive);
	event_free(server->authorised);
	buckets_release(&server->joins);
	buckets_release(&server->requests);
	map_release(&server->waiting);
	base_free(server);
}
