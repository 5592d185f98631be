/* Replay runs in two acts, because records come in any order of kinds. cluster_replay() puts each
 * record under its key; an entry that is only referred to so far is a placeholder (job without a
 * name, task without an id). cluster_replayed() refuses placeholders that nobody filled, ties
 * everything together and weighs it.
 *
 * Everything here comes from disk: what does not fit is ERR_DAMAGED naming the record. A failed
 * replay leaves a cluster that can only be released. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/sort.h"
#include "cluster/internal.h"

static enum err_code damaged_id(struct err *err, const char *kind, struct uuid id, const char *why)
{
	char text[UUID_TEXT_SIZE];
	return err_set(err, ERR_DAMAGED, "%s %s %s", kind, uuid_format(id, text), why);
}

static bool same_key(const struct change *change, const struct change *expected)
{
	return change->key_len == expected->key_len &&
	       memcmp(change->key, expected->key, expected->key_len) == 0;
}

/* Decode the record into `out`, which is zero on failure. */
static enum err_code decode(const struct change *change, const struct record_type *type, void *out,
			    struct err *err)
{
	if (record_decode(type, change->value, change->value_len, out, err) != ERR_NONE)
		return err_prefix(err, "%s record", type->name);
	return ERR_NONE;
}

/* Release a decoded record that does not lie where its contents say, or lies there twice. */
static enum err_code misplaced(const struct record_type *type, void *record, struct err *err)
{
	record_release(type, record);
	return err_set(err, ERR_DAMAGED, "%s record lies under a key that is not its own, or twice",
		       type->name);
}

static enum err_code replay_meta(struct cluster *cluster, const struct change *change,
				 struct err *err)
{
	struct meta_record meta;
	enum err_code code = decode(change, &meta_record_type, &meta, err);
	if (code != ERR_NONE)
		return code;
	struct change key = cluster_key_of_meta();
	if (!same_key(change, &key))
		return misplaced(&meta_record_type, &meta, err);
	cluster_put_meta(cluster, NULL, &meta);
	return ERR_NONE;
}

static enum err_code replay_project(struct cluster *cluster, const struct change *change,
				    struct err *err)
{
	struct project project;
	enum err_code code = decode(change, &project_type, &project, err);
	if (code != ERR_NONE)
		return code;
	struct change key = { 0 };
	if (project.name && *project.name)
		key = cluster_key_of_project(project.name);
	if (!same_key(change, &key) || cluster_project(cluster, project.name))
		return misplaced(&project_type, &project, err);
	cluster_put_project(cluster, NULL, &project);
	return ERR_NONE;
}

/* The entry of a job, or a placeholder for it. */
static struct job_entry *job_or_placeholder(struct cluster *cluster, struct job_id id)
{
	struct job_entry *entry = cluster_job(cluster, id);
	if (entry)
		return entry;
	entry = base_calloc(1, sizeof(*entry));
	entry->job.id = id;
	cluster_map_add(&cluster->jobs, id.uuid, entry);
	return entry;
}

static enum err_code replay_job(struct cluster *cluster, const struct change *change,
				struct err *err)
{
	struct job job;
	enum err_code code = decode(change, &job_type, &job, err);
	if (code != ERR_NONE)
		return code;
	struct change key = cluster_key_of_job(job.id);
	bool named = job.name && *job.name && job.project;
	if (!same_key(change, &key) || uuid_is_zero(job.id.uuid) || !named)
		return misplaced(&job_type, &job, err);
	struct job_entry *entry = job_or_placeholder(cluster, job.id);
	if (entry->job.name)
		return misplaced(&job_type, &job, err);
	entry->job = job;
	return ERR_NONE;
}

static enum err_code replay_revision(struct cluster *cluster, const struct change *change,
				     struct err *err)
{
	struct job_revision revision;
	enum err_code code = decode(change, &job_revision_type, &revision, err);
	if (code != ERR_NONE)
		return code;
	struct change key = cluster_key_of_revision(revision.job, revision.number);
	if (!same_key(change, &key) || revision.number <= 0)
		return misplaced(&job_revision_type, &revision, err);
	struct job_entry *entry = job_or_placeholder(cluster, revision.job);
	if (job_entry_revision(entry, revision.number))
		return misplaced(&job_revision_type, &revision, err);
	job_entry_put_revision(entry, &revision);
	return ERR_NONE;
}

