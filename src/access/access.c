/* Invariant: what a role may do is written in `allowed` and nowhere else. */
#include "access/access.h"

#include <string.h>

#include "access/token.h"
#include "base/alloc.h"
#include "base/limits.h"

#define URI_SCHEME "drover://"

// clang-format off
const struct enum_name access_role_names[] = {
	{ ACCESS_NONE, "none" }, { ACCESS_MANAGER, "manager" }, { ACCESS_WORKER, "worker" },
	{ ACCESS_CLIENT, "client" }, { ACCESS_VIEWER, "viewer" }, { ACCESS_ADMIN, "admin" }, { 0 }
};
const struct enum_name access_token_role_names[] = {
	{ ACCESS_WORKER, "worker" }, { ACCESS_CLIENT, "client" }, { ACCESS_VIEWER, "viewer" },
	{ ACCESS_ADMIN, "admin" }, { 0 }
};
const struct enum_name access_joiner_names[] = {
	{ JOINER_ANY, "any" }, { JOINER_WORKER, "worker" }, { JOINER_USER, "user" }, { 0 }
};
const struct enum_name access_scope_names[] = {
	{ SCOPE_NONE, "none" }, { SCOPE_JOIN, "join" }, { SCOPE_RENEW, "renew" },
	{ SCOPE_READ, "read" }, { SCOPE_LOGS, "logs" }, { SCOPE_WRITE, "write" },
	{ SCOPE_ADMIN, "admin" }, { SCOPE_WORKER, "worker" }, { 0 }
};

#define BIT(scope) (1u << (scope))
#define ANYONE	   (BIT(SCOPE_NONE) | BIT(SCOPE_JOIN))

static const unsigned allowed[] = {
	[ACCESS_NONE]	 = ANYONE,
	[ACCESS_MANAGER] = ANYONE,
	[ACCESS_WORKER]	 = ANYONE | BIT(SCOPE_RENEW) | BIT(SCOPE_WORKER),
	[ACCESS_CLIENT]	 = ANYONE | BIT(SCOPE_RENEW) | BIT(SCOPE_READ) | BIT(SCOPE_LOGS) | BIT(SCOPE_WRITE),
	[ACCESS_VIEWER]	 = ANYONE | BIT(SCOPE_RENEW) | BIT(SCOPE_READ) | BIT(SCOPE_LOGS),
	[ACCESS_ADMIN]	 = ANYONE | BIT(SCOPE_RENEW) | BIT(SCOPE_READ) | BIT(SCOPE_LOGS) | BIT(SCOPE_WRITE) |
			   BIT(SCOPE_ADMIN),
};

static const struct field token_fields[] = {
	ROW_STRING(1, struct token_record, id, TOKEN_ID_TEXT_LEN),
	ROW_ENUM(2, struct token_record, role, access_role_names),
	ROW_STRING(3, struct token_record, secret_sha256, ACCESS_HASH_TEXT_SIZE - 1, .flags = FIELD_HIDDEN),
	ROW_INT(4, struct token_record, created_wall_ms, LIMIT_WALL_MS),
	ROW_INT(5, struct token_record, expires_wall_ms, LIMIT_WALL_MS),
	ROW_INT(6, struct token_record, uses, LIMIT_TOKEN_USES),
	ROW_INT(7, struct token_record, uses_left, LIMIT_TOKEN_USES),
};
RECORD_TYPE(token_record, struct token_record, token_fields);

static const struct field identity_fields[] = {
	ROW_UUID(1, struct identity_record, id),
	ROW_ENUM(2, struct identity_record, role, access_role_names),
	ROW_STRING(3, struct identity_record, key_sha256, ACCESS_HASH_TEXT_SIZE - 1),
	ROW_STRING(4, struct identity_record, token, TOKEN_ID_TEXT_LEN),
	ROW_STRING(5, struct identity_record, name, LIMIT_HOSTNAME_BYTES),
	ROW_INT(6, struct identity_record, created_wall_ms, LIMIT_WALL_MS),
};
RECORD_TYPE(identity_record, struct identity_record, identity_fields);
// clang-format on

bool access_allows(int role, int scope)
{
	return role >= 0 && role < (int)ARRAY_LEN(allowed) && scope >= SCOPE_NONE &&
	       scope <= SCOPE_WORKER && (allowed[role] & BIT(scope));
}

bool access_joins(int role, int joiner)
{
	return joiner == JOINER_ANY || (joiner == JOINER_WORKER) == (role == ACCESS_WORKER);
}

const char *access_uri_format(const struct access_name *name, char out[ACCESS_URI_SIZE])
{
	char cluster[UUID_TEXT_SIZE];
	char id[UUID_TEXT_SIZE];
	return text_print(out, ACCESS_URI_SIZE, URI_SCHEME "%s/%s/%s",
			  uuid_format(name->cluster, cluster),
			  enum_name(access_role_names, name->role), uuid_format(name->id, id));
}

static enum err_code not_ours(struct err *err)
{
	return err_set(err, ERR_INVALID, "the name in the certificate is none of drover's");
}

/* The id at `at`, which ends with `after`; NULL: there is none. */
static const char *take_id(const char *at, char after, struct uuid *ret_id)
{
	char text[UUID_TEXT_SIZE];
	if (strnlen(at, UUID_TEXT_SIZE) < UUID_TEXT_LEN || at[UUID_TEXT_LEN] != after)
		return NULL;
	memcpy(text, at, UUID_TEXT_LEN);
	text[UUID_TEXT_LEN] = '\0';
	return uuid_parse(text, ret_id, NULL) ? NULL : at + UUID_TEXT_LEN;
}

enum err_code access_uri_parse(const char *uri, struct access_name *ret_name, struct err *err)
{
	struct access_name name = { 0 };
	char role[16];
	char again[ACCESS_URI_SIZE];
	if (strncmp(uri, URI_SCHEME, strlen(URI_SCHEME)) != 0)
		return not_ours(err);
	const char *at = take_id(uri + strlen(URI_SCHEME), '/', &name.cluster);
	const char *slash = at ? strchr(at + 1, '/') : NULL;
	if (!slash || (size_t)(slash - at) > sizeof(role))
		return not_ours(err);
	text_print(role, sizeof(role), "%.*s", (int)(slash - at - 1), at + 1);
	if (!enum_value(access_role_names, role, &name.role) ||
	    !take_id(slash + 1, '\0', &name.id) ||
	    strcmp(access_uri_format(&name, again), uri) != 0)
		return not_ours(err);
	*ret_name = name;
	return ERR_NONE;
}

const char *access_hash_format(const uint8_t hash[ACCESS_HASH_BYTES],
			       char out[ACCESS_HASH_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < ACCESS_HASH_BYTES; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[2 * (size_t)ACCESS_HASH_BYTES] = '\0';
	return out;
}

bool access_hash_equal(const char *a, const char *b)
{
	size_t len = ACCESS_HASH_TEXT_SIZE - 1;
	volatile unsigned difference = 0;
	if (!a || !b || strlen(a) != len || strlen(b) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		difference |= (unsigned)(a[i] ^ b[i]);
	return difference == 0;
}
