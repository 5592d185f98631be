/* argv against the tables. Long options as --name VALUE and --name=VALUE, short ones as -n VALUE, -nVALUE and grouped
 * flags, "--" ends them. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/parse.h"
#include "cli/command.h"

static size_t option_index(const struct invocation *invocation, const char *name)
{
	for (size_t i = 0; i < invocation->command->n_options; i++)
		if (strcmp(invocation->command->options[i].name, name) == 0)
			return i;
	UNREACHABLE("an option its command does not have");
}

const struct strings *cli_strings(const struct invocation *invocation, const char *option)
{
	return &invocation->values[option_index(invocation, option)];
}

bool cli_has(const struct invocation *invocation, const char *option)
{
	return cli_strings(invocation, option)->n > 0;
}

const char *cli_string(const struct invocation *invocation, const char *option,
		       const char *fallback)
{
	const struct strings *values = cli_strings(invocation, option);
	return values->n ? values->items[values->n - 1] : fallback;
}

int64_t cli_int(const struct invocation *invocation, const char *option, int64_t fallback)
{
	int64_t number = fallback;
	const char *text = cli_string(invocation, option, NULL);
	if (text && parse_int(text, 0, (int64_t)1 << 53, &number, NULL))
		UNREACHABLE("numbers are checked when they are parsed");
	return number;
}

int64_t cli_duration_ms(const struct invocation *invocation, const char *option,
			int64_t fallback_ms)
{
	int64_t duration_ms = fallback_ms;
	const char *text = cli_string(invocation, option, NULL);
	if (text && parse_duration_ms(text, &duration_ms, NULL))
		UNREACHABLE("durations are checked when they are parsed");
	return duration_ms;
}

int cli_usage(const struct invocation *invocation, const char *format, ...)
{
	struct text text;
	va_list arguments;
	text_init(&text, ERR_MESSAGE_MAX);
	va_start(arguments, format);
	text_addv(&text, format, arguments);
	va_end(arguments);
	fprintf(stderr, "drover %s: %s\nSee 'drover help %s'.\n", invocation->command->name,
		text_string(&text), invocation->command->name);
	text_release(&text);
	return err_exit_status(ERR_INVALID);
}

/* ---- parsing ------------------------------------------------------------------------------------------- */

struct cursor {
	struct invocation *invocation;
	int argc;
	char **argv;
	int at;
	bool wants_help;
	bool failed;
};

static const struct option *find_long(const struct command *command, const char *name, size_t len,
				      int *ret_index)
{
	for (size_t i = 0; i < n_global_options; i++) {
		*ret_index = -1;
		if (strlen(global_options[i].name) == len &&
		    memcmp(global_options[i].name, name, len) == 0)
			return &global_options[i];
	}
	for (size_t i = 0; i < command->n_options; i++) {
		*ret_index = (int)i;
		if (strlen(command->options[i].name) == len &&
		    memcmp(command->options[i].name, name, len) == 0)
			return &command->options[i];
	}
	return NULL;
}

static const struct option *find_letter(const struct command *command, char letter, int *ret_index)
{
	for (size_t i = 0; i < n_global_options; i++) {
		*ret_index = -1;
		if (global_options[i].letter == letter)
			return &global_options[i];
	}
	for (size_t i = 0; i < command->n_options; i++) {
		*ret_index = (int)i;
		if (command->options[i].letter == letter)
			return &command->options[i];
	}
	return NULL;
}

static void unknown_option(struct cursor *cursor, const char *dashes, const char *name)
{
	char word[LIMIT_NAME_BYTES];
	const char *command = cursor->invocation->command->name;
	const char *hint =
		command_hint(command, text_print(word, sizeof(word), "%s%s", dashes, name));
	const char *nearest =
		strlen(dashes) > 1 ? option_suggest(cursor->invocation->command, name) : NULL;
	cursor->failed = true;
	if (hint)
		cli_usage(cursor->invocation, "%s: %s", word, hint);
	else if (nearest)
		cli_usage(cursor->invocation, "there is no option %s; did you mean --%s?", word,
			  nearest);
	else
		cli_usage(cursor->invocation, "there is no option %s", word);
}

static bool check_value(struct cursor *cursor, const struct option *option, const char *value)
{
	int64_t ignored;
	struct err err;
	enum err_code code = ERR_NONE;
	if (option->kind == OPTION_INT)
		code = parse_int(value, 0, (int64_t)1 << 53, &ignored, &err);
	else if (option->kind == OPTION_DURATION)
		code = parse_duration_ms(value, &ignored, &err);
	if (!code)
		return true;
	cursor->failed = true;
	cli_usage(cursor->invocation, "--%s: %s", option->name, err.message);
	return false;
}

static void set_host(struct invocation *invocation, const char *value)
{
	invocation->host = value;
	invocation->host_given = true;
}

