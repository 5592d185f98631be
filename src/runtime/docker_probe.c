/* PROBE: Docker has no part in it but that the action ends when it goes away. */
#include "runtime/docker.h"

#include "net/probe.h"

static void release_call(void *data)
{
	probe_call_cancel(data);
}

static void probed(void *owner, enum probe_end end, const char *words)
{
	struct docker_op *op = owner;
	/* The call is freed when this returns. */
	op->release = NULL;
	switch (end) {
	case PROBE_PASSED: docker_op_end(op); break;
	case PROBE_FAILED: docker_op_fault(op, FAULT_CHECK_FAILED, words); break;
	case PROBE_NOT_MADE: docker_op_fault(op, FAULT_FAILED, words); break;
	}
}

void docker_probe(struct docker_op *op, const struct container_action *action)
{
	const struct probe *probe = action->spec->probe;
	const struct probe_call_options options = {
		.address = action->address,
		.port = (int)probe->port,
		.http = probe->kind != PROBE_TCP,
		.tls = probe->kind == PROBE_HTTPS,
		.path = probe->path ? probe->path : "/",
		.headers = &probe->headers,
		.status_first = probe->status_first ? (int)probe->status_first : PROBE_STATUS_FIRST,
		.status_last = probe->status_last ? (int)probe->status_last : PROBE_STATUS_LAST,
		.timeout_ms = action->timeout_ms,
	};
	op->data = prober_ask(op->docker->prober, &options, probed, op);
	op->release = release_call;
}
