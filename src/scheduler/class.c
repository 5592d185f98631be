/* A class stands for one row of answers of the filters. What only one job or project can answer
 * (replicas per node, the shared network, volumes) brings the job or project in; all else is hashed
 * by value, so tasks of different jobs with the same needs are one class. */
#include <string.h>

#include "base/hash.h"
#include "scheduler/internal.h"

static uint64_t add_number(uint64_t hash, int64_t number)
{
	for (int shift = 0; shift < 64; shift += 8) {
		unsigned char byte = (unsigned char)((uint64_t)number >> shift);
		hash = hash_bytes(hash, &byte, 1);
	}
	return hash;
}

/* NULL and "" differ, and two strings never join to one. */
static uint64_t add_string(uint64_t hash, const char *string)
{
	hash = add_number(hash, string ? (int64_t)strlen(string) : -1);
	return string ? hash_bytes(hash, string, strlen(string)) : hash;
}

static uint64_t add_ports(uint64_t hash, const struct job_spec *spec)
{
	hash = add_number(hash, (int64_t)spec->ports.n);
	for (size_t i = 0; i < spec->ports.n; i++) {
		const struct port *port = &spec->ports.items[i];
		hash = add_string(hash, port->host_ip);
		hash = add_number(hash, port->host_first);
		hash = add_number(hash, port->host_last);
		hash = add_number(hash, port->protocol);
	}
	return hash;
}

static uint64_t add_volumes(uint64_t hash, const struct project_entry *project,
			    const struct job_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mount *mount = &spec->mounts.items[i];
		char buffer[VOLUME_NAME_SIZE];
		if (mount->kind == MOUNT_VOLUME && mount->source)
			hash = add_string(hash,
					  cluster_volume_name(project, mount->source, buffer));
	}
	return hash;
}

uint64_t scheduler_class(const struct cluster *cluster, const struct task *task)
{
	const struct job_entry *job = cluster_job_of(cluster, task);
	const struct project_entry *project = cluster_project(cluster, job->job.project);
	const struct job_revision *revision = cluster_task_revision(cluster, task);
	const struct job_spec *spec = &revision->spec;
	uint64_t hash = HASH_START;
	hash = add_number(hash, spec->reservations.cpu_milli);
	hash = add_number(hash, spec->reservations.memory_bytes);
	hash = add_number(hash, spec->reservations.disk_bytes);
	hash = add_number(hash, (int64_t)spec->placement.constraints.n);
	for (size_t i = 0; i < spec->placement.constraints.n; i++)
		hash = add_string(hash, spec->placement.constraints.items[i]);
	hash = add_string(hash, spec->platform);
	hash = add_number(hash, job_spec_is_global(spec) ? task->desired.slot : 0);
	hash = hash_bytes(hash, task_rare(task)->move_to.uuid.bytes, UUID_BYTES);
	/* Of features of one level each has its own: a refusal names what needs it. */
	hash = add_number(hash, job_engine(spec, &project->project));
	hash = add_number(hash, job_revision_protocol(revision, &project->project));
	hash = add_ports(hash, spec);
	hash = add_number(hash, job_spec_volumes_per_node(spec));
	hash = add_number(hash, job_spec_networks_per_node(spec));
	hash = add_volumes(hash, project, spec);
	hash = add_number(hash, spec->placement.max_replicas_per_node);
	if (spec->placement.max_replicas_per_node > 0)
		hash = hash_bytes(hash, job->job.id.uuid.bytes, UUID_BYTES);
	hash = add_number(hash, (int64_t)spec->networks.n);
	for (size_t i = 0; i < spec->networks.n; i++)
		hash = add_string(hash, spec->networks.items[i].network);
	return spec->networks.n ? add_string(hash, job->job.project) : hash;
}
