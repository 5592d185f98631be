/* Who is let in, who may stay, who must make room.
 *
 * Invariants:
 * 1. A connection is in the list of exactly one class, and counted for its address.
 * 2. Who shows no certificate has no say in what is reserved: with room scarce, each new caller
 *    costs one that has been nobody, or nameless, for the longest time.
 * 3. Callers of one address cannot push out another's handshakes but by being more than
 *    handshakes_max addresses' worth; among its own the oldest goes, for an honest one takes no
 *    longer than a round trip. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/http_server_private.h"
#include "net/socket.h"

void server_admission_init(struct http_server *server)
{
	struct http_server_options *options = &server->options;
	for (int i = 0; i < CLASS_COUNT; i++)
		TAILQ_INIT(&server->of_class[i].by_age);
	buckets_init(&server->arrivals, options->address_arrivals_per_minute,
		     options->address_arrivals_burst);
	if (options->reserved > options->connections_max / 2)
		options->reserved = options->connections_max / 2;
	if (gethostname(server->host_name, sizeof(server->host_name) - 1) < 0)
		server->host_name[0] = '\0';
}

void server_admission_release(struct http_server *server)
{
	for (int i = 0; i < CLASS_COUNT; i++) {
		struct server_connection *connection;
		while ((connection = TAILQ_FIRST(&server->of_class[i].by_age)))
			server_connection_free(connection);
	}
	INVARIANT(server->addresses.n == 0);
	map_release(&server->addresses);
	buckets_release(&server->arrivals);
}

/* ---- lists ------------------------------------------------------------------------------------ */

static void count(struct server_connection *connection, int change)
{
	struct server_address *address = connection->address;
	connection->server->of_class[connection->class].n += change;
	if (address)
		address->of_class[connection->class] += change;
}

static struct server_address *address_of(struct http_server *server, const char *text)
{
	struct uuid key = bucket_of_address(text);
	struct server_address *address = map_get(&server->addresses, key);
	if (!address) {
		address = base_calloc(1, sizeof(*address));
		address->key = key;
		map_put(&server->addresses, key, address);
	}
	return address;
}

void server_enlist(struct server_connection *connection, enum connection_class class)
{
	struct http_server *server = connection->server;
	connection->class = class;
	if (connection->peer.tls) {
		connection->address = address_of(server, connection->peer.address);
		connection->address->n++;
	}
	TAILQ_INSERT_TAIL(&server->of_class[class].by_age, connection, link);
	count(connection, 1);
}

void server_reclass(struct server_connection *connection, enum connection_class class)
{
	struct http_server *server = connection->server;
	count(connection, -1);
	TAILQ_REMOVE(&server->of_class[connection->class].by_age, connection, link);
	connection->class = class;
	TAILQ_INSERT_TAIL(&server->of_class[class].by_age, connection, link);
	count(connection, 1);
}

void server_delist(struct server_connection *connection)
{
	struct http_server *server = connection->server;
	struct server_address *address = connection->address;
	count(connection, -1);
	TAILQ_REMOVE(&server->of_class[connection->class].by_age, connection, link);
	if (!address || --address->n)
		return;
	map_remove(&server->addresses, address->key);
	base_free(address);
}

static int connections(const struct http_server *server)
{
	int n = 0;
	for (int i = 0; i < CLASS_COUNT; i++)
		n += server->of_class[i].n;
	return n;
}

/* ---- room ------------------------------------------------------------------------------------- */

/* Is it among the last of this process? */
static bool is_reserved(const struct http_server *server, int fd)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return false;
	return (int64_t)fd >= (int64_t)limit.rlim_cur - server->options.reserved;
}

static bool descriptors_are_scarce(const struct http_server *server)
{
	int lowest = fcntl(server->spare_fd, F_DUPFD_CLOEXEC, 0);
	if (lowest < 0)
		return errno == EMFILE;
	close(lowest);
	return is_reserved(server, lowest);
}

