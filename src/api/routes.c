#include "api/routes.h"

#include <string.h>

#include "api/server_int.h"
#include "base/alloc.h"

// clang-format off
const struct route api_routes[] = {
	{ "GET",    "/healthz",                    ROUTE_READ,   SCOPE_NONE,   0, handle_healthz,
	  "Is the process alive?", NULL, NULL, NULL },
	{ "GET",    "/v1/cluster",                 ROUTE_READ,   SCOPE_READ,   0, handle_cluster,
	  "The cluster: id, versions, counts, how the store stands", NULL, &cluster_view_type, NULL },
	{ "GET",    "/v1/projects",                ROUTE_READ,   SCOPE_READ,   0, handle_projects,
	  "List projects", NULL, &project_page_type, "after limit revision" },
	{ "GET",    "/v1/projects/{name}",         ROUTE_READ,   SCOPE_READ,   0, handle_project,
	  "One project", NULL, &project_view_type, NULL },
	{ "POST",   "/v1/projects/{name}/apply",   ROUTE_MUTATE, SCOPE_WRITE,  LIMIT_HTTP_APPLY_BODY_BYTES, handle_apply,
	  "Bring a project to the given state: all of its jobs or none", &project_request_type, &manager_answer_type, NULL },
	{ "POST",   "/v1/projects/{name}/plan",    ROUTE_READ,   SCOPE_WRITE,  LIMIT_HTTP_APPLY_BODY_BYTES, handle_plan,
	  "Tell what an apply of the same body would do, and do nothing", &project_request_type, &project_plan_type, NULL },
	{ "POST",   "/v1/projects/{name}/stop",    ROUTE_MUTATE, SCOPE_WRITE,  0, handle_project_stop,
	  "Stop every job of a project", NULL, &manager_answer_type, NULL },
	{ "POST",   "/v1/projects/{name}/restart", ROUTE_MUTATE, SCOPE_WRITE,  0, handle_project_restart,
	  "Restart every job of a project, one task after the other", NULL, &manager_answer_type, NULL },
	{ "POST",   "/v1/projects/{name}/rollback", ROUTE_MUTATE, SCOPE_WRITE, 0, handle_project_rollback,
	  "Take every service that the newest deployment of a project changed back to its last good revision", NULL,
	  &manager_answer_type, NULL },
	{ "DELETE", "/v1/projects/{name}",         ROUTE_MUTATE, SCOPE_WRITE,  0, handle_project_remove,
	  "Remove a project; its named volumes only with volumes=true", NULL, &manager_answer_type, "volumes" },
	{ "GET",    "/v1/jobs",                    ROUTE_READ,   SCOPE_READ,   0, handle_jobs,
	  "List jobs", NULL, &job_page_type, "project name after limit revision" },
	{ "POST",   "/v1/jobs",                    ROUTE_MUTATE, SCOPE_WRITE,  LIMIT_JOB_RECORD_BYTES, handle_submit,
	  "Add one job to a project", &submit_request_type, &manager_answer_type, NULL },
	{ "GET",    "/v1/jobs/{id}",               ROUTE_READ,   SCOPE_READ,   0, handle_job,
	  "One job with its specification", NULL, &job_view_type, NULL },
	{ "GET",    "/v1/jobs/{id}/revisions",     ROUTE_READ,   SCOPE_READ,   0, handle_job_revisions,
	  "The revisions of a job that are kept, newest first, and how each one's roll-out went", NULL, &job_history_type, NULL },
	{ "POST",   "/v1/jobs/{id}/rollback",      ROUTE_MUTATE, SCOPE_WRITE,  LIMIT_HTTP_BODY_BYTES, handle_job_rollback,
	  "Go back to an earlier revision of a job; 0 is the last one that was rolled out to its end", &rollback_request_type,
	  &manager_answer_type, NULL },
	{ "POST",   "/v1/jobs/{id}/scale",         ROUTE_MUTATE, SCOPE_WRITE,  LIMIT_HTTP_BODY_BYTES, handle_scale,
	  "Set how many tasks a job has", &scale_request_type, &manager_answer_type, NULL },
	{ "POST",   "/v1/jobs/{id}/stop",          ROUTE_MUTATE, SCOPE_WRITE,  0, handle_job_stop,
	  "Stop a job", NULL, &manager_answer_type, NULL },
	{ "POST",   "/v1/jobs/{id}/restart",       ROUTE_MUTATE, SCOPE_WRITE,  0, handle_job_restart,
	  "Restart a job, one task after the other; also starts a stopped one", NULL, &manager_answer_type, NULL },
	{ "POST",   "/v1/jobs/{id}/run",           ROUTE_MUTATE, SCOPE_WRITE,  0, handle_job_run_again,
	  "Run a job again that has come to its end: all of its tasks, with the same revision", NULL, &manager_answer_type, NULL },
	{ "DELETE", "/v1/jobs/{id}",               ROUTE_MUTATE, SCOPE_WRITE,  0, handle_job_remove,
	  "Remove a job with its tasks and history", NULL, &manager_answer_type, NULL },
	{ "GET",    "/v1/tasks",                   ROUTE_READ,   SCOPE_READ,   0, handle_tasks,
	  "List tasks", NULL, &task_page_type, "project job node state after limit revision" },
	{ "GET",    "/v1/tasks/{id}",              ROUTE_READ,   SCOPE_READ,   0, handle_task,
	  "One task", NULL, &task_view_type, NULL },
	{ "POST",   "/v1/tasks/{id}/stop",         ROUTE_MUTATE, SCOPE_WRITE,  0, handle_task_stop,
	  "Stop one task; its slot stays empty until a restart", NULL, &manager_answer_type, NULL },
	{ "POST",   "/v1/tasks/{id}/restart",      ROUTE_MUTATE, SCOPE_WRITE,  0, handle_task_restart,
	  "Replace one task by a new one", NULL, &manager_answer_type, NULL },
	{ "GET",    "/v1/tasks/{id}/logs",         ROUTE_STREAM, SCOPE_LOGS,   0, handle_logs,
	  "What the task wrote, in Docker's multiplexed form", NULL, NULL, "follow tail since_ms attempt timestamps" },
	{ "GET",    "/v1/nodes",                   ROUTE_READ,   SCOPE_READ,   0, handle_nodes,
	  "List nodes", NULL, &node_page_type, "after limit revision" },
	{ "GET",    "/v1/nodes/{id}",              ROUTE_READ,   SCOPE_READ,   0, handle_node,
	  "One node", NULL, &node_view_type, NULL },
	{ "POST",   "/v1/nodes/{id}/drain",        ROUTE_MUTATE, SCOPE_ADMIN,  0, handle_node_drain,
	  "Move a node's tasks to others and give it no new ones", NULL, &manager_answer_type, NULL },
	{ "POST",   "/v1/nodes/{id}/resume",       ROUTE_MUTATE, SCOPE_ADMIN,  0, handle_node_resume,
	  "Let a drained node take tasks again", NULL, &manager_answer_type, NULL },
	{ "POST",   "/v1/nodes/{id}/labels",       ROUTE_MUTATE, SCOPE_ADMIN,  LIMIT_HTTP_BODY_BYTES, handle_node_label,
	  "Set and remove labels of a node", &labels_request_type, &manager_answer_type, NULL },
	{ "DELETE", "/v1/nodes/{id}",              ROUTE_MUTATE, SCOPE_ADMIN,  0, handle_node_remove,
	  "Remove an empty node; with fenced=true one that is off and stays off, with all that was on it", NULL,
	  &manager_answer_type, "fenced" },
	{ "GET",    "/v1/nodes/{id}/sync",         ROUTE_WORKER, SCOPE_WORKER, 0, handle_sync,
	  "A worker's WebSocket: desired and observed sets", NULL, NULL, NULL },
	{ "POST",   "/v1/rebalance/plan",          ROUTE_READ,   SCOPE_ADMIN,  0, handle_rebalance_plan,
	  "Tell which tasks would be better off on another node, and do nothing", NULL, &rebalance_plan_type, NULL },
	{ "POST",   "/v1/rebalance",               ROUTE_MUTATE, SCOPE_ADMIN,  LIMIT_REBALANCE_BODY_BYTES, handle_rebalance,
	  "Move tasks to the nodes that are named, each when its successor is ready there", &rebalance_request_type,
	  &manager_answer_type, NULL },
	{ "GET",    "/v1/tokens",                  ROUTE_READ,   SCOPE_ADMIN,  0, handle_tokens,
	  "List join tokens; their secrets are not kept", NULL, &token_page_type, "after limit revision" },
	{ "POST",   "/v1/tokens",                  ROUTE_ISSUE,  SCOPE_ADMIN,  LIMIT_HTTP_BODY_BYTES, handle_token_create,
	  "Make a join token; its text is told here and never again", &token_request_type, &token_answer_type, NULL },
	{ "DELETE", "/v1/tokens/{id}",             ROUTE_MUTATE, SCOPE_ADMIN,  0, handle_token_remove,
	  "Remove a join token; who joined by it stays", NULL, &manager_answer_type, NULL },
	{ "GET",    "/v1/identities",              ROUTE_READ,   SCOPE_ADMIN,  0, handle_identities,
	  "List who has joined", NULL, &identity_page_type, "after limit revision" },
	{ "DELETE", "/v1/identities/{id}",         ROUTE_MUTATE, SCOPE_ADMIN,  0, handle_identity_remove,
	  "Make an identity's certificate worthless; a worker's goes with its node", NULL, &manager_answer_type, NULL },
	{ "POST",   "/v1/join",                    ROUTE_ISSUE,  SCOPE_JOIN,   LIMIT_JOIN_BODY_BYTES, handle_join,
	  "Join by a token: a certificate for the key of the signing request", &join_request_type, &certificate_answer_type, NULL },
	{ "POST",   "/v1/renew",                   ROUTE_ISSUE,  SCOPE_RENEW,  LIMIT_JOIN_BODY_BYTES, handle_renew,
	  "A new certificate for the caller's own key, also when the old one expired less than a year ago", &renew_request_type,
	  &certificate_answer_type, NULL },
	{ "GET",    "/v1/volumes",                 ROUTE_READ,   SCOPE_READ,   0, handle_volumes,
	  "List named volumes", NULL, &volume_page_type, "project after limit revision" },
	{ "DELETE", "/v1/volumes/{name}",          ROUTE_MUTATE, SCOPE_WRITE,  0, handle_volume_remove,
	  "Remove a named volume and its data", NULL, &manager_answer_type, NULL },
	{ "GET",    "/v1/events",                  ROUTE_STREAM, SCOPE_READ,   0, handle_events,
	  "What happens, as Server-Sent Events; resumes after Last-Event-ID or ?after=", NULL, NULL, "after" },
	{ "GET",    "/v1/streams/{id}",            ROUTE_WORKER, SCOPE_WORKER, 0, handle_worker_stream,
	  "A worker's WebSocket that carries a log it was asked for", NULL, NULL, NULL },
};
// clang-format on
const size_t n_api_routes = ARRAY_LEN(api_routes);

