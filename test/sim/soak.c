/* Job number j of n runs the seeds first+j, first+j+n, ... and keeps its totals in memory it shares with the
 * parent, which reports now and then and at the end. A job that dies is a finding too: the seed it was at is
 * known, and another goes on after it. */
#include "soak.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPORT_EVERY_S 600
#define PAIRS_LISTED   10

struct soaker {
	struct run_totals totals;
	uint64_t seed; /* the one it is at */
	uint64_t n_findings;
	pid_t pid;
};

struct fault_pair {
	int a, b;
	uint64_t n;
};

static volatile sig_atomic_t stop_asked;

static void on_stop(int signal_number)
{
	(void)signal_number;
	stop_asked = 1;
}

static int64_t now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* ---- a job ---- */

static void run_job(struct soaker *job, const struct soak_options *options, int64_t until_s)
{
	while (!stop_asked && now_s() < until_s) {
		struct sim_result result;
		if (!run_seed(job->seed, &options->run, &job->totals, &result)) {
			job->n_findings++;
			run_print_failure(job->seed, &options->run, &result);
		}
		fflush(stdout);
		job->seed += (uint64_t)options->n_jobs;
	}
}

static void start_job(struct soaker *job, const struct soak_options *options, int64_t until_s)
{
	fflush(stdout);
	job->pid = fork();
	if (job->pid == 0) {
		run_job(job, options, until_s);
		_exit(EXIT_SUCCESS);
	}
}

/* ---- the report ---- */

static int compare_pairs(const void *a, const void *b)
{
	const struct fault_pair *left = a;
	const struct fault_pair *right = b;
	if (left->n != right->n)
		return left->n < right->n ? -1 : 1;
	return left->a != right->a ? left->a - right->a : left->b - right->b;
}

static void print_pairs(const struct sim_counts *counts)
{
	static struct fault_pair pairs[FAULT_COUNT * (FAULT_COUNT - 1) / 2];
	size_t n = 0;
	uint64_t n_often = 0;
	for (int a = 0; a < FAULT_COUNT; a++)
		for (int b = a + 1; b < FAULT_COUNT; b++)
			pairs[n++] = (struct fault_pair){ a, b, counts->pairs[a][b] };
	qsort(pairs, n, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < n; i++)
		n_often += pairs[i].n >= 1000;
	printf("%zu pairs of faults within %d s, %llu of them at least 1000 times; the rarest:\n",
	       n, SIM_PAIR_MS / 1000, (unsigned long long)n_often);
	for (size_t i = 0; i < n && i < PAIRS_LISTED; i++)
		printf("  %10llu  %s + %s\n", (unsigned long long)pairs[i].n,
		       fault_rows[pairs[i].a].name, fault_rows[pairs[i].b].name);
}

static uint64_t report(const struct soaker *jobs, int64_t n_jobs, int64_t took_s, bool whole)
{
	static struct run_totals totals;
	uint64_t n_findings = 0;
	totals = (struct run_totals){ 0 };
	for (int64_t i = 0; i < n_jobs; i++) {
		run_add(&totals, &jobs[i].totals);
		n_findings += jobs[i].n_findings;
	}
	if (whole) {
		run_print_coverage(&totals);
		print_pairs(&totals.counts);
	}
	printf("soak: %lld s with %lld jobs, %llu seeds, %.0f hours of clusters (%.0f of their "
	       "workers), %llu findings\n",
	       (long long)took_s, (long long)n_jobs, (unsigned long long)totals.n_seeds,
	       (double)totals.virtual_ms / 3600000.0, (double)totals.worker_ms / 3600000.0,
	       (unsigned long long)n_findings);
	fflush(stdout);
	return n_findings;
}

/* ---- the parent ---- */

static bool note_end(struct soaker *jobs, const struct soak_options *options, pid_t pid, int status,
		     int64_t until_s)
{
	for (int64_t i = 0; i < options->n_jobs; i++) {
		struct soaker *job = &jobs[i];
		if (job->pid != pid)
			continue;
		if (WIFEXITED(status))
			return false;
		job->n_findings++;
		printf("seed %llu: the simulator was killed by signal %d\n  replay: sim --seed "
		       "%llu\n",
		       (unsigned long long)job->seed, WTERMSIG(status),
		       (unsigned long long)job->seed);
		job->seed += (uint64_t)options->n_jobs;
		start_job(job, options, until_s);
		return true;
	}
	return false;
}

static void watch(struct soaker *jobs, const struct soak_options *options, int64_t began_s,
		  int64_t until_s)
{
	int64_t report_s = began_s + REPORT_EVERY_S;
	for (int64_t n_running = options->n_jobs; n_running;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid > 0) {
			n_running -= !note_end(jobs, options, pid, status, until_s);
			continue;
		}
		poll(NULL, 0, 200);
		if (now_s() >= report_s) {
			report(jobs, options->n_jobs, now_s() - began_s, false);
			report_s += REPORT_EVERY_S;
		}
	}
}

int soak(const struct soak_options *asked)
{
	struct soak_options options = *asked;
	if (!options.n_jobs)
		options.n_jobs = sysconf(_SC_NPROCESSORS_ONLN);
	if (options.n_jobs > SOAK_JOBS_MAX)
		options.n_jobs = SOAK_JOBS_MAX;
	struct soaker *jobs = mmap(NULL, (size_t)options.n_jobs * sizeof(*jobs),
				   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (jobs == MAP_FAILED)
		return EXIT_FAILURE;
	signal(SIGINT, on_stop);
	signal(SIGTERM, on_stop);
	int64_t began_s = now_s();
	int64_t until_s = began_s + options.seconds;
	for (int64_t i = 0; i < options.n_jobs; i++) {
		jobs[i].seed = (uint64_t)(options.first_seed + i);
		start_job(&jobs[i], &options, until_s);
	}
	watch(jobs, &options, began_s, until_s);
	uint64_t n_findings = report(jobs, options.n_jobs, now_s() - began_s, true);
	munmap(jobs, (size_t)options.n_jobs * sizeof(*jobs));
	return n_findings ? EXIT_FAILURE : EXIT_SUCCESS;
}
