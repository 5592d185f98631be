/* Whole requests: each spec by itself, then what they say of each other. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "job/depend.h"
#include "job/ipam_check.h"
#include "job/job.h"
#include "job/refuse.h"

/* A machine keeps them in memory, once for each task. */
#define JOB_CONTENTS_BYTES (4 * 1024 * 1024)

/* What a request holds, by name. */
struct project_index {
	const struct project_request *request;
	struct map jobs;	/* map_name_key(name) -> struct job_request */
	struct map networks;	/* -> struct network_spec */
	struct map volumes;	/* -> struct volume_spec */
	struct map contents[2]; /* by enum content_kind: -> struct content_request */
};

static void index_release(struct project_index *index)
{
	map_release(&index->jobs);
	map_release(&index->networks);
	map_release(&index->volumes);
	map_release(&index->contents[CONTENT_CONFIG]);
	map_release(&index->contents[CONTENT_SECRET]);
}

/* Two names whose hashes meet are refused as one name written twice; what is found is compared by name. */
static struct uuid key_of(const char *name)
{
	return map_name_key(0x70726f6a656374u, name, "");
}

static enum err_code index_name(struct map *map, const char *list, size_t i, const char *member,
				const char *name, const void *item, struct err *err)
{
	struct spot spot = AT_MEMBER(list, i, member);
	enum err_code code = key_check(name, member, err);
	if (code)
		return refuse_at(err, code, spot);
	if (map_put(map, key_of(name), (void *)(uintptr_t)item))
		return refuse(err, ERR_INVALID, spot, "\"%s\" is written twice", name);
	return ERR_NONE;
}

/* Docker's own name, where one is written. */
/* Docker takes a network's name of one letter, but not a volume's. */
static enum err_code check_resource_name(const char *list, size_t i, const char *name,
					 size_t len_min, struct err *err)
{
	if (!name)
		return ERR_NONE;
	size_t len = 0;
	while ((name[len] >= 'a' && name[len] <= 'z') || (name[len] >= 'A' && name[len] <= 'Z') ||
	       (name[len] >= '0' && name[len] <= '9') ||
	       (len && name[len] && strchr("_.-", name[len])))
		len++;
	if (len < len_min || name[len])
		return refuse(err, ERR_INVALID, AT_MEMBER(list, i, "name"),
			      "\"%.*s\" is not a name Docker takes: %s letters, digits, "
			      "'_', '.' and '-'",
			      100, name, len_min > 1 ? "two or more" : "one or more");
	return ERR_NONE;
}

/* What Docker calls it. Caller frees. */
static char *docker_name(const struct project_request *request, const char *name, const char *key)
{
	struct text text;
	text_init(&text, LIMIT_PATH_BYTES);
	if (name)
		text_add(&text, name);
	else
		text_addf(&text, "%s_%s", request->name, key);
	return text_take(&text);
}

/* Networks or volumes, and where in one its key and Docker's name are. */
struct named_list {
	const char *name;
	const struct record_type *type;
	size_t key, docker_name;
};
static const struct named_list networks = { "networks", &network_spec_type,
					    offsetof(struct network_spec, key),
					    offsetof(struct network_spec, name) };
static const struct named_list volumes = { "volumes", &volume_spec_type,
					   offsetof(struct volume_spec, key),
					   offsetof(struct volume_spec, name) };

static char **text_at(void *item, size_t offset)
{
	return (char **)(void *)((char *)item + offset);
}

/* Two keys of one thing of Docker's must say the same of it: what the other says would mean nothing. */
static bool says_the_same(const struct named_list *list, const void *first, void *item)
{
	union {
		struct network_spec network;
		struct volume_spec volume;
	} renamed;
	record_copy(list->type, &renamed, first);
	string_set(text_at(&renamed, list->key), *text_at(item, list->key));
	string_set(text_at(&renamed, list->docker_name), *text_at(item, list->docker_name));
	bool same = record_equal(list->type, &renamed, item);
	record_release(list->type, &renamed);
	return same;
}

