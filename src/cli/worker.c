#include "worker/worker.h"
#include "api/join.h"
#include "base/alloc.h"
#include "cli/joining.h"
#include "cli/serve.h"
#include "cli/worker_member.h"
#include "worker/daemon.h"

/* A loop that ends when the node was removed from the cluster. */
struct served {
	struct serve serve;
	bool removed;
};

static void on_removed(void *owner)
{
	struct served *served = owner;
	served->removed = true;
	event_base_loopbreak(served->serve.base);
}

/* Whoever reads it wants to know what is left, and how the machine takes part again. */
static enum err_code tell_removed(bool member, const char *data_dir, struct err *err)
{
	if (member)
		return err_set(err, ERR_REMOVED,
			       "this node was removed from the cluster: what it ran has ended, its "
			       "named volumes are still here; to join again as a new node: `drover "
			       "worker --join HOST:PORT --token TOKEN` with a token that `drover "
			       "token create --role worker` makes");
	return err_set(err, ERR_REMOVED,
		       "this node was removed from the cluster: what it ran has ended, its named "
		       "volumes are still here; to take part again as a new node: `rm -r %s` and "
		       "start it again",
		       data_dir);
}

/* ERR_REMOVED: it ended because the node was removed. */
static enum err_code serve(const struct worker_daemon_options *options, bool member,
			   struct err *err)
{
	struct served served = { 0 };
	struct worker_daemon *worker = NULL;
	struct worker_daemon_options told = *options;
	serve_init(&served.serve);
	told.removed = on_removed;
	told.owner = &served;
	enum err_code code = worker_daemon_new(served.serve.base, &told, &worker, err);
	if (!code)
		serve_run(&served.serve);
	worker_daemon_free(worker);
	serve_release(&served.serve);
	if (!code && served.removed)
		code = tell_removed(member, options->data_dir, err);
	return code;
}

/* As a member of a cluster where it has joined one, else for the manager on this machine. */
static enum err_code serve_somebody(struct invocation *invocation,
				    const struct worker_daemon_options *options, struct err *err)
{
	struct membership membership;
	struct endpoint manager = { 0 };
	bool member = false;
	enum err_code code =
		worker_member(invocation, options->data_dir, &membership, &member, err);
	if (code || !member)
		return code ? code : serve(options, false, err);
	struct worker_daemon_options of_member = *options;
	of_member.membership = &membership;
	of_member.manager = &manager;
	code = member_endpoint(&membership, &manager, err);
	if (!code)
		code = serve(&of_member, true, err);
	member_endpoint_release(&manager);
	membership_release(&membership);
	return code;
}

/* Who was removed only ends what it ran, until it is told to join again. */
static enum err_code serve_member(struct invocation *invocation,
				  const struct worker_daemon_options *options, struct err *err)
{
	struct node_id node;
	int removal;
	bool joins = false, was_member = false;
	enum err_code code = worker_daemon_look(options->data_dir, &node, &removal, err);
	if (!code && removal != WORKER_REMOVAL_NONE)
		code = worker_member_removed(invocation, options->data_dir, node.uuid,
					     removal == WORKER_REMOVAL_OVER, &was_member, &joins,
					     err);
	if (code)
		return code;
	if (removal != WORKER_REMOVAL_NONE && !joins)
		return serve(options, was_member, err);
	return serve_somebody(invocation, options, err);
}

static int run(struct invocation *invocation)
{
	struct err err;
	struct text data_dir, manager_dir;
	struct pairs labels = { 0 };
	_cleanup_free_ char *fallback = cli_default_data_dir();
	_cleanup_free_ char *docker_config = serve_docker_config();
	text_init(&data_dir, 4096);
	text_init(&manager_dir, 4096);
	text_addf(&data_dir, "%s/worker", cli_string(invocation, "data-dir", fallback));
	text_addf(&manager_dir, "%s/manager", cli_string(invocation, "data-dir", fallback));
	struct worker_daemon_options options = {
		.data_dir = text_string(&data_dir),
		.manager = ENDPOINT_OF_PATH(invocation->host),
		.runtime_socket_path = cli_string(invocation, "docker", NULL),
		.docker_config = docker_config,
		.labels = &labels,
		.starts_parallel = cli_int(invocation, "starts", 0),
		.policy_file = cli_string(invocation, "policy", NULL),
		.files_dir = cli_string(invocation, "files-dir", NULL),
		.manager_dir = text_string(&manager_dir),
	};
	enum err_code code = serve_read_labels(cli_strings(invocation, "label"), &labels, &err);
	if (!code)
		code = serve_member(invocation, &options, &err);
	text_release(&data_dir);
	text_release(&manager_dir);
	pairs_release(&labels);
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option options[] = {
	{ "data-dir", 0, OPTION_STRING, "DIR", "where state is kept, in DIR/worker" },
	{ "docker", 0, OPTION_STRING, "SOCKET", "Docker's socket (default /var/run/docker.sock)" },
	OPTION_FILES_DIR,
	{ "join", 0, OPTION_STRING, "HOST:PORT",
	  "join the cluster of the manager there; needed once" },
	{ "label", 0, OPTION_STRINGS, "KEY=VALUE", "label of this node, for constraints" },
	{ "policy", 0, OPTION_STRING, "FILE",
	  "what all jobs may ask of this machine (default: /etc/drover/worker.yaml; on the "
	  "manager's own only for those asked for over TLS)" },
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
		"the manager is away. A Docker belongs to one worker of a cluster: a second one "
		"is turned away, for as long as the node of the first is not down or removed.\n\n"
		"With --join and a token it becomes a machine of a cluster whose manager is "
		"elsewhere: `drover token create --role worker` there prints the command. The key "
		"is made in DIR/worker/trust and never leaves it; later starts need neither "
		"option, "
		"and the certificate is renewed while it runs, or up to a year after it expired. "
		"A manager that cannot be reached is waited for; --join with another address tells "
		"where it has gone.\n\n"
		"A node that was removed (`drover node rm`) is told so whenever it comes back: the "
		"worker stops and removes what it ran, keeps named volumes, and ends with status "
		"9. Started with --join and a token it then joins as a new node. A manager that "
		"does not know the worker, or cannot be reached, ends nothing: all runs on.\n\n"
		"Jobs may ask of a machine that has joined what /etc/drover/worker.yaml allows and "
		"no more, or the FILE of --policy. On the manager's own machine the same holds for "
		"jobs that were asked for over TLS; the owner of the manager's socket may ask for "
		"anything there, unless there is a --policy, which binds him too. It is about bind "
		"mounts, capabilities, sysctls, images, drivers, Docker's own networks. A task "
		"that asks for more says which line its owner would have to add; the file is read "
		"again whenever it has changed. packaging/worker.yaml shows every key.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
