/* How nodes stand after each turn of the manager: none is given up before its time (I19), the manager's own machine
 * least of all (I21), and many at once are waited for once more (I20). When a node was heard is the checker's own
 * account: from the messages of the turn, not from what the manager remembers. */
#include "base/limits.h"
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
		    queued->worker->dismissed != queued->session) {
			queued->worker->heard_ms = sim->manager.stepped_ms;
			queued->worker->silence_heard = !queued->up.runtime_ok;
		}
	}
}

/* What has come is as good as heard, read or not; but for a while, for nobody reads and looks at the clock at once.
 * What came while the commit of the decision lasted could not be known to it. */
static void check_unread(struct sim *sim, const struct sim_worker *worker)
{
	bool on_session = worker->session && worker->dismissed != worker->session;
	int64_t unread_ms =
		on_session ? network_unread_ms(sim, worker, sim->manager.stepped_ms) : 0;
	sim->checker.evaluated[INVARIANT_I21] += worker->local;
	if (unread_ms > sim->manager.options.node_silent_ms / 2)
		violated(sim, worker->local ? INVARIANT_I21 : INVARIANT_I19,
			 "%s is down, and what it said %lld ms ago waits to be read", worker->name,
			 (long long)unread_ms);
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
	check_unread(sim, worker);
}

/* Many of them, of all that belong to the cluster, within one timeout: nothing is replaced before another
 * has passed since the first (I20). The manager may wait for longer. */
static void note_storm(struct sim *sim, const struct cluster *cluster)
{
	int64_t now_ms = sim->manager.stepped_ms;
	int64_t silent_ms = sim->manager.options.node_silent_ms;
	int64_t first_ms = now_ms;
	size_t n_members = 0;
	size_t n_down = 0;
	for (size_t i = 0; i < cluster->columns.n; i++)
		n_members += !cluster->columns.entry[i]->record.left;
	for (int i = 0; i < sim->n_workers; i++) {
		int64_t down_ms = sim->workers[i].down_ms;
		if (!down_ms || down_ms <= now_ms - silent_ms)
			continue;
		n_down++;
		if (first_ms > down_ms)
			first_ms = down_ms;
	}
	if (now_ms >= sim->checker.hold_until_ms && n_down >= LIMIT_STORM_NODES &&
	    n_down * 100 > n_members * LIMIT_STORM_PERCENT)
		sim->checker.hold_until_ms = first_ms + silent_ms;
}

/* A node without its Docker may count among them or not: then nothing is demanded for a while. */
static void note_degraded(struct sim *sim, const struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->columns.n; i++)
		if (cluster->columns.entry[i]->state == NODE_DEGRADED)
			sim->checker.degraded_ms = sim->manager.stepped_ms;
}

bool checker_holds(const struct sim *sim)
{
	const struct sim_manager *manager = &sim->manager;
	return manager->stepped_ms < sim->checker.hold_until_ms &&
	       manager->stepped_ms > sim->checker.degraded_ms + 3 * manager->options.node_silent_ms;
}

void checker_turned(struct sim *sim, const struct cluster *cluster)
{
	bool news = false;
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
			worker->down_ms = sim->manager.stepped_ms;
			news = true;
		}
		worker->is_down = down;
	}
	note_degraded(sim, cluster);
	if (news)
		note_storm(sim, cluster);
}
