/* Networks and volumes. What does not bear our cluster's label is never removed: it was there before us. */
#include "runtime/docker.h"

#include <string.h>

#include "base/alloc.h"
#include "runtime/docker_body.h"
#include "runtime/docker_reply.h"

struct resource {
	char *name;
	char *body; /* of the request that makes it; NULL: external or to be removed */
	struct uuid cluster;
};

static void resource_release(void *data)
{
	struct resource *resource = data;
	base_free(resource->name);
	base_free(resource->body);
	base_free(resource);
}

static struct resource *resource_new(struct docker_op *op, const struct container_action *action)
{
	struct resource *resource = base_calloc(1, sizeof(*resource));
	resource->name = base_strdup(action->resource_name);
	resource->cluster = uuid_is_zero(action->cluster) ? op->docker->cluster : action->cluster;
	op->data = resource;
	op->release = resource_release;
	return resource;
}

static void call_resource(struct docker_op *op, const char *method, const char *folder,
			  docker_step_fn *step)
{
	const struct resource *resource = op->data;
	struct text target;
	text_init(&target, 16 * 1024);
	docker_target(&target, folder, resource->name, "");
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

/* Docker also finds things by the start of their id. */
static bool is_named(const json_t *json, const char *name)
{
	const char *found = docker_json_text(json, "Name");
	return found && strcmp(found, name) == 0;
}

static void missing(struct docker_op *op, const char *noun, int fault)
{
	const struct resource *resource = op->data;
	char message[512];
	text_print(message, sizeof(message), "%s %s is external and does not exist", noun,
		   resource->name);
	docker_op_fault(op, fault, message);
}

static void external_seen(struct docker_op *op, int status, struct http_view body)
{
	const struct resource *resource = op->data;
	bool volume = op->result.verb == CONTAINER_VOLUME_ENSURE;
	if (status == 200) {
		json_t *json = docker_json_parse(body.bytes, body.len, NULL);
		bool found = is_named(json, resource->name);
		json_decref(json);
		if (found) {
			docker_op_end(op);
			return;
		}
		status = 404;
	}
	if (status == 404)
		missing(op, volume ? "volume" : "network",
			volume ? FAULT_MOUNT_FAILED : FAULT_NOT_FOUND);
	else
		docker_op_reply_fault(op, status, body);
}

static void ours_seen(struct docker_op *op, int status, struct http_view body)
{
	const struct resource *resource = op->data;
	bool volume = op->result.verb == CONTAINER_VOLUME_REMOVE;
	if (status != 200) {
		docker_op_reply_fault(op, status, body);
		return;
	}
	json_t *json = docker_json_parse(body.bytes, body.len, NULL);
	bool named = is_named(json, resource->name);
	const char *label = docker_json_text(json_object_get(json, "Labels"), LABEL_CLUSTER);
	char cluster[UUID_TEXT_SIZE];
	bool ours = label && strcmp(label, uuid_format(resource->cluster, cluster)) == 0;
	json_decref(json);
	if (!named) {
		docker_op_end(op);
	} else if (!ours) {
		char message[512];
		text_print(message, sizeof(message),
			   "%s %s was not made by this cluster and is left alone",
			   volume ? "volume" : "network", resource->name);
		docker_op_fault(op, FAULT_REFUSED, message);
	} else {
		call_resource(op, "DELETE", volume ? "/volumes/" : "/networks/", done_or_fault);
	}
}

void docker_network_ensure(struct docker_op *op, const struct container_action *action)
{
	struct resource *resource = resource_new(op, action);
	if (action->network->external) {
		call_resource(op, "GET", "/networks/", external_seen);
		return;
	}
	struct err err = { 0 };
	resource->body = docker_body_network(action, op->docker->minor, &err);
	if (!resource->body)
		docker_op_fault(op, FAULT_REFUSED, err.message);
	else
		docker_op_call(op, "POST", "/networks/create", resource->body, done_or_fault);
}

void docker_network_remove(struct docker_op *op, const struct container_action *action)
{
	resource_new(op, action);
	call_resource(op, "GET", "/networks/", ours_seen);
}

void docker_volume_ensure(struct docker_op *op, const struct container_action *action)
{
	struct resource *resource = resource_new(op, action);
	if (action->volume->external) {
		call_resource(op, "GET", "/volumes/", external_seen);
		return;
	}
	struct err err = { 0 };
	resource->body = docker_body_volume(action, &err);
	if (!resource->body)
		docker_op_fault(op, FAULT_REFUSED, err.message);
	else
		docker_op_call(op, "POST", "/volumes/create", resource->body, done_or_fault);
}

void docker_volume_remove(struct docker_op *op, const struct container_action *action)
{
	resource_new(op, action);
	call_resource(op, "GET", "/volumes/", ours_seen);
}
