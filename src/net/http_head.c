/* Heads of requests and responses.
 *
 * Invariants:
 * 1. A head is accepted only when every byte of it is accounted for: request or status line, header
 *    lines, one empty line, each ended by CR LF. Nothing is repaired or skipped.
 * 2. An accepted head says in exactly one way where its body ends.
 * 3. All views point into the bytes that were given. */
#include <string.h>

#include "base/alloc.h"
#include "net/http.h"
#include "net/http_syntax.h"

/* The bytes left to read. */
struct cursor {
	const char *at;
	const char *end;
};

size_t http_head_end(const char *bytes, size_t len)
{
	const char *at = bytes;
	const char *end = bytes + len;
	/* A head "ended" by bare LFs ends here too, so that it is refused now and not by a
	 * deadline. */
	while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		if (at < end && *at == '\n')
			return (size_t)(at + 1 - bytes);
		if (at + 1 < end && at[0] == '\r' && at[1] == '\n')
			return (size_t)(at + 2 - bytes);
	}
	return 0;
}

bool http_view_is(struct http_view view, const char *text)
{
	if (!view.bytes || strlen(text) != view.len)
		return false;
	for (size_t i = 0; i < view.len; i++)
		if (http_lower(view.bytes[i]) != http_lower(text[i]))
			return false;
	return true;
}

struct http_view http_header_get(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->n_headers; i++)
		if (http_view_is(head->headers[i].name, name))
			return head->headers[i].value;
	return (struct http_view){ NULL, 0 };
}

static size_t count_header(const struct http_head *head, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < head->n_headers; i++)
		n += http_view_is(head->headers[i].name, name);
	return n;
}

static enum err_code refuse(int *status, int value, struct err *err, const char *message)
{
	enum err_code code = value == 413		    ? ERR_TOO_LARGE
			     : value == 414 || value == 431 ? ERR_HEADER_LARGE
			     : value == 400		    ? ERR_PROTOCOL
							    : ERR_UNSUPPORTED;
	*status = value;
	return err_set(err, code, "%s", message);
}

/* Take the next line without its CR LF. */
static enum err_code next_line(struct cursor *cursor, int too_long, struct http_view *ret_line,
			       int *status, struct err *err)
{
	const char *lf = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));
	if (!lf)
		return refuse(status, 400, err, "the head ends inside a line");
	if (lf == cursor->at || lf[-1] != '\r')
		return refuse(status, 400, err, "a line ends in LF without CR");
	struct http_view line = { cursor->at, (size_t)(lf - 1 - cursor->at) };
	if (line.len > LIMIT_HTTP_LINE_BYTES)
		return refuse(status, too_long, err, "a line of the head is longer than 8 KiB");
	for (size_t i = 0; i < line.len; i++)
		if (!http_is_value((unsigned char)line.bytes[i]))
			return refuse(status, 400, err, "the head has a control character in it");
	cursor->at = lf + 1;
	*ret_line = line;
	return ERR_NONE;
}

static enum err_code parse_header(struct http_view line, struct http_head *head, int *status,
				  struct err *err)
{
	if (http_is_blank((unsigned char)line.bytes[0]))
		return refuse(status, 400, err, "a header is folded over two lines");
	size_t name = 0;
	while (name < line.len && http_is_token((unsigned char)line.bytes[name]))
		name++;
	if (name == line.len || line.bytes[name] != ':')
		return refuse(status, 400, err,
			      "a header's name holds a character it may not or has no ':'");
	if (name == 0)
		return refuse(status, 400, err, "a header has no name");
	if (head->n_headers == LIMIT_HTTP_HEADERS)
		return refuse(status, 431, err, "more than 64 headers");
	size_t start = name + 1;
	size_t end = line.len;
	while (start < end && http_is_blank((unsigned char)line.bytes[start]))
		start++;
	while (end > start && http_is_blank((unsigned char)line.bytes[end - 1]))
		end--;
	head->headers[head->n_headers++] = (struct http_header){
		.name = { line.bytes, name },
		.value = { line.bytes + start, end - start },
	};
	return ERR_NONE;
}

static enum err_code parse_headers(struct cursor *cursor, struct http_head *head, int *status,
				   struct err *err)
{
	for (;;) {
		struct http_view line = { NULL, 0 };
		enum err_code code = next_line(cursor, 431, &line, status, err);
		if (code)
			return code;
		if (line.len == 0)
			break;
		code = parse_header(line, head, status, err);
		if (code)
			return code;
	}
	if (cursor->at != cursor->end)
		return refuse(status, 400, err, "bytes after the empty line");
	return ERR_NONE;
}

/* Take the next element of a comma-separated list; false at its end. Empty elements are given
 * too. */
static bool next_element(struct http_view *list, struct http_view *ret_element)
{
	if (!list->bytes)
		return false;
	const char *comma = memchr(list->bytes, ',', list->len);
	struct http_view element = { list->bytes,
				     comma ? (size_t)(comma - list->bytes) : list->len };
	if (comma)
		*list = (struct http_view){ comma + 1, list->len - element.len - 1 };
	else
		*list = (struct http_view){ NULL, 0 };
	while (element.len && http_is_blank((unsigned char)element.bytes[0])) {
		element.bytes++;
		element.len--;
	}
	while (element.len && http_is_blank((unsigned char)element.bytes[element.len - 1]))
		element.len--;
	*ret_element = element;
	return true;
}

