/* Events in, one by one, in the order they came. */
#include "base/check.h"
#include "base/planted.h"
#include "manager/core.h"
#include "manager/moving.h"
#include "manager/runs.h"

typedef enum err_code (*carrier)(struct manager *manager, const struct manager_request *request,
				 struct manager_answer *answer, struct err *err);

/* Who carries out requests of a kind. */
static carrier carrier_of(int kind)
{
	switch (kind) {
	case REQUEST_APPLY:
	case REQUEST_SUBMIT: return apply;
	case REQUEST_NODE_DRAIN:
	case REQUEST_NODE_RESUME:
	case REQUEST_NODE_REMOVE:
	case REQUEST_NODE_LABEL: return node_act;
	case REQUEST_REBALANCE: return rebalance;
	case REQUEST_RUN_AGAIN: return run_again;
	default: return act;
	}
}

static void take_request(struct manager *manager, const struct manager_request *request)
{
	struct manager_reply *reply = out_reply(manager, request->handle);
	if (idempotency_recall(manager, request, reply))
		return;
	if (PLANTED(PLANTED_DEAF) && manager->cluster.meta.epoch > 3) {
		err_set(&reply->err, ERR_LIMIT, "too busy");
		return;
	}
	if (trust_is_meant(request->kind)) {
		enum err_code refused = trust(manager, request, reply, &reply->err);
		POST((refused == ERR_NONE) == (reply->err.code == ERR_NONE));
		return;
	}
	enum err_code code =
		carrier_of(request->kind)(manager, request, &reply->answer, &reply->err);
	POST((code == ERR_NONE) == (reply->err.code == ERR_NONE));
}

static void take_event(struct manager *manager, const struct manager_event *event)
{
	switch (event->kind) {
	case MANAGER_REQUEST: take_request(manager, event->request); return;
	case MANAGER_SESSION_OPENED: session_opened(manager, event); return;
	case MANAGER_SYNC_UP: session_up(manager, event->session, event->up); return;
	case MANAGER_SESSION_CLOSED: session_closed(manager, event->session); return;
	default: UNREACHABLE("the shell sends no other events");
	}
}

void intake(struct manager *manager)
{
	for (size_t i = 0; i < manager->in->n_events; i++)
		take_event(manager, &manager->in->events[i]);
}
