/* volumes_from: `SERVICE[:ro|rw]` mounts what the other service mounts, where this one mounts nothing itself. As with
 * Docker, volumes and binds come along, a tmpfs does not; of two services that mount something at one place the later
 * in the list has its way; and what the other one takes from a third comes along too.
 *
 * Invariant: nothing is taken from a service before it has taken what it takes itself. */
#include <string.h>

#include "base/alloc.h"
#include "compose/service.h"
#include "job/syntax.h"

enum progress { NOT_BEGUN = 0, BEGUN, DONE };

struct taking {
	const struct at *services;
	struct load *load;
	char *progress; /* of each job of the request: enum progress */
};

struct asked {
	char *job; /* owned */
	bool read_only;
};

static enum err_code parse(const struct at *item, struct asked *ret_asked, struct err *err)
{
	const char *text;
	enum err_code code = get_string(item, &text, err);
	if (code)
		return code;
	size_t len = strcspn(text, ":");
	const char *mode = text[len] ? text + len + 1 : "rw";
	if (len == strlen("container") && memcmp(text, "container", len) == 0)
		return at_fail(
			item, err, ERR_UNSUPPORTED,
			"volumes_from %s is refused: containers are drover's, made anew for every "
			"task; name the volume under volumes",
			text);
	if (!len || (strcmp(mode, "ro") != 0 && strcmp(mode, "rw") != 0))
		return at_fail(item, err, ERR_INVALID,
			       "expected SERVICE, SERVICE:ro or SERVICE:rw, found \"%s\"", text);
	*ret_asked = (struct asked){ base_strndup(text, len), strcmp(mode, "ro") == 0 };
	return ERR_NONE;
}

static enum err_code read_one(const struct at *item, void *service, struct err *err)
{
	struct asked asked = { 0 };
	enum err_code code = parse(item, &asked, err);
	if (code)
		return code;
	depend_on(item, service, asked.job);
	base_free(asked.job);
	return ERR_NONE;
}

enum err_code read_volumes_from(const struct at *at, void *service, struct err *err)
{
	return read_each_item(at, read_one, service, err);
}

static size_t index_of_target(const struct job_spec *spec, const char *target)
{
	size_t i = 0;
	while (i < spec->mounts.n && !is_same_path(spec->mounts.items[i].target, target))
		i++;
	return i;
}

/* `n_own`: so many mounts of the service are its own. */
static enum err_code take_mount(const struct at *item, const struct asked *asked,
				const struct mount *mount, size_t n_own, struct job_spec *spec,
				struct err *err)
{
	size_t index = index_of_target(spec, mount->target);
	if (mount->kind == MOUNT_TMPFS || index < n_own)
		return ERR_NONE;
	if (mount->kind == MOUNT_VOLUME && !mount->source)
		return at_fail(item, err, ERR_UNSUPPORTED,
			       "the volume at %s of %s has no name, so each of its tasks has one "
			       "of its own; "
			       "give it a name",
			       mount->target, asked->job);
	struct mount *taken = index < spec->mounts.n ? &spec->mounts.items[index]
						     : list_add(&spec->mounts, sizeof(*taken));
	at_origin(item, "mounts[%zu]", index);
	record_release(&mount_type, taken);
	record_copy(&mount_type, taken, mount);
	taken->read_only |= asked->read_only;
	return ERR_NONE;
}

static size_t job_index(const struct load *load, const char *name)
{
	size_t i = 0;
	while (i < load->request->jobs.n && strcmp(load->request->jobs.items[i].name, name) != 0)
		i++;
	return i;
}

static enum err_code take_all(struct taking *taking, size_t job, struct err *err);

