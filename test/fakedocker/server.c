/* Invariants
 * 1. A connection carries one request at a time; bytes behind it wait in the input buffer.
 * 2. While frozen nothing is accepted, read or answered.
 * 3. The listening socket was put into listening by the holder, a process of its own: clients that ask the kernel who
 *    is on the other side see another one after each restart, as with a real daemon. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/socket.h"
#include "private.h"
#include "runtime/fake_logs.h"

struct connection {
	struct fakedocker *fakedocker;
	struct connection *next;
	struct bufferevent *bev;
	struct event *late;   /* sends `answer` */
	struct answer answer; /* of the present request, or its stream */
	bool busy;	      /* the present request is not answered yet, or never will be */
	bool closing;	      /* ends once everything is written */
	bool keep_alive;
};

static void connection_free(struct connection *connection)
{
	struct connection **at = &connection->fakedocker->connections;
	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	text_release(&connection->answer.body);
	event_free(connection->late);
	bufferevent_free(connection->bev);
	base_free(connection);
}

static void close_when_written(struct connection *connection)
{
	connection->closing = true;
	if (evbuffer_get_length(bufferevent_get_output(connection->bev)) == 0)
		connection_free(connection);
}

void frame_add(struct text *out, const struct fake_log_entry *entry, bool timestamps)
{
	struct text line;
	text_init(&line, LIMIT_STRING_BYTES);
	if (timestamps)
		fake_logs_stamp(entry->wall_ms, &line);
	text_add(&line, entry->text);
	const char head[8] = { (char)entry->stream,
			       0,
			       0,
			       0,
			       (char)(line.len >> 24),
			       (char)(line.len >> 16),
			       (char)(line.len >> 8),
			       (char)line.len };
	text_add_bytes(out, head, sizeof(head));
	text_add_bytes(out, line.bytes, line.len);
	text_release(&line);
}

static void write_chunk(struct connection *connection, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char size[20];
	size_t at = sizeof(size);
	for (size_t left = len; left; left /= 16)
		size[--at] = digits[left % 16];
	if (len == 0)
		size[--at] = '0';
	bufferevent_write(connection->bev, size + at, sizeof(size) - at);
	bufferevent_write(connection->bev, "\r\n", 2);
	bufferevent_write(connection->bev, bytes, len);
	bufferevent_write(connection->bev, "\r\n", 2);
}

