#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "cli/command.h"

const struct option global_options[] = {
	{ "host", 'H', OPTION_STRING, "SOCKET",
	  "socket of the manager (environment: DROVER_HOST)" },
	{ "context", 0, OPTION_STRING, "CONTEXT",
	  "cluster to talk to (environment: DROVER_CONTEXT)" },
	{ "help", 'h', OPTION_FLAG, NULL, "show this help" },
};
const size_t n_global_options = ARRAY_LEN(global_options);

void help_print_all(void)
{
	printf("drover runs containers from a compose.yaml, keeps them running, and says why when "
	       "it "
	       "cannot.\n\n"
	       "Usage: drover [-H SOCKET | --context CONTEXT] COMMAND [OPTIONS] "
	       "[OPERANDS]\n       drover --version\n\nCommands:\n");
	for (size_t i = 0; i < n_commands; i++)
		printf("  %-13s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n'drover help COMMAND' says more. Start here: drover dev, then drover up.\n");
}

bool help_print_group(const char *word)
{
	bool any = false;
	size_t len = strlen(word);
	for (size_t i = 0; i < n_commands; i++) {
		const char *name = commands[i]->name;
		if (strncmp(name, word, len) != 0 || name[len] != ' ')
			continue;
		if (!any)
			printf("Usage: drover %s COMMAND\n\nCommands:\n", word);
		printf("  %-13s %s\n", name, commands[i]->summary);
		any = true;
	}
	return any;
}

#define HELP_COLUMNS   100
#define OPTION_COLUMNS 33

/* Words in lines of at most HELP_COLUMNS, each but the first behind an indent. A line break in the text stays one. */
static void print_filled(const char *string, size_t indent)
{
	size_t column = indent;
	bool begins = true;
	while (*string) {
		size_t len = strcspn(string, " \n");
		if (!begins && column + 1 + len > HELP_COLUMNS) {
			printf("\n%*s", (int)indent, "");
			column = indent;
			begins = true;
		}
		printf("%s%.*s", begins ? "" : " ", (int)len, string);
		column += len + !begins;
		begins = false;
		string += len;
		if (*string == '\n') {
			printf("\n%*s", (int)indent, "");
			column = indent;
			begins = true;
		}
		string += *string != '\0';
	}
	puts("");
}

static void print_option(const struct option *option)
{
	char left[64];
	text_print(left, sizeof(left), "--%s%s%s", option->name, option->value ? " " : "",
		   option->value ? option->value : "");
	if (option->letter)
		printf("  -%c, %-26s ", option->letter, left);
	else
		printf("      %-26s ", left);
	print_filled(option->help, OPTION_COLUMNS);
}

void help_print_command(const struct command *command)
{
	printf("Usage: drover %s%s%s%s\n\n%s\n", command->name,
	       command->n_options ? " [OPTIONS]" : "", command->operands[0] ? " " : "",
	       command->operands, command->summary);
	if (command->details) {
		puts("");
		print_filled(command->details, 0);
	}
	printf("\nOptions:\n");
	for (size_t i = 0; i < command->n_options; i++)
		print_option(&command->options[i]);
	for (size_t i = 0; i < n_global_options; i++)
		print_option(&global_options[i]);
}

static int run(struct invocation *invocation)
{
	const struct strings *words = &invocation->operands;
	int n_words;
	if (words->n == 0) {
		help_print_all();
		return 0;
	}
	const struct command *command = command_find((int)words->n, words->items, &n_words);
	if (!command && help_print_group(words->items[0]))
		return 0;
	if (!command) {
		fprintf(stderr, "drover help: \"%s\" is not a command\nSee 'drover help'.\n",
			words->items[0]);
		return err_exit_status(ERR_INVALID);
	}
	help_print_command(command);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "Say what drover or one command does",
	.operands_max = 2,
	.run = run,
};
