/* Secrets pass through here on their way into one header; they are kept nowhere. */
#include "runtime/docker_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "runtime/docker_reply.h"
#include "runtime/json_build.h"

#define HUB_KEY "https://index.docker.io/v1/"
#define HUB	"docker.io"

enum err_code docker_image_parse(const char *reference, struct docker_image *ret_image,
				 struct err *err)
{
	if (!reference || !*reference || strlen(reference) >= LIMIT_IMAGE_BYTES)
		return err_set(err, ERR_INVALID, "the image's name is empty or too long");
	struct docker_image image = { 0 };
	const char *digest = strchr(reference, '@');
	size_t len = digest ? (size_t)(digest - reference) : strlen(reference);
	text_print(image.name, sizeof(image.name), "%.*s", (int)len, reference);
	char *slash = strrchr(image.name, '/');
	char *colon = strrchr(slash ? slash : image.name, ':');
	if (colon)
		*colon = '\0';
	text_print(image.tag, sizeof(image.tag), "%s",
		   digest  ? digest + 1
		   : colon ? colon + 1
			   : "latest");
	size_t first = strcspn(image.name, "/");
	bool host = image.name[first] == '/' &&
		    (memchr(image.name, '.', first) || memchr(image.name, ':', first) ||
		     (first == 9 && strncmp(image.name, "localhost", first) == 0));
	if (host && first >= sizeof(image.registry))
		return err_set(err, ERR_INVALID, "the registry's name in %s is too long",
			       reference);
	text_print(image.registry, sizeof(image.registry), "%.*s", host ? (int)first : 9,
		   host ? image.name : HUB);
	if (!image.name[0] || !image.tag[0])
		return err_set(err, ERR_INVALID, "%s is no image reference", reference);
	*ret_image = image;
	return ERR_NONE;
}

void docker_credentials_release(struct docker_credentials *credentials)
{
	base_free(credentials->header);
	base_free(credentials->helper);
	*credentials = (struct docker_credentials){ 0 };
}

const char *docker_registry_key(const char *registry)
{
	return strcmp(registry, HUB) == 0 || strcmp(registry, "index.docker.io") == 0 ? HUB_KEY
										      : registry;
}

/* RFC 4648, section 5 (URL-safe, padded): what Docker reads from the header. */
static char *base64_url(const char *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *out = base_calloc(len / 3 * 4 + 5, 1);
	char *at = out;
	for (size_t i = 0; i < len; i += 3) {
		unsigned value = (unsigned)(unsigned char)bytes[i] << 16;
		if (i + 1 < len)
			value |= (unsigned)(unsigned char)bytes[i + 1] << 8;
		if (i + 2 < len)
			value |= (unsigned char)bytes[i + 2];
		*at++ = digits[value >> 18];
		*at++ = digits[value >> 12 & 63];
		*at++ = i + 1 < len ? digits[value >> 6 & 63] : '=';
		*at++ = i + 2 < len ? digits[value & 63] : '=';
	}
	return out;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* A string of the decoded bytes; NULL when it is not base64 or holds NUL. Both alphabets are taken. */
static char *base64_decode(const char *text)
{
	char *out = base_calloc(strlen(text) / 4 * 3 + 4, 1);
	size_t n = 0;
	unsigned value = 0, bits = 0;
	for (; *text && *text != '='; text++) {
		int digit = base64_value(*text);
		if (digit < 0) {
			base_free(out);
			return NULL;
		}
		value = (value << 6 | (unsigned)digit) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(value >> bits);
		}
	}
	if (strlen(out) == n)
		return out;
	base_free(out);
	return NULL;
}

static enum err_code make_header(const char *user, const char *password, const char *token,
				 const char *registry, char **ret_header, struct err *err)
{
	struct json_build build;
	json_build_init(&build);
	if (token && *token) {
		json_put_text(&build, build.root, "identitytoken", token);
	} else {
		json_put_text(&build, build.root, "username", user);
		json_put_text(&build, build.root, "password", password);
	}
	json_put_text(&build, build.root, "serveraddress", docker_registry_key(registry));
	_cleanup_free_ char *json = json_build_take(&build, err);
	if (!json)
		return ERR_INVALID;
	*ret_header = base64_url(json, strlen(json));
	return ERR_NONE;
}

