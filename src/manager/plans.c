/* What a child writes into its pipe: an error's code and a line break; then the plan as JSON, or the field, a line
 * break and the message. */
#include "manager/plans.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/json.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "manager/rebalance.h"
#include "manager/rehearse.h"

struct plan_child {
	struct plans *plans;
	uint64_t handle; /* of the client that waits */
	pid_t pid;
	int fd;
	struct event *readable;
	struct event *deadline;
	struct evbuffer *answer;
	struct plan_child *next;
};

struct plans {
	struct event_base *base;
	struct api_server *server;
	struct plan_child *children;
	size_t n_children;
};

/* ---- the child ----------------------------------------------------------------------------------------- */

static void default_signals(void)
{
	static const int caught[] = { SIGINT,  SIGTERM, SIGHUP, SIGPIPE, SIGCHLD, SIGUSR1,
				      SIGUSR2, SIGSEGV, SIGBUS, SIGABRT, SIGILL,  SIGFPE };
	sigset_t none;
	for (size_t i = 0; i < ARRAY_LEN(caught); i++)
		signal(caught[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The manager's sockets, its store and the lock of its folder are not ours to hold. */
static int keep_only(int pipe_fd)
{
	int fd = dup2(pipe_fd, STDERR_FILENO + 1);
	if (fd < 0)
		_exit(2);
	if (close_range((unsigned)fd + 1, ~0u, 0) == 0)
		return fd;
	long n = sysconf(_SC_OPEN_MAX);
	for (int other = fd + 1; other < (n > 0 ? (int)n : 1024); other++)
		close(other);
	return fd;
}

static void write_whole(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(2);
		bytes += n;
		len -= (size_t)n;
	}
}

/* As text; or the message of the error. */
static char *make_plan(struct manager *manager, const struct manager_in *in,
		       const struct manager_request *request, struct err *err)
{
	struct project_plan plan;
	struct rebalance_plan moves;
	if (request->kind == REQUEST_REBALANCE) {
		manager_plan_rebalance(manager, in, &moves);
		return json_write_record(&rebalance_plan_type, &moves, JSON_ANSWER);
	}
	if (manager_rehearse(manager, in, request, &plan, err))
		return base_strdup(err->message);
	return json_write_record(&project_plan_type, &plan, JSON_ANSWER);
}

/* A rehearsal makes pages of its own of a world that may be large: where memory runs out, it is to go and not the
 * manager. */
static void die_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, "1000", 4);
	close(fd);
}

static _Noreturn void run_child(struct manager *manager, const struct manager_in *in,
				const struct manager_request *request, int pipe_fd, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(2);
	default_signals();
	/* None is needed, and a sandbox may forbid them. */
	(void)!nice(10);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	die_first();
	int fd = keep_only(pipe_fd);
	struct err err = { 0 };
	char head[32 + ERR_FIELD_MAX];
	char *body = make_plan(manager, in, request, &err);
	enum err_code code = err.code;
	text_print(head, sizeof(head), "%d\n%s%s", (int)code, code ? err.field : "",
		   code ? "\n" : "");
	write_whole(fd, head, strlen(head));
	write_whole(fd, body, strlen(body));
	_exit(0);
}

/* ---- the parent ---------------------------------------------------------------------------------------- */

static void child_free(struct plan_child *child)
{
	struct plan_child **at = &child->plans->children;
	while (*at != child)
		at = &(*at)->next;
	*at = child->next;
	child->plans->n_children--;
	event_free(child->readable);
	event_free(child->deadline);
	evbuffer_free(child->answer);
	close(child->fd);
	base_free(child);
}

/* How it ended, as waitpid() says; -1: nobody knows, so it may have crashed. */
static int reap(const struct plan_child *child)
{
	int status = 0;
	pid_t pid;
	while ((pid = waitpid(child->pid, &status, 0)) < 0 && errno == EINTR)
		continue;
	return pid == child->pid ? status : -1;
}

static void refuse(struct api_server *server, uint64_t handle, const struct err *err)
{
	api_server_reply(server, &(struct manager_reply){ .handle = handle, .err = *err });
}

/* The error's code that the answer begins with; ERR_CODE_COUNT: it does not. */
static enum err_code read_code(struct evbuffer *answer)
{
	int64_t code = ERR_CODE_COUNT;
	struct err err;
	char *line = evbuffer_readln(answer, NULL, EVBUFFER_EOL_LF);
	if (!line || parse_int(line, ERR_NONE, ERR_CODE_COUNT - 1, &code, &err))
		code = ERR_CODE_COUNT;
	free(line);
	return (enum err_code)code;
}

