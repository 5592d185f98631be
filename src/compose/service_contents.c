/* What a service finds as files: configs and secrets. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "compose/keys.h"
#include "compose/service.h"

#define WRITE_BITS 0222

/* People have numbers only: whose names these are, the image says. */
enum err_code read_owner(const struct at *at, void *target, struct err *err)
{
	const char *text;
	enum err_code code = get_scalar(at, &text, err);
	if (code)
		return code;
	if (parse_int(text, 0, CONTENT_ID_MAX, target, NULL))
		return fail_type(at, "the number of a user or group", err);
	return ERR_NONE;
}

/* Octal: a number with a leading zero, or digits in quotes. */
enum err_code read_content_mode(const struct at *at, void *target, struct err *err)
{
	const char *text;
	int64_t mode = 0;
	enum err_code code = get_scalar(at, &text, err);
	if (code)
		return code;
	const char *digits = text;
	if (digits[0] == '0' && digits[1] == 'o')
		digits += 2;
	size_t n = strspn(digits, "01234567");
	if (n == 0 || n > 5 || digits[n] || (!at->node->is_string && text[0] != '0'))
		return fail_type(at, "an octal mode like 0440", err);
	for (; *digits; digits++)
		mode = mode * 8 + (*digits - '0');
	if (mode > CONTENT_MODE_MAX)
		return at_fail(at, err, ERR_INVALID, "the mode %s is above 0777", text);
	mode &= ~(int64_t)WRITE_BITS;
	if (!mode)
		return at_fail(at, err, ERR_INVALID, "with the mode %s nobody could read it", text);
	*(int64_t *)target = mode == CONTENT_MODE_DEFAULT ? 0 : mode;
	return ERR_NONE;
}

/* As the specification keeps it: absolute, and not written where it is the usual one. */
static void settle_target(int kind, struct content_use *use)
{
	struct text whole;
	if (!use->target)
		return;
	text_init(&whole, LIMIT_PATH_BYTES);
	if (use->target[0] != '/')
		text_add(&whole, kind == CONTENT_SECRET ? SECRET_FOLDER : CONFIG_FOLDER);
	text_add(&whole, use->target);
	string_set(&use->target, NULL);
	_cleanup_free_ char *usual = content_use_target(kind, use);
	if (strcmp(text_string(&whole), usual) != 0)
		string_set(&use->target, text_string(&whole));
	text_release(&whole);
}

static enum err_code read_use(const struct at *at, struct service *service, int kind,
			      struct err *err)
{
	bool secret = kind == CONTENT_SECRET;
	size_t index = secret ? service->spec.secrets.n : service->spec.configs.n;
	at_origin(at, "%s[%zu]", secret ? "secrets" : "configs", index);
	struct content_use *use = secret ? list_add(&service->spec.secrets, sizeof(*use))
					 : list_add(&service->spec.configs, sizeof(*use));
	record_init(&content_use_type, use);
	enum err_code code;
	if (at->node->kind == TREE_MAP)
		code = keys_read(at, SECTION_CONTENT_USE, use, err);
	else
		code = read_string(at, &use->source, err);
	if (!code && (!use->source || !*use->source))
		code = at_fail(at, err, ERR_INVALID,
			       "a %s needs a source: its name at the top level",
			       enum_name(content_kind_names, kind));
	if (!code && use->target && !*use->target)
		code = at_fail(at, err, ERR_INVALID, "the target is empty");
	if (!code)
		settle_target(kind, use);
	return code;
}

static enum err_code read_config_use(const struct at *at, void *service, struct err *err)
{
	return read_use(at, service, CONTENT_CONFIG, err);
}

static enum err_code read_secret_use(const struct at *at, void *service, struct err *err)
{
	return read_use(at, service, CONTENT_SECRET, err);
}

enum err_code read_service_configs(const struct at *at, void *service, struct err *err)
{
	return read_each_item(at, read_config_use, service, err);
}

enum err_code read_service_secrets(const struct at *at, void *service, struct err *err)
{
	return read_each_item(at, read_secret_use, service, err);
}
