/* The folder of a store: private to its user, locked against a second process, with a ballast file that is given up
 * when the disk is full. */
#ifndef STORE_DATA_DIR_H
#define STORE_DATA_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct data_dir {
	char *path;
	int dir_fd;
	int lock_fd;
	int64_t reserve_bytes;
	bool has_reserve;
};

/* Create the folder (0700, parents too) where it is missing, and lock it. ERR_CONFLICT when another process holds it;
 * ERR_STORE_FULL; ERR_STORE. Release with data_dir_release(). */
enum err_code data_dir_open(struct data_dir *dir, const char *path, int64_t reserve_bytes,
			    struct err *err) WARN_UNUSED;

/* Unlock and forget; the files stay. */
void data_dir_release(struct data_dir *dir);

/* Whether the folder ever held a store that was complete, and the mark that says so. */
bool data_dir_is_marked(const struct data_dir *dir);
enum err_code data_dir_mark(const struct data_dir *dir, struct err *err) WARN_UNUSED;

/* Size of a file in the folder; -1 where there is none. */
int64_t data_dir_file_bytes(const struct data_dir *dir, const char *name);

/* A folder within, where it is missing. */
enum err_code data_dir_make_folder(const struct data_dir *dir, const char *name,
				   struct err *err) WARN_UNUSED;

/* Remove a file or an empty folder, where it is there. */
enum err_code data_dir_remove(const struct data_dir *dir, const char *name,
			      struct err *err) WARN_UNUSED;

/* Give a durable file another name, in place of whatever has it, durably: after a power cut there is the one or the
 * other. */
enum err_code data_dir_rename(const struct data_dir *dir, const char *name, const char *to,
			      struct err *err) WARN_UNUSED;

/* Read, or durably write, `len` bytes of a file at an offset. 0, or an errno. */
int data_dir_read(const struct data_dir *dir, const char *name, int64_t offset, void *bytes,
		  size_t len);
int data_dir_write(const struct data_dir *dir, const char *name, int64_t offset, const void *bytes,
		   size_t len);

/* Have room on the disk for all of a file that will be written through memory, where a full disk is a SIGBUS and no
 * error. ERR_STORE_FULL, ERR_STORE. */
enum err_code data_dir_allocate(const struct data_dir *dir, const char *name, int64_t bytes,
				struct err *err) WARN_UNUSED;

/* Give up the ballast: true when there was one, so that there is room now. */
bool data_dir_drop_reserve(struct data_dir *dir);

/* Have the ballast again. False when the disk has no room for it. */
bool data_dir_restore_reserve(struct data_dir *dir);

/* Bytes the file system still has for us. */
int64_t data_dir_free_bytes(const struct data_dir *dir);

/* Does this errno of a write mean that the disk is full? A write that is cut short for want of room shows as EIO. */
bool data_dir_is_full(const struct data_dir *dir, int error);

#endif
