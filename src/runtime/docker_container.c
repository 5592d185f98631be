/* The verbs on containers that exist. Each leaves things as they are when its aim is already reached. */
#include "runtime/docker.h"

#include <string.h>

#include "base/alloc.h"
#include "runtime/docker_body.h"
#include "runtime/docker_list.h"
#include "runtime/docker_reply.h"

static void call_container(struct docker_op *op, const char *method, const char *after,
			   docker_step_fn *step)
{
	struct text target;
	text_init(&target, 16 * 1024);
	docker_target(&target, "/containers/", op->name, after);
	docker_op_call(op, method, text_string(&target), NULL, step);
	text_release(&target);
}

static void done_or_fault(struct docker_op *op, int status, struct http_view body)
{
	if (status / 100 == 2)
		docker_op_end(op);
	else
		docker_op_reply_fault(op, status, body);
}

void docker_start(struct docker_op *op, const struct container_action *action)
{
	(void)action;
	call_container(op, "POST", "/start", done_or_fault);
}

void docker_kill(struct docker_op *op, const struct container_action *action)
{
	struct text after;
	text_init(&after, 1024);
	docker_target(&after, "/kill?signal=", action->signal ? action->signal : "SIGKILL", "");
	call_container(op, "POST", text_string(&after), done_or_fault);
	text_release(&after);
}

/* REMOVE with volumes. Docker removes those it made without a name for this container; those taken over from an
 * attempt before have, for Docker, a name: ours is the word that they are anonymous, so we remove them. */
struct removal {
	struct strings volumes;
	size_t at;
};

static void removal_release(void *data)
{
	struct removal *removal = data;
	strings_release(&removal->volumes);
	base_free(removal);
}

static void remove_next_volume(struct docker_op *op);

/* A volume in use belongs to the next attempt; whatever else: Docker keeps it, and says so to nobody but us. */
static void volume_removed(struct docker_op *op, int status, struct http_view body)
{
	(void)status, (void)body;
	struct removal *removal = op->data;
	removal->at++;
	remove_next_volume(op);
}

static void remove_next_volume(struct docker_op *op)
{
	struct removal *removal = op->data;
	if (removal->at >= removal->volumes.n) {
		docker_op_end(op);
		return;
	}
	struct text target;
	text_init(&target, 1024);
	docker_target(&target, "/volumes/", removal->volumes.items[removal->at], "");
	docker_op_call(op, "DELETE", text_string(&target), NULL, volume_removed);
	text_release(&target);
}

static void removed(struct docker_op *op, int status, struct http_view body)
{
	_cleanup_free_ char *message = docker_reply_message(body.bytes, body.len);
	if (status / 100 == 2 ||
	    docker_reply_fault(CONTAINER_REMOVE, status, message) == FAULT_NONE)
		remove_next_volume(op);
	else
		docker_op_reply_fault(op, status, body);
}

static void removal_seen(struct docker_op *op, int status, struct http_view body)
{
	struct removal *removal = op->data;
	if (status != 200) {
		docker_op_reply_fault(op, status, body);
		return;
	}
	json_t *json = docker_json_parse(body.bytes, body.len, NULL);
	const json_t *labels = json_object_get(json_object_get(json, "Config"), "Labels");
	const char *carried = docker_json_text(labels, LABEL_CARRIED);
	while (carried && *carried) {
		size_t len = strcspn(carried, ",");
		_cleanup_free_ char *name = base_strndup(carried, len);
		strings_add(&removal->volumes, name);
		carried += len + (carried[len] == ',');
	}
	json_decref(json);
	call_container(op, "DELETE", "?v=true", removed);
}

void docker_remove(struct docker_op *op, const struct container_action *action)
{
	if (!action->with_volumes) {
		call_container(op, "DELETE", "", done_or_fault);
		return;
	}
	op->data = base_calloc(1, sizeof(struct removal));
	op->release = removal_release;
	call_container(op, "GET", "/json", removal_seen);
}

/* The answer comes from the run of the daemon that listened both when we asked and after it spoke, or from one we
 * cannot name; one that came without our knowing is to be made known. */
static void settle_instance(struct docker_op *op)
{
	uint64_t instance = docker_instance(op->docker->socket_path);
	op->result.daemon_instance = instance == op->instance ? instance : 0;
	op->instance = op->result.daemon_instance;
	if (instance != op->docker->instance)
		docker_suspect(op->docker);
}

static void inspected(struct docker_op *op, int status, struct http_view body)
{
	struct err err = { 0 };
	settle_instance(op);
	if (status != 200)
		docker_op_reply_fault(op, status, body);
	else if (docker_reply_inspect(body.bytes, body.len, op->data, &op->result.seen, &err))
		docker_op_fault(op, FAULT_AMBIGUOUS, err.message);
	else
		docker_op_end(op);
}

