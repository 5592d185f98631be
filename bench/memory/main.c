/* usage: memory [TASKS]      (100000; the worker has at most WORKER_TASKS of them) */
#include <malloc.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/parse.h"
#include "memory.h"

#define HEADER_BYTES sizeof(size_t)
#define WORKER_TASKS 10000

size_t given_out(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

size_t size_of(const void *memory)
{
	/* A const pointer is all that is left of it. */
	union {
		const void *borrowed;
		void *memory;
	} block = { memory };
	return memory ? malloc_usable_size(block.memory) + HEADER_BYTES : 0;
}

void tell_parts(const char *core, int64_t n_tasks, size_t whole, const struct part *parts,
		size_t n_parts)
{
	double n = (double)n_tasks;
	size_t rest = whole;
	printf("| bytes a task | of the %s's core, %lld tasks |\n|---|---|\n| %.1f | in all |\n",
	       core, (long long)n_tasks, (double)whole / n);
	for (size_t i = 0; i < n_parts; i++) {
		printf("| %.1f | %s |\n", (double)parts[i].bytes / n, parts[i].name);
		rest -= parts[i].bytes;
	}
	printf("| %.1f | the rest |\n", (double)rest / n);
}

int main(int argc, char **argv)
{
	int64_t n_tasks = 100000;
	struct err err;
	if (argc > 2 || (argc > 1 && parse_int(argv[1], 1, LIMIT_TASKS, &n_tasks, &err))) {
		fprintf(stderr, "usage: memory [TASKS]\n");
		return 2;
	}
	bool manager_ran = measure_manager(n_tasks);
	printf("\n");
	bool worker_ran = measure_worker(n_tasks < WORKER_TASKS ? n_tasks : WORKER_TASKS);
	return manager_ran && worker_ran ? 0 : 1;
}
