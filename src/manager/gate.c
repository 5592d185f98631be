#include "manager/gate.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "net/shell.h"
#include "net/tls.h"
#include "trust/certificate.h"
#include "trust/files.h"
#include "trust/keys.h"

#define PART	     "manager"
#define TICKET_FILE  "tickets.key"
#define LOOK_SECONDS 60

struct gate {
	struct authority *authority;
	unsigned char ticket_key[TLS_TICKET_KEY_BYTES];
	struct access_name name; /* ours */
	struct certificate certificate;
	struct tls_context *tls; /* NULL: not certified */
	struct event *look;
};

const struct authority *gate_authority(const struct gate *gate)
{
	return gate->authority;
}

/* ---- our own certificate ------------------------------------------------------------------------------- */

/* A key and a certificate for it, with the CA's behind it: joiners know the CA by its hash. */
static enum err_code issue(struct gate *gate, char **ret_key_pem, char **ret_chain_pem,
			   struct err *err)
{
	char *key_pem = key_make();
	char *csr_pem = NULL;
	char *pem = NULL;
	struct csr *csr = NULL;
	enum err_code code = csr_make(key_pem, &csr_pem, err);
	if (!code)
		code = csr_read(csr_pem, strlen(csr_pem), &csr, err);
	if (!code)
		code = authority_issue(gate->authority, csr, &gate->name, shell_wall_ms() / 1000,
				       &pem, err);
	if (!code)
		code = certificate_read(pem, strlen(pem), &gate->certificate, err);
	if (!code) {
		struct text chain;
		text_init(&chain, LIMIT_PEM_FILE_BYTES);
		text_addf(&chain, "%s%s", pem, authority_certificate_pem(gate->authority));
		*ret_chain_pem = text_take(&chain);
		*ret_key_pem = key_pem;
	} else {
		trust_wipe(key_pem, strlen(key_pem));
		base_free(key_pem);
	}
	csr_free(csr);
	base_free(csr_pem);
	base_free(pem);
	return code;
}

static enum err_code certify(struct gate *gate, struct err *err)
{
	char *key_pem = NULL;
	char *chain_pem = NULL;
	enum err_code code = issue(gate, &key_pem, &chain_pem, err);
	if (code)
		return code;
	struct tls_options options = {
		.server = true,
		.ca_pem = authority_certificate_pem(gate->authority),
		.certificate_pem = chain_pem,
		.key_pem = key_pem,
		.ticket_key = gate->ticket_key,
	};
	code = gate->tls ? tls_context_set_certificate(gate->tls, chain_pem, key_pem, err)
			 : tls_context_new(&options, &gate->tls, err);
	trust_wipe(key_pem, strlen(key_pem));
	base_free(key_pem);
	base_free(chain_pem);
	return code;
}

/* Also when the clock was set back to before our certificate begins. */
static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;
	int64_t now_s = shell_wall_ms() / 1000;
	struct err err;
	(void)fd;
	(void)what;
	if (now_s >= gate->certificate.not_before_s &&
	    now_s < certificate_renew_at_s(&gate->certificate))
		return;
	char ends[CERTIFICATE_TIME_SIZE];
	if (certify(gate, &err))
		shell_log(PART, "the manager's certificate could not be renewed: %s", err.message);
	else
		shell_log(PART, "the manager's certificate was renewed, good until %s",
			  certificate_time(gate->certificate.not_after_s, ends));
}

enum err_code gate_certify(struct gate *gate, struct uuid cluster, struct tls_context **ret_tls,
			   struct err *err)
{
	PRE(!gate->tls);
	gate->name = (struct access_name){ .cluster = cluster, .role = ACCESS_MANAGER };
	struct random random = { shell_seed() };
	gate->name.id = uuid_make(&random, shell_wall_ms());
	enum err_code code = certify(gate, err);
	if (code)
		return code;
	event_add(gate->look, &(struct timeval){ .tv_sec = LOOK_SECONDS });
	*ret_tls = gate->tls;
	return ERR_NONE;
}

/* ---- the folder ---------------------------------------------------------------------------------------- */

/* Any key does; one that is kept saves every worker a whole handshake when the manager comes back. */
static enum err_code open_ticket_key(struct gate *gate, const char *dir, struct err *err)
{
	char *bytes = NULL;
	size_t len = 0;
	enum err_code code = trust_file_read(dir, TICKET_FILE, &bytes, &len, err);
	bool good = !code && len == sizeof(gate->ticket_key);
	if (good)
		memcpy(gate->ticket_key, bytes, len);
	if (bytes)
		trust_wipe(bytes, len);
	base_free(bytes);
	if (good)
		return ERR_NONE;
	trust_random(gate->ticket_key, sizeof(gate->ticket_key));
	return trust_file_write(dir, TICKET_FILE, gate->ticket_key, sizeof(gate->ticket_key), err);
}

