/* Tokens, joins and renewals. A certificate is issued only after the commit that holds the identity; secrets and the
 * signing request wait in the request until then, and are never stored. */
#include <string.h>

#include "access/token.h"
#include "api/server_int.h"
#include "base/alloc.h"
#include "net/shell.h"
#include "trust/authority.h"
#include "trust/keys.h"

struct trust_work {
	struct csr *csr;		  /* of a join */
	struct uuid bucket;		  /* of the joiner's address; zero: not counted */
	char token_text[TOKEN_TEXT_SIZE]; /* of a new token */
	char token_id[TOKEN_ID_TEXT_SIZE];
};

void trust_work_free(struct api_request *request)
{
	if (!request->work)
		return;
	csr_free(request->work->csr);
	trust_wipe(request->work, sizeof(*request->work));
	base_free(request->work);
	request->work = NULL;
}

static struct api_trust trust_of(const struct api_request *request)
{
	struct api_trust trust = { 0 };
	request->server->backend->trust(request->server->owner, &trust);
	return trust;
}

/* ---- tokens -------------------------------------------------------------------------------------------- */

static void hash_secret(const struct token *token, char out[ACCESS_HASH_TEXT_SIZE])
{
	uint8_t hash[ACCESS_HASH_BYTES];
	trust_sha256(token->secret, sizeof(token->secret), hash);
	access_hash_format(hash, out);
}

void handle_token_create(struct api_request *request)
{
	struct api_trust trust = trust_of(request);
	struct token_request body;
	struct token token;
	struct err err;
	if (read_body(request, &token_request_type, LIMIT_JSON_VALUES, &body, &err)) {
		answer_error(request, &err);
		return;
	}
	if (!trust.address[0]) {
		answer_code(request, ERR_CONFLICT,
			    "this manager listens on its socket only, where nobody can join");
		return;
	}
	struct api_mutation *mutation = mutation_new(request, REQUEST_TOKEN_CREATE);
	trust_random(&token, sizeof(token));
	memcpy(token.ca_sha256, authority_sha256(trust.authority), sizeof(token.ca_sha256));
	request->work = base_calloc(1, sizeof(*request->work));
	token_format(&token, request->work->token_text);
	token_id_format(&token, request->work->token_id);
	token_id_format(&token, mutation->token);
	hash_secret(&token, mutation->secret_sha256);
	trust_wipe(&token, sizeof(token));
	mutation->trust.role = body.role;
	mutation->trust.ttl_ms = body.ttl_ms;
	mutation->trust.uses = body.uses;
	submit(request, mutation);
}

void handle_token_remove(struct api_request *request)
{
	struct err err;
	if (strlen(request->params[0]) != TOKEN_ID_TEXT_LEN) {
		err_set(&err, ERR_NOT_FOUND, "there is no token %.*s", 100, request->params[0]);
		answer_error(request, &err);
		return;
	}
	struct api_mutation *mutation = mutation_new(request, REQUEST_TOKEN_REMOVE);
	text_print(mutation->token, sizeof(mutation->token), "%s", request->params[0]);
	submit(request, mutation);
}

void handle_identity_remove(struct api_request *request)
{
	struct uuid id;
	struct err err;
	if (uuid_parse(request->params[0], &id, &err)) {
		answer_error(request, &err);
		return;
	}
	struct api_mutation *mutation = mutation_new(request, REQUEST_IDENTITY_REMOVE);
	mutation->trust.identity = id;
	submit(request, mutation);
}

/* ---- certificates -------------------------------------------------------------------------------------- */

static void answer_certificate(struct api_request *request, const struct csr *csr,
			       struct uuid identity, int role)
{
	struct api_trust trust = trust_of(request);
	struct uuid cluster = server_cluster(request->server)->meta.cluster;
	struct access_name name = { cluster, role, identity };
	struct certificate_answer answer = { .cluster = cluster, .id = identity, .role = role };
	struct err err;
	if (authority_issue(trust.authority, csr, &name, shell_wall_ms() / 1000,
			    &answer.certificate, &err)) {
		answer_error(request, &err);
		return;
	}
	answer.ca = base_strdup(authority_certificate_pem(trust.authority));
	answer_record(request, 200, &certificate_answer_type, &answer);
	record_release(&certificate_answer_type, &answer);
}

