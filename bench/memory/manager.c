/* The manager's core, with workers that answer at once. Jobs of JOB_TASKS tasks are spread over machines of NODE_TASKS
 * each. Measured between the last worker's joining and the last task's running. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager/core.h"
#include "memory.h"

#define JOB_TASKS     1000
#define NODE_TASKS    100
#define STEPS_PATIENT 100000

struct worker {
	struct node_id node;
	int64_t epoch;
	int64_t rev;
	int64_t report;
	uint64_t digest;
	LIST_OF(struct task_observed) news;
};

struct bench {
	struct manager *manager;
	struct manager_out out;
	struct worker *workers;
	size_t n_workers;
	int64_t n_tasks;
	int64_t now_ms;
	int64_t rev;
	int64_t version;
	struct random random;
	struct uuid cluster;
};

/* ---- workers ------------------------------------------------------------------------------------------- */

static void take_task(struct bench *bench, struct worker *worker,
		      const struct sync_assignment *assignment)
{
	struct task_observed *observed = list_add(&worker->news, sizeof(*observed));
	char container_id[65];
	record_init(&task_observed_type, observed);
	for (int i = 0; i < 64; i += 16)
		text_print(container_id + i, 17, "%016llx",
			   (unsigned long long)random_next(&bench->random));
	observed->task = assignment->task;
	observed->version = ++bench->version;
	observed->state = TASK_RUNNING;
	observed->reason = REASON_RUNNING;
	observed->attempt = 1;
	observed->message = base_strdup("running");
	observed->container_id = base_strdup(container_id);
	observed->started_wall_ms = bench->now_ms;
	worker->digest += (uint64_t)sync_assignment_digest(assignment);
}

static void take_downs(struct bench *bench)
{
	for (size_t i = 0; i < bench->out.n_downs; i++) {
		const struct sync_down *down = &bench->out.downs[i].message;
		struct worker *worker = &bench->workers[bench->out.downs[i].session - 1];
		bench->cluster = down->cluster;
		worker->epoch = down->epoch;
		worker->rev = down->rev;
		for (size_t j = 0; j < down->tasks.n; j++)
			take_task(bench, worker, &down->tasks.items[j]);
	}
}

static void step(struct bench *bench, const struct manager_event *event)
{
	struct manager_in in = { .now_ms = bench->now_ms,
				 .wall_ms = bench->now_ms,
				 .seed = random_next(&bench->random),
				 .rev = bench->rev,
				 .events = event,
				 .n_events = event ? 1 : 0 };
	manager_out_clear(&bench->out);
	manager_step(bench->manager, &in, &bench->out);
	bench->rev += bench->out.changes.n > 0;
	for (size_t i = 0; i < bench->out.n_replies; i++)
		if (bench->out.replies[i].err.code)
			fprintf(stderr, "memory: %s\n", bench->out.replies[i].err.message);
	take_downs(bench);
}

static void speak(struct bench *bench, size_t number, const struct node_facts *facts)
{
	struct worker *worker = &bench->workers[number];
	struct sync_up up = { .node = worker->node,
			      .cluster = bench->cluster,
			      .epoch = worker->epoch,
			      .rev = worker->rev,
			      .digest = (int64_t)worker->digest,
			      .runtime_ok = true,
			      .has_facts = facts,
			      .report = ++worker->report };
	if (facts)
		record_copy(&node_facts_type, &up.facts, facts);
	up.observed.items = worker->news.items;
	up.observed.n = worker->news.n;
	worker->news.items = NULL;
	worker->news.n = 0;
	step(bench,
	     &(struct manager_event){ .kind = MANAGER_SYNC_UP, .session = number + 1, .up = &up });
	record_release(&sync_up_type, &up);
}

static void join(struct bench *bench, size_t number)
{
	char hostname[32];
	char os[] = "linux";
	char arch[] = "x86_64";
	struct node_facts facts = {
		.hostname = text_print(hostname, sizeof(hostname), "machine-%zu", number),
		.platform_os = os,
		.platform_arch = arch,
		.api_minor = 45,
		.protocol = SYNC_PROTOCOL,
		.capacity = { .cpu_milli = NODE_TASKS * 100,
			      .memory_bytes = NODE_TASKS * (64LL << 20),
			      .disk_bytes = 1LL << 40 },
	};
	bench->workers[number].node = (struct node_id){ uuid_make(&bench->random, bench->now_ms) };
	step(bench,
	     &(struct manager_event){ .kind = MANAGER_SESSION_OPENED, .session = number + 1 });
	speak(bench, number, &facts);
}

/* ---- tasks --------------------------------------------------------------------------------------------- */

static void submit(struct bench *bench, int64_t number, int64_t replicas)
{
	struct project_request project = { 0 };
	char name[32];
	record_init(&project_request_type, &project);
	text_print(name, sizeof(name), "project-%lld", (long long)number / LIMIT_JOBS_PER_PROJECT);
	string_set(&project.name, name);
	struct job_request *job = list_add(&project.jobs, sizeof(*job));
	record_init(&job_request_type, job);
	text_print(name, sizeof(name), "job-%lld", (long long)number);
	string_set(&job->name, name);
	string_set(&job->spec.image, "registry.example/team/service:1.2.3");
	job->spec.replicas = replicas;
	job->spec.reservations.cpu_milli = 100;
	job->spec.reservations.memory_bytes = 64 << 20;
	struct manager_request request = { .handle = 1,
					   .kind = REQUEST_SUBMIT,
					   .project_request = &project };
	step(bench, &(struct manager_event){ .kind = MANAGER_REQUEST, .request = &request });
	record_release(&project_request_type, &project);
}

