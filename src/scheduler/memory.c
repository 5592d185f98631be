/* What is kept between picks: for each policy in use the machines as lanes, and for each class of tasks that comes
 * again and again a contest of its scores on all of them. Both catch up with what has changed before they are asked.
 *
 * Invariants: memory_recall() names the column that asking every node would give, or says that it does not know; a
 * contest's key of a column is that of the class's question there, filters included, as of `with.seen` changes of
 * the columns; so whatever a filter or score reads is touched when it changes (cluster/columns.c), or is part of the
 * class. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hash.h"
#include "scheduler/branches.h"
#include "scheduler/contest.h"
#include "scheduler/internal.h"
#include "scheduler/lanes.h"

#define NODES_MIN     64
#define RANKINGS_MAX  32
#define POLICIES_MAX  (SCHEDULER_POLICY_COUNT + 1) /* those there are, and one to compare with */
#define CONTEST_AFTER 16 /* picks of a class; about as many scans cost what it does */
#define EXCLUDED_MAX  8	 /* of a scan, by filters that it does not know */

/* Up to where something follows the columns. */
struct caught_up {
	bool built; /* false: it is to be made anew */
	uint64_t epoch;
	uint64_t seen;
};

struct ranking {
	uint64_t class; /* 0: none */
	uint64_t used;	/* when */
	uint64_t n_picks;
	struct caught_up with;
	float *factors;
	struct contest contest;	  /* without preferences */
	struct branches branches; /* with them */
};

/* The lanes of one policy. */
struct kept_lanes {
	const struct scheduler_ops *policy; /* NULL: of none yet */
	struct lanes lanes;
	struct caught_up with;
};

struct scheduler_memory {
	size_t nodes_min;
	uint64_t clock;
	struct kept_lanes kept[POLICIES_MAX + 1]; /* the last is of none */
	struct ranking rankings[RANKINGS_MAX];
};

struct scheduler_memory *scheduler_memory_new(size_t nodes_min)
{
	struct scheduler_memory *memory = base_calloc(1, sizeof(*memory));
	memory->nodes_min = nodes_min ? nodes_min : NODES_MIN;
	return memory;
}

static void ranking_clear(struct ranking *ranking)
{
	contest_release(&ranking->contest);
	branches_release(&ranking->branches);
	base_free(ranking->factors);
	*ranking = (struct ranking){ 0 };
}

void scheduler_memory_free(struct scheduler_memory *memory)
{
	if (!memory)
		return;
	for (size_t i = 0; i < ARRAY_LEN(memory->kept); i++)
		lanes_release(&memory->kept[i].lanes);
	for (size_t i = 0; i < RANKINGS_MAX; i++)
		ranking_clear(&memory->rankings[i]);
	base_free(memory);
}

/* One question on its way through here. */
struct ask {
	struct question *question;
	const struct scheduler_ops *policy;
	const struct scheduler_view *view;
	const struct node_columns *columns;
	struct kept_lanes *kept; /* NULL: in turn */
	size_t avoid;		 /* a column; columns->n: none */
};

/* To be made anew: changed since, and forgotten already? */
static bool is_outdated(const struct caught_up *with, const struct node_columns *columns)
{
	return !with->built || with->epoch != columns->epoch ||
	       columns->n_touched - with->seen > columns->capacity / 2;
}

static struct caught_up made_of(const struct node_columns *columns)
{
	return (struct caught_up){ true, columns->epoch, columns->n_touched };
}

/* The next column that changed. False: there is none. */
static bool next_changed(struct caught_up *with, const struct node_columns *columns,
			 size_t *ret_column)
{
	if (with->seen == columns->n_touched)
		return false;
	*ret_column = columns->touched[with->seen++ % columns->capacity];
	return true;
}

/* ---- lanes ---- */

static struct kept_lanes *lanes_of(struct scheduler_memory *memory,
				   const struct scheduler_ops *policy)
{
	size_t i = 0;
	while (memory->kept[i].policy && memory->kept[i].policy != policy)
		i++;
	PRE(i + 1 < ARRAY_LEN(memory->kept));
	memory->kept[i].policy = policy;
	return &memory->kept[i];
}

static void catch_up_lanes(struct kept_lanes *kept, const struct node_columns *columns)
{
	size_t column;
	if (is_outdated(&kept->with, columns)) {
		lanes_build(&kept->lanes, kept->policy->by_terms, columns);
		kept->with = made_of(columns);
	}
	while (next_changed(&kept->with, columns, &column))
		lanes_update(&kept->lanes, columns, column);
}

/* ---- contests ---- */

