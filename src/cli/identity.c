#include "base/alloc.h"
#include "cli/output.h"

static int run_ls(struct invocation *invocation)
{
	static const char *const headings[] = {
		"IDENTITY", "ROLE", "NAME", "TOKEN", "SINCE", NULL
	};
	struct identity_page page;
	struct table table;
	struct err err;
	enum output_form form;
	if (output_form(invocation, &form, &err) || fetch_identities(invocation, &page, &err))
		return cli_fail(invocation, &err);
	table_init(&table, headings);
	for (size_t i = 0; i < page.identities.n; i++) {
		const struct identity_record *identity = &page.identities.items[i];
		char id[UUID_TEXT_SIZE];
		table_add(&table, uuid_format(identity->id, id));
		table_add(&table, enum_name(access_role_names, identity->role));
		table_add(&table, identity->name);
		table_add(&table, identity->token);
		table_add(&table, table_age(identity->created_wall_ms));
	}
	if (form == OUTPUT_JSON)
		output_json(&identity_page_type, &page);
	else
		table_print(&table, form == OUTPUT_WIDE);
	table_release(&table);
	record_release(&identity_page_type, &page);
	return 0;
}

static const struct option ls_options[] = { OPTION_OUTPUT };

const struct command command_identity_ls = {
	.name = "identity ls",
	.operands = "",
	.summary = "List who has joined: workers, clients, viewers, admins",
	.options = ls_options,
	.n_options = ARRAY_LEN(ls_options),
	.run = run_ls,
};

static int run_rm(struct invocation *invocation)
{
	return output_remove(invocation, "/v1/identities/");
}

const struct command command_identity_rm = {
	.name = "identity rm",
	.operands = "IDENTITY...",
	.summary = "Take somebody's access away for good",
	.details =
		"The certificate is worth nothing from then on; streams that are open end within "
		"a minute. A worker's identity goes with its node.",
	.operands_min = 1,
	.operands_max = -1,
	.run = run_rm,
};
