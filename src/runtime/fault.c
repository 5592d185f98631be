/* Invariants
 * 1. Every action submitted is in `pending` until it was answered to the shell, and is answered once.
 * 2. What a rule keeps from happening is never submitted to the inner runtime. */
#include "runtime/fault.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "runtime/fake.h"

struct pending {
	struct fault_runtime *fault;
	struct pending *next;
	struct container_result result; /* to answer when the timer fires */
	const struct fault_rule *rule;	/* NULL: none */
	struct event *timer;
	int64_t timeout_ms;
};

struct fault_runtime {
	struct event_base *base;
	struct runtime_events events;
	void *shell;
	struct fault_script script;
	const struct runtime_ops *inner_ops;
	struct runtime *inner;
	struct pending *pending;
	struct event *restart;
	uint64_t instance;
	struct fault_logs *logs; /* open streams */
};

/* A reader's handle: the inner one with its ops before it. */
struct fault_logs {
	struct fault_runtime *fault;
	struct fault_logs *next;
	struct runtime_logs *inner;
	struct runtime_logs_events events;
	void *reader;
	bool ending;
};

static void logs_free(struct fault_logs *logs)
{
	struct fault_logs **at = &logs->fault->logs;
	while (*at != logs)
		at = &(*at)->next;
	*at = logs->next;
	base_free(logs);
}

static void pending_free(struct pending *pending)
{
	struct pending **at = &pending->fault->pending;
	while (*at != pending)
		at = &(*at)->next;
	*at = pending->next;
	event_free(pending->timer);
	container_result_release(&pending->result);
	base_free(pending);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	struct pending *pending = argument;
	struct fault_runtime *fault = pending->fault;
	fault->events.done(fault->shell, &pending->result);
	pending_free(pending);
}

static void answer_in(struct pending *pending, int64_t delay_ms)
{
	const struct timeval delay = { delay_ms / 1000, delay_ms % 1000 * 1000 };
	event_add(pending->timer, &delay);
}

/* Answer with a fault instead of whatever the inner runtime said. */
static void answer_fault(struct pending *pending, int fault, const char *message, int64_t delay_ms)
{
	uint64_t op = pending->result.op;
	int verb = pending->result.verb;
	container_result_release(&pending->result);
	pending->result = (struct container_result){
		.op = op, .verb = verb, .fault = fault, .message = base_strdup(message)
	};
	answer_in(pending, delay_ms);
}

static struct pending *pending_new(struct fault_runtime *fault,
				   const struct container_action *action)
{
	struct pending *pending = base_calloc(1, sizeof(*pending));
	pending->fault = fault;
	pending->result.op = action->op;
	pending->result.verb = action->verb;
	pending->timeout_ms = action->timeout_ms;
	pending->rule = fault_script_next(&fault->script, action->verb);
	pending->timer = evtimer_new(fault->base, on_timer, pending);
	INVARIANT(pending->timer);
	pending->next = fault->pending;
	fault->pending = pending;
	return pending;
}

static void ghost(struct pending *pending, const struct container_action *action)
{
	struct container_seen *seen = &pending->result.seen;
	if (action->verb == CONTAINER_CREATE) {
		text_print(seen->name, sizeof(seen->name), "%s", action->name);
		text_print(seen->id, sizeof(seen->id), "ghost");
		seen->task = action->task;
		seen->attempt = action->attempt;
		seen->state = CONTAINER_CREATED;
	}
	pending->result.daemon_instance = pending->fault->instance;
	answer_in(pending, 0);
}

/* True: the rule keeps the action from the inner runtime. */
static bool keep_back(struct pending *pending, const struct container_action *action)
{
	switch (pending->rule ? pending->rule->kind : 0) {
	case FAULT_KIND_UNREACHABLE:
		answer_fault(pending, FAULT_UNREACHABLE, "injected: not reached", 0);
		return true;
	case FAULT_KIND_REFUSE:
		answer_fault(pending, FAULT_FAILED, "injected: refused", 0);
		return true;
	case FAULT_KIND_ERROR:
		answer_fault(pending, FAULT_AMBIGUOUS, "injected: status 500", 0);
		return true;
	case FAULT_KIND_HANG:
		answer_fault(pending, FAULT_AMBIGUOUS, "injected: no answer in time",
			     pending->timeout_ms);
		return true;
	case FAULT_KIND_THROTTLED:
		answer_fault(pending, FAULT_PULL_FAILED, "injected: toomanyrequests", 0);
		return true;
	case FAULT_KIND_GHOST: ghost(pending, action); return true;
	default: return false;
	}
}