static enum err_code check_same(const struct project_request *request,
				const struct named_list *list, void *items, size_t n,
				struct err *err)
{
	struct map seen = { 0 };
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < n; i++) {
		void *item = (char *)items + i * list->type->size;
		_cleanup_free_ char *name = docker_name(request, *text_at(item, list->docker_name),
							*text_at(item, list->key));
		void *first = map_get(&seen, key_of(name));
		if (!first)
			map_put(&seen, key_of(name), item);
		else if (!says_the_same(list, first, item))
			code = refuse(err, ERR_INVALID, AT_ITEM(list->name, i),
				      "%s has the name %s too, and says something else of it",
				      *text_at(first, list->key), name);
	}
	map_release(&seen);
	return code;
}

static enum err_code index_contents(struct map *map, const char *list,
				    const struct content_request *items, size_t n, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < n; i++) {
		code = index_name(map, list, i, "key", items[i].key, &items[i], err);
		if (!code)
			code = check_resource_name(list, i, items[i].name, 1, err);
		if (!code && (!items[i].data || !items[i].data[0]))
			code = refuse(err, ERR_INVALID, AT_MEMBER(list, i, "data"),
				      "\"%s\" is empty", items[i].key);
	}
	return code;
}

static enum err_code build_index(struct project_index *index, struct err *err)
{
	const struct project_request *request = index->request;
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < request->jobs.n; i++)
		code = index_name(&index->jobs, "jobs", i, "name", request->jobs.items[i].name,
				  &request->jobs.items[i], err);
	for (size_t i = 0; !code && i < request->networks.n; i++) {
		const struct network_spec *network = &request->networks.items[i];
		code = index_name(&index->networks, "networks", i, "key", network->key, network,
				  err);
		if (!code)
			code = check_resource_name("networks", i, network->name, 1, err);
		if (!code)
			code = ipam_check(network->ipam, i, err);
		if (!code && network->driver && strcmp(network->driver, "overlay") == 0)
			code = refuse(err, ERR_UNSUPPORTED, AT_MEMBER("networks", i, "driver"),
				      "overlay networks across nodes are not built yet: a "
				      "project's network lives on one node");
	}
	for (size_t i = 0; !code && i < request->volumes.n; i++) {
		const struct volume_spec *volume = &request->volumes.items[i];
		code = index_name(&index->volumes, "volumes", i, "key", volume->key, volume, err);
		if (!code)
			code = check_resource_name("volumes", i, volume->name, 2, err);
	}
	if (!code)
		code = check_same(request, &networks, request->networks.items, request->networks.n,
				  err);
	if (!code)
		code = check_same(request, &volumes, request->volumes.items, request->volumes.n,
				  err);
	if (!code)
		code = index_contents(&index->contents[CONTENT_CONFIG], "configs",
				      request->configs.items, request->configs.n, err);
	if (!code)
		code = index_contents(&index->contents[CONTENT_SECRET], "secrets",
				      request->secrets.items, request->secrets.n, err);
	return code;
}

/* Of all uses: each is a file of its own on the machine's tmpfs. */
static enum err_code check_amount(const struct project_index *index, const struct job_spec *spec,
				  struct err *err)
{
	size_t n_bytes = 0;
	for (size_t i = 0; i < job_spec_n_contents(spec); i++) {
		int kind;
		const struct content_use *use = job_spec_content(spec, i, &kind);
		const struct content_request *content =
			map_get(&index->contents[kind], key_of(use->source));
		n_bytes += content->data ? strlen(content->data) / 4 * 3 : 0;
	}
	if (n_bytes <= JOB_CONTENTS_BYTES)
		return ERR_NONE;
	return refuse(err, ERR_TOO_LARGE, AT(spec->configs.n ? "configs" : "secrets"),
		      "the files of the configs and secrets of one task have %zu bytes, each use "
		      "counted; at most %d are allowed",
		      n_bytes, JOB_CONTENTS_BYTES);
}

/* It names what the request brings, and means the same bytes. */
static enum err_code check_contents(const struct project_index *index, const struct job_spec *spec,
				    struct err *err)
{
	for (size_t i = 0; i < job_spec_n_contents(spec); i++) {
		int kind;
		const struct content_use *use = job_spec_content(spec, i, &kind);
		const struct content_request *content =
			map_get(&index->contents[kind], key_of(use->source));
		bool secret = kind == CONTENT_SECRET;
		struct spot spot = AT_MEMBER(secret ? "secrets" : "configs",
					     secret ? i - spec->configs.n : i, "source");
		if (!content || strcmp(content->key, use->source) != 0)
			return refuse(err, ERR_INVALID, spot, "the project has no %s \"%s\"",
				      enum_name(content_kind_names, kind), use->source);
		if (strcmp(content->hash ? content->hash : "", use->hash ? use->hash : "") != 0)
			return refuse(err, ERR_INVALID, spot,
				      "this is not the %s \"%s\" of the request",
				      enum_name(content_kind_names, kind), use->source);
	}
	return check_amount(index, spec, err);
}

