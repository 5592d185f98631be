/* wake runs the program on after a sleep; check runs the health check. Both exist while the container runs. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "net/shell.h"
#include "runtime/fake_parts.h"

#define LOG_ENTRIES_MAX		  10000
#define CHECK_INTERVAL_DEFAULT_MS 30000
#define CHECK_RETRIES_DEFAULT	  3

int fake_signal_number(const char *signal)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = { { "KILL", SIGKILL }, { "TERM", SIGTERM },  { "INT", SIGINT },
			{ "QUIT", SIGQUIT }, { "HUP", SIGHUP },	   { "USR1", SIGUSR1 },
			{ "USR2", SIGUSR2 }, { "WINCH", SIGWINCH } };
	if (strncmp(signal, "SIG", 3) == 0)
		signal += 3;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (strcmp(signals[i].name, signal) == 0)
			return signals[i].number;
	char *end;
	long number = strtol(signal, &end, 10);
	return *signal && !*end && number > 0 && number < 65 ? (int)number : -1;
}

static void tell(struct fake_container *container, const char *what)
{
	container->world->event(container->world->owner, container, what);
}

static void on_output(void *owner, int stream, const char *text)
{
	struct fake_container *container = owner;
	if (container->n_log == LOG_ENTRIES_MAX)
		return;
	container->log = base_grow(container->log, container->n_log, &container->log_capacity,
				   sizeof(*container->log));
	container->log[container->n_log++] = (struct fake_log_entry){ .stream = stream,
								      .wall_ms = shell_wall_ms(),
								      .text = base_strdup(text) };
	tell(container, "log");
}

/* The volume a path lies in, and the rest of the path. */
static struct fake_volume *volume_of(struct fake_container *container, const char *path,
				     const char **ret_rest)
{
	for (size_t i = 0; i < container->config.mounts.n; i++) {
		const struct fake_mount *mount = &container->config.mounts.items[i];
		size_t len = strlen(mount->target);
		if (!mount->volume || strncmp(path, mount->target, len) != 0 || path[len] != '/')
			continue;
		*ret_rest = path + len;
		return fake_world_volume(container->world, mount->volume);
	}
	return NULL;
}

static const char *on_file_read(void *owner, const char *path)
{
	const char *rest;
	const struct fake_volume *volume = volume_of(owner, path, &rest);
	return volume ? pairs_get(&volume->files, rest) : NULL;
}

/* Files outside of volumes are forgotten at once. */
static void on_file_write(void *owner, const char *path, const char *text)
{
	const char *rest;
	struct fake_volume *volume = volume_of(owner, path, &rest);
	if (volume)
		pairs_put(&volume->files, rest, text);
}

static bool answers_to(const struct fake_container *container, const char *network,
		       const char *name)
{
	for (size_t i = 0; i < container->config.endpoints.n; i++) {
		const struct fake_endpoint *endpoint = &container->config.endpoints.items[i];
		if (strcmp(endpoint->network, network) == 0 &&
		    (strings_has(&endpoint->aliases, name) || strcmp(container->name, name) == 0))
			return true;
	}
	return false;
}

static bool on_resolves(void *owner, const char *name)
{
	const struct fake_container *container = owner;
	if (strcmp(name, "localhost") == 0)
		return true;
	for (const struct fake_container *at = container->world->containers; at; at = at->next) {
		if (at->state != CONTAINER_RUNNING)
			continue;
		for (size_t i = 0; i < container->config.endpoints.n; i++)
			if (answers_to(at, container->config.endpoints.items[i].network, name))
				return true;
	}
	return false;
}

static struct fake_program_host host_of(struct fake_container *container)
{
	return (struct fake_program_host){ .owner = container,
					   .output = on_output,
					   .file_read = on_file_read,
					   .file_write = on_file_write,
					   .resolves = on_resolves,
					   .memory_limited = container->config.memory_bytes > 0 };
}

void fake_container_halt(struct fake_container *container)
{
	if (container->wake)
		event_free(container->wake);
	if (container->check)
		event_free(container->check);
	container->wake = container->check = NULL;
	fake_program_release(&container->program);
}

void fake_container_end(struct fake_container *container, int64_t exit_code, bool out_of_memory)
{
	PRE(container->state == CONTAINER_RUNNING);
	fake_container_halt(container);
	container->state = CONTAINER_EXITED;
	container->exit_code = exit_code;
	container->oom_killed = out_of_memory;
	container->finished_wall_ms = shell_wall_ms();
	if (out_of_memory)
		tell(container, "oom");
	tell(container, "die");
}

static void go_on(struct fake_container *container)
{
	const struct fake_program_host host = host_of(container);
	if (fake_program_run(&container->program, &host) == FAKE_PROGRAM_ENDED) {
		fake_container_end(container, container->program.status,
				   container->program.out_of_memory);
		return;
	}
	int64_t sleep_ms = container->program.sleep_ms;
	if (sleep_ms < 0)
		return;
	const struct timeval delay = { sleep_ms / 1000, sleep_ms % 1000 * 1000 };
	event_add(container->wake, &delay);
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	go_on(argument);
}

