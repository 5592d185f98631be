/* Requests, drawn at random: some projects, each with a service, a second service that may wait for the first, and a
 * run to completion. Every body carries a mark in its environment, so that two of them differ. */
#include "requests.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* The last one where there are schedules only. */
static const char *const job_names[] = { "web", "api", "batch", "agent", "each", "cron" };

static struct job_spec *add_job(struct sim_request *request, const char *name)
{
	struct job_request *job = list_add(&request->project_request.jobs, sizeof(*job));
	job->name = base_strdup(name);
	record_init(&job_spec_type, &job->spec);
	return &job->spec;
}

static void draw_resources(struct sim *sim, struct job_spec *spec)
{
	if (sim_chance(sim, 600))
		spec->reservations.memory_bytes = sim_draw(sim, 1, 8) << 27;
	if (sim_chance(sim, 300))
		spec->reservations.cpu_milli = sim_draw(sim, 1, 8) * 125;
}

static void draw_policy(struct sim *sim, struct job_spec *spec)
{
	static const int conditions[] = { RESTART_ON_FAILURE, RESTART_ON_FAILURE, RESTART_ANY,
					  RESTART_NONE };
	spec->restart.condition = conditions[sim_draw(sim, 0, 3)];
	if (sim_chance(sim, 400))
		spec->restart.max_attempts = sim_draw(sim, 1, 4);
	if (sim_chance(sim, 200))
		spec->restart.delay_ms = sim_draw(sim, 1, 30) * 100;
	spec->stop_grace_ms = sim_draw(sim, 0, 8) * 1000;
}

static void draw_update_policy(struct sim *sim, struct update_policy *policy, bool may_overlap)
{
	static const int64_t parallelism[] = { 0, 0, 2, 3, UPDATE_ALL };
	static const int64_t failures_ppm[] = { 0, 0, 300000, 1000000 };
	policy->parallelism = parallelism[sim_draw(sim, 0, 4)];
	policy->delay_ms = sim_chance(sim, 300) ? sim_draw(sim, 1, 5000) : 0;
	policy->monitor_ms = sim_chance(sim, 500) ? sim_draw(sim, 1, 10000) : 0;
	policy->max_failure_ppm = failures_ppm[sim_draw(sim, 0, 3)];
	policy->order =
		may_overlap && sim_chance(sim, 400) ? UPDATE_START_FIRST : UPDATE_STOP_FIRST;
}

/* How a service changes. */
static void draw_updates(struct sim *sim, struct job_spec *spec)
{
	static const int actions[] = { UPDATE_PAUSE, UPDATE_PAUSE, UPDATE_CONTINUE,
				       UPDATE_ROLLBACK };
	bool may_overlap = spec->on_disconnect != ON_DISCONNECT_STOP;
	draw_update_policy(sim, &spec->update, may_overlap);
	draw_update_policy(sim, &spec->rollback, may_overlap);
	spec->update.failure_action = actions[sim_draw(sim, 0, 3)];
	spec->rollback.failure_action = actions[sim_draw(sim, 0, 2)];
	spec->update_deadline_ms = sim_draw(sim, 30, UPDATE_DEADLINE_MAX_MS / 1000) * 1000;
}

static void draw_ports(struct sim *sim, struct job_spec *spec)
{
	if (!sim_chance(sim, 400))
		return;
	struct port *port = list_add(&spec->ports, sizeof(*port));
	port->container_port = 80;
	port->host_first = sim_draw(sim, 8000, 8006);
	port->host_last = sim_chance(sim, 500) ? port->host_first : port->host_first + 6;
}

static void draw_mark(struct sim *sim, struct job_spec *spec)
{
	char mark[24];
	text_print(mark, sizeof(mark), "%lld", (long long)sim_draw(sim, 0, 3));
	pairs_add(&spec->environment, "MARK", mark);
}

static void draw_volume(struct sim *sim, struct sim_request *request, struct job_spec *spec)
{
	if (!sim_chance(sim, 150))
		return;
	struct mount *mount = list_add(&spec->mounts, sizeof(*mount));
	mount->kind = MOUNT_VOLUME;
	mount->source = base_strdup("data");
	mount->target = base_strdup("/data");
	struct volume_spec *volume = list_add(&request->project_request.volumes, sizeof(*volume));
	volume->key = base_strdup("data");
}

