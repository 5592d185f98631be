#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "runtime/docker_reply.h"

/* As Docker 20.10 answered, shortened. */
static const char inspect_json[] =
	"{\"Id\":\"6a9cf2f0a198a238f2ea79a4ba9c4d6be1b58876fb40c9ad6f5006039ef2eb4d\","
	"\"Created\":\"2026-11-23T12:17:27.867273518Z\",\"Path\":\"sleep\",\"Args\":[\"100\"],"
	"\"State\":{\"Status\":\"exited\",\"Running\":false,\"Paused\":false,\"OOMKilled\":true,"
	"\"Dead\":false,\"Pid\":0,\"ExitCode\":137,\"Error\":\"went\\nwrong\","
	"\"StartedAt\":\"2026-11-23T12:17:28.5Z\",\"FinishedAt\":\"2026-11-23T14:17:29.001+02:00\","
	"\"Health\":{\"Status\":\"unhealthy\",\"FailingStreak\":2,\"Log\":["
	"{\"ExitCode\":1,\"Output\":\"old\"},{\"ExitCode\":1,\"Output\":\"new \\n\"}]}},"
	"\"Name\":\"/drover-01890a5d-ac96-774b-bcce-b302099a8057-3\",\"Mounts\":["
	"{\"Type\":\"volume\",\"Name\":"
	"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
	"\"Destination\":\"/anonymous\"},"
	"{\"Type\":\"volume\",\"Name\":\"shop_data\",\"Destination\":\"/named\"},"
	"{\"Type\":\"bind\",\"Source\":\"/etc\",\"Destination\":\"/etc\"}],"
	"\"Config\":{\"StopSignal\":\"SIGQUIT\",\"Labels\":{"
	"\"drover.cluster\":\"01890a5d-ac96-774b-bcce-b302099a8058\","
	"\"drover.task\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"drover.attempt\":\"3\"}}}";

static void an_inspected_container_is_read(void **state)
{
	(void)state;
	struct container_seen seen;
	char id[UUID_TEXT_SIZE];
	assert_int_equal(
		docker_reply_inspect(inspect_json, strlen(inspect_json), NULL, &seen, NULL), 0);
	assert_string_equal(seen.name, "drover-01890a5d-ac96-774b-bcce-b302099a8057-3");
	assert_string_equal(seen.id,
			    "6a9cf2f0a198a238f2ea79a4ba9c4d6be1b58876fb40c9ad6f5006039ef2eb4d");
	assert_string_equal(uuid_format(seen.cluster, id), "01890a5d-ac96-774b-bcce-b302099a8058");
	assert_string_equal(uuid_format(seen.task.uuid, id),
			    "01890a5d-ac96-774b-bcce-b302099a8057");
	assert_int_equal(seen.attempt, 3);
	assert_int_equal(seen.state, CONTAINER_EXITED);
	assert_int_equal(seen.health, HEALTH_UNHEALTHY);
	assert_int_equal(seen.exit_code, 137);
	assert_true(seen.oom_killed);
	assert_string_equal(seen.error, "went wrong");
	assert_string_equal(seen.stop_signal, "SIGQUIT");
	assert_string_equal(seen.health_output, "new");
	assert_int_equal(seen.finished_wall_ms - seen.started_wall_ms, 501);
	container_seen_release(&seen);
}

static void anonymous_volumes_are_told_from_named_ones(void **state)
{
	(void)state;
	struct pairs volumes = { 0 };
	assert_int_equal(docker_reply_anonymous(inspect_json, strlen(inspect_json), &volumes, NULL),
			 0);
	assert_int_equal(volumes.n, 1);
	assert_string_equal(volumes.items[0].key, "/anonymous");
	pairs_release(&volumes);
}

static void an_answer_of_another_shape_changes_nothing(void **state)
{
	(void)state;
	static const char *const answers[] = { "",
					       "nonsense",
					       "[]",
					       "{}",
					       "{\"Id\":1}",
					       "{\"Id\":\"a\"}",
					       "{\"Id\":\"a\",\"State\":[]}",
					       "{\"Id\":\"a\",\"State\":{\"Status\":7}}" };
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct container_seen seen = { .exit_code = 42 };
		struct err err = { 0 };
		assert_int_equal(
			docker_reply_inspect(answers[i], strlen(answers[i]), NULL, &seen, &err),
			ERR_PROTOCOL);
		assert_true(err.message[0] != '\0');
		assert_int_equal(seen.exit_code, 42);
	}
}

