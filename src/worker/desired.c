/* What the manager wants: taking sets in.
 *
 * 1. (epoch, rev) never falls: what is older than the newest taken is refused whole (I10).
 * 2. A change is taken only on top of exactly the set it was made for; else a full set is asked
 *    for.
 * 3. `wanted` of a task only rises, whatever order messages come in.
 * 4. A task that is listed no more is removed from the machine, and its record only after that.
 * 5. Once the node was removed from the cluster nothing is taken any more (removal.c). */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/planted.h"
#include "worker/worker_int.h"

/* ---- templates ---- */

struct worker_template *worker_template_get(const struct worker *worker, struct job_id job,
					    int64_t revision)
{
	struct worker_template *at = map_get(&worker->templates, job.uuid);
	while (at && at->sync.revision != revision)
		at = at->of_job;
	return at;
}

static void template_index(struct worker *worker, struct worker_template *template)
{
	template->of_job = map_put(&worker->templates, template->sync.job.uuid, template);
}

static void template_unindex(struct worker *worker, struct worker_template *template)
{
	struct uuid job = template->sync.job.uuid;
	struct worker_template *at = map_get(&worker->templates, job);
	if (at != template) {
		while (at->of_job != template)
			at = at->of_job;
		at->of_job = template->of_job;
	} else if (template->of_job) {
		map_put(&worker->templates, job, template->of_job);
	} else {
		map_remove(&worker->templates, job);
	}
}

static void template_unlink(struct worker *worker, struct worker_template *template)
{
	*(template->prev ? &template->prev->next : &worker->template_first) = template->next;
	*(template->next ? &template->next->prev : &worker->template_last) = template->prev;
}

static void template_append(struct worker *worker, struct worker_template *template)
{
	template->next = NULL;
	template->prev = worker->template_last;
	*(worker->template_last ? &worker->template_last->next : &worker->template_first) =
		template;
	worker->template_last = template;
}

/* The runtime joins networks in the order it is given: the specification's. */
static void order_networks(struct sync_template *sync)
{
	size_t at = 0;
	for (size_t use = 0; use < sync->spec.networks.n; use++) {
		const char *key = sync->spec.networks.items[use].network;
		for (size_t i = at; i < sync->networks.n; i++) {
			if (!key || !sync->networks.items[i].key ||
			    strcmp(sync->networks.items[i].key, key) != 0)
				continue;
			struct network_spec moved = sync->networks.items[i];
			sync->networks.items[i] = sync->networks.items[at];
			sync->networks.items[at++] = moved;
			break;
		}
	}
}

struct worker_template *worker_template_put(struct worker *worker, const struct sync_template *sync)
{
	struct worker_template *template = worker_template_get(worker, sync->job, sync->revision);
	bool new = !template;
	if (new) {
		template = base_calloc(1, sizeof(*template));
		template_append(worker, template);
		worker->templates_unused++;
	} else {
		record_release(&sync_template_type, &template->sync);
	}
	record_copy(&sync_template_type, &template->sync, sync);
	if (new)
		template_index(worker, template);
	order_networks(&template->sync);
	return template;
}

void worker_template_delete(struct worker *worker, struct worker_template *template)
{
	PRE(template->users == 0);
	template_unlink(worker, template);
	template_unindex(worker, template);
	worker->templates_unused--;
	record_release(&sync_template_type, &template->sync);
	base_free(template);
}

/* NULL: it is not known. */
static void bind_template(struct worker *worker, struct worker_task *task,
			  struct worker_template *template)
{
	if (!template) {
		worker->lacks_template = true;
		worker->want_full = true;
		return;
	}
	task->template = template;
	if (!template->users++)
		worker->templates_unused--;
	worker_lease_watch(worker, &template->sync.spec);
	worker_task_set_job(task, (struct job_id){ 0 }, 0);
	worker_task_tidy_rare(task);
}

void worker_task_bind_template(struct worker *worker, struct worker_task *task)
{
	const struct worker_rare *rare = worker_rare(task);
	if (!task->template)
		bind_template(worker, task, worker_template_get(worker, rare->job, rare->revision));
}

