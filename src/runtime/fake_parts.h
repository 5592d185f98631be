/* Between the files of the fake world. */
#ifndef RUNTIME_FAKE_PARTS_H
#define RUNTIME_FAKE_PARTS_H

#include "runtime/fake_world.h"

/* fake_world.c */
void fake_world_answer(struct fake_answer *answer, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An answer without words. */
void fake_world_settle(struct fake_answer *answer, int status);

/* fake_container.c: a container's life. */
/* Run its program; false: there is no such command, `*ret_why` in runc's words. */
bool fake_container_run(struct fake_container *container, const char **ret_why);
void fake_container_signal(struct fake_container *container, int signal);
/* It ends now. */
void fake_container_end(struct fake_container *container, int64_t exit_code, bool out_of_memory);
/* Drop program and timers, telling nobody. */
void fake_container_halt(struct fake_container *container);
/* "SIGTERM", "TERM" or "15"; -1: no signal. */
int fake_signal_number(const char *signal);

#endif
