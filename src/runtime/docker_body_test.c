/* The bodies are compared as text: jansson keeps the order in which members were put. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "job/engine.h"
#include "runtime/docker.h"
#include "runtime/docker_body.h"
#include "runtime/json_build.h"

#define TASK	"01890a5d-ac96-774b-bcce-b302099a8057"
#define CLUSTER "01890a5d-ac96-774b-bcce-b302099a8058"

static struct uuid uuid_of(const char *text)
{
	struct uuid id;
	assert_int_equal(uuid_parse(text, &id, NULL), ERR_NONE);
	return id;
}

static struct container_action action_of(const struct job_spec *spec)
{
	return (struct container_action){
		.verb = CONTAINER_CREATE,
		.spec = spec,
		.project = "shop",
		.job = "web",
		.cluster = uuid_of(CLUSTER),
		.task = { uuid_of(TASK) },
		.revision = 4,
		.slot = 2,
		.attempt = 3,
	};
}

/* Compared by meaning, and when it differs shown by text. */
static void check_body(char *body, const char *expected)
{
	json_t *got = json_loads(body, 0, NULL), *want = json_loads(expected, 0, NULL);
	assert_non_null(want);
	if (!json_equal(got, want)) {
		fprintf(stderr, "%s\ninstead of\n%s\n", body, expected);
		fail();
	}
	json_decref(got);
	json_decref(want);
	base_free(body);
}

#define OUR_LABELS                                                                                 \
	"\"drover.cluster\":\"" CLUSTER "\",\"drover.project\":\"shop\",\"drover.job\":\"web\","   \
	"\"drover.task\":\"" TASK "\",\"drover.slot\":\"2\",\"drover.attempt\":\"3\","             \
	"\"drover.revision\":\"4\""

static void the_least_specification_asks_for_nothing_of_its_own(void **state)
{
	(void)state;
	struct job_spec spec;
	const struct docker_body_context context = { .api_minor = 41 };
	record_init(&job_spec_type, &spec);
	string_set(&spec.image, "nginx");
	spec.stop_grace_ms = 0;
	const struct container_action action = action_of(&spec);
	check_body(docker_body_create(&action, &context, NULL),
		   "{\"Image\":\"nginx\",\"Labels\":{" OUR_LABELS "},"
		   "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"no\"},"
		   "\"LogConfig\":{\"Type\":\"json-file\","
		   "\"Config\":{\"max-size\":\"10m\",\"max-file\":\"3\"}}}}");
	record_release(&job_spec_type, &spec);
}

static struct mount *add_mount(struct job_spec *spec, int kind, const char *source,
			       const char *target_path)
{
	struct mount *mount = list_add(&spec->mounts, sizeof(*mount));
	record_init(&mount_type, mount);
	mount->kind = kind;
	string_set(&mount->source, source);
	string_set(&mount->target, target_path);
	return mount;
}

static void fill_process(struct job_spec *spec)
{
	string_set(&spec->image, "localhost:5000/team/app:1");
	spec->has_command = true;
	strings_add(&spec->command, "serve");
	strings_add(&spec->command, "--port=80");
	spec->has_entrypoint = true;
	strings_add(&spec->entrypoint, "/entry");
	pairs_add(&spec->environment, "A", "1=2");
	pairs_add(&spec->environment, "EMPTY", "");
	pairs_add(&spec->environment, "GONE", NULL);
	string_set(&spec->working_dir, "/srv");
	string_set(&spec->user, "1000:1000");
	string_set(&spec->hostname, "web");
	string_set(&spec->stop_signal, "SIGQUIT");
	spec->stop_grace_ms = 1500;
	pairs_add(&spec->labels, "team", "blue");
	pairs_add(&spec->labels, "drover.task", "forged");
	strings_add(&spec->health_check.test, "CMD");
	strings_add(&spec->health_check.test, "check");
	spec->health_check.interval_ms = 1000;
	spec->health_check.timeout_ms = 500;
	spec->health_check.retries = 2;
	spec->health_check.start_period_ms = 3000;
	spec->health_check.start_interval_ms = 250;
}

