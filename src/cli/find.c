#include "cli/find.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"

#define ID_PREFIX_MIN 6

void found_release(struct found *found)
{
	record_release(&job_view_type, &found->job);
	record_release(&task_view_type, &found->task);
	found->has_task = false;
}

char *find_query(const char *project, const char *job)
{
	struct text query;
	text_init(&query, LIMIT_PATH_BYTES);
	text_add(&query, "project=");
	http_percent_encode(&query, project);
	if (job) {
		text_add(&query, "&job=");
		http_percent_encode(&query, job);
	}
	return text_take(&query);
}

char *find_job_query(const struct job_view *job)
{
	struct text query;
	text_init(&query, LIMIT_PATH_BYTES);
	text_add(&query, "project=");
	http_percent_encode(&query, job->project);
	text_add(&query, "&name=");
	http_percent_encode(&query, job->name);
	return text_take(&query);
}

/* "web.2" -> "web" and 2; slot 0 when there is none. */
static int64_t split_slot(const char *name, char **ret_job)
{
	const char *dot = strrchr(name, '.');
	int64_t slot;
	if (dot && dot != name && parse_int(dot + 1, 1, LIMIT_REPLICAS, &slot, NULL) == ERR_NONE) {
		*ret_job = base_strndup(name, (size_t)(dot - name));
		return slot;
	}
	*ret_job = base_strdup(name);
	return 0;
}

static bool may_start_an_id(const char *word)
{
	size_t len = strlen(word);
	return len >= ID_PREFIX_MIN && len <= UUID_TEXT_LEN &&
	       strspn(word, "0123456789abcdef-") == len;
}

static bool id_starts_with(struct uuid id, const char *prefix)
{
	char text[UUID_TEXT_SIZE];
	return may_start_an_id(prefix) &&
	       strncmp(uuid_format(id, text), prefix, strlen(prefix)) == 0;
}

static enum err_code ambiguous(const char *name, const struct strings *candidates, struct err *err)
{
	struct text list;
	text_init(&list, ERR_MESSAGE_MAX / 2);
	for (size_t i = 0; i < candidates->n; i++)
		text_addf(&list, "%s%s", i ? ", " : "", candidates->items[i]);
	err_set(err, ERR_CONFLICT, "\"%s\" could be %s: say which", name, text_string(&list));
	text_release(&list);
	return ERR_CONFLICT;
}

/* The one job of this name, of any project when project is NULL. `names` collects what matched. */
static struct job_view *match_job(struct job_page *page, const char *project, const char *job,
				  struct strings *names)
{
	struct job_view *match = NULL;
	for (size_t i = 0; i < page->jobs.n; i++) {
		struct job_view *view = &page->jobs.items[i];
		bool named = strcmp(view->name, job) == 0 &&
			     (!project || strcmp(view->project, project) == 0);
		if (!named && (project || !id_starts_with(view->id, job)))
			continue;
		char full[TASK_NAME_SIZE];
		strings_add(names,
			    text_print(full, sizeof(full), "%s/%s", view->project, view->name));
		match = view;
	}
	return match;
}

static void take_job(struct job_page *page, struct job_view *match, struct found *found)
{
	found->job = *match;
	memset(match, 0, sizeof(*match));
	record_release(&job_page_type, page);
}

struct task_view *find_in_slot(const struct task_page *page, struct uuid job, int64_t slot)
{
	struct task_view *newest = NULL;
	for (size_t i = 0; i < page->tasks.n; i++) {
		struct task_view *task = &page->tasks.items[i];
		if (task->slot == slot && uuid_equal(task->job_id, job) && !task->withdrawn &&
		    (!newest || uuid_compare(task->id, newest->id) > 0))
			newest = task;
	}
	return newest;
}

