#include "cli/worker_member.h"

#include <string.h>
#include <time.h>

#include "api/join.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "cli/joining.h"
#include "net/shell.h"

#define PART	     "worker"
#define TRY_AGAIN_MS 3000
#define LIMITED_MS   15000

/* Somewhere around `delay_ms`, so that machines that were started together do not ask together. */
static void wait_a_while(int64_t delay_ms)
{
	struct random random = { shell_seed() };
	int64_t ms = delay_ms / 2 + (int64_t)random_below(&random, (uint64_t)delay_ms);
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	nanosleep(&pause, NULL);
}

/* Until it is done or refused. */
static enum err_code join_patiently(const struct join_options *options, struct err *err)
{
	char said[ERR_MESSAGE_MAX] = "";
	for (;;) {
		enum err_code code = join(options, err);
		if (code == ERR_NONE)
			shell_log(PART, "joined the cluster of the manager at %s",
				  options->manager);
		if (code == ERR_NONE || !join_may_retry(code))
			return code;
		if (strcmp(said, err->message) != 0)
			shell_log(PART, "cannot join yet, trying again: %s", err->message);
		text_print(said, sizeof(said), "%s", err->message);
		wait_a_while(code == ERR_LIMIT ? LIMITED_MS : TRY_AGAIN_MS);
	}
}

/* An older manager gives whatever the token is for, and then lets nobody but a worker work. */
static enum err_code load(const char *dir, struct membership *ret_membership, struct err *err)
{
	struct membership membership;
	enum err_code code = membership_load(dir, &membership, err);
	if (code)
		return code;
	if (membership.certificate.name.role == ACCESS_WORKER) {
		*ret_membership = membership;
		return ERR_NONE;
	}
	code = err_set(err, ERR_CONFLICT,
		       "%s has joined as %s, not as worker: remove that folder and join again "
		       "with a token of `drover token create --role worker`",
		       dir, enum_name(access_role_names, membership.certificate.name.role));
	membership_release(&membership);
	return code;
}

/* Joining is done once: a unit file may name --join and the token for ever. */
static enum err_code check_same(const struct membership *membership, const char *token_text,
				struct err *err)
{
	struct token token;
	char cluster[UUID_TEXT_SIZE];
	if (!token_text)
		return ERR_NONE;
	enum err_code code = token_parse(token_text, &token, err);
	if (code || memcmp(token.ca_sha256, membership->ca.sha256, sizeof(token.ca_sha256)) == 0)
		return code;
	return err_set(
		err, ERR_CONFLICT,
		"this worker is a member of cluster %s, and the token is of another one, or of a "
		"new authority: %s says so; give another --data-dir, or remove that folder and the "
		"worker's store beside it when nothing of the old cluster runs here any more. "
		"Where the cluster has a new authority, remove certificate.pem there and no more",
		uuid_format(membership->certificate.name.cluster, cluster), membership->dir);
}

static bool has_lapsed(const struct membership *membership)
{
	return shell_wall_ms() / 1000 - membership->certificate.not_after_s >
	       LIMIT_CERTIFICATE_LAPSE_S;
}

/* The manager has moved. What is no address of another machine is not kept. */
static enum err_code follow(struct membership *membership, const char *manager, struct err *err)
{
	struct endpoint endpoint = { 0 };
	char where[ENDPOINT_TEXT_SIZE];
	enum err_code code = endpoint_parse(manager, &endpoint, err);
	if (code)
		return code;
	if (endpoint.socket_path)
		code = err_set(err, ERR_INVALID, "%s is a path; a manager is joined at HOST:PORT",
			       manager);
	else if (strcmp(endpoint_text(&endpoint, where), membership->manager) != 0)
		code = membership_set_manager(membership, where, err);
	endpoint_release(&endpoint);
	return code;
}

/* A member already: only the manager's address may be new, and a certificate that nobody renews any more is had again
 * with a token, under the same key, so that the node stays who it is. */
static enum err_code go_on(struct membership *membership, const struct join_options *options,
			   struct err *err)
{
	enum err_code code = check_same(membership, options->token, err);
	if (!code && options->manager)
		code = follow(membership, options->manager, err);
	if (!code)
		shell_log(PART,
			  "member of the cluster of the manager at %s; where it has moved, "
			  "--join HOST:PORT says so once",
			  membership->manager);
	if (code || !options->manager || !options->token || !has_lapsed(membership))
		return code;
	code = join_patiently(options, err);
	if (code)
		return code;
	membership_release(membership);
	return load(options->dir, membership, err);
}

static enum err_code begin(const struct join_options *options, struct membership *ret_membership,
			   struct err *err)
{
	if (!options->token)
		return err_set(err, ERR_INVALID,
			       "--join needs a token: --token, --token-file or DROVER_TOKEN; "
			       "`drover token create --role worker` on the manager makes one");
	enum err_code code = join_patiently(options, err);
	return code ? code : load(options->dir, ret_membership, err);
}

/* A key of its own, else it would be the same again; but one that a join began with is gone on with. */
enum err_code worker_member_removed(const struct invocation *invocation, const char *data_dir,
				    struct uuid node, bool ended, bool *ret_was_member,
				    bool *ret_joins, struct err *err)
{
	char dir[LIMIT_PATH_BYTES];
	struct membership membership;
	_cleanup_free_ char *token = NULL;
	text_print(dir, sizeof(dir), "%s/trust", data_dir);
	*ret_was_member = membership_exists(dir);
	*ret_joins = false;
	enum err_code code = joining_token(invocation, &token, err);
	if (code || !ended)
		return code;
	bool is_old = true;
	if (*ret_was_member && membership_load(dir, &membership, err) == ERR_NONE) {
		is_old = uuid_equal(membership.certificate.name.id, node);
		membership_release(&membership);
	}
	bool asked = token && cli_string(invocation, "join", NULL);
	*ret_joins = asked || (*ret_was_member && !is_old);
	if (asked && *ret_was_member && is_old)
		code = membership_remove(dir, err);
	return code;
}

enum err_code worker_member(const struct invocation *invocation, const char *data_dir,
			    struct membership *ret_membership, bool *ret_member, struct err *err)
{
	char dir[LIMIT_PATH_BYTES];
	_cleanup_free_ char *token = NULL;
	_cleanup_free_ char *name = joining_name(false);
	text_print(dir, sizeof(dir), "%s/trust", data_dir);
	*ret_member = membership_exists(dir);
	enum err_code code = joining_token(invocation, &token, err);
	struct join_options options = { .dir = dir,
					.manager = cli_string(invocation, "join", NULL),
					.token = token,
					.name = name,
					.as = JOINER_WORKER };
	if (!code && *ret_member)
		code = load(dir, ret_membership, err);
	if (!code && *ret_member) {
		code = go_on(ret_membership, &options, err);
		if (code)
			membership_release(ret_membership);
	} else if (!code && options.manager) {
		code = begin(&options, ret_membership, err);
		*ret_member = code == ERR_NONE;
	} else if (!code && (cli_has(invocation, "token") || cli_has(invocation, "token-file"))) {
		code = err_set(err, ERR_INVALID,
			       "a token needs --join HOST:PORT: the manager whose cluster to join");
	}
	return code;
}
