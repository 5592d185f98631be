#include <string.h>

#include "base/alloc.h"
#include "job/spec_check.h"
#include "job/syntax.h"

#define SHOWN_BYTES 100

static struct spot spot_of(const struct job_spec *spec, size_t i, const char *member)
{
	if (i < spec->configs.n)
		return AT_MEMBER("configs", i, member);
	return AT_MEMBER("secrets", i - spec->configs.n, member);
}

/* A file over a file, or a mount that hides it. */
static enum err_code check_free(const struct job_spec *spec, size_t i, const char *target,
				struct err *err)
{
	struct spot spot = spot_of(spec, i, "target");
	for (size_t j = 0; j < i; j++) {
		int kind;
		const struct content_use *other = job_spec_content(spec, j, &kind);
		_cleanup_free_ char *taken = content_use_target(kind, other);
		if (is_same_path(taken, target))
			return refuse(err, ERR_INVALID, spot,
				      "%s %s has the target \"%.*s\" already",
				      enum_name(content_kind_names, kind), other->source,
				      SHOWN_BYTES, target);
	}
	for (size_t j = 0; j < spec->mounts.n; j++)
		if (is_same_path(spec->mounts.items[j].target, target))
			return refuse(err, ERR_INVALID, spot, "a mount has the target \"%.*s\"",
				      SHOWN_BYTES, target);
	return ERR_NONE;
}

static enum err_code check_use(const struct job_spec *spec, size_t i, struct err *err)
{
	int kind;
	const struct content_use *use = job_spec_content(spec, i, &kind);
	struct spot spot = spot_of(spec, i, "target");
	enum err_code code = key_check(use->source, "source", err);
	if (code)
		return refuse_at(err, code, spot_of(spec, i, "source"));
	_cleanup_free_ char *target = content_use_target(kind, use);
	if (target[0] != '/')
		return refuse(err, ERR_INVALID, spot, "\"%.*s\" is not an absolute path",
			      SHOWN_BYTES, target);
	size_t len = strlen(target);
	if (path_climbs(target) || target[len - 1] == '/')
		return refuse(err, ERR_INVALID, spot, "\"%.*s\" is not the path of a file",
			      SHOWN_BYTES, target);
	return check_free(spec, i, target, err);
}

enum err_code spec_check_contents(const struct job_spec *spec, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < job_spec_n_contents(spec); i++)
		code = check_use(spec, i, err);
	return code;
}
