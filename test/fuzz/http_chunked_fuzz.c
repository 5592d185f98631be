/* The chunked coding: what is read must not depend on how the bytes were cut. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/text.h"
#include "fuzz.h"
#include "net/http.h"

struct result {
	struct text body;
	size_t consumed;
	bool done;
	bool refused;
};

static void read_all(struct result *result, const char *bytes, size_t size, size_t piece)
{
	struct http_chunked chunked = { 0 };
	*result = (struct result){ 0 };
	text_init(&result->body, size);
	size_t end = 0;
	while (result->consumed < size && !chunked.done) {
		if (end < size && end == result->consumed)
			end = size - end < piece ? size : end + piece;
		size_t consumed = 0;
		struct http_view body = { NULL, 0 };
		struct err err = { 0 };
		if (http_chunked_read(&chunked, bytes + result->consumed, end - result->consumed,
				      &consumed, &body, &err)) {
			INVARIANT(err.code == ERR_PROTOCOL && err.message[0]);
			result->refused = true;
			return;
		}
		INVARIANT(consumed > 0);
		INVARIANT(result->consumed + consumed <= end);
		text_add_bytes(&result->body, body.bytes, body.len);
		result->consumed += consumed;
	}
	result->done = chunked.done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	_cleanup_free_ char *bytes = base_memdup(data, size);
	struct result whole;
	struct result cut;
	read_all(&whole, bytes, size, size);
	INVARIANT(!whole.body.cut);
	const size_t pieces[] = { 1, 2, 7, (size_t)data[0] + 1 };
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		read_all(&cut, bytes, size, pieces[i]);
		INVARIANT(cut.refused == whole.refused);
		INVARIANT(cut.done == whole.done);
		/* A refused body may have been given in part. */
		if (!whole.refused) {
			INVARIANT(cut.consumed == whole.consumed);
			INVARIANT(cut.body.len == whole.body.len);
			INVARIANT(memcmp(text_string(&cut.body), text_string(&whole.body),
					 whole.body.len) == 0);
		}
		text_release(&cut.body);
	}
	text_release(&whole.body);
	return 0;
}
