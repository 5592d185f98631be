/* /v1/events: what happens, as Server-Sent Events. The last LIMIT_EVENTS_KEPT are kept, so a follower that comes back
 * with Last-Event-ID (or ?after=) misses nothing, or is told that it did by an event of kind "resync". Ids are
 * EPOCH-NUMBER: another epoch is another run of the manager. */
#include <string.h>

#include "api/server_int.h"
#include "base/alloc.h"
#include "base/parse.h"
#include "net/shell.h"

static int64_t epoch_of(struct api_server *server)
{
	if (server_manager(server))
		server->epoch = server_cluster(server)->meta.epoch;
	return server->epoch;
}

static const struct api_event *event_at(const struct api_server *server, size_t i)
{
	return &server->events[(server->first_event + i) % LIMIT_EVENTS_KEPT];
}

/* Written to `text`. */
static void write_event(struct api_server *server, const struct event_view *view, struct text *text)
{
	text_clear(text);
	text_addf(text, "id: %lld-%lld\nevent: %s\ndata: ", (long long)epoch_of(server),
		  (long long)view->number, view->kind);
	json_add_record(text, &event_view_type, view, JSON_ANSWER);
	text_add(text, "\n\n");
}

static void keep(struct api_server *server, int64_t number, const struct text *text)
{
	size_t slot = (server->first_event + server->n_events) % LIMIT_EVENTS_KEPT;
	if (server->n_events == LIMIT_EVENTS_KEPT) {
		base_free(server->events[slot].text);
		server->first_event = (server->first_event + 1) % LIMIT_EVENTS_KEPT;
		server->n_events--;
	}
	server->events[slot] =
		(struct api_event){ number, base_strndup(text->bytes, text->len), text->len };
	server->n_events++;
}

static void events_forget(struct api_server *server)
{
	for (size_t i = 0; i < server->n_events; i++)
		base_free(server->events[(server->first_event + i) % LIMIT_EVENTS_KEPT].text);
	server->first_event = 0;
	server->n_events = 0;
}

static void send_resync(struct api_server *server, struct api_follower *follower)
{
	struct text text;
	text_init(&text, 256);
	text_addf(&text, "id: %lld-%lld\nevent: resync\ndata: {\"kind\":\"resync\"}\n\n",
		  (long long)epoch_of(server), (long long)server->last_event_number);
	follower->next_number = server->last_event_number + 1;
	http_stream_write(follower->request->exchange, text_string(&text), text.len);
	text_release(&text);
}

/* Send what the follower has not had yet, until its buffer is full; then it is fed again when that has drained. */
static void feed(struct api_server *server, struct api_follower *follower)
{
	int64_t oldest =
		server->n_events ? event_at(server, 0)->number : server->last_event_number + 1;
	if (follower->next_number < oldest)
		send_resync(server, follower);
	while (follower->next_number <= server->last_event_number) {
		const struct api_event *event =
			event_at(server, (size_t)(follower->next_number - oldest));
		follower->next_number++;
		if (!http_stream_write(follower->request->exchange, event->text, event->len)) {
			follower->full = true;
			return;
		}
	}
}

static void feed_all(struct api_server *server)
{
	for (struct api_follower *at = server->followers; at; at = at->next)
		if (!at->full)
			feed(server, at);
}

static void on_drained(void *arg)
{
	struct api_follower *follower = arg;
	follower->full = false;
	feed(follower->request->server, follower);
}

void api_server_publish(struct api_server *server, const struct manager_happening *happenings,
			size_t n, int64_t wall_ms)
{
	struct text text;
	text_init(&text, LIMIT_STRING_BYTES);
	for (size_t i = 0; i < n; i++) {
		const struct manager_happening *happening = &happenings[i];
		/* Only looked at, and its strings stay with the happening. */
		const struct event_view view = {
			.number = ++server->last_event_number,
			.wall_ms = wall_ms,
			.kind = (char *)(uintptr_t)happening->kind,
			.subject = happening->subject,
			.id = happening->id,
			.state = (char *)(uintptr_t)happening->state,
			.reason = (char *)(uintptr_t)happening->reason,
			.message = happening->message,
		};
		write_event(server, &view, &text);
		keep(server, view.number, &text);
	}
	text_release(&text);
	feed_all(server);
}

void api_server_events_lost(struct api_server *server)
{
	/* A number that no event has makes every follower's next one older than the oldest kept. */
	events_forget(server);
	server->last_event_number++;
	feed_all(server);
}

/* Where a follower that has seen `text` ("EPOCH-NUMBER") goes on; the end when it is another run's or absent. */
static int64_t resume_number(struct api_server *server, const char *text)
{
	const char *dash = strchr(text, '-');
	int64_t epoch, number;
	if (!dash)
		return -1;
	_cleanup_free_ char *head = base_strndup(text, (size_t)(dash - text));
	if (parse_int(head, 0, INT64_MAX, &epoch, NULL) ||
	    parse_int(dash + 1, 0, INT64_MAX - 1, &number, NULL))
		return -1;
	return epoch == epoch_of(server) && number <= server->last_event_number ? number + 1 : 0;
}

void handle_events(struct api_request *request)
{
	struct api_server *server = request->server;
	struct http_view header =
		http_header_get(http_exchange_head(request->exchange), "last-event-id");
	char after[64] = "";
	if (header.bytes)
		text_print(after, sizeof(after), "%.*s", (int)header.len, header.bytes);
	else
		query_get(request, "after", after, sizeof(after));
	int64_t next_number = server->last_event_number + 1;
	if (after[0]) {
		next_number = resume_number(server, after);
		if (next_number < 0) {
			answer_code(request, ERR_INVALID, "an event id is EPOCH-NUMBER");
			return;
		}
	}
	struct api_follower *follower = base_calloc(1, sizeof(*follower));
	*follower = (struct api_follower){ .request = request,
					   .next_number = next_number,
					   .next = server->followers };
	server->followers = follower;
	request->follower = follower;
	http_stream_begin(request->exchange, 200, "text/event-stream",
			  "Cache-Control: no-store\r\n", on_drained, follower);
	http_stream_write(request->exchange, ":\n\n", 3);
	/* A resume point of another run: everything in between may be missed. */
	if (after[0] && next_number == 0)
		send_resync(server, follower);
	else
		feed(server, follower);
}

void follower_drop(struct api_request *request)
{
	struct api_follower **at = &request->server->followers;
	while (*at != request->follower)
		at = &(*at)->next;
	*at = request->follower->next;
	base_free(request->follower);
	request->follower = NULL;
}

void followers_recheck(struct api_server *server)
{
	int64_t now_s = shell_wall_ms() / 1000;
	struct err err;
	for (struct api_follower *at = server->followers, *next; at; at = next) {
		struct http_exchange *exchange = at->request->exchange;
		next = at->next;
		const struct http_peer *peer = http_exchange_peer(exchange);
		if (server_still_allows(server, peer, SCOPE_READ, now_s, &err))
			continue;
		follower_drop(at->request);
		http_stream_end(exchange);
	}
}

void events_free(struct api_server *server)
{
	events_forget(server);
	base_free(server->events);
}