static void draw_network(struct sim *sim, struct sim_request *request, struct job_spec *spec)
{
	if (!sim_chance(sim, 400))
		return;
	struct network_use *use = list_add(&spec->networks, sizeof(*use));
	use->network = base_strdup("default");
	if (request->project_request.networks.n)
		return;
	struct network_spec *network =
		list_add(&request->project_request.networks, sizeof(*network));
	network->key = base_strdup("default");
}

static void draw_placement(struct sim *sim, struct job_spec *spec)
{
	static const char *const constraints[] = { "node.labels.disk==ssd", "node.labels.disk!=hdd",
						   "node.labels.rack==r1", "node.labels.rack!=r2",
						   "node.hostname!=worker1" };
	struct placement *placement = &spec->placement;
	if (sim_chance(sim, 250))
		strings_add(&placement->constraints, constraints[sim_draw(sim, 0, 4)]);
	if (sim_chance(sim, 200))
		strings_add(&placement->preferences, "node.labels.rack");
	if (sim_chance(sim, 150))
		placement->max_replicas_per_node = sim_draw(sim, 1, 2);
}

static void draw_probe(struct sim *sim, struct job_spec *spec)
{
	if (!sim_chance(sim, 250))
		return;
	struct probe *probe = base_calloc(1, sizeof(*probe));
	record_init(&probe_type, probe);
	probe->kind = sim_chance(sim, 500) ? PROBE_TCP : PROBE_HTTP;
	probe->port = 80;
	probe->interval_ms = sim_draw(sim, 500, 5000);
	probe->timeout_ms = sim_draw(sim, 500, 5000);
	probe->retries = sim_draw(sim, 1, 3);
	/* A container answers after 4 s at the latest: with less it would never come up. */
	probe->start_period_ms = sim_draw(sim, 4500, 10000);
	probe->start_interval_ms = sim_draw(sim, 200, 2000);
	spec->probe = probe;
}

static void draw_hooks(struct sim *sim, struct job_spec *spec)
{
	if (!sim_chance(sim, 150))
		return;
	spec->hooks = base_calloc(1, sizeof(*spec->hooks));
	for (int64_t n = sim_draw(sim, 0, 2); n > 0; n--)
		strings_add(
			&((struct hook *)list_add(&spec->hooks->post_start, sizeof(struct hook)))
				 ->command,
			"begin");
	for (int64_t n = sim_draw(sim, 0, 2); n > 0; n--)
		strings_add(&((struct hook *)list_add(&spec->hooks->pre_stop, sizeof(struct hook)))
				     ->command,
			    "end");
}

/* For the job of that name in the next project, which waits for none of this one. */
static void wait_elsewhere(const struct sim *sim, const struct sim_request *request,
			   struct depend *depend)
{
	char name[16];
	int64_t number;
	if (parse_int(request->project + 1, 1, sim->n_projects, &number, NULL))
		return;
	text_print(name, sizeof(name), "p%d", (int)(number % sim->n_projects) + 1);
	depend->project = base_strdup(name);
	depend->optional = number % 2;
}

static void draw_service(struct sim *sim, struct sim_request *request, const char *name)
{
	static const char *const images[] = { "app:1", "app:2", "well:1", "stubborn:1", "frob:1" };
	struct job_spec *spec = add_job(request, name);
	spec->image = base_strdup(images[sim_chance(sim, 50) ? 4 : sim_draw(sim, 0, 3)]);
	spec->replicas = sim_draw(sim, 0, 4 + sim->n_workers / 10);
	spec->priority = sim_draw(sim, 40, 60);
	draw_resources(sim, spec);
	draw_policy(sim, spec);
	draw_ports(sim, spec);
	draw_mark(sim, spec);
	if (strcmp(name, "web") == 0)
		draw_volume(sim, request, spec);
	draw_network(sim, request, spec);
	draw_placement(sim, spec);
	draw_probe(sim, spec);
	draw_hooks(sim, spec);
	sim_draw_content(sim, &request->project_request, spec);
	if (sim_chance(sim, 150))
		spec->on_disconnect = ON_DISCONNECT_STOP;
	draw_updates(sim, spec);
	if (strcmp(name, "api") != 0 || !sim_chance(sim, 300))
		return;
	struct depend *depend = list_add(&spec->depends_on, sizeof(*depend));
	bool on_batch = sim_chance(sim, 300);
	depend->job = base_strdup(on_batch ? "batch" : "web");
	depend->condition = on_batch		   ? DEPEND_COMPLETED
			    : sim_chance(sim, 500) ? DEPEND_STARTED
						   : DEPEND_HEALTHY;
	depend->restart = sim_chance(sim, 300);
	/* Not drawn, so that every other run stays as it was. */
	if ((spec->priority + spec->replicas) % 2)
		wait_elsewhere(sim, request, depend);
}

