/* The manager's gate for other machines: the cluster's CA, the manager's own certificate, which is issued anew at each
 * start and before it grows old, and the key that lets TLS sessions resume across restarts. */
#ifndef MANAGER_GATE_H
#define MANAGER_GATE_H

#include <event2/event.h>

#include "net/endpoint.h"
#include "trust/authority.h"

struct gate;

struct gate_options {
	const char *dir;
	bool is_known; /* somebody has joined or holds a token, and would be locked out by a new authority */
	bool new_authority; /* the operator's word that one is to be made all the same */
};

/* Open DIR, making what is missing. ERR_DAMAGED: also where the authority is missing and known; ERR_CONFLICT: a new one
 * is wanted, and there is one; ERR_STORE, ERR_STORE_FULL. */
enum err_code gate_open(struct event_base *base, const struct gate_options *options,
			struct gate **ret_gate, struct err *err) WARN_UNUSED;
void gate_free(struct gate *gate);

const struct authority *gate_authority(const struct gate *gate);

/* Be the manager of this cluster from now on: the context of TLS for its listeners, owned by the gate. */
enum err_code gate_certify(struct gate *gate, struct uuid cluster, struct tls_context **ret_tls,
			   struct err *err) WARN_UNUSED;

/* Where joiners find a manager that listens there: `advertise` when given, else the address listened on, or, where that
 * is all of them, one of this machine's that others can reach. ERR_INVALID. */
enum err_code gate_address(const struct endpoint *listen, const char *advertise,
			   char ret_address[ENDPOINT_TEXT_SIZE], struct err *err) WARN_UNUSED;

#endif
