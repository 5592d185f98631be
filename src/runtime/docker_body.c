/* Rules: nothing is put that the specification did not ask for, except labels, log size limits and the restart policy
 * `no`. What this Engine's API cannot say is an error, never dropped. Compose keys and the fields they become stand in
 * one order here and in docs/ARCHITECTURE.md. */
#include "runtime/docker_body.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "job/engine.h"
#include "runtime/docker_host.h"

#define NS_PER_MS	   1000000
#define NANO_PER_MILLI_CPU 1000000
/* Docker refuses less; the scheduler keeps it free all the same. */
#define MEMORY_RESERVATION_BYTES_MIN (6LL * 1024 * 1024)

/* The scheduler asks for it too, but Docker may have been exchanged since. */
static enum err_code check_engine(enum engine_feature feature, int64_t api_minor, struct err *err)
{
	const struct engine_need *need = &engine_needs[feature];
	if (api_minor >= need->minor)
		return ERR_NONE;
	return err_set(err, ERR_UNSUPPORTED,
		       "%s needs Engine API 1.%lld (Docker %s), this Docker speaks 1.%lld",
		       need->what, (long long)need->minor, need->docker, (long long)api_minor);
}

bool docker_body_needs_entrypoint(const struct job_spec *spec)
{
	return spec->has_command && spec->command.n == 0 && !spec->has_entrypoint;
}

static enum err_code put_command(struct json_build *build, const struct job_spec *spec,
				 const struct docker_body_context *context, struct err *err)
{
	if (spec->has_entrypoint)
		json_put_strings(build, build->root, "Entrypoint", &spec->entrypoint);
	if (spec->has_command)
		json_put_strings(build, build->root, "Cmd", &spec->command);
	if (docker_body_needs_entrypoint(spec)) {
		/* Docker takes an empty command for none; with an entry point of ours it does not. */
		const struct strings *entrypoint = context->image_entrypoint;
		if (!entrypoint || entrypoint->n == 0)
			return err_set(err, ERR_INVALID,
				       "the command is empty and the image has no entry point");
		json_put_strings(build, build->root, "Entrypoint", entrypoint);
	}
	return ERR_NONE;
}

static void add_number(struct json_build *build, json_t *list, const char *name, int64_t number)
{
	char line[64];
	json_add_text(build, list, "Env",
		      text_print(line, sizeof(line), "%s=%lld", name, (long long)number));
}

static void put_environment(struct json_build *build, const struct container_action *action)
{
	const struct job_spec *spec = action->spec;
	if (spec->environment.n == 0 && !spec->array)
		return;
	json_t *list = json_put_list(build->root, "Env");
	struct text line;
	text_init(&line, 1024 * 1024);
	for (size_t i = 0; i < spec->environment.n; i++) {
		const struct pair *pair = &spec->environment.items[i];
		text_clear(&line);
		text_add(&line, pair->key);
		if (pair->value) {
			text_add_char(&line, '=');
			text_add(&line, pair->value);
		}
		json_add_text(build, list, "Env", text_string(&line));
	}
	text_release(&line);
	if (!spec->array)
		return;
	add_number(build, list, ARRAY_INDEX_NAME, array_index(spec->array, action->slot));
	add_number(build, list, ARRAY_SIZE_NAME, array_size(spec->array));
}

static void put_label_int(struct json_build *build, json_t *labels, const char *key, int64_t value)
{
	char text[24];
	json_put_text(build, labels, key, text_print(text, sizeof(text), "%lld", (long long)value));
}

static void put_label_uuid(struct json_build *build, json_t *labels, const char *key,
			   struct uuid value)
{
	char text[UUID_TEXT_SIZE];
	json_put_text(build, labels, key, uuid_format(value, text));
}

static const struct mount *mount_at(const struct job_spec *spec, const char *target)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (strcmp(spec->mounts.items[i].target, target) == 0)
			return &spec->mounts.items[i];
	return NULL;
}

static bool is_anonymous(const struct mount *mount)
{
	return mount->kind == MOUNT_VOLUME && !mount->source;
}

