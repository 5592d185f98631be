/* Tokens and the identities they give.
 *
 * Invariants: an identity is written in the group that takes a use off its token, so no use is lost and none counts
 * twice; whoever's secret does not fit learns nothing about the token. Tokens expire by wall time: they are for people,
 * and a machine that is off does not make them last. */
#include <string.h>

#include "access/token.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"

bool trust_is_meant(int request_kind)
{
	return request_kind == REQUEST_TOKEN_CREATE || request_kind == REQUEST_TOKEN_REMOVE ||
	       request_kind == REQUEST_JOIN || request_kind == REQUEST_IDENTITY_REMOVE;
}

static struct changes *changes_of(struct manager *manager)
{
	return &manager->out->changes;
}

/* ---- tokens -------------------------------------------------------------------------------------------- */

static void find_due(struct manager *manager)
{
	size_t at = 0;
	manager->tokens_due_wall_ms = INT64_MAX;
	for (const struct token_record *token; (token = map_next(&manager->cluster.tokens, &at));)
		if (token->expires_wall_ms < manager->tokens_due_wall_ms)
			manager->tokens_due_wall_ms = token->expires_wall_ms;
}

static void drop_token(struct manager *manager, struct token_record *token, const char *why)
{
	notes_add(&manager->out->notes, "token %s %s", token->id, why);
	happen(manager, "token", token->id, (struct uuid){ 0 }, why, "", NULL);
	group_reserve(manager, 1);
	cluster_delete_token(&manager->cluster, changes_of(manager), token);
}

void tokens_start(struct manager *manager)
{
	find_due(manager);
}

void tokens_expire(struct manager *manager)
{
	if (wall_now(manager) < manager->tokens_due_wall_ms)
		return;
	size_t n = 0;
	struct token_record **tokens = cluster_sorted_tokens(&manager->cluster, &n);
	for (size_t i = 0; i < n && tokens[i]->expires_wall_ms <= wall_now(manager); i++)
		drop_token(manager, tokens[i], "expired");
	base_free(tokens);
	find_due(manager);
}

int64_t tokens_deadline(const struct manager *manager)
{
	if (manager->tokens_due_wall_ms == INT64_MAX)
		return INT64_MAX;
	return manager->in->now_ms + manager->tokens_due_wall_ms - wall_now(manager);
}

/* A used-up token is kept only for answers that were lost. */
static void make_room(struct manager *manager)
{
	size_t n = 0;
	if (manager->cluster.tokens.n < LIMIT_TOKENS)
		return;
	struct token_record **tokens = cluster_sorted_tokens(&manager->cluster, &n);
	size_t first = 0;
	while (first < n && tokens[first]->uses_left > 0)
		first++;
	if (first < n)
		drop_token(manager, tokens[first], "forgotten");
	base_free(tokens);
}

static enum err_code check_new(struct manager *manager, const struct trust_request *asked,
			       struct err *err)
{
	int64_t ttl_max_ms = LIMIT_TOKEN_TTL_MS;
	if (strcmp(enum_name(access_token_role_names, asked->role), "?") == 0)
		return err_set_field(err, ERR_INVALID, "role",
				     "a token is for a worker, client, viewer or admin");
	if (asked->ttl_ms < 1 || asked->ttl_ms > ttl_max_ms)
		return err_set_field(err, ERR_INVALID, "ttl_ms",
				     "a token lives for 1 to %lld milliseconds, not %lld",
				     (long long)ttl_max_ms, (long long)asked->ttl_ms);
	if (asked->uses < 1 || asked->uses > LIMIT_TOKEN_USES)
		return err_set_field(err, ERR_INVALID, "uses", "a token has 1 to %d uses, not %lld",
				     LIMIT_TOKEN_USES, (long long)asked->uses);
	if (cluster_token(&manager->cluster, asked->token))
		return err_set(err, ERR_CONFLICT, "there is a token %s already", asked->token);
	make_room(manager);
	if (manager->cluster.tokens.n >= LIMIT_TOKENS)
		return err_set(
			err, ERR_LIMIT,
			"there are %d tokens that can be used, the most there may be: remove "
			"some with `drover token rm`",
			LIMIT_TOKENS);
	return ERR_NONE;
}

