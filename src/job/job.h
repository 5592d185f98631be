/* A job: what the user asked for, with the revisions its tasks may still run. A Compose service is a job; a
 * project groups jobs, networks and volumes. */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include "job/basis.h"
#include "job/settled.h"
#include "job/spec.h"

struct job_id {
	struct uuid uuid;
};

/* Written by the user through the manager, never by a worker. */
enum job_wanted { JOB_RUN = 0, JOB_STOP = 1, JOB_REMOVE = 2 };
extern const struct enum_name job_wanted_names[]; /* run, stop, remove */

/* One state of the template; kept as a store record of its own, key (job, number). */
struct job_revision {
	struct job_id job;
	int64_t number; /* from 1 */
	int64_t created_wall_ms;
	int64_t spec_hash; /* stored by releases before; no longer written, and never read */
	struct job_spec spec;
	bool over_tls; /* asked for over TLS; false: by the owner of the manager's socket, or before there was TLS */
	int64_t deployment; /* of its project, rising: which request made it; 0: made before these were counted */
	bool scaled; /* how many was said since (`drover scale`), and holds when the job goes back, too */
};
extern const struct record_type job_revision_type;

/* How the roll-out of a revision went. One of which nothing is kept is done: the first of a job, and those that
 * replaced no tasks one by one. */
enum outcome {
	OUTCOME_ROLLING = 0,
	OUTCOME_DONE = 1,
	OUTCOME_SUPERSEDED = 2,
	OUTCOME_ROLLED_BACK = 3,
	OUTCOME_PAUSED = 4 /* more has failed than may; it may go on */
};
extern const struct enum_name outcome_names[]; /* rolling, done, superseded, rolled_back, paused */
struct revision_outcome {
	int64_t revision;
	int outcome;
	int64_t wall_ms; /* when it became that */
	char *message;	 /* NULL: nothing to say */
};
extern const struct record_type revision_outcome_type;

/* The job's own record. mode, replicas, priority are read from the current revision's spec. */
struct job {
	struct job_id id;
	char *project;
	char *name;
	int wanted;
	int64_t revision; /* the number of the current one; not always the highest */
	int64_t restarts_asked; /* raised by `drover restart`; tasks made for a smaller number are replaced */
	int64_t created_wall_ms;
	int64_t roll;		  /* raised when another revision becomes the current one */
	int64_t rolled_back_from; /* the current revision was gone back to from this one; 0: it was not */
	LIST_OF(struct revision_outcome) outcomes; /* ascending by revision */
	struct settled settled;			   /* see job_settled() */
	struct job_runs scheduled;		   /* of a job with a schedule */
	bool restart_due;      /* when what it depends on with `restart` has been replaced */
	bool back_to_unproven; /* gone back to a revision that had not been rolled out to its end */
};
extern const struct record_type job_type;

/* The slots that are settled for the present roll and restart; none of another one's are. */
const struct settled *job_settled(const struct job *job);
/* The same to be added to. */
struct settled *job_settle(struct job *job);

int job_outcome(const struct job *job, int64_t revision);
/* Is the roll-out of its current revision not over? It may be paused. */
bool job_is_under_way(const struct job *job);
/* Of a revision that has just become the current one: those that run to completion are not rolled out task by task. */
int job_spec_first_outcome(const struct job_spec *spec);
/* NULL: nothing is kept of it. */
const struct revision_outcome *job_outcome_of(const struct job *job, int64_t revision);
/* Of a new one, the oldest gives way where there are LIMIT_OUTCOMES_PER_JOB. `message` may be NULL. */
void job_set_outcome(struct job *job, int64_t revision, int outcome, int64_t wall_ms,
		     const char *message);

/* The message of the outcome of a revision that users went back on. */
#define JOB_ROLLBACK_ASKED "asked for"

/* A network or volume of a project, as the Compose file's top level declares it. */
/* One range of addresses of a network. */
struct ipam_pool {
	char *subnet; /* "10.9.0.0/24" */
	char *ip_range;
	char *gateway;
	struct pairs aux_addresses; /* names of other hosts, and their addresses */
};
extern const struct record_type ipam_pool_type;

struct ipam {
	char *driver; /* NULL: Docker's default */
	LIST_OF(struct ipam_pool) pools;
	struct pairs options;
};
extern const struct record_type ipam_type;

struct network_spec {
	char *key;    /* name within the project */
	char *name;   /* Docker's name; NULL: PROJECT_KEY */
	char *driver; /* NULL: bridge */
	struct pairs driver_opts;
	struct pairs labels;
	bool internal;
	bool attachable;
	bool external;	   /* must exist already; never created, never removed */
	int enable_ipv6;   /* enum tristate */
	struct ipam *ipam; /* NULL: Docker chooses the addresses */
};
extern const struct record_type network_spec_type;

struct volume_spec {
	char *key;
	char *name; /* NULL: PROJECT_KEY */
	char *driver;
	struct pairs driver_opts;
	struct pairs labels;
	bool external;
};
extern const struct record_type volume_spec_type;

/* What a project holds besides jobs. */
struct project {
	char *name;
	LIST_OF(struct network_spec) networks;
	LIST_OF(struct volume_spec) volumes;
	int64_t created_wall_ms;
	/* Keys of those that were declared over TLS. */
	struct strings networks_over_tls;
	struct strings volumes_over_tls;
};
extern const struct record_type project_type;

/* Was anything of what its tasks are made from asked for over TLS: the template, or a network or volume it uses? Then
 * the policy of every machine holds for them, also on the manager's own. */
bool job_revision_is_over_tls(const struct job_revision *revision, const struct project *project);

/* The least SYNC_PROTOCOL of a worker that may run it: job_spec_protocol(), and older ones know of no policy. */
int64_t job_revision_protocol(const struct job_revision *revision, const struct project *project);

/* One job of a request: its name and template. */
struct job_request {
	char *name;
	struct job_spec spec;
};
extern const struct record_type job_request_type;

/* A whole project as a request: what `drover up` sends. */
struct project_request {
	char *name;
	LIST_OF(struct job_request) jobs;
	LIST_OF(struct network_spec) networks;
	LIST_OF(struct volume_spec) volumes;
	bool remove_orphans;	 /* also remove jobs of the project that are not listed */
	struct strings inactive; /* names of jobs that stay as they are, there or not: no orphans */
	struct plan_basis
		*basis; /* refused unless all of it still holds; NULL: whatever there is */
	LIST_OF(struct content_request) configs;
	LIST_OF(struct content_request) secrets;
};
extern const struct record_type project_request_type;

/* Check a whole request: every spec, unique names, references to networks, volumes, configs and secrets, depends_on
 * targets and cycles ("a -> b -> a" in the message). ERR_INVALID, ERR_LIMIT. */
enum err_code project_request_check(const struct project_request *request,
				    struct err *err) WARN_UNUSED;

#endif
