/* Every limit on what a user or a peer can grow, in one place; units last. At a limit the answer is an ordinary
 * error. Those of HTTP and JSON follow common servers; the largest record leaves room for others in its group. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* Names and texts. */
#define LIMIT_NAME_BYTES	    63
#define LIMIT_IMAGE_BYTES	    512
#define LIMIT_STRING_BYTES	    (64 * 1024)
#define LIMIT_PATH_BYTES	    4096
#define LIMIT_MESSAGE_BYTES	    1024
#define LIMIT_ENVIRONMENT_BYTES	    (128 * 1024)
#define LIMIT_LIST_ITEMS	    1024
#define LIMIT_ENVIRONMENT_KEY_BYTES 128
#define LIMIT_USER_BYTES	    256
#define LIMIT_ADDRESS_BYTES	    64 /* a numeric IP address */
#define LIMIT_HOSTNAME_BYTES	    253
#define LIMIT_SIGNAL_BYTES	    32
#define LIMIT_CONTAINER_ID_BYTES    79
#define LIMIT_RESOURCE_NAME_BYTES   255 /* Docker's own names of networks and volumes */
#define LIMIT_CONSTRAINTS	    64
#define LIMIT_CAPABILITIES	    64
#define LIMIT_ULIMITS		    64
#define LIMIT_RETRIES		    1000000
#define LIMIT_DEVICES		    64

/* Amounts. */
#define LIMIT_CPU_MILLI	  (100000LL * 1000)
#define LIMIT_SIZE_BYTES  (1LL << 60)
#define LIMIT_PIDS	  (1LL << 22)
#define LIMIT_DURATION_MS (366LL * 24 * 3600 * 1000)
#define LIMIT_WALL_MS	  ((1LL << 48) - 1)
#define LIMIT_COUNT	  (1LL << 53)
#define LIMIT_TASK_COUNT                                                                           \
	INT32_MAX /* of what is counted in each of many tasks; records could say more */
#define LIMIT_PRIORITY	    100
#define LIMIT_CPU_SHARES    262144 /* these three: Linux's own */
#define LIMIT_CPU_PERIOD_US 1000000
#define LIMIT_BLKIO_WEIGHT  1000

/* Objects. */
#define LIMIT_PROJECTS		    10000
#define LIMIT_JOBS_PER_PROJECT	    500
#define LIMIT_JOBS		    100000
#define LIMIT_TASKS		    2000000
#define LIMIT_REPLICAS		    1000000
#define LIMIT_PORTS_PER_JOB	    256
#define LIMIT_PORT_RANGE	    10000
#define LIMIT_MOUNTS_PER_JOB	    256
#define LIMIT_NETWORKS_PER_JOB	    64
#define LIMIT_NETWORKS_PER_PROJECT  500
#define LIMIT_NODES		    20000
#define LIMIT_HISTORY_PER_SLOT	    2
#define LIMIT_REVISIONS_PER_JOB	    10
#define LIMIT_OUTCOMES_PER_JOB	    32
#define LIMIT_PLAN_TASKS	    2000 /* that a plan lists; of others it tells how many */
#define LIMIT_PLAN_CHANGES	    200	 /* of one job; the same */
#define LIMIT_PLANS_AT_ONCE	    2	 /* being made */
#define LIMIT_PLAN_MS		    30000
#define LIMIT_REBALANCE_MOVES	    1000 /* asked for at a time */
#define LIMIT_REBALANCE_BODY_BYTES  (1024 * 1024)
#define LIMIT_PLAN_FILE_BYTES	    (32 * 1024 * 1024)
#define LIMIT_PLAN_FILE_VALUES	    (4 * LIMIT_JSON_APPLY_VALUES)
#define LIMIT_RUNS_PER_JOB	    100 /* kept, made up, waiting */
#define LIMIT_CRON_BYTES	    256
#define LIMIT_SCHEDULE_LATE_MS	    60000 /* then the time of a run was missed */
#define LIMIT_INDEX_RANGES	    64
#define LIMIT_SLOT_RANGES	    4096 /* of slots that are settled */
#define LIMIT_ENDS_KEPT		    50	 /* newest ended tasks of a job that takes turns */
#define LIMIT_VOLUMES_PER_PROJECT   500
#define LIMIT_IDEMPOTENCY_KEYS	    10000
#define LIMIT_IDEMPOTENCY_KEY_BYTES 128
#define LIMIT_IDEMPOTENCY_AGE_MS    (24LL * 3600 * 1000)
#define LIMIT_TOKENS		    1000
#define LIMIT_TOKEN_USES	    LIMIT_NODES
#define LIMIT_TOKEN_TTL_MS	    LIMIT_DURATION_MS
#define LIMIT_IDENTITIES	    (LIMIT_NODES + 10000)
#define LIMIT_REMOVED_NODES	    (5 * LIMIT_NODES) /* remembered as removed; the oldest make room */
#define LIMIT_JOB_RECORD_BYTES	    (512 * 1024)
#define LIMIT_NODE_RECORD_BYTES	    (256 * 1024)
#define LIMIT_PROJECT_RECORD_BYTES  (256 * 1024) /* and a job: one record of a worker */
/* A config or a secret: as much as Docker takes of a secret, less than 500 KiB. As text, sealed, it is one record. */
#define LIMIT_CONTENT_BYTES	   511999
#define LIMIT_CONTENT_DATA_BYTES   (700 * 1024)
#define LIMIT_CONTENTS_PER_JOB	   64 /* configs, and as many secrets */
#define LIMIT_CONTENTS_PER_PROJECT 500
/* Configs and secrets go to workers apart from the set, in messages of so many, and of so many bytes of base64: a stop
 * is never behind more than one of them. One alone may be larger. */
