/* From what a user types to an object: "shop/web.2", "web.2", "shop/web", "web", an id or the start of one. */
#ifndef CLI_FIND_H
#define CLI_FIND_H

#include "cli/output.h"

/* A job and, when a slot or a task's id was named, one of its tasks. */
struct found {
	struct job_view job;
	bool has_task;
	struct task_view task;
};
void found_release(struct found *found);

/* ERR_NOT_FOUND; ERR_CONFLICT names the candidates when there is more than one. */
enum err_code find_job_or_task(struct invocation *invocation, const char *name,
			       struct found *ret_found, struct err *err) WARN_UNUSED;

/* The same of one project: "web" is its job web, and "other/web" is refused. NULL: of any. */
enum err_code find_job_or_task_of(struct invocation *invocation, const char *project,
				  const char *name, struct found *ret_found,
				  struct err *err) WARN_UNUSED;

/* As find_job_or_task(), and a task is refused. */
enum err_code find_job(struct invocation *invocation, const char *name, struct found *ret_found,
		       struct err *err) WARN_UNUSED;

enum err_code find_job_of(struct invocation *invocation, const char *project, const char *name,
			  struct found *ret_found, struct err *err) WARN_UNUSED;

/* A node by its host name or the start of its id; one that has left only where no other is meant. ERR_NOT_FOUND;
 * ERR_CONFLICT names the candidates with their ids. The caller releases the view. */
enum err_code find_node(struct invocation *invocation, const char *name, struct node_view *ret_node,
			struct err *err) WARN_UNUSED;

/* The task that fills a job's slot, or was the last to; borrowed. NULL: there was none. */
struct task_view *find_in_slot(const struct task_page *page, struct uuid job, int64_t slot);

/* "project=P&job=J" for lists of tasks, percent-encoded; without a job for those of jobs and volumes, too. Caller
 * frees. */
char *find_query(const char *project, const char *job);
/* The same that lists the one job. Caller frees. */
char *find_job_query(const struct job_view *job);

#endif
