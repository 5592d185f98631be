/* What may go wrong in the simulated world: one row per class. Each seed draws which classes it has, and how often. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

// clang-format off
/*    class                     name                        per mille, at most (of the opportunities) */
#define FAULT_TABLE(X)                                                                             \
	X(FAULT_MESSAGE_LOST,         "message lost",               200)                               \
	X(FAULT_MESSAGE_TWICE,        "message duplicated",         150)                               \
	X(FAULT_MESSAGE_LATE,         "message reordered",          150)                               \
	X(FAULT_SESSION_DROPPED,      "session dropped",             30)                               \
	X(FAULT_PARTITION,            "worker cut off",             300)                               \
	X(FAULT_PARTITION_ONE_WAY,    "worker cut off one way",     200)                               \
	X(FAULT_HALVES,               "half of the workers cut off", 60)                               \
	X(FAULT_SWIZZLE,              "links clogged one by one",    60)                               \
	X(FAULT_REPLY_LOST,           "answer to a client lost",    200)                               \
	X(FAULT_MANAGER_CRASH,        "manager crashed",            200)                               \
	X(FAULT_MANAGER_BEFORE_COMMIT,"manager crashed before or during a commit", 15)                 \
	X(FAULT_MANAGER_BEFORE_SPEAK, "manager crashed between commit and speech", 15)                 \
	X(FAULT_MANAGER_PAUSED,       "manager paused",             100)                               \
	X(FAULT_WORKER_CRASH,         "worker crashed",             300)                               \
	X(FAULT_WORKER_BEFORE_COMMIT, "worker crashed before or during a commit", 10)                  \
	X(FAULT_WORKER_BEFORE_ACT,    "worker crashed between commit and action", 10)                  \
	X(FAULT_WORKER_PAUSED,        "worker paused",              200)                               \
	X(FAULT_WORKER_UPGRADED,      "worker replaced by another release", 100)                       \
	X(FAULT_REBOOT,               "machine rebooted",           150)                               \
	X(FAULT_SCRAPPED,             "machine lost for good",       20)                               \
	X(FAULT_GIVEN_UP,             "machine given up that comes back", 500)                         \
	X(FAULT_SLEEP,                "machine suspended",          150)                               \
	X(FAULT_COMMIT_FAILED,        "commit failed",               15)                               \
	X(FAULT_COMMIT_UNKNOWN,       "commit with unknown outcome", 15)                               \
	X(FAULT_COMMIT_SLOW,          "commit slow",                 15)                               \
	X(FAULT_STORE_FULL,           "store full",                 150)                               \
	X(FAULT_DOCKER_ERROR,         "docker error before effect",  60)                               \
	X(FAULT_DOCKER_AMBIGUOUS,     "docker error after effect",   80)                               \
	X(FAULT_DOCKER_UNREACHED,     "docker not reached",          60)                               \
	X(FAULT_DOCKER_HANG,          "docker hangs",                20)                               \
	X(FAULT_DOCKER_FROZEN,        "docker stopped by a signal", 150)                               \
	X(FAULT_HINT_LOST,            "docker event lost",          500)                               \
	X(FAULT_LIST_STALE,           "docker list is old",         300)                               \
	X(FAULT_DOCKER_RESTART,       "docker restarted",           250)                               \
	X(FAULT_LIVE_RESTORE,         "docker restarted, containers live on", 150)                     \
	X(FAULT_PULL_SLOW,            "slow pull",                  300)                               \
	X(FAULT_PULL_BROKEN,          "pull failed",                100)                               \
	X(FAULT_IMAGE_MISSING,        "image missing",              100)                               \
	X(FAULT_PORT_HELD,            "port held by others",        200)                               \
	X(FAULT_EXIT,                 "container exited by itself", 400)                               \
	X(FAULT_OOM,                  "container out of memory",    150)                               \
	X(FAULT_STOP_IGNORED,         "stop signal ignored",        300)                               \
	X(FAULT_UNHEALTHY,            "container unhealthy",        300)                               \
	X(FAULT_HOOK,                 "hook of a container failed", 200)                               \
	X(FAULT_REMOVED_BY_OTHERS,    "container removed by others",100)                               \
	X(FAULT_ORPHAN,               "container of a forgotten task", 50)                             \
	X(FAULT_NAME_TAKEN,           "name taken by a foreign container", 40)                         \
	X(FAULT_CLOCK_JUMP,           "wall clock jumped",          150)

enum fault_class {
#define FAULT_ENUM(class, name, per_mille) class,
	FAULT_TABLE(FAULT_ENUM)
#undef FAULT_ENUM
	FAULT_COUNT
};
// clang-format on

struct fault_row {
	const char *name;
	int per_mille_max;
};
extern const struct fault_row fault_rows[FAULT_COUNT];

#endif
