/* drover run IMAGE [COMMAND...]: a one-task job that runs to completion, described by flags as `docker run` takes
 * them. drover run --again JOB: one that is there, once more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "cli/find.h"
#include "cli/followed_run.h"
#include "cli/log_reader.h"
#include "net/shell.h"

#define RUN_PROJECT "default"
#define POLL_MS	    150
/* As shells and `docker run` have it. */
#define EXIT_COMMAND_NOT_FOUND 127

struct following {
	const char *project;
	const char *job;
	int64_t wanted; /* tasks the job has */
	bool ended;	/* all of them have come to their end, says the manager */
	bool well;	/* ... and none was given up */
	bool again;
	struct followed_run run; /* of run --again */
	struct log_reader *reader;
	struct uuid job_id; /* zero: no task yet */
	struct uuid told_task;
	int told_reason;
};

/* ---- flags to a specification -------------------------------------------------------------------------- */

/* "[IP:]HOST:CONTAINER[/udp]" or "CONTAINER": not published. */
static enum err_code add_port(struct job_spec *spec, const char *text, struct err *err)
{
	const char *slash = strchr(text, '/');
	_cleanup_free_ char *numbers =
		base_strndup(text, slash ? (size_t)(slash - text) : strlen(text));
	char *last = strrchr(numbers, ':');
	char *host = numbers;
	char *ip = NULL;
	struct port *port = list_add(&spec->ports, sizeof(*port));
	if (slash && !enum_value(port_protocol_names, slash + 1, &port->protocol))
		return err_set_field(err, ERR_INVALID, "--publish", "\"%s\" is neither tcp nor udp",
				     slash + 1);
	if (!last)
		return err_set_field(err, ERR_INVALID, "--publish",
				     "\"%s\" needs a host port too: HOST:CONTAINER", text);
	*last = '\0';
	char *before = strrchr(numbers, ':');
	if (before) {
		*before = '\0';
		ip = numbers;
		host = before + 1;
	}
	char *dash = strchr(host, '-');
	if (dash)
		*dash = '\0';
	if (parse_int(host, 1, 65535, &port->host_first, NULL) ||
	    parse_int(dash ? dash + 1 : host, 1, 65535, &port->host_last, NULL) ||
	    parse_int(last + 1, 1, 65535, &port->container_port, NULL))
		return err_set_field(err, ERR_INVALID, "--publish",
				     "\"%s\" is not [IP:]HOST[-HOST]:CONTAINER[/PROTOCOL]", text);
	port->host_ip = base_strdup(ip);
	return ERR_NONE;
}

/* "SOURCE:TARGET[:ro]" with an absolute source: a bind mount. Named volumes belong to projects. */
static enum err_code add_mount(struct job_spec *spec, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	if (!colon || text[0] != '/')
		return err_set_field(
			err, ERR_INVALID, "--volume",
			"\"%s\" is not /HOST/PATH:/CONTAINER/PATH[:ro]; named volumes need a "
			"compose.yaml",
			text);
	const char *options = strchr(colon + 1, ':');
	struct mount *mount = list_add(&spec->mounts, sizeof(*mount));
	mount->kind = MOUNT_BIND;
	mount->create_host_path = true;
	mount->source = base_strndup(text, (size_t)(colon - text));
	mount->target = base_strndup(colon + 1,
				     options ? (size_t)(options - colon - 1) : strlen(colon + 1));
	mount->read_only = options && strcmp(options, ":ro") == 0;
	if (options && !mount->read_only && strcmp(options, ":rw") != 0)
		return err_set_field(err, ERR_INVALID, "--volume", "\"%s\" is neither ro nor rw",
				     options + 1);
	return ERR_NONE;
}

static enum err_code add_pair(struct pairs *pairs, const char *text, const char *fallback,
			      const char *option, struct err *err)
{
	const char *equals = strchr(text, '=');
	if (equals == text)
		return err_set_field(err, ERR_INVALID, option, "\"%s\" has no name", text);
	_cleanup_free_ char *key =
		base_strndup(text, equals ? (size_t)(equals - text) : strlen(text));
	pairs_put(pairs, key, equals ? equals + 1 : fallback);
	return ERR_NONE;
}

