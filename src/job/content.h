/* Configs and secrets: bytes that a project brings along and that its tasks find as files. A name is a name only: what
 * a revision uses is the bytes behind a hash, so the same name with other bytes is another revision of whoever uses it,
 * and going back to a revision brings back its bytes.
 *
 * Content is what both are called where they do not differ. The hash of a config is the SHA-256 of its bytes; that of a
 * secret is keyed (manager/vault.h), so that nobody can try out what it may be. */
#ifndef JOB_CONTENT_H
#define JOB_CONTENT_H

#include "base/record.h"

enum content_kind { CONTENT_CONFIG = 0, CONTENT_SECRET = 1 };
extern const struct enum_name content_kind_names[]; /* config, secret */

#define CONTENT_HASH_BYTES 64 /* of the text: hexadecimal */
/* In place of the name of the key that sealed a secret: its bytes are gone, for that key is. */
#define CONTENT_SEAL_FORGOTTEN "forgotten"
#define CONTENT_MODE_DEFAULT   0444
#define CONTENT_MODE_MAX       0777
#define CONTENT_ID_MAX	       0xfffffffeLL

/* Where a target that is no absolute path begins. */
#define CONFIG_FOLDER "/"
#define SECRET_FOLDER "/run/secrets/"

/* One config or secret that a job's tasks find as a file. */
struct content_use {
	char *source; /* key of the project's config or secret */
	char *target; /* absolute path in the container; NULL: /SOURCE, of a secret /run/secrets/SOURCE */
	int64_t uid;
	int64_t gid;
	int64_t mode; /* octal as a number; write bits mean nothing; 0: CONTENT_MODE_DEFAULT */
	char *hash;   /* of the content; NULL: not resolved yet */
};
extern const struct record_type content_use_type;

/* Where the Compose file has the bytes from; kept for printing it again. */
enum content_origin { CONTENT_INLINE = 0, CONTENT_FILE = 1, CONTENT_ENVIRONMENT = 2 };
extern const struct enum_name content_origin_names[]; /* content, file, environment */

/* A config or secret that comes with a request. */
struct content_request {
	char *key;  /* name within the project */
	char *name; /* of the Compose file, as are the labels; both mean nothing to a manager */
	struct pairs labels;
	char *data; /* base64; of a secret, once the manager's shell has it: sealed, see manager/vault.h */
	char *hash;	   /* set by the manager's shell */
	char *seal;	   /* of a secret: which key seals it; set by the manager's shell */
	int origin;	   /* of the Compose file; means nothing to a manager */
	char *origin_name; /* the file's path, or the variable */
};
extern const struct record_type content_request_type;

/* Of a record's `seal`, which may be NULL. */
bool content_is_forgotten(const char *seal);

/* Where the file is in the container; the caller frees. */
char *content_use_target(int kind, const struct content_use *use);

#endif