static void on_done(void *shell, struct container_result *result)
{
	struct fault_runtime *fault = shell;
	struct pending *pending = fault->pending;
	while (pending && pending->result.op != result->op)
		pending = pending->next;
	INVARIANT(pending);
	container_result_take(&pending->result, result);
	switch (pending->rule ? pending->rule->kind : 0) {
	case FAULT_KIND_ERROR_AFTER:
		answer_fault(pending, FAULT_AMBIGUOUS, "injected: status 500", 0);
		break;
	case FAULT_KIND_LOST:
	case FAULT_KIND_HALF:
		answer_fault(pending, FAULT_AMBIGUOUS, "injected: the connection ended", 0);
		break;
	case FAULT_KIND_HANG_AFTER:
		answer_fault(pending, FAULT_AMBIGUOUS, "injected: no answer in time",
			     pending->timeout_ms);
		break;
	case FAULT_KIND_RESTART:
		answer_fault(pending, FAULT_AMBIGUOUS, "injected: the daemon restarts", 0);
		event_active(fault->restart, EV_TIMEOUT, 0);
		break;
	case FAULT_KIND_LATE: answer_in(pending, pending->rule->delay_ms); break;
	default: on_timer(-1, 0, pending); break;
	}
}

static void on_restart(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	struct fault_runtime *fault = argument;
	runtime_fake_restart(fault->inner);
}

static void on_up(void *shell, uint64_t daemon_instance, const struct runtime_facts *facts)
{
	struct fault_runtime *fault = shell;
	fault->instance = daemon_instance;
	fault->events.up(fault->shell, daemon_instance, facts);
}

/* Whatever waits is answered before `down` is told: nobody waits longer than for what is there. */
static void on_down(void *shell, const char *why)
{
	struct fault_runtime *fault = shell;
	struct pending *next;
	for (struct pending *at = fault->pending; at; at = next) {
		next = at->next;
		if (event_pending(at->timer, EV_TIMEOUT, NULL))
			on_timer(-1, 0, at);
	}
	fault->events.down(fault->shell, why);
}

static void on_hint(void *shell, const char *container_name)
{
	struct fault_runtime *fault = shell;
	const struct fault_rule *rule = fault_script_next(&fault->script, FAULT_VERB_HINT);
	if (!rule || rule->kind != FAULT_KIND_DROP)
		fault->events.hint(fault->shell, container_name);
}

static void on_pulling(void *shell, uint64_t op)
{
	struct fault_runtime *fault = shell;
	if (fault->events.pulling)
		fault->events.pulling(fault->shell, op);
}

static void on_progress(void *shell, uint64_t op, const char *text)
{
	struct fault_runtime *fault = shell;
	if (fault->events.progress)
		fault->events.progress(fault->shell, op, text);
}

static const struct runtime_events inner_events = { .done = on_done,
						    .up = on_up,
						    .down = on_down,
						    .hint = on_hint,
						    .pulling = on_pulling,
						    .progress = on_progress };

static void fault_close(struct runtime *runtime)
{
	struct fault_runtime *fault = (struct fault_runtime *)runtime;
	while (fault->pending)
		pending_free(fault->pending);
	if (fault->inner)
		fault->inner_ops->close(fault->inner);
	while (fault->logs)
		logs_free(fault->logs);
	event_free(fault->restart);
	fault_script_release(&fault->script);
	base_free(fault);
}

static bool restarts(const struct fault_script *script)
{
	for (size_t i = 0; i < script->rules.n; i++)
		if (script->rules.items[i].kind == FAULT_KIND_RESTART)
			return true;
	return false;
}

