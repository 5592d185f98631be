#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "policy/policy.h"

static void parse(struct policy *policy, const char *text)
{
	struct err err = { 0 };
	if (policy_parse(text, strlen(text), "worker.yaml", policy, &err))
		fail_msg("%s: %s", err.field, err.message);
}

static void expect_refused_text(const char *text, const char *field, const char *message)
{
	struct policy policy;
	struct err err = { 0 };
	assert_int_not_equal(policy_parse(text, strlen(text), "worker.yaml", &policy, &err), 0);
	assert_string_equal(err.field, field);
	assert_non_null(strstr(err.message, message));
}

struct asked {
	struct job_spec spec;
	struct network_spec network;
	struct volume_spec volume;
	struct container_action action;
};

static void asked_init(struct asked *asked, int verb)
{
	*asked = (struct asked){ 0 };
	record_init(&job_spec_type, &asked->spec);
	string_set(&asked->spec.image, "busybox:1");
	string_set(&asked->network.key, "front");
	string_set(&asked->volume.key, "data");
	asked->action = (struct container_action){ .verb = verb,
						   .spec = &asked->spec,
						   .project = "shop",
						   .network = &asked->network,
						   .volume = &asked->volume,
						   .networks = &asked->network,
						   .n_networks = 1,
						   .volumes = &asked->volume,
						   .n_volumes = 1 };
}

static void asked_release(struct asked *asked)
{
	record_release(&job_spec_type, &asked->spec);
	record_release(&network_spec_type, &asked->network);
	record_release(&volume_spec_type, &asked->volume);
}

/* `message` NULL: allowed. */
static void expect(const char *text, const struct asked *asked, const char *message)
{
	struct policy policy;
	struct err err = { 0 };
	parse(&policy, text);
	enum err_code code = policy_check(&policy, &asked->action, &err);
	if (!message) {
		if (code)
			fail_msg("%s", err.message);
	} else {
		assert_int_equal(code, ERR_FORBIDDEN);
		assert_string_equal(err.message, message);
	}
	policy_release(&policy);
}

static void what_asks_for_nothing_special_needs_no_line(void **state)
{
	(void)state;
	static const int verbs[] = { CONTAINER_PULL,	       CONTAINER_CREATE,
				     CONTAINER_NETWORK_ENSURE, CONTAINER_VOLUME_ENSURE,
				     CONTAINER_START,	       CONTAINER_KILL,
				     CONTAINER_REMOVE };
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		struct asked asked;
		asked_init(&asked, verbs[i]);
		expect("", &asked, NULL);
		asked_release(&asked);
	}
}

static void capabilities_are_named_one_by_one(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_CREATE);
	strings_add(&asked.spec.cap_add, "NET_ADMIN");
	expect("", &asked,
	       "capability NET_ADMIN is not allowed on this machine; its owner can add the line "
	       "\"cap_add: [NET_ADMIN]\" to worker.yaml");
	expect("# first\ncap_add: [SYS_TIME]\n", &asked,
	       "capability NET_ADMIN is not allowed on this machine; its owner can add it to "
	       "cap_add, line 2 of worker.yaml");
	expect("cap_add: [SYS_TIME, cap_net_admin]\n", &asked, NULL);
	strings_add(&asked.spec.cap_add, "ALL");
	expect("cap_add: [NET_ADMIN]\n", &asked,
	       "capability ALL is not allowed on this machine; its owner can add it to cap_add, "
	       "line 1 of worker.yaml");
	asked_release(&asked);
}

static void sysctls_and_log_drivers_are_named(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_CREATE);
	pairs_add(&asked.spec.sysctls, "net.core.somaxconn", "1024");
	expect("", &asked,
	       "sysctl net.core.somaxconn is not allowed on this machine; its owner can add the "
	       "line \"sysctls: [net.core.somaxconn]\" to worker.yaml");
	expect("sysctls: [net.core.somaxconn]", &asked, NULL);
	string_set(&asked.spec.logging.driver, "local");
	expect("sysctls: [net.core.somaxconn]", &asked, NULL);
	string_set(&asked.spec.logging.driver, "syslog");
	expect("sysctls: [net.core.somaxconn]", &asked,
	       "log driver syslog is not allowed on this machine; its owner can add the line "
	       "\"log_drivers: [syslog]\" to worker.yaml");
	asked_release(&asked);
}

