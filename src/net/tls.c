/* Invariants:
 * 1. A client's handshake succeeds only with a server whose chain ends in the trusted or pinned CA, is in its time, and
 *    whose URI is the expected one.
 * 2. A server lets in who shows nothing, and who shows a certificate of its CA, out of date or not; nobody else. */
#include "net/tls.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/text.h"

/* The second is for tools that are not ours. */
#define PROTOCOLS                                                                                  \
	"\x08"                                                                                     \
	"drover/1"                                                                                 \
	"\x08"                                                                                     \
	"http/1.1"
#define PROBLEM_SIZE 256

struct tls_context {
	SSL_CTX *ssl;
	bool server;
	bool pinned;
	unsigned char ca_sha256[TLS_HASH_BYTES];
	char expected_uri[TLS_URI_SIZE]; /* "": any manager */
	SSL_SESSION *session;		 /* client: the newest, to be resumed */
	EVP_PKEY *no_key; /* server: what stands in for keys that are not needed any more */
};

static void problem_free(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number,
			 void *argument)
{
	(void)parent, (void)data, (void)index, (void)number, (void)argument;
	base_free(pointer);
}

/* The index under which an SSL keeps what was found wrong in its handshake, as text; NULL: nothing. The loop is one
 * thread. */
static int problem_index(void)
{
	static int index = -1;
	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, problem_free);
	INVARIANT(index >= 0);
	return index;
}

static void keep_problem(SSL *ssl, const char *problem)
{
	base_free(SSL_get_ex_data(ssl, problem_index()));
	SSL_set_ex_data(ssl, problem_index(), base_strdup(problem));
}

/* ---- certificates ---- */

static int64_t time_s(const ASN1_TIME *time)
{
	struct tm utc;
	return ASN1_TIME_to_tm(time, &utc) == 1 ? (int64_t)timegm(&utc) : 0;
}

static void print_time(char out[32], int64_t at_s)
{
	time_t seconds = (time_t)at_s;
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(out, 32, "%Y-%m-%d %H:%M:%SZ", &utc);
}

/* Not expired, and valid already. */
static bool is_in_time(const X509 *certificate)
{
	return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
	       X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

/* The first URI among the certificate's alternative names, or "". */
static void read_uri(const X509 *certificate, char out[TLS_URI_SIZE])
{
	out[0] = '\0';
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_URI)
			continue;
		const unsigned char *bytes =
			ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
		int len = ASN1_STRING_length(name->d.uniformResourceIdentifier);
		/* A NUL inside could make one name look like another. */
		if (len > 0 && len < TLS_URI_SIZE && !memchr(bytes, '\0', (size_t)len)) {
			memcpy(out, bytes, (size_t)len);
			out[len] = '\0';
		}
		break;
	}
	GENERAL_NAMES_free(names);
}

static bool is_manager(const char *uri)
{
	static const char scheme[] = "drover://";
	static const char role[] = "/manager/";
	if (strncmp(uri, scheme, sizeof(scheme) - 1) != 0)
		return false;
	const char *cluster = uri + sizeof(scheme) - 1;
	return strncmp(cluster + strcspn(cluster, "/"), role, sizeof(role) - 1) == 0;
}

static bool uri_is_expected(const struct tls_context *context, const char *uri)
{
	if (!context->expected_uri[0])
		return is_manager(uri);
	return strncmp(uri, context->expected_uri, strlen(context->expected_uri)) == 0;
}

static X509 *find_pinned(const struct tls_context *context, STACK_OF(X509) * chain)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *certificate = sk_X509_value(chain, i);
		unsigned char digest[EVP_MAX_MD_SIZE];
		unsigned len = 0;
		if (X509_digest(certificate, EVP_sha256(), digest, &len) == 1 &&
		    len == TLS_HASH_BYTES &&
		    CRYPTO_memcmp(digest, context->ca_sha256, TLS_HASH_BYTES) == 0)
			return certificate;
	}
	return NULL;
}

