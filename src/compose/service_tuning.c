/* What the kernel gives a container: the keys that Compose has beside deploy.resources. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "compose/keys.h"
#include "compose/service.h"

/* Microseconds, or a duration with a unit. */
enum err_code read_microseconds(const struct at *at, void *int64_us, struct err *err)
{
	int64_t *us = int64_us;
	if (at->node->kind != TREE_SCALAR || at_is_null(at))
		return fail_type(at, "microseconds or a duration like \"50ms\"", err);
	if (at->node->text[strspn(at->node->text, "0123456789")] == '\0')
		return get_integer(at, 0, LIMIT_DURATION_MS, us, err);
	if (parse_duration_us(at->node->text, us, err))
		return at_blame(at, err);
	if (*us > LIMIT_DURATION_MS)
		return at_fail(at, err, ERR_INVALID, "%s is too long", at->node->text);
	return ERR_NONE;
}

enum err_code read_swap(const struct at *at, void *int64_bytes, struct err *err)
{
	if (at->node->kind == TREE_SCALAR && strcmp(at->node->text, "-1") == 0) {
		*(int64_t *)int64_bytes = -1;
		return ERR_NONE;
	}
	return read_size(at, int64_bytes, err);
}

enum err_code read_swappiness(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	service->tuning.has_memory_swappiness = true;
	return get_integer(at, 0, 100, &service->tuning.memory_swappiness, err);
}

enum err_code read_oom_score(const struct at *at, void *int64, struct err *err)
{
	return get_integer(at, -1000, 1000, int64, err);
}

enum err_code read_cgroup(const struct at *at, void *int_pointer, struct err *err)
{
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (!code && (!enum_value(cgroup_namespace_names, word, int_pointer) ||
		      *(int *)int_pointer == CGROUP_DEFAULT))
		code = fail_type(at, "host or private", err);
	return code;
}

enum err_code read_blkio(const struct at *at, void *service, struct err *err)
{
	return keys_read(at, SECTION_BLKIO, service, err);
}

static enum err_code need_both(const struct at *at, const char *second, struct err *err)
{
	if (tree_get(at->node, "path") && tree_get(at->node, second))
		return ERR_NONE;
	return at_fail(at, err, ERR_INVALID, "expected both path and %s", second);
}

static enum err_code read_weight_item(const struct at *at, void *list, struct err *err)
{
	at_origin_item(at, ((const struct list *)list)->n);
	struct device_weight *device = list_add(list, sizeof(*device));
	enum err_code code = keys_read(at, SECTION_BLKIO_WEIGHT, device, err);
	return code ? code : need_both(at, "weight", err);
}

enum err_code read_weights(const struct at *at, void *list, struct err *err)
{
	return read_each_item(at, read_weight_item, list, err);
}

static enum err_code read_rate_item(const struct at *at, void *list, struct err *err)
{
	at_origin_item(at, ((const struct list *)list)->n);
	struct device_rate *device = list_add(list, sizeof(*device));
	enum err_code code = keys_read(at, SECTION_BLKIO_RATE, device, err);
	return code ? code : need_both(at, "rate", err);
}

enum err_code read_rates(const struct at *at, void *list, struct err *err)
{
	return read_each_item(at, read_rate_item, list, err);
}

/* One amount that Compose lets stand at two places, where it must be the same. Here 0 is nothing written, as Docker
 * Compose has it. */
struct twice {
	const char *key;
	const char *part; /* of deploy.resources */
	const char *part_key;
	size_t read; /* in struct service */
	size_t kept;
};

#define TWICE(key, part, part_key, member)                                                         \
	{                                                                                          \
		key, #part, part_key, offsetof(struct service, short_##part.member),               \
			offsetof(struct service, spec.part.member)                                 \
	}

static const struct twice twices[] = {
	TWICE("cpus", limits, "cpus", cpu_milli),
	TWICE("mem_limit", limits, "memory", memory_bytes),
	TWICE("pids_limit", limits, "pids", pids),
	TWICE("mem_reservation", reservations, "memory", memory_bytes),
};

static const struct tree_node *below(const struct tree_node *node, const char *key)
{
	return node && node->kind == TREE_MAP ? tree_get(node, key) : NULL;
}

/* -1 process is no limit, as 0 is, but one that is asked for. */
static bool is_below_zero(const struct tree_node *value)
{
	return value->kind == TREE_SCALAR && value->text[0] == '-';
}

static enum err_code merge_twice(const struct at *at, struct service *service,
				 const struct twice *twice, struct err *err)
{
	const struct tree_entry *entry = tree_entry_of(at->node, twice->key);
	const int64_t *read = (const void *)((const char *)service + twice->read);
	int64_t *kept = (void *)((char *)service + twice->kept);
	if (!entry)
		return ERR_NONE;
	const struct tree_node *part =
		below(below(below(at->node, "deploy"), "resources"), twice->part);
	if (*read == 0 && !is_below_zero(entry->value))
		return ERR_NONE;
	if (below(part, twice->part_key) && *kept != *read) {
		struct at written;
		enum err_code code = at_entry(at, entry, &written, err);
		return code ? code
			    : at_fail(&written, err, ERR_INVALID,
				      "deploy.resources.%s.%s says something else; write one of "
				      "them",
				      twice->part, twice->part_key);
	}
	*kept = *read;
	return ERR_NONE;
}

enum err_code merge_resources(const struct at *at, struct service *service, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < ARRAY_LEN(twices); i++)
		code = merge_twice(at, service, &twices[i], err);
	return code;
}
