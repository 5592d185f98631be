/* EXEC: make it, start it with its output on the line, and when that ends ask what became of it.
 *
 * Docker gives no way to end an exec: one whose time is over runs on in its container. */
#include "runtime/docker.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/utf8.h"
#include "runtime/docker_demux.h"
#include "runtime/docker_reply.h"
#include "runtime/json_build.h"

/* Of what it wrote, the last. */
#define OUTPUT_BYTES 300
#define LINE_BYTES   (1024 * 1024)
/* The end of the output may come before Docker knows of the end of the process; long before, where the process has
 * closed it and runs on. */
#define LOOK_AGAIN_MS	  50
#define LOOK_AGAIN_MAX_MS 5000

struct exec {
	char id[80];
	struct docker_demux demux;
	char output[OUTPUT_BYTES + 1];
	size_t output_len;
	int64_t timeout_ms;
	struct event *again;
	int64_t again_ms; /* how long the newest wait for the next look was; 0: there was none */
};

static void exec_release(void *data)
{
	struct exec *exec = data;
	if (exec->again)
		event_free(exec->again);
	base_free(exec);
}

static void put_variables(struct json_build *build, const struct pairs *environment)
{
	struct text line;
	text_init(&line, LINE_BYTES);
	for (size_t i = 0; i < environment->n; i++) {
		const struct pair *pair = &environment->items[i];
		text_clear(&line);
		text_add(&line, pair->key);
		if (pair->value) {
			text_add_char(&line, '=');
			text_add(&line, pair->value);
		}
		json_add_text(build, json_put_list(build->root, "Env"), "Env", text_string(&line));
	}
	text_release(&line);
}

static char *exec_body(const struct hook *hook, struct err *err)
{
	struct json_build build;
	json_build_init(&build);
	json_put_bool(build.root, "AttachStdout", true);
	json_put_bool(build.root, "AttachStderr", true);
	json_put_strings(&build, build.root, "Cmd", &hook->command);
	json_put_text(&build, build.root, "User", hook->user);
	json_put_text(&build, build.root, "WorkingDir", hook->working_dir);
	json_put_bool(build.root, "Privileged", hook->privileged);
	put_variables(&build, &hook->environment);
	return json_build_take(&build, err);
}

/* ---- output ---- */

static void keep_output(void *owner, int stream, const void *bytes, size_t len)
{
	(void)stream;
	struct exec *exec = owner;
	const char *from = bytes;
	if (len > OUTPUT_BYTES) {
		from += len - OUTPUT_BYTES;
		len = OUTPUT_BYTES;
	}
	size_t keep = OUTPUT_BYTES - len < exec->output_len ? OUTPUT_BYTES - len : exec->output_len;
	memmove(exec->output, exec->output + exec->output_len - keep, keep);
	memcpy(exec->output + keep, from, len);
	exec->output_len = keep + len;
}

static void on_output(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	(void)call;
	struct docker_op *op = owner;
	struct exec *exec = op->data;
	struct err err = { 0 };
	/* An answer that is an error is no stream: its words are kept as they are. */
	if (docker_demux_feed(&exec->demux, bytes, len, keep_output, exec, &err))
		keep_output(exec, 2, bytes, len);
}