#define LIMIT_SYNC_CONTENTS	  256
#define LIMIT_SYNC_CONTENTS_BYTES (1024 * 1024)
#define LIMIT_CALLER_BYTES	  255
#define LIMIT_ANSWER_BYTES	  (512 * 1024) /* a remembered answer, in hexadecimal */

/* What stays free in the store for stopping and removing; an eighth of it at most. */
#define LIMIT_STORE_HEADROOM_BYTES (32 * 1024 * 1024)

/* A commit. */
#define LIMIT_GROUP_RECORDS 100
#define LIMIT_GROUP_BYTES   (1024 * 1024)

/* HTTP. */
#define LIMIT_HTTP_LINE_BYTES		 (8 * 1024)
#define LIMIT_HTTP_HEAD_BYTES		 (16 * 1024)
#define LIMIT_HTTP_HEADERS		 64
#define LIMIT_HTTP_BODY_BYTES		 (64 * 1024)
#define LIMIT_HTTP_APPLY_BODY_BYTES	 (4 * 1024 * 1024)
#define LIMIT_HTTP_CHUNK_EXTENSION_BYTES 256
#define LIMIT_HTTP_TRAILER_BYTES	 (8 * 1024)
#define LIMIT_HTTP_CONNECTIONS		 4096
#define LIMIT_HTTP_HEAD_TIMEOUT_MS	 10000
#define LIMIT_HTTP_REQUEST_TIMEOUT_MS	 30000
#define LIMIT_HTTP_IDLE_TIMEOUT_MS	 60000
#define LIMIT_HTTP_BODY_GRACE_MS	 10000 /* after it a body must have come at this rate: */
#define LIMIT_HTTP_BODY_BYTES_PER_SECOND 1024
#define LIMIT_HTTP_WRITE_STALL_MS	 30000
#define LIMIT_HTTP_PIPELINE_BYTES	 (32 * 1024)
#define LIMIT_HTTP_OUTPUT_BYTES		 (4 * 1024 * 1024)
#define LIMIT_LIST_PAGE_ITEMS		 500

/* TLS over TCP. Those by address bind who shows no certificate. */
#define LIMIT_TLS_HANDSHAKES		  256 /* under way at once */
#define LIMIT_TLS_HANDSHAKE_MS		  5000
#define LIMIT_ADDRESS_CONNECTIONS	  64
#define LIMIT_ADDRESS_ARRIVALS_PER_MINUTE 600 /* connections and requests */
#define LIMIT_ADDRESS_ARRIVALS_BURST	  20
#define LIMIT_ADDRESS_EXCUSED_MS	  (3600LL * 1000) /* since a worker came from it */
#define LIMIT_HTTP_RESERVED		  64 /* connections, descriptors: for the own socket and workers */

/* Streams (logs, events). */
#define LIMIT_STREAMS	  256
#define LIMIT_EVENTS_KEPT 4096

/* WebSocket. */
#define LIMIT_WS_MESSAGE_BYTES	 (64 * 1024 * 1024)
#define LIMIT_WS_SEND_HIGH_BYTES (1024 * 1024)
#define LIMIT_WS_OUTPUT_BYTES	 (2 * LIMIT_WS_MESSAGE_BYTES)
#define LIMIT_WS_PING_MS	 10000
#define LIMIT_WS_PONG_MS	 10000

/* Trust. */
#define LIMIT_CSR_BYTES		   (16 * 1024)
#define LIMIT_JOIN_BODY_BYTES	   (16 * 1024)
#define LIMIT_PEM_FILE_BYTES	   (64 * 1024)
#define LIMIT_JOINS_PER_MINUTE	   5  /* refused ones, of one address */
#define LIMIT_REQUESTS_PER_SECOND  50 /* of one identity */
#define LIMIT_REQUESTS_BURST	   100
#define LIMIT_BUCKETS		   4096 /* addresses or identities that are counted at once */
#define LIMIT_CERTIFICATE_LIFE_S   (30LL * 24 * 3600)
#define LIMIT_CERTIFICATE_LAPSE_S  (365LL * 24 * 3600) /* expired for longer: a token is needed */
#define LIMIT_STREAM_AUTHORISED_MS 60000 /* a stream's right is looked at this often */

