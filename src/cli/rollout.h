/* How the roll-out of a job ends, for those who wait for it. */
#ifndef CLI_ROLLOUT_H
#define CLI_ROLLOUT_H

#include "api/views.h"

/* Is it over? `asked` is the revision that is waited for; 0: whichever there is. ERR_FAILED with the reason: the job is
 * degraded or failed, its update waits for what never comes, or it was gone back on that revision and the way back has
 * come to its end. *ret_over is set to false while it goes on, else left alone. */
enum err_code rollout_judge(const struct job_view *job, int64_t asked, bool *ret_over,
			    struct err *err) WARN_UNUSED;

#endif
