/* Tokens and who joins by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager_story.h"

#define HOUR_MS (3600LL * 1000)

/* Hashes as the shell computes them: 64 characters. */
#define HASH(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
static const char secret[] = HASH("5e");
static const char wrong_secret[] = HASH("bd");
static const char alphas_key[] = HASH("a1");
static const char betas_key[] = HASH("be");

static enum err_code create(struct story *story, const char *token, int role, int64_t uses)
{
	struct trust_request asked = { .token = token,
				       .secret_sha256 = secret,
				       .role = role,
				       .ttl_ms = HOUR_MS,
				       .uses = uses };
	struct manager_request request = { .kind = REQUEST_TOKEN_CREATE,
					   .caller = "uid:0",
					   .trust = &asked };
	return story_ask(story, &request);
}

static enum err_code join_with(struct story *story, const char *token, const char *secret_sha256,
			       const char *key_sha256, const char *name)
{
	struct trust_request asked = { .token = token,
				       .secret_sha256 = secret_sha256,
				       .key_sha256 = key_sha256,
				       .name = name };
	struct manager_request request = { .kind = REQUEST_JOIN, .trust = &asked };
	return story_ask(story, &request);
}

static enum err_code join(struct story *story, const char *token, const char *key_sha256,
			  const char *name)
{
	return join_with(story, token, secret, key_sha256, name);
}

static enum err_code remove_token(struct story *story, const char *token, const char *key)
{
	struct trust_request asked = { .token = token };
	struct manager_request request = { .kind = REQUEST_TOKEN_REMOVE,
					   .caller = "uid:0",
					   .idempotency_key = key,
					   .trust = &asked };
	return story_ask(story, &request);
}

static enum err_code remove_identity(struct story *story, struct uuid id, const char *key)
{
	struct trust_request asked = { .identity = id };
	struct manager_request request = { .kind = REQUEST_IDENTITY_REMOVE,
					   .caller = "uid:0",
					   .idempotency_key = key,
					   .trust = &asked };
	return story_ask(story, &request);
}

static void says(const struct story *story, const char *part)
{
	if (!strstr(story->reply->err.message, part))
		fail_msg("\"%s\" does not say \"%s\"", story->reply->err.message, part);
}

static void a_token_lets_in_as_many_as_it_was_made_for(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_forget(&story);
	assert_int_equal(create(&story, "one", ACCESS_WORKER, 2), ERR_NONE);
	assert_int_equal(join(&story, "one", alphas_key, "alpha"), ERR_NONE);
	struct uuid alpha = story.reply->identity;
	assert_int_equal(story.reply->role, ACCESS_WORKER);
	assert_int_equal(join(&story, "one", betas_key, NULL), ERR_NONE);
	assert_false(uuid_equal(alpha, story.reply->identity));
	story_tells(&story, "token one made by uid:0: 2 joins as worker\n"
			    "alpha joined as worker by token one\n"
			    "somebody joined as worker by token one\n");
	assert_int_equal(join(&story, "one", HASH("cc"), "gamma"), ERR_FORBIDDEN);
	says(&story, "the token is used up: it was for 2 joins");
	story_tells(&story, "");
	const struct cluster *cluster = manager_cluster(story.manager);
	assert_int_equal(cluster->identities.n, 2);
	assert_int_equal(cluster_token(cluster, "one")->uses_left, 0);
	assert_string_equal(cluster_identity(cluster, alpha)->name, "alpha");
	story_end(&story);
}

static void a_join_whose_answer_was_lost_is_the_same_join_again(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	create(&story, "one", ACCESS_WORKER, 1);
	assert_int_equal(join(&story, "one", alphas_key, "alpha"), ERR_NONE);
	struct uuid alpha = story.reply->identity;
	size_t n_changes = story.n_changes;
	for (int i = 0; i < 3; i++) {
		story_forget(&story);
		assert_int_equal(join(&story, "one", alphas_key, "alpha"), ERR_NONE);
		assert_true(uuid_equal(alpha, story.reply->identity));
		assert_int_equal(story.reply->role, ACCESS_WORKER);
		assert_int_equal(story.n_changes, n_changes);
		story_tells(&story, "");
		/* And after the manager was killed. */
		story_restart(&story);
		n_changes = story.n_changes;
	}
	assert_int_equal(join(&story, "one", betas_key, "beta"), ERR_FORBIDDEN);
	story_end(&story);
}

