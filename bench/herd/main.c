/* How the control plane does with many workers and tasks. Against a manager of its own, with the durable store:
 *
 * join      every worker joins with a token and opens its session
 * run       TASKS tasks are submitted as jobs of 1,000, or as 500 jobs, by another process: from the first request
 *           until all are reported Running
 * steady    heartbeats and statistics, nothing else
 * kill one  a worker is switched off: until all tasks run on the others
 * kill a tenth of the workers: the same
 * restart   the manager is killed (SIGKILL) and started: until it answers that other process
 * back      until all workers are back and all tasks are known to run
 *
 * Asserts nothing, prints a table. The data folder is made in TMPDIR (/tmp), which should be a disk.
 *
 * usage: herd DROVER [WORKERS [TASKS [SECONDS_STEADY]]]      (100 10000 5) */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/join.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "herd.h"
#include "net/shell.h"

#define JOINERS			32
#define JOIN_TRIES		100
#define POLL_MS			10
#define PATIENCE_S		3600
#define DESCRIPTORS		65536
#define CONNECTIONS_PER_ADDRESS 10000

/* Read by jemalloc. The memory of all workers together is large, and on machines of their own theirs would be small. */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:1,thp:always";

struct bench {
	struct server server;
	struct herd herd;
	int64_t n_tasks;
	int64_t steady_s;
	int port;
	char members_dir[64];
	char token[128];
	struct client client;
	double judges_from_s; /* monotonic: no node is judged before */
};

/* ---- waiting ------------------------------------------------------------------------------------------- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void run_loop_ms(struct bench *bench, int64_t ms)
{
	struct timeval tick = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	double end_s = monotonic_s() + (double)ms / 1000;
	event_base_once(bench->herd.base, -1, EV_TIMEOUT, on_tick, NULL, &tick);
	do
		event_base_loop(bench->herd.base, EVLOOP_ONCE);
	while (monotonic_s() < end_s);
}

static int64_t count_running(struct bench *bench)
{
	return server_number(server_call(&bench->server, "GET", "/v1/cluster", NULL),
			     "tasks_running");
}

/* What the workers know is asked first: it costs nobody anything. */
static bool all_run(struct bench *bench)
{
	return bench->herd.n_running == bench->n_tasks && count_running(bench) == bench->n_tasks;
}

static void wait_until(struct bench *bench, bool (*done)(struct bench *bench), const char *what)
{
	double end_s = monotonic_s() + PATIENCE_S;
	while (!done(bench)) {
		if (monotonic_s() > end_s)
			die("not within %d s: %s (%lld tasks run, %zu workers are connected)",
			    PATIENCE_S, what, (long long)bench->herd.n_running, bench->herd.n_told);
		run_loop_ms(bench, POLL_MS);
	}
}

/* ---- the table ----------------------------------------------------------------------------------------- */

static void print_head(void)
{
	printf("| phase | s | tasks/s | commits | messages down, thousands | up | to workers MB | "
	       "from workers MB | disk MB | manager CPU s | herd CPU s | peak MB | anonymous MB |\n"
	       "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
	fflush(stdout);
}

static void print_phase(struct bench *bench, const char *name, const struct usage *before,
			double seconds, int64_t n_tasks)
{
	struct usage after;
	char rate[32] = "";
	usage_read(&bench->server, &bench->herd, &after);
	if (n_tasks)
		snprintf(rate, sizeof(rate), "%.0f", (double)n_tasks / seconds);
	printf("| %s | %.2f | %s | %lld | %.1f | %.1f | %.1f | %.1f | %.1f | %.2f | %.2f | %.1f | "
	       "%.1f |\n",
	       name, seconds, rate, (long long)(after.commits - before->commits),
	       (double)(after.n_downs - before->n_downs) / 1e3,
	       (double)(after.n_ups - before->n_ups) / 1e3,
	       (double)(after.received_bytes - before->received_bytes) / 1e6,
	       (double)(after.sent_bytes - before->sent_bytes) / 1e6,
	       (double)(after.disk_bytes - before->disk_bytes) / 1e6,
	       after.server_cpu_s - before->server_cpu_s, after.herd_cpu_s - before->herd_cpu_s,
	       after.peak_mb, after.anonymous_mb);
	fflush(stdout);
}

static void begin_phase(struct bench *bench, struct usage *ret_usage)
{
	usage_reset_peak(&bench->server);
	usage_read(&bench->server, &bench->herd, ret_usage);
}

/* ---- join ---------------------------------------------------------------------------------------------- */

static char *member_dir(const struct bench *bench, size_t number, char out[96])
{
	return text_print(out, 96, "%s/%zu", bench->members_dir, number);
}

/* From one address to one other there are not ports enough for all. */
static void join_one(const struct bench *bench, size_t number)
{
	char dir[96];
	char name[32];
	char manager[64];
	struct err err;
	text_print(name, sizeof(name), "herd-%zu", number + 1);
	text_print(manager, sizeof(manager), "127.0.0.%zu:%d", 1 + number / CONNECTIONS_PER_ADDRESS,
		   bench->port);
	struct join_options options = {
		.dir = member_dir(bench, number, dir),
		.manager = manager,
		.token = bench->token,
		.name = name,
		.as = JOINER_WORKER,
	};
	/* A machine that is too busy for a handshake in time is no reason to give up. */
	for (int tries = 1; join(&options, &err); tries++) {
		if (tries == JOIN_TRIES)
			die("worker %zu cannot join: %s", number, err.message);
		pause_ms(100);
	}
}

/* A process that joins every JOINERS-th worker and tells the number of each. */
static pid_t fork_joiner(const struct bench *bench, size_t first, int pipe_fd)
{
	pid_t pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = first; i < bench->herd.n_workers; i += JOINERS) {
		join_one(bench, i);
		if (write(pipe_fd, &i, sizeof(i)) != (ssize_t)sizeof(i))
			_exit(1);
	}
	_exit(0);
}

