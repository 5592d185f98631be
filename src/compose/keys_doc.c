/* Writes the tables of docs/compose.md: `compose-keys-doc FILE` prints FILE with the text between its two marks made
 * anew, `compose-keys-doc` prints the tables alone. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "compose/keys.h"

#define BEGIN_MARK "<!-- keys: begin -->\n"
#define END_MARK   "<!-- keys: end -->\n"

static char *read_whole(const char *path)
{
	struct text text;
	char buffer[4096];
	size_t n;
	FILE *file = fopen(path, "rb");
	if (!file)
		return NULL;
	text_init(&text, 1 << 24);
	while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
		text_add_bytes(&text, buffer, n);
	fclose(file);
	return text_take(&text);
}

int main(int argc, char **argv)
{
	struct text tables;
	text_init(&tables, 1 << 24);
	keys_markdown(&tables);
	if (argc < 2) {
		fputs(text_string(&tables), stdout);
		text_release(&tables);
		return 0;
	}
	_cleanup_free_ char *page = read_whole(argv[1]);
	const char *begin = page ? strstr(page, BEGIN_MARK) : NULL;
	const char *end = begin ? strstr(begin, END_MARK) : NULL;
	if (!end) {
		fprintf(stderr, "%s: cannot be read, or lacks its marks\n", argv[1]);
		text_release(&tables);
		return 1;
	}
	fwrite(page, 1, (size_t)(begin - page) + strlen(BEGIN_MARK), stdout);
	fputs(text_string(&tables), stdout);
	fputs(end, stdout);
	text_release(&tables);
	return 0;
}
