/* compose_print(): the request as a Compose file, with every default that is a value. What is left out is what
 * compose_load() leaves unwritten too: what the image, Docker or the machine decides, and "no limit". Reading
 * back gives an equal request. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "compose/compose.h"
#include "compose/print.h"
#include "job/depend.h"

#define TEXT_BYTES_MAX (1ULL << 31)

/* A command whose absence differs from its emptiness. */
static void print_arguments(struct yaml_out *out, const char *key, bool written,
			    const struct strings *arguments)
{
	if (written && arguments->n == 0)
		yaml_word(out, key, "[]");
	yaml_strings(out, key, arguments);
}

static void print_cpus(struct yaml_out *out, int64_t cpu_milli)
{
	struct text cpus;
	text_init(&cpus, 32);
	text_add_cpus(&cpus, cpu_milli);
	yaml_string(out, "cpus", text_string(&cpus));
	text_release(&cpus);
}

static void print_process(struct yaml_out *out, const struct job_spec *spec)
{
	print_string(out, "image", spec->image);
	yaml_string(out, "pull_policy", enum_name(pull_policy_names, spec->pull_policy));
	print_string(out, "platform", spec->platform);
	print_arguments(out, "entrypoint", spec->has_entrypoint, &spec->entrypoint);
	print_arguments(out, "command", spec->has_command, &spec->command);
	yaml_pairs(out, "environment", &spec->environment);
	print_string(out, "working_dir", spec->working_dir);
	print_string(out, "user", spec->user);
	print_string(out, "hostname", spec->hostname);
	if (spec->init != UNSET)
		yaml_bool(out, "init", spec->init == YES);
	yaml_bool(out, "read_only", spec->read_only);
	yaml_strings(out, "cap_add", &spec->cap_add);
	yaml_strings(out, "cap_drop", &spec->cap_drop);
	yaml_pairs(out, "sysctls", &spec->sysctls);
	print_written(out, "shm_size", spec->shm_size_bytes);
	yaml_strings(out, "dns", &spec->dns);
	yaml_pairs(out, "labels", &spec->labels);
}

static void print_ulimits(struct yaml_out *out, const struct job_spec *spec)
{
	if (spec->ulimits.n == 0)
		return;
	yaml_open(out, "ulimits");
	for (size_t i = 0; i < spec->ulimits.n; i++) {
		const struct ulimit *ulimit = &spec->ulimits.items[i];
		yaml_open(out, ulimit->name);
		yaml_number(out, "soft", ulimit->soft);
		yaml_number(out, "hard", ulimit->hard);
		yaml_close(out);
	}
	yaml_close(out);
}

/* "host:address" is kept, "host=address" is the form that an IPv6 address does not blur. */
static void print_extra_hosts(struct yaml_out *out, const struct strings *hosts)
{
	if (hosts->n == 0)
		return;
	yaml_open(out, "extra_hosts");
	for (size_t i = 0; i < hosts->n; i++) {
		_cleanup_free_ char *host = base_strdup(hosts->items[i]);
		char *colon = strchr(host, ':');
		if (colon)
			*colon = '=';
		yaml_item(out, host);
	}
	yaml_close(out);
}

static void print_logging(struct yaml_out *out, const struct logging *logging)
{
	struct pairs options = { 0 };
	const char *driver = logging_driver(logging);
	for (size_t i = 0; i < logging->options.n; i++)
		pairs_add(&options, logging->options.items[i].key, logging->options.items[i].value);
	if (log_driver_has_sizes(driver) && !pairs_get(&options, "max-size"))
		pairs_add(&options, "max-size", LOG_SIZE_DEFAULT);
	if (log_driver_has_sizes(driver) && !pairs_get(&options, "max-file"))
		pairs_add(&options, "max-file", LOG_FILES_DEFAULT);
	yaml_open(out, "logging");
	yaml_string(out, "driver", driver);
	yaml_pairs(out, "options", &options);
	yaml_close(out);
	pairs_release(&options);
}

