/* The stream of lines in which Docker tells how a pull goes: how far it is, and how it failed (the answer's status is
 * 200 long before that is known). No I/O. */
#ifndef RUNTIME_DOCKER_PULL_PROGRESS_H
#define RUNTIME_DOCKER_PULL_PROGRESS_H

#include "base/text.h"

#define DOCKER_LAYERS_MAX 256

struct docker_layer {
	char id[16];
	bool done;
	int64_t current_bytes;
	int64_t total_bytes;
};

struct docker_pull_progress {
	struct text line;
	struct docker_layer layers[DOCKER_LAYERS_MAX];
	size_t n_layers;
	char *error; /* the registry's or Docker's words; NULL: none yet; owned */
};

void docker_pull_progress_init(struct docker_pull_progress *progress);
void docker_pull_progress_release(struct docker_pull_progress *progress);
void docker_pull_progress_feed(struct docker_pull_progress *progress, const void *bytes,
			       size_t len);
/* "3 of 5 layers, 12 MB of 40 MB"; "" before anything is known. */
void docker_pull_progress_text(const struct docker_pull_progress *progress, struct text *out);

#endif