/* Ours last: the user cannot pretend to be us. */
static void put_labels(struct json_build *build, const struct container_action *action,
		       const struct docker_body_context *context)
{
	json_put_pairs(build, build->root, "Labels", &action->spec->labels);
	json_t *labels = json_put_object(build->root, "Labels");
	put_label_uuid(build, labels, LABEL_CLUSTER, action->cluster);
	json_put_text(build, labels, LABEL_PROJECT, action->project);
	json_put_text(build, labels, LABEL_JOB, action->job);
	put_label_uuid(build, labels, LABEL_TASK, action->task.uuid);
	put_label_int(build, labels, LABEL_SLOT, action->slot);
	put_label_int(build, labels, LABEL_ATTEMPT, action->attempt);
	put_label_int(build, labels, LABEL_REVISION, action->revision);
	if (!context->carried || context->carried->n == 0)
		return;
	struct text names;
	text_init(&names, 256 * 1024);
	for (size_t i = 0; i < context->carried->n; i++) {
		const struct pair *pair = &context->carried->items[i];
		const struct mount *mount = mount_at(action->spec, pair->key);
		if (!mount || is_anonymous(mount))
			text_addf(&names, "%s%s", names.len ? "," : "", pair->value);
	}
	json_put_text(build, labels, LABEL_CARRIED, names.len ? text_string(&names) : NULL);
	text_release(&names);
}

static int64_t granted_port(const struct container_action *action, size_t index)
{
	for (size_t i = 0; i < action->n_ports; i++)
		if (action->ports[i].index == (int64_t)index)
			return action->ports[i].host_port;
	return 0;
}

static void put_ports(struct json_build *build, json_t *host, const struct container_action *action)
{
	const struct job_spec *spec = action->spec;
	for (size_t i = 0; i < spec->ports.n; i++) {
		const struct port *port = &spec->ports.items[i];
		char key[32], host_port[24];
		text_print(key, sizeof(key), "%lld/%s", (long long)port->container_port,
			   port->protocol == PORT_UDP ? "udp" : "tcp");
		json_put_object(json_put_object(build->root, "ExposedPorts"), key);
		int64_t granted = granted_port(action, i);
		if (granted == 0 && port->host_first > 0 && port->host_first == port->host_last)
			granted = port->host_first;
		if (granted == 0)
			continue;
		json_t *bindings = json_put_list(json_put_object(host, "PortBindings"), key);
		json_t *binding = json_add_object(bindings);
		json_put_text(build, binding, "HostIp", port->host_ip ? port->host_ip : "");
		json_put_text(build, binding, "HostPort",
			      text_print(host_port, sizeof(host_port), "%lld", (long long)granted));
	}
}

static const struct volume_spec *volume_of(const struct container_action *action, const char *key)
{
	for (size_t i = 0; i < action->n_volumes; i++)
		if (strcmp(action->volumes[i].key, key) == 0)
			return &action->volumes[i];
	return NULL;
}

static json_t *add_mount(struct json_build *build, json_t *host, const char *type,
			 const struct mount *mount)
{
	json_t *item = json_add_object(json_put_list(host, "Mounts"));
	json_put_text(build, item, "Type", type);
	json_put_text(build, item, "Target", mount->target);
	if (mount->read_only)
		json_put_bool(item, "ReadOnly", true);
	return item;
}

static enum err_code put_volume(struct json_build *build, json_t *host,
				const struct container_action *action, const struct mount *mount,
				const struct docker_body_context *context, struct err *err)
{
	json_t *item = add_mount(build, host, "volume", mount);
	if (mount->nocopy)
		json_put_bool(json_put_object(item, "VolumeOptions"), "NoCopy", true);
	if (mount->subpath)
		json_put_text(build, json_put_object(item, "VolumeOptions"), "Subpath",
			      mount->subpath);
	if (mount->labels.n)
		json_put_pairs(build, json_put_object(item, "VolumeOptions"), "Labels",
			       &mount->labels);
	if (!mount->source) {
		const char *carried =
			context->carried ? pairs_get(context->carried, mount->target) : NULL;
		json_put_text(build, item, "Source", carried);
		return ERR_NONE;
	}
	const struct volume_spec *volume = volume_of(action, mount->source);
	if (!volume)
		return err_set(err, ERR_INVALID, "volume %s is not one of the project's",
			       mount->source);
	char *name = container_volume_name(action->project, volume);
	json_put_text(build, item, "Source", name);
	base_free(name);
	return ERR_NONE;
}

