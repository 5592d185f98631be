/* x-drover.health: the check that the worker makes. */
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "compose/keys.h"
#include "compose/service.h"

static void forget_usual(int64_t *written, int64_t usual)
{
	if (*written == usual)
		*written = 0;
}

/* What is written as it would be without a word is as if it were not written. */
static void normalise(struct probe *probe)
{
	static const struct probe unwritten;
	forget_usual(&probe->interval_ms, probe_interval_ms(&unwritten));
	forget_usual(&probe->timeout_ms, probe_timeout_ms(&unwritten));
	forget_usual(&probe->retries, probe_retries(&unwritten));
	forget_usual(&probe->start_interval_ms, probe_start_interval_ms(&unwritten));
	if (probe->path && strcmp(probe->path, "/") == 0)
		string_set(&probe->path, NULL);
	if (probe->status_first == PROBE_STATUS_FIRST && probe->status_last == PROBE_STATUS_LAST)
		probe->status_first = probe->status_last = 0;
}

enum err_code read_probe(const struct at *at, void *target, struct err *err)
{
	struct service *service = target;
	struct probe *probe = base_calloc(1, sizeof(*probe));
	record_init(&probe_type, probe);
	service->spec.probe = probe;
	enum err_code code = keys_read(at, SECTION_PROBE, probe, err);
	if (!code && !probe->port)
		code = at_fail(
			at, err, ERR_INVALID,
			"what is asked is missing: http: {port: 8080, path: /ready}, or tcp: "
			"{port: 5432}");
	normalise(probe);
	return code;
}

static enum err_code read_question(const struct at *at, enum section_id section,
				   struct probe *probe, struct err *err)
{
	if (probe->port)
		return at_fail_key(at, err, ERR_INVALID,
				   "a health check asks by http or by tcp; remove one of them");
	enum err_code code = keys_read(at, section, probe, err);
	if (!code && !probe->port)
		code = at_fail(at, err, ERR_INVALID, "the port is missing, or 0");
	return code;
}

enum err_code read_probe_http(const struct at *at, void *target, struct err *err)
{
	struct probe *probe = target;
	probe->kind = PROBE_HTTP;
	return read_question(at, SECTION_PROBE_HTTP, probe, err);
}

enum err_code read_probe_tcp(const struct at *at, void *target, struct err *err)
{
	return read_question(at, SECTION_PROBE_TCP, target, err);
}

enum err_code read_probe_scheme(const struct at *at, void *target, struct err *err)
{
	int *kind = target;
	const char *word;
	enum err_code code = get_string(at, &word, err);
	if (code)
		return code;
	if (strcmp(word, "http") == 0)
		*kind = PROBE_HTTP;
	else if (strcmp(word, "https") == 0)
		*kind = PROBE_HTTPS;
	else
		return fail_type(at, "http or https", err);
	return ERR_NONE;
}

/* One status, or FIRST-LAST. */
enum err_code read_probe_status(const struct at *at, void *target, struct err *err)
{
	struct probe *probe = target;
	const char *text;
	enum err_code code = get_scalar(at, &text, err);
	if (code)
		return code;
	size_t first_len = strcspn(text, "-");
	int64_t first = 0, last = 0;
	if (parse_int_n(text, first_len, 100, 599, &first, NULL) ||
	    (text[first_len] && parse_int_n(text + first_len + 1, strlen(text + first_len + 1),
					    first, 599, &last, NULL)))
		return fail_type(at, "a status of HTTP like 204, or a range like 200-399", err);
	if (!text[first_len])
		last = first;
	probe->status_first = first;
	probe->status_last = last;
	return ERR_NONE;
}
