/* The pool: which call gets which connection.
 *
 * Invariants:
 * 1. A call is in exactly one list: queued or urgent without a connection, running with one.
 * 2. A connection carries at most one call. An idle one is never read from: a byte or an end closes
 *    it.
 * 3. client->pooled counts the connections with `pooled` set and never exceeds pooled_max.
 * 4. No owner is called from inside http_client_call(), _pause() or _cancel(): all goes through the
 *    loop. */
#include "net/http_client.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/http_client_private.h"
#include "net/socket.h"

/* A listener whose queue is full is asked again, for so long. */
#define QUEUE_FULL_RETRY_MS    20
#define QUEUE_FULL_PATIENCE_MS 10000

static void close_connection(struct client_connection *connection)
{
	struct http_client *client = connection->client;
	PRE(!connection->call);
	TAILQ_REMOVE(&client->connections, connection, link);
	if (connection->pooled)
		client->pooled--;
	dial_release(&connection->dial);
	base_free(connection);
	http_client_pump_soon(client);
}

void client_connection_release(struct client_connection *connection, bool reuse)
{
	struct http_client *client = connection->client;
	struct http_call *call = connection->call;
	TAILQ_REMOVE(&client->running, call, link);
	call->connection = NULL;
	connection->call = NULL;
	if (!reuse || !connection->pooled || call->fresh) {
		close_connection(connection);
		return;
	}
	TAILQ_REMOVE(&client->connections, connection, link);
	TAILQ_INSERT_HEAD(&client->connections, connection, link);
	http_client_pump_soon(client);
}

void http_client_pump_soon(struct http_client *client)
{
	event_active(client->pump, EV_TIMEOUT, 0);
}

void http_client_requeue(struct http_call *call)
{
	struct http_calls *list = call->stream ? &call->client->urgent : &call->client->queued;
	TAILQ_INSERT_HEAD(list, call, link);
	http_client_pump_soon(call->client);
}

static void on_read(struct bufferevent *bev, void *argument)
{
	(void)bev;
	struct client_connection *connection = argument;
	if (connection->call)
		http_call_read(connection);
	else
		close_connection(connection);
}

/* True: it could not even be reached, and the call has been told why. */
static bool fail_dialling(struct client_connection *connection, short what)
{
	struct err err = { 0 };
	struct http_call *call = connection->call;
	if (!(what & (BEV_EVENT_ERROR | BEV_EVENT_EOF)) || !connection->dialling || !call)
		return false;
	dial_problem(&connection->dial, &err);
	client_connection_release(connection, false);
	http_call_fail(call, &err);
	return true;
}

static void on_event(struct bufferevent *bev, short what, void *argument)
{
	struct client_connection *connection = argument;
	if (what & BEV_EVENT_CONNECTED) {
		connection->dialling = false;
		return;
	}
	if (fail_dialling(connection, what))
		return;
	/* A peer may answer early and hang up: what it said is still to be read, and reading will
	 * find the end. */
	if (connection->call && (what & BEV_EVENT_ERROR) && (what & BEV_EVENT_WRITING))
		return;
	connection->ended = true;
	on_read(bev, connection);
}

static void send_call(struct client_connection *connection, struct http_call *call)
{
	struct http_client *client = connection->client;
	call->connection = connection;
	connection->call = call;
	connection->begun = false;
	connection->state = ANSWER_HEAD;
	TAILQ_INSERT_TAIL(&client->running, call, link);
	bufferevent_write(connection->bev, call->request, call->request_len);
}

/* Has the peer of an idle connection gone, or said something nobody asked for? */
static bool is_stale(struct client_connection *connection)
{
	char byte;
	ssize_t n = recv(bufferevent_getfd(connection->bev), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK) || connection->ended ||
	       evbuffer_get_length(bufferevent_get_input(connection->bev));
}

static struct client_connection *take_idle(struct http_client *client)
{
	struct client_connection *connection;
	while ((connection = TAILQ_FIRST(&client->connections)) && !connection->call) {
		if (!is_stale(connection)) {
			TAILQ_REMOVE(&client->connections, connection, link);
			TAILQ_INSERT_TAIL(&client->connections, connection, link);
			connection->reused = true;
			return connection;
		}
		close_connection(connection);
	}
	return NULL;
}