/* "no", "always", "on-failure[:N]", "unless-stopped", as Docker takes them. */
static enum err_code read_restart(struct restart_policy *policy, const char *text, struct err *err)
{
	if (strcmp(text, "no") == 0) {
		policy->condition = RESTART_NONE;
	} else if (strcmp(text, "always") == 0 || strcmp(text, "unless-stopped") == 0) {
		policy->condition = RESTART_ANY;
	} else if (strncmp(text, "on-failure", 10) == 0 && (!text[10] || text[10] == ':')) {
		policy->condition = RESTART_ON_FAILURE;
		if (text[10] && parse_int(text + 11, 1, 1000000, &policy->max_attempts, NULL))
			return err_set_field(err, ERR_INVALID, "--restart",
					     "\"%s\" is not a number", text + 11);
	} else {
		return err_set_field(err, ERR_INVALID, "--restart",
				     "\"%s\" is none of no, always, on-failure[:N], unless-stopped",
				     text);
	}
	return ERR_NONE;
}

static enum err_code read_lists(const struct invocation *invocation, struct job_spec *spec,
				struct err *err)
{
	const struct strings *ports = cli_strings(invocation, "publish");
	const struct strings *mounts = cli_strings(invocation, "volume");
	const struct strings *environment = cli_strings(invocation, "env");
	const struct strings *labels = cli_strings(invocation, "label");
	enum err_code code = ERR_NONE;
	for (size_t i = 0; i < ports->n && !code; i++)
		code = add_port(spec, ports->items[i], err);
	for (size_t i = 0; i < mounts->n && !code; i++)
		code = add_mount(spec, mounts->items[i], err);
	for (size_t i = 0; i < environment->n && !code; i++)
		code = add_pair(&spec->environment, environment->items[i],
				getenv(environment->items[i]), "--env", err);
	for (size_t i = 0; i < labels->n && !code; i++)
		code = add_pair(&spec->labels, labels->items[i], "", "--label", err);
	for (size_t i = 0; i < cli_strings(invocation, "constraint")->n; i++)
		strings_add(&spec->placement.constraints,
			    cli_strings(invocation, "constraint")->items[i]);
	return code;
}

static enum err_code read_resources(const struct invocation *invocation, struct job_spec *spec,
				    struct err *err)
{
	const char *memory = cli_string(invocation, "memory", NULL);
	const char *cpus = cli_string(invocation, "cpus", NULL);
	const char *reserve_memory = cli_string(invocation, "reserve-memory", NULL);
	const char *reserve_cpus = cli_string(invocation, "reserve-cpus", NULL);
	enum err_code code = ERR_NONE;
	if (memory)
		code = parse_size_bytes(memory, &spec->limits.memory_bytes, err);
	if (!code && cpus)
		code = parse_cpu_milli(cpus, &spec->limits.cpu_milli, err);
	if (!code && reserve_memory)
		code = parse_size_bytes(reserve_memory, &spec->reservations.memory_bytes, err);
	if (!code && reserve_cpus)
		code = parse_cpu_milli(reserve_cpus, &spec->reservations.cpu_milli, err);
	return code;
}

static enum err_code read_spec(const struct invocation *invocation, struct job_spec *spec,
			       struct err *err)
{
	const struct strings *words = &invocation->operands;
	const char *entrypoint = cli_string(invocation, "entrypoint", NULL);
	spec->image = base_strdup(words->items[0]);
	spec->mode = JOB_REPLICATED_JOB;
	spec->has_command = words->n > 1;
	for (size_t i = 1; i < words->n; i++)
		strings_add(&spec->command, words->items[i]);
	spec->has_entrypoint = entrypoint != NULL;
	if (entrypoint && *entrypoint)
		strings_add(&spec->entrypoint, entrypoint);
	string_set(&spec->working_dir, cli_string(invocation, "workdir", NULL));
	string_set(&spec->user, cli_string(invocation, "user", NULL));
	string_set(&spec->hostname, cli_string(invocation, "hostname", NULL));
	string_set(&spec->stop_signal, cli_string(invocation, "stop-signal", NULL));
	spec->read_only = cli_has(invocation, "read-only");
	spec->init = cli_has(invocation, "init") ? YES : UNSET;
	spec->priority = cli_int(invocation, "priority", spec->priority);
	spec->replicas = cli_int(invocation, "replicas", 1);
	spec->max_run_time_ms = cli_duration_ms(invocation, "max-run-time", 0);
	const char *pull = cli_string(invocation, "pull", "missing");
	if (!enum_value(pull_policy_names, pull, &spec->pull_policy))
		return err_set_field(err, ERR_INVALID, "--pull",
				     "\"%s\" is none of missing, always, never", pull);
	enum err_code code =
		read_restart(&spec->restart, cli_string(invocation, "restart", "no"), err);
	if (!code)
		code = read_lists(invocation, spec, err);
	return code ? code : read_resources(invocation, spec, err);
}

