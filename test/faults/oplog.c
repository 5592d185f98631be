#include "oplog.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static _Noreturn void broken(const char *path, const char *what)
{
	fprintf(stderr, "%s: %s\n", path, what);
	exit(2);
}

static size_t read_whole(const char *path, uint8_t **ret_contents)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0)
		broken(path, "cannot be read");
	size_t len = (size_t)status.st_size;
	size_t done = 0;
	*ret_contents = base_calloc(len + 1, 1);
	while (done < len) {
		ssize_t n = read(fd, *ret_contents + done, len - done);
		if (n <= 0)
			broken(path, "cannot be read");
		done += (size_t)n;
	}
	close(fd);
	return len;
}

void oplog_read(struct oplog *ret_oplog, const char *path)
{
	size_t capacity = 0;
	*ret_oplog = (struct oplog){ 0 };
	size_t len = read_whole(path, &ret_oplog->contents);
	for (size_t at = 0; at < len;) {
		struct op op;
		/* kill -9 may strike within a record: nothing was said after that. */
		if (len - at < sizeof(op.head))
			break;
		memcpy(&op.head, ret_oplog->contents + at, sizeof(op.head));
		at += sizeof(op.head);
		if (op.head.kind < OP_CREATE || op.head.kind > OP_HEARD)
			broken(path, "is no log of operations");
		if (op.head.bytes > len - at)
			break;
		op.bytes = ret_oplog->contents + at;
		at += op.head.bytes;
		ret_oplog->ops =
			base_grow(ret_oplog->ops, ret_oplog->n, &capacity, sizeof(struct op));
		ret_oplog->ops[ret_oplog->n++] = op;
	}
}

void oplog_release(struct oplog *oplog)
{
	base_free(oplog->ops);
	base_free(oplog->contents);
	*oplog = (struct oplog){ 0 };
}