static void fill_host(struct job_spec *spec)
{
	spec->init = YES;
	spec->read_only = true;
	strings_add(&spec->cap_add, "NET_ADMIN");
	strings_add(&spec->cap_drop, "ALL");
	strings_add(&spec->extra_hosts, "db:10.0.0.1");
	strings_add(&spec->dns, "1.1.1.1");
	pairs_add(&spec->sysctls, "net.core.somaxconn", "1024");
	struct ulimit *ulimit = list_add(&spec->ulimits, sizeof(*ulimit));
	ulimit->name = base_strdup("nofile");
	ulimit->soft = 10;
	ulimit->hard = 20;
	spec->shm_size_bytes = 1048576;
	spec->limits.memory_bytes = 67108864;
	spec->limits.cpu_milli = 1500;
	spec->limits.pids = 100;
	string_set(&spec->logging.driver, "local");
	pairs_add(&spec->logging.options, "max-size", "1m");
}

static void add_port(struct job_spec *spec, const char *host_ip, int64_t first, int64_t last,
		     int64_t container_port, int protocol)
{
	struct port *port = list_add(&spec->ports, sizeof(*port));
	record_init(&port_type, port);
	port->host_ip = base_strdup(host_ip);
	port->host_first = first;
	port->host_last = last;
	port->container_port = container_port;
	port->protocol = protocol;
}

static void fill_ports_and_mounts(struct job_spec *spec)
{
	add_port(spec, NULL, 8080, 8089, 80, PORT_TCP);
	add_port(spec, "127.0.0.1", 53, 53, 53, PORT_UDP);
	add_port(spec, NULL, 0, 0, 9000, PORT_TCP);
	add_mount(spec, MOUNT_VOLUME, "data", "/data")->nocopy = true;
	add_mount(spec, MOUNT_VOLUME, NULL, "/scratch");
	struct mount *there = add_mount(spec, MOUNT_BIND, "/etc/app", "/etc/app");
	there->read_only = true;
	there->create_host_path = false;
	struct mount *made = add_mount(spec, MOUNT_BIND, "/srv/made", "/made");
	made->create_host_path = true;
	made->read_only = true;
	string_set(&made->propagation, "rslave");
	struct mount *sized = add_mount(spec, MOUNT_TMPFS, NULL, "/tmp");
	sized->tmpfs_size_bytes = 1024;
	sized->tmpfs_mode = 01777;
	string_set(&add_mount(spec, MOUNT_TMPFS, NULL, "/run")->tmpfs_options, "size=1m");
	struct network_use *use = list_add(&spec->networks, sizeof(*use));
	use->network = base_strdup("front");
	strings_add(&use->aliases, "www");
	strings_add(&use->aliases, "web");
	use = list_add(&spec->networks, sizeof(*use));
	use->network = base_strdup("back");
}

