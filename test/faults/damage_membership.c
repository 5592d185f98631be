/* damage_membership FOLDER [--count N] [--seed N]
 *
 * Damages what a worker that has joined keeps in FOLDER, one file at a time, in every way a disk does. It must be
 * refused with a message that names the folder, or be the same membership as before: the same certificate, and a key
 * that proves it. Not the address of the manager: any other is an address too, and nobody else can answer there. The
 * last line counts; the exit status is 1 when damage passed unseen or was told badly. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "damage_file.h"
#include "trust/keys.h"
#include "trust/membership.h"

static const char *const names[] = { "certificate.pem", "ca.pem", "key.pem" };

/* A signature with the key that those believe who know the public half. */
static bool key_proves(const struct membership *membership)
{
	char *csr_pem = NULL;
	struct csr *csr = NULL;
	bool proves = csr_make(membership->key_pem, &csr_pem, NULL) == ERR_NONE &&
		      csr_read(csr_pem, strlen(csr_pem), &csr, NULL) == ERR_NONE &&
		      access_hash_equal(csr_key_sha256(csr), membership->certificate.key_sha256);
	csr_free(csr);
	base_free(csr_pem);
	return proves;
}

static bool is_same(const struct membership *whole, const struct membership *found)
{
	return memcmp(found->ca.sha256, whole->ca.sha256, sizeof(found->ca.sha256)) == 0 &&
	       memcmp(found->certificate.sha256, whole->certificate.sha256,
		      sizeof(found->certificate.sha256)) == 0 &&
	       key_proves(found);
}

static void judge(const char *folder, const struct membership *whole, const char *name,
		  struct damage_counts *counts)
{
	struct membership found = { 0 };
	struct err err = { 0 };
	enum err_code code = membership_load(folder, &found, &err);
	bool clear = code == ERR_DAMAGED && strstr(err.message, folder);
	bool same = !code && is_same(whole, &found);
	counts->refused += clear;
	counts->unclear += code && !clear;
	counts->harmless += same;
	counts->unseen += !code && !same;
	if ((code && !clear) || (!code && !same))
		printf("damage %lld, %s: %s\n", (long long)counts->count, name,
		       code ? err.message : "passed for another membership");
	membership_release(&found);
	counts->count++;
}

int main(int argc, char **argv)
{
	struct damage_file files[ARRAY_LEN(names)];
	struct damage_counts counts = { 0 };
	struct membership whole;
	struct err err;
	int64_t count;
	uint64_t seed;
	if (argc < 2)
		return 2;
	damage_arguments(argc, argv, &count, &seed);
	if (membership_load(argv[1], &whole, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 2;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		damage_file_open(&files[i], argv[1], names[i], seed + i);
	for (int64_t i = 0; i < count; i++) {
		struct damage_file *file = &files[(size_t)i % ARRAY_LEN(names)];
		damage_file_do(file, i / (int64_t)ARRAY_LEN(names));
		judge(argv[1], &whole, file->name, &counts);
		damage_file_mend(file);
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		damage_file_release(&files[i]);
	membership_release(&whole);
	return damage_counts_tell(&counts);
}