static void print_port(struct yaml_out *out, const struct port *port)
{
	char published[32];
	if (port->host_first == port->host_last)
		text_print(published, sizeof(published), "%lld", (long long)port->host_first);
	else
		text_print(published, sizeof(published), "%lld-%lld", (long long)port->host_first,
			   (long long)port->host_last);
	yaml_open_item(out);
	yaml_number(out, "target", port->container_port);
	yaml_string(out, "published", published);
	print_string(out, "host_ip", port->host_ip);
	yaml_string(out, "protocol", enum_name(port_protocol_names, port->protocol));
	yaml_string(out, "mode", "host");
	yaml_close_item(out);
}

/* A port that is not published needs no words: containers of a network reach all ports of each other. */
static void print_ports(struct yaml_out *out, const struct job_spec *spec)
{
	bool open = false;
	for (size_t i = 0; i < spec->ports.n; i++) {
		if (spec->ports.items[i].host_first == 0)
			continue;
		if (!open)
			yaml_open(out, "ports");
		open = true;
		print_port(out, &spec->ports.items[i]);
	}
	if (open)
		yaml_close(out);
}

static void print_mode(struct yaml_out *out, int64_t mode)
{
	char digits[8] = "";
	size_t at = sizeof(digits) - 1;
	for (; mode && at > 1; mode /= 8)
		digits[--at] = (char)('0' + mode % 8);
	digits[--at] = '0';
	yaml_string(out, "mode", digits + at);
}

static void print_mount(struct yaml_out *out, const struct mount *mount)
{
	yaml_open_item(out);
	yaml_string(out, "type", enum_name(mount_kind_names, mount->kind));
	print_string(out, "source", mount->source);
	yaml_string(out, "target", mount->target);
	yaml_bool(out, "read_only", mount->read_only);
	if (mount->kind == MOUNT_BIND) {
		yaml_open(out, "bind");
		print_string(out, "propagation", mount->propagation);
		yaml_bool(out, "create_host_path", mount->create_host_path);
		yaml_string(out, "recursive", enum_name(mount_recursive_names, mount->recursive));
		if (mount->selinux)
			yaml_string(out, "selinux", enum_name(mount_selinux_names, mount->selinux));
		yaml_close(out);
	}
	if (mount->kind == MOUNT_VOLUME) {
		yaml_open(out, "volume");
		yaml_bool(out, "nocopy", mount->nocopy);
		print_string(out, "subpath", mount->subpath);
		yaml_pairs(out, "labels", &mount->labels);
		yaml_close(out);
	}
	if (mount->kind == MOUNT_TMPFS && (mount->tmpfs_size_bytes || mount->tmpfs_mode)) {
		yaml_open(out, "tmpfs");
		print_written(out, "size", mount->tmpfs_size_bytes);
		if (mount->tmpfs_mode)
			print_mode(out, mount->tmpfs_mode);
		yaml_close(out);
	}
	yaml_close_item(out);
}

/* Mounts whose options are kept as text can only be written under `tmpfs`, the others only under `volumes`. */
static void print_mounts(struct yaml_out *out, const struct job_spec *spec, bool as_tmpfs)
{
	bool open = false;
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mount *mount = &spec->mounts.items[i];
		if ((mount->tmpfs_options != NULL) != as_tmpfs)
			continue;
		if (!open)
			yaml_open(out, as_tmpfs ? "tmpfs" : "volumes");
		open = true;
		if (!as_tmpfs) {
			print_mount(out, mount);
			continue;
		}
		struct text line;
		text_init(&line, TEXT_BYTES_MAX);
		text_addf(&line, "%s:%s", mount->target, mount->tmpfs_options);
		yaml_item(out, text_string(&line));
		text_release(&line);
	}
	if (open)
		yaml_close(out);
}