/* The output on one line, valid UTF-8: cut at its start between characters. */
static const char *output_line(struct exec *exec)
{
	char *start = exec->output;
	exec->output[exec->output_len] = '\0';
	while (((unsigned char)*start & 0xc0) == 0x80)
		start++;
	utf8_mend(start, strlen(start));
	for (char *at = start; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			*at = ' ';
	size_t len = strlen(start);
	while (len && start[len - 1] == ' ')
		start[--len] = '\0';
	return start + strspn(start, " ");
}

static void fail_hook(struct docker_op *op, const char *what)
{
	struct exec *exec = op->data;
	char words[2 * OUTPUT_BYTES];
	const char *line = output_line(exec);
	text_print(words, sizeof(words), "%s%s%s", what, *line ? ": " : "", line);
	docker_op_fault(op, FAULT_HOOK_FAILED, words);
}

/* ---- the end ---- */

static void look(struct docker_op *op);

static void on_again(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	look(argument);
}

static void outlast(struct docker_op *op)
{
	const struct exec *exec = op->data;
	char what[64];
	struct text limit;
	text_init(&limit, sizeof(what));
	text_add_duration(&limit, exec->timeout_ms);
	text_print(what, sizeof(what), "did not end within %s", text_string(&limit));
	text_release(&limit);
	fail_hook(op, what);
}

static void lost(struct docker_op *op, const struct err *err, enum http_sent sent)
{
	if (err->code == ERR_TIMEOUT)
		outlast(op);
	else
		docker_op_transport_fault(op, err, sent);
}

static void look_again(struct docker_op *op)
{
	struct exec *exec = op->data;
	int64_t left_ms = op->deadline_ms - docker_now_ms();
	if (left_ms <= 0) {
		outlast(op);
		return;
	}
	exec->again_ms = exec->again_ms ? 2 * exec->again_ms : LOOK_AGAIN_MS;
	if (exec->again_ms > LOOK_AGAIN_MAX_MS)
		exec->again_ms = LOOK_AGAIN_MAX_MS;
	int64_t delay_ms = exec->again_ms < left_ms ? exec->again_ms : left_ms;
	const struct timeval delay = { delay_ms / 1000, delay_ms % 1000 * 1000 };
	if (!exec->again)
		exec->again = evtimer_new(op->docker->base, on_again, op);
	INVARIANT(exec->again);
	event_add(exec->again, &delay);
}

static void looked(struct docker_op *op, int status, struct http_view body)
{
	struct err err = { 0 };
	json_t *json = status == 200 ? docker_json_parse(body.bytes, body.len, &err) : NULL;
	bool running = docker_json_bool(json, "Running");
	int64_t exit_code = docker_json_int(json, "ExitCode", -1);
	json_decref(json);
	if (!json) {
		docker_op_fault(op, FAULT_AMBIGUOUS, "Docker does not tell how it ended");
	} else if (running || exit_code < 0) {
		look_again(op);
	} else if (exit_code == 0) {
		docker_op_end(op);
	} else {
		char what[64];
		text_print(what, sizeof(what), "exited with status %lld", (long long)exit_code);
		fail_hook(op, what);
	}
}

static void look(struct docker_op *op)
{
	const struct exec *exec = op->data;
	struct text target;
	text_init(&target, 1024);
	docker_target(&target, "/exec/", exec->id, "/json");
	op->body = NULL;
	/* One that was seen to run has outlasted its time; else nothing is known but that Docker is silent. */
	op->lost = exec->again_ms ? lost : NULL;
	docker_op_call(op, "GET", text_string(&target), NULL, looked);
	text_release(&target);
}

static void ran(struct docker_op *op, int status, struct http_view body)
{
	(void)body;
	if (status / 100 == 2)
		look(op);
	else if (status == 409 || status == 404)
		docker_op_fault(op, FAULT_CONFLICT, output_line(op->data));
	else
		fail_hook(op, "could not be run");
}

static void created(struct docker_op *op, int status, struct http_view body)
{
	struct exec *exec = op->data;
	if (status != 201) {
		docker_op_reply_fault(op, status, body);
		return;
	}
	struct err err = { 0 };
	json_t *json = docker_json_parse(body.bytes, body.len, &err);
	const char *id = docker_json_text(json, "Id");
	text_print(exec->id, sizeof(exec->id), "%s", id ? id : "");
	json_decref(json);
	if (!exec->id[0]) {
		docker_op_fault(op, FAULT_AMBIGUOUS, "Docker made an exec without an id");
		return;
	}
	static const char start[] = "{\"Detach\":false,\"Tty\":false}";
	struct text target;
	text_init(&target, 1024);
	docker_target(&target, "/exec/", exec->id, "/start");
	struct http_call_options options = docker_op_options(op, "POST", text_string(&target));
	options.content_type = "application/json";
	options.body = start;
	options.body_len = sizeof(start) - 1;
	options.stream = true;
	op->body = on_output;
	op->lost = lost;
	docker_op_call_with(op, &options, ran);
	text_release(&target);
}

void docker_exec(struct docker_op *op, const struct container_action *action)
{
	struct exec *exec = base_calloc(1, sizeof(*exec));
	struct err err = { 0 };
	exec->timeout_ms = action->timeout_ms;
	op->data = exec;
	op->release = exec_release;
	_cleanup_free_ char *body = exec_body(action->hook, &err);
	if (!body) {
		docker_op_fault(op, FAULT_HOOK_FAILED, err.message);
		return;
	}
	struct text target;
	text_init(&target, 1024);
	docker_target(&target, "/containers/", op->name, "/exec");
	docker_op_call(op, "POST", text_string(&target), body, created);
	text_release(&target);
}
