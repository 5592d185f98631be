#include "api/views.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "task/container.h"

static void fill_ports(struct task_view *view, const struct job_spec *spec, const struct task *task)
{
	const struct task_rare *rare = task_rare(task);
	for (size_t i = 0; i < rare->ports.n; i++) {
		const struct port_grant *grant = &rare->ports.items[i];
		if (grant->index < 0 || (size_t)grant->index >= spec->ports.n)
			continue;
		const struct port *port = &spec->ports.items[grant->index];
		struct port_view *added = list_add(&view->ports, sizeof(*added));
		added->host_ip = base_strdup(port->host_ip);
		added->host_port = grant->host_port;
		added->container_port = port->container_port;
		added->protocol = port->protocol;
	}
}

static const char *node_name(const struct cluster *cluster, struct node_id id)
{
	const struct node_entry *node = cluster_node(cluster, id);
	return node ? node->record.facts.hostname : NULL;
}

static void fill_observed(struct task_view *view, const struct task *task)
{
	struct task_observed observed;
	char id[TASK_CONTAINER_ID_SIZE];
	task_get_observed(task, id, &observed);
	view->health = observed.health;
	view->attempt = observed.attempt;
	view->exit_code = observed.version ? observed.exit_code : -1;
	view->container_id = base_strdup(observed.container_id);
	view->started_wall_ms = observed.started_wall_ms;
	view->finished_wall_ms = observed.finished_wall_ms;
	if (observed.attempt > 0) {
		char container[CONTAINER_NAME_SIZE];
		container_name(task->desired.id, observed.attempt, container);
		view->container = base_strdup(container);
	}
}

static char *waits_of(const struct manager *manager, const struct task *task)
{
	struct text text;
	text_init(&text, LIMIT_MESSAGE_BYTES);
	if (manager_task_waits(manager, task, &text))
		return text_take(&text);
	text_release(&text);
	return NULL;
}

void task_view_fill(struct task_view *view, const struct manager *manager, const struct task *task)
{
	const struct cluster *cluster = manager_cluster(manager);
	const struct desired_half *desired = &task->desired;
	const struct task_rare *rare = task_rare(task);
	const struct job_entry *entry = cluster_job_of(cluster, task);
	const struct job_spec *spec = cluster_task_spec(cluster, task);
	char name[TASK_NAME_SIZE];
	view->id = desired->id.uuid;
	view->name = base_strdup(cluster_task_name(cluster, task, name));
	view->project = base_strdup(entry->job.project);
	view->job = base_strdup(entry->job.name);
	view->job_id = desired->job->uuid;
	view->slot = desired->slot;
	view->revision = desired->revision;
	view->state = task->state;
	view->ready = task_is_ready(task);
	view->unreachable = task->unreachable;
	view->waits = waits_of(manager, task);
	view->wanted = desired->wanted;
	view->withdrawn = desired->stop_reason == REASON_WITHDRAWN;
	view->reason = task->reason;
	char sentence[TASK_SENTENCE_SIZE];
	view->message = base_strdup(cluster_task_sentence(cluster, task, sentence));
	view->image = base_strdup(spec->image);
	view->node = desired->node.uuid;
	view->node_name = base_strdup(node_name(cluster, desired->node));
	view->gone = !task_occupies_node(task);
	view->replaces = rare->replaces.uuid;
	view->created_wall_ms = desired->created_wall_ms;
	view->scheduled_wall_ms = desired->scheduled_wall_ms;
	fill_ports(view, spec, task);
	fill_observed(view, task);
	if (manager_task_is_to_move(task))
		view->moves_to = rare->move_to.uuid;
	if (desired->verdict)
		view->finished_wall_ms = rare->verdict_wall_ms;
}

void job_view_fill(struct job_view *view, const struct manager *manager,
		   const struct job_entry *entry, bool with_spec)
{
	const struct job_revision *revision = job_entry_current(entry);
	const struct job_spec *spec = &revision->spec;
	const struct project_entry *project =
		cluster_project(manager_cluster(manager), entry->job.project);
	struct job_status status = { 0 };
	manager_job_status(manager, entry, &status);
	view->id = entry->job.id.uuid;
	view->project = base_strdup(entry->job.project);
	view->name = base_strdup(entry->job.name);
	view->mode = spec->mode;
	view->wanted = entry->job.wanted;
	view->standing = status.standing;
	view->revision = entry->job.revision;
	view->replicas = status.wanted;
	view->running = status.running;
	view->ready = status.ready;
	view->succeeded = status.succeeded;
	view->left = status.left;
	view->reason = status.reason;
	view->message = status.message;
	view->image = base_strdup(spec->image);
	view->over_tls = job_revision_is_over_tls(revision, &project->project);
	view->created_wall_ms = entry->job.created_wall_ms;
	view->update = status.update;
	view->rolled_back_from = entry->job.rolled_back_from;
	const struct revision_outcome *failed =
		job_outcome_of(&entry->job, entry->job.rolled_back_from);
	view->rolled_back_because = failed ? base_strdup(failed->message) : NULL;
	view->has_spec = with_spec;
	if (with_spec)
		record_copy(&job_spec_type, &view->spec, spec);
}

