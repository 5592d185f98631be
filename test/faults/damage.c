/* damage FOLDER --scratch FOLDER [--count N] [--seed N] [--keep N FOLDER]
 *
 * Damages copies of the store in FOLDER in every way a disk does: bits, sectors, pages, the end. drover's own store
 * must refuse each with a clear message, or hold all that it held. The last line counts; the exit status is 1 when
 * damage passed unseen or was told badly. --keep leaves N damaged stores in a folder, for the real program to start
 * on. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/uuid.h"
#include "look.h"

#define PAGE_BYTES   4096
#define SECTOR_BYTES 512
#define META_BYTES   152 /* of LMDB's heads, what is in use */
#define HEAD_BYTES   64	 /* of a page: where damage leads a reader astray */
#define PATH_BYTES   4096
#define TOLD_MAX     10

struct damage {
	struct random random;
	uint8_t *whole;
	size_t len;
	uint8_t *image;
	size_t image_len;
	int64_t count, keep, kept;
	const char *keep_folder;
	char scratch[PATH_BYTES];
	uint64_t hash; /* of what the store holds */
	/* Verdicts. */
	int64_t refused, harmless, unseen, unclear;
};

static size_t below(struct damage *damage, size_t n)
{
	return (size_t)random_below(&damage->random, n);
}

static void flip(struct damage *damage, size_t at)
{
	damage->image[at] ^= (uint8_t)(1u << below(damage, 8));
}

static void flip_anywhere(struct damage *damage)
{
	flip(damage, below(damage, damage->len));
}

static void flip_in_page_head(struct damage *damage)
{
	flip(damage,
	     below(damage, damage->len / PAGE_BYTES) * PAGE_BYTES + below(damage, HEAD_BYTES));
}

static void flip_in_lmdb_head(struct damage *damage)
{
	flip(damage, below(damage, 2) * PAGE_BYTES + below(damage, META_BYTES));
}

static void fill(struct damage *damage, size_t at, size_t n, bool noise)
{
	for (size_t i = at; i < at + n && i < damage->len; i++)
		damage->image[i] = noise ? (uint8_t)random_next(&damage->random) : 0;
}

static void zero_page(struct damage *damage)
{
	fill(damage, below(damage, damage->len / PAGE_BYTES) * PAGE_BYTES, PAGE_BYTES, false);
}

static void noise_page(struct damage *damage)
{
	fill(damage, below(damage, damage->len / PAGE_BYTES) * PAGE_BYTES, PAGE_BYTES, true);
}

static void zero_sector(struct damage *damage)
{
	fill(damage, below(damage, damage->len / SECTOR_BYTES) * SECTOR_BYTES, SECTOR_BYTES, false);
}

static void noise_bytes(struct damage *damage)
{
	fill(damage, below(damage, damage->len), 1 + below(damage, 64), true);
}

static void page_of_another(struct damage *damage)
{
	size_t to = below(damage, damage->len / PAGE_BYTES);
	size_t from = below(damage, damage->len / PAGE_BYTES);
	memcpy(damage->image + to * PAGE_BYTES, damage->whole + from * PAGE_BYTES, PAGE_BYTES);
}

static void cut_short(struct damage *damage)
{
	damage->image_len = below(damage, damage->len);
}

static void (*const ways[])(struct damage *damage) = {
	flip_anywhere, flip_in_page_head, flip_in_lmdb_head, zero_page, noise_page,
	zero_sector,   noise_bytes,	  page_of_another,   cut_short,
};

/* ---- files ---- */

static _Noreturn void broken(const char *path)
{
	perror(path);
	exit(2);
}

static void read_store(struct damage *damage, const char *folder)
{
	char path[PATH_BYTES];
	struct stat status;
	text_print(path, sizeof(path), "%s/data.mdb", folder);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0)
		broken(path);
	damage->len = (size_t)status.st_size;
	damage->whole = base_calloc(damage->len, 1);
	if (read(fd, damage->whole, damage->len) != (ssize_t)damage->len)
		broken(path);
	close(fd);
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t len)
{
	char path[PATH_BYTES];
	text_print(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		broken(path);
	close(fd);
}

/* A folder that says it held a store. */
static void write_store(const char *folder, const uint8_t *image, size_t len)
{
	write_file(folder, "data.mdb", image, len);
	write_file(folder, "drover-store", "", 0);
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0700) != 0)
		broken(path);
}

static void keep_one(struct damage *damage)
{
	char folder[PATH_BYTES];
	text_print(folder, sizeof(folder), "%s/%lld", damage->keep_folder,
		   (long long)damage->kept++);
	make_folder(folder);
	write_store(folder, damage->image, damage->image_len);
}

/* ---- the trial ---- */

static void judge(struct damage *damage, int64_t number, size_t way)
{
	struct contents_found found;
	struct err err = { 0 };
	enum err_code code = look(damage->scratch, &found, &err);
	bool clear = code == ERR_DAMAGED && strstr(err.message, "is damaged: ") &&
		     strstr(err.message, damage->scratch);
	damage->refused += clear;
	damage->unclear += code && !clear;
	damage->harmless += !code && found.hash == damage->hash;
	damage->unseen += !code && found.hash != damage->hash;
	if ((code && !clear) || (!code && found.hash != damage->hash))
		printf("damage %lld (way %zu): %s\n", (long long)number, way,
		       code ? err.message : "passed unseen");
	text_release(&found.bytes);
}

static void try_all(struct damage *damage)
{
	for (int64_t i = 0; i < damage->count; i++) {
		size_t way = (size_t)i % ARRAY_LEN(ways);
		memcpy(damage->image, damage->whole, damage->len);
		damage->image_len = damage->len;
		ways[way](damage);
		write_store(damage->scratch, damage->image, damage->image_len);
		if (damage->kept < damage->keep * (i + 1) / damage->count)
			keep_one(damage);
		judge(damage, i, way);
	}
}

static int64_t number_of(const char *text)
{
	int64_t number;
	if (parse_int(text, 0, 100000000, &number, NULL) != ERR_NONE)
		exit(2);
	return number;
}

static void read_arguments(struct damage *damage, int argc, char **argv)
{
	for (int i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--scratch") == 0)
			text_print(damage->scratch, sizeof(damage->scratch), "%s", argv[i + 1]);
		else if (strcmp(argv[i], "--count") == 0)
			damage->count = number_of(argv[i + 1]);
		else if (strcmp(argv[i], "--seed") == 0)
			damage->random.state = (uint64_t)number_of(argv[i + 1]);
		else if (strcmp(argv[i], "--keep") == 0 && i + 2 < argc) {
			damage->keep = number_of(argv[i + 1]);
			damage->keep_folder = argv[i++ + 2];
		} else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	struct damage damage = { .random = { .state = 1 }, .count = 1000 };
	struct contents_found found;
	struct err err;
	if (argc < 4)
		return 2;
	read_arguments(&damage, argc, argv);
	read_store(&damage, argv[1]);
	damage.image = base_calloc(damage.len, 1);
	make_folder(damage.scratch);
	write_store(damage.scratch, damage.whole, damage.len);
	if (look(damage.scratch, &found, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 2;
	}
	damage.hash = found.hash;
	text_release(&found.bytes);
	try_all(&damage);
	printf("%lld damages: %lld refused, %lld harmless, %lld unseen, %lld unclear\n",
	       (long long)damage.count, (long long)damage.refused, (long long)damage.harmless,
	       (long long)damage.unseen, (long long)damage.unclear);
	base_free(damage.image);
	base_free(damage.whole);
	return damage.unseen + damage.unclear > 0;
}