static void tell_time_problem(SSL *ssl, const X509 *certificate)
{
	char from[32], until[32], now[32], problem[PROBLEM_SIZE];
	print_time(from, time_s(X509_get0_notBefore(certificate)));
	print_time(until, time_s(X509_get0_notAfter(certificate)));
	print_time(now, (int64_t)time(NULL));
	text_print(problem, sizeof(problem),
		   "the certificate is valid from %s to %s, and this machine's clock says %s", from,
		   until, now);
	keep_problem(ssl, problem);
}

static bool is_of_time(int error)
{
	return error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CERT_HAS_EXPIRED;
}

/* Goes over what OpenSSL objects to. The CA is known by its hash or lies with us: its dates add nothing. A client's
 * certificate may be out of date, for it may be renewed, or not in its time yet: then it was made while a clock was
 * ahead. */
static int on_objection(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	char problem[PROBLEM_SIZE];
	int error = X509_STORE_CTX_get_error(store);
	if (ok)
		return 1;
	if (is_of_time(error) && (SSL_is_server(ssl) || X509_STORE_CTX_get_error_depth(store) > 0))
		return 1;
	if (is_of_time(error))
		tell_time_problem(ssl, X509_STORE_CTX_get_current_cert(store));
	else
		keep_problem(ssl, text_print(problem, sizeof(problem),
					     "the certificate is not accepted: %s",
					     X509_verify_cert_error_string(error)));
	return 0;
}

/* Instead of OpenSSL's own verification: adds the pin before it and the role after it. */
static int verify(X509_STORE_CTX *store, void *argument)
{
	const struct tls_context *context = argument;
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	STACK_OF(X509) *trusted = NULL;
	char uri[TLS_URI_SIZE];
	if (context->pinned) {
		X509 *ca = find_pinned(context, X509_STORE_CTX_get0_untrusted(store));
		if (!ca) {
			keep_problem(ssl,
				     "the manager is not of the cluster that the token is for");
			X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
			return 0;
		}
		trusted = sk_X509_new_null();
		sk_X509_push(trusted, ca);
		X509_STORE_CTX_set0_trusted_stack(store, trusted);
	}
	int ok = X509_verify_cert(store);
	sk_X509_free(trusted);
	if (ok != 1 || context->server)
		return ok;
	read_uri(X509_STORE_CTX_get0_cert(store), uri);
	if (uri_is_expected(context, uri))
		return 1;
	keep_problem(ssl, "the other side is not a manager of this cluster");
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

/* ---- contexts ---- */

static enum err_code fail(const char *what, struct err *err)
{
	char reason[128];
	ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	ERR_clear_error();
	return err_set(err, ERR_INVALID, "%s cannot be used: %s", what, reason);
}

static BIO *bio_of(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	INVARIANT(bio);
	return bio;
}

static enum err_code trust(struct tls_context *context, const char *ca_pem, struct err *err)
{
	BIO *bio = bio_of(ca_pem);
	X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	if (!ca)
		return fail("the CA's certificate", err);
	int ok = X509_STORE_add_cert(SSL_CTX_get_cert_store(context->ssl), ca);
	/* Clients with several certificates know which one is asked for. */
	if (ok == 1 && context->server)
		ok = SSL_CTX_add_client_CA(context->ssl, ca);
	X509_free(ca);
	return ok == 1 ? ERR_NONE : fail("the CA's certificate", err);
}

static X509 *read_certificates(const char *pem, STACK_OF(X509) * chain)
{
	BIO *bio = bio_of(pem);
	X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	for (X509 *next; leaf && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL));)
		sk_X509_push(chain, next);
	BIO_free(bio);
	return leaf;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = bio_of(pem);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return key;
}

static void forget_session(struct tls_context *context)
{
	SSL_SESSION_free(context->session);
	context->session = NULL;
}

