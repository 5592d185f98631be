/* Log streams on the worker's side: the manager asks, the worker dials back with a WebSocket and copies the container's
 * log into it, as fast as the other side reads. */
#ifndef WORKER_LOG_STREAMS_H
#define WORKER_LOG_STREAMS_H

#include "net/endpoint.h"
#include "node/sync.h"
#include "runtime/runtime.h"

struct log_streams;

/* Borrows everything. */
struct log_streams *log_streams_new(struct event_base *base, const struct runtime_ops *ops,
				    struct runtime *runtime, const struct endpoint *manager);
void log_streams_free(struct log_streams *streams);

/* Dial back for `request`. container "": there is none; the stream ends with that reason. `terminal`: it has one. */
void log_streams_open(struct log_streams *streams, const struct stream_request *request,
		      const char *container, bool terminal);

#endif
