#include <string.h>

#include "base/alloc.h"
#include "scheduler/internal.h"

/* How near the node comes to what was refused: the larger, the better an example it is. */
static int64_t nearness(const struct question *question, struct refusal refusal, size_t column)
{
	const struct node_columns *columns = &question->cluster->columns;
	switch (refusal.kind) {
	case REFUSED_CPU:
		return columns->cpu_capacity_milli[column] - columns->cpu_reserved_milli[column];
	case REFUSED_MEMORY:
		return columns->memory_capacity_bytes[column] -
		       columns->memory_reserved_bytes[column];
	case REFUSED_DISK:
		return columns->disk_capacity_bytes[column] - columns->disk_reserved_bytes[column];
	case REFUSED_API: return columns->entry[column]->record.facts.api_minor;
	case REFUSED_PROTOCOL: return columns->entry[column]->record.facts.protocol;
	default: return 0;
	}
}

static struct refusal_count *find(struct refusals *refusals, struct refusal refusal)
{
	for (size_t i = 0; i < refusals->n; i++)
		if (refusals->items[i].refusal.kind == refusal.kind &&
		    refusals->items[i].refusal.item == refusal.item)
			return &refusals->items[i];
	return NULL;
}

void refusals_count(struct refusals *refusals, const struct question *question,
		    struct refusal refusal, size_t column)
{
	struct refusal_count *count = find(refusals, refusal);
	if (!count) {
		refusals->items = base_grow(refusals->items, refusals->n, &refusals->capacity,
					    sizeof(struct refusal_count));
		count = &refusals->items[refusals->n++];
		*count = (struct refusal_count){ refusal, 0, column };
	}
	count->n_nodes++;
	if (nearness(question, refusal, column) > nearness(question, refusal, count->example))
		count->example = column;
}

void refusals_release(struct refusals *refusals)
{
	base_free(refusals->items);
	*refusals = (struct refusals){ 0 };
}
