#include <stdio.h>

#include "base/alloc.h"
#include "cli/output.h"

static void add_size(struct table *table, int64_t used_bytes, int64_t reserved_bytes,
		     int64_t capacity_bytes)
{
	struct text text;
	text_init(&text, 128);
	text_add_size(&text, used_bytes);
	text_add(&text, " used, ");
	text_add_size(&text, reserved_bytes);
	text_add(&text, " reserved of ");
	text_add_size(&text, capacity_bytes);
	table_add(table, text_string(&text));
	text_release(&text);
}

static void add_cpu(struct table *table, const struct node_view *node)
{
	struct text text;
	text_init(&text, 128);
	text_add_cpus(&text, node->used.cpu_used_milli);
	text_add(&text, " used, ");
	text_add_cpus(&text, node->reserved.cpu_milli);
	text_add(&text, " reserved of ");
	text_add_cpus(&text, node->capacity.cpu_milli);
	table_add(table, text_string(&text));
	text_release(&text);
}

static void print_table(const struct node_page *page, bool wide)
{
	static const char *const narrow_headings[] = { "NODE", "STATE",	 "TASKS",
						       "CPU",  "MEMORY", NULL };
	static const char *const wide_headings[] = { "NODE", "STATE",	 "TASKS",  "CPU", "MEMORY",
						     "DISK", "PLATFORM", "DOCKER", "ID",  NULL };
	struct table table;
	char id[UUID_TEXT_SIZE];
	table_init(&table, wide ? wide_headings : narrow_headings);
	for (size_t i = 0; i < page->nodes.n; i++) {
		const struct node_view *node = &page->nodes.items[i];
		table_add(&table, node->hostname);
		table_add(&table, enum_name(node_state_names, node->state));
		table_addf(&table, "%lld", (long long)node->tasks);
		add_cpu(&table, node);
		add_size(&table, node->used.memory_used_bytes, node->reserved.memory_bytes,
			 node->capacity.memory_bytes);
		if (wide) {
			add_size(&table, node->used.disk_used_bytes, node->reserved.disk_bytes,
				 node->capacity.disk_bytes);
			table_addf(&table, "%s/%s", node->platform_os, node->platform_arch);
			table_addf(&table, "%s (API 1.%lld)", node->runtime_version,
				   (long long)node->api_minor);
			table_add(&table, uuid_format(node->id, id));
		}
	}
	table_print(&table, wide);
	table_release(&table);
}

static int run(struct invocation *invocation)
{
	struct node_page page;
	struct err err;
	enum output_form form;
	if (output_form(invocation, &form, &err) || fetch_nodes(invocation, &page, &err))
		return cli_fail(invocation, &err);
	if (form == OUTPUT_JSON)
		output_json(&node_page_type, &page);
	else
		print_table(&page, form == OUTPUT_WIDE);
	record_release(&node_page_type, &page);
	return 0;
}

static const struct option options[] = { OPTION_OUTPUT };

const struct command command_nodes = {
	.name = "nodes",
	.operands = "",
	.summary = "List machines: state, what is used, reserved and there",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
