/* Shared by the tests that walk over the table of keys: where each section stands in a file. */
#ifndef COMPOSE_PLACES_TESTING_H
#define COMPOSE_PLACES_TESTING_H

#include "compose/keys.h"
#include "compose/testing.h"

/* Where a section stands: text around the inside of its mapping, and the smallest valid inside. */
struct place {
	const char *before;
	const char *after;
	const char *inside;
	const char *path; /* of the mapping, as errors name it; "" for the file */
};

#define WEB	 "services: {web: {image: nginx, "
#define PATH_WEB "services.web"

static const struct place places[SECTION_COUNT] = {
	[SECTION_FILE] = { "{", "}", "services: {web: {image: nginx}}", "" },
	[SECTION_INCLUDE] = { "services: {web: {image: nginx}}\ninclude: [{", "}]",
			      "path: sub/in.yaml", "include[0]" },
	[SECTION_SERVICE] = { "services: {web: {", "}}", "image: nginx", PATH_WEB },
	[SECTION_EXTENDS] = { WEB "extends: {", "}}}", "service: base, file: other.yaml",
			      PATH_WEB ".extends" },
	[SECTION_ENV_FILE] = { WEB "env_file: [{", "}]}}", "path: a.env", PATH_WEB ".env_file[0]" },
	[SECTION_ULIMIT] = { WEB "ulimits: {nofile: {", "}}}}", "soft: 1, hard: 2",
			     PATH_WEB ".ulimits.nofile" },
	[SECTION_BLKIO] = { WEB "blkio_config: {", "}}}", "", PATH_WEB ".blkio_config" },
	[SECTION_BLKIO_WEIGHT] = { WEB "blkio_config: {weight_device: [{", "}]}}}",
				   "path: /dev/a, weight: 10",
				   PATH_WEB ".blkio_config.weight_device[0]" },
	[SECTION_BLKIO_RATE] = { WEB "blkio_config: {device_read_bps: [{", "}]}}}",
				 "path: /dev/a, rate: 10",
				 PATH_WEB ".blkio_config.device_read_bps[0]" },
	[SECTION_DEVICE] = { WEB "devices: [{", "}]}}", "source: /dev/a", PATH_WEB ".devices[0]" },
	[SECTION_GPU] = { WEB "gpus: [{", "}]}}", "", PATH_WEB ".gpus[0]" },
	[SECTION_DEVICE_REQUEST] = { WEB "deploy: {resources: {reservations: {devices: [{",
				     "}]}}}}}", "capabilities: [gpu]",
				     PATH_WEB ".deploy.resources.reservations.devices[0]" },
	[SECTION_LOGGING] = { WEB "logging: {", "}}}", "", PATH_WEB ".logging" },
	[SECTION_PORT] = { WEB "ports: [{", "}]}}", "target: 80", PATH_WEB ".ports[0]" },
	[SECTION_MOUNT] = { WEB "volumes: [{", "}]}}", "type: volume, target: /a",
			    PATH_WEB ".volumes[0]" },
	[SECTION_MOUNT_BIND] = { WEB "volumes: [{type: bind, source: /s, target: /t, bind: {",
				 "}}]}}", "", PATH_WEB ".volumes[0].bind" },
	[SECTION_MOUNT_VOLUME] = { WEB "volumes: [{type: volume, target: /t, volume: {", "}}]}}",
				   "", PATH_WEB ".volumes[0].volume" },
	[SECTION_MOUNT_TMPFS] = { WEB "volumes: [{type: tmpfs, target: /t, tmpfs: {", "}}]}}", "",
				  PATH_WEB ".volumes[0].tmpfs" },
	[SECTION_SERVICE_NETWORK] = { WEB "networks: {default: {", "}}}}", "",
				      PATH_WEB ".networks.default" },
	[SECTION_HEALTHCHECK] = { WEB "healthcheck: {", "}}}", "", PATH_WEB ".healthcheck" },
	[SECTION_DEPENDS_ON] = { "services: {db: {image: db}, web: {image: nginx, depends_on: {db: "
				 "{",
				 "}}}}", "condition: service_started", PATH_WEB ".depends_on.db" },
	[SECTION_DEPLOY] = { WEB "deploy: {", "}}}", "", PATH_WEB ".deploy" },
	[SECTION_RESOURCES] = { WEB "deploy: {resources: {", "}}}}", "",
				PATH_WEB ".deploy.resources" },
	[SECTION_LIMITS] = { WEB "deploy: {resources: {limits: {", "}}}}}", "",
			     PATH_WEB ".deploy.resources.limits" },
	[SECTION_RESERVATIONS] = { WEB "deploy: {resources: {reservations: {", "}}}}}", "",
				   PATH_WEB ".deploy.resources.reservations" },
	[SECTION_RESTART_POLICY] = { WEB "deploy: {restart_policy: {", "}}}}", "",
				     PATH_WEB ".deploy.restart_policy" },
	[SECTION_UPDATE_CONFIG] = { WEB "deploy: {update_config: {", "}}}}", "",
				    PATH_WEB ".deploy.update_config" },
	[SECTION_ROLLBACK_CONFIG] = { WEB "deploy: {rollback_config: {", "}}}}", "",
				      PATH_WEB ".deploy.rollback_config" },
	[SECTION_PLACEMENT] = { WEB "deploy: {placement: {", "}}}}", "",
				PATH_WEB ".deploy.placement" },
	[SECTION_PREFERENCE] = { WEB "deploy: {placement: {preferences: [{", "}]}}}}",
				 "spread: node.labels.a",
				 PATH_WEB ".deploy.placement.preferences[0]" },
	[SECTION_DROVER] = { WEB "deploy: {mode: replicated-job}, x-drover: {", "}}}", "",
			     PATH_WEB ".x-drover" },
	[SECTION_HOOK] = { WEB "post_start: [{", "}]}}", "command: a", PATH_WEB ".post_start[0]" },
	[SECTION_SCHEDULE] = { WEB "x-drover: {schedule: {", "}}}}", "cron: '@daily'",
			       PATH_WEB ".x-drover.schedule" },
	[SECTION_PROBE] = { WEB "x-drover: {health: {", "}}}}", "tcp: {port: 79}",
			    PATH_WEB ".x-drover.health" },
	[SECTION_PROBE_HTTP] = { WEB "x-drover: {health: {http: {", "}}}}}", "port: 80",
				 PATH_WEB ".x-drover.health.http" },
	[SECTION_PROBE_TCP] = { WEB "x-drover: {health: {tcp: {", "}}}}}", "port: 79",
				PATH_WEB ".x-drover.health.tcp" },
	[SECTION_NETWORK] = { "services: {web: {image: nginx, networks: [net]}}\nnetworks: {net: {",
			      "}}", "", "networks.net" },
	[SECTION_IPAM] = { "services: {web: {image: nginx}}\nnetworks: {net: {ipam: {", "}}}", "",
			   "networks.net.ipam" },
	[SECTION_IPAM_POOL] = { "services: {web: {image: nginx}}\nnetworks: {net: {ipam: {config: "
				"[{",
				"}]}}}", "subnet: 10.9.0.0/24", "networks.net.ipam.config[0]" },
	[SECTION_VOLUME] = { "services: {web: {image: nginx}}\nvolumes: {vol: {", "}}", "",
			     "volumes.vol" },
	[SECTION_CONTENT_USE] = { WEB "configs: [{",
				  "}]}}\nconfigs: {c: {content: x}, d: {content: x}}", "source: c",
				  PATH_WEB ".configs[0]" },
	[SECTION_CONFIG] = { "services: {web: {image: nginx, configs: [c]}}\nconfigs: {c: {", "}}",
			     "content: x", "configs.c" },
	[SECTION_SECRET] = { "services: {web: {image: nginx, secrets: [s]}}\nsecrets: {s: {", "}}",
			     "file: a.env", "secrets.s" },
};

static inline char *file_with(enum section_id section, const char *inside)
{
	struct text text;
	text_init(&text, 1 << 16);
	text_addf(&text, "%s%s%s\n", places[section].before, inside, places[section].after);
	return text_take(&text);
}

#endif
