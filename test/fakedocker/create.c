/* Between Docker's JSON and the fake world's configuration of a container. */
#include <string.h>

#include "base/alloc.h"
#include "private.h"
#include "runtime/docker_reply.h"
#include "runtime/fake_logs.h"

#define NS_PER_MS 1000000

static void read_strings(const json_t *list, struct strings *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		if (word)
			strings_add(out, word);
	}
}

static void read_ports(json_t *bindings, struct fake_config *config)
{
	const char *key;
	json_t *list;
	json_object_foreach(bindings, key, list)
	{
		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *binding = json_array_get(list, i);
			const char *host_port = docker_json_text(binding, "HostPort");
			struct fake_port *port = list_add(&config->ports, sizeof(*port));
			string_set(&port->host_ip, docker_json_text(binding, "HostIp"));
			port->protocol = strstr(key, "/udp") ? PORT_UDP : PORT_TCP;
			for (; host_port && *host_port >= '0' && *host_port <= '9'; host_port++)
				port->host_port = port->host_port * 10 + (*host_port - '0');
		}
	}
}

static void read_mounts(const json_t *host, struct fake_config *config)
{
	const json_t *mounts = json_object_get(host, "Mounts");
	for (size_t i = 0; i < json_array_size(mounts); i++) {
		const json_t *from = json_array_get(mounts, i);
		const char *type = docker_json_text(from, "Type");
		if (!type || strcmp(type, "tmpfs") == 0)
			continue;
		struct fake_mount *to = list_add(&config->mounts, sizeof(*to));
		bool bind = strcmp(type, "bind") == 0;
		string_set(bind ? &to->bind_source : &to->volume, docker_json_text(from, "Source"));
		string_set(&to->target, docker_json_text(from, "Target"));
	}
	const json_t *binds = json_object_get(host, "Binds");
	for (size_t i = 0; i < json_array_size(binds); i++) {
		const char *line = json_string_value(json_array_get(binds, i));
		const char *colon = line ? strchr(line, ':') : NULL;
		if (!colon)
			continue;
		struct fake_mount *to = list_add(&config->mounts, sizeof(*to));
		to->bind_source = base_strndup(line, (size_t)(colon - line));
		to->target = base_strndup(colon + 1, strcspn(colon + 1, ":"));
		to->create_source = true;
	}
}

static void read_endpoints(json_t *endpoints, struct fake_config *config)
{
	const char *key;
	json_t *endpoint;
	json_object_foreach(endpoints, key, endpoint)
	{
		struct fake_endpoint *to = list_add(&config->endpoints, sizeof(*to));
		to->network = base_strdup(key);
		read_strings(json_object_get(endpoint, "Aliases"), &to->aliases);
	}
}

static void read_check(const json_t *check, struct fake_config *config)
{
	const json_t *test = json_object_get(check, "Test");
	const char *first = json_string_value(json_array_get(test, 0));
	if (first && strcmp(first, "NONE") != 0)
		read_strings(test, &config->check);
	config->check_interval_ms = docker_json_int(check, "Interval", 0) / NS_PER_MS;
	config->check_start_period_ms = docker_json_int(check, "StartPeriod", 0) / NS_PER_MS;
	config->check_retries = docker_json_int(check, "Retries", 0);
}

enum err_code create_read(const char *body, size_t len, int api_minor, struct fake_config *config,
			  struct err *err)
{
	json_t *json = docker_json_parse(body, len, err);
	if (!json)
		return ERR_PROTOCOL;
	const json_t *host = json_object_get(json, "HostConfig");
	json_t *endpoints =
		json_object_get(json_object_get(json, "NetworkingConfig"), "EndpointsConfig");
	const char *key;
	json_t *label;
	if (api_minor < 44 && json_object_size(endpoints) > 1) {
		json_decref(json);
		return err_set(err, ERR_INVALID,
			       "Container cannot be connected to network endpoints");
	}
	string_set(&config->image, docker_json_text(json, "Image"));
	if (!config->image)
		string_set(&config->image, "");
	read_strings(json_object_get(json, "Entrypoint"), &config->argv);
	read_strings(json_object_get(json, "Cmd"), &config->argv);
	config->init = docker_json_bool(host, "Init");
	config->memory_bytes = docker_json_int(host, "Memory", 0);
	string_set(&config->stop_signal, docker_json_text(json, "StopSignal"));
	string_set(&config->log_driver,
		   docker_json_text(json_object_get(host, "LogConfig"), "Type"));
	json_object_foreach(json_object_get(json, "Labels"), key, label)
	{
		if (json_is_string(label))
			pairs_put(&config->labels, key, json_string_value(label));
	}
	read_ports(json_object_get(host, "PortBindings"), config);
	read_mounts(host, config);
	read_endpoints(endpoints, config);
	read_check(json_object_get(json, "Healthcheck"), config);
	json_decref(json);
	return ERR_NONE;
}

json_t *pairs_json(const struct pairs *pairs)
{
	json_t *object = json_object();
	for (size_t i = 0; i < pairs->n; i++)
		json_object_set_new(
			object, pairs->items[i].key,
			json_string(pairs->items[i].value ? pairs->items[i].value : ""));
	return object;
}

