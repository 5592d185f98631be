/* A sample not read for FORGET_MS belongs to a container that is gone. */
#include "runtime/docker_usage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#define ID_LEN	  64
#define FORGET_MS (5 * 60 * 1000)
/* A rate over less than this is noise: the reading before is told again. */
#define INTERVAL_MIN_MS 200

struct docker_usage_sample {
	char id[ID_LEN + 1];
	int64_t at_ms;
	int64_t cpu_ns;
	int64_t cpu_milli; /* -1: not known yet */
};

void docker_usage_init(struct docker_usage *usage, const char *root)
{
	*usage = (struct docker_usage){ .root = base_strdup(root) };
}

void docker_usage_release(struct docker_usage *usage)
{
	base_free(usage->root);
	base_free(usage->samples);
	*usage = (struct docker_usage){ 0 };
}

/* Where a container's group lies below the root of one hierarchy, by cgroup driver. */
static const char *const group_forms[] = {
	"docker/%s",
	"system.slice/docker-%s.scope",
};

/* Read ROOT/HIERARCHY/GROUP/FILE; hierarchy "" for version 2. */
static bool read_file(const struct docker_usage *usage, const char *hierarchy, const char *id,
		      const char *file, char *out, size_t size)
{
	for (size_t i = 0; i < ARRAY_LEN(group_forms); i++) {
		char group[160], path[1024];
		text_print(group, sizeof(group), group_forms[i], id);
		text_print(path, sizeof(path), "%s/%s%s/%s", usage->root, hierarchy, group, file);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		ssize_t n = read(fd, out, size - 1);
		close(fd);
		if (n < 0)
			return false;
		out[n] = '\0';
		return true;
	}
	return false;
}

/* The number behind `key ` at the start of a line; -1 when there is none. */
static int64_t value_of(const char *text, const char *key)
{
	size_t len = strlen(key);
	while (text && *text) {
		if (strncmp(text, key, len) == 0 && text[len] == ' ')
			return strtoll(text + len + 1, NULL, 10);
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return -1;
}

/* What Docker's own statistics show: the page cache that can be dropped is not use. */
static int64_t memory_less_cache(int64_t used_bytes, int64_t inactive_bytes)
{
	return inactive_bytes > 0 && inactive_bytes < used_bytes ? used_bytes - inactive_bytes
								 : used_bytes;
}

static bool read_v1(const struct docker_usage *usage, const char *id, int64_t *ret_cpu_ns,
		    int64_t *ret_memory_bytes)
{
	char text[8192];
	if (!read_file(usage, "cpuacct/", id, "cpuacct.usage", text, sizeof(text)) &&
	    !read_file(usage, "cpu,cpuacct/", id, "cpuacct.usage", text, sizeof(text)))
		return false;
	*ret_cpu_ns = strtoll(text, NULL, 10);
	if (!read_file(usage, "memory/", id, "memory.usage_in_bytes", text, sizeof(text)))
		return false;
	int64_t used_bytes = strtoll(text, NULL, 10);
	int64_t inactive_bytes = 0;
	if (read_file(usage, "memory/", id, "memory.stat", text, sizeof(text)))
		inactive_bytes = value_of(text, "total_inactive_file");
	*ret_memory_bytes = memory_less_cache(used_bytes, inactive_bytes);
	return true;
}

static bool read_v2(const struct docker_usage *usage, const char *id, int64_t *ret_cpu_ns,
		    int64_t *ret_memory_bytes)
{
	char text[8192];
	if (!read_file(usage, "", id, "cpu.stat", text, sizeof(text)))
		return false;
	int64_t cpu_us = value_of(text, "usage_usec");
	if (cpu_us < 0 || !read_file(usage, "", id, "memory.current", text, sizeof(text)))
		return false;
	int64_t used_bytes = strtoll(text, NULL, 10);
	int64_t inactive_bytes = 0;
	if (read_file(usage, "", id, "memory.stat", text, sizeof(text)))
		inactive_bytes = value_of(text, "inactive_file");
	*ret_cpu_ns = cpu_us * 1000;
	*ret_memory_bytes = memory_less_cache(used_bytes, inactive_bytes);
	return true;
}

/* The container's sample, made new (and others forgotten) when there is none. */
static struct docker_usage_sample *sample_of(struct docker_usage *usage, const char *id,
					     int64_t now_ms)
{
	size_t kept = 0;
	struct docker_usage_sample *found = NULL;
	for (size_t i = 0; i < usage->n; i++) {
		struct docker_usage_sample *sample = &usage->samples[i];
		bool mine = strcmp(sample->id, id) == 0;
		if (!mine && now_ms - sample->at_ms > FORGET_MS)
			continue;
		usage->samples[kept] = *sample;
		if (mine)
			found = &usage->samples[kept];
		kept++;
	}
	usage->n = kept;
	if (found)
		return found;
	usage->samples =
		base_grow(usage->samples, usage->n, &usage->capacity, sizeof(*usage->samples));
	found = &usage->samples[usage->n++];
	*found = (struct docker_usage_sample){ .cpu_milli = -1, .at_ms = -1 };
	text_print(found->id, sizeof(found->id), "%s", id);
	return found;
}

bool docker_usage_read(struct docker_usage *usage, const char *container_id, int64_t now_ms,
		       struct runtime_usage *ret_usage)
{
	int64_t cpu_ns, memory_bytes;
	if (!container_id || strlen(container_id) != ID_LEN ||
	    strspn(container_id, "0123456789abcdef") != ID_LEN)
		return false;
	if (!read_v2(usage, container_id, &cpu_ns, &memory_bytes) &&
	    !read_v1(usage, container_id, &cpu_ns, &memory_bytes))
		return false;
	struct docker_usage_sample *sample = sample_of(usage, container_id, now_ms);
	int64_t passed_ms = now_ms - sample->at_ms;
	if (sample->at_ms < 0 || cpu_ns < sample->cpu_ns) {
		sample->at_ms = now_ms;
		sample->cpu_ns = cpu_ns;
		sample->cpu_milli = -1;
	} else if (passed_ms >= INTERVAL_MIN_MS) {
		sample->cpu_milli = (cpu_ns - sample->cpu_ns) / (passed_ms * 1000);
		sample->at_ms = now_ms;
		sample->cpu_ns = cpu_ns;
	}
	if (sample->cpu_milli < 0)
		return false;
	*ret_usage = (struct runtime_usage){ .cpu_milli = sample->cpu_milli,
					     .memory_bytes = memory_bytes };
	return true;
}
