/* What a Docker must be able to do for a job. */
#include <string.h>

#include "job/spec.h"

static struct engine_need greater(struct engine_need a, struct engine_need b)
{
	return b.minor > a.minor ? b : a;
}

static struct engine_need of_isolation(const struct isolation *isolation)
{
	for (size_t i = 0; i < isolation->device_requests.n; i++) {
		const char *driver = isolation->device_requests.items[i].driver;
		if (driver && strcmp(driver, DEVICE_DRIVER_CDI) == 0)
			return (struct engine_need){ 44, "a CDI device" };
	}
	return (struct engine_need){ 0 };
}

static struct engine_need of_mount(const struct mount *mount)
{
	if (mount->subpath)
		return (struct engine_need){ 45, "a volume's subpath" };
	if (mount->recursive == RECURSIVE_WRITABLE || mount->recursive == RECURSIVE_READONLY)
		return (struct engine_need){ 44, "this kind of recursive mount" };
	if (mount->recursive == RECURSIVE_DISABLED && mount->create_host_path)
		return (struct engine_need){
			42, "a mount that is not recursive and made when missing"
		};
	return (struct engine_need){ 0 };
}

static struct engine_need of_endpoint(const struct endpoint_settings *endpoint, bool first)
{
	if (endpoint->interface_name)
		return (struct engine_need){ 49, "interface_name" };
	if (endpoint->gateway_priority)
		return (struct engine_need){ 48, "gw_priority" };
	/* Before, a container had one address of its own, which is that in its first network. */
	if (endpoint->mac_address && !first)
		return (struct engine_need){ 44, "mac_address in another network than the first" };
	return (struct engine_need){ 0 };
}

struct engine_need job_spec_engine_need(const struct job_spec *spec)
{
	struct engine_need need = { 0 };
	if (spec->health_check.start_interval_ms)
		need = (struct engine_need){ 44, "start_interval" };
	if (job_spec_extras(spec)->annotations.n)
		need = greater(need, (struct engine_need){ 43, "an annotation" });
	for (size_t i = 0; i < spec->mounts.n; i++)
		need = greater(need, of_mount(&spec->mounts.items[i]));
	for (size_t i = 0; i < spec->networks.n; i++)
		if (spec->networks.items[i].endpoint)
			need = greater(need, of_endpoint(spec->networks.items[i].endpoint, i == 0));
	return greater(need, of_isolation(job_spec_isolation(spec)));
}
