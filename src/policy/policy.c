/* Invariants:
 * 1. What no list names is refused; a list that is not written names nothing but the defaults of its row.
 * 2. Every refusal names the line that would allow it.
 * 3. No path is allowed that a job could replace: none below a folder that jobs may write to, listed or not. */
#include "policy/policy.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "compose/yaml_tree.h"
#include "job/address.h"

#define POLICY_PATHS_HINT "a path or {path: PATH, read_only: true}"

struct key_row {
	const char *name;
	const char *noun;	     /* "capability": begins a refusal */
	const char *const *defaults; /* allowed without a line; ends with NULL */
};

static const char *const nothing[] = { NULL };
static const char *const local_driver[] = { "local", NULL };
static const char *const bridge_driver[] = { "bridge", NULL };
static const char *const log_drivers[] = { "json-file", "local", "none", "journald", NULL };

/* Docker's own confinement, by name. */
static const char *const security_options[] = { "no-new-privileges=true", "apparmor=docker-default",
						"seccomp=builtin", NULL };
/* Others put an interface of the machine into the bridge, open its containers to the outside, or set sysctls. */
static const char *const network_options[] = { "com.docker.network.bridge.enable_icc",
					       "com.docker.network.bridge.enable_ip_masquerade",
					       "com.docker.network.driver.mtu",
					       "com.docker.network.container_iface_prefix", NULL };
static const char *const runtimes[] = { "runc", "io.containerd.runc.v2", NULL };

static const struct key_row rows[POLICY_KEY_COUNT] = {
	[POLICY_BIND_MOUNTS] = { "bind_mounts", "mounting", nothing },
	[POLICY_CAP_ADD] = { "cap_add", "capability", nothing },
	[POLICY_SYSCTLS] = { "sysctls", "sysctl", nothing },
	[POLICY_IMAGES] = { "images", "image", nothing },
	[POLICY_VOLUME_DRIVERS] = { "volume_drivers", "volume driver", local_driver },
	[POLICY_VOLUME_TYPES] = { "volume_types", "volume type", nothing },
	[POLICY_NETWORK_DRIVERS] = { "network_drivers", "network driver", bridge_driver },
	[POLICY_NETWORKS] = { "networks", "Docker's network", nothing },
	[POLICY_LOG_DRIVERS] = { "log_drivers", "log driver", log_drivers },
	[POLICY_PRIVILEGES] = { "privileges", "privilege", nothing },
	[POLICY_CGROUP_PARENTS] = { "cgroup_parents", "cgroup parent", nothing },
	[POLICY_SECURITY_OPT] = { "security_opt", "security option", security_options },
	[POLICY_RUNTIMES] = { "runtimes", "runtime", runtimes },
	[POLICY_DEVICES] = { "devices", "device", nothing },
	[POLICY_DEVICE_CGROUP_RULES] = { "device_cgroup_rules", "device rule", nothing },
	[POLICY_DEVICE_DRIVERS] = { "device_drivers", "device driver", nothing },
	[POLICY_ANNOTATIONS] = { "annotations", "annotation", nothing },
	[POLICY_NETWORK_OPTIONS] = { "network_options", "network option", network_options },
	[POLICY_SUBNETS] = { "subnets", "subnet", nothing },
};

/* ---- reading ---- */

struct reader {
	const char *file;
	struct policy *policy;
	struct err *err;
};

static enum err_code fail(const struct reader *reader, const struct tree_node *node,
			  const char *key, const char *what)
{
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "%s:%d:%d: %s", reader->file, node->line, node->column,
		   key);
	return err_set_field(reader->err, ERR_INVALID, field, "%s", what);
}

static enum err_code add_word(const struct reader *reader, enum policy_key key,
			      const struct tree_node *node)
{
	struct policy_list *list = &reader->policy->lists[key];
	if (node->kind != TREE_SCALAR || !node->text[0] ||
	    (!node->is_string && tree_scalar_type(node) == SCALAR_NULL))
		return fail(reader, node, rows[key].name, "expected a list of words");
	const char *star = strchr(node->text, '*');
	if (key == POLICY_IMAGES && star && star[1])
		return fail(reader, node, rows[key].name, "'*' stands at the end only");
	struct ip_network network;
	if (key == POLICY_SUBNETS && !ip_network_parse(node->text, &network))
		return fail(reader, node, rows[key].name, "expected subnets like 10.9.0.0/16");
	strings_add(&list->items, node->text);
	return ERR_NONE;
}

