/* Invariant: a path is allowed only as it really lies on the machine: no step of it is a link, and neither users of the
 * machine (walk()) nor jobs, who are root in their mounts (policy_check_path()), can put another thing in its place
 * before Docker resolves it again. */
#include "worker/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "policy/policy.h"

struct guard {
	char *file;
	struct strings denied;
	bool read;	  /* `policy` or `broken` is of the file as `seen` was */
	struct stat seen; /* zeroed: there was no file */
	struct policy policy;
	struct err broken; /* code ERR_NONE: the policy holds */
};

struct guard *guard_new(const char *file)
{
	static const char *const always[] = { "/etc",  "/proc", "/sys",	    "/dev",
					      "/boot", "/run",	"/var/run", "/var/lib/docker" };
	struct guard *guard = base_calloc(1, sizeof(*guard));
	guard->file = base_strdup(file);
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		strings_add(&guard->denied, always[i]);
	return guard;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	policy_release(&guard->policy);
	strings_release(&guard->denied);
	base_free(guard->file);
	base_free(guard);
}

void guard_deny(struct guard *guard, const char *path)
{
	char *real = realpath(path, NULL);
	if (!strings_has(&guard->denied, path))
		strings_add(&guard->denied, path);
	if (real && !strings_has(&guard->denied, real))
		strings_add(&guard->denied, real);
	free(real);
}

/* ---- the file ---- */

static enum err_code read_bytes(int fd, const char *file, struct text *text, struct err *err)
{
	char piece[4096];
	ssize_t got;
	while ((got = read(fd, piece, sizeof(piece))) > 0)
		text_add_bytes(text, piece, (size_t)got);
	if (got < 0)
		return err_set(err, ERR_IO, "%s cannot be read: %s", file, strerror(errno));
	if (text->cut)
		return err_set(err, ERR_TOO_LARGE, "%s is larger than %d bytes", file,
			       LIMIT_POLICY_FILE_BYTES);
	return ERR_NONE;
}

