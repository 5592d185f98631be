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

/*    number                 name */
#define PLANTED_TABLE(X) X(PLANTED_NONE, "none")

enum planted {
#define PLANTED_ENUM(number, name) number,
	PLANTED_TABLE(PLANTED_ENUM)
#undef PLANTED_ENUM
	PLANTED_COUNT
};

#ifdef PLANTED_BUGS
extern int planted_bug; /* enum planted: the one that is on */
#define PLANTED(bug) (planted_bug == (bug))
#else
#define PLANTED(bug) false
#endif

#endif
