/* When a task whose node is not heard may be started elsewhere.
 *
 * A job that says on_disconnect: keep accepts a second container for as long as the first one cannot be reached; its
 * tasks are replaced as soon as they are unreachable. One that says stop does not (I2):
 *
 * 1. Its worker stops the container when the lease has passed since it *sent* the newest message we answered
 *    (worker/lease.c). We count from when we *took* the newest message, answered or not, which is later. So at
 *
 *        heard + lease + stop grace + margin
 *
 *    the container is gone, if its worker lived and Docker obeyed it. The margin holds what a call of Docker may take,
 *    and a quarter of the rest for clocks that do not run alike.
 * 2. What an earlier run of ours has heard is not known here: after a start every node counts as heard at the start.
 * 3. A worker that is dead or halted stops nothing, and neither does one whose Docker does not answer. Of the latter we
 *    know when the last message says so, and keep it for our next run (node_record.docker_silent): then time
 *    proves nothing, and the task waits for its node, or for the word of the operator (node rm --fenced). The former
 *    looks like a cut cable and is not told from it: whoever ends a worker for longer than the shortest lease and
 *    leaves containers running drains the node first.
 * 4. One that has ended there and was not confirmed gone waits as long: a start that failed may have started it.
 * 5. In every other respect such a task is like others: it is declared lost only with its replacement, and until then
 *    the node's return ends the wait. */
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
#include "manager/core.h"

static int64_t margin_ms(int64_t lease_ms, int64_t grace_ms)
{
	return LIMIT_LEASE_MARGIN_MS + (lease_ms + grace_ms) / 4;
}

/* How long the node must not have been heard; 0: no matter. */
static int64_t wait_ms(const struct job_spec *spec)
{
	int64_t lease_ms = job_spec_lease_ms(spec);
	if (!lease_ms)
		return 0;
	return lease_ms + spec->stop_grace_ms + margin_ms(lease_ms, spec->stop_grace_ms);
}

static bool docker_is_silent(const struct manager *manager, const struct task *task)
{
	const struct node_watch *watch = map_get(&manager->nodes, task->desired.node.uuid);
	return watch && watch->docker_silent;
}

int64_t lease_over_ms(const struct manager *manager, const struct task *task)
{
	int64_t after_ms = wait_ms(cluster_task_spec(&manager->cluster, task));
	if (!after_ms || PLANTED(PLANTED_LEASE_IGNORED))
		return INT64_MIN;
	if (docker_is_silent(manager, task))
		return INT64_MAX;
	const struct node_entry *node = cluster_node(&manager->cluster, task->desired.node);
	bool heard = node->heard_ms > manager->started_ms;
	return (heard ? node->heard_ms : manager->started_ms) + after_ms;
}

static void add_part(struct text *out, const char *name, int64_t ms)
{
	text_add(out, name);
	text_add_duration(out, ms);
}

bool lease_tell(const struct manager *manager, const struct task *task, struct text *out)
{
	const struct job_spec *spec = cluster_task_spec(&manager->cluster, task);
	const struct node_entry *node = cluster_node(&manager->cluster, task->desired.node);
	int64_t lease_ms = job_spec_lease_ms(spec);
	if (!lease_ms || !node)
		return false;
	const char *name = node_name(node);
	if (docker_is_silent(manager, task)) {
		text_addf(out,
			  "on_disconnect is stop, and Docker on %s did not answer when %s was last "
			  "heard, so the container may run on: it waits for %s, or for drover node "
			  "rm --fenced %s",
			  name, name, name, name);
		return true;
	}
	text_addf(out,
		  "on_disconnect is stop: it is started elsewhere when nothing was heard of %s ",
		  name);
	add_part(out, "for ", wait_ms(spec));
	add_part(out, " (its lease ", lease_ms);
	add_part(out, ", stop grace ", spec->stop_grace_ms);
	add_part(out, ", margin ", margin_ms(lease_ms, spec->stop_grace_ms));
	text_add(out, ")");
	return true;
}
