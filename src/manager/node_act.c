/* Requests about nodes: drain, resume, remove, label.
 *
 * Removing a node with many tasks takes several groups; the node leaves with the last one. Each group is right without
 * the others, and the same request again does what is missing.
 *
 * Invariant: between the first and the last record nothing can fail. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "manager/core.h"

#define NAMES_TOLD 3

/* ---- what is in the way ---- */

static const struct volume_record **volumes_on(const struct manager *manager,
					       const struct node_entry *node, size_t *ret_n)
{
	size_t n = 0;
	struct volume_record **volumes = cluster_sorted_volumes(&manager->cluster, &n);
	*ret_n = 0;
	for (size_t i = 0; i < n; i++)
		if (uuid_equal(volumes[i]->node.uuid, node->record.id.uuid))
			volumes[(*ret_n)++] = volumes[i];
	return (const struct volume_record **)volumes;
}

static size_t keep_pinning(const struct volume_record **volumes, size_t n)
{
	size_t n_kept = 0;
	for (size_t i = 0; i < n; i++)
		if (!volumes[i]->per_node)
			volumes[n_kept++] = volumes[i];
	return n_kept;
}

/* "shop/web.1, shop/web.2 and 4 more". */
static void add_tasks(const struct manager *manager, const struct node_entry *node,
		      struct text *out)
{
	size_t n = 0;
	for (size_t i = 0; i < node->tasks.n; i++) {
		char name[TASK_NAME_SIZE];
		if (!task_occupies_node(node->tasks.items[i]) || ++n > NAMES_TOLD)
			continue;
		text_addf(out, "%s%s", n > 1 ? ", " : "",
			  cluster_task_name(&manager->cluster, node->tasks.items[i], name));
	}
	if (n > NAMES_TOLD)
		text_addf(out, " and %zu more", n - NAMES_TOLD);
}

/* What the operator can do about the tasks of a node that is to leave. */
static enum err_code refuse_tasks(const struct manager *manager, const struct node_entry *node,
				  bool lost, struct err *err)
{
	struct text names;
	text_init(&names, ERR_MESSAGE_MAX / 2);
	add_tasks(manager, node, &names);
	long long n = (long long)manager->cluster.columns.tasks[node->index];
	const char *name = node_name(node);
	if (lost)
		err_set(err, ERR_CONFLICT,
			"node %s is %s, and %lld of its tasks %s not confirmed gone (%s): when the "
			"machine is off and stays off, `drover node rm --fenced %s` gives them up",
			name, enum_name(node_state_names, node->state), n, n == 1 ? "is" : "are",
			text_string(&names), name);
	else
		err_set(err, ERR_CONFLICT,
			"node %s holds %lld %s (%s): `drover node drain %s` moves them first", name,
			n, n == 1 ? "task" : "tasks", text_string(&names), name);
	text_release(&names);
	return ERR_CONFLICT;
}

static enum err_code check_remove(const struct manager *manager, const struct node_entry *node,
				  bool fenced, struct err *err)
{
	const struct node_watch *watch = map_get(&manager->nodes, node->record.id.uuid);
	const char *name = node_name(node);
	if (fenced && !watch->lost)
		return err_set(err, ERR_CONFLICT,
			       "node %s is %s: --fenced says that a machine is off and stays off, "
			       "and this one is not known to be; `drover node drain %s` moves its "
			       "tasks first",
			       name, enum_name(node_state_names, node->state), name);
	if (fenced)
		return ERR_NONE;
	if (manager->cluster.columns.tasks[node->index])
		return refuse_tasks(manager, node, watch->lost, err);
	size_t n = 0;
	_cleanup_free_ const struct volume_record **volumes = volumes_on(manager, node, &n);
	/* Of a volume that each node has, this one's share goes with it. */
	n = keep_pinning(volumes, n);
	if (n)
		return err_set(err, ERR_CONFLICT,
			       "%zu %s on node %s (%s%s): `drover volume rm` removes what is not "
			       "needed; when the machine is off and stays off, `drover node rm "
			       "--fenced %s` gives them up",
			       n, n == 1 ? "volume lives" : "volumes live", name, volumes[0]->name,
			       n > 1 ? ", ..." : "", name);
	return ERR_NONE;
}

