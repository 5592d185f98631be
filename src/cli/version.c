#include <stdio.h>

#include "base/alloc.h"
#include "cli/output.h"

static int run(struct invocation *invocation)
{
	struct cluster_view cluster;
	struct err err;
	printf("drover %s\n", DROVER_VERSION);
	if (fetch(invocation, "/v1/cluster", &cluster_view_type, &cluster, &err)) {
		cli_flush();
		return cli_fail(invocation, &err);
	}
	char id[UUID_TEXT_SIZE];
	printf("manager %s, cluster %s, scheduler %s, store %s\n", cluster.version,
	       uuid_format(cluster.id, id), cluster.scheduler, cluster.store);
	if (cluster.read_only)
		printf("manager: serves reads only: %s\n", cluster.message);
	record_release(&cluster_view_type, &cluster);
	return 0;
}

const struct command command_version = {
	.name = "version",
	.operands = "",
	.summary = "Show the version of drover and of the manager",
	.details = "Fails where no manager answers; `drover --version` asks none.",
	.run = run,
};
