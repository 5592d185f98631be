/* Making a container, step by step:
 *
 *     [inspect the attempt before] -> [inspect the image] -> create -> [connect ...] -> [rename]
 *
 * Up to API 1.43 a container is made with one network and connected to the others after. Then it is made as NAME.part
 * and renamed last, so that a container called NAME always has all its networks, whatever died in between; a part left
 * over is removed by the next try or the next list. */
#include "runtime/docker.h"

#include <string.h>

#include "base/alloc.h"
#include "runtime/docker_body.h"
#include "runtime/docker_reply.h"

/* The op's own copy of the action and what the steps found. */
struct create {
	struct container_action action;
	struct job_spec spec;
	char *project, *job, *previous, *files;
	struct port_grant *ports;
	LIST_OF(struct network_spec) networks;
	LIST_OF(struct volume_spec) volumes;
	struct pairs carried;
	struct strings entrypoint;
	bool has_part; /* made under the name with the suffix */
	bool part_removed;
	size_t connected;
	char id[80];
	int fault; /* to answer once the part is removed */
	char *message;
};

static void create_release(void *data)
{
	struct create *create = data;
	record_release(&job_spec_type, &create->spec);
	for (size_t i = 0; i < create->networks.n; i++)
		record_release(&network_spec_type, &create->networks.items[i]);
	for (size_t i = 0; i < create->volumes.n; i++)
		record_release(&volume_spec_type, &create->volumes.items[i]);
	base_free(create->networks.items);
	base_free(create->volumes.items);
	base_free(create->ports);
	base_free(create->project);
	base_free(create->job);
	base_free(create->previous);
	base_free(create->files);
	base_free(create->message);
	pairs_release(&create->carried);
	strings_release(&create->entrypoint);
	base_free(create);
}

static struct create *create_copy(const struct container_action *action)
{
	struct create *create = base_calloc(1, sizeof(*create));
	record_copy(&job_spec_type, &create->spec, action->spec);
	for (size_t i = 0; i < action->n_networks; i++)
		record_copy(&network_spec_type,
			    list_add(&create->networks, sizeof(struct network_spec)),
			    &action->networks[i]);
	for (size_t i = 0; i < action->n_volumes; i++)
		record_copy(&volume_spec_type,
			    list_add(&create->volumes, sizeof(struct volume_spec)),
			    &action->volumes[i]);
	create->project = base_strdup(action->project);
	create->job = base_strdup(action->job);
	create->previous = base_strdup(action->previous);
	create->files = base_strdup(action->files);
	if (action->n_ports)
		create->ports =
			base_memdup(action->ports, action->n_ports * sizeof(*action->ports));
	create->action = *action;
	create->action.spec = &create->spec;
	create->action.project = create->project;
	create->action.job = create->job;
	create->action.previous = create->previous;
	create->action.files = create->files;
	create->action.contents = NULL;
	create->action.ports = create->ports;
	create->action.networks = create->networks.items;
	create->action.volumes = create->volumes.items;
	create->action.signal = NULL;
	create->action.network = NULL;
	create->action.volume = NULL;
	create->action.resource_name = NULL;
	return create;
}

/* Before the create itself nothing can have happened. */
static void lost_before(struct docker_op *op, const struct err *err, enum http_sent sent)
{
	(void)sent;
	docker_op_transport_fault(op, err, HTTP_NOT_SENT);
}

static void call_with_name(struct docker_op *op, const char *method, const char *before,
			   const char *part, const char *after, const char *body,
			   docker_step_fn *step)
{
	struct text target;
	text_init(&target, 16 * 1024);
	docker_target(&target, before, part, after);
	docker_op_call(op, method, text_string(&target), body, step);
	text_release(&target);
}

static void finish(struct docker_op *op)
{
	struct create *create = op->data;
	struct container_seen *seen = &op->result.seen;
	text_print(seen->name, sizeof(seen->name), "%s", op->name);
	text_print(seen->id, sizeof(seen->id), "%s", create->id);
	seen->cluster = create->action.cluster;
	seen->task = create->action.task;
	seen->attempt = create->action.attempt;
	seen->state = CONTAINER_CREATED;
	docker_op_end(op);
}

static void discarded(struct docker_op *op, int status, struct http_view body)
{
	(void)status, (void)body;
	struct create *create = op->data;
	_cleanup_free_ char *message = base_strdup(create->message);
	docker_op_fault(op, create->fault, message);
}

static void discard_lost(struct docker_op *op, const struct err *err, enum http_sent sent)
{
	(void)err, (void)sent;
	discarded(op, 0, (struct http_view){ 0 });
	docker_suspect(op->docker);
}

/* Remove the part, then answer. */
static void discard(struct docker_op *op, int fault, const char *message)
{
	struct create *create = op->data;
	create->fault = fault;
	create->message = base_strdup(message);
	op->lost = discard_lost;
	call_with_name(op, "DELETE", "/containers/", create->id, "?force=true&v=true", NULL,
		       discarded);
}

static void renamed(struct docker_op *op, int status, struct http_view body)
{
	if (status / 100 == 2) {
		finish(op);
		return;
	}
	_cleanup_free_ char *message = docker_reply_message(body.bytes, body.len);
	int fault = docker_reply_fault(CONTAINER_CREATE, status, message);
	if (fault == FAULT_AMBIGUOUS)
		docker_op_fault(op, fault, message);
	else
		discard(op, fault, message);
}

