/* Every reader keeps its output untouched until the whole answer has been understood. */
#include "runtime/docker_reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/syntax.h"

#define HEALTH_OUTPUT_BYTES 512
#define MESSAGE_BYTES	    1000

/* Nesting of the text, without building anything; -1 when it goes deeper than allowed. */
static int json_depth_check(const char *bytes, size_t len)
{
	int depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > LIMIT_JSON_DEPTH)
				return -1;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return 0;
}

json_t *docker_json_parse(const char *bytes, size_t len, struct err *err)
{
	if (len > LIMIT_DOCKER_BODY_BYTES) {
		err_set(err, ERR_TOO_LARGE, "Docker's answer has %zu bytes, more than %d", len,
			LIMIT_DOCKER_BODY_BYTES);
		return NULL;
	}
	if (json_depth_check(bytes, len) < 0) {
		err_set(err, ERR_PROTOCOL, "Docker's answer is nested deeper than %d",
			LIMIT_JSON_DEPTH);
		return NULL;
	}
	json_error_t error;
	json_t *json = json_loadb(bytes ? bytes : "", len, 0, &error);
	if (!json)
		err_set(err, ERR_PROTOCOL, "Docker's answer is not JSON: %s", error.text);
	return json;
}

const char *docker_json_text(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

int64_t docker_json_int(const json_t *json, const char *key, int64_t otherwise)
{
	const json_t *member = json_object_get(json, key);
	return json_is_integer(member) ? (int64_t)json_integer_value(member) : otherwise;
}

bool docker_json_bool(const json_t *json, const char *key)
{
	return json_is_true(json_object_get(json, key));
}

/* Days from 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant's civil_from_days, reversed). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = year / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

/* `n` digits at `*text`; -1 when they are not there. */
static int64_t take_digits(const char **text, int n)
{
	int64_t value = 0;
	for (int i = 0; i < n; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/* "Z" or "+02:00", in minutes east. */
static bool take_zone(const char **text, int64_t *ret_minutes)
{
	*ret_minutes = 0;
	if (take_char(text, 'Z'))
		return true;
	bool west = **text == '-';
	if (!west && **text != '+')
		return false;
	(*text)++;
	int64_t hours = take_digits(text, 2);
	if (hours < 0 || !take_char(text, ':'))
		return false;
	int64_t minutes = take_digits(text, 2);
	if (minutes < 0)
		return false;
	*ret_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
	return true;
}

int64_t docker_time_wall_ms(const char *text)
{
	static const struct {
		int digits;
		char after;
	} parts[] = { { 4, '-' }, { 2, '-' }, { 2, 'T' }, { 2, ':' }, { 2, ':' }, { 2, 0 } };
	int64_t value[ARRAY_LEN(parts)];
	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		value[i] = take_digits(&text, parts[i].digits);
		if (value[i] < 0 || (parts[i].after && !take_char(&text, parts[i].after)))
			return 0;
	}
	int64_t fraction_ms = 0;
	if (take_char(&text, '.')) {
		int64_t weight = 100;
		for (; *text >= '0' && *text <= '9'; text++, weight /= 10)
			fraction_ms += weight * (*text - '0');
	}
	int64_t zone_minutes;
	if (value[0] < 1970 || !take_zone(&text, &zone_minutes))
		return 0;
	int64_t days = days_of(value[0], value[1], value[2]);
	int64_t seconds = ((days * 24 + value[3]) * 60 + value[4] - zone_minutes) * 60 + value[5];
	return seconds * 1000 + fraction_ms;
}

/* A copy without control characters at most `max` bytes long, cut between characters. */
static char *clean_copy(const char *bytes, size_t len, size_t max)
{
	size_t start = 0;
	if (len > max) {
		len = max;
		while (len > 0 && ((unsigned char)bytes[len] & 0xc0) == 0x80)
			len--;
	}
	char *copy = base_strndup(bytes + start, len);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	size_t end = strlen(copy);
	while (end > 0 && copy[end - 1] == ' ')
		copy[--end] = '\0';
	return copy;
}

char *docker_reply_message(const char *bytes, size_t len)
{
	json_t *json = docker_json_parse(bytes, len, NULL);
	const char *message = docker_json_text(json, "message");
	char *copy = message ? clean_copy(message, strlen(message), MESSAGE_BYTES)
			     : clean_copy(bytes ? bytes : "", bytes ? len : 0, MESSAGE_BYTES);
	json_decref(json);
	return copy;
}

int docker_reply_state(const char *text)
{
	static const struct {
		const char *text;
		int state;
	} states[] = {
		{ "created", CONTAINER_CREATED },   { "running", CONTAINER_RUNNING },
		{ "restarting", CONTAINER_EXITED }, { "paused", CONTAINER_PAUSED },
		{ "exited", CONTAINER_EXITED },	    { "dead", CONTAINER_EXITED },
		{ "removing", CONTAINER_REMOVING },
	};
	for (size_t i = 0; text && i < ARRAY_LEN(states); i++)
		if (strcmp(states[i].text, text) == 0)
			return states[i].state;
	return CONTAINER_EXITED;
}

static int health_of(const char *text)
{
	if (!text)
		return HEALTH_NONE;
	if (strcmp(text, "starting") == 0)
		return HEALTH_STARTING;
	if (strcmp(text, "healthy") == 0)
		return HEALTH_HEALTHY;
	return strcmp(text, "unhealthy") == 0 ? HEALTH_UNHEALTHY : HEALTH_NONE;
}

/* Our labels; what does not parse stays zero: the core decides what a container without them is. */
static void read_labels(const json_t *labels, struct container_seen *seen)
{
	struct uuid id;
	const char *cluster = docker_json_text(labels, LABEL_CLUSTER);
	if (cluster && uuid_parse(cluster, &id, NULL) == ERR_NONE)
		seen->cluster = id;
	const char *task = docker_json_text(labels, LABEL_TASK);
	if (task && uuid_parse(task, &id, NULL) == ERR_NONE)
		seen->task.uuid = id;
	const char *attempt = docker_json_text(labels, LABEL_ATTEMPT);
	if (attempt)
		seen->attempt = strtoll(attempt, NULL, 10);
}

static void read_name(const char *name, struct container_seen *seen)
{
	if (name && *name == '/')
		name++;
	text_print(seen->name, sizeof(seen->name), "%s", name ? name : "");
}

/* Output of the newest finished check. */
static char *health_output(const json_t *health)
{
	const json_t *log = json_object_get(health, "Log");
	size_t n = json_array_size(log);
	const char *output = n ? docker_json_text(json_array_get(log, n - 1), "Output") : NULL;
	if (!output || !*output)
		return NULL;
	size_t len = strlen(output);
	if (len > HEALTH_OUTPUT_BYTES) {
		output += len - HEALTH_OUTPUT_BYTES;
		while (((unsigned char)*output & 0xc0) == 0x80)
			output++;
	}
	return clean_copy(output, strlen(output), HEALTH_OUTPUT_BYTES);
}

/* The address in a network: of version 4 where it has one. */
static char *address_in(const json_t *container, const char *network)
{
	static const char *const keys[] = { "IPAddress", "GlobalIPv6Address" };
	const json_t *settings = json_object_get(container, "NetworkSettings");
	const json_t *endpoint = json_object_get(json_object_get(settings, "Networks"), network);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *address = docker_json_text(endpoint, keys[i]);
		if (address && is_ip_address(address))
			return base_strdup(address);
	}
	return NULL;
}

enum err_code docker_reply_inspect(const char *bytes, size_t len, const char *network,
				   struct container_seen *ret_seen, struct err *err)
{
	json_t *json = docker_json_parse(bytes, len, err);
	if (!json)
		return err ? err->code : ERR_PROTOCOL;
	const json_t *state = json_object_get(json, "State");
	const char *id = docker_json_text(json, "Id");
	if (!id || !docker_json_text(state, "Status")) {
		json_decref(json);
		return err_set(err, ERR_PROTOCOL, "Docker's answer describes no container");
	}
	struct container_seen seen = { 0 };
	read_name(docker_json_text(json, "Name"), &seen);
	text_print(seen.id, sizeof(seen.id), "%s", id);
	const json_t *config = json_object_get(json, "Config");
	read_labels(json_object_get(config, "Labels"), &seen);
	seen.state = docker_reply_state(docker_json_text(state, "Status"));
	seen.exit_code = docker_json_int(state, "ExitCode", -1);
	seen.oom_killed = docker_json_bool(state, "OOMKilled");
	const char *error = docker_json_text(state, "Error");
	if (error && *error)
		seen.error = clean_copy(error, strlen(error), MESSAGE_BYTES);
	const char *stop_signal = docker_json_text(config, "StopSignal");
	if (stop_signal && *stop_signal)
		seen.stop_signal = base_strdup(stop_signal);
	const json_t *health = json_object_get(state, "Health");
	seen.health = health_of(docker_json_text(health, "Status"));
	seen.health_output = health_output(health);
	if (network)
		seen.address = address_in(json, network);
	seen.started_wall_ms = docker_time_wall_ms(docker_json_text(state, "StartedAt"));
	seen.finished_wall_ms = docker_time_wall_ms(docker_json_text(state, "FinishedAt"));
	json_decref(json);
	*ret_seen = seen;
	return ERR_NONE;
}

enum err_code docker_reply_networks(const char *bytes, size_t len, struct strings *ret_names,
				    struct err *err)
{
	json_t *json = docker_json_parse(bytes, len, err);
	if (!json)
		return err ? err->code : ERR_PROTOCOL;
	if (!json_is_array(json)) {
		json_decref(json);
		return err_set(err, ERR_PROTOCOL, "Docker's list of networks is not a list");
	}
	for (size_t i = 0; i < json_array_size(json); i++) {
		const char *name = docker_json_text(json_array_get(json, i), "Name");
		if (name)
			strings_add(ret_names, name);
	}
	json_decref(json);
	return ERR_NONE;
}

/* Docker names volumes nobody named by 64 hexadecimal digits. */
static bool is_anonymous(const char *name)
{
	return name && strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

enum err_code docker_reply_anonymous(const char *bytes, size_t len, struct pairs *ret_volumes,
				     struct err *err)
{
	json_t *json = docker_json_parse(bytes, len, err);
	if (!json)
		return err ? err->code : ERR_PROTOCOL;
	const json_t *mounts = json_object_get(json, "Mounts");
	for (size_t i = 0; i < json_array_size(mounts); i++) {
		const json_t *mount = json_array_get(mounts, i);
		const char *type = docker_json_text(mount, "Type");
		const char *name = docker_json_text(mount, "Name");
		const char *target = docker_json_text(mount, "Destination");
		if (type && strcmp(type, "volume") == 0 && target && is_anonymous(name))
			pairs_put(ret_volumes, target, name);
	}
	json_decref(json);
	return ERR_NONE;
}

enum err_code docker_reply_version(const char *bytes, size_t len, char *version,
				   size_t version_size, int64_t *ret_minor, struct err *err)
{
	json_t *json = docker_json_parse(bytes, len, err);
	if (!json)
		return err ? err->code : ERR_PROTOCOL;
	const char *api = docker_json_text(json, "ApiVersion");
	char *end = NULL;
	int64_t minor = api && strncmp(api, "1.", 2) == 0 ? strtoll(api + 2, &end, 10) : -1;
	if (minor < 0 || !end || end == api + 2 || *end) {
		json_decref(json);
		return err_set(err, ERR_PROTOCOL, "the socket does not speak Docker's API 1.x");
	}
	const char *engine = docker_json_text(json, "Version");
	text_print(version, version_size, "%s", engine ? engine : "");
	json_decref(json);
	*ret_minor = minor;
	return ERR_NONE;
}

const char *docker_reply_event(const char *bytes, size_t len, json_t **ret_json)
{
	*ret_json = docker_json_parse(bytes, len, NULL);
	const char *type = docker_json_text(*ret_json, "Type");
	if (!type || strcmp(type, "container") != 0)
		return NULL;
	const json_t *actor = json_object_get(*ret_json, "Actor");
	return docker_json_text(json_object_get(actor, "Attributes"), "name");
}
