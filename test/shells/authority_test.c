/* Everyone who can call, over real TLS, on every route: only what their role allows is not refused (I26). The same
 * table as in api/authorize_test.c stands here once more, with certificates instead of structs. */
#include "members.h"

#include <string.h>

#include "api/routes.h"
#include "base/alloc.h"
#include "base/check.h"
#include "net/shell.h"
#include "trust/keys.h"

#define DAY_S 86400LL

enum who {
	SOCKET,
	NOBODY,
	FOREIGN_CA,
	MANAGER,
	WORKER,
	CLIENT,
	VIEWER,
	ADMIN,
	REMOVED,
	LEFT,
	OTHER_KEY,
	OTHER_CLUSTER,
	EXPIRED,
	EXPIRED_FOR_LONG,
	N_WHO,
};

static const struct {
	const char *name;
	const char *may; /* NULL: not even the handshake succeeds */
	int refusal;	 /* 0: 403 */
} table[N_WHO] = {
	[SOCKET] = { "the owner on the socket", "none join renew read logs write admin worker" },
	[NOBODY] = { "nobody", "none join" },
	[FOREIGN_CA] = { "a certificate of another CA", NULL },
	[MANAGER] = { "a manager", "none join" },
	[WORKER] = { "a worker", "none join renew worker" },
	[CLIENT] = { "a client", "none join renew read logs write" },
	[VIEWER] = { "a viewer", "none join renew read logs" },
	[ADMIN] = { "an admin", "none join renew read logs write admin" },
	[REMOVED] = { "a removed client", "none join" },
	[LEFT] = { "a worker whose node has left", "none join", 410 },
	[OTHER_KEY] = { "an admin's name with another key", "none join" },
	[OTHER_CLUSTER] = { "an admin of another cluster", "none join" },
	[EXPIRED] = { "an expired client", "none join renew" },
	[EXPIRED_FOR_LONG] = { "a client that expired over a year ago", "none join" },
};

struct caller_world {
	struct member worker, client, viewer, admin, removed, left, expired, lapsed;
	struct uuid worker_id;
	char *foreign_dir;
};

/* An endpoint with a certificate that is made here for a key of its own. */
static struct endpoint endpoint_with(struct rig *rig, const struct member *like,
				     const struct access_name *name, const struct authority *by)
{
	struct endpoint endpoint = { 0 };
	struct err err;
	_cleanup_free_ char *key_pem = key_make();
	_cleanup_free_ char *csr_pem = NULL;
	_cleanup_free_ char *pem = NULL;
	if (by) {
		struct csr *csr = NULL;
		if (csr_make(key_pem, &csr_pem, &err) ||
		    csr_read(csr_pem, strlen(csr_pem), &csr, &err) ||
		    authority_issue(by, csr, name, shell_wall_ms() / 1000, &pem, &err))
			fail_msg("%s", err.message);
		csr_free(csr);
	} else if (name) {
		pem = members_issue(rig, name, key_pem, shell_wall_ms() / 1000);
	}
	struct tls_options options = { .ca_pem = like->membership.ca_pem,
				       .certificate_pem = pem,
				       .key_pem = pem ? key_pem : NULL };
	if (endpoint_parse(like->membership.manager, &endpoint, &err) ||
	    tls_context_new(&options, &endpoint.tls, &err))
		fail_msg("%s", err.message);
	return endpoint;
}

static struct endpoint endpoint_of(struct rig *rig, struct caller_world *world, enum who who)
{
	struct access_name admin = world->admin.membership.certificate.name;
	struct access_name other = { .role = ACCESS_MANAGER, .cluster = admin.cluster };
	switch (who) {
	case NOBODY: return endpoint_with(rig, &world->admin, NULL, NULL);
	case MANAGER: return endpoint_with(rig, &world->admin, &other, NULL);
	case OTHER_KEY: return endpoint_with(rig, &world->admin, &admin, NULL);
	case OTHER_CLUSTER:
		admin.cluster.bytes[3] ^= 1;
		return endpoint_with(rig, &world->admin, &admin, NULL);
	case FOREIGN_CA: {
		struct authority *foreign = NULL;
		struct err err;
		if (authority_open(members_dir(rig, "foreign"), shell_wall_ms() / 1000, &foreign,
				   &err))
			fail_msg("%s", err.message);
		struct endpoint endpoint = endpoint_with(rig, &world->admin, &admin, foreign);
		authority_free(foreign);
		return endpoint;
	}
	default: UNREACHABLE("the others are members");
	}
}

static struct member *member_of(struct caller_world *world, enum who who)
{
	switch (who) {
	case WORKER: return &world->worker;
	case CLIENT: return &world->client;
	case VIEWER: return &world->viewer;
	case ADMIN: return &world->admin;
	case REMOVED: return &world->removed;
	case LEFT: return &world->left;
	case EXPIRED: return &world->expired;
	case EXPIRED_FOR_LONG: return &world->lapsed;
	default: return NULL;
	}
}

/* The pattern with its parameters filled in: with the worker's own node where it is one that it may use, else with what
 * is not there. */
static void target_of(const struct route *route, struct uuid node, char out[256])
{
	char id[UUID_TEXT_SIZE];
	struct text text;
	text_init(&text, 255);
	uuid_format(route->class == ROUTE_WORKER ? node : (struct uuid){ { 1 } }, id);
	for (const char *at = route->pattern; *at;) {
		if (*at == '{') {
			text_add(&text, id);
			at += strcspn(at, "}") + 1;
		} else {
			text_add_char(&text, *at++);
		}
	}
	text_print(out, 256, "%s", text_string(&text));
	text_release(&text);
}

