/* How well each policy packs and how evenly it spreads, through the scheduler that the manager asks: tasks are picked
 * for one after the other, each with all that runs before it.
 *
 * Compaction (Verma et al., Borg): machines are taken away in random order until what is to run no longer fits, being
 * placed from scratch each time, in a random order of arrival; PENDING_SHARE of it may wait. The bound is the number
 * of machines, in the same order, whose CPUs and memory are enough in sum. Repeated with as many seeds.
 *
 * Spreading: small tasks alone, until a share of all CPUs is reserved; of each machine the share of its CPUs.
 *
 * A trace is two files of comma-separated values with a header, of which cpu_milli and memory_mib are read, as the
 * OpenB trace has them (alibaba/clusterdata, cluster-trace-gpu-v2023). Without one, machines and requests are drawn
 * that have its published shape: few distinct requests, of which ten are most, and a few that
 * need a machine of their own.
 *
 * usage: packing [--trace FOLDER|PODS.csv] [--nodes NODES.csv] [--seeds N] [--policy NAME] */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/parse.h"
#include "base/sort.h"
#include "cluster/test_world.h"
#include "scheduler/internal.h"
#include "scheduler/scan.h"

#define PENDING_SHARE 0.002
#define SEEDS	      11
#define SEEDS_MAX     1000
#define SMALL_ONE_IN  20 /* a small task needs so little of the mean machine */
#define LINE_SIZE     4096

struct amounts {
	struct resources *items;
	size_t n;
};

struct trace {
	struct amounts nodes;
	struct amounts pods;
};

static void add(struct amounts *amounts, int64_t cpu_milli, int64_t memory_mib)
{
	struct resources *amount = list_add(amounts, sizeof(*amount));
	*amount = (struct resources){ .cpu_milli = cpu_milli, .memory_bytes = memory_mib * MB };
}

static uint64_t draw(uint64_t *state, uint64_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % n;
}

static void shuffle(size_t *order, size_t n, uint64_t *state)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t j = draw(state, i);
		size_t kept = order[i - 1];
		order[i - 1] = order[j];
		order[j] = kept;
	}
}

/* ---- the book's E-PVM, to compare with: the same cost, of all machines alike ---- */

static double book_scale(size_t n_nodes)
{
	return log2(epvm_base(n_nodes));
}

static void book_terms(const struct node_columns *columns, size_t column,
		       const struct capacity *capacity, double scale, float *ret_terms)
{
	const double shares[] = {
		(double)load_cpu_milli(columns, column) * capacity->per_cpu_milli,
		(double)load_memory_bytes(columns, column) * capacity->per_memory_byte,
		(double)columns->tasks[column] / 110,
	};
	for (size_t i = 0; i < ARRAY_LEN(shares); i++)
		ret_terms[i] = (float)exp2(shares[i] * scale);
}

static void book_factors(const struct capacity *capacity, double scale,
			 const struct resources *request, float *ret_factors)
{
	const double shares[] = {
		(double)request->cpu_milli * capacity->per_cpu_milli,
		(double)request->memory_bytes * capacity->per_memory_byte,
		1.0 / 110,
	};
	for (size_t i = 0; i < ARRAY_LEN(shares); i++)
		ret_factors[i] = (float)(exp2(shares[i] * scale) - 1.0);
}

SCHEDULER_SCAN(t[0] * f[0] + t[1] * f[1] + t[2] * f[2])

static const struct score_terms book_by_terms = { book_scale, book_terms, book_factors, score_one,
						  scan };

static double book_score(const struct scheduler_view *view, size_t column)
{
	return (double)score_by_terms(&book_by_terms, &view->cluster->columns, column,
				      &view->request);
}

static const struct scheduler_ops book_epvm = { "book-epvm", RANK_BY_TERMS, book_score,
						&book_by_terms };

/* ---- traces ---- */

static _Noreturn void fail(const char *file, size_t line, const char *problem)
{
	fprintf(stderr, "packing: %s:%zu: %s\n", file, line, problem);
	exit(2);
}

/* The field of this number; modifies the line. */
static char *field(char *line, int number)
{
	char *at = line;
	for (int i = 0; i < number && at; i++)
		at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL;
	if (at)
		at[strcspn(at, ",\r\n")] = '\0';
	return at;
}

static int find_field(const char *header, const char *name)
{
	for (int i = 0;; i++) {
		char line[LINE_SIZE];
		text_print(line, sizeof(line), "%s", header);
		const char *found = field(line, i);
		if (!found)
			return -1;
		if (strcmp(found, name) == 0)
			return i;
	}
}

