/* Ports. Short form: [ADDRESS:][HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL]; an IPv6 address may stand in brackets.
 *
 *   "8080:80"               a fixed port: one task of the job on each machine
 *   "8080-8089:80"          a pool: each task draws one of the ten
 *   "3000-3005:3000-3005"   as many fixed ports as container ports
 *   "80", "127.0.0.1::80"   any free port of PORT_ANY_FIRST..PORT_ANY_LAST */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "compose/keys.h"
#include "compose/service.h"
#include "job/syntax.h"

struct range {
	int64_t first; /* 0: nothing written */
	int64_t last;
};

static enum err_code parse_range(const struct at *at, const char *text, size_t len,
				 struct range *ret_range, struct err *err)
{
	const char *dash = memchr(text, '-', len);
	size_t first_len = dash ? (size_t)(dash - text) : len;
	struct range range;
	if (parse_int_n(text, first_len, 1, 65535, &range.first, err))
		return at_blame(at, err);
	range.last = range.first;
	if (dash && parse_int_n(dash + 1, len - first_len - 1, 1, 65535, &range.last, err))
		return at_blame(at, err);
	if (range.first > range.last)
		return at_fail(at, err, ERR_INVALID, "the range %.*s runs backwards", (int)len,
			       text);
	*ret_range = range;
	return ERR_NONE;
}

/* A short form taken apart; the pointers go into its text. */
struct short_port {
	const char *ip;
	size_t ip_len;
	const char *host;
	size_t host_len;
	const char *container;
	size_t container_len;
	int protocol;
};

static enum err_code parse_protocol(const struct at *at, const char *word, int *ret_protocol,
				    struct err *err)
{
	for (const struct enum_name *name = port_protocol_names; name->name; name++)
		if (strcasecmp(name->name, word) == 0) {
			*ret_protocol = name->value;
			return ERR_NONE;
		}
	if (strcmp(word, "sctp") == 0)
		return at_fail(at, err, ERR_UNSUPPORTED,
			       "protocol sctp is refused: not in this release");
	return at_fail(at, err, ERR_INVALID, "expected the protocol tcp or udp, found \"%s\"",
		       word);
}

static enum err_code fail_form(const struct at *at, const char *text, struct err *err)
{
	return at_fail(
		at, err, ERR_INVALID,
		"expected [ADDRESS:][HOST:]CONTAINER[/PROTOCOL], found \"%s\"; an IPv6 address "
		"stands in [brackets]",
		text);
}

static bool is_ip(const struct short_port *port)
{
	_cleanup_free_ char *address = base_strndup(port->ip, port->ip_len);
	return is_ip_address(address);
}

static enum err_code split_short(const struct at *at, const char *text, struct short_port *ret_port,
				 struct err *err)
{
	struct short_port port = { .protocol = PORT_TCP };
	const char *slash = strrchr(text, '/');
	const char *end = slash ? slash : text + strlen(text);
	if (slash) {
		enum err_code code = parse_protocol(at, slash + 1, &port.protocol, err);
		if (code)
			return code;
	}
	const char *rest = text;
	if (*text == '[') {
		const char *bracket = memchr(text, ']', (size_t)(end - text));
		if (!bracket || bracket[1] != ':')
			return fail_form(at, text, err);
		port.ip = text + 1;
		port.ip_len = (size_t)(bracket - port.ip);
		rest = bracket + 2;
	}
	/* The last two colons: what stands before both is an address, which may have colons too. */
	const char *before_host = NULL;
	const char *before_container = NULL;
	for (const char *c = rest; c < end; c++)
		if (*c == ':') {
			before_host = before_container;
			before_container = c;
		}
	if (port.ip && (before_host || !before_container))
		return fail_form(at, text, err);
	if (before_host) {
		/* ":8080:80", where a variable left no address, is on all of them. */
		port.ip = before_host > rest ? rest : NULL;
		port.ip_len = (size_t)(before_host - rest);
		rest = before_host + 1;
		if (port.ip && memchr(port.ip, ':', port.ip_len) && !is_ip(&port))
			return fail_form(at, text, err);
	}
	if (before_container) {
		port.host = rest;
		port.host_len = (size_t)(before_container - rest);
		rest = before_container + 1;
	}
	port.container = rest;
	port.container_len = (size_t)(end - rest);
	*ret_port = port;
	return ERR_NONE;
}

void short_port_key(const struct at *at, struct text *key)
{
	struct short_port port;
	struct err unread;
	if (split_short(at, at->node->text, &port, &unread))
		return;
	if (port.ip)
		text_add_bytes(key, port.ip, port.ip_len);
	else
		text_add(key, PORT_ALL_ADDRESSES);
	text_addf(key, "|%.*s|", (int)port.host_len, port.host ? port.host : "");
	text_add_bytes(key, port.container, port.container_len);
	text_addf(key, "|%s", enum_name(port_protocol_names, port.protocol));
}

