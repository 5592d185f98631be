#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "cli/find.h"
#include "cli/progress.h"
#include "cli/steady.h"

static enum err_code ask(struct invocation *invocation, const struct found *found, int64_t replicas,
			 struct err *err)
{
	struct scale_request body = { replicas };
	struct manager_answer answer;
	char target[128], id[UUID_TEXT_SIZE], key[UUID_TEXT_SIZE];
	text_print(target, sizeof(target), "/v1/jobs/%s/scale", uuid_format(found->job.id, id));
	api_client_make_key(key);
	struct api_call call = { .method = "POST",
				 .target = target,
				 .body_type = &scale_request_type,
				 .body = &body,
				 .answer_type = &manager_answer_type,
				 .answer = &answer,
				 .idempotency_key = key };
	enum err_code code = api_client_call(cli_client(invocation), &call, err);
	if (!code)
		record_release(&manager_answer_type, &answer);
	return code;
}

/* "JOB=REPLICAS"; the name ends at *ret_name_len. */
static enum err_code read_operand(const char *operand, size_t *ret_name_len, int64_t *ret_replicas,
				  struct err *err)
{
	const char *equals = strrchr(operand, '=');
	struct err number;
	if (!equals)
		return err_set(err, ERR_INVALID, "\"%s\" is not JOB=REPLICAS", operand);
	if (parse_int(equals + 1, 0, LIMIT_REPLICAS, ret_replicas, &number))
		return err_set(err, ERR_INVALID, "\"%s\" is not JOB=REPLICAS: %s", operand,
			       number.message);
	*ret_name_len = (size_t)(equals - operand);
	return ERR_NONE;
}

static enum err_code scale(struct invocation *invocation, const char *operand, struct err *err)
{
	size_t name_len;
	int64_t replicas;
	struct found found = { 0 };
	struct strings jobs = { 0 };
	if (read_operand(operand, &name_len, &replicas, err))
		return err->code;
	_cleanup_free_ char *name = base_strndup(operand, name_len);
	enum err_code code = find_job(invocation, name, &found, err);
	if (code)
		return code;
	code = ask(invocation, &found, replicas, err);
	strings_add(&jobs, found.job.name);
	struct progress_options options = { .project = found.job.project,
					    .jobs = &jobs,
					    .goal = PROGRESS_UP,
					    .timeout_ms =
						    cli_duration_ms(invocation, "wait-timeout", 0),
					    .settle_ms = STEADY_SETTLE_MS };
	if (!code && !cli_has(invocation, "detach"))
		code = progress_wait(invocation, &options, err);
	if (!code)
		printf("%s/%s scaled to %lld\n", found.job.project, found.job.name,
		       (long long)replicas);
	strings_release(&jobs);
	found_release(&found);
	return code;
}

static int run(struct invocation *invocation)
{
	int status = 0;
	/* Nothing is scaled when one operand is no operand. */
	for (size_t i = 0; i < invocation->operands.n; i++) {
		struct err err;
		size_t name_len;
		int64_t replicas;
		if (read_operand(invocation->operands.items[i], &name_len, &replicas, &err))
			return cli_fail(invocation, &err);
	}
	for (size_t i = 0; i < invocation->operands.n; i++) {
		struct err err;
		if (scale(invocation, invocation->operands.items[i], &err))
			status = cli_fail(invocation, &err);
	}
	return status;
}

static const struct option options[] = {
	{ "detach", 'd', OPTION_FLAG, NULL, "do not wait until the tasks run" },
	{ "wait-timeout", 0, OPTION_DURATION, "TIME", "give up waiting after this" },
};

const struct command command_scale = {
	.name = "scale",
	.operands = "JOB=REPLICAS...",
	.summary = "Set how many tasks jobs have",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_min = 1,
	.operands_max = -1,
	.run = run,
};
