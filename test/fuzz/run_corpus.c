/* Runs a fuzz target over files that are known: every input that ever broke something stays one that must not. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#include "fuzz.h"

#define FILE_BYTES_MAX (8 << 20)

/* Named before it runs, so that a crash is preceded by the name of its input. */
static int run_file(const char *path)
{
	printf("%s\n", path);
	fflush(stdout);
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		return -1;
	}
	uint8_t *buffer = base_calloc(FILE_BYTES_MAX, 1);
	size_t len = fread(buffer, 1, FILE_BYTES_MAX, file);
	fclose(file);
	/* Exactly as long as the input, so that a sanitizer sees a read behind it. */
	uint8_t *input = base_memdup(buffer, len);
	base_free(buffer);
	LLVMFuzzerTestOneInput(input, len);
	base_free(input);
	return 0;
}

/* Returns the number of inputs, or -1. */
static int run_folder(const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort);
	if (n < 0) {
		perror(folder);
		return -1;
	}
	int ran = 0;
	for (int i = 0; i < n; i++) {
		char path[4096];
		if (ran >= 0 && entries[i]->d_name[0] != '.') {
			text_print(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
			ran = run_file(path) == 0 ? ran + 1 : -1;
		}
		free(entries[i]);
	}
	free(entries);
	return ran;
}

int main(int argc, char **argv)
{
	int total = 0;
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		int ran = run_folder(argv[i]);
		if (ran < 0)
			return 1;
		total += ran;
	}
	printf("%d inputs\n", total);
	return total > 0 ? 0 : 1;
}
