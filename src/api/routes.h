/* The table of routes: the one place that says what the API has. docs/openapi.yaml is held to it by a test. */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "api/authorize.h"
#include "base/record.h"
#include "net/http_server.h"

#define ROUTE_PARAMS_MAX 2
#define ROUTE_PARAM_SIZE 256

struct api_server;
struct api_request;
struct trust_work;

enum route_class {
	ROUTE_READ,   /* answered from the world at once */
	ROUTE_MUTATE, /* answered when its commit is durable */
	ROUTE_ISSUE, /* as ROUTE_MUTATE; takes no Idempotency-Key, for the answer holds what is not kept */
	ROUTE_STREAM, /* goes on until one side ends it */
	ROUTE_WORKER, /* a worker's WebSocket */
};

struct route {
	const char *method;
	const char *pattern; /* "/v1/jobs/{id}/scale" */
	enum route_class class;
	enum access_scope scope; /* who may use it: access/access.h */
	int64_t body_bytes_max;
	void (*handle)(struct api_request *request);
	const char *summary;		       /* one line, for docs/openapi.yaml */
	const struct record_type *body_type;   /* NULL: no body */
	const struct record_type *answer_type; /* NULL: not a record */
	const char *query; /* names of query parameters, separated by blanks; NULL: none */
};

extern const struct route api_routes[];
extern const size_t n_api_routes;

/* What a handler works on: freed when its exchange is closed and its answer, if any is due, has come. */
struct api_request {
	struct api_server *server;
	struct http_exchange *exchange; /* NULL once the client has left */
	const struct route *route;
	char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE]; /* decoded, in the pattern's order */
	uint64_t handle;				 /* of a mutation under way; 0: none */
	struct api_follower *follower;			 /* of /v1/events */
	struct api_stream *stream;			 /* of logs */
	struct caller caller;				 /* who asks */
	struct trust_work *work;			 /* of a token or join under way */
};

/* The route for a method and path; fills params. NULL: *ret_code is ERR_NOT_FOUND or ERR_METHOD. */
const struct route *route_find(const char *method, struct http_view path,
			       char params[ROUTE_PARAMS_MAX][ROUTE_PARAM_SIZE],
			       enum err_code *ret_code, struct err *err);

/* Are the query's parameters the route's, each once and well encoded? ERR_INVALID names the one that is not: a filter
 * with a typing mistake must not list everything. */
enum err_code route_check_query(const struct route *route, struct http_view query,
				struct err *err) WARN_UNUSED;

#endif
