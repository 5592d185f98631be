/* GET /containers/json, read as it comes: of thousands of containers nothing is kept but what a list is taken for. No
 * I/O.
 *
 * Of each: id, the plain name, state, our labels; health and exit code only as far as Docker's status line tells (exit
 * code -1: unknown; no times). Containers that have no name of ours are left out. Keys that are not known are passed
 * over: newer versions of Docker add some. */
#ifndef RUNTIME_DOCKER_LIST_H
#define RUNTIME_DOCKER_LIST_H

#include "base/text.h"
#include "task/container.h"

struct docker_list {
	struct text
		rest; /* what has come and is not read yet; of an answer that is no list, its beginning */
	size_t tried;  /* so much of it was too little for the next step */
	size_t n_read; /* containers, also those that are left out */
	size_t n_max;
	int stage;
	struct err err;
	struct container_seen *items;
	size_t n;
	size_t capacity;
};

void docker_list_init(struct docker_list *list);
void docker_list_release(struct docker_list *list);
/* The next bytes of the answer, however they are cut. A mistake is kept for docker_list_end(); of what comes after it
 * only LIMIT_DOCKER_MESSAGE_BYTES stay. */
void docker_list_feed(struct docker_list *list, const void *bytes, size_t len);
/* The answer is whole. Gives the items. ERR_PROTOCOL: it is no list, or not whole; ERR_TOO_LARGE: more
 * than LIMIT_DOCKER_LISTED, or one container above LIMIT_DOCKER_BODY_BYTES; nothing is given then. */
enum err_code docker_list_end(struct docker_list *list, struct container_seen **ret_items,
			      size_t *ret_n, struct err *err) WARN_UNUSED;

#endif