void worker_task_unbind_template(struct worker *worker, struct worker_task *task)
{
	struct worker_template *template = task->template;
	if (!template)
		return;
	task->template = NULL;
	INVARIANT(template->users > 0);
	template->releasing -= task->releasing;
	task->releasing = false;
	if (--template->users)
		return;
	worker->contents_changed = true;
	/* The list's end is what was used last. */
	worker->templates_unused++;
	template_unlink(worker, template);
	template_append(worker, template);
}

void worker_templates_trim(struct worker *worker)
{
	for (struct worker_template *at = worker->template_first, *next;
	     at && worker->templates_unused > TEMPLATES_UNUSED_MAX; at = next) {
		next = at->next;
		if (at->users)
			continue;
		worker_persist_template_gone(worker, at);
		worker_template_delete(worker, at);
	}
}

static void take_templates(struct worker *worker, const struct sync_down *down)
{
	for (size_t i = 0; i < down->templates.n; i++) {
		const struct sync_template *sync = &down->templates.items[i];
		struct worker_template *known =
			worker_template_get(worker, sync->job, sync->revision);
		if (known && record_equal(&sync_template_type, &known->sync, sync))
			continue;
		worker_persist_template(worker, worker_template_put(worker, sync));
		worker_lease_watch(worker, &sync->spec);
	}
}

/* A template that came late serves tasks that were waiting for it. */
static void bind_late(struct worker *worker)
{
	if (!worker->lacks_template)
		return;
	worker->lacks_template = false;
	for (struct worker_task *task = worker->task_first; task; task = task->next) {
		if (task->template)
			continue;
		worker_task_bind_template(worker, task);
		if (task->template)
			worker_task_mark_dirty(worker, task);
	}
}

/* ---- tasks ---- */

static void raise_wanted(struct worker *worker, struct worker_task *task, int wanted)
{
	if (wanted <= task->wanted)
		return;
	task->wanted = (uint8_t)wanted;
	worker_task_mark_unsaved(worker, task);
	worker_task_mark_dirty(worker, task);
}

static void take_assignment(struct worker *worker, const struct sync_assignment *desired)
{
	struct worker_task *task = worker_task_get(worker, desired->task);
	bool new = !task;
	bool again = task && task->forgotten;
	if (new) {
		task = worker_task_new(worker, desired->task);
		task->assigned_ms = worker->now_ms;
	} else if (!task->forgotten) {
		worker->digest -= worker_task_digest(task);
	}
	struct worker_template *template =
		worker_template_get(worker, desired->job, desired->revision);
	struct sync_assignment held;
	worker_task_get_desired(task, &held);
	if (new || again || !record_equal(&sync_assignment_type, &held, desired)) {
		worker_task_unbind_template(worker, task);
		worker_task_set_desired(task, desired);
		if (!template)
			worker_task_set_job(task, desired->job, desired->revision);
		task->forgotten = false;
		worker_task_mark_unsaved(worker, task);
		worker_task_mark_dirty(worker, task);
	}
	worker->digest += (uint64_t)sync_assignment_digest(desired);
	task->in_set = true;
	if (!task->template) {
		bind_template(worker, task, template);
		worker_task_mark_dirty(worker, task);
	}
	raise_wanted(worker, task, desired->wanted);
	if (again)
		worker_report_task(worker, task, AT_ONCE);
	if (new && worker->runtime_up)
		worker_task_show(worker, task, REASON_ASSIGNED,
				 worker_sentence("waits to be started"));
	else if (new)
		worker_task_show(worker, task, REASON_RUNTIME_AWAY,
				 worker_sentence("Docker does not answer"));
}

static void forget(struct worker *worker, struct worker_task *task)
{
	if (task->forgotten)
		return;
	worker->digest -= worker_task_digest(task);
	task->forgotten = true;
	worker_report_unlink(worker, task);
	raise_wanted(worker, task, TASK_WANT_REMOVE);
	worker_task_mark_unsaved(worker, task);
	worker_task_mark_dirty(worker, task);
}

