#include "net/endpoint.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "base/text.h"

#define UNIX_PREFIX "unix://"

static enum err_code bad(const char *text, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "\"%.*s\" is no address: /PATH, HOST:PORT or [ADDRESS]:PORT", 200, text);
}

static bool is_host(const char *host, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = host[i];
		bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || strchr(".-:_", c);
		if (!c || !fits)
			return false;
	}
	return len > 0 && len <= LIMIT_HOSTNAME_BYTES;
}

/* "HOST[:PORT]" or "[ADDRESS6][:PORT]"; an address with several colons and no brackets has no port. */
static enum err_code parse_tcp(const char *text, struct endpoint *endpoint, struct err *err)
{
	const char *host = text;
	size_t len = strcspn(text, ":");
	const char *rest = text + len;
	if (*text == '[') {
		host = text + 1;
		len = strcspn(host, "]");
		if (!host[len])
			return bad(text, err);
		rest = host + len + 1;
	} else if (*rest && strchr(rest + 1, ':')) {
		len = strlen(text);
		rest = text + len;
	}
	int64_t port = ENDPOINT_PORT_DEFAULT;
	struct err number;
	if (!is_host(host, len) || (*rest && *rest != ':'))
		return bad(text, err);
	if (*rest && parse_int(rest + 1, 0, 65535, &port, &number))
		return err_set(err, ERR_INVALID, "\"%.*s\" is no HOST:PORT: %s", 200, text,
			       number.message);
	endpoint->host = base_strndup(host, len);
	endpoint->port = (int)port;
	return ERR_NONE;
}

enum err_code endpoint_parse(const char *text, struct endpoint *ret_endpoint, struct err *err)
{
	struct endpoint endpoint = { 0 };
	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		text += strlen(UNIX_PREFIX);
	if (*text == '/' || *text == '.') {
		endpoint.socket_path = base_strdup(text);
	} else {
		enum err_code code = parse_tcp(text, &endpoint, err);
		if (code)
			return code;
	}
	*ret_endpoint = endpoint;
	return ERR_NONE;
}

struct endpoint endpoint_unix(const char *path)
{
	return (struct endpoint){ .socket_path = base_strdup(path) };
}

void endpoint_copy(struct endpoint *to, const struct endpoint *from)
{
	*to = *from;
	to->socket_path = base_strdup(from->socket_path);
	to->host = base_strdup(from->host);
}

void endpoint_release(struct endpoint *endpoint)
{
	base_free(endpoint->socket_path);
	base_free(endpoint->host);
	*endpoint = (struct endpoint){ 0 };
}

const char *endpoint_text(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE])
{
	if (endpoint->socket_path)
		return text_print(out, ENDPOINT_TEXT_SIZE, "%s", endpoint->socket_path);
	bool brackets = strchr(endpoint->host, ':') != NULL;
	return text_print(out, ENDPOINT_TEXT_SIZE, brackets ? "[%s]:%d" : "%s:%d", endpoint->host,
			  endpoint->port);
}

bool endpoint_is_numeric(const struct endpoint *endpoint)
{
	struct in6_addr address;
	return endpoint->host && (inet_pton(AF_INET, endpoint->host, &address) == 1 ||
				  inet_pton(AF_INET6, endpoint->host, &address) == 1);
}

const char *endpoint_host_header(const struct endpoint *endpoint, char out[ENDPOINT_TEXT_SIZE])
{
	if (endpoint_is_numeric(endpoint))
		return endpoint_text(endpoint, out);
	return text_print(out, ENDPOINT_TEXT_SIZE, "localhost");
}
