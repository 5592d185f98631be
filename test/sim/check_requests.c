/* What was answered: kept in the store (I3), seen by who was answered (I16), once for each key (I15). The model of what
 * each request does follows from the request and its answer alone. */
#include <string.h>

#include "job/depend.h"
#include "requests.h"

static struct known_job *find_job(struct checker *checker, struct job_id id)
{
	for (size_t i = 0; i < checker->n_jobs; i++)
		if (uuid_equal(checker->jobs[i].id.uuid, id.uuid))
			return &checker->jobs[i];
	return NULL;
}

static struct known_job *job_of(struct checker *checker, struct job_id id)
{
	struct known_job *job = find_job(checker, id);
	if (job)
		return job;
	checker->jobs = base_grow(checker->jobs, checker->n_jobs, &checker->jobs_capacity,
				  sizeof(struct known_job));
	job = &checker->jobs[checker->n_jobs++];
	*job = (struct known_job){ .id = id };
	return job;
}

static uint64_t hash_of(const struct job_spec *spec)
{
	struct job_spec shared = *spec;
	shared.replicas = 0;
	return record_hash(&job_spec_type, &shared);
}

static struct known_revision *revision_of(struct known_job *job, int64_t number)
{
	return &job->revisions[number % REVISIONS_KNOWN];
}

static struct known_revision revision_known(int64_t number, const struct job_spec *spec,
					    bool scaled)
{
	return (struct known_revision){
		.number = number,
		.hash = hash_of(spec),
		.replicas = spec->replicas,
		.rolls_back = spec->update.failure_action == UPDATE_ROLLBACK,
		.scaled = scaled,
	};
}

static void know_revision(struct known_job *job, const struct job_spec *spec)
{
	struct known_revision *known = revision_of(job, job->revision);
	/* The same again is no news. */
	bool same = known->number == job->revision && known->hash == hash_of(spec) &&
		    known->replicas == spec->replicas;
	*known = revision_known(job->revision, spec, same && known->scaled);
	job->hash = known->hash;
	job->replicas = known->replicas;
}

/* An earlier revision is the current one again; how many tasks was said since holds. */
static void go_back(struct known_job *job, int64_t number)
{
	const struct known_revision *current = revision_of(job, job->revision);
	struct known_revision *revision = revision_of(job, number);
	job->uncertain |= revision->number != number || current->number != job->revision;
	if (current->scaled) {
		revision->replicas = current->replicas;
		revision->scaled = true;
	}
	job->revision = number;
	job->hash = revision->hash;
	job->replicas = revision->replicas;
}

static const struct job_spec *spec_of(const struct sim_request *request, const char *name)
{
	for (size_t i = 0; i < request->project_request.jobs.n; i++)
		if (strcmp(request->project_request.jobs.items[i].name, name) == 0)
			return &request->project_request.jobs.items[i].spec;
	return NULL;
}

/* ---- the model ---- */

/* What its policy says happens without being asked for. */
static void follow_roll_back(struct known_job *job, const struct cluster *cluster)
{
	const struct job_entry *entry = cluster_job(cluster, job->id);
	const struct known_revision *known = revision_of(job, job->revision);
	if (entry && entry->job.rolled_back_from == job->revision &&
	    entry->job.revision < job->revision && known->number == job->revision &&
	    known->rolls_back)
		go_back(job, entry->job.revision);
}

static void take_effect(struct checker *checker, const struct cluster *cluster,
			const struct sim_request *request, const struct job_answer *answer)
{
	/* One task is stopped or restarted: the job stays as it is. */
	if (answer->effect == EFFECT_ORPHAN || !uuid_is_zero(request->request.task.uuid))
		return;
	struct known_job *job = job_of(checker, answer->id);
	follow_roll_back(job, cluster);
	/* A rebalance may be asked for of all projects. */
	if (*request->project)
		text_print(job->project, sizeof(job->project), "%s", request->project);
	if (answer->effect != EFFECT_ROLLED_BACK)
		job->revision = answer->revision;
	const struct job_spec *spec = spec_of(request, answer->name);
	if (spec) {
		know_revision(job, spec);
		job->wanted = JOB_RUN;
	}
	switch (answer->effect) {
	case EFFECT_RUNS_AGAIN: job->wanted = JOB_RUN; break;
	case EFFECT_STOPPED: job->wanted = JOB_STOP; break;
	case EFFECT_REMOVED: job->wanted = JOB_REMOVE; break;
	case EFFECT_RESTARTED:
		job->wanted = JOB_RUN;
		job->restarts_asked++;
		break;
	case EFFECT_SCALED:
		if (request->request.kind == REQUEST_SCALE) {
			job->replicas = request->request.replicas;
			revision_of(job, job->revision)->replicas = job->replicas;
			revision_of(job, job->revision)->scaled = true;
		}
		break;
	case EFFECT_ROLLED_BACK: go_back(job, answer->revision); break;
	default: break;
	}
}