static void take_value(struct cursor *cursor, const struct option *option, int index,
		       const char *value)
{
	if (!check_value(cursor, option, value))
		return;
	if (index >= 0)
		strings_add(&cursor->invocation->values[index], value);
	else if (strcmp(option->name, "help") == 0)
		cursor->wants_help = true;
	else if (strcmp(option->name, "context") == 0)
		cursor->invocation->context_name = value;
	else
		set_host(cursor->invocation, value);
}

/* The value that follows an option: attached, or the next word. */
static const char *next_value(struct cursor *cursor, const struct option *option,
			      const char *attached)
{
	if (attached)
		return attached;
	if (cursor->at < cursor->argc)
		return cursor->argv[cursor->at++];
	cursor->failed = true;
	cli_usage(cursor->invocation, "--%s needs %s", option->name, option->value);
	return NULL;
}

static void parse_long(struct cursor *cursor, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	int index;
	const struct option *option = find_long(cursor->invocation->command, word, len, &index);
	if (!option) {
		_cleanup_free_ char *name = base_strndup(word, len);
		unknown_option(cursor, "--", name);
	} else if (option->kind == OPTION_FLAG) {
		bool is_true = !equals || strcmp(equals + 1, "true") == 0;
		if (!is_true && strcmp(equals + 1, "false") != 0) {
			cursor->failed = true;
			cli_usage(cursor->invocation, "--%s takes no value", option->name);
		} else if (is_true) {
			take_value(cursor, option, index, "true");
		}
	} else {
		const char *value = next_value(cursor, option, equals ? equals + 1 : NULL);
		if (value)
			take_value(cursor, option, index, value);
	}
}

static void parse_letters(struct cursor *cursor, const char *letters)
{
	for (const char *at = letters; *at && !cursor->failed; at++) {
		int index;
		const struct option *option = find_letter(cursor->invocation->command, *at, &index);
		if (!option) {
			unknown_option(cursor, "-", (char[]){ *at, '\0' });
		} else if (option->kind == OPTION_FLAG) {
			take_value(cursor, option, index, "true");
		} else {
			const char *attached = at[1] == '=' ? at + 2 : at[1] ? at + 1 : NULL;
			const char *value = next_value(cursor, option, attached);
			if (value)
				take_value(cursor, option, index, value);
			return;
		}
	}
}

static void parse_words(struct cursor *cursor)
{
	struct invocation *invocation = cursor->invocation;
	bool options_end = false;
	while (cursor->at < cursor->argc && !cursor->failed) {
		const char *word = cursor->argv[cursor->at++];
		if (options_end || word[0] != '-' || !word[1])
			strings_add(&invocation->operands, word);
		else if (strcmp(word, "--") == 0)
			options_end = true;
		else if (word[1] == '-')
			parse_long(cursor, word + 2);
		else
			parse_letters(cursor, word + 1);
		if (invocation->command->stops_at_operand && invocation->operands.n > 0)
			options_end = true;
	}
}

static bool check_operands(const struct invocation *invocation)
{
	const struct command *command = invocation->command;
	int n = (int)invocation->operands.n;
	bool too_many = command->operands_max >= 0 && n > command->operands_max;
	const char *hint = too_many ? command_hint(command->name, "") : NULL;
	if (n < command->operands_min)
		cli_usage(invocation, "needs %s", command->operands);
	else if (hint)
		cli_usage(invocation, "%s", hint);
	else if (too_many)
		cli_usage(invocation, "takes %s, and not \"%s\"",
			  command->operands_max ? command->operands : "options only",
			  invocation->operands.items[command->operands_max]);
	else
		return true;
	return false;
}

/* ---- the program --------------------------------------------------------------------------------------- */

static void invocation_release(struct invocation *invocation)
{
	for (size_t i = 0; i < invocation->command->n_options; i++)
		strings_release(&invocation->values[i]);
	base_free(invocation->values);
	strings_release(&invocation->operands);
	cli_client_release(invocation);
}

/* "unix:///run/x.sock" as in DOCKER_HOST, or the path itself. NULL: another transport. */
static const char *socket_of(const char *host)
{
	if (strncmp(host, "unix://", 7) == 0)
		return host + 7;
	return strstr(host, "://") ? NULL : host;
}

/* What was said before the command, or by the environment. */
struct before {
	const char *host;
	bool host_given;
	const char *context;
};

static int run(const struct command *command, int argc, char **argv, int at,
	       const struct before *before)
{
	struct invocation invocation = { .command = command,
					 .host = before->host,
					 .host_given = before->host_given,
					 .context_name = before->context };
	struct cursor cursor = { &invocation, argc, argv, at, false, false };
	int status = err_exit_status(ERR_INVALID);
	invocation.values = base_calloc(command->n_options, sizeof(struct strings));
	parse_words(&cursor);
	if (cursor.failed) {
		/* Told already. */
	} else if (cursor.wants_help) {
		help_print_command(command);
		status = 0;
	} else if (!socket_of(invocation.host)) {
		cli_usage(&invocation,
			  "%s: a host is the path of a manager's socket, or unix://PATH; machines "
			  "elsewhere are reached by a context: drover context join",
			  invocation.host);
	} else if (check_operands(&invocation)) {
		invocation.host = socket_of(invocation.host);
		status = command->run(&invocation);
		cli_flush();
	}
	invocation_release(&invocation);
	return status;
}

