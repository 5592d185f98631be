/* The sentences of `why`: "no node has 512 MB of memory free: 3 of 5 lack memory (largest has 100
 * MB free of 1 GB), 2 do not match node.labels.disk==ssd". The head is about the most common
 * refusal. It claims no more than is true: where nodes were refused for different reasons, it names
 * a shortage, or else says only that no node fits. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/sort.h"
#include "scheduler/internal.h"

/* "8080/tcp", "127.0.0.1:8080-8089/udp". */
static void add_port(struct text *text, const struct port *port)
{
	if (port->host_ip && *port->host_ip)
		text_addf(text, "%s:", port->host_ip);
	text_addf(text, "%lld", (long long)port->host_first);
	if (port->host_last != port->host_first)
		text_addf(text, "-%lld", (long long)port->host_last);
	text_addf(text, "/%s", enum_name(port_protocol_names, port->protocol));
}

static bool is_pool(const struct port *port)
{
	return port->host_first != port->host_last;
}

static bool says_not_ready(enum refusal_kind kind)
{
	return kind < REFUSED_CPU;
}

static bool is_shortage(enum refusal_kind kind)
{
	return kind == REFUSED_CPU || kind == REFUSED_MEMORY || kind == REFUSED_DISK ||
	       kind == REFUSED_PORT;
}

static bool ties_to_one_node(enum refusal_kind kind)
{
	return kind == REFUSED_NETWORK || kind == REFUSED_VOLUME;
}

/* ---- shortages ---- */

/* One resource that is not there: what was asked, and what the node that comes nearest has. */
struct shortage {
	const char *name;
	int64_t asked;
	int64_t capacity;
	int64_t free;
	/* Append an amount that is compared with the one beside it. */
	void (*add)(struct text *text, int64_t amount, int64_t beside);
};

static void add_cpus(struct text *text, int64_t cpu_milli, int64_t beside_milli)
{
	(void)beside_milli;
	text_add_cpus(text, cpu_milli);
}

static struct shortage shortage_of(const struct question *question,
				   const struct refusal_count *count)
{
	const struct node_columns *columns = &question->cluster->columns;
	const struct resources *request = &question->spec->reservations;
	size_t at = count->example;
	struct shortage shortage = { .name = "disk", .add = text_add_size_beside };
	int64_t reserved = columns->disk_reserved_bytes[at];
	shortage.asked = request->disk_bytes;
	shortage.capacity = columns->disk_capacity_bytes[at];
	if (count->refusal.kind == REFUSED_CPU) {
		shortage.name = "CPU";
		shortage.add = add_cpus;
		reserved = columns->cpu_reserved_milli[at];
		shortage.asked = request->cpu_milli;
		shortage.capacity = columns->cpu_capacity_milli[at];
	} else if (count->refusal.kind == REFUSED_MEMORY) {
		shortage.name = "memory";
		reserved = columns->memory_reserved_bytes[at];
		shortage.asked = request->memory_bytes;
		shortage.capacity = columns->memory_capacity_bytes[at];
	}
	shortage.free = shortage.capacity > reserved ? shortage.capacity - reserved : 0;
	return shortage;
}

/* "no node has 512 MB of memory free", "no node has 2 CPUs free". */
static void add_shortage_head(struct text *text, const struct question *question,
			      const struct refusal_count *count)
{
	struct shortage shortage = shortage_of(question, count);
	text_add(text, "no node has ");
	shortage.add(text, shortage.asked, shortage.free);
	if (count->refusal.kind == REFUSED_CPU)
		text_add(text, shortage.asked == 1000 ? " CPU" : " CPUs");
	else
		text_addf(text, " of %s", shortage.name);
	text_add(text, " free");
}

/* "lacks memory (largest has 100 MB free of 1 GB)"; where the head does not name the amount, "(512 MB
 * asked, largest ...)". */
static void add_shortage_clause(struct text *text, const struct question *question,
				const struct refusal_count *count, bool in_head)
{
	struct shortage shortage = shortage_of(question, count);
	text_addf(text, "%s %s (", count->n_nodes == 1 ? "lacks" : "lack", shortage.name);
	if (!in_head) {
		shortage.add(text, shortage.asked, shortage.free);
		text_add(text, " asked, ");
	}
	text_add(text, question->only ? "it has " : "largest has ");
	shortage.add(text, shortage.free, shortage.asked);
	text_add(text, " free of ");
	shortage.add(text, shortage.capacity, shortage.free);
	text_add_char(text, ')');
}

/* ---- the head ---- */