static struct tuning *tuning_of(struct asked *asked)
{
	if (!asked->spec.tuning)
		asked->spec.tuning = base_calloc(1, sizeof(struct tuning));
	return asked->spec.tuning;
}

static void more_than_a_fair_share_needs_a_line(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_CREATE);
	struct tuning *tuning = tuning_of(&asked);
	tuning->cpu_shares = 1024;
	tuning->blkio_weight = 500;
	tuning->oom_score_adj = 1000;
	tuning->cgroup_namespace = CGROUP_PRIVATE;
	expect("", &asked, NULL);
	tuning->oom_score_adj = -1;
	expect("", &asked,
	       "privilege oom_score_adj is not allowed on this machine; its owner can add the line "
	       "\"privileges: [oom_score_adj]\" to worker.yaml");
	expect("privileges: [oom_score_adj]", &asked, NULL);
	tuning->cpu_shares = 1025;
	expect("privileges: [oom_score_adj]", &asked,
	       "privilege cpu_shares is not allowed on this machine; its owner can add it to "
	       "privileges, line 1 of worker.yaml");
	tuning->cpu_shares = 0;
	struct device_weight *device =
		list_add(&tuning->blkio_weight_device, sizeof(struct device_weight));
	device->weight = 501;
	expect("privileges: [oom_score_adj, cpu_shares]", &asked,
	       "privilege blkio_config is not allowed on this machine; its owner can add it to "
	       "privileges, line 1 of worker.yaml");
	expect("privileges: [oom_score_adj, blkio_config]", &asked, NULL);
	device->weight = 500;
	tuning->oom_score_adj = 0;
	tuning->oom_kill_disable = true;
	expect("privileges: [oom_score_adj]", &asked,
	       "privilege oom_kill_disable is not allowed on this machine; its owner can add it to "
	       "privileges, line 1 of worker.yaml");
	tuning->oom_kill_disable = false;
	tuning->cpu_realtime_runtime_us = 1;
	expect("", &asked,
	       "privilege cpu_rt is not allowed on this machine; its owner can add the line "
	       "\"privileges: [cpu_rt]\" to worker.yaml");
	tuning->cpu_realtime_runtime_us = 0;
	tuning->cgroup_namespace = CGROUP_HOST;
	expect("", &asked,
	       "privilege cgroup=host is not allowed on this machine; its owner can add the line "
	       "\"privileges: [cgroup=host]\" to worker.yaml");
	string_set(&tuning->cgroup_parent, "/system.slice");
	expect("privileges: [cgroup=host]", &asked,
	       "cgroup parent /system.slice is not allowed on this machine; its owner can add the "
	       "line \"cgroup_parents: [/system.slice]\" to worker.yaml");
	expect("privileges: [cgroup=host]\ncgroup_parents: [/system.slice]", &asked, NULL);
	asked_release(&asked);
}

static struct isolation *isolation_of(struct asked *asked)
{
	if (!asked->spec.isolation)
		asked->spec.isolation = base_calloc(1, sizeof(struct isolation));
	return asked->spec.isolation;
}

/* Refused by the default, and what the refusal asks for is enough, and no more than that. */
static void expect_line(const struct asked *asked, const char *noun, const char *word,
			const char *line)
{
	char message[512];
	text_print(message, sizeof(message),
		   "%s %s is not allowed on this machine; its owner can add the line \"%s\" to "
		   "worker.yaml",
		   noun, word, line);
	expect("", asked, message);
	expect(line, asked, NULL);
}

