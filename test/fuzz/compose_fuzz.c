/* Compose files: whatever loads is printed, and the print must load as an equal request. Bytes behind the first NUL are
 * the text of every file that the Compose file names, .env among them. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "compose/compose.h"

#include "fuzz.h"

struct input {
	const char *files;
	size_t files_len;
};

static char *read_file(void *reader, const char *path, size_t *ret_len, struct err *err)
{
	const struct input *input = reader;
	(void)path;
	if (!input->files) {
		err_set(err, ERR_NOT_FOUND, "no such file");
		return NULL;
	}
	*ret_len = input->files_len;
	return base_strndup(input->files, input->files_len);
}

static void round_trip(const struct project_request *request, struct compose_options options)
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
	INVARIANT(record_equal(&project_request_type, request, &again));
	record_release(&project_request_type, &again);
	strings_release(&warnings.items);
	base_free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const uint8_t *end = len ? memchr(bytes, '\0', len) : NULL;
	size_t text_len = end ? (size_t)(end - bytes) : len;
	struct input input = { 0 };
	struct pairs environment = { 0 };
	struct compose_warnings warnings = { 0 };
	struct project_request request;
	struct err err;
	if (end) {
		input.files = (const char *)end + 1;
		input.files_len = len - text_len - 1;
	}
	pairs_add(&environment, "HOME", "/root");
	pairs_add(&environment, "TAG", "1.0");
	_cleanup_free_ char *text = base_strndup((const char *)bytes, text_len);
	struct compose_file file = { "compose.yaml", text, text_len };
	struct compose_options options = { .files = &file,
					   .n_files = 1,
					   .directory = "/srv/fuzz",
					   .environment = &environment,
					   .read_file = read_file,
					   .reader = &input };
	if (compose_load(&options, &request, &warnings, &err) == ERR_NONE) {
		round_trip(&request, options);
		record_release(&project_request_type, &request);
	}
	strings_release(&warnings.items);
	pairs_release(&environment);
	return 0;
}
