#include "net/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>

#include "net/net_test.h"
#include "net/tls_testing.h"

struct asked {
	enum probe_end end; /* 0: not told yet */
	char words[256];
	int times;
};

static void on_done(void *owner, enum probe_end end, const char *words)
{
	struct asked *asked = owner;
	asked->end = end;
	asked->times++;
	text_print(asked->words, sizeof(asked->words), "%s", words);
}

/* A port of loopback that is listened on. */
static int listen_on(const char *address, int *ret_port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	bool is_v6 = strchr(address, ':') != NULL;
	struct sockaddr *at = is_v6 ? (void *)&v6 : (void *)&v4;
	socklen_t size = is_v6 ? sizeof(v6) : sizeof(v4);
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (is_v6)
		inet_pton(AF_INET6, address, &v6.sin6_addr);
	else
		inet_pton(AF_INET, address, &v4.sin_addr);
	if (fd < 0 || bind(fd, at, size) || listen(fd, 8))
		fail_msg("cannot listen on %s", address);
	getsockname(fd, at, &size);
	*ret_port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
	return fd;
}

static struct probe_call_options options_of(int port)
{
	return (struct probe_call_options){ .address = "127.0.0.1",
					    .port = port,
					    .http = true,
					    .path = "/ready",
					    .status_first = 200,
					    .status_last = 399,
					    .timeout_ms = TEST_WAIT_MS };
}

static int accept_one(struct loop *loop, int listener)
{
	int fd = -1;
	wait_for(loop, (fd = accept(listener, NULL, NULL)) >= 0);
	return fd;
}

/* Ask, let the server say `answer` (NULL: nothing) and hang up, and wait for the verdict. */
static void ask_as(struct loop *loop, const struct probe_call_options *options, int listener,
		   const char *answer, struct asked *asked, struct text *ret_request)
{
	struct prober *prober = prober_new(loop->base);
	struct raw raw;
	*asked = (struct asked){ 0 };
	prober_ask(prober, options, on_done, asked);
	raw_init(&raw, accept_one(loop, listener));
	wait_for(loop, raw_has(&raw, "\r\n\r\n"));
	if (answer)
		raw_send(&raw, loop, answer);
	if (ret_request)
		text_add(ret_request, text_string(&raw.got));
	raw_release(&raw);
	wait_for(loop, asked->end);
	assert_int_equal(asked->times, 1);
	prober_free(prober);
}

static void expect(struct loop *loop, int listener, int port, const char *answer,
		   enum probe_end end, const char *words)
{
	struct probe_call_options options = options_of(port);
	struct asked asked;
	ask_as(loop, &options, listener, answer, &asked, NULL);
	if (asked.end != end || strcmp(asked.words, words) != 0)
		fail_msg("\"%s\" was taken for %d: %s", answer ? answer : "", (int)asked.end,
			 asked.words);
}

static void the_status_of_an_answer_decides(void **state)
{
	(void)state;
	struct loop loop;
	int port;
	loop_init(&loop);
	int listener = listen_on("127.0.0.1", &port);
	expect(&loop, listener, port, "HTTP/1.1 200 OK\r\n\r\n", PROBE_PASSED, "");
	expect(&loop, listener, port, "HTTP/1.0 204\r\n\r\n", PROBE_PASSED, "");
	expect(&loop, listener, port, "HTTP/1.1 399 \n\n", PROBE_PASSED, "");
	expect(&loop, listener, port, "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n\r\n",
	       PROBE_PASSED, "");
	expect(&loop, listener, port, "HTTP/1.1 503 Not yet\r\n\r\nwait", PROBE_FAILED,
	       "answered 503");
	expect(&loop, listener, port, "HTTP/1.1 199 x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", PROBE_PASSED,
	       "");
	expect(&loop, listener, port,
	       "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 500 x\r\n\r\n", PROBE_FAILED,
	       "answered 500");
	expect(&loop, listener, port, "HTTP/1.1 101 x\r\n\r\n", PROBE_FAILED, "answered 101");
	close(listener);
	loop_release(&loop);
}

