/* What Docker users type that drover spells otherwise or does not do: each gets its sentence, never silence. */
#include <string.h>

#include "base/alloc.h"
#include "cli/command.h"

struct hint {
	const char *command; /* NULL: the word stands where a command should */
	const char *word;    /* "--rm", "-t"; "" with a command: more operands than it takes */
	const char *sentence;
};

#define NO_TERMINAL                                                                                \
	"interactive containers are not supported: a task may run on another machine; start it, "  \
	"then use `docker exec -it` on its container (`drover ps -o wide` names it)"
#define GRACE	    "how long a task may take to stop is its own: stop_grace_period in the compose.yaml"
#define IN_THE_FILE "not a flag of drover run: write a compose.yaml for it and use drover up"
#define NO_BUILD    "drover does not build images: `docker build` first"

// clang-format off
static const struct hint hints[] = {
	{ "run",  "-i",               NO_TERMINAL },
	{ "run",  "--interactive",    NO_TERMINAL },
	{ "run",  "-t",               NO_TERMINAL },
	{ "run",  "--tty",            NO_TERMINAL },
	{ "run",  "-a",               NO_TERMINAL },
	{ "run",  "--attach",         NO_TERMINAL },
	{ "run",  "-P",               "give the host port too: -p HOST:CONTAINER, where HOST may be a range" },
	{ "run",  "--publish-all",    "give the host port too: -p HOST:CONTAINER, where HOST may be a range" },
	{ "run",  "--privileged",     "privileged containers are not supported yet" },
	{ "run",  "--gpus",           "GPUs are not supported yet" },
	{ "run",  "--device",         "devices are not supported yet" },
	{ "run",  "--link",           "links are not supported: services of one project reach each other by name" },
	{ "run",  "--env-file",       IN_THE_FILE " (env_file)" },
	{ "run",  "--mount",          IN_THE_FILE " (volumes); bind mounts also by -v /HOST:/CONTAINER" },
	{ "run",  "--network",        IN_THE_FILE " (networks)" },
	{ "run",  "--net",            IN_THE_FILE " (networks)" },
	{ "run",  "--cap-add",        IN_THE_FILE " (cap_add)" },
	{ "run",  "--cap-drop",       IN_THE_FILE " (cap_drop)" },
	{ "run",  "--tmpfs",          IN_THE_FILE " (tmpfs)" },
	{ "run",  "--ulimit",         IN_THE_FILE " (ulimits)" },
	{ "run",  "--sysctl",         IN_THE_FILE " (sysctls)" },
	{ "run",  "--shm-size",       IN_THE_FILE " (shm_size)" },
	{ "run",  "--add-host",       IN_THE_FILE " (extra_hosts)" },
	{ "run",  "--dns",            IN_THE_FILE " (dns)" },
	{ "run",  "--health-cmd",     IN_THE_FILE " (healthcheck)" },
	{ "run",  "--log-driver",     IN_THE_FILE " (logging)" },
	{ "run",  "--log-opt",        IN_THE_FILE " (logging)" },
	{ "run",  "--stop-timeout",   IN_THE_FILE " (stop_grace_period)" },
	{ "up",   "--build",          NO_BUILD },
	{ "up",   "--scale",          "use `drover scale JOB=N`, or deploy.replicas in the file" },
	{ "up",   "--force-recreate", "use `drover restart JOB...`: every restart is a new container" },
	{ "up",   "--pull",           "pull_policy in the file says when images are pulled" },
	{ "up",   "-t",               GRACE },
	{ "up",   "--timeout",        GRACE " (to give up waiting: --wait-timeout)" },
	{ "down", "",                 "takes no services; use `drover rm JOB...` for one" },
	{ "down", "-t",               GRACE },
	{ "down", "--timeout",        GRACE " (to give up waiting: --wait-timeout)" },
	{ "down", "--rmi",            "drover removes no images: `docker image rm`" },
	{ "stop", "-t",               GRACE },
	{ "stop", "--time",           GRACE },
	{ "stop", "--timeout",        GRACE },
	{ "stop", "-s",               "the signal is the job's own: stop_signal in the compose.yaml" },
	{ "stop", "--signal",         "the signal is the job's own: stop_signal in the compose.yaml" },
	{ "restart", "-t",            GRACE },
	{ "restart", "--time",        GRACE },
	{ "restart", "--timeout",     GRACE },
	{ "rm",   "-v",               "named volumes are removed by `drover volume rm`" },
	{ "rm",   "--volumes",        "named volumes are removed by `drover volume rm`" },
	{ "logs", "--until",          "only --since is supported: cut the end with other tools" },
	{ "ps",   "--format",         "the forms are -o wide and -o json" },
	{ "ps",   "-f",               "filters are the operand JOB and -p PROJECT; for more, -o json" },
	{ "ps",   "--filter",         "filters are the operand JOB and -p PROJECT; for more, -o json" },
	{ "ps",   "--no-trunc",       "nothing is cut in -o wide" },
	{ "jobs", "--format",         "the forms are -o wide and -o json" },
	{ "nodes", "--format",        "the forms are -o wide and -o json" },
	{ "inspect", "-f",            "the answer is JSON: take parts of it with jq" },
	{ "inspect", "--format",      "the answer is JSON: take parts of it with jq" },
	{ "events", "-f",             "filter what it prints with other tools; -o json gives a line per event" },
	{ "events", "--filter",       "filter what it prints with other tools; -o json gives a line per event" },
	{ "events", "--since",        "use --after EPOCH-NUMBER with an event's id, which -o wide shows" },
	{ "events", "--until",        "use --for TIME" },
	{ "volume rm", "-f",          "a volume that is not there is always told" },
	{ "volume rm", "--force",     "a volume that is not there is always told" },
	{ NULL, "compose",   "leave that word out: `drover up`, `drover down`, ..." },
	{ NULL, "stack",     "use `drover up`, `drover down`, `drover ps -p PROJECT`" },
	{ NULL, "service",   "use `drover jobs`, `drover ps JOB`, `drover logs JOB`, `drover scale JOB=N`" },
	{ NULL, "node ls",   "use `drover nodes`" },
	{ NULL, "node list", "use `drover nodes`" },
	{ NULL, "node ps",   "use `drover ps`, which names the node of each task" },
	{ NULL, "node update", "use `drover node drain`, `drover node resume` and `drover node label`" },
	{ NULL, "volume create", "a volume is made when a task first needs it: name it under volumes in the compose.yaml" },
	{ NULL, "context create", "use `drover context join HOST:PORT --token TOKEN`" },
	{ NULL, "container", "use `drover ps` and `drover run`" },
	{ NULL, "exec",      "not supported yet; use `docker exec` on the task's container (`drover ps -o wide` names it)" },
	{ NULL, "attach",    "not supported; use `drover logs -f`" },
	{ NULL, "cp",        "not supported yet; use `docker cp` on the task's container" },
	{ NULL, "top",       "not supported yet; `drover nodes` shows what is used" },
	{ NULL, "stats",     "not supported yet; `drover nodes` shows what is used" },
	{ NULL, "start",     "use `drover restart JOB`: it also starts what was stopped" },
	{ NULL, "kill",      "use `drover stop JOB`: SIGKILL follows after the grace period" },
	{ NULL, "create",    "use `drover run -d` or `drover up -d`" },
	{ NULL, "build",     NO_BUILD },
	{ NULL, "pull",      "images are pulled when a task needs them" },
	{ NULL, "images",    "drover keeps no images: `docker images`" },
	{ NULL, "ls",        "use `drover jobs` or `drover ps`" },
	{ NULL, "login",     "use `docker login`: the worker reads the credentials of the user it runs as" },
};
// clang-format on

const char *command_hint(const char *command, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
		bool same = command && hints[i].command ? strcmp(command, hints[i].command) == 0
							: !command && !hints[i].command;
		if (same && strcmp(hints[i].word, word) == 0)
			return hints[i].sentence;
	}
	return NULL;
}
