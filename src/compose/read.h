/* Readers for the kinds of values that Compose keys share. All fail at the value with what was found and what is
 * expected; on failure the target keeps its value. Those with a void target stand in the table of keys; the comment
 * names what the target points to. */
#ifndef COMPOSE_READ_H
#define COMPOSE_READ_H

#include "compose/at.h"

/* True for an empty value, `null` and `~`. */
bool at_is_null(const struct at *at);

/* Fail because the value is not `expected` ("a list of strings"). */
enum err_code fail_type(const struct at *at, const char *expected, struct err *err);

enum err_code expect_map(const struct at *at, struct err *err) WARN_UNUSED;
enum err_code expect_list(const struct at *at, struct err *err) WARN_UNUSED;

/* A string: quoted, or plain text that is no number and no boolean. Borrowed from the tree. */
enum err_code get_string(const struct at *at, const char **ret_string, struct err *err) WARN_UNUSED;
/* A string, number or boolean, as it is written. Borrowed. */
enum err_code get_scalar(const struct at *at, const char **ret_text, struct err *err) WARN_UNUSED;
/* true, yes, on, y or false, no, off, n, quoted or not. */
enum err_code get_bool(const struct at *at, bool *ret_value, struct err *err) WARN_UNUSED;
/* A whole number, quoted or not. */
enum err_code get_integer(const struct at *at, int64_t min, int64_t max, int64_t *ret_value,
			  struct err *err) WARN_UNUSED;

enum err_code read_string(const struct at *at, void *char_pointer, struct err *err);
enum err_code read_bool(const struct at *at, void *bool_pointer, struct err *err);
enum err_code read_tristate(const struct at *at, void *int_pointer, struct err *err);
enum err_code read_count(const struct at *at, void *int64, struct err *err); /* 0 .. 2^31-1 */
enum err_code read_duration(const struct at *at, void *int64_ms, struct err *err);
enum err_code read_size(const struct at *at, void *int64_bytes, struct err *err);
enum err_code read_cpus(const struct at *at, void *int64_milli, struct err *err);
enum err_code read_ratio(const struct at *at, void *int64_ppm, struct err *err);
/* A list of strings, each once; or one string alone. */
enum err_code read_strings(const struct at *at, void *strings, struct err *err);
enum err_code read_string_or_strings(const struct at *at, void *strings, struct err *err);
/* A mapping, or a list of "key=value"; values may be numbers and booleans. Nothing after the key: "". */
enum err_code read_pairs(const struct at *at, void *pairs, struct err *err);
/* A mapping only: options of drivers. */
enum err_code read_options(const struct at *at, void *pairs, struct err *err);

/* Walk a list: `each` gets every item in turn. Fails at what is no list. */
typedef enum err_code item_fn(const struct at *item, void *target, struct err *err);
enum err_code read_each_item(const struct at *at, item_fn *each, void *target,
			     struct err *err) WARN_UNUSED;

/* One string of a list, whose items may repeat: arguments. The target is struct strings. */
enum err_code read_word(const struct at *item, void *strings, struct err *err);

/* Walk a mapping or a "key=value" list; `value` is NULL when there is none. */
typedef enum err_code pair_fn(const struct at *at, const char *key, const char *value, void *target,
			      struct err *err);
enum err_code read_each_pair(const struct at *at, pair_fn *each, void *target,
			     struct err *err) WARN_UNUSED;

#ifdef __clang_analyzer__
#define fail_type(at, expected, err) (fail_type(at, expected, err), ERR_INVALID)
#endif

#endif
