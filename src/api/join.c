#include "api/join.h"

#include <string.h>

#include "access/token.h"
#include "api/client.h"
#include "api/json.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "trust/keys.h"

static void wipe_and_free(char *secret)
{
	if (secret)
		trust_wipe(secret, strlen(secret));
	base_free(secret);
}

/* ---- joining ------------------------------------------------------------------------------------------- */

bool join_may_retry(enum err_code code)
{
	return code == ERR_UNAVAILABLE || code == ERR_TIMEOUT || code == ERR_CLOSED ||
	       code == ERR_LIMIT || code == ERR_STORE || code == ERR_STORE_FULL || code == ERR_IO;
}

static enum err_code ask(const struct endpoint *endpoint, const struct join_options *options,
			 char *csr_pem, struct certificate_answer *answer, struct err *err)
{
	struct join_request body = {
		.token = (char *)(uintptr_t)options->token,
		.csr = csr_pem,
		.name = (char *)(uintptr_t)options->name,
		.as = options->as,
	};
	struct api_call call = {
		.method = "POST",
		.target = "/v1/join",
		.body_type = &join_request_type,
		.body = &body,
		.answer_type = &certificate_answer_type,
		.answer = answer,
	};
	struct api_client *client = api_client_new(endpoint);
	enum err_code code = api_client_call(client, &call, err);
	api_client_free(client);
	return code;
}

static enum err_code ask_and_keep(const struct join_options *options, const struct token *token,
				  char *csr_pem, struct err *err)
{
	struct endpoint endpoint = { 0 };
	struct tls_options tls_options = { .ca_sha256 = token->ca_sha256 };
	struct certificate_answer answer = { 0 };
	char where[ENDPOINT_TEXT_SIZE];
	enum err_code code = endpoint_parse(options->manager, &endpoint, err);
	if (code)
		return code;
	if (endpoint.socket_path)
		code = err_set(err, ERR_INVALID, "%s is a path; a manager is joined at HOST:PORT",
			       options->manager);
	if (!code)
		code = tls_context_new(&tls_options, &endpoint.tls, err);
	if (!code)
		code = ask(&endpoint, options, csr_pem, &answer, err);
	if (!code)
		code = membership_store(options->dir, endpoint_text(&endpoint, where), token,
					answer.ca ? answer.ca : "",
					answer.certificate ? answer.certificate : "", err);
	record_release(&certificate_answer_type, &answer);
	member_endpoint_release(&endpoint);
	return code;
}

enum err_code join(const struct join_options *options, struct err *err)
{
	struct token token;
	char *key_pem = NULL;
	char *csr_pem = NULL;
	enum err_code code = token_parse(options->token, &token, err);
	if (!code)
		code = membership_key(options->dir, &key_pem, err);
	if (!code)
		code = csr_make(key_pem, &csr_pem, err);
	if (!code)
		code = ask_and_keep(options, &token, csr_pem, err);
	wipe_and_free(key_pem);
	base_free(csr_pem);
	trust_wipe(&token, sizeof(token));
	return code;
}

/* ---- being a member ------------------------------------------------------------------------------------ */

enum err_code member_endpoint(const struct membership *membership, struct endpoint *ret_endpoint,
			      struct err *err)
{
	char prefix[ACCESS_URI_SIZE], cluster[UUID_TEXT_SIZE];
	text_print(prefix, sizeof(prefix), "drover://%s/manager/",
		   uuid_format(membership->certificate.name.cluster, cluster));
	struct tls_options options = {
		.ca_pem = membership->ca_pem,
		.certificate_pem = membership->certificate_pem,
		.key_pem = membership->key_pem,
		.expect_uri_prefix = prefix,
	};
	enum err_code code = endpoint_parse(membership->manager, ret_endpoint, err);
	if (!code)
		code = tls_context_new(&options, &ret_endpoint->tls, err);
	if (code)
		member_endpoint_release(ret_endpoint);
	return code;
}

void member_endpoint_release(struct endpoint *endpoint)
{
	struct tls_context *tls = endpoint->tls;
	endpoint_release(endpoint);
	tls_context_free(tls);
}

enum err_code renew_body(const struct membership *membership, char **ret_body, struct err *err)
{
	struct renew_request request = { 0 };
	enum err_code code = csr_make(membership->key_pem, &request.csr, err);
	if (!code)
		*ret_body = json_write_record(&renew_request_type, &request, JSON_REQUEST);
	record_release(&renew_request_type, &request);
	return code;
}

static enum err_code keep(struct membership *membership, const struct endpoint *endpoint,
			  const struct certificate_answer *answer, struct err *err)
{
	enum err_code code =
		membership_renew(membership, answer->certificate ? answer->certificate : "", err);
	return code ? code
		    : tls_context_set_certificate(endpoint->tls, membership->certificate_pem,
						  membership->key_pem, err);
}

enum err_code renew_take(struct membership *membership, const struct endpoint *endpoint,
			 const char *body, size_t len, struct err *err)
{
	struct certificate_answer answer;
	enum err_code code = json_read_record(&certificate_answer_type, body, len,
					      LIMIT_JSON_VALUES, JSON_INTERNAL, &answer, err);
	if (code)
		return code;
	code = keep(membership, endpoint, &answer, err);
	record_release(&certificate_answer_type, &answer);
	return code;
}

enum err_code renew(struct membership *membership, const struct endpoint *endpoint, struct err *err)
{
	struct renew_request request = { 0 };
	struct certificate_answer answer = { 0 };
	enum err_code code = csr_make(membership->key_pem, &request.csr, err);
	struct api_call call = {
		.method = "POST",
		.target = "/v1/renew",
		.body_type = &renew_request_type,
		.body = &request,
		.answer_type = &certificate_answer_type,
		.answer = &answer,
	};
	struct api_client *client = api_client_new(endpoint);
	if (!code)
		code = api_client_call(client, &call, err);
	if (!code)
		code = keep(membership, endpoint, &answer, err);
	api_client_free(client);
	record_release(&renew_request_type, &request);
	record_release(&certificate_answer_type, &answer);
	return code;
}
