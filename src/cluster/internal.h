/* Inside cluster/: what its files share. Nobody else includes it. */
#ifndef CLUSTER_INTERNAL_H
#define CLUSTER_INTERNAL_H

#include "cluster/cluster.h"

/* Keys of stored records (records.c): a change with kind and key set and no value. */
struct change cluster_key_of_meta(void);
struct change cluster_key_of_project(const char *name);
struct change cluster_key_of_job(struct job_id id);
struct change cluster_key_of_revision(struct job_id job, int64_t number);
struct change cluster_key_of_task(struct task_id id);
struct change cluster_key_of_observed(struct task_id task);
/* Where release 1 had it. */
struct change cluster_first_key_of_observed(struct node_id node, struct task_id task);
struct change cluster_key_of_node(struct node_id id);
struct change cluster_key_of_volume(const struct volume_record *volume);
/* Its place in cluster->volumes. */
struct uuid cluster_volume_place(const struct cluster *cluster, const struct volume_record *volume);
struct change cluster_key_of_idempotency(const char *caller, const char *key);
struct change cluster_key_of_token(const char *id);
struct change cluster_key_of_identity(struct uuid id);
struct change cluster_key_of_removed_node(struct node_id id);
struct change cluster_key_of_content(const char *project, const char *hash);

/* Record for the store: put the binary form of `record` under the key, or delete the key. NULL
 * changes: nothing. */
void cluster_record_put(struct changes *changes, struct change key, const struct record_type *type,
			const void *record);
void cluster_record_delete(struct changes *changes, struct change key);

/* Maps: put what is not there yet, take out what is there (cluster.c). */
void cluster_map_add(struct map *map, struct uuid key, void *value);
void cluster_map_drop(struct map *map, struct uuid key, const void *value);

/* Task lists (task_list.c), ascending by id. */
void task_list_insert(struct task_list *list, struct task *task);
void task_list_remove(struct task_list *list, const struct task *task);
bool task_list_has(const struct task_list *list, const struct task *task);
void task_list_append(struct task_list *list,
		      struct task *task); /* order is the caller's business */
void task_list_sort(struct task_list *list);
void task_list_release(struct task_list *list);

/* The weight of a task (weight.c): its count by state and, when it occupies a node, its
 * reservations, ports and place in the job's placements. On and off are exact opposites and depend
 * on the task, its specification and its node alone, so whatever changes one of these does it
 * between off and on. */
void weight_on(struct cluster *cluster, struct task *task);
void weight_off(struct cluster *cluster, struct task *task);
/* The port a task would hold twice or that another task holds; NULL: none. Before weight_on() of
 * what comes from disk. */
const struct port_grant *weight_port_conflict(const struct cluster *cluster,
					      const struct task *task);

/* A column goes in which nothing of the job is placed: those behind it move up. */
void weight_column_removed(struct job_entry *job, uint32_t node_index);

/* Is the task in its node's desired set? */
bool task_is_on_list_of_node(const struct task *task);

/* Can a worker have said this of any task? Success is a Completed task (I14). The reason in `err`. */
bool observed_is_sound(const struct task_observed *report, struct err *err);

/* A move the caller has made sure of. */
void task_must_move(struct task *task, int to);

/* State and reason as both halves say (task_state.c). */
int task_derive_state(const struct task *task);
void task_derive_reason(struct task *task);

/* Columns (columns.c). */
uint32_t columns_add(struct node_columns *columns, struct node_entry *entry);
/* Close the gap: all behind it move up. Placements must follow: weight_column_removed(). */
void columns_remove(struct node_columns *columns, uint32_t at);
/* Into the order in which nodes joined; before the first task weighs anything. */
void columns_sort(struct node_columns *columns);
void columns_set_capacity(struct node_columns *columns, const struct node_entry *entry);
void columns_set_ready(struct node_columns *columns, const struct node_entry *entry);
/* Something of the node changed that the scheduler goes by. */
void columns_touch(struct node_columns *columns, size_t at);
bool node_entry_is_ready(const struct node_entry *entry);
void columns_release(struct node_columns *columns);

/* The values of a map as an array; at least one item is allocated, so the result is never NULL. */
void *map_values(const struct map *map, size_t *ret_n);

/* Is the record complete (trust.c)? What comes from disk may not be. */
bool token_is_sound(const struct token_record *token);
bool identity_is_sound(const struct identity_record *identity);

/* Is the record complete (contents.c)? */
bool content_is_sound(const struct content_record *content);
void content_shelf_free(struct content_shelf *shelf);
/* Is what the revision uses there? NULL, or the hash of what is not. */
const char *content_missing(const struct cluster *cluster, const char *project,
			    const struct job_revision *revision);

/* Entries. */
void job_entry_put_revision(struct job_entry *entry, struct job_revision *revision);
void project_entry_add_job(struct project_entry *project, struct job_entry *entry);
void job_entry_free(struct job_entry *entry);
void project_entry_free(struct project_entry *entry);
void node_entry_free(struct node_entry *entry);
void cluster_task_free(struct task *task);

#endif
