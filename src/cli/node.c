/* node inspect, label, resume, rm: one request per node. node drain, which waits, is in drain.c. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/find.h"

/* "/v1/nodes/ID/drain". */
static enum err_code ask(struct invocation *invocation, const char *name, const char *method,
			 const char *suffix, struct manager_answer *ret_answer, struct err *err)
{
	struct node_view node;
	char target[128], id[UUID_TEXT_SIZE];
	enum err_code code = find_node(invocation, name, &node, err);
	if (code)
		return code;
	text_print(target, sizeof(target), "/v1/nodes/%s%s", uuid_format(node.id, id), suffix);
	record_release(&node_view_type, &node);
	return mutate(invocation, method, target, ret_answer, err);
}

static int run_resume(struct invocation *invocation)
{
	int status = 0;
	for (size_t i = 0; i < invocation->operands.n; i++) {
		struct manager_answer answer;
		struct err err;
		if (ask(invocation, invocation->operands.items[i], "POST", "/resume", &answer,
			&err)) {
			status = cli_fail(invocation, &err);
			continue;
		}
		puts(answer.node_name);
		record_release(&manager_answer_type, &answer);
	}
	return status;
}

/* "2 tasks were lost: shop/web.1, shop/db.1". */
static void print_lost(const char *what, int64_t n, const struct strings *names)
{
	if (!n)
		return;
	printf("%lld %s%s lost: ", (long long)n, what, n == 1 ? " was" : "s were");
	for (size_t i = 0; i < names->n; i++)
		printf("%s%s", i ? ", " : "", names->items[i]);
	printf("%s\n", (int64_t)names->n < n ? ", ..." : "");
}

static int run_rm(struct invocation *invocation)
{
	int status = 0;
	const char *suffix = cli_has(invocation, "fenced") ? "?fenced=true" : "";
	for (size_t i = 0; i < invocation->operands.n; i++) {
		struct manager_answer answer;
		struct err err;
		if (ask(invocation, invocation->operands.items[i], "DELETE", suffix, &answer,
			&err)) {
			status = cli_fail(invocation, &err);
			continue;
		}
		puts(answer.node_name);
		print_lost("task", answer.n_tasks_lost, &answer.tasks_lost);
		print_lost("volume", answer.n_volumes_lost, &answer.volumes_lost);
		record_release(&manager_answer_type, &answer);
	}
	return status;
}

/* "KEY=VALUE" or "KEY-". */
static enum err_code read_label(const char *text, struct labels_request *request, struct err *err)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	if (len == 0 || (!equals && text[len - 1] != '-'))
		return err_set(err, ERR_INVALID,
			       "\"%s\" is neither KEY=VALUE nor KEY-, which removes the label",
			       text);
	_cleanup_free_ char *key = base_strndup(text, equals ? len : len - 1);
	if (equals)
		pairs_put(&request->set, key, equals + 1);
	else
		strings_add(&request->remove, key);
	return ERR_NONE;
}

static enum err_code label(struct invocation *invocation, const struct labels_request *request,
			   struct err *err)
{
	struct node_view node;
	struct manager_answer answer;
	char target[128], id[UUID_TEXT_SIZE], key[UUID_TEXT_SIZE];
	enum err_code code = find_node(invocation, invocation->operands.items[0], &node, err);
	if (code)
		return code;
	text_print(target, sizeof(target), "/v1/nodes/%s/labels", uuid_format(node.id, id));
	record_release(&node_view_type, &node);
	api_client_make_key(key);
	struct api_call call = { .method = "POST",
				 .target = target,
				 .body_type = &labels_request_type,
				 .body = request,
				 .answer_type = &manager_answer_type,
				 .answer = &answer,
				 .idempotency_key = key };
	code = api_client_call(cli_client(invocation), &call, err);
	if (!code) {
		puts(answer.node_name);
		record_release(&manager_answer_type, &answer);
	}
	return code;
}

static int run_label(struct invocation *invocation)
{
	struct labels_request request = { 0 };
	struct err err;
	enum err_code code = ERR_NONE;
	for (size_t i = 1; !code && i < invocation->operands.n; i++)
		code = read_label(invocation->operands.items[i], &request, &err);
	if (!code)
		code = label(invocation, &request, &err);
	record_release(&labels_request_type, &request);
	return code ? cli_fail(invocation, &err) : 0;
}

static int run_inspect(struct invocation *invocation)
{
	int status = 0;
	for (size_t i = 0; i < invocation->operands.n; i++) {
		struct node_view node;
		struct err err;
		if (find_node(invocation, invocation->operands.items[i], &node, &err)) {
			status = cli_fail(invocation, &err);
			continue;
		}
		output_json(&node_view_type, &node);
		record_release(&node_view_type, &node);
	}
	return status;
}

const struct command command_node_resume = {
	.name = "node resume",
	.operands = "NODE...",
	.summary = "Let drained nodes take tasks again",
	.details = "Tasks that have moved stay where they are; moves that are not done are called "
		   "off.",
	.operands_min = 1,
	.operands_max = -1,
	.run = run_resume,
};

static const struct option rm_options[] = {
	{ "fenced", 0, OPTION_FLAG, NULL,
	  "the machine is off and stays off: give up its tasks and volumes" },
};

const struct command command_node_rm = {
	.name = "node rm",
	.operands = "NODE...",
	.summary = "Remove nodes from the cluster",
	.details = "A node must be empty first: drover node drain. One that is down cannot say "
		   "what still "
		   "runs there, so its tasks and volumes are kept for its return; --fenced is your "
		   "word that "
		   "the machine is off and stays off. Then its tasks start elsewhere, its volumes "
		   "are lost "
		   "with their data, and both are named. A worker that comes back after all is "
		   "told: it "
		   "stops and removes what it ran, so that nothing runs twice for longer than "
		   "that takes, keeps "
		   "its named volumes, and ends. With a token the machine joins again as a new "
		   "node.",
	.options = rm_options,
	.n_options = ARRAY_LEN(rm_options),
	.operands_min = 1,
	.operands_max = -1,
	.run = run_rm,
};

const struct command command_node_label = {
	.name = "node label",
	.operands = "NODE KEY=VALUE|KEY-...",
	.summary = "Set labels of a node, or remove them with KEY-",
	.details = "They win over labels that the worker was started with. Constraints see them at "
		   "once.",
	.operands_min = 2,
	.operands_max = -1,
	.run = run_label,
};

const struct command command_node_inspect = {
	.name = "node inspect",
	.operands = "NODE...",
	.summary = "Show everything known of nodes, as JSON",
	.operands_min = 1,
	.operands_max = -1,
	.run = run_inspect,
};
