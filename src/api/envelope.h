/* What travels in the WebSocket messages between manager and worker: one JSON object with one member that names its
 * kind, {"sync": {...}} or {"stream": {...}}. Log bytes travel as binary messages whose first byte is the stream
 * (1: standard output, 2: standard error). */
#ifndef API_ENVELOPE_H
#define API_ENVELOPE_H

#include "api/json.h"
#include "net/websocket.h"

/* Close codes of a log stream, beside RFC 6455's own. */
#define STREAM_CLOSE_DONE   1000
#define STREAM_CLOSE_FAILED 4000

/* In the client's multiplexed stream: not output but the reason why it breaks off here. */
#define STREAM_BROKEN 3

/* Send {"KIND": RECORD}. */
void envelope_send(struct websocket *websocket, const char *kind, const struct record_type *type,
		   const void *record);

/* Read {"KIND": RECORD} of this kind, as our own side sends it. False: it is another, or something is wrong with it;
 * envelope_open() tells. */
bool envelope_read(const void *bytes, size_t len, const char *kind, const struct record_type *type,
		   void *record) WARN_UNUSED;

/* Open an envelope. The value is borrowed from *ret_root, which the caller json_decref()s. */
enum err_code envelope_open(const void *bytes, size_t len, const char **ret_kind,
			    json_t **ret_value, json_t **ret_root, struct err *err) WARN_UNUSED;

#endif
