/* Prints docs/man/drover.1 from the tables of commands; with a file as operand, compares instead and fails when it is
 * stale. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/command.h"

#define PAGE_BYTES_MAX (1024 * 1024)

/* Text of a paragraph: backslashes and dashes are roff's own, and a line must not begin with a control character. */
static void add_plain(struct text *out, const char *string)
{
	for (; *string; string++) {
		if (*string == '\\')
			text_add(out, "\\e");
		else if (*string == '-')
			text_add(out, "\\-");
		else if (*string == '\n' && string[1] != '\n')
			text_add(out, "\n.PP\n");
		else if (*string == '\n')
			continue; /* an empty line between paragraphs */
		else if ((*string == '.' || *string == '\'') &&
			 (out->len == 0 || out->bytes[out->len - 1] == '\n'))
			text_addf(out, "\\&%c", *string);
		else
			text_add_char(out, *string);
	}
}

static void add_option(struct text *out, const struct option *option)
{
	text_add(out, ".TP\n");
	if (option->letter)
		text_addf(out, "\\fB\\-%c\\fR, ", option->letter);
	text_add(out, "\\fB\\-\\-");
	add_plain(out, option->name);
	text_add(out, "\\fR");
	if (option->value) {
		text_add(out, " \\fI");
		add_plain(out, option->value);
		text_add(out, "\\fR");
	}
	text_add_char(out, '\n');
	add_plain(out, option->help);
	text_add_char(out, '\n');
}

static void add_command(struct text *out, const struct command *command)
{
	text_add(out, ".SS \"drover ");
	add_plain(out, command->name);
	if (command->n_options)
		text_add(out, " [OPTIONS]");
	if (command->operands[0]) {
		text_add_char(out, ' ');
		add_plain(out, command->operands);
	}
	text_add(out, "\"\n");
	add_plain(out, command->summary);
	text_add(out, ".\n");
	if (command->details) {
		text_add(out, ".PP\n");
		add_plain(out, command->details);
		text_add_char(out, '\n');
	}
	for (size_t i = 0; i < command->n_options; i++)
		add_option(out, &command->options[i]);
}

/* Exit statuses, each with the errors that end in it. */
static void add_exit_statuses(struct text *out)
{
	text_add(out, ".SH EXIT STATUS\n.TP\n0\nDone.\n");
	for (int status = 1; status < 128; status++) {
		bool any = false;
		for (int code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
			if (err_exit_status((enum err_code)code) != status)
				continue;
			if (!any)
				text_addf(out, ".TP\n%d\n", status);
			text_add(out, any ? "; " : "");
			add_plain(out, err_text((enum err_code)code));
			any = true;
		}
		text_add(out, any ? ".\n" : "");
	}
	text_add(out,
		 ".TP\n130\nInterrupted by Ctrl\\-C; what was asked for goes on.\n.PP\n"
		 "\\fBdrover run\\fR ends with the status of its task, 127 when its command does "
		 "not exist.\n");
}

static void add_page(struct text *out)
{
	text_add(out, ".\\\" Made from the tables in src/cli; see `make docs`.\n"
		      ".TH DROVER 1 \"\" \"drover " DROVER_VERSION "\" \"User Commands\"\n"
		      ".SH NAME\ndrover \\- run containers from a compose.yaml\n"
		      ".SH SYNOPSIS\n\\fBdrover\\fR [\\fB\\-H\\fR \\fISOCKET\\fR | "
		      "\\fB\\-\\-context\\fR \\fICONTEXT\\fR] \\fICOMMAND\\fR "
		      "[\\fIOPTIONS\\fR] [\\fIOPERANDS\\fR]\n"
		      ".SH DESCRIPTION\n"
		      "drover takes a compose.yaml, decides where each container runs, keeps it "
		      "running, and can always say why something does not. Docker Engine runs the "
		      "containers.\n"
		      ".SH OPTIONS OF EVERY COMMAND\n");
	for (size_t i = 0; i < n_global_options; i++)
		add_option(out, &global_options[i]);
	text_add(out, ".SH WITHOUT A COMMAND\n.TP\n\\fB\\-v\\fR, \\fB\\-\\-version\\fR\n"
		      "print the version of the program; \\fBdrover version\\fR asks the manager "
		      "for its own, too\n");
	text_add(out, ".SH COMMANDS\n");
	for (size_t i = 0; i < n_commands; i++)
		add_command(out, commands[i]);
	add_exit_statuses(out);
	text_add(out, ".SH ENVIRONMENT\n.TP\nDROVER_HOST\nSocket of the manager; \\-\\-host goes "
		      "before it. The default is /run/drover/drover.sock for root, else "
		      "$XDG_RUNTIME_DIR/drover/drover.sock or "
		      "~/.local/state/drover/drover.sock.\n"
		      ".TP\nDROVER_CONTEXT\nName of the context to talk to; \\-\\-context, "
		      "\\-\\-host and DROVER_HOST go before it.\n"
		      ".TP\nDROVER_TOKEN\nJoin token, for \\fBworker \\-\\-join\\fR and "
		      "\\fBcontext join\\fR.\n"
		      ".TP\nDOCKER_CONFIG\nFolder of config.json, whose registry credentials the "
		      "worker uses; the default is ~/.docker.\n"
		      ".SH FILES\n.TP\n/var/lib/drover\nState, for root; ~/.local/share/drover "
		      "else. \\-\\-data\\-dir names another folder.\n"
		      ".TP\n~/.config/drover/contexts\nKeys and certificates of the clusters this "
		      "user has joined, a folder each; ~/.config/drover/context names the one in "
		      "use.\n"
		      ".SH SEE ALSO\n.BR docker (1)\n");
}

int main(int argc, char **argv)
{
	struct text page;
	text_init(&page, PAGE_BYTES_MAX);
	add_page(&page);
	if (argc < 2) {
		fwrite(page.bytes, 1, page.len, stdout);
		return 0;
	}
	FILE *file = fopen(argv[1], "r");
	_cleanup_free_ char *found = base_calloc(PAGE_BYTES_MAX, 1);
	size_t len = file ? fread(found, 1, PAGE_BYTES_MAX, file) : 0;
	if (file)
		fclose(file);
	bool same = len == page.len && memcmp(found, page.bytes, len) == 0;
	if (!same)
		fprintf(stderr, "%s is not what the tables say: run `make docs`\n", argv[1]);
	text_release(&page);
	return same ? 0 : 1;
}
