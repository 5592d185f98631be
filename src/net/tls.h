/* TLS 1.3 between parts of drover: contexts, and who is at the other end. Certificates carry a role in a URI,
 * "drover://CLUSTER/ROLE/ID"; host names are not looked at, for machines move and the role is what counts.
 *
 * A server asks for a certificate and does not demand one. One of a client that is out of date, and otherwise good,
 * lets the handshake through, and the server is told: expiry must not lock a machine out. One that does not verify, or
 * is not valid yet, ends the handshake. Sessions resume from tickets; the times of a certificate are looked at each
 * time. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tls_context;
struct bufferevent;
struct event_base;

#define TLS_HASH_BYTES	     32 /* SHA-256 */
#define TLS_TICKET_KEY_BYTES 80
#define TLS_URI_SIZE	     128

struct tls_options {
	bool server;
	const char *ca_pem;	     /* who is trusted; a client may give ca_sha256 instead */
	const char *certificate_pem; /* own, then its chain; NULL: a client without one */
	const char *key_pem;
	/* Client: trust the CA of the server's chain whose DER has this SHA-256. */
	const unsigned char *ca_sha256;
	/* Client: the server's URI must begin so; NULL: its role, the third part, must be "manager". */
	const char *expect_uri_prefix;
	/* Server: TLS_TICKET_KEY_BYTES that let sessions resume across restarts; NULL: they do not. */
	const unsigned char *ticket_key;
};

/* Who is at the other end. */
struct tls_peer {
	bool certified;				  /* showed a certificate of our CA, time aside */
	int64_t not_after_s;			  /* Unix time; may have passed */
	char uri[TLS_URI_SIZE];			  /* "": none */
	unsigned char key_sha256[TLS_HASH_BYTES]; /* of its public key (SubjectPublicKeyInfo) */
};

/* Everything is copied. ERR_INVALID: a PEM text that cannot be used. */
enum err_code tls_context_new(const struct tls_options *options, struct tls_context **ret_context,
			      struct err *err) WARN_UNUSED;
/* Open connections live on; handshakes under way fail. NULL is fine. */
void tls_context_free(struct tls_context *context);

/* Show another certificate from the next connection on. ERR_INVALID: the former stays. */
enum err_code tls_context_set_certificate(struct tls_context *context, const char *certificate_pem,
					  const char *key_pem, struct err *err) WARN_UNUSED;

/* A bufferevent that speaks TLS: the server's on an accepted socket (taken), the client's on none yet.
 * BEV_EVENT_CONNECTED tells that the handshake is done. */
struct bufferevent *tls_server_new(struct tls_context *context, struct event_base *base, int fd);
struct bufferevent *tls_client_new(struct tls_context *context, struct event_base *base);

/* After BEV_EVENT_CONNECTED, once: a server keeps of the peer's certificate only what is told here. */
void tls_peer_take(struct bufferevent *bev, struct tls_peer *ret_peer);

/* After BEV_EVENT_ERROR: why, where TLS is the reason; false: it is not. A certificate out of its time is told with
 * both clocks. */
bool tls_problem_of(struct bufferevent *bev, struct err *err);

#endif
