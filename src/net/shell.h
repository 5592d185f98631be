/* What every shell around a core needs: clocks, random seeds, timers at absolute times, and the log. */
#ifndef NET_SHELL_H
#define NET_SHELL_H

#include <stdint.h>

#include <event2/event.h>

#include "base/notes.h"

/* CLOCK_BOOTTIME and CLOCK_REALTIME in milliseconds. */
int64_t shell_now_ms(void);
int64_t shell_wall_ms(void);

/* 64 fresh random bits. */
uint64_t shell_seed(void);

/* Arm `timer` for `deadline_ms` on CLOCK_BOOTTIME; INT64_MAX disarms it. The loop's own clock stands still while the
 * machine sleeps, so the timer also fires SHELL_SLEEP_MAX_MS from now: what it calls looks at the clock and arms it
 * again. */
#define SHELL_SLEEP_MAX_MS 10000
void shell_arm(struct event *timer, int64_t deadline_ms);

/* Give back to the kernel what has been free for long. To be called after each turn: it is done at times. */
void shell_tidy_memory(void);

/* One line to standard error: "2026-11-23T12:00:00.123Z PART: text". */
void shell_log(const char *part, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Every note as a line. */
void shell_log_notes(const char *part, const struct notes *notes);

/* Print the failed assertion when one aborts the program. */
void shell_install_crash_handler(void);

#endif