static void a_newer_dockers_words_are_tolerated(void **state)
{
	(void)state;
	static const char json[] =
		"{\"Id\":\"a\",\"New\":{\"er\":[1,2]},\"Name\":7,\"Config\":null,"
		"\"State\":{\"Status\":\"hibernating\",\"ExitCode\":\"x\","
		"\"Health\":{\"Status\":\"splendid\",\"Log\":null}}}";
	struct container_seen seen;
	assert_int_equal(docker_reply_inspect(json, strlen(json), NULL, &seen, NULL), 0);
	assert_int_equal(seen.state, CONTAINER_EXITED);
	assert_int_equal(seen.exit_code, -1);
	assert_int_equal(seen.health, HEALTH_NONE);
	assert_string_equal(seen.name, "");
	container_seen_release(&seen);
}

static void nesting_is_bounded_before_it_is_parsed(void **state)
{
	(void)state;
	char json[LIMIT_JSON_DEPTH * 4];
	struct err err = { 0 };
	memset(json, '[', sizeof(json));
	assert_null(docker_json_parse(json, sizeof(json), &err));
	assert_non_null(strstr(err.message, "deeper"));
	/* Brackets inside of strings are no nesting. */
	json[0] = '[';
	json[1] = '"';
	json[sizeof(json) - 2] = '"';
	json[sizeof(json) - 1] = ']';
	json_t *parsed = docker_json_parse(json, sizeof(json), &err);
	assert_non_null(parsed);
	json_decref(parsed);
}

