/* Docker's log frames: however they are split, the same payload comes out, or the same refusal. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/text.h"
#include "runtime/docker_demux.h"

#include "fuzz.h"

static void sink(void *owner, int stream, const void *bytes, size_t len)
{
	struct text *out = owner;
	INVARIANT(stream >= 1 && stream <= 3);
	for (size_t i = 0; i < len; i++) {
		text_add_char(out, (char)('0' + stream));
		text_add_bytes(out, (const char *)bytes + i, 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct docker_demux whole = { 0 }, split = { 0 };
	struct text a, b;
	text_init(&a, 64 * 1024 * 1024);
	text_init(&b, 64 * 1024 * 1024);
	enum err_code first = docker_demux_feed(&whole, bytes, len, sink, &a, NULL);
	enum err_code second = ERR_NONE;
	for (size_t at = 0, step; at < len && !second; at += step) {
		step = 1 + bytes[at] % 11;
		step = step < len - at ? step : len - at;
		second = docker_demux_feed(&split, bytes + at, step, sink, &b, NULL);
	}
	INVARIANT(first == second);
	INVARIANT(a.len == b.len && memcmp(text_string(&a), text_string(&b), a.len) == 0);
	if (!first)
		INVARIANT(docker_demux_end(&whole, NULL) == docker_demux_end(&split, NULL));
	text_release(&a);
	text_release(&b);
	return 0;
}
