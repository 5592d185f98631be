/* The shell of one played worker: worker/daemon.c without a disk, a Docker or a machine. The order of a turn is the
 * same: commit (here: drop), then act. Events that a turn makes come in the next one. */
#include "api/envelope.h"
#include "api/join.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "herd.h"
#include "net/http_client.h"
#include "net/shell.h"

#define DAEMON_INSTANCE 1
#define STATS_MS	5000

struct herd_queued {
	int kind;
	union {
		struct sync_down down;
		struct container_result result;
		struct node_facts facts;
		struct node_stats stats;
	};
};

/* ---- events -------------------------------------------------------------------------------------------- */

/* The caller fills in what belongs to an event of this kind. */
static struct herd_queued *queue_add(struct herd_worker *worker, int kind)
{
	worker->queue = base_grow(worker->queue, worker->n_queue, &worker->queue_capacity,
				  sizeof(struct herd_queued));
	struct herd_queued *queued = &worker->queue[worker->n_queue++];
	queued->kind = kind;
	struct herd *herd = worker->herd;
	if (!worker->due) {
		worker->next_due = herd->due;
		herd->due = worker;
		worker->due = true;
		event_active(herd->turn, EV_TIMEOUT, 1);
	}
	return queued;
}

static void queue_release(struct herd_queued *queue, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (queue[i].kind == WORKER_SYNC_DOWN)
			record_release(&sync_down_type, &queue[i].down);
		else if (queue[i].kind == WORKER_ACTION_DONE)
			container_result_release(&queue[i].result);
		else if (queue[i].kind == WORKER_FACTS)
			record_release(&node_facts_type, &queue[i].facts);
	}
	base_free(queue);
}

static void queue_facts(struct herd_worker *worker)
{
	char hostname[32];
	struct node_facts *facts = &queue_add(worker, WORKER_FACTS)->facts;
	*facts = (struct node_facts){ 0 };
	text_print(hostname, sizeof(hostname), "herd-%zu", worker->number + 1);
	facts->hostname = base_strdup(hostname);
	facts->platform_os = base_strdup("linux");
	facts->platform_arch = base_strdup("x86_64");
	facts->drover_version = base_strdup(DROVER_VERSION);
	facts->runtime_version = base_strdup("20.10.24");
	facts->api_minor = 41;
	facts->capacity.cpu_milli = worker->herd->cpu_milli;
	facts->capacity.memory_bytes = worker->herd->memory_bytes;
	facts->capacity.disk_bytes = 1LL << 40;
}

static void queue_stats(struct herd_worker *worker)
{
	struct node_stats *stats = &queue_add(worker, WORKER_STATS)->stats;
	*stats = (struct node_stats){ 0 };
	stats->cpu_used_milli = worker->herd->cpu_milli / 100 + (int64_t)(worker->number % 7);
	stats->memory_used_bytes = worker->herd->memory_bytes / 100;
	stats->tasks_running = worker->fake.n_running;
	worker->stats_ms = shell_now_ms() + STATS_MS;
}

/* ---- the session --------------------------------------------------------------------------------------- */

static void on_opened(void *owner, struct websocket *websocket)
{
	struct herd_worker *worker = owner;
	(void)websocket;
	worker->open = true;
	worker->opened_ms = shell_now_ms();
	queue_add(worker, WORKER_SESSION_OPENED);
	queue_stats(worker);
}

static void on_message(void *owner, struct websocket *websocket, bool text, const void *bytes,
		       size_t len)
{
	struct herd_worker *worker = owner;
	struct sync_down down;
	(void)websocket;
	if (!text || !envelope_read(bytes, len, "sync", &sync_down_type, &down))
		die("a message of the manager is not understood: %.*s", (int)len,
		    (const char *)bytes);
	if (down.reconnect_ms)
		worker->reconnecting.window_ms = down.reconnect_ms;
	worker->herd->n_told += !worker->told;
	worker->told = true;
	worker->herd->n_downs++;
	queue_add(worker, WORKER_SYNC_DOWN)->down = down;
}

static void not_connected(struct herd_worker *worker)
{
	if (worker->open)
		queue_add(worker, WORKER_SESSION_CLOSED);
	worker->herd->n_told -= worker->told;
	worker->session = NULL;
	worker->open = false;
	worker->told = false;
}

static void on_closed(void *owner, struct websocket *websocket, const struct err *err)
{
	struct herd_worker *worker = owner;
	const char *reason;
	unsigned code = err->code == ERR_CLOSED ? websocket_close_code(websocket, &reason) : 0;
	int64_t now_ms = shell_now_ms();
	int64_t lasted_ms = worker->open ? now_ms - worker->opened_ms : 0;
	worker->herd->n_refused++;
	not_connected(worker);
	bool refused = err->code == ERR_FORBIDDEN || err->code == ERR_REMOVED;
	if (refused)
		die("worker %zu was refused: %s", worker->number, err->message);
	int64_t wait_ms =
		reconnect_wait_ms(&worker->reconnecting, lasted_ms, code, refused, shell_seed());
	shell_arm(worker->reconnect, now_ms + wait_ms);
}

static void on_reconnect(evutil_socket_t fd, short what, void *arg)
{
	static const struct websocket_events events = { .opened = on_opened,
							.message = on_message,
							.closed = on_closed };
	struct herd_worker *worker = arg;
	char id[UUID_TEXT_SIZE];
	char target[96];
	(void)fd;
	(void)what;
	text_print(target, sizeof(target), "/v1/nodes/%s/sync",
		   uuid_format(worker_node_id(worker->core).uuid, id));
	worker->session = http_client_websocket(worker->herd->base, &worker->endpoint, target,
						&events, worker);
}

