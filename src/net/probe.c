/* Invariants:
 * 1. `done` is called once, from on_timer(), and the call is freed after it.
 * 2. A call owns its socket until `bev` does.
 * 3. Once `end` is set the answer is known; what still comes is thrown away, so that the one who sends it can end in
 *    good order. */
#include "net/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "net/http.h"
#include "net/socket.h"

/* How long the end of an answer is waited for whose status is known. */
#define REST_MS	     500
#define REQUEST_MAX  (64 * 1024)
#define WORDS_SIZE   200
#define STATUS_BYTES 13 /* "HTTP/1.1 200 " */

struct prober {
	struct event_base *base;
	SSL_CTX *tls; /* NULL: not needed yet */
};

struct probe_call {
	struct prober *prober;
	probe_done_fn *done;
	void *owner;
	int fd; /* -1: none, or the bufferevent's */
	struct event *connected;
	struct event *timer;
	struct bufferevent *bev;
	bool http, tls;
	char *request;
	char *server_name; /* for TLS; NULL: none */
	int status_first, status_last;
	int64_t timeout_ms;
	int64_t deadline_ms;
	size_t read_bytes;
	enum probe_end end; /* 0: not known yet */
	char words[WORDS_SIZE];
};

struct prober *prober_new(struct event_base *base)
{
	struct prober *prober = base_calloc(1, sizeof(*prober));
	prober->base = base;
	return prober;
}

void prober_free(struct prober *prober)
{
	if (!prober)
		return;
	SSL_CTX_free(prober->tls);
	base_free(prober);
}

static void call_free(struct probe_call *call)
{
	if (call->connected)
		event_free(call->connected);
	if (call->bev)
		bufferevent_free(call->bev);
	if (call->fd >= 0)
		close(call->fd);
	event_free(call->timer);
	base_free(call->request);
	base_free(call->server_name);
	base_free(call);
}

void probe_call_cancel(struct probe_call *call)
{
	call_free(call);
}

static void arm(struct probe_call *call, int64_t delay_ms)
{
	if (delay_ms < 0)
		delay_ms = 0;
	const struct timeval delay = { delay_ms / 1000, delay_ms % 1000 * 1000 };
	event_add(call->timer, &delay);
}

/* Known; told at once, or when the answer has come to its end. */
static void settle(struct probe_call *call, enum probe_end end, int64_t rest_ms, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));

