/* The lines of a pull: however they are split, the same is understood, and it is bounded. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "runtime/docker_pull_progress.h"

#include "fuzz.h"

static void describe(struct docker_pull_progress *progress, struct text *out)
{
	docker_pull_progress_text(progress, out);
	text_addf(out, "|%s", progress->error);
	INVARIANT(progress->n_layers <= DOCKER_LAYERS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct docker_pull_progress *whole = base_calloc(1, sizeof(*whole));
	struct docker_pull_progress *split = base_calloc(1, sizeof(*split));
	struct text a, b;
	text_init(&a, 1024 * 1024);
	text_init(&b, 1024 * 1024);
	docker_pull_progress_init(whole);
	docker_pull_progress_init(split);
	docker_pull_progress_feed(whole, bytes, len);
	for (size_t at = 0, step; at < len; at += step) {
		step = 1 + bytes[at] % 7;
		step = step < len - at ? step : len - at;
		docker_pull_progress_feed(split, bytes + at, step);
	}
	describe(whole, &a);
	describe(split, &b);
	INVARIANT(strcmp(text_string(&a), text_string(&b)) == 0);
	docker_pull_progress_release(whole);
	docker_pull_progress_release(split);
	base_free(whole);
	base_free(split);
	text_release(&a);
	text_release(&b);
	return 0;
}