/* JSON. */
#define LIMIT_JSON_DEPTH	32
#define LIMIT_JSON_VALUES	10000
#define LIMIT_JSON_APPLY_VALUES 500000

/* Commands that run in a container beside its own. */
#define LIMIT_HOOKS   16	       /* before, and after */
#define LIMIT_HOOK_MS (10 * 60 * 1000) /* of one after the start */

/* A health check that the worker makes. */
#define LIMIT_PROBES		      128 /* at once, of one worker */
#define LIMIT_PROBE_HEADERS	      16
#define LIMIT_PROBE_HEADER_BYTES      1024
#define LIMIT_PROBE_HEADER_NAME_BYTES 128
#define LIMIT_PROBE_STATUS_MIN	      100
#define LIMIT_PROBE_INTERVAL_MIN_MS   100
#define LIMIT_PROBE_ANSWER_BYTES      (16 * 1024) /* more of an answer is not read */

/* Compose files. */
#define LIMIT_YAML_FILE_BYTES  (4 * 1024 * 1024)
#define LIMIT_YAML_DEPTH       64
#define LIMIT_YAML_NODES       200000
#define LIMIT_COMPOSE_FILES    64 /* that take part in one project */
#define LIMIT_COMPOSE_MISTAKES 10 /* that are told of its files at once */
#define LIMIT_COMPOSE_DEPTH    16 /* of files or services that build on each other */
#define LIMIT_COMPOSE_BYTES    (16 * 1024 * 1024)
#define LIMIT_COMPOSE_MERGED   200000 /* values in what merging them makes */

/* The audit log: of one file. */
#define LIMIT_AUDIT_FILE_BYTES (16LL * 1024 * 1024)

/* The policy of a machine. */
#define LIMIT_POLICY_FILE_BYTES (64 * 1024)

/* Docker's answers. Its list of containers is read as it comes, so what they are in all does not matter: each of them
 * may be as long as another answer. */
#define LIMIT_DOCKER_BODY_BYTES	   (64 * 1024 * 1024)
#define LIMIT_DOCKER_LISTED	   250000
#define LIMIT_DOCKER_MESSAGE_BYTES (1024 * 1024) /* of what came in the place of a list */

/* Times of the protocol between manager and worker. */
#define LIMIT_BEAT_MS	     2000
#define LIMIT_NODE_SILENT_MS 10000
/* When more is said in a second, a worker is told news this far apart for each worker connected, up to the last. */
#define LIMIT_TELL_PER_SECOND	     1000
#define LIMIT_TELL_PER_NODE_US	     500
#define LIMIT_TELL_MAX_MS	     1000
#define LIMIT_RUNTIME_GRACE_MS	     60000
#define LIMIT_START_GRACE_MS	     60000
#define LIMIT_MOVE_PATIENCE_MS	     10000 /* then a task that has to move and finds no node is stopped */
#define LIMIT_UPDATE_MONITOR_MS	     5000
#define LIMIT_UPDATE_DEADLINE_MIN_MS 30000
#define LIMIT_MOVE_STEP_MS	     (10 * 60 * 1000) /* then one whose successor comes no further is */
#define LIMIT_LEFT_NODE_AGE_MS	     (24LL * 3600 * 1000)
/* For as long as a certificate made just before the removal could be shown, and a day. */
#define LIMIT_REMOVED_NODE_AGE_MS                                                                  \
	((LIMIT_CERTIFICATE_LIFE_S + LIMIT_CERTIFICATE_LAPSE_S) * 1000 + LIMIT_LEFT_NODE_AGE_MS)
/* Tasks started elsewhere whose node is lost or fenced; where more nodes are ready, one for each. */
#define LIMIT_REPLACE_PER_SECOND 500
#define LIMIT_STORM_NODES	 3  /* so many nodes lost within one timeout, ... */
#define LIMIT_STORM_PERCENT	 20 /* ... and more than so many of all, are a storm */
/* A container of a job with on_disconnect: stop may run for a lease longer than its worker was last answered. */
#define LIMIT_LEASE_MIN_MS    60000
#define LIMIT_LEASE_MARGIN_MS 30000 /* and a quarter of lease and stop grace: manager/lease.c */
/* Workers that lose the manager at once come back spread over this for each of them, but within LIMIT_RECONNECT_MAX_MS;
 * one whose identity another worker uses, or whose release does not fit, comes back this late. */
#define LIMIT_RECONNECT_PER_NODE_MS 2
#define LIMIT_RECONNECT_REFUSED_MS  60000
#define LIMIT_RECONNECT_UNKNOWN_MS                                                                 \
	30000 /* of who is not let in: each try waits for longer, up to this */
#define LIMIT_RECONNECT_FIRST_MS 100
#define LIMIT_RECONNECT_MAX_MS	 5000

#endif
