/* The WebSockets of workers at /v1/nodes/{id}/sync: sync messages in and out, nothing decided.
 *
 * Invariant: of a node at most one session is silent, the newest; which of those that spoke goes on is decided by the
 * core. So one certificate cannot take the room of all. */
#include <string.h>

#include "api/envelope.h"
#include "api/server_int.h"
#include "base/alloc.h"

static void session_link(struct api_session *session)
{
	struct api_server *server = session->server;
	session->number = ++server->last_session;
	session->next = server->sessions;
	session->previous_next = &server->sessions;
	if (session->next)
		session->next->previous_next = &session->next;
	server->sessions = session;
	map_put(&server->session_by_number, number_key(session->number), session);
}

/* Something was said on it, or it ends. */
static void session_not_silent(struct api_session *session)
{
	struct map *silent = &session->server->silent_sessions;
	if (map_get(silent, session->node.uuid) == session)
		map_remove(silent, session->node.uuid);
}

static void session_free(struct api_session *session)
{
	*session->previous_next = session->next;
	if (session->next)
		session->next->previous_next = session->previous_next;
	map_remove(&session->server->session_by_number, number_key(session->number));
	session_not_silent(session);
	base_free(session);
}

/* Tell the backend and forget it; its websocket is freed by whoever ended it. */
static void session_end(struct api_session *session)
{
	struct api_server *server = session->server;
	uint64_t number = session->number;
	session_free(session);
	server->backend->session_closed(server->owner, number);
}

static void session_refuse(struct api_session *session, int code, const char *why)
{
	websocket_close(session->websocket, code, why);
	session_end(session);
}

static void session_be_silent(struct api_session *session)
{
	struct map *silent = &session->server->silent_sessions;
	struct api_session *older = map_get(silent, session->node.uuid);
	if (older)
		session_refuse(older, SYNC_CLOSE_REFUSED,
			       "the worker of this node has connected again without a word here");
	map_put(silent, session->node.uuid, session);
}

/* ERR_PROTOCOL and others: it is no sync message. */
static enum err_code read_up(const void *bytes, size_t len, struct sync_up *ret_up, struct err *err)
{
	const char *kind;
	json_t *value, *root;
	if (envelope_read(bytes, len, "sync", &sync_up_type, ret_up))
		return ERR_NONE;
	enum err_code code = envelope_open(bytes, len, &kind, &value, &root, err);
	if (code)
		return code;
	code = strcmp(kind, "sync") == 0
		       ? json_to_record(&sync_up_type, value, JSON_INTERNAL, "sync", ret_up, err)
		       : err_set(err, ERR_PROTOCOL, "unknown kind of message");
	json_decref(root);
	return code;
}

static void on_message(void *owner, struct websocket *websocket, bool text, const void *bytes,
		       size_t len)
{
	struct api_session *session = owner;
	struct api_server *server = session->server;
	struct sync_up up;
	struct err err;
	(void)websocket;
	if (!text) {
		session_refuse(session, SYNC_CLOSE_REFUSED, "sync messages are text");
		return;
	}
	enum err_code code = read_up(bytes, len, &up, &err);
	if (!code && !uuid_equal(up.node.uuid, session->node.uuid)) {
		record_release(&sync_up_type, &up);
		code = err_set(&err, ERR_PROTOCOL,
			       "the message names another node than the address");
	}
	if (code) {
		session_refuse(session, SYNC_CLOSE_REFUSED, err.message);
		return;
	}
	session_not_silent(session);
	server->backend->session_up(server->owner, session->number, &up);
}

static void on_closed(void *owner, struct websocket *websocket, const struct err *err)
{
	(void)websocket;
	(void)err;
	session_end(owner);
}

