/* An action is carried out, and answered, on a later turn of the loop; what is pending when the runtime goes away is
 * answered FAULT_UNREACHABLE before `down` is told. */
#include "runtime/fake.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "net/shell.h"
#include "runtime/docker_reply.h"
#include "runtime/fake_logs.h"

struct fake_op {
	struct fake *fake;
	struct fake_op *next;
	struct container_result result;
	char name[CONTAINER_NAME_SIZE];
	struct fake_config config; /* CREATE */
	int pull_policy;
	struct probe probe;
	struct hook hook;
	char *previous;
	char *text;	/* image, signal or the resource's name */
	char *platform; /* of an image; NULL: any */
	struct pairs labels;
	bool external;
	bool with_volumes;
	bool ended;
};

struct fake {
	struct event_base *base;
	struct runtime_events events;
	void *shell;
	struct uuid cluster;
	struct fake_world *world;
	struct fake_logs_list logs;
	struct fake_op *ops; /* oldest first */
	struct event *turn;
	bool away, up_told, down_told;
};

static void op_free(struct fake_op *op)
{
	container_result_release(&op->result);
	fake_config_release(&op->config);
	record_release(&probe_type, &op->probe);
	record_release(&hook_type, &op->hook);
	pairs_release(&op->labels);
	base_free(op->previous);
	base_free(op->text);
	base_free(op->platform);
	base_free(op);
}

static void config_ports(struct fake_config *config, const struct container_action *action)
{
	for (size_t i = 0; i < action->n_ports; i++) {
		const struct port_grant *grant = &action->ports[i];
		if (grant->index < 0 || (size_t)grant->index >= action->spec->ports.n)
			continue;
		const struct port *port = &action->spec->ports.items[grant->index];
		struct fake_port *to = list_add(&config->ports, sizeof(*to));
		to->host_ip = base_strdup(port->host_ip);
		to->host_port = grant->host_port;
		to->protocol = port->protocol;
	}
}

static void config_mounts(struct fake_config *config, const struct container_action *action)
{
	for (size_t i = 0; i < action->spec->mounts.n; i++) {
		const struct mount *mount = &action->spec->mounts.items[i];
		if (mount->kind == MOUNT_TMPFS)
			continue;
		struct fake_mount *to = list_add(&config->mounts, sizeof(*to));
		to->target = base_strdup(mount->target);
		to->create_source = mount->create_host_path;
		if (mount->kind == MOUNT_BIND)
			to->bind_source = base_strdup(mount->source);
		for (size_t j = 0; mount->source && j < action->n_volumes; j++)
			if (mount->kind == MOUNT_VOLUME &&
			    strcmp(action->volumes[j].key, mount->source) == 0)
				to->volume =
					container_volume_name(action->project, &action->volumes[j]);
	}
}

static void config_networks(struct fake_config *config, const struct container_action *action)
{
	for (size_t i = 0; i < action->n_networks; i++) {
		const struct network_spec *network = &action->networks[i];
		struct fake_endpoint *to = list_add(&config->endpoints, sizeof(*to));
		to->network = container_network_name(action->project, network);
		if (action->job)
			strings_add(&to->aliases, action->job);
		for (size_t j = 0; j < action->spec->networks.n; j++) {
			const struct network_use *use = &action->spec->networks.items[j];
			for (size_t k = 0; k < use->aliases.n; k++)
				if (strcmp(use->network, network->key) == 0)
					strings_add(&to->aliases, use->aliases.items[k]);
		}
	}
}

static void config_labels(struct fake_config *config, const struct container_action *action)
{
	char id[UUID_TEXT_SIZE], number[24];
	struct pairs *labels = &config->labels;
	for (size_t i = 0; i < action->spec->labels.n; i++)
		pairs_put(labels, action->spec->labels.items[i].key,
			  action->spec->labels.items[i].value);
	pairs_put(labels, LABEL_CLUSTER, uuid_format(action->cluster, id));
	pairs_put(labels, LABEL_TASK, uuid_format(action->task.uuid, id));
	pairs_put(labels, LABEL_ATTEMPT,
		  text_print(number, sizeof(number), "%lld", (long long)action->attempt));
}

