/* Tokens and identities. Invariant: each identity is in both maps, and no two have the same key. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"
#include "cluster/internal.h"

static bool is_hash(const char *text)
{
	return text && strlen(text) == ACCESS_HASH_TEXT_SIZE - 1;
}

bool token_is_sound(const struct token_record *token)
{
	return token->id && *token->id && is_hash(token->secret_sha256) &&
	       token->uses_left <= token->uses;
}

bool identity_is_sound(const struct identity_record *identity)
{
	return !uuid_is_zero(identity->id) && is_hash(identity->key_sha256);
}

struct token_record *cluster_token(const struct cluster *cluster, const char *id)
{
	struct token_record *token = map_get(&cluster->tokens, map_name_key(cluster->salt, id, ""));
	return token && strcmp(token->id, id) == 0 ? token : NULL;
}

struct token_record *cluster_put_token(struct cluster *cluster, struct changes *changes,
				       struct token_record *token)
{
	PRE(token_is_sound(token));
	struct token_record *kept = cluster_token(cluster, token->id);
	if (!kept) {
		kept = base_calloc(1, sizeof(*kept));
		cluster_map_add(&cluster->tokens, map_name_key(cluster->salt, token->id, ""), kept);
	}
	record_release(&token_record_type, kept);
	*kept = *token;
	*token = (struct token_record){ 0 };
	cluster_record_put(changes, cluster_key_of_token(kept->id), &token_record_type, kept);
	return kept;
}

void cluster_delete_token(struct cluster *cluster, struct changes *changes,
			  struct token_record *token)
{
	cluster_record_delete(changes, cluster_key_of_token(token->id));
	cluster_map_drop(&cluster->tokens, map_name_key(cluster->salt, token->id, ""), token);
	record_release(&token_record_type, token);
	base_free(token);
}

static int compare_tokens(const void *a, const void *b, void *context)
{
	(void)context;
	const struct token_record *left = *(const struct token_record *const *)a;
	const struct token_record *right = *(const struct token_record *const *)b;
	if (left->expires_wall_ms != right->expires_wall_ms)
		return left->expires_wall_ms < right->expires_wall_ms ? -1 : 1;
	return strcmp(left->id, right->id);
}

struct token_record **cluster_sorted_tokens(const struct cluster *cluster, size_t *ret_n)
{
	struct token_record **items = map_values(&cluster->tokens, ret_n);
	sort_stable(items, *ret_n, sizeof(*items), compare_tokens, NULL);
	return items;
}

struct identity_record *cluster_identity(const struct cluster *cluster, struct uuid id)
{
	return map_get(&cluster->identities, id);
}

struct identity_record *cluster_identity_of_key(const struct cluster *cluster,
						const char *key_sha256)
{
	struct identity_record *identity =
		map_get(&cluster->identities_by_key, map_name_key(cluster->salt, key_sha256, ""));
	return identity && strcmp(identity->key_sha256, key_sha256) == 0 ? identity : NULL;
}

struct identity_record *cluster_put_identity(struct cluster *cluster, struct changes *changes,
					     struct identity_record *identity)
{
	PRE(identity_is_sound(identity));
	struct identity_record *of_key = cluster_identity_of_key(cluster, identity->key_sha256);
	struct identity_record *kept = cluster_identity(cluster, identity->id);
	PRE(of_key == kept);
	if (!kept) {
		kept = base_calloc(1, sizeof(*kept));
		cluster_map_add(&cluster->identities, identity->id, kept);
		cluster_map_add(&cluster->identities_by_key,
				map_name_key(cluster->salt, identity->key_sha256, ""), kept);
	}
	record_release(&identity_record_type, kept);
	*kept = *identity;
	*identity = (struct identity_record){ 0 };
	cluster_record_put(changes, cluster_key_of_identity(kept->id), &identity_record_type, kept);
	return kept;
}

void cluster_delete_identity(struct cluster *cluster, struct changes *changes,
			     struct identity_record *identity)
{
	cluster_record_delete(changes, cluster_key_of_identity(identity->id));
	cluster_map_drop(&cluster->identities, identity->id, identity);
	cluster_map_drop(&cluster->identities_by_key,
			 map_name_key(cluster->salt, identity->key_sha256, ""), identity);
	record_release(&identity_record_type, identity);
	base_free(identity);
}
