/* What every store does alike: the rules for groups. */
#ifndef STORE_GROUPS_H
#define STORE_GROUPS_H

#include "store/store.h"

/* How every store begins; lets a function that belongs to one implementation refuse the others. */
struct store {
	const struct store_ops *ops;
};

/* ERR_LIMIT when a group is larger than a store takes (LIMIT_GROUP_RECORDS, LIMIT_GROUP_BYTES). */
enum err_code groups_check(const struct changes *changes, struct err *err) WARN_UNUSED;

/* The end of the run of whole groups that begins at `first` and has at most `records_max` records and `bytes_max`
 * bytes; one group at least. */
size_t groups_run_end(const struct changes *changes, size_t first, size_t records_max,
		      size_t bytes_max);

#endif
