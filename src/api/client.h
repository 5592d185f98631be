/* The API from the other side: what the CLI uses. Calls block until the answer is whole; streams run on the client's
 * own event loop. */
#ifndef API_CLIENT_H
#define API_CLIENT_H

#include "api/views.h"
#include "net/http_client.h"

struct api_client;

/* Nothing is dialled yet. The endpoint is copied. */
struct api_client *api_client_new(const struct endpoint *endpoint);
void api_client_free(struct api_client *client);

/* The loop that streams run on. */
struct event_base *api_client_base(struct api_client *client);

struct api_call {
	const char *method;
	const char *target;		     /* percent-encoded */
	const struct record_type *body_type; /* NULL: no body */
	const void *body;
	const struct record_type *answer_type; /* NULL: the answer's body is dropped */
	void *answer;			       /* filled on success; the caller releases it */
	const char *idempotency_key;	       /* NULL: none */
};

/* One call. The error of the API comes back with its own code, field and message; a manager that does not answer is
 * ERR_UNAVAILABLE and the message names the endpoint. */
enum err_code api_client_call(struct api_client *client, const struct api_call *call,
			      struct err *err) WARN_UNUSED;

/* What an answer that is not 2xx says went wrong; ERR_NONE for one that is. */
enum err_code api_client_refusal(int status, struct http_view body, struct err *err) WARN_UNUSED;

/* GET a stream. `bytes` comes piece by piece; `end` once (err NULL: complete), after which the stream is gone. */
struct api_client_stream;
struct api_client_stream_events {
	void (*bytes)(void *owner, const void *bytes, size_t len);
	void (*end)(void *owner, const struct err *err);
};
struct api_client_stream *api_client_stream(struct api_client *client, const char *target,
					    const struct api_client_stream_events *events,
					    void *owner);
/* Drop it without `end`. */
void api_client_stream_close(struct api_client_stream *stream);

/* Run the loop for at most `timeout_ms` (-1: until api_client_stop()). */
void api_client_run(struct api_client *client, int64_t timeout_ms);
void api_client_stop(struct api_client *client);

/* An Idempotency-Key no one else has. */
void api_client_make_key(char out[UUID_TEXT_SIZE]);

#endif