/* One segment of the path against one of the pattern, both without '/'. */
static bool match_segment(const char *pattern, size_t pattern_len, struct http_view segment,
			  char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE], size_t *n_params,
			  bool *ret_bad, struct err *err)
{
	if (pattern[0] != '{')
		return segment.len == pattern_len &&
		       memcmp(segment.bytes, pattern, pattern_len) == 0;
	if (segment.len == 0)
		return false;
	if (http_percent_decode(segment, false, params[(*n_params)++], ROUTE_PARAM_SIZE, err))
		*ret_bad = true;
	return true;
}

static bool match(const char *pattern, struct http_view path,
		  char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE], bool *ret_bad, struct err *err)
{
	size_t n_params = 0;
	const char *at = path.bytes;
	const char *end = path.bytes + path.len;
	while (*pattern == '/' && at < end && *at == '/') {
		pattern++;
		at++;
		size_t pattern_len = strcspn(pattern, "/");
		const char *slash = memchr(at, '/', (size_t)(end - at));
		struct http_view segment = { at, (size_t)((slash ? slash : end) - at) };
		if (!match_segment(pattern, pattern_len, segment, params, &n_params, ret_bad, err))
			return false;
		pattern += pattern_len;
		at += segment.len;
	}
	return *pattern == '\0' && at == end;
}