static void who_does_not_know_the_secret_learns_nothing(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	create(&story, "one", ACCESS_WORKER, 1);
	story_forget(&story);
	size_t n_changes = story.n_changes;
	assert_int_equal(join_with(&story, "one", wrong_secret, alphas_key, "alpha"),
			 ERR_FORBIDDEN);
	_cleanup_free_ char *told = base_strdup(story.reply->err.message);
	assert_int_equal(join_with(&story, "two", wrong_secret, alphas_key, "alpha"),
			 ERR_FORBIDDEN);
	assert_string_equal(story.reply->err.message, told);
	/* Nor somebody who has joined already. */
	join(&story, "one", alphas_key, "alpha");
	n_changes = story.n_changes;
	assert_int_equal(join_with(&story, "one", wrong_secret, alphas_key, "alpha"),
			 ERR_FORBIDDEN);
	assert_string_equal(story.reply->err.message, told);
	assert_int_equal(story.n_changes, n_changes);
	story_end(&story);
}

static enum err_code join_as(struct story *story, const char *token, int as)
{
	struct trust_request asked = {
		.token = token, .secret_sha256 = secret, .key_sha256 = alphas_key, .as = as
	};
	struct manager_request request = { .kind = REQUEST_JOIN, .trust = &asked };
	return story_ask(story, &request);
}

