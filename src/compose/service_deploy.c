/* How many, how long, where, in what order. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "compose/keys.h"
#include "compose/service.h"

/* "on-failure[:n]" with the n. */
static enum err_code read_on_failure(const struct at *at, const char *word,
				     struct restart_policy *policy, struct err *err)
{
	const char *count = word + strlen("on-failure");
	policy->condition = RESTART_ON_FAILURE;
	if (!*count)
		return ERR_NONE;
	return parse_int(count + 1, 0, INT32_MAX, &policy->max_attempts, err) ? at_blame(at, err)
									      : ERR_NONE;
}

/* `no` without quotes is a boolean in YAML 1.1 and the word in YAML 1.2; both mean it. */
static bool is_no(const char *word)
{
	return strcasecmp(word, "no") == 0 || strcasecmp(word, "false") == 0 ||
	       strcasecmp(word, "off") == 0;
}

enum err_code read_restart(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	struct restart_policy *policy = &service->spec.restart;
	const char *word = "";
	if (at->node->kind == TREE_SCALAR && !at_is_null(at)) {
		word = at->node->text;
		/* As where nothing is written. */
		if (!*word)
			return ERR_NONE;
	}
	size_t len = strcspn(word, ":");
	if (is_no(word))
		policy->condition = RESTART_NONE;
	else if (strcmp(word, "always") == 0 || strcmp(word, "unless-stopped") == 0)
		policy->condition = RESTART_ANY;
	else if (len == strlen("on-failure") && strncmp(word, "on-failure", len) == 0)
		return read_on_failure(at, word, policy, err);
	else
		return fail_type(at, "\"no\", always, unless-stopped or on-failure[:n]", err);
	return ERR_NONE;
}

enum err_code read_restart_condition(const struct at *at, void *target, struct err *err)
{
	struct restart_policy *policy = target;
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (!code && !enum_value(restart_condition_names, word, &policy->condition))
		code = fail_type(at, "none, on-failure or any", err);
	return code;
}

/* A written policy stands by itself: nothing of `restart` is left, and its own default is any, as Compose has it. */
enum err_code read_restart_policy(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	struct restart_policy *policy = &service->spec.restart;
	record_release(&restart_policy_type, policy);
	record_init(&restart_policy_type, policy);
	policy->condition = RESTART_ANY;
	return keys_read(at, SECTION_RESTART_POLICY, policy, err);
}

enum err_code read_scale(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	service->scale_written = true;
	service->replicas_written = true;
	return get_integer(at, 0, LIMIT_REPLICAS, &service->spec.replicas, err);
}

enum err_code read_replicas(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	int64_t replicas;
	enum err_code code = get_integer(at, 0, LIMIT_REPLICAS, &replicas, err);
	if (!code && service->scale_written && service->spec.replicas != replicas)
		code = at_fail(at, err, ERR_INVALID,
			       "deploy.replicas is %lld and scale is %lld; write one of them",
			       (long long)replicas, (long long)service->spec.replicas);
	service->replicas_written = true;
	if (!code)
		service->spec.replicas = replicas;
	return code;
}

enum err_code read_mode(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	const char *mode;
	enum err_code code = get_string(at, &mode, err);
	if (!code && !enum_value(job_mode_names, mode, &service->spec.mode))
		code = fail_type(at, "replicated, replicated-job, global or global-job", err);
	return code;
}

/* The one mapping of a service that Compose's schema lets stand empty. */
enum err_code read_deploy(const struct at *at, void *service, struct err *err)
{
	return at_is_null(at) ? ERR_NONE : keys_read(at, SECTION_DEPLOY, service, err);
}

enum err_code read_placement(const struct at *at, void *placement, struct err *err)
{
	return keys_read(at, SECTION_PLACEMENT, placement, err);
}

static enum err_code read_preference(const struct at *at, void *target, struct err *err)
{
	struct strings *preferences = target;
	char *label = NULL;
	enum err_code code = keys_read(at, SECTION_PREFERENCE, &label, err);
	if (!code && !label)
		code = at_fail(at, err, ERR_INVALID, "a preference is spread: LABEL");
	if (!code) {
		at_origin(at, "placement.preferences[%zu]", preferences->n);
		strings_add(preferences, label);
	}
	string_set(&label, NULL);
	return code;
}

enum err_code read_preferences(const struct at *at, void *strings, struct err *err)
{
	return read_each_item(at, read_preference, strings, err);
}

enum err_code read_depend_condition(const struct at *at, void *int_pointer, struct err *err)
{
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (!code && !enum_value(depend_condition_names, word, int_pointer))
		code = fail_type(
			at, "service_started, service_healthy or service_completed_successfully",
			err);
	return code;
}

enum err_code read_depend_required(const struct at *at, void *bool_optional, struct err *err)
{
	bool required;
	enum err_code code = get_bool(at, &required, err);
	if (!code)
		*(bool *)bool_optional = !required;
	return code;
}

