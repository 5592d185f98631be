#include "cli/output.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/json.h"
#include "base/alloc.h"

#define TARGET_BYTES_MAX 4096

enum err_code output_form(const struct invocation *invocation, enum output_form *ret_form,
			  struct err *err)
{
	const char *form = cli_string(invocation, "output", "table");
	if (strcmp(form, "table") == 0)
		*ret_form = OUTPUT_TABLE;
	else if (strcmp(form, "wide") == 0)
		*ret_form = OUTPUT_WIDE;
	else if (strcmp(form, "json") == 0)
		*ret_form = OUTPUT_JSON;
	else
		return err_set_field(err, ERR_INVALID, "--output", "\"%s\" is none of wide, json",
				     form);
	return ERR_NONE;
}

void output_json(const struct record_type *type, const void *record)
{
	json_t *value = json_from_record(type, record, JSON_ANSWER);
	char *text = json_dumps(value, JSON_INDENT(2));
	puts(text);
	free(text);
	json_decref(value);
}

enum err_code fetch(struct invocation *invocation, const char *target,
		    const struct record_type *type, void *record, struct err *err)
{
	struct api_call call = {
		.method = "GET", .target = target, .answer_type = type, .answer = record
	};
	return api_client_call(cli_client(invocation), &call, err);
}

/* Times that a list which changes while it is read is begun anew. */
#define FETCH_TRIES 4

/* Append the page of `path` after `page` to it; of the same revision, or refused with ERR_CONFLICT. */
static enum err_code fetch_page(struct invocation *invocation, const char *path, const char *query,
				const struct record_type *type, size_t item_size,
				struct any_page *page, bool same, struct err *err)
{
	struct any_page more = { 0 };
	struct text target;
	text_init(&target, TARGET_BYTES_MAX);
	text_addf(&target, "%s?%s%safter=", path, query, *query ? "&" : "");
	http_percent_encode(&target, page->next ? page->next : "");
	if (same && page->revision)
		text_addf(&target, "&revision=%s", page->revision);
	enum err_code code = fetch(invocation, text_string(&target), type, &more, err);
	text_release(&target);
	if (code)
		return code;
	size_t n = page->items.n;
	page->items.items = base_realloc(page->items.items, n + more.items.n, item_size);
	if (more.items.n)
		memcpy((char *)page->items.items + n * item_size, more.items.items,
		       more.items.n * item_size);
	page->items.n += more.items.n;
	base_free(more.items.items);
	base_free(page->next);
	base_free(page->revision);
	page->next = more.next;
	page->revision = more.revision;
	return ERR_NONE;
}

static enum err_code fetch_all(struct invocation *invocation, const char *path, const char *query,
			       const struct record_type *type, size_t item_size,
			       struct any_page *page, bool same, struct err *err)
{
	enum err_code code;
	*page = (struct any_page){ 0 };
	do
		code = fetch_page(invocation, path, query, type, item_size, page, same, err);
	while (!code && page->next && *page->next);
	if (code)
		record_release(type, page);
	return code;
}

/* All pages of `path`, of one moment; where it does not hold still for so long, each of its own, and that is said. */
static enum err_code fetch_pages(struct invocation *invocation, const char *path, const char *query,
				 const struct record_type *type, size_t item_size,
				 struct any_page *page, struct err *err)
{
	for (int i = 0; i < FETCH_TRIES; i++) {
		enum err_code code =
			fetch_all(invocation, path, query, type, item_size, page, true, err);
		if (code != ERR_CONFLICT)
			return code;
	}
	fprintf(stderr,
		"drover: %s changes faster than it can be read: what follows is not of one "
		"moment\n",
		path);
	return fetch_all(invocation, path, query, type, item_size, page, false, err);
}

enum err_code fetch_tasks(struct invocation *invocation, const char *query,
			  struct task_page *ret_page, struct err *err)
{
	return fetch_pages(invocation, "/v1/tasks", query, &task_page_type,
			   sizeof(struct task_view), (struct any_page *)ret_page, err);
}

enum err_code fetch_jobs(struct invocation *invocation, const char *query,
			 struct job_page *ret_page, struct err *err)
{
	return fetch_pages(invocation, "/v1/jobs", query, &job_page_type, sizeof(struct job_view),
			   (struct any_page *)ret_page, err);
}

enum err_code fetch_nodes(struct invocation *invocation, struct node_page *ret_page,
			  struct err *err)
{
	return fetch_pages(invocation, "/v1/nodes", "", &node_page_type, sizeof(struct node_view),
			   (struct any_page *)ret_page, err);
}

enum err_code fetch_volumes(struct invocation *invocation, const char *query,
			    struct volume_page *ret_page, struct err *err)
{
	return fetch_pages(invocation, "/v1/volumes", query, &volume_page_type,
			   sizeof(struct volume_view), (struct any_page *)ret_page, err);
}

enum err_code fetch_tokens(struct invocation *invocation, struct token_page *ret_page,
			   struct err *err)
{
	return fetch_pages(invocation, "/v1/tokens", "", &token_page_type,
			   sizeof(struct token_record), (struct any_page *)ret_page, err);
}

enum err_code fetch_identities(struct invocation *invocation, struct identity_page *ret_page,
			       struct err *err)
{
	return fetch_pages(invocation, "/v1/identities", "", &identity_page_type,
			   sizeof(struct identity_record), (struct any_page *)ret_page, err);
}

enum err_code mutate(struct invocation *invocation, const char *method, const char *target,
		     struct manager_answer *ret_answer, struct err *err)
{
	char key[UUID_TEXT_SIZE];
	api_client_make_key(key);
	struct api_call call = { .method = method,
				 .target = target,
				 .answer_type = &manager_answer_type,
				 .answer = ret_answer,
				 .idempotency_key = key };
	return api_client_call(cli_client(invocation), &call, err);
}

int output_remove(struct invocation *invocation, const char *path)
{
	int status = 0;
	for (size_t i = 0; i < invocation->operands.n; i++) {
		struct manager_answer answer;
		struct text target;
		struct err err;
		text_init(&target, TARGET_BYTES_MAX);
		text_add(&target, path);
		http_percent_encode(&target, invocation->operands.items[i]);
		if (mutate(invocation, "DELETE", text_string(&target), &answer, &err)) {
			status = cli_fail(invocation, &err);
		} else {
			puts(invocation->operands.items[i]);
			record_release(&manager_answer_type, &answer);
		}
		text_release(&target);
	}
	return status;
}

static char interrupt_sentence[256];
static size_t interrupt_len;

static void on_interrupt(int number)
{
	ssize_t ignored = write(STDERR_FILENO, interrupt_sentence, interrupt_len);
	(void)ignored;
	_exit(128 + number);
}

void cli_on_interrupt(const char *sentence)
{
	struct sigaction action = { .sa_handler = on_interrupt };
	text_print(interrupt_sentence, sizeof(interrupt_sentence), "\n%.*s", 250, sentence);
	interrupt_len = strlen(interrupt_sentence);
	interrupt_sentence[interrupt_len++] = '\n';
	sigaction(SIGINT, &action, NULL);
}

void output_dependents(const struct strings *names, int64_t n, const char *before,
		       const char *after)
{
	for (size_t i = 0; i < names->n; i++)
		printf("%s%s%s\n", before, names->items[i], after);
	if (n > (int64_t)names->n)
		printf("and %lld more jobs%s\n", (long long)(n - (int64_t)names->n), after);
}