static void put_recursion(json_t *options, const struct mount *mount)
{
	switch ((enum mount_recursive)mount->recursive) {
	case RECURSIVE_ENABLED: break;
	case RECURSIVE_DISABLED: json_put_bool(options, "NonRecursive", true); break;
	case RECURSIVE_WRITABLE: json_put_bool(options, "ReadOnlyNonRecursive", true); break;
	case RECURSIVE_READONLY: json_put_bool(options, "ReadOnlyForceRecursive", true); break;
	}
}

static void put_bind_long(struct json_build *build, json_t *host, const struct mount *mount)
{
	json_t *item = add_mount(build, host, "bind", mount);
	json_put_text(build, item, "Source", mount->source);
	if (mount->propagation)
		json_put_text(build, json_put_object(item, "BindOptions"), "Propagation",
			      mount->propagation);
	if (mount->recursive)
		put_recursion(json_put_object(item, "BindOptions"), mount);
	if (mount->recursive && mount->create_host_path)
		json_put_bool(json_put_object(item, "BindOptions"), "CreateMountpoint", true);
}

/* The options of the short form: "ro,Z,rslave". */
static void add_bind_options(struct text *line, const struct mount *mount)
{
	const char *const options[] = {
		mount->read_only ? "ro" : NULL,
		mount->selinux ? enum_name(mount_selinux_names, mount->selinux) : NULL,
		mount->propagation,
	};
	bool any = false;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (options[i])
			text_addf(line, "%s%s", any ? "," : ":", options[i]);
		any |= options[i] != NULL;
	}
}

/* The short form makes a missing source folder with every Docker, but has no way to write a ':' in a path, nor what
 * becomes of mounts below it. */
static enum err_code put_bind(struct json_build *build, json_t *host, const struct mount *mount,
			      struct err *err)
{
	if (!mount->source)
		return err_set(err, ERR_INVALID, "the bind mount at %s has no source",
			       mount->target);
	if (!mount->create_host_path || mount->recursive) {
		put_bind_long(build, host, mount);
		return ERR_NONE;
	}
	if (strchr(mount->source, ':') || strchr(mount->target, ':'))
		return err_set(err, ERR_UNSUPPORTED,
			       "the bind mount %s: a path with ':' cannot be made by Docker; "
			       "set create_host_path: false",
			       mount->source);
	struct text line;
	text_init(&line, 16 * 1024);
	text_addf(&line, "%s:%s", mount->source, mount->target);
	add_bind_options(&line, mount);
	json_add_text(build, json_put_list(host, "Binds"), "Binds", text_string(&line));
	text_release(&line);
	return ERR_NONE;
}

static void put_tmpfs(struct json_build *build, json_t *host, const struct mount *mount)
{
	if (mount->tmpfs_options) {
		json_put_text(build, json_put_object(host, "Tmpfs"), mount->target,
			      mount->tmpfs_options);
		return;
	}
	json_t *item = add_mount(build, host, "tmpfs", mount);
	if (mount->tmpfs_size_bytes)
		json_put_int(json_put_object(item, "TmpfsOptions"), "SizeBytes",
			     mount->tmpfs_size_bytes);
	if (mount->tmpfs_mode)
		json_put_int(json_put_object(item, "TmpfsOptions"), "Mode", mount->tmpfs_mode);
}

/* Volumes the image declares, of the attempt before: the specification does not name their targets. */
static void put_carried(struct json_build *build, json_t *host, const struct job_spec *spec,
			const struct pairs *carried)
{
	for (size_t i = 0; carried && i < carried->n; i++) {
		const struct pair *pair = &carried->items[i];
		if (mount_at(spec, pair->key))
			continue;
		const struct mount mount = { .target = pair->key };
		json_put_text(build, add_mount(build, host, "volume", &mount), "Source",
			      pair->value);
	}
}

/* The worker has put the files there, named by their number. */
static void put_contents(struct json_build *build, json_t *host,
			 const struct container_action *action)
{
	for (size_t i = 0; i < job_spec_n_contents(action->spec); i++) {
		int kind;
		const struct content_use *use = job_spec_content(action->spec, i, &kind);
		_cleanup_free_ char *target = content_use_target(kind, use);
		char source[LIMIT_PATH_BYTES];
		PRE(action->files);
		text_print(source, sizeof(source), "%s/%zu", action->files, i);
		json_t *mount = json_add_object(json_put_list(host, "Mounts"));
		json_put_text(build, mount, "Type", "bind");
		json_put_text(build, mount, "Source", source);
		json_put_text(build, mount, "Target", target);
		json_put_bool(mount, "ReadOnly", true);
	}
}