static void add_head(struct text *text, const struct question *question,
		     const struct refusal_count *count)
{
	const struct job_spec *spec = question->spec;
	size_t item = count->refusal.item;
	switch (count->refusal.kind) {
	case REFUSED_OTHER_NODE: UNREACHABLE("never counted");
	case REFUSED_DOWN:
	case REFUSED_SILENT:
	case REFUSED_DEGRADED:
	case REFUSED_DRAINING: text_add(text, "no node is ready"); break;
	case REFUSED_CPU:
	case REFUSED_MEMORY:
	case REFUSED_DISK: add_shortage_head(text, question, count); break;
	case REFUSED_CONSTRAINT:
		text_addf(text, "no node matches %s", question->match.constraints[item].text);
		break;
	case REFUSED_PLATFORM: text_addf(text, "no node is of platform %s", spec->platform); break;
	case REFUSED_API:
		text_addf(text, "no node speaks Engine API 1.%lld, which %s needs",
			  (long long)question->engine->minor, question->engine->what);
		break;
	case REFUSED_PROTOCOL:
		text_add(text, "no node has a worker that knows all this job asks for");
		break;
	case REFUSED_PORT:
		text_addf(text, "no node has %s ",
			  is_pool(&spec->ports.items[item]) ? "a port of" : "port");
		add_port(text, &spec->ports.items[item]);
		text_add(text, " free");
		break;
	case REFUSED_MAX_REPLICAS:
		text_addf(text, "no node may run another task of %s (at most %lld per node)",
			  question->job->job.name,
			  (long long)spec->placement.max_replicas_per_node);
		break;
	case REFUSED_NETWORK:
		text_addf(text, "project %s shares a network, so its tasks run on ",
			  question->project->project.name);
		if (question->home)
			text_addf(text, "%s only", cluster_node_name(question->home));
		else
			text_add(text, "a node that takes them all");
		break;
	case REFUSED_VOLUME:
		text_addf(text, "volume %s lives on %s", question->pins[item].volume,
			  cluster_node_name(question->pins[item].node));
		break;
	}
}

/* ---- one clause per refusal ---- */

/* Do tasks of the job itself hold the fixed port on all nodes that were refused for it? */
static bool holds_port_itself(const struct question *question, const struct port *port,
			      size_t n_refused)
{
	const struct node_columns *columns = &question->cluster->columns;
	size_t n_own = 0;
	for (size_t i = 0; i < columns->n; i++) {
		const struct task *owner = cluster_port_owner(columns->entry[i], port->host_ip,
							      port->protocol, port->host_first);
		n_own += owner && columns->ready[i] &&
			 cluster_job_of(question->cluster, owner) == question->job;
	}
	return n_own >= n_refused;
}

static void add_port_clause(struct text *text, const struct question *question,
			    const struct refusal_count *count)
{
	const struct port *port = &question->spec->ports.items[count->refusal.item];
	const struct node_entry *node = question->cluster->columns.entry[count->example];
	bool one = count->n_nodes == 1;
	if (is_pool(port)) {
		text_add(text, one ? "has no port of " : "have no port of ");
		add_port(text, port);
		text_add(text, " free");
		return;
	}
	text_add(text, one ? "has port " : "have port ");
	add_port(text, port);
	const struct task *owner =
		cluster_port_owner(node, port->host_ip, port->protocol, port->host_first);
	bool own = holds_port_itself(question, port, count->n_nodes);
	if (one && owner) {
		char name[TASK_NAME_SIZE];
		text_addf(text, " taken by %s", cluster_task_name(question->cluster, owner, name));
	} else {
		text_add(text, " taken");
		if (own)
			text_addf(text, " by %s itself", question->job->job.name);
	}
	/* More of them than machines will never run. */
	if (own)
		text_add(text, " (a fixed port takes one task per machine)");
}