static void print_service_networks(struct yaml_out *out, const struct job_spec *spec)
{
	if (spec->networks.n == 0) {
		int mode = job_spec_isolation(spec)->network_mode;
		yaml_string(out, "network_mode",
			    mode == NETWORK_MODE_PROJECT ? "bridge"
							 : enum_name(network_mode_names, mode));
		return;
	}
	yaml_open(out, "networks");
	for (size_t i = 0; i < spec->networks.n; i++) {
		const struct network_use *use = &spec->networks.items[i];
		yaml_open(out, use->network);
		yaml_strings(out, "aliases", &use->aliases);
		print_endpoint(out, use->endpoint);
		yaml_close(out);
	}
	yaml_close(out);
}

static void print_health_duration(struct yaml_out *out, const char *key, int64_t duration_ms,
				  const char *usual)
{
	if (duration_ms)
		yaml_duration(out, key, duration_ms);
	else
		yaml_comment(out, usual);
}

static void print_health_times(struct yaml_out *out, const struct health_check *check)
{
	print_health_duration(out, "interval", check->interval_ms,
			      "interval: 30s, unless the image says");
	print_health_duration(out, "timeout", check->timeout_ms,
			      "timeout: 30s, unless the image says");
	if (check->retries)
		yaml_number(out, "retries", check->retries);
	else
		yaml_comment(out, "retries: 3, unless the image says");
	print_health_duration(out, "start_period", check->start_period_ms,
			      "start_period: 0s, unless the image says");
	print_health_duration(out, "start_interval", check->start_interval_ms,
			      "start_interval: 5s, unless the image says");
}

static void print_health_check(struct yaml_out *out, const struct health_check *check)
{
	struct health_check unwritten;
	record_init(&health_check_type, &unwritten);
	if (record_equal(&health_check_type, check, &unwritten))
		return;
	yaml_open(out, "healthcheck");
	yaml_bool(out, "disable", check->disabled);
	yaml_strings(out, "test", &check->test);
	if (!check->disabled)
		print_health_times(out, check);
	yaml_close(out);
}

/* No limit has no word. */
static void print_limits(struct yaml_out *out, const struct resources *limits)
{
	if (!limits->cpu_milli && !limits->memory_bytes && !limits->pids)
		return;
	yaml_open(out, "limits");
	if (limits->cpu_milli)
		print_cpus(out, limits->cpu_milli);
	print_written(out, "memory", limits->memory_bytes);
	print_written(out, "pids", limits->pids);
	yaml_close(out);
}

static void print_resources(struct yaml_out *out, const struct job_spec *spec)
{
	yaml_open(out, "resources");
	print_limits(out, &spec->limits);
	yaml_open(out, "reservations");
	print_cpus(out, spec->reservations.cpu_milli);
	yaml_number(out, "memory", spec->reservations.memory_bytes);
	print_device_requests(out, job_spec_isolation(spec));
	yaml_close(out);
	yaml_close(out);
}

static void print_placement(struct yaml_out *out, const struct placement *placement)
{
	yaml_open(out, "placement");
	yaml_strings(out, "constraints", &placement->constraints);
	if (placement->preferences.n)
		yaml_open(out, "preferences");
	for (size_t i = 0; i < placement->preferences.n; i++) {
		yaml_open_item(out);
		yaml_string(out, "spread", placement->preferences.items[i]);
		yaml_close_item(out);
	}
	if (placement->preferences.n)
		yaml_close(out);
	yaml_number(out, "max_replicas_per_node", placement->max_replicas_per_node);
	yaml_close(out);
}

static void print_update(struct yaml_out *out, const char *key, const struct update_policy *policy)
{
	struct text ratio;
	text_init(&ratio, TEXT_BYTES_MAX);
	text_add_ratio(&ratio, policy->max_failure_ppm);
	yaml_open(out, key);
	int64_t one_or_more = policy->parallelism ? policy->parallelism : 1;
	yaml_number(out, "parallelism", one_or_more == UPDATE_ALL ? 0 : one_or_more);
	yaml_duration(out, "delay", policy->delay_ms);
	yaml_string(out, "failure_action", enum_name(update_failure_names, policy->failure_action));
	yaml_duration(out, "monitor", update_policy_monitor_ms(policy));
	yaml_word(out, "max_failure_ratio", text_string(&ratio));
	yaml_string(out, "order", enum_name(update_order_names, policy->order));
	yaml_close(out);
	text_release(&ratio);
}