static void revision_view_fill(struct revision_view *view, const struct job_entry *entry,
			       const struct job_revision *revision, const struct project *project)
{
	const struct revision_outcome *outcome = job_outcome_of(&entry->job, revision->number);
	view->number = revision->number;
	view->current = revision->number == entry->job.revision;
	view->created_wall_ms = revision->created_wall_ms;
	view->image = base_strdup(revision->spec.image);
	view->over_tls = job_revision_is_over_tls(revision, project);
	view->outcome = job_outcome(&entry->job, revision->number);
	view->outcome_wall_ms = outcome ? outcome->wall_ms : 0;
	view->message = outcome ? base_strdup(outcome->message) : NULL;
}

void job_history_fill(struct job_history *history, const struct manager *manager,
		      const struct job_entry *entry)
{
	const struct project_entry *project =
		cluster_project(manager_cluster(manager), entry->job.project);
	history->project = base_strdup(entry->job.project);
	history->job = base_strdup(entry->job.name);
	struct job_status status = { 0 };
	manager_job_status(manager, entry, &status);
	history->update = status.update;
	base_free(status.message);
	for (size_t i = entry->n_revisions; i-- > 0;)
		revision_view_fill(list_add(&history->revisions, sizeof(struct revision_view)),
				   entry, entry->revisions[i], &project->project);
	const struct job_runs *runs = &entry->job.scheduled;
	for (size_t i = runs->runs.n; i-- > 0;)
		record_copy(&job_run_type, list_add(&history->runs, sizeof(struct job_run)),
			    &runs->runs.items[i]);
	int64_t next_ms = manager_next_run_ms(entry);
	history->next_run_wall_ms = next_ms == INT64_MAX ? 0 : next_ms;
}

void node_view_fill(struct node_view *view, const struct cluster *cluster,
		    const struct node_entry *node)
{
	const struct node_facts *facts = &node->record.facts;
	const struct node_columns *columns = &cluster->columns;
	view->id = node->record.id.uuid;
	view->hostname = base_strdup(facts->hostname);
	view->role = node->record.role;
	view->number = node->record.number;
	view->address = base_strdup(node->record.address);
	view->state = node->state;
	view->draining = node->record.draining;
	view->runtime_ok = node->runtime_ok;
	view->platform_os = base_strdup(facts->platform_os);
	view->platform_arch = base_strdup(facts->platform_arch);
	view->runtime_version = base_strdup(facts->runtime_version);
	view->api_minor = facts->api_minor;
	view->drover_version = base_strdup(facts->drover_version);
	for (size_t i = 0; i < facts->labels.n; i++)
		pairs_put(&view->labels, facts->labels.items[i].key, facts->labels.items[i].value);
	for (size_t i = 0; i < node->record.labels.n; i++)
		pairs_put(&view->labels, node->record.labels.items[i].key,
			  node->record.labels.items[i].value);
	for (size_t i = 0; i < facts->engine_labels.n; i++)
		pairs_put(&view->engine_labels, facts->engine_labels.items[i].key,
			  facts->engine_labels.items[i].value);
	view->capacity = facts->capacity;
	view->reserved.cpu_milli = columns->cpu_reserved_milli[node->index];
	view->reserved.memory_bytes = columns->memory_reserved_bytes[node->index];
	view->reserved.disk_bytes = columns->disk_reserved_bytes[node->index];
	view->used = node->stats;
	view->tasks = columns->tasks[node->index];
	view->joined_wall_ms = node->record.joined_wall_ms;
	view->left_wall_ms = node->record.left_wall_ms;
}

void volume_view_fill(struct volume_view *view, const struct cluster *cluster,
		      const struct volume_record *volume)
{
	view->name = base_strdup(volume->name);
	view->project = base_strdup(volume->project);
	view->key = base_strdup(volume->key);
	view->driver = base_strdup(volume->driver ? volume->driver : "local");
	view->node = volume->node.uuid;
	view->node_name = base_strdup(node_name(cluster, volume->node));
	view->per_node = volume->per_node;
	view->removing = volume->removing;
	view->message = base_strdup(volume->remove_error);
	view->created_wall_ms = volume->created_wall_ms;
}

void project_view_fill(struct project_view *view, const struct project_entry *entry)
{
	struct project copy;
	record_copy(&project_type, &copy, &entry->project);
	view->name = copy.name;
	view->networks.items = copy.networks.items;
	view->networks.n = copy.networks.n;
	view->volumes.items = copy.volumes.items;
	view->volumes.n = copy.volumes.n;
	view->created_wall_ms = copy.created_wall_ms;
	view->jobs = (int64_t)entry->n_jobs;
	for (size_t i = 0; i < entry->n_jobs; i++)
		for (size_t k = 0; k < entry->jobs[i]->tasks.n; k++)
			view->running += entry->jobs[i]->tasks.items[k]->state == TASK_RUNNING;
}
