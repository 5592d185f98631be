/* Between the files of the fake Docker server: server.c moves bytes and injects faults, routes.c knows the API. */
#ifndef FAKEDOCKER_PRIVATE_H
#define FAKEDOCKER_PRIVATE_H

#include <jansson.h>

#include "fakedocker.h"
#include "net/http.h"
#include "runtime/fake_world.h"
#include "runtime/fault_script.h"

#define FAKEDOCKER_BODY_BYTES_MAX LIMIT_DOCKER_BODY_BYTES

struct bufferevent;
struct connection;

struct fakedocker {
	struct event_base *base;
	char *socket_path;
	struct fake_world *world;
	struct fault_script script;
	int api_minor;
	struct connection *connections;
	struct fake_exec *execs;
	struct event *accept;
	int listen_fd;	/* -1: not listening */
	int holder_pid; /* the process that listens in name: which run of the daemon clients see */
	struct event *restart;
	bool frozen;
};

enum stream_kind { STREAM_NONE = 0, STREAM_EVENTS, STREAM_LOGS };

/* What a route makes of a request. */
struct answer {
	int status;
	struct text body;
	const char *content_type;
	/* A stream goes on after this answer's body. */
	int stream;
	char container[65]; /* STREAM_LOGS: its id */
	size_t log_at;
	bool timestamps;
	char label[128]; /* STREAM_EVENTS: "key=value" or "" */
};

struct request {
	char method[16];
	char *path;  /* without the version; decoded */
	char *query; /* as sent */
	const char *body;
	size_t body_len;
};

/* The verb a request stands for (enum container_verb); 0: none. */
int routes_verb(const struct request *request);
/* Carry it out. */
void routes_handle(struct fakedocker *fakedocker, const struct request *request,
		   struct answer *answer);
/* What success would look like, with nothing done. */
void routes_ghost(const struct request *request, struct answer *answer);
/* Fill the answer with {"message": WORDS}. */
void routes_message(struct answer *answer, int status, const char *words);

/* create.c */
/* ERR_PROTOCOL for a body that is none. */
enum err_code create_read(const char *body, size_t len, int api_minor, struct fake_config *config,
			  struct err *err) WARN_UNUSED;
/* GET /containers/NAME/json */
json_t *container_json(const struct fake_container *container);
/* Docker's word for its state. */
const char *state_word(const struct fake_container *container);
json_t *container_summary_json(const struct fake_container *container);
json_t *pairs_json(const struct pairs *pairs);

/* exec.c */
void post_exec(struct fakedocker *fakedocker, const struct request *request, const char *name,
	       struct answer *answer);
void post_exec_start(struct fakedocker *fakedocker, const struct request *request, const char *name,
		     struct answer *answer);
void get_exec(struct fakedocker *fakedocker, const struct request *request, const char *name,
	      struct answer *answer);
void execs_free(struct fakedocker *fakedocker);

/* routes.c: takes `json`. */
void put_json(struct answer *answer, int status, json_t *json);

/* server.c */
/* Append one of Docker's log frames. */
void frame_add(struct text *out, const struct fake_log_entry *entry, bool timestamps);

#endif