/* Everything a specification can hold, for Docker with API 1.47. */
static const char everything[] =
	"{\"Image\":\"localhost:5000/team/app:1\",\"Entrypoint\":[\"/entry\"],"
	"\"Cmd\":[\"serve\",\"--port=80\"],\"Env\":[\"A=1=2\",\"EMPTY=\",\"GONE\"],"
	"\"WorkingDir\":\"/srv\",\"User\":\"1000:1000\",\"Hostname\":\"web\","
	"\"StopSignal\":\"SIGQUIT\",\"StopTimeout\":2,"
	"\"Labels\":{\"team\":\"blue\"," OUR_LABELS ",\"drover.carried-volumes\":\"v1,v2\"},"
	"\"Healthcheck\":{\"Test\":[\"CMD\",\"check\"],\"Interval\":1000000000,"
	"\"Timeout\":500000000,\"StartPeriod\":3000000000,\"Retries\":2,"
	"\"StartInterval\":250000000},"
	"\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{},\"9000/tcp\":{}},"
	"\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"no\"},\"Init\":true,\"ReadonlyRootfs\":true,"
	"\"CapAdd\":[\"NET_ADMIN\"],\"CapDrop\":[\"ALL\"],\"ExtraHosts\":[\"db:10.0.0.1\"],"
	"\"Dns\":[\"1.1.1.1\"],\"Sysctls\":{\"net.core.somaxconn\":\"1024\"},"
	"\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":10,\"Hard\":20}],\"ShmSize\":1048576,"
	"\"Memory\":67108864,\"NanoCpus\":1500000000,\"PidsLimit\":100,"
	"\"LogConfig\":{\"Type\":\"local\",\"Config\":{\"max-size\":\"1m\",\"max-file\":\"3\"}},"
	"\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8083\"}],"
	"\"53/udp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"53\"}]},"
	"\"Mounts\":["
	"{\"Type\":\"volume\",\"Target\":\"/data\",\"VolumeOptions\":{\"NoCopy\":true},"
	"\"Source\":\"shop_data\"},"
	"{\"Type\":\"volume\",\"Target\":\"/scratch\",\"Source\":\"v1\"},"
	"{\"Type\":\"bind\",\"Target\":\"/etc/app\",\"ReadOnly\":true,\"Source\":\"/etc/app\"},"
	"{\"Type\":\"tmpfs\",\"Target\":\"/tmp\",\"TmpfsOptions\":{\"SizeBytes\":1024,"
	"\"Mode\":1023}},"
	"{\"Type\":\"volume\",\"Target\":\"/image-volume\",\"Source\":\"v2\"}],"
	"\"Binds\":[\"/srv/made:/made:ro,rslave\"],\"Tmpfs\":{\"/run\":\"size=1m\"},"
	"\"NetworkMode\":\"shop_front\"},"
	"\"NetworkingConfig\":{\"EndpointsConfig\":{"
	"\"shop_front\":{\"Aliases\":[\"web\",\"www\"]},\"other\":{\"Aliases\":[\"web\"]}}}}";

static void every_field_of_a_specification_reaches_docker(void **state)
{
	(void)state;
	struct job_spec spec;
	record_init(&job_spec_type, &spec);
	fill_process(&spec);
	fill_host(&spec);
	fill_ports_and_mounts(&spec);
	char front[] = "front", back[] = "back", other[] = "other", data[] = "data";
	const struct network_spec networks[] = { { .key = front }, { .key = back, .name = other } };
	const struct volume_spec volume = { .key = data };
	const struct port_grant grant = { .index = 0, .host_port = 8083 };
	struct pairs carried = { 0 };
	pairs_add(&carried, "/scratch", "v1");
	pairs_add(&carried, "/image-volume", "v2");
	pairs_add(&carried, "/data", "now-a-named-volume");
	const struct docker_body_context context = { .api_minor = 47, .carried = &carried };
	struct container_action action = action_of(&spec);
	action.networks = networks;
	action.n_networks = 2;
	action.volumes = &volume;
	action.n_volumes = 1;
	action.ports = &grant;
	action.n_ports = 1;
	check_body(docker_body_create(&action, &context, NULL), everything);
	pairs_release(&carried);
	record_release(&job_spec_type, &spec);
}

static void up_to_api_1_43_only_the_first_network_is_in_the_body(void **state)
{
	(void)state;
	struct job_spec spec;
	char front[] = "front", back[] = "back";
	const struct network_spec networks[] = { { .key = front }, { .key = back } };
	const struct docker_body_context context = { .api_minor = 43 };
	record_init(&job_spec_type, &spec);
	string_set(&spec.image, "nginx");
	struct network_use *use = list_add(&spec.networks, sizeof(*use));
	use->network = base_strdup("back");
	strings_add(&use->aliases, "db");
	struct container_action action = action_of(&spec);
	action.networks = networks;
	action.n_networks = 2;
	char *body = docker_body_create(&action, &context, NULL);
	assert_non_null(strstr(body, "shop_front"));
	assert_null(strstr(body, "shop_back"));
	base_free(body);
	check_body(docker_body_connect(&action, 1, "abc", NULL),
		   "{\"Container\":\"abc\",\"EndpointConfig\":{\"Aliases\":[\"web\",\"db\"]}}");
	record_release(&job_spec_type, &spec);
}

