/* Records: one table of fields per struct, from which everything that must know all fields follows: initial
 * values, freeing, copying, comparing, the store's binary form, the API's JSON (api/json.h), bounds and their
 * error messages. A new field is one struct member and one row.
 *
 * A struct with a table owns what its members point to. All-zero bytes are a valid empty struct. */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "base/uuid.h"

/* A list of strings. */
struct strings {
	char **items;
	size_t n;
};

/* `key=value`; value NULL means "no value given" where that differs from "". Order is kept. */
struct pair {
	char *key;
	char *value;
};

struct pairs {
	struct pair *items;
	size_t n;
};

/* A list of structs that have a table of their own. Declare members with LIST_OF(struct port) ports. */
#define LIST_OF(type)                                                                              \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t n;                                                                          \
	}

/* What LIST_OF() looks like to code that knows only the table. */
struct list {
	void *items;
	size_t n;
};

enum field_kind {
	FIELD_BOOL,	/* bool */
	FIELD_INT,	/* int64_t, within [min, max] */
	FIELD_ENUM,	/* int; JSON is the name */
	FIELD_STRING,	/* char *, at most max bytes, no NUL inside; NULL = not set */
	FIELD_UUID,	/* struct uuid, or a struct of only that; zero = not set, "" in JSON */
	FIELD_STRINGS,	/* struct strings, at most max items */
	FIELD_PAIRS,	/* struct pairs, at most max items; JSON object, keys unique */
	FIELD_STRUCT,	/* a struct with a table, embedded */
	FIELD_STRUCTS,	/* LIST_OF(a struct with a table), at most max items */
	FIELD_OPTIONAL, /* pointer to a struct with a table, owned; NULL = not set, null in JSON */
};

enum field_flags {
	FIELD_REQUIRED = 1, /* decoding a request from JSON fails without it, or with null */
	FIELD_HIDDEN = 2,   /* never in JSON: internal bookkeeping */
	FIELD_OUTPUT = 4,   /* shown in JSON, refused in requests */
	FIELD_SECRET = 8,   /* JSON shows "***" instead of values of pairs and strings */
};

/* One value of an enumeration; a table ends with name NULL. */
struct enum_name {
	int value;
	const char *name;
};

struct record_type;

struct field {
	const char *name; /* snake_case, as JSON and error messages show it */
	uint16_t tag;	  /* of the binary form; never reused, never changed; >= 1 */
	uint16_t flags;
	enum field_kind kind;
	size_t offset;
	int64_t min;	 /* FIELD_INT */
	int64_t max;	 /* FIELD_INT; bytes or items of the others */
	int64_t initial; /* FIELD_INT, FIELD_ENUM, FIELD_BOOL: value where nothing is written */
	const struct enum_name *names;	/* FIELD_ENUM */
	const struct record_type *type; /* FIELD_STRUCT, FIELD_STRUCTS, FIELD_OPTIONAL */
};

struct record_type {
	const char *name;
	size_t size;
	const struct field *fields;
	size_t n_fields;
};

/* Defines `const struct record_type NAME_type` from an array of rows. */
#define RECORD_TYPE(name_, struct_, fields_)                                                       \
	const struct record_type name_##_type = { #name_, sizeof(struct_), fields_,                \
						  sizeof(fields_) / sizeof((fields_)[0]) }

#define FIELD_AT(struct_, member) offsetof(struct_, member)

/* Rows: ROW_KIND(tag, struct type, member, ...) and then what differs from zero as designated initialisers. A member
 * whose C type does not fit the kind does not compile. `initial` defaults to 0; `min` of ROW_INT to 0. */
// clang-format off
// NOLINTBEGIN(bugprone-macro-parentheses): a type in _Generic takes none
#define ROW_IS_(struct_, member_, type_)                                                           \
	(FIELD_AT(struct_, member_) + _Generic(((struct_ *)0)->member_, type_: 0u))
