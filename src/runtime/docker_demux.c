/* left_bytes > 0: inside a payload; else head_len of the 8 bytes of the next head are here. */
#include "runtime/docker_demux.h"

#include <string.h>

static enum err_code read_head(struct docker_demux *demux, struct err *err)
{
	const unsigned char *head = demux->head;
	if (head[0] > 3 || head[1] || head[2] || head[3])
		return err_set(err, ERR_PROTOCOL,
			       "the log stream is not in Docker's frames (%02x %02x %02x %02x)",
			       head[0], head[1], head[2], head[3]);
	uint32_t size = (uint32_t)head[4] << 24 | (uint32_t)head[5] << 16 | (uint32_t)head[6] << 8 |
			(uint32_t)head[7];
	if (size > DOCKER_FRAME_BYTES_MAX)
		return err_set(err, ERR_PROTOCOL, "a frame of the log stream claims %u bytes",
			       size);
	demux->stream = head[0] == 0 ? 1 : head[0];
	demux->left_bytes = size;
	demux->head_len = 0;
	return ERR_NONE;
}

enum err_code docker_demux_feed(struct docker_demux *demux, const void *bytes, size_t len,
				void (*sink)(void *owner, int stream, const void *bytes,
					     size_t len),
				void *owner, struct err *err)
{
	const unsigned char *at = bytes;
	while (len > 0) {
		size_t take;
		if (demux->left_bytes > 0) {
			take = len < demux->left_bytes ? len : demux->left_bytes;
			demux->left_bytes -= (uint32_t)take;
			sink(owner, demux->stream, at, take);
		} else {
			take = sizeof(demux->head) - demux->head_len;
			take = len < take ? len : take;
			memcpy(demux->head + demux->head_len, at, take);
			demux->head_len += take;
			if (demux->head_len == sizeof(demux->head)) {
				enum err_code code = read_head(demux, err);
				if (code)
					return code;
			}
		}
		at += take;
		len -= take;
	}
	return ERR_NONE;
}

enum err_code docker_demux_end(const struct docker_demux *demux, struct err *err)
{
	if (demux->left_bytes > 0 || demux->head_len > 0)
		return err_set(err, ERR_PROTOCOL, "the log stream ended inside a frame");
	return ERR_NONE;
}
