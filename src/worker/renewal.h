/* Keeping the worker's certificate young while it runs: asked anew at the certificate's own point of its life, and when
 * the manager says that it has expired, which its clock may know better than ours. */
#ifndef WORKER_RENEWAL_H
#define WORKER_RENEWAL_H

#include <event2/event.h>

#include "net/endpoint.h"
#include "trust/membership.h"

struct renewal;

/* `renewed` is called from the loop when new connections show a new certificate. Borrows everything. */
struct renewal *renewal_new(struct event_base *base, struct membership *membership,
			    const struct endpoint *manager, void (*renewed)(void *owner),
			    void *owner);
void renewal_free(struct renewal *renewal);

/* The manager refused us: look soon whether it is the certificate. */
void renewal_hurry(struct renewal *renewal);

#endif