static void add_clause(struct text *text, const struct question *question,
		       const struct refusal_count *count, bool in_head)
{
	bool one = count->n_nodes == 1;
	size_t item = count->refusal.item;
	const struct node_entry *example = question->cluster->columns.entry[count->example];
	switch (count->refusal.kind) {
	case REFUSED_OTHER_NODE: UNREACHABLE("never counted");
	case REFUSED_DOWN: text_add(text, one ? "is down" : "are down"); break;
	case REFUSED_SILENT:
		text_add(text, one ? "has not been heard of yet" : "have not been heard of yet");
		break;
	case REFUSED_DEGRADED:
		text_add(text, one ? "has a Docker that does not answer"
				   : "have a Docker that does not answer");
		break;
	case REFUSED_DRAINING: text_add(text, one ? "is draining" : "are draining"); break;
	case REFUSED_CPU:
	case REFUSED_MEMORY:
	case REFUSED_DISK: add_shortage_clause(text, question, count, in_head); break;
	case REFUSED_CONSTRAINT:
		text_addf(text, one ? "does not match %s" : "do not match %s",
			  question->match.constraints[item].text);
		break;
	case REFUSED_PLATFORM: {
		const struct node_facts *facts = &example->record.facts;
		struct platform there =
			platform_of_machine(facts->platform_os, facts->platform_arch);
		text_addf(text, "%s not of platform %s (%s is %s/%s)", one ? "is" : "are",
			  question->spec->platform, cluster_node_name(example), there.os,
			  there.architecture);
		break;
	}
	case REFUSED_API:
		text_addf(text, "%s an older Engine API than 1.%lld (%s is 1.%lld)",
			  one ? "speaks" : "speak", (long long)question->engine->minor,
			  question->only ? "it" : "newest",
			  (long long)example->record.facts.api_minor);
		break;
	case REFUSED_PROTOCOL:
		text_addf(text, "%s an older drover (%s)", one ? "runs" : "run",
			  example->record.facts.drover_version
				  ? example->record.facts.drover_version
				  : "it does not say which");
		break;
	case REFUSED_PORT: add_port_clause(text, question, count); break;
	case REFUSED_MAX_REPLICAS:
		text_addf(text, "already %s %lld of %s", one ? "runs" : "run",
			  (long long)question->spec->placement.max_replicas_per_node,
			  question->job->job.name);
		break;
	case REFUSED_NETWORK:
		if (question->home)
			text_addf(text, "%s not %s", one ? "is" : "are",
				  cluster_node_name(question->home));
		else
			text_add(text, one ? "does not" : "do not");
		break;
	case REFUSED_VOLUME:
		text_addf(text, "%s not %s", one ? "is" : "are",
			  cluster_node_name(question->pins[item].node));
		break;
	}
}

/* ---- the whole ---- */

/* Most nodes first; then in the order of the filters. */
static int compare_counts(const void *a, const void *b, void *context)
{
	(void)context;
	const struct refusal_count *left = a;
	const struct refusal_count *right = b;
	if (left->n_nodes != right->n_nodes)
		return left->n_nodes > right->n_nodes ? -1 : 1;
	if (left->refusal.kind != right->refusal.kind)
		return left->refusal.kind < right->refusal.kind ? -1 : 1;
	return left->refusal.item < right->refusal.item ? -1
							: left->refusal.item > right->refusal.item;
}

/* What the sentence is about; NULL: no refusal speaks for all. */
static const struct refusal_count *head_of(const struct refusals *refusals)
{
	for (size_t i = 0; i < refusals->n; i++)
		if (ties_to_one_node(refusals->items[i].refusal.kind))
			return &refusals->items[i];
	const struct refusal_count *most = &refusals->items[0];
	if (refusals->n == 1 || is_shortage(most->refusal.kind))
		return most;
	for (size_t i = 0; i < refusals->n; i++)
		if (!says_not_ready(refusals->items[i].refusal.kind))
			return NULL;
	return most;
}

/* A message that was cut ends at a whole character. */
static char *take_message(struct text *text)
{
	char *message = text_take(text);
	size_t len = strlen(message);
	if (len == text->max) {
		while (len && ((unsigned char)message[len - 1] & 0xc0) == 0x80)
			len--;
		if (len && (unsigned char)message[len - 1] >= 0xc0)
			len--;
		message[len] = '\0';
	}
	return message;
}

char *refusals_sentence(struct refusals *refusals, const struct question *question)
{
	struct text text;
	text_init(&text, LIMIT_MESSAGE_BYTES);
	if (!refusals->n) {
		text_add(&text, "no node has joined yet");
		return take_message(&text);
	}
	sort_stable(refusals->items, refusals->n, sizeof(struct refusal_count), compare_counts,
		    NULL);
	/* A global task asks for one node, so that node is what there is to say. */
	if (question->only) {
		text_addf(&text, "%s ", cluster_node_name(question->only));
		add_clause(&text, question, &refusals->items[0], false);
		return take_message(&text);
	}
	const struct refusal_count *head = head_of(refusals);
	size_t n_nodes = 0;
	for (size_t i = 0; i < refusals->n; i++)
		n_nodes += refusals->items[i].n_nodes;
	if (head)
		add_head(&text, question, head);
	else
		text_add(&text, "no node fits");
	for (size_t i = 0; i < refusals->n; i++) {
		const struct refusal_count *count = &refusals->items[i];
		text_addf(&text, "%s%zu", i ? ", " : ": ", count->n_nodes);
		if (i == 0)
			text_addf(&text, " of %zu", n_nodes);
		text_add_char(&text, ' ');
		add_clause(&text, question, count, count == head);
	}
	return take_message(&text);
}

