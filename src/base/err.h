/* Errors: one row per code drives the enum, its wire name, its default text, the HTTP status the API
 * answers with and the exit status a command ends with.
 *
 * A function that can fail returns `enum err_code` and takes `struct err *err` last. The struct is the
 * caller's; it is written only on failure, so one struct can serve a whole sequence of calls. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

// clang-format off
/*    code                 name                  http exit  default text */
#define ERR_TABLE(X)                                                                               \
	X(ERR_NONE,            "ok",                  200, 0, "no error")                              \
	X(ERR_INVALID,         "invalid",             400, 2, "the request is not valid")              \
	X(ERR_SYNTAX,          "syntax",              400, 2, "the text cannot be parsed")             \
	X(ERR_UNSUPPORTED,     "unsupported",         400, 2, "drover does not do this yet")           \
	X(ERR_FORBIDDEN,       "forbidden",           403, 7, "not allowed")                           \
	X(ERR_NOT_FOUND,       "not_found",           404, 3, "no such object")                        \
	X(ERR_METHOD,          "method_not_allowed",  405, 2, "this address does not take this method")\
	X(ERR_CONFLICT,        "conflict",            409, 4, "the object is in another state")        \
	X(ERR_TOO_LARGE,       "too_large",           413, 2, "the request is larger than allowed")    \
	X(ERR_HEADER_LARGE,    "header_too_large",    431, 2, "the request head is larger than allowed")\
	X(ERR_LIMIT,           "limit",               429, 5, "a limit is reached")                    \
	X(ERR_INTERNAL,        "internal",            500, 70, "drover made a mistake")                \
	X(ERR_UNAVAILABLE,     "unavailable",         503, 6, "not available at the moment")           \
	X(ERR_TIMEOUT,         "timeout",             504, 6, "no answer in time")                     \
	X(ERR_STORE_FULL,      "store_full",          507, 8, "the store has no room")                 \
	X(ERR_STORE,           "store",               503, 8, "the store failed")                      \
	X(ERR_DAMAGED,         "damaged",             500, 8, "stored data is damaged")                \
	X(ERR_IO,              "io",                  500, 6, "input or output failed")                \
	X(ERR_CLOSED,          "closed",              503, 6, "the peer closed the connection")        \
	X(ERR_PROTOCOL,        "protocol",            400, 6, "the peer broke the protocol")           \
	X(ERR_FAILED,          "failed",              500, 1, "it failed")                             \
	X(ERR_REMOVED,         "removed",             410, 9, "this machine was removed from the cluster")

enum err_code {
#define ERR_ENUM(code, name, http, exit, text) code,
	ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
	ERR_CODE_COUNT
};
// clang-format on

#define ERR_MESSAGE_MAX 512
#define ERR_FIELD_MAX	160

/* What went wrong. `field` is the API field or the `file:line:column: key` it is about, or "". */
struct err {
	enum err_code code;
	char field[ERR_FIELD_MAX];
	char message[ERR_MESSAGE_MAX];
};

#define WARN_UNUSED __attribute__((warn_unused_result))

/* The row of `code`. */
const char *err_name(enum err_code code);
const char *err_text(enum err_code code);
int err_http_status(enum err_code code);
int err_exit_status(enum err_code code);

/* The code called `name`; ERR_INTERNAL when no row has that name (an answer from a newer manager). */
enum err_code err_from_name(const char *name);

/* Fill `err` (may be NULL) and return `code`, so that `return err_set(err, ERR_X, ...)` is one line.
 * The format knows the conversions of text_addf() (base/text.h). Longer text is cut. */
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set(), and names the field. */
enum err_code err_set_field(struct err *err, enum err_code code, const char *field,
			    const char *format, ...) __attribute__((format(printf, 4, 5)));

enum err_code err_set_fieldv(struct err *err, enum err_code code, const char *field,
			     const char *format, va_list arguments)
	__attribute__((format(printf, 4, 0)));

/* Put `path` before the field of a failure on its way up: "ports[2]" becomes "PATH.ports[2]". Returns err->code. */
enum err_code err_prefix_field(struct err *err, const char *path);

#ifdef __clang_analyzer__
/* The analyzer looks at one file at a time: tell it that these return the code they are given. */
#define err_set(err, code, ...)	      (err_set(err, code, __VA_ARGS__), (code))
#define err_set_field(err, code, ...) (err_set_field(err, code, __VA_ARGS__), (code))
#endif

/* Put `format...: ` before the message of a failure on its way up. Returns err->code. */
enum err_code err_prefix(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
