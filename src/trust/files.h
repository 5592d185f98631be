/* Small files of secrets: written whole or not at all, readable by their owner only. */
#ifndef TRUST_FILES_H
#define TRUST_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Write DIR/NAME: a temporary file (0600), synced, renamed over what was there, the folder synced. Makes the folder
 * (0700, parents too). ERR_STORE_FULL, ERR_STORE; then what was there is unchanged. */
enum err_code trust_file_write(const char *dir, const char *name, const void *bytes, size_t len,
			       struct err *err) WARN_UNUSED;

/* Read all of DIR/NAME, at most LIMIT_PEM_FILE_BYTES, with a NUL added; the caller frees with base_free().
 * ERR_NOT_FOUND, ERR_TOO_LARGE, ERR_STORE. */
enum err_code trust_file_read(const char *dir, const char *name, char **ret_bytes, size_t *ret_len,
			      struct err *err) WARN_UNUSED;

bool trust_file_exists(const char *dir, const char *name);

#endif