static int64_t number_of(const char *file, size_t n_line, const char *line, int number)
{
	char copy[LINE_SIZE];
	int64_t value;
	text_print(copy, sizeof(copy), "%s", line);
	const char *text = field(copy, number);
	if (!text || parse_int(text, 0, INT32_MAX, &value, NULL) != ERR_NONE)
		fail(file, n_line, "cpu_milli and memory_mib have to be whole numbers");
	return value;
}

static void read_amounts(const char *file, struct amounts *amounts)
{
	char line[LINE_SIZE];
	FILE *stream = fopen(file, "re");
	if (!stream)
		fail(file, 0, strerror(errno));
	if (!fgets(line, sizeof(line), stream))
		fail(file, 1, "the header is missing");
	int cpu = find_field(line, "cpu_milli");
	int memory = find_field(line, "memory_mib");
	if (cpu < 0 || memory < 0)
		fail(file, 1, "the header names no cpu_milli or no memory_mib");
	for (size_t n_line = 2; fgets(line, sizeof(line), stream); n_line++)
		add(amounts, number_of(file, n_line, line, cpu),
		    number_of(file, n_line, line, memory));
	fclose(stream);
	if (!amounts->n)
		fail(file, 2, "there is nothing in it");
}

static void read_trace(const char *path, const char *nodes, struct trace *trace)
{
	char pods_file[LINE_SIZE];
	char nodes_file[LINE_SIZE];
	struct stat status;
	bool is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
	if (!is_folder && !nodes) {
		fprintf(stderr, "packing: --trace with a file needs --nodes\n");
		exit(2);
	}
	text_print(pods_file, sizeof(pods_file), is_folder ? "%s/openb_pod_list_default.csv" : "%s",
		   path);
	text_print(nodes_file, sizeof(nodes_file), nodes ? "%s" : "%s/openb_node_list_all_node.csv",
		   nodes ? nodes : path);
	read_amounts(pods_file, &trace->pods);
	read_amounts(nodes_file, &trace->nodes);
}

/* ---- without one ---- */

#define GENERATED_NODES	   1523
#define GENERATED_PODS	   8152
#define GENERATED_REQUESTS 103
#define GENERATED_LOAD	   0.68 /* of all CPUs */

static void generate_nodes(struct amounts *nodes, uint64_t *state)
{
	static const struct {
		uint64_t per_thousand;
		int64_t cpus;
	} kinds[] = { { 18, 8 }, { 70, 16 },  { 125, 32 },  { 6, 48 },	{ 41, 64 },
		      { 1, 82 }, { 444, 96 }, { 268, 104 }, { 27, 128 } };
	static const int64_t gib_per_cpu[] = { 4, 6, 8 }; /* 27 shapes */
	for (size_t i = 0; i < GENERATED_NODES; i++) {
		uint64_t at = draw(state, 1000);
		size_t kind = 0;
		while (at >= kinds[kind].per_thousand)
			at -= kinds[kind++].per_thousand;
		add(nodes, kinds[kind].cpus * 1000,
		    kinds[kind].cpus * gib_per_cpu[draw(state, ARRAY_LEN(gib_per_cpu))] * 1024);
	}
}

/* The most popular ten are 70 %, the next forty 28 %, the others what is left; a twentieth of these needs most of a
 * large machine. */
static void generate_pods(struct amounts *pods, int64_t cpu_milli, uint64_t *state)
{
	struct resources requests[GENERATED_REQUESTS];
	struct {
		size_t from, n;
	} of_percent[] = { { 0, 10 }, { 10, 40 }, { 50, 53 } };
	int64_t sum = 0;
	for (size_t i = 0; i < GENERATED_REQUESTS; i++) {
		bool is_large = i >= 50 && i % 5 == 0;
		int64_t cpu = is_large ? 60000 + (int64_t)draw(state, 30000)
				       : 2000 + (int64_t)draw(state, 15000);
		int64_t mib_per_cpu = 1500 + (int64_t)draw(state, 3500);
		requests[i] = (struct resources){ .cpu_milli = cpu,
						  .memory_bytes = cpu * mib_per_cpu / 1000 };
	}
	for (size_t i = 0; i < GENERATED_PODS; i++) {
		uint64_t percent = draw(state, 100);
		size_t which = percent < 70 ? 0 : percent < 98 ? 1 : 2;
		const struct resources *request =
			&requests[of_percent[which].from + draw(state, of_percent[which].n)];
		sum += request->cpu_milli;
		add(pods, request->cpu_milli, request->memory_bytes);
	}
	/* The large ones stay what they are. */
	double scale = GENERATED_LOAD * (double)cpu_milli / (double)sum;
	for (size_t i = 0; i < pods->n; i++)
		if (pods->items[i].cpu_milli < 60000) {
			pods->items[i].cpu_milli =
				(int64_t)((double)pods->items[i].cpu_milli * scale);
			pods->items[i].memory_bytes =
				(int64_t)((double)pods->items[i].memory_bytes * scale);
		}
}

