/* What the manager is told.
 *
 * 1. A message holds what has changed since the one before it in its session, whose number it names;
 *    the first of a session, and one after so long without an acknowledgement, all observed records
 *    that are not acknowledged. The manager acknowledges what it has without a gap.
 * 2. A version rises with every change. Versions and report numbers come from one sequence that
 *    never repeats.
 * 3. Between beats nothing is said while records wait for their acknowledgement: what happens
 *    meanwhile goes in one message after it, and a manager that is slow to answer is not sent the
 *    same records again and again: each time it says nothing, twice as long is waited.
 * 4. A final state is saved in the turn that publishes it; the shell commits first. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/planted.h"
#include "worker/worker_int.h"

#define REPEAT_FIRST_BEATS 3
#define REPEAT_LAST_BEATS  12 /* far less than a lease, which is not renewed meanwhile */

static int64_t take_number(struct worker *worker)
{
	if (worker->number_next >= worker->meta.numbers_ceiling) {
		worker->meta.numbers_ceiling = worker->number_next + NUMBERS_RESERVED;
		worker->meta_unsaved = true;
	}
	return worker->number_next++;
}

/* ---- what is not acknowledged ---- */

void worker_news_release(struct news *news)
{
	base_free(news->items);
	*news = (struct news){ 0 };
}

static void pass_holes(struct news *news)
{
	while (news->first < news->n && !news->items[news->first].task)
		news->first++;
	if (news->first < news->n)
		return;
	INVARIANT(news->n_tasks == 0);
	news->first = news->n = 0;
	if (news->capacity > CAPACITY_KEPT)
		worker_news_release(news);
}

static void place(struct news *news, size_t at, struct news_item item)
{
	news->items[at] = item;
	item.task->news_position = (uint32_t)at + 1;
}

/* Most of a full array is holes: those that changed again. */
static void close_holes(struct news *news)
{
	size_t n = 0;
	for (size_t i = news->first; i < news->n; i++)
		if (news->items[i].task)
			place(news, n++, news->items[i]);
	news->first = 0;
	news->n = n;
	INVARIANT(n == news->n_tasks);
}

void worker_report_unlink(struct worker *worker, struct worker_task *task)
{
	struct news *news = &worker->news;
	if (!task->news_position)
		return;
	news->items[task->news_position - 1].task = NULL;
	news->n_tasks--;
	task->news_position = 0;
	pass_holes(news);
}

static void link_last(struct worker *worker, struct worker_task *task)
{
	struct news *news = &worker->news;
	worker_report_unlink(worker, task);
	if (news->n == news->capacity && news->n_tasks < news->n / 2)
		close_holes(news);
	news->items = base_grow(news->items, news->n, &news->capacity, sizeof(*news->items));
	place(news, news->n++, (struct news_item){ .task = task });
	news->n_tasks++;
}

/* NULL: there are none. */
static const struct news_item *first_of(const struct news *news)
{
	return news->n ? &news->items[news->first] : NULL;
}

void worker_report_task(struct worker *worker, struct worker_task *task, enum urgency urgency)
{
	task->observed.version = take_number(worker);
	if (urgency == AT_ONCE)
		worker_task_mark_unsaved(worker, task);
	if (task->forgotten)
		return;
	link_last(worker, task);
	if (urgency == AT_ONCE)
		worker->send = true;
}

void worker_report_all_again(struct worker *worker)
{
	for (struct worker_task *task = worker->task_first; task; task = task->next) {
		if (PLANTED(PLANTED_FALSE_RESTART) && task->observed.state == TASK_RUNNING)
			task->observed.state = TASK_SCHEDULED;
		worker->running_counted = false;
		worker_report_task(worker, task, AT_NEXT_BEAT);
	}
}

static void repeat_after(struct worker *worker, int64_t beats)
{
	worker->repeat_wait_ms = beats * worker->options.beat_ms;
	worker->repeat_at_ms = worker->now_ms + worker->repeat_wait_ms;
}

void worker_report_acked(struct worker *worker, int64_t report)
{
	if (report > worker->report_acked) {
		worker->report_acked = report;
		repeat_after(worker, REPEAT_FIRST_BEATS);
	}
	if (worker->facts_reported_in && worker->facts_reported_in <= report)
		worker->facts_unacked = false;
	/* In the order they were said in, and then those that were not. */
	const struct news_item *first;
	while ((first = first_of(&worker->news)) && first->reported_in &&
	       first->reported_in <= report)
		worker_report_unlink(worker, first->task);
	worker->report_awaits_ack = first && first->reported_in;
}

