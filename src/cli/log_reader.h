/* Reading the logs of one or many tasks at once and printing them: standard output to standard output, standard error
 * to standard error, whole lines, each behind its task's name when there is more than one. */
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

/* Read this task's present attempt, unless it has not started or was added before. */
void log_reader_add(struct log_reader *reader, const struct task_view *task);

/* Run until every stream has ended or `timeout_ms` has passed (-1: no limit). False: time passed. */
bool log_reader_run(struct log_reader *reader, int64_t timeout_ms);

/* Tasks and attempts added from now on are read from their beginning, whatever `tail` and `since_wall_ms` said. */
void log_reader_read_whole(struct log_reader *reader);

/* Was there nothing to read, because no task has started? */
bool log_reader_is_empty(const struct log_reader *reader);

/* Has a stream failed? Each failure was told when it happened; the other streams went on. */
bool log_reader_failed(const struct log_reader *reader);

#endif
