#include "cli/plan_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/json.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "trust/files.h"

// clang-format off
static const struct field plan_file_fields[] = {
	ROW_INT(1, struct plan_file, drover_plan, LIMIT_COUNT, .flags = FIELD_REQUIRED),
	ROW_INT(2, struct plan_file, seal, LIMIT_COUNT, .flags = FIELD_REQUIRED),
	ROW_STRUCT(3, struct plan_file, request, project_request, .flags = FIELD_REQUIRED),
	ROW_STRUCT(4, struct plan_file, plan, project_plan, .flags = FIELD_REQUIRED),
};
RECORD_TYPE(plan_file, struct plan_file, plan_file_fields);
// clang-format on

static int64_t seal_of(const struct project_request *request)
{
	return BASIS_HASH(record_hash(&project_request_type, request));
}

enum err_code plan_file_write(const char *path, const struct project_request *request,
			      const struct project_plan *plan, struct err *err)
{
	struct plan_file file = { .drover_plan = PLAN_FILE_FORM };
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder =
		slash ? base_strndup(path, slash == path ? 1 : (size_t)(slash - path))
		      : base_strdup(".");
	record_copy(&project_request_type, &file.request, request);
	record_copy(&project_plan_type, &file.plan, plan);
	file.request.basis = base_calloc(1, sizeof(struct plan_basis));
	*file.request.basis = file.plan.basis;
	file.plan.basis = (struct plan_basis){ 0 };
	file.seal = seal_of(&file.request);
	_cleanup_free_ char *text = json_write_record(&plan_file_type, &file, JSON_INTERNAL);
	record_release(&plan_file_type, &file);
	if (trust_file_write(folder, slash ? slash + 1 : path, text, strlen(text), err) == ERR_NONE)
		return ERR_NONE;
	err->code = ERR_IO;
	return err->code;
}

static enum err_code read_all(const char *path, struct text *text, struct err *err)
{
	char chunk[16384];
	size_t n;
	FILE *file = fopen(path, "re");
	if (!file)
		return err_set_field(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, path,
				     "cannot be opened: %s", strerror(errno));
	while (!text->cut && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		text_add_bytes(text, chunk, n);
	bool failed = ferror(file);
	fclose(file);
	if (failed)
		return err_set_field(err, ERR_IO, path, "cannot be read");
	if (text->cut)
		return err_set_field(err, ERR_TOO_LARGE, path, "is larger than %d bytes",
				     LIMIT_PLAN_FILE_BYTES);
	return ERR_NONE;
}

static enum err_code check(const struct plan_file *file, const char *path, struct err *err)
{
	if (!file->drover_plan)
		return err_set_field(err, ERR_INVALID, path, "is no plan of drover's");
	if (file->drover_plan != PLAN_FILE_FORM)
		return err_set_field(err, ERR_INVALID, path,
				     "was written by another release of drover (form %lld, and "
				     "this one reads %d): make the plan again",
				     (long long)file->drover_plan, PLAN_FILE_FORM);
	if (!file->request.name || !file->request.basis)
		return err_set_field(err, ERR_INVALID, path, "does not say what it was made from");
	if (file->seal != seal_of(&file->request))
		return err_set_field(err, ERR_INVALID, path,
				     "was edited, so it is not what `drover plan` has shown: make "
				     "the plan again");
	return ERR_NONE;
}

enum err_code plan_file_read(const char *path, struct plan_file *ret_file, struct err *err)
{
	struct text text;
	text_init(&text, LIMIT_PLAN_FILE_BYTES);
	enum err_code code = read_all(path, &text, err);
	if (!code) {
		code = json_read_record(&plan_file_type, text.len ? text.bytes : "", text.len,
					LIMIT_PLAN_FILE_VALUES, JSON_INTERNAL, ret_file, err);
		if (code)
			err_prefix_field(err, path), err_prefix(err, "is no plan of drover's");
	}
	text_release(&text);
	if (code)
		return code;
	code = check(ret_file, path, err);
	if (code)
		record_release(&plan_file_type, ret_file);
	return code;
}