static void on_joined(evutil_socket_t fd, short what, void *arg)
{
	struct bench *bench = arg;
	size_t number;
	char dir[96];
	(void)what;
	if (read(fd, &number, sizeof(number)) == (ssize_t)sizeof(number))
		herd_worker_start(&bench->herd, number, member_dir(bench, number, dir));
}

static bool first_is_connected(struct bench *bench)
{
	return bench->herd.n_told >= 1;
}

static size_t n_expected(const struct bench *bench)
{
	size_t n = 0;
	for (size_t i = 0; i < bench->herd.n_workers; i++)
		n += !bench->herd.workers[i].killed;
	return n;
}

static bool all_are_connected(struct bench *bench)
{
	return bench->herd.n_told == n_expected(bench);
}

static void make_token(struct bench *bench)
{
	const char *answer = server_call(&bench->server, "POST", "/v1/tokens",
					 "{\"role\":\"worker\",\"uses\":20000}");
	const char *at = strstr(answer, "\"token\":\"");
	if (!at)
		die("there is no token");
	at += strlen("\"token\":\"");
	text_print(bench->token, sizeof(bench->token), "%.*s", (int)strcspn(at, "\""), at);
}

/* The first alone: once a worker has come from an address, many may join from there. */
static void join_all(struct bench *bench)
{
	struct usage before;
	pid_t joiners[JOINERS];
	size_t n_joiners = 0;
	int fds[2];
	char dir[96];
	begin_phase(bench, &before);
	if (pipe(fds) < 0)
		die("cannot make a pipe");
	join_one(bench, 0);
	herd_worker_start(&bench->herd, 0, member_dir(bench, 0, dir));
	wait_until(bench, first_is_connected, "the first worker is connected");
	for (; n_joiners < JOINERS && n_joiners + 1 < bench->herd.n_workers; n_joiners++)
		joiners[n_joiners] = fork_joiner(bench, n_joiners + 1, fds[1]);
	struct event *joined =
		event_new(bench->herd.base, fds[0], EV_READ | EV_PERSIST, on_joined, bench);
	event_add(joined, NULL);
	wait_until(bench, all_are_connected, "all workers are connected");
	event_free(joined);
	close(fds[0]);
	close(fds[1]);
	for (size_t i = 0; i < n_joiners; i++)
		waitpid(joiners[i], NULL, 0);
	print_phase(bench, "join", &before, monotonic_s() - before.wall_s, 0);
}

/* ---- the phases ---------------------------------------------------------------------------------------- */

static bool client_is_done(struct bench *bench)
{
	server_check_alive(&bench->server);
	return !bench->client.busy;
}

static void run_all(struct bench *bench)
{
	struct usage before;
	begin_phase(bench, &before);
	client_begin(&bench->client, CLIENT_SUBMIT);
	wait_until(bench, all_run, "all tasks run");
	double took_s = monotonic_s() - before.wall_s;
	wait_until(bench, client_is_done, "all jobs are known to be accepted");
	print_phase(bench, "run", &before, took_s, bench->n_tasks);
	printf("| (of it until the last job was accepted) | %.2f | | | | | | | | | | | |\n",
	       bench->client.done_s - before.wall_s);
}

static void stand(struct bench *bench)
{
	struct usage before;
	begin_phase(bench, &before);
	run_loop_ms(bench, bench->steady_s * 1000);
	print_phase(bench, "steady", &before, monotonic_s() - before.wall_s, 0);
}

/* No node is judged soon after the manager's start. */
static void wait_for_judges(struct bench *bench)
{
	double left_s = bench->judges_from_s - monotonic_s();
	if (left_s > 0)
		run_loop_ms(bench, (int64_t)(left_s * 1000));
}

/* The scheduler leaves some machines empty. Every tenth is for kill. */
static size_t one_with_tasks(const struct bench *bench)
{
	for (size_t i = 0; i < bench->herd.n_workers; i++)
		if (i % 10 && bench->herd.workers[i].fake.n_running)
			return i;
	die("no worker has a task");
}