static int unknown_command(const char *word)
{
	const char *hint = command_hint(NULL, word);
	const char *nearest = command_suggest(word);
	fprintf(stderr, "drover: \"%s\" is not a command%s%s.", word, hint ? ": " : "",
		hint ? hint : "");
	if (nearest && !hint)
		fprintf(stderr, " Did you mean \"%s\"?", nearest);
	fprintf(stderr, "\nSee 'drover help'.\n");
	return err_exit_status(ERR_INVALID);
}

/* The first word is a group's, and the second names none of its commands. */
static int unknown_in_group(const char *group, const char *word)
{
	char both[LIMIT_NAME_BYTES];
	text_print(both, sizeof(both), "%s %s", group, word);
	const char *hint = command_hint(NULL, both);
	const char *nearest = hint ? NULL : command_suggest_of_group(group, word);
	fprintf(stderr, "drover: \"%s\" is not a command%s%s.", both, hint ? ": " : "",
		hint ? hint : "");
	if (nearest)
		fprintf(stderr, " Did you mean \"%s\"?", nearest);
	fprintf(stderr, "\nSee 'drover help %s'.\n", group);
	return err_exit_status(ERR_INVALID);
}

/* The value of an option before the command, as in `docker -H`; letter NULL: it has none. Returns how many words it
 * took; 0: another word. */
static int take_one(int argc, char **argv, int at, const char *letter, const char *name,
		    const char **ret_value)
{
	const char *word = argv[at];
	size_t len = strlen(name);
	bool alone = (letter && strcmp(word, letter) == 0) || strcmp(word, name) == 0;
	if (alone && at + 1 < argc) {
		*ret_value = argv[at + 1];
		return 2;
	}
	if (alone)
		return 0;
	if (strncmp(word, name, len) == 0 && word[len] == '=')
		*ret_value = word + len + 1;
	else if (letter && strncmp(word, letter, 2) == 0)
		*ret_value = word + 2;
	else
		return 0;
	return 1;
}

/* --host or --context before the command. */
static int take_before(int argc, char **argv, int at, struct before *before)
{
	int taken = take_one(argc, argv, at, "-H", "--host", &before->host);
	before->host_given |= taken > 0;
	return taken ? taken : take_one(argc, argv, at, NULL, "--context", &before->context);
}

static bool asks_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Of the program alone, as Docker's: `drover version` asks the manager for its own, too. */
static bool asks_version(const char *word)
{
	return strcmp(word, "--version") == 0 || strcmp(word, "-v") == 0;
}

int cli_main(int argc, char **argv)
{
	_cleanup_free_ char *socket_path = cli_default_socket();
	const char *environment = getenv("DROVER_HOST");
	struct before before = { .host = socket_path, .host_given = environment && *environment };
	int at = 1, words;
	/* Whoever reads our output may leave; cli_flush() notices. */
	signal(SIGPIPE, SIG_IGN);
	for (int taken; at < argc && (taken = take_before(argc, argv, at, &before));)
		at += taken;
	if (at >= argc || asks_help(argv[at])) {
		help_print_all();
		cli_flush();
		return 0;
	}
	if (asks_version(argv[at]) && at + 1 == argc) {
		printf("drover %s\n", DROVER_VERSION);
		cli_flush();
		return 0;
	}
	if (argv[at][0] == '-') {
		fprintf(stderr,
			asks_version(argv[at]) ? "drover: %s stands alone\n"
					       : "drover: %s: only --host, --context, --version "
						 "and --help may stand before the command\n",
			argv[at]);
		fprintf(stderr, "See 'drover help'.\n");
		return err_exit_status(ERR_INVALID);
	}
	const char *word = argv[at];
	const struct command *command = command_find(argc - at, argv + at, &words);
	if (command)
		return run(command, argc, argv, at + words, &before);
	if ((at + 1 >= argc || asks_help(argv[at + 1])) && help_print_group(word))
		return 0;
	return command_is_group(word) ? unknown_in_group(word, argv[at + 1])
				      : unknown_command(word);
}

void cli_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	if (errno != EPIPE)
		fprintf(stderr, "drover: standard output cannot be written: %s\n", strerror(errno));
	/* Not exit(): it would flush, and fail, again. */
	_exit(errno == EPIPE ? 128 + SIGPIPE : err_exit_status(ERR_IO));
}

int cli_fail(const struct invocation *invocation, const struct err *err)
{
	fprintf(stderr, "drover %s: %s%s%s\n", invocation->command->name, err->field,
		err->field[0] ? ": " : "", err->message);
	return err_exit_status(err->code);
}