static enum err_code create(struct manager *manager, const struct manager_request *request,
			    struct err *err)
{
	const struct trust_request *asked = request->trust;
	if (request->idempotency_key)
		return err_set_field(err, ERR_INVALID, "Idempotency-Key",
				     "a token's text is told once and not kept, so that making one "
				     "takes no key");
	enum err_code code = check_new(manager, asked, err);
	if (code)
		return code;
	struct token_record token = {
		.id = base_strdup(asked->token),
		.role = asked->role,
		.secret_sha256 = base_strdup(asked->secret_sha256),
		.created_wall_ms = wall_now(manager),
		.expires_wall_ms = wall_now(manager) + asked->ttl_ms,
		.uses = asked->uses,
		.uses_left = asked->uses,
	};
	notes_add(&manager->out->notes, "token %s made by %s: %lld %s as %s", token.id,
		  request->caller ? request->caller : "somebody", (long long)token.uses,
		  token.uses == 1 ? "join" : "joins", enum_name(access_role_names, token.role));
	happen(manager, "token", token.id, (struct uuid){ 0 }, "created", "", NULL);
	group_reserve(manager, 1);
	cluster_put_token(&manager->cluster, changes_of(manager), &token);
	find_due(manager);
	return ERR_NONE;
}

/* Both removals are remembered under their key: the second time the object is not there any more. */
static enum err_code remove_token(struct manager *manager, const struct manager_request *request,
				  struct manager_reply *reply, struct err *err)
{
	struct token_record *token = cluster_token(&manager->cluster, request->trust->token);
	if (!token)
		return err_set(err, ERR_NOT_FOUND, "there is no token %.*s", 100,
			       request->trust->token);
	enum err_code code = idempotency_check(manager, request, err);
	if (code)
		return code;
	group_begin(manager);
	drop_token(manager, token, "removed");
	idempotency_keep(manager, request, &reply->answer);
	group_end(manager);
	find_due(manager);
	return ERR_NONE;
}

/* ---- joining ------------------------------------------------------------------------------------------- */

/* Tokens that have expired are gone by now. */
static enum err_code check_token(const struct token_record *token,
				 const struct trust_request *asked, struct err *err)
{
	if (token && access_hash_equal(token->secret_sha256, asked->secret_sha256))
		return ERR_NONE;
	return err_set(
		err, ERR_FORBIDDEN,
		"the token is not known to this manager: it has expired or was removed; make "
		"another with `drover token create`");
}

/* Before the token is used: who got the wrong one by mistake needs only the right one. */
static enum err_code check_meant(const struct token_record *token,
				 const struct trust_request *asked, struct err *err)
{
	const char *role = enum_name(access_role_names, token->role);
	if (access_joins(token->role, asked->as))
		return ERR_NONE;
	if (asked->as == JOINER_WORKER)
		return err_set(err, ERR_FORBIDDEN,
			       "the token is for the role %s, and a worker joins as worker: the "
			       "token was not used; `drover token create --role worker` makes the "
			       "right one",
			       role);
	return err_set(err, ERR_FORBIDDEN,
		       "the token is for the role %s, and users join as client, viewer or admin: "
		       "the token was not used; `drover token create --role client` makes the "
		       "right one",
		       role);
}

static enum err_code check_joiner(const struct manager *manager, const struct token_record *token,
				  const struct identity_record *known, struct err *err)
{
	if (token->uses_left == 0)
		return err_set(err, ERR_FORBIDDEN,
			       "the token is used up: it was for %lld %s; make another with "
			       "`drover token create`",
			       (long long)token->uses, token->uses == 1 ? "join" : "joins");
	if (known && known->role != token->role)
		return err_set(err, ERR_CONFLICT,
			       "this key has joined as %s already, and the token is for %s: join "
			       "with another folder",
			       enum_name(access_role_names, known->role),
			       enum_name(access_role_names, token->role));
	if (known)
		return ERR_NONE;
	if (manager->cluster.identities.n >= LIMIT_IDENTITIES)
		return err_set(err, ERR_LIMIT,
			       "there are %d identities, the most there may be: remove some with "
			       "`drover identity rm`",
			       LIMIT_IDENTITIES);
	return token->role == ACCESS_WORKER && !nodes_have_room(manager, err) ? err->code
									      : ERR_NONE;
}