static struct resources sum_of(const struct amounts *amounts)
{
	struct resources sum = { 0 };
	for (size_t i = 0; i < amounts->n; i++) {
		sum.cpu_milli += amounts->items[i].cpu_milli;
		sum.memory_bytes += amounts->items[i].memory_bytes;
	}
	return sum;
}

static void generate_trace(struct trace *trace)
{
	uint64_t state = 20230601;
	generate_nodes(&trace->nodes, &state);
	generate_pods(&trace->pods, sum_of(&trace->nodes).cpu_milli, &state);
}

/* ---- a cluster to pack ---- */

struct pack {
	struct world world;
	struct scheduler_memory *memory;
	const struct scheduler_ops *policy;
	const struct trace *trace;
	struct job_entry **jobs; /* of each pod: those that ask for the same are one */
	int64_t slot;
	uint64_t round;
};

static int compare_pods(const void *a, const void *b, void *context)
{
	const struct resources *left =
		&((const struct trace *)context)->pods.items[*(const size_t *)a];
	const struct resources *right =
		&((const struct trace *)context)->pods.items[*(const size_t *)b];
	if (left->cpu_milli != right->cpu_milli)
		return left->cpu_milli < right->cpu_milli ? -1 : 1;
	return left->memory_bytes < right->memory_bytes ? -1
							: left->memory_bytes > right->memory_bytes;
}

static void make_jobs(struct pack *pack)
{
	struct trace *trace = (struct trace *)(uintptr_t)pack->trace;
	size_t n = trace->pods.n;
	_cleanup_free_ size_t *order = base_calloc(n, sizeof(*order));
	pack->jobs = base_calloc(n, sizeof(*pack->jobs));
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	sort_stable(order, n, sizeof(*order), compare_pods, trace);
	for (size_t i = 0; i < n; i++) {
		const struct resources *request = &trace->pods.items[order[i]];
		char name[32];
		text_print(name, sizeof(name), "j%zu", i);
		pack->jobs[order[i]] =
			i && compare_pods(&order[i - 1], &order[i], trace) == 0
				? pack->jobs[order[i - 1]]
				: world_job(&pack->world, "bench", name,
					    world_spec(request->cpu_milli, request->memory_bytes));
	}
}

static void pack_begin(struct pack *pack, const struct scheduler_ops *policy,
		       const struct trace *trace, const size_t *nodes, size_t n_nodes)
{
	*pack = (struct pack){ .policy = policy, .trace = trace };
	world_init(&pack->world);
	pack->memory = scheduler_memory_new(0);
	for (size_t i = 0; i < n_nodes; i++) {
		const struct resources *capacity = &trace->nodes.items[nodes[i]];
		world_node(&pack->world, "node", capacity->cpu_milli, capacity->memory_bytes, NULL,
			   NULL);
	}
	make_jobs(pack);
}

static void pack_end(struct pack *pack)
{
	base_free(pack->jobs);
	scheduler_memory_free(pack->memory);
	cluster_release(&pack->world.cluster);
	changes_release(&pack->world.changes);
}

static bool place(struct pack *pack, size_t pod)
{
	static const struct node_id nowhere;
	struct world *world = &pack->world;
	struct task *task = world_task(world, pack->jobs[pod], ++pack->slot);
	struct scheduler_pick pick;
	scheduler_pick(&world->cluster, pack->memory, pack->policy, task, nowhere, pack->round,
		       &pick);
	pack->round = pick.next_round;
	bool found = pick.node != NULL;
	if (found)
		world_place(world, task, pick.node);
	else
		cluster_delete_task(&world->cluster, &world->changes, task);
	scheduler_pick_release(&pick);
	return found;
}

/* ---- compaction ---- */

struct run {
	size_t *nodes; /* in the order in which they stay */
	size_t *pods;  /* and in which they arrive */
	size_t bound;
};

