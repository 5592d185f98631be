/* damage_authority FOLDER [--count N] [--seed N]
 *
 * Damages the file of the cluster's authority that lies in FOLDER in every way a disk does. It must be refused with a
 * message that names it, or be the same authority as before: what it signs is what those who joined will believe. The
 * last line counts; the exit status is 1 when damage passed unseen or was told badly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/text.h"
#include "base/uuid.h"
#include "trust/authority.h"
#include "trust/files.h"
#include "trust/keys.h"

#define SECTOR_BYTES 512
#define NOW_S	     1795000000 /* a time at which it is good */

struct damage {
	struct random random;
	const char *folder;
	char *whole;
	size_t len;
	char *image;
	size_t image_len;
	uint8_t sha256[ACCESS_HASH_BYTES];
	X509 *known; /* the authority's certificate as it was */
	struct csr *csr;
	int64_t count;
	int64_t refused, harmless, unseen, unclear;
};

static size_t below(struct damage *damage, size_t n)
{
	return (size_t)random_below(&damage->random, n);
}

static void flip(struct damage *damage)
{
	damage->image[below(damage, damage->len)] ^= (char)(1u << below(damage, 8));
}

/* Of a text, so that it still reads as one. */
static void change_letter(struct damage *damage)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	damage->image[below(damage, damage->len)] = letters[below(damage, sizeof(letters) - 1)];
}

static void zero_sector(struct damage *damage)
{
	size_t at = below(damage, damage->len);
	for (size_t i = at; i < at + SECTOR_BYTES && i < damage->len; i++)
		damage->image[i] = 0;
}

static void noise(struct damage *damage)
{
	size_t at = below(damage, damage->len);
	for (size_t i = at; i < at + 16 && i < damage->len; i++)
		damage->image[i] = (char)random_next(&damage->random);
}

static void cut_short(struct damage *damage)
{
	damage->image_len = below(damage, damage->len);
}

static void (*const ways[])(struct damage *damage) = { flip, change_letter, zero_sector, noise,
						       cut_short };

static void put(struct damage *damage, const char *bytes, size_t len)
{
	struct err err;
	if (trust_file_write(damage->folder, AUTHORITY_FILE, bytes, len, &err)) {
		fprintf(stderr, "%s\n", err.message);
		exit(2);
	}
}

/* The same to those who know it: its hash is what they pinned, and they believe what it signs. */
static bool is_same(const struct damage *damage, const struct authority *authority)
{
	const struct access_name name = { .role = ACCESS_WORKER };
	struct err err;
	char *pem = NULL;
	if (memcmp(authority_sha256(authority), damage->sha256, sizeof(damage->sha256)) != 0 ||
	    authority_issue(authority, damage->csr, &name, NOW_S, &pem, &err))
		return false;
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *issued = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	bool believed = issued && X509_verify(issued, X509_get0_pubkey(damage->known)) == 1;
	X509_free(issued);
	BIO_free(bio);
	base_free(pem);
	return believed;
}

static void judge(struct damage *damage, int64_t number)
{
	struct authority *authority = NULL;
	struct err err = { 0 };
	enum err_code code = authority_open(damage->folder, NOW_S, &authority, &err);
	bool clear = code == ERR_DAMAGED && strstr(err.message, AUTHORITY_FILE);
	bool same = !code && is_same(damage, authority);
	damage->refused += clear;
	damage->unclear += code && !clear;
	damage->harmless += same;
	damage->unseen += !code && !same;
	if ((code && !clear) || (!code && !same))
		printf("damage %lld: %s\n", (long long)number,
		       code ? err.message : "passed for another authority");
	authority_free(authority);
}

static void read_arguments(struct damage *damage, int argc, char **argv)
{
	int64_t number;
	for (int i = 2; i + 1 < argc; i += 2) {
		if (parse_int(argv[i + 1], 0, 100000000, &number, NULL) != ERR_NONE)
			exit(2);
		if (strcmp(argv[i], "--count") == 0)
			damage->count = number;
		else if (strcmp(argv[i], "--seed") == 0)
			damage->random.state = (uint64_t)number;
	}
}

static void remember(struct damage *damage, const struct authority *authority)
{
	struct err err;
	char *csr_pem = NULL;
	char *key_pem = key_make();
	BIO *bio = BIO_new_mem_buf(authority_certificate_pem(authority), -1);
	memcpy(damage->sha256, authority_sha256(authority), sizeof(damage->sha256));
	damage->known = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (!damage->known || csr_make(key_pem, &csr_pem, &err) ||
	    csr_read(csr_pem, strlen(csr_pem), &damage->csr, &err)) {
		fprintf(stderr, "no request for a certificate can be made\n");
		exit(2);
	}
	BIO_free(bio);
	base_free(csr_pem);
	base_free(key_pem);
}

int main(int argc, char **argv)
{
	struct damage damage = { .random = { .state = 1 }, .count = 1000 };
	struct authority *authority = NULL;
	struct err err;
	if (argc < 2)
		return 2;
	damage.folder = argv[1];
	read_arguments(&damage, argc, argv);
	if (trust_file_read(damage.folder, AUTHORITY_FILE, &damage.whole, &damage.len, &err) ||
	    authority_open(damage.folder, NOW_S, &authority, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 2;
	}
	remember(&damage, authority);
	authority_free(authority);
	damage.image = base_calloc(damage.len, 1);
	for (int64_t i = 0; i < damage.count; i++) {
		memcpy(damage.image, damage.whole, damage.len);
		damage.image_len = damage.len;
		ways[(size_t)i % ARRAY_LEN(ways)](&damage);
		put(&damage, damage.image, damage.image_len);
		judge(&damage, i);
	}
	put(&damage, damage.whole, damage.len);
	printf("%lld damages: %lld refused, %lld harmless, %lld unseen, %lld unclear\n",
	       (long long)damage.count, (long long)damage.refused, (long long)damage.harmless,
	       (long long)damage.unseen, (long long)damage.unclear);
	X509_free(damage.known);
	csr_free(damage.csr);
	base_free(damage.image);
	base_free(damage.whole);
	return damage.unseen + damage.unclear > 0;
}
