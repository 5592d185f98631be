/* PULL: [is it there already] -> [credentials] -> pull. A pull changes no container, so its failures are never
 * ambiguous; only when the daemon went away in the middle is nothing known. */
#include "runtime/docker.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "job/platform.h"
#include "runtime/docker_helper.h"
#include "runtime/docker_image.h"
#include "runtime/docker_pull_progress.h"
#include "runtime/docker_reply.h"

#define CONFIG_BYTES_MAX     (1024 * 1024)
#define HELPER_TIMEOUT_MS    30000
#define PROGRESS_INTERVAL_MS 200

struct pull {
	char *reference;
	char *platform; /* NULL: the machine's own */
	int policy;
	struct docker_image image;
	char *auth; /* value of X-Registry-Auth */
	struct docker_helper *helper;
	struct docker_pull_progress progress;
	char *told; /* the last progress text */
	int64_t told_ms;
};

static void pull_release(void *data)
{
	struct pull *pull = data;
	if (pull->helper)
		docker_helper_cancel(pull->helper);
	docker_pull_progress_release(&pull->progress);
	if (pull->auth)
		explicit_bzero(pull->auth, strlen(pull->auth));
	base_free(pull->auth);
	base_free(pull->reference);
	base_free(pull->platform);
	base_free(pull->told);
	base_free(pull);
}

static void tell_progress(struct docker_op *op)
{
	struct pull *pull = op->data;
	int64_t now_ms = docker_now_ms();
	if (!op->docker->events.progress || now_ms - pull->told_ms < PROGRESS_INTERVAL_MS)
		return;
	struct text text;
	text_init(&text, 200);
	docker_pull_progress_text(&pull->progress, &text);
	if (text.len > 0 && (!pull->told || strcmp(pull->told, text.bytes) != 0)) {
		base_free(pull->told);
		pull->told = text_take(&text);
		pull->told_ms = now_ms;
		op->docker->events.progress(op->docker->shell, op->result.op, pull->told);
	}
	text_release(&text);
}

static void pull_body(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	(void)call;
	struct docker_op *op = owner;
	struct pull *pull = op->data;
	docker_pull_progress_feed(&pull->progress, bytes, len);
	tell_progress(op);
}

static void pulled(struct docker_op *op, int status, struct http_view body)
{
	(void)body;
	struct pull *pull = op->data;
	docker_pull_progress_feed(&pull->progress, "\n", 1);
	if (status / 100 == 2 && !pull->progress.error) {
		docker_op_end(op);
		return;
	}
	char unknown[64];
	text_print(unknown, sizeof(unknown), "Docker answered with status %d", status);
	const char *words = pull->progress.error ? pull->progress.error : unknown;
	docker_op_fault(op, docker_reply_fault(CONTAINER_PULL, status, words), words);
}

static void pull_lost(struct docker_op *op, const struct err *err, enum http_sent sent)
{
	if (err->code == ERR_TIMEOUT && sent == HTTP_SENT)
		docker_op_fault(op, FAULT_PULL_FAILED, "the pull did not end in time");
	else
		docker_op_transport_fault(op, err, sent);
}

static void pull_now(struct docker_op *op)
{
	struct pull *pull = op->data;
	struct text target, headers;
	text_init(&target, 8 * 1024);
	text_init(&headers, 128 * 1024);
	docker_target(&target, "/images/create?fromImage=", pull->image.name, "&tag=");
	http_percent_encode(&target, pull->image.tag);
	if (pull->platform)
		docker_target(&target, "&platform=", pull->platform, "");
	if (pull->auth)
		text_addf(&headers, "X-Registry-Auth: %s\r\n", pull->auth);
	struct http_call_options options = docker_op_options(op, "POST", text_string(&target));
	options.headers = text_string(&headers);
	/* It may last minutes: not one of the few connections that others wait for. */
	options.stream = true;
	op->body = pull_body;
	op->lost = pull_lost;
	docker_op_call_with(op, &options, pulled);
	if (headers.bytes)
		explicit_bzero(headers.bytes, headers.len);
	text_release(&target);
	text_release(&headers);
}

static void helper_done(void *owner, const struct err *err, bool well, const char *output,
			size_t len)
{
	struct docker_op *op = owner;
	struct pull *pull = op->data;
	struct err error = { 0 };
	pull->helper = NULL;
	if (err) {
		docker_op_fault(op, FAULT_PULL_FAILED, err->message);
	} else if (!well && strstr(output, "credentials not found")) {
		pull_now(op);
	} else if (!well) {
		text_print(error.message, sizeof(error.message),
			   "the credential helper failed: %.*s", len < 200 ? (int)len : 200,
			   output);
		docker_op_fault(op, FAULT_PULL_FAILED, error.message);
	} else if (docker_credentials_answer(output, len, pull->image.registry, &pull->auth,
					     &error)) {
		docker_op_fault(op, FAULT_PULL_FAILED, error.message);
	} else {
		pull_now(op);
	}
}