static const struct network_spec *find_network(const struct project_index *index, const char *key)
{
	const struct network_spec *network = map_get(&index->networks, key_of(key));
	return network && strcmp(network->key, key) == 0 ? network : NULL;
}

static enum err_code check_network_use(const struct project_index *index,
				       const struct network_use *use, size_t i, struct err *err)
{
	const struct network_spec *network = find_network(index, use->network);
	const struct endpoint_settings *endpoint = use->endpoint;
	if (!network)
		return refuse(err, ERR_INVALID, AT_MEMBER("networks", i, "network"),
			      "the project has no network \"%s\"", use->network);
	if (!endpoint)
		return ERR_NONE;
	enum err_code code =
		ipam_check_address(network, endpoint->ipv4_address,
				   AT_MEMBER("networks", i, "endpoint.ipv4_address"), err);
	return code ? code
		    : ipam_check_address(network, endpoint->ipv6_address,
					 AT_MEMBER("networks", i, "endpoint.ipv6_address"), err);
}

static bool has_volume(const struct project_index *index, const char *key)
{
	const struct volume_spec *volume = map_get(&index->volumes, key_of(key));
	return volume && strcmp(volume->key, key) == 0;
}

static enum err_code check_references(const struct project_index *index,
				      const struct job_spec *spec, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < spec->networks.n; i++)
		code = check_network_use(index, &spec->networks.items[i], i, err);
	if (code)
		return code;
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mount *mount = &spec->mounts.items[i];
		if (mount->kind == MOUNT_VOLUME && mount->source &&
		    !has_volume(index, mount->source))
			return refuse(err, ERR_INVALID, AT_MEMBER("mounts", i, "source"),
				      "the project has no volume \"%s\"", mount->source);
	}
	return check_contents(index, spec, err);
}

static const struct job_request *find_job(const struct project_index *index, const char *name)
{
	const struct job_request *job = map_get(&index->jobs, key_of(name));
	return job && strcmp(job->name, name) == 0 ? job : NULL;
}

/* What can never be is not waited for. Whether jobs of other projects are there the manager knows. */
static enum err_code check_dependency(const struct project_index *index,
				      const struct job_request *job, const struct depend *depend,
				      struct spot spot, struct err *err)
{
	enum err_code code = ERR_NONE;
	if (depend->project && strcmp(depend->project, index->request->name) == 0)
		return refuse(err, ERR_INVALID, spot,
			      "%s is a job of the same project: it is named without that",
			      depend->job);
	if (depend->project)
		return ERR_NONE;
	if (strcmp(depend->job, job->name) == 0)
		return refuse(err, ERR_INVALID, spot, "a job cannot depend on itself");
	const struct job_request *target = find_job(index, depend->job);
	if (!target && !depend->optional)
		return refuse(err, ERR_INVALID, spot, "the project has no job \"%s\"", depend->job);
	struct text why;
	text_init(&why, ERR_MESSAGE_MAX - 1);
	if (target && !depend_may_be_met(depend, &target->spec, &why))
		code = refuse(err, ERR_INVALID, spot, "%s", text_string(&why));
	text_release(&why);
	return code;
}

static enum err_code check_depends_on(const struct project_index *index,
				      const struct job_request *job, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < job->spec.depends_on.n; i++)
		code = check_dependency(index, job, &job->spec.depends_on.items[i],
					AT_MEMBER("depends_on", i, "job"), err);
	return code;
}

static enum err_code check_job(const struct project_index *index, size_t i, struct err *err)
{
	const struct job_request *job = &index->request->jobs.items[i];
	enum err_code code = job_spec_check(&job->spec, err);
	if (!code)
		code = check_references(index, &job->spec, err);
	if (!code)
		code = check_depends_on(index, job, err);
	if (!code)
		return ERR_NONE;
	char path[64];
	text_print(path, sizeof(path), "jobs[%zu].spec", i);
	err_prefix_field(err, path);
	return code;
}

