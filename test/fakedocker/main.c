/* fakedocker --socket PATH [--script TEXT] [--api-minor N] [-- PROGRAM ARGUMENT...]
 *
 * A Docker daemon that is none. SIGUSR1 restarts it. With a program it serves while that runs, and ends as that does;
 * else until SIGTERM. */
#include <getopt.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/parse.h"
#include "fakedocker.h"

/* The program that is served. */
struct child {
	struct event_base *base;
	pid_t pid; /* 0: none */
	int status;
};

static void on_signal(evutil_socket_t signal, short what, void *base)
{
	(void)signal, (void)what;
	event_base_loopbreak(base);
}

static void on_restart(evutil_socket_t signal, short what, void *argument)
{
	(void)signal, (void)what;
	struct err err;
	fakedocker_stop(argument);
	if (fakedocker_start(argument, &err)) {
		fprintf(stderr, "fakedocker: %s\n", err.message);
		exit(1);
	}
}

static void on_child(evutil_socket_t signal, short what, void *argument)
{
	(void)signal, (void)what;
	struct child *child = argument;
	int status;
	if (child->pid <= 0 || waitpid(child->pid, &status, WNOHANG) != child->pid)
		return;
	child->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	event_base_loopbreak(child->base);
}

static int serve(const struct fakedocker_options *options, char **program)
{
	struct err err;
	struct fakedocker *fakedocker = NULL;
	struct event_base *base = event_base_new();
	if (fakedocker_open(base, options, &fakedocker, &err)) {
		fprintf(stderr, "fakedocker: %s\n", err.message);
		event_base_free(base);
		return 1;
	}
	struct child child = { .base = base };
	struct event *events[] = { evsignal_new(base, SIGTERM, on_signal, base),
				   evsignal_new(base, SIGINT, on_signal, base),
				   evsignal_new(base, SIGUSR1, on_restart, fakedocker),
				   evsignal_new(base, SIGCHLD, on_child, &child) };
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		event_add(events[i], NULL);
	printf("ready\n");
	fflush(stdout);
	if (*program && posix_spawnp(&child.pid, *program, NULL, NULL, program, environ) != 0) {
		fprintf(stderr, "fakedocker: cannot run %s\n", *program);
		child.status = 1;
	} else {
		event_base_dispatch(base);
	}
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		event_free(events[i]);
	fakedocker_close(fakedocker);
	event_base_free(base);
	return child.status;
}

int main(int argc, char **argv)
{
	static const struct option flags[] = { { "socket", required_argument, NULL, 's' },
					       { "script", required_argument, NULL, 'f' },
					       { "api-minor", required_argument, NULL, 'a' },
					       { 0 } };
	struct fakedocker_options options = { 0 };
	int64_t minor;
	int flag;
	while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		if (flag == 's')
			options.socket_path = optarg;
		else if (flag == 'f')
			options.script = optarg;
		else if (flag == 'a' && parse_int(optarg, 1, 99, &minor, NULL) == ERR_NONE)
			options.api_minor = (int)minor;
		else
			return 2;
	}
	if (!options.socket_path) {
		fprintf(stderr, "usage: fakedocker --socket PATH [--script TEXT] "
				"[--api-minor N] [-- PROGRAM ARGUMENT...]\n");
		return 2;
	}
	return serve(&options, argv + optind);
}