static enum err_code add_path(const struct reader *reader, const struct tree_node *node,
			      const char *path, bool read_only)
{
	struct policy *policy = reader->policy;
	struct policy_list *list = &policy->lists[POLICY_BIND_MOUNTS];
	if (!policy_path_is_normal(path))
		return fail(reader, node, rows[POLICY_BIND_MOUNTS].name,
			    "expected an absolute path without \"..\", \".\" and needless slashes");
	policy->bind_read_only =
		base_realloc(policy->bind_read_only, list->items.n + 1, sizeof(bool));
	policy->bind_read_only[list->items.n] = read_only;
	strings_add(&list->items, path);
	return ERR_NONE;
}

static enum err_code read_bind_map(const struct reader *reader, const struct tree_node *map)
{
	const char *path = NULL;
	bool read_only = false;
	for (size_t i = 0; i < map->n; i++) {
		const struct tree_node *key = map->entries[i].key;
		const struct tree_node *value = map->entries[i].value;
		if (value->kind != TREE_SCALAR)
			return fail(reader, value, rows[POLICY_BIND_MOUNTS].name,
				    "expected " POLICY_PATHS_HINT);
		if (strcmp(key->text, "path") == 0) {
			path = value->text;
		} else if (strcmp(key->text, "read_only") == 0 &&
			   tree_scalar_type(value) == SCALAR_BOOL) {
			read_only = strcasecmp(value->text, "true") == 0;
		} else {
			return fail(reader, key, rows[POLICY_BIND_MOUNTS].name,
				    "expected " POLICY_PATHS_HINT);
		}
	}
	if (!path)
		return fail(reader, map, rows[POLICY_BIND_MOUNTS].name,
			    "expected " POLICY_PATHS_HINT);
	return add_path(reader, map, path, read_only);
}

static enum err_code read_item(const struct reader *reader, enum policy_key key,
			       const struct tree_node *node)
{
	if (key != POLICY_BIND_MOUNTS)
		return add_word(reader, key, node);
	if (node->kind == TREE_MAP)
		return read_bind_map(reader, node);
	if (node->kind != TREE_SCALAR)
		return fail(reader, node, rows[key].name, "expected " POLICY_PATHS_HINT);
	return add_path(reader, node, node->text, false);
}

static enum err_code fail_unknown(const struct reader *reader, const struct tree_node *key)
{
	struct text known;
	text_init(&known, ERR_MESSAGE_MAX - 1);
	text_add(&known, "a policy has ");
	for (size_t i = 0; i < POLICY_KEY_COUNT; i++)
		text_addf(&known, "%s%s",
			  !i			     ? ""
			  : i + 1 < POLICY_KEY_COUNT ? ", "
						     : " and ",
			  rows[i].name);
	fail(reader, key, key->text, text_string(&known));
	text_release(&known);
	return ERR_INVALID;
}

static enum err_code read_key(const struct reader *reader, const struct tree_entry *entry)
{
	size_t key = 0;
	while (key < POLICY_KEY_COUNT && strcmp(rows[key].name, entry->key->text) != 0)
		key++;
	if (key == POLICY_KEY_COUNT)
		return fail_unknown(reader, entry->key);
	const struct tree_node *value = entry->value;
	reader->policy->lists[key].line = entry->key->line;
	if (value->kind != TREE_LIST)
		return fail(reader, value, rows[key].name, "expected a list");
	if (value->n > LIMIT_LIST_ITEMS)
		return fail(reader, value, rows[key].name, "the list is too long");
	for (size_t i = 0; i < value->n; i++) {
		enum err_code code = read_item(reader, (enum policy_key)key, value->items[i]);
		if (code)
			return code;
	}
	return ERR_NONE;
}

