/* The slots of a job whose tasks are being replaced or have yet to become ready, kept from one look to the next, so
 * that a step of an update or of a start costs what changed and not what the job has. Everything in it follows from
 * the job's record and its tasks; it is made anew when anything but its tasks has changed (job_dirty()).
 *
 * A pass is one look at a job (reconcile.c): at the slots whose tasks have changed since the last one where there is a
 * roster, at all of them where there is none. */
#ifndef MANAGER_ROSTER_H
#define MANAGER_ROSTER_H

#include "manager/core.h"

/* May the slot's task be the next to be replaced? Those that serve nobody go first. */
enum roll_next { NEXT_IDLE = 0, NEXT_SERVES, NEXT_KINDS, NEXT_NOT = NEXT_KINDS };

/* What an update has to do with a slot (update.c). */
struct slot_roll {
	bool busy;	/* it takes up one of the places */
	bool open;	/* not everything is decided yet */
	bool ill;	/* its task has failed, and is not well */
	int next;	/* enum roll_next */
	int64_t due_ms; /* monotonic: to be looked at again; INT64_MAX: when something changes */
};

/* Of all slots. */
struct roll_sum {
	int64_t n_busy, n_open, n_ill;
};

struct roster;

struct pass {
	struct slots slots;
	struct roster *roster; /* NULL: all slots are looked at */
	size_t *which;	       /* else these, ascending at first */
	size_t n, capacity;
};

/* `ret_pass` borrows from the manager until pass_end(). */
void pass_begin(struct manager *manager, struct job_entry *entry, struct pass *ret_pass);
/* Look also at what has changed since the pass began; it will be looked at by the next one, too. */
void pass_grow(struct pass *pass);
void pass_end(struct pass *pass);
size_t pass_count(const struct pass *pass);
/* The i-th that is looked at; `pass->slots` are all there are. */
struct slot *pass_slot(const struct pass *pass, size_t i);

/* Does any slot have a task of an older revision or restart? The pass has a roster. */
bool roster_has_old(struct pass *pass, const struct job_entry *entry);
/* The slots that are looked at count for what they are now; roster_put() does that, too. */
void roster_count(const struct pass *pass, const struct job_entry *entry);
void roster_put(struct roster *roster, const struct job_entry *entry, const struct slot *slot,
		const struct slot_roll *roll);
/* The slot's, oldest first; borrowed until one is made or goes. */
struct task *const *roster_tasks(const struct roster *roster, const struct slot *slot,
				 size_t *ret_n);
struct roll_sum roster_sum(const struct roster *roster);
/* The first that may be next; NULL: none may. */
struct slot *roster_next(struct roster *roster);
/* One that is to be looked at by now; NULL: none is. It is handed out once. */
struct slot *roster_due(struct roster *roster, int64_t now_ms);
/* When the first is to be looked at; INT64_MAX: none is. */
int64_t roster_due_ms(struct roster *roster);

/* How the slots of the job stand, by its roster if it has one that holds. */
void roster_facts(struct manager *manager, const struct job_entry *entry,
		  struct job_facts *ret_facts);
/* What is known of the slots does not hold any more: the next pass begins with all. NULL is allowed, as below. */
void roster_void(struct roster *roster);
void roster_free(struct roster *roster);
/* A task of the job was made, has changed, is about to be deleted. */
void roster_task_made(struct roster *roster, struct task *task);
void roster_task_changed(struct roster *roster, const struct task *task);
void roster_task_gone(struct roster *roster, const struct task *task);
/* It has served its purpose if the job stands like this. */
void roster_settle(struct roster *roster, const struct job_facts *facts);
/* One that does not hold goes. */
void roster_tidy(struct job_watch *watch);
/* What is known of its slot is what its tasks say. */
void roster_check(const struct roster *roster, const struct cluster *cluster,
		  const struct job_entry *entry);

/* slots.c: a slot without tasks gets them one by one, oldest first, and is closed. */
void slot_add(struct slot *slot, struct task *task);
void slot_close(struct slot *slot);
/* What one slot counts for, as bits; add it to a sum, or with -1 take it from there; what follows from the sum. */
uint32_t slot_facts(const struct job_entry *entry, const struct slot *slot);
void facts_add(struct job_facts *facts, uint32_t bits, int sign);
void facts_judge(const struct job_entry *entry, struct job_facts *facts);

/* update.c: bring the update of a job on. True: it was rolled back, is paused or goes on, and all is to be looked at
 * again. */
bool update_roll(struct manager *manager, struct job_entry *entry, struct pass *pass,
		 bool gate_open);

/* prune.c */
void prune_tasks(struct manager *manager, struct job_entry *entry, const struct pass *pass);
/* ... of a job that is stopped. */
void prune_all(struct manager *manager, struct job_entry *entry);

#endif