/* A name is printed in logs and listings. */
static enum err_code check_name(const char *name, struct err *err)
{
	for (const char *at = name; at && *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return err_set_field(err, ERR_INVALID, "name",
					     "a name holds no control characters");
	return ERR_NONE;
}

static enum err_code read_join(const struct api_request *request, const struct join_request *body,
			       struct token *token, struct csr **ret_csr, struct err *err)
{
	struct api_trust trust = trust_of(request);
	struct err inner;
	enum err_code code = check_name(body->name, err);
	if (code)
		return code;
	if (token_parse(body->token, token, &inner))
		return err_set_field(err, ERR_INVALID, "token", "%s", inner.message);
	if (memcmp(token->ca_sha256, authority_sha256(trust.authority), sizeof(token->ca_sha256)) !=
	    0)
		return err_set(err, ERR_FORBIDDEN, "the token is of another cluster");
	return csr_read(body->csr, strlen(body->csr), ret_csr, err);
}

void handle_join(struct api_request *request)
{
	struct join_request body;
	struct token token;
	struct csr *csr = NULL;
	struct err err;
	if (read_body(request, &join_request_type, LIMIT_JSON_VALUES, &body, &err)) {
		answer_error(request, &err);
		return;
	}
	if (read_join(request, &body, &token, &csr, &err)) {
		answer_error(request, &err);
	} else {
		struct api_mutation *mutation = mutation_new(request, REQUEST_JOIN);
		token_id_format(&token, mutation->token);
		hash_secret(&token, mutation->secret_sha256);
		text_print(mutation->key_sha256, sizeof(mutation->key_sha256), "%s",
			   csr_key_sha256(csr));
		mutation->joiner = base_strdup(body.name);
		mutation->trust.as = body.as;
		request->work = base_calloc(1, sizeof(*request->work));
		request->work->csr = csr;
		if (!request->caller.local)
			request->work->bucket =
				bucket_of_address(http_exchange_peer(request->exchange)->address);
		submit(request, mutation);
	}
	trust_wipe(&token, sizeof(token));
	trust_wipe(body.token, strlen(body.token));
	record_release(&join_request_type, &body);
}

void handle_renew(struct api_request *request)
{
	struct renew_request body;
	struct csr *csr = NULL;
	struct err err;
	if (request->caller.local) {
		answer_code(request, ERR_INVALID, "who asks on the socket has no certificate");
		return;
	}
	if (read_body(request, &renew_request_type, LIMIT_JSON_VALUES, &body, &err)) {
		answer_error(request, &err);
		return;
	}
	const struct identity_record *identity =
		cluster_identity(server_cluster(request->server), request->caller.id);
	if (csr_read(body.csr, strlen(body.csr), &csr, &err))
		answer_error(request, &err);
	else if (!identity || !access_hash_equal(identity->key_sha256, csr_key_sha256(csr)))
		answer_code(request, ERR_FORBIDDEN,
			    "a certificate is renewed for the key it was made for only");
	else
		answer_certificate(request, csr, identity->id, identity->role);
	csr_free(csr);
	record_release(&renew_request_type, &body);
}

/* ---- after the commit ---------------------------------------------------------------------------------- */

static void answer_token(struct api_request *request)
{
	const struct token_record *token =
		cluster_token(server_cluster(request->server), request->work->token_id);
	if (!token) {
		answer_code(request, ERR_NOT_FOUND, "the token was removed already");
		return;
	}
	struct token_answer answer = {
		.token = base_strdup(request->work->token_text),
		.id = base_strdup(token->id),
		.role = token->role,
		.expires_wall_ms = token->expires_wall_ms,
		.uses = token->uses,
		.manager = base_strdup(trust_of(request).address),
	};
	answer_record(request, 200, &token_answer_type, &answer);
	trust_wipe(answer.token, strlen(answer.token));
	record_release(&token_answer_type, &answer);
}

void trust_reply(struct api_request *request, const struct manager_reply *reply)
{
	struct trust_work *work = request->work;
	if (!work->csr) {
		answer_token(request);
		return;
	}
	/* Only tries that fail are counted, so that many may join from one address. */
	if (!uuid_is_zero(work->bucket))
		buckets_give_back(&request->server->joins, work->bucket);
	answer_certificate(request, work->csr, reply->identity, reply->role);
}