/* --name, or the image's last part and four random digits. */
static char *job_name(const struct invocation *invocation)
{
	const char *name = cli_string(invocation, "name", NULL);
	if (name)
		return base_strdup(name);
	const char *image = invocation->operands.items[0];
	const char *slash = strrchr(image, '/');
	const char *base = slash ? slash + 1 : image;
	struct text text;
	text_init(&text, LIMIT_NAME_BYTES);
	text_add_bytes(&text, base, strcspn(base, ":@") > 40 ? 40 : strcspn(base, ":@"));
	text_addf(&text, "-%04x", (unsigned)(shell_seed() & 0xffff));
	return text_take(&text);
}

/* ---- running it ---------------------------------------------------------------------------------------- */

static enum err_code submit(struct invocation *invocation, struct submit_request *request,
			    struct err *err)
{
	struct manager_answer answer;
	char key[UUID_TEXT_SIZE];
	api_client_make_key(key);
	struct api_call call = { .method = "POST",
				 .target = "/v1/jobs",
				 .body_type = &submit_request_type,
				 .body = request,
				 .answer_type = &manager_answer_type,
				 .answer = &answer,
				 .idempotency_key = key };
	enum err_code code = api_client_call(cli_client(invocation), &call, err);
	if (!code)
		record_release(&manager_answer_type, &answer);
	return code;
}

/* The exit status `docker run` would give for the ended task. */
static int exit_status(const struct task_view *task)
{
	if (task->reason == REASON_COMMAND_NOT_FOUND)
		return EXIT_COMMAND_NOT_FOUND;
	if (task->exit_code >= 0 && task->exit_code < 256)
		return (int)task->exit_code;
	return err_exit_status(ERR_FAILED);
}

static void tell(const struct task_view *task)
{
	if (task->message)
		fprintf(stderr, "drover run: %s %s: %s\n", task->name,
			enum_name(task_state_names, task->state), task->message);
}

/* Worth telling while it goes on: what keeps it waiting, once for each reason. */
static void tell_waiting(const struct task_view *task, struct following *following)
{
	bool told = uuid_equal(following->told_task, task->id) &&
		    following->told_reason == task->reason;
	if (told || task_is_final(task->state) || task->state == TASK_RUNNING ||
	    task->reason == REASON_STARTING || task->reason == REASON_QUEUED ||
	    task->reason == REASON_ASSIGNED)
		return;
	following->told_task = task->id;
	following->told_reason = task->reason;
	tell(task);
}

/* Is it of this run, and the newest of its slot? Tasks come in the order they were made. */
static bool counts(const struct task_page *page, size_t i, const struct following *following)
{
	const struct task_view *task = &page->tasks.items[i];
	if (!followed_run_has(&following->run, task))
		return false;
	for (size_t j = i + 1; j < page->tasks.n; j++)
		if (page->tasks.items[j].slot == task->slot &&
		    followed_run_has(&following->run, &page->tasks.items[j]))
			return false;
	return true;
}

/* What the tasks themselves wrote does not say: an exit status speaks for itself. */
static void tell_end(const struct task_page *page, const struct following *following)
{
	for (size_t i = 0; i < page->tasks.n; i++) {
		const struct task_view *task = &page->tasks.items[i];
		if (counts(page, i, following) &&
		    (task->state == TASK_FAILED || task->reason == REASON_STOPPED))
			tell(task);
	}
}

/* A task that cannot start here would be tried again for ever; whoever waits in the foreground wants to know now. */
static bool cannot_start(const struct task_view *task)
{
	/* Its successor may be there already, and wait for its time. */
	return task->reason == REASON_WAITS_BACKOFF ||
	       (task->state == TASK_FAILED &&
		reason_after(task->reason) == AFTER_REPLACE_ELSEWHERE);
}

static void stop_trying(struct invocation *invocation, const struct task_view *task)
{
	char target[96], id[UUID_TEXT_SIZE];
	struct manager_answer answer;
	struct err err;
	text_print(target, sizeof(target), "/v1/jobs/%s/stop", uuid_format(task->job_id, id));
	if (mutate(invocation, "POST", target, &answer, &err))
		fprintf(stderr, "drover run: the job could not be stopped and is tried again: %s\n",
			err.message);
	else
		record_release(&manager_answer_type, &answer);
}

