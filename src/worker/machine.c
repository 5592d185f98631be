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
	size_t n = 0;
	int64_t total = 0;
	for (char *end; n < ARRAY_LEN(ticks); n++, at = end) {
		ticks[n] = strtoll(at, &end, 10);
		if (end == at)
			break;
		total += ticks[n];
	}
	if (n < 4 || total <= 0)
		return false;
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

static int64_t smooth(int64_t before, int64_t now, bool has_before)
{
	if (!has_before)
		return now;
	return (before * (100 - SMOOTHING_PERCENT) + now * SMOOTHING_PERCENT) / 100;
}

/* False: nothing can be said before the second reading. */
static bool cpu_used_milli(struct machine_meter *meter, int64_t *ret_used_milli)
{
	char text[4096];
	int64_t busy, total;
	read_file("/proc/stat", text, sizeof(text));
	if (!machine_parse_cpu(text, &busy, &total))
		return false;
	int64_t passed = total - meter->cpu_total_ticks;
	int64_t used = busy - meter->cpu_busy_ticks;
	bool has_before = meter->cpu_total_ticks != 0;
	meter->cpu_busy_ticks = busy;
	meter->cpu_total_ticks = total;
	/* The kernel's counters of waiting may go back a little. */
	if (!has_before || passed <= 0)
		return false;
	*ret_used_milli = used > 0 ? used * 1000 * sysconf(_SC_NPROCESSORS_ONLN) / passed : 0;
	return true;
}

static bool memory_used_bytes(int64_t *ret_used_bytes)
{
	char text[8192];
	read_file("/proc/meminfo", text, sizeof(text));
	int64_t total = machine_parse_memory(text, "MemTotal");
	int64_t available = machine_parse_memory(text, "MemAvailable");
	if (total < 0 || available < 0 || available > total)
		return false;
	*ret_used_bytes = total - available;
	return true;
}

void machine_measure(struct machine_meter *meter, const char *disk_path,
		     struct node_stats *ret_stats)
{
	struct node_stats *smoothed = &meter->smoothed;
	char text[128];
	int64_t now, disk_total;
	if (cpu_used_milli(meter, &now)) {
		smoothed->cpu_used_milli = smooth(smoothed->cpu_used_milli, now, meter->has_cpu);
		meter->has_cpu = true;
	}
	if (memory_used_bytes(&now)) {
		smoothed->memory_used_bytes =
			smooth(smoothed->memory_used_bytes, now, meter->has_memory);
		meter->has_memory = true;
	}
	disk_sizes(disk_path, &disk_total, &smoothed->disk_used_bytes);
	read_file("/proc/loadavg", text, sizeof(text));
	smoothed->load_milli = (int64_t)(strtod(text, NULL) * 1000);
	*ret_stats = *smoothed;
}
