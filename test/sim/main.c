/* sim: run seeds. See --help. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/parse.h"
#include "base/planted.h"
#include "sim.h"

#ifdef PLANTED_BUGS
int planted_bug = PLANTED_NONE;
#endif

static const char *const planted_names[] = {
#define PLANTED_NAME(number, name, ...) name,
	PLANTED_TABLE(PLANTED_NAME)
#undef PLANTED_NAME
};

static const char usage[] =
	"usage: sim [--seeds FROM-TO | --seed N] [options]\n"
	"  --seeds FROM-TO     run these seeds (1-20)\n"
	"  --seed N            run one seed\n"
	"  --steps N           events a seed may take (1000000)\n"
	"  --twice N           run every Nth seed twice and compare (10; 0: none)\n"
	"  --verbose           print the whole story\n"
	"  --print-coverage    print how often each fault struck and each invariant was "
	"evaluated,\n"
	"                      and fail where one never was\n"
	"  --bug NAME          with a planted bug (sim_planted only)\n"
	"  --expect INVARIANT  succeed only when most of the seeds that fail violate this one\n"
	"  --list-bugs         print the planted bugs\n";

struct arguments {
	int64_t from, to;
	int64_t twice;
	bool coverage;
	const char *expect;
	struct sim_options options;
};

struct totals {
	struct sim_counts counts;
	uint64_t n_seeds;
	uint64_t n_events;
	int64_t virtual_ms;
	int64_t worker_ms; /* virtual time, once for each worker */
	int64_t settled_ms_max;
};

/* ---- assertions of the cores ---- */

static sigjmp_buf assertion_failed;

static void on_abort(int signal_number)
{
	(void)signal_number;
	siglongjmp(assertion_failed, 1);
}

static void run_caught(uint64_t seed, const struct arguments *arguments, struct sim_result *result,
		       struct totals *totals)
{
	signal(SIGABRT, on_abort);
	if (sigsetjmp(assertion_failed, 1) == 0) {
		sim_run(seed, &arguments->options, result, &totals->counts);
		totals->counts.evaluated[INVARIANT_CORE]++;
		totals->counts.evaluated[INVARIANT_END]++;
		return;
	}
	*result = (struct sim_result){ .failed = true, .invariant = INVARIANT_CORE };
	snprintf(result->message, sizeof(result->message), "%s: %s at %s:%d",
		 check_last.kind ? check_last.kind : "abort",
		 check_last.what ? check_last.what : "", check_last.file ? check_last.file : "",
		 check_last.line);
}

/* ---- seeds ---- */

static bool run_seed(uint64_t seed, const struct arguments *arguments, struct totals *totals,
		     struct sim_result *result)
{
	run_caught(seed, arguments, result, totals);
	totals->n_seeds++;
	totals->n_events += result->n_events;
	totals->virtual_ms += result->virtual_ms;
	totals->worker_ms += result->virtual_ms * result->n_workers;
	if (result->settled_ms > totals->settled_ms_max)
		totals->settled_ms_max = result->settled_ms;
	if (result->failed || !arguments->twice || seed % (uint64_t)arguments->twice)
		return !result->failed;
	struct sim_result again;
	struct totals ignored = { 0 };
	run_caught(seed, arguments, &again, &ignored);
	totals->counts.evaluated[INVARIANT_I27]++;
	if (again.hash == result->hash && again.n_events == result->n_events)
		return true;
	result->failed = true;
	result->invariant = INVARIANT_I27;
	snprintf(result->message, sizeof(result->message), "two runs told two stories");
	return false;
}

static void print_failure(uint64_t seed, const struct sim_result *result)
{
	printf("seed %llu: %s (%s): %s\n  replay: sim --seed %llu --verbose\n",
	       (unsigned long long)seed, invariant_rows[result->invariant].name,
	       invariant_rows[result->invariant].what, result->message, (unsigned long long)seed);
}