static enum err_code add_port(const struct at *at, struct service *service, const struct port *port,
			      struct err *err)
{
	if (service->spec.ports.n == LIMIT_PORTS_PER_JOB)
		return at_fail(at, err, ERR_LIMIT, "a service has at most %d ports",
			       LIMIT_PORTS_PER_JOB);
	at_origin(at, "ports[%zu]", service->spec.ports.n);
	struct port *added = list_add(&service->spec.ports, sizeof(*added));
	record_copy(&port_type, added, port);
	return ERR_NONE;
}

/* One port of the job for each container port. */
static enum err_code add_ports(const struct at *at, struct service *service, struct port *port,
			       struct range host, struct range container, struct err *err)
{
	int64_t n_host = host.last - host.first + 1;
	int64_t n_container = container.last - container.first + 1;
	bool pool = n_container == 1;
	if (host.first && !pool && n_host != n_container)
		return at_fail(
			at, err, ERR_INVALID,
			"%lld host ports stand for %lld container ports; the ranges must be of "
			"the same length, or the container port a single one",
			(long long)n_host, (long long)n_container);
	enum err_code code = ERR_NONE;
	for (int64_t i = 0; !code && i < n_container; i++) {
		port->container_port = container.first + i;
		port->host_first = host.first ? host.first + i : PORT_ANY_FIRST;
		port->host_last = !host.first ? PORT_ANY_LAST : pool ? host.last : host.first + i;
		code = add_port(at, service, port, err);
	}
	return code;
}

static enum err_code read_short(const struct at *at, struct service *service, struct err *err)
{
	const char *text;
	struct short_port parts = { .protocol = PORT_TCP };
	struct range host = { 0, 0 };
	struct range container = { 0, 0 };
	enum err_code code = get_scalar(at, &text, err);
	if (!code)
		code = split_short(at, text, &parts, err);
	if (!code)
		code = parse_range(at, parts.container, parts.container_len, &container, err);
	/* "127.0.0.1::80" leaves the host port open; ":80" is a slip. */
	if (!code && parts.host && parts.host_len == 0 && !parts.ip)
		code = fail_form(at, text, err);
	if (!code && parts.host && parts.host_len > 0)
		code = parse_range(at, parts.host, parts.host_len, &host, err);
	if (code)
		return code;
	struct port port = { .protocol = parts.protocol };
	port.host_ip = parts.ip ? base_strndup(parts.ip, parts.ip_len) : NULL;
	code = add_ports(at, service, &port, host, container, err);
	base_free(port.host_ip);
	return code;
}

enum err_code read_port_target(const struct at *at, void *target, struct err *err)
{
	struct port *port = target;
	return get_integer(at, 1, 65535, &port->container_port, err);
}

enum err_code read_port_published(const struct at *at, void *target, struct err *err)
{
	struct port *port = target;
	const char *text;
	struct range range;
	enum err_code code = get_scalar(at, &text, err);
	if (!code)
		code = parse_range(at, text, strlen(text), &range, err);
	if (code)
		return code;
	port->host_first = range.first;
	port->host_last = range.last;
	return ERR_NONE;
}

enum err_code read_port_host_ip(const struct at *at, void *target, struct err *err)
{
	struct port *port = target;
	return read_string(at, &port->host_ip, err);
}

enum err_code read_port_protocol(const struct at *at, void *target, struct err *err)
{
	struct port *port = target;
	const char *word;
	enum err_code code = get_string(at, &word, err);
	return code ? code : parse_protocol(at, word, &port->protocol, err);
}

enum err_code read_port_mode(const struct at *at, void *target, struct err *err)
{
	(void)target;
	const char *mode;
	enum err_code code = get_string(at, &mode, err);
	if (code || strcmp(mode, "host") == 0)
		return code;
	if (strcmp(mode, "ingress") == 0)
		return at_fail(
			at, err, ERR_UNSUPPORTED,
			"mode ingress is refused: a port is open on the machine its task runs "
			"on, not on every machine; write mode: host or leave it out");
	return fail_type(at, "host", err);
}

enum err_code read_remark(const struct at *at, void *target, struct err *err)
{
	(void)target;
	const char *text;
	return get_scalar(at, &text, err);
}

static enum err_code read_long(const struct at *at, struct service *service, struct err *err)
{
	struct port port = { .protocol = PORT_TCP };
	enum err_code code = keys_read(at, SECTION_PORT, &port, err);
	if (!code && port.container_port == 0)
		code = at_fail(at, err, ERR_INVALID,
			       "a port needs a target: the port in the container");
	if (!code && port.host_first == 0) {
		port.host_first = PORT_ANY_FIRST;
		port.host_last = PORT_ANY_LAST;
	}
	if (!code)
		code = add_port(at, service, &port, err);
	record_release(&port_type, &port);
	return code;
}

static enum err_code read_item(const struct at *item, void *service, struct err *err)
{
	return item->node->kind == TREE_MAP ? read_long(item, service, err)
					    : read_short(item, service, err);
}

enum err_code read_ports(const struct at *at, void *service, struct err *err)
{
	return read_each_item(at, read_item, service, err);
}
