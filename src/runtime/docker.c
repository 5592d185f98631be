/* Is Docker there, which run of it, and what does it say happened.
 *
 * Invariants
 * 1. The shell hears `up` only after a version we can speak and facts; `down` once per silence, after every pending
 *    action was answered.
 * 2. At most one probe is in flight, and while none is and Docker is away, retry_event is armed.
 * 3. The events stream is open only while Docker is up. What it says is a hint; its end only starts a probe. */
#include "runtime/docker.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hash.h"
#include "net/probe.h"
#include "runtime/docker_reply.h"

#define WATCH_STABLE_MS 1000

static void probe_start(struct docker *docker);

static void retry_in(struct docker *docker, int64_t delay_ms)
{
	struct timeval delay = { delay_ms / 1000, (delay_ms % 1000) * 1000 };
	event_add(docker->retry_event, &delay);
}

/* Wait longer each time. */
static void retry_later(struct docker *docker)
{
	retry_in(docker, docker->retry_ms);
	docker->retry_ms *= 2;
	if (docker->retry_ms > DOCKER_RETRY_MAX_MS)
		docker->retry_ms = DOCKER_RETRY_MAX_MS;
}

static void watch_close(struct docker *docker)
{
	if (docker->watch)
		http_call_cancel(docker->watch);
	docker->watch = NULL;
	text_clear(&docker->watch_line);
	docker->watch_line.cut = false;
}

/* Docker does not answer, or not so that we can speak with it. */
static void gone(struct docker *docker, const char *why)
{
	bool tell = !docker->away_told;
	docker->state = DOCKER_AWAY;
	docker->away_told = true;
	watch_close(docker);
	docker_ops_lose(docker, why);
	retry_later(docker);
	if (tell)
		docker->events.down(docker->shell, why);
}

static void watch_line_end(struct docker *docker)
{
	json_t *json = NULL;
	const char *name = NULL;
	/* A line too long to keep is a hint lost: the regular list finds what it would have told. */
	if (!docker->watch_line.cut && docker->watch_line.len > 0)
		name = docker_reply_event(docker->watch_line.bytes, docker->watch_line.len, &json);
	/* A part is not yet a container that anybody knows of. */
	if (name && strncmp(name, "drover-", 7) == 0 && !strstr(name, DOCKER_PART_SUFFIX))
		docker->events.hint(docker->shell, name);
	json_decref(json);
	text_clear(&docker->watch_line);
	docker->watch_line.cut = false;
}

static void watch_body(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	(void)call;
	struct docker *docker = owner;
	const char *at = bytes;
	while (len > 0) {
		const char *newline = memchr(at, '\n', len);
		size_t take = newline ? (size_t)(newline - at) : len;
		text_add_bytes(&docker->watch_line, at, take);
		if (newline)
			watch_line_end(docker);
		take += newline != NULL;
		at += take;
		len -= take;
	}
}

static void watch_done(void *owner, struct http_call *call, const struct err *err,
		       enum http_sent sent, int status, struct http_view body)
{
	(void)call, (void)err, (void)sent, (void)status, (void)body;
	struct docker *docker = owner;
	docker->watch = NULL;
	docker->watch_lost = true;
	watch_close(docker);
	/* A stream that ends as soon as it begins must not make us spin. */
	if (docker_now_ms() - docker->watch_since_ms >= WATCH_STABLE_MS) {
		docker->retry_ms = DOCKER_RETRY_FIRST_MS;
		probe_start(docker);
	} else if (!docker->probe) {
		retry_later(docker);
	}
}

static const struct http_call_events watch_events = { .body = watch_body, .done = watch_done };

static void watch_open(struct docker *docker)
{
	char id[UUID_TEXT_SIZE], filters[512];
	text_print(filters, sizeof(filters),
		   "{\"type\":[\"container\"],"
		   "\"event\":[\"die\",\"oom\",\"health_status\",\"start\",\"destroy\"]%s%s%s}",
		   uuid_is_zero(docker->cluster) ? "" : ",\"label\":[\"" LABEL_CLUSTER "=",
		   uuid_is_zero(docker->cluster) ? "" : uuid_format(docker->cluster, id),
		   uuid_is_zero(docker->cluster) ? "" : "\"]");
	struct text target;
	text_init(&target, 4096);
	text_addf(&target, "/v1.%lld/events?filters=", (long long)docker->minor);
	http_percent_encode(&target, filters);
	const struct http_call_options options = { .method = "GET",
						   .target = text_string(&target),
						   .stream = true };
	watch_close(docker);
	docker->watch_since_ms = docker_now_ms();
	docker->watch = http_client_call(docker->client, &options, &watch_events, docker);
	text_release(&target);
}

