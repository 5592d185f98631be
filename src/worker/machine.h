/* The machine under the worker, from /proc and statvfs(3): what it has and what is used. */
#ifndef WORKER_MACHINE_H
#define WORKER_MACHINE_H

#include "node/node.h"

/* The kernel's boot id, or "" when it cannot be read. */
void machine_boot_id(char out[64]);

/* Fill the machine's part of the facts (all-zero before): hostname, platform, capacity. `disk_path` is where containers
 * live. The runtime's part is the caller's. */
void machine_facts(struct node_facts *facts, const char *disk_path);

/* Use is smoothed over readings: give the same struct each time. All-zero is a valid start. */
struct machine_meter {
	int64_t cpu_busy_ticks;
	int64_t cpu_total_ticks; /* 0: no reading yet */
	bool has_cpu;		 /* `smoothed` holds processor time of two readings at least */
	bool has_memory;
	struct node_stats smoothed;
};
void machine_measure(struct machine_meter *meter, const char *disk_path,
		     struct node_stats *ret_stats);

/* From the text of /proc/stat's first line: ticks spent busy and in all. False when it is not that, or shows no time at
 * all. Old kernels have fewer columns. */
bool machine_parse_cpu(const char *text, int64_t *ret_busy_ticks, int64_t *ret_total_ticks);
/* From the text of /proc/meminfo: the bytes of a line such as "MemTotal". -1 when it is not there. */
int64_t machine_parse_memory(const char *text, const char *name);

#endif