/* The same of the world: what differs is told. NULL: nothing. */
static const char *compare(const struct known_job *job, const struct cluster *cluster)
{
	const struct job_entry *entry = cluster_job(cluster, job->id);
	if (!entry)
		return job->wanted == JOB_REMOVE ? NULL : "is not there";
	if (!entry->n_revisions)
		return "has no revision";
	if (entry->job.wanted != job->wanted)
		return "is not wanted as it was answered";
	if (entry->job.revision != job->revision)
		return "has another revision than was answered";
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	if (spec->replicas != job->replicas)
		return "has another number of replicas than was answered";
	if (hash_of(spec) != job->hash)
		return "has another specification than was answered";
	return NULL;
}

static void compare_all(struct sim *sim, const struct cluster *cluster, int invariant)
{
	struct checker *checker = &sim->checker;
	checker->evaluated[invariant]++;
	for (size_t i = 0; i < checker->n_jobs; i++) {
		struct known_job *job = &checker->jobs[i];
		if (job->deleted || job->uncertain)
			continue;
		follow_roll_back(job, cluster);
		const char *difference = job->uncertain ? NULL : compare(job, cluster);
		if (difference)
			violated(sim, invariant, "a job of %s %s", job->project, difference);
		job->deleted = !cluster_job(cluster, job->id);
	}
}

/* ---- keys ---- */

static struct known_answer *find_answer(struct checker *checker, const struct sim_request *request)
{
	for (size_t i = 0; i < checker->n_answers; i++)
		if (strcmp(checker->answers[i].key, request->key) == 0)
			return &checker->answers[i];
	return NULL;
}

static void keep_answer(struct checker *checker, const struct sim_request *request,
			const struct manager_answer *answer)
{
	checker->answers = base_grow(checker->answers, checker->n_answers,
				     &checker->answers_capacity, sizeof(struct known_answer));
	struct known_answer *kept = &checker->answers[checker->n_answers++];
	*kept = (struct known_answer){ .body_hash = request->request.body_hash };
	memcpy(kept->key, request->key, sizeof(kept->key));
	text_init(&kept->answer, 1 << 16);
	kept->open = !answer;
	if (answer)
		record_encode(&manager_answer_type, answer, &kept->answer);
}

static void check_again(struct sim *sim, struct known_answer *known,
			const struct sim_request *request, const struct manager_reply *reply)
{
	sim->checker.evaluated[INVARIANT_I15]++;
	if (request->request.body_hash != known->body_hash) {
		if (reply->err.code != ERR_CONFLICT)
			violated(sim, INVARIANT_I15, "%s was used for two requests", request->key);
		return;
	}
	struct text answer;
	text_init(&answer, 1 << 16);
	record_encode(&manager_answer_type, &reply->answer, &answer);
	if (known->open) {
		known->open = false;
		known->answer = answer;
		return;
	}
	if (reply->err.code || answer.len != known->answer.len ||
	    memcmp(answer.bytes, known->answer.bytes, answer.len) != 0)
		violated(sim, INVARIANT_I15, "%s was answered in two ways", request->key);
	text_release(&answer);
}

static bool was_rolled_back(const struct job_entry *entry)
{
	for (size_t i = 0; i < entry->job.outcomes.n; i++)
		if (entry->job.outcomes.items[i].outcome == OUTCOME_ROLLED_BACK)
			return true;
	return false;
}

/* Who asks to be restarted with a job is, when that goes back by itself. */
static bool follows_a_way_back(const struct cluster *cluster, const struct job_entry *entry)
{
	const struct job_spec *spec = &job_entry_current(entry)->spec;
	for (size_t i = 0; i < spec->depends_on.n; i++) {
		const struct depend *depend = &spec->depends_on.items[i];
		const struct job_entry *on = cluster_job_named(
			cluster, depend_project(depend, entry->job.project), depend->job);
		if (depend->restart && on && was_rolled_back(on))
			return true;
	}
	return false;
}

