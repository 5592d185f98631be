/* The cluster's certificate authority: one P-256 key, made at the manager's first start, and what it signs. */
#ifndef TRUST_AUTHORITY_H
#define TRUST_AUTHORITY_H

#include "access/access.h"

struct authority;
struct csr;

#define AUTHORITY_FILE "authority.pem"

/* Load the authority from DIR/authority.pem (0600: its key and its certificate), or make one that is good for ten
 * years. `now_s` is Unix time. ERR_DAMAGED when the file is there and holds something else; ERR_STORE,
 * ERR_STORE_FULL. */
enum err_code authority_open(const char *dir, int64_t now_s, struct authority **ret_authority,
			     struct err *err) WARN_UNUSED;
bool authority_exists(const char *dir);
void authority_free(struct authority *authority);

/* Its certificate, borrowed, and the hash of it that tokens carry. */
const char *authority_certificate_pem(const struct authority *authority);
const uint8_t *authority_sha256(const struct authority *authority);

/* A certificate for the key of `csr`, with `name` as its only name: good from an hour before `now_s`, for clocks
 * differ, to LIMIT_CERTIFICATE_LIFE_S after it. The caller frees. ERR_INTERNAL. */
enum err_code authority_issue(const struct authority *authority, const struct csr *csr,
			      const struct access_name *name, int64_t now_s, char **ret_pem,
			      struct err *err) WARN_UNUSED;

#endif
