#include "base/alloc.h"
#include "cli/serve.h"
#include "manager/daemon.h"
#include "net/shell.h"
#include "worker/daemon.h"
#include "worker/guard.h"

static char *in_folder(const char *folder, const char *name)
{
	struct text text;
	text_init(&text, 4096);
	text_addf(&text, "%s/%s", folder, name);
	return text_take(&text);
}

/* The manager goes on. */
static void on_removed(void *owner)
{
	shell_log("drover",
		  "the node of this machine was removed: to let it take part again as a new node, "
		  "stop, `rm -r %s` and start again",
		  (const char *)owner);
}

/* Both daemons on one loop, talking over the same socket and messages as two processes would. */
static enum err_code serve(struct invocation *invocation, const char *data_dir, struct err *err)
{
	struct serve serve;
	struct manager_daemon *manager = NULL;
	struct worker_daemon *worker = NULL;
	struct pairs labels = { 0 };
	_cleanup_free_ char *manager_dir = in_folder(data_dir, "manager");
	_cleanup_free_ char *worker_dir = in_folder(data_dir, "worker");
	_cleanup_free_ char *docker_config = serve_docker_config();
	struct manager_daemon_options manager_options = {
		.data_dir = manager_dir,
		.socket_path = invocation->host,
		.listen = cli_string(invocation, "listen", NULL),
		.advertise = cli_string(invocation, "advertise", NULL),
		.scheduler_name = cli_string(invocation, "scheduler", NULL),
		.forget_secrets = cli_has(invocation, "forget-secrets"),
		.secrets_key = cli_string(invocation, "secrets-key", NULL),
	};
	struct worker_daemon_options worker_options = {
		.data_dir = worker_dir,
		.manager = ENDPOINT_OF_PATH(invocation->host),
		.runtime_socket_path = cli_string(invocation, "docker", NULL),
		.docker_config = docker_config,
		.labels = &labels,
		.starts_parallel = cli_int(invocation, "starts", 0),
		.policy_file = cli_string(invocation, "policy", NULL),
		.removed = on_removed,
		.owner = worker_dir,
		.files_dir = cli_string(invocation, "files-dir", NULL),
		.manager_dir = manager_dir,
	};
	enum err_code code = serve_read_labels(cli_strings(invocation, "label"), &labels, err);
	serve_init(&serve);
	if (!code)
		code = manager_daemon_new(serve.base, &manager_options, &manager, err);
	if (!code)
		code = worker_daemon_new(serve.base, &worker_options, &worker, err);
	if (!code)
		serve_run(&serve);
	worker_daemon_free(worker);
	manager_daemon_free(manager);
	serve_release(&serve);
	pairs_release(&labels);
	return code;
}

static int run(struct invocation *invocation)
{
	struct err err;
	_cleanup_free_ char *fallback = cli_default_data_dir();
	enum err_code code = serve(invocation, cli_string(invocation, "data-dir", fallback), &err);
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option options[] = {
	OPTION_ADVERTISE,
	{ "data-dir", 0, OPTION_STRING, "DIR", "where state is kept" },
	{ "docker", 0, OPTION_STRING, "SOCKET", "Docker's socket (default /var/run/docker.sock)" },
	OPTION_FILES_DIR,
	OPTION_LISTEN,
	{ "label", 0, OPTION_STRINGS, "KEY=VALUE", "label of this node, for constraints" },
	{ "policy", 0, OPTION_STRING, "FILE",
	  "what all jobs may ask of this machine (default: " GUARD_FILE_DEFAULT
	  ", only for those asked for over TLS)" },
	{ "scheduler", 0, OPTION_STRING, "POLICY",
	  "epvm (default), roundrobin, greedy, binpack, spread" },
	OPTION_FORGET_SECRETS,
	OPTION_SECRETS_KEY,
	{ "starts", 0, OPTION_INT, "N", "containers started side by side (default 4)" },
};

const struct command command_dev = {
	.name = "dev",
	.operands = "",
	.summary = "Run manager and worker in one process, in the foreground",
	.details =
		"For one machine. SIGTERM or Ctrl-C ends it and leaves containers running; the "
		"next start "
		"adopts them.\n\n"
		"With --listen others may join and ask for jobs, which then may ask of this "
		"machine what " GUARD_FILE_DEFAULT " allows and no more; the owner of the socket "
		"may ask for anything, unless there is a --policy, which binds him too. `drover "
		"help worker` says what it is about.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