static void check_refused(const struct job_spec *spec, int64_t api_minor, const char *words)
{
	const struct docker_body_context context = { .api_minor = api_minor };
	const struct container_action action = action_of(spec);
	struct err err = { 0 };
	assert_null(docker_body_create(&action, &context, &err));
	if (!strstr(err.message, words))
		assert_string_equal(err.message, words);
}

/* A node that could have it must not seem too old. */
static void every_need_of_a_newer_docker_is_within_what_is_spoken(void **state)
{
	(void)state;
	for (size_t i = 0; i < ENGINE_FEATURE_COUNT; i++)
		assert_true(engine_needs[i].minor <= DOCKER_API_MINOR_MAX);
}

static void what_docker_cannot_be_told_is_refused_with_the_reason(void **state)
{
	(void)state;
	struct job_spec spec;
	record_init(&job_spec_type, &spec);
	string_set(&spec.image, "nginx");
	spec.health_check.start_interval_ms = 100;
	check_refused(&spec, 43,
		      "start_interval needs Engine API 1.44 (Docker 25), this Docker speaks 1.43");
	spec.health_check.start_interval_ms = 0;
	spec.has_command = true;
	check_refused(&spec, 43, "the command is empty");
	spec.has_command = false;
	string_set(&spec.user, "\xff\xfe");
	check_refused(&spec, 43, "User");
	string_set(&spec.user, NULL);
	add_mount(&spec, MOUNT_BIND, "/a:b", "/c")->create_host_path = true;
	check_refused(&spec, 43, "/a:b");
	string_set(&spec.mounts.items[0].source, "unknown");
	spec.mounts.items[0].kind = MOUNT_VOLUME;
	check_refused(&spec, 43, "unknown");
	record_release(&job_spec_type, &spec);
}

static void an_empty_command_keeps_the_images_entry_point(void **state)
{
	(void)state;
	struct job_spec spec;
	struct strings entrypoint = { 0 };
	strings_add(&entrypoint, "/docker-entrypoint.sh");
	const struct docker_body_context context = { .api_minor = 41,
						     .image_entrypoint = &entrypoint };
	record_init(&job_spec_type, &spec);
	string_set(&spec.image, "nginx");
	spec.has_command = true;
	const struct container_action action = action_of(&spec);
	char *body = docker_body_create(&action, &context, NULL);
	assert_non_null(strstr(body, "\"Cmd\":[]"));
	assert_non_null(strstr(body, "\"Entrypoint\":[\"/docker-entrypoint.sh\"]"));
	base_free(body);
	strings_release(&entrypoint);
	record_release(&job_spec_type, &spec);
}

static void a_disabled_check_and_a_foreign_log_driver_are_left_as_written(void **state)
{
	(void)state;
	struct job_spec spec;
	const struct docker_body_context context = { .api_minor = 41 };
	record_init(&job_spec_type, &spec);
	string_set(&spec.image, "nginx");
	spec.health_check.disabled = true;
	strings_add(&spec.health_check.test, "CMD");
	string_set(&spec.logging.driver, "journald");
	pairs_add(&spec.logging.options, "tag", "x");
	const struct container_action action = action_of(&spec);
	char *body = docker_body_create(&action, &context, NULL);
	assert_non_null(strstr(body, "\"Healthcheck\":{\"Test\":[\"NONE\"]}"));
	assert_non_null(strstr(body, "{\"Type\":\"journald\",\"Config\":{\"tag\":\"x\"}}"));
	base_free(body);
	record_release(&job_spec_type, &spec);
}

