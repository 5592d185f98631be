/* From words to rows of the table of commands. */
#include <string.h>

#include "base/alloc.h"
#include "cli/command.h"

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
