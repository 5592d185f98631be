/* Damage to one small file, in the ways that disks do it. */
#ifndef FAULTS_DAMAGE_FILE_H
#define FAULTS_DAMAGE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct damage_file {
	struct random random;
	const char *folder;
	const char *name;
	char *whole; /* as it was */
	size_t len;
	char *image; /* as it is to be */
	size_t image_len;
};

/* Read FOLDER/NAME. What cannot be read or written here ends the process with status 2. */
void damage_file_open(struct damage_file *file, const char *folder, const char *name,
		      uint64_t seed);
/* Write it with damage number `number`: the ways follow each other. */
void damage_file_do(struct damage_file *file, int64_t number);
/* Write it as it was. */
void damage_file_mend(const struct damage_file *file);
void damage_file_release(struct damage_file *file);

/* The last lines of the tools, and what their exit status says. */
struct damage_counts {
	int64_t count, refused, harmless, unseen, unclear;
};
/* --count N, --seed N after the folder. */
void damage_arguments(int argc, char **argv, int64_t *ret_count, uint64_t *ret_seed);
int damage_counts_tell(const struct damage_counts *counts);

#endif
