#include "manager/vault.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/limits.h"
#include "net/shell.h"
#include "trust/files.h"
#include "trust/keys.h"
#include "trust/seal.h"

struct vault {
	char *dir; /* of the key's file, ... */
	char *name;
	bool may_make; /* ... which is ours to make */
	bool has_key;
	struct seal_key key;
};

/* ---- the key ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hex(const char *text, uint8_t out[SEAL_KEY_BYTES])
{
	size_t len = strcspn(text, "\r\n");
	if (len != 2 * SEAL_KEY_BYTES || text[len + strspn(text + len, "\r\n")])
		return false;
	for (size_t i = 0; i < SEAL_KEY_BYTES; i++) {
		int high = digit_of(text[2 * i]);
		int low = digit_of(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* A group may read it where the owner says so: systemd hands credentials over like that. */
static enum err_code check_mode(const char *path, struct err *err)
{
	struct stat found;
	if (stat(path, &found) != 0)
		return err_set(err, ERR_STORE, "cannot look at %s: %s", path, strerror(errno));
	if (found.st_mode & (S_IWGRP | S_IRWXO))
		return err_set(err, ERR_FORBIDDEN,
			       "others may use %s, the key of the secrets: chmod 600 it", path);
	return ERR_NONE;
}

static enum err_code load_key(struct vault *vault, struct err *err)
{
	char path[LIMIT_PATH_BYTES];
	char *text = NULL;
	size_t len = 0;
	uint8_t master[SEAL_KEY_BYTES];
	text_print(path, sizeof(path), "%s/%s", vault->dir, vault->name);
	enum err_code code = trust_file_read(vault->dir, vault->name, &text, &len, err);
	if (code == ERR_NOT_FOUND && vault->may_make)
		return ERR_NONE;
	if (!code)
		code = check_mode(path, err);
	if (!code && !read_hex(text, master))
		code = err_set(err, ERR_INVALID,
			       "%s is no key of secrets: 64 hexadecimal digits, as `openssl rand "
			       "-hex 32` prints them",
			       path);
	if (!code) {
		seal_key_derive(master, &vault->key);
		vault->has_key = true;
	}
	trust_wipe(master, sizeof(master));
	trust_wipe(text, len);
	base_free(text);
	return code;
}

static enum err_code make_key(struct vault *vault, struct err *err)
{
	uint8_t master[SEAL_KEY_BYTES];
	struct text text;
	trust_random(master, sizeof(master));
	text_init(&text, 2 * SEAL_KEY_BYTES + 1);
	for (size_t i = 0; i < sizeof(master); i++)
		text_addf(&text, "%02x", master[i]);
	text_add_char(&text, '\n');
	enum err_code code =
		trust_file_write(vault->dir, vault->name, text_string(&text), text.len, err);
	if (!code) {
		seal_key_derive(master, &vault->key);
		vault->has_key = true;
		shell_log("manager",
			  "made %s/%s, the key of all secrets: without a copy of it a copy of the "
			  "store has none",
			  vault->dir, vault->name);
	}
	trust_wipe(master, sizeof(master));
	trust_wipe(text.bytes, text.len);
	text_release(&text);
	return code;
}

enum err_code vault_open(const char *dir, const char *key_file, struct vault **ret_vault,
			 struct err *err)
{
	struct vault *vault = base_calloc(1, sizeof(*vault));
	const char *slash = key_file ? strrchr(key_file, '/') : NULL;
	vault->may_make = !key_file;
	if (!key_file)
		vault->dir = base_strdup(dir);
	else if (slash)
		vault->dir =
			base_strndup(key_file, slash == key_file ? 1 : (size_t)(slash - key_file));
	else
		vault->dir = base_strdup(".");
	vault->name = base_strdup(!key_file ? VAULT_KEY_NAME : slash ? slash + 1 : key_file);
	enum err_code code = load_key(vault, err);
	if (code) {
		vault_free(vault);
		return code;
	}
	*ret_vault = vault;
	return ERR_NONE;
}

