/* The part of Docker's API that drover uses, one function per route. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "job/platform.h"
#include "private.h"
#include "runtime/docker_reply.h"
#include "runtime/fake_logs.h"

typedef void route_fn(struct fakedocker *fakedocker, const struct request *request,
		      const char *name, struct answer *answer);

struct route {
	const char *method;
	const char *pattern; /* '*' stands for one name, slashes included */
	int verb;
	route_fn *handle;
	int ghost_status;
};

void routes_message(struct answer *answer, int status, const char *words)
{
	json_t *json = json_pack("{s:s}", "message", words);
	char *text = json_dumps(json, JSON_COMPACT);
	answer->status = status;
	text_clear(&answer->body);
	text_addf(&answer->body, "%s\n", text);
	free(text);
	json_decref(json);
}

void put_json(struct answer *answer, int status, json_t *json)
{
	INVARIANT(json);
	char *text = json_dumps(json, JSON_COMPACT);
	answer->status = status;
	text_addf(&answer->body, "%s\n", text);
	free(text);
	json_decref(json);
}

/* What the world said, as Docker would. */
static void put_world(struct answer *answer, const struct fake_answer *said)
{
	if (said->status >= 400)
		routes_message(answer, said->status, said->message);
	else
		answer->status = said->status;
}

/* A decoded parameter of the query; "" when it is not there. Caller frees. */
static char *parameter(const struct request *request, const char *name)
{
	const struct http_view query = { request->query, strlen(request->query) };
	struct http_view value;
	if (!http_query_get(query, name, &value))
		return base_strdup("");
	char *out = base_calloc(value.len + 1, 1);
	if (http_percent_decode(value, true, out, value.len + 1, NULL) != ERR_NONE)
		*out = '\0';
	return out;
}

static bool flag(const struct request *request, const char *name)
{
	_cleanup_free_ char *value = parameter(request, name);
	return strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
}

/* The label a request filters by: "key=value", or "". Caller frees. */
static char *label_filter(const struct request *request)
{
	_cleanup_free_ char *filters = parameter(request, "filters");
	json_t *json = *filters ? docker_json_parse(filters, strlen(filters), NULL) : NULL;
	const char *label = json_string_value(json_array_get(json_object_get(json, "label"), 0));
	char *copy = base_strdup(label ? label : "");
	json_decref(json);
	return copy;
}

/* Is its state one of those that a request filters by, if it does? */
static bool has_status(const struct request *request, const struct fake_container *container)
{
	_cleanup_free_ char *filters = parameter(request, "filters");
	json_t *json = *filters ? docker_json_parse(filters, strlen(filters), NULL) : NULL;
	const json_t *wanted = json_object_get(json, "status");
	bool has = !wanted;
	for (size_t i = 0; i < json_array_size(wanted) && !has; i++) {
		const char *word = json_string_value(json_array_get(wanted, i));
		has = word && strcmp(word, state_word(container)) == 0;
	}
	json_decref(json);
	return has;
}

static bool has_label(const struct pairs *labels, const char *filter)
{
	const char *equals = strchr(filter, '=');
	if (!equals)
		return *filter == '\0';
	_cleanup_free_ char *key = base_strndup(filter, (size_t)(equals - filter));
	const char *value = pairs_get(labels, key);
	return value && strcmp(value, equals + 1) == 0;
}

static void get_version(struct fakedocker *fakedocker, const struct request *request,
			const char *name, struct answer *answer)
{
	(void)request, (void)name;
	char api[16];
	text_print(api, sizeof(api), "1.%d", fakedocker->api_minor);
	put_json(answer, 200,
		 json_pack("{s:s,s:s,s:s}", "Version", "fakedocker", "ApiVersion", api, "Os",
			   "linux"));
}

static void get_info(struct fakedocker *fakedocker, const struct request *request, const char *name,
		     struct answer *answer)
{
	(void)fakedocker, (void)request, (void)name;
	put_json(answer, 200,
		 json_pack("{s:s,s:s,s:[s]}", "DockerRootDir", "/var/lib/docker", "CgroupVersion",
			   "2", "Labels", "disk=ssd"));
}

