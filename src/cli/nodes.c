#include <stdio.h>

#include "base/alloc.h"
#include "cli/watch.h"

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

static void add_machine(struct table *table, const struct node_view *node, bool wide)
{
	char id[UUID_TEXT_SIZE];
	table_addf(table, "%lld", (long long)node->tasks);
	add_cpu(table, node);
	add_size(table, node->used.memory_used_bytes, node->reserved.memory_bytes,
		 node->capacity.memory_bytes);
	if (!wide)
		return;
	add_size(table, node->used.disk_used_bytes, node->reserved.disk_bytes,
		 node->capacity.disk_bytes);
	table_addf(table, "%s/%s", node->platform_os, node->platform_arch);
	table_addf(table, "%s (API 1.%lld)", node->runtime_version, (long long)node->api_minor);
	table_add(table, uuid_format(node->id, id));
}

/* The manager's machine runs no tasks and measures nothing. */
static void add_nothing(struct table *table, size_t n_cells)
{
	for (size_t i = 0; i < n_cells; i++)
		table_add(table, NULL);
}

/* What is looked at. */
struct nodes {
	struct node_page page;
	bool wide;
	bool all;
};

static void fill(void *owner, struct table *table, struct watch_keys *keys)
{
	static const char *const narrow_headings[] = { "NODE", "ROLE",	 "STATE", "TASKS",
						       "CPU",  "MEMORY", NULL };
	static const char *const wide_headings[] = { "NODE",   "ROLE",	 "STATE", "TASKS",
						     "CPU",    "MEMORY", "DISK",  "PLATFORM",
						     "DOCKER", "ID",	 NULL };
	const struct nodes *nodes = owner;
	table_init(table, nodes->wide ? wide_headings : narrow_headings);
	for (size_t i = 0; i < nodes->page.nodes.n; i++) {
		const struct node_view *node = &nodes->page.nodes.items[i];
		if (node->state == NODE_LEFT && !nodes->all)
			continue;
		struct uuid *key = list_add(&keys->ids, sizeof(*key));
		*key = node->id;
		table_add(table, node->hostname);
		table_add(table, enum_name(node_role_names, node->role));
		table_add(table, node->state == NODE_DRAINING && !node->tasks
					 ? "drained"
					 : enum_name(node_state_names, node->state));
		if (node->role == NODE_MANAGER)
			add_nothing(table, nodes->wide ? 7 : 3);
		else
			add_machine(table, node, nodes->wide);
	}
}

static enum err_code fetch_page(struct invocation *invocation, void *owner, struct err *err)
{
	struct nodes *nodes = owner;
	return fetch_nodes(invocation, &nodes->page, err);
}

/* CPU, MEMORY, DISK: measured, and never the same for long. */
#define COLUMNS_MEASURED (1u << 4 | 1u << 5 | 1u << 6)

static int watch_nodes(struct invocation *invocation, struct nodes *nodes, enum output_form form)
{
	struct err err;
	struct watch_source source = {
		.page_type = &node_page_type,
		.items = "nodes",
		.page = &nodes->page,
		.fetch = fetch_page,
		.fill = fill,
		.volatile_columns = COLUMNS_MEASURED,
		.owner = nodes,
	};
	return watch(invocation, &source, form, &err) ? cli_fail(invocation, &err) : 0;
}

static void print_table(struct nodes *nodes)
{
	struct table table;
	struct watch_keys keys = { 0 };
	fill(nodes, &table, &keys);
	table_print(&table, nodes->wide);
	table_release(&table);
	base_free(keys.ids.items);
}

static int run(struct invocation *invocation)
{
	struct err err;
	enum output_form form;
	struct nodes nodes = { .all = cli_has(invocation, "all") };
	if (output_form(invocation, &form, &err))
		return cli_fail(invocation, &err);
	nodes.wide = form == OUTPUT_WIDE;
	if (cli_has(invocation, "watch"))
		return watch_nodes(invocation, &nodes, form);
	if (fetch_nodes(invocation, &nodes.page, &err))
		return cli_fail(invocation, &err);
	if (form == OUTPUT_JSON)
		output_json(&node_page_type, &nodes.page);
	else
		print_table(&nodes);
	record_release(&node_page_type, &nodes.page);
	return 0;
}

static const struct option options[] = {
	{ "all", 'a', OPTION_FLAG, NULL, "also nodes that have left the cluster" },
	OPTION_WATCH,
	OPTION_OUTPUT,
};

const struct command command_nodes = {
	.name = "nodes",
	.operands = "",
	.summary = "List machines: role, state, what is used, reserved and there",
	.details = "A node of role both runs on the manager's machine. Where no worker runs there, "
		   "that "
		   "machine is listed with role manager; it takes no tasks.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
