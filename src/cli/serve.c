#include "cli/serve.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/check.h"
#include "net/shell.h"

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	shell_log("drover", "%s: stopping; containers run on",
		  number == SIGTERM ? "SIGTERM" : "SIGINT");
	event_base_loopbreak(arg);
}

/* A connection of each worker takes one, and shells begin with few. */
static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* A core file would hold secrets, and other processes of the same user could read them out of the memory of one that
 * writes core files. Who looks for a mistake is root, or may raise the limit again: the hard one stays. */
static void write_no_core(void)
{
	struct rlimit limit;
	prctl(PR_SET_DUMPABLE, 0);
	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return;
	limit.rlim_cur = 0;
	setrlimit(RLIMIT_CORE, &limit);
}

void serve_init(struct serve *serve)
{
	struct event_config *config = event_config_new();
	signal(SIGPIPE, SIG_IGN);
	shell_install_crash_handler();
	raise_descriptors();
	write_no_core();
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	serve->base = event_base_new_with_config(config);
	event_config_free(config);
	if (!serve->base)
		UNREACHABLE("an event base can be made");
	serve->terminate = evsignal_new(serve->base, SIGTERM, on_signal, serve->base);
	serve->interrupt = evsignal_new(serve->base, SIGINT, on_signal, serve->base);
	event_add(serve->terminate, NULL);
	event_add(serve->interrupt, NULL);
}

void serve_run(struct serve *serve)
{
	event_base_dispatch(serve->base);
}

void serve_release(struct serve *serve)
{
	event_free(serve->terminate);
	event_free(serve->interrupt);
	event_base_free(serve->base);
}

enum err_code serve_read_labels(const struct strings *texts, struct pairs *ret_labels,
				struct err *err)
{
	for (size_t i = 0; i < texts->n; i++) {
		const char *equals = strchr(texts->items[i], '=');
		if (!equals || equals == texts->items[i])
			return err_set_field(err, ERR_INVALID, "--label", "\"%s\" is not KEY=VALUE",
					     texts->items[i]);
		_cleanup_free_ char *key =
			base_strndup(texts->items[i], (size_t)(equals - texts->items[i]));
		pairs_put(ret_labels, key, equals + 1);
	}
	return ERR_NONE;
}

char *serve_docker_config(void)
{
	const char *folder = getenv("DOCKER_CONFIG");
	const char *home = getenv("HOME");
	struct text text;
	text_init(&text, 4096);
	if (folder && *folder)
		text_addf(&text, "%s/config.json", folder);
	else if (home && *home)
		text_addf(&text, "%s/.docker/config.json", home);
	else
		return NULL;
	return text_take(&text);
}