static void get_events(struct fakedocker *fakedocker, const struct request *request,
		       const char *name, struct answer *answer)
{
	(void)fakedocker, (void)name;
	_cleanup_free_ char *label = label_filter(request);
	text_print(answer->label, sizeof(answer->label), "%s", label);
	answer->status = 200;
	answer->stream = STREAM_EVENTS;
}

static void get_image(struct fakedocker *fakedocker, const struct request *request,
		      const char *name, struct answer *answer)
{
	(void)request;
	char words[600];
	text_print(words, sizeof(words), "No such image: %s", name);
	struct platform platform;
	const char *there = fake_world_image(fakedocker->world, name);
	if (there && platform_parse(there, &platform, NULL) == ERR_NONE)
		put_json(answer, 200,
			 json_pack("{s:s,s:{},s:s,s:s}", "Id", name, "Config", "Os", platform.os,
				   "Architecture", platform.architecture));
	else
		routes_message(answer, 404, words);
}

/* The lines in which a pull is told; the last one is told by whoever knows how it ended. */
static void add_pull_lines(struct text *out, const char *tag)
{
	static const char *const layer[] = {
		"{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"0123456789ab\"}",
		("{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1048576,"
		 "\"total\":2097152},\"id\":\"0123456789ab\"}"),
		"{\"status\":\"Download complete\",\"progressDetail\":{},\"id\":\"0123456789ab\"}",
		"{\"status\":\"Pull complete\",\"progressDetail\":{},\"id\":\"0123456789ab\"}",
	};
	text_addf(out, "{\"status\":\"Pulling from library\",\"id\":\"%s\"}\r\n", tag);
	for (size_t i = 0; i < ARRAY_LEN(layer); i++)
		text_addf(out, "%s\r\n", layer[i]);
}

static void post_image(struct fakedocker *fakedocker, const struct request *request,
		       const char *name, struct answer *answer)
{
	(void)name;
	_cleanup_free_ char *image = parameter(request, "fromImage");
	_cleanup_free_ char *tag = parameter(request, "tag");
	_cleanup_free_ char *platform = parameter(request, "platform");
	struct text reference;
	struct fake_answer said;
	text_init(&reference, 1024);
	text_addf(&reference, "%s%c%s", image, strchr(tag, ':') ? '@' : ':', tag);
	fake_world_pull(fakedocker->world, text_string(&reference), *platform ? platform : NULL,
			&said);
	/* What the registry refuses shows after the pull began. */
	if (said.status == 500 && strstr(said.message, "unauthorized")) {
		add_pull_lines(&answer->body, tag);
		put_json(answer, 200,
			 json_pack("{s:{s:s},s:s}", "errorDetail", "message", said.message, "error",
				   said.message));
	} else if (said.status != 200) {
		put_world(answer, &said);
	} else {
		add_pull_lines(&answer->body, tag);
		put_json(answer, 200, json_pack("{s:s}", "status", "Status: Downloaded"));
	}
	text_release(&reference);
}

static void post_container(struct fakedocker *fakedocker, const struct request *request,
			   const char *name, struct answer *answer)
{
	(void)name;
	_cleanup_free_ char *wanted = parameter(request, "name");
	struct fake_config config = { 0 };
	struct fake_container *container = NULL;
	struct fake_answer said;
	struct err err = { 0 };
	if (create_read(request->body, request->body_len, fakedocker->api_minor, &config, &err)) {
		fake_config_release(&config);
		routes_message(answer, 400, err.message);
		return;
	}
	config.platform = parameter(request, "platform");
	if (!*config.platform)
		string_set(&config.platform, NULL);
	fake_world_create(fakedocker->world, wanted, &config, &container, &said);
	if (container)
		put_json(answer, 201, json_pack("{s:s,s:[]}", "Id", container->id, "Warnings"));
	else
		put_world(answer, &said);
}