static void settle(struct probe_call *call, enum probe_end end, int64_t rest_ms, const char *format,
		   ...)
{
	if (!call->end) {
		struct text text;
		text_init(&text, WORDS_SIZE - 1);
		va_list arguments;
		va_start(arguments, format);
		text_addv(&text, format, arguments);
		va_end(arguments);
		call->end = end;
		text_print(call->words, sizeof(call->words), "%s", text_string(&text));
		text_release(&text);
	}
	int64_t left_ms = call->deadline_ms - socket_clock_ms();
	arm(call, rest_ms < left_ms ? rest_ms : left_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	struct probe_call *call = argument;
	if (!call->end) {
		struct text text;
		text_init(&text, WORDS_SIZE);
		text_add_duration(&text, call->timeout_ms);
		settle(call, PROBE_FAILED, 0, "gave no answer within %s", text_string(&text));
		text_release(&text);
	}
	call->done(call->owner, call->end, call->words);
	call_free(call);
}

/* ---- the answer ---- */

static int digits(const char *bytes)
{
	int value = 0;
	for (int i = 0; i < 3; i++) {
		if (bytes[i] < '0' || bytes[i] > '9')
			return -1;
		value = value * 10 + bytes[i] - '0';
	}
	return value;
}

/* The status that `bytes` begin with; 0: not there yet; -1: this is no HTTP. More of the head than this line may be as
 * it likes: a check is no client. */
static int status_of(const char *bytes, size_t len)
{
	static const char version[] = "HTTP/1.";
	size_t known = len < sizeof(version) - 1 ? len : sizeof(version) - 1;
	if (memcmp(bytes, version, known) != 0)
		return -1;
	if (len < STATUS_BYTES)
		return 0;
	char after = bytes[STATUS_BYTES - 1];
	bool ends = after == ' ' || after == '\r' || after == '\n';
	int status = bytes[8] == ' ' && ends ? digits(bytes + 9) : -1;
	return status >= LIMIT_PROBE_STATUS_MIN ? status : -1;
}

static void take_status(struct probe_call *call, int status)
{
	if (status < 0)
		settle(call, PROBE_FAILED, 0, "answered something that is not HTTP");
	else if (status >= call->status_first && status <= call->status_last)
		settle(call, PROBE_PASSED, REST_MS, "%s", "");
	else
		settle(call, PROBE_FAILED, REST_MS, "answered %d", status);
}

static void read_answer(struct probe_call *call, struct evbuffer *input)
{
	while (!call->end) {
		size_t len = evbuffer_get_length(input);
		const char *bytes = (const char *)evbuffer_pullup(input, -1);
		int status = len ? status_of(bytes, len) : 0;
		if (status == 0)
			return;
		/* Something on the way (100 Continue, 103 Early Hints): the answer follows. */
		size_t head_len = http_head_end(bytes, len);
		bool informs = status > 0 && status < 200 && status != 101;
		if (informs && head_len == 0)
			return;
		if (informs)
			evbuffer_drain(input, head_len);
		else
			take_status(call, status);
	}
}

static void on_read(struct bufferevent *bev, void *argument)
{
	struct probe_call *call = argument;
	struct evbuffer *input = bufferevent_get_input(bev);
	read_answer(call, input);
	if (call->end) {
		call->read_bytes += evbuffer_get_length(input);
		evbuffer_drain(input, evbuffer_get_length(input));
	}
	if (call->read_bytes + evbuffer_get_length(input) > LIMIT_PROBE_ANSWER_BYTES)
		settle(call, PROBE_FAILED, 0, "answered something that is not HTTP");
}

static void on_event(struct bufferevent *bev, short what, void *argument)
{
	struct probe_call *call = argument;
	int problem = EVUTIL_SOCKET_ERROR();
	unsigned long code = call->tls ? bufferevent_get_openssl_error(bev) : 0;
	const char *reason = code && !ERR_SYSTEM_ERROR(code) ? ERR_reason_error_string(code) : NULL;
	ERR_clear_error();
	if (what & BEV_EVENT_CONNECTED)
		return;
	if (reason)
		settle(call, PROBE_FAILED, 0, "failed: TLS: %s", reason);
	else if (what & BEV_EVENT_EOF || !problem)
		settle(call, PROBE_FAILED, 0, "ended the connection without an answer");
	else
		settle(call, PROBE_FAILED, 0, "failed: %s", strerror(problem));
}

/* ---- the question ---- */

static SSL *new_ssl(struct prober *prober, const char *server_name)
{
	if (!prober->tls) {
		prober->tls = SSL_CTX_new(TLS_client_method());
		INVARIANT(prober->tls);
		SSL_CTX_set_verify(prober->tls, SSL_VERIFY_NONE, NULL);
		SSL_CTX_set_options(prober->tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
		SSL_CTX_set_session_cache_mode(prober->tls, SSL_SESS_CACHE_OFF);
	}
	SSL *ssl = SSL_new(prober->tls);
	INVARIANT(ssl);
	if (server_name)
		SSL_set_tlsext_host_name(ssl, server_name);
	return ssl;
}

static void send_request(struct probe_call *call)
{
	struct event_base *base = call->prober->base;
	if (call->tls)
		call->bev = bufferevent_openssl_socket_new(
			base, call->fd, new_ssl(call->prober, call->server_name),
			BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	else
		call->bev = bufferevent_socket_new(base, call->fd, BEV_OPT_CLOSE_ON_FREE);
	INVARIANT(call->bev);
	call->fd = -1;
	if (call->tls)
		bufferevent_openssl_set_allow_dirty_shutdown(call->bev, 1);
	bufferevent_setcb(call->bev, on_read, NULL, on_event, call);
	bufferevent_setwatermark(call->bev, EV_READ, 0, LIMIT_PROBE_ANSWER_BYTES + 1);
	bufferevent_enable(call->bev, EV_READ | EV_WRITE);
	bufferevent_write(call->bev, call->request, strlen(call->request));
}

/* Who is out of descriptors or ports knows nothing of the other side. */
static bool is_our_want(int problem)
{
	return problem == EMFILE || problem == ENFILE || problem == ENOBUFS || problem == ENOMEM ||
	       problem == EADDRNOTAVAIL;
}

static void take_problem(struct probe_call *call, int problem)
{
	if (is_our_want(problem))
		settle(call, PROBE_NOT_MADE, 0, "could not be made: %s", strerror(problem));
	else if (problem == ECONNREFUSED)
		settle(call, PROBE_FAILED, 0, "found the port closed");
	else
		settle(call, PROBE_FAILED, 0, "failed: %s", strerror(problem));
}

static void on_connected(evutil_socket_t fd, short what, void *argument)
{
	(void)what;
	struct probe_call *call = argument;
	int problem = 0;
	socklen_t size = sizeof(problem);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) < 0)
		problem = errno;
	if (problem)
		take_problem(call, problem);
	else if (call->http)
		send_request(call);
	else
		settle(call, PROBE_PASSED, 0, "%s", "");
}

static int dial(const char *address, int port, int *ret_fd)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		return EINVAL;
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	*ret_fd = fd;
	const struct sockaddr *to =
		is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
	if (connect(fd, to, is_v4 ? sizeof(v4) : sizeof(v6)) == 0 || errno == EINPROGRESS)
		return 0;
	return errno;
}

