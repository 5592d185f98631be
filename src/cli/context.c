#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/join.h"
#include "base/alloc.h"
#include "cli/contexts.h"
#include "cli/joining.h"
#include "cli/table.h"

/* ---- join ---------------------------------------------------------------------------------------------- */

/* The host without its port. */
static enum err_code name_of_manager(const char *manager, char **ret_name, struct err *err)
{
	struct endpoint endpoint = { 0 };
	enum err_code code = endpoint_parse(manager, &endpoint, err);
	if (code)
		return code;
	if (endpoint.socket_path)
		code = err_set(err, ERR_INVALID,
			       "%s is a path: a manager's socket needs no context", manager);
	else
		*ret_name = base_strdup(endpoint.host);
	endpoint_release(&endpoint);
	/* An IPv6 address has colons, which no name has. */
	for (char *at = code ? NULL : *ret_name; at && *at; at++)
		if (*at == ':')
			*at = '-';
	return code;
}

static enum err_code join_as(const struct invocation *invocation, const char *name, struct err *err)
{
	_cleanup_free_ char *dir = context_folder(name);
	_cleanup_free_ char *token = NULL;
	_cleanup_free_ char *own_name = joining_name(true);
	enum err_code code = context_check_name(name, err);
	if (!code && (strcmp(name, CONTEXT_DEFAULT) == 0 || context_exists(name)))
		code = err_set(err, ERR_CONFLICT,
			       "there is a context \"%s\" already: give another --name, or remove "
			       "it with `drover context rm`",
			       name);
	if (!code)
		code = joining_token(invocation, &token, err);
	if (!code && !token)
		code = err_set(err, ERR_INVALID,
			       "needs --token or --token-file: `drover token create` makes one");
	struct join_options options = { .dir = dir,
					.manager = invocation->operands.items[0],
					.token = token,
					.name = own_name,
					.as = JOINER_USER };
	if (code)
		return code;
	code = join(&options, err);
	/* The key is kept for another try, which is the same join again; but not after a refusal. */
	struct err ignored;
	if (code && !join_may_retry(code) && membership_remove(dir, &ignored))
		fprintf(stderr, "drover: %s\n", ignored.message);
	return code ? code : context_set_current(name, err);
}

