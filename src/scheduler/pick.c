/* candidates -> preferences -> score -> pick. Invariant: nothing here writes to the cluster, and
 * equal worlds give equal picks: candidates are in the order of the columns and only a strictly
 * lower score wins. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"
#include "scheduler/internal.h"

void scheduler_pick_release(struct scheduler_pick *pick)
{
	base_free(pick->ports.items);
	base_free(pick->message);
	*pick = (struct scheduler_pick){ 0 };
}

/* Fill `candidates` with the columns that pass every filter; the others are counted, but those that
 * have left. */
static size_t find_candidates(struct question *question, size_t *candidates,
			      struct refusals *refusals)
{
	size_t n = 0;
	/* A global task has one candidate. */
	size_t first = question->only ? question->only->index : 0;
	size_t end = question->only ? first + 1 : question->cluster->columns.n;
	if (job_spec_is_global(question->spec) && !question->only)
		return 0;
	for (size_t column = first; column < end; column++) {
		struct refusal refusal;
		if (question->cluster->columns.entry[column]->record.left)
			continue;
		if (filters_refuse(question, column, &refusal))
			refusals_count(refusals, question, refusal, column);
		else
			candidates[n++] = column;
	}
	return n;
}

/* Take the node to avoid out, unless it is all there is. */
static size_t leave_out(const struct cluster *cluster, struct node_id avoid, size_t *candidates,
			size_t n)
{
	const struct node_entry *node = cluster_node(cluster, avoid);
	if (!node || n < 2)
		return n;
	size_t n_kept = 0;
	for (size_t i = 0; i < n; i++)
		if (candidates[i] != node->index)
			candidates[n_kept++] = candidates[i];
	return n_kept;
}

static size_t lowest_score(const struct scheduler_ops *policy, const struct scheduler_view *view,
			   const size_t *candidates, size_t n)
{
	size_t best = candidates[0];
	double best_score = policy->score(view, best);
	for (size_t i = 1; i < n; i++) {
		double score = policy->score(view, candidates[i]);
		if (score < best_score) {
			best = candidates[i];
			best_score = score;
		}
	}
	return best;
}

static int compare_grants(const void *a, const void *b, void *context)
{
	(void)context;
	const struct port_grant *left = a;
	const struct port_grant *right = b;
	return left->index < right->index ? -1 : left->index > right->index;
}

static void take(struct question *question, const struct scheduler_ops *policy,
		 const struct scheduler_view *view, size_t column, struct scheduler_pick *ret_pick)
{
	const struct cluster *cluster = question->cluster;
	ret_pick->score = policy->score(view, column);
	ret_pick->node = cluster->columns.entry[column];
	ret_pick->moves_home = question->moves_home;
	if (!question->only)
		ret_pick->next_round = (column + 1) % cluster->columns.n;
	size_t index;
	bool drawn = ports_draw(question, ret_pick->node, &index);
	POST(drawn);
	sort_stable(question->grants, question->n_grants, sizeof(struct port_grant), compare_grants,
		    NULL);
	for (size_t i = 0; i < question->n_grants; i++) {
		struct port_grant *grant = list_add(&ret_pick->ports, sizeof(*grant));
		*grant = question->grants[i];
	}
}

static char *why_not(const struct question *question, struct refusals *refusals)
{
	if (question->nowhere && question->home)
		return together_sentence(question);
	if (job_spec_is_global(question->spec) && !question->only)
		return base_strdup("its node is not there any more");
	return refusals_sentence(refusals, question);
}

/* Ask every node. */
static void ask_all(struct question *question, const struct scheduler_ops *policy,
		    const struct scheduler_view *view, struct node_id avoid,
		    struct scheduler_pick *ret_pick)
{
	const struct cluster *cluster = question->cluster;
	size_t n_nodes = cluster->columns.n;
	_cleanup_free_ size_t *candidates = base_calloc(n_nodes ? n_nodes : 1, sizeof(*candidates));
	struct refusals refusals = { 0 };
	size_t n = find_candidates(question, candidates, &refusals);
	if (n) {
		n = leave_out(cluster, avoid, candidates, n);
		n = preferences_apply(question, candidates, n);
		take(question, policy, view, lowest_score(policy, view, candidates, n), ret_pick);
	} else {
		ret_pick->reason = REASON_NO_NODE_FITS;
		ret_pick->message = why_not(question, &refusals);
	}
	refusals_release(&refusals);
}

/* The one that it must be on; the number of columns: it may be on several. */
static size_t sole_column(const struct question *question)
{
	if (question->only)
		return question->only->index;
	if (question->n_pins && question->pins[0].node)
		return question->pins[0].node->index;
	if (question->home && !question->takers)
		return question->home->index;
	return question->cluster->columns.n;
}

void scheduler_pick(const struct cluster *cluster, struct scheduler_memory *memory,
		    const struct scheduler_ops *policy, const struct task *task,
		    struct node_id avoid, uint64_t round, struct scheduler_pick *ret_pick)
{
	struct scheduler_pick pick = { .next_round = round };
	struct question question;
	question_init(&question, cluster, task);
	const struct scheduler_view view = {
		.cluster = cluster,
		.job = question.job,
		.request = cluster_expected(&question.spec->reservations),
		.round = round,
	};
	size_t column;
	pick.message = pin_sentence(&question);
	size_t sole = sole_column(&question);
	struct refusal refusal;
	if (pick.message)
		pick.reason = REASON_WAITS_VOLUME;
	else if (sole < cluster->columns.n && !filters_refuse(&question, sole, &refusal))
		take(&question, policy, &view, sole, &pick);
	else if (memory &&
		 memory_recall(memory, &question, policy, &view, avoid, &column) == RECALL_FOUND)
		take(&question, policy, &view, column, &pick);
	else
		ask_all(&question, policy, &view, avoid, &pick);
	question_release(&question);
	*ret_pick = pick;
}

char *scheduler_why_nowhere(const struct cluster *cluster, const struct job_entry *job)
{
	const struct task model = { .desired = { .job = &job->job.id,
						 .revision = (int32_t)job->job.revision } };
	struct question question;
	struct refusals refusals = { 0 };
	question_init(&question, cluster, &model);
	for (size_t column = 0; column < cluster->columns.n; column++) {
		struct refusal refusal;
		if (!cluster->columns.entry[column]->record.left &&
		    machine_refuses(&question, column, &refusal))
			refusals_count(&refusals, &question, refusal, column);
	}
	char *message = refusals_sentence(&refusals, &question);
	refusals_release(&refusals);
	question_release(&question);
	return message;
}
