/* Readers of the logs of the fake world's containers. */
#ifndef RUNTIME_FAKE_LOGS_H
#define RUNTIME_FAKE_LOGS_H

#include "runtime/fake_world.h"
#include "runtime/runtime.h"

struct fake_logs_list {
	struct fake_world *world;
	struct runtime_logs *first;
};

/* `turn` is activated when the reader may go on. */
struct runtime_logs *fake_logs_open(struct fake_logs_list *list, struct event *turn,
				    const char *container_name,
				    const struct runtime_logs_options *options,
				    const struct runtime_logs_events *events, void *reader);
void fake_logs_pause(struct runtime_logs *logs, bool pause);
void fake_logs_close(struct runtime_logs *logs);
void fake_logs_close_all(struct fake_logs_list *list);

/* Hand every reader what it has not seen yet. Called from the loop. */
void fake_logs_turn(struct fake_logs_list *list);

/* An entry's time as Docker writes it before a line: "2026-11-23T12:12:42.019000000Z ". */
void fake_logs_stamp(int64_t wall_ms, struct text *out);
/* The first entry a reader with these options sees. */
size_t fake_logs_first(const struct fake_container *container, int64_t tail, int64_t since_wall_ms);

#endif