static void read_info(struct docker *docker, const json_t *info)
{
	const char *root = docker_json_text(info, "DockerRootDir");
	text_print(docker->data_root, sizeof(docker->data_root), "%s", root ? root : "");
	const char *id = docker_json_text(info, "ID");
	/* Daemons of one machine may share the key that the id is made of, but no root. */
	uint64_t hash = hash_bytes(HASH_START, docker->data_root, strlen(docker->data_root));
	docker->id[0] = '\0';
	if (id && *id)
		text_print(docker->id, sizeof(docker->id), "%.*s/%llu", 80, id,
			   (unsigned long long)hash);
	const char *cgroup = docker_json_text(info, "CgroupVersion");
	docker->cgroup_version = cgroup && *cgroup == '2' ? '2' : '1';
	pairs_release(&docker->labels);
	const json_t *labels = json_object_get(info, "Labels");
	for (size_t i = 0; i < json_array_size(labels); i++) {
		const char *label = json_string_value(json_array_get(labels, i));
		const char *equals = label ? strchr(label, '=') : NULL;
		if (!label)
			continue;
		_cleanup_free_ char *key =
			base_strndup(label, equals ? (size_t)(equals - label) : strlen(label));
		pairs_put(&docker->labels, key, equals ? equals + 1 : "");
	}
}

static void tell_up(struct docker *docker)
{
	struct runtime_facts facts = { .api_minor = docker->minor,
				       .labels = docker->labels,
				       .cgroup_version = docker->cgroup_version };
	text_print(facts.version, sizeof(facts.version), "%s", docker->version);
	text_print(facts.data_root, sizeof(facts.data_root), "%s", docker->data_root);
	text_print(facts.id, sizeof(facts.id), "%s", docker->id);
	docker->away_told = false;
	docker->watch_lost = false;
	docker->events.up(docker->shell, docker->instance, &facts);
}

/* The probe succeeded. */
static void reached(struct docker *docker)
{
	bool other = docker->state == DOCKER_UP && docker->instance != docker->probe_instance;
	bool news = docker->state != DOCKER_UP || other || docker->watch_lost;
	if (other) {
		docker_ops_lose(docker, "Docker was restarted");
		docker->events.down(docker->shell, "Docker was restarted");
	}
	if (docker->state != DOCKER_UP)
		docker->retry_ms = DOCKER_RETRY_FIRST_MS;
	docker->state = DOCKER_UP;
	docker->instance = docker->probe_instance;
	if (!docker->watch)
		watch_open(docker);
	if (news)
		tell_up(docker);
}

static void probe_failed(struct docker *docker, const struct err *err)
{
	char why[ERR_MESSAGE_MAX + 256];
	text_print(why, sizeof(why), "Docker at %s does not answer: %s", docker->socket_path,
		   err->message);
	gone(docker, why);
}

static void info_done(void *owner, struct http_call *call, const struct err *err,
		      enum http_sent sent, int status, struct http_view body)
{
	(void)call, (void)sent;
	struct docker *docker = owner;
	struct err error = { 0 };
	docker->probe = NULL;
	if (err) {
		probe_failed(docker, err);
		return;
	}
	json_t *info = status == 200 ? docker_json_parse(body.bytes, body.len, &error) : NULL;
	if (info) {
		read_info(docker, info);
		json_decref(info);
		reached(docker);
		return;
	}
	if (status != 200)
		err_set(&error, ERR_PROTOCOL, "GET /info: status %d", status);
	probe_failed(docker, &error);
}

static const struct http_call_events info_events = { .done = info_done };

static void probe_call(struct docker *docker, const char *target,
		       const struct http_call_events *events)
{
	const struct http_call_options options = { .method = "GET",
						   .target = target,
						   .timeout_ms = DOCKER_PROBE_TIMEOUT_MS,
						   .fresh_connection = true,
						   .stream = true,
						   .body_bytes_max = 4 * 1024 * 1024 };
	docker->probe = http_client_call(docker->client, &options, events, docker);
}

static void version_done(void *owner, struct http_call *call, const struct err *err,
			 enum http_sent sent, int status, struct http_view body)
{
	(void)call, (void)sent;
	struct docker *docker = owner;
	struct err error = { 0 };
	int64_t minor = 0;
	docker->probe = NULL;
	if (err) {
		probe_failed(docker, err);
		return;
	}
	if (status != 200)
		err_set(&error, ERR_PROTOCOL, "GET /version: status %d", status);
	else if (docker_reply_version(body.bytes, body.len, docker->version,
				      sizeof(docker->version), &minor, &error) == ERR_NONE &&
		 minor < DOCKER_API_MINOR_MIN)
		err_set(&error, ERR_UNSUPPORTED,
			"it is version %s with API 1.%lld; drover needs API 1.%d or newer",
			docker->version, (long long)minor, DOCKER_API_MINOR_MIN);
	if (error.code) {
		probe_failed(docker, &error);
		return;
	}
	docker->minor = minor < DOCKER_API_MINOR_MAX ? minor : DOCKER_API_MINOR_MAX;
	docker->probe_instance = docker_instance(docker->socket_path);
	if (docker->state == DOCKER_UP && docker->instance == docker->probe_instance) {
		reached(docker);
		return;
	}
	char target[64];
	text_print(target, sizeof(target), "/v1.%lld/info", (long long)docker->minor);
	probe_call(docker, target, &info_events);
}

static const struct http_call_events version_events = { .done = version_done };

