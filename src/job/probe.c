/* Invariant: tags are on disk, so a number is never given to another field. */
#include "job/probe.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/refuse.h"
#include "job/spec_check.h"

/* Long values are cut in messages. */
#define SHOWN_BYTES 100

#define INTERVAL_MS	  30000
#define TIMEOUT_MS	  30000
#define RETRIES		  3
#define START_INTERVAL_MS 5000

// clang-format off
const struct enum_name probe_kind_names[] = {
	{ PROBE_TCP, "tcp" }, { PROBE_HTTP, "http" }, { PROBE_HTTPS, "https" }, { 0 }
};

static const struct field probe_fields[] = {
	ROW_ENUM(1, struct probe, kind, probe_kind_names),
	ROW_INT(2, struct probe, port, 65535, .flags = FIELD_REQUIRED),
	ROW_STRING(3, struct probe, path, LIMIT_PATH_BYTES),
	ROW_PAIRS(4, struct probe, headers, LIMIT_PROBE_HEADERS),
	ROW_INT(5, struct probe, status_first, 599),
	ROW_INT(6, struct probe, status_last, 599),
	ROW_INT(7, struct probe, interval_ms, LIMIT_DURATION_MS),
	ROW_INT(8, struct probe, timeout_ms, LIMIT_DURATION_MS),
	ROW_INT(9, struct probe, retries, LIMIT_RETRIES),
	ROW_INT(10, struct probe, start_period_ms, LIMIT_DURATION_MS),
	ROW_INT(11, struct probe, start_interval_ms, LIMIT_DURATION_MS),
};
RECORD_TYPE(probe, struct probe, probe_fields);
// clang-format on

int64_t probe_interval_ms(const struct probe *probe)
{
	return probe->interval_ms ? probe->interval_ms : INTERVAL_MS;
}

int64_t probe_timeout_ms(const struct probe *probe)
{
	return probe->timeout_ms ? probe->timeout_ms : TIMEOUT_MS;
}

int64_t probe_retries(const struct probe *probe)
{
	return probe->retries ? probe->retries : RETRIES;
}

int64_t probe_start_interval_ms(const struct probe *probe)
{
	return probe->start_interval_ms ? probe->start_interval_ms : START_INTERVAL_MS;
}

char *probe_told(const struct probe *probe)
{
	struct text text;
	text_init(&text, LIMIT_PATH_BYTES + LIMIT_NAME_BYTES);
	if (probe->kind == PROBE_TCP)
		text_addf(&text, "TCP :%lld", (long long)probe->port);
	else
		text_addf(&text, "GET %s:%lld%s", probe->kind == PROBE_HTTPS ? "https " : "",
			  (long long)probe->port, probe->path ? probe->path : "/");
	return text_take(&text);
}

/* ---- checks ---- */

/* Visible ASCII: what a line of HTTP is made of. */
static bool is_visible(const char *text, bool blanks)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || (*text == ' ' && !blanks))
			return false;
	return true;
}

/* A token of RFC 9110. */
static bool is_header_name(const char *name)
{
	static const char marks[] = "()<>@,;:\\\"/[]?={}";
	return *name && is_visible(name, false) && !strpbrk(name, marks);
}

static bool is_word(const char *text, const char *lower_case)
{
	for (; *text && *lower_case; text++, lower_case++) {
		char lower = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
		if (lower != *lower_case)
			return false;
	}
	return *text == *lower_case;
}