static void what_leaves_the_container_needs_a_line(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_CREATE);
	struct isolation *isolation = isolation_of(&asked);
	isolation->ipc_mode = IPC_SHAREABLE;
	isolation->network_mode = NETWORK_MODE_NONE;
	strings_add(&isolation->group_add, "0");
	strings_add(&isolation->security_opt, "no-new-privileges=true");
	string_set(&isolation->runtime, "runc");
	expect("", &asked, NULL);
	isolation->privileged = true;
	expect_line(&asked, "privilege", "privileged", "privileges: [privileged]");
	isolation->privileged = false;
	/* A command beside the container's own may be more than it is. */
	asked.spec.hooks = base_calloc(1, sizeof(*asked.spec.hooks));
	struct hook *hook = list_add(&asked.spec.hooks->pre_stop, sizeof(*hook));
	strings_add(&hook->command, "true");
	expect("", &asked, NULL);
	hook->privileged = true;
	expect_line(&asked, "privilege", "privileged", "privileges: [privileged]");
	hook->privileged = false;
	isolation->host_users = true;
	expect_line(&asked, "privilege", "userns_mode=host", "privileges: [userns_mode=host]");
	isolation->host_users = false;
	isolation->host_processes = true;
	expect_line(&asked, "privilege", "pid=host", "privileges: [pid=host]");
	isolation->host_processes = false;
	isolation->host_names = true;
	expect_line(&asked, "privilege", "uts=host", "privileges: [uts=host]");
	isolation->host_names = false;
	isolation->ipc_mode = IPC_HOST;
	expect_line(&asked, "privilege", "ipc=host", "privileges: [ipc=host]");
	isolation->ipc_mode = IPC_DEFAULT;
	isolation->network_mode = NETWORK_MODE_HOST;
	expect_line(&asked, "Docker's network", "host", "networks: [host]");
	isolation->network_mode = NETWORK_MODE_PROJECT;
	string_set(&isolation->runtime, "runsc");
	expect_line(&asked, "runtime", "runsc", "runtimes: [runsc]");
	asked_release(&asked);
}

static void less_confinement_needs_a_line(void **state)
{
	(void)state;
	/* An option, and the word that allows it. */
	static const char *const options[][2] = {
		{ "seccomp=unconfined", "seccomp=unconfined" },
		{ "seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}", "seccomp=profile" },
		{ "seccomp=", "seccomp=profile" },
		{ "apparmor=unconfined", "apparmor=unconfined" },
		{ "label=disable", "label=disable" },
		{ "no-new-privileges=false", "no-new-privileges=false" },
		{ "no-new-privileges", "no-new-privileges" },
		{ "systempaths=unconfined", "systempaths=unconfined" },
		{ "seccomp:unconfined", "seccomp:unconfined" },
		{ "disable", "disable" },
	};
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct asked asked;
		char line[128];
		asked_init(&asked, CONTAINER_CREATE);
		strings_add(&isolation_of(&asked)->security_opt, "seccomp=builtin");
		strings_add(&isolation_of(&asked)->security_opt, options[i][0]);
		text_print(line, sizeof(line), "security_opt: [%s]", options[i][1]);
		expect_line(&asked, "security option", options[i][1], line);
		asked_release(&asked);
	}
}

static void devices_are_named_one_by_one(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_CREATE);
	struct isolation *isolation = isolation_of(&asked);
	struct device *device = list_add(&isolation->devices, sizeof(*device));
	string_set(&device->source, "/dev/sda");
	string_set(&device->target, "/dev/fuse");
	expect_line(&asked, "device", "/dev/sda", "devices: [/dev/sda]");
	expect("devices: [/dev/fuse, /dev/sd]", &asked,
	       "device /dev/sda is not allowed on this machine; its owner can add it to devices, "
	       "line 1 of worker.yaml");
	string_set(&device->source, "/dev//fuse");
	expect("devices: [/dev/fuse]", &asked,
	       "device /dev//fuse is not allowed on this machine; its owner can add it to devices, "
	       "line 1 of worker.yaml");
	string_set(&device->source, "/dev/fuse");
	strings_add(&isolation->device_cgroup_rules, "b 8:* rwm");
	expect("devices: [/dev/fuse]", &asked,
	       "device rule b 8:* rwm is not allowed on this machine; its owner can add the line "
	       "\"device_cgroup_rules: [b 8:* rwm]\" to worker.yaml");
	expect("devices: [/dev/fuse]\ndevice_cgroup_rules: [b 8:* rwm]", &asked, NULL);
	asked_release(&asked);
}

static void who_chooses_devices_is_named(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_CREATE);
	struct isolation *isolation = isolation_of(&asked);
	struct device_request *request = list_add(&isolation->device_requests, sizeof(*request));
	strings_add(&request->capabilities, "gpu");
	expect_line(&asked, "device driver", "any", "device_drivers: [any]");
	string_set(&request->driver, "nvidia");
	expect_line(&asked, "device driver", "nvidia", "device_drivers: [nvidia]");
	string_set(&request->driver, DEVICE_DRIVER_CDI);
	strings_add(&request->device_ids, "a.com/net=eth0");
	expect("device_drivers: [cdi]", &asked,
	       "device a.com/net=eth0 is not allowed on this machine; its owner can add the line "
	       "\"devices: [a.com/net=eth0]\" to worker.yaml");
	expect("devices: [a.com/net=eth0]", &asked, NULL);
	asked_release(&asked);
}