static int run_join(struct invocation *invocation)
{
	struct err err;
	char *named = NULL;
	struct context context;
	const char *name = cli_string(invocation, "name", NULL);
	enum err_code code = ERR_NONE;
	if (!name)
		code = name_of_manager(invocation->operands.items[0], &named, &err);
	if (!code)
		code = join_as(invocation, name ? name : named, &err);
	if (!code)
		code = context_open(name ? name : named, &context, &err);
	if (!code) {
		printf("joined %s as %s; commands now use the context %s\n",
		       context.membership.manager,
		       enum_name(access_role_names, context.membership.certificate.name.role),
		       name ? name : named);
		context_close(&context);
	}
	base_free(named);
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option join_options[] = {
	{ "name", 0, OPTION_STRING, "NAME", "of the context (default: the manager's host)" },
	OPTION_TOKEN,
	OPTION_TOKEN_FILE,
};

const struct command command_context_join = {
	.name = "context join",
	.operands = "HOST:PORT",
	.summary = "Join a cluster as a client and use it from now on",
	.details = "`drover token create --role client` prints the whole command. The key is made "
		   "here and never sent; the certificate that the manager answers with is renewed "
		   "as long as it is used once a year.",
	.options = join_options,
	.n_options = ARRAY_LEN(join_options),
	.operands_min = 1,
	.operands_max = 1,
	.run = run_join,
};

/* ---- ls, show ------------------------------------------------------------------------------------------ */

static void add_row(struct table *table, const char *name, bool current)
{
	struct membership membership;
	struct err err;
	char text[UUID_TEXT_SIZE], ends[CERTIFICATE_TIME_SIZE];
	_cleanup_free_ char *dir = context_folder(name);
	table_add(table, name);
	table_add(table, current ? "yes" : "");
	if (membership_load(dir, &membership, &err)) {
		table_add(table, "damaged");
		table_add(table, "");
		table_add(table, "");
		table_add(table, err.message);
		return;
	}
	const struct certificate *certificate = &membership.certificate;
	table_add(table, enum_name(access_role_names, certificate->name.role));
	table_add(table, membership.manager);
	table_add(table, certificate_time(certificate->not_after_s, ends));
	table_add(table, uuid_format(certificate->name.cluster, text));
	membership_release(&membership);
}

static int run_ls(struct invocation *invocation)
{
	static const char *const headings[] = { "CONTEXT",     "IN USE",  "ROLE", "MANAGER",
						"CERTIFICATE", "CLUSTER", NULL };
	struct table table;
	struct strings names;
	_cleanup_free_ char *current = context_current();
	table_init(&table, headings);
	table_add(&table, CONTEXT_DEFAULT);
	table_add(&table, strcmp(current, CONTEXT_DEFAULT) == 0 ? "yes" : "");
	table_add(&table, "admin");
	table_add(&table, invocation->host);
	table_add(&table, "");
	table_add(&table, "");
	context_names(&names);
	for (size_t i = 0; i < names.n; i++)
		add_row(&table, names.items[i], strcmp(names.items[i], current) == 0);
	table_print(&table, false);
	table_release(&table);
	strings_release(&names);
	return 0;
}

const struct command command_context_ls = {
	.name = "context ls",
	.operands = "",
	.summary = "List the clusters this user has joined",
	.details = "\"default\" is the manager's socket on this machine. A certificate is renewed "
		   "before the time shown, whenever its context is used.",
	.run = run_ls,
};

static int run_show(struct invocation *invocation)
{
	(void)invocation;
	_cleanup_free_ char *current = context_current();
	puts(current);
	return 0;
}

const struct command command_context_show = {
	.name = "context show",
	.operands = "",
	.summary = "Print the context in use",
	.run = run_show,
};

/* ---- use, rm ------------------------------------------------------------------------------------------- */

static enum err_code check_there(const char *name, struct err *err)
{
	enum err_code code = context_check_name(name, err);
	if (code || strcmp(name, CONTEXT_DEFAULT) == 0 || context_exists(name))
		return code;
	return err_set(err, ERR_NOT_FOUND,
		       "there is no context \"%s\"; `drover context ls` lists them", name);
}

static int run_use(struct invocation *invocation)
{
	const char *name = invocation->operands.items[0];
	struct err err;
	if (check_there(name, &err) || context_set_current(name, &err))
		return cli_fail(invocation, &err);
	puts(name);
	return 0;
}

const struct command command_context_use = {
	.name = "context use",
	.operands = "CONTEXT",
	.summary = "Let commands talk to another cluster",
	.details = "--context, DROVER_CONTEXT, --host and DROVER_HOST go before it.",
	.operands_min = 1,
	.operands_max = 1,
	.run = run_use,
};

static enum err_code remove_one(const char *name, struct err *err)
{
	_cleanup_free_ char *dir = context_folder(name);
	_cleanup_free_ char *current = context_current();
	enum err_code code = check_there(name, err);
	if (!code && strcmp(name, CONTEXT_DEFAULT) == 0)
		code = err_set(err, ERR_INVALID, "the manager's socket is always there");
	if (!code)
		code = membership_remove(dir, err);
	if (!code && strcmp(name, current) == 0)
		code = context_set_current(CONTEXT_DEFAULT, err);
	return code;
}

static int run_rm(struct invocation *invocation)
{
	int status = 0;
	for (size_t i = 0; i < invocation->operands.n; i++) {
		struct err err;
		if (remove_one(invocation->operands.items[i], &err))
			status = cli_fail(invocation, &err);
		else
			puts(invocation->operands.items[i]);
	}
	return status;
}

const struct command command_context_rm = {
	.name = "context rm",
	.operands = "CONTEXT...",
	.summary = "Forget clusters: key and certificate are deleted",
	.details = "The manager still knows the identity; `drover identity rm` there makes a "
		   "certificate worthless that somebody else may have copied.",
	.operands_min = 1,
	.operands_max = -1,
	.run = run_rm,
};
