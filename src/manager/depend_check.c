/* What a plan makes jobs wait for, before it is written: jobs of other projects are there and can be waited for, and no
 * job waits for itself through any number of others, of whatever projects.
 *
 * Invariant of the walk: a job on the trail is marked as such, and what it waits for was looked at up to `next`. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "manager/core.h"
#include "manager/depend.h"

/* A job as the plan leaves it. */
struct waiting {
	struct uuid id;
	const char *project;
	const char *name;
	const struct job_spec *spec;
	size_t next; /* of what it waits for */
};

struct walk {
	const struct manager *manager;
	const struct plan *plan;
	struct map planned; /* name -> plan_job */
	struct map seen;    /* job id -> on_trail or done */
	struct waiting *trail;
	size_t n, capacity;
};

static const char on_trail = 't';
static const char done = 'd';

static struct uuid key_of(const struct walk *walk, const char *project, const char *name)
{
	return map_name_key(walk->manager->cluster.salt, project, name);
}

static const struct job_spec *spec_as_planned(const struct walk *walk, const struct plan_job *job)
{
	if (job->put_revision && job->revision.number == job->job.revision)
		return &job->revision.spec;
	const struct job_entry *entry = cluster_job(&walk->manager->cluster, job->job.id);
	return &job_entry_revision(entry, job->job.revision)->spec;
}

static bool is_of(const struct job *job, const char *project, const char *name)
{
	return strcmp(job->project, project) == 0 && strcmp(job->name, name) == 0;
}

/* False: there is none, or it goes. */
static bool find(const struct walk *walk, const char *project, const char *name,
		 struct waiting *ret_job)
{
	const struct plan_job *planned = map_get(&walk->planned, key_of(walk, project, name));
	const struct job_entry *entry = cluster_job_named(&walk->manager->cluster, project, name);
	const struct job *job = planned && is_of(&planned->job, project, name) ? &planned->job
				: entry					       ? &entry->job
									       : NULL;
	if (!job || job->wanted == JOB_REMOVE)
		return false;
	*ret_job = (struct waiting){ .id = job->id.uuid,
				     .project = job->project,
				     .name = job->name,
				     .spec = planned && job == &planned->job
						     ? spec_as_planned(walk, planned)
						     : &job_entry_current(entry)->spec };
	return true;
}

/* ---- jobs of other projects ---- */

static enum err_code refuse_at_job(size_t i, size_t j, const char *message, struct err *err)
{
	char field[ERR_FIELD_MAX];
	text_print(field, sizeof(field), "jobs[%zu].spec.depends_on[%zu].job", i, j);
	return err_set_field(err, ERR_INVALID, field, "%s", message);
}

static enum err_code check_target(const struct walk *walk, const struct project_request *request,
				  size_t i, size_t j, struct err *err)
{
	const struct depend *depend = &request->jobs.items[i].spec.depends_on.items[j];
	struct waiting target;
	char name[DEPEND_NAME_SIZE];
	enum err_code code = ERR_NONE;
	struct text why;
	if (!depend->project)
		return ERR_NONE;
	text_init(&why, ERR_MESSAGE_MAX - 1);
	if (find(walk, depend->project, depend->job, &target)) {
		if (!depend_may_be_met(depend, target.spec, &why))
			code = refuse_at_job(i, j, text_string(&why), err);
	} else if (!depend->optional) {
		text_addf(&why,
			  "there is no job %s; with required: false it is not waited for while it "
			  "is not there",
			  depend_name(depend, name));
		code = refuse_at_job(i, j, text_string(&why), err);
	}
	text_release(&why);
	return code;
}

static enum err_code check_targets(const struct walk *walk, const struct project_request *request,
				   struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; i < request->jobs.n; i++)
		for (size_t j = 0; !code && j < request->jobs.items[i].spec.depends_on.n; j++)
			code = check_target(walk, request, i, j, err);
	return code;
}

/* ---- cycles ---- */

