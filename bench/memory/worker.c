/* One worker's core, with a manager and a Docker that answer at once. Measured between its first message from the
 * manager and the state in which all tasks run and nothing is going on: all is acknowledged, and one more list of all
 * containers was taken. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "memory.h"
#include "worker/worker_int.h"

#define JOB_TASKS	1000
#define STEPS_PATIENT	1000000
#define DAEMON_INSTANCE 7

struct bench {
	struct worker *worker;
	struct worker_out out;
	struct worker_in in;
	int64_t n_tasks;
	int64_t rev;
	struct random random;
	struct uuid cluster;
	struct task_id *tasks; /* by number, which an id ends with */
	int *states;	       /* of their containers: enum container_state */
	struct container_result *results;
	size_t n_results;
	size_t n_running;
};

/* ---- Docker -------------------------------------------------------------------------------------------- */

static void show(const struct bench *bench, uint32_t number, struct container_seen *ret_seen)
{
	*ret_seen = (struct container_seen){ .cluster = bench->cluster,
					     .task = bench->tasks[number],
					     .attempt = 1,
					     .state = bench->states[number],
					     .started_wall_ms = bench->in.wall_ms };
	struct random of_task = { number };
	container_name(bench->tasks[number], 1, ret_seen->name);
	for (int i = 0; i < 64; i += 16)
		text_print(ret_seen->id + i, 17, "%016llx",
			   (unsigned long long)random_next(&of_task));
}

static void list(const struct bench *bench, bool ended, struct container_result *result)
{
	result->list = base_calloc((size_t)bench->n_tasks, sizeof(*result->list));
	for (uint32_t i = 0; i < bench->n_tasks && !ended; i++)
		if (bench->states[i] != CONTAINER_ABSENT)
			show(bench, i, &result->list[result->n_list++]);
}

static void carry_out(struct bench *bench, const struct container_action *action,
		      struct container_result *ret_result)
{
	uint32_t number;
	memcpy(&number, action->task.uuid.bytes + UUID_BYTES - sizeof(number), sizeof(number));
	*ret_result = (struct container_result){ .op = action->op,
						 .verb = action->verb,
						 .daemon_instance = DAEMON_INSTANCE };
	if (action->verb == CONTAINER_CREATE)
		bench->states[number] = CONTAINER_CREATED;
	else if (action->verb == CONTAINER_START)
		bench->states[number] = CONTAINER_RUNNING;
	bench->n_running += action->verb == CONTAINER_START;
	if (action->verb == CONTAINER_LIST)
		list(bench, action->ended, ret_result);
	else if (action->verb == CONTAINER_CREATE || action->verb == CONTAINER_INSPECT)
		show(bench, number, &ret_result->seen);
}

/* ---- steps --------------------------------------------------------------------------------------------- */

static void step(struct bench *bench, const struct worker_event *events, size_t n)
{
	bench->in.events = events;
	bench->in.n_events = n;
	bench->in.seed = random_next(&bench->random);
	worker_out_clear(&bench->out);
	worker_step(bench->worker, &bench->in, &bench->out);
	bench->results = base_realloc(bench->results, bench->n_results + bench->out.n_actions + 1,
				      sizeof(struct container_result));
	for (size_t i = 0; i < bench->out.n_actions; i++)
		carry_out(bench, &bench->out.actions[i], &bench->results[bench->n_results++]);
}

static void answer(struct bench *bench)
{
	size_t n = bench->n_results;
	struct container_result *results = bench->results;
	struct worker_event *events = base_calloc(n, sizeof(*events));
	bench->results = NULL;
	bench->n_results = 0;
	for (size_t i = 0; i < n; i++)
		events[i] =
			(struct worker_event){ .kind = WORKER_ACTION_DONE, .result = &results[i] };
	step(bench, events, n);
	for (size_t i = 0; i < n; i++)
		container_result_release(&results[i]);
	base_free(results);
	base_free(events);
}

static struct sync_down message(const struct bench *bench)
{
	struct sync_down down;
	record_init(&sync_down_type, &down);
	down.cluster = bench->cluster;
	down.epoch = 1;
	down.rev = bench->rev;
	down.base_rev = bench->rev;
	return down;
}

static void take(struct bench *bench, struct sync_down *down)
{
	step(bench, &(struct worker_event){ .kind = WORKER_SYNC_DOWN, .down = down }, 1);
	record_release(&sync_down_type, down);
}

/* Until no answer is owed, in a time that passes on. */
static void settle(struct bench *bench, int64_t for_ms)
{
	int64_t end_ms = bench->in.now_ms + for_ms;
	for (int i = 0; i < STEPS_PATIENT && bench->in.now_ms < end_ms; i++) {
		bench->in.now_ms++;
		bench->in.wall_ms++;
		if (!bench->n_results && bench->out.deadline_ms > bench->in.now_ms &&
		    !bench->out.has_up)
			bench->in.now_ms =
				bench->out.deadline_ms < end_ms ? bench->out.deadline_ms : end_ms;
		if (!bench->out.has_up) {
			answer(bench);
			continue;
		}
		struct sync_down down = message(bench);
		down.report_acked = bench->out.up.report;
		take(bench, &down);
	}
}