/* One look at the job's tasks: the exit status once it is over, -1 before. */
static int look(struct invocation *invocation, const struct task_page *page,
		struct following *following)
{
	bool all_ended = following->ended;
	int status = 0;
	for (size_t i = 0; i < page->tasks.n; i++) {
		const struct task_view *task = &page->tasks.items[i];
		if (!counts(page, i, following))
			continue;
		log_reader_add(following->reader, task);
		tell_waiting(task, following);
		all_ended = all_ended && task_is_final(task->state);
		if (cannot_start(task)) {
			/* What somebody else has asked for is not ours to stop. */
			if (!following->again)
				stop_trying(invocation, task);
			return err_exit_status(ERR_FAILED);
		}
		if (task->state == TASK_FAILED || status == 0)
			status = exit_status(task);
	}
	/* Of many tasks, those that ended long ago are not listed any more. */
	if (status == 0 && !following->well)
		status = err_exit_status(ERR_FAILED);
	return all_ended ? status : -1;
}

static enum err_code fetch_history(struct invocation *invocation, struct uuid job,
				   struct job_history *ret_history, struct err *err)
{
	char target[128], id[UUID_TEXT_SIZE];
	text_print(target, sizeof(target), "/v1/jobs/%s/revisions", uuid_format(job, id));
	return fetch(invocation, target, &job_history_type, ret_history, err);
}

static enum err_code look_at_run(struct invocation *invocation, struct following *following,
				 struct err *err)
{
	struct job_history history;
	enum err_code code = fetch_history(invocation, following->job_id, &history, err);
	if (code)
		return code;
	followed_run_look(&following->run, &history);
	following->ended = following->run.ended;
	following->well = following->run.well;
	record_release(&job_history_type, &history);
	return ERR_NONE;
}

/* Has the job come to its end? To be asked before its tasks are looked at. */
static enum err_code look_at_job(struct invocation *invocation, struct following *following,
				 struct err *err)
{
	struct job_page page;
	struct text query;
	if (following->run.started_wall_ms)
		return look_at_run(invocation, following, err);
	text_init(&query, LIMIT_PATH_BYTES);
	text_add(&query, "project=");
	http_percent_encode(&query, following->project);
	text_add(&query, "&name=");
	http_percent_encode(&query, following->job);
	enum err_code code = fetch_jobs(invocation, text_string(&query), &page, err);
	text_release(&query);
	if (code)
		return code;
	for (size_t i = 0; i < page.jobs.n; i++) {
		const struct job_view *job = &page.jobs.items[i];
		following->job_id = job->id;
		following->well = job->succeeded >= job->replicas;
		following->ended = job->succeeded + job->left >= job->replicas ||
				   (job->wanted != JOB_RUN && !job->running);
	}
	if (!page.jobs.n)
		err_set(err, ERR_NOT_FOUND, "job %s/%s is gone", following->project,
			following->job);
	code = page.jobs.n ? ERR_NONE : ERR_NOT_FOUND;
	record_release(&job_page_type, &page);
	return code;
}

static enum err_code fetch_all(struct invocation *invocation, struct following *following,
			       const char *query, struct task_page *ret_page, struct err *err)
{
	for (;;) {
		enum err_code code = look_at_job(invocation, following, err);
		bool had_ended = following->ended;
		if (!code)
			code = fetch_tasks(invocation, query, ret_page, err);
		if (code || !following->run.started_wall_ms)
			return code;
		/* Meanwhile the next run may have begun. If this one ended only now, its last tasks may be missing. */
		code = look_at_job(invocation, following, err);
		if (!code && !following->ended)
			followed_run_know(&following->run, ret_page);
		if (!code && (had_ended || !following->ended))
			return ERR_NONE;
		record_release(&task_page_type, ret_page);
		if (code)
			return code;
	}
}

/* Until the job is over and all its output is here; then say how it ended. */
static int follow(struct invocation *invocation, struct following *following)
{
	struct err err;
	struct log_reader_options options = { .follow = true,
					      .tail = -1,
					      .prefix = following->wanted > 1 };
	_cleanup_free_ char *query = find_query(following->project, following->job);
	int status = -1;
	following->reader = log_reader_new(invocation, &options);
	while (status < 0) {
		struct task_page page;
		if (fetch_all(invocation, following, query, &page, &err)) {
			status = cli_fail(invocation, &err);
			break;
		}
		status = look(invocation, &page, following);
		log_reader_run(following->reader, status < 0 ? POLL_MS : -1);
		if (status >= 0)
			tell_end(&page, following);
		if (status >= 0 && following->run.started_wall_ms && !following->run.on_record)
			fprintf(stderr, "drover run: the run is not on record any more\n");
		record_release(&task_page_type, &page);
	}
	log_reader_free(following->reader);
	return status;
}

