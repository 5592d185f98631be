#include "worker/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/limits.h"

#define ROOT_DIR "/run/drover/files"
/* Write bits mean nothing: the mount is read-only. */
#define MODE_MASK 0555

struct files {
	char *dir;
	char node[UUID_TEXT_SIZE];
};

struct files *files_new(const char *dir)
{
	struct files *files = base_calloc(1, sizeof(*files));
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	if (dir || geteuid() == 0 || !runtime_dir || runtime_dir[0] != '/') {
		files->dir = base_strdup(dir ? dir : ROOT_DIR);
		return files;
	}
	struct text text;
	text_init(&text, LIMIT_PATH_BYTES);
	text_addf(&text, "%s/drover/files", runtime_dir);
	files->dir = text_take(&text);
	return files;
}

void files_free(struct files *files)
{
	if (!files)
		return;
	base_free(files->dir);
	base_free(files);
}

const char *files_dir(const struct files *files)
{
	return files->dir;
}

void files_set_node(struct files *files, struct node_id node)
{
	uuid_format(node.uuid, files->node);
}

const char *files_of(const struct files *files, struct task_id task, char out[LIMIT_PATH_BYTES])
{
	char id[UUID_TEXT_SIZE];
	return text_print(out, LIMIT_PATH_BYTES, "%s/%s/%s", files->dir, files->node,
			  uuid_format(task.uuid, id));
}

/* ---- the tmpfs ---- */

static enum err_code fail(const char *what, const char *path, struct err *err)
{
	return err_set(err, ERR_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

/* mkdir -p; those above are for everybody to pass, as /run is. */
static enum err_code make_dirs(const char *path, struct err *err)
{
	char part[LIMIT_PATH_BYTES];
	size_t len = strlen(path);
	if (path[0] != '/' || len >= sizeof(part))
		return err_set(err, ERR_INVALID, "%s is not an absolute path", path);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		text_print(part, sizeof(part), "%.*s", (int)i, path);
		if (mkdir(part, i < len ? 0755 : 0700) != 0 && errno != EEXIST && errno != EROFS)
			return fail("make the folder", part, err);
	}
	return ERR_NONE;
}

static bool is_in_memory(const char *path)
{
	struct statfs found;
	return statfs(path, &found) == 0 &&
	       (found.f_type == TMPFS_MAGIC || found.f_type == RAMFS_MAGIC);
}

/* A folder that nobody else can put something into, or move away: `path` is for messages. */
static enum err_code open_own(int parent, const char *name, const char *path, int *ret_fd,
			      struct err *err)
{
	struct stat found;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &found) != 0) {
		enum err_code code = fail("open the folder", path, err);
		if (fd >= 0)
			close(fd);
		return code;
	}
	bool shared = (found.st_mode & (S_IWGRP | S_IWOTH)) && !(found.st_mode & S_ISVTX);
	if (found.st_uid == geteuid() && !shared) {
		*ret_fd = fd;
		return ERR_NONE;
	}
	close(fd);
	mode_t mode = found.st_mode;
	return err_set(err, ERR_IO,
		       "%s has the owner %u and the mode 0%u%u%u, so others could change the files "
		       "of configs and secrets: remove it, or name another folder with --files-dir",
		       path, (unsigned)found.st_uid, (unsigned)(mode >> 6 & 7),
		       (unsigned)(mode >> 3 & 7), (unsigned)(mode & 7));
}

