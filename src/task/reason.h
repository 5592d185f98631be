/* Why a task is in the state it is in: one row per reason. `after` says what the manager does with the slot when a
 * task ended for it (docs/ARCHITECTURE.md, "what happens after an end"). */
#ifndef TASK_REASON_H
#define TASK_REASON_H

#include "base/record.h"

enum reason_after {
	AFTER_NOT_AN_END = 0,
	AFTER_SUCCESS, /* exit_zero */
	AFTER_LEAVE,   /* leave the slot; job shown degraded until a new revision or `restart` */
	AFTER_REPLACE_ELSEWHERE, /* new task after back-off, this node penalised for the job */
	AFTER_REPLACE_NOW,	 /* new task at once; no attempt used */
	AFTER_ASKED,		 /* ended because it was asked to: nothing follows by itself */
};

// clang-format off
/*    enum                      name                   after */
#define REASON_TABLE(X)                                                                            \
	X(REASON_NONE,              "none",                AFTER_NOT_AN_END)                           \
	/* pending */                                                                                  \
	X(REASON_QUEUED,            "queued",              AFTER_NOT_AN_END)                           \
	X(REASON_NO_NODE_FITS,      "no_node_fits",        AFTER_NOT_AN_END)                           \
	X(REASON_WAITS_DEPENDENCY,  "waits_for_dependency",AFTER_NOT_AN_END)                           \
	X(REASON_WAITS_VOLUME,      "waits_for_volume",    AFTER_NOT_AN_END)                           \
	X(REASON_WAITS_BACKOFF,     "waits_for_retry",     AFTER_NOT_AN_END)                           \
	/* scheduled */                                                                                \
	X(REASON_ASSIGNED,          "assigned",            AFTER_NOT_AN_END)                           \
	X(REASON_PULLING,           "pulling",             AFTER_NOT_AN_END)                           \
	X(REASON_STARTING,          "starting",            AFTER_NOT_AN_END)                           \
	X(REASON_RESTARTING,        "restarting",          AFTER_NOT_AN_END)                           \
	X(REASON_RUNTIME_AWAY,      "runtime_unavailable", AFTER_NOT_AN_END)                           \
	/* running */                                                                                  \
	X(REASON_RUNNING,           "running",             AFTER_NOT_AN_END)                           \
	X(REASON_STOPPING,          "stopping",            AFTER_NOT_AN_END)                           \
	/* completed */                                                                                \
	X(REASON_EXIT_ZERO,         "exit_zero",           AFTER_SUCCESS)                              \
	X(REASON_STOPPED,           "stopped",             AFTER_ASKED)                                \
	X(REASON_SCALED_DOWN,       "scaled_down",         AFTER_ASKED)                                \
	X(REASON_UPDATED,           "updated",             AFTER_REPLACE_NOW)                          \
	X(REASON_RESTARTED,         "restarted",           AFTER_REPLACE_NOW)                          \
	X(REASON_REMOVED,           "removed",             AFTER_ASKED)                                \
	X(REASON_DRAINED,           "drained",             AFTER_REPLACE_NOW)                          \
	/* failed: the container ran */                                                                \
	X(REASON_EXIT_NONZERO,      "exit_nonzero",        AFTER_LEAVE)                                \
	X(REASON_SIGNALLED,         "killed_by_signal",    AFTER_LEAVE)                                \
	X(REASON_OOM_KILLED,        "out_of_memory",       AFTER_LEAVE)                                \
	X(REASON_UNHEALTHY,         "unhealthy",           AFTER_LEAVE)                                \
	X(REASON_VANISHED,          "container_vanished",  AFTER_LEAVE)                                \
	X(REASON_INTERRUPTED,       "interrupted",         AFTER_REPLACE_NOW)                          \
	/* failed: it could not start */                                                               \
	X(REASON_IMAGE_NOT_FOUND,   "image_not_found",     AFTER_REPLACE_ELSEWHERE)                    \
	X(REASON_PULL_FAILED,       "image_pull_failed",   AFTER_REPLACE_ELSEWHERE)                    \
	X(REASON_PORT_TAKEN,        "port_taken",          AFTER_REPLACE_ELSEWHERE)                    \
	X(REASON_COMMAND_NOT_FOUND, "command_not_found",   AFTER_LEAVE)                                \
	X(REASON_SPEC_REFUSED,      "refused_by_docker",   AFTER_LEAVE)                                \
	X(REASON_MOUNT_FAILED,      "mount_failed",        AFTER_REPLACE_ELSEWHERE)                    \
	X(REASON_START_FAILED,      "start_failed",        AFTER_REPLACE_ELSEWHERE)                    \
	/* failed: the manager's verdict */                                                            \
	X(REASON_NODE_LOST,         "node_lost",           AFTER_REPLACE_NOW)                          \
	X(REASON_PLACEMENT_DEADLINE,"placement_deadline",  AFTER_LEAVE)                                \
	X(REASON_DEPENDENCY_FAILED, "dependency_failed",   AFTER_LEAVE)                                \
	/* numbers are on disk: further rows of all kinds at the end */                                \
	X(REASON_POLICY,            "refused_by_policy",   AFTER_REPLACE_ELSEWHERE)                    \
	/* completed: its node stopped matching */                                                     \
	X(REASON_UNFIT,             "no_longer_fits",      AFTER_REPLACE_NOW)                          \
	X(REASON_LEASE_LAPSED,      "lease_lapsed",        AFTER_REPLACE_NOW)                          \
	/* completed: was to take over a slot, and the move was called off */                          \
	X(REASON_WITHDRAWN,         "withdrawn",           AFTER_ASKED)                                \
	/* failed: max_run_time is over */                                                             \
	X(REASON_RAN_TOO_LONG,      "ran_too_long",        AFTER_LEAVE)                                \
	/* scheduled: its machine has not what the task finds as files */                              \
	X(REASON_WAITS_SECRET,      "waits_for_secret",    AFTER_NOT_AN_END)                          \
	/* failed: a command that is to run after the start */                                         \
	X(REASON_HOOK_FAILED,       "post_start_failed",   AFTER_LEAVE)                                \
	/* completed: its slot was moved to a node that is better */                                   \
	X(REASON_REBALANCED,        "rebalanced",          AFTER_REPLACE_NOW)

enum reason {
#define REASON_ENUM(code, name, after) code,
	REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
	REASON_COUNT
};
// clang-format on

extern const struct enum_name reason_names[];

const char *reason_name(int reason);
enum reason_after reason_after(int reason);

#endif