static enum err_code dial(struct http_client *client, bool pooled,
			  struct client_connection **ret_connection, struct err *err)
{
	struct dial begun;
	enum err_code code = dial_begin(client->base, &client->endpoint, &begun, err);
	if (code)
		return code;
	struct client_connection *connection = base_calloc(1, sizeof(*connection));
	connection->client = client;
	connection->pooled = pooled;
	connection->dial = begun;
	connection->bev = begun.bev;
	connection->dialling = !client->endpoint.socket_path;
	client->pooled += pooled;
	TAILQ_INSERT_TAIL(&client->connections, connection, link);
	bufferevent_setcb(connection->bev, on_read, NULL, on_event, connection);
	bufferevent_enable(connection->bev, EV_READ | EV_WRITE);
	*ret_connection = connection;
	return ERR_NONE;
}

/* An idle connection to make room for a call that must not reuse one. */
static void close_one_idle(struct http_client *client)
{
	struct client_connection *connection = TAILQ_FIRST(&client->connections);
	if (connection && !connection->call)
		close_connection(connection);
}

/* Start the first call of `list`. False: it must wait. */
static bool start_first(struct http_client *client, struct http_calls *list)
{
	struct http_call *call = TAILQ_FIRST(list);
	bool pooled = !call->stream;
	struct err err = { 0 };
	struct client_connection *connection = NULL;
	enum err_code code = ERR_NONE;
	if (call->malformed) {
		code = err_set(&err, ERR_INVALID,
			       "the request holds a character that HTTP does not allow there");
	} else {
		if (pooled && !call->fresh && !call->retried)
			connection = take_idle(client);
		if (!connection && pooled && client->pooled >= client->pooled_max)
			close_one_idle(client);
		if (!connection && pooled && client->pooled >= client->pooled_max)
			return false;
		if (!connection)
			code = dial(client, pooled, &connection, &err);
	}
	if (code == ERR_LIMIT) {
		int64_t now_ms = socket_clock_ms();
		if (!call->queue_full_since_ms)
			call->queue_full_since_ms = now_ms;
		if (now_ms - call->queue_full_since_ms < QUEUE_FULL_PATIENCE_MS) {
			socket_deadline_set(client->pump, QUEUE_FULL_RETRY_MS);
			return false;
		}
		err.code = ERR_UNAVAILABLE;
	}
	TAILQ_REMOVE(list, call, link);
	if (code)
		http_call_fail(call, &err);
	else
		send_call(connection, call);
	return true;
}

static void on_pump(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct http_client *client = argument;
	while (!TAILQ_EMPTY(&client->urgent) && start_first(client, &client->urgent))
		;
	while (!TAILQ_EMPTY(&client->queued) && start_first(client, &client->queued))
		;
}

struct http_client *http_client_new(struct event_base *base, const struct endpoint *endpoint,
				    int connections_max)
{
	PRE(connections_max > 0);
	socket_ignore_sigpipe();
	struct http_client *client = base_calloc(1, sizeof(*client));
	client->base = base;
	endpoint_copy(&client->endpoint, endpoint);
	endpoint_host_header(endpoint, client->host);
	client->pooled_max = connections_max;
	client->pump = event_new(base, -1, 0, on_pump, client);
	INVARIANT(client->pump);
	TAILQ_INIT(&client->queued);
	TAILQ_INIT(&client->urgent);
	TAILQ_INIT(&client->running);
	TAILQ_INIT(&client->connections);
	return client;
}

static void free_calls(struct http_calls *list)
{
	struct http_call *call;
	while ((call = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, call, link);
		http_call_free(call);
	}
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	PRE(client->depth == 0);
	struct client_connection *connection;
	TAILQ_FOREACH(connection, &client->connections, link)
	connection->call = NULL;
	while ((connection = TAILQ_FIRST(&client->connections)))
		close_connection(connection);
	free_calls(&client->queued);
	free_calls(&client->urgent);
	free_calls(&client->running);
	event_free(client->pump);
	endpoint_release(&client->endpoint);
	base_free(client);
}
