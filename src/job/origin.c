/* Who asked for what a task is made from. */
#include "job/job.h"

#include <string.h>

#define PROTOCOL_WITH_POLICY 2

static bool joins_one_of(const struct job_spec *spec, const struct strings *networks)
{
	for (size_t i = 0; i < spec->networks.n; i++)
		if (strings_has(networks, spec->networks.items[i].network))
			return true;
	return false;
}

static bool mounts_one_of(const struct job_spec *spec, const struct strings *volumes)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mount *mount = &spec->mounts.items[i];
		if (mount->kind == MOUNT_VOLUME && mount->source &&
		    strings_has(volumes, mount->source))
			return true;
	}
	return false;
}

bool job_revision_is_over_tls(const struct job_revision *revision, const struct project *project)
{
	return revision->over_tls || joins_one_of(&revision->spec, &project->networks_over_tls) ||
	       mounts_one_of(&revision->spec, &project->volumes_over_tls);
}

/* Of a network that the job joins an older worker would pass over it too. */
static bool joins_younger_network(const struct job_spec *spec, const struct project *project)
{
	for (size_t i = 0; i < project->networks.n; i++) {
		const struct network_spec *network = &project->networks.items[i];
		for (size_t j = 0; (network->ipam || network->enable_ipv6) && j < spec->networks.n;
		     j++)
			if (strcmp(spec->networks.items[j].network, network->key) == 0)
				return true;
	}
	return false;
}

int64_t job_revision_protocol(const struct job_revision *revision, const struct project *project)
{
	int64_t protocol = job_spec_protocol(&revision->spec);
	if (protocol < PROTOCOL_WITH_POLICY && (job_revision_is_over_tls(revision, project) ||
						joins_younger_network(&revision->spec, project)))
		return PROTOCOL_WITH_POLICY;
	return protocol;
}
