/* GET: views of the world as of the last durable commit. */
#include <string.h>

#include "api/server_int.h"
#include "base/alloc.h"
#include "base/parse.h"
#include "base/sort.h"

void handle_healthz(struct api_request *request)
{
	http_answer(request->exchange, 200, JSON_CONTENT_TYPE, NULL, "{\"ok\":true}", 11);
}

void handle_cluster(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct api_health health = { 0 };
	request->server->backend->health(request->server->owner, &health);
	struct cluster_view view = { 0 };
	view.id = cluster->meta.cluster;
	view.version = base_strdup(DROVER_VERSION);
	view.epoch = cluster->meta.epoch;
	view.scheduler = base_strdup(health.scheduler_name);
	view.store = base_strdup(health.store_name);
	view.read_only = health.read_only;
	view.message = health.read_only ? base_strdup(health.message) : NULL;
	view.nodes = (int64_t)cluster->nodes.n;
	view.jobs = (int64_t)cluster->jobs.n;
	view.tasks_pending = (int64_t)cluster->n_tasks_by_state[TASK_PENDING];
	view.tasks_scheduled = (int64_t)cluster->n_tasks_by_state[TASK_SCHEDULED];
	view.tasks_running = (int64_t)cluster->n_tasks_by_state[TASK_RUNNING];
	view.tasks_completed = (int64_t)cluster->n_tasks_by_state[TASK_COMPLETED];
	view.tasks_failed = (int64_t)cluster->n_tasks_by_state[TASK_FAILED];
	view.store_used_bytes = health.store_used_bytes;
	view.store_max_bytes = health.store_max_bytes;
	answer_record(request, 200, &cluster_view_type, &view);
	record_release(&cluster_view_type, &view);
}

/* ---- lists --------------------------------------------------------------------------------------------- */

/* A page: the items whose sort key comes after `after`, at most `limit`. Keys are texts; ids sort by creation. */
struct page {
	char after[2 * ROUTE_PARAM_SIZE];
	int64_t limit;
};

static enum err_code page_read(struct api_request *request, struct page *page, struct err *err)
{
	char text[32];
	page->limit = LIMIT_LIST_PAGE_ITEMS;
	query_get(request, "after", page->after, sizeof(page->after));
	if (!query_get(request, "limit", text, sizeof(text)))
		return ERR_NONE;
	if (parse_int(text, 1, LIMIT_LIST_PAGE_ITEMS, &page->limit, err))
		return err_set_field(err, ERR_INVALID, "limit", "a number from 1 to %d, not \"%s\"",
				     LIMIT_LIST_PAGE_ITEMS, text);
	return ERR_NONE;
}

struct listed {
	char key[2 * ROUTE_PARAM_SIZE];
	const void *item;
};

struct listing {
	struct listed *items;
	size_t n;
	size_t capacity;
};

static struct listed *listing_add(struct listing *listing, const void *item)
{
	listing->items =
		base_grow(listing->items, listing->n, &listing->capacity, sizeof(struct listed));
	struct listed *added = &listing->items[listing->n++];
	added->item = item;
	added->key[0] = '\0';
	return added;
}

static int compare_listed(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->key, ((const struct listed *)b)->key);
}

/* Sort, then the part of the listing the page asks for; *ret_next is its last key when more follow, else "". */
static void listing_page(struct listing *listing, const struct page *page, size_t *ret_first,
			 size_t *ret_end, const char **ret_next)
{
	if (listing->n)
		qsort(listing->items, listing->n, sizeof(struct listed), compare_listed);
	size_t first = 0;
	while (first < listing->n && page->after[0] &&
	       strcmp(listing->items[first].key, page->after) <= 0)
		first++;
	size_t end =
		listing->n - first > (size_t)page->limit ? first + (size_t)page->limit : listing->n;
	*ret_first = first;
	*ret_end = end;
	*ret_next = end < listing->n ? listing->items[end - 1].key : "";
}

static bool wants(struct api_request *request, const char *name, const char *value)
{
	char wanted[ROUTE_PARAM_SIZE];
	return !query_get(request, name, wanted, sizeof(wanted)) || strcmp(wanted, value) == 0;
}

void handle_tasks(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct page page = { 0 };
	struct err err;
	if (page_read(request, &page, &err)) {
		answer_error(request, &err);
		return;
	}
	struct listing listing = { 0 };
	size_t at = 0;
	for (const struct task *task; (task = map_next(&cluster->tasks, &at));) {
		const struct job_entry *entry = cluster_job_of(cluster, task);
		char node[UUID_TEXT_SIZE];
		uuid_format(task->desired.node.uuid, node);
		if (!wants(request, "project", entry->job.project) ||
		    !wants(request, "job", entry->job.name) || !wants(request, "node", node) ||
		    !wants(request, "state", enum_name(task_state_names, task->state)))
			continue;
		uuid_format(task->desired.id.uuid, listing_add(&listing, task)->key);
	}
	size_t first, end;
	const char *next;
	struct task_page answer = { 0 };
	listing_page(&listing, &page, &first, &end, &next);
	for (size_t i = first; i < end; i++)
		task_view_fill(list_add(&answer.tasks, sizeof(struct task_view)), cluster,
			       listing.items[i].item);
	answer.next = base_strdup(next);
	answer_record(request, 200, &task_page_type, &answer);
	record_release(&task_page_type, &answer);
	base_free(listing.items);
}

