/* A client and a peer that says exactly what the test tells it to. */
#ifndef NET_HTTP_CLIENT_TEST_H
#define NET_HTTP_CLIENT_TEST_H

#include "net/http_client.h"

#include "net/net_test.h"

#include <sys/un.h>

#include "base/check.h"

#define PEERS_MAX 16

/* A listener whose connections are raw bytes in the test's hands. */
struct world {
	struct loop loop;
	int listen_fd;
	struct raw peers[PEERS_MAX];
	int n_peers;
	struct http_client *client;
};

/* What came of a call. */
struct outcome {
	struct http_call *call;
	int heads;
	int done;
	enum err_code code;
	char message[ERR_MESSAGE_MAX];
	enum http_sent sent;
	int status;
	struct text body;
	bool pause_at_first;
	bool cancel_in_head;
	bool cancel_in_body;
	struct world *again; /* begin another call from inside `done` */
	struct outcome *again_outcome;
};

static inline void listen_at(struct world *world, int backlog)
{
	struct sockaddr_un address;
	assert_int_equal(socket_address(world->loop.path, &address, NULL), ERR_NONE);
	world->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(world->listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(world->listen_fd, backlog), 0);
}

static inline void start(struct world *world, int connections_max)
{
	*world = (struct world){ .listen_fd = -1 };
	loop_init(&world->loop);
	listen_at(world, 20);
	world->client = http_client_new(world->loop.base, ENDPOINT_OF_PATH(world->loop.path),
					connections_max);
}

static inline void stop(struct world *world)
{
	http_client_free(world->client);
	for (int i = 0; i < world->n_peers; i++)
		raw_release(&world->peers[i]);
	if (world->listen_fd >= 0)
		close(world->listen_fd);
	loop_release(&world->loop);
}

/* Let in who calls, read what they say. */
static inline bool serve(struct world *world)
{
	int fd = -1;
	while (world->listen_fd >= 0 &&
	       (fd = accept4(world->listen_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		assert_true(world->n_peers < PEERS_MAX);
		raw_init(&world->peers[world->n_peers++], fd);
	}
	for (int i = 0; i < world->n_peers; i++)
		raw_read(&world->peers[i]);
	return true;
}

/* Wait until the peer has been asked for `what`, and forget it. */
static inline struct raw *asked(struct world *world, int peer, const char *what)
{
	wait_for(&world->loop,
		 serve(world) && world->n_peers > peer && raw_has(&world->peers[peer], what));
	text_clear(&world->peers[peer].got);
	return &world->peers[peer];
}

static inline void hang_up(struct raw *peer)
{
	close(peer->fd);
	peer->fd = -1;
}

static inline void answer(struct world *world, int peer, const char *bytes)
{
	raw_send(&world->peers[peer], &world->loop, bytes);
}

static inline void on_head(void *owner, struct http_call *call, const struct http_head *head)
{
	struct outcome *outcome = owner;
	outcome->heads++;
	outcome->status = head->status;
	if (outcome->cancel_in_head)
		http_call_cancel(call);
}

static inline void on_body(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	struct outcome *outcome = owner;
	bool first = outcome->body.len == 0;
	text_add_bytes(&outcome->body, bytes, len);
	if (first && outcome->pause_at_first)
		http_call_pause(call, true);
	if (outcome->cancel_in_body)
		http_call_cancel(call);
}

static inline void begin(struct world *world, struct outcome *outcome,
			 const struct http_call_options *options, bool streamed);

static inline void on_done(void *owner, struct http_call *call, const struct err *err,
			   enum http_sent sent, int status, struct http_view body)
{
	struct outcome *outcome = owner;
	assert_ptr_equal(call, outcome->call);
	outcome->done++;
	outcome->sent = sent;
	outcome->status = status;
	if (err) {
		assert_int_not_equal(err->code, ERR_NONE);
		outcome->code = err->code;
		memcpy(outcome->message, err->message, sizeof(outcome->message));
	}
	text_add_bytes(&outcome->body, body.bytes, body.len);
	http_call_cancel(call); /* too late, and harmless */
	if (outcome->again) {
		struct http_call_options options = { .method = "GET", .target = "/again" };
		begin(outcome->again, outcome->again_outcome, &options, false);
	}
}

static inline void begin(struct world *world, struct outcome *outcome,
			 const struct http_call_options *options, bool streamed)
{
	static const struct http_call_events whole = { .done = on_done };
	static const struct http_call_events runs = { on_head, on_body, on_done };
	text_init(&outcome->body, 64 << 20);
	outcome->call =
		http_client_call(world->client, options, streamed ? &runs : &whole, outcome);
	assert_int_equal(outcome->done, 0);
}

static inline void get(struct world *world, struct outcome *outcome, const char *target)
{
	struct http_call_options options = { .method = "GET", .target = target };
	*outcome = (struct outcome){ 0 };
	begin(world, outcome, &options, false);
}

static inline void expect(struct world *world, struct outcome *outcome, int status,
			  const char *body)
{
	wait_for(&world->loop, serve(world) && outcome->done);
	if (outcome->code)
		fail_msg("%s", outcome->message);
	assert_int_equal(outcome->done, 1);
	assert_int_equal(outcome->status, status);
	assert_string_equal(text_string(&outcome->body), body);
	text_release(&outcome->body);
}

static inline void expect_failure(struct world *world, struct outcome *outcome, enum err_code code,
				  enum http_sent sent)
{
	wait_for(&world->loop, serve(world) && outcome->done);
	if (outcome->code != code)
		fail_msg("%s: %s", err_name(outcome->code), outcome->message);
	assert_int_equal(outcome->done, 1);
	assert_int_equal(outcome->sent, sent);
	text_release(&outcome->body);
}

#define OK(body_len) "HTTP/1.1 200 OK\r\nContent-Length: " #body_len "\r\n\r\n"

/* Open a connection and leave it idle in the pool. */
static inline void warm_up(struct world *world)
{
	struct outcome outcome;
	get(world, &outcome, "/warm");
	asked(world, world->n_peers, "/warm");
	answer(world, world->n_peers - 1, OK(0));
	expect(world, &outcome, 200, "");
}

#endif
