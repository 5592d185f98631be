#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/job.h"

static struct job_request *add_job(struct project_request *request, const char *name)
{
	struct job_request *job = list_add(&request->jobs, sizeof(struct job_request));
	record_init(&job_request_type, job);
	string_set(&job->name, name);
	string_set(&job->spec.image, "nginx");
	return job;
}

/* `name` depends on the jobs of `on`, which ends with NULL. */
static void add_waiting_job(struct project_request *request, const char *name,
			    const char *const *on)
{
	struct job_request *job = add_job(request, name);
	for (; *on; on++) {
		struct depend *depend = list_add(&job->spec.depends_on, sizeof(struct depend));
		string_set(&depend->job, *on);
	}
}

#define ON(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void add_network(struct project_request *request, const char *key)
{
	struct network_spec *network = list_add(&request->networks, sizeof(struct network_spec));
	string_set(&network->key, key);
}

static void init(struct project_request *request)
{
	record_init(&project_request_type, request);
	string_set(&request->name, "shop");
}

/* Check and release. */
static void expect(struct project_request *request, enum err_code code, const char *field,
		   const char *message)
{
	struct err err = { 0 };
	enum err_code heard = project_request_check(request, &err);
	if (heard != code ||
	    (code && (strcmp(err.field, field) != 0 || strcmp(err.message, message) != 0)))
		fail_msg("expected %s: %s\nheard %s: %s", field ? field : "no error",
			 message ? message : "", err.field, err.message);
	assert_int_equal(project_request_check(request, NULL), code);
	record_release(&project_request_type, request);
}

static void networks_and_volumes_that_no_worker_could_keep_are_refused(void **state)
{
	(void)state;
	struct project_request request;
	_cleanup_free_ char *value = base_calloc(LIMIT_STRING_BYTES + 1, 1);
	memset(value, 'x', LIMIT_STRING_BYTES);
	init(&request);
	add_job(&request, "web");
	add_network(&request, "front");
	struct volume_spec *volume = list_add(&request.volumes, sizeof(struct volume_spec));
	string_set(&volume->key, "data");
	pairs_add(&request.networks.items[0].labels, "a", value);
	pairs_add(&request.networks.items[0].labels, "b", value);
	pairs_add(&volume->labels, "a", value);
	assert_int_equal(project_request_check(&request, NULL), ERR_NONE);
	pairs_add(&volume->labels, "b", value);
	expect(&request, ERR_LIMIT, "networks",
	       "the project's networks and volumes are larger than 256 KB");
}

static void a_project_whose_parts_fit_is_accepted(void **state)
{
	(void)state;
	struct project_request request;
	init(&request);
	add_network(&request, "default");
	struct volume_spec *volume = list_add(&request.volumes, sizeof(struct volume_spec));
	string_set(&volume->key, "pgData");
	struct job_request *db = add_job(&request, "db");
	struct network_use *use = list_add(&db->spec.networks, sizeof(struct network_use));
	string_set(&use->network, "default");
	struct mount *mount = list_add(&db->spec.mounts, sizeof(struct mount));
	string_set(&mount->source, "pgData");
	string_set(&mount->target, "/data");
	/* A diamond is no cycle. */
	add_waiting_job(&request, "left", ON("db"));
	add_waiting_job(&request, "right", ON("db"));
	add_waiting_job(&request, "web", ON("left", "right"));
	expect(&request, ERR_NONE, NULL, NULL);
	init(&request);
	expect(&request, ERR_NONE, NULL, NULL);
}

static void mistakes_in_a_job_are_named_from_the_project_down(void **state)
{
	(void)state;
	struct project_request request;
	init(&request);
	add_job(&request, "web");
	struct job_request *job = add_job(&request, "api");
	struct port *port = list_add(&job->spec.ports, sizeof(struct port));
	port->container_port = 80;
	port->host_first = 9;
	expect(&request, ERR_INVALID, "jobs[1].spec.ports[0].host_last",
	       "9-0 is not a range of ports");
	init(&request);
	add_job(&request, "web")->spec.replicas = -1;
	expect(&request, ERR_INVALID, "jobs[0].spec.replicas", "-1 is less than 0");
}

static void names_are_checked_and_unique(void **state)
{
	(void)state;
	struct project_request request;
	init(&request);
	string_set(&request.name, "Shop");
	expect(&request, ERR_INVALID, "name",
	       "\"Shop\" is not a name: lower-case letters and digits, '_', '.' and '-' between "
	       "them, "
	       "at most 63 bytes");
	init(&request);
	add_job(&request, "web");
	add_job(&request, "web");
	expect(&request, ERR_INVALID, "jobs[1].name", "\"web\" is written twice");
	init(&request);
	add_network(&request, "front");
	add_network(&request, "front");
	expect(&request, ERR_INVALID, "networks[1].key", "\"front\" is written twice");
	init(&request);
	add_job(&request, "a b");
	expect(&request, ERR_INVALID, "jobs[0].name",
	       "\"a b\" is not a name: letters and digits, '_', '.' and '-' after the first, at "
	       "most "
	       "63 bytes");
	init(&request);
	add_network(&request, "front");
	string_set(&request.networks.items[0].name, "a/b");
	expect(&request, ERR_INVALID, "networks[0].name",
	       "\"a/b\" is not a name Docker takes: one or more letters, digits, '_', '.' and '-'");
	init(&request);
	add_network(&request, "front");
	string_set(&request.networks.items[0].name, "n");
	expect(&request, ERR_NONE, NULL, NULL);
}

