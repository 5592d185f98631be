#include "cli/plan_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* Of each job, unless all are wanted. */
#define TASKS_SHOWN 20

/* The signs of a diff, and of what is replaced. */
static const char *sign_of_act(int act)
{
	switch (act) {
	case PLANNED_START: return "+";
	case PLANNED_STOP: return "-";
	default: return "-/+";
	}
}

static const char *sign_of_effect(int effect)
{
	switch (effect) {
	case EFFECT_CREATED: return "+";
	case EFFECT_REMOVED: return "-";
	case EFFECT_UNCHANGED:
	case EFFECT_ORPHAN: return " ";
	default: return "~";
	}
}

static const char *sign_of_resource(int effect)
{
	static const char *const signs[] = { [PLANNED_KEPT] = " ",
					     [PLANNED_CREATED] = "+",
					     [PLANNED_CHANGED] = "~",
					     [PLANNED_FORGOTTEN] = "-" };
	return signs[effect];
}

#define HASH_DIGITS	  64
#define HASH_DIGITS_SHOWN 12

/* A hash in quotes says no more whole than by its first digits. */
static bool is_hash(const char *value)
{
	return strlen(value) == HASH_DIGITS + 2 &&
	       strspn(value + 1, "0123456789abcdef") == HASH_DIGITS;
}

static void print_value(const char *value, bool whole)
{
	if (value && !whole && is_hash(value))
		printf("%.*s...\"", HASH_DIGITS_SHOWN + 1, value);
	else
		fputs(value ? value : "(not set)", stdout);
}

/* "has_command" beside "command": what has it tells it. */
static bool is_told(const struct planned_job *job, const struct planned_change *change)
{
	if (strncmp(change->field, "has_", 4) != 0)
		return false;
	for (size_t i = 0; i < job->changes.n; i++)
		if (strcmp(job->changes.items[i].field, change->field + 4) == 0)
			return true;
	return false;
}

static void print_change(const struct planned_change *change, bool whole)
{
	printf("        %s: ", change->field);
	print_value(change->before, whole);
	fputs(" -> ", stdout);
	print_value(change->after, whole);
	putchar('\n');
}

static void print_ports(const struct planned_task *task)
{
	for (size_t i = 0; i < task->ports.n; i++) {
		const struct planned_port *port = &task->ports.items[i];
		printf(", port %s%s%" PRId64 " -> %" PRId64 "/%s",
		       port->host_ip ? port->host_ip : "", port->host_ip ? ":" : "",
		       port->host_port, port->container_port,
		       enum_name(port_protocol_names, port->protocol));
	}
}

static const char *without_project(const struct project_plan *plan, const char *name)
{
	size_t len = strlen(plan->project);
	return strncmp(name, plan->project, len) == 0 && name[len] == '/' ? name + len + 1 : name;
}

static void print_task(const struct project_plan *plan, const struct planned_task *task)
{
	printf("    %3s %s", sign_of_act(task->act), without_project(plan, task->name));
	if (task->act == PLANNED_MOVE)
		printf(" moves from %s to %s", task->from, task->node);
	else if (task->node)
		printf(" on %s", task->node);
	else if (task->act == PLANNED_STOP && task->from)
		printf(" on %s", task->from);
	if (task->act != PLANNED_STOP)
		print_ports(task);
	if (task->unplaced)
		printf(" WOULD NOT RUN: %s", task->message);
	putchar('\n');
}

static void print_tasks(const struct project_plan *plan, const struct planned_job *job, bool whole)
{
	size_t n = job->tasks.n;
	if (!whole && n > TASKS_SHOWN)
		n = TASKS_SHOWN;
	for (size_t i = 0; i < n; i++)
		print_task(plan, &job->tasks.items[i]);
	int64_t left_out = (int64_t)(job->tasks.n - n) + job->tasks_left_out;
	if (left_out)
		printf("        and %" PRId64 " more%s\n", left_out,
		       whole ? "" : " (-o wide shows them)");
}