static void config_from(struct fake_config *config, const struct container_action *action)
{
	const struct job_spec *spec = action->spec;
	config->image = base_strdup(spec->image);
	config->platform = base_strdup(spec->platform);
	for (size_t i = 0; spec->has_entrypoint && i < spec->entrypoint.n; i++)
		strings_add(&config->argv, spec->entrypoint.items[i]);
	for (size_t i = 0; spec->has_command && i < spec->command.n; i++)
		strings_add(&config->argv, spec->command.items[i]);
	config->init = spec->init == YES;
	config->memory_bytes = spec->limits.memory_bytes;
	config->stop_signal = base_strdup(spec->stop_signal);
	config->log_driver = base_strdup(spec->logging.driver);
	bool checks = !spec->health_check.disabled && !spec->probe;
	for (size_t i = 0; checks && i < spec->health_check.test.n; i++)
		strings_add(&config->check, spec->health_check.test.items[i]);
	config->check_interval_ms = spec->health_check.interval_ms;
	config->check_start_period_ms = spec->health_check.start_period_ms;
	config->check_retries = spec->health_check.retries;
	config_ports(config, action);
	config_mounts(config, action);
	config_networks(config, action);
	config_labels(config, action);
}

static void resource_from(struct fake_op *op, const struct container_action *action,
			  const struct pairs *labels, bool external)
{
	char id[UUID_TEXT_SIZE];
	op->text = base_strdup(action->resource_name);
	op->external = external;
	for (size_t i = 0; i < labels->n; i++)
		pairs_put(&op->labels, labels->items[i].key, labels->items[i].value);
	struct uuid cluster = uuid_is_zero(action->cluster) ? op->fake->cluster : action->cluster;
	pairs_put(&op->labels, LABEL_CLUSTER, uuid_format(cluster, id));
}

/* What the world did to be told as a fault; Docker's words mean here what they mean there. */
static void answer_to_result(struct fake_op *op, const struct fake_answer *answer)
{
	if (answer->status / 100 == 2)
		return;
	op->result.fault = docker_reply_fault(op->result.verb, answer->status, answer->message);
	if (op->result.fault != FAULT_NONE)
		op->result.message = base_strdup(answer->message);
}

static void do_pull(struct fake_op *op, struct fake_answer *answer)
{
	struct fake *fake = op->fake;
	answer->status = 200;
	if (op->pull_policy != PULL_ALWAYS &&
	    fake_world_has_image(fake->world, op->text, op->platform))
		return;
	if (op->pull_policy == PULL_NEVER) {
		answer->status = 404;
		text_print(answer->message, sizeof(answer->message),
			   "the image%s%s is not on this machine and pull_policy is never",
			   op->platform ? " for " : "", op->platform ? op->platform : "");
		return;
	}
	if (op->pull_policy != PULL_ALWAYS && fake->events.pulling)
		fake->events.pulling(fake->shell, op->result.op);
	fake_world_pull(fake->world, op->text, op->platform, answer);
	if (answer->status == 200 && fake->events.progress)
		fake->events.progress(fake->shell, op->result.op, "1 of 1 layers");
}

/* Anonymous volumes of the attempt before go on in this one. */
static void carry_volumes(struct fake_op *op)
{
	const struct fake_container *previous =
		op->previous ? fake_world_find(op->fake->world, op->previous) : NULL;
	for (size_t i = 0; previous && i < previous->config.mounts.n; i++) {
		const struct fake_mount *from = &previous->config.mounts.items[i];
		for (size_t j = 0; from->anonymous && j < op->config.mounts.n; j++) {
			struct fake_mount *to = &op->config.mounts.items[j];
			if (to->volume || to->bind_source || strcmp(to->target, from->target) != 0)
				continue;
			to->volume = base_strdup(from->volume);
			to->anonymous = true;
		}
	}
}

static void do_create(struct fake_op *op, struct fake_answer *answer)
{
	struct fake_container *container = NULL;
	carry_volumes(op);
	fake_world_create(op->fake->world, op->name, &op->config, &container, answer);
	if (container)
		fake_container_see(container, &op->result.seen);
}

static bool is_in_network(const struct fake_container *container, const char *network)
{
	for (size_t i = 0; i < container->config.endpoints.n; i++)
		if (strcmp(container->config.endpoints.items[i].network, network) == 0)
			return true;
	return !container->config.endpoints.n && strcmp(network, "bridge") == 0;
}