static void annotations_are_named(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_CREATE);
	asked.spec.extras = base_calloc(1, sizeof(struct extras));
	pairs_add(&asked.spec.extras->annotations, "run.oci.handler", "krun");
	expect_line(&asked, "annotation", "run.oci.handler", "annotations: [run.oci.handler]");
	asked_release(&asked);
}

static void options_of_networks_are_named(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_NETWORK_ENSURE);
	pairs_add(&asked.network.driver_opts, "com.docker.network.driver.mtu", "1400");
	expect("", &asked, NULL);
	pairs_add(&asked.network.driver_opts, "com.docker.network.bridge.name", "br0");
	expect_line(&asked, "network option", "com.docker.network.bridge.name",
		    "network_options: [com.docker.network.bridge.name]");
	asked.action.verb = CONTAINER_CREATE;
	expect_line(&asked, "network option", "com.docker.network.bridge.name",
		    "network_options: [com.docker.network.bridge.name]");
	string_set(&asked.network.driver, "macvlan");
	expect("network_drivers: [macvlan]", &asked, NULL);
	asked_release(&asked);
}

/* Docker takes sysctls as an option of who joins a network. */
static void options_of_joining_are_named(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_CREATE);
	struct network_use *use = list_add(&asked.spec.networks, sizeof(*use));
	string_set(&use->network, "front");
	use->endpoint = base_calloc(1, sizeof(*use->endpoint));
	string_set(&use->endpoint->ipv4_address, "10.0.0.5");
	expect("", &asked, NULL);
	pairs_add(&use->endpoint->driver_opts, "com.docker.network.endpoint.sysctls", "x");
	expect_line(&asked, "network option", "com.docker.network.endpoint.sysctls",
		    "network_options: [com.docker.network.endpoint.sysctls]");
	asked_release(&asked);
}

static void add_subnet(struct asked *asked, const char *subnet)
{
	if (!asked->network.ipam)
		asked->network.ipam = base_calloc(1, sizeof(struct ipam));
	struct ipam_pool *pool = list_add(&asked->network.ipam->pools, sizeof(*pool));
	string_set(&pool->subnet, subnet);
}

/* The machine would send what is meant for others there to a container. */
static void networks_take_subnets_of_those_that_are_listed(void **state)
{
	(void)state;
	static const int verbs[] = { CONTAINER_CREATE, CONTAINER_NETWORK_ENSURE };
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		struct asked asked;
		asked_init(&asked, verbs[i]);
		add_subnet(&asked, "10.9.8.0/24");
		expect_line(&asked, "subnet", "10.9.8.0/24", "subnets: [10.9.8.0/24]");
		expect("subnets: [10.9.0.0/16]", &asked, NULL);
		expect("subnets: [10.9.8.0/25, 10.8.0.0/16]", &asked,
		       "subnet 10.9.8.0/24 is not allowed on this machine; its owner can add it "
		       "to subnets, line 1 of worker.yaml");
		add_subnet(&asked, "8.8.8.0/24");
		expect("subnets: [10.9.0.0/16]", &asked,
		       "subnet 8.8.8.0/24 is not allowed on this machine; its owner can add it "
		       "to subnets, line 1 of worker.yaml");
		string_set(&asked.network.ipam->driver, "acme");
		expect("subnets: [10.9.0.0/16, 8.8.8.0/24]", &asked,
		       "network driver acme is not allowed on this machine; its owner can add the "
		       "line \"network_drivers: [acme]\" to worker.yaml");
		asked_release(&asked);
	}
	expect_refused_text("subnets: [here]\n", "worker.yaml:1:11: subnets",
			    "expected subnets like 10.9.0.0/16");
}

static void images_are_free_until_a_line_binds_them(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_PULL);
	expect("images: [busybox]", &asked, NULL);
	expect("images: ['busybox:1']", &asked, NULL);
	expect("images: ['busy*']", &asked, NULL);
	static const char *const others[] = { "images: [busy]", "images: ['busybox:2']",
					      "images: ['registry.local/*']", "images: []" };
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		expect(others[i], &asked,
		       "image busybox:1 is not allowed on this machine; its owner can add it to "
		       "images, line 1 of worker.yaml");
	asked_release(&asked);
}

