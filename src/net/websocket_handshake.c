/* The handshake of RFC 6455, chapter 4, from both sides. No extension and no subprotocol is offered
 * or taken. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/http_client.h"
#include "net/http_server_private.h"
#include "net/http_syntax.h"
#include "net/socket.h"
#include "net/websocket_private.h"

#define KEY_LEN		24
#define ANSWER_BODY_MAX 4096

void websocket_accept_key(const char *key, size_t key_len, char out[29])
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	PRE(key_len <= 128);
	char joined[128 + sizeof(magic)];
	memcpy(joined, key, key_len);
	memcpy(joined + key_len, magic, sizeof(magic) - 1);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	int result = EVP_Digest(joined, key_len + sizeof(magic) - 1, digest, &digest_len,
				EVP_sha1(), NULL);
	INVARIANT(result == 1);
	INVARIANT(digest_len == 20);
	EVP_EncodeBlock((unsigned char *)out, digest, 20);
}

/* 16 bytes in base64. */
static bool is_key(struct http_view key)
{
	if (key.len != KEY_LEN || memcmp(key.bytes + KEY_LEN - 2, "==", 2) != 0)
		return false;
	for (size_t i = 0; i < KEY_LEN - 2; i++) {
		unsigned char c = (unsigned char)key.bytes[i];
		if (!http_is_digit(c) && !http_is_letter(c) && c != '+' && c != '/')
			return false;
	}
	return true;
}

static bool is_repeated(const struct http_head *head, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < head->n_headers; i++)
		n += http_view_is(head->headers[i].name, name);
	return n > 1;
}

/* What is wrong with a request to upgrade, or NULL. */
static const char *find_fault(const struct http_exchange *exchange)
{
	const struct http_head *head = &exchange->head;
	if (strcmp(head->method, "GET") != 0)
		return "a WebSocket begins with GET";
	if (!head->upgrade || !http_header_has(head, "upgrade", "websocket"))
		return "this address speaks WebSocket: Connection: Upgrade and Upgrade: websocket "
		       "are "
		       "missing";
	if (exchange->body_len)
		return "a WebSocket's handshake has no body";
	if (is_repeated(head, "sec-websocket-key") || is_repeated(head, "sec-websocket-version"))
		return "a header of the WebSocket's handshake is repeated";
	if (!is_key(http_header_get(head, "sec-websocket-key")))
		return "Sec-WebSocket-Key is not 16 bytes in base64";
	return NULL;
}

