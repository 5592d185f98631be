/* A health check that the worker makes itself, from outside of the container: a connection, or one GET over HTTP. What
 * few jobs have, so a specification has it behind a pointer. It takes the place of a check that Docker runs, the
 * image's own included. Compose: x-drover.health. */
#ifndef JOB_PROBE_H
#define JOB_PROBE_H

#include "base/record.h"

enum probe_kind { PROBE_TCP = 0, PROBE_HTTP = 1, PROBE_HTTPS = 2 };
extern const struct enum_name probe_kind_names[]; /* tcp, http, https */

/* Times mean what those of Compose's healthcheck do. */
struct probe {
	int kind;
	int64_t port;
	char *path; /* of HTTP, with its query; NULL: "/" */
	struct pairs headers;
	int64_t status_first; /* of HTTP: a healthy answer lies within; 0: 200 to 399 */
	int64_t status_last;
	int64_t interval_ms;	   /* 0: 30 s */
	int64_t timeout_ms;	   /* 0: 30 s */
	int64_t retries;	   /* 0: 3 */
	int64_t start_period_ms;   /* 0: none */
	int64_t start_interval_ms; /* 0: 5 s */
};
extern const struct record_type probe_type;

#define PROBE_STATUS_FIRST 200
#define PROBE_STATUS_LAST  399

/* What is written, or what stands where nothing is. */
int64_t probe_interval_ms(const struct probe *probe);
int64_t probe_timeout_ms(const struct probe *probe);
int64_t probe_retries(const struct probe *probe);
int64_t probe_start_interval_ms(const struct probe *probe);

/* What it asks, for people: "GET :8080/ready", "GET https :8443/", "TCP :5432". Caller frees. */
char *probe_told(const struct probe *probe);

#endif