/* ---- writing ---- */

static void write_node(struct manager *manager, struct node_record *record)
{
	group_reserve(manager, 1);
	cluster_put_node(&manager->cluster, &manager->out->changes, record);
}

static void put_draining(struct manager *manager, struct node_entry *node, bool draining)
{
	if (node->record.draining == draining)
		return;
	struct node_record record;
	record_copy(&node_record_type, &record, &node->record);
	record.draining = draining;
	write_node(manager, &record);
	node_drain(manager, node);
}

/* Where the next piece begins, begin another group. */
static void split(struct manager *manager)
{
	if (manager->out->changes.n - manager->group_from < LIMIT_GROUP_RECORDS / 2)
		return;
	group_end(manager);
	group_begin(manager);
}

static void lose_tasks(struct manager *manager, const struct node_entry *node,
		       struct manager_answer *answer)
{
	size_t n = node->tasks.n;
	_cleanup_free_ struct task **tasks =
		n ? base_memdup(node->tasks.items, n * sizeof(struct task *)) : NULL;
	for (size_t i = 0; i < n; i++) {
		if (task_occupies_node(tasks[i]) &&
		    answer->n_tasks_lost++ < MANAGER_ANSWER_NAMES_MAX) {
			char name[TASK_NAME_SIZE];
			strings_add(&answer->tasks_lost,
				    cluster_task_name(&manager->cluster, tasks[i], name));
		}
		split(manager);
		task_write_off(manager, tasks[i]);
	}
}

static void lose_volumes(struct manager *manager, const struct node_entry *node,
			 struct manager_answer *answer)
{
	size_t n = 0;
	_cleanup_free_ const struct volume_record **volumes = volumes_on(manager, node, &n);
	for (size_t i = 0; i < n; i++) {
		struct volume_record *volume =
			cluster_volume_on(&manager->cluster, volumes[i]->name, node->record.id);
		if (answer->n_volumes_lost++ < MANAGER_ANSWER_NAMES_MAX)
			strings_add(&answer->volumes_lost, volume->name);
		notes_add(&manager->out->notes, "volume %s is lost with node %s", volume->name,
			  node_name(node));
		happen(manager, "volume", volume->name, (struct uuid){ 0 }, "lost", "", NULL);
		split(manager);
		cluster_delete_volume(&manager->cluster, &manager->out->changes, volume);
		manager->volumes_changed = true;
	}
}

static void put_left(struct manager *manager, struct node_entry *node,
		     struct manager_answer *answer)
{
	lose_tasks(manager, node, answer);
	lose_volumes(manager, node, answer);
	struct node_record record;
	record_copy(&node_record_type, &record, &node->record);
	record.left = true;
	record.left_wall_ms = wall_now(manager);
	write_node(manager, &record);
	/* Its certificate is worth nothing any more. */
	struct identity_record *identity =
		cluster_identity(&manager->cluster, node->record.id.uuid);
	if (identity)
		cluster_delete_identity(&manager->cluster, &manager->out->changes, identity);
	node_left(manager, node);
	struct node_watch *watch = node_watch(manager, node->record.id);
	if (watch->session) {
		/* It is told once more what it holds: nothing. */
		watch->session->full = true;
		watch->session->farewell = true;
		session_speak(manager, watch->session);
	}
	manager->wake = true;
	notes_add(&manager->out->notes, "node %s has left", node_name(node));
	happen(manager, "node", node_name(node), node->record.id.uuid, "left", "", NULL);
}

/* ---- labels ---- */

static enum err_code check_label(const char *key, struct err *err)
{
	if (!*key || strlen(key) > LIMIT_ENVIRONMENT_KEY_BYTES || strpbrk(key, "= \t\r\n"))
		return err_set_field(err, ERR_INVALID, "set",
				     "\"%.*s\" is no label: 1 to %d bytes without '=' and blanks",
				     64, key, LIMIT_ENVIRONMENT_KEY_BYTES);
	return ERR_NONE;
}

