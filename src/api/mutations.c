/* POST and DELETE: read a typed mutation and hand it to the backend. Everything is checked for form here and for sense
 * by the manager's core. */
#include <string.h>

#include "api/server_int.h"
#include "base/alloc.h"

struct api_mutation *mutation_new(struct api_request *request, int kind)
{
	struct api_mutation *mutation = base_calloc(1, sizeof(*mutation));
	mutation->caller = base_strdup(request->caller.name);
	mutation->request.kind = kind;
	mutation->request.over_tls = !request->caller.local;
	return mutation;
}

/* FNV-1a over method, path, query and body: what "the same request" means for an Idempotency-Key. */
static int64_t request_hash(struct api_request *request)
{
	const struct http_head *head = http_exchange_head(request->exchange);
	struct http_view body = http_exchange_body(request->exchange);
	const struct http_view parts[] = { { head->method, strlen(head->method) },
					   head->target,
					   body };
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		for (size_t k = 0; k < parts[i].len; k++)
			hash = (hash ^ (uint8_t)parts[i].bytes[k]) * 0x100000001b3u;
		hash = (hash ^ 0xffu) * 0x100000001b3u;
	}
	return (int64_t)hash;
}

static enum err_code read_idempotency_key(struct api_request *request,
					  struct api_mutation *mutation, struct err *err)
{
	struct http_view key =
		http_header_get(http_exchange_head(request->exchange), "idempotency-key");
	if (!key.bytes)
		return ERR_NONE;
	if (key.len == 0 || key.len > LIMIT_IDEMPOTENCY_KEY_BYTES)
		return err_set_field(err, ERR_INVALID, "Idempotency-Key",
				     "must have 1 to %d characters", LIMIT_IDEMPOTENCY_KEY_BYTES);
	mutation->idempotency_key = base_strndup(key.bytes, key.len);
	return ERR_NONE;
}

void submit(struct api_request *request, struct api_mutation *mutation)
{
	struct api_server *server = request->server;
	struct api_health health = { 0 };
	struct err err;
	if (read_idempotency_key(request, mutation, &err)) {
		answer_error(request, &err);
		api_mutation_free(mutation);
		return;
	}
	server->backend->health(server->owner, &health);
	if (health.read_only) {
		answer_code(request, health.code, health.message);
		api_mutation_free(mutation);
		return;
	}
	request->handle = ++server->last_handle;
	map_put(&server->waiting, number_key(request->handle), request);
	mutation->request.handle = request->handle;
	mutation->request.caller = mutation->caller;
	mutation->request.idempotency_key = mutation->idempotency_key;
	mutation->request.body_hash = request_hash(request);
	mutation->request.project_request =
		mutation->request.kind == REQUEST_APPLY || mutation->request.kind == REQUEST_SUBMIT
			? &mutation->project_request
			: NULL;
	mutation->request.project = mutation->project;
	mutation->request.job = mutation->job ? mutation->job : "";
	mutation->request.volume = mutation->volume;
	mutation->request.trust = &mutation->trust;
	mutation->trust.token = mutation->token;
	mutation->trust.secret_sha256 = mutation->secret_sha256;
	mutation->trust.key_sha256 = mutation->key_sha256;
	mutation->trust.name = mutation->joiner;
	if (mutation->plan)
		server->backend->plan(server->owner, mutation);
	else
		server->backend->submit(server->owner, mutation);
}

static void refuse(struct api_request *request, struct api_mutation *mutation,
		   const struct err *err)
{
	answer_error(request, err);
	api_mutation_free(mutation);
}

enum err_code read_body(struct api_request *request, const struct record_type *type,
			int64_t values_max, void *record, struct err *err)
{
	struct http_view body = http_exchange_body(request->exchange);
	if (body.len == 0)
		return err_set(err, ERR_INVALID, "the request needs a JSON body");
	return json_read_record(type, body.bytes, body.len, values_max, JSON_REQUEST, record, err);
}