#define ROW_BOOL(tag_, struct_, member_, ...)                                                      \
	{ .name = #member_, .tag = tag_, .kind = FIELD_BOOL,                                       \
	  .offset = ROW_IS_(struct_, member_, bool), .max = 1, ##__VA_ARGS__ }
#define ROW_INT(tag_, struct_, member_, max_, ...)                                                 \
	{ .name = #member_, .tag = tag_, .kind = FIELD_INT,                                        \
	  .offset = ROW_IS_(struct_, member_, int64_t), .max = max_, ##__VA_ARGS__ }
#define ROW_ENUM(tag_, struct_, member_, names_, ...)                                              \
	{ .name = #member_, .tag = tag_, .kind = FIELD_ENUM,                                       \
	  .offset = ROW_IS_(struct_, member_, int), .names = names_, ##__VA_ARGS__ }
#define ROW_STRING(tag_, struct_, member_, bytes_max_, ...)                                        \
	{ .name = #member_, .tag = tag_, .kind = FIELD_STRING,                                     \
	  .offset = ROW_IS_(struct_, member_, char *), .max = bytes_max_, ##__VA_ARGS__ }
#define ROW_UUID(tag_, struct_, member_, ...)                                                      \
	{ .name = #member_, .tag = tag_, .kind = FIELD_UUID,                                       \
	  .offset = FIELD_AT(struct_, member_) +                                                   \
		    0 * sizeof(char[sizeof(((struct_ *)0)->member_) == UUID_BYTES ? 1 : -1]),      \
	  .max = UUID_BYTES, ##__VA_ARGS__ }
#define ROW_STRINGS(tag_, struct_, member_, items_max_, ...)                                       \
	{ .name = #member_, .tag = tag_, .kind = FIELD_STRINGS,                                    \
	  .offset = ROW_IS_(struct_, member_, struct strings), .max = items_max_, ##__VA_ARGS__ }
#define ROW_PAIRS(tag_, struct_, member_, items_max_, ...)                                         \
	{ .name = #member_, .tag = tag_, .kind = FIELD_PAIRS,                                      \
	  .offset = ROW_IS_(struct_, member_, struct pairs), .max = items_max_, ##__VA_ARGS__ }
#define ROW_STRUCT(tag_, struct_, member_, name_, ...)                                             \
	{ .name = #member_, .tag = tag_, .kind = FIELD_STRUCT,                                     \
	  .offset = ROW_IS_(struct_, member_, struct name_), .type = &name_##_type, ##__VA_ARGS__ }
#define ROW_STRUCTS(tag_, struct_, member_, name_, items_max_, ...)                                \
	{ .name = #member_, .tag = tag_, .kind = FIELD_STRUCTS,                                    \
	  .offset = FIELD_AT(struct_, member_) +                                                   \
		    0 * _Generic(((struct_ *)0)->member_.items, struct name_ *: 0u),               \
	  .max = items_max_, .type = &name_##_type, ##__VA_ARGS__ }
#define ROW_OPTIONAL(tag_, struct_, member_, name_, ...)                                           \
	{ .name = #member_, .tag = tag_, .kind = FIELD_OPTIONAL,                                   \
	  .offset = ROW_IS_(struct_, member_, struct name_ *), .type = &name_##_type, ##__VA_ARGS__ }
// NOLINTEND(bugprone-macro-parentheses)
// clang-format on

/* Set every field to its initial value. `record` holds no pointers before. */
void record_init(const struct record_type *type, void *record);

/* Free everything the record owns and zero it. */
void record_release(const struct record_type *type, void *record);

/* Make `to` (holding no pointers before) a deep copy of `from`. */
void record_copy(const struct record_type *type, void *to, const void *from);

/* In whatever order pairs are. */
bool record_equal(const struct record_type *type, const void *a, const void *b);
/* Of one field; `a` and `b` point at the member itself. */
bool field_equal(const struct field *field, const void *a, const void *b);

/* 64-bit hash of the contents: FNV-1a over the binary form, pairs in the order of their keys. Equal records hash equal
 * on every machine. */
uint64_t record_hash(const struct record_type *type, const void *record);

/* Append the binary form: for each field that differs from zero, varint(tag << 3 | wire kind) and its bytes, as
 * Protocol Buffers do it, fields in table order. Fields a reader does not know are skipped, so records of the
 * neighbouring release can be read. `out` must be able to hold it (out->cut tells). */
void record_encode(const struct record_type *type, const void *record, struct text *out);

/* Read what record_encode() wrote into `record` (holding no pointers before). On failure `record` is left
 * zero. ERR_DAMAGED for any bytes that no encoder of this release or its neighbours writes, including values out of a
 * field's bounds. */
enum err_code record_decode(const struct record_type *type, const void *bytes, size_t len,
			    void *record, struct err *err) WARN_UNUSED;

/* Check every bound of the table and the tables below it. ERR_INVALID names the field by its path
 * ("ports[2].container_port"). */
enum err_code record_check(const struct record_type *type, const void *record,
			   struct err *err) WARN_UNUSED;

/* The name of an enum's value ("?" when it has none), and the value of a name (false when unknown). */
const char *enum_name(const struct enum_name *names, int value);
bool enum_value(const struct enum_name *names, const char *name, int *ret_value);

/* Lists. *_add copies what it is given; *_take moves it in. */
void strings_add(struct strings *strings, const char *string);
bool strings_has(const struct strings *strings, const char *string);
void strings_release(struct strings *strings);
void pairs_add(struct pairs *pairs, const char *key, const char *value);
/* Replace the value of `key`, or add it. */
void pairs_put(struct pairs *pairs, const char *key, const char *value);
/* The value, or NULL when the key is absent or has none. */
const char *pairs_get(const struct pairs *pairs, const char *key);
void pairs_release(struct pairs *pairs);
/* A new zeroed item at the end of a LIST_OF(); `size` is the item's. The pointer lives until the next add. */
void *list_add(void *list, size_t size);
/* Set a FIELD_STRING: frees the old value, copies the new one. */
void string_set(char **string, const char *value);

#endif