/* `n` workers, every tenth from `first`. */
static void kill_some(struct bench *bench, const char *name, size_t first, size_t n)
{
	struct usage before;
	int64_t n_ran = bench->herd.n_running;
	wait_for_judges(bench);
	begin_phase(bench, &before);
	for (size_t i = 0; i < n; i++)
		herd_worker_kill(&bench->herd.workers[first + i * 10]);
	int64_t n_lost = n_ran - bench->herd.n_running;
	wait_until(bench, all_run, "the tasks of those that were killed run elsewhere");
	double took_s = monotonic_s() - before.wall_s;
	print_phase(bench, name, &before, took_s, n_lost);
	printf("| (of it after the %d s of the heartbeat's timeout) | %.2f | | | | | | | | | | | "
	       "|\n",
	       LIMIT_NODE_SILENT_MS / 1000, took_s - LIMIT_NODE_SILENT_MS / 1000.0);
}

static void restart(struct bench *bench)
{
	struct usage before = { 0 };
	server_kill(&bench->server, SIGKILL);
	/* The workers see that it is gone. */
	run_loop_ms(bench, 200);
	server_start(&bench->server, bench->port);
	double started_s = monotonic_s();
	client_begin(&bench->client, CLIENT_ASK);
	wait_until(bench, client_is_done, "the manager answers again");
	usage_read(&bench->server, &bench->herd, &before);
	before = (struct usage){ .herd_cpu_s = before.herd_cpu_s,
				 .n_downs = before.n_downs,
				 .n_ups = before.n_ups,
				 .sent_bytes = before.sent_bytes,
				 .received_bytes = before.received_bytes };
	print_phase(bench, "restart", &before, bench->client.done_s - started_s, 0);
	before.wall_s = monotonic_s();
	usage_read(&bench->server, &bench->herd, &before);
	wait_until(bench, all_are_connected, "all workers are back");
	wait_until(bench, all_run, "all tasks are known to run");
	print_phase(bench, "back", &before, monotonic_s() - before.wall_s, 0);
}

/* ---- begin and end ------------------------------------------------------------------------------------- */

static int free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		die("there is no free port");
	close(fd);
	return ntohs(address.sin_port);
}

static void lift_descriptors(void)
{
	struct rlimit limit = { DESCRIPTORS, DESCRIPTORS };
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Memberships are the workers' disks: in memory where there is such a folder. */
static void make_folders(struct bench *bench)
{
	const char *temporary = getenv("TMPDIR");
	text_print(bench->server.dir, sizeof(bench->server.dir), "%s/herd-XXXXXX",
		   temporary ? temporary : "/tmp");
	text_print(bench->members_dir, sizeof(bench->members_dir), "%s/herd-XXXXXX",
		   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(bench->server.dir) || !mkdtemp(bench->members_dir))
		die("cannot make a folder");
	text_print(bench->server.socket_path, sizeof(bench->server.socket_path), "%s/socket",
		   bench->server.dir);
}

static int64_t argument(int argc, char **argv, int at, int64_t fallback)
{
	int64_t value = fallback;
	struct err err;
	if (at < argc && parse_int(argv[at], 1, LIMIT_TASKS, &value, &err))
		die("%s: %s", argv[at], err.message);
	return value;
}

static void remove_folder(const char *dir)
{
	pid_t pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	if (argc < 2)
		die("usage: herd DROVER [WORKERS [TASKS [SECONDS_STEADY]]]");
	size_t n_workers = (size_t)argument(argc, argv, 2, 100);
	bench.n_tasks = argument(argc, argv, 3, 10000);
	bench.steady_s = argument(argc, argv, 4, 5);
	if (n_workers > LIMIT_NODES)
		die("at most %d workers", LIMIT_NODES);
	shell_install_crash_handler();
	lift_descriptors();
	make_folders(&bench);
	struct event_base *base = event_base_new();
	herd_init(&bench.herd, base, n_workers, bench.n_tasks);
	bench.server.base = base;
	bench.server.program = argv[1];
	bench.port = free_port();
	server_start(&bench.server, bench.port);
	server_wait(&bench.server);
	bench.judges_from_s =
		monotonic_s() + LIMIT_START_GRACE_MS / 1000.0 + LIMIT_RECONNECT_MAX_MS / 1000.0;
	make_token(&bench);
	client_start(&bench.client, base, &bench.server, bench.n_tasks);
	printf("%zu workers, %lld tasks\n", n_workers, (long long)bench.n_tasks);
	print_head();
	join_all(&bench);
	run_all(&bench);
	stand(&bench);
	size_t n_tenth = (bench.herd.n_workers + 9) / 10;
	/* Each machine has room for twice its share. */
	if (n_tenth + 1 <= bench.herd.n_workers / 2) {
		kill_some(&bench, "kill one", one_with_tasks(&bench), 1);
		kill_some(&bench, "kill a tenth", 0, n_tenth);
	}
	restart(&bench);
	client_end(&bench.client);
	server_kill(&bench.server, SIGTERM);
	herd_release(&bench.herd);
	base_free(bench.server.answer);
	event_base_free(base);
	remove_folder(bench.server.dir);
	remove_folder(bench.members_dir);
	return 0;
}