static void times_are_read_to_the_millisecond(void **state)
{
	(void)state;
	assert_int_equal(docker_time_wall_ms("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(docker_time_wall_ms("2000-02-29T12:00:00.25Z"), 951825600250);
	assert_int_equal(docker_time_wall_ms("2026-11-23T12:12:42.019206883Z"), 1795435962019);
	assert_int_equal(docker_time_wall_ms("2026-11-23T14:12:42.019+02:00"), 1795435962019);
	assert_int_equal(docker_time_wall_ms("0001-01-01T00:00:00Z"), 0);
	assert_int_equal(docker_time_wall_ms("yesterday"), 0);
	assert_int_equal(docker_time_wall_ms("2026-11-23 12:12:42Z"), 0);
	assert_int_equal(docker_time_wall_ms("2026-11-23T12:12:42"), 0);
	assert_int_equal(docker_time_wall_ms(""), 0);
	assert_int_equal(docker_time_wall_ms(NULL), 0);
}

static void the_api_version_is_read_and_anything_else_is_no_docker(void **state)
{
	(void)state;
	char version[64];
	int64_t minor = 0;
	static const char good[] = "{\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\"}";
	static const char *const bad[] = { "{}", "{\"ApiVersion\":\"2.0\"}",
					   "{\"ApiVersion\":\"1.\"}", "{\"ApiVersion\":\"1.4x\"}",
					   "<html>" };
	assert_int_equal(
		docker_reply_version(good, strlen(good), version, sizeof(version), &minor, NULL),
		0);
	assert_int_equal(minor, 41);
	assert_string_equal(version, "20.10.24");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(docker_reply_version(bad[i], strlen(bad[i]), version,
						      sizeof(version), &minor, NULL),
				 ERR_PROTOCOL);
	assert_int_equal(minor, 41);
}

static void an_events_name_is_its_actors(void **state)
{
	(void)state;
	static const char die[] =
		"{\"status\":\"die\",\"Type\":\"container\",\"Action\":\"die\","
		"\"Actor\":{\"ID\":\"a\",\"Attributes\":{\"name\":\"drover-x-1\"}}}";
	static const char network[] =
		"{\"Type\":\"network\",\"Actor\":{\"Attributes\":{\"name\":\"bridge\"}}}";
	json_t *json;
	assert_string_equal(docker_reply_event(die, strlen(die), &json), "drover-x-1");
	json_decref(json);
	assert_null(docker_reply_event(network, strlen(network), &json));
	json_decref(json);
	assert_null(docker_reply_event("{", 1, &json));
	assert_null(json);
}

static void an_error_answers_words_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		const char *message;
	} rows[] = {
		{ "{\"message\":\"No such image: a\"}\n", "No such image: a" },
		{ "plain words\n", "plain words" },
		{ "", "" },
		{ "{\"message\":\"two\\nlines\"}", "two lines" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *message = docker_reply_message(rows[i].body, strlen(rows[i].body));
		assert_string_equal(message, rows[i].message);
		base_free(message);
	}
}

/* Sentences as Docker 20.10 to 28 write them. */
static const struct {
	int verb, status, fault;
	const char *message;
} sentences[] = {
	{ CONTAINER_START, 304, FAULT_NONE, "" },
	{ CONTAINER_START, 404, FAULT_NOT_FOUND, "No such container: x" },
	{ CONTAINER_START, 404, FAULT_FAILED, "network nonet not found" },
	{ CONTAINER_START, 500, FAULT_PORT_TAKEN,
	  "driver failed programming external connectivity on endpoint rt7 (28): Bind for "
	  "0.0.0.0:38080 failed: port is already allocated" },
	{ CONTAINER_START, 500, FAULT_PORT_TAKEN,
	  "driver failed programming external connectivity on endpoint x: Error starting "
	  "userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use" },
	{ CONTAINER_START, 500, FAULT_PORT_TAKEN,
	  "failed to set up container networking: driver failed programming external "
	  "connectivity on endpoint x (1): failed to bind host port for 0.0.0.0:80: "
	  "address "
	  "already in use" },
	{ CONTAINER_START, 400, FAULT_COMMAND_NOT_FOUND,
	  "failed to create shim task: OCI runtime create failed: runc create failed: "
	  "unable "
	  "to start container process: exec: \"nope\": executable file not found in $PATH: "
	  "unknown" },
	{ CONTAINER_START, 400, FAULT_COMMAND_NOT_FOUND,
	  "failed to create task for container: failed to create shim task: OCI runtime "
	  "create failed: runc create failed: unable to start container process: error "
	  "during container init: exec: \"/nope\": stat /nope: no such file or directory: "
	  "unknown" },
	{ CONTAINER_START, 400, FAULT_COMMAND_NOT_FOUND,
	  "OCI runtime create failed: container_linux.go:380: starting container process "
	  "caused: exec: \"/tmp\": permission denied: unknown" },
	{ CONTAINER_START, 400, FAULT_MOUNT_FAILED,
	  "failed to create task for container: failed to create shim task: OCI runtime "
	  "create failed: runc create failed: unable to start container process: error "
	  "mounting \"/a/file\" to rootfs at \"/b\": not a directory: unknown" },
	{ CONTAINER_START, 500, FAULT_MOUNT_FAILED,
	  "error while mounting volume '/var/lib/docker/volumes/x/_data': failed to mount "
	  "local volume: mount nfs:/x: no such file or directory" },
	{ CONTAINER_START, 400, FAULT_REFUSED,
	  "unable to find user nobodyy: no matching entries in passwd file" },
	{ CONTAINER_START, 400, FAULT_REFUSED,
	  "failed to create shim task: OCI runtime create failed: runc create failed: unable to "
	  "start container process: error during container init: open /proc/sys/net/foo: no such "
	  "file or directory: unknown" },
	{ CONTAINER_CREATE, 500, FAULT_REFUSED, "Cannot mkdir: /etc/passwd is not a directory" },
	{ CONTAINER_START, 500, FAULT_FAILED,
	  "failed to create shim task: OCI runtime create failed: something new" },
	{ CONTAINER_START, 500, FAULT_AMBIGUOUS, "context deadline exceeded" },
	{ CONTAINER_CREATE, 404, FAULT_IMAGE_NOT_FOUND, "No such image: none:1" },
	{ CONTAINER_CREATE, 409, FAULT_CONFLICT,
	  "Conflict. The container name \"/x\" is already in use by container \"b0\"." },
	{ CONTAINER_CREATE, 400, FAULT_MOUNT_FAILED,
	  "invalid mount config for type \"bind\": bind source path does not exist: "
	  "/nope" },
	{ CONTAINER_CREATE, 400, FAULT_REFUSED, "Minimum memory limit allowed is 6MB" },
	{ CONTAINER_CREATE, 500, FAULT_AMBIGUOUS, "something" },
	{ CONTAINER_KILL, 409, FAULT_NONE,
	  "Cannot kill container: rt7: Container 6a is not running" },
	{ CONTAINER_KILL, 409, FAULT_NONE, "container 6a is not running" },
	{ CONTAINER_KILL, 404, FAULT_NOT_FOUND, "No such container: x" },
	{ CONTAINER_KILL, 400, FAULT_REFUSED, "Invalid signal: SIGFOO" },
	{ CONTAINER_REMOVE, 404, FAULT_NONE, "No such container: x" },
	{ CONTAINER_REMOVE, 409, FAULT_CONFLICT,
	  "You cannot remove a running container f5. Stop the container before attempting "
	  "removal or force remove" },
	{ CONTAINER_REMOVE, 409, FAULT_AMBIGUOUS,
	  "removal of container f5 is already in progress" },
	{ CONTAINER_PULL, 404, FAULT_IMAGE_NOT_FOUND,
	  "manifest for busybox:99 not found: manifest unknown: manifest unknown" },
	{ CONTAINER_PULL, 404, FAULT_IMAGE_NOT_FOUND,
	  "pull access denied for nosuch, repository does not exist or may require 'docker "
	  "login': denied: requested access to the resource is denied" },
	{ CONTAINER_PULL, 500, FAULT_PULL_FAILED,
	  "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection "
	  "refused" },
	{ CONTAINER_PULL, 500, FAULT_PULL_FAILED,
	  "Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup "
	  "registry-1.docker.io: "
	  "no such host" },
	{ CONTAINER_PULL, 500, FAULT_PULL_FAILED,
	  "Head \"https://r/v2/a/manifests/1\": unauthorized: authentication required" },
	{ CONTAINER_PULL, 200, FAULT_PULL_FAILED,
	  "toomanyrequests: You have reached your pull rate limit." },
	{ CONTAINER_PULL, 400, FAULT_REFUSED,
	  "invalid reference format: repository name must be lowercase" },
	{ CONTAINER_NETWORK_ENSURE, 409, FAULT_NONE, "network with name x already exists" },
	{ CONTAINER_NETWORK_ENSURE, 404, FAULT_FAILED, "plugin \"nosuch\" not found" },
	{ CONTAINER_NETWORK_ENSURE, 403, FAULT_FAILED,
	  "operation is not permitted on predefined bridge network" },
	{ CONTAINER_NETWORK_ENSURE, 500, FAULT_FAILED,
	  "could not find an available, non-overlapping IPv4 address pool among the "
	  "defaults "
	  "to assign to the network" },
	{ CONTAINER_NETWORK_REMOVE, 403, FAULT_CONFLICT,
	  "error while removing network: network x id y has active endpoints" },
	{ CONTAINER_NETWORK_REMOVE, 404, FAULT_NONE, "network x not found" },
	{ CONTAINER_VOLUME_ENSURE, 404, FAULT_MOUNT_FAILED,
	  "create rtvol: error looking up volume plugin nosuch: plugin \"nosuch\" not "
	  "found" },
	{ CONTAINER_VOLUME_REMOVE, 409, FAULT_CONFLICT, "remove x: volume is in use - [a]" },
	{ CONTAINER_VOLUME_REMOVE, 404, FAULT_NONE, "get x: no such volume" },
	{ CONTAINER_INSPECT, 500, FAULT_AMBIGUOUS, "" },
};

static void dockers_words_mean_what_they_mean(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
		int fault = docker_reply_fault(sentences[i].verb, sentences[i].status,
					       sentences[i].message);
		if (fault != sentences[i].fault)
			fail_msg("row %zu: %s instead of %s", i,
				 enum_name(container_fault_names, fault),
				 enum_name(container_fault_names, sentences[i].fault));
	}
	assert_int_equal(docker_reply_fault(CONTAINER_START, 500, NULL), FAULT_AMBIGUOUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_inspected_container_is_read),
		cmocka_unit_test(anonymous_volumes_are_told_from_named_ones),
		cmocka_unit_test(an_answer_of_another_shape_changes_nothing),
		cmocka_unit_test(a_newer_dockers_words_are_tolerated),
		cmocka_unit_test(nesting_is_bounded_before_it_is_parsed),
		cmocka_unit_test(times_are_read_to_the_millisecond),
		cmocka_unit_test(the_api_version_is_read_and_anything_else_is_no_docker),
		cmocka_unit_test(an_events_name_is_its_actors),
		cmocka_unit_test(an_error_answers_words_are_found),
		cmocka_unit_test(dockers_words_mean_what_they_mean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