static enum err_code put_mounts(struct json_build *build, json_t *host,
				const struct container_action *action,
				const struct docker_body_context *context, struct err *err)
{
	for (size_t i = 0; i < action->spec->mounts.n; i++) {
		const struct mount *mount = &action->spec->mounts.items[i];
		enum err_code code = ERR_NONE;
		if (mount->kind == MOUNT_VOLUME)
			code = put_volume(build, host, action, mount, context, err);
		else if (mount->kind == MOUNT_BIND)
			code = put_bind(build, host, mount, err);
		else
			put_tmpfs(build, host, mount);
		if (code)
			return code;
	}
	put_contents(build, host, action);
	put_carried(build, host, action->spec, context->carried);
	return ERR_NONE;
}

/* The default driver's files would grow until the disk is full. */
static void put_logging(struct json_build *build, json_t *host, const struct logging *logging)
{
	const char *driver = logging_driver(logging);
	json_t *config = json_put_object(host, "LogConfig");
	json_put_text(build, config, "Type", driver);
	json_put_pairs(build, config, "Config", &logging->options);
	json_t *options = json_put_object(config, "Config");
	if (!log_driver_has_sizes(driver))
		return;
	if (!pairs_get(&logging->options, "max-size"))
		json_put_text(build, options, "max-size", LOG_SIZE_DEFAULT);
	if (!pairs_get(&logging->options, "max-file"))
		json_put_text(build, options, "max-file", LOG_FILES_DEFAULT);
}

static void put_ns(json_t *object, const char *key, int64_t duration_ms)
{
	if (duration_ms)
		json_put_int(object, key, duration_ms * NS_PER_MS);
}

static void put_health_check(struct json_build *build, const struct job_spec *spec)
{
	const struct health_check *check = &spec->health_check;
	/* The check that the worker makes takes the place of the image's. */
	if (check->disabled || spec->probe) {
		json_t *test = json_put_list(json_put_object(build->root, "Healthcheck"), "Test");
		json_add_text(build, test, "Healthcheck", "NONE");
		return;
	}
	if (check->test.n == 0 && !check->interval_ms && !check->timeout_ms && !check->retries &&
	    !check->start_period_ms && !check->start_interval_ms)
		return;
	json_t *health = json_put_object(build->root, "Healthcheck");
	if (check->test.n > 0)
		json_put_strings(build, health, "Test", &check->test);
	put_ns(health, "Interval", check->interval_ms);
	put_ns(health, "Timeout", check->timeout_ms);
	put_ns(health, "StartPeriod", check->start_period_ms);
	if (check->retries)
		json_put_int(health, "Retries", check->retries);
	put_ns(health, "StartInterval", check->start_interval_ms);
}

static void put_ulimits(struct json_build *build, json_t *host, const struct job_spec *spec)
{
	for (size_t i = 0; i < spec->ulimits.n; i++) {
		const struct ulimit *ulimit = &spec->ulimits.items[i];
		json_t *item = json_add_object(json_put_list(host, "Ulimits"));
		json_put_text(build, item, "Name", ulimit->name);
		json_put_int(item, "Soft", ulimit->soft);
		json_put_int(item, "Hard", ulimit->hard);
	}
}

static void put_host(struct json_build *build, json_t *host, const struct job_spec *spec)
{
	json_put_text(build, json_put_object(host, "RestartPolicy"), "Name", "no");
	if (spec->init != UNSET)
		json_put_bool(host, "Init", spec->init == YES);
	if (spec->read_only)
		json_put_bool(host, "ReadonlyRootfs", true);
	put_list(build, host, "CapAdd", &spec->cap_add);
	put_list(build, host, "CapDrop", &spec->cap_drop);
	put_list(build, host, "ExtraHosts", &spec->extra_hosts);
	put_list(build, host, "Dns", &spec->dns);
	if (spec->sysctls.n > 0)
		json_put_pairs(build, host, "Sysctls", &spec->sysctls);
	put_ulimits(build, host, spec);
	if (spec->shm_size_bytes)
		json_put_int(host, "ShmSize", spec->shm_size_bytes);
	if (spec->limits.memory_bytes)
		json_put_int(host, "Memory", spec->limits.memory_bytes);
	if (spec->limits.cpu_milli)
		json_put_int(host, "NanoCpus", spec->limits.cpu_milli * NANO_PER_MILLI_CPU);
	if (spec->limits.pids)
		json_put_int(host, "PidsLimit", spec->limits.pids);
	if (spec->reservations.memory_bytes >= MEMORY_RESERVATION_BYTES_MIN)
		json_put_int(host, "MemoryReservation", spec->reservations.memory_bytes);
	put_tuning(build, host, spec->tuning);
	put_isolation(build, host, spec->isolation);
	put_extras(build, host, spec->extras);
	put_logging(build, host, &spec->logging);
}