static size_t index_of(const struct project_request *request, const struct waiting *job)
{
	size_t i = 0;
	while (i < request->jobs.n && strcmp(request->jobs.items[i].name, job->name) != 0)
		i++;
	return i;
}

static void draw(const struct waiting *job, const char *own, struct text *out)
{
	bool is_own = strcmp(job->project, own) == 0;
	text_addf(out, "%s%s%s", is_own ? "" : job->project, is_own ? "" : "/", job->name);
}

/* The top of the trail waits for the one at `start`. The job of the request that comes first on the way is blamed. */
static enum err_code refuse_cycle(const struct walk *walk, size_t start,
				  const struct project_request *request, struct err *err)
{
	const char *own = walk->plan->jobs.items[0].job.project;
	struct text text;
	char field[ERR_FIELD_MAX] = "";
	text_init(&text, ERR_MESSAGE_MAX - 1);
	text_add(&text, "the jobs wait for each other: ");
	for (size_t i = start; i < walk->n; i++) {
		const struct waiting *job = &walk->trail[i];
		draw(job, own, &text);
		text_add(&text, " -> ");
		size_t index = request && strcmp(job->project, own) == 0 ? index_of(request, job)
									 : SIZE_MAX;
		if (!*field && request && index < request->jobs.n)
			text_print(field, sizeof(field), "jobs[%zu].spec.depends_on", index);
	}
	draw(&walk->trail[start], own, &text);
	enum err_code code =
		*field ? err_set_field(err, ERR_INVALID, field, "%s", text_string(&text))
		       : err_set(err, ERR_CONFLICT, "%s", text_string(&text));
	text_release(&text);
	return code;
}

static void push(struct walk *walk, const struct waiting *job)
{
	walk->trail = base_grow(walk->trail, walk->n, &walk->capacity, sizeof(struct waiting));
	walk->trail[walk->n++] = *job;
	map_put(&walk->seen, job->id, (void *)(uintptr_t)&on_trail);
}

static enum err_code walk_from(struct walk *walk, const struct waiting *from,
			       const struct project_request *request, struct err *err)
{
	if (map_get(&walk->seen, from->id))
		return ERR_NONE;
	push(walk, from);
	while (walk->n) {
		struct waiting *top = &walk->trail[walk->n - 1];
		struct waiting on;
		if (top->next == top->spec->depends_on.n) {
			map_put(&walk->seen, top->id, (void *)(uintptr_t)&done);
			walk->n--;
			continue;
		}
		const struct depend *depend = &top->spec->depends_on.items[top->next++];
		if (!find(walk, depend_project(depend, top->project), depend->job, &on))
			continue;
		const char *state = map_get(&walk->seen, on.id);
		size_t start = 0;
		while (state == &on_trail && !uuid_equal(walk->trail[start].id, on.id))
			start++;
		if (state == &on_trail)
			return refuse_cycle(walk, start, request, err);
		if (!state)
			push(walk, &on);
	}
	return ERR_NONE;
}

static enum err_code check_cycles(struct walk *walk, const struct project_request *request,
				  struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < walk->plan->jobs.n; i++) {
		const struct job *job = &walk->plan->jobs.items[i].job;
		struct waiting from;
		if (find(walk, job->project, job->name, &from))
			code = walk_from(walk, &from, request, err);
	}
	return code;
}

enum err_code depend_check(const struct manager *manager, const struct plan *plan,
			   const struct project_request *request, struct err *err)
{
	struct walk walk = { .manager = manager, .plan = plan };
	for (size_t i = 0; i < plan->jobs.n; i++) {
		struct plan_job *planned = &plan->jobs.items[i];
		map_put(&walk.planned, key_of(&walk, planned->job.project, planned->job.name),
			planned);
	}
	enum err_code code = request ? check_targets(&walk, request, err) : ERR_NONE;
	if (!code)
		code = check_cycles(&walk, request, err);
	map_release(&walk.planned);
	map_release(&walk.seen);
	base_free(walk.trail);
	return code;
}
