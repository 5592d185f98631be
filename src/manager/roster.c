/* Invariants: a roster that is not void has the slots that slots_build() would build, those aside that are listed as
 * touched; sums are those of what its slots were found to be last; a slot that is to be looked at again at a time is in
 * `due` with that time, and one that may be next is in `next`. Stale items of the queues are known by what the slot
 * says. */
#include "manager/roster.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/sort.h"

struct roster_slot {
	struct task **tasks; /* oldest first */
	size_t n_tasks, capacity;
	struct task *only; /* where a single one is kept, as most are */
	int want;	   /* before it is known whether its node is lost with its task */
	uint32_t facts;	   /* slot_facts() */
	struct slot_roll roll;
	bool old;		 /* its newest task is */
	bool touched;		 /* in roster.touched */
	bool in_pass;		 /* in pass.which */
	bool queued[NEXT_KINDS]; /* in roster.next */
};

struct roster {
	bool is_void;
	struct slots slots;
	struct roster_slot *of; /* as many */
	size_t *touched;
	size_t n_touched, capacity;
	struct job_facts facts; /* sums */
	struct roll_sum sum;
	int64_t n_old;
	struct queue next[NEXT_KINDS]; /* key: the slot's place */
	struct queue due;	       /* stamp: the slot's place */
};

static void touch(struct roster *roster, size_t at)
{
	if (roster->of[at].touched)
		return;
	roster->of[at].touched = true;
	roster->touched =
		base_grow(roster->touched, roster->n_touched, &roster->capacity, sizeof(size_t));
	roster->touched[roster->n_touched++] = at;
}

static size_t place_of(const struct roster *roster, const struct slot *slot)
{
	return (size_t)(slot - roster->slots.items);
}

static void add_task(struct roster_slot *of, struct task *task)
{
	if (!of->tasks) {
		of->tasks = &of->only;
		of->capacity = 1;
	} else if (of->n_tasks == of->capacity && of->tasks == &of->only) {
		of->capacity = 2;
		of->tasks = base_calloc(of->capacity, sizeof(struct task *));
		of->tasks[0] = of->only;
	}
	of->tasks = of->n_tasks < of->capacity ? of->tasks
					       : base_grow(of->tasks, of->n_tasks, &of->capacity,
							   sizeof(struct task *));
	of->tasks[of->n_tasks++] = task;
}

/* Takes the slots; everything is to be looked at. */
static struct roster *roster_new(const struct job_entry *entry, struct slots *slots)
{
	struct roster *roster = base_calloc(1, sizeof(*roster));
	roster->slots = *slots;
	*slots = (struct slots){ 0 };
	roster->of = base_calloc(roster->slots.n + 1, sizeof(struct roster_slot));
	for (size_t i = 0; i < roster->slots.n; i++) {
		const struct slot *slot = &roster->slots.items[i];
		roster->of[i].want = slot->lost ? SLOT_WANTED : slot->want;
		roster->of[i].roll = (struct slot_roll){ .next = NEXT_NOT, .due_ms = INT64_MAX };
		touch(roster, i);
	}
	for (size_t i = 0; i < entry->tasks.n; i++) {
		struct task *task = entry->tasks.items[i];
		const struct slot *slot = slots_find(&roster->slots, task->desired.slot);
		add_task(&roster->of[place_of(roster, slot)], task);
	}
	return roster;
}

void roster_free(struct roster *roster)
{
	if (!roster)
		return;
	for (size_t i = 0; i < roster->slots.n; i++)
		if (roster->of[i].tasks != &roster->of[i].only)
			base_free(roster->of[i].tasks);
	base_free(roster->of);
	base_free(roster->touched);
	for (int i = 0; i < NEXT_KINDS; i++)
		queue_release(&roster->next[i]);
	queue_release(&roster->due);
	slots_release(&roster->slots);
	base_free(roster);
}

void roster_void(struct roster *roster)
{
	if (roster)
		roster->is_void = true;
}

void roster_settle(struct roster *roster, const struct job_facts *facts)
{
	if (!facts->rolling && !facts->old && facts->ready == facts->wanted)
		roster_void(roster);
}

void roster_tidy(struct job_watch *watch)
{
	if (!watch->roster || !watch->roster->is_void)
		return;
	roster_free(watch->roster);
	watch->roster = NULL;
}

/* ---- tasks ---- */

static struct slot build(const struct roster *roster, size_t at)
{
	const struct roster_slot *of = &roster->of[at];
	const struct slot *was = &roster->slots.items[at];
	struct slot slot = { .number = was->number, .want = of->want, .node = was->node };
	for (size_t i = 0; i < of->n_tasks; i++)
		slot_add(&slot, of->tasks[i]);
	slot_close(&slot);
	return slot;
}