void worker_desired_forget_all(struct worker *worker)
{
	for (struct worker_task *task = worker->task_first; task; task = task->next)
		forget(worker, task);
	worker_list_now(worker);
	worker->full_taken = true;
	worker->want_full = false;
}

static void take_full(struct worker *worker, const struct sync_down *down)
{
	for (struct worker_task *task = worker->task_first; task; task = task->next)
		task->in_set = false;
	for (size_t i = 0; i < down->tasks.n; i++)
		take_assignment(worker, &down->tasks.items[i]);
	for (struct worker_task *task = worker->task_first; task; task = task->next)
		if (!task->in_set)
			forget(worker, task);
	if (!worker->full_taken)
		worker_list_now(worker);
	worker->full_taken = true;
	worker->want_full = false;
}

static void take_change(struct worker *worker, const struct sync_down *down)
{
	for (size_t i = 0; i < down->tasks.n; i++)
		take_assignment(worker, &down->tasks.items[i]);
	for (size_t i = 0; i < down->forgotten.n; i++) {
		struct worker_task *task = worker_task_get(worker, down->forgotten.items[i].task);
		if (task)
			forget(worker, task);
	}
}

/* ---- messages ---- */

static bool is_older(const struct worker *worker, const struct sync_down *down)
{
	if (down->epoch != worker->meta.epoch)
		return down->epoch < worker->meta.epoch;
	return down->rev < worker->meta.rev;
}

static bool is_of_our_cluster(struct worker *worker, const struct sync_down *down)
{
	if (uuid_is_zero(down->cluster))
		return false;
	if (uuid_is_zero(worker->meta.cluster)) {
		worker->meta.cluster = down->cluster;
		worker_persist_meta(worker);
		worker_list_now(worker);
		notes_add(&worker->out->notes, "worker joins its cluster");
	}
	return uuid_equal(down->cluster, worker->meta.cluster);
}

static bool can_be_held(const struct sync_down *down)
{
	for (size_t i = 0; i < down->tasks.n; i++)
		if (!worker_can_hold_desired(&down->tasks.items[i]))
			return false;
	return true;
}

void worker_desired_take(struct worker *worker, const struct sync_down *down)
{
	if (worker->meta.removal != WORKER_REMOVAL_NONE) {
		notes_add(&worker->out->notes, "a message after the removal is ignored");
		return;
	}
	if (!is_of_our_cluster(worker, down)) {
		notes_add(&worker->out->notes, "a message of another cluster is ignored");
		return;
	}
	if (is_older(worker, down) && !PLANTED(PLANTED_OLD_MESSAGE)) {
		notes_add(&worker->out->notes, "a message older than the newest is ignored");
		return;
	}
	if (!can_be_held(down)) {
		notes_add(&worker->out->notes, "a message that counts too far is ignored");
		return;
	}
	bool new_epoch = down->epoch > worker->meta.epoch;
	/* A manager that took over may never have heard what the last one acknowledged. */
	if (new_epoch && down->epoch > worker->epoch_heard) {
		worker->epoch_heard = down->epoch;
		worker_report_all_again(worker);
	}
	worker_report_acked(worker, down->report_acked);
	worker_volumes_take(worker, down);
	if (!down->full && (new_epoch || down->base_rev != worker->meta.rev)) {
		if (!worker->want_full)
			worker->ask_full_at_ms = worker->now_ms;
		worker->want_full = true;
		worker->send |= worker->now_ms >= worker->ask_full_at_ms;
		return;
	}
	take_templates(worker, down);
	worker_contents_take(worker, down);
	if (down->full)
		take_full(worker, down);
	else
		take_change(worker, down);
	if (down->full || down->templates.n)
		bind_late(worker);
	worker_lease_answered(worker, down->report_acked);
	if (down->epoch == worker->meta.epoch && down->rev == worker->meta.rev)
		return;
	worker->meta.epoch = down->epoch;
	worker->meta.rev = down->rev;
	worker->meta_unsaved = true;
}