static void run_init(struct run *run, const struct trace *trace, uint64_t seed)
{
	uint64_t state = seed;
	run->nodes = base_calloc(trace->nodes.n, sizeof(size_t));
	run->pods = base_calloc(trace->pods.n, sizeof(size_t));
	shuffle(run->nodes, trace->nodes.n, &state);
	shuffle(run->pods, trace->pods.n, &state);
	struct resources left = sum_of(&trace->pods);
	for (run->bound = 0; run->bound < trace->nodes.n; run->bound++) {
		if (left.cpu_milli <= 0 && left.memory_bytes <= 0)
			break;
		left.cpu_milli -= trace->nodes.items[run->nodes[run->bound]].cpu_milli;
		left.memory_bytes -= trace->nodes.items[run->nodes[run->bound]].memory_bytes;
	}
}

static void run_release(struct run *run)
{
	base_free(run->nodes);
	base_free(run->pods);
}

/* How many are left pending; ends with the first above `most`. */
static size_t pending_on(const struct trace *trace, const struct run *run,
			 const struct scheduler_ops *policy, size_t n_nodes, size_t most)
{
	struct pack pack;
	size_t n_pending = 0;
	pack_begin(&pack, policy, trace, run->nodes, n_nodes);
	for (size_t i = 0; i < trace->pods.n && n_pending <= most; i++)
		n_pending += !place(&pack, run->pods[i]);
	pack_end(&pack);
	return n_pending;
}

/* The fewest machines that are enough; one more than there are: all are not. */
static size_t compact(const struct trace *trace, const struct run *run,
		      const struct scheduler_ops *policy)
{
	size_t most = (size_t)(PENDING_SHARE * (double)trace->pods.n);
	size_t low = run->bound - 1;
	size_t high = trace->nodes.n + 1;
	while (low + 1 < high) {
		/* What packs well is found near the bound. */
		size_t step = (high - low) / 2;
		size_t at = low + (high > trace->nodes.n && low < run->bound * 11 / 10
					   ? run->bound / 20 + 1
					   : step);
		at = at < high ? at : low + step;
		if (pending_on(trace, run, policy, at, most) <= most)
			high = at;
		else
			low = at;
	}
	return high;
}

static int compare_values(const void *a, const void *b, void *context)
{
	(void)context;
	double left = *(const double *)a;
	double right = *(const double *)b;
	return left < right ? -1 : left > right;
}

struct sample {
	double values[SEEDS_MAX];
	size_t n;
};

static double quantile(struct sample *sample, size_t percent)
{
	sort_stable(sample->values, sample->n, sizeof(double), compare_values, NULL);
	return sample->values[(sample->n - 1) * percent / 100];
}

static void print_machines(double n, size_t n_nodes)
{
	if (n > (double)n_nodes)
		printf(" %9s", "all fail");
	else
		printf(" %9.0f", n);
}

static void measure_compaction(const struct trace *trace, const struct scheduler_ops *policy,
			       size_t n_seeds)
{
	struct sample bound = { .n = n_seeds };
	struct sample machines = { .n = n_seeds };
	struct sample over = { .n = n_seeds };
	struct sample pending = { .n = n_seeds };
	for (size_t i = 0; i < n_seeds; i++) {
		struct run run;
		run_init(&run, trace, i + 1);
		bound.values[i] = (double)run.bound;
		machines.values[i] = (double)compact(trace, &run, policy);
		over.values[i] = 100.0 * machines.values[i] / bound.values[i] - 100.0;
		pending.values[i] =
			(double)pending_on(trace, &run, policy, trace->nodes.n, SIZE_MAX);
		run_release(&run);
	}
	printf("%-10s %7.0f", policy->name, quantile(&bound, 50));
	print_machines(quantile(&machines, 50), trace->nodes.n);
	print_machines(quantile(&machines, 90), trace->nodes.n);
	printf(" %+9.2f %+9.2f %+9.2f %8.0f\n", quantile(&over, 50), quantile(&over, 0),
	       quantile(&over, 100), quantile(&pending, 50));
	fflush(stdout);
}

/* ---- spreading ---- */

static void print_use(const struct pack *pack)
{
	const struct node_columns *columns = &pack->world.cluster.columns;
	double most = 0;
	double sum = 0;
	double squares = 0;
	size_t n_empty = 0;
	for (size_t i = 0; i < columns->n; i++) {
		double share =
			load_share(columns->cpu_reserved_milli[i], columns->cpu_capacity_milli[i]);
		most = share > most ? share : most;
		sum += share;
		squares += share * share;
		n_empty += columns->tasks[i] == 0;
	}
	double mean = sum / (double)columns->n;
	printf(" %8.3f %8.3f %8.3f", most, sqrt(squares / (double)columns->n - mean * mean),
	       (double)n_empty / (double)columns->n);
}

