#include "worker/renewal.h"

#include <string.h>

#include "api/client.h"
#include "api/join.h"
#include "base/alloc.h"
#include "net/http_client.h"
#include "net/shell.h"

#define PART	       "worker"
#define LOOK_SECONDS   60
#define CALL_MS	       30000
#define BODY_BYTES_MAX (256 * 1024)

struct renewal {
	struct membership *membership;
	const struct endpoint *manager;
	void (*renewed)(void *owner);
	void *owner;
	struct http_client *http;
	struct http_call *call; /* NULL: none is under way */
	struct event *look;
	bool hurry;
	char said[ERR_MESSAGE_MAX]; /* the last failure; it is told once */
};

static void failed(struct renewal *renewal, const char *why)
{
	char ended[CERTIFICATE_TIME_SIZE];
	if (strcmp(renewal->said, why) == 0)
		return;
	text_print(renewal->said, sizeof(renewal->said), "%s", why);
	shell_log(PART, "the certificate, good until %s, could not be renewed: %s; trying again",
		  certificate_time(renewal->membership->certificate.not_after_s, ended), why);
}

static void take(struct renewal *renewal, struct http_view body)
{
	char ends[CERTIFICATE_TIME_SIZE];
	struct err err;
	if (renew_take(renewal->membership, renewal->manager, body.bytes ? body.bytes : "",
		       body.len, &err)) {
		failed(renewal, err.message);
		return;
	}
	renewal->said[0] = '\0';
	shell_log(PART, "certificate renewed, good until %s",
		  certificate_time(renewal->membership->certificate.not_after_s, ends));
	renewal->renewed(renewal->owner);
}

static void on_done(void *owner, struct http_call *call, const struct err *err, enum http_sent sent,
		    int status, struct http_view body)
{
	struct renewal *renewal = owner;
	struct err refusal;
	(void)call;
	(void)sent;
	renewal->call = NULL;
	if (err)
		failed(renewal, err->message);
	else if (api_client_refusal(status, body, &refusal))
		failed(renewal, refusal.message);
	else
		take(renewal, body);
}

static void ask(struct renewal *renewal)
{
	static const struct http_call_events events = { .done = on_done };
	_cleanup_free_ char *body = NULL;
	struct err err;
	if (renew_body(renewal->membership, &body, &err)) {
		failed(renewal, err.message);
		return;
	}
	struct http_call_options options = {
		.method = "POST",
		.target = "/v1/renew",
		.content_type = "application/json",
		.body = body,
		.body_len = strlen(body),
		.timeout_ms = CALL_MS,
		.body_bytes_max = BODY_BYTES_MAX,
		.fresh_connection = true,
	};
	renewal->call = http_client_call(renewal->http, &options, &events, renewal);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct renewal *renewal = arg;
	const struct certificate *certificate = &renewal->membership->certificate;
	(void)fd;
	(void)what;
	event_add(renewal->look, &(struct timeval){ .tv_sec = LOOK_SECONDS });
	bool due = renewal->hurry || shell_wall_ms() / 1000 >= certificate_renew_at_s(certificate);
	renewal->hurry = false;
	if (due && !renewal->call)
		ask(renewal);
}

struct renewal *renewal_new(struct event_base *base, struct membership *membership,
			    const struct endpoint *manager, void (*renewed)(void *owner),
			    void *owner)
{
	struct renewal *renewal = base_calloc(1, sizeof(*renewal));
	*renewal = (struct renewal){
		.membership = membership, .manager = manager, .renewed = renewed, .owner = owner
	};
	renewal->http = http_client_new(base, manager, 1);
	renewal->look = event_new(base, -1, 0, on_look, renewal);
	event_active(renewal->look, EV_TIMEOUT, 1);
	return renewal;
}

void renewal_free(struct renewal *renewal)
{
	if (!renewal)
		return;
	http_client_free(renewal->http);
	event_free(renewal->look);
	base_free(renewal);
}

void renewal_hurry(struct renewal *renewal)
{
	renewal->hurry = true;
}
