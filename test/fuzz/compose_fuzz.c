/* Compose files: whatever loads is printed, and the print must load as an equal request. NUL bytes part the input: the
 * first part is the Compose file; a later one that begins with "#+" is merged over it, as by another -f; each of them
 * is also what is read where a file names another (env_file, extends, include, .env): the digit in that name chooses.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "compose/compose.h"

#include "fuzz.h"

#define PARTS_MAX 8

struct input {
	char *parts[PARTS_MAX];
	size_t n;
};

static char *read_file(void *reader, const char *path, size_t *ret_len, struct err *err)
{
	const struct input *input = reader;
	const char *slash = strrchr(path, '/');
	const char *digit = strpbrk(slash ? slash : path, "0123456789");
	size_t index = digit ? (size_t)(*digit - '0') : 1;
	if (index >= input->n) {
		err_set(err, ERR_NOT_FOUND, "no such file");
		return NULL;
	}
	*ret_len = strlen(input->parts[index]);
	return base_strdup(input->parts[index]);
}

static void split(const char *bytes, size_t len, struct input *input)
{
	const char *end = bytes + len;
	while (input->n < PARTS_MAX) {
		const char *nul = bytes < end ? memchr(bytes, '\0', (size_t)(end - bytes)) : NULL;
		size_t part_len = (size_t)((nul ? nul : end) - bytes);
		input->parts[input->n++] = base_strndup(bytes, part_len);
		if (!nul)
			return;
		bytes = nul + 1;
	}
}

/* What is not printed is left behind: services of other profiles. */
static void round_trip(struct project_request *request, struct compose_options options)
{
	struct project_request again;
	struct compose_warnings warnings = { 0 };
	struct err err;
	char *printed = compose_print(request);
	struct compose_file file = { "printed.yaml", printed, strlen(printed) };
	options.files = &file;
	options.n_files = 1;
	enum err_code code = compose_load(&options, &again, &warnings, &err);
	INVARIANT(code == ERR_NONE);
	strings_release(&request->inactive);
	INVARIANT(record_equal(&project_request_type, request, &again));
	record_release(&project_request_type, &again);
	strings_release(&warnings.items);
	strings_release(&warnings.mistakes);
	base_free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct input input = { .n = 0 };
	struct compose_file files[PARTS_MAX];
	struct pairs environment = { 0 };
	struct compose_warnings warnings = { 0 };
	struct project_request request;
	struct err err;
	pairs_add(&environment, "HOME", "/root");
	pairs_add(&environment, "TAG", "1.0");
	struct compose_options options = { .files = files,
					   .directory = "/srv/fuzz",
					   .environment = &environment,
					   .read_file = read_file,
					   .reader = &input };
	split((const char *)bytes, len, &input);
	for (size_t i = 0; i < input.n; i++)
		if (i == 0 || strncmp(input.parts[i], "#+", 2) == 0)
			files[options.n_files++] =
				(struct compose_file){ "compose.yaml", input.parts[i],
						       strlen(input.parts[i]) };
	if (compose_load(&options, &request, &warnings, &err) == ERR_NONE) {
		round_trip(&request, options);
		record_release(&project_request_type, &request);
	}
	for (size_t i = 0; i < input.n; i++)
		base_free(input.parts[i]);
	strings_release(&warnings.items);
	strings_release(&warnings.mistakes);
	pairs_release(&environment);
	return 0;
}
