#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/find.h"

static void print_table(const struct volume_page *page, bool wide)
{
	static const char *const narrow_headings[] = { "VOLUME", "PROJECT", "NODE",
						       "DRIVER", "STATE",   NULL };
	static const char *const wide_headings[] = { "VOLUME", "PROJECT", "NODE",  "DRIVER",
						     "STATE",  "KEY",	  "SINCE", NULL };
	struct table table;
	table_init(&table, wide ? wide_headings : narrow_headings);
	for (size_t i = 0; i < page->volumes.n; i++) {
		const struct volume_view *volume = &page->volumes.items[i];
		table_add(&table, volume->name);
		table_add(&table, volume->project);
		table_add(&table, volume->node_name);
		table_add(&table, volume->driver);
		table_addf(&table, "%s%s%s", volume->removing ? "removing" : "kept",
			   volume->message ? ": " : "", volume->message ? volume->message : "");
		if (wide) {
			table_add(&table, volume->key);
			table_add(&table, table_age(volume->created_wall_ms));
		}
	}
	table_print(&table, wide);
	table_release(&table);
}

static int run_ls(struct invocation *invocation)
{
	struct volume_page page;
	struct err err;
	enum output_form form;
	const char *project = cli_string(invocation, "project-name", NULL);
	_cleanup_free_ char *query = project ? find_query(project, NULL) : base_strdup("");
	if (output_form(invocation, &form, &err) || fetch_volumes(invocation, query, &page, &err))
		return cli_fail(invocation, &err);
	if (form == OUTPUT_JSON) {
		output_json(&volume_page_type, &page);
	} else if (cli_has(invocation, "quiet")) {
		for (size_t i = 0; i < page.volumes.n; i++)
			puts(page.volumes.items[i].name);
	} else {
		print_table(&page, form == OUTPUT_WIDE);
	}
	record_release(&volume_page_type, &page);
	return 0;
}

static int run_rm(struct invocation *invocation)
{
	return output_remove(invocation, "/v1/volumes/");
}

static const struct option ls_options[] = {
	{ "project-name", 'p', OPTION_STRING, "NAME", "only volumes of this project" },
	{ "quiet", 'q', OPTION_FLAG, NULL, "print names only" },
	OPTION_OUTPUT,
};

const struct command command_volume_ls = {
	.name = "volume ls",
	.operands = "",
	.summary = "List named volumes and the node each lives on",
	.options = ls_options,
	.n_options = ARRAY_LEN(ls_options),
	.run = run_ls,
};

const struct command command_volume_rm = {
	.name = "volume rm",
	.operands = "VOLUME...",
	.summary = "Remove named volumes and their data",
	.operands_min = 1,
	.operands_max = -1,
	.run = run_rm,
};
