/* What separates a container from its machine: privileges, namespaces, devices. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "compose/keys.h"
#include "compose/paths.h"
#include "compose/service.h"

/* The modes that join another container's. */
static bool joins_another(const char *word)
{
	return strncmp(word, "service:", 8) == 0 || strncmp(word, "container:", 10) == 0;
}

static enum err_code fail_joining(const struct at *at, const char *word, struct err *err)
{
	return at_fail(at, err, ERR_UNSUPPORTED,
		       "%s %s is refused: a task is one container, placed and restarted by itself, "
		       "and the tasks of two services need not be on one machine",
		       at->name, word);
}

static enum err_code read_host_only(const struct at *at, bool *host, struct err *err)
{
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (code)
		return code;
	if (joins_another(word))
		return fail_joining(at, word, err);
	if (strcmp(word, "host") != 0)
		return fail_type(at, "host", err);
	*host = true;
	return ERR_NONE;
}

enum err_code read_host_namespace(const struct at *at, void *bool_pointer, struct err *err)
{
	return read_host_only(at, bool_pointer, err);
}

enum err_code read_ipc(const struct at *at, void *int_pointer, struct err *err)
{
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (code)
		return code;
	if (joins_another(word))
		return fail_joining(at, word, err);
	if (!enum_value(ipc_mode_names, word, int_pointer) || *(int *)int_pointer == IPC_DEFAULT)
		return fail_type(at, "none, private, shareable or host", err);
	return ERR_NONE;
}

enum err_code read_network_mode(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (code)
		return code;
	if (joins_another(word))
		return fail_joining(at, word, err);
	service->network_mode_written = true;
	if (strcmp(word, "bridge") == 0)
		return ERR_NONE;
	int *mode = &service->isolation.network_mode;
	if (!enum_value(network_mode_names, word, mode) || *mode == NETWORK_MODE_PROJECT)
		return fail_type(at, "none, host or bridge", err);
	return ERR_NONE;
}

/* The profile itself travels: the machine that runs the container does not have the file. */
static enum err_code add_profile(const struct at *at, const char *name, struct strings *options,
				 struct err *err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *profile = NULL;
	size_t len = 0;
	enum err_code code = path_resolve(at, name, &path, err);
	if (!code)
		code = load_read(at, "seccomp profile", path, &profile, &len, err);
	if (code)
		return code;
	struct text option;
	text_init(&option, LIMIT_STRING_BYTES);
	text_addf(&option, "seccomp=%s", profile);
	if (option.cut)
		code = at_fail(at, err, ERR_TOO_LARGE, "the profile %s is larger than %d KB", path,
			       LIMIT_STRING_BYTES / 1024);
	else
		strings_add(options, text_string(&option));
	text_release(&option);
	return code;
}

/* "KEY=VALUE", also written with ':'; one form is kept. */
static enum err_code read_security_item(const struct at *at, void *target, struct err *err)
{
	struct strings *options = target;
	const char *text;
	enum err_code code = get_string(at, &text, err);
	if (code)
		return code;
	size_t key_len = strcspn(text, "=:");
	const char *value = text[key_len] ? text + key_len + 1 : "true";
	struct text option;
	text_init(&option, LIMIT_STRING_BYTES);
	text_addf(&option, "%.*s=%s", (int)key_len, text, value);
	at_origin(at, "isolation.security_opt[%zu]", options->n);
	/* A profile in place of its file is what `drover config` prints. */
	if (security_opt_is_profile(text_string(&option)) && *value != '{')
		code = add_profile(at, value, options, err);
	else
		strings_add(options, text_string(&option));
	text_release(&option);
	return code;
}

enum err_code read_security_opt(const struct at *at, void *strings, struct err *err)
{
	return read_each_item(at, read_security_item, strings, err);
}

/* A number or a name. */
static enum err_code read_group(const struct at *at, void *strings, struct err *err)
{
	const char *text;
	enum err_code code = get_scalar(at, &text, err);
	if (!code)
		strings_add(strings, text);
	return code;
}

enum err_code read_groups(const struct at *at, void *strings, struct err *err)
{
	return read_each_item(at, read_group, strings, err);
}

static struct device_request *add_request(const struct at *at, struct service *service)
{
	at_origin(at, "isolation.device_requests[%zu]", service->isolation.device_requests.n);
	return list_add(&service->isolation.device_requests, sizeof(struct device_request));
}