static void ask_helper(struct docker_op *op, const char *program)
{
	struct pull *pull = op->data;
	struct err err = { 0 };
	int64_t left_ms = op->deadline_ms - docker_now_ms();
	if (left_ms > HELPER_TIMEOUT_MS || left_ms < 1)
		left_ms = left_ms < 1 ? 1 : HELPER_TIMEOUT_MS;
	pull->helper = docker_helper_start(op->docker->base, program,
					   docker_registry_key(pull->image.registry), left_ms,
					   helper_done, op, &err);
	if (!pull->helper)
		docker_op_fault(op, FAULT_PULL_FAILED, err.message);
}

/* The whole of a small file; NULL when it is not there. */
static char *read_config(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	struct text text;
	text_init(&text, CONFIG_BYTES_MAX);
	char bytes[4096];
	ssize_t n;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0 && !text.cut)
		text_add_bytes(&text, bytes, (size_t)n);
	close(fd);
	explicit_bzero(bytes, sizeof(bytes));
	*ret_len = text.len;
	return text_take(&text);
}

static void find_credentials(struct docker_op *op)
{
	struct pull *pull = op->data;
	size_t len = 0;
	char *config = op->docker->config_path ? read_config(op->docker->config_path, &len) : NULL;
	struct docker_credentials found = { 0 };
	struct err err = { 0 };
	enum err_code code = ERR_NONE;
	if (config && len > 0)
		code = docker_credentials_find(config, len, pull->image.registry, &found, &err);
	if (config)
		explicit_bzero(config, len);
	base_free(config);
	pull->auth = found.header;
	found.header = NULL;
	if (code)
		docker_op_fault(op, FAULT_PULL_FAILED, err.message);
	else if (found.helper)
		ask_helper(op, found.helper);
	else
		pull_now(op);
	docker_credentials_release(&found);
}

/* Is the image on this machine the one for the platform that is asked for? */
static bool is_for_platform(const struct pull *pull, struct http_view body)
{
	struct platform asked;
	if (!pull->platform || platform_parse(pull->platform, &asked, NULL))
		return true;
	json_t *json = docker_json_parse(body.bytes, body.len, NULL);
	struct platform there = platform_of_machine(docker_json_text(json, "Os"),
						    docker_json_text(json, "Architecture"));
	json_decref(json);
	return platform_runs(&there, &asked);
}

static void pull_missing(struct docker_op *op)
{
	if (op->docker->events.pulling)
		op->docker->events.pulling(op->docker->shell, op->result.op);
	find_credentials(op);
}

static void presence_seen(struct docker_op *op, int status, struct http_view body)
{
	const struct pull *pull = op->data;
	char words[LIMIT_NAME_BYTES + 64] =
		"the image is not on this machine and pull_policy is never";
	bool there = status == 200 && is_for_platform(pull, body);
	if (status == 200 && !there)
		text_print(words, sizeof(words),
			   "the image on this machine is not for %s and pull_policy is never",
			   pull->platform);
	if (there)
		docker_op_end(op);
	else if (status != 404 && status != 200)
		docker_op_reply_fault(op, status, body);
	else if (pull->policy == PULL_NEVER)
		docker_op_fault(op, FAULT_IMAGE_NOT_FOUND, words);
	else
		pull_missing(op);
}

void docker_pull(struct docker_op *op, const struct container_action *action)
{
	struct pull *pull = base_calloc(1, sizeof(*pull));
	op->data = pull;
	op->release = pull_release;
	docker_pull_progress_init(&pull->progress);
	pull->reference = base_strdup(action->spec->image);
	pull->platform = base_strdup(action->spec->platform);
	pull->policy = action->spec->pull_policy;
	struct err err = { 0 };
	if (docker_image_parse(pull->reference, &pull->image, &err)) {
		docker_op_fault(op, FAULT_REFUSED, err.message);
		return;
	}
	if (pull->policy == PULL_ALWAYS) {
		find_credentials(op);
		return;
	}
	struct text target;
	text_init(&target, 8 * 1024);
	docker_target(&target, "/images/", pull->reference, "/json");
	docker_op_call(op, "GET", text_string(&target), NULL, presence_seen);
	text_release(&target);
}
