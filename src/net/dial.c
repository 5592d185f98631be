#include "net/dial.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <string.h>

#include "base/check.h"
#include "net/socket.h"
#include "net/tls.h"

/* To evdns_base_free(): what is under way is ended. Else its timers point into what is freed. */
#define FAIL_LOOKUPS 1

static enum err_code dial_unix(struct event_base *base, const char *path, struct dial *dial,
			       struct err *err)
{
	int fd = -1;
	enum err_code code = socket_dial(path, &fd, err);
	if (code)
		return code;
	dial->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	INVARIANT(dial->bev);
	return ERR_NONE;
}

static enum err_code dial_tcp(struct event_base *base, const struct endpoint *endpoint,
			      struct dial *dial, struct err *err)
{
	char text[ENDPOINT_TEXT_SIZE];
	PRE(endpoint->tls);
	/* A name must not hold the loop up. */
	if (!endpoint_is_numeric(endpoint))
		dial->dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
							 EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	dial->bev = tls_client_new(endpoint->tls, base);
	if (bufferevent_socket_connect_hostname(dial->bev, dial->dns, AF_UNSPEC, endpoint->host,
						endpoint->port) == 0)
		return ERR_NONE;
	dial_release(dial);
	return err_set(err, ERR_UNAVAILABLE, "%s cannot be reached", endpoint_text(endpoint, text));
}

enum err_code dial_begin(struct event_base *base, const struct endpoint *endpoint,
			 struct dial *ret_dial, struct err *err)
{
	*ret_dial = (struct dial){ 0 };
	if (endpoint->socket_path)
		return dial_unix(base, endpoint->socket_path, ret_dial, err);
	return dial_tcp(base, endpoint, ret_dial, err);
}

void dial_release(struct dial *dial)
{
	if (dial->bev)
		bufferevent_free(dial->bev);
	if (dial->dns)
		evdns_base_free(dial->dns, FAIL_LOOKUPS);
	*dial = (struct dial){ 0 };
}

static bool is_unreachable(int error)
{
	return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
	       error == ETIMEDOUT;
}

void dial_problem(const struct dial *dial, struct err *err)
{
	int error = EVUTIL_SOCKET_ERROR();
	int dns_error = bufferevent_socket_get_dns_error(dial->bev);
	bool by_tls = tls_problem_of(dial->bev, err);
	/* A certificate that was refused is the reason; any other word of TLS follows from the socket's. */
	if (dns_error)
		err_set(err, ERR_UNAVAILABLE, "its name cannot be looked up: %s",
			evutil_gai_strerror(dns_error));
	else if (is_unreachable(error) && !(by_tls && err->code == ERR_FORBIDDEN))
		err_set(err, ERR_UNAVAILABLE, "%s",
			error == ECONNREFUSED ? "nobody listens there" : strerror(error));
	else if (!by_tls)
		err_set(err, ERR_UNAVAILABLE,
			"the connection ended before it was established; a manager that is asked "
			"too "
			"often from one address does that");
}