/* Never a new one in silence: to those who joined, a manager with another authority is a stranger. */
static enum err_code check_authority(const struct gate_options *options, struct err *err)
{
	bool exists = authority_exists(options->dir);
	if (exists && options->new_authority)
		return err_set_field(err, ERR_CONFLICT, "--new-authority",
				     "%s/%s is there: move it away first, and leave the option out "
				     "of later starts",
				     options->dir, AUTHORITY_FILE);
	if (exists || options->new_authority || !options->is_known)
		return ERR_NONE;
	return err_set(err, ERR_DAMAGED,
		       "%s/%s is missing: without the key of the cluster's authority nobody who "
		       "joined is known any more. Put back a copy; where there is none, start once "
		       "with `drover manager --new-authority`, and everybody has to join anew",
		       options->dir, AUTHORITY_FILE);
}

enum err_code gate_open(struct event_base *base, const struct gate_options *options,
			struct gate **ret_gate, struct err *err)
{
	struct gate *gate = base_calloc(1, sizeof(*gate));
	int64_t now_s = shell_wall_ms() / 1000;
	gate->look = event_new(base, -1, EV_PERSIST, on_look, gate);
	enum err_code code = check_authority(options, err);
	if (!code)
		code = authority_open(options->dir, now_s, &gate->authority, err);
	if (!code)
		code = open_ticket_key(gate, options->dir, err);
	if (code) {
		gate_free(gate);
		return code;
	}
	if (options->new_authority)
		shell_log(PART, "made a new authority: who joined by the old one has to join anew");
	*ret_gate = gate;
	return ERR_NONE;
}

void gate_free(struct gate *gate)
{
	if (!gate)
		return;
	event_free(gate->look);
	tls_context_free(gate->tls);
	authority_free(gate->authority);
	trust_wipe(gate->ticket_key, sizeof(gate->ticket_key));
	base_free(gate);
}

/* ---- where others find us ------------------------------------------------------------------------------ */

static bool is_wildcard(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* The address this machine would use to reach `elsewhere`; nothing is sent. */
static bool find_route(const char *elsewhere, char out[LIMIT_ADDRESS_BYTES])
{
	struct addrinfo wanted = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *there = NULL;
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	if (getaddrinfo(elsewhere, "9", &wanted, &there) != 0)
		return false;
	int fd = socket(there->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found = fd >= 0 && connect(fd, there->ai_addr, there->ai_addrlen) == 0 &&
		     getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
		     getnameinfo((struct sockaddr *)&own, len, out, LIMIT_ADDRESS_BYTES, NULL, 0,
				 NI_NUMERICHOST) == 0;
	if (fd >= 0)
		close(fd);
	freeaddrinfo(there);
	return found;
}

/* Of the first interface that is up and not only this machine's own, IPv4 before IPv6. */
static bool find_interface(char out[LIMIT_ADDRESS_BYTES])
{
	struct ifaddrs *all = NULL;
	bool found = false;
	if (getifaddrs(&all) != 0)
		return false;
	for (int pass = 0; pass < 2 && !found; pass++) {
		int family = pass ? AF_INET6 : AF_INET;
		socklen_t len = pass ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
		for (const struct ifaddrs *at = all; at && !found; at = at->ifa_next)
			found = at->ifa_addr && at->ifa_addr->sa_family == family &&
				(at->ifa_flags & IFF_UP) && !(at->ifa_flags & IFF_LOOPBACK) &&
				getnameinfo(at->ifa_addr, len, out, LIMIT_ADDRESS_BYTES, NULL, 0,
					    NI_NUMERICHOST) == 0 &&
				!strchr(out, '%');
	}
	freeifaddrs(all);
	return found;
}

enum err_code gate_address(const struct endpoint *listen, const char *advertise,
			   char ret_address[ENDPOINT_TEXT_SIZE], struct err *err)
{
	char own[LIMIT_ADDRESS_BYTES];
	struct endpoint shown = { .host = listen->host, .port = listen->port };
	if (advertise) {
		struct endpoint given = { 0 };
		enum err_code code = endpoint_parse(advertise, &given, err);
		if (code)
			return code;
		if (given.socket_path)
			code = err_set_field(err, ERR_INVALID, "--advertise",
					     "%s is a path, not HOST:PORT", advertise);
		else
			endpoint_text(&given, ret_address);
		endpoint_release(&given);
		return code;
	}
	/* Addresses for documentation (RFC 5737, 3849): whatever leads anywhere leads to them. */
	if (is_wildcard(listen->host) &&
	    (find_route("192.0.2.1", own) || find_route("2001:db8::1", own) || find_interface(own)))
		shown.host = own;
	endpoint_text(&shown, ret_address);
	return ERR_NONE;
}
