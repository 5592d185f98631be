#include "damage_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "trust/files.h"

#define SECTOR_BYTES 512

static size_t below(struct damage_file *file, size_t n)
{
	return (size_t)random_below(&file->random, n);
}

static void flip(struct damage_file *file)
{
	file->image[below(file, file->len)] ^= (char)(1u << below(file, 8));
}

/* Of a text, so that it still reads as one. */
static void change_letter(struct damage_file *file)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	file->image[below(file, file->len)] = letters[below(file, sizeof(letters) - 1)];
}

static void zero_sector(struct damage_file *file)
{
	size_t at = below(file, file->len);
	for (size_t i = at; i < at + SECTOR_BYTES && i < file->len; i++)
		file->image[i] = 0;
}

static void noise(struct damage_file *file)
{
	size_t at = below(file, file->len);
	for (size_t i = at; i < at + 16 && i < file->len; i++)
		file->image[i] = (char)random_next(&file->random);
}

static void cut_short(struct damage_file *file)
{
	file->image_len = below(file, file->len);
}

static void (*const ways[])(struct damage_file *file) = { flip, change_letter, zero_sector, noise,
							  cut_short };

static void put(const struct damage_file *file, const char *bytes, size_t len)
{
	struct err err;
	if (trust_file_write(file->folder, file->name, bytes, len, &err)) {
		fprintf(stderr, "%s\n", err.message);
		exit(2);
	}
}

void damage_file_open(struct damage_file *file, const char *folder, const char *name, uint64_t seed)
{
	struct err err;
	*file = (struct damage_file){ .random = { seed }, .folder = folder, .name = name };
	if (trust_file_read(folder, name, &file->whole, &file->len, &err)) {
		fprintf(stderr, "%s\n", err.message);
		exit(2);
	}
	file->image = base_calloc(file->len, 1);
}

void damage_file_do(struct damage_file *file, int64_t number)
{
	memcpy(file->image, file->whole, file->len);
	file->image_len = file->len;
	ways[(size_t)number % ARRAY_LEN(ways)](file);
	put(file, file->image, file->image_len);
}

void damage_file_mend(const struct damage_file *file)
{
	put(file, file->whole, file->len);
}

void damage_file_release(struct damage_file *file)
{
	base_free(file->whole);
	base_free(file->image);
}

void damage_arguments(int argc, char **argv, int64_t *ret_count, uint64_t *ret_seed)
{
	int64_t number;
	*ret_count = 1000;
	*ret_seed = 1;
	for (int i = 2; i + 1 < argc; i += 2) {
		if (parse_int(argv[i + 1], 0, 100000000, &number, NULL) != ERR_NONE)
			exit(2);
		if (strcmp(argv[i], "--count") == 0)
			*ret_count = number;
		else if (strcmp(argv[i], "--seed") == 0)
			*ret_seed = (uint64_t)number;
	}
}

int damage_counts_tell(const struct damage_counts *counts)
{
	printf("%lld damages: %lld refused, %lld harmless, %lld unseen, %lld unclear\n",
	       (long long)counts->count, (long long)counts->refused, (long long)counts->harmless,
	       (long long)counts->unseen, (long long)counts->unclear);
	return counts->unseen + counts->unclear > 0;
}
