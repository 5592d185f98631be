/* node drain: ask, then wait until no container of a task is left on the nodes, which their workers confirm. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/find.h"
#include "net/shell.h"

#define POLL_MS 300
/* How long a manager may be away (a restart) before waiting on is given up. */
#define MANAGER_AWAY_MS 15000

/* What was printed of a task last. */
struct told {
	struct uuid task;
	char *line;
};

struct drain {
	struct invocation *invocation;
	char *name;
	struct node_view node;
	struct task_page tasks;	  /* of the node */
	struct task_page waiting; /* for a node, of all jobs */
	struct told *told;
	size_t n_told;
	size_t told_capacity;
	int64_t away_since_ms; /* 0: the manager answers */
};

static void drain_release(struct drain *drain)
{
	base_free(drain->name);
	record_release(&node_view_type, &drain->node);
	record_release(&task_page_type, &drain->tasks);
	record_release(&task_page_type, &drain->waiting);
	for (size_t i = 0; i < drain->n_told; i++)
		base_free(drain->told[i].line);
	base_free(drain->told);
}

static enum err_code ask(struct drain *drain, struct err *err)
{
	char target[128], id[UUID_TEXT_SIZE];
	struct manager_answer answer;
	text_print(target, sizeof(target), "/v1/nodes/%s/drain", uuid_format(drain->node.id, id));
	enum err_code code = mutate(drain->invocation, "POST", target, &answer, err);
	if (!code)
		record_release(&manager_answer_type, &answer);
	return code;
}

static enum err_code refresh(struct drain *drain, struct err *err)
{
	struct node_view node;
	char text[128], id[UUID_TEXT_SIZE];
	text_print(text, sizeof(text), "/v1/nodes/%s", uuid_format(drain->node.id, id));
	enum err_code code = fetch(drain->invocation, text, &node_view_type, &node, err);
	if (code)
		return code;
	record_release(&node_view_type, &drain->node);
	drain->node = node;
	record_release(&task_page_type, &drain->tasks);
	record_release(&task_page_type, &drain->waiting);
	code = fetch_tasks(drain->invocation, text_print(text, sizeof(text), "node=%s", id),
			   &drain->tasks, err);
	if (!code)
		code = fetch_tasks(drain->invocation, "state=pending", &drain->waiting, err);
	return code;
}

/* The task that waits for a node in its place; NULL: none does. */
static const struct task_view *successor_of(const struct drain *drain, const struct task_view *task)
{
	for (size_t i = 0; i < drain->waiting.tasks.n; i++)
		if (uuid_equal(drain->waiting.tasks.items[i].replaces, task->id))
			return &drain->waiting.tasks.items[i];
	return NULL;
}

/* Print it unless it was the last thing said of the task. */
static void tell(struct drain *drain, const struct task_view *task, const char *line)
{
	struct told *told = NULL;
	for (size_t i = 0; i < drain->n_told && !told; i++)
		if (uuid_equal(drain->told[i].task, task->id))
			told = &drain->told[i];
	if (!told) {
		drain->told =
			base_grow(drain->told, drain->n_told, &drain->told_capacity, sizeof(*told));
		told = &drain->told[drain->n_told++];
		*told = (struct told){ .task = task->id };
	}
	if (told->line && strcmp(told->line, line) == 0)
		return;
	string_set(&told->line, line);
	printf("%s %s\n", task->name, line);
	cli_flush();
}

static bool was_told(const struct drain *drain, const struct task_view *task)
{
	for (size_t i = 0; i < drain->n_told; i++)
		if (uuid_equal(drain->told[i].task, task->id))
			return true;
	return false;
}

static void tell_task(struct drain *drain, const struct task_view *task)
{
	char line[LIMIT_MESSAGE_BYTES + 64];
	const struct task_view *successor = successor_of(drain, task);
	if (task->unreachable)
		text_print(line, sizeof(line), "is not confirmed gone: %s is %s", drain->name,
			   enum_name(node_state_names, drain->node.state));
	else if (task->wanted != TASK_WANT_RUN)
		text_print(line, sizeof(line), "is stopping%s%s", task->waits ? ": " : "",
			   task->waits ? task->waits : "");
	else if (task->waits)
		text_print(line, sizeof(line), "%s", task->waits);
	else if (successor)
		text_print(line, sizeof(line), "runs until another is ready: %s",
			   successor->message ? successor->message : "");
	else
		text_print(line, sizeof(line), "runs until another is ready");
	tell(drain, task, line);
}