static void a_network_may_not_be_the_hosts(void **state)
{
	(void)state;
	static const int verbs[] = { CONTAINER_CREATE, CONTAINER_NETWORK_ENSURE };
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		struct asked asked;
		asked_init(&asked, verbs[i]);
		string_set(&asked.network.name, "host");
		asked.network.external = true;
		expect("", &asked,
		       "Docker's network host is not allowed on this machine; its owner can add "
		       "the line \"networks: [host]\" to worker.yaml");
		expect("networks: [host]", &asked, NULL);
		string_set(&asked.network.name, "theirs");
		expect("", &asked, NULL);
		asked.network.external = false;
		string_set(&asked.network.driver, "macvlan");
		expect("", &asked,
		       "network driver macvlan is not allowed on this machine; its owner can add "
		       "the line \"network_drivers: [macvlan]\" to worker.yaml");
		asked_release(&asked);
	}
}

static void a_volume_may_not_be_a_mount_in_disguise(void **state)
{
	(void)state;
	struct asked asked;
	asked_init(&asked, CONTAINER_VOLUME_ENSURE);
	pairs_put(&asked.volume.driver_opts, "type", "none");
	pairs_put(&asked.volume.driver_opts, "o", "bind");
	pairs_put(&asked.volume.driver_opts, "device", "/etc");
	/* As a path: policy_check_path() and the machine's file system judge it. */
	expect("", &asked, NULL);
	assert_string_equal(policy_volume_path(&asked.volume), "/etc");
	pairs_put(&asked.volume.driver_opts, "type", "");
	assert_string_equal(policy_volume_path(&asked.volume), "/etc");
	pairs_put(&asked.volume.driver_opts, "type", "ext4");
	assert_null(policy_volume_path(&asked.volume));
	expect("volume_types: [ext4]", &asked,
	       "volume type bind is not allowed on this machine; its owner can add it to "
	       "volume_types, line 1 of worker.yaml");
	pairs_put(&asked.volume.driver_opts, "o", "ro");
	expect("volume_types: [ext4]", &asked, NULL);
	expect("", &asked,
	       "volume type ext4 is not allowed on this machine; its owner can add the line "
	       "\"volume_types: [ext4]\" to worker.yaml");
	string_set(&asked.volume.driver, "sshfs");
	expect("", &asked,
	       "volume driver sshfs is not allowed on this machine; its owner can add the line "
	       "\"volume_drivers: [sshfs]\" to worker.yaml");
	expect("volume_drivers: [sshfs]", &asked, NULL);
	asked_release(&asked);
}

static void expect_path(const char *text, const char *path, bool read_only, const char *message)
{
	struct policy policy;
	struct err err = { 0 };
	parse(&policy, text);
	enum err_code code = policy_check_path(&policy, path, read_only, &err);
	assert_int_equal(code, message ? ERR_FORBIDDEN : ERR_NONE);
	if (message)
		assert_string_equal(err.message, message);
	policy_release(&policy);
}

static void paths_are_allowed_as_they_are_listed(void **state)
{
	(void)state;
	static const char text[] =
		"bind_mounts:\n  - /srv/data\n  - {path: /srv/site, read_only: true}\n";
	expect_path(text, "/srv/data", false, NULL);
	expect_path(text, "/srv/data", true, NULL);
	expect_path(text, "/srv/site", true, NULL);
	expect_path(text, "/srv/site/a", true, NULL);
	expect_path(text, "/srv/site/a", false,
		    "mounting /srv/site/a is allowed on this machine to read only: line 1 of "
		    "worker.yaml");
	expect_path(text, "/srv/database", false,
		    "mounting /srv/database is not allowed on this machine; its owner can add it "
		    "to bind_mounts, line 1 of worker.yaml");
	expect_path(text, "/srv", true,
		    "mounting /srv is not allowed on this machine; its owner can add it to "
		    "bind_mounts, line 1 of worker.yaml");
	expect_path("", "/srv", true,
		    "mounting /srv is not allowed on this machine; its owner can add the line "
		    "\"bind_mounts: [/srv]\" to worker.yaml");
}

