/* Invariant: tags are on disk, so a number is never given to another field. */
#include "job/hooks.h"

#include <string.h>

#include "base/limits.h"
#include "job/refuse.h"
#include "job/spec_check.h"
#include "job/syntax.h"

/* Long values are cut in messages. */
#define SHOWN_BYTES 100

// clang-format off
static const struct field hook_fields[] = {
	ROW_STRINGS(1, struct hook, command, LIMIT_LIST_ITEMS),
	ROW_STRING(2, struct hook, user, LIMIT_USER_BYTES),
	ROW_BOOL(3, struct hook, privileged),
	ROW_STRING(4, struct hook, working_dir, LIMIT_PATH_BYTES),
	ROW_PAIRS(5, struct hook, environment, LIMIT_LIST_ITEMS),
};
RECORD_TYPE(hook, struct hook, hook_fields);

static const struct field hooks_fields[] = {
	ROW_STRUCTS(1, struct hooks, post_start, hook, LIMIT_HOOKS),
	ROW_STRUCTS(2, struct hooks, pre_stop, hook, LIMIT_HOOKS),
};
RECORD_TYPE(hooks, struct hooks, hooks_fields);
// clang-format on

const struct hooks *job_spec_hooks(const struct job_spec *spec)
{
	static const struct hooks none;
	return spec->hooks ? spec->hooks : &none;
}

static enum err_code check_hook(const struct hook *hook, const char *list, size_t index,
				struct err *err)
{
	if (!hook->command.n || !hook->command.items[0][0])
		return refuse(err, ERR_INVALID, AT_MEMBER(list, index, "command"),
			      "a hook needs a command");
	if (hook->working_dir && hook->working_dir[0] != '/')
		return refuse(err, ERR_INVALID, AT_MEMBER(list, index, "working_dir"),
			      "\"%.*s\" is not an absolute path", SHOWN_BYTES, hook->working_dir);
	for (size_t i = 0; i < hook->environment.n; i++)
		if (!is_environment_key(hook->environment.items[i].key))
			return refuse(err, ERR_INVALID, AT_MEMBER(list, index, "environment"),
				      "\"%.*s\" is not a variable's name", SHOWN_BYTES,
				      hook->environment.items[i].key);
	return ERR_NONE;
}

enum err_code spec_check_hooks(const struct job_spec *spec, struct err *err)
{
	const struct hooks *hooks = job_spec_hooks(spec);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < hooks->post_start.n; i++)
		code = check_hook(&hooks->post_start.items[i], "hooks.post_start", i, err);
	for (size_t i = 0; !code && i < hooks->pre_stop.n; i++)
		code = check_hook(&hooks->pre_stop.items[i], "hooks.pre_stop", i, err);
	return code;
}