/* The task, or a placeholder for it, which fills no slot. */
static struct task *task_or_placeholder(struct cluster *cluster, struct task_id id)
{
	struct task *task = cluster_task(cluster, id);
	if (task)
		return task;
	task = base_calloc(1, sizeof(*task));
	task->desired.id = id;
	id_index_add(&cluster->tasks, task);
	task_list_append(&cluster->replaying, task);
	return task;
}

static enum err_code replay_task(struct cluster *cluster, const struct change *change,
				 struct err *err)
{
	struct task_desired desired;
	enum err_code code = decode(change, &task_desired_type, &desired, err);
	if (code != ERR_NONE)
		return code;
	struct change key = cluster_key_of_task(desired.id);
	if (!same_key(change, &key) || uuid_is_zero(desired.id.uuid))
		return misplaced(&task_desired_type, &desired, err);
	if (desired.slot < 1 || !task_can_hold_desired(&desired)) {
		const char *why = desired.slot < 1 ? "fills no slot" : "counts too far";
		struct uuid id = desired.id.uuid;
		record_release(&task_desired_type, &desired);
		return damaged_id(err, "task", id, why);
	}
	struct task *task = task_or_placeholder(cluster, desired.id);
	bool taken = task->desired.slot > 0;
	/* A placeholder remembers which node its observed record was filed under, in a store of release 1. */
	bool elsewhere = !uuid_is_zero(task->desired.node.uuid) &&
			 !uuid_equal(task->desired.node.uuid, desired.node.uuid);
	if (taken || elsewhere)
		return misplaced(&task_desired_type, &desired, err);
	struct job_entry *job = job_or_placeholder(cluster, desired.job);
	task_take_desired(task, &desired, &job->job.id);
	return ERR_NONE;
}

/* Stores tell both records of tasks in the order of their ids, and not all have been observed: a look-up less for each.
 * NULL: it is not the one that is to be expected. */
static struct task *expected_task(struct cluster *cluster, struct task_id id)
{
	const struct task_list *tasks = &cluster->replaying;
	size_t *next = &cluster->replay_next;
	while (*next < tasks->n && uuid_compare(tasks->items[*next]->desired.id.uuid, id.uuid) < 0)
		++*next;
	if (*next == tasks->n || !uuid_equal(tasks->items[*next]->desired.id.uuid, id.uuid))
		return NULL;
	return tasks->items[*next];
}

static enum err_code replay_observed(struct cluster *cluster, const struct change *change,
				     struct err *err)
{
	struct task_observed observed;
	enum err_code code = decode(change, &task_observed_type, &observed, err);
	if (code != ERR_NONE)
		return code;
	struct node_id node = { 0 };
	bool of_release_1 = change->key_len == 2 * UUID_BYTES;
	if (of_release_1)
		memcpy(node.uuid.bytes, change->key, UUID_BYTES);
	struct change key = of_release_1 ? cluster_first_key_of_observed(node, observed.task)
					 : cluster_key_of_observed(observed.task);
	if (!same_key(change, &key) || (of_release_1 && uuid_is_zero(node.uuid)) ||
	    uuid_is_zero(observed.task.uuid) || !observed_is_sound(&observed, NULL))
		return misplaced(&task_observed_type, &observed, err);
	struct task *task = expected_task(cluster, observed.task);
	if (!task)
		task = task_or_placeholder(cluster, observed.task);
	bool known = task->desired.slot > 0;
	if (task->observed.version > 0 ||
	    (known && of_release_1 && !uuid_equal(task->desired.node.uuid, node.uuid)))
		return misplaced(&task_observed_type, &observed, err);
	if (of_release_1) {
		task->desired.node = node;
		task_list_append(&cluster->filed_by_node, task);
	}
	task_take_observed(task, &observed);
	return ERR_NONE;
}

