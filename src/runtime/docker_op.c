/* Invariants
 * 1. An op is in exactly one of the lists `ops` (not answered yet) and `ended` (answered, shell not told yet).
 * 2. An op in `ops` has a call in flight, or its verb's own waiting (a credential helper), or is inside a step.
 * 3. An op in `ended` has no call. docker_ops_tell(), from `ended_event`, tells the shell and frees the op. */
#include "runtime/docker.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "runtime/docker_reply.h"

int64_t docker_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void list_put(struct docker_op **list, struct docker_op *op)
{
	op->next = *list;
	op->previous = NULL;
	if (*list)
		(*list)->previous = op;
	*list = op;
}

static void list_cut(struct docker_op **list, struct docker_op *op)
{
	if (op->previous)
		op->previous->next = op->next;
	else
		*list = op->next;
	if (op->next)
		op->next->previous = op->previous;
	op->next = op->previous = NULL;
}

/* `ended` is told in the order of the answers. */
static void list_append(struct docker_op **list, struct docker_op *op)
{
	struct docker_op *last = *list;
	while (last && last->next)
		last = last->next;
	op->next = NULL;
	op->previous = last;
	if (last)
		last->next = op;
	else
		*list = op;
}

struct docker_op *docker_op_new(struct docker *docker, const struct container_action *action)
{
	struct docker_op *op = base_calloc(1, sizeof(*op));
	op->docker = docker;
	op->result.op = action->op;
	op->result.verb = action->verb;
	op->deadline_ms = docker_now_ms() + action->timeout_ms;
	op->instance = docker->instance;
	text_print(op->name, sizeof(op->name), "%s", action->name);
	list_put(&docker->ops, op);
	return op;
}

static void op_free(struct docker_op *op)
{
	if (op->call)
		http_call_cancel(op->call);
	if (op->release)
		op->release(op->data);
	container_result_release(&op->result);
	base_free(op);
}

void docker_op_end(struct docker_op *op)
{
	struct docker *docker = op->docker;
	if (op->call)
		http_call_cancel(op->call);
	op->call = NULL;
	if (op->release)
		op->release(op->data);
	op->release = NULL;
	if (op->result.daemon_instance == 0 && op->result.fault != FAULT_UNREACHABLE)
		op->result.daemon_instance = op->instance == docker->instance ? op->instance : 0;
	list_cut(&docker->ops, op);
	list_append(&docker->ended, op);
	event_active(docker->ended_event, EV_TIMEOUT, 0);
}

void docker_op_fault(struct docker_op *op, int fault, const char *message)
{
	op->result.fault = fault;
	base_free(op->result.message);
	op->result.message = base_strdup(message);
	docker_op_end(op);
}

void docker_op_reply_fault(struct docker_op *op, int status, struct http_view body)
{
	_cleanup_free_ char *message = docker_reply_message(body.bytes, body.len);
	int fault = docker_reply_fault(op->result.verb, status, message);
	docker_op_fault(op, fault, fault == FAULT_NONE ? NULL : message);
}

void docker_op_transport_fault(struct docker_op *op, const struct err *err, enum http_sent sent)
{
	char words[ERR_MESSAGE_MAX + 64];
	if (err->code == ERR_TIMEOUT)
		text_print(words, sizeof(words), "Docker gave no answer in time: %s", err->message);
	else
		text_print(words, sizeof(words), "%s", err->message);
	struct docker *docker = op->docker;
	docker_op_fault(op, sent == HTTP_NOT_SENT ? FAULT_UNREACHABLE : FAULT_AMBIGUOUS, words);
	docker_suspect(docker);
}

static void call_done(void *owner, struct http_call *call, const struct err *err,
		      enum http_sent sent, int status, struct http_view body)
{
	struct docker_op *op = owner;
	INVARIANT(op->call == call);
	op->call = NULL;
	if (!err)
		op->step(op, status, body);
	else if (op->lost)
		op->lost(op, err, sent);
	else
		docker_op_transport_fault(op, err, sent);
}

struct http_call_options docker_op_options(struct docker_op *op, const char *method,
					   const char *target)
{
	int64_t left_ms = op->deadline_ms - docker_now_ms();
	return (struct http_call_options){
		.method = method,
		.target = target,
		.timeout_ms = left_ms > 1 ? left_ms : 1,
		.body_bytes_max = LIMIT_DOCKER_BODY_BYTES,
	};
}

void docker_op_call_with(struct docker_op *op, const struct http_call_options *options,
			 docker_step_fn *step)
{
	struct text target;
	text_init(&target, 64 * 1024);
	text_addf(&target, "/v1.%lld%s", (long long)op->docker->minor, options->target);
	struct http_call_options call = *options;
	call.target = text_string(&target);
	op->step = step;
	struct http_call_events events = { .body = op->body, .done = call_done };
	op->call = http_client_call(op->docker->client, &call, &events, op);
	text_release(&target);
}

void docker_op_call(struct docker_op *op, const char *method, const char *target, const char *body,
		    docker_step_fn *step)
{
	struct http_call_options options = docker_op_options(op, method, target);
	if (body) {
		options.content_type = "application/json";
		options.body = body;
		options.body_len = strlen(body);
	}
	docker_op_call_with(op, &options, step);
}

void docker_ops_tell(struct docker *docker)
{
	while (docker->ended) {
		struct docker_op *op = docker->ended;
		list_cut(&docker->ended, op);
		docker->events.done(docker->shell, &op->result);
		op_free(op);
	}
}

void docker_ops_lose(struct docker *docker, const char *why)
{
	while (docker->ops)
		docker_op_fault(docker->ops, FAULT_AMBIGUOUS, why);
	docker_ops_tell(docker);
}

void docker_ops_drop(struct docker *docker)
{
	struct docker_op **lists[] = { &docker->ops, &docker->ended };
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		while (*lists[i]) {
			struct docker_op *op = *lists[i];
			list_cut(lists[i], op);
			op_free(op);
		}
	}
}

void docker_target(struct text *out, const char *before, const char *part, const char *after)
{
	text_add(out, before);
	http_percent_encode(out, part);
	text_add(out, after);
}

void docker_query_ours(struct text *out, const char *before, struct uuid cluster, const char *more)
{
	char id[UUID_TEXT_SIZE], filter[256];
	text_print(filter, sizeof(filter), "{\"label\":[\"%s=%s\"]%s}", LABEL_CLUSTER,
		   uuid_format(cluster, id), more);
	text_add(out, before);
	http_percent_encode(out, filter);
}
