/* GET: views of the world as of the last durable commit. */
#include <string.h>
#include <sys/utsname.h>

#include "api/server_int.h"
#include "base/alloc.h"
#include "base/parse.h"
#include "base/sort.h"

void handle_healthz(struct api_request *request)
{
	http_answer(request->exchange, 200, JSON_CONTENT_TYPE, NULL, "{\"ok\":true}", 11);
}

/* Those that have not left. */
static int64_t n_nodes(const struct cluster *cluster)
{
	int64_t n = 0;
	for (size_t i = 0; i < cluster->columns.n; i++)
		n += !cluster->columns.entry[i]->record.left;
	return n;
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
	view.nodes = n_nodes(cluster);
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

/* The page's items and one more, as a heap with the last key on top: however long the list is, no more is kept. */
struct listing {
	struct page page;
	struct listed *items;
	size_t n;
	size_t capacity;
};

static bool is_before(const struct listing *listing, size_t a, size_t b)
{
	return strcmp(listing->items[a].key, listing->items[b].key) < 0;
}

static void swap(struct listing *listing, size_t a, size_t b)
{
	struct listed kept = listing->items[a];
	listing->items[a] = listing->items[b];
	listing->items[b] = kept;
}

static void sift_up(struct listing *listing, size_t at)
{
	for (size_t parent; at && is_before(listing, parent = (at - 1) / 2, at); at = parent)
		swap(listing, parent, at);
}

static void sift_down(struct listing *listing, size_t at)
{
	for (size_t child; (child = 2 * at + 1) < listing->n; at = child) {
		if (child + 1 < listing->n && is_before(listing, child, child + 1))
			child++;
		if (!is_before(listing, at, child))
			return;
		swap(listing, at, child);
	}
}

static void listing_offer(struct listing *listing, const char *key, const void *item)
{
	if (listing->page.after[0] && strcmp(key, listing->page.after) <= 0)
		return;
	bool full = listing->n > (size_t)listing->page.limit;
	if (full && strcmp(key, listing->items[0].key) >= 0)
		return;
	if (!full)
		listing->items = base_grow(listing->items, listing->n, &listing->capacity,
					   sizeof(struct listed));
	struct listed *listed = &listing->items[full ? 0 : listing->n++];
	text_print(listed->key, sizeof(listed->key), "%s", key);
	listed->item = item;
	if (full)
		sift_down(listing, 0);
	else
		sift_up(listing, listing->n - 1);
}

static int compare_listed(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->key, ((const struct listed *)b)->key);
}

/* Put the page in order. Returns how many items it has; *ret_next is its last key when more follow, else "". */
static size_t listing_page(struct listing *listing, const char **ret_next)
{
	size_t n = listing->n;
	bool more = n > (size_t)listing->page.limit;
	if (n)
		qsort(listing->items, n, sizeof(struct listed), compare_listed);
	if (more)
		n--;
	*ret_next = more ? listing->items[n - 1].key : "";
	return n;
}

/* What a list is narrowed down to, read once per request. */
struct filter {
	bool given;
	char value[ROUTE_PARAM_SIZE];
};

static void filter_read(struct api_request *request, const char *name, struct filter *filter)
{
	filter->given = query_get(request, name, filter->value, sizeof(filter->value));
}

static bool passes(const struct filter *filter, const char *value)
{
	return !filter->given || strcmp(filter->value, value) == 0;
}

struct task_filter {
	struct filter project, job, node, state;
};

static bool task_passes(const struct task_filter *filter, const struct cluster *cluster,
			const struct task *task)
{
	char node[UUID_TEXT_SIZE];
	if (!passes(&filter->state, enum_name(task_state_names, task->state)))
		return false;
	if (filter->node.given &&
	    !passes(&filter->node, uuid_format(task->desired.node.uuid, node)))
		return false;
	if (!filter->project.given && !filter->job.given)
		return true;
	const struct job *job = &cluster_job_of(cluster, task)->job;
	return passes(&filter->project, job->project) && passes(&filter->job, job->name);
}

