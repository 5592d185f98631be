#include "store/groups.h"

#include "base/check.h"
#include "base/limits.h"

static size_t change_bytes(const struct change *change)
{
	return change->key_len + (change->value == NULL ? 0 : change->value_len);
}

/* The end of the group that begins at `first`, and its size. */
static size_t group_end(const struct changes *changes, size_t first, size_t *ret_bytes)
{
	size_t bytes = change_bytes(&changes->items[first]);
	size_t end = first + 1;
	for (; end < changes->n && !changes->items[end].starts_group; end++)
		bytes += change_bytes(&changes->items[end]);
	*ret_bytes = bytes;
	return end;
}

enum err_code groups_check(const struct changes *changes, struct err *err)
{
	size_t end;
	for (size_t first = 0; first < changes->n; first = end) {
		size_t bytes;
		end = group_end(changes, first, &bytes);
		if (end - first > LIMIT_GROUP_RECORDS)
			return err_set(err, ERR_LIMIT,
				       "a change of %zu records is over the limit of %d",
				       end - first, LIMIT_GROUP_RECORDS);
		if (bytes > LIMIT_GROUP_BYTES)
			return err_set(err, ERR_LIMIT,
				       "a change of %zu bytes is over the limit of %d", bytes,
				       LIMIT_GROUP_BYTES);
	}
	return ERR_NONE;
}

size_t groups_run_end(const struct changes *changes, size_t first, size_t records_max,
		      size_t bytes_max)
{
	PRE(first < changes->n);
	size_t run_bytes;
	size_t run_end = group_end(changes, first, &run_bytes);
	while (run_end < changes->n) {
		size_t bytes;
		size_t end = group_end(changes, run_end, &bytes);
		if (end - first > records_max || run_bytes + bytes > bytes_max)
			break;
		run_bytes += bytes;
		run_end = end;
	}
	return run_end;
}
