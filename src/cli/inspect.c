#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/find.h"

static enum err_code show_node(struct invocation *invocation, const char *name, struct err *err)
{
	struct node_view node;
	enum err_code code = find_node(invocation, name, &node, err);
	if (!code) {
		output_json(&node_view_type, &node);
		record_release(&node_view_type, &node);
	}
	return code;
}

static enum err_code show_job(struct invocation *invocation, struct uuid id, struct err *err)
{
	struct job_view job;
	char target[96], text[UUID_TEXT_SIZE];
	text_print(target, sizeof(target), "/v1/jobs/%s", uuid_format(id, text));
	enum err_code code = fetch(invocation, target, &job_view_type, &job, err);
	if (!code) {
		output_json(&job_view_type, &job);
		record_release(&job_view_type, &job);
	}
	return code;
}

static int run(struct invocation *invocation)
{
	int status = 0;
	for (size_t i = 0; i < invocation->operands.n; i++) {
		const char *name = invocation->operands.items[i];
		struct found found = { 0 };
		struct err err;
		enum err_code code = find_job_or_task(invocation, name, &found, &err);
		struct err node_err;
		enum err_code node_code = code == ERR_NOT_FOUND
						  ? show_node(invocation, name, &node_err)
						  : ERR_NOT_FOUND;
		if (!node_code)
			continue;
		if (node_code == ERR_CONFLICT)
			err = node_err;
		if (!code && found.has_task)
			output_json(&task_view_type, &found.task);
		else if (!code)
			code = show_job(invocation, found.job.id, &err);
		if (code)
			status = cli_fail(invocation, &err);
		found_release(&found);
	}
	return status;
}

const struct command command_inspect = {
	.name = "inspect",
	.operands = "JOB|TASK|NODE...",
	.summary = "Show everything known of a job, task or node, as JSON",
	.operands_min = 1,
	.operands_max = -1,
	.run = run,
};