void handle_tasks(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct listing listing = { 0 };
	struct err err;
	if (page_read(request, &listing.page, &err)) {
		answer_error(request, &err);
		return;
	}
	struct task_filter filter;
	filter_read(request, "project", &filter.project);
	filter_read(request, "job", &filter.job);
	filter_read(request, "node", &filter.node);
	filter_read(request, "state", &filter.state);
	size_t at = 0;
	for (const struct task *task; (task = map_next(&cluster->tasks, &at));) {
		char id[UUID_TEXT_SIZE];
		if (task_passes(&filter, cluster, task))
			listing_offer(&listing, uuid_format(task->desired.id.uuid, id), task);
	}
	const char *next;
	struct task_page answer = { 0 };
	size_t n = listing_page(&listing, &next);
	for (size_t i = 0; i < n; i++)
		task_view_fill(list_add(&answer.tasks, sizeof(struct task_view)),
			       server_manager(request->server), listing.items[i].item);
	answer.next = base_strdup(next);
	answer_record(request, 200, &task_page_type, &answer);
	record_release(&task_page_type, &answer);
	base_free(listing.items);
}

void handle_jobs(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct listing listing = { 0 };
	struct err err;
	if (page_read(request, &listing.page, &err)) {
		answer_error(request, &err);
		return;
	}
	struct filter project, name;
	filter_read(request, "project", &project);
	filter_read(request, "name", &name);
	size_t at = 0;
	for (const struct job_entry *entry; (entry = map_next(&cluster->jobs, &at));) {
		char key[2 * ROUTE_PARAM_SIZE];
		text_print(key, sizeof(key), "%s/%s", entry->job.project, entry->job.name);
		if (passes(&project, entry->job.project) && passes(&name, entry->job.name))
			listing_offer(&listing, key, entry);
	}
	const char *next;
	struct job_page answer = { 0 };
	size_t n = listing_page(&listing, &next);
	for (size_t i = 0; i < n; i++)
		job_view_fill(list_add(&answer.jobs, sizeof(struct job_view)),
			      server_manager(request->server), listing.items[i].item, false);
	answer.next = base_strdup(next);
	answer_record(request, 200, &job_page_type, &answer);
	record_release(&job_page_type, &answer);
	base_free(listing.items);
}

/* Last of all nodes, for no id sorts behind it. */
#define MANAGER_KEY "manager"

/* Does a worker of the cluster run on the manager's own machine? Then that node is the machine's row. */
static bool has_local_worker(const struct cluster *cluster)
{
	size_t at = 0;
	for (const struct node_entry *node; (node = map_next(&cluster->nodes, &at));)
		if (node->record.role == NODE_BOTH && !node->record.left)
			return true;
	return false;
}

/* The manager's machine where no worker runs: listed, though it is no node and takes no tasks. */
static void manager_row_fill(struct node_view *view)
{
	struct utsname system;
	uname(&system);
	view->role = NODE_MANAGER;
	view->hostname = base_strdup(system.nodename);
	view->platform_os = base_strdup("linux");
	view->platform_arch = base_strdup(system.machine);
	view->drover_version = base_strdup(DROVER_VERSION);
}

void handle_nodes(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct listing listing = { 0 };
	struct err err;
	if (page_read(request, &listing.page, &err)) {
		answer_error(request, &err);
		return;
	}
	size_t at = 0;
	for (const struct node_entry *node; (node = map_next(&cluster->nodes, &at));) {
		char id[UUID_TEXT_SIZE];
		listing_offer(&listing, uuid_format(node->record.id.uuid, id), node);
	}
	if (!has_local_worker(cluster))
		listing_offer(&listing, MANAGER_KEY, NULL);
	const char *next;
	struct node_page answer = { 0 };
	size_t n = listing_page(&listing, &next);
	for (size_t i = 0; i < n; i++) {
		struct node_view *view = list_add(&answer.nodes, sizeof(*view));
		if (listing.items[i].item)
			node_view_fill(view, cluster, listing.items[i].item);
		else
			manager_row_fill(view);
	}
	answer.next = base_strdup(next);
	answer_record(request, 200, &node_page_type, &answer);
	record_release(&node_page_type, &answer);
	base_free(listing.items);
}

