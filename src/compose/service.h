/* One service on its way into a job: the readers of the table of keys (keys.c), one file per family. The target of each
 * is what its section's struct holds at the row's offset; named beside it where it is not the whole struct. */
#ifndef COMPOSE_SERVICE_H
#define COMPOSE_SERVICE_H

#include "compose/at.h"
#include "compose/read.h"

struct service {
	struct job_spec spec;
	bool scale_written;
	bool replicas_written; /* here or there */
	/* What the specification holds behind pointers, and only when something of it is written. */
	struct tuning tuning;
	struct isolation isolation;
	struct extras extras;
	struct hooks hooks;
	bool network_mode_written;
	char *container_name;
	char *mac_address;
	/* Written beside deploy.resources. */
	struct resources short_limits;
	struct resources short_reservations;
};

/* One include. */
struct include_read {
	struct strings paths;
	char *project_directory;
	struct strings env_files;
};

/* Long form of extends. */
struct extends_read {
	char *service;
	char *file;
};

/* Long form of an env_file. */
struct env_file_read {
	char *path;
	bool required;
	bool raw;
};

/* A config or secret of the top level. */
struct content_read {
	struct content_request content;
	int kind;
	bool used; /* by a service that takes part; else its bytes are not read */
	int n_origins;
};

/* `mount` while its keys are read: some mean something for one kind only. */
struct mount_read {
	struct mount mount;
	bool type_written;
};

/* The range of ports that stands for "any free one": a task draws from it. Swarm's range. */
#define PORT_ANY_FIRST 30000
#define PORT_ANY_LAST  32767

/* What a port without an address is on. */
#define PORT_ALL_ADDRESSES "0.0.0.0"

/* service.c: the record, moved to where a specification points to, or NULL when it holds nothing. */
void *settle(const struct record_type *type, void *record);

/* service.c: all services of the file; target struct load. */
enum err_code read_services(const struct at *at, void *load, struct err *err);

/* service_run.c */
enum err_code read_image(const struct at *at, void *service, struct err *err);
enum err_code read_arguments(const struct at *at, void *strings, struct err *err);
enum err_code read_environment_pairs(const struct at *at, void *pairs, struct err *err);
enum err_code read_command(const struct at *at, void *service, struct err *err);
enum err_code read_entrypoint(const struct at *at, void *service, struct err *err);
enum err_code read_environment(const struct at *at, void *service, struct err *err);
enum err_code read_extra_hosts(const struct at *at, void *service, struct err *err);
enum err_code read_build(const struct at *at, void *service, struct err *err);
enum err_code read_pull_policy(const struct at *at, void *service, struct err *err);
enum err_code read_logging(const struct at *at, void *logging, struct err *err);

/* service_files.c */
enum err_code read_env_file(const struct at *at, void *service, struct err *err);
enum err_code read_env_format(const struct at *at, void *bool_raw, struct err *err);

/* service_limits.c */
enum err_code read_ulimits(const struct at *at, void *service, struct err *err);
enum err_code read_ulimit_value(const struct at *at, void *int64, struct err *err);
enum err_code read_sysctls(const struct at *at, void *pairs, struct err *err);
enum err_code read_resources(const struct at *at, void *service, struct err *err);
enum err_code read_limits(const struct at *at, void *resources, struct err *err);
enum err_code read_reservations(const struct at *at, void *service, struct err *err);
enum err_code read_pids(const struct at *at, void *int64, struct err *err);

