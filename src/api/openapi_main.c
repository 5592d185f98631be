/* Prints docs/openapi.yaml; with a file as operand, compares instead and fails when it is stale. */
#include <stdio.h>
#include <string.h>

#include "api/openapi.h"
#include "base/alloc.h"

#define DOCUMENT_BYTES_MAX (4 * 1024 * 1024)

int main(int argc, char **argv)
{
	struct text text;
	text_init(&text, DOCUMENT_BYTES_MAX);
	openapi_print(&text);
	if (argc < 2) {
		fwrite(text.bytes, 1, text.len, stdout);
		return 0;
	}
	FILE *file = fopen(argv[1], "r");
	_cleanup_free_ char *found = base_calloc(DOCUMENT_BYTES_MAX, 1);
	size_t len = file ? fread(found, 1, DOCUMENT_BYTES_MAX, file) : 0;
	if (file)
		fclose(file);
	bool same = len == text.len && memcmp(found, text.bytes, len) == 0;
	if (!same)
		fprintf(stderr, "%s is not what the tables say: run `make openapi`\n", argv[1]);
	text_release(&text);
	return same ? 0 : 1;
}