void handle_volumes(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct listing listing = { 0 };
	struct err err;
	if (page_read(request, &listing.page, &err)) {
		answer_error(request, &err);
		return;
	}
	struct filter project;
	filter_read(request, "project", &project);
	size_t at = 0;
	for (const struct volume_record *volume; (volume = map_next(&cluster->volumes, &at));)
		if (passes(&project, volume->project)) {
			/* On each node its own: told apart by the node's id, which no name holds. */
			char id[UUID_TEXT_SIZE] = "";
			char key[LIMIT_RESOURCE_NAME_BYTES + UUID_TEXT_SIZE + 1];
			if (volume->per_node)
				uuid_format(volume->node.uuid, id);
			text_print(key, sizeof(key), "%s%s%s", volume->name, *id ? "@" : "", id);
			listing_offer(&listing, key, volume);
		}
	const char *next;
	struct volume_page answer = { 0 };
	size_t n = listing_page(&listing, &next);
	for (size_t i = 0; i < n; i++)
		volume_view_fill(list_add(&answer.volumes, sizeof(struct volume_view)), cluster,
				 listing.items[i].item);
	answer.next = base_strdup(next);
	answer_record(request, 200, &volume_page_type, &answer);
	record_release(&volume_page_type, &answer);
	base_free(listing.items);
}

void handle_tokens(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct listing listing = { 0 };
	struct err err;
	if (page_read(request, &listing.page, &err)) {
		answer_error(request, &err);
		return;
	}
	size_t at = 0;
	for (const struct token_record *token; (token = map_next(&cluster->tokens, &at));)
		listing_offer(&listing, token->id, token);
	const char *next;
	struct token_page answer = { 0 };
	size_t n = listing_page(&listing, &next);
	for (size_t i = 0; i < n; i++)
		record_copy(&token_record_type,
			    list_add(&answer.tokens, sizeof(struct token_record)),
			    listing.items[i].item);
	answer.next = base_strdup(next);
	answer_record(request, 200, &token_page_type, &answer);
	record_release(&token_page_type, &answer);
	base_free(listing.items);
}

void handle_identities(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct listing listing = { 0 };
	struct err err;
	if (page_read(request, &listing.page, &err)) {
		answer_error(request, &err);
		return;
	}
	size_t at = 0;
	for (const struct identity_record *identity;
	     (identity = map_next(&cluster->identities, &at));) {
		char id[UUID_TEXT_SIZE];
		listing_offer(&listing, uuid_format(identity->id, id), identity);
	}
	const char *next;
	struct identity_page answer = { 0 };
	size_t n = listing_page(&listing, &next);
	for (size_t i = 0; i < n; i++)
		record_copy(&identity_record_type,
			    list_add(&answer.identities, sizeof(struct identity_record)),
			    listing.items[i].item);
	answer.next = base_strdup(next);
	answer_record(request, 200, &identity_page_type, &answer);
	record_release(&identity_page_type, &answer);
	base_free(listing.items);
}

void handle_projects(struct api_request *request)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct listing listing = { 0 };
	struct err err;
	if (page_read(request, &listing.page, &err)) {
		answer_error(request, &err);
		return;
	}
	size_t at = 0;
	for (const struct project_entry *entry; (entry = map_next(&cluster->projects, &at));)
		listing_offer(&listing, entry->project.name, entry);
	const char *next;
	struct project_page answer = { 0 };
	size_t n = listing_page(&listing, &next);
	for (size_t i = 0; i < n; i++)
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
	task_view_fill(&view, server_manager(request->server), task);
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
