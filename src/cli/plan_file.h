/* The file of `drover plan --out`: what was asked for, what the plan was made from, and the plan itself. Only its owner
 * can read it, for it holds what the project's files hold. */
#ifndef CLI_PLAN_FILE_H
#define CLI_PLAN_FILE_H

#include "api/views.h"
#include "cli/command.h"

struct plan_file {
	int64_t drover_plan;		/* the form of the file: PLAN_FILE_FORM */
	int64_t seal;			/* hash of the request: was it edited? */
	struct project_request request; /* with its basis */
	struct project_plan plan;
};
extern const struct record_type plan_file_type;
#define PLAN_FILE_FORM 2

/* Takes the plan's basis into a copy of the request, and writes both. ERR_IO. */
enum err_code plan_file_write(const char *path, const struct project_request *request,
			      const struct project_plan *plan, struct err *err) WARN_UNUSED;

/* ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE; ERR_INVALID, ERR_SYNTAX for what is no plan, one of another form, and one that
 * was edited. The caller releases the file. */
enum err_code plan_file_read(const char *path, struct plan_file *ret_file,
			     struct err *err) WARN_UNUSED;

#endif