static size_t n_running(const struct bench *bench)
{
	return manager_cluster(bench->manager)->n_tasks_by_state[TASK_RUNNING];
}

static bool run(struct bench *bench)
{
	for (int64_t i = 0; i * JOB_TASKS < bench->n_tasks; i++) {
		int64_t left = bench->n_tasks - i * JOB_TASKS;
		submit(bench, i, left < JOB_TASKS ? left : JOB_TASKS);
	}
	for (int i = 0; i < STEPS_PATIENT && n_running(bench) < (size_t)bench->n_tasks; i++) {
		bench->now_ms++;
		step(bench, NULL);
		for (size_t j = 0; j < bench->n_workers; j++)
			if (bench->workers[j].news.n)
				speak(bench, j, NULL);
	}
	/* Once more, so that the last reports are answered, and two minutes later, so that trials are over. */
	bench->now_ms += 120000;
	for (size_t j = 0; j < bench->n_workers; j++)
		speak(bench, j, NULL);
	return n_running(bench) == (size_t)bench->n_tasks;
}

/* ---- where the bytes are ------------------------------------------------------------------------------- */

static size_t of_list(const struct task_list *list)
{
	return list->items ? size_of(list->items - list->gap) : 0;
}

static void count_tasks(const struct cluster *cluster, struct part *structs, struct part *rare)
{
	size_t at = 0;
	for (const struct task *task; (task = id_index_next(&cluster->tasks, &at));) {
		structs->bytes += size_of(task);
		if (!task->rare)
			continue;
		rare->bytes += size_of(task->rare) + size_of(task->rare->container_id) +
			       size_of(task->rare->observed_message) +
			       size_of(task->rare->waiting_message);
	}
}

static void tell(const struct bench *bench, size_t whole)
{
	const struct cluster *cluster = manager_cluster(bench->manager);
	struct part parts[] = { { "struct task", 0 },
				{ "what few tasks have: ports, messages", 0 },
				{ "tasks by id", 0 },
				{ "tasks of each job", 0 },
				{ "how many of each job on each node", 0 },
				{ "tasks of each node", 0 },
				{ "of sessions: templates, what is to be sent", 0 } };
	size_t at = 0;
	count_tasks(cluster, &parts[0], &parts[1]);
	parts[2].bytes = size_of(cluster->tasks.slots) + size_of(cluster->tasks.tags);
	for (const struct job_entry *job; (job = map_next(&cluster->jobs, &at));) {
		parts[3].bytes += of_list(&job->tasks);
		parts[4].bytes += size_of(job->placements);
	}
	for (size_t i = 0; i < cluster->columns.n; i++)
		parts[5].bytes += of_list(&cluster->columns.entry[i]->tasks);
	at = 0;
	for (const struct session *session; (session = map_next(&bench->manager->sessions, &at));)
		parts[6].bytes += size_of(session->templates) + size_of(session->changed) +
				  size_of(session->fed.slots);
	tell_parts("manager", bench->n_tasks, whole, parts, ARRAY_LEN(parts));
}

bool measure_manager(int64_t n_tasks)
{
	struct bench bench = { .n_tasks = n_tasks, .now_ms = 1700000000000, .rev = 1 };
	struct err err;
	struct manager_options options = { .scheduler = scheduler_find("spread"),
					   .node_silent_ms = LIMIT_DURATION_MS,
					   .runtime_grace_ms = LIMIT_RUNTIME_GRACE_MS,
					   .history_per_slot = LIMIT_HISTORY_PER_SLOT,
					   .ends_kept = LIMIT_ENDS_KEPT };
	bench.random = (struct random){ 1 };
	bench.n_workers = (size_t)(bench.n_tasks + NODE_TASKS - 1) / NODE_TASKS;
	bench.workers = base_calloc(bench.n_workers, sizeof(struct worker));
	bench.manager = manager_new(&options, 1);
	struct manager_in in = { .now_ms = bench.now_ms, .wall_ms = bench.now_ms, .rev = 1 };
	if (manager_start(bench.manager, &in, &bench.out, &err)) {
		fprintf(stderr, "memory: %s\n", err.message);
		return false;
	}
	bench.cluster = manager_cluster(bench.manager)->meta.cluster;
	for (size_t i = 0; i < bench.n_workers; i++)
		join(&bench, i);
	manager_out_release(&bench.out);
	size_t before = given_out();
	bool all_run = run(&bench);
	if (!all_run)
		fprintf(stderr, "memory: only %zu tasks run\n", n_running(&bench));
	manager_out_release(&bench.out);
	tell(&bench, given_out() - before);
	manager_free(bench.manager);
	base_free(bench.workers);
	return all_run;
}
