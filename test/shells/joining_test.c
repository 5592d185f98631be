/* Machines and people that join over TLS, in one process with their manager: who gets in, stays in, and comes back. */
#include "members.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "net/shell.h"

#define DAY_S 86400LL

static int64_t now_s(void)
{
	return shell_wall_ms() / 1000;
}

static void bring_up(struct rig *rig, struct member *member)
{
	members_start_manager(rig);
	members_make(rig, "alpha", "worker", member);
	members_start_worker(rig, member);
	rig_wait_ready(rig);
}

static void a_joined_worker_is_the_node_its_certificate_names(void **state)
{
	struct rig *rig = *state;
	struct member member;
	char id[UUID_TEXT_SIZE], found[128];
	bring_up(rig, &member);
	rig_first(rig, "nodes", "id", found);
	assert_string_equal(found, uuid_format(member.membership.certificate.name.id, id));
	rig_first(rig, "nodes", "role", found);
	assert_string_equal(found, "worker");
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", "up", RIG_WEB("2")),
			 200);
	rig_wait_running(rig, 2);
	/* Streams go the same way. */
	char target[96], task[128];
	rig_first(rig, "tasks", "id", task);
	text_print(target, sizeof(target), "/v1/tasks/%s/logs", task);
	assert_int_equal(rig_status(rig, "GET", target, NULL, NULL), 200);
	/* And so it is after both were restarted. */
	rig_stop_worker(rig);
	rig_stop_manager(rig);
	members_release(&member);
	members_start_manager(rig);
	members_load(rig, "alpha", &member);
	members_start_worker(rig, &member);
	rig_wait_ready(rig);
	rig_wait_running(rig, 2);
	rig_stop_worker(rig);
	members_release(&member);
}

static void a_token_for_one_lets_in_one(void **state)
{
	struct rig *rig = *state;
	char token[TOKEN_TEXT_SIZE], manager[ENDPOINT_TEXT_SIZE];
	struct err said;
	members_start_manager(rig);
	members_token(rig, "worker", 1, token, manager);
	assert_int_equal(members_join(rig, "alpha", manager, token, &said), ERR_NONE);
	/* Again from the same folder, as if the answer had been lost. */
	assert_int_equal(members_join(rig, "alpha", manager, token, &said), ERR_NONE);
	assert_int_equal(members_join(rig, "beta", manager, token, &said), ERR_FORBIDDEN);
	assert_non_null(strstr(said.message, "the token is used up"));
	assert_false(membership_exists(members_dir(rig, "beta")));
}

/* Of all tokens together. */
static int64_t uses_left(struct rig *rig)
{
	struct rig_answer answer = rig_call(rig, "GET", "/v1/tokens", NULL, NULL);
	json_t *token;
	size_t i;
	int64_t sum = 0;
	json_array_foreach(json_object_get(answer.body, "tokens"), i, token) sum +=
		json_integer_value(json_object_get(token, "uses_left"));
	json_decref(answer.body);
	return sum;
}

static void a_manager_is_known_by_its_token_before_anything_is_said(void **state)
{
	struct rig *rig = *state;
	char token[TOKEN_TEXT_SIZE], manager[ENDPOINT_TEXT_SIZE];
	struct token changed;
	struct err said;
	members_start_manager(rig);
	members_token(rig, "worker", 1, token, manager);
	assert_int_equal(token_parse(token, &changed, NULL), ERR_NONE);
	changed.ca_sha256[7] ^= 1;
	token_format(&changed, token);
	enum err_code code = members_join(rig, "alpha", manager, token, &said);
	assert_true(code != ERR_NONE && !join_may_retry(code));
	assert_non_null(strstr(said.message, "not of the cluster that the token is for"));
	/* The token was not shown to the wrong manager: it still has its use. */
	assert_int_equal(uses_left(rig), 1);
}

