/* Volumes: pinned to a node with the first placement that mounts them, asked to be removed, confirmed removed.
 *
 * A volume of a job that has one on each node is pinned nowhere; its record says that it is on the node.
 *
 * Invariants: a volume is pinned before or with the first task that mounts it; a worker is asked to remove a volume
 * only when no job mounts it; external volumes are not ours, so they are neither pinned nor removed. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/planted.h"
#include "manager/core.h"

static const struct volume_spec *spec_of(const struct project_entry *project, const char *key)
{
	for (size_t i = 0; i < project->project.volumes.n; i++)
		if (strcmp(project->project.volumes.items[i].key, key) == 0)
			return &project->project.volumes.items[i];
	return NULL;
}

size_t volume_pins_max(const struct job_spec *spec)
{
	size_t n = 0;
	for (size_t i = 0; i < spec->mounts.n; i++)
		n += spec->mounts.items[i].kind == MOUNT_VOLUME && spec->mounts.items[i].source;
	return n;
}

void volume_pin(struct manager *manager, const struct task *task, const struct node_entry *node)
{
	const struct job_spec *spec = cluster_task_spec(&manager->cluster, task);
	const struct job_entry *entry = cluster_job_of(&manager->cluster, task);
	const struct project_entry *project =
		cluster_project(&manager->cluster, entry->job.project);
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mount *mount = &spec->mounts.items[i];
		if (mount->kind != MOUNT_VOLUME || !mount->source)
			continue;
		const struct volume_spec *declared = spec_of(project, mount->source);
		char buffer[VOLUME_NAME_SIZE];
		const char *name = cluster_volume_name(project, mount->source, buffer);
		if (declared && declared->external)
			continue;
		bool per_node = job_spec_volumes_per_node(spec);
		const struct volume_record *there =
			per_node ? cluster_volume_on(&manager->cluster, name, node->record.id)
				 : cluster_volume(&manager->cluster, name);
		if (there) {
			INVARIANT(PLANTED(PLANTED_PIN_IGNORED) ||
				  uuid_equal(there->node.uuid, node->record.id.uuid));
			continue;
		}
		struct volume_record volume = {
			.project = base_strdup(entry->job.project),
			.key = base_strdup(mount->source),
			.name = base_strdup(name),
			.driver = base_strdup(declared ? declared->driver : NULL),
			.node = node->record.id,
			.created_wall_ms = wall_now(manager),
			.per_node = per_node,
		};
		notes_add(&manager->out->notes,
			  per_node ? "volume %s is on %s" : "volume %s lives on %s", name,
			  node_name(node));
		happen(manager, "volume", name, (struct uuid){ 0 }, per_node ? "made" : "pinned",
		       "", NULL);
		cluster_put_volume(&manager->cluster, &manager->out->changes, &volume);
	}
}

const char *volume_label(const struct manager *manager, const struct volume_record *volume,
			 char out[VOLUME_LABEL_SIZE])
{
	const struct node_entry *node = cluster_node(&manager->cluster, volume->node);
	return text_print(out, VOLUME_LABEL_SIZE, "%s%s%s", volume->name,
			  volume->per_node ? " on " : "",
			  !volume->per_node ? ""
			  : node	    ? node_name(node)
					    : "a node that has gone");
}

static bool spec_uses_volume(const struct project_entry *project, const struct job_spec *spec,
			     const char *name)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mount *mount = &spec->mounts.items[i];
		char buffer[VOLUME_NAME_SIZE];
		if (mount->kind == MOUNT_VOLUME && mount->source &&
		    strcmp(cluster_volume_name(project, mount->source, buffer), name) == 0)
			return true;
	}
	return false;
}

static bool has_task_of(const struct job_entry *entry, int64_t revision)
{
	for (size_t i = 0; i < entry->tasks.n; i++)
		if (entry->tasks.items[i]->desired.revision == revision)
			return true;
	return false;
}

bool job_uses_volume(const struct manager *manager, const struct job_entry *entry, const char *name)
{
	const struct project_entry *project =
		cluster_project(&manager->cluster, entry->job.project);
	for (size_t i = 0; i < entry->n_revisions; i++) {
		const struct job_revision *revision = entry->revisions[i];
		/* Dead containers of an older revision still hold its volumes. */
		if (spec_uses_volume(project, &revision->spec, name) &&
		    (revision->number == entry->job.revision ||
		     has_task_of(entry, revision->number)))
			return true;
	}
	return false;
}

static bool is_leaving(const struct plan *plan, const struct job_entry *entry)
{
	if (!plan)
		return false;
	const struct plan_job *planned = plan_job_find(plan, entry->job.id);
	return entry->job.wanted == JOB_REMOVE || (planned && planned->job.wanted == JOB_REMOVE);
}

struct job_entry *volume_user(const struct manager *manager, const char *name,
			      const struct plan *plan)
{
	struct job_entry *user = NULL;
	size_t n = 0;
	struct project_entry **projects = cluster_sorted_projects(&manager->cluster, &n);
	for (size_t i = 0; i < n && !user; i++)
		for (size_t j = 0; j < projects[i]->n_jobs && !user; j++) {
			struct job_entry *entry = projects[i]->jobs[j];
			if (!is_leaving(plan, entry) && job_uses_volume(manager, entry, name))
				user = entry;
		}
	base_free(projects);
	return user;
}

bool volume_is_removing(const struct manager *manager, const char *name)
{
	size_t at = 0;
	for (const struct volume_record *volume;
	     (volume = map_next(&manager->cluster.volumes, &at));)
		if (volume->removing && strcmp(volume->name, name) == 0)
			return true;
	return false;
}

void volume_removed(struct manager *manager, struct node_entry *node,
		    const struct sync_volume *answer)
{
	struct volume_record *volume =
		answer->name ? cluster_volume_on(&manager->cluster, answer->name, node->record.id)
			     : NULL;
	if (!volume || !volume->removing || !strings_has(&manager->removable, volume->name))
		return;
	group_reserve(manager, 1);
	if (answer->message && *answer->message) {
		if (volume->remove_error && strcmp(volume->remove_error, answer->message) == 0)
			return;
		struct volume_record changed;
		record_copy(&volume_record_type, &changed, volume);
		string_set(&changed.remove_error, answer->message);
		notes_add(&manager->out->notes, "%s", answer->message);
		happen(manager, "volume", answer->name, (struct uuid){ 0 }, "remove_failed", "",
		       answer->message);
		cluster_put_volume(&manager->cluster, &manager->out->changes, &changed);
		return;
	}
	char label[VOLUME_LABEL_SIZE];
	notes_add(&manager->out->notes, "volume %s removed", volume_label(manager, volume, label));
	happen(manager, "volume", answer->name, (struct uuid){ 0 }, "removed", "", NULL);
	cluster_delete_volume(&manager->cluster, &manager->out->changes, volume);
	manager->volumes_changed = true;
	manager->wake = true;
}

void volumes_refresh(struct manager *manager)
{
	if (!manager->volumes_changed)
		return;
	manager->volumes_changed = false;
	strings_release(&manager->removable);
	size_t n = 0;
	struct volume_record **volumes = cluster_sorted_volumes(&manager->cluster, &n);
	for (size_t i = 0; i < n; i++) {
		if (!volumes[i]->removing || volume_user(manager, volumes[i]->name, NULL))
			continue;
		if (!strings_has(&manager->removable, volumes[i]->name))
			strings_add(&manager->removable, volumes[i]->name);
		struct session *session = node_watch(manager, volumes[i]->node)->session;
		if (session)
			session_speak(manager, session);
	}
	base_free(volumes);
}
