/* What the API shows: flat records made from the world for each answer, read back by the CLI with the same tables.
 * docs/openapi.yaml names the same fields; a test compares. */
#ifndef API_VIEWS_H
#define API_VIEWS_H

#include "access/access.h"
#include "job/job.h"
#include "manager/manager.h"
#include "manager/rebalance.h"
#include "manager/rehearse.h"
#include "node/node.h"

struct port_view {
	char *host_ip;
	int64_t host_port;
	int64_t container_port;
	int protocol;
};

struct task_view {
	struct uuid id;
	char *name; /* shop/web.2 */
	char *project;
	char *job;
	struct uuid job_id;
	int64_t slot;
	int64_t revision;
	int state;
	int health;
	bool ready;
	bool unreachable;
	struct uuid moves_to; /* the node where it is to move; zero: nowhere */
	char *waits;	      /* unreachable: what it waits for before it is started elsewhere */
	int wanted;
	bool withdrawn; /* it was to take over its slot, and is none of the slot's tasks any more */
	int reason;
	char *message;
	char *image;
	struct uuid node;
	char *node_name;
	char *container;
	char *container_id;
	int64_t attempt;
	int64_t exit_code;
	bool gone; /* no container of it is left, or it never had a node */
	LIST_OF(struct port_view) ports;
	struct uuid replaces;
	int64_t created_wall_ms;
	int64_t scheduled_wall_ms;
	int64_t started_wall_ms;
	int64_t finished_wall_ms;
};
extern const struct record_type task_view_type;

struct job_view {
	struct uuid id;
	char *project;
	char *name;
	int mode;
	int wanted;
	int standing;
	int64_t revision;
	int64_t replicas;
	int64_t running;
	int64_t ready;
	int64_t succeeded;
	int64_t left;
	int reason;
	char *message;
	char *image;
	bool over_tls; /* job_revision_is_over_tls() */
	int64_t created_wall_ms;
	int update;		  /* enum update_state */
	int64_t rolled_back_from; /* 0: the current revision was not gone back to */
	char *rolled_back_because;
	bool has_spec; /* one job asked for: its template is shown */
	struct job_spec spec;
};
extern const struct record_type job_view_type;

/* A revision that a job could go back to, the current one included. */
struct revision_view {
	int64_t number;
	bool current;
	int64_t created_wall_ms;
	char *image;
	bool over_tls;
	int outcome;		 /* enum outcome */
	int64_t outcome_wall_ms; /* 0: not known */
	char *message;
};
extern const struct record_type revision_view_type;

/* Newest first. */
struct job_history {
	char *project;
	char *job;
	int update; /* enum update_state: of the current revision */
	LIST_OF(struct revision_view) revisions;
	/* Of a job with a schedule. */
	LIST_OF(struct job_run) runs;
	int64_t next_run_wall_ms; /* 0: none is to come */
};
extern const struct record_type job_history_type;

struct node_view {
	struct uuid id;
	char *hostname;
	int role; /* enum node_role */
	int64_t number;
	char *address;
	int state;
	bool draining;
	bool runtime_ok;
	char *platform_os;
	char *platform_arch;
	char *runtime_version;
	int64_t api_minor;
	char *drover_version;
	struct pairs labels;
	struct pairs engine_labels;
	struct resources capacity;
	struct resources reserved;
	struct node_stats used;
	int64_t tasks;
	int64_t joined_wall_ms;
	int64_t left_wall_ms;
};
extern const struct record_type node_view_type;

struct volume_view {
	char *name;
	char *project;
	char *key;
	char *driver;
	struct uuid node;
	char *node_name;
	bool per_node;
	bool removing;
	char *message;
	int64_t created_wall_ms;
};
extern const struct record_type volume_view_type;

struct project_view {
	char *name;
	int64_t jobs;
	int64_t running; /* tasks */
	int64_t created_wall_ms;
	LIST_OF(struct network_spec) networks;
	LIST_OF(struct volume_spec) volumes;
};
extern const struct record_type project_view_type;