/* Its slot, touched; NULL: there is none, and no roster that holds. */
static struct roster_slot *touch_slot_of(struct roster *roster, const struct task *task)
{
	const struct slot *slot = roster ? slots_find(&roster->slots, task->desired.slot) : NULL;
	if (!slot) {
		roster_void(roster);
		return NULL;
	}
	touch(roster, place_of(roster, slot));
	return &roster->of[place_of(roster, slot)];
}

void roster_task_made(struct roster *roster, struct task *task)
{
	struct roster_slot *of = touch_slot_of(roster, task);
	if (of)
		add_task(of, task);
}

void roster_task_changed(struct roster *roster, const struct task *task)
{
	touch_slot_of(roster, task);
}

void roster_task_gone(struct roster *roster, const struct task *task)
{
	struct roster_slot *of = touch_slot_of(roster, task);
	if (!of)
		return;
	size_t n = 0;
	for (size_t i = 0; i < of->n_tasks; i++)
		if (of->tasks[i] != task)
			of->tasks[n++] = of->tasks[i];
	POST(n + 1 == of->n_tasks);
	of->n_tasks = n;
}

/* ---- what slots were found to be ---- */

static void count_roll(struct roll_sum *sum, const struct slot_roll *roll, int sign)
{
	sum->n_busy += roll->busy ? sign : 0;
	sum->n_open += roll->open ? sign : 0;
	sum->n_ill += roll->ill ? sign : 0;
}

static void count_facts(struct roster *roster, const struct job_entry *entry, size_t at)
{
	uint32_t facts = slot_facts(entry, &roster->slots.items[at]);
	facts_add(&roster->facts, roster->of[at].facts, -1);
	facts_add(&roster->facts, facts, 1);
	roster->of[at].facts = facts;
}

void roster_put(struct roster *roster, const struct job_entry *entry, const struct slot *slot,
		const struct slot_roll *roll)
{
	size_t at = place_of(roster, slot);
	struct roster_slot *of = &roster->of[at];
	count_facts(roster, entry, at);
	count_roll(&roster->sum, &of->roll, -1);
	count_roll(&roster->sum, roll, 1);
	bool other_time = roll->due_ms != of->roll.due_ms;
	of->roll = *roll;
	if (roll->next != NEXT_NOT && !of->queued[roll->next]) {
		of->queued[roll->next] = true;
		queue_push(&roster->next[roll->next], (struct queue_item){ .key = (int64_t)at });
	}
	if (other_time && roll->due_ms != INT64_MAX)
		queue_push(&roster->due, (struct queue_item){ .key = roll->due_ms, .stamp = at });
}

struct task *const *roster_tasks(const struct roster *roster, const struct slot *slot,
				 size_t *ret_n)
{
	const struct roster_slot *of = &roster->of[place_of(roster, slot)];
	*ret_n = of->n_tasks;
	return of->tasks;
}

struct roll_sum roster_sum(const struct roster *roster)
{
	return roster->sum;
}

struct slot *roster_next(struct roster *roster)
{
	for (int kind = 0; kind < NEXT_KINDS; kind++) {
		struct queue *queue = &roster->next[kind];
		while (queue->n) {
			size_t at = (size_t)queue->items[0].key;
			if (roster->of[at].roll.next == kind)
				return &roster->slots.items[at];
			roster->of[at].queued[kind] = false;
			queue_pop(queue);
		}
	}
	return NULL;
}

/* The first of `due` that is live; NULL: there is none. */
static const struct queue_item *first_due(struct roster *roster)
{
	struct queue *due = &roster->due;
	while (due->n && roster->of[due->items[0].stamp].roll.due_ms != due->items[0].key)
		queue_pop(due);
	return due->n ? &due->items[0] : NULL;
}

struct slot *roster_due(struct roster *roster, int64_t now_ms)
{
	const struct queue_item *first = first_due(roster);
	if (!first || first->key > now_ms)
		return NULL;
	size_t at = (size_t)first->stamp;
	queue_pop(&roster->due);
	roster->of[at].roll.due_ms = INT64_MAX;
	return &roster->slots.items[at];
}

int64_t roster_due_ms(struct roster *roster)
{
	const struct queue_item *first = first_due(roster);
	return first ? first->key : INT64_MAX;
}

void roster_count(const struct pass *pass, const struct job_entry *entry)
{
	for (size_t i = 0; i < pass->n; i++)
		count_facts(pass->roster, entry, pass->which[i]);
}

bool roster_has_old(struct pass *pass, const struct job_entry *entry)
{
	struct roster *roster = pass->roster;
	for (size_t i = 0; i < pass->n; i++) {
		const struct slot *slot = pass_slot(pass, i);
		struct roster_slot *of = &roster->of[pass->which[i]];
		bool old = slot_is_old(entry, slot);
		roster->n_old += old - of->old;
		of->old = old;
	}
	return roster->n_old > 0;
}

