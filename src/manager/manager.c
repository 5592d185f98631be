/* The life cycle, and the step as a list of calls.
 *
 * Invariants: outside a step `in` and `out` are NULL; after a step no job is dirty, no session owes a message that may
 * be sent, and no group of the step's changes is larger than a commit may hold. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/depend.h"
#include "manager/roster.h"
#include "manager/runs.h"

struct manager *manager_new(const struct manager_options *options, uint64_t salt)
{
	PRE(options->scheduler);
	PRE(options->node_silent_ms > 0);
	PRE(options->runtime_grace_ms >= 0);
	PRE(options->start_grace_ms >= 0);
	PRE(options->history_per_slot >= 0);
	struct manager *manager = base_calloc(1, sizeof(*manager));
	manager->options = *options;
	manager->sweep_ms = INT64_MAX;
	manager->tokens_due_wall_ms = INT64_MAX;
	manager->pace.wake_ms = INT64_MAX;
	cluster_init(&manager->cluster, salt);
	manager->memory = scheduler_memory_new((size_t)options->remember_from_nodes);
	return manager;
}

static void free_values(struct map *map)
{
	size_t at = 0;
	for (void *value; (value = map_next(map, &at));)
		base_free(value);
	map_release(map);
}

static void free_sessions(struct manager *manager)
{
	size_t at = 0;
	for (struct session *session; (session = map_next(&manager->sessions, &at));)
		session_release(session);
	free_values(&manager->sessions);
}

static void free_watches(struct manager *manager)
{
	size_t at = 0;
	for (const struct job_watch *watch; (watch = map_next(&manager->jobs, &at));)
		roster_free(watch->roster);
	free_values(&manager->jobs);
}

static void free_classes(struct manager *manager)
{
	size_t at = 0;
	for (struct task_class *class; (class = map_next(&manager->classes, &at));) {
		queue_release(&class->queue);
		base_free(class->message);
	}
	free_values(&manager->classes);
}

void manager_free(struct manager *manager)
{
	if (!manager)
		return;
	free_sessions(manager);
	free_classes(manager);
	free_values(&manager->claims);
	depend_release(manager);
	scheduler_memory_free(manager->memory);
	free_watches(manager);
	free_values(&manager->nodes);
	free_values(&manager->pending);
	free_values(&manager->moves);
	free_values(&manager->trials);
	base_free(manager->dirty);
	base_free(manager->touched);
	base_free(manager->speakers);
	map_release(&manager->telling.templates);
	queue_release(&manager->telling.waiting);
	queue_release(&manager->timed);
	queue_release(&manager->deadlines);
	queue_release(&manager->moving);
	queue_release(&manager->rolling);
	queue_release(&manager->scheduled);
	queue_release(&manager->judged);
	queue_release(&manager->leaving);
	queue_release(&manager->removed);
	queue_release(&manager->pace.lost);
	queue_release(&manager->answers_kept);
	strings_release(&manager->removable);
	strings_release(&manager->shelves_changed);
	cluster_release(&manager->cluster);
	base_free(manager);
}

const struct cluster *manager_cluster(const struct manager *manager)
{
	return &manager->cluster;
}

enum err_code manager_replay(struct manager *manager, const struct change *change, struct err *err)
{
	PRE(!manager->started);
	return cluster_replay(&manager->cluster, change, err);
}

static void step_begin(struct manager *manager, const struct manager_in *in,
		       struct manager_out *out)
{
	PRE(!manager->in);
	PRE(out->changes.n == 0);
	manager->in = in;
	manager->out = out;
	manager->random = (struct random){ in->seed };
	manager->group_from = 0;
	manager->group_counted = 0;
	manager->group_bytes = 0;
}

static void step_end(struct manager *manager)
{
	POST(manager->n_dirty == 0);
	POST(manager->n_speakers == 0);
	POST(!manager->group_held);
	manager->in = NULL;
	manager->out = NULL;
}

/* Ids never go back, not even over a restart with a clock that was set back. */
static void see_ids(struct manager *manager)
{
	size_t at = 0;
	for (const struct job_entry *entry; (entry = map_next(&manager->cluster.jobs, &at));)
		id_seen(manager, entry->job.id.uuid);
	at = 0;
	for (const struct task *task; (task = id_index_next(&manager->cluster.tasks, &at));)
		id_seen(manager, task->desired.id.uuid);
}

/* How it stood before the restart was told before the restart. */
static void take_up_job(struct manager *manager, struct job_entry *entry)
{
	job_dirty(manager, entry->job.id);
	depend_learn(manager, entry);
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->state == TASK_PENDING)
			pending_add(manager, entry->tasks.items[i], false);
	struct job_watch *watch = job_watch(manager, entry->job.id);
	struct slots slots;
	slots_build(&manager->cluster, entry, &slots);
	slots_facts(entry, &slots, &watch->facts);
	slots_release(&slots);
	watch->standing_said = watch->facts.standing;
}