bool http_header_has(const struct http_head *head, const char *name, const char *token)
{
	for (size_t i = 0; i < head->n_headers; i++) {
		if (!http_view_is(head->headers[i].name, name))
			continue;
		struct http_view list = head->headers[i].value;
		struct http_view element;
		while (next_element(&list, &element))
			if (http_view_is(element, token))
				return true;
	}
	return false;
}

static enum err_code parse_length(struct http_view value, struct http_head *head, int *status,
				  struct err *err)
{
	if (value.len == 0)
		return refuse(status, 400, err, "Content-Length is empty");
	int64_t length = 0;
	bool overflow = false;
	for (size_t i = 0; i < value.len; i++) {
		if (!http_is_digit((unsigned char)value.bytes[i]))
			return refuse(status, 400, err, "Content-Length is not a number");
		int digit = value.bytes[i] - '0';
		if (length > (INT64_MAX - digit) / 10)
			overflow = true;
		else
			length = length * 10 + digit;
	}
	if (overflow)
		return refuse(status, 413, err, "Content-Length is beyond every limit");
	head->has_length = true;
	head->length_bytes = length;
	return ERR_NONE;
}

/* "chunked" alone is understood. A list that misplaces it is a smuggling attempt, any other coding
 * just unknown. */
static enum err_code parse_coding(struct http_view value, struct http_head *head, int *status,
				  struct err *err)
{
	if (http_view_is(value, "chunked")) {
		head->chunked = true;
		return ERR_NONE;
	}
	struct http_view list = value;
	struct http_view element;
	bool after_chunked = false;
	while (next_element(&list, &element)) {
		bool token = element.len > 0;
		for (size_t i = 0; i < element.len; i++)
			token = token && http_is_token((unsigned char)element.bytes[i]);
		if (!token || after_chunked)
			return refuse(status, 400, err, "Transfer-Encoding is malformed");
		after_chunked = http_view_is(element, "chunked");
	}
	return refuse(status, 501, err, "no transfer coding but chunked is known");
}

/* Invariant 2. */
static enum err_code parse_framing(struct http_head *head, int *status, struct err *err)
{
	size_t lengths = count_header(head, "content-length");
	size_t codings = count_header(head, "transfer-encoding");
	if (lengths && codings)
		return refuse(status, 400, err, "both Content-Length and Transfer-Encoding");
	if (lengths > 1)
		return refuse(status, 400, err, "Content-Length is repeated");
	if (codings > 1)
		return refuse(status, 400, err, "Transfer-Encoding is repeated");
	if (lengths)
		return parse_length(http_header_get(head, "content-length"), head, status, err);
	if (codings)
		return parse_coding(http_header_get(head, "transfer-encoding"), head, status, err);
	return ERR_NONE;
}

static void parse_connection(struct http_head *head, bool keep_alive)
{
	if (http_header_has(head, "connection", "close"))
		keep_alive = false;
	else if (http_header_has(head, "connection", "keep-alive"))
		keep_alive = true;
	head->keep_alive = keep_alive;
	head->upgrade =
		count_header(head, "upgrade") && http_header_has(head, "connection", "upgrade");
}

static bool is_version(struct http_view view)
{
	return view.len == 8 && memcmp(view.bytes, "HTTP/", 5) == 0 &&
	       http_is_digit((unsigned char)view.bytes[5]) && view.bytes[6] == '.' &&
	       http_is_digit((unsigned char)view.bytes[7]);
}

/* Origin-form only: what begins with '/' and is visible ASCII without a fragment. */
static bool is_target(struct http_view view)
{
	if (view.len == 0 || view.bytes[0] != '/')
		return false;
	for (size_t i = 0; i < view.len; i++) {
		unsigned char c = (unsigned char)view.bytes[i];
		if (c <= 0x20 || c >= 0x7f || c == '#')
			return false;
	}
	return true;
}

static enum err_code parse_request_line(struct http_view line, struct http_head *head, int *status,
					struct err *err)
{
	size_t method = 0;
	while (method < line.len && http_is_token((unsigned char)line.bytes[method]))
		method++;
	if (method == 0 || method == line.len || line.bytes[method] != ' ')
		return refuse(status, 400, err, "the request line does not begin with a method");
	struct http_view target = { line.bytes + method + 1, 0 };
	const char *blank = memchr(target.bytes, ' ', line.len - method - 1);
	if (!blank)
		return refuse(status, 400, err, "the request line has no version");
	target.len = (size_t)(blank - target.bytes);
	struct http_view version = { blank + 1, (size_t)(line.bytes + line.len - blank - 1) };
	if (!is_version(version))
		return refuse(status, 400, err, "the request line is malformed");
	if (memcmp(version.bytes, "HTTP/1.1", 8) != 0)
		return refuse(status, 505, err, "only HTTP/1.1 is spoken here");
	if (method >= sizeof(head->method))
		return refuse(status, 501, err, "no method has so long a name");
	if (!is_target(target))
		return refuse(status, 400, err, "the target is not a path beginning with '/'");
	memcpy(head->method, line.bytes, method);
	head->target = target;
	return ERR_NONE;
}

