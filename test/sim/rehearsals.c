/* Plans, now and then, on a copy of the world as it is: whatever state it is in, a rehearsal ends, and what it ends in
 * is sound. The copy is a fork, as in the program, so nothing of it reaches the simulation. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "manager/rehearse.h"
#include "requests.h"

#define SECONDS_MAX 60
#define ONE_OF	    8

static _Noreturn void rehearse(struct sim *sim, const struct sim_request *request)
{
	struct manager *core = sim->manager.core;
	struct manager_in in = { .now_ms = sim->now_ms,
				 .wall_ms = clock_wall_ms(sim, &sim->manager.clock),
				 .seed = sim->seed,
				 .rev = sim->manager.rev + 1 };
	struct project_plan plan;
	struct rebalance_plan moves;
	struct err err;
	signal(SIGALRM, SIG_DFL);
	alarm(SECONDS_MAX);
	if (request->request.kind == REQUEST_APPLY) {
		if (manager_rehearse(core, &in, &request->request, &plan, &err) == ERR_NONE)
			record_release(&project_plan_type, &plan);
		manager_check(core);
	} else {
		manager_plan_rebalance(core, &in, &moves);
		record_release(&rebalance_plan_type, &moves);
		cluster_check(manager_cluster(core));
	}
	_exit(0);
}

void sim_rehearse(struct sim *sim, const struct sim_client *client)
{
	const struct sim_manager *manager = &sim->manager;
	int kind = client->request->request.kind;
	int status = 0;
	if (client->serial % ONE_OF || (kind != REQUEST_APPLY && kind != REQUEST_REBALANCE) ||
	    !manager->up || manager->broken || !manager->started || manager->committing)
		return;
	pid_t child = fork();
	if (child == 0)
		rehearse(sim, client->request);
	if (child > 0 && waitpid(child, &status, 0) == child && status != 0)
		violated(sim, INVARIANT_CORE, "the rehearsal of %s ended with status %d",
			 client->request->key, status);
}