static void post_start(struct fakedocker *fakedocker, const struct request *request,
		       const char *name, struct answer *answer)
{
	(void)request;
	struct fake_answer said;
	fake_world_start(fakedocker->world, name, &said);
	put_world(answer, &said);
}

static void post_kill(struct fakedocker *fakedocker, const struct request *request,
		      const char *name, struct answer *answer)
{
	_cleanup_free_ char *signal = parameter(request, "signal");
	struct fake_answer said;
	fake_world_kill(fakedocker->world, name, *signal ? signal : "SIGKILL", &said);
	put_world(answer, &said);
}

static void post_rename(struct fakedocker *fakedocker, const struct request *request,
			const char *name, struct answer *answer)
{
	_cleanup_free_ char *to = parameter(request, "name");
	struct fake_answer said;
	fake_world_rename(fakedocker->world, name, to, &said);
	put_world(answer, &said);
}

static void delete_container(struct fakedocker *fakedocker, const struct request *request,
			     const char *name, struct answer *answer)
{
	struct fake_answer said;
	fake_world_remove(fakedocker->world, name, flag(request, "force"), flag(request, "v"),
			  &said);
	put_world(answer, &said);
}

static void get_container(struct fakedocker *fakedocker, const struct request *request,
			  const char *name, struct answer *answer)
{
	(void)request;
	char words[600];
	const struct fake_container *container = fake_world_find(fakedocker->world, name);
	text_print(words, sizeof(words), "No such container: %s", name);
	if (container)
		put_json(answer, 200, container_json(container));
	else
		routes_message(answer, 404, words);
}

static void get_containers(struct fakedocker *fakedocker, const struct request *request,
			   const char *name, struct answer *answer)
{
	(void)name;
	_cleanup_free_ char *label = label_filter(request);
	json_t *list = json_array();
	for (struct fake_container *at = fakedocker->world->containers; at; at = at->next)
		if (has_label(&at->config.labels, label) && has_status(request, at))
			json_array_append_new(list, container_summary_json(at));
	put_json(answer, 200, list);
}

static void get_logs(struct fakedocker *fakedocker, const struct request *request, const char *name,
		     struct answer *answer)
{
	_cleanup_free_ char *tail = parameter(request, "tail");
	_cleanup_free_ char *since = parameter(request, "since");
	struct fake_container *container = fake_world_find(fakedocker->world, name);
	if (!container) {
		routes_message(answer, 404, "No such container");
		return;
	}
	if (container->config.log_driver && strcmp(container->config.log_driver, "none") == 0) {
		routes_message(answer, 501, "configured logging driver does not support reading");
		return;
	}
	int64_t wanted = strcmp(tail, "all") == 0 ? -1 : strtoll(tail, NULL, 10);
	size_t at = fake_logs_first(container, wanted, (int64_t)(strtod(since, NULL) * 1000));
	answer->status = 200;
	answer->content_type = "application/octet-stream";
	answer->timestamps = flag(request, "timestamps");
	for (; at < container->n_log; at++)
		frame_add(&answer->body, &container->log[at], answer->timestamps);
	answer->log_at = at;
	if (flag(request, "follow") && container->state == CONTAINER_RUNNING) {
		answer->stream = STREAM_LOGS;
		text_print(answer->container, sizeof(answer->container), "%s", container->id);
	}
}

/* The `Name` and `Labels` of a body. */
static char *read_resource(const struct request *request, struct pairs *labels)
{
	json_t *json = docker_json_parse(request->body, request->body_len, NULL);
	const char *name = docker_json_text(json, "Name");
	char *copy = base_strdup(name ? name : "");
	const char *key;
	json_t *label;
	json_object_foreach(json_object_get(json, "Labels"), key, label)
	{
		if (json_is_string(label))
			pairs_put(labels, key, json_string_value(label));
	}
	json_decref(json);
	return copy;
}