/* The node's record with the labels of the request; zero on failure. */
static enum err_code make_labels(const struct node_entry *node,
				 const struct manager_request *request,
				 struct node_record *ret_record, struct err *err)
{
	struct node_record record;
	record_copy(&node_record_type, &record, &node->record);
	pairs_release(&record.labels);
	const struct pairs *old = &node->record.labels;
	const struct strings *removed = request->labels_remove;
	for (size_t i = 0; i < old->n; i++)
		if (!removed || !strings_has(removed, old->items[i].key))
			pairs_add(&record.labels, old->items[i].key, old->items[i].value);
	enum err_code code = ERR_NONE;
	const struct pairs *set = request->labels_set;
	for (size_t i = 0; set && !code && i < set->n; i++) {
		code = check_label(set->items[i].key, err);
		pairs_put(&record.labels, set->items[i].key, set->items[i].value);
	}
	struct text bytes;
	text_init(&bytes, 2 * (size_t)LIMIT_NODE_RECORD_BYTES);
	record_encode(&node_record_type, &record, &bytes);
	if (!code)
		code = record_check(&node_record_type, &record, err);
	if (!code && bytes.cut)
		code = err_set(err, ERR_LIMIT, "the labels of node %s are larger than %d KB",
			       node_name(node), LIMIT_NODE_RECORD_BYTES / 1024);
	text_release(&bytes);
	if (code)
		record_release(&node_record_type, &record);
	else
		*ret_record = record;
	return code;
}

static void put_labels(struct manager *manager, struct node_entry *node, struct node_record *record)
{
	if (record_equal(&node_record_type, record, &node->record)) {
		record_release(&node_record_type, record);
		return;
	}
	write_node(manager, record);
	manager->wake = true;
	notes_add(&manager->out->notes, "node %s is labelled", node_name(node));
	happen(manager, "node", node_name(node), node->record.id.uuid, "labelled", "", NULL);
}

/* ---- the request ---- */

static enum err_code find(const struct manager *manager, const struct manager_request *request,
			  struct node_entry **ret_node, struct err *err)
{
	struct node_entry *node = cluster_node(&manager->cluster, request->node);
	if (!node)
		return err_set(err, ERR_NOT_FOUND, "no node has this id");
	/* To remove it again does no harm: the first answer may have been lost. */
	if (node->record.left && request->kind != REQUEST_NODE_REMOVE)
		return err_set(err, ERR_CONFLICT, "node %s was removed from the cluster",
			       node_name(node));
	*ret_node = node;
	return ERR_NONE;
}

static void carry_out(struct manager *manager, const struct manager_request *request,
		      struct node_entry *node, struct node_record *labelled,
		      struct manager_answer *answer)
{
	switch (request->kind) {
	case REQUEST_NODE_DRAIN: put_draining(manager, node, true); return;
	case REQUEST_NODE_RESUME: put_draining(manager, node, false); return;
	case REQUEST_NODE_LABEL: put_labels(manager, node, labelled); return;
	default:
		if (!node->record.left)
			put_left(manager, node, answer);
	}
}

enum err_code node_act(struct manager *manager, const struct manager_request *request,
		       struct manager_answer *answer, struct err *err)
{
	struct node_entry *node = NULL;
	struct node_record labelled = { 0 };
	enum err_code code = find(manager, request, &node, err);
	if (!code)
		code = idempotency_check(manager, request, err);
	if (!code && request->kind == REQUEST_NODE_REMOVE && !node->record.left)
		code = check_remove(manager, node, request->fenced, err);
	if (!code && request->kind == REQUEST_NODE_LABEL)
		code = make_labels(node, request, &labelled, err);
	if (code)
		return code;
	answer->node = node->record.id;
	answer->node_name = base_strdup(node_name(node));
	group_begin(manager);
	carry_out(manager, request, node, &labelled, answer);
	idempotency_keep(manager, request, answer);
	group_end(manager);
	return ERR_NONE;
}
