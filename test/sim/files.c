/* Configs and secrets on the machines: each has a tmpfs that a reboot empties. The bytes of one say which hash it is
 * behind, so that what reaches a task can be held against what its revision says (I25). */
#include <string.h>

#include "base/check.h"
#include "sim.h"

#define VERSIONS 3

/* All jobs of a request that use it mean the same bytes. */
void sim_draw_content(struct sim *sim, struct project_request *request, struct job_spec *spec)
{
	char hash[32], data[64];
	if (!sim_chance(sim, 300))
		return;
	text_print(hash, sizeof(hash), "secret-%lld", (long long)sim_draw(sim, 1, VERSIONS));
	if (!request->secrets.n) {
		struct content_request *content = list_add(&request->secrets, sizeof(*content));
		content->key = base_strdup("pw");
		content->hash = base_strdup(hash);
		content->data = base_strdup(text_print(data, sizeof(data), "bytes of %s", hash));
	}
	struct content_use *use = list_add(&spec->secrets, sizeof(*use));
	use->source = base_strdup("pw");
	use->hash = base_strdup(request->secrets.items[0].hash);
}

static bool has_files(const struct sim_worker *worker, struct task_id task)
{
	char id[UUID_TEXT_SIZE];
	return strings_has(&worker->files, uuid_format(task.uuid, id));
}

void sim_files_put(struct sim *sim, struct sim_worker *worker,
		   const struct container_action *action)
{
	char id[UUID_TEXT_SIZE];
	struct container_result result = { .op = action->op, .verb = action->verb };
	bool all = true;
	for (size_t i = 0; i < job_spec_n_contents(action->spec); i++) {
		const char *hash = job_spec_content(action->spec, i, NULL)->hash;
		char expected[64];
		text_print(expected, sizeof(expected), "bytes of %s", hash);
		sim->checker.evaluated[INVARIANT_I25]++;
		if (action->contents[i] && strcmp(action->contents[i], expected) != 0)
			violated(sim, INVARIANT_I25, "%s has other bytes for %s: %s", worker->name,
				 hash, action->contents[i]);
		all &= action->contents[i] != NULL;
	}
	if (!has_files(worker, action->task) && all)
		strings_add(&worker->files, uuid_format(action->task.uuid, id));
	else if (!has_files(worker, action->task))
		result.fault = FAULT_NOT_FOUND;
	sim_worker_queue(worker, WORKER_ACTION_DONE)->result = result;
}

void sim_files_check(struct sim *sim, const struct sim_worker *worker,
		     const struct container_action *action)
{
	if (action->verb != CONTAINER_CREATE && action->verb != CONTAINER_START)
		return;
	if (action->spec && job_spec_n_contents(action->spec) && !has_files(worker, action->task))
		violated(sim, INVARIANT_I25, "%s is to start without its files", action->name);
}

void sim_files_sweep(struct sim_worker *worker)
{
	struct strings kept = { 0 };
	for (size_t i = 0; i < worker->files.n; i++) {
		struct task_id task;
		if (uuid_parse(worker->files.items[i], &task.uuid, NULL))
			UNREACHABLE("an id was put there");
		if (worker_needs_files(worker->core, task))
			strings_add(&kept, worker->files.items[i]);
	}
	strings_release(&worker->files);
	worker->files = kept;
}

/* Nothing is left of tasks that have ended (L4). */
void check_files(struct sim *sim, const struct sim_worker *worker)
{
	for (size_t i = 0; i < worker->files.n; i++) {
		struct task_id task;
		if (!uuid_parse(worker->files.items[i], &task.uuid, NULL) &&
		    !worker_needs_files(worker->core, task))
			violated(sim, INVARIANT_I25, "%s keeps files that no task needs",
				 worker->name);
	}
}
