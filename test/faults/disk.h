/* A disk that may lose its power: what a log of operations (oplog.h) leaves on it. The model is the strictest POSIX
 * allows:
 * - A write is pending until a sync of its file completes, or it went through O_DSYNC.
 * - A name is pending until its folder is synced.
 * - At a cut each pending write is lost, kept, or torn into sectors of which any may be there; a name is there or not.
 * - What was pending when a sync failed is settled by chance for good: no later sync brings it back. */
#ifndef FAULTS_DISK_H
#define FAULTS_DISK_H

#include "base/uuid.h"
#include "oplog.h"

struct disk;

struct disk *disk_new(struct random *random);
void disk_free(struct disk *disk);

/* An operation is under way: its effect is pending. Then it returns, and is durable if it promises so. */
void disk_begin(struct disk *disk, const struct op *op);
void disk_end(struct disk *disk, const struct op *op);

/* The path an operation is about, "" when it is none of a file. Borrowed. */
const char *disk_path(const struct disk *disk, const struct op *op);

enum disk_view {
	DISK_CACHE, /* as running programs see it */
	DISK_CUT,   /* as it may be found after the power went now */
};
/* Write the files into `folder`, in place of what was there. */
void disk_write(struct disk *disk, enum disk_view view, const char *folder);

/* Is the file in `folder` as running programs see it on the disk? */
bool disk_is_kept(const struct disk *disk, const char *path, const char *folder);

#endif