void handle_sync(struct api_request *request)
{
	static const struct websocket_events events = { .message = on_message,
							.closed = on_closed };
	struct api_server *server = request->server;
	struct node_id node;
	struct err err;
	if (uuid_parse(request->params[0], &node.uuid, &err)) {
		answer_error(request, &err);
		return;
	}
	struct api_health health = { 0 };
	server->backend->health(server->owner, &health);
	if (health.read_only) {
		answer_code(request, health.code, health.message);
		return;
	}
	/* Every node has one; one more each while a worker that comes back is not known to have left. */
	if (server->session_by_number.n >= 2 * (size_t)LIMIT_NODES) {
		answer_code(request, ERR_LIMIT, "too many workers are connected");
		return;
	}
	if (!caller_is_worker_of(&request->caller, node)) {
		answer_code(request, ERR_FORBIDDEN,
			    "the certificate is another node's than the address");
		return;
	}
	struct api_session *session = base_calloc(1, sizeof(*session));
	session->server = server;
	session->node = node;
	session->peer = *http_exchange_peer(request->exchange);
	session->websocket = http_upgrade(request->exchange, &events, session);
	if (!session->websocket) {
		base_free(session);
		return;
	}
	session_link(session);
	session_be_silent(session);
	server->backend->session_opened(server->owner, session->number, session->peer.unix_socket,
					session->peer.address);
}

void sessions_recheck(struct api_server *server)
{
	struct err err;
	for (struct api_session *session = server->sessions, *next; session; session = next) {
		const struct http_peer *peer = &session->peer;
		next = session->next;
		/* It outlives its certificate: a clock set wrong must not cut every machine off. */
		if (!server_still_allows(server, peer, SCOPE_WORKER, peer->not_after_s, &err))
			session_refuse(session,
				       err.code == ERR_REMOVED ? SYNC_CLOSE_REMOVED
							       : SYNC_CLOSE_REFUSED,
				       err.message);
	}
}

struct api_session *session_of_node(struct api_server *server, struct node_id node)
{
	for (struct api_session *session = server->sessions; session; session = session->next)
		if (uuid_equal(session->node.uuid, node.uuid))
			return session;
	return NULL;
}

/* The text of a template, written once for all who are sent it; `texts` by what they share. */
static const struct text *template_text(struct map *texts, const struct sync_template *template)
{
	struct uuid key = number_key((uintptr_t) template->name);
	struct text *text = map_get(texts, key);
	if (text)
		return text;
	text = base_calloc(1, sizeof(*text));
	text_init(text, SIZE_MAX / 4);
	json_add_record(text, &sync_template_type, template, JSON_INTERNAL);
	map_put(texts, key, text);
	return text;
}

/* What envelope_send() would write, but with the templates at the end. */
static void write_down(struct map *texts, const struct sync_down *down, struct text *out)
{
	struct sync_down rest = *down;
	rest.templates.n = 0;
	text_clear(out);
	text_add(out, "{\"sync\":");
	json_add_record(out, &sync_down_type, &rest, JSON_INTERNAL);
	/* It is not empty, for it names the cluster. */
	out->len--;
	for (size_t i = 0; i < down->templates.n; i++) {
		const struct text *text = template_text(texts, &down->templates.items[i]);
		text_add(out, i ? "," : ",\"templates\":[");
		text_add_bytes(out, text->bytes, text->len);
	}
	text_add(out, down->templates.n ? "]}}" : "}}");
}

static void release_texts(struct map *texts)
{
	size_t at = 0;
	for (struct text *text; (text = map_next(texts, &at));) {
		text_release(text);
		base_free(text);
	}
	map_release(texts);
}

void api_server_downs(struct api_server *server, const struct manager_down *downs, size_t n)
{
	struct map texts = { 0 };
	struct text text;
	text_init(&text, SIZE_MAX / 4);
	for (size_t i = 0; i < n; i++) {
		struct api_session *session =
			map_get(&server->session_by_number, number_key(downs[i].session));
		if (!session)
			continue;
		if (downs[i].close) {
			session_refuse(session, downs[i].close, downs[i].why);
			continue;
		}
		write_down(&texts, &downs[i].message, &text);
		websocket_send(session->websocket, true, text.bytes, text.len);
	}
	text_release(&text);
	release_texts(&texts);
}

void api_server_drop_sessions(struct api_server *server, const char *why)
{
	while (server->sessions) {
		websocket_close(server->sessions->websocket, 1013, why);
		session_free(server->sessions);
	}
}

void sessions_free(struct api_server *server)
{
	while (server->sessions) {
		websocket_free(server->sessions->websocket);
		session_free(server->sessions);
	}
	map_release(&server->session_by_number);
	map_release(&server->silent_sessions);
}
