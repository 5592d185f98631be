/* How the checks of this folder say what they refuse: the field's path and a sentence with the offending value. */
#ifndef JOB_REFUSE_H
#define JOB_REFUSE_H

#include <stddef.h>

#include "base/err.h"

/* A field: `member`, `list[index]` or `list[index].member`, and `.key` behind it when it is a mapping. */
struct spot {
	const char *list;
	size_t index;
	const char *member;
	const char *key;
};

#define AT(member_)			  ((struct spot){ .member = (member_) })
#define AT_ITEM(list_, index_)		  ((struct spot){ .list = (list_), .index = (index_) })
#define AT_MEMBER(list_, index_, member_) ((struct spot){ (list_), (index_), (member_), NULL })

/* A key of the mapping at a spot. */
struct spot spot_of_key(struct spot spot, const char *key);

/* Fill `err` with `code`, the spot's path and the sentence; return `code`. Formats as text_addf(). */
enum err_code refuse(struct err *err, enum err_code code, struct spot spot, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Give a failure whose message says enough (of constraint_parse() and the like) its field. */
enum err_code refuse_at(struct err *err, enum err_code code, struct spot spot);

#endif