static void do_inspect(struct fake_op *op, struct fake_answer *answer)
{
	const struct fake_container *container = fake_world_find(op->fake->world, op->name);
	answer->status = container ? 200 : 404;
	if (container)
		fake_container_see(container, &op->result.seen);
	else
		text_print(answer->message, sizeof(answer->message), "No such container: %s",
			   op->name);
	if (container && container->state == CONTAINER_RUNNING && op->text &&
	    is_in_network(container, op->text))
		op->result.seen.address = base_strdup(FAKE_ADDRESS);
}

static void do_probe(struct fake_op *op)
{
	struct fake_container *container = fake_world_find(op->fake->world, op->name);
	const char *words =
		container ? fake_container_ask(container, &op->probe) : "failed: No route to host";
	op->result.fault = words ? FAULT_CHECK_FAILED : FAULT_NONE;
	op->result.message = base_strdup(words);
}

static void do_exec(struct fake_op *op, struct fake_answer *answer)
{
	struct fake_container *container = fake_world_find(op->fake->world, op->name);
	if (!container || container->state != CONTAINER_RUNNING) {
		answer->status = container ? 409 : 404;
		text_print(
			answer->message, sizeof(answer->message), "%s %s",
			container ? "Container is not running:" : "No such container:", op->name);
		return;
	}
	int status = fake_container_exec(container, &op->hook.command);
	if (status == 0)
		return;
	struct text text;
	text_init(&text, LIMIT_MESSAGE_BYTES);
	text_addf(&text, "exited with status %d", status);
	size_t len = strcspn(container->exec_output, "\n");
	if (len)
		text_addf(&text, ": %.*s", (int)len, container->exec_output);
	op->result.fault = FAULT_HOOK_FAILED;
	op->result.message = text_take(&text);
}

static bool has_label(const struct pairs *labels, struct uuid cluster)
{
	char id[UUID_TEXT_SIZE];
	const char *label = pairs_get(labels, LABEL_CLUSTER);
	return label && strcmp(label, uuid_format(cluster, id)) == 0;
}

static void do_list(struct fake_op *op, struct fake_answer *answer)
{
	const struct fake *fake = op->fake;
	size_t capacity = 0;
	for (struct fake_container *at = fake->world->containers; at; at = at->next) {
		bool runs = at->state == CONTAINER_RUNNING || at->state == CONTAINER_PAUSED;
		if (!has_label(&at->config.labels, fake->cluster) || (op->ended && runs))
			continue;
		op->result.list = base_grow(op->result.list, op->result.n_list, &capacity,
					    sizeof(*op->result.list));
		fake_container_see(at, &op->result.list[op->result.n_list++]);
	}
	for (struct fake_network *at = fake->world->networks; at; at = at->next)
		if (has_label(&at->labels, fake->cluster))
			strings_add(&op->result.networks, at->name);
	answer->status = 200;
}

/* An external resource must be there; another's is not removed. True: settled. */
static bool settle_resource(struct fake_op *op, bool ensure, const char *noun,
			    const struct pairs *labels_of_existing, int missing_fault)
{
	char words[400];
	if (ensure && op->external) {
		if (labels_of_existing)
			return true;
		op->result.fault = missing_fault;
		text_print(words, sizeof(words), "%s %s is external and does not exist", noun,
			   op->text);
		op->result.message = base_strdup(words);
		return true;
	}
	const char *mine = pairs_get(&op->labels, LABEL_CLUSTER);
	const char *label =
		labels_of_existing ? pairs_get(labels_of_existing, LABEL_CLUSTER) : NULL;
	if (ensure || !labels_of_existing || (label && strcmp(label, mine) == 0))
		return false;
	op->result.fault = FAULT_REFUSED;
	text_print(words, sizeof(words), "%s %s was not made by this cluster and is left alone",
		   noun, op->text);
	op->result.message = base_strdup(words);
	return true;
}