static void apply(struct api_request *request, bool plan)
{
	struct api_mutation *mutation = mutation_new(request, REQUEST_APPLY);
	struct err err;
	mutation->plan = plan;
	if (read_body(request, &project_request_type, LIMIT_JSON_APPLY_VALUES,
		      &mutation->project_request, &err)) {
		refuse(request, mutation, &err);
		return;
	}
	if (!mutation->project_request.name)
		string_set(&mutation->project_request.name, request->params[0]);
	if (strcmp(mutation->project_request.name, request->params[0]) != 0) {
		err_set_field(&err, ERR_INVALID, "name",
			      "\"%s\" is not the project of the address, \"%s\"",
			      mutation->project_request.name, request->params[0]);
		refuse(request, mutation, &err);
		return;
	}
	mutation->project = base_strdup(request->params[0]);
	submit(request, mutation);
}

void handle_apply(struct api_request *request)
{
	apply(request, false);
}

void handle_plan(struct api_request *request)
{
	apply(request, true);
}

void handle_submit(struct api_request *request)
{
	struct api_mutation *mutation = mutation_new(request, REQUEST_SUBMIT);
	struct submit_request body;
	struct err err;
	if (read_body(request, &submit_request_type, LIMIT_JSON_VALUES, &body, &err)) {
		refuse(request, mutation, &err);
		return;
	}
	struct job_request *job = list_add(&mutation->project_request.jobs, sizeof(*job));
	*job = body.job;
	memset(&body.job, 0, sizeof(body.job));
	mutation->project_request.name = body.project;
	mutation->project = base_strdup(body.project);
	submit(request, mutation);
}

static void submit_project(struct api_request *request, int kind, bool with_volumes)
{
	struct api_mutation *mutation = mutation_new(request, kind);
	mutation->project = base_strdup(request->params[0]);
	mutation->request.with_volumes = with_volumes;
	submit(request, mutation);
}

void handle_project_stop(struct api_request *request)
{
	submit_project(request, REQUEST_STOP, false);
}

void handle_project_restart(struct api_request *request)
{
	submit_project(request, REQUEST_RESTART, false);
}

void handle_project_rollback(struct api_request *request)
{
	submit_project(request, REQUEST_ROLLBACK, false);
}

/* A query parameter that is true or false; false when absent. */
static enum err_code query_bool(struct api_request *request, const char *name, bool *ret_value,
				struct err *err)
{
	char text[8];
	bool given = query_get(request, name, text, sizeof(text));
	*ret_value = given && strcmp(text, "true") == 0;
	if (!given || *ret_value || strcmp(text, "false") == 0)
		return ERR_NONE;
	return err_set_field(err, ERR_INVALID, name, "true or false, not \"%s\"", text);
}

void handle_project_remove(struct api_request *request)
{
	bool with_volumes;
	struct err err;
	if (query_bool(request, "volumes", &with_volumes, &err))
		answer_error(request, &err);
	else
		submit_project(request, REQUEST_REMOVE, with_volumes);
}

/* Was this mutation's key answered before? Then its job may be gone, by that very request. */
static bool is_remembered(struct api_request *request, const struct api_mutation *mutation)
{
	struct http_view header =
		http_header_get(http_exchange_head(request->exchange), "idempotency-key");
	if (!header.bytes)
		return false;
	_cleanup_free_ char *key = base_strndup(header.bytes, header.len);
	return cluster_idempotency(server_cluster(request->server), mutation->caller, key) != NULL;
}

/* The job of the path as a mutation, or NULL (answered). The core looks jobs up by name, so that a retried request
 * means the same after a restart. */
static struct api_mutation *job_mutation(struct api_request *request, int kind)
{
	struct job_id id;
	struct err err;
	if (uuid_parse(request->params[0], &id.uuid, &err)) {
		answer_error(request, &err);
		return NULL;
	}
	const struct job_entry *entry = cluster_job(server_cluster(request->server), id);
	struct api_mutation *mutation = mutation_new(request, kind);
	if (!entry && !is_remembered(request, mutation)) {
		answer_code(request, ERR_NOT_FOUND, "no job has this id");
		api_mutation_free(mutation);
		return NULL;
	}
	mutation->project = base_strdup(entry ? entry->job.project : "");
	mutation->job = base_strdup(entry ? entry->job.name : "");
	return mutation;
}

static void submit_job(struct api_request *request, int kind)
{
	struct api_mutation *mutation = job_mutation(request, kind);
	if (mutation)
		submit(request, mutation);
}

void handle_job_stop(struct api_request *request)
{
	submit_job(request, REQUEST_STOP);
}

void handle_job_restart(struct api_request *request)
{
	submit_job(request, REQUEST_RESTART);
}

