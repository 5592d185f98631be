/* Sessions with workers: who is at the other end, and what they report.
 *
 * Invariants: a node has at most one session; a session that has not said who it is gets no message but its dismissal.
 *
 * A newer session of a node ends the older one. Two that come from one life of a worker are a reconnect. From two lives
 * they are a restart, or two workers that share one identity: then the one whose session was ended comes back, and is
 * turned away for as long as the other is connected, so that they do not take turns. */
#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/planted.h"
#include "manager/core.h"
#include "manager/roster.h"

static struct session *session_get(const struct manager *manager, uint64_t number)
{
	return map_get(&manager->sessions, key_of_number(number));
}

void session_opened(struct manager *manager, const struct manager_event *event)
{
	if (session_get(manager, event->session))
		return;
	struct session *session = base_calloc(1, sizeof(*session));
	session->number = event->session;
	session->local = event->local;
	if (event->address && *event->address)
		session->address = base_strdup(event->address);
	map_put(&manager->sessions, key_of_number(session->number), session);
}

void session_release(struct session *session)
{
	base_free(session->templates);
	map_release(&session->fed);
	base_free(session->owed);
	base_free(session->changed);
	base_free(session->address);
}

/* Whether a node is heard decides how the trials of its tasks go. */
static void look_at_trials(struct manager *manager, struct node_id id)
{
	const struct node_entry *node = cluster_node(&manager->cluster, id);
	for (size_t i = 0; node && i < node->tasks.n; i++) {
		const struct task *task = node->tasks.items[i];
		roster_task_changed(job_watch(manager, *task->desired.job)->roster, task);
	}
}

void session_delete(struct manager *manager, struct session *session)
{
	struct node_watch *watch = map_get(&manager->nodes, session->node.uuid);
	if (watch && watch->session == session) {
		watch->session = NULL;
		look_at_trials(manager, session->node);
	}
	map_remove(&manager->sessions, key_of_number(session->number));
	session_release(session);
	base_free(session);
}

void session_closed(struct manager *manager, uint64_t number)
{
	struct session *session = session_get(manager, number);
	if (session)
		session_delete(manager, session);
}

void session_speak(struct manager *manager, struct session *session)
{
	if (session->speaks)
		return;
	session->speaks = true;
	manager->speakers = base_grow(manager->speakers, manager->n_speakers,
				      &manager->speakers_capacity, sizeof(uint64_t));
	manager->speakers[manager->n_speakers++] = session->number;
}

void session_dismiss(struct manager *manager, struct session *session, int code, const char *why)
{
	struct manager_down *down = out_down(manager, session->number);
	down->close = code;
	text_print(down->why, sizeof(down->why), "%s", why);
	const struct node_entry *node = cluster_node(&manager->cluster, session->node);
	if (node)
		notes_add(&manager->out->notes, "session of node %s closed: %s", node_name(node),
			  why);
	else
		notes_add(&manager->out->notes, "session of a worker closed: %s", why);
	session_delete(manager, session);
}

static const char *removed(const char *name, struct err *err)
{
	err_set(err, ERR_REMOVED, "node %s was removed from the cluster", name ? name : "");
	return err->message;
}

/* Why the other end cannot be talked to; NULL: it can. ERR_REMOVED in `err`: for good. */
static const char *objection(struct manager *manager, const struct session *session,
			     const struct sync_up *up, struct err *err)
{
	const char *name;
	*err = (struct err){ 0 };
	const struct meta_record *meta = &manager->cluster.meta;
	if (!uuid_is_zero(up->cluster) && !uuid_equal(up->cluster, meta->cluster))
		return "this worker belongs to another cluster";
	if (up->epoch > meta->epoch)
		return "this worker has heard a newer state of the cluster than this manager has";
	if (uuid_is_zero(up->node.uuid))
		return "the message names no node";
	if (!uuid_is_zero(session->node.uuid) && !uuid_equal(session->node.uuid, up->node.uuid))
		return "the node's id changed within a session";
	if (cluster_was_removed(&manager->cluster, up->node, &name))
		return removed(name, err);
	const struct node_entry *node = cluster_node(&manager->cluster, up->node);
	if (uuid_is_zero(session->node.uuid) && !up->has_facts)
		return "the first message must carry the facts of the node";
	if (up->has_facts && node_facts_check(&up->facts, err))
		return err->message;
	if (!node && !nodes_have_room(manager, err))
		return err->message;
	return NULL;
}