static enum err_code fault_open(struct event_base *base, const struct runtime_options *options,
				const struct runtime_events *events, void *shell,
				struct runtime **ret_runtime, struct err *err)
{
	struct fault_script script;
	enum err_code code =
		fault_script_parse(options->faults ? options->faults : "", &script, err);
	if (code)
		return code;
	struct fault_runtime *fault = base_calloc(1, sizeof(*fault));
	fault->base = base;
	fault->events = *events;
	fault->shell = shell;
	fault->script = script;
	fault->inner_ops = options->inner ? options->inner : &runtime_fake_ops;
	fault->restart = event_new(base, -1, 0, on_restart, fault);
	INVARIANT(fault->restart);
	if (restarts(&script) && fault->inner_ops != &runtime_fake_ops)
		code = err_set(err, ERR_UNSUPPORTED,
			       "the fault `restart` needs the fake runtime behind it");
	if (!code)
		code = fault->inner_ops->open(base, options, &inner_events, fault, &fault->inner,
					      err);
	if (code)
		fault_close((struct runtime *)fault);
	else
		*ret_runtime = (struct runtime *)fault;
	return code;
}

static void fault_set_cluster(struct runtime *runtime, struct uuid cluster)
{
	struct fault_runtime *fault = (struct fault_runtime *)runtime;
	fault->inner_ops->set_cluster(fault->inner, cluster);
}

static void fault_submit(struct runtime *runtime, const struct container_action *action)
{
	struct fault_runtime *fault = (struct fault_runtime *)runtime;
	struct pending *pending = pending_new(fault, action);
	if (!keep_back(pending, action))
		fault->inner_ops->submit(fault->inner, action);
}

static void fault_cancel(struct runtime *runtime, uint64_t op)
{
	struct fault_runtime *fault = (struct fault_runtime *)runtime;
	fault->inner_ops->cancel(fault->inner, op);
}

static void logs_bytes(void *reader, int stream, const void *bytes, size_t len)
{
	const struct fault_logs *logs = reader;
	logs->events.bytes(logs->reader, stream, bytes, len);
}

static void logs_end(void *reader, const struct err *err)
{
	struct fault_logs *logs = reader;
	logs->ending = true;
	logs->events.end(logs->reader, err);
	logs_free(logs);
}

static const struct runtime_logs_events logs_events = { .bytes = logs_bytes, .end = logs_end };

static struct runtime_logs *fault_logs_open(struct runtime *runtime, const char *container_name,
					    const struct runtime_logs_options *options,
					    const struct runtime_logs_events *events, void *reader)
{
	struct fault_runtime *fault = (struct fault_runtime *)runtime;
	struct fault_logs *logs = base_calloc(1, sizeof(*logs));
	logs->fault = fault;
	logs->next = fault->logs;
	fault->logs = logs;
	logs->events = *events;
	logs->reader = reader;
	logs->inner = fault->inner_ops->logs_open(fault->inner, container_name, options,
						  &logs_events, logs);
	return (struct runtime_logs *)logs;
}

static void fault_logs_pause(struct runtime_logs *handle, bool pause)
{
	const struct fault_logs *logs = (const struct fault_logs *)handle;
	if (!logs->ending)
		logs->fault->inner_ops->logs_pause(logs->inner, pause);
}

static void fault_logs_close(struct runtime_logs *handle)
{
	struct fault_logs *logs = (struct fault_logs *)handle;
	/* Inside its own end the inner stream is freed by its runtime, the handle by logs_end(). */
	if (logs->ending)
		return;
	logs->fault->inner_ops->logs_close(logs->inner);
	logs_free(logs);
}

static bool fault_usage(struct runtime *runtime, const char *container_id,
			struct runtime_usage *ret_usage)
{
	struct fault_runtime *fault = (struct fault_runtime *)runtime;
	return fault->inner_ops->usage(fault->inner, container_id, ret_usage);
}

struct runtime *runtime_fault_inner(struct runtime *runtime)
{
	return ((struct fault_runtime *)runtime)->inner;
}

const struct runtime_ops runtime_fault_ops = {
	.name = "fault",
	.open = fault_open,
	.set_cluster = fault_set_cluster,
	.submit = fault_submit,
	.cancel = fault_cancel,
	.logs_open = fault_logs_open,
	.logs_pause = fault_logs_pause,
	.logs_close = fault_logs_close,
	.usage = fault_usage,
	.close = fault_close,
};
