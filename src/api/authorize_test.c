/* Everyone who may ask, against every route: what is written here by hand must be what the code does (I26). */
#include "base/testing.h"

#include <string.h>
#include <unistd.h>

#include "api/authorize.h"
#include "api/routes.h"
#include "base/alloc.h"
#include "base/limits.h"

#define NOW_S	1800000000LL
#define DAY_S	86400LL
#define CLUSTER 1

enum who {
	UNIX_ROOT,
	UNIX_OWN,
	UNIX_OTHER,
	TLS_NOBODY,
	TLS_FOREIGN_CA,
	TLS_NO_URI,
	TLS_OTHER_CLUSTER,
	TLS_MANAGER,
	TLS_WORKER,
	TLS_CLIENT,
	TLS_VIEWER,
	TLS_ADMIN,
	TLS_REMOVED,
	TLS_REMOVED_WORKER,
	TLS_REMOVED_WORKER_EXPIRED,
	TLS_UNKNOWN_WORKER,
	TLS_OTHER_KEY,
	TLS_OTHER_ROLE,
	TLS_EXPIRED,
	TLS_EXPIRED_FOR_LONG,
	N_WHO,
};

/* What each may do, by scope. "join" and "none" are for everybody. */
static const struct {
	const char *name;
	const char *may;
	const char *why; /* part of what the others are told */
} table[N_WHO] = {
	[UNIX_ROOT] = { "root on the socket", "none join renew read logs write admin worker", "" },
	[UNIX_OWN] = { "the owner on the socket", "none join renew read logs write admin worker",
		       "" },
	[UNIX_OTHER] = { "another user on the socket", "none join",
			 "is not the owner of this manager" },
	[TLS_NOBODY] = { "TLS without a certificate", "none join", "needs a certificate" },
	[TLS_FOREIGN_CA] = { "a certificate of another CA", "none join", "needs a certificate" },
	[TLS_NO_URI] = { "a certificate without a name", "none join", "it has no URI" },
	[TLS_OTHER_CLUSTER] = { "an identity of another cluster", "none join",
				"is of another cluster" },
	[TLS_MANAGER] = { "a manager", "none join",
			  "the role manager may not do this: it needs the role " },
	[TLS_WORKER] = { "a worker", "none join renew worker",
			 "the role worker may not do this: it needs the role " },
	[TLS_CLIENT] = { "a client", "none join renew read logs write",
			 "the role client may not do this: it needs the role " },
	[TLS_VIEWER] = { "a viewer", "none join renew read logs",
			 "the role viewer may not do this: it needs the role " },
	[TLS_ADMIN] = { "an admin", "none join renew read logs write admin",
			"the role admin may not do this: it needs the role " },
	[TLS_REMOVED] = { "a removed identity", "none join", "was removed from the cluster" },
	[TLS_REMOVED_WORKER] = { "a removed worker", "none join",
				 "node alpha was removed from the cluster" },
	[TLS_REMOVED_WORKER_EXPIRED] = { "a removed worker after a year", "none join",
					 "node alpha was removed from the cluster" },
	[TLS_UNKNOWN_WORKER] = { "a worker nobody knows", "none join",
				 "the manager knows neither this worker nor that it was removed" },
	[TLS_OTHER_KEY] = { "a key that is not the identity's", "none join", "was removed" },
	[TLS_OTHER_ROLE] = { "a role that is not the identity's", "none join", "was removed" },
	[TLS_EXPIRED] = { "an expired certificate", "none join renew",
			  "expired at 2026-12-16T08:00:00Z, and the manager's clock says "
			  "2027-01-15T08:00:00Z: renew it" },
	[TLS_EXPIRED_FOR_LONG] = { "a certificate that expired over a year ago", "none join",
				   "join again with a token" },
};

static struct cluster cluster;

static struct uuid id_of(unsigned number)
{
	struct uuid id = { { 0 } };
	id.bytes[UUID_BYTES - 1] = (uint8_t)number;
	return id;
}

static void peer_of(enum who who, int role, struct http_peer *peer)
{
	struct access_name name = { id_of(CLUSTER), role, id_of(who) };
	*peer = (struct http_peer){ .tls = true, .address = "10.0.0.1", .certified = true };
	peer->not_after_s = NOW_S + DAY_S;
	peer->key_sha256[0] = (uint8_t)who;
	access_uri_format(&name, peer->uri);
}

static void put_identity(enum who who, int role)
{
	uint8_t key[ACCESS_HASH_BYTES] = { (uint8_t)who };
	struct identity_record identity = { .id = id_of(who), .role = role };
	identity.key_sha256 = base_calloc(ACCESS_HASH_TEXT_SIZE, 1);
	access_hash_format(key, identity.key_sha256);
	cluster_put_identity(&cluster, NULL, &identity);
}