static uint64_t key_of(const struct ask *ask, const struct ranking *ranking, size_t column)
{
	const struct node_entry *node = ask->columns->entry[column];
	struct refusal refusal;
	if (node->record.left || filters_refuse(ask->question, column, &refusal))
		return CONTEST_NO_KEY;
	if (ask->policy->rank == RANK_BY_COUNTS)
		return contest_key_of_counts(cluster_job_tasks_on(ask->question->job, node),
					     (uint64_t)ask->columns->tasks[column]);
	if (ask->policy->rank == RANK_IN_TURN)
		return 0;
	return contest_key_of_score(lanes_score(&ask->kept->lanes, ranking->factors, column));
}

static bool is_spread_out(const struct ask *ask)
{
	return ask->question->spec->placement.preferences.n > 0;
}

static size_t job_tasks_on(const struct ask *ask, size_t column)
{
	return cluster_job_tasks_on(ask->question->job, ask->columns->entry[column]);
}

static void build_contest(const struct ask *ask, struct ranking *ranking)
{
	contest_release(&ranking->contest);
	branches_release(&ranking->branches);
	base_free(ranking->factors);
	ranking->factors = ask->kept ? lanes_factors(&ask->kept->lanes, &ask->view->request) : NULL;
	if (is_spread_out(ask)) {
		branches_init(&ranking->branches, ask->question);
		for (size_t i = 0; i < ask->columns->n; i++)
			branches_put(&ranking->branches, i, key_of(ask, ranking, i),
				     job_tasks_on(ask, i));
		branches_settle(&ranking->branches);
	} else {
		contest_init(&ranking->contest, ask->columns->n);
		for (size_t i = 0; i < ask->columns->n; i++)
			contest_put(&ranking->contest, i, key_of(ask, ranking, i));
		contest_settle(&ranking->contest);
	}
	ranking->with = made_of(ask->columns);
}

static void set_key(const struct ask *ask, struct ranking *ranking, size_t column, uint64_t key)
{
	if (!is_spread_out(ask))
		contest_set(&ranking->contest, column, key);
	else if (!branches_set(&ranking->branches, ask->question, column, key,
			       job_tasks_on(ask, column)))
		ranking->with.built = false;
}

static void catch_up_contest(const struct ask *ask, struct ranking *ranking)
{
	size_t column;
	while (!is_outdated(&ranking->with, ask->columns) &&
	       next_changed(&ranking->with, ask->columns, &column))
		set_key(ask, ranking, column, key_of(ask, ranking, column));
	if (is_outdated(&ranking->with, ask->columns))
		build_contest(ask, ranking);
}

static bool first_of(const struct ask *ask, struct ranking *ranking, size_t *ret_column)
{
	bool in_turn = ask->policy->rank == RANK_IN_TURN;
	size_t from = (size_t)(ask->view->round % ask->columns->n);
	uint64_t key;
	if (is_spread_out(ask))
		return branches_pick(&ranking->branches, in_turn, from, ret_column);
	if (!in_turn)
		return contest_best(&ranking->contest, ret_column, &key);
	return contest_next(&ranking->contest, from, ret_column) ||
	       contest_next(&ranking->contest, 0, ret_column);
}

static enum recall ask_contest(const struct ask *ask, struct ranking *ranking, size_t *ret_column)
{
	catch_up_contest(ask, ranking);
	if (ask->avoid == ask->columns->n)
		return first_of(ask, ranking, ret_column) ? RECALL_FOUND : RECALL_NOWHERE;
	uint64_t key = key_of(ask, ranking, ask->avoid);
	set_key(ask, ranking, ask->avoid, CONTEST_NO_KEY);
	bool found = first_of(ask, ranking, ret_column);
	set_key(ask, ranking, ask->avoid, key);
	if (!found)
		*ret_column = ask->avoid;
	return found || key != CONTEST_NO_KEY ? RECALL_FOUND : RECALL_NOWHERE;
}

/* ---- scans ---- */

struct excluded {
	size_t columns[EXCLUDED_MAX];
	size_t n;
};

static bool exclude(const struct ask *ask, struct excluded *excluded, size_t column)
{
	if (excluded->n == EXCLUDED_MAX)
		return false;
	excluded->columns[excluded->n++] = column;
	lanes_exclude(&ask->kept->lanes, column);
	return true;
}

/* Those that lanes know too little of. */
static bool exclude_first(const struct ask *ask, struct excluded *excluded)
{
	const struct job_entry *job = ask->question->job;
	if (ask->avoid < ask->columns->n)
		exclude(ask, excluded, ask->avoid);
	if (ask->policy->rank != RANK_BY_COUNTS)
		return true;
	for (size_t i = 0; i < job->n_placements; i++)
		if (!exclude(ask, excluded, job->placements[i].node_index))
			return false;
	return true;
}