const char *state_word(const struct fake_container *container)
{
	return container->state == CONTAINER_CREATED   ? "created"
	       : container->state == CONTAINER_RUNNING ? "running"
						       : "exited";
}

static json_t *time_json(int64_t wall_ms)
{
	struct text stamp;
	if (wall_ms == 0)
		return json_string("0001-01-01T00:00:00Z");
	text_init(&stamp, 64);
	fake_logs_stamp(wall_ms, &stamp);
	stamp.bytes[stamp.len - 1] = '\0'; /* the blank before a log line */
	json_t *json = json_string(stamp.bytes);
	text_release(&stamp);
	return json;
}

static json_t *health_json(const struct fake_container *container)
{
	static const char *const words[] = { "none", "starting", "healthy", "unhealthy" };
	json_t *log = json_array();
	if (container->health_output)
		json_array_append_new(log, json_pack("{s:i,s:s}", "ExitCode", 1, "Output",
						     container->health_output));
	return json_pack("{s:s,s:I,s:o}", "Status", words[container->health], "FailingStreak",
			 (json_int_t)container->check_failures, "Log", log);
}

json_t *container_json(const struct fake_container *container)
{
	json_t *mounts = json_array();
	for (size_t i = 0; i < container->config.mounts.n; i++) {
		const struct fake_mount *mount = &container->config.mounts.items[i];
		json_array_append_new(mounts, mount->bind_source
						      ? json_pack("{s:s,s:s,s:s}", "Type", "bind",
								  "Source", mount->bind_source,
								  "Destination", mount->target)
						      : json_pack("{s:s,s:s,s:s}", "Type", "volume",
								  "Name", mount->volume,
								  "Destination", mount->target));
	}
	json_t *state =
		json_pack("{s:s,s:b,s:I,s:b,s:s,s:o,s:o}", "Status", state_word(container),
			  "Running", container->state == CONTAINER_RUNNING, "ExitCode",
			  (json_int_t)container->exit_code, "OOMKilled", container->oom_killed,
			  "Error", container->error ? container->error : "", "StartedAt",
			  time_json(container->started_wall_ms), "FinishedAt",
			  time_json(container->finished_wall_ms));
	if (container->health != HEALTH_NONE)
		json_object_set_new(state, "Health", health_json(container));
	json_t *config = json_pack("{s:s,s:o}", "Image", container->config.image, "Labels",
				   pairs_json(&container->config.labels));
	if (container->config.stop_signal)
		json_object_set_new(config, "StopSignal",
				    json_string(container->config.stop_signal));
	char name[CONTAINER_NAME_SIZE + 1];
	text_print(name, sizeof(name), "/%s", container->name);
	bool runs = container->state == CONTAINER_RUNNING;
	json_t *settings = json_pack("{s:{s:{s:s}}}", "Networks", "bridge", "IPAddress",
				     runs ? FAKE_ADDRESS : "");
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "Id", container->id, "Name", name, "State",
			 state, "Config", config, "Mounts", mounts, "NetworkSettings", settings);
}

json_t *container_summary_json(const struct fake_container *container)
{
	char name[CONTAINER_NAME_SIZE + 1], status[64];
	text_print(name, sizeof(name), "/%s", container->name);
	if (container->state == CONTAINER_EXITED)
		text_print(status, sizeof(status), "Exited (%lld) 1 second ago",
			   (long long)container->exit_code);
	else
		text_print(status, sizeof(status), "%s%s",
			   container->state == CONTAINER_RUNNING ? "Up 1 second" : "Created",
			   container->health == HEALTH_HEALTHY	   ? " (healthy)"
			   : container->health == HEALTH_UNHEALTHY ? " (unhealthy)"
			   : container->health == HEALTH_STARTING  ? " (health: starting)"
								   : "");
	/* With all that Docker says beside what anybody looks for, so that a list is as long as a real one. */
	return json_pack("{s:s,s:[s],s:s,s:s,s:s,s:I,s:[],s:o,s:s,s:s,s:{s:s},s:{s:{s:{s:n,s:n,s:n,"
			 "s:s,s:s,s:s,s:s,"
			 "s:i,s:s,s:s,s:i,s:s,s:n}}},s:[]}",
			 "Id", container->id, "Names", name, "Image", container->config.image,
			 "ImageID",
			 "sha256:87ffcc4b23cf40bb853721155b635b02c47909613638a9052b280dc7c404cc1d",
			 "Command", "sleep 86400", "Created", (json_int_t)1795439408, "Ports",
			 "Labels", pairs_json(&container->config.labels), "State",
			 state_word(container), "Status", status, "HostConfig", "NetworkMode",
			 "default", "NetworkSettings", "Networks", "bridge", "IPAMConfig", "Links",
			 "Aliases", "NetworkID", container->id, "EndpointID", container->id,
			 "Gateway", "172.17.0.1", "IPAddress", "172.17.0.2", "IPPrefixLen", 16,
			 "IPv6Gateway", "", "GlobalIPv6Address", "", "GlobalIPv6PrefixLen", 0,
			 "MacAddress", "02:42:ac:11:00:02", "DriverOpts", "Mounts");
}