static enum err_code read_root(const struct reader *reader, const struct tree_node *root)
{
	if (!root)
		return ERR_NONE;
	if (root->kind == TREE_SCALAR && tree_scalar_type(root) == SCALAR_NULL)
		return ERR_NONE;
	if (root->kind != TREE_MAP)
		return fail(reader, root, "", "a policy is a mapping of lists");
	for (size_t i = 0; i < root->n; i++) {
		enum err_code code = read_key(reader, &root->entries[i]);
		if (code)
			return code;
	}
	return ERR_NONE;
}

enum err_code policy_parse(const char *text, size_t len, const char *file,
			   struct policy *ret_policy, struct err *err)
{
	struct policy policy = { .file = base_strdup(file) };
	struct tree tree = { 0 };
	struct reader reader = { file, &policy, err };
	enum err_code code = tree_parse(text, len, file, &tree, err);
	if (!code) {
		code = read_root(&reader, tree.root);
		tree_release(&tree);
	}
	if (code)
		policy_release(&policy);
	else
		*ret_policy = policy;
	return code;
}

void policy_release(struct policy *policy)
{
	for (size_t i = 0; i < POLICY_KEY_COUNT; i++)
		strings_release(&policy->lists[i].items);
	base_free(policy->bind_read_only);
	base_free(policy->file);
	*policy = (struct policy){ 0 };
}

/* ---- refusing ---- */

static enum err_code refuse(const struct policy *policy, enum policy_key key, const char *what,
			    struct err *err)
{
	const struct policy_list *list = &policy->lists[key];
	if (list->line)
		return err_set(err, ERR_FORBIDDEN,
			       "%s %s is not allowed on this machine; its owner can add it to %s, "
			       "line %d of %s",
			       rows[key].noun, what, rows[key].name, list->line, policy->file);
	return err_set(err, ERR_FORBIDDEN,
		       "%s %s is not allowed on this machine; its owner can add the line \"%s: "
		       "[%s]\" to %s",
		       rows[key].noun, what, rows[key].name, what, policy->file);
}

/* Is the word one of the list, or allowed without a line? */
static bool names(const struct policy *policy, enum policy_key key, const char *word)
{
	for (size_t i = 0; rows[key].defaults[i]; i++)
		if (strcmp(rows[key].defaults[i], word) == 0)
			return true;
	return strings_has(&policy->lists[key].items, word);
}

static enum err_code check_word(const struct policy *policy, enum policy_key key, const char *word,
				struct err *err)
{
	return names(policy, key, word) ? ERR_NONE : refuse(policy, key, word, err);
}

static const char *without_prefix(const char *capability)
{
	return strncasecmp(capability, "CAP_", 4) == 0 ? capability + 4 : capability;
}

static enum err_code check_capability(const struct policy *policy, const char *capability,
				      struct err *err)
{
	const struct strings *allowed = &policy->lists[POLICY_CAP_ADD].items;
	for (size_t i = 0; i < allowed->n; i++)
		if (strcasecmp(without_prefix(allowed->items[i]), without_prefix(capability)) == 0)
			return ERR_NONE;
	return refuse(policy, POLICY_CAP_ADD, capability, err);
}

static bool image_matches(const char *pattern, const char *image)
{
	size_t len = strlen(pattern);
	if (len && pattern[len - 1] == '*')
		return strncmp(pattern, image, len - 1) == 0;
	/* A pattern without a tag or digest stands for all of them. */
	return strncmp(pattern, image, len) == 0 &&
	       (!image[len] || image[len] == ':' || image[len] == '@');
}

static enum err_code check_image(const struct policy *policy, const char *image, struct err *err)
{
	const struct policy_list *list = &policy->lists[POLICY_IMAGES];
	if (!list->line || !image)
		return ERR_NONE;
	for (size_t i = 0; i < list->items.n; i++)
		if (image_matches(list->items.items[i], image))
			return ERR_NONE;
	return refuse(policy, POLICY_IMAGES, image, err);
}

const char *policy_volume_path(const struct volume_spec *volume)
{
	const char *device = pairs_get(&volume->driver_opts, "device");
	if (!device || (volume->driver && strcmp(volume->driver, "local") != 0))
		return NULL;
	const char *type = pairs_get(&volume->driver_opts, "type");
	/* A mount of no type of its own is a bind mount, or fails. */
	return !type || !*type || strcmp(type, "none") == 0 ? device : NULL;
}