static void answer(struct plan_child *child, int status)
{
	struct api_server *server = child->plans->server;
	struct err err = { 0 };
	enum err_code code = status == 0 ? read_code(child->answer) : ERR_CODE_COUNT;
	char *field =
		code != ERR_NONE ? evbuffer_readln(child->answer, NULL, EVBUFFER_EOL_LF) : NULL;
	size_t len = evbuffer_get_length(child->answer);
	const char *body = (const char *)evbuffer_pullup(child->answer, -1);
	if (code == ERR_NONE && body) {
		api_server_reply_text(server, child->handle, body, len);
	} else {
		if (code < ERR_CODE_COUNT && field && body)
			err_set_field(&err, code, field, "%.*s", (int)len, body);
		else
			err_set(&err, ERR_INTERNAL,
				"the process that made the plan has ended (status %d)", status);
		refuse(server, child->handle, &err);
	}
	free(field);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct plan_child *child = arg;
	int n;
	(void)what;
	while ((n = evbuffer_read(child->answer, fd, -1)) > 0)
		continue;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	answer(child, reap(child));
	child_free(child);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct plan_child *child = arg;
	struct err err;
	(void)fd;
	(void)what;
	kill(child->pid, SIGKILL);
	reap(child);
	err_set(&err, ERR_TIMEOUT, "the plan was not ready after %d seconds", LIMIT_PLAN_MS / 1000);
	refuse(child->plans->server, child->handle, &err);
	child_free(child);
}

static void watch(struct plans *plans, uint64_t handle, pid_t pid, int fd)
{
	struct plan_child *child = base_calloc(1, sizeof(*child));
	*child = (struct plan_child){ .plans = plans,
				      .handle = handle,
				      .pid = pid,
				      .fd = fd,
				      .answer = evbuffer_new(),
				      .next = plans->children };
	child->readable = event_new(plans->base, fd, EV_READ | EV_PERSIST, on_readable, child);
	child->deadline = event_new(plans->base, -1, 0, on_deadline, child);
	event_add(child->readable, NULL);
	event_add(child->deadline, &(struct timeval){ .tv_sec = LIMIT_PLAN_MS / 1000 });
	plans->children = child;
	plans->n_children++;
}

static enum err_code begin(struct plans *plans, struct manager *manager,
			   const struct manager_in *in, const struct manager_request *request,
			   struct err *err)
{
	int fds[2];
	if (plans->n_children >= LIMIT_PLANS_AT_ONCE)
		return err_set(err, ERR_LIMIT,
			       "%d plans are being made already, the most at a time: try again",
			       LIMIT_PLANS_AT_ONCE);
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(err, ERR_UNAVAILABLE, "no plan can be made: %s", strerror(errno));
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		run_child(manager, in, request, fds[1], parent);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_set(err, ERR_UNAVAILABLE, "no plan can be made: %s", strerror(errno));
	}
	evutil_make_socket_nonblocking(fds[0]);
	watch(plans, request->handle, pid, fds[0]);
	return ERR_NONE;
}

void plans_forget(struct plans *plans, uint64_t handle)
{
	for (struct plan_child *child = plans ? plans->children : NULL; child;
	     child = child->next) {
		if (child->handle != handle)
			continue;
		kill(child->pid, SIGKILL);
		reap(child);
		child_free(child);
		return;
	}
}

void plans_make(struct plans *plans, struct manager *manager, const struct manager_in *in,
		struct api_mutation *mutation)
{
	struct err err;
	if (begin(plans, manager, in, &mutation->request, &err))
		refuse(plans->server, mutation->request.handle, &err);
	api_mutation_free(mutation);
}

struct plans *plans_new(struct event_base *base, struct api_server *server)
{
	struct plans *plans = base_calloc(1, sizeof(*plans));
	/* Whoever started us may have ignored it, and then nobody learns how a child ended. */
	signal(SIGCHLD, SIG_DFL);
	plans->base = base;
	plans->server = server;
	return plans;
}

void plans_free(struct plans *plans)
{
	if (!plans)
		return;
	while (plans->children) {
		kill(plans->children->pid, SIGKILL);
		reap(plans->children);
		child_free(plans->children);
	}
	base_free(plans);
}
