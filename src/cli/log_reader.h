/* Reading the logs of one or many tasks at once and printing them: standard output to standard output, standard error to
 * standard error, whole lines, each behind its task's name when there is more than one. */
#ifndef CLI_LOG_READER_H
#define CLI_LOG_READER_H

#include "cli/output.h"

struct log_reader_options {
	bool follow;
	bool timestamps;
	bool prefix;
	int64_t tail; /* lines; -1: all */
	int64_t since_wall_ms;
};

struct log_reader;

struct log_reader *log_reader_new(struct invocation *invocation,
				  const struct log_reader_options *options);
void log_reader_free(struct log_reader *reader);

/* Read this task's present attempt, unless it is being read or was read to its end already. */
void log_reader_add(struct log_reader *reader, const struct task_view *task);

/* Run until every stream has ended or `timeout_ms` has passed (-1: no limit). False: time passed. */
bool log_reader_run(struct log_reader *reader, int64_t timeout_ms);

/* The first error of a stream, or NULL. */
const struct err *log_reader_err(const struct log_reader *reader);

#endif