static void use_token(struct manager *manager, const struct token_record *token)
{
	struct token_record used;
	record_copy(&token_record_type, &used, token);
	used.uses_left--;
	cluster_put_token(&manager->cluster, changes_of(manager), &used);
}

static const char *name_of(const struct identity_record *identity)
{
	return identity->name ? identity->name : "somebody";
}

static const struct identity_record *put_identity(struct manager *manager,
						  const struct token_record *token,
						  const struct identity_record *known,
						  const struct trust_request *asked)
{
	struct identity_record identity = {
		.id = known ? known->id : id_next(manager),
		.role = token->role,
		.key_sha256 = base_strdup(asked->key_sha256),
		.token = base_strdup(token->id),
		.name = base_strdup(asked->name),
		.created_wall_ms = known ? known->created_wall_ms : wall_now(manager),
	};
	const struct identity_record *put =
		cluster_put_identity(&manager->cluster, changes_of(manager), &identity);
	const char *role = enum_name(access_role_names, put->role);
	notes_add(&manager->out->notes, "%s %s as %s by token %s", name_of(put),
		  known ? "joined again" : "joined", role, token->id);
	happen(manager, "identity", name_of(put), put->id, "joined", "", role);
	return put;
}

static enum err_code join(struct manager *manager, const struct trust_request *asked,
			  struct manager_reply *reply, struct err *err)
{
	const struct token_record *token = cluster_token(&manager->cluster, asked->token);
	enum err_code code = check_token(token, asked, err);
	if (!code)
		code = check_meant(token, asked, err);
	if (code)
		return code;
	const struct identity_record *known =
		cluster_identity_of_key(&manager->cluster, asked->key_sha256);
	bool again = known && known->role == token->role && strcmp(known->token, token->id) == 0;
	if (!again) {
		code = check_joiner(manager, token, known, err);
		if (code)
			return code;
		group_reserve(manager, 2);
		known = put_identity(manager, token, known, asked);
		use_token(manager, token);
	}
	reply->identity = known->id;
	reply->role = known->role;
	return ERR_NONE;
}

static enum err_code remove_identity(struct manager *manager, const struct manager_request *request,
				     struct manager_reply *reply, struct err *err)
{
	struct uuid id = request->trust->identity;
	struct identity_record *identity = cluster_identity(&manager->cluster, id);
	char text[UUID_TEXT_SIZE];
	if (!identity)
		return err_set(err, ERR_NOT_FOUND, "there is no identity %s",
			       uuid_format(id, text));
	const struct node_entry *node = cluster_node(&manager->cluster, (struct node_id){ id });
	if (node)
		return err_set(err, ERR_CONFLICT,
			       "this is the identity of node %s, and goes with it",
			       node_name(node));
	enum err_code code = idempotency_check(manager, request, err);
	if (code)
		return code;
	notes_add(&manager->out->notes, "identity of %s %s removed by %s",
		  enum_name(access_role_names, identity->role), name_of(identity),
		  request->caller ? request->caller : "somebody");
	happen(manager, "identity", name_of(identity), id, "removed", "", NULL);
	group_begin(manager);
	/* A worker that never spoke has no node that could say so. */
	if (identity->role == ACCESS_WORKER)
		removed_remember(manager, (struct node_id){ id }, identity->name,
				 wall_now(manager));
	cluster_delete_identity(&manager->cluster, changes_of(manager), identity);
	idempotency_keep(manager, request, &reply->answer);
	group_end(manager);
	return ERR_NONE;
}

enum err_code trust(struct manager *manager, const struct manager_request *request,
		    struct manager_reply *reply, struct err *err)
{
	PRE(request->trust);
	tokens_expire(manager);
	switch (request->kind) {
	case REQUEST_TOKEN_CREATE: return create(manager, request, err);
	case REQUEST_TOKEN_REMOVE: return remove_token(manager, request, reply, err);
	case REQUEST_JOIN: return join(manager, request->trust, reply, err);
	case REQUEST_IDENTITY_REMOVE: return remove_identity(manager, request, reply, err);
	default: UNREACHABLE("trust_is_meant() knows these");
	}
}
