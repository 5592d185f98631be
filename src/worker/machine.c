#include "worker/machine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"

/* A reading counts for this share of the smoothed value, in percent. */
#define SMOOTHING_PERCENT 40

/* The start of a file in /proc; "" when it cannot be read. */
static void read_file(const char *path, char *out, size_t size)
{
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && len < size - 1) {
		ssize_t n = read(fd, out + len, size - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	out[len] = '\0';
}

void machine_boot_id(char out[64])
{
	read_file("/proc/sys/kernel/random/boot_id", out, 64);
	out[strcspn(out, "\n")] = '\0';
}

bool machine_parse_cpu(const char *text, int64_t *ret_busy_ticks, int64_t *ret_total_ticks)
{
	/* user nice system idle iowait irq softirq steal; guest time is inside user already. */
	int64_t ticks[8] = { 0 };
	if (strncmp(text, "cpu ", 4) != 0)
		return false;
	char *at = (char *)(uintptr_t)(text + 4);
	for (size_t i = 0; i < ARRAY_LEN(ticks); i++) {
		char *end;
		ticks[i] = strtoll(at, &end, 10);
		if (end == at)
			return i > 3;
		at = end;
	}
	int64_t total = 0;
	for (size_t i = 0; i < ARRAY_LEN(ticks); i++)
		total += ticks[i];
	*ret_total_ticks = total;
	*ret_busy_ticks = total - ticks[3] - ticks[4];
	return true;
}

int64_t machine_parse_memory(const char *text, const char *name)
{
	size_t len = strlen(name);
	for (const char *line = text; line && *line;) {
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return strtoll(line + len + 1, NULL, 10) * 1024;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return -1;
}

static void disk_sizes(const char *path, int64_t *ret_total_bytes, int64_t *ret_used_bytes)
{
	struct statvfs disk;
	*ret_total_bytes = 0;
	*ret_used_bytes = 0;
	if (statvfs(path, &disk) != 0)
		return;
	/* What root alone may use is not capacity for tasks. */
	int64_t available = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
	*ret_used_bytes = (int64_t)(disk.f_blocks - disk.f_bfree) * (int64_t)disk.f_frsize;
	*ret_total_bytes = *ret_used_bytes + available;
}

void machine_facts(struct node_facts *facts, const char *disk_path)
{
	struct utsname system;
	char memory[8192];
	char boot_id[64];
	int64_t disk_used;
	uname(&system);
	facts->hostname = base_strdup(system.nodename);
	facts->platform_os = base_strdup("linux");
	facts->platform_arch = base_strdup(system.machine);
	machine_boot_id(boot_id);
	facts->boot_id = base_strdup(boot_id);
	read_file("/proc/meminfo", memory, sizeof(memory));
	int64_t total = machine_parse_memory(memory, "MemTotal");
	facts->capacity.cpu_milli = sysconf(_SC_NPROCESSORS_ONLN) * 1000;
	facts->capacity.memory_bytes = total > 0 ? total : 0;
	disk_sizes(disk_path, &facts->capacity.disk_bytes, &disk_used);
}

static int64_t smooth(int64_t before, int64_t now, bool has_previous)
{
	if (!has_previous)
		return now;
	return (before * (100 - SMOOTHING_PERCENT) + now * SMOOTHING_PERCENT) / 100;
}

static int64_t cpu_used_milli(struct machine_meter *meter)
{
	char text[4096];
	int64_t busy = 0;
	int64_t total = 0;
	int64_t used_milli = 0;
	read_file("/proc/stat", text, sizeof(text));
	if (!machine_parse_cpu(text, &busy, &total))
		return 0;
	int64_t passed = total - meter->cpu_total_ticks;
	if (meter->cpu_total_ticks && passed > 0)
		used_milli = (busy - meter->cpu_busy_ticks) * 1000 * sysconf(_SC_NPROCESSORS_ONLN) /
			     passed;
	meter->cpu_busy_ticks = busy;
	meter->cpu_total_ticks = total;
	return used_milli > 0 ? used_milli : 0;
}

void machine_measure(struct machine_meter *meter, const char *disk_path,
		     struct node_stats *ret_stats)
{
	struct node_stats *smoothed = &meter->smoothed;
	char text[8192];
	int64_t disk_total;
	bool had_cpu = meter->cpu_total_ticks != 0;
	int64_t cpu = cpu_used_milli(meter);
	smoothed->cpu_used_milli =
		smooth(smoothed->cpu_used_milli, cpu, meter->has_previous && had_cpu);
	read_file("/proc/meminfo", text, sizeof(text));
	int64_t used =
		machine_parse_memory(text, "MemTotal") - machine_parse_memory(text, "MemAvailable");
	smoothed->memory_used_bytes =
		smooth(smoothed->memory_used_bytes, used, meter->has_previous);
	disk_sizes(disk_path, &disk_total, &smoothed->disk_used_bytes);
	read_file("/proc/loadavg", text, sizeof(text));
	smoothed->load_milli = (int64_t)(strtod(text, NULL) * 1000);
	meter->has_previous = true;
	*ret_stats = *smoothed;
}
