#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/utf8.h"
#include "compose/keys.h"
#include "compose/service.h"
#include "compose/words.h"

enum err_code read_image(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	return read_string(at, &service->spec.image, err);
}

enum err_code read_arguments(const struct at *at, void *arguments, struct err *err)
{
	if (at->node->kind != TREE_LIST) {
		const char *line;
		if (at->node->kind == TREE_MAP)
			return fail_type(at, "a string or a list of strings", err);
		enum err_code code = get_string(at, &line, err);
		if (code)
			return code;
		return words_split(line, arguments, err) ? at_blame(at, err) : ERR_NONE;
	}
	return read_each_item(at, read_word, arguments, err);
}

enum err_code read_command(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	service->spec.has_command = !at_is_null(at);
	return at_is_null(at) ? ERR_NONE : read_arguments(at, &service->spec.command, err);
}

enum err_code read_entrypoint(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	service->spec.has_entrypoint = !at_is_null(at);
	return at_is_null(at) ? ERR_NONE : read_arguments(at, &service->spec.entrypoint, err);
}

/* Swarm's templates: {{.Node.ID}}, {{.Service.Name}}, {{.Task.Slot}}. */
static bool has_placeholder(const char *value)
{
	return strstr(value, "{{.Node.") || strstr(value, "{{.Service.") ||
	       strstr(value, "{{.Task.");
}

static enum err_code put_variable(const struct at *at, const char *key, const char *value,
				  void *target, struct err *err)
{
	PRE(key);
	if (!value)
		value = pairs_get(at->node->source->environment, key);
	if (value && !utf8_is_valid(value, strlen(value)))
		return at_fail(at, err, ERR_INVALID, "the value of %s is not UTF-8", key);
	if (strncmp(key, "LD_", strlen("LD_")) == 0)
		at_warn(at, "%s changes how every program of the container is loaded", key);
	if (strncmp(key, "DOCKER_", strlen("DOCKER_")) == 0)
		at_warn(at, "%s may lead Docker's programs in the container to another machine",
			key);
	if (value && has_placeholder(value))
		at_warn(at, "the {{...}} in %s stays as it is; Swarm would fill it in", key);
	pairs_put(target, key, value);
	return ERR_NONE;
}

enum err_code read_environment_pairs(const struct at *at, void *pairs, struct err *err)
{
	return read_each_pair(at, put_variable, pairs, err);
}

enum err_code read_environment(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	return read_environment_pairs(at, &service->spec.environment, err);
}

/* Digits, letters of hexadecimal numbers and separators, or Docker's word for the host: enough to catch a name. */
static bool looks_like_address(const char *text)
{
	if (strcmp(text, "host-gateway") == 0)
		return true;
	bool separated = strchr(text, '.') || strchr(text, ':');
	return separated && strspn(text, "0123456789abcdefABCDEF.:%") == strlen(text);
}

static enum err_code add_host(const struct at *at, const char *host, size_t host_len,
			      const char *address, struct strings *hosts, struct err *err)
{
	size_t len = strlen(address);
	bool bracketed = len > 1 && address[0] == '[' && address[len - 1] == ']';
	_cleanup_free_ char *bare = base_strndup(address + bracketed, len - (bracketed ? 2 : 0));
	if (host_len == 0 || memchr(host, ' ', host_len) || !looks_like_address(bare))
		return at_fail(at, err, ERR_INVALID,
			       "expected HOST=ADDRESS with an IP address or host-gateway, found "
			       "\"%.*s=%s\"",
			       (int)host_len, host, address);
	at_origin(at, "extra_hosts[%zu]", hosts->n);
	struct text entry;
	text_init(&entry, ERR_MESSAGE_MAX);
	text_addf(&entry, "%.*s:%s", (int)host_len, host, bare);
	strings_add(hosts, text_string(&entry));
	text_release(&entry);
	return ERR_NONE;
}

static enum err_code add_host_item(const struct at *item, struct strings *hosts, struct err *err)
{
	const char *text;
	enum err_code code = get_string(item, &text, err);
	if (code)
		return code;
	size_t host_len = strcspn(text, "=:");
	return add_host(item, text, host_len, text[host_len] ? text + host_len + 1 : "", hosts,
			err);
}

/* A host of the mapping: one address, or a list of them. */
static enum err_code add_host_entry(const struct at *item, struct strings *hosts, struct err *err)
{
	struct strings addresses = { 0 };
	enum err_code code = read_string_or_strings(item, &addresses, err);
	for (size_t i = 0; !code && i < addresses.n; i++)
		code = add_host(item, item->name, strlen(item->name), addresses.items[i], hosts,
				err);
	strings_release(&addresses);
	return code;
}

enum err_code read_extra_hosts(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	struct strings *hosts = &service->spec.extra_hosts;
	if (at->node->kind == TREE_SCALAR)
		return fail_type(at, "a mapping or a list of HOST=ADDRESS", err);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < at->node->n; i++) {
		struct at item;
		bool list = at->node->kind == TREE_LIST;
		code = list ? at_item(at, i, &item, err)
			    : at_entry(at, &at->node->entries[i], &item, err);
		if (!code)
			code = list ? add_host_item(&item, hosts, err)
				    : add_host_entry(&item, hosts, err);
	}
	return code;
}

enum err_code read_build(const struct at *at, void *target, struct err *err)
{
	(void)target;
	if (tree_entry_of(at->up->node, "image"))
		return ERR_NONE;
	return at_fail_key(at, err, ERR_UNSUPPORTED,
			   "build without image is refused: drover runs images and builds none: "
			   "build it with `docker build` and name the result under image");
}

enum err_code read_pull_policy(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (code)
		return code;
	if (strcmp(word, "if_not_present") == 0)
		word = "missing";
	if (enum_value(pull_policy_names, word, &service->spec.pull_policy))
		return ERR_NONE;
	if (strcmp(word, "build") == 0)
		return at_fail(at, err, ERR_UNSUPPORTED,
			       "pull_policy build is refused: drover runs images and builds none");
	if (strcmp(word, "daily") == 0 || strcmp(word, "weekly") == 0 ||
	    strncmp(word, "every_", 6) == 0)
		return at_fail(at, err, ERR_UNSUPPORTED,
			       "pull_policy %s is refused: drover keeps no record of when an image "
			       "was pulled; use always, missing or never",
			       word);
	return fail_type(at, "always, missing, if_not_present or never", err);
}

static bool is_log_default(const struct pair *option)
{
	const char *usual = strcmp(option->key, "max-size") == 0   ? LOG_SIZE_DEFAULT
			    : strcmp(option->key, "max-file") == 0 ? LOG_FILES_DEFAULT
								   : NULL;
	return usual && option->value && strcmp(option->value, usual) == 0;
}

/* What is written as its default is kept as not written. */
static void settle_logging(struct logging *logging)
{
	struct pairs kept = { 0 };
	const char *driver = logging_driver(logging);
	if (!log_driver_has_sizes(driver))
		return;
	for (size_t i = 0; i < logging->options.n; i++)
		if (!is_log_default(&logging->options.items[i]))
			pairs_add(&kept, logging->options.items[i].key,
				  logging->options.items[i].value);
	pairs_release(&logging->options);
	logging->options = kept;
	if (strcmp(driver, "json-file") == 0)
		string_set(&logging->driver, NULL);
}

enum err_code read_logging(const struct at *at, void *logging, struct err *err)
{
	enum err_code code = keys_read(at, SECTION_LOGGING, logging, err);
	if (!code)
		settle_logging(logging);
	return code;
}
