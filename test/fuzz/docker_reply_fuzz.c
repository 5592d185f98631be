/* Docker's answers: each reader takes the bytes or refuses them with a reason, and keeps its output untouched then. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "runtime/docker_reply.h"

#include "fuzz.h"

static void read_inspect(const char *text, size_t len)
{
	struct container_seen seen = { .exit_code = 4242 };
	struct err err = { 0 };
	if (docker_reply_inspect(text, len, "shop_default", &seen, &err)) {
		INVARIANT(err.message[0] != '\0' && seen.exit_code == 4242 && !seen.error);
		return;
	}
	INVARIANT(seen.id[0] != '\0' || seen.name[0] == '\0' || len > 0);
	INVARIANT(memchr(seen.name, '\0', sizeof(seen.name)) != NULL);
	container_seen_release(&seen);
}

static void read_lists(const char *text, size_t len)
{
	struct strings names = { 0 };
	struct pairs volumes = { 0 };
	enum err_code code = docker_reply_networks(text, len, &names, NULL);
	INVARIANT(!code || names.n == 0);
	code = docker_reply_anonymous(text, len, &volumes, NULL);
	INVARIANT(!code || volumes.n == 0);
	for (size_t i = 0; i < volumes.n; i++)
		INVARIANT(strlen(volumes.items[i].value) == 64);
	strings_release(&names);
	pairs_release(&volumes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	char version[64];
	int64_t minor = -1;
	json_t *json = NULL;
	read_inspect(text, len);
	read_lists(text, len);
	if (docker_reply_version(text, len, version, sizeof(version), &minor, NULL) == ERR_NONE)
		INVARIANT(minor >= 0);
	const char *name = docker_reply_event(text, len, &json);
	INVARIANT(!name || json);
	json_decref(json);
	char *message = docker_reply_message(text, len);
	INVARIANT(strlen(message) <= 1000);
	for (int verb = CONTAINER_PULL; verb <= CONTAINER_FILES; verb++)
		docker_reply_fault(verb, 500, message);
	base_free(message);
	char *line = base_strndup(text, len);
	INVARIANT(docker_time_wall_ms(line) >= 0 || len > 10);
	base_free(line);
	return 0;
}
