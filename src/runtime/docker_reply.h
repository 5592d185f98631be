/* Docker's answers, read tolerantly: Docker is a peer whose newer versions add keys and values. Nothing here does I/O;
 * bytes in, structs out. Depth and size are bounded before the JSON library sees a byte. */
#ifndef RUNTIME_DOCKER_REPLY_H
#define RUNTIME_DOCKER_REPLY_H

#include <jansson.h>

#include "task/container.h"

/* The document, or NULL with err set: ERR_TOO_LARGE, ERR_PROTOCOL. The caller gives it back with json_decref(). */
json_t *docker_json_parse(const char *bytes, size_t len, struct err *err);

/* A member as text, borrowed; NULL when absent or of another type. `json` may be NULL. */
const char *docker_json_text(const json_t *json, const char *key);
/* A member as a number; `otherwise` when absent or not one. */
int64_t docker_json_int(const json_t *json, const char *key, int64_t otherwise);
bool docker_json_bool(const json_t *json, const char *key);

/* "2026-11-23T12:12:42.019206883Z" in Unix milliseconds; 0 for year 1 (Docker's "never") and for anything else. */
int64_t docker_time_wall_ms(const char *text);

/* The words of an error answer, {"message": "..."}, else the start of the body itself. Caller frees. */
char *docker_reply_message(const char *bytes, size_t len);

/* GET /containers/NAME/json; the address is that in `network`, NULL: none. On failure `seen` is untouched. */
enum err_code docker_reply_inspect(const char *bytes, size_t len, const char *network,
				   struct container_seen *ret_seen, struct err *err) WARN_UNUSED;

/* Docker's word for a state; anything else, also NULL: CONTAINER_EXITED. */
int docker_reply_state(const char *text);

/* GET /networks: their names. */
enum err_code docker_reply_networks(const char *bytes, size_t len, struct strings *ret_names,
				    struct err *err) WARN_UNUSED;

/* A volume to mount again: where, and its name. Of GET /containers/NAME/json: those without a name of their own. */
enum err_code docker_reply_anonymous(const char *bytes, size_t len, struct pairs *ret_volumes,
				     struct err *err) WARN_UNUSED;

/* GET /version. `*ret_minor` is the highest minor of API 1.x the daemon speaks. */
enum err_code docker_reply_version(const char *bytes, size_t len, char *version,
				   size_t version_size, int64_t *ret_minor,
				   struct err *err) WARN_UNUSED;

/* What an error answer means for `verb`: status and Docker's words to enum container_fault. Never FAULT_NONE, except
 * where the verb's aim is already reached (absent to REMOVE, not running to KILL, ...). */
int docker_reply_fault(int verb, int status, const char *message);

/* One line of the events stream: the container's name, borrowed from `*ret_json` (which the caller gives back), or NULL
 * when the event is not about one. */
const char *docker_reply_event(const char *bytes, size_t len, json_t **ret_json);

#endif