/* The present request is over. */
static void answered(struct connection *connection)
{
	connection->busy = false;
	text_release(&connection->answer.body);
	connection->answer = (struct answer){ 0 };
	if (!connection->keep_alive)
		close_when_written(connection);
	else if (evbuffer_get_length(bufferevent_get_input(connection->bev)))
		bufferevent_trigger(connection->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

static void end_stream(struct connection *connection)
{
	write_chunk(connection, "", 0);
	answered(connection);
}

static void head_text(const struct answer *answer, struct text *out)
{
	text_addf(out, "HTTP/1.1 %d %s\r\nApi-Version: 1.41\r\n", answer->status,
		  http_status_text(answer->status));
	if (answer->status != 204 && answer->status != 304)
		text_addf(out, "Content-Type: %s\r\n",
			  answer->content_type ? answer->content_type : "application/json");
	if (answer->stream)
		text_add(out, "Transfer-Encoding: chunked\r\n");
	else if (answer->status != 204 && answer->status != 304)
		text_addf(out, "Content-Length: %zu\r\n", answer->body.len);
	text_add(out, "\r\n");
}

static void send_answer(struct connection *connection)
{
	struct answer *answer = &connection->answer;
	struct text head;
	text_init(&head, 1024);
	head_text(answer, &head);
	bufferevent_write(connection->bev, head.bytes, head.len);
	text_release(&head);
	if (!answer->stream) {
		bufferevent_write(connection->bev, text_string(&answer->body), answer->body.len);
		answered(connection);
		return;
	}
	if (answer->body.len)
		write_chunk(connection, answer->body.bytes, answer->body.len);
	text_clear(&answer->body);
}

/* The connection ends in the middle of what it had to say. */
static void send_half(struct connection *connection)
{
	struct text whole;
	text_init(&whole, FAKEDOCKER_BODY_BYTES_MAX * 2);
	head_text(&connection->answer, &whole);
	text_add_bytes(&whole, text_string(&connection->answer.body), connection->answer.body.len);
	bufferevent_write(connection->bev, whole.bytes, whole.len / 2);
	text_release(&whole);
	close_when_written(connection);
}

static void on_late(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	send_answer(argument);
}

static void throttle(struct connection *connection, int verb)
{
	static const char words[] = "toomanyrequests: You have reached your pull rate limit.";
	struct answer *answer = &connection->answer;
	if (verb == CONTAINER_PULL) {
		answer->status = 200;
		text_addf(&answer->body,
			  "{\"errorDetail\":{\"message\":\"%s\"},\"error\":\"%s\"}\r\n", words,
			  words);
	} else {
		routes_message(answer, 429, words);
	}
	send_answer(connection);
}

/* Faults that keep the request from happening. True: dealt with. */
static bool fault_before(struct connection *connection, const struct request *request,
			 const struct fault_rule *rule)
{
	struct answer *answer = &connection->answer;
	switch (rule->kind) {
	case FAULT_KIND_UNREACHABLE: close_when_written(connection); return true;
	case FAULT_KIND_HANG: return true;
	case FAULT_KIND_REFUSE: routes_message(answer, 400, "injected: refused"); break;
	case FAULT_KIND_ERROR: routes_message(answer, 500, "injected: error"); break;
	case FAULT_KIND_GHOST: routes_ghost(request, answer); break;
	case FAULT_KIND_THROTTLED: throttle(connection, rule->verb); return true;
	default: return false;
	}
	send_answer(connection);
	return true;
}

/* Faults of the answer to what has happened. */
static void fault_after(struct connection *connection, const struct fault_rule *rule)
{
	switch (rule->kind) {
	case FAULT_KIND_LOST: close_when_written(connection); break;
	case FAULT_KIND_HALF: send_half(connection); break;
	case FAULT_KIND_HANG_AFTER: break;
	case FAULT_KIND_RESTART:
		event_active(connection->fakedocker->restart, EV_TIMEOUT, 0);
		break;
	case FAULT_KIND_ERROR_AFTER:
		routes_message(&connection->answer, 500, "injected: error after the effect");
		send_answer(connection);
		break;
	case FAULT_KIND_LATE: {
		const struct timeval delay = { rule->delay_ms / 1000,
					       rule->delay_ms % 1000 * 1000 };
		event_add(connection->late, &delay);
		break;
	}
	default: send_answer(connection); break;
	}
}

static void handle(struct connection *connection, const struct request *request)
{
	struct fakedocker *fakedocker = connection->fakedocker;
	int verb = routes_verb(request);
	const struct fault_rule *rule = verb ? fault_script_next(&fakedocker->script, verb) : NULL;
	connection->busy = true;
	text_init(&connection->answer.body, FAKEDOCKER_BODY_BYTES_MAX);
	if (rule && fault_before(connection, request, rule))
		return;
	routes_handle(fakedocker, request, &connection->answer);
	if (rule)
		fault_after(connection, rule);
	else
		send_answer(connection);
}

/* "/v1.41/containers/json" to "/containers/json". */
static const char *without_version(const char *path)
{
	if (strncmp(path, "/v1.", 4) != 0)
		return path;
	const char *rest = strchr(path + 4, '/');
	return rest ? rest : path;
}

static void refuse_head(struct connection *connection, int status)
{
	connection->keep_alive = false;
	text_init(&connection->answer.body, 4096);
	routes_message(&connection->answer, status, "no request that this server understands");
	send_answer(connection);
}

/* One whole request at the start of the input. False: wait for more, or nothing more is to be read. */
static bool take_request(struct connection *connection, struct evbuffer *input)
{
	size_t len = evbuffer_get_length(input);
	const char *bytes = (const char *)evbuffer_pullup(input, -1);
	size_t head_len = bytes ? http_head_end(bytes, len) : 0;
	struct http_head head;
	int status = 400;
	if (head_len == 0)
		return false;
	if (http_parse_request(bytes, head_len, &head, &status, NULL) != ERR_NONE || head.chunked) {
		evbuffer_drain(input, len);
		refuse_head(connection, status);
		return false;
	}
	size_t body_len = head.has_length ? (size_t)head.length_bytes : 0;
	if (len < head_len + body_len)
		return false;
	struct http_view path, query;
	http_split_target(head.target, &path, &query);
	_cleanup_free_ char *decoded = base_calloc(path.len + 1, 1);
	_cleanup_free_ char *query_text = base_strndup(query.bytes ? query.bytes : "", query.len);
	if (http_percent_decode(path, false, decoded, path.len + 1, NULL) != ERR_NONE)
		*decoded = '\0';
	_cleanup_free_ char *body = base_strndup(bytes + head_len, body_len);
	_cleanup_free_ char *plain = base_strdup(without_version(decoded));
	struct request request = {
		.path = plain, .query = query_text, .body = body, .body_len = body_len
	};
	text_print(request.method, sizeof(request.method), "%s", head.method);
	connection->keep_alive = head.keep_alive;
	evbuffer_drain(input, head_len + body_len);
	handle(connection, &request);
	return false;
}

static void on_read(struct bufferevent *bev, void *argument)
{
	struct connection *connection = argument;
	if (connection->busy || connection->closing || connection->fakedocker->frozen)
		return;
	take_request(connection, bufferevent_get_input(bev));
}

static void on_write(struct bufferevent *bev, void *argument)
{
	(void)bev;
	struct connection *connection = argument;
	if (connection->closing)
		connection_free(connection);
}

static void on_event(struct bufferevent *bev, short what, void *argument)
{
	(void)bev, (void)what;
	connection_free(argument);
}

static void on_accept(evutil_socket_t fd, short what, void *argument)
{
	(void)what;
	struct fakedocker *fakedocker = argument;
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client < 0)
		return;
	struct connection *connection = base_calloc(1, sizeof(*connection));
	connection->fakedocker = fakedocker;
	connection->bev = bufferevent_socket_new(fakedocker->base, client, BEV_OPT_CLOSE_ON_FREE);
	connection->late = evtimer_new(fakedocker->base, on_late, connection);
	INVARIANT(connection->bev && connection->late);
	connection->next = fakedocker->connections;
	fakedocker->connections = connection;
	bufferevent_setcb(connection->bev, on_read, on_write, on_event, connection);
	bufferevent_enable(connection->bev, EV_READ | EV_WRITE);
}

/* ---- streams ---- */

static void stream_event(struct connection *connection, const struct fake_container *container,
			 const char *what)
{
	const char *equals = strchr(connection->answer.label, '=');
	if (equals) {
		_cleanup_free_ char *key = base_strndup(
			connection->answer.label, (size_t)(equals - connection->answer.label));
		const char *value = pairs_get(&container->config.labels, key);
		if (!value || strcmp(value, equals + 1) != 0)
			return;
	}
	struct text line;
	text_init(&line, 4096);
	text_addf(&line,
		  "{\"Type\":\"container\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"%s\","
		  "\"Attributes\":{\"name\":\"%s\"}}}\n",
		  what, container->id, container->name);
	write_chunk(connection, line.bytes, line.len);
	text_release(&line);
}

static void stream_logs(struct connection *connection, const struct fake_container *container,
			const char *what)
{
	struct answer *answer = &connection->answer;
	if (strcmp(answer->container, container->id) != 0)
		return;
	struct text frames;
	text_init(&frames, FAKEDOCKER_BODY_BYTES_MAX);
	for (; answer->log_at < container->n_log; answer->log_at++)
		frame_add(&frames, &container->log[answer->log_at], answer->timestamps);
	if (frames.len)
		write_chunk(connection, frames.bytes, frames.len);
	text_release(&frames);
	if (strcmp(what, "die") == 0)
		end_stream(connection);
}

static void on_world_event(void *owner, struct fake_container *container, const char *what)
{
	struct fakedocker *fakedocker = owner;
	bool is_log = strcmp(what, "log") == 0;
	const struct fault_rule *rule =
		is_log ? NULL : fault_script_next(&fakedocker->script, FAULT_VERB_HINT);
	bool dropped = rule && rule->kind == FAULT_KIND_DROP;
	struct connection *next;
	for (struct connection *at = fakedocker->connections; at; at = next) {
		next = at->next;
		if (at->answer.stream == STREAM_EVENTS && !is_log && !dropped)
			stream_event(at, container, what);
		else if (at->answer.stream == STREAM_LOGS)
			stream_logs(at, container, what);
	}
}

/* ---- life cycle ---- */

/* Let a process of its own put the socket into listening, and hold that office until it is killed. */
static enum err_code start_holder(struct fakedocker *fakedocker, struct err *err)
{
	int ready[2];
	if (pipe(ready) < 0)
		return err_set(err, ERR_IO, "no pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bool ok = listen(fakedocker->listen_fd, 64) == 0 && write(ready[1], "1", 1) == 1;
		close(ready[0]);
		close(ready[1]);
		/* The parent's connections and listener must end with the parent's own closing of them. */
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
		if (!ok)
			_exit(1);
		for (;;)
			pause();
	}
	char byte = 0;
	close(ready[1]);
	ssize_t n = pid > 0 ? read(ready[0], &byte, 1) : 0;
	close(ready[0]);
	fakedocker->holder_pid = pid > 0 ? pid : 0;
	return n == 1 ? ERR_NONE : err_set(err, ERR_IO, "the socket cannot be listened on");
}

static void stop_holder(struct fakedocker *fakedocker)
{
	if (fakedocker->holder_pid <= 0)
		return;
	kill(fakedocker->holder_pid, SIGKILL);
	while (waitpid(fakedocker->holder_pid, NULL, 0) < 0 && errno == EINTR)
		;
	fakedocker->holder_pid = 0;
}

enum err_code fakedocker_start(struct fakedocker *fakedocker, struct err *err)
{
	struct sockaddr_un address;
	enum err_code code = socket_address(fakedocker->socket_path, &address, err);
	if (code)
		return code;
	PRE(fakedocker->listen_fd < 0);
	fakedocker->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unlink(fakedocker->socket_path);
	if (fakedocker->listen_fd < 0 ||
	    bind(fakedocker->listen_fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, ERR_IO, "%s: %s", fakedocker->socket_path, strerror(errno));
	code = start_holder(fakedocker, err);
	if (code)
		return code;
	fakedocker->accept = event_new(fakedocker->base, fakedocker->listen_fd,
				       EV_READ | EV_PERSIST, on_accept, fakedocker);
	INVARIANT(fakedocker->accept);
	event_add(fakedocker->accept, NULL);
	return ERR_NONE;
}

/* Without touching what runs. */
static void stop_serving(struct fakedocker *fakedocker)
{
	if (fakedocker->accept)
		event_free(fakedocker->accept);
	fakedocker->accept = NULL;
	if (fakedocker->listen_fd >= 0)
		close(fakedocker->listen_fd);
	fakedocker->listen_fd = -1;
	stop_holder(fakedocker);
	unlink(fakedocker->socket_path);
	while (fakedocker->connections)
		connection_free(fakedocker->connections);
}

void fakedocker_stop(struct fakedocker *fakedocker)
{
	stop_serving(fakedocker);
	fake_world_restart(fakedocker->world);
}

static void on_restart(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	struct fakedocker *fakedocker = argument;
	struct err err;
	fakedocker_stop(fakedocker);
	enum err_code code = fakedocker_start(fakedocker, &err);
	INVARIANT(!code);
}

void fakedocker_freeze(struct fakedocker *fakedocker, bool freeze)
{
	fakedocker->frozen = freeze;
	if (freeze) {
		event_del(fakedocker->accept);
		return;
	}
	event_add(fakedocker->accept, NULL);
	for (struct connection *at = fakedocker->connections; at; at = at->next)
		bufferevent_trigger(at->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
}

enum err_code fakedocker_open(struct event_base *base, const struct fakedocker_options *options,
			      struct fakedocker **ret_fakedocker, struct err *err)
{
	struct fault_script script;
	enum err_code code =
		fault_script_parse(options->script ? options->script : "", &script, err);
	if (code)
		return code;
	socket_ignore_sigpipe();
	struct fakedocker *fakedocker = base_calloc(1, sizeof(*fakedocker));
	fakedocker->base = base;
	fakedocker->script = script;
	fakedocker->socket_path = base_strdup(options->socket_path);
	fakedocker->api_minor = options->api_minor ? options->api_minor : 41;
	fakedocker->listen_fd = -1;
	fakedocker->world = fake_world_new(base, on_world_event, fakedocker);
	fakedocker->restart = event_new(base, -1, 0, on_restart, fakedocker);
	INVARIANT(fakedocker->restart);
	code = fakedocker_start(fakedocker, err);
	if (code)
		fakedocker_close(fakedocker);
	else
		*ret_fakedocker = fakedocker;
	return code;
}

void fakedocker_close(struct fakedocker *fakedocker)
{
	stop_serving(fakedocker);
	execs_free(fakedocker);
	fake_world_free(fakedocker->world);
	event_free(fakedocker->restart);
	fault_script_release(&fakedocker->script);
	base_free(fakedocker->socket_path);
	base_free(fakedocker);
}

struct fake_world *fakedocker_world(struct fakedocker *fakedocker)
{
	return fakedocker->world;
}
