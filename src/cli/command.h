/* Commands: one file each, one row each in commands.c. Parsing, `help`, suggestions, shell completion and the man page
 * come from these tables. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/client.h"
#include "base/record.h"

enum option_kind {
	OPTION_FLAG,	 /* --follow */
	OPTION_STRING,	 /* --file PATH; the last one wins */
	OPTION_STRINGS,	 /* --env A=1 --env B=2 */
	OPTION_INT,	 /* checked: 0 .. 2^53 */
	OPTION_DURATION, /* 10s, 1m30s */
};

struct option {
	const char *name; /* without dashes */
	char letter;	  /* 0: none */
	enum option_kind kind;
	const char *value; /* PATH in help; NULL for flags */
	const char *help;
};

struct invocation;
struct context;

struct command {
	const char *name;     /* "volume ls" has a blank: two words on the command line */
	const char *operands; /* "[SERVICE...]" in help; "" for none */
	const char *summary;  /* one line */
	const char *details;  /* for help and man page; "\n" ends a paragraph; or NULL */
	const struct option *options;
	size_t n_options;
	int operands_min;
	int operands_max; /* -1: any number */
	/* Everything after the first operand belongs to the operands, dashes and all (`run IMAGE ls -l`). */
	bool stops_at_operand;
	/* Do it; returns the exit status. Problems are told through cli_fail(). */
	int (*run)(struct invocation *invocation);
};

extern const struct command *const commands[];
extern const size_t n_commands;

/* Options every command takes: --host, --context, --help. */
extern const struct option global_options[];
extern const size_t n_global_options;

struct invocation {
	const struct command *command;
	struct strings operands;
	const char *host;	   /* the socket */
	bool host_given;	   /* by --host or DROVER_HOST */
	const char *context_name;  /* of --context; NULL: not given */
	struct api_client *client; /* made on first use: cli_client() */
	struct context *context;   /* that the client talks to; NULL: the socket */
	/* private: what was given, by option */
	struct strings *values; /* n_options lists */
};

/* What was given. The name must be one of the command's options (an assertion). */
bool cli_has(const struct invocation *invocation, const char *option);
const char *cli_string(const struct invocation *invocation, const char *option,
		       const char *fallback);
const struct strings *cli_strings(const struct invocation *invocation, const char *option);
int64_t cli_int(const struct invocation *invocation, const char *option, int64_t fallback);
int64_t cli_duration_ms(const struct invocation *invocation, const char *option,
			int64_t fallback_ms);

/* The manager that was chosen: by --context, --host, DROVER_HOST, DROVER_CONTEXT, `context use`, in this order. A
 * context that cannot be opened ends the program with a message. */
struct api_client *cli_client(struct invocation *invocation);
/* Its context (cli/contexts.h); NULL: the socket. */
const struct context *cli_context(struct invocation *invocation);
void cli_client_release(struct invocation *invocation);

/* Flush standard output. When nobody reads it any more (`drover logs | head`) or it cannot be written, the program
 * ends: quietly for a closed pipe, with a message otherwise. */
void cli_flush(void);

/* From now on Ctrl-C prints this sentence (copied, cut to 250 bytes) and ends the program with status 130. */
void cli_on_interrupt(const char *sentence);

/* Print "drover COMMAND: FIELD: MESSAGE" to standard error; returns the exit status of the error's code. */
int cli_fail(const struct invocation *invocation, const struct err *err);
/* The same for a mistake on the command line, with a pointer to help. */
int cli_usage(const struct invocation *invocation, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The row called by the words of argv; *ret_words is how many it took (1 or 2). NULL: unknown. */
const struct command *command_find(int argc, char **argv, int *ret_words);
/* The nearest known name for a mistyped one, or NULL. */
const char *command_suggest(const char *word);
/* The same among the commands of a group: "token ls" for "token" and "list". */
const char *command_suggest_of_group(const char *group, const char *word);
/* Do commands of two words begin with this one? */
bool command_is_group(const char *word);
/* The nearest long option of a command for a mistyped one, both without dashes, or NULL. */
const char *option_suggest(const struct command *command, const char *name);
/* Has the command an option of this name, without dashes? */
bool command_takes(const struct command *command, const char *option);
/* How many letters of one word would have to change to make the other, of the first 24; and whether that is so few that
 * `word` may be the other mistyped. */
size_t word_distance(const char *word, const char *other);
bool word_is_near(const char *word, size_t distance);
/* What to say to a word that Docker knows and drover does not: an option ("--rm", "-t") of a command, "" for an operand
 * too many, or (command NULL) a command, of two words where the first is a group's. NULL: nothing in particular. */
const char *command_hint(const char *command, const char *word);

/* Run the program: parse argv, run the command, return the exit status. */
int cli_main(int argc, char **argv);

/* Help texts, to standard output. */
void help_print_all(void);
/* The commands that begin with the word ("volume"); false when there is none. */
bool help_print_group(const char *word);
void help_print_command(const struct command *command);

/* Where a manager listens when nothing else is said: DROVER_HOST, /run/drover/drover.sock for root, else
 * $XDG_RUNTIME_DIR/drover/drover.sock or ~/.local/state/drover/drover.sock. Caller frees. */
char *cli_default_socket(void);
/* Where state is kept: /var/lib/drover for root, else ~/.local/share/drover. Caller frees. */
char *cli_default_data_dir(void);

#endif