static enum err_code replay_node(struct cluster *cluster, const struct change *change,
				 struct err *err)
{
	struct node_record node;
	enum err_code code = decode(change, &node_record_type, &node, err);
	if (code != ERR_NONE)
		return code;
	struct change key = cluster_key_of_node(node.id);
	if (!same_key(change, &key) || uuid_is_zero(node.id.uuid) || node.role == NODE_MANAGER ||
	    cluster_node(cluster, node.id))
		return misplaced(&node_record_type, &node, err);
	cluster_put_node(cluster, NULL, &node);
	return ERR_NONE;
}

static enum err_code replay_volume(struct cluster *cluster, const struct change *change,
				   struct err *err)
{
	struct volume_record volume;
	enum err_code code = decode(change, &volume_record_type, &volume, err);
	if (code != ERR_NONE)
		return code;
	struct change key = { 0 };
	if (volume.name && *volume.name)
		key = cluster_key_of_volume(&volume);
	if (!same_key(change, &key) ||
	    map_get(&cluster->volumes, cluster_volume_place(cluster, &volume)))
		return misplaced(&volume_record_type, &volume, err);
	cluster_put_volume(cluster, NULL, &volume);
	return ERR_NONE;
}

static enum err_code replay_idempotency(struct cluster *cluster, const struct change *change,
					struct err *err)
{
	struct idempotency_record record;
	enum err_code code = decode(change, &idempotency_record_type, &record, err);
	if (code != ERR_NONE)
		return code;
	struct change key = { 0 };
	if (record.caller && record.key)
		key = cluster_key_of_idempotency(record.caller, record.key);
	if (!same_key(change, &key) || cluster_idempotency(cluster, record.caller, record.key))
		return misplaced(&idempotency_record_type, &record, err);
	cluster_put_idempotency(cluster, NULL, &record);
	return ERR_NONE;
}

static enum err_code replay_token(struct cluster *cluster, const struct change *change,
				  struct err *err)
{
	struct token_record token;
	enum err_code code = decode(change, &token_record_type, &token, err);
	if (code != ERR_NONE)
		return code;
	struct change key = { 0 };
	if (token_is_sound(&token))
		key = cluster_key_of_token(token.id);
	if (!same_key(change, &key) || cluster_token(cluster, token.id))
		return misplaced(&token_record_type, &token, err);
	cluster_put_token(cluster, NULL, &token);
	return ERR_NONE;
}

static enum err_code replay_identity(struct cluster *cluster, const struct change *change,
				     struct err *err)
{
	struct identity_record identity;
	enum err_code code = decode(change, &identity_record_type, &identity, err);
	if (code != ERR_NONE)
		return code;
	struct change key = cluster_key_of_identity(identity.id);
	if (!same_key(change, &key) || !identity_is_sound(&identity) ||
	    cluster_identity(cluster, identity.id) ||
	    cluster_identity_of_key(cluster, identity.key_sha256))
		return misplaced(&identity_record_type, &identity, err);
	cluster_put_identity(cluster, NULL, &identity);
	return ERR_NONE;
}

static enum err_code replay_removed_node(struct cluster *cluster, const struct change *change,
					 struct err *err)
{
	struct removed_node removed;
	enum err_code code = decode(change, &removed_node_type, &removed, err);
	if (code != ERR_NONE)
		return code;
	struct change key = cluster_key_of_removed_node(removed.id);
	if (!same_key(change, &key) || uuid_is_zero(removed.id.uuid) ||
	    cluster_removed_node(cluster, removed.id))
		return misplaced(&removed_node_type, &removed, err);
	cluster_put_removed_node(cluster, NULL, &removed);
	return ERR_NONE;
}

static enum err_code replay_content(struct cluster *cluster, const struct change *change,
				    struct err *err)
{
	struct content_record content;
	enum err_code code = decode(change, &content_record_type, &content, err);
	if (code != ERR_NONE)
		return code;
	struct change key = { 0 };
	if (content_is_sound(&content))
		key = cluster_key_of_content(content.project, content.hash);
	if (!same_key(change, &key) || cluster_content(cluster, content.project, content.hash))
		return misplaced(&content_record_type, &content, err);
	cluster_put_content(cluster, NULL, &content);
	return ERR_NONE;
}