enum err_code tls_context_set_certificate(struct tls_context *context, const char *certificate_pem,
					  const char *key_pem, struct err *err)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *leaf = read_certificates(certificate_pem, chain);
	EVP_PKEY *key = read_key(key_pem);
	enum err_code code = ERR_NONE;
	/* All or nothing: what was shown until now stays if this cannot be. */
	if (!leaf)
		code = fail("the certificate", err);
	else if (!key || SSL_CTX_use_cert_and_key(context->ssl, leaf, key, chain, 1) != 1)
		code = fail("the private key", err);
	X509_free(leaf);
	EVP_PKEY_free(key);
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
	/* To go on from an earlier session is to show the certificate of then. */
	if (!code)
		forget_session(context);
	return code;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			   const unsigned char *in, unsigned in_len, void *argument)
{
	(void)ssl, (void)argument;
	unsigned char *chosen = NULL;
	int result = SSL_select_next_proto(&chosen, out_len, (const unsigned char *)PROTOCOLS,
					   sizeof(PROTOCOLS) - 1, in, in_len);
	*out = chosen;
	return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Copies are kept and used: OpenSSL spoils the session of a connection that ends without a farewell. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	if (!context || SSL_get_certificate(ssl) != SSL_CTX_get0_certificate(context->ssl))
		return 0;
	forget_session(context);
	context->session = SSL_SESSION_dup(session);
	return 0;
}

/* A session goes on only until the certificate of its beginning ends; then there is a full handshake, which judges
 * it. */
static SSL_TICKET_RETURN judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *key_name,
				      size_t key_name_len, SSL_TICKET_STATUS status, void *argument)
{
	(void)ssl, (void)key_name, (void)key_name_len, (void)argument;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	X509 *certificate = SSL_SESSION_get0_peer(session);
	if (certificate && X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

static void set_up_server(struct tls_context *context, const struct tls_options *options)
{
	static const unsigned char id[] = "drover";
	static const unsigned char no_key[32] = { 9 };
	context->no_key =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, no_key, sizeof(no_key));
	INVARIANT(context->no_key);
	SSL_CTX_set_session_id_context(context->ssl, id, sizeof(id) - 1);
	SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context->ssl, 1);
	SSL_CTX_set_session_ticket_cb(context->ssl, NULL, judge_ticket, NULL);
	SSL_CTX_set_alpn_select_cb(context->ssl, choose_protocol, NULL);
	if (options->ticket_key)
		SSL_CTX_set_tlsext_ticket_keys(context->ssl, (void *)(uintptr_t)options->ticket_key,
					       TLS_TICKET_KEY_BYTES);
}

static void set_up_client(struct tls_context *context, const struct tls_options *options)
{
	context->pinned = options->ca_sha256 != NULL;
	if (context->pinned)
		memcpy(context->ca_sha256, options->ca_sha256, TLS_HASH_BYTES);
	if (options->expect_uri_prefix)
		text_print(context->expected_uri, sizeof(context->expected_uri), "%s",
			   options->expect_uri_prefix);
	SSL_CTX_set_session_cache_mode(context->ssl,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context->ssl, keep_session);
	SSL_CTX_set_alpn_protos(context->ssl, (const unsigned char *)PROTOCOLS,
				sizeof(PROTOCOLS) - 1);
}

enum err_code tls_context_new(const struct tls_options *options, struct tls_context **ret_context,
			      struct err *err)
{
	PRE(options->ca_pem || (!options->server && options->ca_sha256));
	PRE(!options->certificate_pem == !options->key_pem);
	struct tls_context *context = base_calloc(1, sizeof(*context));
	context->server = options->server;
	context->ssl = SSL_CTX_new(options->server ? TLS_server_method() : TLS_client_method());
	INVARIANT(context->ssl);
	SSL_CTX_set_app_data(context->ssl, context);
	SSL_CTX_set_min_proto_version(context->ssl, TLS1_3_VERSION);
	/* A process that was killed says no farewell; its peer's session is good all the same. Messages tell their own
	 * length, so that a connection which is cut cannot shorten one unseen. */
	SSL_CTX_set_options(context->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, on_objection);
	SSL_CTX_set_cert_verify_callback(context->ssl, verify, context);
	if (options->server)
		set_up_server(context, options);
	else
		set_up_client(context, options);
	enum err_code code = options->ca_pem ? trust(context, options->ca_pem, err) : ERR_NONE;
	if (!code && options->certificate_pem)
		code = tls_context_set_certificate(context, options->certificate_pem,
						   options->key_pem, err);
	if (code)
		tls_context_free(context);
	else
		*ret_context = context;
	return code;
}