static bool print_coverage(const struct totals *totals)
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
		printf("  %10llu  %-4s %s\n", (unsigned long long)totals->counts.evaluated[i],
		       invariant_rows[i].name, invariant_rows[i].what);
		whole &= totals->counts.evaluated[i] > 0;
	}
	if (!whole)
		printf("a fault never struck, or an invariant was never evaluated\n");
	return whole;
}

/* A planted bug is caught by the invariant that is meant to catch it: in most of the first seeds that notice it, that
 * one is the first to be violated. (A second container of a task, say, may also be found to have been said to be
 * gone.) */
struct tally {
	int n_expected;
	int n_others;
};
#define TALLY_SEEDS 5

static void tally_add(struct tally *tally, const struct arguments *arguments, uint64_t seed,
		      const struct sim_result *result)
{
	bool expected = strcmp(invariant_rows[result->invariant].name, arguments->expect) == 0;
	tally->n_expected += expected;
	tally->n_others += !expected;
	print_failure(seed, result);
}

static int judge(const struct tally *tally, const char *expected)
{
	printf("%s caught it in %d of %d seeds that noticed\n", expected, tally->n_expected,
	       tally->n_expected + tally->n_others);
	return tally->n_expected > tally->n_others ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_all(const struct arguments *arguments)
{
	static struct totals totals;
	struct tally tally = { 0 };
	int64_t n_failed = 0;
	for (int64_t seed = arguments->from; seed <= arguments->to; seed++) {
		struct sim_result result;
		if (run_seed((uint64_t)seed, arguments, &totals, &result))
			continue;
		if (arguments->expect)
			tally_add(&tally, arguments, (uint64_t)seed, &result);
		else
			print_failure((uint64_t)seed, &result);
		fflush(stdout);
		if (++n_failed >= TALLY_SEEDS)
			break;
	}
	if (arguments->expect)
		return judge(&tally, arguments->expect);
	bool whole = !arguments->coverage || print_coverage(&totals);
	return n_failed || !whole ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the command line ---- */

static bool set_bug(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(planted_names); i++) {
		if (strcmp(planted_names[i], name) != 0)
			continue;
#ifdef PLANTED_BUGS
		planted_bug = (int)i;
		return true;
#endif
	}
	fprintf(stderr, "sim: this program has no planted bug \"%s\"\n", name);
	return false;
}

static bool parse_seeds(char *text, struct arguments *arguments)
{
	char *dash = strchr(text, '-');
	if (!dash)
		return false;
	*dash = '\0';
	return !parse_int(text, 0, INT64_MAX, &arguments->from, NULL) &&
	       !parse_int(dash + 1, 0, INT64_MAX, &arguments->to, NULL);
}

static bool parse_option(const char *name, char *value, struct arguments *arguments)
{
	if (strcmp(name, "--seeds") == 0)
		return parse_seeds(value, arguments);
	if (strcmp(name, "--seed") == 0) {
		bool ok = !parse_int(value, 0, INT64_MAX, &arguments->from, NULL);
		arguments->to = arguments->from;
		return ok;
	}
	if (strcmp(name, "--steps") == 0)
		return !parse_int(value, 1, INT64_MAX, &arguments->options.events_max, NULL);
	if (strcmp(name, "--twice") == 0)
		return !parse_int(value, 0, INT64_MAX, &arguments->twice, NULL);
	if (strcmp(name, "--expect") == 0) {
		arguments->expect = value;
		return true;
	}
	return strcmp(name, "--bug") == 0 && set_bug(value);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.from = 1, .to = 20, .twice = 10, .options.events_max = 1000000
	};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--verbose") == 0) {
			arguments.options.verbose = true;
		} else if (strcmp(argv[i], "--print-coverage") == 0) {
			arguments.coverage = true;
		} else if (strcmp(argv[i], "--list-bugs") == 0) {
			for (size_t j = 1; j < ARRAY_LEN(planted_names); j++)
				puts(planted_names[j]);
			return EXIT_SUCCESS;
		} else if (i + 1 == argc || !parse_option(argv[i], argv[i + 1], &arguments)) {
			fputs(usage, stderr);
			return EXIT_FAILURE;
		} else {
			i++;
		}
	}
	return run_all(&arguments);
}
