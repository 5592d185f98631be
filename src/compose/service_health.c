#include <string.h>

#include "compose/keys.h"
#include "compose/service.h"

/* NONE is the other way to write `disable: true`; one form is enough for everybody behind us. */
static enum err_code finish_list(const struct at *at, struct health_check *check, struct err *err)
{
	const char *form = check->test.n ? check->test.items[0] : "";
	if (strcmp(form, "NONE") == 0 && check->test.n == 1) {
		strings_release(&check->test);
		check->disabled = true;
		return ERR_NONE;
	}
	bool command = strcmp(form, "CMD") == 0 && check->test.n > 1;
	bool shell = strcmp(form, "CMD-SHELL") == 0 && check->test.n == 2;
	if (command || shell)
		return ERR_NONE;
	return at_fail(
		at, err, ERR_INVALID,
		"expected [\"CMD\", program, ...], [\"CMD-SHELL\", line], [\"NONE\"] or a string, "
		"found a list of %zu that begins with \"%s\"",
		at->node->n, form);
}

enum err_code read_health_test(const struct at *at, void *target, struct err *err)
{
	struct health_check *check = target;
	if (at->node->kind == TREE_LIST) {
		enum err_code code = read_each_item(at, read_word, &check->test, err);
		return code ? code : finish_list(at, check, err);
	}
	const char *line;
	if (at->node->kind == TREE_MAP || at_is_null(at))
		return fail_type(at, "a string or a list of strings", err);
	enum err_code code = get_string(at, &line, err);
	if (code)
		return code;
	strings_add(&check->test, "CMD-SHELL");
	strings_add(&check->test, line);
	return ERR_NONE;
}

enum err_code read_health_check(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	struct health_check *check = &service->spec.health_check;
	enum err_code code = keys_read(at, SECTION_HEALTHCHECK, check, err);
	if (!code && check->disabled && check->test.n)
		code = at_fail(at, err, ERR_INVALID, "a check that is disabled has no test");
	return code;
}
