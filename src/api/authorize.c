#include "api/authorize.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "trust/certificate.h"

static enum err_code know_by_socket(const struct http_peer *peer, struct caller *caller,
				    struct err *err)
{
	text_print(caller->name, sizeof(caller->name), "uid:%u", peer->uid);
	if (peer->uid != 0 && peer->uid != geteuid())
		return err_set(err, ERR_FORBIDDEN, "user %u is not the owner of this manager",
			       peer->uid);
	caller->role = ACCESS_ADMIN;
	caller->local = true;
	return ERR_NONE;
}

/* It was let in once, and is not any more. A worker ends what it runs when it is told that it was removed, so only what
 * is on record counts: this store may be an older copy, from before it joined. */
static enum err_code is_out(const struct cluster *cluster, const struct access_name *name,
			    struct err *err)
{
	const char *node;
	if (name->role != ACCESS_WORKER)
		return err_set(err, ERR_FORBIDDEN,
			       "this %s was removed from the cluster: join again with a token",
			       enum_name(access_role_names, name->role));
	if (cluster_was_removed(cluster, (struct node_id){ name->id }, &node))
		return err_set(err, ERR_REMOVED, "node %s was removed from the cluster",
			       node ? node : "");
	return err_set(err, ERR_FORBIDDEN,
		       "the manager knows neither this worker nor that it was removed: its data "
		       "may be an older copy; what the worker runs goes on");
}

/* Is the record still there, for this very key? */
static enum err_code check_identity(const struct cluster *cluster, const struct http_peer *peer,
				    const struct access_name *name, struct err *err)
{
	char key_sha256[ACCESS_HASH_TEXT_SIZE];
	if (!cluster)
		return err_set(err, ERR_UNAVAILABLE,
			       "the manager cannot look up who asks at the moment");
	if (!uuid_equal(name->cluster, cluster->meta.cluster))
		return err_set(err, ERR_FORBIDDEN, "the certificate is of another cluster");
	if (name->role == ACCESS_MANAGER)
		return ERR_NONE;
	const struct identity_record *identity = cluster_identity(cluster, name->id);
	if (identity && identity->role == name->role &&
	    access_hash_equal(identity->key_sha256,
			      access_hash_format(peer->key_sha256, key_sha256)))
		return ERR_NONE;
	return is_out(cluster, name, err);
}

static enum err_code know_by_certificate(const struct cluster *cluster,
					 const struct http_peer *peer, struct caller *caller,
					 struct err *err)
{
	struct access_name name;
	if (!peer->certified)
		return err_set(err, ERR_FORBIDDEN,
			       "this needs a certificate: join with a token, or ask on the "
			       "manager's own socket");
	if (access_uri_parse(peer->uri, &name, err))
		return err_set(err, ERR_FORBIDDEN, "the certificate names nobody: %s",
			       peer->uri[0] ? "it is none of drover's" : "it has no URI");
	enum err_code code = check_identity(cluster, peer, &name, err);
	if (code)
		return code;
	text_print(caller->name, sizeof(caller->name), "%s", peer->uri);
	caller->role = name.role;
	caller->id = name.id;
	return ERR_NONE;
}

/* An expired certificate is good for one thing only. */
static enum err_code check_time(const struct http_peer *peer, int scope, int64_t now_s,
				struct err *err)
{
	char ended[CERTIFICATE_TIME_SIZE], now[CERTIFICATE_TIME_SIZE];
	if (!peer->certified || now_s <= peer->not_after_s)
		return ERR_NONE;
	certificate_time(peer->not_after_s, ended);
	certificate_time(now_s, now);
	if (now_s - peer->not_after_s > LIMIT_CERTIFICATE_LAPSE_S)
		return err_set(err, ERR_FORBIDDEN,
			       "the certificate expired at %s, more than a year before %s on the "
			       "manager's clock: join again with a token",
			       ended, now);
	if (scope != SCOPE_RENEW)
		return err_set(err, ERR_FORBIDDEN,
			       "the certificate expired at %s, and the manager's clock says %s: "
			       "renew it",
			       ended, now);
	return ERR_NONE;
}

/* "client or admin": who may. */
static const char *roles_of(int scope, char out[LIMIT_NAME_BYTES])
{
	static const int roles[] = { ACCESS_VIEWER, ACCESS_CLIENT, ACCESS_ADMIN, ACCESS_WORKER };
	struct text text;
	text_init(&text, LIMIT_NAME_BYTES - 1);
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (access_allows(roles[i], scope))
			text_addf(&text, "%s%s", text.len ? " or " : "",
				  enum_name(access_role_names, roles[i]));
	text_print(out, LIMIT_NAME_BYTES, "%s", text_string(&text));
	text_release(&text);
	return out;
}

static enum err_code check_scope(const struct caller *caller, int scope, struct err *err)
{
	if (access_allows(caller->role, scope) || (caller->local && scope == SCOPE_WORKER))
		return ERR_NONE;
	char roles[LIMIT_NAME_BYTES];
	return err_set(err, ERR_FORBIDDEN, "the role %s may not do this: it needs the role %s",
		       enum_name(access_role_names, caller->role), roles_of(scope, roles));
}

enum err_code authorize(const struct cluster *cluster, const struct http_peer *peer, int scope,
			int64_t now_s, struct caller *ret_caller, struct err *err)
{
	*ret_caller = (struct caller){ 0 };
	enum err_code code = peer->unix_socket
				     ? know_by_socket(peer, ret_caller, err)
				     : know_by_certificate(cluster, peer, ret_caller, err);
	if (access_allows(ACCESS_NONE, scope))
		return ERR_NONE;
	if (!code)
		code = check_time(peer, scope, now_s, err);
	return code ? code : check_scope(ret_caller, scope, err);
}

bool caller_is_worker_of(const struct caller *caller, struct node_id node)
{
	return caller->local ||
	       (caller->role == ACCESS_WORKER && uuid_equal(caller->id, node.uuid));
}