static bool word_in(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = words; (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

/* Who may not even renew is bound by the limits of its address. */
static bool is_too_often(enum who who, const struct route *route, int status)
{
	const char *may = table[who].may;
	return (status == 0 && may) ||
	       (status == 429 && may && !word_in(may, "renew") && route->scope != SCOPE_JOIN);
}

static void try_all(struct rig *rig, struct http_client *http, enum who who, struct uuid node)
{
	for (size_t i = 0; i < n_api_routes; i++) {
		const struct route *route = &api_routes[i];
		char target[256], text[1024];
		struct err said = { 0 };
		target_of(route, node, target);
		int status = members_call(rig, http, route->method, target, NULL, text, &said);
		/* An address may come, and who shows no certificate that is worth something may ask, only so often. */
		for (int tries = 0; tries < 100 && is_too_often(who, route, status); tries++) {
			rig_turn(rig, 100);
			status = members_call(rig, http, route->method, target, NULL, text, &said);
		}
		bool may = table[who].may && word_in(table[who].may, enum_name(access_scope_names,
									       (int)route->scope));
		if (!table[who].may) {
			assert_int_equal(status, 0);
			continue;
		}
		if (status == 0)
			fail_msg("%s: %s %s: %s", table[who].name, route->method, target,
				 said.message);
		int refusal = table[who].refusal ? table[who].refusal : 403;
		bool refused = status == 403 || status == 410;
		if (refused == may || (!may && status != refusal))
			fail_msg("%s: %s %s: %d: %s", table[who].name, route->method, target,
				 status, text);
	}
}

/* It was there, with its node, which an operator has removed. */
static void make_left(struct rig *rig, struct member *member)
{
	char target[96], id[UUID_TEXT_SIZE];
	members_make(rig, "left", "worker", member);
	members_start_worker(rig, member);
	rig_wait_ready(rig);
	rig_stop_worker(rig);
	text_print(target, sizeof(target), "/v1/nodes/%s",
		   uuid_format(member->membership.certificate.name.id, id));
	assert_int_equal(rig_status(rig, "DELETE", target, NULL, NULL), 200);
}

static void make_world(struct rig *rig, struct caller_world *world)
{
	int64_t now_s = shell_wall_ms() / 1000;
	char target[96], id[UUID_TEXT_SIZE];
	members_start_manager(rig);
	members_make(rig, "worker", "worker", &world->worker);
	members_make(rig, "client", "client", &world->client);
	members_make(rig, "viewer", "viewer", &world->viewer);
	members_make(rig, "admin", "admin", &world->admin);
	members_make(rig, "removed", "client", &world->removed);
	make_left(rig, &world->left);
	members_make(rig, "expired", "client", &world->expired);
	members_make(rig, "lapsed", "client", &world->lapsed);
	members_age(rig, &world->expired, now_s - 100 * DAY_S);
	members_age(rig, &world->lapsed, now_s - 400 * DAY_S);
	text_print(target, sizeof(target), "/v1/identities/%s",
		   uuid_format(world->removed.membership.certificate.name.id, id));
	assert_int_equal(rig_status(rig, "DELETE", target, NULL, NULL), 200);
	world->worker_id = world->worker.membership.certificate.name.id;
}

static void release_world(struct caller_world *world)
{
	struct member *const all[] = { &world->worker,	&world->client,	 &world->viewer,
				       &world->admin,	&world->removed, &world->left,
				       &world->expired, &world->lapsed };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		members_release(all[i]);
}

static void everyone_may_do_what_the_table_says_and_nothing_else(void **state)
{
	struct rig *rig = *state;
	struct caller_world world = { 0 };
	make_world(rig, &world);
	for (int who = SOCKET; who < N_WHO; who++) {
		struct member *member = member_of(&world, (enum who)who);
		if (member || who == SOCKET) {
			try_all(rig, member ? member->http : rig->http, (enum who)who,
				who == LEFT ? member->membership.certificate.name.id
					    : world.worker_id);
			continue;
		}
		struct endpoint endpoint = endpoint_of(rig, &world, (enum who)who);
		struct http_client *http = http_client_new(rig->base, &endpoint, 1);
		try_all(rig, http, (enum who)who, world.worker_id);
		http_client_free(http);
		member_endpoint_release(&endpoint);
	}
	release_world(&world);
}

static void a_worker_is_no_other_node(void **state)
{
	struct rig *rig = *state;
	struct member alpha, beta;
	char target[96], id[UUID_TEXT_SIZE], text[1024];
	struct err said;
	members_start_manager(rig);
	members_make(rig, "alpha", "worker", &alpha);
	members_make(rig, "beta", "worker", &beta);
	text_print(target, sizeof(target), "/v1/nodes/%s/sync",
		   uuid_format(beta.membership.certificate.name.id, id));
	assert_int_equal(members_call(rig, alpha.http, "GET", target, NULL, text, &said), 403);
	assert_non_null(strstr(text, "another node's than the address"));
	assert_int_not_equal(members_call(rig, beta.http, "GET", target, NULL, text, &said), 403);
	members_release(&alpha);
	members_release(&beta);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(everyone_may_do_what_the_table_says_and_nothing_else),
		CASE(a_worker_is_no_other_node),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
