/* post_start and pre_stop: commands beside the container's own. */
#include "compose/keys.h"
#include "compose/service.h"

static enum err_code read_hook(const struct at *at, const char *record, size_t n, struct hook *hook,
			       struct err *err)
{
	at_origin(at, "%s[%zu]", record, n);
	enum err_code code = keys_read(at, SECTION_HOOK, hook, err);
	if (!code && !hook->command.n)
		code = at_fail(at, err, ERR_INVALID, "a command is missing");
	return code;
}

static enum err_code read_post_start_item(const struct at *item, void *target, struct err *err)
{
	struct hooks *hooks = target;
	size_t n = hooks->post_start.n;
	return read_hook(item, "hooks.post_start", n,
			 list_add(&hooks->post_start, sizeof(struct hook)), err);
}

static enum err_code read_pre_stop_item(const struct at *item, void *target, struct err *err)
{
	struct hooks *hooks = target;
	size_t n = hooks->pre_stop.n;
	return read_hook(item, "hooks.pre_stop", n, list_add(&hooks->pre_stop, sizeof(struct hook)),
			 err);
}

enum err_code read_post_start(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	return read_each_item(at, read_post_start_item, &service->hooks, err);
}

enum err_code read_pre_stop(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	return read_each_item(at, read_pre_stop_item, &service->hooks, err);
}