static void print_deploy(struct yaml_out *out, const struct job_spec *spec)
{
	yaml_open(out, "deploy");
	yaml_string(out, "mode", enum_name(job_mode_names, spec->mode));
	if (!job_spec_is_global(spec))
		yaml_number(out, "replicas", spec->replicas);
	yaml_pairs(out, "labels", &spec->job_labels);
	yaml_string(out, "endpoint_mode", "dnsrr");
	print_resources(out, spec);
	yaml_open(out, "restart_policy");
	yaml_string(out, "condition", enum_name(restart_condition_names, spec->restart.condition));
	yaml_duration(out, "delay", spec->restart.delay_ms);
	yaml_number(out, "max_attempts", spec->restart.max_attempts);
	yaml_duration(out, "window", spec->restart.window_ms);
	yaml_close(out);
	print_placement(out, &spec->placement);
	if (!job_spec_completes(spec)) {
		print_update(out, "update_config", &spec->update);
		print_update(out, "rollback_config", &spec->rollback);
	}
	yaml_close(out);
}

/* On services of the project, or on jobs of other projects. */
static void print_depends_on(struct yaml_out *out, const struct job_spec *spec, bool elsewhere)
{
	bool is_open = false;
	for (size_t i = 0; i < spec->depends_on.n; i++) {
		const struct depend *depend = &spec->depends_on.items[i];
		char name[DEPEND_NAME_SIZE];
		if ((depend->project != NULL) != elsewhere)
			continue;
		if (!is_open)
			yaml_open(out, "depends_on");
		is_open = true;
		yaml_open(out, depend_name(depend, name));
		yaml_string(out, "condition", enum_name(depend_condition_names, depend->condition));
		yaml_bool(out, "restart", depend->restart);
		yaml_bool(out, "required", !depend->optional);
		yaml_close(out);
	}
	if (is_open)
		yaml_close(out);
}

static void print_array(struct yaml_out *out, const struct array *array)
{
	struct text text;
	if (!array)
		return;
	text_init(&text, LIMIT_MESSAGE_BYTES * 2);
	array_print(array, &text);
	yaml_string(out, "array", text_string(&text));
	text_release(&text);
}

static void print_schedule(struct yaml_out *out, const struct schedule *schedule)
{
	if (!schedule)
		return;
	yaml_open(out, "schedule");
	yaml_string(out, "cron", schedule->cron);
	yaml_string(out, "time_zone", schedule->time_zone ? schedule->time_zone : "UTC");
	yaml_string(out, "overlap", enum_name(overlap_names, schedule->overlap));
	yaml_number(out, "catch_up", schedule_catch_up(schedule));
	yaml_number(out, "history", schedule_history(schedule));
	yaml_close(out);
}

static void print_drover(struct yaml_out *out, const struct job_spec *spec)
{
	yaml_open(out, "x-drover");
	yaml_number(out, "priority", spec->priority);
	print_string(out, "scheduler", spec->scheduler);
	yaml_duration(out, "placement_deadline", spec->placement_deadline_ms);
	if (!job_spec_completes(spec))
		yaml_duration(out, "update_deadline", job_spec_update_deadline_ms(spec));
	print_array(out, spec->array);
	print_written(out, "concurrency", spec->concurrency);
	print_schedule(out, spec->schedule);
	if (spec->max_run_time_ms)
		yaml_duration(out, "max_run_time", spec->max_run_time_ms);
	print_depends_on(out, spec, true);
	print_probe(out, spec->probe);
	yaml_number(out, "disk", spec->reservations.disk_bytes);
	yaml_string(out, "on_disconnect", enum_name(on_disconnect_names, spec->on_disconnect));
	if (spec->on_disconnect == ON_DISCONNECT_STOP)
		yaml_duration(out, "lease", job_spec_lease_ms(spec));
	yaml_string(out, "network", enum_name(reach_names, spec->network_reach));
	yaml_string(out, "volume", enum_name(reach_names, spec->volume_reach));
	yaml_close(out);
}