static void probe_start(struct docker *docker)
{
	if (docker->probe)
		return;
	event_del(docker->retry_event);
	probe_call(docker, "/version", &version_events);
}

void docker_suspect(struct docker *docker)
{
	if (docker->state == DOCKER_UP)
		probe_start(docker);
}

static void on_retry(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	probe_start(argument);
}

static void on_ended(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	docker_ops_tell(argument);
}

static enum err_code docker_open(struct event_base *base, const struct runtime_options *options,
				 const struct runtime_events *events, void *shell,
				 struct runtime **ret_runtime, struct err *err)
{
	if (!options->socket_path || options->socket_path[0] != '/')
		return err_set(err, ERR_INVALID, "the path of Docker's socket is not absolute: %s",
			       options->socket_path);
	struct docker *docker = base_calloc(1, sizeof(*docker));
	docker->base = base;
	docker->events = *events;
	docker->shell = shell;
	docker->socket_path = base_strdup(options->socket_path);
	docker->config_path = base_strdup(options->docker_config);
	docker->cluster = options->cluster;
	docker->retry_ms = DOCKER_RETRY_FIRST_MS;
	docker->client = http_client_new(base, ENDPOINT_OF_PATH(docker->socket_path),
					 DOCKER_CONNECTIONS_MAX);
	docker->ended_event = event_new(base, -1, 0, on_ended, docker);
	docker->retry_event = evtimer_new(base, on_retry, docker);
	INVARIANT(docker->ended_event && docker->retry_event);
	text_init(&docker->watch_line, DOCKER_LINE_BYTES_MAX);
	docker_usage_init(&docker->usage, "/sys/fs/cgroup");
	docker->prober = prober_new(base);
	retry_in(docker, 0);
	*ret_runtime = (struct runtime *)docker;
	return ERR_NONE;
}

static void docker_set_cluster(struct runtime *runtime, struct uuid cluster)
{
	struct docker *docker = (struct docker *)runtime;
	if (uuid_equal(docker->cluster, cluster))
		return;
	docker->cluster = cluster;
	if (docker->watch)
		watch_open(docker);
}

static void docker_submit(struct runtime *runtime, const struct container_action *action)
{
	typedef void verb_fn(struct docker_op * op, const struct container_action *action);
	static verb_fn *const verbs[] = {
		[CONTAINER_PULL] = docker_pull,
		[CONTAINER_CREATE] = docker_create,
		[CONTAINER_START] = docker_start,
		[CONTAINER_KILL] = docker_kill,
		[CONTAINER_REMOVE] = docker_remove,
		[CONTAINER_INSPECT] = docker_inspect,
		[CONTAINER_LIST] = docker_list,
		[CONTAINER_NETWORK_ENSURE] = docker_network_ensure,
		[CONTAINER_NETWORK_REMOVE] = docker_network_remove,
		[CONTAINER_VOLUME_ENSURE] = docker_volume_ensure,
		[CONTAINER_VOLUME_REMOVE] = docker_volume_remove,
		[CONTAINER_EXEC] = docker_exec,
		[CONTAINER_PROBE] = docker_probe,
	};
	struct docker *docker = (struct docker *)runtime;
	PRE(action->verb > 0 && (size_t)action->verb < ARRAY_LEN(verbs) && verbs[action->verb]);
	struct docker_op *op = docker_op_new(docker, action);
	if (docker->state != DOCKER_UP)
		docker_op_fault(op, FAULT_UNREACHABLE, "Docker does not answer");
	else
		verbs[action->verb](op, action);
}

static void docker_cancel(struct runtime *runtime, uint64_t op)
{
	struct docker *docker = (struct docker *)runtime;
	for (struct docker_op *at = docker->ops; at; at = at->next) {
		if (at->result.op != op || at->result.verb != CONTAINER_PROBE)
			continue;
		docker_op_fault(at, FAULT_AMBIGUOUS, "not waited for any more");
		return;
	}
}

static bool docker_usage(struct runtime *runtime, const char *container_id,
			 struct runtime_usage *ret_usage)
{
	struct docker *docker = (struct docker *)runtime;
	return docker_usage_read(&docker->usage, container_id, docker_now_ms(), ret_usage);
}

static void docker_close(struct runtime *runtime)
{
	struct docker *docker = (struct docker *)runtime;
	docker_logs_close_all(docker);
	docker_ops_drop(docker);
	watch_close(docker);
	http_client_free(docker->client);
	event_free(docker->ended_event);
	event_free(docker->retry_event);
	text_release(&docker->watch_line);
	pairs_release(&docker->labels);
	docker_usage_release(&docker->usage);
	prober_free(docker->prober);
	base_free(docker->socket_path);
	base_free(docker->config_path);
	base_free(docker);
}

const struct runtime_ops runtime_docker_ops = {
	.name = "docker",
	.open = docker_open,
	.set_cluster = docker_set_cluster,
	.submit = docker_submit,
	.cancel = docker_cancel,
	.logs_open = docker_logs_open,
	.logs_pause = docker_logs_pause,
	.logs_close = docker_logs_close,
	.usage = docker_usage,
	.close = docker_close,
};