static void get_networks(struct fakedocker *fakedocker, const struct request *request,
			 const char *name, struct answer *answer)
{
	(void)name;
	_cleanup_free_ char *label = label_filter(request);
	json_t *list = json_array();
	for (struct fake_network *at = fakedocker->world->networks; at; at = at->next)
		if (has_label(&at->labels, label))
			json_array_append_new(list, json_pack("{s:s,s:o}", "Name", at->name,
							      "Labels", pairs_json(&at->labels)));
	put_json(answer, 200, list);
}

static void get_network(struct fakedocker *fakedocker, const struct request *request,
			const char *name, struct answer *answer)
{
	(void)request;
	const struct fake_network *network = fake_world_network(fakedocker->world, name);
	if (network)
		put_json(answer, 200,
			 json_pack("{s:s,s:o}", "Name", network->name, "Labels",
				   pairs_json(&network->labels)));
	else
		routes_message(answer, 404, "network not found");
}

static void post_network(struct fakedocker *fakedocker, const struct request *request,
			 const char *name, struct answer *answer)
{
	(void)name;
	struct pairs labels = { 0 };
	struct fake_answer said;
	_cleanup_free_ char *wanted = read_resource(request, &labels);
	fake_world_network_create(fakedocker->world, wanted, &labels, &said);
	put_world(answer, &said);
	if (said.status == 201)
		put_json(answer, 201, json_pack("{s:s}", "Id", wanted));
	pairs_release(&labels);
}

static void post_connect(struct fakedocker *fakedocker, const struct request *request,
			 const char *name, struct answer *answer)
{
	json_t *json = docker_json_parse(request->body, request->body_len, NULL);
	const char *container = docker_json_text(json, "Container");
	const json_t *list = json_object_get(json_object_get(json, "EndpointConfig"), "Aliases");
	struct strings aliases = { 0 };
	struct fake_answer said;
	for (size_t i = 0; i < json_array_size(list); i++)
		strings_add(&aliases, json_string_value(json_array_get(list, i)));
	fake_world_connect(fakedocker->world, name, container ? container : "", &aliases, &said);
	put_world(answer, &said);
	strings_release(&aliases);
	json_decref(json);
}

static void delete_network(struct fakedocker *fakedocker, const struct request *request,
			   const char *name, struct answer *answer)
{
	(void)request;
	struct fake_answer said;
	fake_world_network_remove(fakedocker->world, name, &said);
	put_world(answer, &said);
}

static void get_volume(struct fakedocker *fakedocker, const struct request *request,
		       const char *name, struct answer *answer)
{
	(void)request;
	const struct fake_volume *volume = fake_world_volume(fakedocker->world, name);
	if (volume)
		put_json(answer, 200,
			 json_pack("{s:s,s:o}", "Name", volume->name, "Labels",
				   pairs_json(&volume->labels)));
	else
		routes_message(answer, 404, "no such volume");
}

static void post_volume(struct fakedocker *fakedocker, const struct request *request,
			const char *name, struct answer *answer)
{
	(void)name;
	struct pairs labels = { 0 };
	struct fake_answer said;
	_cleanup_free_ char *wanted = read_resource(request, &labels);
	fake_world_volume_create(fakedocker->world, wanted, &labels, &said);
	put_json(answer, 201, json_pack("{s:s}", "Name", wanted));
	pairs_release(&labels);
}

static void delete_volume(struct fakedocker *fakedocker, const struct request *request,
			  const char *name, struct answer *answer)
{
	(void)request;
	struct fake_answer said;
	fake_world_volume_remove(fakedocker->world, name, &said);
	put_world(answer, &said);
}