void vault_free(struct vault *vault)
{
	if (!vault)
		return;
	trust_wipe(&vault->key, sizeof(vault->key));
	base_free(vault->dir);
	base_free(vault->name);
	base_free(vault);
}

const char *vault_key_id(const struct vault *vault)
{
	return vault->has_key ? vault->key.id : "";
}

enum err_code vault_check(const struct vault *vault, const struct cluster *cluster, struct err *err)
{
	size_t at = 0;
	for (const struct content_shelf *shelf; (shelf = map_next(&cluster->contents, &at));)
		for (size_t i = 0; i < shelf->n; i++) {
			const char *seal = shelf->items[i]->seal;
			if (!seal || strcmp(seal, vault_key_id(vault)) == 0 ||
			    content_is_forgotten(seal))
				continue;
			return err_set(err, ERR_CONFLICT,
				       "the secrets of the store are sealed with another key than "
				       "%s/%s%s: bring back the right one; where there is no copy, "
				       "--forget-secrets starts without them, and `drover up` of "
				       "each project brings them anew",
				       vault->dir, vault->name,
				       vault->has_key ? "" : ", which is missing");
		}
	return ERR_NONE;
}

/* ---- requests ---- */

static enum err_code decode(const struct content_request *content, const char *list, size_t i,
			    char **ret_bytes, size_t *ret_len, struct err *err)
{
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "%s[%zu].key", list, i);
	if (!content->key || !*content->key)
		return err_set_field(err, ERR_INVALID, field, "is missing");
	text_print(field, sizeof(field), "%s[%zu].data", list, i);
	if (!base64_decode(content->data ? content->data : "", ret_bytes, ret_len))
		return err_set_field(err, ERR_INVALID, field, "is not base64");
	if (*ret_len > 0 && *ret_len <= LIMIT_CONTENT_BYTES)
		return ERR_NONE;
	err_set_field(err, *ret_len ? ERR_TOO_LARGE : ERR_INVALID, field,
		      "\"%s\" has %zu bytes, and 1 to %d are allowed", content->key, *ret_len,
		      LIMIT_CONTENT_BYTES);
	trust_wipe(*ret_bytes, *ret_len);
	base_free(*ret_bytes);
	return err->code;
}

static void hash_plain(const char *bytes, size_t len, char ret_hash[ACCESS_HASH_TEXT_SIZE])
{
	uint8_t hash[ACCESS_HASH_BYTES];
	trust_sha256(bytes, len, hash);
	access_hash_format(hash, ret_hash);
}

static void seal(const struct vault *vault, const char *project, struct content_request *content,
		 const char *bytes, size_t len, char ret_hash[ACCESS_HASH_TEXT_SIZE])
{
	const struct seal_part parts[] = { { project, strlen(project) },
					   { content->key, strlen(content->key) },
					   { bytes, len } };
	seal_hash(&vault->key, parts, ARRAY_LEN(parts), ret_hash);
	trust_wipe(content->data, strlen(content->data));
	base_free(content->data);
	content->data = seal_close(&vault->key, ret_hash, bytes, len);
	string_set(&content->seal, vault->key.id);
}

static enum err_code take_list(const struct vault *vault, const char *project, const char *list,
			       bool secret, struct content_request *items, size_t n,
			       struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < n; i++) {
		char hash[ACCESS_HASH_TEXT_SIZE];
		char *bytes;
		size_t len;
		code = decode(&items[i], list, i, &bytes, &len, err);
		if (code)
			break;
		if (secret)
			seal(vault, project, &items[i], bytes, len, hash);
		else
			hash_plain(bytes, len, hash);
		string_set(&items[i].hash, hash);
		trust_wipe(bytes, len);
		base_free(bytes);
	}
	return code;
}