static void what_is_no_answer_is_told(void **state)
{
	(void)state;
	static const char *const nonsense[] = {
		"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200 OK\r\n\r\n",   "HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",  "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1  200\r\n\r\n"
	};
	struct loop loop;
	int port;
	loop_init(&loop);
	int listener = listen_on("127.0.0.1", &port);
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++)
		expect(&loop, listener, port, nonsense[i], PROBE_FAILED,
		       "answered something that is not HTTP");
	expect(&loop, listener, port, NULL, PROBE_FAILED, "ended the connection without an answer");
	expect(&loop, listener, port, "HTTP/1.1 20", PROBE_FAILED,
	       "ended the connection without an answer");
	close(listener);
	loop_release(&loop);
}

static void the_question_is_one_get(void **state)
{
	(void)state;
	struct loop loop;
	struct asked asked;
	struct pairs headers = { 0 };
	struct text request;
	int port;
	char expected[300];
	loop_init(&loop);
	int listener = listen_on("127.0.0.1", &port);
	struct probe_call_options options = options_of(port);
	text_init(&request, 10000);
	ask_as(&loop, &options, listener, "HTTP/1.1 200 OK\r\n\r\n", &asked, &request);
	text_print(expected, sizeof(expected),
		   "GET /ready HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n"
		   "Connection: close\r\n\r\n",
		   port);
	assert_string_equal(text_string(&request), expected);
	text_clear(&request);
	pairs_put(&headers, "host", "shop.example");
	pairs_put(&headers, "X-Key", "a b");
	options.headers = &headers;
	ask_as(&loop, &options, listener, "HTTP/1.1 200 OK\r\n\r\n", &asked, &request);
	assert_string_equal(text_string(&request),
			    "GET /ready HTTP/1.1\r\nhost: shop.example\r\nX-Key: a b\r\n"
			    "Accept: */*\r\nConnection: close\r\n\r\n");
	text_release(&request);
	pairs_release(&headers);
	close(listener);
	loop_release(&loop);
}

/* Nothing that a machine was given may end its worker: what is too large is no question. */
static void a_request_without_measure_is_not_made(void **state)
{
	(void)state;
	struct loop loop;
	struct asked asked = { 0 };
	struct pairs headers = { 0 };
	int port;
	loop_init(&loop);
	struct prober *prober = prober_new(loop.base);
	int listener = listen_on("127.0.0.1", &port);
	char *name = base_calloc(1, 60001);
	memset(name, 'a', 60000);
	pairs_put(&headers, name, "x");
	pairs_put(&headers, name + 40000, "x");
	struct probe_call_options options = options_of(port);
	options.headers = &headers;
	prober_ask(prober, &options, on_done, &asked);
	assert_int_equal(asked.times, 0);
	wait_for(&loop, asked.end);
	assert_int_equal(asked.end, PROBE_NOT_MADE);
	assert_string_equal(asked.words, "could not be made: the request is too large");
	pairs_release(&headers);
	base_free(name);
	prober_free(prober);
	close(listener);
	loop_release(&loop);
}

static void a_port_is_open_or_closed(void **state)
{
	(void)state;
	static const char *const addresses[] = { "127.0.0.1", "::1" };
	struct loop loop;
	loop_init(&loop);
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct prober *prober = prober_new(loop.base);
		struct asked open = { 0 }, closed = { 0 };
		int port;
		int listener = listen_on(addresses[i], &port);
		struct probe_call_options options = options_of(port);
		options.address = addresses[i];
		options.http = false;
		prober_ask(prober, &options, on_done, &open);
		wait_for(&loop, open.end);
		assert_int_equal(open.end, PROBE_PASSED);
		close(listener);
		prober_ask(prober, &options, on_done, &closed);
		wait_for(&loop, closed.end);
		assert_int_equal(closed.end, PROBE_FAILED);
		assert_string_equal(closed.words, "found the port closed");
		prober_free(prober);
	}
	loop_release(&loop);
}

