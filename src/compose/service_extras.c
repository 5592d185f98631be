/* A terminal, names and marks. */
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "compose/dotenv.h"
#include "compose/keys.h"
#include "compose/paths.h"
#include "compose/service.h"
#include "job/syntax.h"

/* "PORT[-PORT][/PROTOCOL]", a range written out. */
static enum err_code read_exposed(const struct at *at, void *target, struct err *err)
{
	struct strings *ports = target;
	const char *text;
	int64_t first = 0;
	enum err_code code = get_scalar(at, &text, err);
	if (code)
		return code;
	size_t ports_len = strcspn(text, "/");
	size_t first_len = strcspn(text, "-/");
	if (parse_int_n(text, first_len, 1, 65535, &first, err))
		return at_blame(at, err);
	int64_t last = first;
	if (first_len < ports_len &&
	    parse_int_n(text + first_len + 1, ports_len - first_len - 1, first, 65535, &last, err))
		return at_blame(at, err);
	const char *protocol = text[ports_len] ? text + ports_len + 1 : "tcp";
	for (; first <= last; first++) {
		char port[64];
		text_print(port, sizeof(port), "%lld/%.*s", (long long)first, 20, protocol);
		if (!is_port_with_protocol(port))
			return at_fail(at, err, ERR_INVALID,
				       "the protocol \"%s\" is none of tcp, udp and sctp",
				       protocol);
		if (!strings_has(ports, port))
			strings_add(ports, port);
	}
	return ERR_NONE;
}

enum err_code read_expose(const struct at *at, void *strings, struct err *err)
{
	return read_each_item(at, read_exposed, strings, err);
}

static enum err_code add_label_file(const struct at *at, void *labels, struct err *err)
{
	const char *name;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	enum err_code code = get_string(at, &name, err);
	if (!code)
		code = path_resolve(at, name, &path, err);
	if (!code)
		code = load_read(at, "label_file", path, &text, &len, err);
	if (code)
		return code;
	struct interpolation interpolation = load_interpolation(at);
	return dotenv_parse(text, len, path, false, &interpolation, labels, err);
}

enum err_code read_label_file(const struct at *at, void *labels, struct err *err)
{
	if (at->node->kind == TREE_LIST)
		return read_each_item(at, add_label_file, labels, err);
	return add_label_file(at, labels, err);
}

enum err_code read_ignored_bool(const struct at *at, void *target, struct err *err)
{
	bool value;
	(void)target;
	return get_bool(at, &value, err);
}

enum err_code read_ignored_string(const struct at *at, void *target, struct err *err)
{
	const char *text;
	(void)target;
	return get_string(at, &text, err);
}

enum err_code read_container_name(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	const char *name;
	enum err_code code = get_string(at, &name, err);
	if (!code && key_check(name, "container_name", err))
		code = at_blame(at, err);
	if (!code)
		string_set(&service->container_name, name);
	return code;
}

/* Names of containers are drover's; what others know this one by is a name in its networks. */
enum err_code merge_container_name(const struct at *at, struct service *service, struct err *err)
{
	struct job_spec *spec = &service->spec;
	const char *name = service->container_name;
	if (!name)
		return ERR_NONE;
	struct at key = at_key(at, "container_name");
	if (spec->replicas > 1 || job_spec_is_global(spec))
		return at_fail_key(&key, err, ERR_INVALID,
				   "container_name is the name of one container, but the service "
				   "has more; remove it, or write it under networks.*.aliases");
	for (size_t i = 0; i < spec->networks.n; i++)
		if (strcmp(name, at->name) != 0 &&
		    !strings_has(&spec->networks.items[i].aliases, name))
			strings_add(&spec->networks.items[i].aliases, name);
	return ERR_NONE;
}

static bool depends_on(const struct job_spec *spec, const char *job)
{
	for (size_t i = 0; i < spec->depends_on.n; i++)
		if (!spec->depends_on.items[i].project &&
		    strcmp(spec->depends_on.items[i].job, job) == 0)
			return true;
	return false;
}

void depend_on(const struct at *item, struct service *service, const char *job)
{
	if (depends_on(&service->spec, job))
		return;
	at_origin(item, "depends_on[%zu]", service->spec.depends_on.n);
	struct depend *depend = list_add(&service->spec.depends_on, sizeof(*depend));
	string_set(&depend->job, job);
}

static enum err_code read_link(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	const char *text;
	enum err_code code = get_string(at, &text, err);
	if (code)
		return code;
	size_t len = strcspn(text, ":");
	if (text[len] && (strlen(text + len + 1) != len || memcmp(text + len + 1, text, len) != 0))
		return at_fail(at, err, ERR_UNSUPPORTED,
			       "links %s is refused: a name is one for all in a network; write it "
			       "under networks.*.aliases of %.*s",
			       text, (int)len, text);
	_cleanup_free_ char *job = base_strndup(text, len);
	depend_on(at, service, job);
	return ERR_NONE;
}

enum err_code read_links(const struct at *at, void *service, struct err *err)
{
	return read_each_item(at, read_link, service, err);
}
