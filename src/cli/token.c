#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/contexts.h"
#include "cli/output.h"

/* ---- create -------------------------------------------------------------------------------------------- */

static enum err_code read_request(const struct invocation *invocation, struct token_request *body,
				  struct err *err)
{
	const char *role = cli_string(invocation, "role", NULL);
	record_init(&token_request_type, body);
	if (!role)
		return err_set_field(err, ERR_INVALID, "--role",
				     "needed: worker, client, viewer or admin");
	if (!enum_value(access_token_role_names, role, &body->role))
		return err_set_field(err, ERR_INVALID, "--role",
				     "\"%s\" is none of worker, client, viewer, admin", role);
	body->ttl_ms = cli_duration_ms(invocation, "ttl", body->ttl_ms);
	body->uses = cli_int(invocation, "uses", body->uses);
	if (body->ttl_ms < 1)
		return err_set_field(err, ERR_INVALID, "--ttl",
				     "a token that lives for no time lets nobody in");
	if (body->uses < 1)
		return err_set_field(err, ERR_INVALID, "--uses",
				     "a token for no join lets nobody in");
	return ERR_NONE;
}

/* The command on standard output, so that it can be taken as it is; what is to be known about it beside. */
static void print_command(struct invocation *invocation, const struct token_answer *answer)
{
	char ends[CERTIFICATE_TIME_SIZE];
	const struct context *context = cli_context(invocation);
	/* The way we came is one that leads there. */
	const char *manager = context ? context->membership.manager : answer->manager;
	if (answer->role == ACCESS_WORKER)
		printf("drover worker --join %s --token %s\n", manager, answer->token);
	else
		printf("drover context join %s --token %s\n", manager, answer->token);
	fprintf(stderr, "Good for %lld %s as %s until %s; `drover token rm %s` ends it.\n",
		(long long)answer->uses, answer->uses == 1 ? "join" : "joins",
		enum_name(access_role_names, answer->role),
		certificate_time(answer->expires_wall_ms / 1000, ends), answer->id);
}

static int run_create(struct invocation *invocation)
{
	struct token_request body;
	struct token_answer answer;
	struct err err;
	enum output_form form;
	if (output_form(invocation, &form, &err) || read_request(invocation, &body, &err))
		return cli_fail(invocation, &err);
	struct api_call call = {
		.method = "POST",
		.target = "/v1/tokens",
		.body_type = &token_request_type,
		.body = &body,
		.answer_type = &token_answer_type,
		.answer = &answer,
	};
	if (api_client_call(cli_client(invocation), &call, &err))
		return cli_fail(invocation, &err);
	if (form == OUTPUT_JSON)
		output_json(&token_answer_type, &answer);
	else if (cli_has(invocation, "quiet"))
		puts(answer.token);
	else
		print_command(invocation, &answer);
	record_release(&token_answer_type, &answer);
	return 0;
}

static const struct option create_options[] = {
	{ "role", 0, OPTION_STRING, "ROLE",
	  "worker: a machine; viewer: sees and reads logs; client: also runs jobs; admin: also "
	  "tokens, nodes" },
	{ "ttl", 0, OPTION_DURATION, "TIME", "how long it can be used (default 24h)" },
	{ "uses", 0, OPTION_INT, "N", "how often (default 1)" },
	{ "quiet", 'q', OPTION_FLAG, NULL, "print the token only" },
	OPTION_OUTPUT,
};

const struct command command_token_create = {
	.name = "token create",
	.operands = "",
	.summary = "Make a join token and print the command to join with",
	.details = "The token tells the joiner by which CA to know the manager, and the manager "
		   "under which role to let the joiner in. It is shown once: only a hash of its "
		   "secret is kept.",
	.options = create_options,
	.n_options = ARRAY_LEN(create_options),
	.run = run_create,
};

/* ---- ls, rm -------------------------------------------------------------------------------------------- */

static int run_ls(struct invocation *invocation)
{
	static const char *const headings[] = {
		"TOKEN", "ROLE", "USES LEFT", "OF", "EXPIRES", NULL
	};
	struct token_page page;
	struct table table;
	struct err err;
	enum output_form form;
	if (output_form(invocation, &form, &err) || fetch_tokens(invocation, &page, &err))
		return cli_fail(invocation, &err);
	table_init(&table, headings);
	for (size_t i = 0; i < page.tokens.n; i++) {
		const struct token_record *token = &page.tokens.items[i];
		char ends[CERTIFICATE_TIME_SIZE];
		table_add(&table, token->id);
		table_add(&table, enum_name(access_role_names, token->role));
		table_addf(&table, "%lld", (long long)token->uses_left);
		table_addf(&table, "%lld", (long long)token->uses);
		table_add(&table, certificate_time(token->expires_wall_ms / 1000, ends));
	}
	if (form == OUTPUT_JSON)
		output_json(&token_page_type, &page);
	else
		table_print(&table, form == OUTPUT_WIDE);
	table_release(&table);
	record_release(&token_page_type, &page);
	return 0;
}

static const struct option ls_options[] = { OPTION_OUTPUT };

const struct command command_token_ls = {
	.name = "token ls",
	.operands = "",
	.summary = "List join tokens that have not expired",
	.options = ls_options,
	.n_options = ARRAY_LEN(ls_options),
	.run = run_ls,
};

static int run_rm(struct invocation *invocation)
{
	return output_remove(invocation, "/v1/tokens/");
}

const struct command command_token_rm = {
	.name = "token rm",
	.operands = "TOKEN...",
	.summary = "End join tokens; who joined by them stays",
	.operands_min = 1,
	.operands_max = -1,
	.run = run_rm,
};
