/* Where a task would be better off than where it is. What is on a node stays there unless another is clearly better, so
 * that nothing goes to and fro: each move lowers the score of the task by at least a tenth, or evens out what the job's
 * preferences spread over. */
#include <math.h>

#include "base/alloc.h"
#include "scheduler/internal.h"

/* Of the score where it is, a move has to gain so much. */
#define GAIN_LEAST 0.1

static bool holds(const size_t *columns, size_t n, size_t column)
{
	for (size_t i = 0; i < n; i++)
		if (columns[i] == column)
			return true;
	return false;
}

static size_t find_candidates(struct question *question, size_t *candidates)
{
	size_t n = 0;
	for (size_t column = 0; column < question->cluster->columns.n; column++) {
		struct refusal refusal;
		if (!question->cluster->columns.entry[column]->record.left &&
		    !filters_refuse(question, column, &refusal))
			candidates[n++] = column;
	}
	return n;
}

static size_t lowest(const struct scheduler_ops *policy, const struct scheduler_view *view,
		     const size_t *candidates, size_t n, double *ret_score)
{
	size_t best = candidates[0];
	*ret_score = policy->score(view, best);
	for (size_t i = 1; i < n; i++) {
		double score = policy->score(view, candidates[i]);
		if (score < *ret_score) {
			best = candidates[i];
			*ret_score = score;
		}
	}
	return best;
}

const struct node_entry *scheduler_better(const struct cluster *cluster,
					  const struct scheduler_ops *policy,
					  const struct task *task, const struct node_entry *here)
{
	struct question question;
	const struct node_entry *better = NULL;
	/* It goes by nothing but whose turn it is. */
	if (policy == &scheduler_roundrobin)
		return NULL;
	question_init(&question, cluster, task);
	_cleanup_free_ size_t *candidates = base_calloc(cluster->columns.n + 1, sizeof(size_t));
	size_t n = find_candidates(&question, candidates);
	/* Where it may not be any more is not for us to judge. */
	if (n > 1 && holds(candidates, n, here->index)) {
		struct scheduler_view view = {
			.cluster = cluster,
			.job = question.job,
			.request = cluster_expected(&question.spec->reservations),
		};
		double score;
		n = preferences_apply(&question, candidates, n);
		size_t best = lowest(policy, &view, candidates, n, &score);
		bool preferred = holds(candidates, n, here->index);
		double score_here = policy->score(&view, here->index);
		if (best != here->index &&
		    (!preferred || score < score_here - GAIN_LEAST * fabs(score_here)))
			better = cluster->columns.entry[best];
	}
	question_release(&question);
	return better;
}