/* ---- why no node takes all that share a network ---- */

/* "does not match node.labels.zone==b (db)", "has not volume shop_data (db)". */
static void add_member_clause(struct text *text, const struct member *member,
			      const struct refusal_count *count)
{
	const struct question *question = &member->question;
	if (count->refusal.kind == REFUSED_VOLUME)
		text_addf(text, "%s not volume %s", count->n_nodes == 1 ? "has" : "have",
			  question->pins[count->refusal.item].volume);
	else if (count->refusal.kind == REFUSED_MAX_REPLICAS)
		text_addf(text, "may run %lld of %lld",
			  (long long)question->spec->placement.max_replicas_per_node,
			  (long long)member->n_wanted);
	else
		add_clause(text, question, count, false);
	text_addf(text, " (%s)", question->job->job.name);
}

/* What stands against all of them alike; resources are those that they ask for together. */
static void add_common_clause(struct text *text, const struct together *together,
			      const struct refusal_count *count)
{
	PRE(count->refusal.kind <= REFUSED_DISK);
	struct job_spec all = { .reservations = together_request(together) };
	struct question question = { .cluster = together->cluster, .spec = &all };
	add_clause(text, &question, count, false);
}

static size_t count_refusals(const struct together *together, struct refusals *refusals)
{
	const struct node_columns *columns = &together->cluster->columns;
	size_t n_nodes = 0;
	for (size_t column = 0; column < columns->n; column++) {
		size_t member;
		struct refusal refusal;
		if (columns->entry[column]->record.left ||
		    !together_are_refused(together, column, &member, &refusal))
			continue;
		const struct question *question =
			&together->members[member < together->n_members ? member : 0].question;
		refusals_count(&refusals[member], question, refusal, column);
		n_nodes++;
	}
	return n_nodes;
}

char *together_sentence(const struct question *question)
{
	struct text text;
	struct together together;
	text_init(&text, LIMIT_MESSAGE_BYTES);
	together_init(&together, question->cluster, question->project, question->spec);
	struct refusals *refusals = base_calloc(together.n_members + 1, sizeof(*refusals));
	size_t n_nodes = count_refusals(&together, refusals);
	size_t n_clauses = 0;
	text_addf(&text, "project %s shares a network, and no node takes all of it",
		  question->project->project.name);
	for (size_t i = 0; i <= together.n_members; i++) {
		for (size_t j = 0; j < refusals[i].n; j++) {
			const struct refusal_count *count = &refusals[i].items[j];
			text_addf(&text, "%s%zu ", n_clauses ? ", " : ": ", count->n_nodes);
			if (!n_clauses++)
				text_addf(&text, "of %zu ", n_nodes);
			if (i < together.n_members)
				add_member_clause(&text, &together.members[i], count);
			else
				add_common_clause(&text, &together, count);
		}
		refusals_release(&refusals[i]);
	}
	base_free(refusals);
	together_release(&together);
	return take_message(&text);
}

/* What an operator can do about a pin whose node takes no tasks. */
static void add_way_out(struct text *text, const struct refusal *refusal, const struct pin *pin)
{
	const char *name = cluster_node_name(pin->node);
	if (refusal->kind == REFUSED_DOWN)
		text_addf(text,
			  ": if that machine stays off, `drover node rm --fenced %s` gives its "
			  "volumes up",
			  name);
	else if (refusal->kind == REFUSED_DRAINING)
		text_addf(text, ": `drover node resume %s` lets it run there", name);
}

char *pin_sentence(const struct question *question)
{
	struct text text;
	text_init(&text, LIMIT_MESSAGE_BYTES);
	for (size_t i = 0; i < question->n_pins; i++) {
		const struct pin *pin = &question->pins[i];
		const struct pin *first = &question->pins[0];
		struct refusal_count count = { .n_nodes = 1 };
		if (!pin->node) {
			text_addf(&text, "volume %s lives on a node that is not known here",
				  pin->volume);
		} else if (first->node != pin->node) {
			text_addf(&text, "volume %s lives on %s, but volume %s on %s",
				  first->volume, cluster_node_name(first->node), pin->volume,
				  cluster_node_name(pin->node));
		} else if (readiness_refuses(question, pin->node->index, &count.refusal)) {
			count.example = pin->node->index;
			text_addf(&text, "volume %s lives on %s, which ", pin->volume,
				  cluster_node_name(pin->node));
			add_clause(&text, question, &count, true);
			add_way_out(&text, &count.refusal, pin);
		} else {
			continue;
		}
		return take_message(&text);
	}
	return NULL;
}