static void do_resource(struct fake_op *op, struct fake_answer *answer)
{
	struct fake_world *world = op->fake->world;
	int verb = op->result.verb;
	bool volume = verb == CONTAINER_VOLUME_ENSURE || verb == CONTAINER_VOLUME_REMOVE;
	bool ensure = verb == CONTAINER_VOLUME_ENSURE || verb == CONTAINER_NETWORK_ENSURE;
	const struct fake_volume *old_volume = fake_world_volume(world, op->text);
	const struct fake_network *old_network = fake_world_network(world, op->text);
	const struct pairs *labels = NULL;
	if (volume && old_volume)
		labels = &old_volume->labels;
	if (!volume && old_network)
		labels = &old_network->labels;
	answer->status = 200;
	if (settle_resource(op, ensure, volume ? "volume" : "network", labels,
			    volume ? FAULT_MOUNT_FAILED : FAULT_NOT_FOUND))
		return;
	if (verb == CONTAINER_VOLUME_ENSURE)
		fake_world_volume_create(world, op->text, &op->labels, answer);
	else if (verb == CONTAINER_VOLUME_REMOVE)
		fake_world_volume_remove(world, op->text, answer);
	else if (verb == CONTAINER_NETWORK_ENSURE)
		fake_world_network_create(world, op->text, &op->labels, answer);
	else
		fake_world_network_remove(world, op->text, answer);
}

static void carry_out(struct fake_op *op)
{
	struct fake_answer answer = { .status = 200 };
	struct fake_world *world = op->fake->world;
	switch (op->result.verb) {
	case CONTAINER_PULL: do_pull(op, &answer); break;
	case CONTAINER_CREATE: do_create(op, &answer); break;
	case CONTAINER_START: fake_world_start(world, op->name, &answer); break;
	case CONTAINER_KILL: fake_world_kill(world, op->name, op->text, &answer); break;
	case CONTAINER_REMOVE:
		fake_world_remove(world, op->name, false, op->with_volumes, &answer);
		break;
	case CONTAINER_INSPECT: do_inspect(op, &answer); break;
	case CONTAINER_LIST: do_list(op, &answer); break;
	case CONTAINER_EXEC: do_exec(op, &answer); break;
	case CONTAINER_PROBE: do_probe(op); break;
	default: do_resource(op, &answer); break;
	}
	answer_to_result(op, &answer);
	op->result.daemon_instance = world->instance;
}

static void tell_state(struct fake *fake)
{
	if (fake->away && !fake->down_told) {
		fake->down_told = true;
		fake->up_told = false;
		fake->events.down(fake->shell, "the fake runtime is away");
	}
	if (!fake->away && !fake->up_told) {
		struct runtime_facts facts = { .version = "fake",
					       .api_minor = 49,
					       .data_root = "/var/lib/fake",
					       .cgroup_version = '2' };
		fake->up_told = true;
		fake->down_told = false;
		fake->events.up(fake->shell, fake->world->instance, &facts);
	}
}

static void on_turn(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	struct fake *fake = argument;
	if (!fake->away)
		tell_state(fake);
	/* Those submitted meanwhile wait for the next turn. */
	struct fake_op *ops = fake->ops;
	fake->ops = NULL;
	while (ops) {
		struct fake_op *op = ops;
		ops = op->next;
		if (fake->away) {
			op->result.fault = FAULT_UNREACHABLE;
			op->result.message = base_strdup("the fake runtime is away");
		} else {
			carry_out(op);
		}
		fake->events.done(fake->shell, &op->result);
		op_free(op);
	}
	tell_state(fake);
	fake_logs_turn(&fake->logs);
}

static void turn_soon(struct fake *fake)
{
	event_active(fake->turn, EV_TIMEOUT, 0);
}

static void on_world_event(void *owner, struct fake_container *container, const char *what)
{
	struct fake *fake = owner;
	turn_soon(fake);
	if (strcmp(what, "log") != 0 && !fake->away &&
	    has_label(&container->config.labels, fake->cluster))
		fake->events.hint(fake->shell, container->name);
}

static enum err_code fake_open(struct event_base *base, const struct runtime_options *options,
			       const struct runtime_events *events, void *shell,
			       struct runtime **ret_runtime, struct err *err)
{
	(void)err;
	struct fake *fake = base_calloc(1, sizeof(*fake));
	fake->base = base;
	fake->events = *events;
	fake->shell = shell;
	fake->cluster = options->cluster;
	fake->world = fake_world_new(base, on_world_event, fake);
	fake->logs.world = fake->world;
	fake->turn = event_new(base, -1, 0, on_turn, fake);
	INVARIANT(fake->turn);
	turn_soon(fake);
	*ret_runtime = (struct runtime *)fake;
	return ERR_NONE;
}

