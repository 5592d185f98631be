/* Is the LMDB file whole? Reading a damaged file may end a process (SIGBUS, SIGSEGV, SIGABRT inside LMDB), so this is
 * done in a child, before the caller opens the file. */
#ifndef STORE_LMDB_VERIFY_H
#define STORE_LMDB_VERIFY_H

#include <stdbool.h>

#include "base/err.h"

/* Check every page of the store in folder `path` (store/lmdb_pages.h), then every record: each must be as it was
 * sealed, and all together must be what the summary says. `held_records`: the folder held a complete store before, so
 * an empty file is not a new one. ERR_DAMAGED says what is wrong; ERR_STORE when the check could not be made. The
 * caller has the folder locked and the file not open. */
enum err_code lmdb_verify(const char *path, bool held_records, struct err *err) WARN_UNUSED;

/* The error code that an LMDB return code stands for; `full`: whether it means a full disk. */
enum err_code lmdb_err_code(int rc, bool full);

#endif
