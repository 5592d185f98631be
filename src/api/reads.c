/* GET: views of the world as of the last durable commit. */
#include <string.h>

#include "api/server_int.h"
#include "base/alloc.h"
#include "base/parse.h"

void handle_healthz(struct api_request *request)
{
	http_answer(request->exchange, 200, JSON_CONTENT_TYPE, NULL, "{\"ok\":true}", 11);
}

/* Those that have not left. */
static int64_t n_nodes(const struct cluster *cluster)
{
	int64_t n = 0;
	for (size_t i = 0; i < cluster->columns.n; i++)
		n += !cluster->columns.entry[i]->record.left;
	return n;
}

void handle_cluster(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct api_health health = { 0 };
	request->server->backend->health(request->server->owner, &health);
	struct cluster_view view = { 0 };
	view.id = cluster->meta.cluster;
	view.version = base_strdup(DROVER_VERSION);
	view.epoch = cluster->meta.epoch;
	view.scheduler = base_strdup(health.scheduler_name);
	view.store = base_strdup(health.store_name);
	view.read_only = health.read_only;
	view.message = health.read_only ? base_strdup(health.message) : NULL;
	view.nodes = n_nodes(cluster);
	view.jobs = (int64_t)cluster->jobs.n;
	view.tasks_pending = (int64_t)cluster->n_tasks_by_state[TASK_PENDING];
	view.tasks_scheduled = (int64_t)cluster->n_tasks_by_state[TASK_SCHEDULED];
	view.tasks_running = (int64_t)cluster->n_tasks_by_state[TASK_RUNNING];
	view.tasks_completed = (int64_t)cluster->n_tasks_by_state[TASK_COMPLETED];
	view.tasks_failed = (int64_t)cluster->n_tasks_by_state[TASK_FAILED];
	view.store_used_bytes = health.store_used_bytes;
	view.store_max_bytes = health.store_max_bytes;
	struct http_server_counts counts = http_server_counts(request->server->http);
	view.refused_requests = counts.refused_requests;
	view.refused_connections = counts.refused_connections;
	answer_record(request, 200, &cluster_view_type, &view);
	record_release(&cluster_view_type, &view);
}

/* ---- one object ---------------------------------------------------------------------------------------- */

void handle_project(struct api_request *request)
{
	const struct project_entry *entry =
		cluster_project(server_cluster(request->server), request->params[0]);
	if (!entry) {
		answer_code(request, ERR_NOT_FOUND, "no such project");
		return;
	}
	struct project_view view = { 0 };
	project_view_fill(&view, entry);
	answer_record(request, 200, &project_view_type, &view);
	record_release(&project_view_type, &view);
}

/* The id in the path; false when it is none (answered). */
static bool read_id(struct api_request *request, struct uuid *ret_id)
{
	struct err err;
	if (uuid_parse(request->params[0], ret_id, &err) == ERR_NONE)
		return true;
	answer_error(request, &err);
	return false;
}

/* The job of the path; NULL: there is none (answered). */
static const struct job_entry *find_job(struct api_request *request)
{
	struct job_id id;
	if (!read_id(request, &id.uuid))
		return NULL;
	const struct job_entry *entry = cluster_job(server_cluster(request->server), id);
	if (!entry)
		answer_code(request, ERR_NOT_FOUND, "no job has this id");
	return entry;
}

void handle_job(struct api_request *request)
{
	const struct job_entry *entry = find_job(request);
	if (!entry)
		return;
	struct job_view view = { 0 };
	job_view_fill(&view, server_manager(request->server), entry, true);
	answer_record(request, 200, &job_view_type, &view);
	record_release(&job_view_type, &view);
}

void handle_job_revisions(struct api_request *request)
{
	const struct job_entry *entry = find_job(request);
	if (!entry)
		return;
	struct job_history history = { 0 };
	job_history_fill(&history, server_manager(request->server), entry);
	answer_record(request, 200, &job_history_type, &history);
	record_release(&job_history_type, &history);
}

void handle_task(struct api_request *request)
{
	struct task_id id;
	if (!read_id(request, &id.uuid))
		return;
	const struct task *task = cluster_task(server_cluster(request->server), id);
	if (!task) {
		answer_code(request, ERR_NOT_FOUND, "no task has this id");
		return;
	}
	struct task_view view = { 0 };
	task_view_fill(&view, server_manager(request->server), task);
	answer_record(request, 200, &task_view_type, &view);
	record_release(&task_view_type, &view);
}

void handle_node(struct api_request *request)
{
	struct node_id id;
	if (!read_id(request, &id.uuid))
		return;
	const struct node_entry *node = cluster_node(server_cluster(request->server), id);
	if (!node) {
		answer_code(request, ERR_NOT_FOUND, "no node has this id");
		return;
	}
	struct node_view view = { 0 };
	node_view_fill(&view, server_cluster(request->server), node);
	answer_record(request, 200, &node_view_type, &view);
	record_release(&node_view_type, &view);
}
