/* Invariants: `pending` of a file holds, in order, what happened to its contents and is not in `durable`; a node is
 * there for running programs when `exists`, and after any cut when `durable_exists` too. */
#include "disk.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/text.h"

#define SECTOR_BYTES 512
#define PATH_BYTES   4096

struct contents {
	uint8_t *bytes;
	size_t len;
};

/* A file or folder. */
struct node {
	char *path;
	bool is_folder;
	bool exists;
	bool durable_exists;
	struct contents durable;
	/* What had the name before a rename that is not durable; bytes NULL: nothing. */
	struct contents replaced;
	const struct op **pending;
	size_t n_pending;
	size_t capacity;
};

/* What a number in the log stands for. */
struct name {
	uint32_t file;
	char *path;
};

struct disk {
	struct random *random;
	struct node *nodes;
	size_t n_nodes, nodes_capacity;
	struct name *names;
	size_t n_names, names_capacity;
};

struct disk *disk_new(struct random *random)
{
	struct disk *disk = base_calloc(1, sizeof(*disk));
	disk->random = random;
	return disk;
}

void disk_free(struct disk *disk)
{
	for (size_t i = 0; i < disk->n_nodes; i++) {
		base_free(disk->nodes[i].path);
		base_free(disk->nodes[i].durable.bytes);
		base_free(disk->nodes[i].replaced.bytes);
		base_free(disk->nodes[i].pending);
	}
	for (size_t i = 0; i < disk->n_names; i++)
		base_free(disk->names[i].path);
	base_free(disk->nodes);
	base_free(disk->names);
	base_free(disk);
}

static struct node *node_of(struct disk *disk, const char *path)
{
	for (size_t i = 0; i < disk->n_nodes; i++)
		if (strcmp(disk->nodes[i].path, path) == 0)
			return &disk->nodes[i];
	disk->nodes =
		base_grow(disk->nodes, disk->n_nodes, &disk->nodes_capacity, sizeof(struct node));
	struct node *node = &disk->nodes[disk->n_nodes++];
	*node = (struct node){ .path = base_strdup(path) };
	return node;
}

const char *disk_path(const struct disk *disk, const struct op *op)
{
	for (size_t i = disk->n_names; op->head.file && i > 0; i--)
		if (disk->names[i - 1].file == op->head.file)
			return disk->names[i - 1].path;
	return "";
}

static void contents_resize(struct contents *contents, size_t len)
{
	contents->bytes = base_realloc(contents->bytes, len + 1, 1);
	if (len > contents->len)
		memset(contents->bytes + contents->len, 0, len - contents->len);
	contents->len = len;
}

static void contents_put(struct contents *contents, uint64_t offset, const uint8_t *bytes, size_t n)
{
	if (offset + n > contents->len)
		contents_resize(contents, (size_t)offset + n);
	if (n > 0)
		memcpy(contents->bytes + offset, bytes, n);
}

static void contents_apply(struct contents *contents, const struct op *op)
{
	if (op->head.kind == OP_RESIZE)
		contents_resize(contents, (size_t)op->head.offset);
	else
		contents_put(contents, op->head.offset, op->bytes, op->head.bytes);
}

/* Sectors of the write, each there or not. */
static void contents_tear(struct contents *contents, const struct op *op, struct random *random)
{
	uint64_t at = op->head.offset;
	uint64_t end = at + op->head.bytes;
	while (at < end) {
		uint64_t next = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
		next = next < end ? next : end;
		if (random_below(random, 2))
			contents_put(contents, at, op->bytes + (at - op->head.offset),
				     (size_t)(next - at));
		at = next;
	}
}

static void contents_chance(struct contents *contents, const struct op *op, struct random *random)
{
	uint64_t chance = random_below(random, 10);
	if (chance < 3)
		contents_apply(contents, op);
	else if (chance < 6 && op->head.kind == OP_WRITE)
		contents_tear(contents, op, random);
}

