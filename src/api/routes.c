#include "api/routes.h"

#include <string.h>

#include "api/server_int.h"
#include "base/alloc.h"

// clang-format off
const struct route api_routes[] = {
	{ "GET",    "/healthz",                    ROUTE_READ,   0, handle_healthz },
	{ "GET",    "/v1/cluster",                 ROUTE_READ,   0, handle_cluster },
	{ "GET",    "/v1/projects",                ROUTE_READ,   0, handle_projects },
	{ "GET",    "/v1/projects/{name}",         ROUTE_READ,   0, handle_project },
	{ "POST",   "/v1/projects/{name}/apply",   ROUTE_MUTATE, LIMIT_HTTP_APPLY_BODY_BYTES, handle_apply },
	{ "POST",   "/v1/projects/{name}/stop",    ROUTE_MUTATE, 0, handle_project_stop },
	{ "POST",   "/v1/projects/{name}/restart", ROUTE_MUTATE, 0, handle_project_restart },
	{ "DELETE", "/v1/projects/{name}",         ROUTE_MUTATE, 0, handle_project_remove },
	{ "GET",    "/v1/jobs",                    ROUTE_READ,   0, handle_jobs },
	{ "POST",   "/v1/jobs",                    ROUTE_MUTATE, LIMIT_JOB_RECORD_BYTES, handle_submit },
	{ "GET",    "/v1/jobs/{id}",               ROUTE_READ,   0, handle_job },
	{ "POST",   "/v1/jobs/{id}/scale",         ROUTE_MUTATE, LIMIT_HTTP_BODY_BYTES, handle_scale },
	{ "POST",   "/v1/jobs/{id}/stop",          ROUTE_MUTATE, 0, handle_job_stop },
	{ "POST",   "/v1/jobs/{id}/restart",       ROUTE_MUTATE, 0, handle_job_restart },
	{ "DELETE", "/v1/jobs/{id}",               ROUTE_MUTATE, 0, handle_job_remove },
	{ "GET",    "/v1/tasks",                   ROUTE_READ,   0, handle_tasks },
	{ "GET",    "/v1/tasks/{id}",              ROUTE_READ,   0, handle_task },
	{ "POST",   "/v1/tasks/{id}/stop",         ROUTE_MUTATE, 0, handle_task_stop },
	{ "POST",   "/v1/tasks/{id}/restart",      ROUTE_MUTATE, 0, handle_task_restart },
	{ "GET",    "/v1/tasks/{id}/logs",         ROUTE_STREAM, 0, handle_logs },
	{ "GET",    "/v1/nodes",                   ROUTE_READ,   0, handle_nodes },
	{ "GET",    "/v1/nodes/{id}",              ROUTE_READ,   0, handle_node },
	{ "GET",    "/v1/nodes/{id}/sync",         ROUTE_WORKER, 0, handle_sync },
	{ "GET",    "/v1/volumes",                 ROUTE_READ,   0, handle_volumes },
	{ "DELETE", "/v1/volumes/{name}",          ROUTE_MUTATE, 0, handle_volume_remove },
	{ "GET",    "/v1/events",                  ROUTE_STREAM, 0, handle_events },
	{ "GET",    "/v1/streams/{id}",            ROUTE_WORKER, 0, handle_worker_stream },
};
// clang-format on
const size_t n_api_routes = ARRAY_LEN(api_routes);

/* One segment of the path against one of the pattern, both without '/'. */
static bool match_segment(const char *pattern, size_t pattern_len, struct http_view segment,
			  char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE], size_t *n_params, bool *ret_bad,
			  struct err *err)
{
	if (pattern[0] != '{')
		return segment.len == pattern_len && memcmp(segment.bytes, pattern, pattern_len) == 0;
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
			       char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE], enum err_code *ret_code,
			       struct err *err)
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
