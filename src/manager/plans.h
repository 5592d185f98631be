/* Plans are made by children: a fork of the manager holds its world as it is at that moment, at no cost but for the
 * pages that change meanwhile, and rehearses the request on it. So a plan is exact, takes as long as it takes while the
 * manager goes on, and can spoil nothing: the child closes every file but the pipe of its answer. */
#ifndef MANAGER_PLANS_H
#define MANAGER_PLANS_H

#include <event2/event.h>

#include "api/server.h"

struct plans;

struct plans *plans_new(struct event_base *base, struct api_server *server);
/* Ends children that are still at work; their clients are not answered. */
void plans_free(struct plans *plans);

/* Rehearse the mutation, which is taken, on the world of the manager, and answer its client once that is done: with
 * ERR_LIMIT where LIMIT_PLANS_AT_ONCE are being made, ERR_TIMEOUT after LIMIT_PLAN_MS. Outside of a step. */
void plans_make(struct plans *plans, struct manager *manager, const struct manager_in *in,
		struct api_mutation *mutation);
/* The client of this mutation has gone away: its child ends, if it has one. */
void plans_forget(struct plans *plans, uint64_t handle);

#endif