/* Does the later operation leave nothing of the earlier one? */
static bool covers(const struct op *later, const struct op *earlier)
{
	return later->head.kind == OP_WRITE && earlier->head.kind == OP_WRITE &&
	       later->head.offset <= earlier->head.offset &&
	       later->head.offset + later->head.bytes >= earlier->head.offset + earlier->head.bytes;
}

/* The last pending operation of the node becomes durable alone. */
static void settle_last(struct node *node)
{
	const struct op *op = node->pending[--node->n_pending];
	size_t kept = 0;
	contents_apply(&node->durable, op);
	for (size_t i = 0; i < node->n_pending; i++)
		if (!covers(op, node->pending[i]))
			node->pending[kept++] = node->pending[i];
	node->n_pending = kept;
}

static bool is_child(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	if (len > 0 && (strncmp(path, folder, len) != 0 || path[len] != '/'))
		return false;
	return strchr(path + len + (len > 0), '/') == NULL;
}

static void settle_name(struct node *node)
{
	node->durable_exists = node->exists;
	base_free(node->replaced.bytes);
	node->replaced = (struct contents){ 0 };
}

static void sync_node(struct disk *disk, const char *path)
{
	struct node *node = node_of(disk, path);
	for (size_t i = 0; i < node->n_pending; i++)
		contents_apply(&node->durable, node->pending[i]);
	node->n_pending = 0;
	for (size_t i = 0; i < disk->n_nodes; i++)
		if (is_child(disk->nodes[i].path, path))
			settle_name(&disk->nodes[i]);
}

static void sync_failed(struct disk *disk, const char *path)
{
	struct node *node = node_of(disk, path);
	for (size_t i = 0; i < node->n_pending; i++)
		contents_chance(&node->durable, node->pending[i], disk->random);
	node->n_pending = 0;
}

static void take_name(struct disk *disk, const struct op *op)
{
	disk->names =
		base_grow(disk->names, disk->n_names, &disk->names_capacity, sizeof(struct name));
	disk->names[disk->n_names++] =
		(struct name){ op->head.file,
			       base_strndup((const char *)op->bytes, op->head.bytes) };
}

/* The contents go to the new name at once; which of the names is found after a cut is open until the folder is synced,
 * and so is what is found under the new one where something had it. */
static void rename_node(struct disk *disk, const struct op *op)
{
	_cleanup_free_ char *names = base_strndup((const char *)op->bytes, op->head.bytes);
	/* node_of() may move them all. */
	node_of(disk, names + strlen(names) + 1);
	struct node *from = node_of(disk, names);
	struct node *to = node_of(disk, names + strlen(names) + 1);
	if (to->durable_exists && !to->replaced.bytes)
		to->replaced = to->durable;
	else
		base_free(to->durable.bytes);
	base_free(to->pending);
	to->exists = true;
	to->durable = from->durable;
	to->pending = from->pending;
	to->n_pending = from->n_pending;
	to->capacity = from->capacity;
	*from = (struct node){ .path = from->path, .durable_exists = from->durable_exists };
}

void disk_begin(struct disk *disk, const struct op *op)
{
	if (op->head.kind == OP_NAME)
		take_name(disk, op);
	if (op->head.kind == OP_RENAME)
		rename_node(disk, op);
	if (op->head.kind == OP_CREATE || op->head.kind == OP_REMOVE) {
		_cleanup_free_ char *path = base_strndup((const char *)op->bytes, op->head.bytes);
		struct node *node = node_of(disk, path);
		node->exists = op->head.kind == OP_CREATE;
		node->is_folder = (op->head.flags & OP_FOLDER) != 0;
	}
	if (op->head.kind != OP_WRITE && op->head.kind != OP_RESIZE)
		return;
	struct node *node = node_of(disk, disk_path(disk, op));
	node->pending =
		base_grow(node->pending, node->n_pending, &node->capacity, sizeof(*node->pending));
	node->pending[node->n_pending++] = op;
}

