#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/platform.h"
#include "job/refuse.h"
#include "job/spec_check.h"
#include "job/syntax.h"

/* Long values are cut in messages. */
#define SHOWN_BYTES 100

static enum err_code check_image(const char *image, struct err *err)
{
	if (!image || !image[0])
		return refuse(err, ERR_INVALID, AT("image"), "missing: a job runs an image");
	if (!image_parse(image, NULL))
		return refuse(err, ERR_INVALID, AT("image"),
			      "\"%.*s\" is not an image reference like \"nginx:1.27\" or "
			      "\"registry.example.com:5000/team/app@sha256:...\"",
			      SHOWN_BYTES, image);
	return ERR_NONE;
}

static enum err_code check_platform(const char *text, struct err *err)
{
	struct platform platform;
	enum err_code code = text ? platform_parse(text, &platform, err) : ERR_NONE;
	return code ? refuse_at(err, code, AT("platform")) : ERR_NONE;
}

static enum err_code check_command(const struct job_spec *spec, struct err *err)
{
	if (!spec->has_command && spec->command.n)
		return refuse(err, ERR_INVALID, AT("has_command"),
			      "must be true when command is written");
	if (!spec->has_entrypoint && spec->entrypoint.n)
		return refuse(err, ERR_INVALID, AT("has_entrypoint"),
			      "must be true when entrypoint is written");
	return ERR_NONE;
}

static enum err_code check_environment(const struct pairs *environment, struct err *err)
{
	size_t total_bytes = 0;
	for (size_t i = 0; i < environment->n; i++) {
		const struct pair *pair = &environment->items[i];
		if (!is_environment_key(pair->key))
			return refuse(err, ERR_INVALID, spot_of_key(AT("environment"), pair->key),
				      "\"%.*s\" is not a variable's name: no blanks, no '=', at "
				      "most %d bytes",
				      SHOWN_BYTES, pair->key, LIMIT_ENVIRONMENT_KEY_BYTES);
		/* '=' and NUL, as the process gets it. */
		total_bytes += strlen(pair->key) + (pair->value ? strlen(pair->value) : 0) + 2;
	}
	if (total_bytes > LIMIT_ENVIRONMENT_BYTES)
		return refuse(err, ERR_INVALID, AT("environment"),
			      "%zu bytes in all, at most %d are allowed", total_bytes,
			      LIMIT_ENVIRONMENT_BYTES);
	return ERR_NONE;
}

/* Labels of these names tell drover its own containers. */
#define OWN_LABELS "drover."

enum err_code spec_check_labels(const struct pairs *labels, struct spot spot, struct err *err)
{
	for (size_t i = 0; i < labels->n; i++) {
		const char *key = labels->items[i].key;
		if (!key[0])
			return refuse(err, ERR_INVALID, spot, "a label has no name");
		if (strncmp(key, OWN_LABELS, strlen(OWN_LABELS)) == 0)
			return refuse(err, ERR_INVALID, spot_of_key(spot, key),
				      "\"%.*s\": labels that start with \"" OWN_LABELS
				      "\" are drover's own",
				      SHOWN_BYTES, key);
	}
	return ERR_NONE;
}

/* Labels of these names tell Docker Compose its own containers: it would stop and remove ours. */
#define COMPOSE_LABELS "com.docker.compose"

static enum err_code check_container_labels(const struct pairs *labels, struct err *err)
{
	for (size_t i = 0; i < labels->n; i++)
		if (strncmp(labels->items[i].key, COMPOSE_LABELS, strlen(COMPOSE_LABELS)) == 0)
			return refuse(err, ERR_INVALID,
				      spot_of_key(AT("labels"), labels->items[i].key),
				      "\"%.*s\": labels that start with \"" COMPOSE_LABELS
				      "\" are Docker Compose's own",
				      SHOWN_BYTES, labels->items[i].key);
	return spec_check_labels(labels, AT("labels"), err);
}

static enum err_code check_names(const struct job_spec *spec, struct err *err)
{
	if (spec->working_dir && spec->working_dir[0] != '/')
		return refuse(err, ERR_INVALID, AT("working_dir"),
			      "\"%.*s\" is not an absolute path", SHOWN_BYTES, spec->working_dir);
	if (spec->user && !spec->user[0])
		return refuse(err, ERR_INVALID, AT("user"), "an empty text names no user");
	if (spec->hostname && !is_hostname(spec->hostname))
		return refuse(err, ERR_INVALID, AT("hostname"),
			      "\"%.*s\" is not a host name: labels of letters, digits and inner "
			      "'-', at most 63 each",
			      SHOWN_BYTES, spec->hostname);
	if (spec->stop_signal && !is_signal(spec->stop_signal))
		return refuse(err, ERR_INVALID, AT("stop_signal"),
			      "\"%.*s\" is not a signal like SIGTERM or 15", SHOWN_BYTES,
			      spec->stop_signal);
	return ERR_NONE;
}

