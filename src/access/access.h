/* Who may do what in a cluster: the roles that certificates carry, the scopes that the API's routes demand, and the one
 * table that ties the two. Pure: tokens, identities and their texts are bytes here, never files or sockets. */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include "base/record.h"

/* Numbers are on disk: never reuse one. */
enum access_role {
	ACCESS_NONE = 0, /* nobody we know */
	ACCESS_MANAGER = 1,
	ACCESS_WORKER = 2,
	ACCESS_CLIENT = 3,
	ACCESS_VIEWER = 4,
	ACCESS_ADMIN = 5, /* and whoever owns the manager's socket */
};
extern const struct enum_name
	access_role_names[]; /* none, manager, worker, client, viewer, admin */
/* Those a token can give. */
extern const struct enum_name access_token_role_names[];

/* What a joiner means to be: older ones do not say. */
enum access_joiner {
	JOINER_ANY = 0,
	JOINER_WORKER = 1,
	JOINER_USER = 2, /* client, viewer or admin */
};
extern const struct enum_name access_joiner_names[]; /* any, worker, user */
/* Does the role make of it what it means to be? */
bool access_joins(int role, int joiner);

enum access_scope {
	SCOPE_NONE = 0, /* for everyone */
	SCOPE_JOIN,	/* for everyone: what is sent says whether it is taken */
	SCOPE_RENEW,	/* whoever has, or had, a certificate */
	SCOPE_READ,
	SCOPE_LOGS,
	SCOPE_WRITE,
	SCOPE_ADMIN,  /* nodes, tokens, identities */
	SCOPE_WORKER, /* a worker's own session and the streams it was asked for */
};
extern const struct enum_name access_scope_names[];

/* May a role use routes of a scope? Exact: no role contains another. */
bool access_allows(int role, int scope);

/* Who a certificate says its owner is: "drover://CLUSTER/ROLE/ID", the only URI among its names. For a worker the id is
 * its node's. */
struct access_name {
	struct uuid cluster;
	int role;
	struct uuid id;
};
#define ACCESS_URI_SIZE 128
const char *access_uri_format(const struct access_name *name, char out[ACCESS_URI_SIZE]);
/* Only what access_uri_format() writes is taken. ERR_INVALID. */
enum err_code access_uri_parse(const char *uri, struct access_name *ret_name,
			       struct err *err) WARN_UNUSED;

/* Hashes are SHA-256; records hold them in hexadecimal. */
#define ACCESS_HASH_BYTES     32
#define ACCESS_HASH_TEXT_SIZE 65
const char *access_hash_format(const uint8_t hash[ACCESS_HASH_BYTES],
			       char out[ACCESS_HASH_TEXT_SIZE]);
/* Equal, in a time that does not tell where they differ. NULL equals nothing. */
bool access_hash_equal(const char *a, const char *b);

/* A join token as the manager keeps it: never its secret. */
struct token_record {
	char *id; /* the text's first part, see access/token.h */
	int role;
	char *secret_sha256;
	int64_t created_wall_ms;
	int64_t expires_wall_ms;
	int64_t uses; /* as made */
	int64_t uses_left;
};
extern const struct record_type token_record_type;

/* Whoever joined. The record lets its certificate in and renews it: without it the certificate is worth nothing. */
struct identity_record {
	struct uuid id; /* a worker's: its node's id */
	int role;
	char *key_sha256; /* of the public key (SubjectPublicKeyInfo); no two identities share one */
	char *token;	  /* the id of the token it joined with last */
	char *name;	  /* how it calls itself; NULL: not at all */
	int64_t created_wall_ms;
};
extern const struct record_type identity_record_type;

#endif