/* The best of those with room may be refused by another filter: then the best of the others. When none is left it may
 * be one that was excluded at first. */
static enum recall scan(const struct ask *ask, struct excluded *excluded, size_t *ret_column)
{
	if (!exclude_first(ask, excluded))
		return RECALL_UNKNOWN;
	for (;;) {
		struct lane_best best = lanes_best(
			&ask->kept->lanes, &ask->question->spec->reservations, &ask->view->request);
		struct refusal refusal;
		if (best.column == LANE_EMPTY)
			return RECALL_UNKNOWN;
		*ret_column = best.column;
		if (!filters_refuse(ask->question, best.column, &refusal))
			return RECALL_FOUND;
		if (!exclude(ask, excluded, best.column))
			return RECALL_UNKNOWN;
	}
}

static enum recall ask_lanes(const struct ask *ask, size_t *ret_column)
{
	struct excluded excluded = { .n = 0 };
	enum recall recall = scan(ask, &excluded, ret_column);
	for (size_t i = 0; i < excluded.n; i++)
		lanes_update(&ask->kept->lanes, ask->columns, excluded.columns[i]);
	return recall;
}

/* The first that is not refused. */
static enum recall ask_in_turn(const struct ask *ask, size_t *ret_column)
{
	size_t n = ask->columns->n;
	struct refusal refusal;
	for (size_t i = 0; i < n; i++) {
		size_t column = (size_t)((ask->view->round + i) % n);
		if (column == ask->avoid || ask->columns->entry[column]->record.left ||
		    filters_refuse(ask->question, column, &refusal))
			continue;
		*ret_column = column;
		return RECALL_FOUND;
	}
	return RECALL_UNKNOWN;
}

/* ---- asking ---- */

/* Can it be asked of all nodes alike, whatever the project has where? */
static bool is_plain(const struct question *question)
{
	return !question->only && !job_spec_is_global(question->spec) && !question->shares &&
	       !question->n_pins;
}

static bool only_room_matters(const struct job_spec *spec)
{
	return !spec->placement.constraints.n && !spec->placement.preferences.n && !spec->platform;
}

/* The class, and what the score goes by beside it. */
static uint64_t class_of(const struct ask *ask)
{
	uint64_t class = scheduler_class(ask->view->cluster, ask->question->task);
	const struct strings *preferences = &ask->question->spec->placement.preferences;
	if (ask->policy->rank == RANK_BY_COUNTS || preferences->n)
		class = hash_bytes(class, ask->question->job->job.id.uuid.bytes, UUID_BYTES);
	for (size_t i = 0; i < preferences->n; i++)
		class = hash_bytes(class, preferences->items[i], strlen(preferences->items[i]) + 1);
	class = hash_bytes(class, ask->policy->name, strlen(ask->policy->name));
	return class ? class : 1;
}

static struct ranking *ranking_of(struct scheduler_memory *memory, uint64_t class)
{
	struct ranking *oldest = &memory->rankings[0];
	for (size_t i = 0; i < RANKINGS_MAX; i++) {
		struct ranking *ranking = &memory->rankings[i];
		if (ranking->class == class)
			return ranking;
		if (ranking->used < oldest->used)
			oldest = ranking;
	}
	ranking_clear(oldest);
	oldest->class = class;
	return oldest;
}

enum recall memory_recall(struct scheduler_memory *memory, struct question *question,
			  const struct scheduler_ops *policy, const struct scheduler_view *view,
			  struct node_id avoid, size_t *ret_column)
{
	const struct node_columns *columns = &question->cluster->columns;
	if (columns->n < memory->nodes_min || !is_plain(question))
		return RECALL_UNKNOWN;
	struct ask ask = { question, policy, view, columns, NULL, columns->n };
	const struct node_entry *avoided = cluster_node(question->cluster, avoid);
	if (avoided)
		ask.avoid = avoided->index;
	if (policy->rank != RANK_IN_TURN) {
		ask.kept = lanes_of(memory, policy);
		catch_up_lanes(ask.kept, columns);
	}
	struct ranking *ranking = ranking_of(memory, class_of(&ask));
	ranking->used = ++memory->clock;
	ranking->n_picks++;
	if (ranking->n_picks >= CONTEST_AFTER)
		return ask_contest(&ask, ranking, ret_column);
	if (policy->rank == RANK_IN_TURN && !is_spread_out(&ask))
		return ask_in_turn(&ask, ret_column);
	return only_room_matters(question->spec) ? ask_lanes(&ask, ret_column) : RECALL_UNKNOWN;
}