static void print_service(struct yaml_out *out, const struct job_request *job)
{
	const struct job_spec *spec = &job->spec;
	yaml_open(out, job->name);
	print_process(out, spec);
	print_ulimits(out, spec);
	print_extra_hosts(out, &spec->extra_hosts);
	print_logging(out, &spec->logging);
	print_tuning(out, spec->tuning);
	print_isolation(out, job_spec_isolation(spec));
	print_extras(out, spec->extras);
	print_ports(out, spec);
	print_mounts(out, spec, false);
	print_mounts(out, spec, true);
	print_content_uses(out, spec);
	print_service_networks(out, spec);
	print_string(out, "stop_signal", spec->stop_signal);
	yaml_duration(out, "stop_grace_period", spec->stop_grace_ms);
	print_health_check(out, &spec->health_check);
	print_hooks(out, spec->hooks);
	print_deploy(out, spec);
	print_depends_on(out, spec, false);
	print_drover(out, spec);
	yaml_close(out);
}

void print_resource_name(struct yaml_out *out, const char *project, const char *key,
			 const char *name)
{
	struct text usual;
	text_init(&usual, TEXT_BYTES_MAX);
	text_addf(&usual, "%s_%s", project, key);
	yaml_string(out, "name", name ? name : text_string(&usual));
	text_release(&usual);
}

static void print_network(struct yaml_out *out, const char *project,
			  const struct network_spec *network)
{
	yaml_open(out, network->key);
	print_resource_name(out, project, network->key, network->name);
	if (network->external) {
		yaml_bool(out, "external", true);
	} else {
		yaml_bool(out, "external", false);
		yaml_string(out, "driver", network->driver ? network->driver : "bridge");
		yaml_pairs(out, "driver_opts", &network->driver_opts);
		yaml_bool(out, "internal", network->internal);
		yaml_bool(out, "attachable", network->attachable);
		yaml_pairs(out, "labels", &network->labels);
		yaml_bool(out, "enable_ipv4", true);
		if (network->enable_ipv6 != UNSET)
			yaml_bool(out, "enable_ipv6", network->enable_ipv6 == YES);
		print_ipam(out, network->ipam);
	}
	yaml_close(out);
}

static void print_volume(struct yaml_out *out, const char *project,
			 const struct volume_spec *volume)
{
	yaml_open(out, volume->key);
	print_resource_name(out, project, volume->key, volume->name);
	if (volume->external) {
		yaml_bool(out, "external", true);
	} else {
		yaml_bool(out, "external", false);
		yaml_string(out, "driver", volume->driver ? volume->driver : "local");
		yaml_pairs(out, "driver_opts", &volume->driver_opts);
		yaml_pairs(out, "labels", &volume->labels);
	}
	yaml_close(out);
}

char *compose_print(const struct project_request *request)
{
	struct text text;
	struct yaml_out out = { .text = &text };
	text_init(&text, TEXT_BYTES_MAX);
	yaml_string(&out, "name", request->name);
	yaml_open(&out, "services");
	for (size_t i = 0; i < request->jobs.n; i++)
		print_service(&out, &request->jobs.items[i]);
	yaml_close(&out);
	if (request->networks.n)
		yaml_open(&out, "networks");
	for (size_t i = 0; i < request->networks.n; i++)
		print_network(&out, request->name, &request->networks.items[i]);
	if (request->networks.n)
		yaml_close(&out);
	if (request->volumes.n)
		yaml_open(&out, "volumes");
	for (size_t i = 0; i < request->volumes.n; i++)
		print_volume(&out, request->name, &request->volumes.items[i]);
	if (request->volumes.n)
		yaml_close(&out);
	print_contents(&out, request);
	POST(!text.cut);
	return text_take(&text);
}
