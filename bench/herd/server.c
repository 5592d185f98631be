#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "herd.h"
#include "net/http_client.h"

#define CALLS_AT_ONCE 32
#define MB	      (1024.0 * 1024.0)

void die(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "herd: ");
	vfprintf(stderr, format, arguments);
	fprintf(stderr, "\n");
	va_end(arguments);
	exit(1);
}

double monotonic_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void pause_ms(long ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	nanosleep(&pause, NULL);
}

/* ---- the process --------------------------------------------------------------------------------------- */

static void run(const struct server *server, const char *listen)
{
	char log_path[300];
	/* It ends with us, whatever ends us. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	text_print(log_path, sizeof(log_path), "%s/log", server->dir);
	int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		_exit(126);
	setenv("DROVER_HOST", server->socket_path, 1);
	execl(server->program, server->program, "manager", "--data-dir", server->dir, "--listen",
	      listen, "--advertise", server->joined_at, (char *)NULL);
	_exit(127);
}

void server_start(struct server *server, int port)
{
	char listen[64];
	text_print(listen, sizeof(listen), "0.0.0.0:%d", port);
	text_print(server->joined_at, sizeof(server->joined_at), "127.0.0.1:%d", port);
	server->pid = fork();
	if (server->pid < 0)
		die("cannot fork");
	if (server->pid == 0)
		run(server, listen);
	server->client =
		http_client_new(server->base, ENDPOINT_OF_PATH(server->socket_path), CALLS_AT_ONCE);
}

void server_as_client(struct server *server)
{
	server->base = event_base_new();
	server->answer = NULL;
	server->n_waiting = 0;
	server->pid = 0;
	server->client =
		http_client_new(server->base, ENDPOINT_OF_PATH(server->socket_path), CALLS_AT_ONCE);
}

void server_kill(struct server *server, int signal_number)
{
	http_client_free(server->client);
	server->client = NULL;
	kill(server->pid, signal_number);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

/* ---- its API ------------------------------------------------------------------------------------------- */

static void on_done(void *owner, struct http_call *call, const struct err *err, enum http_sent sent,
		    int status, struct http_view body)
{
	struct server *server = owner;
	(void)call;
	(void)sent;
	server->n_waiting--;
	base_free(server->answer);
	server->answer = NULL;
	if (!err && status >= 400)
		die("the manager answered %d: %.*s", status, (int)body.len, body.bytes);
	if (!err)
		server->answer = base_strndup(body.bytes, body.len);
}

static void begin(struct server *server, const char *method, const char *target, const char *body)
{
	static const struct http_call_events events = { .done = on_done };
	struct http_call_options options = {
		.method = method,
		.target = target,
		.content_type = body ? "application/json" : NULL,
		.body = body,
		.body_len = body ? strlen(body) : 0,
	};
	server->n_waiting++;
	http_client_call(server->client, &options, &events, server);
}

void server_post(struct server *server, const char *target, const char *body)
{
	begin(server, "POST", target, body);
}

/* NULL: it does not answer. */
static const char *try_call(struct server *server, const char *method, const char *target,
			    const char *body)
{
	size_t n_before = server->n_waiting;
	begin(server, method, target, body);
	while (server->n_waiting > n_before)
		event_base_loop(server->base, EVLOOP_ONCE);
	return server->answer;
}

const char *server_call(struct server *server, const char *method, const char *target,
			const char *body)
{
	const char *answer = try_call(server, method, target, body);
	if (!answer)
		die("the manager does not answer; see %s/log", server->dir);
	return answer;
}

void server_check_alive(const struct server *server)
{
	if (server->pid && waitpid(server->pid, NULL, WNOHANG) != 0)
		die("the manager has ended; see %s/log", server->dir);
}

void server_wait(struct server *server)
{
	while (!try_call(server, "GET", "/v1/cluster", NULL)) {
		server_check_alive(server);
		pause_ms(2);
	}
}

int64_t server_number(const char *json, const char *name)
{
	char quoted[64];
	text_print(quoted, sizeof(quoted), "\"%s\":", name);
	const char *at = strstr(json, quoted);
	return at ? strtoll(at + strlen(quoted), NULL, 10) : -1;
}

/* "revision":"EPOCH-COMMITS". */
int64_t server_commits(struct server *server)
{
	const char *answer = server_call(server, "GET", "/v1/nodes?limit=1", NULL);
	const char *at = strstr(answer, "\"revision\":\"");
	at = at ? strchr(at + strlen("\"revision\":\""), '-') : NULL;
	return at ? strtoll(at + 1, NULL, 10) : -1;
}

/* ---- what it uses -------------------------------------------------------------------------------------- */

/* Of a line "NAME: NUMBER" in a file of /proc. */
static int64_t proc_number(pid_t pid, const char *file, const char *name)
{
	char path[64];
	char line[256];
	int64_t number = 0;
	text_print(path, sizeof(path), "/proc/%d/%s", pid, file);
	FILE *stream = fopen(path, "re");
	while (stream && fgets(line, sizeof(line), stream))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			number = strtoll(line + strlen(name) + 1, NULL, 10);
	if (stream)
		fclose(stream);
	return number;
}

static double cpu_of_process_s(pid_t pid)
{
	char path[64];
	char line[1024];
	text_print(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *stream = fopen(path, "re");
	/* Behind the name in parentheses; the state is the third field, the two times are the 14th and 15th. */
	char *at = stream && fgets(line, sizeof(line), stream) ? strrchr(line, ')') : NULL;
	for (int field = 2; at && field < 14; field++)
		at = strchr(at + 1, ' ');
	long long ticks = at ? strtoll(at, &at, 10) : 0;
	ticks += at ? strtoll(at, NULL, 10) : 0;
	if (stream)
		fclose(stream);
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double cpu_of_usage_s(int who)
{
	struct rusage usage;
	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

void usage_read(struct server *server, const struct herd *herd, struct usage *ret_usage)
{
	*ret_usage = (struct usage){
		.wall_s = monotonic_s(),
		.server_cpu_s = cpu_of_process_s(server->pid),
		.herd_cpu_s = cpu_of_usage_s(RUSAGE_SELF),
		.commits = server_commits(server),
		.n_downs = herd->n_downs,
		.n_ups = herd->n_ups,
		/* Besides sockets the herd reads and writes next to nothing. */
		.sent_bytes = proc_number(getpid(), "io", "wchar"),
		.received_bytes = proc_number(getpid(), "io", "rchar"),
		.disk_bytes = proc_number(server->pid, "io", "write_bytes"),
		.peak_mb = (double)proc_number(server->pid, "status", "VmHWM") * 1024 / MB,
		.anonymous_mb = (double)proc_number(server->pid, "status", "RssAnon") * 1024 / MB,
	};
}

void usage_reset_peak(const struct server *server)
{
	char path[64];
	text_print(path, sizeof(path), "/proc/%d/clear_refs", server->pid);
	FILE *stream = fopen(path, "we");
	if (!stream)
		return;
	fputs("5", stream);
	fclose(stream);
}