static void networks_and_volumes_bear_our_labels(void **state)
{
	(void)state;
	struct job_spec spec;
	record_init(&job_spec_type, &spec);
	struct network_spec network = { .internal = true };
	struct volume_spec volume = { 0 };
	pairs_add(&network.driver_opts, "com.docker.network.bridge.name", "br9");
	pairs_add(&volume.driver_opts, "type", "nfs");
	pairs_add(&volume.labels, "keep", "yes");
	struct container_action action = action_of(&spec);
	action.network = &network;
	action.volume = &volume;
	action.resource_name = "shop_x";
	check_body(docker_body_network(&action, 47, NULL),
		   "{\"Name\":\"shop_x\",\"CheckDuplicate\":true,\"Driver\":\"bridge\","
		   "\"Internal\":true,\"Attachable\":false,"
		   "\"Options\":{\"com.docker.network.bridge.name\":\"br9\"},"
		   "\"Labels\":{\"drover.cluster\":\"" CLUSTER "\",\"drover.project\":\"shop\"}}");
	check_body(docker_body_volume(&action, NULL),
		   "{\"Name\":\"shop_x\",\"Driver\":\"local\",\"DriverOpts\":{\"type\":\"nfs\"},"
		   "\"Labels\":{\"keep\":\"yes\",\"drover.cluster\":\"" CLUSTER
		   "\",\"drover.project\":\"shop\"}}");
	struct err err = { 0 };
	network.enable_ipv6 = YES;
	assert_null(docker_body_network(&action, 45, &err));
	assert_string_equal(err.message, "enable_ipv6 without a subnet of IPv6 needs Engine API "
					 "1.46 (Docker 27), this Docker speaks 1.45");
	pairs_release(&network.driver_opts);
	pairs_release(&volume.driver_opts);
	pairs_release(&volume.labels);
	record_release(&job_spec_type, &spec);
}

static void addresses_of_a_network_are_told(void **state)
{
	(void)state;
	struct job_spec spec;
	record_init(&job_spec_type, &spec);
	struct network_spec network = { .enable_ipv6 = YES };
	network.ipam = base_calloc(1, sizeof(*network.ipam));
	struct ipam_pool *pool = list_add(&network.ipam->pools, sizeof(*pool));
	string_set(&pool->subnet, "10.9.0.0/24");
	string_set(&pool->ip_range, "10.9.0.128/25");
	string_set(&pool->gateway, "10.9.0.1");
	pairs_add(&pool->aux_addresses, "printer", "10.9.0.7");
	pairs_add(&network.ipam->options, "a", "b");
	struct container_action action = action_of(&spec);
	action.network = &network;
	action.resource_name = "shop_x";
	check_body(docker_body_network(&action, 47, NULL),
		   "{\"Name\":\"shop_x\",\"CheckDuplicate\":true,\"Driver\":\"bridge\","
		   "\"Internal\":false,\"Attachable\":false,\"Options\":{},\"EnableIPv6\":true,"
		   "\"IPAM\":{\"Driver\":\"default\",\"Config\":[{\"Subnet\":\"10.9.0.0/24\","
		   "\"IPRange\":\"10.9.0.128/25\",\"Gateway\":\"10.9.0.1\","
		   "\"AuxiliaryAddresses\":{\"printer\":\"10.9.0.7\"}}],\"Options\":{\"a\":\"b\"}},"
		   "\"Labels\":{\"drover.cluster\":\"" CLUSTER "\",\"drover.project\":\"shop\"}}");
	record_release(&network_spec_type, &network);
	record_release(&job_spec_type, &spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_specification_asks_for_nothing_of_its_own),
		cmocka_unit_test(every_field_of_a_specification_reaches_docker),
		cmocka_unit_test(up_to_api_1_43_only_the_first_network_is_in_the_body),
		cmocka_unit_test(every_need_of_a_newer_docker_is_within_what_is_spoken),
		cmocka_unit_test(what_docker_cannot_be_told_is_refused_with_the_reason),
		cmocka_unit_test(an_empty_command_keeps_the_images_entry_point),
		cmocka_unit_test(a_disabled_check_and_a_foreign_log_driver_are_left_as_written),
		cmocka_unit_test(networks_and_volumes_bear_our_labels),
		cmocka_unit_test(addresses_of_a_network_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