static enum err_code check_capabilities(const struct strings *capabilities, const char *field,
					struct err *err)
{
	for (size_t i = 0; i < capabilities->n; i++) {
		const char *name = capabilities->items[i];
		size_t len = 0;
		while ((name[len] >= 'A' && name[len] <= 'Z') || name[len] == '_' ||
		       (name[len] >= 'a' && name[len] <= 'z') ||
		       (len && name[len] >= '0' && name[len] <= '9'))
			len++;
		if (!len || name[len])
			return refuse(err, ERR_INVALID, AT_ITEM(field, i),
				      "\"%.*s\" is not a capability like NET_ADMIN or ALL",
				      SHOWN_BYTES, name);
	}
	return ERR_NONE;
}

static enum err_code check_ulimit(const struct job_spec *spec, size_t i, struct err *err)
{
	static const char *const names[] = {
		"core",	  "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
		"nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"
	};
	const struct ulimit *ulimit = &spec->ulimits.items[i];
	bool known = false;
	for (size_t j = 0; j < ARRAY_LEN(names); j++)
		known |= ulimit->name && strcmp(names[j], ulimit->name) == 0;
	if (!known)
		return refuse(err, ERR_INVALID, AT_MEMBER("ulimits", i, "name"),
			      "\"%.*s\" is not a resource limit like nofile or nproc", SHOWN_BYTES,
			      ulimit->name ? ulimit->name : "");
	for (size_t j = 0; j < i; j++)
		if (strcmp(spec->ulimits.items[j].name, ulimit->name) == 0)
			return refuse(err, ERR_INVALID, AT_MEMBER("ulimits", i, "name"),
				      "\"%s\" is written twice", ulimit->name);
	/* -1 is no limit, above every number. */
	bool above = ulimit->hard >= 0 && (ulimit->soft < 0 || ulimit->soft > ulimit->hard);
	if (above)
		return refuse(err, ERR_INVALID, AT_MEMBER("ulimits", i, "soft"),
			      "%lld is above the hard limit of %lld (-1 is no limit)",
			      (long long)ulimit->soft, (long long)ulimit->hard);
	return ERR_NONE;
}

static enum err_code check_kernel(const struct job_spec *spec, struct err *err)
{
	enum err_code code = check_capabilities(&spec->cap_add, "cap_add", err);
	if (!code)
		code = check_capabilities(&spec->cap_drop, "cap_drop", err);
	for (size_t i = 0; !code && i < spec->ulimits.n; i++)
		code = check_ulimit(spec, i, err);
	for (size_t i = 0; !code && i < spec->sysctls.n; i++) {
		const struct pair *pair = &spec->sysctls.items[i];
		if (!pair->key[0] || !pair->value)
			code = refuse(err, ERR_INVALID, spot_of_key(AT("sysctls"), pair->key),
				      "\"%.*s\" needs a name and a value", SHOWN_BYTES, pair->key);
	}
	return code;
}

static enum err_code check_health(const struct health_check *health, struct err *err)
{
	if (!health->test.n)
		return ERR_NONE;
	const char *form = health->test.items[0];
	size_t n = health->test.n;
	if (strcmp(form, "NONE") == 0)
		return n == 1 ? ERR_NONE
			      : refuse(err, ERR_INVALID, AT("health_check.test"),
				       "nothing may follow NONE");
	if (strcmp(form, "CMD") == 0)
		return n > 1 ? ERR_NONE
			     : refuse(err, ERR_INVALID, AT("health_check.test"),
				      "a command must follow CMD");
	if (strcmp(form, "CMD-SHELL") == 0)
		return n == 2 ? ERR_NONE
			      : refuse(err, ERR_INVALID, AT("health_check.test"),
				       "one text must follow CMD-SHELL, here are %zu", n - 1);
	return refuse(err, ERR_INVALID, AT("health_check.test"),
		      "starts with \"%.*s\" instead of NONE, CMD or CMD-SHELL", SHOWN_BYTES, form);
}

static enum err_code check_logging(const struct logging *logging, struct err *err)
{
	if (logging->driver && !logging->driver[0])
		return refuse(err, ERR_INVALID, AT("logging.driver"),
			      "an empty text names no driver");
	for (size_t i = 0; i < logging->options.n; i++)
		if (!logging->options.items[i].key[0] || !logging->options.items[i].value)
			return refuse(err, ERR_INVALID, AT("logging.options"),
				      "\"%.*s\" needs a name and a value", SHOWN_BYTES,
				      logging->options.items[i].key);
	return ERR_NONE;
}

enum err_code spec_check_process(const struct job_spec *spec, struct err *err)
{
	enum err_code code = check_image(spec->image, err);
	if (!code)
		code = check_platform(spec->platform, err);
	if (!code)
		code = check_command(spec, err);
	if (!code)
		code = check_environment(&spec->environment, err);
	if (!code)
		code = check_names(spec, err);
	if (!code)
		code = check_kernel(spec, err);
	if (!code)
		code = check_container_labels(&spec->labels, err);
	if (!code)
		code = spec_check_labels(&spec->job_labels, AT("job_labels"), err);
	if (!code)
		code = check_logging(&spec->logging, err);
	return code ? code : check_health(&spec->health_check, err);
}
