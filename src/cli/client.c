/* Which manager a command talks to: the socket that was named, else the context that was named, else the one in use. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/contexts.h"

/* The name of the context, or NULL for the socket. The caller frees. */
static char *chosen(const struct invocation *invocation)
{
	const char *environment = getenv("DROVER_CONTEXT");
	char *name = NULL;
	if (invocation->context_name)
		name = base_strdup(invocation->context_name);
	else if (invocation->host_given)
		return NULL;
	else if (environment && *environment)
		name = base_strdup(environment);
	else
		name = context_current();
	if (strcmp(name, CONTEXT_DEFAULT) != 0)
		return name;
	base_free(name);
	return NULL;
}

const struct context *cli_context(struct invocation *invocation)
{
	cli_client(invocation);
	return invocation->context;
}

struct api_client *cli_client(struct invocation *invocation)
{
	struct err err;
	if (invocation->client)
		return invocation->client;
	_cleanup_free_ char *name = chosen(invocation);
	if (name) {
		invocation->context = base_calloc(1, sizeof(*invocation->context));
		/* No command can do without its manager. */
		if (context_open(name, invocation->context, &err)) {
			base_free(invocation->context);
			invocation->context = NULL;
			exit(cli_fail(invocation, &err));
		}
	}
	invocation->client = api_client_new(name ? &invocation->context->endpoint
						 : ENDPOINT_OF_PATH(invocation->host));
	return invocation->client;
}

void cli_client_release(struct invocation *invocation)
{
	api_client_free(invocation->client);
	if (invocation->context)
		context_close(invocation->context);
	base_free(invocation->context);
}