static void draw_batch(struct sim *sim, struct sim_request *request)
{
	struct job_spec *spec = add_job(request, "batch");
	spec->image = base_strdup("batch:1");
	spec->mode = JOB_REPLICATED_JOB;
	spec->replicas = sim_draw(sim, 1, sim->concurrency ? 6 : 3);
	spec->concurrency = sim->concurrency;
	draw_resources(sim, spec);
	draw_policy(sim, spec);
	draw_mark(sim, spec);
}

/* On each machine one; for a while, or once. */
static void draw_global(struct sim *sim, struct sim_request *request, const char *name, int mode)
{
	struct job_spec *spec = add_job(request, name);
	spec->image = base_strdup(mode == JOB_GLOBAL ? "app:1" : "batch:1");
	spec->mode = mode;
	draw_resources(sim, spec);
	draw_policy(sim, spec);
	draw_mark(sim, spec);
	draw_placement(sim, spec);
	if (mode == JOB_GLOBAL)
		draw_updates(sim, spec);
	else if (sim->schedules && sim_chance(sim, 700))
		spec->schedule = sim_draw_schedule(sim);
}

/* At times, and for so long that it is often still there when the next one comes. */
static void draw_scheduled(struct sim *sim, struct sim_request *request)
{
	struct job_spec *spec = add_job(request, "cron");
	spec->image = base_strdup("slow:1");
	spec->mode = JOB_REPLICATED_JOB;
	spec->replicas = sim_draw(sim, 1, 3);
	spec->concurrency = sim->concurrency;
	spec->schedule = sim_draw_schedule(sim);
	draw_resources(sim, spec);
	draw_policy(sim, spec);
	draw_mark(sim, spec);
}

static void draw_apply(struct sim *sim, struct sim_request *request)
{
	request->project_request.name = base_strdup(request->project);
	draw_service(sim, request, "web");
	if (sim_chance(sim, 700))
		draw_service(sim, request, "api");
	if (sim_chance(sim, 600))
		draw_batch(sim, request);
	if (sim_chance(sim, 250))
		draw_global(sim, request, "agent", JOB_GLOBAL);
	if (sim_chance(sim, 150))
		draw_global(sim, request, "each", JOB_GLOBAL_JOB);
	if (sim->schedules && sim_chance(sim, 700))
		draw_scheduled(sim, request);
	request->project_request.remove_orphans = sim_chance(sim, 300);
	request->request.kind = REQUEST_APPLY;
}

static void draw_submit(struct sim *sim, struct sim_request *request)
{
	request->project_request.name = base_strdup(request->project);
	if (sim_chance(sim, 500))
		draw_service(sim, request, "web");
	else
		draw_batch(sim, request);
	request->request.kind = REQUEST_SUBMIT;
}

static void draw_act(struct sim *sim, struct sim_request *request)
{
	static const int kinds[] = { REQUEST_SCALE,   REQUEST_SCALE,   REQUEST_STOP,
				     REQUEST_RESTART, REQUEST_RESTART, REQUEST_ROLLBACK };
	int kind = kinds[sim_draw(sim, 0, 5)];
	request->request.kind = kind;
	request->request.revision = sim_chance(sim, 700) ? 0 : sim_draw(sim, 1, 6);
	/* Runs to completion are neither scaled nor taken back: a slot that comes back may rightly succeed again. */
	bool of_services = kind == REQUEST_SCALE || kind == REQUEST_ROLLBACK;
	int n_jobs = of_services ? 2 : (int)ARRAY_LEN(job_names) - !sim->schedules;
	int job = (int)sim_draw(sim, 0, n_jobs - 1);
	text_print(request->job, sizeof(request->job), "%s", job_names[job]);
	if (job + 1 == (int)ARRAY_LEN(job_names) && sim_chance(sim, 500))
		request->request.kind = REQUEST_RUN_AGAIN;
	request->request.replicas = sim_draw(sim, 0, 5 + sim->n_workers / 10);
	if (sim_chance(sim, 60)) {
		request->request.kind = REQUEST_REMOVE;
		request->request.with_volumes = sim_chance(sim, 500);
		if (sim_chance(sim, 500))
			request->job[0] = '\0';
	}
}

