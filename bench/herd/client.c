/* Who submits and who asks is a process of its own, as a user is: it does not wait for the workers that the bench
 * plays. A byte says what it is to do, and the time at which it was done comes back. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "herd.h"

#define JOB_TASKS 1000

static void submit_all(struct server *server, int64_t n_tasks)
{
	char body[512];
	int64_t share = (n_tasks + LIMIT_JOBS_PER_PROJECT - 1) / LIMIT_JOBS_PER_PROJECT;
	int64_t size = share > JOB_TASKS ? share : JOB_TASKS;
	for (int64_t first = 0; first < n_tasks; first += size) {
		int64_t n = n_tasks - first;
		text_print(body, sizeof(body),
			   "{\"project\":\"herd\",\"job\":{\"name\":\"job-%lld\",\"spec\":{"
			   "\"image\":\"registry.example/team/service:1.2.3\",\"has_command\":true,"
			   "\"command\":[\"serve\",\"--port\",\"8080\"],\"environment\":{\"MODE\":"
			   "\"production\",\"LEVEL\":\"info\"},\"replicas\":%lld,"
			   "\"reservations\":{\"cpu_milli\":100,\"memory_bytes\":67108864}}}}",
			   (long long)(first / size), (long long)(n < size ? n : size));
		server_post(server, "/v1/jobs", body);
	}
	while (server->n_waiting)
		event_base_loop(server->base, EVLOOP_ONCE);
}

static void serve(struct server *server, int64_t n_tasks, int fd)
{
	char byte;
	while (read(fd, &byte, 1) == 1) {
		if (byte == CLIENT_SUBMIT)
			submit_all(server, n_tasks);
		else
			server_wait(server);
		double done_s = monotonic_s();
		if (write(fd, &done_s, sizeof(done_s)) != (ssize_t)sizeof(done_s))
			_exit(1);
	}
	_exit(0);
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;
	(void)what;
	if (read(fd, &client->done_s, sizeof(client->done_s)) != (ssize_t)sizeof(double))
		die("the process that submits and asks has ended");
	client->busy = false;
}

void client_start(struct client *client, struct event_base *base, const struct server *server,
		  int64_t n_tasks)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		die("cannot make a pair of sockets");
	client->pid = fork();
	if (client->pid < 0)
		die("cannot fork");
	if (client->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		struct server own = *server;
		server_as_client(&own);
		serve(&own, n_tasks, fds[1]);
	}
	close(fds[1]);
	client->fd = fds[0];
	client->done = event_new(base, client->fd, EV_READ | EV_PERSIST, on_done, client);
	event_add(client->done, NULL);
}

void client_begin(struct client *client, enum client_verb verb)
{
	char byte = (char)verb;
	client->busy = true;
	if (write(client->fd, &byte, 1) != 1)
		die("the process that submits and asks has ended");
}

void client_end(struct client *client)
{
	event_free(client->done);
	close(client->fd);
	waitpid(client->pid, NULL, 0);
}