static enum err_code resolve(size_t job, const char *list, struct content_use *uses, size_t n_uses,
			     const struct content_request *items, size_t n, struct err *err)
{
	for (size_t i = 0; i < n_uses; i++) {
		char field[ERR_FIELD_MAX];
		text_print(field, sizeof(field), "jobs[%zu].spec.%s[%zu].source", job, list, i);
		if (!uses[i].source || !*uses[i].source)
			return err_set_field(err, ERR_INVALID, field, "is missing");
		for (size_t j = 0; j < n; j++)
			if (strcmp(uses[i].source, items[j].key) == 0)
				string_set(&uses[i].hash, items[j].hash);
	}
	return ERR_NONE;
}

/* The hash of a body with secrets in it would let whoever reads the store try out what they are. */
static void hide_body_hash(const struct vault *vault, struct manager_request *request)
{
	char hash[ACCESS_HASH_TEXT_SIZE];
	uint64_t value = 0;
	const struct seal_part part = { &request->body_hash, sizeof(request->body_hash) };
	seal_hash(&vault->key, &part, 1, hash);
	for (size_t i = 0; i < 16; i++)
		value = value << 4 | (uint64_t)digit_of(hash[i]);
	request->body_hash = (int64_t)value;
}

/* The key must be there. */
static enum err_code take(struct vault *vault, struct api_mutation *mutation, struct err *err)
{
	struct project_request *request = &mutation->project_request;
	enum err_code code = ERR_NONE;
	if (request->secrets.n)
		hide_body_hash(vault, &mutation->request);
	code = take_list(vault, request->name, "configs", false, request->configs.items,
			 request->configs.n, err);
	if (!code)
		code = take_list(vault, request->name, "secrets", true, request->secrets.items,
				 request->secrets.n, err);
	for (size_t i = 0; !code && i < request->jobs.n; i++) {
		struct job_spec *spec = &request->jobs.items[i].spec;
		code = resolve(i, "configs", spec->configs.items, spec->configs.n,
			       request->configs.items, request->configs.n, err);
		if (!code)
			code = resolve(i, "secrets", spec->secrets.items, spec->secrets.n,
				       request->secrets.items, request->secrets.n, err);
	}
	return code;
}

enum err_code vault_take(struct vault *vault, struct api_mutation *mutation, struct err *err)
{
	if (mutation->project_request.secrets.n && !vault->has_key && make_key(vault, err))
		return err->code;
	return take(vault, mutation, err);
}

enum err_code vault_take_for_plan(struct vault *vault, struct api_mutation *mutation,
				  struct err *err)
{
	/* Without a key nothing is sealed yet, so that of a plan is as good as another. */
	if (!vault->has_key) {
		uint8_t master[SEAL_KEY_BYTES];
		trust_random(master, sizeof(master));
		seal_key_derive(master, &vault->key);
		trust_wipe(master, sizeof(master));
	}
	return take(vault, mutation, err);
}

/* ---- workers ---- */

static void give(const struct vault *vault, struct sync_content *content)
{
	struct err err;
	char *bytes;
	size_t len;
	if (content_is_forgotten(content->seal)) {
		string_set(&content->data, NULL);
		string_set(&content->seal, NULL);
		shell_log("manager", "a secret was forgotten, and its tasks wait until `drover up` "
				     "brings it anew");
		return;
	}
	enum err_code code =
		seal_open(&vault->key, content->hash, content->data, &bytes, &len, &err);
	base_free(content->data);
	content->data = NULL;
	string_set(&content->seal, NULL);
	if (code) {
		shell_log("manager", "a secret cannot be opened, and its tasks wait for it: %s",
			  err.message);
		return;
	}
	content->data = base64_encode(bytes, len);
	trust_wipe(bytes, len);
	base_free(bytes);
}

void vault_give(const struct vault *vault, struct sync_down *down)
{
	for (size_t i = 0; i < down->contents.n; i++)
		if (down->contents.items[i].seal)
			give(vault, &down->contents.items[i]);
}
