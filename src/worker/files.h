/* The configs and secrets of tasks as files, on a tmpfs so that their bytes reach no disk: DIR/NODE/TASK/NUMBER, made
 * whole or not at all. The folders can be entered by their owner only; Docker mounts the files one by one. */
#ifndef WORKER_FILES_H
#define WORKER_FILES_H

#include "base/limits.h"
#include "task/container.h"

struct files;

/* Where `dir` is not given: /run/drover/files for root, else $XDG_RUNTIME_DIR/drover/files. Nothing is touched yet. */
struct files *files_new(const char *dir);
void files_free(struct files *files);

/* The folder above all. */
const char *files_dir(const struct files *files);

/* Whose tasks these are: two workers of a machine do not meet. */
void files_set_node(struct files *files, struct node_id node);

/* Can files be kept in DIR? Makes the folder and the tmpfs where they are missing. ERR_INVALID, ERR_IO: no, and why. */
enum err_code files_check(const struct files *files, struct err *err) WARN_UNUSED;

/* Carry out CONTAINER_FILES; the answer is the caller's to release. Where DIR is not on a tmpfs one is mounted there,
 * which only root can. */
void files_put(struct files *files, const struct container_action *action,
	       struct container_result *ret_result);

/* The folder of a task's files, for CREATE; there or not. */
const char *files_of(const struct files *files, struct task_id task, char out[LIMIT_PATH_BYTES]);

/* Remove the files of every task for which `is_needed` says no, and what a crash has left half made. */
typedef bool files_needed_fn(const void *owner, struct task_id task);
void files_sweep(struct files *files, files_needed_fn *is_needed, const void *owner);

#endif
