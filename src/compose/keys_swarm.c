/* What `docker stack deploy` does with each key, for the tables of docs/compose.md: as it was tried with Docker's
 * command line 28, or read in that of 29 and in SwarmKit. */
#include <string.h>

#include "base/alloc.h"
#include "compose/keys.h"

#define HONOURED "honoured"
#define IN_PART	 "in part"
#define WARNED	 "ignored, with a warning"
#define SILENT	 "ignored in silence"
#define REFUSED	 "refused"

/* What holds for a section, and what does not hold for the keys named there: "word: keys; word: keys". */
struct swarm_section {
	enum section_id section;
	const char *others; /* NULL: not known */
	struct {
		const char *word;
		const char *keys; /* each between spaces */
	} named[4];
};

// clang-format off
static const struct swarm_section sections[] = {
	{ SECTION_FILE, HONOURED, { { REFUSED, " name include models " } } },
	{ SECTION_INCLUDE, REFUSED, { { 0 } } },
	{ SECTION_SERVICE, NULL, {
		{ HONOURED, " cap_add cap_drop command configs credential_spec deploy dns dns_search entrypoint env_file environment "
			    "extra_hosts healthcheck hostname image init isolation labels logging read_only secrets stdin_open tty "
			    "stop_grace_period stop_signal sysctls ulimits user working_dir " },
		{ IN_PART, " networks ports restart volumes " },
		{ WARNED, " build cgroup_parent container_name devices domainname expose external_links ipc links mac_address "
			  "network_mode pid privileged security_opt shm_size userns_mode " },
		{ SILENT, " depends_on oom_score_adj tmpfs x-drover " } } },
	{ SECTION_EXTENDS, REFUSED, { { 0 } } },
	{ SECTION_ENV_FILE, REFUSED, { { 0 } } },
	{ SECTION_ULIMIT, HONOURED, { { 0 } } },
	{ SECTION_BLKIO, REFUSED, { { 0 } } },
	{ SECTION_BLKIO_WEIGHT, REFUSED, { { 0 } } },
	{ SECTION_BLKIO_RATE, REFUSED, { { 0 } } },
	{ SECTION_DEVICE, WARNED, { { 0 } } },
	{ SECTION_GPU, REFUSED, { { 0 } } },
	{ SECTION_LOGGING, HONOURED, { { 0 } } },
	{ SECTION_PORT, HONOURED, { { IN_PART, " published " }, { REFUSED, " host_ip name app_protocol " } } },
	{ SECTION_MOUNT, NULL, { { HONOURED, " type source target read_only " }, { IN_PART, " bind volume tmpfs " } } },
	{ SECTION_MOUNT_BIND, SILENT, { { HONOURED, " propagation " } } },
	{ SECTION_MOUNT_VOLUME, SILENT, { { HONOURED, " nocopy subpath " } } },
	{ SECTION_MOUNT_TMPFS, SILENT, { { HONOURED, " size " } } },
	{ SECTION_SERVICE_NETWORK, REFUSED,
	  { { HONOURED, " aliases driver_opts " }, { SILENT, " ipv4_address ipv6_address " } } },
	{ SECTION_HEALTHCHECK, HONOURED, { { 0 } } },
	{ SECTION_HOOK, REFUSED, { { 0 } } },
	{ SECTION_DEPENDS_ON, REFUSED, { { 0 } } },
	{ SECTION_DEPLOY, HONOURED, { { 0 } } },
	{ SECTION_RESOURCES, HONOURED, { { 0 } } },
	{ SECTION_LIMITS, HONOURED, { { 0 } } },
	{ SECTION_RESERVATIONS, HONOURED, { { REFUSED, " devices " } } },
	{ SECTION_DEVICE_REQUEST, REFUSED, { { 0 } } },
	{ SECTION_RESTART_POLICY, HONOURED, { { 0 } } },
	{ SECTION_UPDATE_CONFIG, HONOURED, { { 0 } } },
	{ SECTION_ROLLBACK_CONFIG, HONOURED, { { 0 } } },
	{ SECTION_PLACEMENT, HONOURED, { { 0 } } },
	{ SECTION_PREFERENCE, HONOURED, { { 0 } } },
	{ SECTION_DROVER, SILENT, { { 0 } } },
	{ SECTION_SCHEDULE, SILENT, { { 0 } } },
	{ SECTION_PROBE, SILENT, { { 0 } } },
	{ SECTION_PROBE_HTTP, SILENT, { { 0 } } },
	{ SECTION_PROBE_TCP, SILENT, { { 0 } } },
	{ SECTION_NETWORK, HONOURED, { { IN_PART, " ipam " }, { REFUSED, " enable_ipv4 enable_ipv6 " } } },
	{ SECTION_IPAM, HONOURED, { { REFUSED, " options " } } },
	{ SECTION_IPAM_POOL, REFUSED, { { HONOURED, " subnet " } } },
	{ SECTION_VOLUME, HONOURED, { { 0 } } },
	{ SECTION_CONTENT_USE, HONOURED, { { 0 } } },
	{ SECTION_CONFIG, HONOURED, { { REFUSED, " content environment " } } },
	{ SECTION_SECRET, HONOURED, { { REFUSED, " environment " } } },
};
// clang-format on

static bool names(const char *keys, const char *key)
{
	size_t len = strlen(key);
	for (const char *at = keys; at && (at = strstr(at, key)); at++)
		if (at[-1] == ' ' && at[len] == ' ')
			return true;
	return false;
}

const char *keys_in_swarm(enum section_id section, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		const struct swarm_section *swarm = &sections[i];
		if (swarm->section != section)
			continue;
		for (size_t j = 0; j < ARRAY_LEN(swarm->named); j++)
			if (names(swarm->named[j].keys, key))
				return swarm->named[j].word;
		/* Of services all are known: those that are not named have no place in a stack's file. */
		if (section == SECTION_SERVICE)
			return REFUSED;
		return swarm->others ? swarm->others : "";
	}
	return "";
}