const struct route *route_find(const char *method, struct http_view path,
			       char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE],
			       enum err_code *ret_code, struct err *err)
{
	enum err_code code = ERR_NOT_FOUND;
	/* HEAD asks for the head of a GET; the server leaves the body out. */
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (size_t i = 0; i < n_api_routes; i++) {
		bool bad = false;
		if (!match(api_routes[i].pattern, path, params, &bad, err))
			continue;
		if (strcmp(api_routes[i].method, method) != 0) {
			code = ERR_METHOD;
			continue;
		}
		if (!bad)
			return &api_routes[i];
		*ret_code = ERR_INVALID;
		return NULL;
	}
	*ret_code = code;
	if (code == ERR_NOT_FOUND)
		err_set(err, code, "the API has no %.*s", (int)path.len, path.bytes);
	else
		err_set(err, code, "%.*s does not take %s", (int)path.len, path.bytes, method);
	return NULL;
}

/* Is the word one of those in `words`, which blanks separate? */
static bool word_in(const char *words, struct http_view word)
{
	while (words && *words) {
		size_t len = strcspn(words, " ");
		if (len == word.len && memcmp(words, word.bytes, len) == 0)
			return true;
		words += len + strspn(words + len, " ");
	}
	return false;
}

static struct http_view name_of(struct http_view parameter)
{
	const char *equals = memchr(parameter.bytes, '=', parameter.len);
	return (struct http_view){ parameter.bytes,
				   equals ? (size_t)(equals - parameter.bytes) : parameter.len };
}