enum err_code cluster_replay(struct cluster *cluster, const struct change *change, struct err *err)
{
	if (!change->value)
		return err_set(err, ERR_DAMAGED, "a deleted record of kind %d", change->kind);
	switch (change->kind) {
	case RECORD_META: return replay_meta(cluster, change, err);
	case RECORD_PROJECT: return replay_project(cluster, change, err);
	case RECORD_JOB: return replay_job(cluster, change, err);
	case RECORD_REVISION: return replay_revision(cluster, change, err);
	case RECORD_TASK: return replay_task(cluster, change, err);
	case RECORD_OBSERVED: return replay_observed(cluster, change, err);
	case RECORD_NODE: return replay_node(cluster, change, err);
	case RECORD_VOLUME: return replay_volume(cluster, change, err);
	case RECORD_IDEMPOTENCY: return replay_idempotency(cluster, change, err);
	case RECORD_TOKEN: return replay_token(cluster, change, err);
	case RECORD_IDENTITY: return replay_identity(cluster, change, err);
	case RECORD_REMOVED_NODE: return replay_removed_node(cluster, change, err);
	case RECORD_CONTENT: return replay_content(cluster, change, err);
	default:
		return err_set(err, ERR_DAMAGED,
			       "a record of kind %d, which this drover does not know",
			       change->kind);
	}
}

/* ---- after the last record ---- */

static int compare_job_ids(const void *a, const void *b, void *context)
{
	(void)context;
	const struct job_entry *const *left = a;
	const struct job_entry *const *right = b;
	return uuid_compare((*left)->job.id.uuid, (*right)->job.id.uuid);
}

static enum err_code tie_job(struct cluster *cluster, struct job_entry *entry, struct err *err)
{
	const struct job *job = &entry->job;
	if (!job->name)
		return damaged_id(err, "job", job->id.uuid,
				  entry->n_revisions ? "has revisions but no record of its own"
						     : "has tasks but no record of its own");
	struct project_entry *project = cluster_project(cluster, job->project);
	if (!project)
		return damaged_id(err, "job", job->id.uuid, "is of a project that is not there");
	if (cluster_job_named(cluster, job->project, job->name))
		return damaged_id(err, "job", job->id.uuid, "has the name of another job");
	if (!job_entry_current(entry))
		return damaged_id(err, "job", job->id.uuid, "lacks its current revision");
	if (job->revision > LIMIT_TASK_COUNT || job->restarts_asked > LIMIT_TASK_COUNT ||
	    job->roll > LIMIT_TASK_COUNT)
		return damaged_id(err, "job", job->id.uuid, "counts too far");
	for (size_t i = 0; i < entry->n_revisions; i++)
		if (content_missing(cluster, job->project, entry->revisions[i]))
			return damaged_id(err, "job", job->id.uuid,
					  "has a revision whose configs or secrets are not there");
	cluster_map_add(&cluster->jobs_by_name,
			map_name_key(cluster->salt, job->project, job->name), entry);
	project_entry_add_job(project, entry);
	entry->dirty = true;
	return ERR_NONE;
}

static enum err_code tie_jobs(struct cluster *cluster, struct err *err)
{
	if (!cluster->jobs.n)
		return ERR_NONE;
	_cleanup_free_ struct job_entry **jobs = base_calloc(cluster->jobs.n, sizeof(*jobs));
	size_t position = 0;
	size_t n = 0;
	for (struct job_entry *entry; (entry = map_next(&cluster->jobs, &position));)
		jobs[n++] = entry;
	sort_stable(jobs, n, sizeof(*jobs), compare_job_ids, NULL);
	for (size_t i = 0; i < n; i++) {
		enum err_code code = tie_job(cluster, jobs[i], err);
		if (code != ERR_NONE)
			return code;
	}
	return ERR_NONE;
}