static void connect_next(struct docker_op *op);

static void connected(struct docker_op *op, int status, struct http_view body)
{
	struct create *create = op->data;
	if (status / 100 == 2) {
		create->connected++;
		connect_next(op);
		return;
	}
	_cleanup_free_ char *message = docker_reply_message(body.bytes, body.len);
	discard(op, docker_reply_fault(CONTAINER_CREATE, status, message), message);
}

static void connect_next(struct docker_op *op)
{
	struct create *create = op->data;
	if (create->connected >= create->networks.n) {
		struct text target;
		text_init(&target, 1024);
		docker_target(&target, "/containers/", create->id, "/rename?name=");
		http_percent_encode(&target, op->name);
		docker_op_call(op, "POST", text_string(&target), NULL, renamed);
		text_release(&target);
		return;
	}
	struct err err = { 0 };
	_cleanup_free_ char *body =
		docker_body_connect(&create->action, create->connected, create->id, &err);
	if (!body) {
		discard(op, FAULT_REFUSED, err.message);
		return;
	}
	_cleanup_free_ char *network =
		container_network_name(create->project, &create->networks.items[create->connected]);
	call_with_name(op, "POST", "/networks/", network, "/connect", body, connected);
}

static void create_now(struct docker_op *op);

static void part_removed(struct docker_op *op, int status, struct http_view body)
{
	if (status / 100 == 2 || status == 404)
		create_now(op);
	else
		docker_op_reply_fault(op, status, body);
}

/* A part of a try before is in the way. */
static void remove_part(struct docker_op *op)
{
	struct create *create = op->data;
	create->part_removed = true;
	op->lost = lost_before;
	call_with_name(op, "DELETE", "/containers/", op->name,
		       DOCKER_PART_SUFFIX "?force=true&v=true", NULL, part_removed);
}

static void created(struct docker_op *op, int status, struct http_view body)
{
	struct create *create = op->data;
	if (status == 409 && create->has_part && !create->part_removed) {
		remove_part(op);
		return;
	}
	if (status != 201) {
		docker_op_reply_fault(op, status, body);
		return;
	}
	json_t *json = docker_json_parse(body.bytes, body.len, NULL);
	const char *id = docker_json_text(json, "Id");
	text_print(create->id, sizeof(create->id), "%s", id ? id : "");
	json_decref(json);
	if (!create->id[0]) {
		docker_op_fault(op, FAULT_AMBIGUOUS, "Docker's answer to create has no id");
	} else if (create->has_part) {
		create->connected = 1;
		connect_next(op);
	} else {
		finish(op);
	}
}

static void create_now(struct docker_op *op)
{
	struct create *create = op->data;
	const struct docker_body_context context = {
		.api_minor = op->docker->minor,
		.carried = &create->carried,
		.image_entrypoint = &create->entrypoint,
	};
	struct err err = { 0 };
	_cleanup_free_ char *body = docker_body_create(&create->action, &context, &err);
	if (!body) {
		docker_op_fault(op, FAULT_REFUSED, err.message);
		return;
	}
	op->lost = NULL;
	create->has_part = create->networks.n > 1 && op->docker->minor < 44;
	struct text target;
	text_init(&target, 16 * 1024);
	docker_target(&target, "/containers/create?name=", op->name,
		      create->has_part ? DOCKER_PART_SUFFIX : "");
	if (create->spec.platform)
		docker_target(&target, "&platform=", create->spec.platform, "");
	docker_op_call(op, "POST", text_string(&target), body, created);
	text_release(&target);
}

static void image_seen(struct docker_op *op, int status, struct http_view body)
{
	struct create *create = op->data;
	if (status != 200) {
		docker_op_reply_fault(op, status, body);
		return;
	}
	json_t *json = docker_json_parse(body.bytes, body.len, NULL);
	const json_t *list = json_object_get(json_object_get(json, "Config"), "Entrypoint");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		if (word)
			strings_add(&create->entrypoint, word);
	}
	json_decref(json);
	create_now(op);
}

static void look_at_image(struct docker_op *op)
{
	struct create *create = op->data;
	if (docker_body_needs_entrypoint(&create->spec))
		call_with_name(op, "GET", "/images/", create->spec.image, "/json", NULL,
			       image_seen);
	else
		create_now(op);
}

static void previous_seen(struct docker_op *op, int status, struct http_view body)
{
	struct create *create = op->data;
	struct err err = { 0 };
	if (status == 200) {
		if (docker_reply_anonymous(body.bytes, body.len, &create->carried, &err)) {
			docker_op_fault(op, FAULT_UNREACHABLE, err.message);
			return;
		}
	} else if (status != 404) {
		_cleanup_free_ char *message = docker_reply_message(body.bytes, body.len);
		docker_op_fault(op, FAULT_UNREACHABLE, message);
		return;
	}
	look_at_image(op);
}

void docker_create(struct docker_op *op, const struct container_action *action)
{
	struct create *create = create_copy(action);
	op->data = create;
	op->release = create_release;
	op->lost = lost_before;
	if (create->previous)
		call_with_name(op, "GET", "/containers/", create->previous, "/json", NULL,
			       previous_seen);
	else
		look_at_image(op);
}
