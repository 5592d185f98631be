/* What commands that show things share: the -o option, lists fetched whole, JSON printed. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/command.h"
#include "cli/table.h"

enum output_form { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON };

#define OPTION_OUTPUT                                                                              \
	{                                                                                          \
		"output", 'o', OPTION_STRING, "FORM", "wide for more columns, json for programs"   \
	}

/* Read --output. ERR_INVALID. */
enum err_code output_form(const struct invocation *invocation, enum output_form *ret_form,
			  struct err *err) WARN_UNUSED;

/* Print a record as indented JSON. */
void output_json(const struct record_type *type, const void *record);

/* Fetch all pages of a list; `query` is "project=x&job=y" or "". The caller releases the page. */
enum err_code fetch_tasks(struct invocation *invocation, const char *query,
			  struct task_page *ret_page, struct err *err) WARN_UNUSED;
enum err_code fetch_jobs(struct invocation *invocation, const char *query,
			 struct job_page *ret_page, struct err *err) WARN_UNUSED;
enum err_code fetch_nodes(struct invocation *invocation, struct node_page *ret_page,
			  struct err *err) WARN_UNUSED;
enum err_code fetch_volumes(struct invocation *invocation, const char *query,
			    struct volume_page *ret_page, struct err *err) WARN_UNUSED;

enum err_code fetch_tokens(struct invocation *invocation, struct token_page *ret_page,
			   struct err *err) WARN_UNUSED;
enum err_code fetch_identities(struct invocation *invocation, struct identity_page *ret_page,
			       struct err *err) WARN_UNUSED;

/* GET one object into a record. */
enum err_code fetch(struct invocation *invocation, const char *target,
		    const struct record_type *type, void *record, struct err *err) WARN_UNUSED;

/* Send a mutation without a body, with a key of its own. */
enum err_code mutate(struct invocation *invocation, const char *method, const char *target,
		     struct manager_answer *ret_answer, struct err *err) WARN_UNUSED;

/* A line for each job of another project that is restarted; `n` is how many there are, also of those without a name. */
void output_dependents(const struct strings *names, int64_t n, const char *before,
		       const char *after);

/* DELETE the object of each operand, at `path` and its name, and print the name; returns the exit status. */
int output_remove(struct invocation *invocation, const char *path);

#endif