struct cluster_view {
	struct uuid id;
	char *version;
	int64_t epoch;
	char *scheduler;
	char *store;
	bool read_only; /* the store refuses commits at the moment */
	char *message;	/* why */
	int64_t nodes;
	int64_t jobs;
	int64_t tasks_pending;
	int64_t tasks_scheduled;
	int64_t tasks_running;
	int64_t tasks_completed;
	int64_t tasks_failed;
	int64_t store_used_bytes;
	int64_t store_max_bytes;
	int64_t refused_requests, refused_connections; /* since the manager's start */
};
extern const struct record_type cluster_view_type;

struct event_view {
	int64_t number; /* of this manager's run; the SSE id is EPOCH-NUMBER */
	int64_t wall_ms;
	char *kind;
	char *subject;
	struct uuid id;
	char *state;
	char *reason;
	char *message;
};
extern const struct record_type event_view_type;

/* Pages: `next` is the `after` of the next page, "" at the end; `revision`, of what is stored, changes with it. They
 * all begin alike. */
struct any_page {
	struct list items;
	char *next;
	char *revision;
};
struct task_page {
	LIST_OF(struct task_view) tasks;
	char *next;
	char *revision;
};
extern const struct record_type task_page_type;
struct job_page {
	LIST_OF(struct job_view) jobs;
	char *next;
	char *revision;
};
extern const struct record_type job_page_type;
struct node_page {
	LIST_OF(struct node_view) nodes;
	char *next;
	char *revision;
};
extern const struct record_type node_page_type;
struct volume_page {
	LIST_OF(struct volume_view) volumes;
	char *next;
	char *revision;
};
extern const struct record_type volume_page_type;
struct token_page {
	LIST_OF(struct token_record) tokens; /* without secrets */
	char *next;
	char *revision;
};
extern const struct record_type token_page_type;
struct identity_page {
	LIST_OF(struct identity_record) identities;
	char *next;
	char *revision;
};
extern const struct record_type identity_page_type;
struct project_page {
	LIST_OF(struct project_view) projects;
	char *next;
	char *revision;
};
extern const struct record_type project_page_type;

/* Small requests. */
struct scale_request {
	int64_t replicas;
};
extern const struct record_type scale_request_type;
struct rollback_request {
	int64_t revision; /* 0: the last one before the current that was rolled out to its end */
};
extern const struct record_type rollback_request_type;
struct labels_request {
	struct pairs set;
	struct strings remove; /* keys */
};
extern const struct record_type labels_request_type;
struct submit_request {
	char *project;
	struct job_request job;
};
extern const struct record_type submit_request_type;
struct token_request {
	int role;
	int64_t ttl_ms; /* a day when nothing is written */
	int64_t uses;	/* 1 when nothing is written */
};
extern const struct record_type token_request_type;
struct token_answer {
	char *token; /* the whole text, told once */
	char *id;
	int role;
	int64_t expires_wall_ms;
	int64_t uses;
	char *manager; /* where to join: HOST:PORT */
};
extern const struct record_type token_answer_type;
struct join_request {
	char *token;
	char *csr;  /* a certificate signing request in PEM, P-256 */
	char *name; /* how the joiner calls itself */
	int as;	    /* enum access_joiner */
};
extern const struct record_type join_request_type;
struct renew_request {
	char *csr;
};
extern const struct record_type renew_request_type;
struct certificate_answer {
	char *certificate; /* PEM */
	char *ca;	   /* PEM */
	struct uuid cluster;
	struct uuid id; /* of the identity; a worker's node */
	int role;
};
extern const struct record_type certificate_answer_type;
struct error_view {
	char *code;
	char *message;
	char *field;
};
extern const struct record_type error_view_type;
struct error_answer {
	struct error_view error;
};
extern const struct record_type error_answer_type;

/* Fill a view (all-zero before) from the world; the caller releases it with record_release(). */
void task_view_fill(struct task_view *view, const struct manager *manager, const struct task *task);
void job_view_fill(struct job_view *view, const struct manager *manager,
		   const struct job_entry *entry, bool with_spec);
void job_history_fill(struct job_history *history, const struct manager *manager,
		      const struct job_entry *entry);
void node_view_fill(struct node_view *view, const struct cluster *cluster,
		    const struct node_entry *node);
void volume_view_fill(struct volume_view *view, const struct cluster *cluster,
		      const struct volume_record *volume);
void project_view_fill(struct project_view *view, const struct project_entry *entry);

#endif