/* Nobody takes the connection from the listener, so nothing ever answers. */
static void silence_ends_with_the_timeout(void **state)
{
	(void)state;
	struct loop loop;
	struct asked asked = { 0 };
	int port;
	loop_init(&loop);
	struct prober *prober = prober_new(loop.base);
	int listener = listen_on("127.0.0.1", &port);
	struct probe_call_options options = options_of(port);
	options.timeout_ms = 30;
	prober_ask(prober, &options, on_done, &asked);
	wait_for(&loop, asked.end);
	assert_int_equal(asked.end, PROBE_FAILED);
	assert_string_equal(asked.words, "gave no answer within 30ms");
	/* What is dropped says nothing. */
	asked = (struct asked){ 0 };
	options.timeout_ms = TEST_WAIT_MS;
	struct probe_call *call = prober_ask(prober, &options, on_done, &asked);
	turn(&loop);
	probe_call_cancel(call);
	turn(&loop);
	assert_int_equal(asked.times, 0);
	prober_free(prober);
	close(listener);
	loop_release(&loop);
}

/* The status is known long before the end, and the rest is not read for ever. */
static void an_endless_answer_is_cut(void **state)
{
	(void)state;
	struct loop loop;
	struct asked asked = { 0 };
	struct raw raw;
	int port;
	loop_init(&loop);
	struct prober *prober = prober_new(loop.base);
	int listener = listen_on("127.0.0.1", &port);
	struct probe_call_options options = options_of(port);
	prober_ask(prober, &options, on_done, &asked);
	raw_init(&raw, accept_one(&loop, listener));
	char much[4096];
	memset(much, 'a', sizeof(much));
	raw_send(&raw, &loop, "HTTP/1.1 503 x\r\n\r\n");
	while (!asked.end)
		raw_send_bytes(&raw, &loop, much, sizeof(much));
	assert_int_equal(asked.end, PROBE_FAILED);
	assert_string_equal(asked.words, "answered 503");
	raw_release(&raw);
	prober_free(prober);
	close(listener);
	loop_release(&loop);
}

/* ---- TLS ---- */

static SSL_CTX *server_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	struct test_authority nobody;
	test_authority_init(&nobody);
	SSL_CTX_use_certificate(context, nobody.certificate);
	SSL_CTX_use_PrivateKey(context, nobody.key);
	test_authority_release(&nobody);
	return context;
}

static void any_certificate_will_do(void **state)
{
	(void)state;
	struct loop loop;
	struct asked asked = { 0 };
	int port;
	char request[1000];
	static const char answer[] = "HTTP/1.1 204 x\r\n\r\n";
	loop_init(&loop);
	struct prober *prober = prober_new(loop.base);
	int listener = listen_on("127.0.0.1", &port);
	struct probe_call_options options = options_of(port);
	options.tls = true;
	prober_ask(prober, &options, on_done, &asked);
	SSL_CTX *context = server_context();
	SSL *ssl = SSL_new(context);
	int fd = accept_one(&loop, listener);
	evutil_make_socket_nonblocking(fd);
	SSL_set_fd(ssl, fd);
	wait_for(&loop, SSL_accept(ssl) == 1);
	wait_for(&loop, SSL_read(ssl, request, sizeof(request)) > 0);
	assert_int_equal(SSL_write(ssl, answer, sizeof(answer) - 1), sizeof(answer) - 1);
	close(fd);
	wait_for(&loop, asked.end);
	assert_int_equal(asked.end, PROBE_PASSED);
	SSL_free(ssl);
	SSL_CTX_free(context);
	/* Without TLS on the other side. */
	struct raw raw;
	asked = (struct asked){ 0 };
	prober_ask(prober, &options, on_done, &asked);
	raw_init(&raw, accept_one(&loop, listener));
	raw_send(&raw, &loop, "HTTP/1.1 400 Bad Request\r\n\r\n");
	wait_for(&loop, asked.end);
	assert_int_equal(asked.end, PROBE_FAILED);
	assert_string_equal(asked.words, "failed: TLS: wrong version number");
	raw_release(&raw);
	prober_free(prober);
	close(listener);
	loop_release(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_of_an_answer_decides),
		cmocka_unit_test(what_is_no_answer_is_told),
		cmocka_unit_test(the_question_is_one_get),
		cmocka_unit_test(a_request_without_measure_is_not_made),
		cmocka_unit_test(a_port_is_open_or_closed),
		cmocka_unit_test(silence_ends_with_the_timeout),
		cmocka_unit_test(an_endless_answer_is_cut),
		cmocka_unit_test(any_certificate_will_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
