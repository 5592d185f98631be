/* Invariant: tags are on disk, so a number is never given to another field. */
#include "job/extras.h"

#include "base/limits.h"
#include "job/refuse.h"
#include "job/spec_check.h"
#include "job/syntax.h"

/* Long values are cut in messages. */
#define SHOWN_BYTES 100

// clang-format off
static const struct field extras_fields[] = {
	ROW_BOOL(1, struct extras, terminal),
	ROW_BOOL(2, struct extras, stdin_open),
	ROW_STRING(3, struct extras, domainname, LIMIT_HOSTNAME_BYTES),
	ROW_STRINGS(4, struct extras, dns_options, LIMIT_LIST_ITEMS),
	ROW_STRINGS(5, struct extras, dns_search, LIMIT_LIST_ITEMS),
	ROW_PAIRS(6, struct extras, annotations, LIMIT_LIST_ITEMS),
	ROW_STRINGS(7, struct extras, expose, LIMIT_LIST_ITEMS),
};
RECORD_TYPE(extras, struct extras, extras_fields);
// clang-format on

const struct extras *job_spec_extras(const struct job_spec *spec)
{
	static const struct extras none;
	return spec->extras ? spec->extras : &none;
}

/* "." alone: search nowhere. */
static bool is_search_domain(const char *text)
{
	return (text[0] == '.' && !text[1]) || is_hostname(text);
}

static enum err_code check_names(const struct job_spec *spec, struct err *err)
{
	const struct extras *extras = spec->extras;
	if (extras->domainname && !is_hostname(extras->domainname))
		return refuse(err, ERR_INVALID, AT("extras.domainname"),
			      "\"%.*s\" is not a domain's name", SHOWN_BYTES, extras->domainname);
	if (extras->domainname && job_spec_isolation(spec)->host_names)
		return refuse(err, ERR_INVALID, AT("extras.domainname"),
			      "a container with the machine's names has no domain of its own");
	for (size_t i = 0; i < extras->dns_search.n; i++)
		if (!is_search_domain(extras->dns_search.items[i]))
			return refuse(err, ERR_INVALID, AT_ITEM("extras.dns_search", i),
				      "\"%.*s\" is not a domain's name", SHOWN_BYTES,
				      extras->dns_search.items[i]);
	for (size_t i = 0; i < extras->dns_options.n; i++)
		if (!extras->dns_options.items[i][0])
			return refuse(err, ERR_INVALID, AT_ITEM("extras.dns_options", i),
				      "an empty text is no option");
	return ERR_NONE;
}

enum err_code spec_check_extras(const struct job_spec *spec, struct err *err)
{
	const struct extras *extras = spec->extras;
	if (!extras)
		return ERR_NONE;
	for (size_t i = 0; i < extras->expose.n; i++)
		if (!is_port_with_protocol(extras->expose.items[i]))
			return refuse(err, ERR_INVALID, AT_ITEM("extras.expose", i),
				      "\"%.*s\" is not a port like \"80/tcp\"", SHOWN_BYTES,
				      extras->expose.items[i]);
	for (size_t i = 0; i < extras->annotations.n; i++)
		if (!extras->annotations.items[i].key[0])
			return refuse(err, ERR_INVALID, AT("extras.annotations"),
				      "an annotation has no name");
	return check_names(spec, err);
}