static void put_removed(enum who who)
{
	struct removed_node removed = { .id = { id_of(who) }, .name = base_strdup("alpha") };
	cluster_put_removed_node(&cluster, NULL, &removed);
}

static int role_of(enum who who)
{
	switch (who) {
	case TLS_MANAGER: return ACCESS_MANAGER;
	case TLS_REMOVED_WORKER:
	case TLS_REMOVED_WORKER_EXPIRED:
	case TLS_UNKNOWN_WORKER:
	case TLS_WORKER: return ACCESS_WORKER;
	case TLS_CLIENT: return ACCESS_CLIENT;
	case TLS_VIEWER: return ACCESS_VIEWER;
	default: return ACCESS_ADMIN;
	}
}

static void make(enum who who, struct http_peer *peer)
{
	peer_of(who, role_of(who), peer);
	switch (who) {
	case UNIX_ROOT: *peer = (struct http_peer){ .unix_socket = true }; break;
	case UNIX_OWN: *peer = (struct http_peer){ .unix_socket = true, .uid = geteuid() }; break;
	case UNIX_OTHER:
		*peer = (struct http_peer){ .unix_socket = true, .uid = geteuid() + 12345 };
		break;
	case TLS_NOBODY: *peer = (struct http_peer){ .tls = true }; break;
	case TLS_FOREIGN_CA: peer->certified = false; break;
	case TLS_NO_URI: peer->uri[0] = '\0'; break;
	case TLS_OTHER_CLUSTER: peer->uri[strlen("drover://0000000")] = '9'; break;
	case TLS_OTHER_KEY: peer->key_sha256[5] = 1; break;
	case TLS_OTHER_ROLE: peer_of(who, ACCESS_CLIENT, peer); break;
	case TLS_EXPIRED: peer->not_after_s = NOW_S - 30 * DAY_S; break;
	case TLS_REMOVED_WORKER_EXPIRED:
	case TLS_EXPIRED_FOR_LONG: peer->not_after_s = NOW_S - LIMIT_CERTIFICATE_LAPSE_S - 1; break;
	default: break;
	}
}

static int set_up(void **state)
{
	(void)state;
	struct meta_record meta = { .cluster = id_of(CLUSTER), .epoch = 1 };
	cluster_init(&cluster, 3);
	cluster_put_meta(&cluster, NULL, &meta);
	for (int who = TLS_FOREIGN_CA; who < N_WHO; who++)
		if ((who < TLS_REMOVED || who > TLS_UNKNOWN_WORKER) && who != TLS_MANAGER)
			put_identity((enum who)who, role_of((enum who)who));
	put_removed(TLS_REMOVED_WORKER);
	put_removed(TLS_REMOVED_WORKER_EXPIRED);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cluster_release(&cluster);
	return 0;
}