static void print_job(const struct project_plan *plan, const struct planned_job *job, bool whole)
{
	bool any_anew = job->replaces + job->moves > 0;
	bool touched = job->effect != EFFECT_UNCHANGED || job->tasks.n || job->tasks_left_out;
	if (!touched || job->effect == EFFECT_ORPHAN)
		return;
	printf("  %s job %s %s", sign_of_effect(job->effect), job->name,
	       enum_name(job_effect_names, job->effect));
	if (job->goes_on)
		printf("; what its tasks do all the same:\n");
	else if (job->effect == EFFECT_CREATED || job->effect == EFFECT_REMOVED ||
		 (job->effect == EFFECT_RESTARTED && !any_anew))
		putchar('\n');
	else if (job->revision_before != job->revision)
		printf(", revision %" PRId64 " -> %" PRId64 "\n", job->revision_before,
		       job->revision);
	else
		printf(", %s\n", any_anew ? "its tasks are made anew" : "no task is restarted");
	for (size_t i = 0; i < job->changes.n; i++)
		if (whole || !is_told(job, &job->changes.items[i]))
			print_change(&job->changes.items[i], whole);
	if (job->changes_left_out)
		printf("        and %" PRId64 " fields more\n", job->changes_left_out);
	print_tasks(plan, job, whole);
	if (job->later)
		printf("        and %" PRId64 " more when their turn comes, %" PRId64
		       " at a time\n",
		       job->later, job->at_once);
}

static void print_resource(const char *kind, const struct planned_resource *resource)
{
	printf("  %s %s %s", sign_of_resource(resource->effect), kind, resource->name);
	if (resource->node)
		printf(" on %s", resource->node);
	if (resource->effect == PLANNED_FORGOTTEN)
		printf(", no longer declared%s",
		       strcmp(kind, "volume") == 0 ? "; its data stays" : "");
	else
		printf(" %s", enum_name(planned_effect_names, resource->effect));
	putchar('\n');
	for (size_t i = 0; i < resource->changes.n; i++)
		print_change(&resource->changes.items[i], true);
}

static void print_count(struct text *out, int64_t n, const char *what)
{
	if (n)
		text_addf(out, "%s%lld to %s", out->len ? ", " : "", (long long)n, what);
}

static void print_sum(const struct project_plan *plan)
{
	int64_t starts = 0, replaces = 0, moves = 0, stops = 0;
	struct text sum;
	text_init(&sum, 256);
	for (size_t i = 0; i < plan->jobs.n; i++) {
		if (plan->jobs.items[i].goes_on)
			continue;
		starts += plan->jobs.items[i].starts;
		replaces += plan->jobs.items[i].replaces;
		moves += plan->jobs.items[i].moves;
		stops += plan->jobs.items[i].stops;
	}
	print_count(&sum, starts, "start");
	print_count(&sum, replaces, "replace");
	print_count(&sum, moves, "move");
	print_count(&sum, stops, "stop");
	printf("\nTasks: %s.", sum.len ? text_string(&sum) : "none is touched");
	text_clear(&sum);
	if (plan->lasts_ms >= 1000) {
		text_add_duration(&sum, plan->lasts_ms);
		printf(" Its delays and trials take %s.", text_string(&sum));
	}
	putchar('\n');
	text_release(&sum);
}

void plan_print(const struct project_plan *plan, bool whole)
{
	for (size_t i = 0; i < plan->jobs.n; i++)
		if (plan->jobs.items[i].effect == EFFECT_ORPHAN)
			fprintf(stderr,
				"warning: %s/%s is not in the file; --remove-orphans would remove "
				"it\n",
				plan->project, plan->jobs.items[i].name);
	if (!plan->changes) {
		printf("project %s: nothing to change\n", plan->project);
		for (size_t i = 0; i < plan->jobs.n; i++)
			print_job(plan, &plan->jobs.items[i], whole);
		return;
	}
	printf("project %s\n", plan->project);
	for (size_t i = 0; i < plan->networks.n; i++)
		print_resource("network", &plan->networks.items[i]);
	for (size_t i = 0; i < plan->volumes.n; i++)
		print_resource("volume", &plan->volumes.items[i]);
	for (size_t i = 0; i < plan->jobs.n; i++)
		print_job(plan, &plan->jobs.items[i], whole);
	output_dependents(&plan->dependents, plan->n_dependents, "  ~ job ",
			  " restarted, its tasks are made anew");
	print_sum(plan);
}