static enum err_code header_of_entry(const json_t *entry, const char *registry, char **ret_header,
				     struct err *err)
{
	const char *token = docker_json_text(entry, "identitytoken");
	const char *auth = docker_json_text(entry, "auth");
	const char *user = docker_json_text(entry, "username");
	const char *password = docker_json_text(entry, "password");
	_cleanup_free_ char *decoded = NULL;
	if (auth && *auth) {
		decoded = base64_decode(auth);
		char *colon = decoded ? strchr(decoded, ':') : NULL;
		if (!colon)
			return err_set(err, ERR_INVALID,
				       "the credentials of %s in Docker's configuration cannot be "
				       "read",
				       registry);
		*colon = '\0';
		user = decoded;
		password = colon + 1;
	}
	if (!(token && *token) && !(user && password))
		return ERR_NONE;
	return make_header(user, password, token, registry, ret_header, err);
}

/* Does the key of an entry, perhaps "https://HOST/v1/", mean this host? */
static bool key_is_host(const char *key, const char *registry)
{
	const char *scheme = strstr(key, "://");
	if (scheme)
		key = scheme + 3;
	size_t len = strcspn(key, "/");
	return strlen(registry) == len && strncmp(key, registry, len) == 0;
}

static const json_t *entry_of(const json_t *auths, const char *registry)
{
	const json_t *entry = json_object_get(auths, docker_registry_key(registry));
	if (entry)
		return entry;
	const char *key;
	json_t *value;
	/* The iterators want a table they could change. */
	json_object_foreach((json_t *)(uintptr_t)auths, key, value)
	{
		if (key_is_host(key, registry))
			return value;
	}
	return NULL;
}

static enum err_code set_helper(const char *suffix, struct docker_credentials *credentials,
				struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	if (strspn(suffix, allowed) != strlen(suffix) || strlen(suffix) > 100)
		return err_set(err, ERR_INVALID, "%s is no name of a credential helper", suffix);
	struct text program;
	text_init(&program, 200);
	text_addf(&program, "docker-credential-%s", suffix);
	credentials->helper = text_take(&program);
	return ERR_NONE;
}

enum err_code docker_credentials_find(const char *config, size_t len, const char *registry,
				      struct docker_credentials *ret_credentials, struct err *err)
{
	struct docker_credentials credentials = { 0 };
	/* The parser's own words would quote the text, and the text holds secrets. */
	json_t *json = docker_json_parse(config, len, NULL);
	if (!json_is_object(json)) {
		json_decref(json);
		return err_set(err, ERR_INVALID, "Docker's configuration is not a JSON object");
	}
	const char *helper = docker_json_text(json_object_get(json, "credHelpers"),
					      docker_registry_key(registry));
	if (!helper)
		helper = docker_json_text(json_object_get(json, "credHelpers"), registry);
	if (!helper)
		helper = docker_json_text(json, "credsStore");
	const json_t *entry = entry_of(json_object_get(json, "auths"), registry);
	enum err_code code = ERR_NONE;
	if (helper && *helper)
		code = set_helper(helper, &credentials, err);
	else if (entry)
		code = header_of_entry(entry, registry, &credentials.header, err);
	json_decref(json);
	if (!code)
		*ret_credentials = credentials;
	return code;
}

enum err_code docker_credentials_answer(const char *output, size_t len, const char *registry,
					char **ret_header, struct err *err)
{
	json_t *json = docker_json_parse(output, len, NULL);
	const char *user = docker_json_text(json, "Username");
	const char *secret = docker_json_text(json, "Secret");
	enum err_code code;
	if (!user || !secret)
		code = err_set(err, ERR_INVALID,
			       "the credential helper's answer has no user or secret");
	else if (strcmp(user, "<token>") == 0)
		code = make_header(NULL, NULL, secret, registry, ret_header, err);
	else
		code = make_header(user, secret, NULL, registry, ret_header, err);
	json_decref(json);
	return code;
}