/* Returns how many tasks are still there. */
static size_t show(struct drain *drain, size_t *ret_n_unreachable)
{
	size_t n = 0;
	*ret_n_unreachable = 0;
	for (size_t i = 0; i < drain->tasks.tasks.n; i++) {
		const struct task_view *task = &drain->tasks.tasks.items[i];
		if (!task->gone) {
			n++;
			*ret_n_unreachable += task->unreachable;
			tell_task(drain, task);
		} else if (was_told(drain, task)) {
			const struct task_view *successor = successor_of(drain, task);
			char line[LIMIT_MESSAGE_BYTES + 64];
			text_print(line, sizeof(line), "is gone from %s%s%s", drain->name,
				   successor ? "; what follows it waits: " : "",
				   successor && successor->message ? successor->message : "");
			tell(drain, task, line);
		}
	}
	return n;
}

/* A manager that answered before may be restarting. */
static bool is_away_for_now(struct drain *drain, enum err_code code)
{
	if (code != ERR_UNAVAILABLE && code != ERR_CLOSED && code != ERR_IO)
		return false;
	if (!drain->away_since_ms)
		drain->away_since_ms = shell_now_ms();
	return shell_now_ms() - drain->away_since_ms < MANAGER_AWAY_MS;
}

/* One look; *ret_done once the node is empty. */
static enum err_code look(struct drain *drain, bool *ret_done, struct err *err)
{
	enum err_code code = refresh(drain, err);
	if (code)
		return is_away_for_now(drain, code) ? ERR_NONE : code;
	drain->away_since_ms = 0;
	if (!drain->node.draining)
		return err_set(err, ERR_FAILED, "%s is not draining any more: it was resumed",
			       drain->name);
	size_t n_unreachable;
	size_t n = show(drain, &n_unreachable);
	*ret_done = n == 0;
	if (n && n == n_unreachable)
		return err_set(err, ERR_FAILED,
			       "%zu %s on %s, which is %s, not confirmed gone: each goes when the "
			       "node returns; when the machine is off and stays off, `drover node "
			       "rm --fenced %s` gives them up",
			       n, n == 1 ? "task" : "tasks", drain->name,
			       enum_name(node_state_names, drain->node.state), drain->name);
	return ERR_NONE;
}

static enum err_code wait_until_empty(struct drain *drain, int64_t timeout_ms, struct err *err)
{
	int64_t start_ms = shell_now_ms();
	bool done = false;
	for (;;) {
		enum err_code code = look(drain, &done, err);
		if (code || done)
			return code;
		if (timeout_ms && shell_now_ms() - start_ms > timeout_ms)
			return err_set(err, ERR_TIMEOUT, "%s still has tasks; it goes on draining",
				       drain->name);
		api_client_run(cli_client(drain->invocation), POLL_MS);
	}
}

static enum err_code drain_node(struct invocation *invocation, const char *name, struct err *err)
{
	struct drain drain = { .invocation = invocation };
	enum err_code code = find_node(invocation, name, &drain.node, err);
	if (code)
		return code;
	drain.name = base_strdup(drain.node.hostname);
	code = ask(&drain, err);
	if (!code && !cli_has(invocation, "no-wait"))
		code = wait_until_empty(&drain, cli_duration_ms(invocation, "wait-timeout", 0),
					err);
	if (!code)
		printf("%s %s\n", drain.name,
		       cli_has(invocation, "no-wait") ? "is draining" : "is drained");
	drain_release(&drain);
	return code;
}

static int run(struct invocation *invocation)
{
	int status = 0;
	cli_on_interrupt("drover node drain: no longer waiting; the node goes on draining");
	for (size_t i = 0; i < invocation->operands.n; i++) {
		struct err err;
		if (drain_node(invocation, invocation->operands.items[i], &err))
			status = cli_fail(invocation, &err);
	}
	return status;
}

static const struct option options[] = {
	{ "no-wait", 0, OPTION_FLAG, NULL, "do not wait until the node is empty" },
	{ "wait-timeout", 0, OPTION_DURATION, "TIME", "give up waiting after this" },
};

const struct command command_node_drain = {
	.name = "node drain",
	.operands = "NODE...",
	.summary = "Move the tasks of nodes elsewhere, and give them no new ones",
	.details =
		"A task runs on until its successor is ready on another node. A task that "
		"cannot run "
		"twice (a fixed host port, a volume that lives there, a network its project "
		"shares, a "
		"task to completion) is stopped first, and so is one that finds no other node "
		"for 10 "
		"seconds, and one whose successor comes no further for 10 minutes; what follows it "
		"waits, and drover why says what for. The command ends "
		"when no "
		"container is left on the node. It stays drained until drover node resume.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.operands_min = 1,
	.operands_max = -1,
	.run = run,
};
