/* A small cluster for tests: machines that answer, projects, jobs, tasks and what workers report.
 * Every change is kept, so that the same world can be replayed. */
#ifndef CLUSTER_TEST_WORLD_H
#define CLUSTER_TEST_WORLD_H

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cluster/cluster.h"

#define GB (1LL << 30)
#define MB (1LL << 20)

struct world {
	struct cluster cluster;
	struct changes changes;
	struct random random;
	int64_t wall_ms;
};

static inline void world_init(struct world *world)
{
	*world = (struct world){ .random = { 1 }, .wall_ms = 1700000000000 };
	cluster_init(&world->cluster, 7);
}

static inline void world_release(struct world *world)
{
	cluster_check(&world->cluster);
	cluster_release(&world->cluster);
	changes_release(&world->changes);
}

/* Ids rise with every call, so creation order and id order agree. */
static inline struct uuid world_id(struct world *world)
{
	return uuid_make(&world->random, world->wall_ms++);
}

/* A machine that is ready, with labels "key=value" or NULL. */
static inline struct node_entry *world_node(struct world *world, const char *hostname,
					    int64_t cpu_milli, int64_t memory_bytes,
					    const char *label, const char *value)
{
	struct node_record record;
	record_init(&node_record_type, &record);
	record.id.uuid = world_id(world);
	struct meta_record meta = world->cluster.meta;
	record.number = meta.next_node_number ? meta.next_node_number : 1;
	meta.next_node_number = record.number + 1;
	cluster_put_meta(&world->cluster, &world->changes, &meta);
	string_set(&record.facts.hostname, hostname);
	string_set(&record.facts.platform_os, "linux");
	string_set(&record.facts.platform_arch, "x86_64");
	record.facts.api_minor = 44;
	record.facts.protocol = 2;
	record.facts.capacity.cpu_milli = cpu_milli;
	record.facts.capacity.memory_bytes = memory_bytes;
	record.facts.capacity.disk_bytes = 100 * GB;
	if (label)
		pairs_add(&record.facts.labels, label, value);
	struct node_entry *node = cluster_put_node(&world->cluster, &world->changes, &record);
	node->heard_ms = 1;
	cluster_set_node_runtime(&world->cluster, node, true);
	return node;
}

static inline struct job_spec world_spec(int64_t cpu_milli, int64_t memory_bytes)
{
	struct job_spec spec;
	record_init(&job_spec_type, &spec);
	string_set(&spec.image, "busybox");
	spec.reservations.cpu_milli = cpu_milli;
	spec.reservations.memory_bytes = memory_bytes;
	return spec;
}

static inline void spec_add_port(struct job_spec *spec, const char *host_ip, int64_t first,
				 int64_t last, int protocol)
{
	struct port *port = list_add(&spec->ports, sizeof(*port));
	string_set(&port->host_ip, host_ip);
	port->host_first = first;
	port->host_last = last;
	port->container_port = 80;
	port->protocol = protocol;
}

static inline void spec_add_network(struct job_spec *spec, const char *network)
{
	struct network_use *use = list_add(&spec->networks, sizeof(*use));
	string_set(&use->network, network);
}

static inline void spec_add_volume(struct job_spec *spec, const char *source)
{
	struct mount *mount = list_add(&spec->mounts, sizeof(*mount));
	mount->kind = MOUNT_VOLUME;
	string_set(&mount->source, source);
	string_set(&mount->target, "/data");
}

static inline struct project_entry *world_project(struct world *world, const char *name)
{
	struct project_entry *entry = cluster_project(&world->cluster, name);
	if (entry)
		return entry;
	struct project project;
	record_init(&project_type, &project);
	string_set(&project.name, name);
	return cluster_put_project(&world->cluster, &world->changes, &project);
}

/* A job with revision 1; takes the specification. */
static inline struct job_entry *world_job(struct world *world, const char *project,
					  const char *name, struct job_spec spec)
{
	world_project(world, project);
	struct job job;
	record_init(&job_type, &job);
	job.id.uuid = world_id(world);
	job.revision = 1;
	string_set(&job.project, project);
	string_set(&job.name, name);
	struct job_entry *entry = cluster_put_job(&world->cluster, &world->changes, &job);
	struct job_revision revision;
	memset(&revision, 0, sizeof(revision));
	revision.job = entry->job.id;
	revision.number = 1;
	revision.spec = spec;
	cluster_put_revision(&world->cluster, &world->changes, &revision);
	return entry;
}

static inline struct task *world_task(struct world *world, struct job_entry *job, int64_t slot)
{
	struct task_desired desired;
	record_init(&task_desired_type, &desired);
	desired.id.uuid = world_id(world);
	desired.job = job->job.id;
	desired.revision = job->job.revision;
	desired.slot = slot;
	return cluster_add_task(&world->cluster, &world->changes, &desired);
}

static inline void world_place(struct world *world, struct task *task, struct node_entry *node)
{
	cluster_task_edit(&world->cluster, task);
	task->desired.node = node->record.id;
	cluster_task_save(&world->cluster, &world->changes, task);
}

/* Place with the task's only port granted. */
static inline void world_place_on_port(struct world *world, struct task *task,
				       struct node_entry *node, int64_t host_port)
{
	cluster_task_edit(&world->cluster, task);
	task->desired.node = node->record.id;
	struct port_grant *grant = list_add(&task_make_rare(task)->ports, sizeof(*grant));
	*grant = (struct port_grant){ 0, host_port };
	cluster_task_save(&world->cluster, &world->changes, task);
}

/* A task of the job, placed. */
static inline struct task *world_placed(struct world *world, struct job_entry *job, int64_t slot,
					struct node_entry *node)
{
	struct task *task = world_task(world, job, slot);
	world_place(world, task, node);
	return task;
}

static inline struct task_observed report_of(const struct task *task, int64_t version, int state,
					     int64_t attempt)
{
	struct task_observed report;
	record_init(&task_observed_type, &report);
	report.task = task->desired.id;
	report.version = version;
	report.state = state;
	report.attempt = attempt;
	/* The time stands for the attempt: whoever runs has started. */
	report.started_wall_ms = state == TASK_RUNNING ? 1000 * attempt : 0;
	return report;
}

/* The worker of the task's node reports; the answer of cluster_observe(). */
static inline bool world_report(struct world *world, const struct task *task,
				struct task_observed report, struct err *err)
{
	return cluster_observe(&world->cluster, &world->changes, task->desired.node, &report, err);
}

/* Does the function end the process by an assertion? Runs it in a child. */
static inline bool dies(void (*function)(void *), void *argument)
{
	pid_t child = fork();
	if (child == 0) {
		struct rlimit no_core = { 0, 0 };
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		function(argument);
		_exit(0);
	}
	int status = 0;
	while (waitpid(child, &status, 0) < 0)
		;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
