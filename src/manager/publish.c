/* What workers are sent: the desired set of their node, whole or as a change on top of what they were sent last.
 *
 * Invariants: `rev` of a message is the number of the commit that holds the state it was computed from; a template is
 * sent ahead of the first task that needs it, again after the worker may have dropped it or the owner has made it his
 * own, and with every whole set. Configs and secrets follow, bounded per message (contents.c). */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/sort.h"
#include "manager/core.h"

/* A template in the list of those a worker holds: the number of the job, the revision, and in the last bit whether it
 * came over TLS. */
#define OVER_TLS 1ull

uint64_t template_number(struct manager *manager, const struct task *task)
{
	uint64_t number = job_watch(manager, *task->desired.job)->number;
	return number << 32 | (uint64_t)task->desired.revision << 1;
}

/* The first position whose template is not before this one. */
static size_t template_position(const struct session *session, uint64_t template)
{
	size_t low = 0;
	size_t high = session->n_templates;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (session->templates[middle] < template)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Does the worker hold it, however it came? */
static bool holds_template(const struct session *session, size_t at, uint64_t template)
{
	return at < session->n_templates && (session->templates[at] & ~OVER_TLS) == template;
}

/* False: the worker holds it already. */
static bool put_template(struct session *session, uint64_t template, bool over_tls)
{
	size_t at = template_position(session, template);
	uint64_t wanted = template | (over_tls ? OVER_TLS : 0);
	if (holds_template(session, at, template)) {
		bool known = session->templates[at] == wanted;
		session->templates[at] = wanted;
		return !known;
	}
	session->templates = base_grow(session->templates, session->n_templates,
				       &session->templates_capacity, sizeof(uint64_t));
	memmove(&session->templates[at + 1], &session->templates[at],
		(session->n_templates - at) * sizeof(uint64_t));
	session->templates[at] = wanted;
	session->n_templates++;
	return true;
}

static void remove_template(struct session *session, uint64_t template)
{
	size_t at = template_position(session, template);
	if (!holds_template(session, at, template))
		return;
	memmove(&session->templates[at], &session->templates[at + 1],
		(session->n_templates - at - 1) * sizeof(uint64_t));
	session->n_templates--;
}

static void forget_templates(struct session *session)
{
	base_free(session->templates);
	session->templates = NULL;
	session->n_templates = 0;
	session->templates_capacity = 0;
}

/* The number of the commit this step's state will be, or is already, durable under. */
static int64_t rev_of_state(const struct manager *manager)
{
	return manager->out->changes.n ? manager->in->rev : manager->in->rev - 1;
}

static const struct network_spec *network_of(const struct project *project, const char *key)
{
	for (size_t i = 0; i < project->networks.n; i++)
		if (strcmp(project->networks.items[i].key, key) == 0)
			return &project->networks.items[i];
	return NULL;
}

static const struct volume_spec *volume_of(const struct project *project, const char *key)
{
	for (size_t i = 0; i < project->volumes.n; i++)
		if (strcmp(project->volumes.items[i].key, key) == 0)
			return &project->volumes.items[i];
	return NULL;
}

static bool has_volume(const struct sync_template *template, const char *key)
{
	for (size_t i = 0; i < template->volumes.n; i++)
		if (strcmp(template->volumes.items[i].key, key) == 0)
			return true;
	return false;
}

static void fill_template(struct sync_template *template, const struct job_entry *entry,
			  const struct project *project, const struct job_revision *revision)
{
	const struct job_spec *spec = &revision->spec;
	template->job = entry->job.id;
	template->revision = revision->number;
	template->project = base_strdup(entry->job.project);
	template->name = base_strdup(entry->job.name);
	template->over_tls = job_revision_is_over_tls(revision, project);
	record_copy(&job_spec_type, &template->spec, spec);
	for (size_t i = 0; i < spec->networks.n; i++) {
		const struct network_spec *network =
			network_of(project, spec->networks.items[i].network);
		if (network)
			record_copy(&network_spec_type,
				    list_add(&template->networks, sizeof(*network)), network);
	}
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mount *mount = &spec->mounts.items[i];
		if (mount->kind != MOUNT_VOLUME || !mount->source ||
		    has_volume(template, mount->source))
			continue;
		const struct volume_spec *volume = volume_of(project, mount->source);
		if (volume)
			record_copy(&volume_spec_type,
				    list_add(&template->volumes, sizeof(*volume)), volume);
	}
}

