#include "runtime/fault_script.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/parse.h"

#define DELAY_MAX_MS (24LL * 3600 * 1000)

// clang-format off
const struct enum_name fault_kind_names[] = {
	{ FAULT_KIND_UNREACHABLE, "unreachable" }, { FAULT_KIND_REFUSE, "refuse" },
	{ FAULT_KIND_ERROR, "error" }, { FAULT_KIND_ERROR_AFTER, "error_after" },
	{ FAULT_KIND_LOST, "lost" }, { FAULT_KIND_HALF, "half" }, { FAULT_KIND_HANG, "hang" },
	{ FAULT_KIND_HANG_AFTER, "hang_after" }, { FAULT_KIND_LATE, "late" },
	{ FAULT_KIND_GHOST, "ghost" }, { FAULT_KIND_THROTTLED, "throttled" },
	{ FAULT_KIND_RESTART, "restart" }, { FAULT_KIND_DROP, "drop" }, { 0 }
};
// clang-format on

void fault_script_release(struct fault_script *script)
{
	base_free(script->rules.items);
	*script = (struct fault_script){ 0 };
}

/* The next word of a rule; an empty string at its end. */
static char *take_word(const char **at)
{
	*at += strspn(*at, " \t");
	size_t len = strcspn(*at, " \t");
	char *word = base_strndup(*at, len);
	*at += len;
	return word;
}

static enum err_code parse_rule(const char *text, struct fault_rule *ret_rule, struct err *err)
{
	struct fault_rule rule = { 0 };
	const char *at = text;
	_cleanup_free_ char *verb = take_word(&at);
	_cleanup_free_ char *nth = take_word(&at);
	_cleanup_free_ char *kind = take_word(&at);
	_cleanup_free_ char *delay = take_word(&at);
	if (strcmp(verb, "hint") == 0)
		rule.verb = FAULT_VERB_HINT;
	else if (!enum_value(container_verb_names, verb, &rule.verb))
		return err_set(err, ERR_SYNTAX, "fault rule \"%s\": there is no verb \"%s\"", text,
			       verb);
	if (strcmp(nth, "*") != 0 && parse_int(nth, 1, INT32_MAX, &rule.nth, NULL))
		return err_set(err, ERR_SYNTAX,
			       "fault rule \"%s\": which call is \"%s\"? A number from 1, or *",
			       text, nth);
	if (!enum_value(fault_kind_names, kind, &rule.kind))
		return err_set(err, ERR_SYNTAX, "fault rule \"%s\": there is no fault \"%s\"", text,
			       kind);
	if (*delay && parse_int(delay, 0, DELAY_MAX_MS, &rule.delay_ms, NULL))
		return err_set(err, ERR_SYNTAX, "fault rule \"%s\": \"%s\" are no milliseconds",
			       text, delay);
	*ret_rule = rule;
	return ERR_NONE;
}

enum err_code fault_script_parse(const char *text, struct fault_script *ret_script, struct err *err)
{
	struct fault_script script = { 0 };
	while (*text) {
		size_t len = strcspn(text, ";\n");
		_cleanup_free_ char *line = base_strndup(text, len);
		text += len + (text[len] != '\0');
		if (line[strspn(line, " \t")] == '\0')
			continue;
		struct fault_rule rule;
		enum err_code code = parse_rule(line + strspn(line, " \t"), &rule, err);
		if (!code && script.rules.n == FAULT_RULES_MAX)
			code = err_set(err, ERR_LIMIT, "more than %d fault rules", FAULT_RULES_MAX);
		if (code) {
			fault_script_release(&script);
			return code;
		}
		struct fault_rule *kept = list_add(&script.rules, sizeof(*kept));
		*kept = rule;
	}
	*ret_script = script;
	return ERR_NONE;
}

const struct fault_rule *fault_script_next(struct fault_script *script, int verb)
{
	PRE(verb > 0 && verb < FAULT_VERBS_MAX);
	int64_t call = ++script->calls[verb];
	for (size_t i = 0; i < script->rules.n; i++) {
		const struct fault_rule *rule = &script->rules.items[i];
		if (rule->verb == verb && (rule->nth == 0 || rule->nth == call))
			return rule;
	}
	return NULL;
}