static enum err_code check_parameter(const struct route *route, struct http_view parameter,
				     struct http_view before, struct err *err)
{
	char field[ERR_FIELD_MAX], value[LIMIT_PATH_BYTES];
	struct http_view name = name_of(parameter), ignored;
	struct http_view rest = { parameter.bytes + name.len, parameter.len - name.len };
	struct err inner;
	text_print(field, sizeof(field), "%.*s", (int)name.len, name.bytes);
	if (!word_in(route->query, name))
		return err_set_field(
			err, ERR_INVALID, field, "no query parameter of this address%s%s",
			route->query ? ", which takes: " : "", route->query ? route->query : "");
	if (http_query_get(before, field, &ignored))
		return err_set_field(err, ERR_INVALID, field, "given twice");
	if (rest.len && http_percent_decode((struct http_view){ rest.bytes + 1, rest.len - 1 },
					    true, value, sizeof(value), &inner))
		return err_set_field(err, ERR_INVALID, field, "%s", inner.message);
	return ERR_NONE;
}

enum err_code route_check_query(const struct route *route, struct http_view query, struct err *err)
{
	size_t at = 0;
	while (at < query.len) {
		const char *start = query.bytes + at;
		const char *end = memchr(start, '&', query.len - at);
		size_t len = end ? (size_t)(end - start) : query.len - at;
		struct http_view before = { query.bytes, at };
		enum err_code code = ERR_NONE;
		if (len)
			code = check_parameter(route, (struct http_view){ start, len }, before,
					       err);
		if (code)
			return code;
		at += len + 1;
	}
	return ERR_NONE;
}