void handle_job_run_again(struct api_request *request)
{
	submit_job(request, REQUEST_RUN_AGAIN);
}

void handle_job_rollback(struct api_request *request)
{
	struct rollback_request body;
	struct err err;
	if (read_body(request, &rollback_request_type, LIMIT_JSON_VALUES, &body, &err)) {
		answer_error(request, &err);
		return;
	}
	struct api_mutation *mutation = job_mutation(request, REQUEST_ROLLBACK);
	if (!mutation)
		return;
	mutation->request.revision = body.revision;
	submit(request, mutation);
}

void handle_job_remove(struct api_request *request)
{
	submit_job(request, REQUEST_REMOVE);
}

void handle_scale(struct api_request *request)
{
	struct scale_request body;
	struct err err;
	if (read_body(request, &scale_request_type, LIMIT_JSON_VALUES, &body, &err)) {
		answer_error(request, &err);
		return;
	}
	struct api_mutation *mutation = job_mutation(request, REQUEST_SCALE);
	if (!mutation)
		return;
	mutation->request.replicas = body.replicas;
	submit(request, mutation);
}

static void submit_task(struct api_request *request, int kind)
{
	struct task_id id;
	struct err err;
	if (uuid_parse(request->params[0], &id.uuid, &err)) {
		answer_error(request, &err);
		return;
	}
	struct api_mutation *mutation = mutation_new(request, kind);
	mutation->request.task = id;
	submit(request, mutation);
}

void handle_task_stop(struct api_request *request)
{
	submit_task(request, REQUEST_STOP);
}

void handle_task_restart(struct api_request *request)
{
	submit_task(request, REQUEST_RESTART);
}

void handle_volume_remove(struct api_request *request)
{
	struct api_mutation *mutation = mutation_new(request, REQUEST_VOLUME_REMOVE);
	mutation->volume = base_strdup(request->params[0]);
	submit(request, mutation);
}

/* The node of the path as a mutation, or NULL (answered). */
static struct api_mutation *node_mutation(struct api_request *request, int kind)
{
	struct node_id id;
	struct err err;
	if (uuid_parse(request->params[0], &id.uuid, &err)) {
		answer_error(request, &err);
		return NULL;
	}
	struct api_mutation *mutation = mutation_new(request, kind);
	mutation->request.node = id;
	return mutation;
}

static void submit_node(struct api_request *request, int kind)
{
	struct api_mutation *mutation = node_mutation(request, kind);
	if (mutation)
		submit(request, mutation);
}

void handle_node_drain(struct api_request *request)
{
	submit_node(request, REQUEST_NODE_DRAIN);
}

void handle_node_resume(struct api_request *request)
{
	submit_node(request, REQUEST_NODE_RESUME);
}

void handle_node_remove(struct api_request *request)
{
	bool fenced;
	struct err err;
	if (query_bool(request, "fenced", &fenced, &err)) {
		answer_error(request, &err);
		return;
	}
	struct api_mutation *mutation = node_mutation(request, REQUEST_NODE_REMOVE);
	if (!mutation)
		return;
	mutation->request.fenced = fenced;
	submit(request, mutation);
}

void handle_node_label(struct api_request *request)
{
	struct api_mutation *mutation = node_mutation(request, REQUEST_NODE_LABEL);
	struct err err;
	if (!mutation)
		return;
	if (read_body(request, &labels_request_type, LIMIT_JSON_VALUES, &mutation->labels, &err)) {
		refuse(request, mutation, &err);
		return;
	}
	mutation->request.labels_set = &mutation->labels.set;
	mutation->request.labels_remove = &mutation->labels.remove;
	submit(request, mutation);
}

void handle_rebalance(struct api_request *request)
{
	struct api_mutation *mutation = mutation_new(request, REQUEST_REBALANCE);
	struct err err;
	if (read_body(request, &rebalance_request_type, LIMIT_JSON_VALUES, &mutation->rebalance,
		      &err)) {
		refuse(request, mutation, &err);
		return;
	}
	mutation->request.rebalance = &mutation->rebalance;
	submit(request, mutation);
}

void handle_rebalance_plan(struct api_request *request)
{
	struct api_mutation *mutation = mutation_new(request, REQUEST_REBALANCE);
	mutation->plan = true;
	submit(request, mutation);
}
