/* A manager that listens for other machines, and those who join it, on the rig's loop. */
#ifndef TEST_SHELLS_MEMBERS_H
#define TEST_SHELLS_MEMBERS_H

#include "access/token.h"
#include "api/join.h"
#include "rig.h"
#include "trust/authority.h"

/* The manager of the rig, listening on a port of its own choice. */
void members_start_manager(struct rig *rig);
enum err_code members_try_manager(struct rig *rig, bool new_authority, struct err *err);

/* A token of this role; the text, and where the manager listens. */
void members_token(struct rig *rig, const char *role, int uses, char text[TOKEN_TEXT_SIZE],
		   char manager[ENDPOINT_TEXT_SIZE]);

/* Join as NAME in the folder of that name, in a process of its own while the loop turns. The code and, in *ret_said,
 * its sentence. */
enum err_code members_join(struct rig *rig, const char *name, const char *manager,
			   const char *token, struct err *ret_said);

/* The same, meaning to become a worker or a user; members_join() does not say, as older joiners do not. */
enum err_code members_join_as(struct rig *rig, const char *name, int as, const char *manager,
			      const char *token, struct err *ret_said);

/* The folder of a member; borrowed until the next call. */
const char *members_dir(const struct rig *rig, const char *name);

/* Somebody who has joined. */
struct member {
	struct membership membership;
	struct endpoint endpoint;
	struct http_client *http;
};
/* Token, join, load: a member under this name and role. */
void members_make(struct rig *rig, const char *name, const char *role, struct member *ret_member);
void members_load(struct rig *rig, const char *name, struct member *ret_member);
void members_release(struct member *member);
/* The rig's worker, as this member. */
void members_start_worker(struct rig *rig, struct member *member);

/* Give the member a certificate that was issued at that time, in the folder and in `member`; its connections end. */
void members_age(struct rig *rig, struct member *member, int64_t issued_s);
/* A certificate for any name and key, issued at that time by the rig's authority. The caller frees. */
char *members_issue(struct rig *rig, const struct access_name *name, const char *key_pem,
		    int64_t issued_s);

/* One call; 0: the connection failed, for the reason in *ret_said. Streams are dropped after the head.
 * The answer's text is cut to what fits. */
int members_call(struct rig *rig, struct http_client *http, const char *method, const char *target,
		 const char *body, char text[1024], struct err *ret_said);

#endif
