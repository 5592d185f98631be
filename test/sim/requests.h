/* What clients ask for, drawn at random. */
#ifndef SIM_REQUESTS_H
#define SIM_REQUESTS_H

#include "manager/rebalance.h"
#include "sim.h"

/* In one rebalance. */
#define MOVES_AT_ONCE 6

/* A request that owns everything it points to. */
struct sim_request {
	int client;
	uint64_t attempt;
	struct manager_request request;
	struct project_request project_request;
	char key[48];
	char project[16];
	char job[16];
	char volume[24];
	struct pairs labels; /* of a node */
	struct planned_move moves[MOVES_AT_ONCE];
	size_t n_moves;
	struct rebalance_request rebalance;
};

/* The longest that an update of a drawn job waits for a task to come further. */
#define UPDATE_DEADLINE_MAX_MS 120000

struct sim_request *request_draw(struct sim *sim, const struct sim_client *client);
/* A small one, of a project of its own. */
#define REQUEST_LAST_KEY "last"
struct sim_request *request_last(void);
/* The job is to be stopped; one of its project. */
struct sim_request *request_stop(const struct job_entry *entry);
struct sim_request *request_copy(const struct sim_request *request);
void request_free(void *request);
/* Plan what the client asks for, if it is its turn (rehearsals.c). */
void sim_rehearse(struct sim *sim, const struct sim_client *client);

#endif
