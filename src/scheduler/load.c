#include "scheduler/internal.h"

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t load_cpu_milli(const struct node_columns *columns, size_t column)
{
	return larger(columns->cpu_expected_milli[column], columns->cpu_used_milli[column]);
}

int64_t load_memory_bytes(const struct node_columns *columns, size_t column)
{
	return larger(columns->memory_expected_bytes[column], columns->memory_used_bytes[column]);
}

double load_share(int64_t amount, int64_t capacity)
{
	return capacity > 0 ? (double)amount / (double)capacity : 1.0;
}