void roster_facts(struct manager *manager, const struct job_entry *entry,
		  struct job_facts *ret_facts)
{
	struct roster *roster = job_watch(manager, entry->job.id)->roster;
	if (!roster || roster->is_void) {
		struct slots slots;
		slots_build(&manager->cluster, entry, &slots);
		slots_facts(entry, &slots, ret_facts);
		slots_release(&slots);
		return;
	}
	/* They stay touched: the next pass has more to do than to count them. */
	for (size_t i = 0; i < roster->n_touched; i++) {
		size_t at = roster->touched[i];
		roster->slots.items[at] = build(roster, at);
		count_facts(roster, entry, at);
	}
	*ret_facts = roster->facts;
	facts_judge(entry, ret_facts);
}

/* ---- passes ---- */

/* Is there a slot that is on its way to a task of today that is ready? */
static bool any_to_come(const struct job_entry *entry, const struct slots *slots)
{
	for (size_t i = 0; i < slots->n; i++) {
		const struct slot *slot = &slots->items[i];
		if (slot_is_old(entry, slot) ||
		    (slot->want == SLOT_WANTED && (!slot->newest || !task_is_ready(slot->newest))))
			return true;
	}
	return false;
}

static int compare_places(const void *a, const void *b, void *context)
{
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;
	(void)context;
	return (left > right) - (left < right);
}

void pass_grow(struct pass *pass)
{
	struct roster *roster = pass->roster;
	for (size_t i = 0; roster && i < roster->n_touched; i++) {
		size_t at = roster->touched[i];
		if (roster->of[at].in_pass)
			continue;
		roster->of[at].in_pass = true;
		roster->slots.items[at] = build(roster, at);
		pass->which = base_grow(pass->which, pass->n, &pass->capacity, sizeof(size_t));
		pass->which[pass->n++] = at;
	}
}

static void begin_touched(struct pass *pass)
{
	struct roster *roster = pass->roster;
	pass_grow(pass);
	sort_stable(pass->which, pass->n, sizeof(size_t), compare_places, NULL);
	for (size_t i = 0; i < roster->n_touched; i++)
		roster->of[roster->touched[i]].touched = false;
	roster->n_touched = 0;
	pass->slots = roster->slots;
}

void pass_begin(struct manager *manager, struct job_entry *entry, struct pass *ret_pass)
{
	struct job_watch *watch = job_watch(manager, entry->job.id);
	struct pass pass = { 0 };
	roster_tidy(watch);
	if (!watch->roster) {
		slots_build(&manager->cluster, entry, &pass.slots);
		bool to_come = !job_runs_to_completion(entry) &&
			       (job_is_rolling(entry) || any_to_come(entry, &pass.slots));
		watch->roster = to_come ? roster_new(entry, &pass.slots) : NULL;
	}
	pass.roster = watch->roster;
	if (pass.roster)
		begin_touched(&pass);
	*ret_pass = pass;
}

void pass_end(struct pass *pass)
{
	struct roster *roster = pass->roster;
	for (size_t i = 0; i < pass->n; i++) {
		size_t at = pass->which[i];
		roster->of[at].in_pass = false;
		/* What comes of a move depends on more than the two tasks. */
		if (roster->slots.items[at].moving)
			touch(roster, at);
	}
	base_free(pass->which);
	if (!roster)
		slots_release(&pass->slots);
	*pass = (struct pass){ 0 };
}

size_t pass_count(const struct pass *pass)
{
	return pass->roster ? pass->n : pass->slots.n;
}

struct slot *pass_slot(const struct pass *pass, size_t i)
{
	return &pass->slots.items[pass->roster ? pass->which[i] : i];
}

/* ---- the self-check ---- */

void roster_check(const struct roster *roster, const struct cluster *cluster,
		  const struct job_entry *entry)
{
	struct slots slots;
	if (!roster || roster->is_void)
		return;
	slots_build(cluster, entry, &slots);
	size_t n_tasks = 0;
	size_t n = 0;
	for (size_t i = 0; i < roster->slots.n; i++) {
		const struct slot *kept = &roster->slots.items[i];
		/* It was there for its tasks alone, which have gone. */
		if (!roster->of[i].n_tasks && kept->want == SLOT_UNWANTED)
			continue;
		const struct slot *slot = slots_find(&slots, kept->number);
		INVARIANT(slot);
		INVARIANT(kept->want == slot->want);
		INVARIANT(kept->node == slot->node);
		INVARIANT(kept->newest == slot->newest);
		INVARIANT(kept->moving == slot->moving);
		INVARIANT(kept->n_final == slot->n_final);
		INVARIANT(roster->of[i].facts == slot_facts(entry, slot));
		n_tasks += roster->of[i].n_tasks;
		n++;
	}
	for (size_t i = 0; i < slots.n; i++)
		n += !slots.items[i].newest && slots.items[i].want == SLOT_UNWANTED;
	INVARIANT(n >= slots.n);
	INVARIANT(n_tasks == entry->tasks.n);
	slots_release(&slots);
}
