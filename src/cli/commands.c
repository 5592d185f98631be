/* The table of commands, in the order help shows them. A new command: one file, one declaration and one row here. */
#include <string.h>

#include "base/alloc.h"
#include "cli/command.h"

extern const struct command command_dev, command_manager, command_worker, command_version,
	command_help;
extern const struct command command_up, command_down, command_config, command_run, command_stop,
	command_rm, command_scale, command_restart, command_ps, command_jobs, command_nodes,
	command_inspect, command_why, command_logs, command_events, command_volume_ls,
	command_volume_rm;

const struct command *const commands[] = {
	&command_dev,	  &command_up,	      &command_down,	  &command_config,  &command_run,
	&command_ps,	  &command_jobs,      &command_why,	  &command_logs,    &command_events,
	&command_inspect, &command_scale,     &command_stop,	  &command_restart, &command_rm,
	&command_nodes,	  &command_volume_ls, &command_volume_rm, &command_manager, &command_worker,
	&command_version, &command_help,
};
const size_t n_commands = ARRAY_LEN(commands);

/* Does the name stand at the start of argv? Its number of words, or 0. */
static int match(const char *name, int argc, char **argv)
{
	const char *blank = strchr(name, ' ');
	if (!blank)
		return strcmp(name, argv[0]) == 0;
	size_t len = (size_t)(blank - name);
	bool first = strlen(argv[0]) == len && memcmp(argv[0], name, len) == 0;
	return first && argc > 1 && argv[1] && strcmp(blank + 1, argv[1]) == 0 ? 2 : 0;
}

const struct command *command_find(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < n_commands; i++) {
		int words = match(commands[i]->name, argc, argv);
		if (words) {
			*ret_words = words;
			return commands[i];
		}
	}
	return NULL;
}

/* Edit distance of two short words (Levenshtein), counting at most `SUGGEST_BYTES` of each. */
#define SUGGEST_BYTES 24
static size_t distance(const char *a, const char *b)
{
	size_t row[SUGGEST_BYTES + 1];
	size_t a_len = strnlen(a, SUGGEST_BYTES);
	size_t b_len = strnlen(b, SUGGEST_BYTES);
	for (size_t k = 0; k <= b_len; k++)
		row[k] = k;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t k = 1; k <= b_len; k++) {
			size_t above = row[k];
			size_t best = diagonal + (a[i - 1] != b[k - 1]);
			best = above + 1 < best ? above + 1 : best;
			row[k] = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
			diagonal = above;
		}
	}
	return row[b_len];
}

const char *command_suggest(const char *word)
{
	const char *nearest = NULL;
	size_t least = strlen(word) / 2 + 1;
	for (size_t i = 0; i < n_commands; i++) {
		size_t far = distance(word, commands[i]->name);
		if (far < least) {
			least = far;
			nearest = commands[i]->name;
		}
	}
	return nearest;
}
