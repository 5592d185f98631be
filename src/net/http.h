/* HTTP/1.1, sans I/O: one strict codec for the server and for the client (RFC 9112). It reads bytes
 * it is given and says what they mean; it owns no socket. What it refuses, it refuses with the
 * status the answer must carry.
 *
 * Refused: both Content-Length and Transfer-Encoding, repeated or non-digit lengths, any transfer
 * coding but exactly one "chunked", bare CR or LF, obs-fold, blank before ':', empty header name,
 * NUL and other control bytes, chunk sizes with sign, "0x", blanks or more than 16 digits, long
 * chunk extensions, absolute-form, authority-form and asterisk-form targets, HTTP/1.0 and other
 * versions in requests, a missing or repeated Host. Trailers are read and dropped. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

/* A view into the head buffer. */
struct http_view {
	const char *bytes;
	size_t len;
};

struct http_header {
	struct http_view name;
	struct http_view value; /* without surrounding blanks */
};

struct http_head {
	/* request */
	char method[16];
	struct http_view target; /* origin-form, as sent */
	/* response */
	int status;
	/* both */
	struct http_header headers[LIMIT_HTTP_HEADERS];
	size_t n_headers;
	bool keep_alive;
	bool chunked;
	bool has_length; /* true with 0 for answers that never have a body */
	int64_t length_bytes;
	bool upgrade; /* Connection: upgrade with an Upgrade header */
	bool expect_continue;
	size_t size_bytes; /* of the head, with the empty line */
};

/* Find the end of a head in `bytes`. 0: not there yet. The head is not checked. */
size_t http_head_end(const char *bytes, size_t len);

/* Parse a whole head of `len` bytes (as http_head_end() found it); the views point into `bytes`. On
 * failure `*ret_status` is the HTTP status to answer with (400, 413, 414, 417, 431, 501, 505). */
enum err_code http_parse_request(const char *bytes, size_t len, struct http_head *head,
				 int *ret_status, struct err *err) WARN_UNUSED;
/* `to_head`: the request was a HEAD, so no body follows. */
enum err_code http_parse_response(const char *bytes, size_t len, bool to_head,
				  struct http_head *head, struct err *err) WARN_UNUSED;

/* The header's value by lower-case name; bytes NULL when absent. */
struct http_view http_header_get(const struct http_head *head, const char *name);
bool http_view_is(struct http_view view, const char *text); /* ignoring case */
/* Is `token` an element of the comma-separated list in any header called `name`? Ignoring case. */
bool http_header_has(const struct http_head *head, const char *name, const char *token);

/* The chunked coding as a state machine. All-zero is its start. */
struct http_chunked {
	int state;
	uint64_t left_bytes;
	unsigned digits;
	size_t extension_bytes;
	size_t trailer_bytes;
	bool done;
};
/* Consume from `bytes`: sets *ret_consumed, and a run of body bytes (*ret_body into `bytes`, may be
 * empty). Call again until nothing is consumed or chunked->done. ERR_PROTOCOL. */
enum err_code http_chunked_read(struct http_chunked *chunked, const char *bytes, size_t len,
				size_t *ret_consumed, struct http_view *ret_body,
				struct err *err) WARN_UNUSED;

/* Percent-decode one path segment or query value into `out`; ERR_INVALID for bad escapes, NUL, or
 * no room. */
enum err_code http_percent_decode(struct http_view view, bool plus_is_blank, char *out, size_t size,
				  struct err *err) WARN_UNUSED;
/* Append percent-encoded (unreserved characters stay). */
void http_percent_encode(struct text *out, const char *string);

/* The path of a target and its query. */
void http_split_target(struct http_view target, struct http_view *ret_path,
		       struct http_view *ret_query);
/* The value of `name` in a query; false when absent. */
bool http_query_get(struct http_view query, const char *name, struct http_view *ret_value);

const char *http_status_text(int status);

#endif
