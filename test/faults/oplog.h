/* What a process did to the files of one folder, in order, as the shim (shim.c) records it and the replayer reads it.
 *
 * A log is a row of records: a head, then `bytes` bytes. Integers are in the machine's own order: a log is read where
 * it was written. */
#ifndef FAULTS_OPLOG_H
#define FAULTS_OPLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum op_kind {
	OP_CREATE = 1, /* a file or folder came to be; bytes: its path below the root */
	OP_REMOVE,     /* bytes: path */
	OP_RENAME,     /* bytes: the old path, a NUL, the new path */
	OP_NAME,       /* bytes: the path that `file` stands for from here on */
	OP_WRITE,      /* bytes at offset */
	OP_RESIZE,     /* to length offset */
	OP_SYNC, /* everything before is durable: of a file its contents, of a folder its entries */
	OP_SPEECH, /* bytes went out over a socket: `file` is its descriptor */
	OP_HEARD,  /* bytes came in */
};

enum op_flag {
	OP_DURABLE = 1, /* a write through O_DSYNC: durable when it returned */
	OP_FOLDER = 4,	/* what was created is one */
	OP_FAILED = 2,	/* the program was told that it failed; what reached the disk is unknown */
};

struct op_head {
	uint32_t kind;
	uint32_t flags;
	uint32_t file;
	uint32_t bytes;
	uint64_t offset;
};

struct op {
	struct op_head head;
	const uint8_t *bytes;
};

struct oplog {
	uint8_t *contents;
	struct op *ops;
	size_t n;
};

/* Read a log; ends the process with a message when it is none. */
void oplog_read(struct oplog *ret_oplog, const char *path);
void oplog_release(struct oplog *oplog);

#endif