/* Made once a step, for many workers may be sent it. */
static const struct sync_template *template_of(struct manager *manager, struct uuid key,
					       const struct job_entry *entry,
					       const struct project *project,
					       const struct job_revision *revision)
{
	struct manager_out *out = manager->out;
	struct sync_template *template = map_get(&manager->telling.templates, key);
	if (template)
		return template;
	template = base_calloc(1, sizeof(*template));
	fill_template(template, entry, project, revision);
	out->templates = base_grow(out->templates, out->n_templates, &out->templates_capacity,
				   sizeof(struct sync_template *));
	out->templates[out->n_templates++] = template;
	map_put(&manager->telling.templates, key, template);
	return template;
}

static void add_template(struct manager *manager, struct session *session, struct sync_down *down,
			 const struct task *task)
{
	uint64_t number = template_number(manager, task);
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	const struct project *project =
		&cluster_project(&manager->cluster, entry->job.project)->project;
	const struct job_revision *revision = cluster_task_revision(&manager->cluster, task);
	if (!put_template(session, number, job_revision_is_over_tls(revision, project)))
		return;
	struct sync_template *template = list_add(&down->templates, sizeof(*template));
	*template = *template_of(manager, key_of_number(number), entry, project, revision);
}

static void add_task(struct manager *manager, struct session *session, struct sync_down *down,
		     const struct task *task)
{
	add_template(manager, session, down, task);
	contents_owe(manager, session, task);
	struct sync_assignment assignment = task_assignment(manager, task);
	record_copy(&sync_assignment_type, list_add(&down->tasks, sizeof(assignment)), &assignment);
}

static void add_all(struct manager *manager, struct session *session, struct sync_down *down)
{
	forget_templates(session);
	contents_forget_all(session);
	const struct node_entry *node = cluster_node(&manager->cluster, session->node);
	for (size_t i = 0; i < node->tasks.n; i++)
		add_task(manager, session, down, node->tasks.items[i]);
}

/* The worker drops a template with the last task that uses it. */
static void drop_template(struct manager *manager, struct session *session,
			  const struct session_change *change)
{
	const struct node_entry *node = cluster_node(&manager->cluster, session->node);
	for (size_t i = 0; i < node->tasks.n; i++) {
		const struct desired_half *desired = &node->tasks.items[i]->desired;
		if (desired->revision == change->revision &&
		    uuid_equal(desired->job->uuid, change->job.uuid))
			return;
	}
	remove_template(session, change->template);
}

static int compare_changes(const void *a, const void *b, void *context)
{
	(void)context;
	return uuid_compare(((const struct session_change *)a)->task.uuid,
			    ((const struct session_change *)b)->task.uuid);
}

static void add_changes(struct manager *manager, struct session *session, struct sync_down *down)
{
	sort_stable(session->changed, session->n_changed, sizeof(struct session_change),
		    compare_changes, NULL);
	for (size_t i = 0; i < session->n_changed; i++) {
		const struct session_change *change = &session->changed[i];
		if (i && uuid_equal(change->task.uuid, change[-1].task.uuid))
			continue;
		const struct task *task = cluster_task(&manager->cluster, change->task);
		if (task && task_in_set(task)) {
			add_task(manager, session, down, task);
			continue;
		}
		struct sync_task_ref *ref = list_add(&down->forgotten, sizeof(*ref));
		ref->task = change->task;
		contents_forget(session, change->task);
		drop_template(manager, session, change);
	}
}

static void add_volumes(struct manager *manager, const struct session *session,
			struct sync_down *down)
{
	for (size_t i = 0; i < manager->removable.n; i++) {
		const struct volume_record *volume = cluster_volume_on(
			&manager->cluster, manager->removable.items[i], session->node);
		if (!volume || !volume->removing)
			continue;
		struct sync_volume *item = list_add(&down->volumes_remove, sizeof(*item));
		item->name = base_strdup(volume->name);
	}
}

/* So many connections at once cost the manager more than they must. */
static int64_t reconnect_window_ms(const struct manager *manager)
{
	int64_t window_ms = (int64_t)manager->cluster.nodes.n * LIMIT_RECONNECT_PER_NODE_MS;
	return window_ms < LIMIT_RECONNECT_MAX_MS ? window_ms : LIMIT_RECONNECT_MAX_MS;
}

