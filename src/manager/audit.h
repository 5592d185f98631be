/* The manager's audit log: one line for each request that changes something, written before its effect. Lines are
 * chained: each ends with the SHA-256 of the one before it and its own words, so that a line that was changed or taken
 * out shows. The file is append-only by use, not by right: who is root can write it anew from any line on.
 *
 *     2026-11-28T12:00:00.123Z uid:0 node_drain n2 5f1c...
 *
 * audit.log in the manager's data folder, rotated at LIMIT_AUDIT_FILE_BYTES to audit.1.log ... audit.4.log;
 * audit.next.log is there only while that is done. */
#ifndef MANAGER_AUDIT_H
#define MANAGER_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define AUDIT_FILES_KEPT 4

struct audit;

/* Open DIR/audit.log, reading it through: *ret_bad_line is the first line that the chain does not confirm, 0: none; new
 * lines go on from what is there. A last line that a crash cut off is dropped: its effect never came. ERR_STORE_FULL,
 * ERR_STORE. */
enum err_code audit_open(const char *dir, struct audit **ret_audit, int64_t *ret_bad_line,
			 struct err *err) WARN_UNUSED;
void audit_close(struct audit *audit);

/* Append a line. Blanks and what does not print become '_' in the words; the subject may be "". `grave`: it is on disk
 * before this returns. ERR_STORE_FULL, ERR_STORE: nothing may be done. */
enum err_code audit_write(struct audit *audit, int64_t wall_ms, const char *caller, const char *act,
			  const char *subject, bool grave, struct err *err) WARN_UNUSED;

#endif