/* Those that say where the request ends are not the file's to write. */
static bool is_framing(const char *name)
{
	static const char *const names[] = { "connection", "content-length", "transfer-encoding",
					     "upgrade", "expect" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (is_word(name, names[i]))
			return true;
	return false;
}

static enum err_code check_headers(const struct probe *probe, struct err *err)
{
	for (size_t i = 0; i < probe->headers.n; i++) {
		const struct pair *header = &probe->headers.items[i];
		if (!is_header_name(header->key) || is_framing(header->key))
			return refuse(err, ERR_INVALID,
				      spot_of_key(AT("probe.headers"), header->key),
				      "\"%.*s\" is no header that a health check may send",
				      SHOWN_BYTES, header->key);
		if (strlen(header->key) > LIMIT_PROBE_HEADER_NAME_BYTES)
			return refuse(
				err, ERR_INVALID, spot_of_key(AT("probe.headers"), header->key),
				"the name \"%.*s...\" is longer than a header's may be: at most "
				"%d bytes",
				SHOWN_BYTES, header->key, LIMIT_PROBE_HEADER_NAME_BYTES);
		if (!header->value || strlen(header->value) > LIMIT_PROBE_HEADER_BYTES ||
		    !is_visible(header->value, true))
			return refuse(err, ERR_INVALID,
				      spot_of_key(AT("probe.headers"), header->key),
				      "expected a value of at most %d visible characters",
				      LIMIT_PROBE_HEADER_BYTES);
	}
	return ERR_NONE;
}

static enum err_code check_http(const struct probe *probe, struct err *err)
{
	if (probe->path &&
	    (probe->path[0] != '/' || !is_visible(probe->path, false) || strchr(probe->path, '#')))
		return refuse(err, ERR_INVALID, AT("probe.path"),
			      "\"%.*s\" is not a path like \"/ready\"", SHOWN_BYTES, probe->path);
	if (!probe->status_first != !probe->status_last ||
	    (probe->status_first && (probe->status_first < LIMIT_PROBE_STATUS_MIN ||
				     probe->status_last < probe->status_first)))
		return refuse(err, ERR_INVALID, AT("probe.status_first"),
			      "statuses from %lld to %lld: expected a range between %d and 599",
			      (long long)probe->status_first, (long long)probe->status_last,
			      LIMIT_PROBE_STATUS_MIN);
	return check_headers(probe, err);
}

static enum err_code check_often(const char *field, int64_t interval_ms, struct err *err)
{
	if (!interval_ms || interval_ms >= LIMIT_PROBE_INTERVAL_MIN_MS)
		return ERR_NONE;
	return refuse(err, ERR_INVALID, AT(field),
		      "%lld ms between two checks are too few: at least %d ms",
		      (long long)interval_ms, LIMIT_PROBE_INTERVAL_MIN_MS);
}

static enum err_code check_probe(const struct probe *probe, struct err *err)
{
	if (probe->port < 1)
		return refuse(err, ERR_INVALID, AT("probe.port"),
			      "a health check needs the port that the container listens on");
	if (probe->kind != PROBE_TCP) {
		enum err_code code = check_http(probe, err);
		if (code)
			return code;
	} else if (probe->path || probe->headers.n || probe->status_first || probe->status_last) {
		return refuse(err, ERR_INVALID, AT("probe.kind"),
			      "path, headers and status are of HTTP, not of tcp");
	}
	enum err_code code = check_often("probe.interval_ms", probe->interval_ms, err);
	return code ? code : check_often("probe.start_interval_ms", probe->start_interval_ms, err);
}

/* Anything written of Docker's check but that it is off. */
static bool has_other_check(const struct health_check *check)
{
	return !check->disabled &&
	       (check->test.n || check->interval_ms || check->timeout_ms || check->retries ||
		check->start_period_ms || check->start_interval_ms);
}

enum err_code spec_check_probe(const struct job_spec *spec, struct err *err)
{
	if (!spec->probe)
		return ERR_NONE;
	if (has_other_check(&spec->health_check))
		return refuse(err, ERR_INVALID, AT("probe"),
			      "a task has one health check: this one, or that of healthcheck; "
			      "write one of them");
	if (job_spec_isolation(spec)->network_mode == NETWORK_MODE_NONE)
		return refuse(err, ERR_INVALID, AT("probe"),
			      "a container without a network cannot be reached for a health check; "
			      "healthcheck runs inside of it");
	return check_probe(spec->probe, err);
}