/* ---- a turn -------------------------------------------------------------------------------------------- */

static struct worker_in input(struct herd *herd)
{
	return (struct worker_in){ .now_ms = shell_now_ms(),
				   .wall_ms = shell_wall_ms(),
				   .seed = random_next(&herd->random) };
}

static void act(struct herd_worker *worker)
{
	struct worker_out *out = &worker->out;
	int64_t ran = worker->fake.n_running;
	struct uuid cluster = worker_cluster_id(worker->core);
	for (size_t i = 0; i < out->n_actions; i++)
		fake_carry_out(&worker->fake, &out->actions[i], cluster,
			       &queue_add(worker, WORKER_ACTION_DONE)->result);
	worker->herd->n_running += worker->fake.n_running - ran;
	if (out->has_up && worker->open) {
		envelope_send(worker->session, "sync", &sync_up_type, &out->up);
		worker->herd->n_ups++;
	}
	shell_arm(worker->timer, out->deadline_ms);
}

static void turn(struct herd_worker *worker)
{
	struct worker_in in = input(worker->herd);
	struct herd_queued *queue = worker->queue;
	size_t n = worker->n_queue;
	struct worker_event *events = base_calloc(n + 1, sizeof(*events));
	worker->queue = NULL;
	worker->n_queue = 0;
	worker->queue_capacity = 0;
	for (size_t i = 0; i < n; i++)
		events[i] = (struct worker_event){ .kind = queue[i].kind,
						   .down = &queue[i].down,
						   .daemon_instance = DAEMON_INSTANCE,
						   .result = &queue[i].result,
						   .facts = &queue[i].facts,
						   .stats = &queue[i].stats };
	in.events = events;
	in.n_events = n;
	worker_out_clear(&worker->out);
	worker_step(worker->core, &in, &worker->out);
	act(worker);
	base_free(events);
	queue_release(queue, n);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct herd_worker *worker = arg;
	(void)fd;
	(void)what;
	if (shell_now_ms() >= worker->stats_ms)
		queue_stats(worker);
	turn(worker);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct herd *herd = arg;
	struct herd_worker *worker = herd->due;
	(void)fd;
	(void)what;
	herd->due = NULL;
	while (worker) {
		struct herd_worker *next = worker->next_due;
		worker->due = false;
		if (!worker->killed && worker->n_queue)
			turn(worker);
		worker = next;
	}
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void start_core(struct herd_worker *worker, struct uuid id)
{
	struct worker_options options;
	struct worker_in in = input(worker->herd);
	struct err err;
	char boot_id[32];
	worker_options_default(&options);
	options.node.uuid = id;
	worker->core = worker_new(&options);
	text_print(boot_id, sizeof(boot_id), "boot-%zu", worker->number);
	if (worker_start(worker->core, &in, boot_id, &worker->out, &err))
		die("worker %zu does not start: %s", worker->number, err.message);
	act(worker);
	queue_facts(worker);
	queue_add(worker, WORKER_RUNTIME_UP);
}

void herd_worker_start(struct herd *herd, size_t number, const char *dir)
{
	struct herd_worker *worker = &herd->workers[number];
	struct membership membership;
	struct err err;
	if (membership_load(dir, &membership, &err) ||
	    member_endpoint(&membership, &worker->endpoint, &err))
		die("worker %zu is no member: %s", number, err.message);
	worker->herd = herd;
	worker->number = number;
	worker->timer = event_new(herd->base, -1, 0, on_timer, worker);
	worker->reconnect = event_new(herd->base, -1, 0, on_reconnect, worker);
	start_core(worker, membership.certificate.name.id);
	membership_release(&membership);
	on_reconnect(-1, 0, worker);
}

void herd_worker_kill(struct herd_worker *worker)
{
	event_del(worker->timer);
	event_del(worker->reconnect);
	if (worker->session)
		websocket_free(worker->session);
	not_connected(worker);
	worker->killed = true;
	worker->herd->n_running -= worker->fake.n_running;
}

void herd_worker_release(struct herd_worker *worker)
{
	if (!worker->core)
		return;
	if (!worker->killed)
		herd_worker_kill(worker);
	event_free(worker->timer);
	event_free(worker->reconnect);
	worker_out_release(&worker->out);
	worker_free(worker->core);
	fake_release(&worker->fake);
	queue_release(worker->queue, worker->n_queue);
	member_endpoint_release(&worker->endpoint);
}

void herd_init(struct herd *herd, struct event_base *base, size_t n_workers, int64_t n_tasks)
{
	int64_t share = n_tasks / (int64_t)n_workers + 1;
	*herd = (struct herd){ .base = base, .n_workers = n_workers };
	herd->random.state = shell_seed();
	herd->cpu_milli = 2 * share * 100;
	herd->memory_bytes = 2 * share * (64LL << 20);
	herd->workers = base_calloc(n_workers, sizeof(struct herd_worker));
	herd->turn = event_new(base, -1, 0, on_turn, herd);
}

void herd_release(struct herd *herd)
{
	for (size_t i = 0; i < herd->n_workers; i++)
		herd_worker_release(&herd->workers[i]);
	base_free(herd->workers);
	event_free(herd->turn);
}