static void take_up_jobs(struct manager *manager)
{
	size_t n_projects = 0;
	struct project_entry **projects = cluster_sorted_projects(&manager->cluster, &n_projects);
	for (size_t i = 0; i < n_projects; i++)
		for (size_t j = 0; j < projects[i]->n_jobs; j++)
			take_up_job(manager, projects[i]->jobs[j]);
	base_free(projects);
}

enum err_code manager_start(struct manager *manager, const struct manager_in *in,
			    struct manager_out *out, struct err *err)
{
	PRE(!manager->started);
	enum err_code code = cluster_replayed(&manager->cluster, err);
	if (code)
		return code;
	step_begin(manager, in, out);
	manager->started = true;
	manager->started_ms = in->now_ms;
	manager->judged_ms = in->now_ms;
	see_ids(manager);
	struct meta_record meta = manager->cluster.meta;
	if (uuid_is_zero(meta.cluster))
		meta.cluster = id_next(manager);
	meta.epoch++;
	cluster_put_meta(&manager->cluster, &out->changes, &meta);
	while (manager->cluster.filed_by_node.n) {
		group_reserve(manager, 2);
		cluster_refile_observed(&manager->cluster, &out->changes);
	}
	nodes_start(manager);
	claims_start(manager);
	removed_start(manager);
	idempotency_start(manager);
	tokens_start(manager);
	take_up_jobs(manager);
	contents_start(manager);
	manager->volumes_changed = true;
	notes_add(&out->notes, "state is read: epoch %lld, %zu jobs, %zu tasks, %zu nodes",
		  (long long)manager->cluster.meta.epoch, manager->cluster.jobs.n,
		  manager->cluster.tasks.n, manager->cluster.nodes.n);
	out->deadline_ms = in->now_ms;
	manager->in = NULL;
	manager->out = NULL;
	return ERR_NONE;
}

/* Tell how the jobs stand that changed; once, however often they were reconciled. */
static void tell_standings(struct manager *manager)
{
	for (size_t i = 0; i < manager->n_touched; i++) {
		struct job_id id = manager->touched[i];
		const struct job_entry *entry = cluster_job(&manager->cluster, id);
		if (!entry)
			continue;
		struct job_watch *watch = job_watch(manager, id);
		watch->touched = false;
		bool is_new = watch->standing_said < 0;
		if (watch->standing_said == watch->facts.standing)
			continue;
		watch->standing_said = watch->facts.standing;
		/* That a new job does not run yet goes without saying. */
		if (is_new && watch->facts.standing == STANDING_PENDING)
			continue;
		struct job_status status;
		manager_job_status(manager, entry, &status);
		const char *standing = enum_name(job_standing_names, status.standing);
		char name[JOB_NAME_SIZE];
		notes_add(&manager->out->notes, "job %s is %s: %s", job_name(entry, name), standing,
			  status.message);
		happen(manager, "job", name, id.uuid, standing, reason_name(status.reason),
		       status.message);
		base_free(status.message);
	}
	manager->n_touched = 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_deadline(struct manager *manager)
{
	int64_t deadline_ms = earlier(nodes_deadline(manager), pending_deadline(manager));
	deadline_ms = earlier(deadline_ms, moves_deadline(manager));
	deadline_ms = earlier(deadline_ms, updates_deadline(manager));
	deadline_ms = earlier(deadline_ms, runs_deadline(manager));
	deadline_ms = earlier(deadline_ms, publish_deadline(manager));
	deadline_ms = earlier(deadline_ms, tokens_deadline(manager));
	deadline_ms = earlier(deadline_ms, removed_deadline(manager));
	manager->sweep_ms = manager->n_parked
				    ? earlier(manager->sweep_ms, manager->in->now_ms + SWEEP_MS)
				    : INT64_MAX;
	return earlier(earlier(deadline_ms, manager->sweep_ms), manager->pace.wake_ms);
}

void manager_step(struct manager *manager, const struct manager_in *in, struct manager_out *out)
{
	PRE(manager->started);
	step_begin(manager, in, out);
	intake(manager);
	tokens_expire(manager);
	nodes_judge(manager);
	removed_expire(manager);
	pending_due(manager);
	pending_deadlines(manager);
	moves_due(manager);
	updates_due(manager);
	runs_due(manager);
	do {
		reconcile(manager);
		place(manager);
	} while (manager->n_dirty);
	contents_prune(manager);
	volumes_refresh(manager);
	tell_standings(manager);
	publish(manager);
	out->deadline_ms = next_deadline(manager);
	step_end(manager);
}