/* One task of a service, as somebody who has just listed them would name it. Of runs to completion none: one that is
 * restarted may rightly succeed again. */
static bool draw_task(struct sim *sim, struct sim_request *request)
{
	const struct cluster *cluster =
		sim->manager.up && !sim->manager.broken ? manager_cluster(sim->manager.core) : NULL;
	const struct job_entry *entry =
		cluster ? cluster_job_named(cluster, request->project, "web") : NULL;
	if (!entry || !entry->tasks.n || job_entry_current(entry)->spec.mode != JOB_REPLICATED)
		return false;
	request->request.kind = sim_chance(sim, 500) ? REQUEST_STOP : REQUEST_RESTART;
	request->request.task =
		entry->tasks.items[sim_draw(sim, 0, (int64_t)entry->tasks.n - 1)]->desired.id;
	request->job[0] = '\0';
	return true;
}

static void add_move(struct sim_request *request, struct task_id task, struct node_id node)
{
	request->moves[request->n_moves++] =
		(struct planned_move){ .task = task.uuid, .node = node.uuid };
}

/* The others of its service that are ready, to the same node. */
static void move_others(const struct sim *sim, struct sim_request *request, struct node_id node)
{
	const struct job_entry *entry =
		cluster_job_named(manager_cluster(sim->manager.core), request->project, "web");
	for (size_t i = 0; i < entry->tasks.n && request->n_moves < MOVES_AT_ONCE; i++) {
		const struct task *task = entry->tasks.items[i];
		if (task_is_ready(task) && task->desired.wanted == TASK_WANT_RUN &&
		    !uuid_equal(task->desired.node.uuid, node.uuid) &&
		    !uuid_equal(task->desired.id.uuid, request->moves[0].task))
			add_move(request, task->desired.id, node);
	}
}

/* Any task of a service to any node, better or not: half of them cannot be. */
static bool draw_move(struct sim *sim, struct sim_request *request)
{
	struct sim_worker *worker = &sim->workers[sim_draw(sim, 0, sim->n_workers - 1)];
	if (!worker->core || !draw_task(sim, request))
		return false;
	request->request.kind = REQUEST_REBALANCE;
	struct node_id node = worker_node_id(worker->core);
	add_move(request, request->request.task, node);
	/* Not drawn, so that other runs stay as they were. */
	if (node.uuid.bytes[UUID_BYTES - 1] % 2)
		move_others(sim, request, node);
	request->request.task = (struct task_id){ { { 0 } } };
	request->project[0] = '\0';
	return true;
}

static void draw_volume_removal(struct sim_request *request)
{
	request->request.kind = REQUEST_VOLUME_REMOVE;
	text_print(request->volume, sizeof(request->volume), "%s_data", request->project);
}

/* An operator's word that a machine is off may be wrong: some come back. Half of all at least are left. */
static bool draw_given_up(struct sim *sim, struct sim_request *request)
{
	struct sim_worker *silent = NULL;
	int n = 0;
	for (int i = 0; i < sim->n_workers; i++) {
		struct sim_worker *worker = &sim->workers[i];
		bool out = worker->broken || worker->given_up;
		n += out;
		if (worker->is_down && !out && !worker->local)
			silent = worker;
	}
	if (!silent || 2 * (n + 1) > sim->n_workers || !sim_strikes(sim, FAULT_GIVEN_UP))
		return false;
	silent->given_up = true;
	request->request.node = worker_node_id(silent->core);
	request->request.kind = REQUEST_NODE_REMOVE;
	request->request.fenced = true;
	request->project[0] = '\0';
	return true;
}