void handle_jobs(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct page page = { 0 };
	struct err err;
	if (page_read(request, &page, &err)) {
		answer_error(request, &err);
		return;
	}
	struct listing listing = { 0 };
	size_t at = 0;
	for (const struct job_entry *entry; (entry = map_next(&cluster->jobs, &at));) {
		if (!wants(request, "project", entry->job.project) ||
		    !wants(request, "name", entry->job.name))
			continue;
		struct listed *listed = listing_add(&listing, entry);
		text_print(listed->key, sizeof(listed->key), "%s/%s", entry->job.project,
			   entry->job.name);
	}
	size_t first, end;
	const char *next;
	struct job_page answer = { 0 };
	listing_page(&listing, &page, &first, &end, &next);
	for (size_t i = first; i < end; i++)
		job_view_fill(list_add(&answer.jobs, sizeof(struct job_view)),
			      server_manager(request->server), listing.items[i].item, false);
	answer.next = base_strdup(next);
	answer_record(request, 200, &job_page_type, &answer);
	record_release(&job_page_type, &answer);
	base_free(listing.items);
}

void handle_nodes(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct page page = { 0 };
	struct err err;
	if (page_read(request, &page, &err)) {
		answer_error(request, &err);
		return;
	}
	struct listing listing = { 0 };
	size_t at = 0;
	for (const struct node_entry *node; (node = map_next(&cluster->nodes, &at));)
		uuid_format(node->record.id.uuid, listing_add(&listing, node)->key);
	size_t first, end;
	const char *next;
	struct node_page answer = { 0 };
	listing_page(&listing, &page, &first, &end, &next);
	for (size_t i = first; i < end; i++)
		node_view_fill(list_add(&answer.nodes, sizeof(struct node_view)), cluster,
			       listing.items[i].item);
	answer.next = base_strdup(next);
	answer_record(request, 200, &node_page_type, &answer);
	record_release(&node_page_type, &answer);
	base_free(listing.items);
}

void handle_volumes(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct page page = { 0 };
	struct err err;
	if (page_read(request, &page, &err)) {
		answer_error(request, &err);
		return;
	}
	struct listing listing = { 0 };
	size_t at = 0;
	for (const struct volume_record *volume; (volume = map_next(&cluster->volumes, &at));) {
		if (!wants(request, "project", volume->project))
			continue;
		struct listed *listed = listing_add(&listing, volume);
		text_print(listed->key, sizeof(listed->key), "%s", volume->name);
	}
	size_t first, end;
	const char *next;
	struct volume_page answer = { 0 };
	listing_page(&listing, &page, &first, &end, &next);
	for (size_t i = first; i < end; i++)
		volume_view_fill(list_add(&answer.volumes, sizeof(struct volume_view)), cluster,
				 listing.items[i].item);
	answer.next = base_strdup(next);
	answer_record(request, 200, &volume_page_type, &answer);
	record_release(&volume_page_type, &answer);
	base_free(listing.items);
}

void handle_projects(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct page page = { 0 };
	struct err err;
	if (page_read(request, &page, &err)) {
		answer_error(request, &err);
		return;
	}
	struct listing listing = { 0 };
	size_t at = 0;
	for (const struct project_entry *entry; (entry = map_next(&cluster->projects, &at));) {
		struct listed *listed = listing_add(&listing, entry);
		text_print(listed->key, sizeof(listed->key), "%s", entry->project.name);
	}
	size_t first, end;
	const char *next;
	struct project_page answer = { 0 };
	listing_page(&listing, &page, &first, &end, &next);
	for (size_t i = first; i < end; i++)
		project_view_fill(list_add(&answer.projects, sizeof(struct project_view)),
				  listing.items[i].item);
	answer.next = base_strdup(next);
	answer_record(request, 200, &project_page_type, &answer);
	record_release(&project_page_type, &answer);
	base_free(listing.items);
}

/* ---- one object ---------------------------------------------------------------------------------------- */

void handle_project(struct api_request *request)
{
	const struct project_entry *entry =
		cluster_project(server_cluster(request->server), request->params[0]);
	if (!entry) {
		answer_code(request, ERR_NOT_FOUND, "no such project");
		return;
	}
	struct project_view view = { 0 };
	project_view_fill(&view, entry);
	answer_record(request, 200, &project_view_type, &view);
	record_release(&project_view_type, &view);
}

/* The id in the path; false when it is none (answered). */
static bool read_id(struct api_request *request, struct uuid *ret_id)
{
	struct err err;
	if (uuid_parse(request->params[0], ret_id, &err) == ERR_NONE)
		return true;
	answer_error(request, &err);
	return false;
}

void handle_job(struct api_request *request)
{
	struct job_id id;
	if (!read_id(request, &id.uuid))
		return;
	const struct job_entry *entry = cluster_job(server_cluster(request->server), id);
	if (!entry) {
		answer_code(request, ERR_NOT_FOUND, "no job has this id");
		return;
	}
	struct job_view view = { 0 };
	job_view_fill(&view, server_manager(request->server), entry, true);
	answer_record(request, 200, &job_view_type, &view);
	record_release(&job_view_type, &view);
}

void handle_task(struct api_request *request)
{
	struct task_id id;
	if (!read_id(request, &id.uuid))
		return;
	const struct task *task = cluster_task(server_cluster(request->server), id);
	if (!task) {
		answer_code(request, ERR_NOT_FOUND, "no task has this id");
		return;
	}
	struct task_view view = { 0 };
	task_view_fill(&view, server_cluster(request->server), task);
	answer_record(request, 200, &task_view_type, &view);
	record_release(&task_view_type, &view);
}

void handle_node(struct api_request *request)
{
	struct node_id id;
	if (!read_id(request, &id.uuid))
		return;
	const struct node_entry *node = cluster_node(server_cluster(request->server), id);
	if (!node) {
		answer_code(request, ERR_NOT_FOUND, "no node has this id");
		return;
	}
	struct node_view view = { 0 };
	node_view_fill(&view, server_cluster(request->server), node);
	answer_record(request, 200, &node_view_type, &view);
	record_release(&node_view_type, &view);
}
