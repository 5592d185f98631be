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
size_t word_distance(const char *a, const char *b)
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

/* A word of which more than half would have to change is not near. */
bool word_is_near(const char *word, size_t distance)
{
	return distance < strlen(word) / 2 + 1;
}

/* The nearest so far. */
struct nearest {
	const char *word;
	const char *name;
	size_t distance;
};

static struct nearest nearest_to(const char *word)
{
	return (struct nearest){ .word = word, .distance = strlen(word) / 2 + 1 };
}

static void compare(struct nearest *nearest, const char *compared, const char *name)
{
	size_t far = word_distance(nearest->word, compared);
	if (far >= nearest->distance)
		return;
	nearest->distance = far;
	nearest->name = name;
}

const char *command_suggest(const char *word)
{
	struct nearest nearest = nearest_to(word);
	for (size_t i = 0; i < n_commands; i++)
		compare(&nearest, commands[i]->name, commands[i]->name);
	return nearest.name;
}

const char *command_suggest_of_group(const char *group, const char *word)
{
	struct nearest nearest = nearest_to(word);
	size_t len = strlen(group);
	for (size_t i = 0; i < n_commands; i++) {
		const char *name = commands[i]->name;
		if (strncmp(name, group, len) == 0 && name[len] == ' ')
			compare(&nearest, name + len + 1, name);
	}
	return nearest.name;
}

bool command_is_group(const char *word)
{
	size_t len = strlen(word);
	for (size_t i = 0; i < n_commands; i++)
		if (strncmp(commands[i]->name, word, len) == 0 && commands[i]->name[len] == ' ')
			return true;
	return false;
}

bool command_takes(const struct command *command, const char *option)
{
	for (size_t i = 0; i < command->n_options; i++)
		if (strcmp(command->options[i].name, option) == 0)
			return true;
	return false;
}

const char *option_suggest(const struct command *command, const char *name)
{
	struct nearest nearest = nearest_to(name);
	for (size_t i = 0; i < command->n_options; i++)
		compare(&nearest, command->options[i].name, command->options[i].name);
	for (size_t i = 0; i < n_global_options; i++)
		compare(&nearest, global_options[i].name, global_options[i].name);
	return nearest.name;
}
