/* The manager's secrets at rest. The core and the store see names, hashes and sealed bytes (trust/seal.h) only; the
 * key is in a file of its own: secrets.key beside the store, made with the first secret, or the file of
 * --secrets-key, which is never made. It holds 64 hexadecimal digits, and nobody else may read it. */
#ifndef MANAGER_VAULT_H
#define MANAGER_VAULT_H

#include "api/server.h"

struct vault;

#define VAULT_KEY_NAME "secrets.key"

/* `key_file` NULL: DIR/secrets.key. ERR_INVALID, ERR_FORBIDDEN for a key that cannot be used, ERR_NOT_FOUND where a
 * named one is missing. */
enum err_code vault_open(const char *dir, const char *key_file, struct vault **ret_vault,
			 struct err *err) WARN_UNUSED;
void vault_free(struct vault *vault);

/* Names the key, tells nothing of it; "": there is none yet. Borrowed. */
const char *vault_key_id(const struct vault *vault);

/* Is every secret of the store sealed with our key, or forgotten? ERR_CONFLICT says what to do; the store is not
 * touched. */
enum err_code vault_check(const struct vault *vault, const struct cluster *cluster,
			  struct err *err) WARN_UNUSED;

/* Before the core sees a request: hash every config and secret it brings, seal the secrets, resolve what its jobs use.
 * ERR_INVALID names the field, whatever is missing from the request; ERR_STORE where a first key cannot be written. */
enum err_code vault_take(struct vault *vault, struct api_mutation *mutation,
			 struct err *err) WARN_UNUSED;

/* The same for a request that is not carried out: no key is made for it. */
enum err_code vault_take_for_plan(struct vault *vault, struct api_mutation *mutation,
				  struct err *err) WARN_UNUSED;

/* Before a worker is told: open what is sealed, in place. What cannot be opened goes without its bytes, which is
 * logged; the task waits. */
void vault_give(const struct vault *vault, struct sync_down *down);

#endif
