/* sim: run seeds. See --help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/parse.h"
#include "base/planted.h"
#include "soak.h"

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
	"  --steps N           events a seed may take (4000000)\n"
	"  --twice N           run every Nth seed twice and compare (10; 0: none)\n"
	"  --twins N           run every Nth seed with wall clocks that jump and with clocks that "
	"stay,\n"
	"                      and compare what is decided (10; 0: none)\n"
	"  --soak SECONDS      run seeds from FROM on until then, and say what they came to\n"
	"  --jobs N            processes that soak (one for each processor)\n"
	"  --verbose           print the whole story\n"
	"  --print-coverage    print how often each fault struck and each invariant was "
	"evaluated,\n"
	"                      and fail where one never was\n"
	"  --bug NAME          with a planted bug (sim_planted only)\n"
	"  --expect INVARIANT  succeed only when most of the seeds that fail violate this one\n"
	"  --list-bugs         print the planted bugs\n";

struct arguments {
	int64_t from, to;
	bool coverage;
	const char *expect;
	struct run_options run;
	struct soak_options soak;
};

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
	run_print_failure(seed, &arguments->run, result);
}

static int judge(const struct tally *tally, const char *expected)
{
	printf("%s caught it in %d of %d seeds that noticed\n", expected, tally->n_expected,
	       tally->n_expected + tally->n_others);
	return tally->n_expected > tally->n_others ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_all(const struct arguments *arguments)
{
	static struct run_totals totals;
	struct tally tally = { 0 };
	int64_t n_failed = 0;
	for (int64_t seed = arguments->from; seed <= arguments->to; seed++) {
		struct sim_result result;
		if (run_seed((uint64_t)seed, &arguments->run, &totals, &result))
			continue;
		if (arguments->expect)
			tally_add(&tally, arguments, (uint64_t)seed, &result);
		else
			run_print_failure((uint64_t)seed, &arguments->run, &result);
		fflush(stdout);
		if (++n_failed >= TALLY_SEEDS)
			break;
	}
	if (arguments->expect)
		return judge(&tally, arguments->expect);
	bool whole = !arguments->coverage || run_print_coverage(&totals);
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
		return !parse_int(value, 1, INT64_MAX, &arguments->run.sim.events_max, NULL);
	if (strcmp(name, "--twice") == 0)
		return !parse_int(value, 0, INT64_MAX, &arguments->run.twice, NULL);
	if (strcmp(name, "--twins") == 0)
		return !parse_int(value, 0, INT64_MAX, &arguments->run.twins, NULL);
	if (strcmp(name, "--soak") == 0)
		return !parse_int(value, 1, INT64_MAX, &arguments->soak.seconds, NULL);
	if (strcmp(name, "--jobs") == 0)
		return !parse_int(value, 1, SOAK_JOBS_MAX, &arguments->soak.n_jobs, NULL);
	if (strcmp(name, "--expect") == 0) {
		arguments->expect = value;
		return true;
	}
	return strcmp(name, "--bug") == 0 && set_bug(value);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.from = 1, .to = 20, .run = { .twice = 10, .twins = 10, .sim.events_max = 4000000 }
	};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--verbose") == 0) {
			arguments.run.sim.verbose = true;
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
	arguments.soak.first_seed = arguments.from;
	arguments.soak.run = arguments.run;
	return arguments.soak.seconds ? soak(&arguments.soak) : run_all(&arguments);
}