static void what_is_referred_to_must_be_there(void **state)
{
	(void)state;
	struct project_request request;
	init(&request);
	struct job_request *job = add_job(&request, "web");
	struct network_use *use = list_add(&job->spec.networks, sizeof(struct network_use));
	string_set(&use->network, "front");
	expect(&request, ERR_INVALID, "jobs[0].spec.networks[0].network",
	       "the project has no network \"front\"");
	init(&request);
	job = add_job(&request, "web");
	struct mount *mount = list_add(&job->spec.mounts, sizeof(struct mount));
	string_set(&mount->source, "data");
	string_set(&mount->target, "/data");
	expect(&request, ERR_INVALID, "jobs[0].spec.mounts[0].source",
	       "the project has no volume \"data\"");
	init(&request);
	add_waiting_job(&request, "web", ON("db"));
	expect(&request, ERR_INVALID, "jobs[0].spec.depends_on[0].job",
	       "the project has no job \"db\"");
	init(&request);
	add_waiting_job(&request, "web", ON("db"));
	request.jobs.items[0].spec.depends_on.items[0].optional = true;
	expect(&request, ERR_NONE, NULL, NULL);
	/* Of another project that is for the manager to say. */
	init(&request);
	add_waiting_job(&request, "web", ON("web", "db"));
	struct job_spec *spec = &request.jobs.items[0].spec;
	for (int i = 0; i < 2; i++)
		string_set(&spec->depends_on.items[i].project, "infra");
	expect(&request, ERR_NONE, NULL, NULL);
	init(&request);
	add_waiting_job(&request, "web", ON("db"));
	string_set(&request.jobs.items[0].spec.depends_on.items[0].project, request.name);
	expect(&request, ERR_INVALID, "jobs[0].spec.depends_on[0].job",
	       "db is a job of the same project: it is named without that");
}

static void jobs_that_wait_for_each_other_are_drawn(void **state)
{
	(void)state;
	struct project_request request;
	init(&request);
	add_waiting_job(&request, "a", ON("a"));
	expect(&request, ERR_INVALID, "jobs[0].spec.depends_on[0].job",
	       "a job cannot depend on itself");
	init(&request);
	add_waiting_job(&request, "a", ON("b"));
	add_waiting_job(&request, "b", ON("a"));
	expect(&request, ERR_INVALID, "jobs[0].spec.depends_on",
	       "the jobs wait for each other: a -> b -> a");
	/* The way to the cycle is no part of it. */
	init(&request);
	add_job(&request, "free");
	add_waiting_job(&request, "start", ON("free", "x"));
	add_waiting_job(&request, "x", ON("free", "y"));
	add_waiting_job(&request, "y", ON("z"));
	add_waiting_job(&request, "z", ON("free", "x"));
	expect(&request, ERR_INVALID, "jobs[2].spec.depends_on",
	       "the jobs wait for each other: x -> y -> z -> x");
}

static void a_long_chain_is_walked_without_a_stack(void **state)
{
	(void)state;
	struct project_request request;
	init(&request);
	for (int i = 0; i < LIMIT_JOBS_PER_PROJECT; i++) {
		char name[20];
		char next[20];
		text_print(name, sizeof(name), "job%d", i);
		text_print(next, sizeof(next), "job%d", i + 1);
		if (i + 1 < LIMIT_JOBS_PER_PROJECT)
			add_waiting_job(&request, name, ON(next));
		else
			add_job(&request, name);
	}
	expect(&request, ERR_NONE, NULL, NULL);
}

static void the_number_of_jobs_is_limited(void **state)
{
	(void)state;
	struct project_request request;
	init(&request);
	for (int i = 0; i <= LIMIT_JOBS_PER_PROJECT; i++)
		add_job(&request, "web");
	expect(&request, ERR_LIMIT, "jobs", "501 jobs, at most 500 are allowed");
}

static void an_overlay_network_is_refused_with_the_reason(void **state)
{
	(void)state;
	struct project_request request;
	init(&request);
	add_network(&request, "wide");
	string_set(&request.networks.items[0].driver, "overlay");
	expect(&request, ERR_UNSUPPORTED, "networks[0].driver",
	       "overlay networks across nodes are not built yet: a project's network lives on one "
	       "node");
}

static void the_bytes_that_a_task_keeps_in_memory_are_bounded(void **state)
{
	(void)state;
	for (int n = 10; n <= 11; n++) {
		struct project_request request;
		struct text data;
		init(&request);
		text_init(&data, LIMIT_CONTENT_DATA_BYTES);
		while (data.len < (size_t)4 * 1024 * 1024 / 10 / 3 * 4)
			text_add_char(&data, 'a');
		struct content_request *config = list_add(&request.configs, sizeof(*config));
		string_set(&config->key, "app");
		config->data = text_take(&data);
		struct job_spec *spec = &add_job(&request, "web")->spec;
		for (int i = 0; i < n; i++) {
			struct content_use *use = list_add(&spec->configs, sizeof(*use));
			char target[16];
			string_set(&use->source, "app");
			string_set(&use->target, text_print(target, sizeof(target), "/app%d", i));
		}
		if (n == 10)
			expect(&request, ERR_NONE, NULL, NULL);
		else
			expect(&request, ERR_TOO_LARGE, "jobs[0].spec.configs",
			       "the files of the configs and secrets of one task have 4613730 "
			       "bytes, "
			       "each use counted; at most 4194304 are allowed");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_project_whose_parts_fit_is_accepted),
		TEST(networks_and_volumes_that_no_worker_could_keep_are_refused),
		TEST(mistakes_in_a_job_are_named_from_the_project_down),
		TEST(names_are_checked_and_unique),
		TEST(what_is_referred_to_must_be_there),
		TEST(jobs_that_wait_for_each_other_are_drawn),
		TEST(a_long_chain_is_walked_without_a_stack),
		TEST(the_number_of_jobs_is_limited),
		TEST(an_overlay_network_is_refused_with_the_reason),
		TEST(the_bytes_that_a_task_keeps_in_memory_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