static bool word_in(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = words; (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

/* Nobody but a worker on record as removed is told so: it ends what it runs. */
static enum err_code refusal_of(enum who who)
{
	return who == TLS_REMOVED_WORKER || who == TLS_REMOVED_WORKER_EXPIRED ? ERR_REMOVED
									      : ERR_FORBIDDEN;
}

static void everyone_may_do_what_the_table_says_and_nothing_else(void **state)
{
	(void)state;
	size_t n_allowed = 0, n_refused = 0;
	for (int who = 0; who < N_WHO; who++) {
		struct http_peer peer;
		make((enum who)who, &peer);
		for (size_t i = 0; i < n_api_routes; i++) {
			const struct route *route = &api_routes[i];
			struct caller caller;
			struct err err = { 0 };
			bool may = word_in(table[who].may,
					   enum_name(access_scope_names, (int)route->scope));
			enum err_code code =
				authorize(&cluster, &peer, (int)route->scope, NOW_S, &caller, &err);
			if (code != (may ? ERR_NONE : refusal_of((enum who)who)))
				fail_msg("%s: %s %s: %s", table[who].name, route->method,
					 route->pattern, may ? err.message : "was let in");
			if (!may && !strstr(err.message, table[who].why))
				fail_msg("%s is told \"%s\"", table[who].name, err.message);
			n_allowed += may;
			n_refused += !may;
		}
	}
	/* The table is not all of one kind. */
	assert_true(n_allowed > 100);
	assert_true(n_refused > 100);
}

/* Route by route, so that a new one is thought about. */
static void every_route_has_the_scope_that_its_kind_demands(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_api_routes; i++) {
		const struct route *route = &api_routes[i];
		bool reads = strcmp(route->method, "GET") == 0;
		bool secret = strstr(route->pattern, "token") ||
			      strstr(route->pattern, "identit") ||
			      strstr(route->pattern, "/v1/rebalance");
		int expected = reads ? SCOPE_READ : SCOPE_WRITE;
		if (route->class == ROUTE_WORKER)
			expected = SCOPE_WORKER;
		else if (secret)
			expected = SCOPE_ADMIN;
		else if (strstr(route->pattern, "/logs"))
			expected = SCOPE_LOGS;
		else if (strcmp(route->pattern, "/healthz") == 0)
			expected = SCOPE_NONE;
		else if (strcmp(route->pattern, "/v1/join") == 0)
			expected = SCOPE_JOIN;
		else if (strcmp(route->pattern, "/v1/renew") == 0)
			expected = SCOPE_RENEW;
		else if (strstr(route->pattern, "/v1/nodes") && !reads)
			expected = SCOPE_ADMIN;
		if ((int)route->scope != expected)
			fail_msg("%s %s has the scope %s", route->method, route->pattern,
				 enum_name(access_scope_names, (int)route->scope));
	}
}

static void a_worker_is_one_node_and_the_socket_any(void **state)
{
	(void)state;
	for (int who = 0; who < N_WHO; who++) {
		struct http_peer peer;
		struct caller caller;
		struct err err;
		make((enum who)who, &peer);
		bool in =
			authorize(&cluster, &peer, SCOPE_WORKER, NOW_S, &caller, &err) == ERR_NONE;
		bool own =
			in && caller_is_worker_of(&caller, (struct node_id){ id_of(TLS_WORKER) });
		bool other = in && caller_is_worker_of(&caller, (struct node_id){ id_of(99) });
		assert_int_equal(own, who == UNIX_ROOT || who == UNIX_OWN || who == TLS_WORKER);
		assert_int_equal(other, who == UNIX_ROOT || who == UNIX_OWN);
	}
}

static void callers_are_told_apart_for_their_idempotency_keys(void **state)
{
	(void)state;
	struct http_peer peer;
	struct caller caller;
	struct err err;
	make(UNIX_ROOT, &peer);
	assert_int_equal(authorize(&cluster, &peer, SCOPE_WRITE, NOW_S, &caller, &err), ERR_NONE);
	assert_string_equal(caller.name, "uid:0");
	make(TLS_CLIENT, &peer);
	assert_int_equal(authorize(&cluster, &peer, SCOPE_WRITE, NOW_S, &caller, &err), ERR_NONE);
	assert_string_equal(caller.name, peer.uri);
	make(TLS_REMOVED, &peer);
	assert_int_equal(authorize(&cluster, &peer, SCOPE_JOIN, NOW_S, &caller, &err), ERR_NONE);
	assert_string_equal(caller.name, "");
}

static void without_a_world_only_the_socket_and_the_healthcheck_are_served(void **state)
{
	(void)state;
	for (int who = 0; who < N_WHO; who++) {
		struct http_peer peer;
		struct caller caller;
		struct err err;
		make((enum who)who, &peer);
		assert_int_equal(authorize(NULL, &peer, SCOPE_NONE, NOW_S, &caller, &err),
				 ERR_NONE);
		enum err_code code = authorize(NULL, &peer, SCOPE_READ, NOW_S, &caller, &err);
		assert_int_equal(code == ERR_NONE, who == UNIX_ROOT || who == UNIX_OWN);
	}
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

/* It is not asked at the handshake alone. */
static void a_certificate_ends_while_its_connection_lives(void **state)
{
	(void)state;
	struct http_peer peer;
	struct caller caller;
	struct err err;
	make(TLS_CLIENT, &peer);
	assert_int_equal(authorize(&cluster, &peer, SCOPE_READ, peer.not_after_s, &caller, &err),
			 0);
	assert_int_equal(
		authorize(&cluster, &peer, SCOPE_READ, peer.not_after_s + 1, &caller, &err),
		ERR_FORBIDDEN);
	assert_int_equal(
		authorize(&cluster, &peer, SCOPE_RENEW, peer.not_after_s + 1, &caller, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(everyone_may_do_what_the_table_says_and_nothing_else),
		CASE(every_route_has_the_scope_that_its_kind_demands),
		CASE(a_worker_is_one_node_and_the_socket_any),
		CASE(callers_are_told_apart_for_their_idempotency_keys),
		CASE(without_a_world_only_the_socket_and_the_healthcheck_are_served),
		CASE(a_certificate_ends_while_its_connection_lives),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