// clang-format off
static const struct route routes[] = {
	{ "GET",    "/version",              0,                        get_version,      200 },
	{ "GET",    "/info",                 0,                        get_info,         200 },
	{ "GET",    "/events",               0,                        get_events,       200 },
	{ "POST",   "/images/create",        CONTAINER_PULL,           post_image,       200 },
	{ "GET",    "/images/*/json",        0,                        get_image,        200 },
	{ "GET",    "/containers/json",      CONTAINER_LIST,           get_containers,   200 },
	/* No call of Docker's, so no fault strikes it: for who watches a test. */
	{ "GET",    "/watch/containers",     0,                        get_containers,   200 },
	{ "POST",   "/containers/create",    CONTAINER_CREATE,         post_container,   201 },
	{ "GET",    "/containers/*/json",    CONTAINER_INSPECT,        get_container,    200 },
	{ "GET",    "/containers/*/logs",    0,                        get_logs,         200 },
	{ "POST",   "/containers/*/start",   CONTAINER_START,          post_start,       204 },
	{ "POST",   "/containers/*/kill",    CONTAINER_KILL,           post_kill,        204 },
	{ "POST",   "/containers/*/exec",    0,                        post_exec,        201 },
	{ "POST",   "/exec/*/start",         CONTAINER_EXEC,           post_exec_start,  200 },
	{ "GET",    "/exec/*/json",          0,                        get_exec,         200 },
	{ "POST",   "/containers/*/rename",  0,                        post_rename,      204 },
	{ "DELETE", "/containers/*",         CONTAINER_REMOVE,         delete_container, 204 },
	{ "GET",    "/networks",             0,                        get_networks,     200 },
	{ "POST",   "/networks/create",      CONTAINER_NETWORK_ENSURE, post_network,     201 },
	{ "POST",   "/networks/*/connect",   0,                        post_connect,     200 },
	{ "GET",    "/networks/*",           0,                        get_network,      200 },
	{ "DELETE", "/networks/*",           CONTAINER_NETWORK_REMOVE, delete_network,   204 },
	{ "POST",   "/volumes/create",       CONTAINER_VOLUME_ENSURE,  post_volume,      201 },
	{ "GET",    "/volumes/*",            0,                        get_volume,       200 },
	{ "DELETE", "/volumes/*",            CONTAINER_VOLUME_REMOVE,  delete_volume,    204 },
};
// clang-format on

/* Does the path have the pattern's form? `*ret_name`: what stands for the '*', or NULL; the caller frees. */
static bool matches(const char *pattern, const char *path, char **ret_name)
{
	const char *star = strchr(pattern, '*');
	*ret_name = NULL;
	if (!star)
		return strcmp(pattern, path) == 0;
	size_t before = (size_t)(star - pattern), after = strlen(star + 1), len = strlen(path);
	if (len <= before + after || strncmp(pattern, path, before) != 0 ||
	    strcmp(star + 1, path + len - after) != 0)
		return false;
	*ret_name = base_strndup(path + before, len - before - after);
	return true;
}

static const struct route *find_route(const struct request *request, char **ret_name)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (strcmp(routes[i].method, request->method) == 0 &&
		    matches(routes[i].pattern, request->path, ret_name))
			return &routes[i];
	return NULL;
}

int routes_verb(const struct request *request)
{
	char *name = NULL;
	const struct route *route = find_route(request, &name);
	base_free(name);
	return route ? route->verb : 0;
}

void routes_handle(struct fakedocker *fakedocker, const struct request *request,
		   struct answer *answer)
{
	char *name = NULL;
	const struct route *route = find_route(request, &name);
	if (route)
		route->handle(fakedocker, request, name, answer);
	else
		routes_message(answer, 404, "page not found");
	base_free(name);
}

void routes_ghost(const struct request *request, struct answer *answer)
{
	static const char id[] = "0000000000000000000000000000000000000000000000000000000000000000";
	char *name = NULL;
	const struct route *route = find_route(request, &name);
	answer->status = route ? route->ghost_status : 404;
	if (answer->status == 201)
		put_json(answer, 201, json_pack("{s:s}", "Id", id));
	else if (answer->status == 200)
		put_json(answer, 200, json_array());
	base_free(name);
}
