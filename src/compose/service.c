#include "compose/service.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "compose/keys.h"
#include "compose/profiles.h"

void *settle(const struct record_type *type, void *record)
{
	_cleanup_free_ void *nothing = base_calloc(1, type->size);
	record_init(type, nothing);
	if (!record_equal(type, record, nothing))
		return base_memdup(record, type->size);
	record_release(type, record);
	return NULL;
}

static enum err_code fail_replicas(const struct at *at, const struct service *service,
				   struct err *err)
{
	struct at deploy = at_key(at, "deploy");
	struct at key = service->scale_written ? at_key(at, "scale") : at_key(&deploy, "replicas");
	return at_fail_key(&key, err, ERR_INVALID,
			   "%s has no place in a service of mode %s, which runs one task on each "
			   "machine",
			   service->scale_written ? "scale" : "replicas",
			   enum_name(job_mode_names, service->spec.mode));
}

/* What the keys together mean. */
static enum err_code finish_service(const struct at *at, struct service *service, struct err *err)
{
	struct job_spec *spec = &service->spec;
	if (!spec->image)
		return at_fail_key(at, err, ERR_INVALID,
				   "the service has no image; drover runs images and "
				   "builds none");
	if (job_spec_is_global(spec) && service->replicas_written)
		return fail_replicas(at, service, err);
	if (service->network_mode_written && spec->networks.n) {
		struct at key = at_key(at, "network_mode");
		return at_fail_key(
			&key, err, ERR_INVALID,
			"network_mode and networks exclude each other; write one of them");
	}
	if (spec->networks.n == 0 && !service->network_mode_written) {
		struct network_use *use = list_add(&spec->networks, sizeof(*use));
		string_set(&use->network, "default");
	}
	if (job_spec_is_global(spec)) {
		spec->network_reach = REACH_PER_NODE;
		spec->volume_reach = REACH_PER_NODE;
	}
	/* Success ends a slot of a job for good, so there is nothing else for `any` to mean. */
	if (job_spec_completes(spec) && spec->restart.condition == RESTART_ANY)
		spec->restart.condition = RESTART_ON_FAILURE;
	enum err_code code = merge_container_name(at, service, err);
	if (!code)
		code = merge_mac_address(at, service, err);
	return code ? code : merge_resources(at, service, err);
}

static enum err_code read_service(const struct at *at, struct load *load, struct err *err)
{
	size_t index = load->request->jobs.n;
	struct job_request *job = list_add(&load->request->jobs, sizeof(*job));
	string_set(&job->name, at->name);
	text_print(load->record_prefix, sizeof(load->record_prefix), "jobs[%zu]", index);
	at_origin(at, "%s", "");
	text_print(load->record_prefix, sizeof(load->record_prefix), "jobs[%zu].spec.", index);
	struct service service = { .scale_written = false };
	record_init(&job_spec_type, &service.spec);
	imply_mode(at, &service);
	enum err_code code = keys_read(at, SECTION_SERVICE, &service, err);
	if (!code)
		code = finish_service(at, &service, err);
	service.spec.tuning = settle(&tuning_type, &service.tuning);
	service.spec.isolation = settle(&isolation_type, &service.isolation);
	service.spec.extras = settle(&extras_type, &service.extras);
	service.spec.hooks = settle(&hooks_type, &service.hooks);
	base_free(service.container_name);
	base_free(service.mac_address);
	job->spec = service.spec;
	/* Nothing half read is there for what is read after it. */
	if (code) {
		record_release(&job_request_type, job);
		load->request->jobs.n--;
	}
	return code;
}

enum err_code read_services(const struct at *at, void *target, struct err *err)
{
	struct load *load = target;
	enum err_code code = expect_map(at, err);
	if (!code && at->node->n == 0)
		code = at_fail(at, err, ERR_INVALID, "the file has no services");
	if (!code && at->node->n > LIMIT_JOBS_PER_PROJECT)
		code = at_fail(at, err, ERR_LIMIT, "%zu services, at most %d are allowed",
			       at->node->n, LIMIT_JOBS_PER_PROJECT);
	if (code)
		return code;
	_cleanup_free_ bool *takes_part = base_calloc(at->node->n, sizeof(bool));
	code = profiles_select(at, takes_part, err);
	enum err_code selected = code;
	for (size_t i = 0; !selected && i < at->node->n; i++) {
		struct at entry;
		struct err mistake = { 0 };
		enum err_code of_one = at_entry(at, &at->node->entries[i], &entry, &mistake);
		if (!of_one)
			of_one = takes_part[i]
					 ? read_service(&entry, load, &mistake)
					 : keys_check_names(&entry, SECTION_SERVICE, &mistake);
		if (of_one)
			code = at_note(at, code, &mistake, err);
	}
	if (!code)
		code = take_volumes(at, err);
	if (!code && load->request->jobs.n == 0 && !load->options->may_be_empty)
		code = at_fail(
			at, err, ERR_INVALID,
			"every service belongs to a profile that is not active; name one with "
			"--profile, or all with --profile '*'");
	load->record_prefix[0] = '\0';
	return code;
}
