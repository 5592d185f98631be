/* The child is ours until waitpid() has told its end: closing the output does not mean it has exited. */
#include "runtime/docker_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/text.h"

#define EXIT_POLL_MS 10

struct docker_helper {
	pid_t pid;
	int output_fd;
	struct event *readable;
	struct event *deadline;
	struct event *exit_poll;
	struct text output;
	void (*done)(void *owner, const struct err *err, bool well, const char *output, size_t len);
	void *owner;
};

static void reap(struct docker_helper *helper)
{
	if (helper->pid <= 0)
		return;
	kill(helper->pid, SIGKILL);
	while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	helper->pid = 0;
}

void docker_helper_cancel(struct docker_helper *helper)
{
	reap(helper);
	event_free(helper->readable);
	event_free(helper->deadline);
	event_free(helper->exit_poll);
	close(helper->output_fd);
	if (helper->output.bytes)
		explicit_bzero(helper->output.bytes, helper->output.len);
	text_release(&helper->output);
	base_free(helper);
}

static void fail(struct docker_helper *helper, enum err_code code, const char *message)
{
	struct err err = { 0 };
	err_set(&err, code, "%s", message);
	helper->done(helper->owner, &err, false, NULL, 0);
	docker_helper_cancel(helper);
}

static void poll_later(struct docker_helper *helper)
{
	const struct timeval delay = { 0, EXIT_POLL_MS * 1000 };
	event_add(helper->exit_poll, &delay);
}

static void on_exit_poll(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	struct docker_helper *helper = argument;
	int status = 0;
	pid_t pid = waitpid(helper->pid, &status, WNOHANG);
	if (pid == 0) {
		poll_later(helper);
		return;
	}
	helper->pid = 0;
	bool well = pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	helper->done(helper->owner, NULL, well, text_string(&helper->output), helper->output.len);
	docker_helper_cancel(helper);
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
	(void)what;
	struct docker_helper *helper = argument;
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		text_add_bytes(&helper->output, bytes, (size_t)n);
		explicit_bzero(bytes, sizeof(bytes));
		if (helper->output.cut)
			fail(helper, ERR_TOO_LARGE, "the credential helper's answer is too long");
		return;
	}
	event_del(helper->readable);
	on_exit_poll(-1, 0, helper);
}

static void on_deadline(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	fail(argument, ERR_TIMEOUT, "the credential helper gave no answer in time");
}

/* Start PROGRAM with its ends of two pipes. An errno. */
static int spawn(const char *program, int input_fd, int output_fd, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int failed = posix_spawn_file_actions_init(&actions);
	if (failed)
		return failed;
	char name[128];
	text_print(name, sizeof(name), "%s", program);
	char get[] = "get";
	char *arguments[] = { name, get, NULL };
	failed = posix_spawn_file_actions_adddup2(&actions, input_fd, STDIN_FILENO);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
	if (!failed)
		failed = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
							  O_WRONLY, 0);
	if (!failed)
		failed = posix_spawnp(ret_pid, program, &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static void close_pair(int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

/* Pipes, child, input written. ERR_NONE: `*ret_fd` is the child's output. */
static enum err_code begin(const char *program, const char *input, pid_t *ret_pid, int *ret_fd,
			   struct err *err)
{
	int input_pair[2], output_pair[2];
	if (pipe2(input_pair, O_CLOEXEC) < 0)
		return err_set(err, ERR_IO, "%s: no pipe: %s", program, strerror(errno));
	if (pipe2(output_pair, O_CLOEXEC) < 0) {
		close_pair(input_pair);
		return err_set(err, ERR_IO, "%s: no pipe: %s", program, strerror(errno));
	}
	int failed = spawn(program, input_pair[0], output_pair[1], ret_pid);
	close(input_pair[0]);
	close(output_pair[1]);
	if (!failed) {
		/* Shorter than a pipe holds, so it cannot block; a child that is gone already shows by its exit. */
		ssize_t ignored = write(input_pair[1], input, strlen(input));
		(void)ignored;
	}
	close(input_pair[1]);
	if (failed) {
		close(output_pair[0]);
		return err_set(err, failed == ENOENT ? ERR_NOT_FOUND : ERR_IO,
			       "the credential helper %s cannot be started: %s", program,
			       strerror(failed));
	}
	fcntl(output_pair[0], F_SETFL, O_NONBLOCK);
	*ret_fd = output_pair[0];
	return ERR_NONE;
}

struct docker_helper *docker_helper_start(struct event_base *base, const char *program,
					  const char *input, int64_t timeout_ms,
					  void (*done)(void *owner, const struct err *err,
						       bool well, const char *output, size_t len),
					  void *owner, struct err *err)
{
	PRE(strlen(input) < 4096);
	pid_t pid;
	int fd;
	if (begin(program, input, &pid, &fd, err))
		return NULL;
	struct docker_helper *helper = base_calloc(1, sizeof(*helper));
	helper->pid = pid;
	helper->output_fd = fd;
	helper->done = done;
	helper->owner = owner;
	text_init(&helper->output, DOCKER_HELPER_OUTPUT_BYTES_MAX);
	helper->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, helper);
	helper->deadline = evtimer_new(base, on_deadline, helper);
	helper->exit_poll = evtimer_new(base, on_exit_poll, helper);
	INVARIANT(helper->readable && helper->deadline && helper->exit_poll);
	const struct timeval limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	event_add(helper->readable, NULL);
	event_add(helper->deadline, &limit);
	return helper;
}
