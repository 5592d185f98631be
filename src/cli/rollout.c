#include "cli/rollout.h"

#include "task/reason.h"

enum err_code rollout_judge(const struct job_view *job, int64_t asked, bool *ret_over,
			    struct err *err)
{
	bool waits_in_vain =
		job->standing == STANDING_UPDATING && job->reason == REASON_DEPENDENCY_FAILED;
	if (job->standing == STANDING_DEGRADED || job->standing == STANDING_FAILED ||
	    waits_in_vain) {
		char hint[2 * TASK_NAME_SIZE];
		bool may_go_back = job->update == UPDATE_STATE_PAUSED && job->revision > 1 &&
				   !job->rolled_back_from;
		text_print(hint, sizeof(hint), "; `drover rollback %s/%s` takes it back",
			   job->project, job->name);
		return err_set(err, ERR_FAILED, "%s/%s is %s: %s%s", job->project, job->name,
			       enum_name(job_standing_names, job->standing),
			       job->message ? job->message : reason_name(job->reason),
			       may_go_back ? hint : "");
	}
	if (asked && asked == job->rolled_back_from) {
		if (job->update == UPDATE_STATE_ROLLED_BACK)
			return err_set(err, ERR_FAILED,
				       "%s/%s was rolled back from revision %lld to %lld: %s",
				       job->project, job->name, (long long)job->rolled_back_from,
				       (long long)job->revision,
				       job->rolled_back_because ? job->rolled_back_because
								: JOB_ROLLBACK_ASKED);
		*ret_over = false;
	}
	bool rolls =
		job->update == UPDATE_STATE_ROLLING || job->update == UPDATE_STATE_ROLLING_BACK;
	if ((rolls && job->standing != STANDING_STOPPED) || job->standing == STANDING_PENDING ||
	    job->standing == STANDING_UPDATING || job->standing == STANDING_REMOVING)
		*ret_over = false;
	return ERR_NONE;
}