static void measure_spread(const struct trace *trace, const struct scheduler_ops *policy)
{
	static const double loads[] = { 0.3, 0.6 };
	struct run run;
	struct pack pack;
	struct resources sum = sum_of(&trace->nodes);
	int64_t n_nodes = (int64_t)trace->nodes.n;
	int64_t reserved_milli = 0;
	run_init(&run, trace, 1);
	pack_begin(&pack, policy, trace, run.nodes, trace->nodes.n);
	printf("%-10s", policy->name);
	size_t at = 0;
	for (size_t k = 0; k < ARRAY_LEN(loads); k++) {
		bool any = true;
		while (any && (double)reserved_milli < loads[k] * (double)sum.cpu_milli) {
			size_t pod = run.pods[at++ % trace->pods.n];
			const struct resources *request = &trace->pods.items[pod];
			any = at < 100 * trace->pods.n;
			if (request->cpu_milli > sum.cpu_milli / n_nodes / SMALL_ONE_IN ||
			    request->memory_bytes > sum.memory_bytes / n_nodes / SMALL_ONE_IN)
				continue;
			if (place(&pack, pod))
				reserved_milli += request->cpu_milli;
		}
		print_use(&pack);
	}
	printf("\n");
	fflush(stdout);
	pack_end(&pack);
	run_release(&run);
}

/* ---- all ---- */

struct options {
	const char *trace;
	const char *nodes;
	const char *policy;
	int64_t n_seeds;
};

static _Noreturn void usage(void)
{
	fprintf(stderr,
		"usage: packing [--trace FOLDER|PODS.csv] [--nodes NODES.csv] [--seeds N] "
		"[--policy NAME]\n"
		"policies: %s, %s\n",
		scheduler_names(), book_epvm.name);
	exit(2);
}

static struct options read_options(int argc, char **argv)
{
	struct options options = { .n_seeds = SEEDS };
	for (int i = 1; i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (value && strcmp(argv[i], "--trace") == 0)
			options.trace = value;
		else if (value && strcmp(argv[i], "--nodes") == 0)
			options.nodes = value;
		else if (value && strcmp(argv[i], "--policy") == 0)
			options.policy = value;
		else if (!value || strcmp(argv[i], "--seeds") != 0 ||
			 parse_int(value, 1, SEEDS_MAX, &options.n_seeds, NULL) != ERR_NONE)
			usage();
	}
	if ((options.nodes && !options.trace) ||
	    (options.policy && strcmp(options.policy, book_epvm.name) != 0 &&
	     !scheduler_find(options.policy)))
		usage();
	return options;
}

int main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	struct trace trace = { 0 };
	const struct scheduler_ops *policies[SCHEDULER_POLICY_COUNT + 1];
	size_t n = 0;
	for (size_t i = 0; i <= SCHEDULER_POLICY_COUNT; i++) {
		policies[n] = i < SCHEDULER_POLICY_COUNT ? scheduler_registry[i] : &book_epvm;
		n += !options.policy || strcmp(options.policy, policies[n]->name) == 0;
	}
	if (options.trace)
		read_trace(options.trace, options.nodes, &trace);
	else
		generate_trace(&trace);
	printf("%s: %zu machines, %zu requests; %lld seeds, %.1f %% may be pending\n\n",
	       options.trace ? options.trace : "generated", trace.nodes.n, trace.pods.n,
	       (long long)options.n_seeds, 100 * PENDING_SHARE);
	printf("%-10s %7s %9s %9s %9s %9s %9s %8s\n", "policy", "bound", "machines", "p90",
	       "over %", "least", "most", "pending");
	for (size_t i = 0; i < n; i++)
		measure_compaction(&trace, policies[i], (size_t)options.n_seeds);
	printf("\n%-10s %26s %26s\n%-10s %8s %8s %8s %8s %8s %8s\n", "",
	       "small tasks, 30 % of CPUs", "60 %", "policy", "most", "sd", "empty", "most", "sd",
	       "empty");
	for (size_t i = 0; i < n; i++)
		measure_spread(&trace, policies[i]);
	base_free(trace.nodes.items);
	base_free(trace.pods.items);
	return 0;
}