/* Those that were said go first, so that the others are at the end. */
static size_t first_unsaid(const struct news *news)
{
	size_t first = news->n;
	while (first > news->first && !news->items[first - 1].reported_in)
		first--;
	return first;
}

static void add_observed(struct worker *worker, struct sync_up *up)
{
	struct news *news = &worker->news;
	size_t first = up->since ? first_unsaid(news) : news->first;
	size_t n = 0;
	for (size_t i = first; i < news->n; i++)
		n += news->items[i].task != NULL;
	if (!n)
		return;
	up->observed.items = base_calloc(n, sizeof(struct task_observed));
	for (size_t i = first; i < news->n; i++) {
		struct news_item *item = &news->items[i];
		if (!item->task)
			continue;
		char container_id[TASK_CONTAINER_ID_SIZE];
		struct task_observed observed;
		worker_task_get_observed(item->task, container_id, &observed);
		record_copy(&task_observed_type, &up->observed.items[up->observed.n++], &observed);
		if (!item->reported_in)
			item->reported_in = up->report;
	}
	POST(up->observed.n == n);
}

static void add_volumes(const struct worker *worker, struct sync_up *up)
{
	for (size_t i = 0; i < worker->volumes.n; i++) {
		const struct leftover *volume = &worker->volumes.items[i];
		if (!volume->done && !volume->message)
			continue;
		struct sync_volume *added =
			list_add(&up->volumes_removed, sizeof(struct sync_volume));
		string_set(&added->name, volume->name);
		if (!volume->done)
			string_set(&added->message, volume->message);
	}
}

static int64_t count_running(struct worker *worker)
{
	if (worker->running_counted)
		return worker->n_running;
	worker->n_running = 0;
	for (const struct worker_task *task = worker->task_first; task; task = task->next)
		worker->n_running += task->observed.state == TASK_RUNNING;
	worker->running_counted = true;
	return worker->n_running;
}

static void add_machine(struct worker *worker, struct sync_up *up)
{
	up->has_facts = worker->has_facts && worker->facts_unacked &&
			(!up->since || !worker->facts_reported_in);
	if (up->has_facts) {
		record_copy(&node_facts_type, &up->facts, &worker->facts);
		up->facts.protocol = SYNC_PROTOCOL;
		up->instance = worker->instance;
		if (!worker->facts_reported_in)
			worker->facts_reported_in = up->report;
	}
	up->has_stats = worker->has_stats;
	if (worker->has_stats) {
		record_copy(&node_stats_type, &up->stats, &worker->stats);
		up->stats.tasks_running = count_running(worker);
	}
	worker->has_stats = false;
}

/* Of the report that is being made; 0: all is said. */
static int64_t since(struct worker *worker)
{
	if (worker->report_sent && worker->now_ms < worker->repeat_at_ms)
		return worker->report_sent;
	int64_t beats = worker->repeat_wait_ms * 2 / worker->options.beat_ms;
	if (!worker->report_sent)
		beats = REPEAT_FIRST_BEATS;
	repeat_after(worker, beats < REPEAT_LAST_BEATS ? beats : REPEAT_LAST_BEATS);
	return 0;
}

void worker_report_publish(struct worker *worker)
{
	bool beat = worker->now_ms >= worker->beat_at_ms;
	bool may_send = worker->send && !worker->report_awaits_ack && worker->runtime_heard;
	if (!worker->session || (!may_send && !beat))
		return;
	struct sync_up *up = &worker->out->up;
	record_init(&sync_up_type, up);
	worker->out->has_up = true;
	up->node = worker->meta.node;
	up->cluster = worker->meta.cluster;
	up->epoch = worker->meta.epoch;
	up->rev = worker->meta.rev;
	up->digest = (int64_t)worker->digest;
	up->want_full = worker->want_full && worker->now_ms >= worker->ask_full_at_ms;
	if (up->want_full)
		worker->ask_full_at_ms = worker->now_ms + worker->options.beat_ms;
	up->runtime_ok = worker->runtime_up;
	up->report = take_number(worker);
	up->since = since(worker);
	worker_lease_sent(worker, up->report);
	add_machine(worker, up);
	add_observed(worker, up);
	add_volumes(worker, up);
	worker->send = false;
	worker->report_sent = up->report;
	worker->report_awaits_ack = worker->news.n_tasks > 0;
	worker->beat_at_ms = worker->now_ms + worker->options.beat_ms;
}

int64_t worker_report_due_ms(const struct worker *worker)
{
	return worker->session ? worker->beat_at_ms : NEVER_MS;
}
