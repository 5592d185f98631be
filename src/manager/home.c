/* Tasks that share a network run on the machine where it lives, its home (scheduler_home()). They may be apart: some
 * were started elsewhere while their machine was lost, and the others were still there when it came back; or they were
 * alone when they were placed, and others have joined them; or one of them may not be where they were any more, and has
 * gone to where all of them may. Those that are not at home are stopped there, one of a job at a time, and start at
 * home, the next when the one before is ready; but only while home has the room. An update holds nobody back, for it
 * may be held itself, or paused for good: it counts a slot whose task comes home as one that it has taken down.
 *
 * Invariants: a task is stopped for this only when its successor fits at home; whoever's end, stop or loss moves home,
 * those that share it are looked at in the same step. */
#include "base/alloc.h"
#include "base/planted.h"
#include "manager/core.h"

static const struct project_entry *project_of(const struct manager *manager,
					      const struct job_entry *entry)
{
	return cluster_project(&manager->cluster, entry->job.project);
}

static bool uses_networks(const struct job_entry *entry)
{
	const struct job_revision *revision = job_entry_current(entry);
	return revision && revision->spec.networks.n > 0;
}

static bool may_come_home(const struct node_entry *node)
{
	return node->state == NODE_READY;
}

/* At home, in the place of another, and not ready yet. */
static bool is_arriving(const struct task *task)
{
	return !task_is_ready(task) && !uuid_is_zero(task_rare(task)->replaces.uuid);
}

/* Is it to be together with the others? What an update will replace is not: its successor starts at home. But while
 * that update is paused, whoever it has not come to stays what it is. */
static bool belongs_home(const struct manager *manager, const struct job_entry *entry,
			 const struct task *task)
{
	return !task_is_behind(entry, task) &&
	       cluster_task_spec(&manager->cluster, task)->networks.n > 0;
}

/* One that is not at home; NULL: none, or the job has a task that is on its way already. */
static struct task *find_apart(const struct manager *manager, const struct job_entry *entry,
			       const struct node_entry *home)
{
	struct task *apart = NULL;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		struct task *task = entry->tasks.items[i];
		const struct node_entry *node = cluster_node(&manager->cluster, task->desired.node);
		/* One on a lost machine may never be heard of again. */
		if (task_is_final(task->state) || task->unreachable)
			continue;
		if (task->state == TASK_PENDING || task->desired.wanted != TASK_WANT_RUN ||
		    (node == home && is_arriving(task)))
			return NULL;
		if (!apart && node != home && may_come_home(node) &&
		    belongs_home(manager, entry, task))
			apart = task;
	}
	return apart;
}

/* Would it be placed at home, or where that may be? */
static bool fits_at_home(const struct manager *manager, const struct task *task,
			 const struct node_entry *home)
{
	struct node_id none = { { { 0 } } };
	struct scheduler_pick pick = { 0 };
	struct task model;
	pending_model(manager, task, true, &model);
	scheduler_pick(&manager->cluster, NULL, manager->options.scheduler, &model, none,
		       manager->round, &pick);
	bool fits = pick.node && (!home || pick.node == home);
	scheduler_pick_release(&pick);
	return fits;
}

static bool is_placed(const struct job_entry *entry)
{
	int64_t n = 0;
	for (size_t i = 0; i < entry->tasks.n; i++) {
		const struct task *task = entry->tasks.items[i];
		n += !task_is_final(task->state) && task->state != TASK_PENDING &&
		     task->desired.wanted == TASK_WANT_RUN;
	}
	return entry->job.wanted != JOB_RUN || n >= job_replicas(entry);
}

/* Nobody is to be placed who would decide where home is. */
static bool all_are_placed(const struct project_entry *project)
{
	for (size_t i = 0; i < project->n_jobs; i++)
		if (uses_networks(project->jobs[i]) && !job_is_global(project->jobs[i]) &&
		    !job_runs_to_completion(project->jobs[i]) && !is_placed(project->jobs[i]))
			return false;
	return true;
}

void tasks_come_home(struct manager *manager, const struct job_entry *entry)
{
	struct job_watch *watch = job_watch(manager, entry->job.id);
	manager->n_off_home -= watch->off_home;
	watch->off_home = false;
	if (job_is_global(entry) || job_runs_to_completion(entry) ||
	    PLANTED(PLANTED_HOME_FORGOTTEN))
		return;
	bool open = false;
	const struct node_entry *home = scheduler_home(&manager->cluster, entry, &open);
	struct task *apart = NULL;
	if (open ? all_are_placed(project_of(manager, entry)) : home && home->state == NODE_READY)
		apart = find_apart(manager, entry, home);
	if (apart && fits_at_home(manager, apart, home)) {
		task_stop(manager, apart, REASON_UNFIT);
		return;
	}
	watch->off_home = apart || open;
	manager->n_off_home += watch->off_home;
}

static void look_again(struct manager *manager, const struct project_entry *project, bool all)
{
	for (size_t i = 0; i < project->n_jobs; i++) {
		const struct job_entry *entry = project->jobs[i];
		if (all ? uses_networks(entry) : job_watch(manager, entry->job.id)->off_home)
			job_dirty(manager, entry->job.id);
	}
}

void home_settle(struct manager *manager, const struct job_entry *entry)
{
	struct job_watch *watch = job_watch(manager, entry->job.id);
	bool open;
	if (!uses_networks(entry))
		return;
	const struct node_entry *home = scheduler_home(&manager->cluster, entry, &open);
	struct node_id id = home ? home->record.id : (struct node_id){ { { 0 } } };
	if (watch->home_seen && !uuid_equal(watch->home.uuid, id.uuid))
		look_again(manager, project_of(manager, entry), true);
	watch->home = id;
	watch->home_seen = true;
}

void home_joined(struct manager *manager, const struct job_entry *entry)
{
	if (uses_networks(entry))
		look_again(manager, project_of(manager, entry), true);
}

void home_node_ready(struct manager *manager, const struct node_entry *node)
{
	for (size_t i = 0; i < node->tasks.n; i++)
		home_joined(manager, cluster_job_of(&manager->cluster, node->tasks.items[i]));
}

void home_room_freed(struct manager *manager)
{
	size_t n = 0;
	if (!manager->n_off_home)
		return;
	_cleanup_free_ struct project_entry **projects =
		cluster_sorted_projects(&manager->cluster, &n);
	for (size_t i = 0; i < n; i++)
		look_again(manager, projects[i], false);
}