/* The newest task of the slot. */
static enum err_code find_slot(struct invocation *invocation, struct found *found, int64_t slot,
			       struct err *err)
{
	struct task_page tasks;
	_cleanup_free_ char *query = find_query(found->job.project, found->job.name);
	enum err_code code = fetch_tasks(invocation, query, &tasks, err);
	if (code)
		return code;
	struct task_view *newest = find_in_slot(&tasks, found->job.id, slot);
	if (newest) {
		found->task = *newest;
		found->has_task = true;
		memset(newest, 0, sizeof(*newest));
	} else {
		code = err_set(err, ERR_NOT_FOUND, "%s/%s has no task in slot %lld",
			       found->job.project, found->job.name, (long long)slot);
	}
	record_release(&task_page_type, &tasks);
	return code;
}

/* A task by the start of its id. */
static enum err_code find_task_id(struct invocation *invocation, const char *prefix,
				  struct found *found, struct err *err)
{
	struct task_page tasks;
	struct strings names = { 0 };
	struct task_view *match = NULL;
	/* There may be a million of them, and most of what nothing is called is a name mistyped. */
	if (!may_start_an_id(prefix))
		return ERR_NOT_FOUND;
	enum err_code code = fetch_tasks(invocation, "", &tasks, err);
	if (code)
		return code;
	for (size_t i = 0; i < tasks.tasks.n; i++) {
		if (!id_starts_with(tasks.tasks.items[i].id, prefix))
			continue;
		char id[UUID_TEXT_SIZE];
		match = &tasks.tasks.items[i];
		strings_add(&names, uuid_format(match->id, id));
	}
	if (names.n > 1) {
		code = ambiguous(prefix, &names, err);
	} else if (!match) {
		code = err_set(err, ERR_NOT_FOUND, "no job or task is called \"%s\"", prefix);
	} else {
		char target[96], id[UUID_TEXT_SIZE];
		text_print(target, sizeof(target), "/v1/jobs/%s", uuid_format(match->job_id, id));
		code = fetch(invocation, target, &job_view_type, &found->job, err);
		if (!code) {
			found->task = *match;
			found->has_task = true;
			memset(match, 0, sizeof(*match));
		}
	}
	strings_release(&names);
	record_release(&task_page_type, &tasks);
	return code;
}

/* Of a name that nothing has: what may have been meant. */
static enum err_code not_found(const struct invocation *invocation, const struct job_page *page,
			       const char *name, struct err *err)
{
	const char *slash = strchr(name, '/');
	const struct job_view *nearest = NULL;
	size_t distance = SIZE_MAX;
	char hint[ERR_MESSAGE_MAX / 2];
	text_print(hint, sizeof(hint), "`drover jobs` lists what there is");
	for (size_t i = 0; i < page->jobs.n; i++) {
		const struct job_view *job = &page->jobs.items[i];
		if (strcmp(job->project, name) == 0)
			return err_set(
				err, ERR_NOT_FOUND,
				command_takes(invocation->command, "project-name")
					? "\"%s\" is a project: drover %s -p %s"
					: "\"%s\" is a project, and drover %s takes its jobs: "
					  "`drover jobs -p %s` lists them",
				name, invocation->command->name, name);
		size_t far = word_distance(slash ? slash + 1 : name, job->name);
		if (far < distance) {
			distance = far;
			nearest = job;
		}
	}
	if (nearest && word_is_near(slash ? slash + 1 : name, distance))
		text_print(hint, sizeof(hint), "did you mean %s/%s?", nearest->project,
			   nearest->name);
	return err_set(err, ERR_NOT_FOUND, "no job or task is called \"%s\"; %s", name, hint);
}

enum err_code find_job_or_task(struct invocation *invocation, const char *name,
			       struct found *ret_found, struct err *err)
{
	const char *slash = strchr(name, '/');
	_cleanup_free_ char *project = slash ? base_strndup(name, (size_t)(slash - name)) : NULL;
	_cleanup_free_ char *job = NULL;
	struct found found = { 0 };
	struct job_page jobs;
	struct strings names = { 0 };
	const char *rest = slash ? slash + 1 : name;
	enum err_code code = fetch_jobs(invocation, "", &jobs, err);
	if (code)
		return code;
	/* A job's name may hold a dot, so the whole is tried before "JOB.SLOT". */
	int64_t slot = 0;
	struct job_view *match = match_job(&jobs, project, rest, &names);
	if (!match) {
		slot = split_slot(rest, &job);
		match = match_job(&jobs, project, job, &names);
	}
	if (names.n > 1)
		code = ambiguous(name, &names, err);
	strings_release(&names);
	if (code || !match) {
		if (!code)
			code = find_task_id(invocation, name, &found, err);
		if (code == ERR_NOT_FOUND)
			code = not_found(invocation, &jobs, name, err);
		record_release(&job_page_type, &jobs);
	} else {
		take_job(&jobs, match, &found);
		if (slot)
			code = find_slot(invocation, &found, slot, err);
	}
	if (code)
		found_release(&found);
	else
		*ret_found = found;
	return code;
}