static enum err_code take_from(struct taking *taking, const struct at *item, size_t job,
			       size_t n_own, const struct asked *asked, struct err *err)
{
	const struct job_request *jobs = taking->load->request->jobs.items;
	size_t from = job_index(taking->load, asked->job);
	if (from == taking->load->request->jobs.n)
		return at_fail(item, err, ERR_INVALID, "the project has no service \"%s\"",
			       asked->job);
	if (taking->progress[from] == BEGUN)
		return at_fail(item, err, ERR_INVALID, "%s takes its volumes from %s%s", asked->job,
			       jobs[job].name, from == job ? "" : " in turn");
	enum err_code code = take_all(taking, from, err);
	text_print(taking->load->record_prefix, sizeof(taking->load->record_prefix),
		   "jobs[%zu].spec.", job);
	for (size_t i = 0; !code && i < jobs[from].spec.mounts.n; i++)
		code = take_mount(item, asked, &jobs[from].spec.mounts.items[i], n_own,
				  &taking->load->request->jobs.items[job].spec, err);
	return code;
}

/* A tmpfs with options stays last (service_volumes.c). */
static void put_behind(struct load *load, struct job_spec *spec, size_t n_own)
{
	struct mount *mounts = spec->mounts.items;
	size_t begin = n_own;
	size_t n_taken = spec->mounts.n - n_own;
	while (begin > 0 && mounts[begin - 1].tmpfs_options)
		begin--;
	size_t n_moved = n_own - begin;
	if (!n_moved || !n_taken)
		return;
	_cleanup_free_ struct mount *moved = base_calloc(n_moved, sizeof(*moved));
	memcpy(moved, mounts + begin, n_moved * sizeof(*moved));
	memmove(mounts + begin, mounts + n_own, n_taken * sizeof(*mounts));
	memcpy(mounts + begin + n_taken, moved, n_moved * sizeof(*moved));
	load_origins_rotate(load, "mounts", begin, n_own, spec->mounts.n);
}

static enum err_code take_listed(struct taking *taking, const struct at *list, size_t job,
				 struct err *err)
{
	enum err_code code = ERR_NONE;
	struct job_spec *spec = &taking->load->request->jobs.items[job].spec;
	size_t n_own = spec->mounts.n;
	for (size_t i = 0; !code && i < list->node->n; i++) {
		struct at item;
		struct asked asked = { 0 };
		code = at_item(list, i, &item, err);
		if (!code)
			code = parse(&item, &asked, err);
		if (!code)
			code = take_from(taking, &item, job, n_own, &asked, err);
		base_free(asked.job);
	}
	if (!code)
		put_behind(taking->load, spec, n_own);
	return code;
}

static enum err_code take_asked(struct taking *taking, const struct at *service, size_t job,
				struct err *err)
{
	for (size_t i = 0; i < service->node->n; i++) {
		const struct tree_entry *entry = &service->node->entries[i];
		if (strcmp(entry->key->text, "volumes_from") != 0)
			continue;
		struct at list;
		enum err_code code = at_entry(service, entry, &list, err);
		return code ? code : take_listed(taking, &list, job, err);
	}
	return ERR_NONE;
}

/* Steps down as deep as services take from each other; each is entered once. */
static enum err_code take_all(struct taking *taking, size_t job, struct err *err)
{
	if (taking->progress[job] == DONE)
		return ERR_NONE;
	taking->progress[job] = BEGUN;
	const char *name = taking->load->request->jobs.items[job].name;
	const struct tree_node *services = taking->services->node;
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < services->n; i++) {
		struct at service;
		if (strcmp(services->entries[i].key->text, name) != 0)
			continue;
		code = at_entry(taking->services, &services->entries[i], &service, err);
		if (!code)
			code = take_asked(taking, &service, job, err);
	}
	taking->progress[job] = DONE;
	return code;
}

enum err_code take_volumes(const struct at *services, struct err *err)
{
	struct load *load = services->load;
	size_t n = load->request->jobs.n;
	_cleanup_free_ char *progress = base_calloc(n ? n : 1, 1);
	struct taking taking = { services, load, progress };
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < n; i++)
		code = take_all(&taking, i, err);
	return code;
}