static void speak(struct manager *manager, struct session *session)
{
	struct sync_down *down = &out_down(manager, session->number)->message;
	bool news = session->full || session->n_changed;
	down->cluster = manager->cluster.meta.cluster;
	down->epoch = manager->cluster.meta.epoch;
	down->rev = news ? rev_of_state(manager) : session->sent_rev;
	down->full = session->full;
	down->base_rev = session->full ? 0 : session->sent_rev;
	if (session->full)
		add_all(manager, session, down);
	else
		add_changes(manager, session, down);
	contents_send(manager, session, down);
	add_volumes(manager, session, down);
	down->report_acked = session->report_acked;
	down->protocol = SYNC_PROTOCOL;
	if (session->full)
		down->reconnect_ms = reconnect_window_ms(manager);
	session->sent_rev = down->rev;
	session->sent_ms = manager->in->now_ms;
	session->reported = false;
	session->sent_digest = node_watch(manager, session->node)->digest;
	session->full = false;
	session->speaks = false;
	/* A burst is over: what was owed for it may be as large as the set. */
	base_free(session->changed);
	session->changed = NULL;
	session->n_changed = 0;
	session->changed_capacity = 0;
	POST(down->rev >= down->base_rev);
}

/* Is less said than what makes waiting worth it? Then one message more is. */
static bool take_credit(struct manager *manager)
{
	int64_t now_ms = manager->in->now_ms;
	int64_t credit_max = manager->options.tell_per_second * 1000;
	manager->telling.credit +=
		(now_ms - manager->telling.credit_ms) * manager->options.tell_per_second;
	manager->telling.credit_ms = now_ms;
	if (manager->telling.credit > credit_max)
		manager->telling.credit = credit_max;
	if (manager->telling.credit < 1000)
		return false;
	manager->telling.credit -= 1000;
	return true;
}

/* When many workers are told much, each message with little in it would cost more than what it says. The first one
 * after a pause goes at once; what comes up soon after it goes together. The more workers there are the longer a
 * worker waits for more, and as it reports again only when it was answered, so do its reports. */
static int64_t may_speak_ms(struct manager *manager, const struct session *session)
{
	int64_t now_ms = manager->in->now_ms;
	int64_t gap_ms = (int64_t)manager->sessions.n * manager->options.tell_per_node_us / 1000;
	if (gap_ms > LIMIT_TELL_MAX_MS)
		gap_ms = LIMIT_TELL_MAX_MS;
	int64_t may_ms = session->sent_ms + gap_ms;
	/* Parts of contents are asked for one by one. */
	bool at_once = session->full || session->farewell || session->n_owed ||
		       (!session->n_changed && !session->reported);
	return at_once || may_ms <= now_ms || take_credit(manager) ? now_ms : may_ms;
}

/* The session may be dismissed with it. */
static void let_speak(struct manager *manager, struct session *session)
{
	speak(manager, session);
	if (session->farewell)
		session_dismiss(manager, session, SYNC_CLOSE_REMOVED,
				"the node was removed from the cluster");
}

void publish(struct manager *manager)
{
	struct queue *waiting = &manager->telling.waiting;
	/* In a rehearsal nobody is kept waiting, nor is who was when it began. */
	bool all = !manager->options.tell_per_node_us;
	while (waiting->n && (all || waiting->items[0].key <= manager->in->now_ms)) {
		struct session *session = map_get(&manager->sessions, waiting->items[0].id);
		queue_pop(waiting);
		/* It may have been dismissed since. */
		if (session)
			let_speak(manager, session);
	}
	for (size_t i = 0; i < manager->n_speakers; i++) {
		struct uuid key = key_of_number(manager->speakers[i]);
		struct session *session = map_get(&manager->sessions, key);
		if (!session)
			continue;
		int64_t may_ms = may_speak_ms(manager, session);
		if (may_ms <= manager->in->now_ms)
			let_speak(manager, session);
		else
			queue_push(waiting, (struct queue_item){ may_ms, key, 0 });
	}
	manager->n_speakers = 0;
	map_release(&manager->telling.templates);
}

int64_t publish_deadline(const struct manager *manager)
{
	const struct queue *waiting = &manager->telling.waiting;
	return waiting->n ? waiting->items[0].key : INT64_MAX;
}