static bool grants_are_sound(const struct task *task, const struct job_spec *spec)
{
	const struct task_rare *rare = task_rare(task);
	for (size_t i = 0; i < rare->ports.n; i++) {
		const struct port_grant *grant = &rare->ports.items[i];
		if (grant->index < 0 || (size_t)grant->index >= spec->ports.n)
			return false;
		const struct port *port = &spec->ports.items[grant->index];
		if (grant->host_port <= 0 || grant->host_port > UINT16_MAX ||
		    grant->host_port < port->host_first || grant->host_port > port->host_last)
			return false;
	}
	return true;
}

/* Can the node's sums take the task's reservations? No node has more than the limits say. */
static bool sums_can_hold(const struct cluster *cluster, const struct task *task)
{
	if (!task_occupies_node(task))
		return true;
	const struct node_columns *columns = &cluster->columns;
	const struct node_entry *node = cluster_node(cluster, task->desired.node);
	const struct resources *reserved = &cluster_task_spec(cluster, task)->reservations;
	return columns->cpu_reserved_milli[node->index] <= LIMIT_CPU_MILLI - reserved->cpu_milli &&
	       columns->memory_reserved_bytes[node->index] <=
		       LIMIT_SIZE_BYTES - reserved->memory_bytes &&
	       columns->disk_reserved_bytes[node->index] <= LIMIT_SIZE_BYTES - reserved->disk_bytes;
}

/* What is wrong with a task; NULL: nothing. */
static const char *fault_of(const struct cluster *cluster, const struct task *task)
{
	const struct desired_half *desired = &task->desired;
	const struct job_entry *job = cluster_job_of(cluster, task);
	if (!job_entry_revision(job, desired->revision))
		return "is of a revision that is not there";
	if (!uuid_is_zero(desired->node.uuid) && !desired->written_off &&
	    !cluster_node(cluster, desired->node))
		return "is placed on a node that is not there";
	if (task_is_on_list_of_node(task) && cluster_node(cluster, desired->node)->record.left)
		return "is placed on a node that has left";
	if (task->observed.version > 0 && uuid_is_zero(desired->node.uuid))
		return "was observed and is on no node";
	if (desired->verdict && !task_is_final(desired->verdict))
		return "has a verdict that is not an end";
	if (!grants_are_sound(task, cluster_task_spec(cluster, task)))
		return "holds a port its job does not publish";
	if ((task->observed.gone || task->observed.removed || desired->written_off) &&
	    !task_is_final(task_derive_state(task)))
		return "is gone and yet has not ended";
	if (!sums_can_hold(cluster, task))
		return "reserves more than any node has";
	if (weight_port_conflict(cluster, task))
		return "holds a port that another task holds";
	return NULL;
}

static enum err_code tie_task(struct cluster *cluster, struct task *task, struct err *err)
{
	const struct desired_half *desired = &task->desired;
	if (desired->slot < 1)
		return damaged_id(err, "task", desired->id.uuid,
				  "was observed but has no record of its own");
	const char *fault = fault_of(cluster, task);
	if (fault)
		return damaged_id(err, "task", desired->id.uuid, fault);
	task->state = (uint8_t)task_derive_state(task);
	task_derive_reason(task);
	weight_on(cluster, task);
	task_list_append(&cluster_job_of(cluster, task)->tasks, task);
	if (task_is_on_list_of_node(task))
		task_list_append(&cluster_node(cluster, desired->node)->tasks, task);
	return ERR_NONE;
}

enum err_code cluster_replayed(struct cluster *cluster, struct err *err)
{
	enum err_code code = tie_jobs(cluster, err);
	if (code != ERR_NONE)
		return code;
	columns_sort(&cluster->columns);
	for (size_t i = 0; i < cluster->replaying.n; i++) {
		code = tie_task(cluster, cluster->replaying.items[i], err);
		if (code != ERR_NONE)
			return code;
	}
	task_list_release(&cluster->replaying);
	size_t position = 0;
	for (struct job_entry *job; (job = map_next(&cluster->jobs, &position));)
		task_list_sort(&job->tasks);
	for (size_t i = 0; i < cluster->columns.n; i++)
		task_list_sort(&cluster->columns.entry[i]->tasks);
	return ERR_NONE;
}
