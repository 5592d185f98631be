#include "run.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

#include "base/check.h"

/* ---- assertions of the cores ---- */

static sigjmp_buf assertion_failed;

static void on_abort(int signal_number)
{
	(void)signal_number;
	siglongjmp(assertion_failed, 1);
}

static void run_caught(uint64_t seed, const struct sim_options *options, struct sim_result *result,
		       struct run_totals *totals)
{
	signal(SIGABRT, on_abort);
	if (sigsetjmp(assertion_failed, 1) == 0) {
		sim_run(seed, options, result, &totals->counts);
		totals->counts.evaluated[INVARIANT_CORE]++;
		totals->counts.evaluated[INVARIANT_END]++;
	} else {
		*result = (struct sim_result){ .failed = true, .invariant = INVARIANT_CORE };
		snprintf(result->message, sizeof(result->message), "%s: %s at %s:%d",
			 check_last.kind ? check_last.kind : "abort",
			 check_last.what ? check_last.what : "",
			 check_last.file ? check_last.file : "", check_last.line);
	}
	totals->n_events += result->n_events;
	totals->virtual_ms += result->virtual_ms;
	totals->worker_ms += result->virtual_ms * result->n_workers;
}

/* ---- seeds ---- */

static bool is_due(uint64_t seed, int64_t every)
{
	return every && seed % (uint64_t)every == 0;
}

static void fail(struct sim_result *result, int invariant, const char *words)
{
	result->failed = true;
	result->invariant = invariant;
	snprintf(result->message, sizeof(result->message), "%s", words);
}

/* Faults and invariants count once. */
static void run_again(uint64_t seed, const struct sim_options *options, struct run_totals *totals,
		      struct sim_result *ret_result)
{
	struct run_totals ignored = { 0 };
	run_caught(seed, options, ret_result, &ignored);
	totals->n_events += ignored.n_events;
	totals->virtual_ms += ignored.virtual_ms;
	totals->worker_ms += ignored.worker_ms;
}

static void run_twice(uint64_t seed, const struct sim_options *options, struct run_totals *totals,
		      struct sim_result *result)
{
	struct sim_result again;
	run_again(seed, options, totals, &again);
	totals->counts.evaluated[INVARIANT_I27]++;
	if (again.hash != result->hash || again.n_events != result->n_events)
		fail(result, INVARIANT_I27, "two runs told two stories");
}

static void run_twins(uint64_t seed, const struct sim_options *options, struct run_totals *totals,
		      struct sim_result *result)
{
	struct sim_options twin = *options;
	struct sim_result jumps, stays;
	twin.clocks = CLOCKS_JUMP;
	run_again(seed, &twin, totals, &jumps);
	twin.clocks = CLOCKS_STAY;
	run_again(seed, &twin, totals, &stays);
	totals->counts.evaluated[INVARIANT_I22]++;
	if (jumps.failed)
		*result = jumps;
	else if (jumps.decisions != stays.decisions)
		fail(result, INVARIANT_I22, "it was decided otherwise where wall clocks jumped");
}

bool run_seed(uint64_t seed, const struct run_options *options, struct run_totals *totals,
	      struct sim_result *ret_result)
{
	run_caught(seed, &options->sim, ret_result, totals);
	totals->n_seeds++;
	if (ret_result->settled_ms > totals->settled_ms_max)
		totals->settled_ms_max = ret_result->settled_ms;
	if (!ret_result->failed && is_due(seed, options->twice))
		run_twice(seed, &options->sim, totals, ret_result);
	if (!ret_result->failed && is_due(seed, options->twins))
		run_twins(seed, &options->sim, totals, ret_result);
	return !ret_result->failed;
}

/* ---- what they came to ---- */

void run_print_failure(uint64_t seed, const struct run_options *options,
		       const struct sim_result *result)
{
	printf("seed %llu: %s (%s): %s\n  replay: sim --seed %llu --twice %d --twins %d "
	       "--verbose\n",
	       (unsigned long long)seed, invariant_rows[result->invariant].name,
	       invariant_rows[result->invariant].what, result->message, (unsigned long long)seed,
	       is_due(seed, options->twice), is_due(seed, options->twins));
}

bool run_print_coverage(const struct run_totals *totals)
{
	bool whole = true;
	printf("%llu seeds, %llu events, %.1f hours of the manager, %.1f of its workers, settled "
	       "within %lld s\n",
	       (unsigned long long)totals->n_seeds, (unsigned long long)totals->n_events,
	       (double)totals->virtual_ms / 3600000.0, (double)totals->worker_ms / 3600000.0,
	       (long long)totals->settled_ms_max / 1000);
	for (int i = 0; i < FAULT_COUNT; i++) {
		printf("  %10llu  %s\n", (unsigned long long)totals->counts.struck[i],
		       fault_rows[i].name);
		whole &= totals->counts.struck[i] > 0;
	}
	for (int i = 0; i < INVARIANT_COUNT; i++) {
		printf("  %10llu  %-6s %s\n", (unsigned long long)totals->counts.evaluated[i],
		       invariant_rows[i].name, invariant_rows[i].what);
		whole &= totals->counts.evaluated[i] > 0;
	}
	if (!whole)
		printf("a fault never struck, or an invariant was never evaluated\n");
	return whole;
}

void run_add(struct run_totals *totals, const struct run_totals *more)
{
	for (int i = 0; i < FAULT_COUNT; i++) {
		totals->counts.struck[i] += more->counts.struck[i];
		for (int j = 0; j < FAULT_COUNT; j++)
			totals->counts.pairs[i][j] += more->counts.pairs[i][j];
	}
	for (int i = 0; i < INVARIANT_COUNT; i++)
		totals->counts.evaluated[i] += more->counts.evaluated[i];
	totals->n_seeds += more->n_seeds;
	totals->n_events += more->n_events;
	totals->virtual_ms += more->virtual_ms;
	totals->worker_ms += more->worker_ms;
	if (totals->settled_ms_max < more->settled_ms_max)
		totals->settled_ms_max = more->settled_ms_max;
}
