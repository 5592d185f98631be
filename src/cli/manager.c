#include "manager/daemon.h"

#include "base/alloc.h"
#include "cli/serve.h"

static enum err_code serve(const struct manager_daemon_options *options, struct err *err)
{
	struct serve serve;
	struct manager_daemon *manager = NULL;
	serve_init(&serve);
	enum err_code code = manager_daemon_new(serve.base, options, &manager, err);
	if (!code)
		serve_run(&serve);
	manager_daemon_free(manager);
	serve_release(&serve);
	return code;
}

static int run(struct invocation *invocation)
{
	struct err err;
	struct text data_dir;
	_cleanup_free_ char *fallback = cli_default_data_dir();
	text_init(&data_dir, 4096);
	text_addf(&data_dir, "%s/manager", cli_string(invocation, "data-dir", fallback));
	struct manager_daemon_options options = {
		.data_dir = text_string(&data_dir),
		.socket_path = invocation->host,
		.listen = cli_string(invocation, "listen", NULL),
		.advertise = cli_string(invocation, "advertise", NULL),
		.scheduler_name = cli_string(invocation, "scheduler", NULL),
		.secrets_key = cli_string(invocation, "secrets-key", NULL),
		.forget_secrets = cli_has(invocation, "forget-secrets"),
		.nodes_max = cli_int(invocation, "max-nodes", 0),
		.new_authority = cli_has(invocation, "new-authority"),
		.store_name = cli_string(invocation, "store", NULL),
	};
	enum err_code code = serve(&options, &err);
	text_release(&data_dir);
	return code ? cli_fail(invocation, &err) : 0;
}

static const struct option options[] = {
	OPTION_ADVERTISE,
	{ "data-dir", 0, OPTION_STRING, "DIR", "where state is kept, in DIR/manager" },
	OPTION_FORGET_SECRETS,
	OPTION_LISTEN,
	{ "max-nodes", 0, OPTION_INT, "N", "how many nodes may join (default 20000)" },
	{ "new-authority", 0, OPTION_FLAG, NULL,
	  "make a new CA in place of one that was lost; everybody has to join anew" },
	{ "scheduler", 0, OPTION_STRING, "POLICY",
	  "epvm (default), roundrobin, greedy, binpack, spread" },
	OPTION_SECRETS_KEY,
	{ "store", 0, OPTION_STRING, "STORE",
	  "lmdb (default) or memory, which forgets at the end" },
};

const struct command command_manager = {
	.name = "manager",
	.operands = "",
	.summary = "Run a manager alone, in the foreground",
	.details =
		"Takes requests on its unix socket, decides where tasks run and tells the workers. "
		"With --listen it also lets in, over TLS, machines and users that have joined: "
		"`drover token create` prints the command to join with. DIR/manager/trust holds "
		"the key of the cluster's CA, without which nobody who joined is known any more: "
		"keep a copy. A manager that others have joined does not start without it. Where "
		"there is no copy, --new-authority makes another, once; then everybody has to join "
		"with a new token. A worker stays the node it was, and its containers run on, when "
		"only certificate.pem is removed from its DIR/worker/trust before it joins.",
	.options = options,
	.n_options = ARRAY_LEN(options),
	.run = run,
};
