#include "compose/words.h"

#include <string.h>

#include "base/limits.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Text between double quotes, where a backslash quotes only what would be special. */
static const char *read_double_quoted(const char *at, struct text *word)
{
	while (*at && *at != '"') {
		if (*at == '\\' && at[1] == '\n') {
			at += 2;
			continue;
		}
		if (*at == '\\' && at[1] && strchr("\"\\$`", at[1]))
			at++;
		text_add_char(word, *at++);
	}
	return at;
}

/* One word; returns where it ends, or NULL with err set. */
static const char *read_word(const char *at, struct text *word, struct err *err)
{
	while (*at && !is_blank(*at)) {
		char quote = *at;
		if (quote == '\\') {
			if (!at[1]) {
				err_set(err, ERR_SYNTAX, "the command ends in a backslash");
				return NULL;
			}
			if (at[1] != '\n')
				text_add_char(word, at[1]);
			at += 2;
			continue;
		}
		if (quote != '\'' && quote != '"') {
			text_add_char(word, *at++);
			continue;
		}
		at++;
		if (quote == '"')
			at = read_double_quoted(at, word);
		else
			while (*at && *at != '\'')
				text_add_char(word, *at++);
		if (!*at) {
			err_set(err, ERR_SYNTAX, "a quote (%c) is not closed", quote);
			return NULL;
		}
		at++;
	}
	return at;
}

enum err_code words_split(const char *line, struct strings *words, struct err *err)
{
	struct text word;
	enum err_code code = ERR_NONE;
	text_init(&word, LIMIT_STRING_BYTES);
	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line)
			break;
		text_clear(&word);
		line = read_word(line, &word, err);
		if (!line)
			code = ERR_SYNTAX;
		else if (word.cut || words->n == LIMIT_LIST_ITEMS)
			code = err_set(err, ERR_TOO_LARGE, "the command is too long");
		if (code)
			break;
		strings_add(words, text_string(&word));
	}
	text_release(&word);
	return code;
}