/* Aliases of the container on one network: the service's name, then those written. */
static void put_aliases(struct json_build *build, json_t *endpoint,
			const struct container_action *action, const struct network_spec *network)
{
	json_t *list = json_put_list(endpoint, "Aliases");
	if (action->job)
		json_add_text(build, list, "Aliases", action->job);
	const struct job_spec *spec = action->spec;
	for (size_t i = 0; i < spec->networks.n; i++) {
		const struct network_use *use = &spec->networks.items[i];
		if (strcmp(use->network, network->key) != 0)
			continue;
		for (size_t j = 0; j < use->aliases.n; j++)
			if (!action->job || strcmp(use->aliases.items[j], action->job) != 0)
				json_add_text(build, list, "Aliases", use->aliases.items[j]);
	}
}

static const struct endpoint_settings *settings_of(const struct job_spec *spec, const char *network)
{
	for (size_t i = 0; i < spec->networks.n; i++)
		if (strcmp(spec->networks.items[i].network, network) == 0)
			return spec->networks.items[i].endpoint;
	return NULL;
}

static void put_addresses(struct json_build *build, json_t *endpoint,
			  const struct endpoint_settings *settings)
{
	if (!settings->ipv4_address && !settings->ipv6_address && !settings->link_local_ips.n)
		return;
	json_t *ipam = json_put_object(endpoint, "IPAMConfig");
	json_put_text(build, ipam, "IPv4Address", settings->ipv4_address);
	json_put_text(build, ipam, "IPv6Address", settings->ipv6_address);
	put_list(build, ipam, "LinkLocalIPs", &settings->link_local_ips);
}

static void put_endpoint(struct json_build *build, json_t *endpoint,
			 const struct container_action *action, const struct network_spec *network)
{
	put_aliases(build, endpoint, action, network);
	const struct endpoint_settings *settings = settings_of(action->spec, network->key);
	if (!settings)
		return;
	if (settings->driver_opts.n)
		json_put_pairs(build, endpoint, "DriverOpts", &settings->driver_opts);
	if (settings->interface_name)
		json_put_text(build, json_put_object(endpoint, "DriverOpts"),
			      "com.docker.network.endpoint.ifname", settings->interface_name);
	if (settings->gateway_priority)
		json_put_int(endpoint, "GwPriority", settings->gateway_priority);
	json_put_text(build, endpoint, "MacAddress", settings->mac_address);
	put_addresses(build, endpoint, settings);
}

/* Up to API 1.43 the address is the container's, in the first of its networks. */
static void put_old_mac_address(struct json_build *build, const struct container_action *action)
{
	const struct endpoint_settings *settings =
		action->n_networks ? settings_of(action->spec, action->networks[0].key) : NULL;
	if (settings)
		json_put_text(build, build->root, "MacAddress", settings->mac_address);
}

/* Up to API 1.43 Docker takes one network at create; the others are connected after. */
static void put_networks(struct json_build *build, json_t *host,
			 const struct container_action *action, int64_t api_minor)
{
	size_t n = api_minor >= 44 || action->n_networks < 1 ? action->n_networks : 1;
	for (size_t i = 0; i < n; i++) {
		char *name = container_network_name(action->project, &action->networks[i]);
		if (i == 0)
			json_put_text(build, host, "NetworkMode", name);
		json_t *config = json_put_object(build->root, "NetworkingConfig");
		json_t *endpoints = json_put_object(config, "EndpointsConfig");
		json_t *endpoint = json_put_object(endpoints, name);
		put_endpoint(build, endpoint, action, &action->networks[i]);
		base_free(name);
	}
}