static int verify_nobody(X509_STORE_CTX *store, void *argument)
{
	(void)argument;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
	return 0;
}

void tls_context_free(struct tls_context *context)
{
	if (!context)
		return;
	/* Connections that outlive it must not find it. */
	SSL_CTX_set_app_data(context->ssl, NULL);
	SSL_CTX_set_cert_verify_callback(context->ssl, verify_nobody, NULL);
	forget_session(context);
	EVP_PKEY_free(context->no_key);
	SSL_CTX_free(context->ssl);
	base_free(context);
}

/* ---- connections ---- */

/* Offer to go on from the last session. A server whose certificate is out of its time by now must
 * show it anew. */
static void resume(struct tls_context *context, SSL *ssl)
{
	const X509 *certificate = SSL_SESSION_get0_peer(context->session);
	if (!certificate || !is_in_time(certificate)) {
		forget_session(context);
		return;
	}
	SSL_SESSION *session = SSL_SESSION_dup(context->session);
	SSL_set_session(ssl, session);
	SSL_SESSION_free(session);
}

static struct bufferevent *wrap(struct tls_context *context, struct event_base *base, int fd,
				enum bufferevent_ssl_state state)
{
	SSL *ssl = SSL_new(context->ssl);
	INVARIANT(ssl);
	if (context->session)
		resume(context, ssl);
	struct bufferevent *bev =
		bufferevent_openssl_socket_new(base, fd, ssl, state, BEV_OPT_CLOSE_ON_FREE);
	INVARIANT(bev);
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

struct bufferevent *tls_server_new(struct tls_context *context, struct event_base *base, int fd)
{
	return wrap(context, base, fd, BUFFEREVENT_SSL_ACCEPTING);
}

struct bufferevent *tls_client_new(struct tls_context *context, struct event_base *base)
{
	return wrap(context, base, -1, BUFFEREVENT_SSL_CONNECTING);
}

static void hash_key(const X509 *certificate, unsigned char out[TLS_HASH_BYTES])
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	INVARIANT(len > 0);
	unsigned n = 0;
	int ok = EVP_Digest(der, (size_t)len, out, &n, EVP_sha256(), NULL);
	INVARIANT(ok == 1 && n == TLS_HASH_BYTES);
	OPENSSL_free(der);
}

/* OpenSSL keeps the peer's certificate, taken apart, as long as the connection, and needs it no more: the ticket that
 * carries it has been sent. What is left of it names nobody. */
static void strip(const struct tls_context *context, X509 *certificate)
{
	X509_NAME *nobody = X509_NAME_new();
	while (X509_get_ext_count(certificate) > 0)
		X509_EXTENSION_free(X509_delete_ext(certificate, 0));
	X509_set_subject_name(certificate, nobody);
	X509_set_issuer_name(certificate, nobody);
	X509_set_pubkey(certificate, context->no_key);
	X509_NAME_free(nobody);
	ERR_clear_error();
}

void tls_peer_take(struct bufferevent *bev, struct tls_peer *ret_peer)
{
	const SSL *ssl = bufferevent_openssl_get_ssl(bev);
	const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	*ret_peer = (struct tls_peer){ 0 };
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	if (!certificate)
		return;
	ret_peer->certified = true;
	ret_peer->not_after_s = time_s(X509_get0_notAfter(certificate));
	read_uri(certificate, ret_peer->uri);
	hash_key(certificate, ret_peer->key_sha256);
	if (context)
		strip(context, certificate);
}

bool tls_problem_of(struct bufferevent *bev, struct err *err)
{
	const SSL *ssl = bufferevent_openssl_get_ssl(bev);
	if (!ssl)
		return false;
	const char *problem = SSL_get_ex_data(ssl, problem_index());
	unsigned long code = bufferevent_get_openssl_error(bev);
	ERR_clear_error();
	if (problem) {
		err_set(err, ERR_FORBIDDEN, "%s", problem);
	} else if (code && !ERR_SYSTEM_ERROR(code)) {
		const char *reason = ERR_reason_error_string(code);
		err_set(err, ERR_PROTOCOL, "TLS: %s", reason ? reason : "it failed");
	} else {
		return false;
	}
	return true;
}
