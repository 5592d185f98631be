/* How nodes stand after each turn of the manager: none is given up before its time (I19). When a node was heard is the
 * checker's own account: from the messages of the turn, not from what the manager remembers. */
#include "sim.h"

/* What comes on a session that the manager has ended is not heard any more. */
static void note_dismissals(struct sim *sim)
{
	const struct manager_out *out = &sim->manager.out;
	for (size_t i = 0; i < out->n_downs; i++)
		for (int j = 0; out->downs[i].close && j < sim->n_workers; j++)
			if (sim->workers[j].session == out->downs[i].session)
				sim->workers[j].dismissed = out->downs[i].session;
}

static void note_heard(struct sim *sim)
{
	const struct manager_queue *turn = &sim->manager.turn;
	for (size_t i = 0; i < turn->n; i++) {
		const struct manager_queued *queued = &turn->items[i];
		if (queued->kind == MANAGER_SYNC_UP && queued->worker->session == queued->session &&
		    queued->worker->dismissed != queued->session)
			queued->worker->heard_ms = sim->manager.stepped_ms;
	}
}

static void check_down(struct sim *sim, const struct sim_worker *worker)
{
	const struct sim_manager *manager = &sim->manager;
	int64_t now_ms = manager->stepped_ms;
	if (now_ms < manager->started_ms + manager->options.start_grace_ms)
		violated(sim, INVARIANT_I19, "%s is down %lld ms after the start of the manager",
			 worker->name, (long long)(now_ms - manager->started_ms));
	if (now_ms < worker->heard_ms + manager->options.node_silent_ms)
		violated(sim, INVARIANT_I19, "%s is down, and was heard %lld ms ago", worker->name,
			 (long long)(now_ms - worker->heard_ms));
}

void checker_turned(struct sim *sim, const struct cluster *cluster)
{
	note_dismissals(sim);
	note_heard(sim);
	for (int i = 0; i < sim->n_workers; i++) {
		struct sim_worker *worker = &sim->workers[i];
		if (!worker->core)
			continue;
		const struct node_entry *node = cluster_node(cluster, worker_node_id(worker->core));
		bool down = node && node->state == NODE_DOWN;
		if (down && !worker->is_down) {
			sim->checker.evaluated[INVARIANT_I19]++;
			check_down(sim, worker);
		}
		worker->is_down = down;
	}
}