static void check_later(struct fake_container *container)
{
	int64_t interval_ms = container->config.check_interval_ms;
	if (interval_ms == 0)
		interval_ms = CHECK_INTERVAL_DEFAULT_MS;
	const struct timeval delay = { interval_ms / 1000, interval_ms % 1000 * 1000 };
	event_add(container->check, &delay);
}

static void set_health(struct fake_container *container, int health)
{
	if (container->health == health)
		return;
	container->health = health;
	tell(container,
	     health == HEALTH_HEALTHY ? "health_status: healthy" : "health_status: unhealthy");
}

static void on_check_output(void *owner, int stream, const char *text)
{
	(void)stream;
	struct fake_container *container = owner;
	string_set(&container->health_output, text);
}

static int run_beside(struct fake_container *container, const struct strings *argv,
		      const struct fake_program_host *host)
{
	struct fake_program program;
	const char *why = NULL;
	int status = 126;
	if (fake_program_init(&program, argv, false, &why)) {
		fake_program_run(&program, host);
		status = program.status;
	} else {
		host->output(container, 2, why);
	}
	fake_program_release(&program);
	return status;
}

static void on_exec_output(void *owner, int stream, const char *text)
{
	(void)stream;
	struct fake_container *container = owner;
	string_set(&container->exec_output, text);
}

int fake_container_exec(struct fake_container *container, const struct strings *argv)
{
	struct fake_program_host host = host_of(container);
	host.output = on_exec_output;
	string_set(&container->exec_output, "");
	return run_beside(container, argv, &host);
}

/* The check's words as a command line of its own. */
static int run_check(struct fake_container *container)
{
	struct strings argv = { 0 };
	const struct strings *check = &container->config.check;
	bool shell = strcmp(check->items[0], "CMD-SHELL") == 0;
	if (shell) {
		strings_add(&argv, "sh");
		strings_add(&argv, "-c");
	}
	for (size_t i = 1; i < check->n; i++)
		strings_add(&argv, check->items[i]);
	struct fake_program_host host = host_of(container);
	host.output = on_check_output;
	int status = run_beside(container, &argv, &host);
	strings_release(&argv);
	return status;
}

static void on_check(evutil_socket_t fd, short what, void *argument)
{
	(void)fd, (void)what;
	struct fake_container *container = argument;
	int64_t retries = container->config.check_retries;
	if (retries == 0)
		retries = CHECK_RETRIES_DEFAULT;
	check_later(container);
	if (run_check(container) == 0) {
		container->check_failures = 0;
		set_health(container, HEALTH_HEALTHY);
	} else if (shell_now_ms() - container->started_ms >=
			   container->config.check_start_period_ms &&
		   ++container->check_failures >= retries) {
		set_health(container, HEALTH_UNHEALTHY);
	}
}

bool fake_container_run(struct fake_container *container, const char **ret_why)
{
	PRE(container->state != CONTAINER_RUNNING);
	const struct fake_config *config = &container->config;
	if (!fake_program_init(&container->program, &config->argv, config->init, ret_why)) {
		fake_program_release(&container->program);
		return false;
	}
	struct event_base *base = container->world->base;
	container->wake = evtimer_new(base, on_wake, container);
	container->check = evtimer_new(base, on_check, container);
	INVARIANT(container->wake && container->check);
	container->state = CONTAINER_RUNNING;
	container->exit_code = 0;
	container->oom_killed = false;
	string_set(&container->error, NULL);
	container->started_wall_ms = shell_wall_ms();
	container->finished_wall_ms = 0;
	container->started_ms = shell_now_ms();
	container->check_failures = 0;
	if (config->check.n > 1) {
		container->health = HEALTH_STARTING;
		check_later(container);
	}
	tell(container, "start");
	/* The program begins on the loop's next turn, as a process does: whoever started it hears of that first. */
	const struct timeval soon = { 0, 0 };
	event_add(container->wake, &soon);
	return true;
}

const char *fake_container_ask(struct fake_container *container, const struct probe *probe)
{
	const struct fake_program *program = &container->program;
	if (container->state != CONTAINER_RUNNING || program->port != probe->port)
		return "found the port closed";
	if (probe->kind == PROBE_TCP)
		return NULL;
	struct text path;
	text_init(&path, LIMIT_STRING_BYTES);
	text_addf(&path, "%s%s", program->folder ? program->folder : "",
		  probe->path ? probe->path : "/");
	bool found = on_file_read(container, text_string(&path)) != NULL;
	text_release(&path);
	int64_t status = found ? 200 : 404;
	int64_t first = probe->status_first ? probe->status_first : PROBE_STATUS_FIRST;
	int64_t last = probe->status_last ? probe->status_last : PROBE_STATUS_LAST;
	if (status >= first && status <= last)
		return NULL;
	return found ? "answered 200" : "answered 404";
}

void fake_container_signal(struct fake_container *container, int signal)
{
	if (fake_program_signal(&container->program, signal))
		fake_container_end(container, container->program.status, false);
}
