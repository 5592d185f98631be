#include "api/join.h"
#include "base/alloc.h"
#include "cli/joining.h"
#include "cli/serve.h"
#include "cli/worker_member.h"
#include "worker/daemon.h"
#include "worker/guard.h"

static enum err_code serve(const struct worker_daemon_options *options, struct err *err)
{
	struct serve serve;
	struct worker_daemon *worker = NULL;
	serve_init(&serve);
	enum err_code code = worker_daemon_new(serve.base, options, &worker, err);
	if (!code)
		serve_run(&serve);
	worker_daemon_free(worker);
	serve_release(&serve);
	return code;
}

/* As a member of a cluster where it has joined one, else for the manager on this machine. */
static enum err_code serve_member(struct invocation *invocation,
				  const struct worker_daemon_options *options, struct err *err)
{
	struct membership membership;
	struct endpoint manager = { 0 };
	bool member = false;
	enum err_code code =
		worker_member(invocation, options->data_dir, &membership, &member, err);
	if (code || !member)
		return code ? code : serve(options, err);
	struct worker_daemon_options of_member = *options;
	of_member.membership = &membership;
	of_member.manager = &manager;
	/* What comes over the network is asked for by others than this machine's owner. */
	if (!of_member.policy_file)
		of_member.policy_file = GUARD_FILE_DEFAULT;
	code = member_endpoint(&membership, &manager, err);
	if (!code)
		code = serve(&of_member, err);
	member_endpoint_release(&manager);
	membership_release(&membership);
	return code;
}

static int run(struct invocation *invocation)
{
	struct err err;
	struct text data_dir;
	struct pairs labels = { 0 };
	_cleanup_free_ char *fallback = cli_default_data_dir();
	_cleanup_free_ char *docker_config = serve_docker_config();
	text_init(&data_dir, 4096);
	text_addf(&data_dir, "%s/worker", cli_string(invocation, "data-dir", fallback));
	struct worker_daemon_options options = {
		.data_dir = text_string(&data_dir),
		.manager = ENDPOINT_OF_PATH(invocation->host),
		.runtime_socket_path = cli_string(invocation, "docker", NULL),
		.docker_config = docker_config,
		.labels = &labels,
		.starts_parallel = cli_int(invocation, "starts", 0),
		.policy_file = cli_string(invocation, "policy", NULL),
	};
	enum err_code code = serve_read_labels(cli_strings(invocation, "label"), &labels, &err);
	if (!code)
		code = serve_member(invocation, &options, &err);
	text_release(&data_dir);
	pairs_release(&labels);
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option options[] = {
	{ "data-dir", 0, OPTION_STRING, "DIR", "where state is kept, in DIR/worker" },
	{ "docker", 0, OPTION_STRING, "SOCKET", "Docker's socket (default /var/run/docker.sock)" },
	{ "join", 0, OPTION_STRING, "HOST:PORT",
	  "join the cluster of the manager there; needed once" },
	{ "label", 0, OPTION_STRINGS, "KEY=VALUE", "label of this node, for constraints" },
	{ "policy", 0, OPTION_STRING, "FILE",
	  "what jobs may ask of this machine (default: /etc/drover/worker.yaml once it has joined "
	  "a "
	  "cluster)" },
	{ "starts", 0, OPTION_INT, "N", "containers started side by side (default 4)" },
	OPTION_TOKEN,
	OPTION_TOKEN_FILE,
};

const struct command command_worker = {
	.name = "worker",
	.operands = "",
	.summary = "Run a worker alone, in the foreground",
	.details =
		"Dials the manager's socket and runs tasks on this machine's Docker. It goes on "
		"supervising while "
		"the manager is away.\n\n"
		"With --join and a token it becomes a machine of a cluster whose manager is "
		"elsewhere: `drover token create --role worker` there prints the command. The key "
		"is made in DIR/worker/trust and never leaves it; later starts need neither "
		"option, "
		"and the certificate is renewed while it runs, or up to a year after it expired. "
		"A manager that cannot be reached is waited for; --join with another address tells "
		"where it has gone.\n\n"
		"Jobs may ask of a machine that has joined what /etc/drover/worker.yaml allows and "
		"no more, or the FILE of --policy; on the manager's own machine they may ask for "
		"anything unless there is a --policy. It is about bind "
		"mounts, capabilities, sysctls, images, drivers, Docker's own networks. A task "
		"that asks for more says which line its owner would have to add; the file is read "
		"again whenever it has changed. packaging/worker.yaml shows every key.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
