/* Platforms as Compose and Docker write them: os[/architecture[/variant]]. What a machine says of itself (`uname -m`)
 * and Docker's words are two spellings of the same: x86_64 is amd64, aarch64 is arm64, armv7l is arm of variant v7. */
#ifndef JOB_PLATFORM_H
#define JOB_PLATFORM_H

#include <stdbool.h>

#include "base/err.h"

#define PLATFORM_WORD_SIZE 32

/* Lower case, in Docker's spelling; "": not written. */
struct platform {
	char os[PLATFORM_WORD_SIZE];
	char architecture[PLATFORM_WORD_SIZE];
	char variant[PLATFORM_WORD_SIZE];
};

/* ERR_INVALID says what is wrong with the text. */
enum err_code platform_parse(const char *text, struct platform *ret_platform,
			     struct err *err) WARN_UNUSED;

/* The platform of a machine by its own words; NULL: not known, which is "". */
struct platform platform_of_machine(const char *os, const char *machine);

/* Docker's spelling of a lone architecture: "x86_64" is "amd64". Borrowed: `architecture` itself, or static. */
const char *platform_architecture(const char *architecture);

/* Can a machine of platform `there` run what asks for `asked`? Parts that are not written or not known do not count;
 * an ARM machine also runs lower variants. */
bool platform_runs(const struct platform *there, const struct platform *asked);

#endif
