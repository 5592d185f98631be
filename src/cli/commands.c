/* The table of commands, in the order help shows them. A new command: one file, one declaration and one row here. */
#include "base/alloc.h"
#include "cli/command.h"

extern const struct command command_dev, command_manager, command_worker, command_version,
	command_help;
extern const struct command command_up, command_down, command_config, command_run, command_stop,
	command_rm, command_scale, command_restart, command_ps, command_jobs, command_nodes,
	command_inspect, command_why, command_logs, command_events, command_volume_ls,
	command_volume_rm, command_node_drain, command_node_resume, command_node_rm,
	command_node_label, command_node_inspect, command_token_create, command_token_ls,
	command_token_rm, command_identity_ls, command_identity_rm, command_context_join,
	command_context_ls, command_context_use, command_context_show, command_context_rm,
	command_rollback, command_history, command_plan, command_rebalance;

const struct command *const commands[] = {
	&command_dev,	       &command_up,	      &command_plan,	     &command_down,
	&command_config,       &command_run,	      &command_ps,	     &command_jobs,
	&command_why,	       &command_logs,	      &command_events,	     &command_inspect,
	&command_history,      &command_rollback,     &command_rebalance,    &command_scale,
	&command_stop,	       &command_restart,      &command_rm,	     &command_nodes,
	&command_node_drain,   &command_node_resume,  &command_node_rm,	     &command_node_label,
	&command_node_inspect, &command_volume_ls,    &command_volume_rm,    &command_manager,
	&command_worker,       &command_token_create, &command_token_ls,     &command_token_rm,
	&command_identity_ls,  &command_identity_rm,  &command_context_join, &command_context_ls,
	&command_context_use,  &command_context_show, &command_context_rm,   &command_version,
	&command_help,
};
const size_t n_commands = ARRAY_LEN(commands);
