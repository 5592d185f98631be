/* Bugs planted on purpose, to prove that each invariant of the simulator catches what it is meant to catch. A site in
 * the cores reads
 *
 *     if (!PLANTED(PLANTED_X))
 *             the_right_thing();
 *
 * In the program PLANTED() is the constant false and costs nothing. Only a build with -DPLANTED_BUGS has the switch;
 * that build defines `planted_bug`. */
#ifndef BASE_PLANTED_H
#define BASE_PLANTED_H

#include <stdbool.h>

// clang-format off
/*    number                      name                  caught by: what is wrong */
#define PLANTED_TABLE(X)                                                                           \
	X(PLANTED_NONE,               "none")                                                          \
	X(PLANTED_SECOND_CONTAINER,   "second-container")   /* I1: no answer to a start is a no */         \
	X(PLANTED_LEASE_IGNORED,      "lease-ignored")      /* I2: a lost task is replaced at once */      \
	X(PLANTED_UNWRITTEN_JOB,      "unwritten-job")      /* I3: a stop is not stored */                 \
	X(PLANTED_FALSE_RESTART,      "false-restart")      /* I4: running is reported as scheduled */     \
	X(PLANTED_FINAL_CHANGES,      "final-changes")      /* I5: a lost task takes a late exit code */   \
	X(PLANTED_MEMORY_UNCHECKED,   "memory-unchecked")   /* I6: a filter is missing */                  \
	X(PLANTED_PORT_UNOWNED,       "port-unowned")       /* I7: ports in use look free */               \
	X(PLANTED_PIN_IGNORED,        "pin-ignored")        /* I8: a volume's machine is not looked at */    \
	X(PLANTED_OLD_MESSAGE,        "old-message")        /* I10: older sets are taken */                \
	X(PLANTED_STOP_UNSEEN,        "stop-unseen")        /* I11: stopped once the signal is sent */     \
	X(PLANTED_FOREIGN_TAKEN,      "foreign-taken")      /* I12: the label is not looked at */          \
	X(PLANTED_UPDATE_UNBOUNDED,   "update-unbounded")   /* I13: who is not ready yet holds no place */ \
	X(PLANTED_RESTART_UNCOUNTED,  "restart-uncounted")  /* I14: the policy never is used up */         \
	X(PLANTED_KEY_FORGOTTEN,      "key-forgotten")      /* I15: an answer is not remembered */         \
	X(PLANTED_MEMORY_BEHIND,      "memory-behind")      /* I16: a stop is stored, and not in memory */ \
	X(PLANTED_EVENT_LOST,         "event-lost")         /* I17: failures are not told */               \
	X(PLANTED_HISTORY_KEPT,       "history-kept")       /* I18: no ended task is forgotten */          \
	X(PLANTED_GRACE_SKIPPED,      "grace-skipped")      /* I19: after a start all is judged at once */ \
	X(PLANTED_STANDSTILL_UNSEEN,  "standstill-unseen")  /* I21: what waits to be read is not waited for */ \
	X(PLANTED_HOME_FORGOTTEN,     "home-forgotten")     /* L1: who is apart stays so */               \
	X(PLANTED_HOME_KEPT,          "home-kept")          /* L2: a home that no longer takes all is kept */ \
	X(PLANTED_BRAKE_OFF,          "brake-off")          /* I20: no storm holds replacements */         \
	X(PLANTED_WALL_CLOCK,         "wall-clock")         /* I22: a pause depends on the wall clock */   \
	X(PLANTED_RECORD_KEPT,        "record-kept")        /* I23: forgotten tasks stay in the store */   \
	X(PLANTED_HIDDEN_STATE,       "hidden-state")       /* I27: a pause depends on earlier runs */     \
	X(PLANTED_EXIT_MISSED,        "exit-missed")        /* L1: the list is not compared */             \
	X(PLANTED_GAP_ACKED,          "gap-acked")          /* L1: what was lost before it is not missed */ \
	X(PLANTED_NEVER_WOKEN,        "never-woken")        /* L2: what is parked stays parked */          \
	X(PLANTED_DEAF,               "deaf")               /* L3: after some starts all is refused */     \
	X(PLANTED_ORPHAN_KEPT,        "orphan-kept")        /* L4: orphans are left alone */               \
	X(PLANTED_REMOVAL_UNHEARD,    "removal-unheard")    /* L4: a removed node runs on */               \
	X(PLANTED_UPDATE_ENDLESS,     "update-endless")     /* L5: what is done is not put on record */   \
	X(PLANTED_RESTLESS,           "restless")           /* L7: what has not changed is stored */       \
	X(PLANTED_PLACED_ANYWHERE,    "placed-anywhere")    /* placed: constraints are not looked at */     \
	X(PLANTED_TURNS_FORGOTTEN,    "turns-forgotten")    /* turns: each slot is filled at once */       \
	X(PLANTED_RUN_BESIDE,         "run-beside")         /* runs: the one under way is not looked at */ \
	X(PLANTED_RUN_AGAIN,          "run-again")          /* runs: a clock that is set back is believed */

enum planted {
#define PLANTED_ENUM(number, name) number,
	PLANTED_TABLE(PLANTED_ENUM)
#undef PLANTED_ENUM
	PLANTED_COUNT
};
// clang-format on

#ifdef PLANTED_BUGS
extern int planted_bug; /* enum planted: the one that is on */
#define PLANTED(bug) (planted_bug == (bug))
#else
#define PLANTED(bug) false
#endif

#endif