/* service_tuning.c */
enum err_code read_microseconds(const struct at *at, void *int64_us, struct err *err);
enum err_code read_swap(const struct at *at, void *int64_bytes, struct err *err);
enum err_code read_swappiness(const struct at *at, void *service, struct err *err);
enum err_code read_oom_score(const struct at *at, void *int64, struct err *err);
enum err_code read_cgroup(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_blkio(const struct at *at, void *service, struct err *err);
enum err_code read_weights(const struct at *at, void *list, struct err *err);
enum err_code read_rates(const struct at *at, void *list, struct err *err);
/* Take what is written beside deploy.resources; it must agree with what is written there. */
enum err_code merge_resources(const struct at *at, struct service *service, struct err *err);

/* service_extras.c */
enum err_code read_expose(const struct at *at, void *strings, struct err *err);
enum err_code read_label_file(const struct at *at, void *pairs, struct err *err);
enum err_code read_ignored_string(const struct at *at, void *target, struct err *err);
enum err_code read_ignored_bool(const struct at *at, void *target, struct err *err);
enum err_code read_container_name(const struct at *at, void *service, struct err *err);
enum err_code read_links(const struct at *at, void *service, struct err *err);
/* Wait for the job to be started, unless it is waited for already. */
void depend_on(const struct at *item, struct service *service, const char *job);
/* Make the name one in the service's networks. */
enum err_code merge_container_name(const struct at *at, struct service *service, struct err *err);

/* service_hooks.c */
enum err_code read_post_start(const struct at *at, void *service, struct err *err);
enum err_code read_pre_stop(const struct at *at, void *service, struct err *err);

/* service_probe.c */
enum err_code read_probe(const struct at *at, void *service, struct err *err);
enum err_code read_probe_http(const struct at *at, void *probe, struct err *err);
enum err_code read_probe_tcp(const struct at *at, void *probe, struct err *err);
enum err_code read_probe_scheme(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_probe_status(const struct at *at, void *probe, struct err *err);

/* service_isolation.c */
enum err_code read_host_namespace(const struct at *at, void *bool_pointer, struct err *err);
enum err_code read_ipc(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_network_mode(const struct at *at, void *service, struct err *err);
enum err_code read_security_opt(const struct at *at, void *strings, struct err *err);
enum err_code read_groups(const struct at *at, void *strings, struct err *err);
enum err_code read_devices(const struct at *at, void *service, struct err *err);
enum err_code read_device_requests(const struct at *at, void *service, struct err *err);
enum err_code read_device_count(const struct at *at, void *int64, struct err *err);
enum err_code read_gpus(const struct at *at, void *service, struct err *err);

/* service_ports.c */
enum err_code read_ports(const struct at *at, void *service, struct err *err);
enum err_code read_port_target(const struct at *at, void *port, struct err *err);
enum err_code read_port_published(const struct at *at, void *port, struct err *err);
enum err_code read_port_host_ip(const struct at *at, void *port, struct err *err);
enum err_code read_port_protocol(const struct at *at, void *port, struct err *err);
enum err_code read_port_mode(const struct at *at, void *port, struct err *err);

/* What a port in short form is known by when files are merged: ADDRESS|HOST|CONTAINER|PROTOCOL. */
void short_port_key(const struct at *at, struct text *key);

/* A note for the reader of the file: checked to be a string, kept nowhere. */
enum err_code read_remark(const struct at *at, void *target, struct err *err);

/* service_volumes.c */
enum err_code read_volumes(const struct at *at, void *service, struct err *err);
enum err_code read_tmpfs(const struct at *at, void *service, struct err *err);
enum err_code read_mount_type(const struct at *at, void *mount_read, struct err *err);
enum err_code read_mount_bind(const struct at *at, void *mount_read, struct err *err);
enum err_code read_mount_volume(const struct at *at, void *mount_read, struct err *err);
enum err_code read_mount_tmpfs(const struct at *at, void *mount_read, struct err *err);
enum err_code read_recursive(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_selinux(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_tmpfs_mode(const struct at *at, void *mount, struct err *err);

/* service_volumes_from.c */
enum err_code read_volumes_from(const struct at *at, void *service, struct err *err);
/* Once all are read: give each what it takes from others. */
enum err_code take_volumes(const struct at *services, struct err *err);

/* One network of a service while it is read. */
struct network_read {
	struct strings aliases;
	struct endpoint_settings endpoint;
	int64_t priority;
};

/* service_networks.c */
enum err_code read_network_priority(const struct at *at, void *int64, struct err *err);
enum err_code read_mac_address(const struct at *at, void *service, struct err *err);
/* Give the first network the address that is written beside the networks. */
enum err_code merge_mac_address(const struct at *at, struct service *service, struct err *err);
enum err_code read_service_networks(const struct at *at, void *service, struct err *err);

/* service_health.c */
enum err_code read_health_check(const struct at *at, void *service, struct err *err);
enum err_code read_health_test(const struct at *at, void *health_check, struct err *err);

/* service_update.c; the targets of the others are members of what they read */
enum err_code read_update_config(const struct at *at, void *service, struct err *err);
enum err_code read_rollback_config(const struct at *at, void *service, struct err *err);
enum err_code read_update_order(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_update_failure(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_parallelism(const struct at *at, void *int64, struct err *err);
enum err_code read_monitor(const struct at *at, void *int64_ms, struct err *err);
enum err_code read_update_deadline(const struct at *at, void *int64_ms, struct err *err);

/* service_batch.c */
enum err_code read_array(const struct at *at, void *service, struct err *err);
enum err_code read_schedule(const struct at *at, void *service, struct err *err);
enum err_code read_cron(const struct at *at, void *string, struct err *err);
enum err_code read_time_zone(const struct at *at, void *schedule, struct err *err);
enum err_code read_overlap(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_catch_up(const struct at *at, void *int64, struct err *err);
enum err_code read_run_history(const struct at *at, void *int64, struct err *err);
enum err_code read_concurrency(const struct at *at, void *service, struct err *err);
/* Where x-drover says what only runs to completion, that is what the service does, unless it is written otherwise. */
void imply_mode(const struct at *at, struct service *service);
enum err_code read_max_run_time(const struct at *at, void *service, struct err *err);

/* service_deploy.c */
enum err_code read_restart(const struct at *at, void *service, struct err *err);
enum err_code read_scale(const struct at *at, void *service, struct err *err);
enum err_code read_deploy(const struct at *at, void *service, struct err *err);
enum err_code read_mode(const struct at *at, void *service, struct err *err);
enum err_code read_replicas(const struct at *at, void *service, struct err *err);
enum err_code read_restart_policy(const struct at *at, void *service, struct err *err);
enum err_code read_on_disconnect(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_restart_condition(const struct at *at, void *restart_policy, struct err *err);
enum err_code read_placement(const struct at *at, void *placement, struct err *err);
enum err_code read_preferences(const struct at *at, void *strings, struct err *err);
enum err_code read_depends_on(const struct at *at, void *service, struct err *err);
enum err_code read_depends_elsewhere(const struct at *at, void *service, struct err *err);
enum err_code read_depend_condition(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_depend_required(const struct at *at, void *bool_optional, struct err *err);
enum err_code read_drover(const struct at *at, void *service, struct err *err);
enum err_code read_network_reach(const struct at *at, void *service, struct err *err);
enum err_code read_volume_reach(const struct at *at, void *service, struct err *err);
enum err_code read_priority(const struct at *at, void *int64, struct err *err);

/* service_deploy.c */
enum err_code read_endpoint_mode(const struct at *at, void *service, struct err *err);

/* project_ipam.c */
enum err_code read_ipam(const struct at *at, void *network_spec, struct err *err);
enum err_code read_ipam_driver(const struct at *at, void *char_pointer, struct err *err);
enum err_code read_pools(const struct at *at, void *list, struct err *err);
enum err_code read_enable_ipv4(const struct at *at, void *target, struct err *err);

/* project_parts.c: what the top level declares; target struct load. */
enum err_code read_networks(const struct at *at, void *load, struct err *err);
enum err_code read_project_volumes(const struct at *at, void *load, struct err *err);
enum err_code read_network_driver(const struct at *at, void *network_spec, struct err *err);
enum err_code read_volume_driver(const struct at *at, void *volume_spec, struct err *err);
enum err_code read_network_external(const struct at *at, void *network, struct err *err);
enum err_code read_volume_external(const struct at *at, void *volume, struct err *err);
/* What follows fills `list[index]` of the request. */
void enter_part(const struct at *at, const char *list, size_t index);
/* Docker's name of a network or volume in its shortest form: NULL where it is PROJECT_KEY. */
void settle_name(const struct load *load, const char *key, bool external, char **name);
typedef enum err_code read_part_fn(const struct at *at, struct load *load, struct err *err);
enum err_code read_each_part(const struct at *at, struct load *load, read_part_fn *read,
			     struct err *err);

/* project_contents.c: configs and secrets of the top level; target struct load. */
enum err_code read_configs(const struct at *at, void *load, struct err *err);
enum err_code read_secrets(const struct at *at, void *load, struct err *err);
enum err_code read_content_file(const struct at *at, void *content_read, struct err *err);
enum err_code read_content_environment(const struct at *at, void *content_read, struct err *err);
enum err_code read_content_inline(const struct at *at, void *content_read, struct err *err);
enum err_code read_content_external(const struct at *at, void *content_read, struct err *err);

/* service_contents.c: those a service uses. */
enum err_code read_service_configs(const struct at *at, void *service, struct err *err);
enum err_code read_service_secrets(const struct at *at, void *service, struct err *err);
enum err_code read_owner(const struct at *at, void *int64, struct err *err);
enum err_code read_content_mode(const struct at *at, void *int64, struct err *err);

/* The network that services without `networks` join, unless it is declared. */
void add_default_network(struct load *load);

#endif
