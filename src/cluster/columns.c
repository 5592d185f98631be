/* Invariants: the index of a node changes only when one before it goes; column i belongs to
 * entry[i]; what a column says of capacity and readiness follows from the entry alone, what it says
 * of reservations from the tasks alone (weight.c). */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"
#include "cluster/internal.h"

#define COLUMNS_FIRST 8

/* Every column array once, so that growing and freeing cannot forget one. */
#define COLUMNS(X)                                                                                 \
	X(entry)                                                                                   \
	X(number)                                                                                  \
	X(cpu_capacity_milli)                                                                      \
	X(cpu_reserved_milli)                                                                      \
	X(cpu_expected_milli)                                                                      \
	X(cpu_used_milli)                                                                          \
	X(memory_capacity_bytes)                                                                   \
	X(memory_reserved_bytes)                                                                   \
	X(memory_expected_bytes)                                                                   \
	X(memory_used_bytes)                                                                       \
	X(disk_capacity_bytes)                                                                     \
	X(disk_reserved_bytes)                                                                     \
	X(disk_used_bytes)                                                                         \
	X(tasks)                                                                                   \
	X(ready)                                                                                   \
	X(touched)

static void *grown(void *column, size_t n_old, size_t n_new, size_t size)
{
	char *bytes = base_realloc(column, n_new, size);
	memset(bytes + n_old * size, 0, (n_new - n_old) * size);
	return bytes;
}

static void grow(struct node_columns *columns)
{
	size_t n_old = columns->capacity;
	size_t n_new = n_old ? n_old * 2 : COLUMNS_FIRST;
#define GROW(member)                                                                               \
	columns->member = grown(columns->member, n_old, n_new, sizeof(*columns->member));
	COLUMNS(GROW)
#undef GROW
	columns->capacity = n_new;
}

uint32_t columns_add(struct node_columns *columns, struct node_entry *entry)
{
	if (columns->n == columns->capacity)
		grow(columns);
	columns->epoch++;
	columns->entry[columns->n] = entry;
	return (uint32_t)columns->n++;
}

void columns_remove(struct node_columns *columns, uint32_t at)
{
	size_t n_behind = columns->n - at - 1;
#define REMOVE(member)                                                                             \
	memmove(&columns->member[at], &columns->member[at + 1],                                    \
		n_behind * sizeof(*columns->member));                                              \
	memset(&columns->member[columns->n - 1], 0, sizeof(*columns->member));
	COLUMNS(REMOVE)
#undef REMOVE
	columns->n--;
	columns->epoch++;
	for (size_t i = at; i < columns->n; i++)
		columns->entry[i]->index = (uint32_t)i;
}

static int compare_numbers(const void *a, const void *b, void *context)
{
	(void)context;
	const struct node_record *left = &(*(const struct node_entry *const *)a)->record;
	const struct node_record *right = &(*(const struct node_entry *const *)b)->record;
	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return uuid_compare(left->id.uuid, right->id.uuid);
}

void columns_sort(struct node_columns *columns)
{
	sort_stable(columns->entry, columns->n, sizeof(struct node_entry *), compare_numbers, NULL);
	columns->epoch++;
	for (size_t i = 0; i < columns->n; i++) {
		PRE(columns->tasks[i] == 0);
		columns->entry[i]->index = (uint32_t)i;
		columns_set_capacity(columns, columns->entry[i]);
		columns_set_ready(columns, columns->entry[i]);
	}
}

bool node_entry_is_ready(const struct node_entry *entry)
{
	return entry->state == NODE_READY && entry->runtime_ok && !entry->record.draining;
}

void columns_touch(struct node_columns *columns, size_t at)
{
	columns->touched[columns->n_touched++ % columns->capacity] = (uint32_t)at;
}

void columns_set_capacity(struct node_columns *columns, const struct node_entry *entry)
{
	const struct resources *capacity = &entry->record.facts.capacity;
	INVARIANT(columns->entry[entry->index] == entry);
	columns->number[entry->index] = entry->record.number;
	columns->epoch += columns->cpu_capacity_milli[entry->index] != capacity->cpu_milli ||
			  columns->memory_capacity_bytes[entry->index] != capacity->memory_bytes;
	columns_touch(columns, entry->index);
	columns->cpu_capacity_milli[entry->index] = capacity->cpu_milli;
	columns->memory_capacity_bytes[entry->index] = capacity->memory_bytes;
	columns->disk_capacity_bytes[entry->index] = capacity->disk_bytes;
}

void columns_set_ready(struct node_columns *columns, const struct node_entry *entry)
{
	INVARIANT(columns->entry[entry->index] == entry);
	bool ready = node_entry_is_ready(entry);
	if (columns->ready[entry->index] != ready)
		columns_touch(columns, entry->index);
	columns->ready[entry->index] = ready;
}

void columns_release(struct node_columns *columns)
{
#define RELEASE(member) base_free(columns->member);
	COLUMNS(RELEASE)
#undef RELEASE
	*columns = (struct node_columns){ 0 };
}

void cluster_set_node_state(struct cluster *cluster, struct node_entry *node, int state)
{
	PRE(state >= NODE_READY && state <= NODE_DOWN);
	PRE(!node->record.left);
	node->dirty |= node->state != state;
	cluster->nodes_dirty |= node->dirty;
	node->state = state;
	columns_set_ready(&cluster->columns, node);
}

void cluster_set_node_runtime(struct cluster *cluster, struct node_entry *node, bool runtime_ok)
{
	node->runtime_ok = runtime_ok;
	columns_set_ready(&cluster->columns, node);
}

void cluster_set_node_stats(struct cluster *cluster, struct node_entry *node,
			    const struct node_stats *stats, int64_t now_ms)
{
	static const struct node_stats stale;
	struct node_columns *columns = &cluster->columns;
	if (stats) {
		node->stats = *stats;
		node->stats_ms = now_ms;
	}
	const struct node_stats *counted = stats ? stats : &stale;
	columns_touch(columns, node->index);
	columns->cpu_used_milli[node->index] = counted->cpu_used_milli;
	columns->memory_used_bytes[node->index] = counted->memory_used_bytes;
	columns->disk_used_bytes[node->index] = counted->disk_used_bytes;
}
