/* GET: lists, as pages of what is stored. A page is of one moment; a list of several is, if who reads it says with each
 * further page of which revision the first one was: then it is refused as soon as something has changed. */
#include <string.h>
#include <sys/utsname.h>

#include "api/server_int.h"
#include "base/alloc.h"
#include "base/parse.h"

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

/* One list: what it is of. */
struct list_kind {
	const struct record_type *page_type; /* of a struct any_page */
	size_t view_size;
	/* Offer what passes the request's filters. */
	void (*offer)(struct api_request *request, struct listing *listing);
	void (*fill)(struct api_request *request, void *ret_view, const void *item);
};

/* Rises with every commit; told apart from those of another run by the epoch. */
static char *revision_text(struct api_request *request)
{
	struct api_health health = { 0 };
	char text[48];
	request->server->backend->health(request->server->owner, &health);
	return base_strdup(text_print(text, sizeof(text), "%lld-%lld",
				      (long long)server_cluster(request->server)->meta.epoch,
				      (long long)health.revision));
}

static enum err_code check_revision(struct api_request *request, const char *revision,
				    struct err *err)
{
	char wanted[48];
	if (!query_get(request, "revision", wanted, sizeof(wanted)) ||
	    strcmp(wanted, revision) == 0)
		return ERR_NONE;
	return err_set_field(err, ERR_CONFLICT, "revision",
			     "something has changed since %s, it is %s now: read the list from its "
			     "beginning",
			     wanted, revision);
}

static void answer_list(struct api_request *request, const struct list_kind *kind)
{
	struct any_page answer = { .revision = revision_text(request) };
	struct listing listing = { 0 };
	struct err err;
	if (page_read(request, &listing.page, &err) ||
	    check_revision(request, answer.revision, &err)) {
		answer_error(request, &err);
		base_free(answer.revision);
		return;
	}
	kind->offer(request, &listing);
	const char *next;
	size_t n = listing_page(&listing, &next);
	for (size_t i = 0; i < n; i++)
		kind->fill(request, list_add(&answer.items, kind->view_size),
			   listing.items[i].item);
	answer.next = base_strdup(next);
	answer_record(request, 200, kind->page_type, &answer);
	record_release(kind->page_type, &answer);
	base_free(listing.items);
}

/* ---- tasks --------------------------------------------------------------------------------------------- */

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

static void offer_tasks(struct api_request *request, struct listing *listing)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct task_filter filter;
	filter_read(request, "project", &filter.project);
	filter_read(request, "job", &filter.job);
	filter_read(request, "node", &filter.node);
	filter_read(request, "state", &filter.state);
	size_t at = 0;
	for (const struct task *task; (task = id_index_next(&cluster->tasks, &at));) {
		char id[UUID_TEXT_SIZE];
		if (task_passes(&filter, cluster, task))
			listing_offer(listing, uuid_format(task->desired.id.uuid, id), task);
	}
}

static void fill_task(struct api_request *request, void *ret_view, const void *item)
{
	task_view_fill(ret_view, server_manager(request->server), item);
}

void handle_tasks(struct api_request *request)
{
	static const struct list_kind kind = { &task_page_type, sizeof(struct task_view),
					       offer_tasks, fill_task };
	answer_list(request, &kind);
}

/* ---- jobs ---------------------------------------------------------------------------------------------- */

static void offer_jobs(struct api_request *request, struct listing *listing)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct filter project, name;
	filter_read(request, "project", &project);
	filter_read(request, "name", &name);
	size_t at = 0;
	for (const struct job_entry *entry; (entry = map_next(&cluster->jobs, &at));) {
		char key[2 * ROUTE_PARAM_SIZE];
		text_print(key, sizeof(key), "%s/%s", entry->job.project, entry->job.name);
		if (passes(&project, entry->job.project) && passes(&name, entry->job.name))
			listing_offer(listing, key, entry);
	}
}

static void fill_job(struct api_request *request, void *ret_view, const void *item)
{
	job_view_fill(ret_view, server_manager(request->server), item, false);
}

void handle_jobs(struct api_request *request)
{
	static const struct list_kind kind = { &job_page_type, sizeof(struct job_view), offer_jobs,
					       fill_job };
	answer_list(request, &kind);
}