void docker_inspect(struct docker_op *op, const struct container_action *action)
{
	op->data = base_strdup(action->resource_name);
	op->release = base_free;
	struct text target;
	text_init(&target, 1024);
	docker_target(&target, "/containers/", op->name, "/json");
	struct http_call_options options = docker_op_options(op, "GET", text_string(&target));
	options.fresh_connection = true;
	op->instance = docker_instance(op->docker->socket_path);
	docker_op_call_with(op, &options, inspected);
	text_release(&target);
}

/* LIST. Parts that no create of ours is working on are removed on the way. */
struct listing {
	struct uuid cluster;
	struct docker_list list;
	struct strings parts;
	size_t at;
};

static void listing_release(void *data)
{
	struct listing *listing = data;
	docker_list_release(&listing->list);
	strings_release(&listing->parts);
	base_free(listing);
}

static bool is_part(const char *name)
{
	size_t len = strlen(name), suffix = strlen(DOCKER_PART_SUFFIX);
	return len > suffix && strcmp(name + len - suffix, DOCKER_PART_SUFFIX) == 0;
}

static bool is_being_made(const struct docker *docker, const char *part)
{
	size_t len = strlen(part) - strlen(DOCKER_PART_SUFFIX);
	for (const struct docker_op *op = docker->ops; op; op = op->next)
		if (op->result.verb == CONTAINER_CREATE && strlen(op->name) == len &&
		    strncmp(op->name, part, len) == 0)
			return true;
	return false;
}

static void networks_listed(struct docker_op *op, int status, struct http_view body)
{
	struct err err = { 0 };
	settle_instance(op);
	if (status != 200)
		docker_op_reply_fault(op, status, body);
	else if (docker_reply_networks(body.bytes, body.len, &op->result.networks, &err))
		docker_op_fault(op, FAULT_AMBIGUOUS, err.message);
	else
		docker_op_end(op);
}

static void list_networks(struct docker_op *op)
{
	const struct listing *listing = op->data;
	struct text target;
	text_init(&target, 1024);
	docker_query_ours(&target, "/networks?filters=", listing->cluster, "");
	docker_op_call(op, "GET", text_string(&target), NULL, networks_listed);
	text_release(&target);
}

static void remove_next_part(struct docker_op *op);

static void part_removed(struct docker_op *op, int status, struct http_view body)
{
	(void)status, (void)body;
	struct listing *listing = op->data;
	listing->at++;
	remove_next_part(op);
}

static void remove_next_part(struct docker_op *op)
{
	struct listing *listing = op->data;
	if (listing->at >= listing->parts.n) {
		list_networks(op);
		return;
	}
	struct text target;
	text_init(&target, 1024);
	docker_target(&target, "/containers/", listing->parts.items[listing->at],
		      "?force=true&v=true");
	docker_op_call(op, "DELETE", text_string(&target), NULL, part_removed);
	text_release(&target);
}

/* Take the parts out of the answer. */
static void split_parts(struct docker_op *op, struct listing *listing)
{
	size_t kept = 0;
	for (size_t i = 0; i < op->result.n_list; i++) {
		struct container_seen *seen = &op->result.list[i];
		if (!is_part(seen->name)) {
			op->result.list[kept++] = *seen;
			continue;
		}
		if (!is_being_made(op->docker, seen->name))
			strings_add(&listing->parts, seen->id);
		container_seen_release(seen);
	}
	op->result.n_list = kept;
}

static void list_body(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	(void)call;
	struct docker_op *op = owner;
	struct listing *listing = op->data;
	docker_list_feed(&listing->list, bytes, len);
}

static void listed(struct docker_op *op, int status, struct http_view body)
{
	(void)body;
	struct listing *listing = op->data;
	struct docker_list *list = &listing->list;
	struct err err = { 0 };
	op->body = NULL;
	if (status != 200) {
		docker_op_reply_fault(op, status,
				      (struct http_view){ list->rest.bytes, list->rest.len });
	} else if (docker_list_end(list, &op->result.list, &op->result.n_list, &err)) {
		docker_op_fault(op, FAULT_AMBIGUOUS, err.message);
	} else {
		split_parts(op, listing);
		remove_next_part(op);
	}
}

void docker_list(struct docker_op *op, const struct container_action *action)
{
	static const char ended[] =
		",\"status\":[\"created\",\"restarting\",\"removing\",\"exited\",\"dead\"]";
	struct listing *listing = base_calloc(1, sizeof(*listing));
	listing->cluster = uuid_is_zero(action->cluster) ? op->docker->cluster : action->cluster;
	docker_list_init(&listing->list);
	op->data = listing;
	op->release = listing_release;
	op->body = list_body;
	struct text target;
	text_init(&target, 1024);
	docker_query_ours(&target, "/containers/json?all=true&filters=", listing->cluster,
			  action->ended ? ended : "");
	docker_op_call(op, "GET", text_string(&target), NULL, listed);
	text_release(&target);
}
