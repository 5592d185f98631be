/* Configs and secrets. Invariants: a shelf has something on it, and no hash twice; what a kept revision uses is
 * there. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "cluster/internal.h"

bool content_is_sound(const struct content_record *content)
{
	return content->project && *content->project && content->hash && *content->hash &&
	       content->data && *content->data;
}

struct content_shelf *cluster_contents(const struct cluster *cluster, const char *project)
{
	struct content_shelf *shelf =
		map_get(&cluster->contents, map_name_key(cluster->salt, project, ""));
	return shelf && strcmp(shelf->project, project) == 0 ? shelf : NULL;
}

struct content_record *cluster_content(const struct cluster *cluster, const char *project,
				       const char *hash)
{
	const struct content_shelf *shelf = cluster_contents(cluster, project);
	for (size_t i = 0; shelf && hash && i < shelf->n; i++)
		if (strcmp(shelf->items[i]->hash, hash) == 0)
			return shelf->items[i];
	return NULL;
}

const char *content_missing(const struct cluster *cluster, const char *project,
			    const struct job_revision *revision)
{
	for (size_t i = 0; i < job_spec_n_contents(&revision->spec); i++) {
		const char *hash = job_spec_content(&revision->spec, i, NULL)->hash;
		if (!cluster_content(cluster, project, hash))
			return hash ? hash : "";
	}
	return NULL;
}

/* Its bytes are there again. */
static void remember(struct changes *changes, struct content_record *forgotten,
		     struct content_record *content)
{
	record_release(&content_record_type, forgotten);
	*forgotten = *content;
	*content = (struct content_record){ 0 };
	cluster_record_put(changes, cluster_key_of_content(forgotten->project, forgotten->hash),
			   &content_record_type, forgotten);
}

void cluster_put_content(struct cluster *cluster, struct changes *changes,
			 struct content_record *content)
{
	PRE(content_is_sound(content));
	struct content_record *forgotten =
		cluster_content(cluster, content->project, content->hash);
	if (forgotten) {
		PRE(content_is_forgotten(forgotten->seal));
		remember(changes, forgotten, content);
		return;
	}
	struct content_shelf *shelf = cluster_contents(cluster, content->project);
	if (!shelf) {
		shelf = base_calloc(1, sizeof(*shelf));
		shelf->project = base_strdup(content->project);
		cluster_map_add(&cluster->contents, map_name_key(cluster->salt, shelf->project, ""),
				shelf);
	}
	shelf->items = base_grow(shelf->items, shelf->n, &shelf->capacity, sizeof(*shelf->items));
	struct content_record *kept = base_memdup(content, sizeof(*content));
	shelf->items[shelf->n++] = kept;
	*content = (struct content_record){ 0 };
	cluster_record_put(changes, cluster_key_of_content(kept->project, kept->hash),
			   &content_record_type, kept);
}

void cluster_forget_content(struct changes *changes, struct content_record *content)
{
	/* No record is without a text. */
	string_set(&content->data, CONTENT_SEAL_FORGOTTEN);
	string_set(&content->seal, CONTENT_SEAL_FORGOTTEN);
	cluster_record_put(changes, cluster_key_of_content(content->project, content->hash),
			   &content_record_type, content);
}

static void content_free(struct content_record *content)
{
	record_release(&content_record_type, content);
	base_free(content);
}

void content_shelf_free(struct content_shelf *shelf)
{
	for (size_t i = 0; i < shelf->n; i++)
		content_free(shelf->items[i]);
	base_free(shelf->items);
	base_free(shelf->project);
	base_free(shelf);
}

void cluster_delete_content(struct cluster *cluster, struct changes *changes,
			    struct content_record *content)
{
	struct content_shelf *shelf = cluster_contents(cluster, content->project);
	PRE(shelf);
	/* Who clears a shelf does so from its end. */
	size_t at = shelf->n;
	while (at > 0 && shelf->items[at - 1] != content)
		at--;
	PRE(at > 0);
	at--;
	cluster_record_delete(changes, cluster_key_of_content(content->project, content->hash));
	memmove(&shelf->items[at], &shelf->items[at + 1],
		(shelf->n - at - 1) * sizeof(*shelf->items));
	shelf->n--;
	content_free(content);
	if (shelf->n)
		return;
	cluster_map_drop(&cluster->contents, map_name_key(cluster->salt, shelf->project, ""),
			 shelf);
	content_shelf_free(shelf);
}
