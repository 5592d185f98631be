/* Configs and secrets of this machine's tasks: bytes in memory here, files on a tmpfs by the shell.
 *
 * 1. The bytes are never in a record: what the store of a worker holds says nothing of them.
 * 2. They are held for as long as a task uses them of which a container runs or can start, and wiped then.
 * 3. A container is created and started only after the shell has said in this life that its files are there. What the
 *    shell cannot make because bytes are missing, which is so after a restart, waits until the manager hands them
 *    over: after the first whole set of a session it does, in as many messages as it takes.
 * 4. Files stay until no container of the task runs or can start any more. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "worker/worker_int.h"

/* The manager is asked again for what its last whole set did not bring. */
#define ASK_AGAIN_MS 30000

static struct worker_content **find(struct worker *worker, const char *hash)
{
	struct worker_content **at = &worker->content_first;
	while (*at && strcmp((*at)->hash, hash) != 0)
		at = &(*at)->next;
	return at;
}

static void drop(struct worker_content **at)
{
	struct worker_content *content = *at;
	*at = content->next;
	explicit_bzero(content->data, strlen(content->data));
	base_free(content->data);
	base_free(content->hash);
	base_free(content);
}

static size_t n_contents_of(const struct worker_task *task)
{
	return task->template ? job_spec_n_contents(&task->template->sync.spec) : 0;
}

/* The first that is not held; NULL: all are. */
static const struct content_use *first_missing(struct worker *worker,
					       const struct worker_task *task, int *ret_kind)
{
	for (size_t i = 0; i < n_contents_of(task); i++) {
		const struct content_use *use =
			job_spec_content(&task->template->sync.spec, i, ret_kind);
		if (!use->hash || !*find(worker, use->hash))
			return use;
	}
	return NULL;
}

void worker_contents_take(struct worker *worker, const struct sync_down *down)
{
	if (down->full || down->contents.n)
		worker->contents_asked_ms = worker->now_ms;
	/* The manager sends the next with its answer. */
	worker->send |= down->contents.n > 0;
	for (size_t i = 0; i < down->contents.n; i++) {
		const struct sync_content *sync = &down->contents.items[i];
		/* One that the manager could not open comes without its bytes. */
		if (!sync->hash || !sync->data || *find(worker, sync->hash))
			continue;
		struct worker_content *content = base_calloc(1, sizeof(*content));
		content->hash = base_strdup(sync->hash);
		content->data = base_strdup(sync->data);
		content->next = worker->content_first;
		worker->content_first = content;
		worker->contents_changed = true;
	}
}

/* By tasks that may still start a container: each of their templates once. */
static void mark_used(struct worker *worker)
{
	worker->contents_mark++;
	for (struct worker_task *task = worker->task_first; task; task = task->next) {
		struct worker_template *template = task->template;
		if (!template || task->observed.gone ||
		    template->contents_mark == worker->contents_mark)
			continue;
		template->contents_mark = worker->contents_mark;
		for (size_t i = 0; i < n_contents_of(task); i++) {
			const char *hash = job_spec_content(&template->sync.spec, i, NULL)->hash;
			struct worker_content *content = hash ? *find(worker, hash) : NULL;
			if (content)
				content->mark = worker->contents_mark;
		}
	}
}

void worker_contents_settle(struct worker *worker)
{
	if (!worker->contents_changed)
		return;
	worker->contents_changed = false;
	mark_used(worker);
	for (struct worker_content **at = &worker->content_first; *at;) {
		if ((*at)->mark == worker->contents_mark)
			at = &(*at)->next;
		else
			drop(at);
	}
	for (struct worker_task *task = worker->task_first; task; task = task->next)
		if (task->lacks_contents && !first_missing(worker, task, NULL))
			worker_task_mark_dirty(worker, task);
}

void worker_contents_release(struct worker *worker)
{
	while (worker->content_first)
		drop(&worker->content_first);
}

bool worker_contents_ready(const struct worker_task *task)
{
	return task->files_there || !n_contents_of(task);
}

void worker_contents_ask(struct worker *worker, struct worker_task *task)
{
	size_t n = n_contents_of(task);
	struct container_action *action =
		worker_op_begin_task(worker, task, CONTAINER_FILES, task->observed.attempt);
	const char **contents = worker_lend(worker, base_calloc(n, sizeof(*contents)));
	for (size_t i = 0; i < n; i++) {
		const char *hash = job_spec_content(&task->template->sync.spec, i, NULL)->hash;
		const struct worker_content *content = hash ? *find(worker, hash) : NULL;
		contents[i] = content ? content->data : NULL;
	}
	action->contents = contents;
	task->lacks_contents = false;
}

void worker_contents_there(struct worker_task *task)
{
	task->files_there = true;
	task->lacks_contents = false;
}

void worker_contents_lacking(struct worker_task *task)
{
	task->lacks_contents = true;
}

/* Its turn comes when the bytes do; meanwhile it stands in nobody's way. */
bool worker_contents_wait(struct worker *worker, struct worker_task *task)
{
	int kind;
	const struct content_use *use =
		task->lacks_contents ? first_missing(worker, task, &kind) : NULL;
	if (!use) {
		task->lacks_contents = false;
		return false;
	}
	worker_start_release(worker, task);
	if (task->observed.reason != REASON_WAITS_SECRET) {
		char label[TASK_LABEL_SIZE];
		const char *noun = enum_name(content_kind_names, kind);
		notes_add(&worker->out->notes, "%s waits for %s %s", worker_task_label(task, label),
			  noun, use->source);
		worker_task_show(worker, task, REASON_WAITS_SECRET,
				 worker_sentence("waits for the manager to hand over %s %s, which "
						 "this machine keeps in memory only",
						 noun, use->source));
	}
	if (worker->now_ms >= worker->contents_asked_ms + ASK_AGAIN_MS) {
		worker->contents_asked_ms = worker->now_ms;
		worker->want_full = true;
	}
	worker_due_set(worker, task, worker->contents_asked_ms + ASK_AGAIN_MS);
	return true;
}

bool worker_needs_files(const struct worker *worker, struct task_id id)
{
	const struct worker_task *task = worker_task_get(worker, id);
	return task && !task->observed.gone;
}