static void a_token_of_another_role_keeps_its_use(void **state)
{
	static const struct {
		const char *role;
		int wrong;
		int right;
	} cases[] = { { "viewer", JOINER_WORKER, JOINER_USER },
		      { "worker", JOINER_USER, JOINER_WORKER } };
	struct rig *rig = *state;
	char token[TOKEN_TEXT_SIZE], manager[ENDPOINT_TEXT_SIZE];
	struct err said;
	members_start_manager(rig);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *name = cases[i].role;
		members_token(rig, name, 1, token, manager);
		enum err_code code =
			members_join_as(rig, name, cases[i].wrong, manager, token, &said);
		assert_int_equal(code, ERR_FORBIDDEN);
		assert_non_null(strstr(said.message, "the token was not used"));
		assert_int_equal(uses_left(rig), 1);
		code = members_join_as(rig, name, cases[i].right, manager, token, &said);
		assert_int_equal(code, ERR_NONE);
		assert_int_equal(uses_left(rig), 0);
	}
}

static void a_manager_that_is_not_there_may_come_later(void **state)
{
	struct rig *rig = *state;
	char token[TOKEN_TEXT_SIZE], manager[ENDPOINT_TEXT_SIZE];
	struct err said;
	members_start_manager(rig);
	members_token(rig, "worker", 1, token, manager);
	rig_stop_manager(rig);
	enum err_code code = members_join(rig, "alpha", manager, token, &said);
	if (!join_may_retry(code))
		fail_msg("%s: %s", err_name(code), said.message);
	members_start_manager(rig);
	assert_int_equal(members_join(rig, "alpha", manager, token, &said), ERR_NONE);
}

static void guessing_is_slow_and_joining_is_not(void **state)
{
	struct rig *rig = *state;
	char token[TOKEN_TEXT_SIZE], good[TOKEN_TEXT_SIZE], manager[ENDPOINT_TEXT_SIZE];
	struct token wrong;
	struct err said;
	members_start_manager(rig);
	members_token(rig, "client", 20, good, manager);
	assert_int_equal(token_parse(good, &wrong, NULL), ERR_NONE);
	for (int i = 0; i < 2 * LIMIT_JOINS_PER_MINUTE; i++) {
		char name[16];
		text_print(name, sizeof(name), "member%d", i);
		assert_int_equal(members_join(rig, name, manager, good, &said), ERR_NONE);
	}
	wrong.secret[0] ^= 1;
	token_format(&wrong, token);
	for (int i = 0; i < LIMIT_JOINS_PER_MINUTE; i++)
		assert_int_equal(members_join(rig, "guesser", manager, token, &said),
				 ERR_FORBIDDEN);
	assert_int_equal(members_join(rig, "guesser", manager, token, &said), ERR_LIMIT);
	assert_non_null(strstr(said.message, "too many joins from 127.0.0.1"));
}

static bool is_young(struct rig *rig, const void *argument)
{
	const struct member *member = argument;
	(void)rig;
	return member->membership.certificate.not_after_s > now_s() + 29 * DAY_S;
}

static void renews(struct rig *rig, int64_t age_s)
{
	struct member member;
	bring_up(rig, &member);
	rig_stop_worker(rig);
	members_age(rig, &member, now_s() - age_s);
	members_start_worker(rig, &member);
	rig_until(rig, "a young certificate", is_young, &member);
	rig_wait_ready(rig);
	rig_stop_worker(rig);
	/* It is the one on disk, too. */
	members_release(&member);
	members_load(rig, "alpha", &member);
	assert_true(is_young(rig, &member));
	members_release(&member);
}

static void a_certificate_is_renewed_while_the_worker_runs(void **state)
{
	renews(*state, 25 * DAY_S);
}

static void a_worker_that_was_off_for_a_year_comes_back(void **state)
{
	/* It expired 364 days ago. */
	renews(*state, (364 + 30) * DAY_S);
}