enum err_code find_job_or_task_of(struct invocation *invocation, const char *project,
				  const char *name, struct found *ret_found, struct err *err)
{
	const char *slash = strchr(name, '/');
	if (!project)
		return find_job_or_task(invocation, name, ret_found, err);
	if (slash && (strlen(project) != (size_t)(slash - name) ||
		      strncmp(project, name, strlen(project)) != 0))
		return err_set(err, ERR_INVALID, "\"%s\" is not of project %s", name, project);
	char full[TASK_NAME_SIZE];
	struct err other;
	text_print(full, sizeof(full), "%s/%s", project, slash ? slash + 1 : name);
	enum err_code code = find_job_or_task(invocation, full, ret_found, err);
	/* The start of an id is not PROJECT/NAME. */
	if (code != ERR_NOT_FOUND || slash || find_job_or_task(invocation, name, ret_found, &other))
		return code;
	if (strcmp(ret_found->job.project, project) == 0)
		return ERR_NONE;
	found_release(ret_found);
	return code;
}

enum err_code find_job_of(struct invocation *invocation, const char *project, const char *name,
			  struct found *ret_found, struct err *err)
{
	enum err_code code = find_job_or_task_of(invocation, project, name, ret_found, err);
	if (!code && ret_found->has_task) {
		code = err_set(err, ERR_INVALID,
			       "\"%s\" is a task; this needs a job: did you mean %s/%s?", name,
			       ret_found->job.project, ret_found->job.name);
		found_release(ret_found);
	}
	return code;
}

enum err_code find_job(struct invocation *invocation, const char *name, struct found *ret_found,
		       struct err *err)
{
	return find_job_of(invocation, NULL, name, ret_found, err);
}

static bool is_meant(const struct node_view *node, const char *name)
{
	return strcmp(node->hostname ? node->hostname : "", name) == 0 ||
	       id_starts_with(node->id, name);
}

/* Those called so that have left, or that have not; the last one is returned. */
static struct node_view *match_node(const struct node_page *page, const char *name, bool left,
				    struct strings *names)
{
	struct node_view *match = NULL;
	for (size_t i = 0; i < page->nodes.n; i++) {
		struct node_view *node = &page->nodes.items[i];
		char text[LIMIT_HOSTNAME_BYTES + UUID_TEXT_SIZE + 8], id[UUID_TEXT_SIZE];
		if (node->role == NODE_MANAGER || (node->state == NODE_LEFT) != left ||
		    !is_meant(node, name))
			continue;
		match = node;
		strings_add(names, text_print(text, sizeof(text), "%s (%s)", node->hostname,
					      uuid_format(node->id, id)));
	}
	return match;
}

enum err_code find_node(struct invocation *invocation, const char *name, struct node_view *ret_node,
			struct err *err)
{
	struct node_page page;
	struct strings names = { 0 };
	enum err_code code = fetch_nodes(invocation, &page, err);
	if (code)
		return code;
	struct node_view *match = match_node(&page, name, false, &names);
	if (!match)
		match = match_node(&page, name, true, &names);
	if (names.n > 1) {
		code = ambiguous(name, &names, err);
	} else if (match) {
		*ret_node = *match;
		memset(match, 0, sizeof(*match));
	} else {
		code = err_set(err, ERR_NOT_FOUND, "no node is called \"%s\"", name);
	}
	strings_release(&names);
	record_release(&node_page_type, &page);
	return code;
}