void disk_end(struct disk *disk, const struct op *op)
{
	if (op->head.kind == OP_SYNC && (op->head.flags & OP_FAILED))
		sync_failed(disk, disk_path(disk, op));
	else if (op->head.kind == OP_SYNC)
		sync_node(disk, disk_path(disk, op));
	if (op->head.kind != OP_WRITE || !(op->head.flags & (OP_DURABLE | OP_FAILED)))
		return;
	struct node *node = node_of(disk, disk_path(disk, op));
	if ((op->head.flags & OP_DURABLE) || random_below(disk->random, 2))
		settle_last(node);
	else
		node->n_pending--;
}

/* ---- images ---- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status, (void)kind;
	return walk->level == 0 ? 0 : remove(path);
}

static void write_file(const char *path, const struct contents *contents)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t done = 0;
	while (fd >= 0 && done < contents->len) {
		ssize_t n = write(fd, contents->bytes + done, contents->len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (fd < 0 || done < contents->len) {
		perror(path);
		exit(2);
	}
	close(fd);
}

/* Whether a node is found; its folders come before it. */
static bool is_there(struct disk *disk, const struct node *node, enum disk_view view)
{
	if (view == DISK_CACHE || node->exists == node->durable_exists)
		return node->exists;
	return random_below(disk->random, 2) != 0;
}

static struct contents contents_of(const struct node *node, enum disk_view view,
				   struct random *random)
{
	struct contents contents = { 0 };
	contents_resize(&contents, 0);
	contents_put(&contents, 0, node->durable.bytes, node->durable.len);
	for (size_t i = 0; i < node->n_pending; i++) {
		if (view == DISK_CACHE)
			contents_apply(&contents, node->pending[i]);
		else
			contents_chance(&contents, node->pending[i], random);
	}
	return contents;
}

static void write_node(struct disk *disk, const struct node *node, enum disk_view view,
		       const char *path)
{
	if (view == DISK_CUT && node->replaced.bytes && random_below(disk->random, 2)) {
		write_file(path, &node->replaced);
		return;
	}
	struct contents contents = contents_of(node, view, disk->random);
	write_file(path, &contents);
	base_free(contents.bytes);
}

bool disk_is_kept(const struct disk *disk, const char *path, const char *folder)
{
	const struct node *node = NULL;
	char full[PATH_BYTES];
	for (size_t i = 0; i < disk->n_nodes; i++)
		if (strcmp(disk->nodes[i].path, path) == 0)
			node = &disk->nodes[i];
	if (!node)
		return false;
	struct contents contents = contents_of(node, DISK_CACHE, NULL);
	uint8_t *found = base_calloc(contents.len + 1, 1);
	int fd = open(text_print(full, sizeof(full), "%s/%s", folder, path), O_RDONLY | O_CLOEXEC);
	/* One byte more than there should be. */
	ssize_t n = fd < 0 ? -1 : read(fd, found, contents.len + 1);
	bool kept = n == (ssize_t)contents.len && memcmp(found, contents.bytes, contents.len) == 0;
	if (fd >= 0)
		close(fd);
	base_free(found);
	base_free(contents.bytes);
	return kept;
}

/* What is only a lock, or is only there to take room, says nothing. */
static bool is_of_interest(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	return strcmp(name, "reserve") != 0 && strcmp(name, "lock") != 0 &&
	       strcmp(name, "lock.mdb") != 0;
}

void disk_write(struct disk *disk, enum disk_view view, const char *folder)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < disk->n_nodes; i++) {
		const struct node *node = &disk->nodes[i];
		char path[PATH_BYTES];
		char parent[PATH_BYTES];
		struct stat status;
		text_print(path, sizeof(path), "%s/%s", folder, node->path);
		text_print(parent, sizeof(parent), "%s", path);
		*strrchr(parent, '/') = '\0';
		/* A file whose folder was lost is lost. */
		if (!is_of_interest(node->path) || node->path[0] == '\0' ||
		    stat(parent, &status) != 0 || !is_there(disk, node, view))
			continue;
		if (node->is_folder)
			mkdir(path, 0700);
		else
			write_node(disk, node, view, path);
	}
}