char *docker_body_create(const struct container_action *action,
			 const struct docker_body_context *context, struct err *err)
{
	PRE(action->spec);
	const struct job_spec *spec = action->spec;
	struct json_build build;
	json_build_init(&build);
	json_put_text(&build, build.root, "Image", spec->image);
	enum err_code code = check_engine(job_spec_engine(spec), context->api_minor, err);
	if (!code)
		code = put_command(&build, spec, context, err);
	put_environment(&build, action);
	json_put_text(&build, build.root, "WorkingDir", spec->working_dir);
	json_put_text(&build, build.root, "User", spec->user);
	json_put_text(&build, build.root, "Hostname", spec->hostname);
	json_put_text(&build, build.root, "StopSignal", spec->stop_signal);
	if (spec->stop_grace_ms)
		json_put_int(build.root, "StopTimeout", (spec->stop_grace_ms + 999) / 1000);
	put_labels(&build, action, context);
	put_health_check(&build, spec);
	json_t *host = json_put_object(build.root, "HostConfig");
	put_host(&build, host, spec);
	put_ports(&build, host, action);
	if (!code)
		code = put_mounts(&build, host, action, context, err);
	put_networks(&build, host, action, context->api_minor);
	if (context->api_minor < 44)
		put_old_mac_address(&build, action);
	char *body = json_build_take(&build, code ? NULL : err);
	if (!code)
		return body;
	base_free(body);
	return NULL;
}

char *docker_body_connect(const struct container_action *action, size_t index,
			  const char *container, struct err *err)
{
	struct json_build build;
	json_build_init(&build);
	json_put_text(&build, build.root, "Container", container);
	put_endpoint(&build, json_put_object(build.root, "EndpointConfig"), action,
		     &action->networks[index]);
	return json_build_take(&build, err);
}

static void put_resource_labels(struct json_build *build, const struct container_action *action,
				const struct pairs *labels)
{
	json_put_pairs(build, build->root, "Labels", labels);
	json_t *ours = json_put_object(build->root, "Labels");
	put_label_uuid(build, ours, LABEL_CLUSTER, action->cluster);
	json_put_text(build, ours, LABEL_PROJECT, action->project);
}

static void put_ipam(struct json_build *build, const struct ipam *ipam)
{
	json_t *object = json_put_object(build->root, "IPAM");
	json_put_text(build, object, "Driver", ipam->driver ? ipam->driver : "default");
	for (size_t i = 0; i < ipam->pools.n; i++) {
		const struct ipam_pool *pool = &ipam->pools.items[i];
		json_t *item = json_add_object(json_put_list(object, "Config"));
		json_put_text(build, item, "Subnet", pool->subnet);
		json_put_text(build, item, "IPRange", pool->ip_range);
		json_put_text(build, item, "Gateway", pool->gateway);
		if (pool->aux_addresses.n)
			json_put_pairs(build, item, "AuxiliaryAddresses", &pool->aux_addresses);
	}
	if (ipam->options.n)
		json_put_pairs(build, object, "Options", &ipam->options);
}

char *docker_body_network(const struct container_action *action, int64_t api_minor, struct err *err)
{
	const struct network_spec *network = action->network;
	if (check_engine(network_spec_engine(network), api_minor, err))
		return NULL;
	struct json_build build;
	json_build_init(&build);
	json_put_text(&build, build.root, "Name", action->resource_name);
	json_put_bool(build.root, "CheckDuplicate", true);
	json_put_text(&build, build.root, "Driver", network->driver ? network->driver : "bridge");
	json_put_bool(build.root, "Internal", network->internal);
	json_put_bool(build.root, "Attachable", network->attachable);
	json_put_pairs(&build, build.root, "Options", &network->driver_opts);
	if (network->enable_ipv6 != UNSET)
		json_put_bool(build.root, "EnableIPv6", network->enable_ipv6 == YES);
	if (network->ipam)
		put_ipam(&build, network->ipam);
	put_resource_labels(&build, action, &network->labels);
	return json_build_take(&build, err);
}

char *docker_body_volume(const struct container_action *action, struct err *err)
{
	const struct volume_spec *volume = action->volume;
	struct json_build build;
	json_build_init(&build);
	json_put_text(&build, build.root, "Name", action->resource_name);
	json_put_text(&build, build.root, "Driver", volume->driver ? volume->driver : "local");
	json_put_pairs(&build, build.root, "DriverOpts", &volume->driver_opts);
	put_resource_labels(&build, action, &volume->labels);
	return json_build_take(&build, err);
}