/* --rm: the job goes with its history. */
static void remove_job(struct invocation *invocation, struct uuid job)
{
	char target[96], id[UUID_TEXT_SIZE];
	struct manager_answer answer;
	struct err err;
	text_print(target, sizeof(target), "/v1/jobs/%s", uuid_format(job, id));
	if (mutate(invocation, "DELETE", target, &answer, &err))
		fprintf(stderr, "drover run: --rm: %s\n", err.message);
	else
		record_release(&manager_answer_type, &answer);
}

static int run_in_foreground(struct invocation *invocation, struct following *following)
{
	char sentence[256];
	cli_on_interrupt(text_print(sentence, sizeof(sentence),
				    "drover run: %s/%s runs on: drover logs -f, drover stop",
				    following->project, following->job));
	int status = follow(invocation, following);
	if (cli_has(invocation, "rm") && !uuid_is_zero(following->job_id))
		remove_job(invocation, following->job_id);
	return status;
}

/* ---- a job that is there ------------------------------------------------------------------------------- */

/* The newest task of the job: what is made from now on is newer. */
static enum err_code find_newest(struct invocation *invocation, struct following *following,
				 struct err *err)
{
	struct task_page page;
	_cleanup_free_ char *query = find_query(following->project, following->job);
	enum err_code code = fetch_tasks(invocation, query, &page, err);
	if (code)
		return code;
	for (size_t i = 0; i < page.tasks.n; i++)
		if (uuid_compare(page.tasks.items[i].id, following->run.after) > 0)
			following->run.after = page.tasks.items[i].id;
	record_release(&task_page_type, &page);
	return ERR_NONE;
}

static enum err_code ask_again(struct invocation *invocation, const struct job_view *job,
			       struct err *err)
{
	char target[96], id[UUID_TEXT_SIZE];
	struct manager_answer answer;
	text_print(target, sizeof(target), "/v1/jobs/%s/run", uuid_format(job->id, id));
	enum err_code code = mutate(invocation, "POST", target, &answer, err);
	if (!code)
		record_release(&manager_answer_type, &answer);
	return code;
}

/* Of a job with a schedule, the run that was asked for: the newest that was. */
static enum err_code find_run(struct invocation *invocation, struct following *following,
			      struct err *err)
{
	struct job_history history;
	enum err_code code = fetch_history(invocation, following->job_id, &history, err);
	if (code)
		return code;
	for (size_t i = 0; i < history.runs.n && !following->run.started_wall_ms; i++)
		if (!history.runs.items[i].scheduled_wall_ms)
			following->run.started_wall_ms = history.runs.items[i].started_wall_ms;
	record_release(&job_history_type, &history);
	return ERR_NONE;
}

static int run_again(struct invocation *invocation)
{
	struct found found = { 0 };
	struct err err;
	int status = 0;
	for (size_t i = 0; i < invocation->command->n_options; i++) {
		const char *name = invocation->command->options[i].name;
		if (strcmp(name, "again") != 0 && strcmp(name, "detach") != 0 &&
		    cli_has(invocation, name))
			return cli_usage(invocation,
					 "--again runs a job as it is: --%s is for a new one",
					 name);
	}
	if (invocation->operands.n != 1)
		return cli_usage(invocation, "--again takes one JOB, and it runs as it is");
	enum err_code code = find_job(invocation, invocation->operands.items[0], &found, &err);
	struct following following = { .project = found.job.project,
				       .job = found.job.name,
				       .job_id = found.job.id,
				       .wanted = found.job.replicas,
				       .again = true };
	if (!code)
		code = find_newest(invocation, &following, &err);
	if (!code)
		code = ask_again(invocation, &found.job, &err);
	if (!code && !cli_has(invocation, "detach"))
		code = find_run(invocation, &following, &err);
	if (code)
		status = cli_fail(invocation, &err);
	else if (cli_has(invocation, "detach"))
		printf("%s/%s\n", found.job.project, found.job.name);
	else
		status = run_in_foreground(invocation, &following);
	found_release(&found);
	return status;
}

