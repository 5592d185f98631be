#include "members.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/shell.h"
#include "trust/keys.h"

#define AUTHORISED_MS 200
#define CALL_MS	      20000
#define CHILD_MS      60000

enum err_code members_try_manager(struct rig *rig, bool new_authority, struct err *err)
{
	struct manager_daemon_options options = { .data_dir = rig->folder,
						  .socket_path = rig->socket_path,
						  .listen = "127.0.0.1:0",
						  .authorised_ms = AUTHORISED_MS,
						  .new_authority = new_authority,
						  .store_ops = &rig->manager_store.ops };
	/* Members know where it is: the same port again after a restart. */
	if (rig->listen[0])
		options.listen = rig->listen;
	return manager_daemon_new(rig->base, &options, &rig->manager, err);
}

void members_start_manager(struct rig *rig)
{
	struct err err = { 0 };
	if (members_try_manager(rig, false, &err))
		fail_msg("the manager does not start: %s", err.message);
}

void members_token(struct rig *rig, const char *role, int uses, char text[TOKEN_TEXT_SIZE],
		   char manager[ENDPOINT_TEXT_SIZE])
{
	char body[128];
	text_print(body, sizeof(body), "{\"role\":\"%s\",\"uses\":%d}", role, uses);
	struct rig_answer answer = rig_call(rig, "POST", "/v1/tokens", NULL, body);
	assert_int_equal(answer.status, 200);
	text_print(text, TOKEN_TEXT_SIZE, "%s",
		   json_string_value(json_object_get(answer.body, "token")));
	text_print(manager, ENDPOINT_TEXT_SIZE, "%s",
		   json_string_value(json_object_get(answer.body, "manager")));
	text_print(rig->listen, sizeof(rig->listen), "%s", manager);
	json_decref(answer.body);
}

const char *members_dir(const struct rig *rig, const char *name)
{
	static char dir[128];
	return text_print(dir, sizeof(dir), "%s/%s", rig->folder, name);
}

/* ---- joining ------------------------------------------------------------------------------------------- */

/* The child's status. Nothing wakes the loop when it ends, so the loop turns for a little at a time. */
static int turn_until_ended(struct rig *rig, pid_t pid)
{
	int64_t end_ms = shell_now_ms() + CHILD_MS;
	int status = 0;
	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (shell_now_ms() > end_ms)
			fail_msg("the join never ends");
		rig_turn(rig, 5);
	}
	return status;
}

/* In the child: joining blocks, and the manager is on the parent's loop. */
static _Noreturn void join_and_exit(const struct join_options *options, int out_fd)
{
	struct err err = { 0 };
	err.code = join(options, &err);
	ssize_t n = write(out_fd, &err, sizeof(err));
	_exit(n == sizeof(err) ? 0 : 1);
}

enum err_code members_join_as(struct rig *rig, const char *name, int as, const char *manager,
			      const char *token, struct err *ret_said)
{
	int fds[2];
	struct join_options options = { .dir = members_dir(rig, name),
					.manager = manager,
					.token = token,
					.name = "test",
					.as = as };
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		join_and_exit(&options, fds[1]);
	close(fds[1]);
	assert_int_equal(turn_until_ended(rig, pid), 0);
	assert_int_equal(read(fds[0], ret_said, sizeof(*ret_said)), sizeof(*ret_said));
	close(fds[0]);
	return ret_said->code;
}

enum err_code members_join(struct rig *rig, const char *name, const char *manager,
			   const char *token, struct err *ret_said)
{
	return members_join_as(rig, name, JOINER_ANY, manager, token, ret_said);
}

void members_load(struct rig *rig, const char *name, struct member *ret_member)
{
	struct err err;
	*ret_member = (struct member){ 0 };
	if (membership_load(members_dir(rig, name), &ret_member->membership, &err) ||
	    member_endpoint(&ret_member->membership, &ret_member->endpoint, &err))
		fail_msg("%s: %s", name, err.message);
	ret_member->http = http_client_new(rig->base, &ret_member->endpoint, 1);
}