/* DIR, on a tmpfs. */
static enum err_code open_dir(const struct files *files, int *ret_fd, struct err *err)
{
	enum err_code code = make_dirs(files->dir, err);
	if (code)
		return code;
	if (!is_in_memory(files->dir) && mount("drover", files->dir, "tmpfs",
					       MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
		return err_set(err, ERR_IO,
			       "%s is not on a tmpfs, and none can be mounted there: %s; name a "
			       "folder on a tmpfs with --files-dir",
			       files->dir, strerror(errno));
	return open_own(AT_FDCWD, files->dir, files->dir, ret_fd, err);
}

enum err_code files_check(const struct files *files, struct err *err)
{
	int fd;
	enum err_code code = open_dir(files, &fd, err);
	if (code)
		return code;
	/* Also root is refused, where the mount is read-only. glibc's faccessat() is a newer call of the kernel, which
	 * older seccomp profiles of containers answer with EPERM. */
	if (access(files->dir, W_OK | X_OK) != 0)
		code = fail("write to the folder", files->dir, err);
	close(fd);
	return code;
}

/* DIR/NODE, which is ours alone. */
static enum err_code prepare(const struct files *files, int *ret_fd, struct err *err)
{
	char own[LIMIT_PATH_BYTES];
	int dir;
	enum err_code code = open_dir(files, &dir, err);
	if (code)
		return code;
	text_print(own, sizeof(own), "%s/%s", files->dir, files->node);
	if (mkdirat(dir, files->node, 0700) != 0 && errno != EEXIST)
		code = fail("make the folder", own, err);
	else
		code = open_own(dir, files->node, own, ret_fd, err);
	close(dir);
	return code;
}

/* ---- one folder ---- */

/* Flat, and only ours. */
static void remove_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder) {
		if (fd >= 0)
			close(fd);
		unlinkat(parent, name, 0);
		return;
	}
	for (const struct dirent *entry; (entry = readdir(folder));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Root owns what says nothing; who is not root can give it to nobody, and need not. */
static bool set_owner(int fd, const struct content_use *use)
{
	struct stat now;
	if (fstat(fd, &now) != 0)
		return false;
	if (now.st_uid == (uid_t)use->uid && now.st_gid == (gid_t)use->gid)
		return true;
	if (geteuid() != 0 && !use->uid && !use->gid)
		return true;
	return fchown(fd, (uid_t)use->uid, (gid_t)use->gid) == 0;
}

static enum err_code put_file(int folder, const char *name, const struct content_use *use,
			      const char *bytes, size_t len, struct err *err)
{
	mode_t mode = (mode_t)(use->mode ? use->mode : CONTENT_MODE_DEFAULT) & MODE_MASK;
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail("make the file of", use->source, err);
	enum err_code code = ERR_NONE;
	char owner[64];
	text_print(owner, sizeof(owner), "give %lld:%lld the file of", (long long)use->uid,
		   (long long)use->gid);
	if (!write_all(fd, bytes, len))
		code = fail("write the file of", use->source, err);
	else if (fchmod(fd, mode) != 0)
		code = fail("set the mode of", use->source, err);
	else if (!set_owner(fd, use))
		code = fail(owner, use->source, err);
	close(fd);
	return code;
}

static enum err_code put_all(int folder, const struct container_action *action, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < job_spec_n_contents(action->spec); i++) {
		const struct content_use *use = job_spec_content(action->spec, i, NULL);
		char name[24];
		char *bytes;
		size_t len;
		if (!base64_decode(action->contents[i], &bytes, &len))
			return err_set(err, ERR_INVALID,
				       "what the manager sent for %s is no base64", use->source);
		code = put_file(folder, text_print(name, sizeof(name), "%zu", i), use, bytes, len,
				err);
		explicit_bzero(bytes, len);
		base_free(bytes);
	}
	return code;
}

/* Under another name first: a folder that is there is complete. */
static enum err_code make_folder(int own, const char *name, const struct container_action *action,
				 struct err *err)
{
	char part[UUID_TEXT_SIZE + 8];
	int folder;
	text_print(part, sizeof(part), "%s.new", name);
	remove_folder(own, part);
	if (mkdirat(own, part, 0700) != 0)
		return fail("make the folder", part, err);
	enum err_code code = open_own(own, part, part, &folder, err);
	if (!code) {
		code = put_all(folder, action, err);
		close(folder);
	}
	if (!code && renameat(own, part, own, name) != 0)
		code = fail("rename", part, err);
	if (code)
		remove_folder(own, part);
	return code;
}

static bool has_all(const struct container_action *action)
{
	for (size_t i = 0; i < job_spec_n_contents(action->spec); i++)
		if (!action->contents[i])
			return false;
	return true;
}

void files_put(struct files *files, const struct container_action *action,
	       struct container_result *ret_result)
{
	char name[UUID_TEXT_SIZE];
	struct err err;
	int own;
	*ret_result = (struct container_result){ .op = action->op, .verb = action->verb };
	uuid_format(action->task.uuid, name);
	enum err_code code = prepare(files, &own, &err);
	if (!code) {
		/* What was made there in an earlier life is whole. */
		struct stat found;
		bool there = fstatat(own, name, &found, AT_SYMLINK_NOFOLLOW) == 0;
		if (!there && !has_all(action))
			ret_result->fault = FAULT_NOT_FOUND;
		else if (!there)
			code = make_folder(own, name, action, &err);
		close(own);
	}
	if (!code)
		return;
	ret_result->fault = FAULT_MOUNT_FAILED;
	ret_result->message = base_strdup(err.message);
}

void files_sweep(struct files *files, files_needed_fn *is_needed, const void *owner)
{
	char own[LIMIT_PATH_BYTES];
	DIR *folder = opendir(text_print(own, sizeof(own), "%s/%s", files->dir, files->node));
	if (!folder)
		return;
	for (const struct dirent *entry; (entry = readdir(folder));) {
		struct task_id task;
		if (entry->d_name[0] == '.')
			continue;
		if (uuid_parse(entry->d_name, &task.uuid, NULL) || !is_needed(owner, task))
			remove_folder(dirfd(folder), entry->d_name);
	}
	closedir(folder);
}
