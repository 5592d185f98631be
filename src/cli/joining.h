/* What the commands that join share: the token, from wherever it was given, and the name to join under. */
#ifndef CLI_JOINING_H
#define CLI_JOINING_H

#include "cli/command.h"

#define OPTION_TOKEN                                                                               \
	{                                                                                          \
		"token", 0, OPTION_STRING, "TOKEN", "join token (environment: DROVER_TOKEN)"       \
	}
#define OPTION_TOKEN_FILE                                                                          \
	{                                                                                          \
		"token-file", 0, OPTION_STRING, "FILE",                                            \
			"file that holds the token, which then is in no list of processes"         \
	}

/* The token of --token, --token-file or DROVER_TOKEN, in this order; *ret_token is NULL where none is given. The caller
 * frees. ERR_IO, ERR_TOO_LARGE for the file. */
enum err_code joining_token(const struct invocation *invocation, char **ret_token,
			    struct err *err) WARN_UNUSED;

/* This machine's name, or "user@machine" for people. The caller frees. */
char *joining_name(bool of_user);

#endif