static void check_restarts(struct sim *sim, const struct cluster *cluster)
{
	struct checker *checker = &sim->checker;
	checker->evaluated[INVARIANT_I15]++;
	for (size_t i = 0; i < checker->n_jobs; i++) {
		const struct known_job *job = &checker->jobs[i];
		const struct job_entry *entry = cluster_job(cluster, job->id);
		/* Each run of a schedule raises it: check_runs.c. */
		if (entry && !job_entry_current(entry)->spec.schedule && !job->uncertain &&
		    entry->job.restarts_asked > job->restarts_asked &&
		    !follows_a_way_back(cluster, entry))
			violated(sim, INVARIANT_I15,
				 "%s/%s was restarted %lld times and asked for %lld", job->project,
				 entry->job.name, (long long)entry->job.restarts_asked,
				 (long long)job->restarts_asked);
	}
}

static void adopt_restart(struct checker *checker, const struct job_entry *entry)
{
	struct known_job *job = entry ? find_job(checker, entry->job.id) : NULL;
	if (job)
		job->restarts_asked = entry->job.restarts_asked + entry->job.restart_due;
}

/* What else may raise it: a stopped job that is applied again, a dependent one. */
static void adopt_restarts(struct checker *checker, const struct cluster *cluster,
			   const struct manager_answer *answer)
{
	for (size_t i = 0; i < answer->jobs.n; i++)
		adopt_restart(checker, cluster_job(cluster, answer->jobs.items[i].id));
}

/* Of other projects: "p2/api". */
static void adopt_dependents(struct sim *sim, const struct cluster *cluster,
			     const struct manager_answer *answer)
{
	if (answer->n_dependents != (int64_t)answer->dependents.n)
		violated(sim, INVARIANT_I15, "%lld dependents are restarted, and %zu are named",
			 (long long)answer->n_dependents, answer->dependents.n);
	for (size_t i = 0; i < answer->dependents.n; i++) {
		const char *name = answer->dependents.items[i];
		size_t len = strcspn(name, "/");
		_cleanup_free_ char *project = base_strndup(name, len);
		adopt_restart(&sim->checker, cluster_job_named(cluster, project, name + len + 1));
	}
}

void checker_answered(struct sim *sim, const struct cluster *cluster,
		      struct sim_request *const *requests, const struct manager_reply *replies,
		      size_t n)
{
	struct checker *checker = &sim->checker;
	for (size_t i = 0; i < n; i++) {
		struct known_answer *known = find_answer(checker, requests[i]);
		if (known) {
			check_again(sim, known, requests[i], &replies[i]);
			continue;
		}
		if (replies[i].err.code)
			continue;
		keep_answer(checker, requests[i], &replies[i].answer);
		for (size_t j = 0; j < replies[i].answer.jobs.n; j++)
			take_effect(checker, cluster, requests[i],
				    &replies[i].answer.jobs.items[j]);
		if (requests[i]->request.kind != REQUEST_RESTART)
			adopt_restarts(checker, cluster, &replies[i].answer);
		adopt_dependents(sim, cluster, &replies[i].answer);
	}
	check_restarts(sim, cluster);
	compare_all(sim, cluster, INVARIANT_I16);
}

void checker_follow(struct sim *sim, const struct cluster *cluster)
{
	for (size_t i = 0; i < sim->checker.n_jobs; i++)
		follow_roll_back(&sim->checker.jobs[i], cluster);
}

void checker_stored(struct sim *sim, const struct cluster *stored)
{
	compare_all(sim, stored, INVARIANT_I3);
}

void checker_read(struct sim *sim, const struct cluster *cluster, struct job_id id)
{
	struct checker *checker = &sim->checker;
	struct known_job *job = find_job(checker, id);
	if (!job || job->deleted || job->uncertain)
		return;
	follow_roll_back(job, cluster);
	if (job->uncertain)
		return;
	checker->evaluated[INVARIANT_I16]++;
	const char *difference = compare(job, cluster);
	if (difference)
		violated(sim, INVARIANT_I16, "who was answered reads that a job of %s %s",
			 job->project, difference);
}

/* ---- unknown outcomes ---- */