static bool is_host(struct http_view value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.bytes[i];
		if (!http_is_digit(c) && !http_is_letter(c) && !strchr("-._~%!$&'()*+,;=:[]", c))
			return false;
	}
	return true;
}

static enum err_code check_host(const struct http_head *head, int *status, struct err *err)
{
	size_t hosts = count_header(head, "host");
	if (hosts != 1)
		return refuse(status, 400, err, hosts ? "Host is repeated" : "Host is missing");
	if (!is_host(http_header_get(head, "host")))
		return refuse(status, 400, err, "Host is malformed");
	return ERR_NONE;
}

static enum err_code parse_expect(struct http_head *head, int *status, struct err *err)
{
	size_t expects = count_header(head, "expect");
	if (!expects)
		return ERR_NONE;
	if (expects > 1 || !http_view_is(http_header_get(head, "expect"), "100-continue"))
		return refuse(status, 417, err, "no expectation but 100-continue is known");
	head->expect_continue = true;
	return ERR_NONE;
}

enum err_code http_parse_request(const char *bytes, size_t len, struct http_head *head,
				 int *ret_status, struct err *err)
{
	memset(head, 0, sizeof(*head));
	int *status = ret_status;
	if (len > LIMIT_HTTP_HEAD_BYTES)
		return refuse(status, 431, err, "the head is longer than 16 KiB");
	struct cursor cursor = { bytes, bytes + len };
	struct http_view line = { NULL, 0 };
	enum err_code code = next_line(&cursor, 414, &line, status, err);
	if (!code)
		code = parse_request_line(line, head, status, err);
	if (!code)
		code = parse_headers(&cursor, head, status, err);
	if (!code)
		code = check_host(head, status, err);
	if (!code)
		code = parse_framing(head, status, err);
	if (!code)
		code = parse_expect(head, status, err);
	if (code)
		return code;
	parse_connection(head, true);
	head->size_bytes = len;
	return ERR_NONE;
}

static enum err_code parse_status_line(struct http_view line, struct http_head *head, bool *ret_old,
				       struct err *err)
{
	struct http_view version = { line.bytes, line.len < 8 ? line.len : 8 };
	if (!is_version(version) || memcmp(version.bytes, "HTTP/1.", 7) != 0)
		return err_set(err, ERR_PROTOCOL, "the answer is not HTTP/1");
	if (line.len < 12 || line.bytes[8] != ' ' || (line.len > 12 && line.bytes[12] != ' '))
		return err_set(err, ERR_PROTOCOL, "the answer's status line is malformed");
	int status = 0;
	for (size_t i = 9; i < 12; i++) {
		if (!http_is_digit((unsigned char)line.bytes[i]))
			return err_set(err, ERR_PROTOCOL, "the answer's status is not a number");
		status = status * 10 + (line.bytes[i] - '0');
	}
	if (status < 100 || status > 599)
		return err_set(err, ERR_PROTOCOL, "the answer's status is %d", status);
	head->status = status;
	*ret_old = version.bytes[7] == '0';
	return ERR_NONE;
}

/* A response's failure has no status to answer with: the caller can only hang up. */
static enum err_code as_protocol(struct err *err)
{
	if (err) {
		err->code = ERR_PROTOCOL;
		err_prefix(err, "the answer's head");
	}
	return ERR_PROTOCOL;
}

enum err_code http_parse_response(const char *bytes, size_t len, bool to_head,
				  struct http_head *head, struct err *err)
{
	memset(head, 0, sizeof(*head));
	int status = 0;
	if (len > LIMIT_HTTP_HEAD_BYTES)
		return err_set(err, ERR_PROTOCOL, "the answer's head is longer than 16 KiB");
	struct cursor cursor = { bytes, bytes + len };
	struct http_view line = { NULL, 0 };
	if (next_line(&cursor, 431, &line, &status, err))
		return as_protocol(err);
	bool old = false;
	enum err_code code = parse_status_line(line, head, &old, err);
	if (code)
		return code;
	if (parse_headers(&cursor, head, &status, err) || parse_framing(head, &status, err))
		return as_protocol(err);
	if (old && head->chunked)
		return err_set(err, ERR_PROTOCOL, "an HTTP/1.0 answer is chunked");
	parse_connection(head, !old);
	if (to_head || head->status < 200 || head->status == 204 || head->status == 304) {
		head->chunked = false;
		head->has_length = true;
		head->length_bytes = 0;
	}
	/* Without a length the body runs until the connection ends. */
	if (!head->chunked && !head->has_length)
		head->keep_alive = false;
	head->size_bytes = len;
	return ERR_NONE;
}

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} rows[] = {
		{ 100, "Continue" },
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].status == status)
			return rows[i].text;
	return "Status";
}