static enum err_code read_file(struct guard *guard, int fd, const struct stat *found,
			       struct err *err)
{
	if (!S_ISREG(found->st_mode) || (found->st_uid != 0 && found->st_uid != geteuid()) ||
	    (found->st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(err, ERR_FORBIDDEN,
			       "%s must be a file that only root or the worker's user can write",
			       guard->file);
	struct text text;
	text_init(&text, LIMIT_POLICY_FILE_BYTES);
	enum err_code code = read_bytes(fd, guard->file, &text, err);
	if (!code)
		code = policy_parse(text_string(&text), text.len, guard->file, &guard->policy, err);
	text_release(&text);
	return code;
}

static bool is_as_seen(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mode == b->st_mode && a->st_uid == b->st_uid &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* `problem`: what opening it or looking at it failed with; 0: nothing. */
static enum err_code read_policy(struct guard *guard, int fd, const struct stat *found, int problem,
				 struct err *err)
{
	if (!problem)
		return read_file(guard, fd, found, err);
	if (problem == ENOENT || problem == ENOTDIR)
		return policy_parse("", 0, guard->file, &guard->policy, err);
	return err_set(err, ERR_IO, "%s cannot be opened: %s", guard->file, strerror(problem));
}

static void refresh(struct guard *guard)
{
	struct stat found = { 0 };
	struct err err = { 0 };
	int fd = open(guard->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int problem = fd < 0 || fstat(fd, &found) < 0 ? errno : 0;
	if (!guard->read || problem || !is_as_seen(&found, &guard->seen)) {
		policy_release(&guard->policy);
		guard->read = true;
		guard->seen = found;
		guard->broken = (struct err){ 0 };
		if (read_policy(guard, fd, &found, problem, &err))
			guard->broken = err;
	}
	if (fd >= 0)
		close(fd);
}

/* ---- paths ---- */

static enum err_code check_denied(const struct guard *guard, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	if (strcmp(slash, "/docker.sock") == 0)
		return err_set(err, ERR_FORBIDDEN,
			       "mounting %s is never allowed: Docker's socket is root", path);
	for (size_t i = 0; i < guard->denied.n; i++) {
		const char *denied = guard->denied.items[i];
		if (policy_path_is_below(path, denied))
			return err_set(err, ERR_FORBIDDEN, "mounting %s is never allowed", path);
		if (policy_path_is_below(denied, path))
			return err_set(err, ERR_FORBIDDEN,
				       "mounting %s is never allowed: it holds %s", path, denied);
	}
	return ERR_NONE;
}

static enum err_code check_folder(int folder, const char *path, struct err *err)
{
	struct stat found;
	if (fstat(folder, &found) < 0)
		return err_set(err, ERR_IO, "look at %s: %s", path, strerror(errno));
	if (S_ISDIR(found.st_mode) && found.st_uid == 0 && !(found.st_mode & (S_IWGRP | S_IWOTH)))
		return ERR_NONE;
	return err_set(
		err, ERR_FORBIDDEN,
		"mounting %s is not allowed on this machine: others than root can write to a "
		"folder above it, and so put another thing in its place",
		path);
}

/* Go one step down; *folder is replaced. *ret_missing: it ends here. */
static enum err_code step(int *folder, const char *name, const char *path, bool *ret_missing,
			  struct err *err)
{
	struct stat found;
	enum err_code code = check_folder(*folder, path, err);
	if (code)
		return code;
	int next = openat(*folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0 && errno == ENOENT) {
		*ret_missing = true;
		return ERR_NONE;
	}
	if (next < 0)
		return err_set(err, ERR_FORBIDDEN, "mounting %s: %s", path, strerror(errno));
	close(*folder);
	*folder = next;
	if (fstat(next, &found) == 0 && !S_ISLNK(found.st_mode))
		return ERR_NONE;
	return err_set(err, ERR_FORBIDDEN,
		       "mounting %s is not allowed on this machine: %s in it is a symbolic link; "
		       "write the path it leads to",
		       path, name);
}

/* Every step from the root is a folder only root can write to, and none is a link. What is missing Docker makes. */
static enum err_code walk(const char *path, struct err *err)
{
	int folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return err_set(err, ERR_IO, "open /: %s", strerror(errno));
	enum err_code code = ERR_NONE;
	bool missing = false;
	for (const char *at = path; !code && !missing && *at;) {
		size_t len = strcspn(++at, "/");
		_cleanup_free_ char *name = base_strndup(at, len);
		code = step(&folder, name, path, &missing, err);
		at += len;
	}
	close(folder);
	return code;
}

static enum err_code check_path(const struct guard *guard, const char *path, bool read_only,
				struct err *err)
{
	if (!policy_path_is_normal(path))
		return err_set(
			err, ERR_FORBIDDEN,
			"mounting %.*s is not allowed on this machine: it is not an absolute "
			"path without \"..\", \".\" and needless slashes",
			200, path);
	enum err_code code = check_denied(guard, path, err);
	if (!code)
		code = policy_check_path(&guard->policy, path, read_only, err);
	return code ? code : walk(path, err);
}

/* A relabelling changes what is mounted; mounts below may stay writable when that is asked for. */
static bool only_reads(const struct mount *mount)
{
	return mount->read_only && mount->selinux == SELINUX_NONE &&
	       mount->recursive != RECURSIVE_WRITABLE;
}

static enum err_code check_paths(const struct guard *guard, const struct container_action *action,
				 struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < action->spec->mounts.n; i++) {
		const struct mount *mount = &action->spec->mounts.items[i];
		if (mount->kind == MOUNT_BIND && mount->source)
			code = check_path(guard, mount->source, only_reads(mount), err);
	}
	for (size_t i = 0; !code && i < action->n_volumes; i++) {
		const char *path = policy_volume_path(&action->volumes[i]);
		if (path)
			code = check_path(guard, path, false, err);
	}
	return code;
}

static enum err_code check(struct guard *guard, const struct container_action *action,
			   struct err *err)
{
	const char *path = NULL;
	enum err_code code = policy_check(&guard->policy, action, err);
	if (code)
		return code;
	if (action->verb == CONTAINER_CREATE)
		return check_paths(guard, action, err);
	if (action->verb == CONTAINER_VOLUME_ENSURE)
		path = policy_volume_path(action->volume);
	return path ? check_path(guard, path, false, err) : ERR_NONE;
}

static bool is_guarded(int verb)
{
	return verb == CONTAINER_PULL || verb == CONTAINER_CREATE ||
	       verb == CONTAINER_NETWORK_ENSURE || verb == CONTAINER_VOLUME_ENSURE;
}

bool guard_refuses(struct guard *guard, const struct container_action *action,
		   struct container_result *ret_result)
{
	struct err err = { 0 };
	/* What runs may always be stopped and removed. */
	if (!is_guarded(action->verb))
		return false;
	refresh(guard);
	if (guard->broken.code)
		err = guard->broken;
	else if (!check(guard, action, &err))
		return false;
	struct text words;
	text_init(&words, LIMIT_MESSAGE_BYTES);
	if (guard->broken.code && err.field[0])
		text_addf(&words, "%s: ", err.field);
	text_add(&words, err.message);
	*ret_result = (struct container_result){ .op = action->op,
						 .verb = action->verb,
						 .fault = FAULT_POLICY,
						 .message = text_take(&words) };
	return true;
}