static void fake_set_cluster(struct runtime *runtime, struct uuid cluster)
{
	((struct fake *)runtime)->cluster = cluster;
}

static void fake_submit(struct runtime *runtime, const struct container_action *action)
{
	struct fake *fake = (struct fake *)runtime;
	struct fake_op *op = base_calloc(1, sizeof(*op));
	op->fake = fake;
	op->result.op = action->op;
	op->result.verb = action->verb;
	op->with_volumes = action->with_volumes;
	op->ended = action->ended;
	op->previous = base_strdup(action->previous);
	text_print(op->name, sizeof(op->name), "%s", action->name);
	if (action->verb == CONTAINER_PULL) {
		op->text = base_strdup(action->spec->image);
		op->platform = base_strdup(action->spec->platform);
		op->pull_policy = action->spec->pull_policy;
	} else if (action->verb == CONTAINER_CREATE) {
		config_from(&op->config, action);
	} else if (action->verb == CONTAINER_KILL) {
		op->text = base_strdup(action->signal ? action->signal : "SIGKILL");
	} else if (action->verb == CONTAINER_INSPECT) {
		op->text = base_strdup(action->resource_name);
	} else if (action->verb == CONTAINER_EXEC) {
		record_copy(&hook_type, &op->hook, action->hook);
	} else if (action->verb == CONTAINER_PROBE) {
		record_copy(&probe_type, &op->probe, action->spec->probe);
	} else if (action->verb >= CONTAINER_NETWORK_ENSURE) {
		const struct pairs none = { 0 };
		bool external = (action->network && action->network->external) ||
				(action->volume && action->volume->external);
		const struct pairs *labels = action->network  ? &action->network->labels
					     : action->volume ? &action->volume->labels
							      : &none;
		resource_from(op, action, labels, external);
	}
	struct fake_op **last = &fake->ops;
	while (*last)
		last = &(*last)->next;
	*last = op;
	turn_soon(fake);
}

static struct runtime_logs *fake_logs_begin(struct runtime *runtime, const char *container_name,
					    const struct runtime_logs_options *options,
					    const struct runtime_logs_events *events, void *reader)
{
	struct fake *fake = (struct fake *)runtime;
	turn_soon(fake);
	return fake_logs_open(&fake->logs, fake->turn, container_name, options, events, reader);
}

static bool fake_usage(struct runtime *runtime, const char *container_id,
		       struct runtime_usage *ret_usage)
{
	struct fake *fake = (struct fake *)runtime;
	const struct fake_container *container = fake_world_find(fake->world, container_id);
	if (!container || container->state != CONTAINER_RUNNING)
		return false;
	*ret_usage = (struct runtime_usage){ .cpu_milli = 5, .memory_bytes = 1024 * 1024 };
	return true;
}

static void fake_close(struct runtime *runtime)
{
	struct fake *fake = (struct fake *)runtime;
	while (fake->ops) {
		struct fake_op *op = fake->ops;
		fake->ops = op->next;
		op_free(op);
	}
	fake_logs_close_all(&fake->logs);
	fake_world_free(fake->world);
	event_free(fake->turn);
	base_free(fake);
}

struct fake_world *runtime_fake_world(struct runtime *runtime)
{
	return ((struct fake *)runtime)->world;
}

void runtime_fake_set_away(struct runtime *runtime, bool away)
{
	struct fake *fake = (struct fake *)runtime;
	fake->away = away;
	turn_soon(fake);
}

void runtime_fake_restart(struct runtime *runtime)
{
	struct fake *fake = (struct fake *)runtime;
	fake->away = true;
	/* Docker kills its containers without a word to those that listened. */
	fake_world_restart(fake->world);
	on_turn(-1, 0, fake);
	fake->away = false;
	turn_soon(fake);
}

/* Its questions take no time. */
static void fake_cancel(struct runtime *runtime, uint64_t op)
{
	(void)runtime, (void)op;
}

const struct runtime_ops runtime_fake_ops = {
	.name = "fake",
	.open = fake_open,
	.set_cluster = fake_set_cluster,
	.submit = fake_submit,
	.cancel = fake_cancel,
	.logs_open = fake_logs_begin,
	.logs_pause = fake_logs_pause,
	.logs_close = fake_logs_close,
	.usage = fake_usage,
	.close = fake_close,
};