static void a_token_of_another_role_is_refused_and_not_used(void **state)
{
	(void)state;
	static const struct {
		int role;
		int as;
		const char *says[2];
	} cases[] = {
		{ ACCESS_CLIENT, JOINER_WORKER, { "the role client", "joins as worker" } },
		{ ACCESS_VIEWER, JOINER_WORKER, { "the role viewer", "joins as worker" } },
		{ ACCESS_ADMIN, JOINER_WORKER, { "the role admin", "joins as worker" } },
		{ ACCESS_WORKER, JOINER_USER, { "the role worker", "client, viewer or admin" } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct story story;
		story_begin(&story);
		create(&story, "one", cases[i].role, 1);
		story_forget(&story);
		size_t n_changes = story.n_changes;
		assert_int_equal(join_as(&story, "one", cases[i].as), ERR_FORBIDDEN);
		says(&story, cases[i].says[0]);
		says(&story, cases[i].says[1]);
		assert_int_equal(story.n_changes, n_changes);
		story_tells(&story, "");
		/* The same key has the token's use still: also one that does not say what it means to be. */
		int other = cases[i].as == JOINER_WORKER ? JOINER_USER : JOINER_WORKER;
		assert_int_equal(join_as(&story, "one", i % 2 ? JOINER_ANY : other), ERR_NONE);
		assert_int_equal(story.reply->role, cases[i].role);
		/* Nor is it told, once it has joined, that it did so as something else. */
		assert_int_equal(join_as(&story, "one", cases[i].as), ERR_FORBIDDEN);
		story_end(&story);
	}
}

static void a_token_ends_with_its_time(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	create(&story, "one", ACCESS_CLIENT, 5);
	story_pass(&story, HOUR_MS - 1000);
	assert_int_equal(join(&story, "one", alphas_key, "alice"), ERR_NONE);
	story_forget(&story);
	story_pass(&story, 2000);
	story_tells(&story, "token one expired\n");
	assert_null(cluster_token(manager_cluster(story.manager), "one"));
	/* Nor does the same key come in by it again. */
	assert_int_equal(join(&story, "one", alphas_key, "alice"), ERR_FORBIDDEN);
	says(&story, "it has expired or was removed");
	/* Who joined stays. */
	assert_int_equal(manager_cluster(story.manager)->identities.n, 1);
	story_end(&story);
}

static void a_token_ends_while_the_manager_is_off(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	create(&story, "one", ACCESS_CLIENT, 5);
	/* The machine's own clock ran on; the other began anew. */
	story.wall_ms += 400LL * 24 * HOUR_MS;
	story_restart(&story);
	assert_int_equal(join(&story, "one", alphas_key, "alice"), ERR_FORBIDDEN);
	assert_int_equal(manager_cluster(story.manager)->tokens.n, 0);
	story_end(&story);
}

static void a_removed_token_lets_nobody_in(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	create(&story, "one", ACCESS_VIEWER, 5);
	story_forget(&story);
	assert_int_equal(remove_token(&story, "one", "k1"), ERR_NONE);
	story_tells(&story, "token one removed\n");
	assert_int_equal(join(&story, "one", alphas_key, "alice"), ERR_FORBIDDEN);
	/* The same request again has the same answer; another one does not. */
	assert_int_equal(remove_token(&story, "one", "k1"), ERR_NONE);
	assert_int_equal(remove_token(&story, "one", NULL), ERR_NOT_FOUND);
	says(&story, "there is no token one");
	story_end(&story);
}

static void a_key_stays_who_it_is(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	create(&story, "one", ACCESS_WORKER, 1);
	create(&story, "two", ACCESS_WORKER, 1);
	create(&story, "three", ACCESS_ADMIN, 1);
	join(&story, "one", alphas_key, "alpha");
	struct uuid alpha = story.reply->identity;
	/* With a new token, for its certificate had lapsed for too long: the same node, a use less. */
	story_forget(&story);
	assert_int_equal(join(&story, "two", alphas_key, "alpha"), ERR_NONE);
	assert_true(uuid_equal(alpha, story.reply->identity));
	story_tells(&story, "alpha joined again as worker by token two\n");
	assert_int_equal(cluster_token(manager_cluster(story.manager), "two")->uses_left, 0);
	/* A worker does not become an admin. */
	assert_int_equal(join(&story, "three", alphas_key, "alpha"), ERR_CONFLICT);
	says(&story, "this key has joined as worker already, and the token is for admin");
	assert_int_equal(cluster_token(manager_cluster(story.manager), "three")->uses_left, 1);
	assert_int_equal(manager_cluster(story.manager)->identities.n, 1);
	story_end(&story);
}

static void a_removed_identity_is_gone_and_its_key_free(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	create(&story, "one", ACCESS_CLIENT, 2);
	join(&story, "one", alphas_key, "alice");
	struct uuid alice = story.reply->identity;
	story_forget(&story);
	assert_int_equal(remove_identity(&story, alice, "k1"), ERR_NONE);
	story_tells(&story, "identity of client alice removed by uid:0\n");
	assert_null(cluster_identity(manager_cluster(story.manager), alice));
	assert_int_equal(remove_identity(&story, alice, "k1"), ERR_NONE);
	assert_int_equal(remove_identity(&story, alice, NULL), ERR_NOT_FOUND);
	assert_int_equal(join(&story, "one", alphas_key, "alice"), ERR_NONE);
	assert_false(uuid_equal(alice, story.reply->identity));
	story_end(&story);
}

static void a_worker_that_never_spoke_is_remembered_as_removed(void **state)
{
	(void)state;
	struct story story;
	const char *name = NULL;
	story_begin(&story);
	create(&story, "one", ACCESS_WORKER, 2);
	join(&story, "one", alphas_key, "alpha");
	struct node_id alpha = { story.reply->identity };
	assert_false(cluster_was_removed(manager_cluster(story.manager), alpha, &name));
	assert_int_equal(remove_identity(&story, alpha.uuid, NULL), ERR_NONE);
	assert_true(cluster_was_removed(manager_cluster(story.manager), alpha, &name));
	assert_string_equal(name, "alpha");
	story_restart(&story);
	assert_true(cluster_was_removed(manager_cluster(story.manager), alpha, &name));
	story_end(&story);
}

static void a_workers_identity_goes_with_its_node_only(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	story_join(&story, "alpha");
	struct uuid id = manager_cluster(story.manager)->columns.entry[0]->record.id.uuid;
	struct identity_record identity = { .id = id, .role = ACCESS_WORKER };
	identity.key_sha256 = base_strdup(alphas_key);
	struct changes changes = { 0 };
	struct cluster *cluster = (struct cluster *)(uintptr_t)manager_cluster(story.manager);
	cluster_put_identity(cluster, &changes, &identity);
	assert_int_equal(remove_identity(&story, id, NULL), ERR_CONFLICT);
	says(&story, "this is the identity of node alpha, and goes with it");
	cluster_delete_identity(cluster, &changes, cluster_identity(cluster, id));
	changes_release(&changes);
	story_end(&story);
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	static const struct {
		int role;
		int64_t ttl_ms;
		int64_t uses;
		const char *field;
	} cases[] = {
		{ ACCESS_NONE, HOUR_MS, 1, "role" },
		{ ACCESS_MANAGER, HOUR_MS, 1, "role" },
		{ 99, HOUR_MS, 1, "role" },
		{ ACCESS_CLIENT, 0, 1, "ttl_ms" },
		{ ACCESS_CLIENT, -5, 1, "ttl_ms" },
		{ ACCESS_CLIENT, LIMIT_TOKEN_TTL_MS + 1, 1, "ttl_ms" },
		{ ACCESS_CLIENT, HOUR_MS, 0, "uses" },
		{ ACCESS_CLIENT, HOUR_MS, LIMIT_TOKEN_USES + 1, "uses" },
	};
	struct story story;
	story_begin(&story);
	size_t n_changes = story.n_changes;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct trust_request asked = { .token = "one",
					       .secret_sha256 = secret,
					       .role = cases[i].role,
					       .ttl_ms = cases[i].ttl_ms,
					       .uses = cases[i].uses };
		struct manager_request request = { .kind = REQUEST_TOKEN_CREATE, .trust = &asked };
		assert_int_equal(story_ask(&story, &request), ERR_INVALID);
		assert_string_equal(story.reply->err.field, cases[i].field);
	}
	struct trust_request asked = { .token = "one", .secret_sha256 = secret };
	struct manager_request request = { .kind = REQUEST_TOKEN_CREATE,
					   .idempotency_key = "k",
					   .trust = &asked };
	assert_int_equal(story_ask(&story, &request), ERR_INVALID);
	assert_int_equal(story.n_changes, n_changes);
	assert_int_equal(create(&story, "one", ACCESS_WORKER, 1), ERR_NONE);
	assert_int_equal(create(&story, "one", ACCESS_WORKER, 1), ERR_CONFLICT);
	story_end(&story);
}

