/* The codec: what it takes, what it refuses and with which status. */
#include "net/http.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/alloc.h"

/* Bytes with their length: cases hold NULs. */
#define BYTES(string)	 string, sizeof(string) - 1
#define REQUEST(headers) BYTES("POST /v1/x HTTP/1.1\r\nHost: a\r\n" headers "\r\n")

struct refusal {
	const char *why;
	const char *bytes;
	size_t len;
	int status;
};

static const struct refusal refused[] = {
	{ "both Content-Length and Transfer-Encoding",
	  REQUEST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400 },
	{ "Transfer-Encoding before Content-Length",
	  REQUEST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400 },
	{ "two lengths that differ", REQUEST("Content-Length: 5\r\nContent-Length: 6\r\n"), 400 },
	{ "two lengths that agree", REQUEST("Content-Length: 5\r\nContent-Length: 5\r\n"), 400 },
	{ "a list of lengths", REQUEST("Content-Length: 5, 5\r\n"), 400 },
	{ "a signed length", REQUEST("Content-Length: +5\r\n"), 400 },
	{ "a negative length", REQUEST("Content-Length: -5\r\n"), 400 },
	{ "a hexadecimal length", REQUEST("Content-Length: 0x5\r\n"), 400 },
	{ "an empty length", REQUEST("Content-Length:\r\n"), 400 },
	{ "a length with a blank inside", REQUEST("Content-Length: 1 0\r\n"), 400 },
	{ "a length beyond 63 bits", REQUEST("Content-Length: 9223372036854775808\r\n"), 413 },
	{ "a length that wraps around 64 bits", REQUEST("Content-Length: 18446744073709551621\r\n"),
	  413 },
	{ "chunked twice on two lines",
	  REQUEST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400 },
	{ "chunked twice on one line", REQUEST("Transfer-Encoding: chunked, chunked\r\n"), 400 },
	{ "chunked not last", REQUEST("Transfer-Encoding: chunked, gzip\r\n"), 400 },
	{ "chunked and an empty element", REQUEST("Transfer-Encoding: chunked,\r\n"), 400 },
	{ "an empty element and chunked", REQUEST("Transfer-Encoding: ,chunked\r\n"), 400 },
	{ "an empty coding", REQUEST("Transfer-Encoding:\r\n"), 400 },
	{ "a quoted coding", REQUEST("Transfer-Encoding: \"chunked\"\r\n"), 400 },
	{ "chunked with a parameter", REQUEST("Transfer-Encoding: chunked;q=1\r\n"), 400 },
	{ "chunked after a vertical tab", REQUEST("Transfer-Encoding: \vchunked\r\n"), 400 },
	{ "xchunked", REQUEST("Transfer-Encoding: xchunked\r\n"), 501 },
	{ "identity", REQUEST("Transfer-Encoding: identity\r\n"), 501 },
	{ "gzip before chunked", REQUEST("Transfer-Encoding: gzip, chunked\r\n"), 501 },
	{ "bare LF after the request line", BYTES("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400 },
	{ "bare LF after a header", BYTES("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400 },
	{ "bare LFs only", BYTES("GET / HTTP/1.1\nHost: a\n\n"), 400 },
	{ "bare CR in a value", REQUEST("X: a\rTransfer-Encoding: chunked\r\n"), 400 },
	{ "bare CR between headers", REQUEST("X: a\r\rY: b\r\n"), 400 },
	{ "CR CR LF", REQUEST("X: a\r\r\n"), 400 },
	{ "a folded header", REQUEST("X: a\r\n b\r\n"), 400 },
	{ "a header folded with a tab", REQUEST("X: a\r\n\tb\r\n"), 400 },
	{ "a folded first header", BYTES("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400 },
	{ "a blank before the colon", REQUEST("Content-Length : 5\r\n"), 400 },
	{ "a tab before the colon", REQUEST("Transfer-Encoding\t: chunked\r\n"), 400 },
	{ "an empty header name", REQUEST(": x\r\n"), 400 },
	{ "a header without a colon", REQUEST("Content-Length 5\r\n"), 400 },
	{ "NUL in a value", REQUEST("X: a\0b\r\n"), 400 },
	{ "NUL in a name", REQUEST("Content\0-Length: 5\r\n"), 400 },
	{ "NUL in the target", BYTES("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "a bell in a value", REQUEST("X: \a\r\n"), 400 },
	{ "DEL in a value", REQUEST("X: \x7f\r\n"), 400 },
	{ "a byte beyond ASCII in a name", REQUEST("X\xc3\xa9: a\r\n"), 400 },
	{ "absolute-form", BYTES("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "authority-form", BYTES("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "asterisk-form", BYTES("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "a fragment", BYTES("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "a blank in the target", BYTES("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "a tab in the target", BYTES("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "a byte beyond ASCII in the target", BYTES("GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"),
	  400 },
	{ "two blanks after the method", BYTES("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "two blanks before the version", BYTES("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "a blank after the version", BYTES("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 400 },
	{ "a tab after the method", BYTES("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "no method", BYTES(" / HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "an empty line first", BYTES("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "no version", BYTES("GET /\r\nHost: a\r\n\r\n"), 400 },
	{ "a lower-case version", BYTES("GET / http/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "a version with three digits", BYTES("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), 400 },
	{ "HTTP/1.0", BYTES("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), 505 },
	{ "HTTP/1.2", BYTES("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505 },
	{ "HTTP/0.9", BYTES("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), 505 },
	{ "HTTP/2's preface", BYTES("PRI * HTTP/2.0\r\n\r\n"), 505 },
	{ "a method of 16 letters", BYTES("ABCDEFGHIJKLMNOP / HTTP/1.1\r\nHost: a\r\n\r\n"), 501 },
	{ "no Host", BYTES("GET / HTTP/1.1\r\n\r\n"), 400 },
	{ "two Hosts", BYTES("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400 },
	{ "a Host with a path", BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400 },
	{ "a Host with a user", BYTES("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), 400 },
	{ "an unknown expectation", REQUEST("Expect: miracles\r\n"), 417 },
	{ "bytes after the end", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\nX"), 400 },
	{ "no end", BYTES("GET / HTTP/1.1\r\nHost: a\r\n"), 400 },
	{ "nothing", BYTES(""), 400 },
};

static void every_malformed_request_is_refused_with_its_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct http_head head;
		struct err err = { 0 };
		int status = 0;
		if (!http_parse_request(refused[i].bytes, refused[i].len, &head, &status, &err))
			fail_msg("accepted: %s", refused[i].why);
		if (status != refused[i].status)
			fail_msg("%s: %d", refused[i].why, status);
		assert_int_not_equal(err.code, ERR_NONE);
		assert_true(err.message[0]);
	}
}

static struct http_head parsed(const char *bytes)
{
	struct http_head head;
	struct err err = { 0 };
	int status = 0;
	if (http_parse_request(bytes, strlen(bytes), &head, &status, &err))
		fail_msg("refused: %s", err.message);
	return head;
}

static void a_request_is_read_whole(void **state)
{
	(void)state;
	struct http_head head =
		parsed("PATCH /v1/a%20b?x=1&y HTTP/1.1\r\n"
		       "hOST:a.example:8080\r\nX-Empty:\r\n"
		       "X-Text: \t two words\xc3\xa9 \t\r\nContent-Length: 0012\r\n\r\n");
	assert_string_equal(head.method, "PATCH");
	assert_true(http_view_is(head.target, "/v1/a%20b?x=1&y"));
	assert_true(http_view_is(http_header_get(&head, "host"), "A.EXAMPLE:8080"));
	assert_int_equal(http_header_get(&head, "x-empty").len, 0);
	assert_non_null(http_header_get(&head, "x-empty").bytes);
	assert_true(http_view_is(http_header_get(&head, "x-text"), "two words\xc3\xa9"));
	assert_null(http_header_get(&head, "x-other").bytes);
	assert_int_equal(head.n_headers, 4);
	assert_true(head.has_length);
	assert_int_equal(head.length_bytes, 12);
	assert_true(head.keep_alive);
	assert_false(head.chunked);
	assert_false(head.upgrade);
	assert_false(head.expect_continue);
}

static void connection_coding_upgrade_and_expectation_are_understood(void **state)
{
	(void)state;
	struct http_head head = parsed("POST / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: Chunked\r\n"
				       "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
				       "Expect: 100-Continue\r\n\r\n");
	assert_true(head.chunked);
	assert_true(head.upgrade);
	assert_true(head.keep_alive);
	assert_true(head.expect_continue);
	head = parsed("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: y , CLOSE\r\n"
		      "Upgrade: websocket\r\n\r\n");
	assert_false(head.keep_alive);
	assert_false(head.upgrade);
}

static void the_end_of_a_head_is_found_wherever_it_comes(void **state)
{
	(void)state;
	static const char bytes[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /";
	size_t end = strlen(bytes) - 5;
	for (size_t len = 0; len < sizeof(bytes); len++)
		assert_int_equal(http_head_end(bytes, len), len >= end ? end : 0);
	assert_int_equal(http_head_end(BYTES("a\n\nb")), 3);
	assert_int_equal(http_head_end(BYTES("a\n\r\nb")), 4);
	assert_int_equal(http_head_end(BYTES("a\r\n\rb\n")), 0);
}

static int status_of(const struct text *text)
{
	struct http_head head;
	int status = 0;
	if (http_parse_request(text->bytes, text->len, &head, &status, NULL))
		return status;
	return 0;
}

static void fill(struct text *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_add_char(text, 'x');
}

static void the_limits_of_a_head_are_exact(void **state)
{
	(void)state;
	struct text text;
	text_init(&text, 1 << 20);

	for (size_t over = 0; over < 2; over++) { /* "GET /", " HTTP/1.1" are 14 */
		text_clear(&text);
		text_add(&text, "GET /");
		fill(&text, LIMIT_HTTP_LINE_BYTES - 14 + over);
		text_add(&text, " HTTP/1.1\r\nHost: a\r\n\r\n");
		assert_int_equal(status_of(&text), over ? 414 : 0);

		text_clear(&text);
		text_add(&text, "GET / HTTP/1.1\r\nHost: a\r\nX:");
		fill(&text, LIMIT_HTTP_LINE_BYTES - 2 + over);
		text_add(&text, "\r\n\r\n");
		assert_int_equal(status_of(&text), over ? 431 : 0);

		text_clear(&text);
		text_add(&text, "GET / HTTP/1.1\r\nHost: a\r\n");
		for (size_t i = 1; i < LIMIT_HTTP_HEADERS + over; i++)
			text_add(&text, "X: a\r\n");
		text_add(&text, "\r\n");
		assert_int_equal(status_of(&text), over ? 431 : 0);

		text_clear(&text);
		text_add(&text, "GET / HTTP/1.1\r\nHost: a\r\n");
		for (int i = 0; i < 3; i++) {
			text_add(&text, "X: ");
			fill(&text, 5000);
			text_add(&text, "\r\n");
		}
		text_add(&text, "X: ");
		fill(&text, LIMIT_HTTP_HEAD_BYTES - text.len - 4 + over);
		text_add(&text, "\r\n\r\n");
		assert_int_equal(text.len, LIMIT_HTTP_HEAD_BYTES + over);
		assert_int_equal(status_of(&text), over ? 431 : 0);
	}
	text_release(&text);
}

static enum err_code respond(const char *bytes, bool to_head, struct http_head *head)
{
	struct err err = { 0 };
	return http_parse_response(bytes, strlen(bytes), to_head, head, &err);
}

static void the_body_of_an_answer_ends_in_one_way(void **state)
{
	(void)state;
	struct http_head head;
	assert_int_equal(respond("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", false, &head), 0);
	assert_int_equal(head.status, 200);
	assert_true(head.has_length && head.length_bytes == 7 && head.keep_alive);
	assert_int_equal(respond("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", true, &head), 0);
	assert_true(head.has_length && head.length_bytes == 0);
	assert_int_equal(
		respond("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", false, &head), 0);
	assert_true(head.chunked && !head.has_length && head.keep_alive);
	assert_int_equal(respond("HTTP/1.1 200 Very Well\r\n\r\n", false, &head), 0);
	assert_true(!head.chunked && !head.has_length && !head.keep_alive);
	assert_int_equal(respond("HTTP/1.1 204 \r\n\r\n", false, &head), 0);
	assert_true(head.has_length && head.length_bytes == 0 && head.keep_alive);
	assert_int_equal(respond("HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n", false, &head), 0);
	assert_true(head.has_length && head.length_bytes == 0);
	assert_int_equal(respond("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", false, &head), 0);
	assert_false(head.keep_alive);
	assert_int_equal(
		respond("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
			false, &head),
		0);
	assert_true(head.upgrade);
}

static void every_malformed_answer_is_refused(void **state)
{
	(void)state;
	static const char *const answers[] = {
		"HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 099 OK\r\n\r\n",
		"HTTP/1.1 600 OK\r\n\r\n",
		"HTTP/1.1 +20 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n",
		"HTTP/1.1200 OK\r\n\r\n",
		"HTTP/1.1\r\n\r\n",
		"http/1.1 200 OK\r\n\r\n",
		"ICY 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\n\n",
		"HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct http_head head;
		struct err err = { 0 };
		if (http_parse_response(answers[i], strlen(answers[i]), false, &head, &err) !=
		    ERR_PROTOCOL)
			fail_msg("accepted: %s", answers[i]);
		assert_int_equal(err.code, ERR_PROTOCOL);
	}
}

/* Read `bytes` in pieces of `piece`; the body goes to `out`. Returns what is left, or -1 when
 * refused. */
static long unchunk(const char *bytes, size_t len, size_t piece, struct text *out)
{
	struct http_chunked chunked = { 0 };
	size_t at = 0;
	while (at < len && !chunked.done) {
		size_t end = at + piece < len ? at + piece : len;
		while (at < end && !chunked.done) {
			size_t consumed = 0;
			struct http_view body = { NULL, 0 };
			struct err err = { 0 };
			if (http_chunked_read(&chunked, bytes + at, end - at, &consumed, &body,
					      &err))
				return -1;
			assert_true(consumed > 0);
			text_add_bytes(out, body.bytes, body.len);
			at += consumed;
		}
	}
	return chunked.done ? (long)(len - at) : -2;
}

static void a_chunked_body_reads_the_same_however_it_is_cut(void **state)
{
	(void)state;
	static const char bytes[] = "4\r\nWiki\r\n000000000000000B;name=\"v\"\r\npedia in \r\n\r\n"
				    "7\r\nchunks.\r\n0\r\nX-Sum: 1\r\nEmpty:\r\n\r\nGET /";
	struct text out;
	text_init(&out, 100);
	for (size_t piece = 1; piece < sizeof(bytes); piece++) {
		text_clear(&out);
		assert_int_equal(unchunk(BYTES(bytes), piece, &out), 5);
		assert_string_equal(text_string(&out), "Wikipedia in \r\nchunks.");
	}
	text_release(&out);
}

static void every_malformed_chunk_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *why;
		const char *bytes;
		size_t len;
	} bodies[] = {
		{ "a signed size", BYTES("+5\r\nhello\r\n0\r\n\r\n") },
		{ "a negative size", BYTES("-5\r\nhello\r\n0\r\n\r\n") },
		{ "0x", BYTES("0x5\r\nhello\r\n0\r\n\r\n") },
		{ "0X", BYTES("0X5\r\nhello\r\n0\r\n\r\n") },
		{ "a blank before the size", BYTES(" 5\r\nhello\r\n0\r\n\r\n") },
		{ "a blank after the size", BYTES("5 \r\nhello\r\n0\r\n\r\n") },
		{ "a tab after the size", BYTES("5\t\r\nhello\r\n0\r\n\r\n") },
		{ "a blank before the extension", BYTES("5 ;a\r\nhello\r\n0\r\n\r\n") },
		{ "an underscore", BYTES("5_0\r\nhello\r\n0\r\n\r\n") },
		{ "no size", BYTES("\r\nhello\r\n0\r\n\r\n") },
		{ "only an extension", BYTES(";a\r\nhello\r\n0\r\n\r\n") },
		{ "17 digits", BYTES("00000000000000005\r\nhello\r\n0\r\n\r\n") },
		{ "bare LF after the size", BYTES("5\nhello\r\n0\r\n\r\n") },
		{ "bare CR after the size", BYTES("5\rhello\r\n0\r\n\r\n") },
		{ "bare LF in an extension", BYTES("5;\nhello\r\n0\r\n\r\n") },
		{ "bare LF in a quoted extension", BYTES("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n") },
		{ "bare CR in an extension", BYTES("5;\rx\r\nhello\r\n0\r\n\r\n") },
		{ "NUL in an extension", BYTES("5;\0\r\nhello\r\n0\r\n\r\n") },
		{ "data longer than the size", BYTES("5\r\nhello!\r\n0\r\n\r\n") },
		{ "data ended by LF", BYTES("5\r\nhello\n0\r\n\r\n") },
		{ "data ended by CR", BYTES("5\r\nhello\r0\r\n\r\n") },
		{ "data not ended", BYTES("5\r\nhello0\r\n\r\n") },
		{ "the last chunk ended by LF", BYTES("0\n\r\n") },
		{ "the end by LF", BYTES("0\r\n\n") },
		{ "a CR and no LF at the end", BYTES("0\r\n\rG") },
		{ "a trailer without a name", BYTES("0\r\n: x\r\n\r\n") },
		{ "a folded trailer", BYTES("0\r\nX: a\r\n b\r\n\r\n") },
		{ "a blank before the colon", BYTES("0\r\nX : a\r\n\r\n") },
		{ "a trailer without a colon", BYTES("0\r\nX\r\n\r\n") },
		{ "bare LF in a trailer", BYTES("0\r\nX: a\n\r\n") },
		{ "bare CR in a trailer", BYTES("0\r\nX: a\rb\r\n\r\n") },
		{ "NUL in a trailer", BYTES("0\r\nX: \0\r\n\r\n") },
	};
	struct text out;
	text_init(&out, 100);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		for (size_t piece = 1; piece < 30; piece += 28)
			if (unchunk(bodies[i].bytes, bodies[i].len, piece, &out) != -1)
				fail_msg("accepted: %s", bodies[i].why);
	text_release(&out);
}

static void the_largest_size_is_not_taken_for_a_small_one(void **state)
{
	(void)state;
	struct text out;
	text_init(&out, 100);
	assert_int_equal(unchunk(BYTES("FFFFFFFFFFFFFFFF\r\nhello"), 100, &out), -2);
	assert_string_equal(text_string(&out), "hello");
	text_release(&out);
}

static void extensions_and_trailers_are_bounded_over_the_whole_body(void **state)
{
	(void)state;
	struct text bytes;
	struct text out;
	text_init(&bytes, 1 << 20);
	text_init(&out, 1 << 20);
	for (size_t over = 0; over < 2; over++) {
		text_clear(&bytes);
		for (size_t i = 0; i < LIMIT_HTTP_CHUNK_EXTENSION_BYTES + over; i++)
			text_add(&bytes, "1;x\r\ny\r\n");
		text_add(&bytes, "0\r\n\r\n");
		assert_int_equal(unchunk(bytes.bytes, bytes.len, 1000, &out), over ? -1 : 0);

		text_clear(&bytes);
		text_add(&bytes, "0\r\n");
		for (size_t i = 0; i < LIMIT_HTTP_TRAILER_BYTES / 100 + over; i++) {
			text_add(&bytes, "X:");
			fill(&bytes, 97);
			text_add(&bytes, "\r\n");
		}
		text_add(&bytes, "\r\n");
		assert_int_equal(unchunk(bytes.bytes, bytes.len, 1000, &out), over ? -1 : 0);
	}
	text_release(&bytes);
	text_release(&out);
}

static struct http_view view(const char *string)
{
	return (struct http_view){ string, strlen(string) };
}

static void percent_coding_is_strict_and_round_trips(void **state)
{
	(void)state;
	char out[16];
	assert_int_equal(http_percent_decode(view("a%2Fb%2fc+d"), false, out, sizeof(out), NULL),
			 0);
	assert_string_equal(out, "a/b/c+d");
	assert_int_equal(http_percent_decode(view("a+b"), true, out, sizeof(out), NULL), 0);
	assert_string_equal(out, "a b");
	assert_int_equal(http_percent_decode(view(""), true, out, sizeof(out), NULL), 0);
	assert_string_equal(out, "");
	static const char *const bad[] = { "%",	  "%2",	 "%zz", "%2g",
					   "%-1", "%00", "a%",	"0123456789012345" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(http_percent_decode(view(bad[i]), false, out, sizeof(out), NULL),
				 ERR_INVALID);
	assert_int_equal(http_percent_decode(view(""), false, out, 0, NULL), ERR_INVALID);

	struct text text;
	text_init(&text, 100);
	http_percent_encode(&text, "a/b ~\xc3\xa9%\r\n");
	assert_string_equal(text_string(&text), "a%2Fb%20~%C3%A9%25%0D%0A");
	text_release(&text);
}

static void a_query_is_found_by_whole_names(void **state)
{
	(void)state;
	struct http_view path;
	struct http_view query;
	struct http_view value;
	http_split_target(view("/v1/tasks?ab=1&a=2&flag&a=3&e=&x=1=2"), &path, &query);
	assert_true(http_view_is(path, "/v1/tasks"));
	assert_true(http_query_get(query, "a", &value) && http_view_is(value, "2"));
	assert_true(http_query_get(query, "ab", &value) && http_view_is(value, "1"));
	assert_true(http_query_get(query, "flag", &value) && value.len == 0);
	assert_true(http_query_get(query, "e", &value) && value.len == 0);
	assert_true(http_query_get(query, "x", &value) && http_view_is(value, "1=2"));
	assert_false(http_query_get(query, "b", &value));
	http_split_target(view("/v1"), &path, &query);
	assert_true(http_view_is(path, "/v1") && query.len == 0);
	assert_false(http_query_get(query, "a", &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_malformed_request_is_refused_with_its_status),
		cmocka_unit_test(a_request_is_read_whole),
		cmocka_unit_test(connection_coding_upgrade_and_expectation_are_understood),
		cmocka_unit_test(the_end_of_a_head_is_found_wherever_it_comes),
		cmocka_unit_test(the_limits_of_a_head_are_exact),
		cmocka_unit_test(the_body_of_an_answer_ends_in_one_way),
		cmocka_unit_test(every_malformed_answer_is_refused),
		cmocka_unit_test(a_chunked_body_reads_the_same_however_it_is_cut),
		cmocka_unit_test(every_malformed_chunk_is_refused),
		cmocka_unit_test(the_largest_size_is_not_taken_for_a_small_one),
		cmocka_unit_test(extensions_and_trailers_are_bounded_over_the_whole_body),
		cmocka_unit_test(percent_coding_is_strict_and_round_trips),
		cmocka_unit_test(a_query_is_found_by_whole_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
