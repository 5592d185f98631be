/* Commands run in a container: made, started, and asked about, as Docker does it. They take no time. */
#include <string.h>

#include "base/alloc.h"
#include "private.h"

struct fake_exec {
	struct fake_exec *next;
	char id[32];
	char container[CONTAINER_NAME_SIZE];
	struct strings argv;
	int status; /* -1: not run yet */
	bool lingers;
};

void execs_free(struct fakedocker *fakedocker)
{
	while (fakedocker->execs) {
		struct fake_exec *exec = fakedocker->execs;
		fakedocker->execs = exec->next;
		strings_release(&exec->argv);
		base_free(exec);
	}
}

static struct fake_exec *find(struct fakedocker *fakedocker, const char *id, struct answer *answer)
{
	for (struct fake_exec *at = fakedocker->execs; at; at = at->next)
		if (strcmp(at->id, id) == 0)
			return at;
	routes_message(answer, 404, "No such exec instance");
	return NULL;
}

/* NULL: the answer says why not. */
static struct fake_container *running(struct fakedocker *fakedocker, const char *name,
				      struct answer *answer)
{
	struct fake_container *container = fake_world_find(fakedocker->world, name);
	if (container && container->state == CONTAINER_RUNNING)
		return container;
	routes_message(answer, container ? 409 : 404,
		       container ? "Container is not running" : "No such container");
	return NULL;
}

void post_exec(struct fakedocker *fakedocker, const struct request *request, const char *name,
	       struct answer *answer)
{
	if (!running(fakedocker, name, answer))
		return;
	json_t *body = json_loadb(request->body ? request->body : "", request->body_len, 0, NULL);
	const json_t *words = json_object_get(body, "Cmd");
	struct fake_exec *exec = base_calloc(1, sizeof(*exec));
	for (size_t i = 0; i < json_array_size(words); i++)
		strings_add(&exec->argv, json_string_value(json_array_get(words, i)));
	json_decref(body);
	exec->status = -1;
	text_print(exec->id, sizeof(exec->id), "exec%llu",
		   (unsigned long long)++fakedocker->world->ids);
	text_print(exec->container, sizeof(exec->container), "%s", name);
	exec->next = fakedocker->execs;
	fakedocker->execs = exec;
	put_json(answer, 201, json_pack("{s:s}", "Id", exec->id));
}

void post_exec_start(struct fakedocker *fakedocker, const struct request *request, const char *name,
		     struct answer *answer)
{
	(void)request;
	struct fake_exec *exec = find(fakedocker, name, answer);
	struct fake_container *container =
		exec ? running(fakedocker, exec->container, answer) : NULL;
	if (!container)
		return;
	answer->status = 200;
	answer->content_type = "application/vnd.docker.raw-stream";
	/* Two that the world of memory has not: one ends its output and runs on, one writes what is no text. */
	exec->lingers = strcmp(exec->argv.items[0], "linger") == 0;
	if (exec->lingers)
		return;
	if (strcmp(exec->argv.items[0], "garble") == 0) {
		char bytes[] = "a\xff\xfe b\xc3";
		struct fake_log_entry noise = { .stream = 1, .text = bytes };
		exec->status = 1;
		frame_add(&answer->body, &noise, false);
		return;
	}
	exec->status = fake_container_exec(container, &exec->argv);
	struct fake_log_entry entry = { .stream = 2, .text = container->exec_output };
	if (container->exec_output[0])
		frame_add(&answer->body, &entry, false);
}

void get_exec(struct fakedocker *fakedocker, const struct request *request, const char *name,
	      struct answer *answer)
{
	(void)request;
	const struct fake_exec *exec = find(fakedocker, name, answer);
	fakedocker->world->exec_looks++;
	if (exec && exec->lingers)
		put_json(answer, 200, json_pack("{s:b,s:n}", "Running", 1, "ExitCode"));
	else if (exec && exec->status < 0)
		put_json(answer, 200, json_pack("{s:b,s:n}", "Running", 0, "ExitCode"));
	else if (exec)
		put_json(answer, 200,
			 json_pack("{s:b,s:i}", "Running", 0, "ExitCode", exec->status));
}