/* Depth first over depends_on with a stack of its own: `next` is the dependency to look at when a job is on top
 * again. */
struct walk {
	size_t *trail;	/* jobs from the start down to the one on top */
	size_t *next;	/* by job */
	uint8_t *state; /* by job: 0 not seen, 1 on the trail, 2 done */
	size_t depth;
};

static enum err_code refuse_cycle(const struct project_request *request, const struct walk *walk,
				  size_t back_to, struct err *err)
{
	struct text text;
	text_init(&text, ERR_MESSAGE_MAX - 1);
	size_t start = 0;
	while (walk->trail[start] != back_to)
		start++;
	for (size_t i = start; i < walk->depth; i++)
		text_addf(&text, "%s -> ", request->jobs.items[walk->trail[i]].name);
	text_add(&text, request->jobs.items[back_to].name);
	refuse(err, ERR_INVALID, AT_MEMBER("jobs", back_to, "spec.depends_on"),
	       "the jobs wait for each other: %s", text_string(&text));
	text_release(&text);
	return ERR_INVALID;
}

static enum err_code walk_from(const struct project_index *index, struct walk *walk, size_t from,
			       struct err *err)
{
	const struct project_request *request = index->request;
	walk->trail[0] = from;
	walk->depth = 1;
	walk->state[from] = 1;
	while (walk->depth) {
		size_t at = walk->trail[walk->depth - 1];
		const struct job_spec *spec = &request->jobs.items[at].spec;
		if (walk->next[at] == spec->depends_on.n) {
			walk->state[at] = 2;
			walk->depth--;
			continue;
		}
		const struct depend *depend = &spec->depends_on.items[walk->next[at]++];
		const struct job_request *target =
			depend->project ? NULL : find_job(index, depend->job);
		if (!target)
			continue;
		size_t to = (size_t)(target - request->jobs.items);
		if (walk->state[to] == 1)
			return refuse_cycle(request, walk, to, err);
		if (walk->state[to] == 0) {
			walk->state[to] = 1;
			walk->trail[walk->depth++] = to;
		}
	}
	return ERR_NONE;
}

static enum err_code check_cycles(const struct project_index *index, struct err *err)
{
	size_t n = index->request->jobs.n;
	_cleanup_free_ size_t *trail = base_calloc(n, sizeof(size_t));
	_cleanup_free_ size_t *next = base_calloc(n, sizeof(size_t));
	_cleanup_free_ uint8_t *state = base_calloc(n, 1);
	struct walk walk = { trail, next, state, 0 };
	for (size_t i = 0; i < n; i++) {
		enum err_code code = state[i] ? ERR_NONE : walk_from(index, &walk, i, err);
		if (code)
			return code;
	}
	return ERR_NONE;
}

/* Networks and volumes travel to workers with every job that uses them. */
static enum err_code check_size(const struct project_request *request, struct err *err)
{
	struct project_request parts = *request;
	struct text text;
	parts.jobs.n = 0;
	parts.configs.n = 0;
	parts.secrets.n = 0;
	text_init(&text, LIMIT_PROJECT_RECORD_BYTES);
	record_encode(&project_request_type, &parts, &text);
	bool too_large = text.cut;
	text_release(&text);
	if (too_large)
		return refuse(err, ERR_LIMIT, AT("networks"),
			      "the project's networks and volumes are larger than %d KB",
			      LIMIT_PROJECT_RECORD_BYTES / 1024);
	return ERR_NONE;
}

enum err_code project_request_check(const struct project_request *request, struct err *err)
{
	if (request->jobs.n > LIMIT_JOBS_PER_PROJECT)
		return refuse(err, ERR_LIMIT, AT("jobs"), "%zu jobs, at most %d are allowed",
			      request->jobs.n, LIMIT_JOBS_PER_PROJECT);
	enum err_code code = record_check(&project_request_type, request, err);
	if (!code)
		code = name_check(request->name, "name", err);
	if (!code)
		code = check_size(request, err);
	if (code)
		return code;
	struct project_index index = { .request = request };
	code = build_index(&index, err);
	for (size_t i = 0; !code && i < request->jobs.n; i++)
		code = check_job(&index, i, err);
	if (!code)
		code = check_cycles(&index, err);
	index_release(&index);
	return code;
}