/* ---- nodes --------------------------------------------------------------------------------------------- */

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

static void offer_nodes(struct api_request *request, struct listing *listing)
{
	const struct cluster *cluster = server_cluster(request->server);
	size_t at = 0;
	for (const struct node_entry *node; (node = map_next(&cluster->nodes, &at));) {
		char id[UUID_TEXT_SIZE];
		listing_offer(listing, uuid_format(node->record.id.uuid, id), node);
	}
	if (!has_local_worker(cluster))
		listing_offer(listing, MANAGER_KEY, NULL);
}

static void fill_node(struct api_request *request, void *ret_view, const void *item)
{
	if (item)
		node_view_fill(ret_view, server_cluster(request->server), item);
	else
		manager_row_fill(ret_view);
}

void handle_nodes(struct api_request *request)
{
	static const struct list_kind kind = { &node_page_type, sizeof(struct node_view),
					       offer_nodes, fill_node };
	answer_list(request, &kind);
}

/* ---- volumes ------------------------------------------------------------------------------------------- */

static void offer_volumes(struct api_request *request, struct listing *listing)
{
	const struct cluster *cluster = server_cluster(request->server);
	struct filter project;
	filter_read(request, "project", &project);
	size_t at = 0;
	for (const struct volume_record *volume; (volume = map_next(&cluster->volumes, &at));) {
		/* On each node its own: told apart by the node's id, which no name holds. */
		char id[UUID_TEXT_SIZE] = "";
		char key[LIMIT_RESOURCE_NAME_BYTES + UUID_TEXT_SIZE + 1];
		if (!passes(&project, volume->project))
			continue;
		if (volume->per_node)
			uuid_format(volume->node.uuid, id);
		text_print(key, sizeof(key), "%s%s%s", volume->name, *id ? "@" : "", id);
		listing_offer(listing, key, volume);
	}
}

static void fill_volume(struct api_request *request, void *ret_view, const void *item)
{
	volume_view_fill(ret_view, server_cluster(request->server), item);
}

void handle_volumes(struct api_request *request)
{
	static const struct list_kind kind = { &volume_page_type, sizeof(struct volume_view),
					       offer_volumes, fill_volume };
	answer_list(request, &kind);
}

/* ---- tokens, identities, projects ---------------------------------------------------------------------- */

static void offer_tokens(struct api_request *request, struct listing *listing)
{
	const struct cluster *cluster = server_cluster(request->server);
	size_t at = 0;
	for (const struct token_record *token; (token = map_next(&cluster->tokens, &at));)
		listing_offer(listing, token->id, token);
}

static void fill_token(struct api_request *request, void *ret_view, const void *item)
{
	(void)request;
	record_copy(&token_record_type, ret_view, item);
}

void handle_tokens(struct api_request *request)
{
	static const struct list_kind kind = { &token_page_type, sizeof(struct token_record),
					       offer_tokens, fill_token };
	answer_list(request, &kind);
}

static void offer_identities(struct api_request *request, struct listing *listing)
{
	const struct cluster *cluster = server_cluster(request->server);
	size_t at = 0;
	for (const struct identity_record *identity;
	     (identity = map_next(&cluster->identities, &at));) {
		char id[UUID_TEXT_SIZE];
		listing_offer(listing, uuid_format(identity->id, id), identity);
	}
}

static void fill_identity(struct api_request *request, void *ret_view, const void *item)
{
	(void)request;
	record_copy(&identity_record_type, ret_view, item);
}

void handle_identities(struct api_request *request)
{
	static const struct list_kind kind = { &identity_page_type, sizeof(struct identity_record),
					       offer_identities, fill_identity };
	answer_list(request, &kind);
}

static void offer_projects(struct api_request *request, struct listing *listing)
{
	const struct cluster *cluster = server_cluster(request->server);
	size_t at = 0;
	for (const struct project_entry *entry; (entry = map_next(&cluster->projects, &at));)
		listing_offer(listing, entry->project.name, entry);
}

static void fill_project(struct api_request *request, void *ret_view, const void *item)
{
	(void)request;
	project_view_fill(ret_view, item);
}

void handle_projects(struct api_request *request)
{
	static const struct list_kind kind = { &project_page_type, sizeof(struct project_view),
					       offer_projects, fill_project };
	answer_list(request, &kind);
}