static enum err_code check_volume(const struct policy *policy, const struct volume_spec *volume,
				  struct err *err)
{
	const char *driver = volume->driver ? volume->driver : "local";
	const char *type = pairs_get(&volume->driver_opts, "type");
	const char *options = pairs_get(&volume->driver_opts, "o");
	enum err_code code = check_word(policy, POLICY_VOLUME_DRIVERS, driver, err);
	if (code || strcmp(driver, "local") != 0)
		return code;
	/* "type: ext4, o: bind" is a bind mount all the same. */
	if (options && strstr(options, "bind") && !policy_volume_path(volume))
		return refuse(policy, POLICY_VOLUME_TYPES, "bind", err);
	if (type && *type && strcmp(type, "none") != 0)
		return check_word(policy, POLICY_VOLUME_TYPES, type, err);
	return ERR_NONE;
}

/* Joining one of Docker's own networks leaves the container's isolation. */
static bool is_dockers_own(const char *network)
{
	return strcmp(network, "host") == 0 || strcmp(network, "none") == 0 ||
	       strcmp(network, "bridge") == 0 || strcmp(network, "default") == 0;
}

static enum err_code check_options(const struct policy *policy, const struct pairs *options,
				   struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < options->n; i++)
		code = check_word(policy, POLICY_NETWORK_OPTIONS, options->items[i].key, err);
	return code;
}

/* A subnet of a job's own choice takes the place of whatever lies there: the machine would send a container what is
 * meant for its name server. */
static enum err_code check_subnet(const struct policy *policy, const char *text, struct err *err)
{
	const struct strings *listed = &policy->lists[POLICY_SUBNETS].items;
	struct ip_network subnet;
	bool good = text && ip_network_parse(text, &subnet);
	for (size_t i = 0; good && i < listed->n; i++) {
		struct ip_network network;
		if (ip_network_parse(listed->items[i], &network) &&
		    network.prefix_bits <= subnet.prefix_bits &&
		    ip_network_has(&network, &subnet.address))
			return ERR_NONE;
	}
	return refuse(policy, POLICY_SUBNETS, text ? text : "", err);
}

static enum err_code check_ipam(const struct policy *policy, const struct ipam *ipam,
				struct err *err)
{
	enum err_code code = ERR_NONE;
	if (ipam && ipam->driver)
		code = check_word(policy, POLICY_NETWORK_DRIVERS, ipam->driver, err);
	for (size_t i = 0; ipam && !code && i < ipam->pools.n; i++)
		code = check_subnet(policy, ipam->pools.items[i].subnet, err);
	return code;
}

static enum err_code check_network(const struct policy *policy, const char *project,
				   const struct network_spec *network, struct err *err)
{
	const char *driver = network->driver ? network->driver : "bridge";
	_cleanup_free_ char *name = container_network_name(project, network);
	if (is_dockers_own(name))
		return check_word(policy, POLICY_NETWORKS, name, err);
	if (network->external)
		return ERR_NONE;
	enum err_code code = check_ipam(policy, network->ipam, err);
	/* Who allowed another driver allowed what it does. */
	if (!code && strcmp(driver, "bridge") == 0)
		return check_options(policy, &network->driver_opts, err);
	return code ? code : check_word(policy, POLICY_NETWORK_DRIVERS, driver, err);
}

/* More weight than a container has that says nothing. It would starve the machine's own programs, which
 * say nothing either. */
#define USUAL_CPU_SHARES   1024
#define USUAL_BLKIO_WEIGHT 500

static bool outweighs(const struct tuning *tuning)
{
	bool heavy = tuning->blkio_weight > USUAL_BLKIO_WEIGHT;
	for (size_t i = 0; i < tuning->blkio_weight_device.n; i++)
		heavy |= tuning->blkio_weight_device.items[i].weight > USUAL_BLKIO_WEIGHT;
	return heavy;
}