static void a_worker_that_was_off_for_longer_needs_a_token_and_stays_the_node_it_was(void **state)
{
	struct rig *rig = *state;
	struct member member;
	char token[TOKEN_TEXT_SIZE], manager[ENDPOINT_TEXT_SIZE], text[1024];
	struct err said;
	bring_up(rig, &member);
	rig_stop_worker(rig);
	struct uuid id = member.membership.certificate.name.id;
	members_age(rig, &member, now_s() - (366 + 30) * DAY_S);
	_cleanup_free_ char *body = NULL;
	assert_int_equal(renew_body(&member.membership, &body, &said), ERR_NONE);
	assert_int_equal(members_call(rig, member.http, "POST", "/v1/renew", body, text, &said),
			 403);
	assert_non_null(strstr(text, "join again with a token"));
	members_token(rig, "worker", 1, token, manager);
	assert_int_equal(members_join(rig, "alpha", manager, token, &said), ERR_NONE);
	members_release(&member);
	members_load(rig, "alpha", &member);
	assert_true(uuid_equal(member.membership.certificate.name.id, id));
	members_start_worker(rig, &member);
	rig_wait_ready(rig);
	rig_stop_worker(rig);
	members_release(&member);
}

static void a_manager_that_was_off_for_400_days_serves(void **state)
{
	struct rig *rig = *state;
	struct authority *authority = NULL;
	struct member member;
	struct err err;
	/* All of its past lies that far back. */
	char dir[128];
	text_print(dir, sizeof(dir), "%s/trust", rig->folder);
	assert_int_equal(authority_open(dir, now_s() - 400 * DAY_S, &authority, &err), ERR_NONE);
	authority_free(authority);
	members_start_manager(rig);
	members_make(rig, "alice", "client", &member);
	assert_int_equal(members_call(rig, member.http, "GET", "/v1/nodes", NULL, NULL, &err), 200);
	members_release(&member);
}

static void lose(struct rig *rig, const char *folder, const char *file)
{
	char path[192];
	text_print(path, sizeof(path), "%s/%s/%s", rig->folder, folder, file);
	assert_int_equal(unlink(path), 0);
}

static void expect_no_start(struct rig *rig, bool new_authority, enum err_code code,
			    const char *part)
{
	struct err said = { 0 };
	assert_int_equal(members_try_manager(rig, new_authority, &said), code);
	assert_non_null(strstr(said.message, part));
}

static void an_authority_that_nobody_knows_is_made_again(void **state)
{
	struct rig *rig = *state;
	members_start_manager(rig);
	rig_stop_manager(rig);
	lose(rig, "trust", "authority.pem");
	members_start_manager(rig);
}

static void a_lost_authority_is_not_replaced_in_silence(void **state)
{
	struct rig *rig = *state;
	struct member member;
	char token[TOKEN_TEXT_SIZE], manager[ENDPOINT_TEXT_SIZE];
	members_start_manager(rig);
	members_token(rig, "worker", 1, token, manager);
	rig_stop_manager(rig);
	lose(rig, "trust", "authority.pem");
	/* Somebody may hold the token, which knows the manager by its authority. */
	expect_no_start(rig, false, ERR_DAMAGED, "/trust/authority.pem is missing");
	assert_int_equal(members_try_manager(rig, true, &(struct err){ 0 }), ERR_NONE);
	members_make(rig, "alice", "client", &member);
	members_release(&member);
	rig_stop_manager(rig);
	lose(rig, "trust", "authority.pem");
	expect_no_start(rig, false, ERR_DAMAGED, "drover manager --new-authority");
}

