#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "compose/at.h"

/* Kept while reading goes on, which is not in the order of lines; the first of that order are told. */
#define KEPT_MAX 200

static bool is_same(const struct err *a, const struct err *b)
{
	return strcmp(a->field, b->field) == 0 && strcmp(a->message, b->message) == 0;
}

enum err_code at_note(const struct at *at, enum err_code before, const struct err *mistake,
		      struct err *err)
{
	struct load *load = at->load;
	bool known = false;
	if (!before && err)
		*err = *mistake;
	/* Who read the mapping around it notes it again. */
	for (size_t i = 0; i < load->mistakes.n && !known; i++)
		known = is_same(&load->mistakes.items[i].err, mistake);
	/* Of those that are not kept it is known by nothing having failed since. */
	if (!known && load->mistakes.n == KEPT_MAX)
		load->mistakes_untold += load->failed_at != NULL;
	else if (!known)
		*(struct mistake *)list_add(&load->mistakes, sizeof(struct mistake)) =
			(struct mistake){ load, load->failed_at ? load->failed_at : at->node,
					  *mistake };
	load->failed_at = NULL;
	return before ? before : mistake->code;
}

static size_t file_of(const struct mistake *mistake)
{
	const struct load *load = mistake->load;
	size_t i = 0;
	while (i < load->files.n && &load->files.items[i]->source != mistake->where->source)
		i++;
	return i;
}

static int compare(const void *left, const void *right)
{
	const struct mistake *a = left, *b = right;
	size_t file_a = file_of(a), file_b = file_of(b);
	if (file_a != file_b)
		return file_a < file_b ? -1 : 1;
	if (a->where->line != b->where->line)
		return a->where->line < b->where->line ? -1 : 1;
	return (a->where->column > b->where->column) - (a->where->column < b->where->column);
}

void load_tell_mistakes(struct load *load, struct err *err)
{
	struct mistake *mistakes = load->mistakes.items;
	size_t n = load->mistakes.n;
	if (n == 0)
		return;
	qsort(mistakes, n, sizeof(*mistakes), compare);
	*err = mistakes[0].err;
	if (!load->warnings)
		return;
	size_t n_told = n < LIMIT_COMPOSE_MISTAKES ? n : LIMIT_COMPOSE_MISTAKES;
	for (size_t i = 1; i < n_told; i++) {
		struct text text;
		text_init(&text, LIMIT_MESSAGE_BYTES);
		text_addf(&text, "%s: %s", mistakes[i].err.field, mistakes[i].err.message);
		strings_add(&load->warnings->mistakes, text_string(&text));
		text_release(&text);
	}
	load->warnings->n_untold = n - n_told + load->mistakes_untold;
}