/* What operators do to a machine. */
static bool draw_node(struct sim *sim, struct sim_request *request)
{
	struct sim_worker *worker = &sim->workers[sim_draw(sim, 0, sim->n_workers - 1)];
	struct manager_request *asked = &request->request;
	int64_t what = sim_draw(sim, 0, 9);
	if (!worker->core)
		return false;
	asked->node = worker_node_id(worker->core);
	if (worker->broken == BROKEN_OFF && what < 6) {
		asked->kind = REQUEST_NODE_REMOVE;
		asked->fenced = true;
	} else if (what < 3) {
		asked->kind = REQUEST_NODE_DRAIN;
	} else if (what < 7) {
		asked->kind = REQUEST_NODE_RESUME;
	} else if (what < 9) {
		static const char *const racks[] = { "r1", "r2", "r3" };
		asked->kind = REQUEST_NODE_LABEL;
		pairs_add(&request->labels, "rack", racks[sim_draw(sim, 0, 2)]);
	} else {
		asked->kind = REQUEST_NODE_REMOVE;
	}
	request->project[0] = '\0';
	return true;
}

/* Pointers within the request, after it was filled or copied. */
static void tie(struct sim_request *request)
{
	bool applies =
		request->request.kind == REQUEST_APPLY || request->request.kind == REQUEST_SUBMIT;
	request->request.caller = "client";
	request->request.idempotency_key = request->key;
	request->request.project_request = applies ? &request->project_request : NULL;
	request->request.project = request->project;
	request->request.job = request->job;
	request->request.volume = request->volume;
	request->request.labels_set = &request->labels;
	request->rebalance.moves.items = request->moves;
	request->rebalance.moves.n = request->n_moves;
	request->request.rebalance = &request->rebalance;
}

struct sim_request *request_draw(struct sim *sim, const struct sim_client *client)
{
	struct sim_request *request = base_calloc(1, sizeof(*request));
	request->client = client->index;
	text_print(request->key, sizeof(request->key), "client%d-%llu", client->index,
		   (unsigned long long)client->serial);
	text_print(request->project, sizeof(request->project), "p%d",
		   (int)sim_draw(sim, 1, sim->n_projects));
	bool of_node =
		(sim_chance(sim, 80) && draw_node(sim, request)) || draw_given_up(sim, request);
	if (of_node)
		;
	else if (sim_chance(sim, 400))
		draw_apply(sim, request);
	else if (sim_chance(sim, 100))
		draw_submit(sim, request);
	else if (sim_chance(sim, 50))
		draw_volume_removal(request);
	else if (sim_chance(sim, 200) && draw_move(sim, request))
		;
	else if (!sim_chance(sim, 200) || !draw_task(sim, request))
		draw_act(sim, request);
	request->request.body_hash = (int64_t)(random_next(&sim->random) >> 1);
	tie(request);
	return request;
}

struct sim_request *request_last(void)
{
	struct sim_request *request = base_calloc(1, sizeof(*request));
	text_print(request->key, sizeof(request->key), "%s", REQUEST_LAST_KEY);
	text_print(request->project, sizeof(request->project), "last");
	request->project_request.name = base_strdup(request->project);
	struct job_spec *spec = add_job(request, "web");
	spec->image = base_strdup("app:1");
	spec->replicas = 0;
	request->request.kind = REQUEST_APPLY;
	request->request.body_hash = 1;
	tie(request);
	return request;
}

struct sim_request *request_stop(const struct job_entry *entry)
{
	struct sim_request *request = base_calloc(1, sizeof(*request));
	text_print(request->key, sizeof(request->key), "stop-%s-%s", entry->job.project,
		   entry->job.name);
	text_print(request->project, sizeof(request->project), "%s", entry->job.project);
	text_print(request->job, sizeof(request->job), "%s", entry->job.name);
	request->request.kind = REQUEST_STOP;
	request->request.body_hash = 1;
	tie(request);
	return request;
}

struct sim_request *request_copy(const struct sim_request *request)
{
	struct sim_request *copy = base_memdup(request, sizeof(*request));
	memset(&copy->project_request, 0, sizeof(copy->project_request));
	record_copy(&project_request_type, &copy->project_request, &request->project_request);
	copy->labels = (struct pairs){ 0 };
	for (size_t i = 0; i < request->labels.n; i++)
		pairs_add(&copy->labels, request->labels.items[i].key,
			  request->labels.items[i].value);
	tie(copy);
	return copy;
}

void request_free(void *memory)
{
	struct sim_request *request = memory;
	if (!request)
		return;
	record_release(&project_request_type, &request->project_request);
	pairs_release(&request->labels);
	base_free(request);
}