static int run(struct invocation *invocation)
{
	struct submit_request request = { 0 };
	struct err err;
	int status = 0;
	if (cli_has(invocation, "again"))
		return run_again(invocation);
	if (cli_has(invocation, "rm") && cli_has(invocation, "detach"))
		return cli_usage(
			invocation,
			"--rm needs someone who waits: leave --detach out, or use drover rm");
	record_init(&submit_request_type, &request);
	request.project = base_strdup(RUN_PROJECT);
	request.job.name = job_name(invocation);
	enum err_code code = read_spec(invocation, &request.job.spec, &err);
	if (!code)
		code = submit(invocation, &request, &err);
	struct following following = { .project = RUN_PROJECT,
				       .job = request.job.name,
				       .wanted = request.job.spec.replicas };
	if (code)
		status = cli_fail(invocation, &err);
	else if (cli_has(invocation, "detach"))
		printf("%s/%s\n", RUN_PROJECT, request.job.name);
	else
		status = run_in_foreground(invocation, &following);
	record_release(&submit_request_type, &request);
	return status;
}

static const struct option options_table[] = {
	{ "name", 0, OPTION_STRING, "NAME", "of the job (default: from the image)" },
	{ "detach", 'd', OPTION_FLAG, NULL, "print the job's name and do not wait" },
	{ "rm", 0, OPTION_FLAG, NULL, "remove the job when it is over" },
	{ "env", 'e', OPTION_STRINGS, "KEY[=VALUE]", "environment variable" },
	{ "publish", 'p', OPTION_STRINGS, "HOST:CONTAINER",
	  "publish a port; HOST may be a range to draw from" },
	{ "volume", 'v', OPTION_STRINGS, "/HOST:/CONTAINER", "bind mount, with :ro if read-only" },
	{ "label", 'l', OPTION_STRINGS, "KEY=VALUE", "label of the container" },
	{ "workdir", 'w', OPTION_STRING, "DIR", "working directory in the container" },
	{ "user", 'u', OPTION_STRING, "USER", "user and group in the container" },
	{ "entrypoint", 0, OPTION_STRING, "PROGRAM", "in place of the image's" },
	{ "hostname", 0, OPTION_STRING, "NAME", "host name in the container" },
	{ "init", 0, OPTION_FLAG, NULL, "run a small init that reaps and forwards signals" },
	{ "read-only", 0, OPTION_FLAG, NULL, "make the container's file system read-only" },
	{ "stop-signal", 0, OPTION_STRING, "SIGNAL", "signal that asks it to stop" },
	{ "memory", 'm', OPTION_STRING, "SIZE", "memory limit" },
	{ "cpus", 0, OPTION_STRING, "N", "CPU limit" },
	{ "reserve-memory", 0, OPTION_STRING, "SIZE", "memory set aside for it on its node" },
	{ "reserve-cpus", 0, OPTION_STRING, "N", "CPUs set aside for it on its node" },
	{ "constraint", 0, OPTION_STRINGS, "KEY==VALUE",
	  "where it may run: node.labels.disk==ssd" },
	{ "restart", 0, OPTION_STRING, "POLICY", "no (default), on-failure[:N], always" },
	{ "pull", 0, OPTION_STRING, "WHEN", "missing (default), always, never" },
	{ "priority", 0, OPTION_INT, "N", "0 to 100, higher is placed first (default 50)" },
	{ "replicas", 0, OPTION_INT, "N", "how many tasks must succeed (default 1)" },
	{ "max-run-time", 0, OPTION_DURATION, "TIME", "a task that runs for longer has failed" },
	{ "again", 0, OPTION_FLAG, NULL,
	  "run a JOB again that has come to its end, in place of an image" },
};

const struct command command_run = {
	.name = "run",
	.operands = "IMAGE [COMMAND...] | --again JOB",
	.summary = "Run one task to completion and print its output",
	.details = "Makes a job in the project \"default\" and exits with the task's own status. "
		   "Ctrl-C ends the waiting, not the job. The job stays, with its history and "
		   "logs, until drover rm; --rm "
		   "does that.\n"
		   "--again JOB runs all tasks of a job anew that has completed, failed or was "
		   "stopped, as it is.",
	.options = options_table,
	.n_options = ARRAY_LEN(options_table),
	.operands_min = 1,
	.operands_max = -1,
	.stops_at_operand = true,
	.run = run,
};