/* A job that mounts /srv/data is root in it, and may put a link to / at /srv/data/a. */
static void nothing_is_allowed_below_what_jobs_may_write_to(void **state)
{
	(void)state;
	static const char message[] =
		"mounting /srv/data/a is not allowed on this machine: jobs may write to /srv/data, "
		"and so put another thing in its place; mount /srv/data itself, or its owner can "
		"list /srv/data/a instead of it in bind_mounts, line 1 of worker.yaml";
	static const char *const texts[] = {
		"bind_mounts: [/srv/data]\n",
		"bind_mounts: [/srv/data/a, /srv/data]\n",
		"bind_mounts: [{path: /srv, read_only: true}, /srv/data]\n",
		"bind_mounts: [{path: /srv/data, read_only: true}, /srv/data]\n",
		"bind_mounts: [/srv/data, {path: /srv/data/a, read_only: true}]\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		expect_path(texts[i], "/srv/data/a", false, message);
		expect_path(texts[i], "/srv/data/a", true, message);
		expect_path(texts[i], "/srv/data", false, NULL);
	}
	expect_path("bind_mounts: [/srv/data/a]\n", "/srv/data/a", false, NULL);
	expect_path("bind_mounts: [{path: /srv, read_only: true}, /srv/data]\n", "/srv/x", true,
		    NULL);
}

static void normal_paths_are_told_from_others(void **state)
{
	(void)state;
	static const char *const good[] = { "/", "/a", "/a/b.c", "/a/..b", "/.a" };
	static const char *const bad[] = { "",	      "a",   "//",   "/a/", "/a//b",
					   "/a/../b", "/..", "/a/.", "/./a" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(policy_path_is_normal(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(policy_path_is_normal(bad[i]));
}

static void mistakes_are_told_with_their_place(void **state)
{
	(void)state;
	expect_refused_text("privileged: true\n", "worker.yaml:1:1: privileged",
			    "a policy has bind_mounts");
	expect_refused_text("cap_add: NET_ADMIN\n", "worker.yaml:1:10: cap_add", "expected a list");
	expect_refused_text("\ncap_add: [[a]]\n", "worker.yaml:2:11: cap_add",
			    "expected a list of words");
	expect_refused_text("cap_add: [~]\n", "worker.yaml:1:11: cap_add",
			    "expected a list of words");
	expect_refused_text("bind_mounts: [srv]\n", "worker.yaml:1:15: bind_mounts",
			    "expected an absolute path");
	expect_refused_text("bind_mounts: [{path: /srv, readonly: true}]\n",
			    "worker.yaml:1:28: bind_mounts", "expected a path or {path: PATH");
	expect_refused_text("bind_mounts: [{read_only: true}]\n", "worker.yaml:1:15: bind_mounts",
			    "expected a path or {path: PATH");
	expect_refused_text("images: ['a*b']\n", "worker.yaml:1:10: images",
			    "'*' stands at the end only");
	expect_refused_text("- a\n", "worker.yaml:1:1: ", "a policy is a mapping of lists");
	struct policy policy;
	struct err err = { 0 };
	assert_int_equal(policy_parse("a: [", 4, "worker.yaml", &policy, &err), ERR_SYNTAX);
	parse(&policy, "~\n");
	policy_release(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_asks_for_nothing_special_needs_no_line),
		TEST(capabilities_are_named_one_by_one),
		TEST(sysctls_and_log_drivers_are_named),
		TEST(more_than_a_fair_share_needs_a_line),
		TEST(what_leaves_the_container_needs_a_line),
		TEST(less_confinement_needs_a_line),
		TEST(devices_are_named_one_by_one),
		TEST(who_chooses_devices_is_named),
		TEST(annotations_are_named),
		TEST(options_of_networks_are_named),
		TEST(options_of_joining_are_named),
		TEST(networks_take_subnets_of_those_that_are_listed),
		TEST(images_are_free_until_a_line_binds_them),
		TEST(a_network_may_not_be_the_hosts),
		TEST(a_volume_may_not_be_a_mount_in_disguise),
		TEST(paths_are_allowed_as_they_are_listed),
		TEST(nothing_is_allowed_below_what_jobs_may_write_to),
		TEST(normal_paths_are_told_from_others),
		TEST(mistakes_are_told_with_their_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
