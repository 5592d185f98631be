/* Heads of requests and answers: whatever comes, an accepted head is unambiguous and lies within its bytes. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "fuzz.h"
#include "net/http.h"

static void check_view(struct http_view view, const char *bytes, size_t len)
{
	INVARIANT(view.bytes >= bytes);
	INVARIANT(view.bytes + view.len <= bytes + len);
	INVARIANT(!memchr(view.bytes, '\r', view.len));
	INVARIANT(!memchr(view.bytes, '\n', view.len));
	INVARIANT(!memchr(view.bytes, '\0', view.len));
}

static size_t count(const struct http_head *head, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < head->n_headers; i++)
		n += http_view_is(head->headers[i].name, name);
	return n;
}

static void check_head(const struct http_head *head, const char *bytes, size_t len)
{
	INVARIANT(head->size_bytes == len);
	INVARIANT(len >= 4 && memcmp(bytes + len - 4, "\r\n\r\n", 4) == 0);
	INVARIANT(http_head_end(bytes, len) == len);
	INVARIANT(head->n_headers <= LIMIT_HTTP_HEADERS);
	for (size_t i = 0; i < head->n_headers; i++) {
		check_view(head->headers[i].name, bytes, len);
		check_view(head->headers[i].value, bytes, len);
		INVARIANT(head->headers[i].name.len > 0);
	}
	INVARIANT(!(head->chunked && head->has_length));
	INVARIANT(count(head, "content-length") + count(head, "transfer-encoding") <= 1);
	INVARIANT(head->length_bytes >= 0);
}

static void check_target(const struct http_head *head, const char *bytes, size_t len)
{
	check_view(head->target, bytes, len);
	INVARIANT(head->target.len && head->target.bytes[0] == '/');
	struct http_view path;
	struct http_view query;
	struct http_view value;
	http_split_target(head->target, &path, &query);
	check_view(path, bytes, len);
	check_view(query, bytes, len);
	if (http_query_get(query, "a", &value))
		check_view(value, bytes, len);
	char out[64];
	if (!http_percent_decode(path, false, out, sizeof(out), NULL))
		INVARIANT(strlen(out) <= path.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own size, so that a sanitizer sees every byte read too far. */
	_cleanup_free_ char *bytes = base_memdup(data, size);
	size_t end = http_head_end(bytes, size);
	INVARIANT(end <= size);
	for (size_t len = 0; end && len < end; len += end / 16 + 1)
		INVARIANT(http_head_end(bytes, len) == 0);
	size_t len = end ? end : size;
	struct http_head head;
	struct err err = { 0 };
	int status = 0;
	if (http_parse_request(bytes, len, &head, &status, &err)) {
		INVARIANT(status >= 400 && status <= 599);
		INVARIANT(err.code != ERR_NONE && err.message[0]);
	} else {
		check_head(&head, bytes, len);
		check_target(&head, bytes, len);
		INVARIANT(count(&head, "host") == 1);
	}
	for (int to_head = 0; to_head < 2; to_head++)
		if (!http_parse_response(bytes, len, to_head, &head, &err))
			INVARIANT(head.status >= 100 && head.status <= 599 &&
				  !(head.chunked && head.has_length));
	return 0;
}
