#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "cli/output.h"

#define ASK_AGAIN_MS 300

static enum err_code make_plan(struct invocation *invocation, struct rebalance_plan *ret_plan,
			       struct err *err)
{
	struct api_call call = { .method = "POST",
				 .target = "/v1/rebalance/plan",
				 .answer_type = &rebalance_plan_type,
				 .answer = ret_plan };
	return api_client_call(cli_client(invocation), &call, err);
}

static enum err_code ask(struct invocation *invocation, const struct rebalance_plan *plan,
			 struct err *err)
{
	struct rebalance_request body = { .moves = { plan->moves.items, plan->moves.n } };
	struct manager_answer answer;
	char key[UUID_TEXT_SIZE];
	api_client_make_key(key);
	struct api_call call = { .method = "POST",
				 .target = "/v1/rebalance",
				 .body_type = &rebalance_request_type,
				 .body = &body,
				 .answer_type = &manager_answer_type,
				 .answer = &answer,
				 .idempotency_key = key };
	enum err_code code = api_client_call(cli_client(invocation), &call, err);
	if (!code)
		record_release(&manager_answer_type, &answer);
	return code;
}

static void print_left(int64_t n, const char *why)
{
	if (n)
		printf("%lld %s %s\n", (long long)n, n == 1 ? "task stays:" : "tasks stay:", why);
}

static void print_plan(const struct rebalance_plan *plan, bool dry)
{
	for (size_t i = 0; i < plan->moves.n; i++) {
		const struct planned_move *move = &plan->moves.items[i];
		printf("%s %s from %s to %s\n", move->name, dry ? "would move" : "moves",
		       move->from, move->to);
	}
	if (!plan->moves.n)
		puts("nothing to move: no task is clearly better off on another node");
	if (plan->more)
		printf("More would move: these are the first %zu; do it again for the others.\n",
		       plan->moves.n);
	print_left(plan->tied,
		   "they may not run twice (a volume, a shared network, a fixed port, a "
		   "lease), run to completion, or are one on each node");
	print_left(plan->unsettled,
		   "they do not serve at the moment, or their job is being updated");
	cli_flush();
}

enum fate { FATE_OPEN, FATE_MOVED, FATE_STAYED };

static enum err_code fate_of(struct invocation *invocation, const struct planned_move *move,
			     enum fate *ret_fate, struct err *err)
{
	struct task_view task;
	char target[96], id[UUID_TEXT_SIZE];
	text_print(target, sizeof(target), "/v1/tasks/%s", uuid_format(move->task, id));
	enum err_code code = fetch(invocation, target, &task_view_type, &task, err);
	*ret_fate = FATE_MOVED;
	if (code == ERR_NOT_FOUND)
		return ERR_NONE;
	if (code)
		return code;
	if (!task_is_final(task.state) && task.wanted == TASK_WANT_RUN)
		*ret_fate = uuid_is_zero(task.moves_to) ? FATE_STAYED : FATE_OPEN;
	else if (!task_is_final(task.state))
		*ret_fate = FATE_OPEN;
	record_release(&task_view_type, &task);
	return ERR_NONE;
}

/* Tell each once it is decided. */
static enum err_code wait_for(struct invocation *invocation, const struct rebalance_plan *plan,
			      struct err *err)
{
	size_t n_open = plan->moves.n;
	size_t n_stayed = 0;
	enum err_code code = ERR_NONE;
	_cleanup_free_ bool *told = base_calloc(plan->moves.n, sizeof(bool));
	while (n_open && !code) {
		nanosleep(&(struct timespec){ .tv_nsec = ASK_AGAIN_MS * 1000000L }, NULL);
		for (size_t i = 0; i < plan->moves.n && !code; i++) {
			const struct planned_move *move = &plan->moves.items[i];
			enum fate fate = FATE_OPEN;
			if (told[i])
				continue;
			code = fate_of(invocation, move, &fate, err);
			if (code || fate == FATE_OPEN)
				continue;
			printf("%s %s\n", move->name,
			       fate == FATE_MOVED ? "has moved" : "stays where it is");
			cli_flush();
			told[i] = true;
			n_open--;
			n_stayed += fate == FATE_STAYED;
		}
	}
	if (code || !n_stayed)
		return code;
	return err_set(err, ERR_FAILED,
		       "%zu of %zu tasks stay where they are: the other node did not take them, or "
		       "the new task was not ready there",
		       n_stayed, plan->moves.n);
}

static int run(struct invocation *invocation)
{
	struct err err;
	struct rebalance_plan plan;
	enum output_form form;
	bool dry = cli_has(invocation, "dry-run");
	if (output_form(invocation, &form, &err) || make_plan(invocation, &plan, &err))
		return cli_fail(invocation, &err);
	if (form == OUTPUT_JSON)
		output_json(&rebalance_plan_type, &plan);
	else
		print_plan(&plan, dry);
	enum err_code code = ERR_NONE;
	if (!dry && plan.moves.n) {
		code = ask(invocation, &plan, &err);
		cli_on_interrupt("drover rebalance: no longer waiting; the tasks go on moving");
		if (!code && !cli_has(invocation, "detach"))
			code = wait_for(invocation, &plan, &err);
	}
	record_release(&rebalance_plan_type, &plan);
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option options[] = {
	{ "dry-run", 0, OPTION_FLAG, NULL, "only show what would move" },
	{ "detach", 'd', OPTION_FLAG, NULL, "do not wait until the tasks have moved" },
	OPTION_OUTPUT,
};

const struct command command_rebalance = {
	.name = "rebalance",
	.operands = "",
	.summary = "Move tasks to nodes where they are clearly better off",
	.details =
		"After machines have joined or come back: the scheduler is asked of each task "
		"where "
		"it would be placed now, and moves it where another node is better by a tenth, or "
		"evens out what its job is to be spread over. The new task is ready before the old "
		"one stops, as many of a job at a time as its update_config says; what cannot be "
		"done is called off, and the task stays. Tasks that may not run twice are not "
		"moved, nor those of jobs that are being updated. Done again at once, it moves "
		"nothing.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