/* "vendor.com/class=name" is a device that Docker finds by that name. */
static bool is_cdi_name(const char *text)
{
	return text[0] != '/' && strchr(text, '/') && strchr(text, '=');
}

/* The two parts after the first colon may be a path, permissions, or both. */
static enum err_code split_device(const struct at *at, const char *text, struct device *device,
				  struct err *err)
{
	const char *first = strchr(text, ':');
	const char *second = first ? strchr(first + 1, ':') : NULL;
	if (second && strchr(second + 1, ':'))
		return at_fail(at, err, ERR_INVALID,
			       "expected SOURCE[:TARGET[:PERMISSIONS]], found \"%s\"", text);
	device->source = base_strndup(text, first ? (size_t)(first - text) : strlen(text));
	if (second) {
		device->target = base_strndup(first + 1, (size_t)(second - first - 1));
		string_set(&device->permissions, second + 1);
	} else if (first) {
		string_set(first[1] == '/' ? &device->target : &device->permissions, first + 1);
	}
	return ERR_NONE;
}

/* What is written as its default is kept as not written. */
static void settle_device(struct device *device)
{
	if (device->target && strcmp(device->target, device->source) == 0)
		string_set(&device->target, NULL);
	if (device->permissions && strcmp(device->permissions, "rwm") == 0)
		string_set(&device->permissions, NULL);
}

static enum err_code read_device(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	const char *text = NULL;
	enum err_code code = at->node->kind == TREE_MAP ? ERR_NONE : get_string(at, &text, err);
	if (code)
		return code;
	if (text && is_cdi_name(text)) {
		struct device_request *request = add_request(at, service);
		string_set(&request->driver, DEVICE_DRIVER_CDI);
		strings_add(&request->device_ids, text);
		return ERR_NONE;
	}
	at_origin(at, "isolation.devices[%zu]", service->isolation.devices.n);
	struct device *device = list_add(&service->isolation.devices, sizeof(*device));
	code = text ? split_device(at, text, device, err)
		    : keys_read(at, SECTION_DEVICE, device, err);
	if (!code && !device->source)
		code = at_fail(at, err, ERR_INVALID, "a device needs a source");
	if (!code)
		settle_device(device);
	return code;
}

enum err_code read_devices(const struct at *at, void *service, struct err *err)
{
	return read_each_item(at, read_device, service, err);
}

enum err_code read_device_count(const struct at *at, void *int64, struct err *err)
{
	if (at->node->kind == TREE_SCALAR && strcmp(at->node->text, "all") == 0) {
		*(int64_t *)int64 = -1;
		return ERR_NONE;
	}
	return get_integer(at, -1, LIMIT_DEVICES, int64, err);
}

static enum err_code read_request_at(const struct at *at, enum section_id section,
				     struct device_request *request, struct err *err)
{
	enum err_code code = keys_read(at, section, request, err);
	if (!code && !tree_get(at->node, "count") && !tree_get(at->node, "device_ids"))
		request->count = -1;
	return code;
}

static enum err_code read_request(const struct at *at, void *target, struct err *err)
{
	struct device_request *request = add_request(at, target);
	enum err_code code = read_request_at(at, SECTION_DEVICE_REQUEST, request, err);
	if (!code && !tree_get(at->node, "capabilities"))
		code = at_fail(at, err, ERR_INVALID,
			       "a reservation of devices needs capabilities: [gpu]");
	return code;
}

enum err_code read_device_requests(const struct at *at, void *service, struct err *err)
{
	return read_each_item(at, read_request, service, err);
}

static enum err_code read_gpu(const struct at *at, void *target, struct err *err)
{
	struct device_request *request = add_request(at, target);
	enum err_code code = read_request_at(at, SECTION_GPU, request, err);
	if (!code && !strings_has(&request->capabilities, "gpu"))
		strings_add(&request->capabilities, "gpu");
	return code;
}

enum err_code read_gpus(const struct at *at, void *target, struct err *err)
{
	const char *word;
	if (at->node->kind == TREE_LIST)
		return read_each_item(at, read_gpu, target, err);
	if (get_string(at, &word, err) || strcmp(word, "all") != 0)
		return fail_type(at, "all or a list", err);
	struct device_request *request = add_request(at, target);
	request->count = -1;
	strings_add(&request->capabilities, "gpu");
	return ERR_NONE;
}