void members_make(struct rig *rig, const char *name, const char *role, struct member *ret_member)
{
	char token[TOKEN_TEXT_SIZE], manager[ENDPOINT_TEXT_SIZE];
	struct err said;
	members_token(rig, role, 1, token, manager);
	if (members_join(rig, name, manager, token, &said))
		fail_msg("%s cannot join: %s", name, said.message);
	members_load(rig, name, ret_member);
}

void members_release(struct member *member)
{
	http_client_free(member->http);
	member_endpoint_release(&member->endpoint);
	membership_release(&member->membership);
}

void members_start_worker(struct rig *rig, struct member *member)
{
	struct err err = { 0 };
	struct worker_daemon_options options = rig_worker_options(rig);
	options.manager = &member->endpoint;
	options.membership = &member->membership;
	if (worker_daemon_new(rig->base, &options, &rig->worker, &err))
		fail_msg("the worker does not start: %s", err.message);
}

char *members_issue(struct rig *rig, const struct access_name *name, const char *key_pem,
		    int64_t issued_s)
{
	struct authority *authority = NULL;
	struct csr *csr = NULL;
	struct err err;
	_cleanup_free_ char *csr_pem = NULL;
	char *pem = NULL;
	char dir[128];
	text_print(dir, sizeof(dir), "%s/trust", rig->folder);
	if (authority_open(dir, issued_s, &authority, &err) || csr_make(key_pem, &csr_pem, &err) ||
	    csr_read(csr_pem, strlen(csr_pem), &csr, &err) ||
	    authority_issue(authority, csr, name, issued_s, &pem, &err))
		fail_msg("%s", err.message);
	csr_free(csr);
	authority_free(authority);
	return pem;
}

void members_age(struct rig *rig, struct member *member, int64_t issued_s)
{
	struct err err;
	_cleanup_free_ char *pem = members_issue(rig, &member->membership.certificate.name,
						 member->membership.key_pem, issued_s);
	if (membership_renew(&member->membership, pem, &err) ||
	    tls_context_set_certificate(member->endpoint.tls, pem, member->membership.key_pem,
					&err))
		fail_msg("%s", err.message);
	http_client_free(member->http);
	member->http = http_client_new(rig->base, &member->endpoint, 1);
}

/* ---- calls --------------------------------------------------------------------------------------------- */

struct pending {
	bool done;
	int status;
	struct text body;
	struct err *said;
};

static void on_head(void *owner, struct http_call *call, const struct http_head *head)
{
	struct pending *pending = owner;
	struct http_view type = http_header_get(head, "content-type");
	pending->status = head->status;
	/* It would never end. */
	if (type.len >= 10 && memcmp(type.bytes, "text/event", 10) == 0) {
		pending->done = true;
		http_call_cancel(call);
	}
}

static void on_body(void *owner, struct http_call *call, const void *bytes, size_t len)
{
	struct pending *pending = owner;
	(void)call;
	text_add_bytes(&pending->body, bytes, len);
}

static void on_done(void *owner, struct http_call *call, const struct err *err, enum http_sent sent,
		    int status, struct http_view body)
{
	struct pending *pending = owner;
	(void)call;
	(void)sent;
	(void)body;
	pending->done = true;
	pending->status = err ? 0 : status;
	if (err && pending->said)
		*pending->said = *err;
}

static bool is_done(struct rig *rig, const void *pending)
{
	(void)rig;
	return ((const struct pending *)pending)->done;
}

int members_call(struct rig *rig, struct http_client *http, const char *method, const char *target,
		 const char *body, char text[1024], struct err *ret_said)
{
	static const struct http_call_events events = { on_head, on_body, on_done };
	struct pending pending = { .said = ret_said };
	text_init(&pending.body, 1023);
	struct http_call_options options = { .method = method,
					     .target = target,
					     .content_type = body ? "application/json" : NULL,
					     .body = body,
					     .body_len = body ? strlen(body) : 0,
					     .timeout_ms = CALL_MS };
	http_client_call(http, &options, &events, &pending);
	rig_until(rig, target, is_done, &pending);
	if (text)
		text_print(text, 1024, "%s", text_string(&pending.body));
	text_release(&pending.body);
	return pending.status;
}
