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
#include "damage_file.h"
#include "trust/authority.h"
#include "trust/keys.h"

#define NOW_S 1795000000 /* a time at which it is good */

struct damage {
	struct damage_file file;
	uint8_t sha256[ACCESS_HASH_BYTES];
	X509 *known; /* the authority's certificate as it was */
	struct csr *csr;
	struct damage_counts counts;
};

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
	enum err_code code = authority_open(damage->file.folder, NOW_S, &authority, &err);
	bool clear = code == ERR_DAMAGED && strstr(err.message, AUTHORITY_FILE);
	bool same = !code && is_same(damage, authority);
	damage->counts.refused += clear;
	damage->counts.unclear += code && !clear;
	damage->counts.harmless += same;
	damage->counts.unseen += !code && !same;
	if ((code && !clear) || (!code && !same))
		printf("damage %lld: %s\n", (long long)number,
		       code ? err.message : "passed for another authority");
	authority_free(authority);
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
	struct damage damage = { 0 };
	struct authority *authority = NULL;
	uint64_t seed;
	struct err err;
	if (argc < 2)
		return 2;
	damage_arguments(argc, argv, &damage.counts.count, &seed);
	damage_file_open(&damage.file, argv[1], AUTHORITY_FILE, seed);
	if (authority_open(argv[1], NOW_S, &authority, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 2;
	}
	remember(&damage, authority);
	authority_free(authority);
	for (int64_t i = 0; i < damage.counts.count; i++) {
		damage_file_do(&damage.file, i);
		judge(&damage, i);
	}
	damage_file_mend(&damage.file);
	damage_file_release(&damage.file);
	X509_free(damage.known);
	csr_free(damage.csr);
	return damage_counts_tell(&damage.counts);
}
