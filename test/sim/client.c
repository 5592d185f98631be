/* Clients: each has one request at a time, asks again with the same key when no answer comes, now and then uses a key
 * for another body, and reads what it was answered. */
#include <string.h>

#include "requests.h"

#define TRIES_MAX 6

#define LAST_AGAIN_MS 2000

static void client_ask(struct sim *sim, struct sim_client *client);

static void on_arrival(struct sim *sim, struct event *event)
{
	if (!sim->manager.up)
		return;
	sim_manager_queue(sim, MANAGER_REQUEST)->request = event->payload;
	event->payload = NULL;
}

static void on_next(struct sim *sim, struct event *event)
{
	struct sim_client *client = event->subject;
	if (sim->calm || client->request)
		return;
	client->serial++;
	client->request = request_draw(sim, client);
	client->tries = 0;
	sim_rehearse(sim, client);
	client_ask(sim, client);
}

static void next(struct sim *sim, struct sim_client *client)
{
	request_free(client->request);
	client->request = NULL;
	sim_plan(sim, sim_draw(sim, 200, 12000), on_next, client);
}

static void on_timeout(struct sim *sim, struct event *event)
{
	struct sim_client *client = event->subject;
	if (!client->request || client->attempt != event->number)
		return;
	if (client->tries >= TRIES_MAX)
		next(sim, client);
	else
		client_ask(sim, client);
}

static void client_ask(struct sim *sim, struct sim_client *client)
{
	client->tries++;
	client->request->attempt = ++client->attempt;
	struct event *event = sim_plan(sim, sim_draw(sim, 1, 50), on_arrival, NULL);
	event->payload = request_copy(client->request);
	event->free_payload = request_free;
	event->held_until_ms = &sim->manager.paused_until_ms;
	sim_plan(sim, sim_draw(sim, 2000, 8000), on_timeout, client)->number = client->attempt;
}

/* The same key with another body must be refused, and change nothing. */
static void misuse_key(struct sim *sim, const struct sim_request *request)
{
	struct event *event = sim_plan(sim, sim_draw(sim, 1, 50), on_arrival, NULL);
	struct sim_request *other = request_copy(request);
	other->request.body_hash ^= 1;
	other->attempt = 0;
	event->payload = other;
	event->free_payload = request_free;
}

struct heard {
	struct job_id job;
};

static void on_read(struct sim *sim, struct event *event)
{
	const struct heard *heard = event->payload;
	/* While a commit lasts nobody is served. */
	if (sim->manager.up && sim->manager.core && !sim->manager.committing)
		checker_read(sim, manager_cluster(sim->manager.core), heard->job);
}

static void read_later(struct sim *sim, const struct manager_reply *reply)
{
	for (size_t i = 0; i < reply->answer.jobs.n; i++) {
		struct heard heard = { reply->answer.jobs.items[i].id };
		struct event *event = sim_plan(sim, sim_draw(sim, 0, 3000), on_read, NULL);
		event->payload = base_memdup(&heard, sizeof(heard));
		event->free_payload = base_free;
	}
}

static void on_last(struct sim *sim, struct event *event)
{
	(void)event;
	if (sim->answered_ms)
		return;
	struct event *arrival = sim_plan(sim, sim_draw(sim, 1, 50), on_arrival, NULL);
	arrival->payload = request_last();
	arrival->free_payload = request_free;
	arrival->held_until_ms = &sim->manager.paused_until_ms;
	sim_plan(sim, LAST_AGAIN_MS, on_last, NULL);
}

void client_ask_last(struct sim *sim)
{
	sim_plan(sim, 0, on_last, NULL);
}

void client_stop(struct sim *sim, const struct job_entry *entry)
{
	struct event *event = sim_plan(sim, sim_draw(sim, 1, 50), on_arrival, NULL);
	event->payload = request_stop(entry);
	event->free_payload = request_free;
	event->held_until_ms = &sim->manager.paused_until_ms;
}

void client_take_reply(struct sim *sim, const struct sim_request *request,
		       const struct manager_reply *reply)
{
	struct sim_client *client = &sim->clients[request->client];
	if (reply->err.code)
		sim_tell(sim, "client", "%s: %s: %s", request->key, err_name(reply->err.code),
			 reply->err.message);
	else
		sim_tell(sim, "client", "%s: done", request->key);
	if (!reply->err.code && strcmp(request->key, REQUEST_LAST_KEY) == 0)
		sim->answered_ms = sim->now_ms;
	if (!client->request || client->attempt != request->attempt)
		return;
	if (sim_strikes(sim, FAULT_REPLY_LOST))
		return;
	bool unknown = reply->err.code == ERR_STORE || reply->err.code == ERR_STORE_FULL;
	if (unknown)
		return;
	if (!reply->err.code) {
		read_later(sim, reply);
		if (sim_chance(sim, 100))
			misuse_key(sim, request);
		if (sim_chance(sim, 100)) {
			/* A message that was on its way for long. */
			struct event *event =
				sim_plan(sim, sim_draw(sim, 100, 60000), on_arrival, NULL);
			event->payload = request_copy(request);
			((struct sim_request *)event->payload)->attempt = 0;
			event->free_payload = request_free;
		}
	}
	next(sim, client);
}

void client_start(struct sim *sim, struct sim_client *client)
{
	sim_plan(sim, sim_draw(sim, 100, 4000), on_next, client);
}

void client_release(struct sim_client *client)
{
	request_free(client->request);
}