static void answer_fault(struct http_exchange *exchange, int status, const char *code,
			 const char *message)
{
	struct text body;
	text_init(&body, 512);
	text_addf(&body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n", code, message);
	http_answer(exchange, status, "application/json", "Sec-WebSocket-Version: 13\r\n",
		    body.bytes, body.len);
	text_release(&body);
}

struct websocket *http_upgrade(struct http_exchange *exchange,
			       const struct websocket_events *events, void *owner)
{
	struct server_connection *connection = exchange->connection;
	const struct http_head *head = &exchange->head;
	PRE(exchange->answer == ANSWER_NONE);
	PRE(connection->receive == RECEIVE_WHOLE);
	const char *fault = find_fault(exchange);
	if (fault) {
		answer_fault(exchange, 400, "protocol", fault);
		return NULL;
	}
	if (!http_view_is(http_header_get(head, "sec-websocket-version"), "13")) {
		answer_fault(exchange, 426, "unsupported", "only version 13 of WebSocket is known");
		return NULL;
	}
	struct http_view key = http_header_get(head, "sec-websocket-key");
	char accept[29];
	websocket_accept_key(key.bytes, key.len, accept);
	struct text answer;
	text_init(&answer, 512);
	text_addf(&answer,
		  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		  "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		  accept);
	struct bufferevent *bev = connection->bev;
	struct event_base *base = connection->server->base;
	bufferevent_write(bev, answer.bytes, answer.len);
	text_release(&answer);
	struct websocket_options options;
	websocket_options_default(&options, true);
	struct websocket *websocket = websocket_new(base, bev, &options, events, owner);
	connection->bev = NULL;
	server_exchange_finish(connection);
	if (connection->in_handler)
		connection->handed_over = true;
	else
		server_connection_free(connection);
	return websocket;
}

/* "the manager answered 403: MESSAGE", with the message of our own error shape where there is
 * one. */
static void end_refused(struct websocket *websocket, const struct http_head *head)
{
	struct evbuffer *input = bufferevent_get_input(websocket->bev);
	size_t len = evbuffer_get_length(input) - head->size_bytes;
	char body[ANSWER_BODY_MAX];
	if (len > sizeof(body) - 1)
		len = sizeof(body) - 1;
	struct evbuffer_ptr at;
	evbuffer_ptr_set(input, &at, head->size_bytes, EVBUFFER_PTR_SET);
	ev_ssize_t copied = len ? evbuffer_copyout_from(input, &at, body, len) : 0;
	body[copied > 0 ? copied : 0] = '\0';
	static const char mark[] = "\"message\":\"";
	const char *message = strstr(body, mark);
	int message_len = 0;
	if (message) {
		message += sizeof(mark) - 1;
		message_len = (int)strcspn(message, "\"\\");
	}
	char sentence[ERR_MESSAGE_MAX];
	text_print(sentence, sizeof(sentence), "the WebSocket is refused with %d %s%s%.*s",
		   head->status, http_status_text(head->status), message ? ": " : "", message_len,
		   message ? message : "");
	/* Too much follows from it to take another server's word. */
	bool is_removal = head->status == 410 && strstr(body, "\"code\":\"removed\"");
	enum err_code code = head->status == 403   ? ERR_FORBIDDEN
			     : head->status == 404 ? ERR_NOT_FOUND
			     : is_removal	   ? ERR_REMOVED
			     : head->status >= 500 ? ERR_UNAVAILABLE
						   : ERR_PROTOCOL;
	websocket_end(websocket, code, sentence);
}

static const char *find_answer_fault(const struct websocket *websocket,
				     const struct http_head *head)
{
	char accept[29];
	websocket_accept_key(websocket->key, KEY_LEN, accept);
	struct http_view given = http_header_get(head, "sec-websocket-accept");
	if (!head->upgrade || !http_header_has(head, "upgrade", "websocket"))
		return "the answer upgrades to something else";
	if (is_repeated(head, "sec-websocket-accept") || given.len != 28 ||
	    memcmp(given.bytes, accept, 28) != 0)
		return "the answer's Sec-WebSocket-Accept is wrong";
	if (http_header_get(head, "sec-websocket-extensions").bytes ||
	    http_header_get(head, "sec-websocket-protocol").bytes)
		return "the answer selects what was not offered";
	return NULL;
}

/* A refusal is worth waiting for whole: its message is in the body. */
static bool is_whole(const struct websocket *websocket, const struct http_head *head, size_t len)
{
	return websocket->ended || head->chunked || len >= ANSWER_BODY_MAX ||
	       (head->has_length && (int64_t)(len - head->size_bytes) >= head->length_bytes);
}

void websocket_read_answer(struct websocket *websocket)
{
	struct evbuffer *input = bufferevent_get_input(websocket->bev);
	size_t len = evbuffer_get_length(input);
	if (!len)
		return;
	if (len > LIMIT_HTTP_HEAD_BYTES)
		len = LIMIT_HTTP_HEAD_BYTES;
	const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)len);
	size_t head_len = http_head_end(bytes, len);
	if (!head_len) {
		if (len == LIMIT_HTTP_HEAD_BYTES)
			websocket_end(websocket, ERR_PROTOCOL, "the answer's head does not end");
		return;
	}
	struct http_head head;
	struct err err = { 0 };
	if (http_parse_response(bytes, head_len, false, &head, &err)) {
		websocket_end(websocket, ERR_PROTOCOL, err.message);
		return;
	}
	if (head.status != 101) {
		if (is_whole(websocket, &head, len))
			end_refused(websocket, &head);
		return;
	}
	const char *fault = find_answer_fault(websocket, &head);
	if (fault) {
		websocket_end(websocket, ERR_PROTOCOL, fault);
		return;
	}
	evbuffer_drain(input, head_len);
	websocket_open(websocket);
}

static enum err_code write_handshake(struct websocket *websocket, const char *host,
				     const char *target, struct err *err)
{
	unsigned char random[16];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_set(err, ERR_IO, "the kernel gives no random bytes");
	EVP_EncodeBlock((unsigned char *)websocket->key, random, sizeof(random));
	for (const char *at = target; *at; at++)
		if (*at <= 0x20 || *at >= 0x7f || *at == '#')
			return err_set(err, ERR_INVALID, "the target holds a character it may not");
	struct text request;
	text_init(&request, LIMIT_HTTP_HEAD_BYTES);
	text_addf(
		&request,
		"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: drover\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
		target, host, websocket->key);
	bufferevent_write(websocket->bev, request.bytes, request.len);
	text_release(&request);
	return ERR_NONE;
}

struct websocket *http_client_websocket(struct event_base *base, const struct endpoint *endpoint,
					const char *target, const struct websocket_events *events,
					void *owner)
{
	struct websocket_options options;
	struct err err = { 0 };
	char host[ENDPOINT_TEXT_SIZE];
	websocket_options_default(&options, false);
	struct websocket *websocket = websocket_make(base, &options, events, owner);
	enum err_code code = dial_begin(base, endpoint, &websocket->dial, &err);
	if (!code) {
		websocket->dialling = !endpoint->socket_path;
		websocket_attach(websocket, websocket->dial.bev);
		code = write_handshake(websocket, endpoint_host_header(endpoint, host), target,
				       &err);
	}
	/* A failure is told from the loop, as everything is. */
	if (code) {
		websocket->dial_error = base_memdup(&err, sizeof(err));
		event_active(websocket->timer, EV_TIMEOUT, 0);
	} else {
		socket_deadline_set(websocket->timer, LIMIT_HTTP_HEAD_TIMEOUT_MS);
	}
	return websocket;
}
