/* The frames in which Docker sends a container's two output streams over one connection: 8 bytes of head (stream, three
 * zeroes, length big-endian), then the payload. Splits may fall anywhere; payload is handed on as it comes. */
#ifndef RUNTIME_DOCKER_DEMUX_H
#define RUNTIME_DOCKER_DEMUX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DOCKER_FRAME_BYTES_MAX (64u * 1024 * 1024)

/* All-zero is its start. */
struct docker_demux {
	unsigned char head[8];
	size_t head_len;
	uint32_t left_bytes; /* of the present frame's payload */
	int stream;
};

/* Hand on the payload in `bytes`; `sink` hears stream 1 (also 0, standard input's echo), 2, or 3 (Docker's own error
 * text). ERR_PROTOCOL for anything that is no frame; after that the stream is of no use. */
enum err_code docker_demux_feed(struct docker_demux *demux, const void *bytes, size_t len,
				void (*sink)(void *owner, int stream, const void *bytes,
					     size_t len),
				void *owner, struct err *err) WARN_UNUSED;

/* Did the stream end between frames? ERR_PROTOCOL when it ended inside one. */
enum err_code docker_demux_end(const struct docker_demux *demux, struct err *err) WARN_UNUSED;

#endif