/* NULL: it is larger than a request may be. */
static char *build_request(const struct probe_call_options *options)
{
	struct text text;
	bool has_host = false;
	text_init(&text, REQUEST_MAX);
	text_addf(&text, "GET %s HTTP/1.1\r\n", options->path);
	for (size_t i = 0; options->headers && i < options->headers->n; i++) {
		const struct pair *header = &options->headers->items[i];
		const struct http_view name = { header->key, strlen(header->key) };
		has_host = has_host || http_view_is(name, "host");
		text_addf(&text, "%s: %s\r\n", header->key, header->value);
	}
	bool brackets = strchr(options->address, ':') != NULL;
	if (!has_host)
		text_addf(&text, "Host: %s%s%s:%d\r\n", brackets ? "[" : "", options->address,
			  brackets ? "]" : "", options->port);
	text_add(&text, "Accept: */*\r\nConnection: close\r\n\r\n");
	if (!text.cut)
		return text_take(&text);
	text_release(&text);
	return NULL;
}

/* The host of a header that names one, for a server that has several certificates. */
static char *server_name_of(const struct probe_call_options *options)
{
	for (size_t i = 0; options->headers && i < options->headers->n; i++) {
		const struct pair *header = &options->headers->items[i];
		const struct http_view name = { header->key, strlen(header->key) };
		if (http_view_is(name, "host") && header->value[0] != '[')
			return base_strndup(header->value, strcspn(header->value, ":"));
	}
	return NULL;
}

struct probe_call *prober_ask(struct prober *prober, const struct probe_call_options *options,
			      probe_done_fn *done, void *owner)
{
	PRE(options->timeout_ms > 0);
	struct probe_call *call = base_calloc(1, sizeof(*call));
	*call = (struct probe_call){ .prober = prober,
				     .done = done,
				     .owner = owner,
				     .fd = -1,
				     .http = options->http,
				     .tls = options->http && options->tls,
				     .status_first = options->status_first,
				     .status_last = options->status_last,
				     .timeout_ms = options->timeout_ms };
	call->deadline_ms = socket_clock_ms() + options->timeout_ms;
	call->timer = evtimer_new(prober->base, on_timer, call);
	INVARIANT(call->timer);
	arm(call, options->timeout_ms);
	if (call->http)
		call->request = build_request(options);
	if (call->http && !call->request) {
		settle(call, PROBE_NOT_MADE, 0, "could not be made: the request is too large");
		return call;
	}
	if (call->tls)
		call->server_name = server_name_of(options);
	int problem = dial(options->address, options->port, &call->fd);
	if (problem) {
		take_problem(call, problem);
		return call;
	}
	call->connected = event_new(prober->base, call->fd, EV_WRITE, on_connected, call);
	INVARIANT(call->connected);
	event_add(call->connected, NULL);
	return call;
}
