/* steps.n == joints.n; at <= steps.n. */
#include "runtime/fake_program.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

static const char loop_head[] = "while :; do sleep ";

void fake_program_release(struct fake_program *program)
{
	strings_release(&program->steps);
	strings_release(&program->joints);
	base_free(program->folder);
	*program = (struct fake_program){ 0 };
}

static void add_step(struct fake_program *program, const char *bytes, size_t len, const char *joint)
{
	while (len > 0 && (*bytes == ' ' || *bytes == '\n'))
		bytes++, len--;
	while (len > 0 && (bytes[len - 1] == ' ' || bytes[len - 1] == '\n'))
		len--;
	if (len == 0)
		return;
	_cleanup_free_ char *step = base_strndup(bytes, len);
	strings_add(&program->steps, step);
	strings_add(&program->joints, joint);
}

/* Bytes up to the next ';' or "&&" outside of quotes. */
static size_t step_len(const char *script)
{
	char quote = 0;
	size_t i = 0;
	for (; script[i]; i++) {
		char c = script[i];
		if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == ';' || c == '\n' || (c == '&' && script[i + 1] == '&'))
			break;
	}
	return i;
}

static void add_script(struct fake_program *program, const char *script)
{
	const char *joint = ";";
	while (*script) {
		while (*script == ' ')
			script++;
		if (strncmp(script, loop_head, strlen(loop_head)) == 0) {
			const char *done = strstr(script, "done");
			add_step(program, "sleep for-ever", 14, joint);
			script = done ? done + 4 : script + strlen(script);
			continue;
		}
		size_t len = step_len(script);
		add_step(program, script, len, joint);
		script += len;
		joint = *script == '&' ? "&&" : ";";
		script += *script == '&' ? 2 : *script != 0;
	}
}

/* The command's first word without its folder. */
static bool is_command(const char *word, const char *command)
{
	const char *slash = strrchr(word, '/');
	if (slash && strncmp(word, "/bin/", 5) != 0 && strncmp(word, "/usr/bin/", 9) != 0)
		return false;
	return strcmp(slash ? slash + 1 : word, command) == 0;
}

static bool is_known(const char *word)
{
	static const char *const commands[] = { "true", "false", "echo", "sleep", "exit", "trap",
						"cat",	"test",	 "ping", "tail",  "sh",	  "httpd" };
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (is_command(word, commands[i]))
			return true;
	return false;
}

bool fake_program_init(struct fake_program *program, const struct strings *argv, bool init,
		       const char **ret_why)
{
	*program = (struct fake_program){ .init = init, .trapped_exit = -1, .own = argv->n == 0 };
	if (program->own)
		return true;
	if (!is_known(argv->items[0])) {
		bool path = strchr(argv->items[0], '/') != NULL;
		*ret_why =
			path ? "no such file or directory" : "executable file not found in $PATH";
		return false;
	}
	if (is_command(argv->items[0], "sh") && argv->n >= 3) {
		add_script(program, argv->items[2]);
		return true;
	}
	struct text line;
	text_init(&line, LIMIT_STRING_BYTES);
	for (size_t i = 0; i < argv->n; i++)
		text_addf(&line, "%s%s", i ? " " : "", argv->items[i]);
	add_step(program, text_string(&line), line.len, ";");
	text_release(&line);
	return true;
}

/* Text without the quotes around it. */
static char *unquoted(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] == ' ')
		len--;
	if (len >= 2 && (*text == '"' || *text == '\'') && text[len - 1] == *text)
		return base_strndup(text + 1, len - 2);
	return base_strndup(text, len);
}

static void run_echo(const struct fake_program_host *host, const char *words)
{
	const char *redirect = strchr(words, '>');
	bool to_error = redirect && strncmp(redirect, ">&2", 3) == 0;
	_cleanup_free_ char *text =
		unquoted(words, redirect ? (size_t)(redirect - words) : strlen(words));
	struct text line;
	text_init(&line, LIMIT_STRING_BYTES);
	text_addf(&line, "%s\n", text);
	if (redirect && !to_error) {
		redirect += strspn(redirect, "> ");
		host->file_write(host->owner, redirect, text_string(&line));
	} else {
		host->output(host->owner, to_error ? 2 : 1, text_string(&line));
	}
	text_release(&line);
}

