/* What a running task takes of the two cores, in bytes, and where they lie: each core alone, without loop, sockets and
 * store, with others that answer at once. The whole is what malloc has given out (mallinfo2), headers included; the
 * rest is what no other row names. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct part {
	const char *name;
	size_t bytes;
};

size_t given_out(void);
/* Of this block, header included; 0: NULL. */
size_t size_of(const void *memory);
void tell_parts(const char *core, int64_t n_tasks, size_t whole, const struct part *parts,
		size_t n_parts);

/* Run so many tasks and print the table. False: they do not run. */
bool measure_manager(int64_t n_tasks);
bool measure_worker(int64_t n_tasks);

#endif