static void used_up_tokens_give_way_when_there_are_too_many(void **state)
{
	(void)state;
	struct story story;
	story_begin(&story);
	create(&story, "used", ACCESS_WORKER, 1);
	join(&story, "used", alphas_key, "alpha");
	for (int i = 1; i < LIMIT_TOKENS; i++) {
		char name[16];
		text_print(name, sizeof(name), "token%d", i);
		assert_int_equal(create(&story, name, ACCESS_CLIENT, 1), ERR_NONE);
	}
	story_forget(&story);
	assert_int_equal(create(&story, "more", ACCESS_CLIENT, 1), ERR_NONE);
	story_tells(&story, "token used forgotten\ntoken more made by uid:0: 1 join as client\n");
	assert_int_equal(create(&story, "most", ACCESS_CLIENT, 1), ERR_LIMIT);
	says(&story, "there are 1000 tokens that can be used");
	assert_int_equal(remove_token(&story, "token7", NULL), ERR_NONE);
	assert_int_equal(create(&story, "most", ACCESS_CLIENT, 1), ERR_NONE);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_lets_in_as_many_as_it_was_made_for),
		cmocka_unit_test(a_join_whose_answer_was_lost_is_the_same_join_again),
		cmocka_unit_test(who_does_not_know_the_secret_learns_nothing),
		cmocka_unit_test(a_token_of_another_role_is_refused_and_not_used),
		cmocka_unit_test(a_token_ends_with_its_time),
		cmocka_unit_test(a_token_ends_while_the_manager_is_off),
		cmocka_unit_test(a_removed_token_lets_nobody_in),
		cmocka_unit_test(a_key_stays_who_it_is),
		cmocka_unit_test(a_removed_identity_is_gone_and_its_key_free),
		cmocka_unit_test(a_worker_that_never_spoke_is_remembered_as_removed),
		cmocka_unit_test(a_workers_identity_goes_with_its_node_only),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(used_up_tokens_give_way_when_there_are_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