/* ---- tasks --------------------------------------------------------------------------------------------- */

static void add_template(struct bench *bench, struct sync_down *down, int64_t number)
{
	char name[32];
	struct sync_template *template = list_add(&down->templates, sizeof(*template));
	record_init(&sync_template_type, template);
	template->job.uuid = uuid_make(&bench->random, bench->in.wall_ms);
	template->revision = 1;
	string_set(&template->project, "project");
	string_set(&template->name, text_print(name, sizeof(name), "job-%lld", (long long)number));
	string_set(&template->spec.image, "registry.example/team/service:1.2.3");
	template->spec.reservations.cpu_milli = 100;
	template->spec.reservations.memory_bytes = 64 << 20;
}

static void assign(struct bench *bench)
{
	bench->rev++;
	struct sync_down down = message(bench);
	down.full = true;
	for (uint32_t i = 0; i < bench->n_tasks; i++) {
		if (i % JOB_TASKS == 0)
			add_template(bench, &down, i / JOB_TASKS);
		struct sync_assignment *assignment = list_add(&down.tasks, sizeof(*assignment));
		record_init(&sync_assignment_type, assignment);
		assignment->task = bench->tasks[i];
		assignment->job = down.templates.items[down.templates.n - 1].job;
		assignment->revision = 1;
		assignment->slot = i % JOB_TASKS + 1;
	}
	take(bench, &down);
}

static void begin(struct bench *bench)
{
	static const int kinds[] = { WORKER_SESSION_OPENED, WORKER_RUNTIME_UP };
	struct worker_options options;
	struct err err;
	worker_options_default(&options);
	bench->worker = worker_new(&options);
	bench->cluster = uuid_make(&bench->random, bench->in.wall_ms);
	bench->tasks = base_calloc((size_t)bench->n_tasks, sizeof(*bench->tasks));
	bench->states = base_calloc((size_t)bench->n_tasks, sizeof(*bench->states));
	for (uint32_t i = 0; i < bench->n_tasks; i++) {
		bench->tasks[i].uuid = uuid_make(&bench->random, bench->in.wall_ms);
		memcpy(bench->tasks[i].uuid.bytes + UUID_BYTES - sizeof(i), &i, sizeof(i));
	}
	if (worker_start(bench->worker, &bench->in, "boot", &bench->out, &err))
		fprintf(stderr, "memory: %s\n", err.message);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		step(bench,
		     &(struct worker_event){ .kind = kinds[i], .daemon_instance = DAEMON_INSTANCE },
		     1);
	struct sync_down down = message(bench);
	down.full = true;
	take(bench, &down);
	settle(bench, 20000);
}

/* ---- where the bytes are ------------------------------------------------------------------------------- */

static void count_templates(const struct worker *worker, struct part *part)
{
	for (const struct worker_template *at = worker->template_first; at; at = at->next)
		part->bytes += size_of(at) + size_of(at->sync.spec.image) + size_of(at->sync.name);
}

static void tell(const struct bench *bench, size_t whole)
{
	const struct worker *worker = bench->worker;
	struct part parts[] = { { "struct worker_task", 0 },
				{ "what few tasks have: ports, messages", 0 },
				{ "what goes on", 0 },
				{ "tasks by id", 0 },
				{ "queues", 0 },
				{ "templates", 0 } };
	for (const struct worker_task *task = worker->task_first; task; task = task->next) {
		parts[0].bytes += size_of(task);
		parts[2].bytes += size_of(task->doing);
		if (task->rare)
			parts[1].bytes += size_of(task->rare) +
					  size_of(task->rare->observed.container_id) +
					  size_of(task->rare->observed.message);
	}
	parts[3].bytes = size_of(worker->tasks.slots) + size_of(worker->tasks.tags);
	parts[4].bytes = size_of(worker->due) + size_of(worker->dirty.items) +
			 size_of(worker->unsaved.items) + size_of(worker->news.items);
	count_templates(worker, &parts[5]);
	tell_parts("worker", bench->n_tasks, whole, parts, ARRAY_LEN(parts));
}

bool measure_worker(int64_t n_tasks)
{
	struct bench bench = { .n_tasks = n_tasks,
			       .in = { .now_ms = 1000, .wall_ms = 1700000000000 },
			       .random = { 1 },
			       .rev = 1 };
	begin(&bench);
	worker_out_release(&bench.out);
	size_t before = given_out();
	assign(&bench);
	settle(&bench, 60000);
	for (int i = 0; i < 100 && (bench.n_running < (size_t)n_tasks || bench.n_results); i++)
		settle(&bench, 10000);
	settle(&bench, 200000);
	while (bench.n_results)
		answer(&bench);
	bool all_run = bench.n_running == (size_t)n_tasks;
	if (!all_run)
		fprintf(stderr, "memory: only %zu tasks run\n", bench.n_running);
	base_free(bench.results);
	worker_out_release(&bench.out);
	tell(&bench, given_out() - before);
	worker_check(bench.worker);
	worker_free(bench.worker);
	base_free(bench.tasks);
	base_free(bench.states);
	return all_run;
}