static void a_new_authority_is_made_once_and_a_worker_that_joins_anew_stays_who_it_was(void **state)
{
	struct rig *rig = *state;
	struct member member;
	char token[TOKEN_TEXT_SIZE], manager[ENDPOINT_TEXT_SIZE];
	struct err said;
	bring_up(rig, &member);
	struct uuid id = member.membership.certificate.name.id;
	assert_int_equal(rig_status(rig, "POST", "/v1/projects/shop/apply", "up", RIG_WEB("2")),
			 200);
	rig_wait_running(rig, 2);
	rig_stop_worker(rig);
	members_release(&member);
	rig_stop_manager(rig);
	expect_no_start(rig, true, ERR_CONFLICT, "authority.pem is there: move it away first");
	lose(rig, "trust", "authority.pem");
	assert_int_equal(members_try_manager(rig, true, &said), ERR_NONE);
	members_token(rig, "worker", 1, token, manager);
	lose(rig, "alpha", "certificate.pem");
	assert_int_equal(members_join(rig, "alpha", manager, token, &said), ERR_NONE);
	members_load(rig, "alpha", &member);
	assert_true(uuid_equal(member.membership.certificate.name.id, id));
	members_start_worker(rig, &member);
	rig_wait_ready(rig);
	rig_wait_running(rig, 2);
	assert_int_equal(rig_containers_running(), 2);
	rig_stop_worker(rig);
	members_release(&member);
}

/* The certificates of a manager whose clock was three days ahead when it made them, and is right now. */
static void a_clock_that_was_ahead_locks_nobody_out(void **state)
{
	struct rig *rig = *state;
	struct member member;
	struct err said = { 0 };
	members_start_manager(rig);
	members_make(rig, "alice", "client", &member);
	members_age(rig, &member, now_s() + 3 * DAY_S);
	assert_int_equal(members_call(rig, member.http, "GET", "/v1/nodes", NULL, NULL, &said),
			 200);
	members_release(&member);
}

static void a_removed_identity_is_out_within_the_minute(void **state)
{
	struct rig *rig = *state;
	struct member member;
	char target[96], id[UUID_TEXT_SIZE], text[1024];
	struct err said;
	members_start_manager(rig);
	members_make(rig, "alice", "admin", &member);
	assert_int_equal(members_call(rig, member.http, "GET", "/v1/tokens", NULL, NULL, &said),
			 200);
	text_print(target, sizeof(target), "/v1/identities/%s",
		   uuid_format(member.membership.certificate.name.id, id));
	assert_int_equal(rig_status(rig, "DELETE", target, NULL, NULL), 200);
	assert_int_equal(members_call(rig, member.http, "GET", "/v1/tokens", NULL, text, &said),
			 403);
	assert_non_null(strstr(text, "this admin was removed from the cluster"));
	members_release(&member);
}

struct follower {
	bool begun, ended;
};

static void on_follower_head(void *owner, struct http_call *call, const struct http_head *head)
{
	struct follower *follower = owner;
	(void)call;
	assert_int_equal(head->status, 200);
	follower->begun = true;
}

static void on_follower_bytes(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	(void)owner;
	(void)call;
	(void)bytes;
	(void)len;
}

static void on_follower_end(void *owner, struct http_call *call, const struct err *err,
			    enum http_sent sent, int status, struct http_view body)
{
	struct follower *follower = owner;
	(void)call;
	(void)err;
	(void)sent;
	(void)status;
	(void)body;
	follower->ended = true;
}

static bool has_begun(struct rig *rig, const void *follower)
{
	(void)rig;
	return ((const struct follower *)follower)->begun;
}

static bool has_ended(struct rig *rig, const void *follower)
{
	(void)rig;
	return ((const struct follower *)follower)->ended;
}

/* What is open when the right to it ends does not stay open. */
static void a_removed_identity_loses_its_streams(void **state)
{
	static const struct http_call_events events = { on_follower_head, on_follower_bytes,
							on_follower_end };
	struct http_call_options options = { .method = "GET",
					     .target = "/v1/events",
					     .stream = true };
	struct rig *rig = *state;
	struct member stays, goes;
	struct follower staying = { 0 }, going = { 0 };
	char target[96], id[UUID_TEXT_SIZE];
	members_start_manager(rig);
	members_make(rig, "alice", "viewer", &stays);
	members_make(rig, "bob", "viewer", &goes);
	http_client_call(stays.http, &options, &events, &staying);
	http_client_call(goes.http, &options, &events, &going);
	rig_until(rig, "the first stream", has_begun, &staying);
	rig_until(rig, "the second stream", has_begun, &going);
	text_print(target, sizeof(target), "/v1/identities/%s",
		   uuid_format(goes.membership.certificate.name.id, id));
	assert_int_equal(rig_status(rig, "DELETE", target, NULL, NULL), 200);
	rig_until(rig, "the end of the second stream", has_ended, &going);
	assert_false(staying.ended);
	members_release(&stays);
	members_release(&goes);
}