/* NAME is a service of this file, or with `elsewhere` PROJECT/SERVICE. */
static enum err_code add_depend(const struct at *at, struct service *service, const char *name,
				bool elsewhere, struct depend **ret_depend, struct err *err)
{
	const char *own = at->load->request->name;
	const char *slash = strchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : 0;
	if (elsewhere && (!len || !slash[1] || strchr(slash + 1, '/')))
		return at_fail(at, err, ERR_INVALID,
			       "\"%s\" is not PROJECT/SERVICE; services of this project are "
			       "written under depends_on of the service",
			       name);
	if (elsewhere && strlen(own) == len && memcmp(own, name, len) == 0)
		return at_fail(at, err, ERR_INVALID,
			       "%s is this project: %s is written under depends_on of the service",
			       own, slash + 1);
	at_origin(at, "depends_on[%zu]", service->spec.depends_on.n);
	struct depend *depend = list_add(&service->spec.depends_on, sizeof(*depend));
	string_set(&depend->job, elsewhere ? slash + 1 : name);
	if (elsewhere)
		depend->project = base_strndup(name, len);
	*ret_depend = depend;
	return ERR_NONE;
}

static enum err_code read_depend_item(const struct at *item, struct service *service,
				      bool elsewhere, struct err *err)
{
	const char *name;
	struct depend *depend;
	enum err_code code = get_string(item, &name, err);
	return code ? code : add_depend(item, service, name, elsewhere, &depend, err);
}

static enum err_code read_own_item(const struct at *item, void *service, struct err *err)
{
	return read_depend_item(item, service, false, err);
}

static enum err_code read_elsewhere_item(const struct at *item, void *service, struct err *err)
{
	return read_depend_item(item, service, true, err);
}

static enum err_code read_depends(const struct at *at, struct service *service, bool elsewhere,
				  struct err *err)
{
	if (at->node->kind == TREE_LIST)
		return read_each_item(at, elsewhere ? read_elsewhere_item : read_own_item, service,
				      err);
	if (at->node->kind != TREE_MAP)
		return fail_type(at, "a list or a mapping of services", err);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < at->node->n; i++) {
		struct at entry;
		struct depend *depend = NULL;
		code = at_entry(at, &at->node->entries[i], &entry, err);
		if (!code)
			code = add_depend(&entry, service, entry.name, elsewhere, &depend, err);
		if (!code)
			code = keys_read(&entry, SECTION_DEPENDS_ON, depend, err);
		if (!code && !tree_get(entry.node, "condition"))
			code = at_fail(&entry, err, ERR_INVALID,
				       "a condition is missing: service_started, "
				       "service_healthy or "
				       "service_completed_successfully");
	}
	return code;
}

enum err_code read_depends_on(const struct at *at, void *service, struct err *err)
{
	return read_depends(at, service, false, err);
}

enum err_code read_depends_elsewhere(const struct at *at, void *service, struct err *err)
{
	return read_depends(at, service, true, err);
}

enum err_code read_drover(const struct at *at, void *service, struct err *err)
{
	return keys_read(at, SECTION_DROVER, service, err);
}

enum err_code read_on_disconnect(const struct at *at, void *int_pointer, struct err *err)
{
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (!code && !enum_value(on_disconnect_names, word, int_pointer))
		code = fail_type(at, "keep or stop", err);
	return code;
}

static enum err_code read_reach(const struct at *at, const struct job_spec *spec, int *reach,
				struct err *err)
{
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (!code && !enum_value(reach_names, word, reach))
		code = fail_type(at, "one-node or per-node", err);
	if (!code && *reach == REACH_ONE_NODE && job_spec_is_global(spec))
		code = at_fail(
			at, err, ERR_INVALID,
			"a service of mode %s runs on each machine, so what it uses cannot be "
			"on one",
			enum_name(job_mode_names, spec->mode));
	return code;
}

enum err_code read_network_reach(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	return read_reach(at, &service->spec, &service->spec.network_reach, err);
}

enum err_code read_volume_reach(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	return read_reach(at, &service->spec, &service->spec.volume_reach, err);
}

enum err_code read_priority(const struct at *at, void *int64, struct err *err)
{
	return get_integer(at, 0, 100, int64, err);
}

enum err_code read_endpoint_mode(const struct at *at, void *service, struct err *err)
{
	const char *word;
	(void)service;
	enum err_code code = get_string(at, &word, err);
	if (code || strcmp(word, "dnsrr") == 0)
		return code;
	if (strcmp(word, "vip") != 0)
		return fail_type(at, "dnsrr", err);
	return at_fail(at, err, ERR_UNSUPPORTED,
		       "endpoint_mode vip is refused: there is no virtual address; the name of a "
		       "service has the addresses of all its tasks: dnsrr");
}
