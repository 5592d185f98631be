/* Networks and volumes of the top level. What is written as its default is kept as "not written" (a driver bridge, a
 * name PROJECT_KEY), so that two files that mean the same make equal requests. */
#include <string.h>

#include "base/alloc.h"
#include "compose/keys.h"
#include "compose/service.h"

/* `external: {name: X}` is what older files say for `external: true` and `name: X`. */
static enum err_code read_external(const struct at *at, bool *external, char **name,
				   struct err *err)
{
	if (at->node->kind != TREE_MAP)
		return get_bool(at, external, err);
	*external = true;
	for (size_t i = 0; i < at->node->n; i++) {
		struct at entry;
		enum err_code code = at_entry(at, &at->node->entries[i], &entry, err);
		if (code)
			return code;
		if (strcmp(entry.name, "name") != 0)
			return at_fail_key(&entry, err, ERR_INVALID,
					   "expected true, false, or a mapping with name, found %s",
					   entry.name);
		if (*name)
			return at_fail_key(&entry, err, ERR_INVALID,
					   "the name is written twice: here and beside external");
		code = read_string(&entry, name, err);
		if (code)
			return code;
	}
	return ERR_NONE;
}

enum err_code read_network_external(const struct at *at, void *target, struct err *err)
{
	struct network_spec *network = target;
	return read_external(at, &network->external, &network->name, err);
}

enum err_code read_volume_external(const struct at *at, void *target, struct err *err)
{
	struct volume_spec *volume = target;
	return read_external(at, &volume->external, &volume->name, err);
}

enum err_code read_network_driver(const struct at *at, void *target, struct err *err)
{
	struct network_spec *network = target;
	const char *driver;
	enum err_code code = get_string(at, &driver, err);
	if (code)
		return code;
	if (strcmp(driver, "bridge") == 0) {
		string_set(&network->driver, NULL);
		return ERR_NONE;
	}
	if (strcmp(driver, "overlay") == 0)
		return at_fail(at, err, ERR_UNSUPPORTED,
			       "driver overlay is refused: there are no networks across machines "
			       "yet; a project's bridge "
			       "network lives on one machine, so its tasks are placed together");
	if (strcmp(driver, "host") == 0 || strcmp(driver, "none") == 0 ||
	    strcmp(driver, "null") == 0)
		return at_fail(at, err, ERR_UNSUPPORTED,
			       "driver %s is refused: there is one such network on each machine; "
			       "write network_mode in the services instead",
			       driver);
	string_set(&network->driver, driver);
	return ERR_NONE;
}

enum err_code read_volume_driver(const struct at *at, void *target, struct err *err)
{
	struct volume_spec *volume = target;
	const char *driver;
	enum err_code code = get_string(at, &driver, err);
	if (!code)
		string_set(&volume->driver, strcmp(driver, "local") == 0 ? NULL : driver);
	return code;
}

void settle_name(const struct load *load, const char *key, bool external, char **name)
{
	struct text usual;
	if (external && !*name)
		string_set(name, key);
	if (external || !*name)
		return;
	text_init(&usual, ERR_MESSAGE_MAX);
	text_addf(&usual, "%s_%s", load->request->name, key);
	if (strcmp(text_string(&usual), *name) == 0)
		string_set(name, NULL);
	text_release(&usual);
}

/* What exists already is taken as it is. */
static enum err_code check_external(const struct at *at, bool external, struct err *err)
{
	if (!external)
		return ERR_NONE;
	for (size_t i = 0; i < at->node->n; i++) {
		const char *key = at->node->entries[i].key->text;
		struct at entry;
		enum err_code code = at_entry(at, &at->node->entries[i], &entry, err);
		if (code)
			return code;
		if (strcmp(key, "name") != 0 && strcmp(key, "external") != 0 &&
		    strncmp(key, "x-", 2) != 0)
			return at_fail_key(
				&entry, err, ERR_INVALID,
				"external: true takes what exists as it is, so %s has no place "
				"beside it",
				key);
	}
	return ERR_NONE;
}

void enter_part(const struct at *at, const char *list, size_t index)
{
	struct load *load = at->load;
	at_origin(at, "%s[%zu]", list, index);
	text_print(load->record_prefix, sizeof(load->record_prefix), "%s[%zu].", list, index);
}

static enum err_code read_network(const struct at *at, struct load *load, struct err *err)
{
	enter_part(at, "networks", load->request->networks.n);
	struct network_spec *network = list_add(&load->request->networks, sizeof(*network));
	record_init(&network_spec_type, network);
	string_set(&network->key, at->name);
	enum err_code code = ERR_NONE;
	if (!at_is_null(at)) {
		code = keys_read(at, SECTION_NETWORK, network, err);
		if (!code)
			code = check_external(at, network->external, err);
	}
	load->record_prefix[0] = '\0';
	if (!code)
		settle_name(load, network->key, network->external, &network->name);
	return code;
}

static enum err_code read_volume(const struct at *at, struct load *load, struct err *err)
{
	enter_part(at, "volumes", load->request->volumes.n);
	struct volume_spec *volume = list_add(&load->request->volumes, sizeof(*volume));
	record_init(&volume_spec_type, volume);
	string_set(&volume->key, at->name);
	enum err_code code = ERR_NONE;
	if (!at_is_null(at)) {
		code = keys_read(at, SECTION_VOLUME, volume, err);
		if (!code)
			code = check_external(at, volume->external, err);
	}
	load->record_prefix[0] = '\0';
	if (!code)
		settle_name(load, volume->key, volume->external, &volume->name);
	return code;
}

enum err_code read_each_part(const struct at *at, struct load *load, read_part_fn *read,
			     struct err *err)
{
	if (at_is_null(at))
		return ERR_NONE;
	enum err_code code = expect_map(at, err);
	if (code)
		return code;
	for (size_t i = 0; i < at->node->n; i++) {
		struct at entry;
		struct err mistake = { 0 };
		enum err_code of_one = at_entry(at, &at->node->entries[i], &entry, &mistake);
		if (!of_one)
			of_one = read(&entry, load, &mistake);
		if (of_one)
			code = at_note(at, code, &mistake, err);
	}
	return code;
}

enum err_code read_networks(const struct at *at, void *load, struct err *err)
{
	return read_each_part(at, load, read_network, err);
}

enum err_code read_project_volumes(const struct at *at, void *load, struct err *err)
{
	return read_each_part(at, load, read_volume, err);
}

static bool has_default(const struct project_request *request)
{
	for (size_t i = 0; i < request->networks.n; i++)
		if (strcmp(request->networks.items[i].key, "default") == 0)
			return true;
	return false;
}

static bool uses_default(const struct project_request *request)
{
	for (size_t i = 0; i < request->jobs.n; i++) {
		const struct job_spec *spec = &request->jobs.items[i].spec;
		for (size_t j = 0; j < spec->networks.n; j++)
			if (strcmp(spec->networks.items[j].network, "default") == 0)
				return true;
	}
	return false;
}

void add_default_network(struct load *load)
{
	if (has_default(load->request) || !uses_default(load->request))
		return;
	struct network_spec *network = list_add(&load->request->networks, sizeof(*network));
	record_init(&network_spec_type, network);
	string_set(&network->key, "default");
}