static void an_identity_may_ask_only_so_often(void **state)
{
	struct rig *rig = *state;
	struct member member;
	struct err said;
	int n_limited = 0;
	members_start_manager(rig);
	members_make(rig, "alice", "viewer", &member);
	for (int i = 0; i < 3 * LIMIT_REQUESTS_BURST && !n_limited; i++)
		n_limited +=
			members_call(rig, member.http, "GET", "/healthz", NULL, NULL, &said) == 429;
	assert_int_equal(n_limited, 1);
	/* Who owns the socket is not counted. */
	for (int i = 0; i < 2 * LIMIT_REQUESTS_BURST; i++)
		assert_int_equal(rig_status(rig, "GET", "/healthz", NULL, NULL), 200);
	members_release(&member);
}

/* How many of many requests without a certificate are refused. */
static int refusals_of_a_stranger(struct rig *rig, const struct member *member)
{
	struct tls_context *tls = NULL;
	struct err said;
	int n_refused = 0;
	assert_int_equal(
		tls_context_new(&(struct tls_options){ .ca_pem = member->membership.ca_pem }, &tls,
				&said),
		ERR_NONE);
	struct endpoint endpoint = { .host = member->endpoint.host,
				     .port = member->endpoint.port,
				     .tls = tls };
	struct http_client *http = http_client_new(rig->base, &endpoint, 1);
	/* More than a slow machine earns meanwhile. */
	for (int i = 0; i < 50 * LIMIT_ADDRESS_ARRIVALS_BURST && !n_refused; i++)
		n_refused += members_call(rig, http, "GET", "/healthz", NULL, NULL, &said) != 200;
	http_client_free(http);
	tls_context_free(tls);
	return n_refused;
}

static void strangers_are_counted_until_a_worker_vouches_for_their_address(void **state)
{
	struct rig *rig = *state;
	struct member member;
	members_start_manager(rig);
	members_make(rig, "alpha", "worker", &member);
	assert_int_equal(refusals_of_a_stranger(rig, &member), 1);
	members_start_worker(rig, &member);
	rig_wait_ready(rig);
	assert_int_equal(refusals_of_a_stranger(rig, &member), 0);
	rig_stop_worker(rig);
	members_release(&member);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_joined_worker_is_the_node_its_certificate_names),
		CASE(a_token_for_one_lets_in_one),
		CASE(a_manager_is_known_by_its_token_before_anything_is_said),
		CASE(a_token_of_another_role_keeps_its_use),
		CASE(a_manager_that_is_not_there_may_come_later),
		CASE(guessing_is_slow_and_joining_is_not),
		CASE(a_certificate_is_renewed_while_the_worker_runs),
		CASE(a_worker_that_was_off_for_a_year_comes_back),
		CASE(a_worker_that_was_off_for_longer_needs_a_token_and_stays_the_node_it_was),
		CASE(a_manager_that_was_off_for_400_days_serves),
		CASE(an_authority_that_nobody_knows_is_made_again),
		CASE(a_lost_authority_is_not_replaced_in_silence),
		CASE(a_new_authority_is_made_once_and_a_worker_that_joins_anew_stays_who_it_was),
		CASE(a_clock_that_was_ahead_locks_nobody_out),
		CASE(a_removed_identity_is_out_within_the_minute),
		CASE(a_removed_identity_loses_its_streams),
		CASE(an_identity_may_ask_only_so_often),
		CASE(strangers_are_counted_until_a_worker_vouches_for_their_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