/* Has it one of the last, and is there no other? */
static bool uses_the_reserve(const struct server_connection *connection)
{
	return is_reserved(connection->server, bufferevent_getfd(connection->bev)) &&
	       descriptors_are_scarce(connection->server);
}

static void cut(struct server_connection *connection)
{
	connection->server->counts.refused_connections++;
	server_connection_free(connection);
}

/* Cut the oldest of those without a certificate that are not being answered, if there is one. */
static bool make_room(struct http_server *server)
{
	static const enum connection_class order[] = { CLASS_NOBODY, CLASS_NEW };
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct server_connection *connection;
		TAILQ_FOREACH(connection, &server->of_class[order[i]].by_age, link)
		{
			if (connection->receive == RECEIVE_WHOLE)
				continue;
			cut(connection);
			return true;
		}
	}
	return false;
}

/* Of handshakes the oldest is cut: of all, or of one address. */
static void cut_handshake(struct http_server *server, const struct server_address *address)
{
	struct server_connection *connection;
	TAILQ_FOREACH(connection, &server->of_class[CLASS_NEW].by_age, link)
	{
		if (address && connection->address != address)
			continue;
		cut(connection);
		return;
	}
}

/* ---- letting in ------------------------------------------------------------------------------- */

void server_turn_away(struct server_listener *listener, int fd, const char *message)
{
	struct http_server *server = listener->server;
	server->counts.refused_connections++;
	/* Before a handshake nothing can be said. */
	if (!listener->tls) {
		text_clear(&server->head);
		server_print_error(server, &server->head, 503, "limit", message, false);
		send(fd, server->head.bytes, server->head.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	close(fd);
}

static void let_in_unix(struct server_listener *listener, int fd)
{
	struct ucred credentials;
	socklen_t len = sizeof(credentials);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0 ||
	    (credentials.uid != 0 && credentials.uid != geteuid())) {
		close(fd);
		return;
	}
	struct http_peer peer = { .unix_socket = true,
				  .uid = credentials.uid,
				  .pid = credentials.pid };
	server_connection_new(listener->server, fd, &peer, NULL);
}

static void let_in_tcp(struct server_listener *listener, int fd)
{
	struct http_server *server = listener->server;
	const struct http_server_options *options = &server->options;
	struct http_peer peer = { .tls = true };
	if (socket_peer_address(fd, peer.address, sizeof(peer.address)) ||
	    !buckets_take(&server->arrivals, bucket_of_address(peer.address), socket_clock_ms())) {
		server->counts.refused_connections++;
		close(fd);
		return;
	}
	const struct server_address *address =
		map_get(&server->addresses, bucket_of_address(peer.address));
	if (address && address->of_class[CLASS_NEW] >= options->address_connections_max)
		cut_handshake(server, address);
	if (server->of_class[CLASS_NEW].n >= options->handshakes_max)
		cut_handshake(server, NULL);
	socket_no_delay(fd);
	server_connection_new(server, fd, &peer, listener->tls)->counted_arrival = true;
}

static bool may_accept(const struct server_listener *listener)
{
	return !listener->tls || !descriptors_are_scarce(listener->server);
}

bool server_has_descriptor(struct server_listener *listener)
{
	/* One caller costs one: what that gave up may be one of the last as well. */
	if (may_accept(listener) || listener->made_room)
		return true;
	/* What is given up is free when the loop has turned. Were the caller taken in before that, on one
	 * of the last, the freed one would look like plenty to the next: two came for each that went. */
	listener->made_room = make_room(listener->server);
	return !listener->made_room;
}

bool server_let_in(struct server_listener *listener, int fd)
{
	struct http_server *server = listener->server;
	const struct http_server_options *options = &server->options;
	int room = options->connections_max - (listener->tls ? options->reserved : 0);
	listener->made_room = false;
	if (connections(server) >= room)
		make_room(server);
	if (connections(server) >= options->connections_max)
		server_turn_away(listener, fd, "too many connections");
	else if (listener->tls)
		let_in_tcp(listener, fd);
	else
		let_in_unix(listener, fd);
	return may_accept(listener);
}

/* ---- staying ---------------------------------------------------------------------------------- */

/* Whose handshake is done, and what follows for its address. */
static enum connection_class classify(struct server_connection *connection)
{
	struct http_server *server = connection->server;
	struct uuid key = connection->address->key;
	enum http_standing standing = HTTP_STRANGER;
	if (connection->peer.certified)
		standing = server->handler.standing
				   ? server->handler.standing(server->owner, &connection->peer)
				   : HTTP_KNOWN;
	if (standing == HTTP_STRANGER)
		return CLASS_NOBODY;
	buckets_give_back(&server->arrivals, key);
	if (standing == HTTP_KNOWN)
		return CLASS_KNOWN;
	buckets_excuse(&server->arrivals, key, socket_clock_ms() + LIMIT_ADDRESS_EXCUSED_MS);
	return CLASS_OWN;
}

/* False, for the caller to return. */
static bool refuse(int *ret_status, int status, struct err *err, const char *message)
{
	*ret_status = status;
	err_set(err, status == 403 ? ERR_FORBIDDEN : ERR_LIMIT, "%s", message);
	return false;
}

bool server_may_stay(struct server_connection *connection, int *ret_status, struct err *err)
{
	struct http_server *server = connection->server;
	const struct http_server_options *options = &server->options;
	enum connection_class class = classify(connection);
	int room = options->connections_max - options->reserved;
	/* Who is refused stays among the new ones, and is cut with them. */
	if (class == CLASS_NOBODY &&
	    connection->address->of_class[class] >= options->address_connections_max)
		return refuse(ret_status, 429, err,
			      "too many connections from this address without a certificate");
	if (class != CLASS_OWN && (connections(server) > room || uses_the_reserve(connection)))
		return refuse(ret_status, 503, err, "too many connections");
	server_reclass(connection, class);
	return true;
}

/* "HOST[:PORT]" or "[ADDRESS6][:PORT]" without the port. */
static struct http_view without_port(struct http_view host)
{
	const char *end = NULL;
	if (host.len && host.bytes[0] == '[') {
		end = memchr(host.bytes, ']', host.len);
		if (end)
			return (struct http_view){ host.bytes + 1, (size_t)(end - host.bytes) - 1 };
	}
	end = memchr(host.bytes, ':', host.len);
	return end ? (struct http_view){ host.bytes, (size_t)(end - host.bytes) } : host;
}

struct http_server_counts http_server_counts(const struct http_server *server)
{
	return server->counts;
}

void http_server_set_name(struct http_server *server, const char *name)
{
	text_print(server->told_name, sizeof(server->told_name), "%s", name);
}

static bool is_own_host(const struct http_server *server, struct http_view host)
{
	char name[LIMIT_HOSTNAME_BYTES + 1];
	struct in6_addr address;
	struct http_view bare = without_port(host);
	if (!bare.len || bare.len >= sizeof(name))
		return false;
	memcpy(name, bare.bytes, bare.len);
	name[bare.len] = '\0';
	return inet_pton(AF_INET, name, &address) == 1 ||
	       inet_pton(AF_INET6, name, &address) == 1 || http_view_is(bare, "localhost") ||
	       http_view_is(bare, server->host_name) || http_view_is(bare, server->told_name);
}

bool server_may_ask(struct server_connection *connection, const struct http_head *head,
		    int *ret_status, struct err *err)
{
	struct http_server *server = connection->server;
	bool counted = connection->counted_arrival;
	connection->counted_arrival = false;
	if (http_header_get(head, "origin").bytes)
		return refuse(ret_status, 403, err, "requests made by web pages are not answered");
	if (!connection->peer.tls)
		return true;
	if (!is_own_host(server, http_header_get(head, "host")))
		return refuse(ret_status, 403, err,
			      "the request is for another host: call this one by its address");
	if (connection->class == CLASS_NOBODY && !counted &&
	    !buckets_take(&server->arrivals, connection->address->key, socket_clock_ms()))
		return refuse(ret_status, 429, err,
			      "too many requests from this address without a certificate");
	return true;
}