/* What lets a container take from others more than its share. */
static enum err_code check_tuning(const struct policy *policy, const struct tuning *tuning,
				  struct err *err)
{
	enum err_code code = ERR_NONE;
	if (tuning->oom_kill_disable)
		code = check_word(policy, POLICY_PRIVILEGES, "oom_kill_disable", err);
	if (!code && tuning->cpu_shares > USUAL_CPU_SHARES)
		code = check_word(policy, POLICY_PRIVILEGES, "cpu_shares", err);
	if (!code && outweighs(tuning))
		code = check_word(policy, POLICY_PRIVILEGES, "blkio_config", err);
	if (!code && tuning->oom_score_adj < 0)
		code = check_word(policy, POLICY_PRIVILEGES, "oom_score_adj", err);
	if (!code && (tuning->cpu_realtime_period_us || tuning->cpu_realtime_runtime_us))
		code = check_word(policy, POLICY_PRIVILEGES, "cpu_rt", err);
	if (!code && tuning->cgroup_namespace == CGROUP_HOST)
		code = check_word(policy, POLICY_PRIVILEGES, "cgroup=host", err);
	if (!code && tuning->cgroup_parent)
		code = check_word(policy, POLICY_CGROUP_PARENTS, tuning->cgroup_parent, err);
	return code;
}

static enum err_code check_namespaces(const struct policy *policy,
				      const struct isolation *isolation, struct err *err)
{
	const struct {
		bool asked;
		const char *word;
	} words[] = {
		{ isolation->privileged, "privileged" },
		{ isolation->host_users, "userns_mode=host" },
		{ isolation->host_processes, "pid=host" },
		{ isolation->host_names, "uts=host" },
		{ isolation->ipc_mode == IPC_HOST, "ipc=host" },
	};
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < ARRAY_LEN(words); i++)
		if (words[i].asked)
			code = check_word(policy, POLICY_PRIVILEGES, words[i].word, err);
	if (!code && isolation->network_mode == NETWORK_MODE_HOST)
		code = check_word(policy, POLICY_NETWORKS, "host", err);
	return code;
}

/* A device that CDI names is a device by whichever way it is asked for. */
static enum err_code check_request(const struct policy *policy,
				   const struct device_request *request, struct err *err)
{
	const char *driver = request->driver ? request->driver : "any";
	if (strcmp(driver, DEVICE_DRIVER_CDI) != 0)
		return check_word(policy, POLICY_DEVICE_DRIVERS, driver, err);
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < request->device_ids.n; i++)
		code = check_word(policy, POLICY_DEVICES, request->device_ids.items[i], err);
	return code;
}

static enum err_code check_devices(const struct policy *policy, const struct isolation *isolation,
				   struct err *err)
{
	const struct strings *rules = &isolation->device_cgroup_rules;
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < isolation->devices.n; i++)
		code = check_word(policy, POLICY_DEVICES, isolation->devices.items[i].source, err);
	for (size_t i = 0; !code && i < rules->n; i++)
		code = check_word(policy, POLICY_DEVICE_CGROUP_RULES, rules->items[i], err);
	for (size_t i = 0; !code && i < isolation->device_requests.n; i++)
		code = check_request(policy, &isolation->device_requests.items[i], err);
	return code;
}

static bool has_privileged_hook(const struct hooks *hooks)
{
	for (size_t i = 0; i < hooks->post_start.n; i++)
		if (hooks->post_start.items[i].privileged)
			return true;
	for (size_t i = 0; i < hooks->pre_stop.n; i++)
		if (hooks->pre_stop.items[i].privileged)
			return true;
	return false;
}

static enum err_code check_isolation(const struct policy *policy, const struct isolation *isolation,
				     struct err *err)
{
	enum err_code code = check_namespaces(policy, isolation, err);
	for (size_t i = 0; !code && i < isolation->security_opt.n; i++) {
		const char *option = isolation->security_opt.items[i];
		if (security_opt_is_profile(option))
			option = "seccomp=profile";
		code = check_word(policy, POLICY_SECURITY_OPT, option, err);
	}
	if (!code && isolation->runtime)
		code = check_word(policy, POLICY_RUNTIMES, isolation->runtime, err);
	return code ? code : check_devices(policy, isolation, err);
}

