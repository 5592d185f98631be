/* A reader is freed by its end or its close; both may happen inside one of its own callbacks, so that the turn looks
 * again after each. */
#include "runtime/fake_logs.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/limits.h"

struct runtime_logs {
	struct fake_logs_list *list;
	struct runtime_logs *next;
	struct event *turn;
	struct runtime_logs_events events;
	void *reader;
	struct runtime_logs_options options;
	char id[65]; /* "" before the container was found */
	char name[CONTAINER_NAME_SIZE];
	size_t at; /* the next entry */
	bool paused;
	bool *freed;
};

void fake_logs_close(struct runtime_logs *logs)
{
	struct runtime_logs **at = &logs->list->first;
	while (*at != logs)
		at = &(*at)->next;
	*at = logs->next;
	if (logs->freed)
		*logs->freed = true;
	base_free(logs);
}

void fake_logs_close_all(struct fake_logs_list *list)
{
	while (list->first)
		fake_logs_close(list->first);
}

struct runtime_logs *fake_logs_open(struct fake_logs_list *list, struct event *turn,
				    const char *container_name,
				    const struct runtime_logs_options *options,
				    const struct runtime_logs_events *events, void *reader)
{
	struct runtime_logs *logs = base_calloc(1, sizeof(*logs));
	logs->list = list;
	logs->turn = turn;
	logs->events = *events;
	logs->reader = reader;
	logs->options = *options;
	text_print(logs->name, sizeof(logs->name), "%s", container_name);
	logs->next = list->first;
	list->first = logs;
	return logs;
}

void fake_logs_pause(struct runtime_logs *logs, bool pause)
{
	logs->paused = pause;
	if (!pause)
		event_active(logs->turn, EV_TIMEOUT, 0);
}

void fake_logs_stamp(int64_t wall_ms, struct text *out)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm parts;
	char date[32];
	gmtime_r(&seconds, &parts);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	int64_t ms = wall_ms % 1000;
	text_addf(out, "%s.%lld%lld%lld000000Z ", date, (long long)(ms / 100),
		  (long long)(ms / 10 % 10), (long long)(ms % 10));
}

size_t fake_logs_first(const struct fake_container *container, int64_t tail, int64_t since_wall_ms)
{
	size_t first = 0;
	if (tail >= 0 && (size_t)tail < container->n_log)
		first = container->n_log - (size_t)tail;
	while (first < container->n_log && container->log[first].wall_ms < since_wall_ms)
		first++;
	return first;
}

/* The end of a reader; it is gone after. */
static void end(struct runtime_logs *logs, enum err_code code, const char *message)
{
	struct err err = { 0 };
	bool freed = false;
	if (code)
		err_set(&err, code, "%s", message);
	logs->freed = &freed;
	logs->events.end(logs->reader, code ? &err : NULL);
	if (freed)
		return;
	logs->freed = NULL;
	fake_logs_close(logs);
}

/* False: the reader closed the stream inside the callback. */
static bool give(struct runtime_logs *logs, const struct fake_log_entry *entry)
{
	bool freed = false;
	struct text line;
	text_init(&line, LIMIT_STRING_BYTES);
	if (logs->options.timestamps)
		fake_logs_stamp(entry->wall_ms, &line);
	text_add(&line, entry->text);
	logs->freed = &freed;
	logs->events.bytes(logs->reader, entry->stream, text_string(&line), line.len);
	text_release(&line);
	if (!freed)
		logs->freed = NULL;
	return !freed;
}

/* True: something was done, so that the list may have changed. */
static bool go_on(struct runtime_logs *logs)
{
	if (logs->paused)
		return false;
	const struct fake_container *container =
		fake_world_find(logs->list->world, logs->id[0] ? logs->id : logs->name);
	if (!container && !logs->id[0]) {
		end(logs, ERR_NOT_FOUND, "No such container");
		return true;
	}
	if (!container) {
		end(logs, ERR_NONE, NULL);
		return true;
	}
	if (!logs->id[0]) {
		text_print(logs->id, sizeof(logs->id), "%s", container->id);
		logs->at =
			fake_logs_first(container, logs->options.tail, logs->options.since_wall_ms);
	}
	if (logs->at < container->n_log) {
		give(logs, &container->log[logs->at++]);
		return true;
	}
	if (logs->options.follow && container->state == CONTAINER_RUNNING)
		return false;
	end(logs, ERR_NONE, NULL);
	return true;
}

void fake_logs_turn(struct fake_logs_list *list)
{
	bool again = true;
	while (again) {
		struct runtime_logs *at = list->first;
		/* After a true answer `at` may be gone. */
		for (again = false; at && !again; at = again ? NULL : at->next)
			again = go_on(at);
	}
}