/* Both said who they are, and are not one process. */
static bool are_two_lives(struct uuid a, struct uuid b)
{
	return !uuid_is_zero(a) && !uuid_is_zero(b) && !uuid_equal(a, b);
}

/* False: it was turned away. */
static bool introduce(struct manager *manager, struct session *session, const struct sync_up *up)
{
	struct node_watch *watch = node_watch(manager, up->node);
	struct session *old = watch->session;
	session->node = up->node;
	if (old && are_two_lives(old->instance, up->instance)) {
		if (uuid_equal(watch->displaced, up->instance)) {
			session_dismiss(
				manager, session, SYNC_CLOSE_TWICE,
				"another worker with this identity is connected: two have one data "
				"folder, or copies of one");
			return false;
		}
		watch->displaced = old->instance;
		session_dismiss(
			manager, old, SYNC_CLOSE_TWICE,
			"another worker with this identity has connected: two have one data "
			"folder, or "
			"copies of one");
	} else if (old) {
		session_dismiss(manager, old, SYNC_CLOSE_REFUSED,
				"the worker has opened a newer session");
	}
	session->instance = up->instance;
	session->full = true;
	watch->session = session;
	look_at_trials(manager, up->node);
	return true;
}

/* Does what the worker holds differ from what it was sent? Only a worker that took our last message can be judged. */
static bool has_drifted(const struct manager *manager, const struct session *session,
			const struct sync_up *up)
{
	return session->sent_rev && up->epoch == manager->cluster.meta.epoch &&
	       up->rev == session->sent_rev && (uint64_t)up->digest != session->sent_digest;
}

static void dismiss_from_shared(struct manager *manager, struct session *session,
				const struct node_entry *owner)
{
	char id[UUID_TEXT_SIZE];
	char why[160];
	text_print(why, sizeof(why), "its Docker is that of node %.*s (%s) already", 40,
		   node_name(owner), uuid_format(owner->record.id.uuid, id));
	session_dismiss(manager, session, SYNC_CLOSE_SHARED, why);
}

void session_up(struct manager *manager, uint64_t number, const struct sync_up *up)
{
	struct session *session = session_get(manager, number);
	if (!session)
		return;
	struct err err;
	if (up->has_facts && sync_protocol_check(up->facts.protocol, &err)) {
		session_dismiss(manager, session, SYNC_CLOSE_VERSION, err.message);
		return;
	}
	const char *why = objection(manager, session, up, &err);
	if (why) {
		session_dismiss(manager, session,
				err.code == ERR_REMOVED ? SYNC_CLOSE_REMOVED : SYNC_CLOSE_REFUSED,
				why);
		return;
	}
	const struct node_entry *owner =
		up->has_facts ? claim_docker(manager, up->node, &up->facts) : NULL;
	if (owner) {
		dismiss_from_shared(manager, session, owner);
		return;
	}
	if (uuid_is_zero(session->node.uuid) && !introduce(manager, session, up))
		return;
	struct node_entry *node = cluster_node(&manager->cluster, up->node);
	if (up->has_facts)
		node = node_introduce(manager, node, session, up);
	node_heard(manager, node, up->runtime_ok);
	if (up->has_stats)
		cluster_set_node_stats(&manager->cluster, node, &up->stats, manager->in->now_ms);
	for (size_t i = 0; i < up->observed.n; i++)
		task_report(manager, node, &up->observed.items[i]);
	for (size_t i = 0; i < up->volumes_removed.n; i++)
		volume_removed(manager, node, &up->volumes_removed.items[i]);
	if (up->want_full || has_drifted(manager, session, up))
		session->full = true;
	session->reported |= up->observed.n > 0;
	/* With a gap before it, what was said there is not known: the worker says all of it again. */
	bool gap = up->since > session->report_acked && !PLANTED(PLANTED_GAP_ACKED);
	if (!gap && up->report > session->report_acked)
		session->report_acked = up->report;
	session_speak(manager, session);
}

void session_task_changed(struct manager *manager, const struct task *task)
{
	struct session *session = node_watch(manager, task->desired.node)->session;
	if (!session)
		return;
	session->changed = base_grow(session->changed, session->n_changed,
				     &session->changed_capacity, sizeof(struct session_change));
	session->changed[session->n_changed++] =
		(struct session_change){ task->desired.id, *task->desired.job,
					 task->desired.revision, template_number(manager, task) };
	session_speak(manager, session);
}
