/* What a certificate says, and when it is to be renewed. */
#ifndef TRUST_CERTIFICATE_H
#define TRUST_CERTIFICATE_H

#include "access/access.h"

struct certificate {
	char uri[ACCESS_URI_SIZE]; /* "": a CA's, which has no name of its own */
	struct access_name name;   /* of `uri` */
	int64_t not_before_s;	   /* Unix time */
	int64_t not_after_s;
	char key_sha256[ACCESS_HASH_TEXT_SIZE];
	uint8_t sha256[ACCESS_HASH_BYTES]; /* of the DER */
};

/* ERR_INVALID: the text holds no certificate, or one with names that are none of ours. */
enum err_code certificate_read(const char *pem, size_t len, struct certificate *ret_certificate,
			       struct err *err) WARN_UNUSED;

/* When to renew: a point between 50 and 80 % of its life that is the certificate's own, so that many made together are
 * not renewed together, and that a restart does not move. */
int64_t certificate_renew_at_s(const struct certificate *certificate);

/* "2026-11-28T12:00:00Z". */
#define CERTIFICATE_TIME_SIZE 32
const char *certificate_time(int64_t unix_s, char out[CERTIFICATE_TIME_SIZE]);

#endif