static int run_cat(const struct fake_program_host *host, const char *path)
{
	const char *text = host->file_read(host->owner, path);
	host->output(host->owner, text ? 1 : 2,
		     text ? text : "cat: can't open: No such file or directory\n");
	return text ? 0 : 1;
}

static int run_ping(const struct fake_program_host *host, const char *words)
{
	const char *blank = strrchr(words, ' ');
	const char *name = blank ? blank + 1 : words;
	if (host->resolves(host->owner, name))
		return 0;
	host->output(host->owner, 2, "ping: bad address\n");
	return 1;
}

static void run_trap(struct fake_program *program, const char *words)
{
	const char *code = strstr(words, "exit ");
	program->term_ignored = !code;
	program->trapped_exit = code ? (int)strtol(code + 5, NULL, 10) : -1;
}

/* The word behind an option; NULL: it is not given. */
static char *option_of(const char *words, const char *option)
{
	const char *at = strstr(words, option);
	if (!at)
		return NULL;
	at += strlen(option);
	at += strspn(at, " ");
	return base_strndup(at, strcspn(at, " "));
}

static void run_httpd(struct fake_program *program, const char *words)
{
	_cleanup_free_ char *port = option_of(words, "-p");
	base_free(program->folder);
	program->folder = option_of(words, "-h");
	program->port = port ? strtol(port, NULL, 10) : 80;
	program->sleep_ms = -1;
}

/* The words behind the command. */
static const char *words_of(const char *step)
{
	const char *blank = strchr(step, ' ');
	if (!blank)
		return "";
	return blank + strspn(blank, " ");
}

static bool starts_with(const char *step, const char *command)
{
	size_t len = strcspn(step, " ");
	_cleanup_free_ char *word = base_strndup(step, len);
	return is_command(word, command);
}

/* One simple command. True: the program ends here. */
static bool run_step(struct fake_program *program, const struct fake_program_host *host,
		     const char *step)
{
	const char *words = words_of(step);
	program->status = 0;
	if (starts_with(step, "echo")) {
		run_echo(host, words);
	} else if (starts_with(step, "false")) {
		program->status = 1;
	} else if (starts_with(step, "sleep")) {
		program->sleep_ms =
			strcmp(words, "for-ever") == 0 ? -1 : (int64_t)(strtod(words, NULL) * 1000);
	} else if (starts_with(step, "exit")) {
		program->status = (int)strtol(words, NULL, 10);
		return true;
	} else if (starts_with(step, "trap")) {
		run_trap(program, words);
	} else if (starts_with(step, "cat")) {
		program->status = run_cat(host, words);
	} else if (starts_with(step, "test")) {
		program->status =
			host->file_read(host->owner, words + strspn(words, "-f ")) ? 0 : 1;
	} else if (starts_with(step, "ping")) {
		program->status = run_ping(host, words);
	} else if (starts_with(step, "httpd")) {
		run_httpd(program, words);
	} else if (starts_with(step, "tail")) {
		program->out_of_memory = host->memory_limited;
		program->status = 137;
		if (!host->memory_limited)
			program->sleep_ms = -1;
		return host->memory_limited;
	} else if (!starts_with(step, "true")) {
		host->output(host->owner, 2, "sh: not found\n");
		program->status = 127;
	}
	return false;
}

enum fake_program_state fake_program_run(struct fake_program *program,
					 const struct fake_program_host *host)
{
	if (program->own) {
		program->sleep_ms = -1;
		return FAKE_PROGRAM_RUNS;
	}
	while (program->at < program->steps.n) {
		size_t at = program->at++;
		if (strcmp(program->joints.items[at], "&&") == 0 && program->status != 0)
			continue;
		program->sleep_ms = 0;
		if (run_step(program, host, program->steps.items[at]))
			return FAKE_PROGRAM_ENDED;
		if (program->sleep_ms != 0)
			return FAKE_PROGRAM_RUNS;
	}
	return FAKE_PROGRAM_ENDED;
}

bool fake_program_signal(struct fake_program *program, int signal)
{
	if (signal == SIGKILL) {
		program->status = 128 + SIGKILL;
		return true;
	}
	if (program->term_ignored)
		return false;
	if (program->trapped_exit >= 0) {
		program->status = program->trapped_exit;
		return true;
	}
	if (program->own) {
		program->status = 0;
		return true;
	}
	program->status = 128 + signal;
	return program->init;
}
