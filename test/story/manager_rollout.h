/* Stories of updates and of the way back: "shop/web", which all are about. */
#ifndef STORY_MANAGER_ROLLOUT_H
#define STORY_MANAGER_ROLLOUT_H

#include "base/limits.h"
#include "manager_story.h"

#define MONITOR_MS LIMIT_UPDATE_MONITOR_MS

/* "shop/web" of `replicas` on alpha, running; the update policy can be changed before rollout_update(). */
void rollout_begin(struct story *story, int64_t replicas);
/* The specification of the request that is being built. */
struct job_spec *rollout_spec(struct story *story);
/* Apply it with another image. */
void rollout_update(struct story *story, const char *image);
/* Ask to go back; 0: to what was good last. */
enum err_code rollout_back(struct story *story, int64_t revision);

const struct job_entry *rollout_job(struct story *story, const char *name);
/* Of the newest task of a slot: "shop/web.2". */
int64_t rollout_revision(struct story *story, const char *task);
/* How a revision of "shop/web" went (enum job_outcome), and the sentence with it. */
int rollout_outcome(struct story *story, int64_t revision);
const char *rollout_message(struct story *story, int64_t revision);
/* How many tasks of "shop/web" run. */
size_t rollout_running(struct story *story);

#endif