static enum err_code check_process(const struct policy *policy, const struct job_spec *spec,
				   struct err *err)
{
	enum err_code code = check_image(policy, spec->image, err);
	for (size_t i = 0; !code && i < spec->cap_add.n; i++)
		code = check_capability(policy, spec->cap_add.items[i], err);
	for (size_t i = 0; !code && i < spec->sysctls.n; i++)
		code = check_word(policy, POLICY_SYSCTLS, spec->sysctls.items[i].key, err);
	if (!code && spec->logging.driver)
		code = check_word(policy, POLICY_LOG_DRIVERS, spec->logging.driver, err);
	if (!code)
		code = check_tuning(policy, job_spec_tuning(spec), err);
	if (!code)
		code = check_isolation(policy, job_spec_isolation(spec), err);
	if (!code && has_privileged_hook(job_spec_hooks(spec)))
		code = check_word(policy, POLICY_PRIVILEGES, "privileged", err);
	/* Runtimes take orders from them, down to which program to run as root. */
	const struct pairs *annotations = &job_spec_extras(spec)->annotations;
	for (size_t i = 0; !code && i < annotations->n; i++)
		code = check_word(policy, POLICY_ANNOTATIONS, annotations->items[i].key, err);
	return code;
}

static enum err_code check_create(const struct policy *policy,
				  const struct container_action *action, struct err *err)
{
	enum err_code code = check_process(policy, action->spec, err);
	for (size_t i = 0; !code && i < action->n_networks; i++)
		code = check_network(policy, action->project, &action->networks[i], err);
	const struct job_spec *spec = action->spec;
	for (size_t i = 0; !code && i < spec->networks.n; i++)
		if (spec->networks.items[i].endpoint)
			code = check_options(policy, &spec->networks.items[i].endpoint->driver_opts,
					     err);
	for (size_t i = 0; !code && i < action->n_volumes; i++)
		code = check_volume(policy, &action->volumes[i], err);
	return code;
}

enum err_code policy_check(const struct policy *policy, const struct container_action *action,
			   struct err *err)
{
	switch (action->verb) {
	case CONTAINER_PULL: return check_image(policy, action->spec->image, err);
	case CONTAINER_CREATE: return check_create(policy, action, err);
	case CONTAINER_NETWORK_ENSURE:
		return check_network(policy, action->project, action->network, err);
	case CONTAINER_VOLUME_ENSURE: return check_volume(policy, action->volume, err);
	default: return ERR_NONE;
	}
}

/* ---- paths ---- */

bool policy_path_is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	if (strcmp(folder, "/") == 0)
		return true;
	return strncmp(path, folder, len) == 0 && (!path[len] || path[len] == '/');
}

bool policy_path_is_normal(const char *path)
{
	if (path[0] != '/' || strlen(path) > LIMIT_PATH_BYTES)
		return false;
	if (!path[1])
		return true;
	for (const char *at = path; *at;) {
		size_t len = strcspn(++at, "/");
		if (!len || (len == 1 && at[0] == '.') || (len == 2 && memcmp(at, "..", 2) == 0))
			return false;
		at += len;
	}
	return true;
}

/* Who may write to a folder may put a link in place of what lies in it, after it was looked at. */
static enum err_code refuse_below(const struct policy *policy, const char *path, const char *above,
				  struct err *err)
{
	return err_set(err, ERR_FORBIDDEN,
		       "mounting %s is not allowed on this machine: jobs may write to %s, and so "
		       "put another thing in its place; mount %s itself, or its owner can list %s "
		       "instead of it in bind_mounts, line %d of %s",
		       path, above, above, path, policy->lists[POLICY_BIND_MOUNTS].line,
		       policy->file);
}

enum err_code policy_check_path(const struct policy *policy, const char *path, bool read_only,
				struct err *err)
{
	const struct policy_list *list = &policy->lists[POLICY_BIND_MOUNTS];
	bool to_read = false, to_write = false;
	for (size_t i = 0; i < list->items.n; i++) {
		const char *listed = list->items.items[i];
		if (!policy_path_is_below(path, listed))
			continue;
		if (policy->bind_read_only[i])
			to_read = true;
		else if (strcmp(path, listed) == 0)
			to_write = true;
		else
			return refuse_below(policy, path, listed, err);
	}
	if (to_write || (to_read && read_only))
		return ERR_NONE;
	if (to_read)
		return err_set(err, ERR_FORBIDDEN,
			       "mounting %s is allowed on this machine to read only: line %d of %s",
			       path, list->line, policy->file);
	return refuse(policy, POLICY_BIND_MOUNTS, path, err);
}
