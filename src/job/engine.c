#include "job/engine.h"

#include <string.h>

const struct engine_need engine_needs[ENGINE_FEATURE_COUNT] = {
	[ENGINE_ANY] = { 0, "", "nothing", "" },
	[ENGINE_NON_RECURSIVE] = { 42, "23", "a mount that is not recursive and made when missing",
				   "true, of a mount with `recursive: disabled`" },
	[ENGINE_ANNOTATIONS] = { 43, "24", "an annotation", "" },
	[ENGINE_START_INTERVAL] = { 44, "25", "start_interval", "" },
	[ENGINE_RECURSIVE_READ_ONLY] = { 44, "25", "this kind of recursive mount",
					 "`writable`, `readonly`" },
	[ENGINE_CDI] = { 44, "25", "a CDI device", "of CDI" },
	[ENGINE_MAC_ADDRESSES] = { 44, "25", "mac_address in another network than the first",
				   "from the second network on" },
	[ENGINE_SUBPATH] = { 45, "26", "a volume's subpath", "" },
	[ENGINE_IPV6_POOLS] = { 46, "27", "enable_ipv6 without a subnet of IPv6",
				"true, without a subnet of IPv6" },
	[ENGINE_GATEWAY_PRIORITY] = { 48, "28", "gw_priority", "" },
	[ENGINE_WRITABLE_CGROUPS] = { 48, "28", "writable-cgroups", "writable-cgroups" },
	[ENGINE_INTERFACE_NAME] = { 49, "28.1", "interface_name", "" },
};

static enum engine_feature newer(enum engine_feature a, enum engine_feature b)
{
	return engine_needs[b].minor > engine_needs[a].minor ? b : a;
}

static enum engine_feature of_isolation(const struct isolation *isolation)
{
	static const char writable_cgroups[] = "writable-cgroups=";
	enum engine_feature feature = ENGINE_ANY;
	for (size_t i = 0; i < isolation->device_requests.n; i++) {
		const char *driver = isolation->device_requests.items[i].driver;
		if (driver && strcmp(driver, DEVICE_DRIVER_CDI) == 0)
			feature = ENGINE_CDI;
	}
	for (size_t i = 0; i < isolation->security_opt.n; i++)
		if (strncmp(isolation->security_opt.items[i], writable_cgroups,
			    strlen(writable_cgroups)) == 0)
			feature = newer(feature, ENGINE_WRITABLE_CGROUPS);
	return feature;
}

static enum engine_feature of_mount(const struct mount *mount)
{
	if (mount->subpath)
		return ENGINE_SUBPATH;
	if (mount->recursive == RECURSIVE_WRITABLE || mount->recursive == RECURSIVE_READONLY)
		return ENGINE_RECURSIVE_READ_ONLY;
	if (mount->recursive == RECURSIVE_DISABLED && mount->create_host_path)
		return ENGINE_NON_RECURSIVE;
	return ENGINE_ANY;
}

static enum engine_feature of_endpoint(const struct endpoint_settings *endpoint, bool first)
{
	if (endpoint->interface_name)
		return ENGINE_INTERFACE_NAME;
	if (endpoint->gateway_priority)
		return ENGINE_GATEWAY_PRIORITY;
	/* Before, a container had one address of its own, which is that in its first network. */
	return endpoint->mac_address && !first ? ENGINE_MAC_ADDRESSES : ENGINE_ANY;
}

enum engine_feature job_spec_engine(const struct job_spec *spec)
{
	enum engine_feature feature = ENGINE_ANY;
	if (spec->health_check.start_interval_ms && !spec->health_check.disabled)
		feature = ENGINE_START_INTERVAL;
	if (job_spec_extras(spec)->annotations.n)
		feature = newer(feature, ENGINE_ANNOTATIONS);
	for (size_t i = 0; i < spec->mounts.n; i++)
		feature = newer(feature, of_mount(&spec->mounts.items[i]));
	for (size_t i = 0; i < spec->networks.n; i++)
		if (spec->networks.items[i].endpoint)
			feature = newer(feature,
					of_endpoint(spec->networks.items[i].endpoint, i == 0));
	return newer(feature, of_isolation(job_spec_isolation(spec)));
}

enum engine_feature network_spec_engine(const struct network_spec *network)
{
	if (network->external || network->enable_ipv6 != YES)
		return ENGINE_ANY;
	for (size_t i = 0; network->ipam && i < network->ipam->pools.n; i++)
		if (strchr(network->ipam->pools.items[i].subnet, ':'))
			return ENGINE_ANY;
	return ENGINE_IPV6_POOLS;
}

enum engine_feature job_engine(const struct job_spec *spec, const struct project *project)
{
	enum engine_feature feature = job_spec_engine(spec);
	for (size_t i = 0; i < project->networks.n; i++) {
		const struct network_spec *network = &project->networks.items[i];
		enum engine_feature needed = network_spec_engine(network);
		for (size_t j = 0; needed && j < spec->networks.n; j++)
			if (strcmp(spec->networks.items[j].network, network->key) == 0)
				feature = newer(feature, needed);
	}
	return feature;
}