void checker_uncertain(struct sim *sim, struct sim_request *const *requests, size_t n)
{
	struct checker *checker = &sim->checker;
	checker->unsure = true;
	for (size_t i = 0; i < n; i++) {
		if (find_answer(checker, requests[i]))
			continue;
		checker->maybes = base_grow(checker->maybes, checker->n_maybes,
					    &checker->maybes_capacity, sizeof(*checker->maybes));
		checker->maybes[checker->n_maybes++] = request_copy(requests[i]);
		for (size_t j = 0; j < checker->n_jobs; j++)
			if (strcmp(checker->jobs[j].project, requests[i]->project) == 0)
				checker->jobs[j].uncertain = true;
	}
}

/* All of an apply, or nothing: the remembered answer is there with all of the jobs. */
static void check_whole(struct sim *sim, const struct cluster *cluster,
			const struct sim_request *request)
{
	struct checker *checker = &sim->checker;
	if (checker->n_maybes != 1 || request->request.kind != REQUEST_APPLY ||
	    !cluster_idempotency(cluster, request->request.caller, request->key))
		return;
	checker->evaluated[INVARIANT_I3]++;
	for (size_t i = 0; i < request->project_request.jobs.n; i++) {
		const struct job_request *job = &request->project_request.jobs.items[i];
		const struct job_entry *entry =
			cluster_job_named(cluster, request->project, job->name);
		if (!entry || hash_of(&job_entry_current(entry)->spec) != hash_of(&job->spec))
			violated(sim, INVARIANT_I3, "%s is in the store without %s/%s",
				 request->key, request->project, job->name);
	}
}

static void adopt_revision(struct known_job *job, const struct job_revision *revision)
{
	*revision_of(job, revision->number) =
		revision_known(revision->number, &revision->spec, revision->scaled);
}

static void adopt_job(struct checker *checker, const struct job_entry *entry)
{
	struct known_job *job = job_of(checker, entry->job.id);
	text_print(job->project, sizeof(job->project), "%s", entry->job.project);
	job->wanted = entry->job.wanted;
	job->revision = entry->job.revision;
	job->restarts_asked = entry->job.restarts_asked + entry->job.restart_due;
	/* Of one that is the current one no more, too: it may have been scaled before. */
	for (size_t i = 0; i < entry->n_revisions; i++)
		adopt_revision(job, entry->revisions[i]);
	job->hash = revision_of(job, job->revision)->hash;
	job->replicas = revision_of(job, job->revision)->replicas;
	job->uncertain = false;
}

static void adopt_project(struct checker *checker, const struct cluster *cluster, const char *name)
{
	const struct project_entry *project = cluster_project(cluster, name);
	for (size_t i = 0; project && i < project->n_jobs; i++)
		adopt_job(checker, project->jobs[i]);
	/* A job that is not there any more was removed by one of these. */
	for (size_t i = 0; i < checker->n_jobs; i++) {
		struct known_job *job = &checker->jobs[i];
		if (!job->uncertain || strcmp(job->project, name) != 0)
			continue;
		job->deleted = true;
		job->uncertain = false;
	}
}

/* Those of other projects that may have been asked to be restarted with a job of this one. */
static void adopt_waiting(struct checker *checker, const struct cluster *cluster, const char *name)
{
	for (size_t i = 0; i < checker->n_jobs; i++) {
		const struct job_entry *entry = cluster_job(cluster, checker->jobs[i].id);
		const struct job_spec *spec = entry ? &job_entry_current(entry)->spec : NULL;
		for (size_t j = 0; spec && j < spec->depends_on.n; j++) {
			const struct depend *depend = &spec->depends_on.items[j];
			if (depend->project && strcmp(depend->project, name) == 0)
				adopt_restart(checker, entry);
		}
	}
}

void checker_replayed(struct sim *sim, const struct cluster *cluster)
{
	struct checker *checker = &sim->checker;
	for (size_t i = 0; i < checker->n_maybes; i++)
		check_whole(sim, cluster, checker->maybes[i]);
	while (checker->n_maybes) {
		struct sim_request *request = checker->maybes[--checker->n_maybes];
		if (cluster_idempotency(cluster, request->request.caller, request->key) &&
		    !find_answer(checker, request))
			keep_answer(checker, request, NULL);
		adopt_project(checker, cluster, request->project);
		adopt_waiting(checker, cluster, request->project);
		request_free(request);
	}
	compare_all(sim, cluster, INVARIANT_I3);
}
