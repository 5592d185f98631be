#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/refuse.h"
#include "job/spec_check.h"
#include "job/syntax.h"

/* Long values are cut in messages. */
#define SHOWN_BYTES 100

/* Both ask for one and the same port of the machine. */
static bool ports_collide(const struct port *a, const struct port *b)
{
	bool both_fixed = a->host_first && a->host_first == a->host_last && b->host_first &&
			  b->host_first == b->host_last;
	return both_fixed && a->protocol == b->protocol && a->host_first == b->host_first &&
	       host_ips_overlap(a->host_ip, b->host_ip);
}

static enum err_code check_port(const struct job_spec *spec, size_t i, struct err *err)
{
	const struct port *port = &spec->ports.items[i];
	if (port->host_ip && !is_ip_address(port->host_ip))
		return refuse(err, ERR_INVALID, AT_MEMBER("ports", i, "host_ip"),
			      "\"%.*s\" is not an IP address", SHOWN_BYTES, port->host_ip);
	if (port->host_last < port->host_first || (!port->host_first && port->host_last))
		return refuse(err, ERR_INVALID, AT_MEMBER("ports", i, "host_last"),
			      "%lld-%lld is not a range of ports", (long long)port->host_first,
			      (long long)port->host_last);
	if (port->host_last - port->host_first >= LIMIT_PORT_RANGE)
		return refuse(err, ERR_INVALID, AT_MEMBER("ports", i, "host_last"),
			      "%lld-%lld has more than %d ports", (long long)port->host_first,
			      (long long)port->host_last, LIMIT_PORT_RANGE);
	for (size_t j = 0; j < i; j++)
		if (ports_collide(&spec->ports.items[j], port))
			return refuse(err, ERR_INVALID, AT_MEMBER("ports", i, "host_first"),
				      "host port %lld/%s is published twice",
				      (long long)port->host_first,
				      enum_name(port_protocol_names, port->protocol));
	return ERR_NONE;
}

/* A setting that another kind of mount has is a mistake, not something to leave out in silence. */
static enum err_code check_mount_settings(const struct mount *mount, size_t i, struct err *err)
{
	const char *foreign = NULL;
	if (mount->kind != MOUNT_VOLUME && mount->nocopy)
		foreign = "nocopy";
	if (mount->kind != MOUNT_BIND && mount->propagation)
		foreign = "propagation";
	if (mount->kind != MOUNT_TMPFS && mount->tmpfs_size_bytes)
		foreign = "tmpfs_size_bytes";
	if (mount->kind != MOUNT_TMPFS && mount->tmpfs_mode)
		foreign = "tmpfs_mode";
	if (mount->kind != MOUNT_TMPFS && mount->tmpfs_options)
		foreign = "tmpfs_options";
	if (foreign)
		return refuse(err, ERR_INVALID, AT_MEMBER("mounts", i, foreign),
			      "a mount of kind %s has no such setting",
			      enum_name(mount_kind_names, mount->kind));
	return ERR_NONE;
}

static enum err_code check_propagation(const struct mount *mount, size_t i, struct err *err)
{
	static const char *const names[] = { "private", "rprivate", "shared",
					     "rshared", "slave",    "rslave" };
	if (!mount->propagation)
		return ERR_NONE;
	for (size_t j = 0; j < ARRAY_LEN(names); j++)
		if (strcmp(names[j], mount->propagation) == 0)
			return ERR_NONE;
	return refuse(err, ERR_INVALID, AT_MEMBER("mounts", i, "propagation"),
		      "\"%.*s\" is none of private, rprivate, shared, rshared, slave, rslave",
		      SHOWN_BYTES, mount->propagation);
}

static enum err_code check_mount_source(const struct mount *mount, size_t i, struct err *err)
{
	struct spot spot = AT_MEMBER("mounts", i, "source");
	switch ((enum mount_kind)mount->kind) {
	case MOUNT_BIND:
		if (!mount->source || mount->source[0] != '/')
			return refuse(err, ERR_INVALID, spot, "\"%.*s\" is not an absolute path",
				      SHOWN_BYTES, mount->source ? mount->source : "");
		if (path_climbs(mount->source))
			return refuse(err, ERR_INVALID, spot, "\"%.*s\" holds \"..\"", SHOWN_BYTES,
				      mount->source);
		return ERR_NONE;
	case MOUNT_TMPFS:
		if (mount->source)
			return refuse(err, ERR_INVALID, spot, "a tmpfs has no source");
		return ERR_NONE;
	case MOUNT_VOLUME: break;
	}
	if (!mount->source)
		return ERR_NONE;
	enum err_code code = key_check(mount->source, "source", err);
	return code ? refuse_at(err, code, spot) : ERR_NONE;
}

static enum err_code check_mount(const struct job_spec *spec, size_t i, struct err *err)
{
	const struct mount *mount = &spec->mounts.items[i];
	struct spot spot = AT_MEMBER("mounts", i, "target");
	const char *target = mount->target ? mount->target : "";
	if (target[0] != '/')
		return refuse(err, ERR_INVALID, spot, "\"%.*s\" is not an absolute path",
			      SHOWN_BYTES, target);
	if (path_climbs(target) || is_same_path(target, "/"))
		return refuse(err, ERR_INVALID, spot, "nothing can be mounted at \"%.*s\"",
			      SHOWN_BYTES, target);
	for (size_t j = 0; j < i; j++)
		if (is_same_path(spec->mounts.items[j].target, target))
			return refuse(err, ERR_INVALID, spot, "two mounts have the target \"%.*s\"",
				      SHOWN_BYTES, target);
	enum err_code code = check_mount_source(mount, i, err);
	if (!code)
		code = check_mount_settings(mount, i, err);
	return code ? code : check_propagation(mount, i, err);
}

/* Docker's resolver answers any name without blanks and separators. */
static bool is_alias(const char *text)
{
	for (const char *at = text; *at; at++)
		if (strchr(" \t\r\n/:", *at))
			return false;
	return text[0] != '\0';
}

static enum err_code check_network(const struct job_spec *spec, size_t i, struct err *err)
{
	const struct network_use *use = &spec->networks.items[i];
	struct spot spot = AT_MEMBER("networks", i, "network");
	enum err_code code = key_check(use->network, "network", err);
	if (code)
		return refuse_at(err, code, spot);
	for (size_t j = 0; j < i; j++)
		if (strcmp(spec->networks.items[j].network, use->network) == 0)
			return refuse(err, ERR_INVALID, spot, "\"%s\" is written twice",
				      use->network);
	for (size_t j = 0; j < use->aliases.n; j++)
		if (!is_alias(use->aliases.items[j]))
			return refuse(err, ERR_INVALID, AT_MEMBER("networks", i, "aliases"),
				      "\"%.*s\" cannot be a name in a network", SHOWN_BYTES,
				      use->aliases.items[j]);
	return ERR_NONE;
}

/* "HOST:ADDRESS"; Docker puts the machine's own address for "host-gateway". */
static enum err_code check_extra_host(const struct strings *hosts, size_t i, struct err *err)
{
	const char *colon = strchr(hosts->items[i], ':');
	bool good = colon && colon > hosts->items[i] &&
		    (is_ip_address(colon + 1) || strcmp(colon + 1, "host-gateway") == 0);
	if (!good)
		return refuse(err, ERR_INVALID, AT_ITEM("extra_hosts", i),
			      "\"%.*s\" is not NAME:ADDRESS", SHOWN_BYTES, hosts->items[i]);
	return ERR_NONE;
}

enum err_code spec_check_reach(const struct job_spec *spec, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; !code && i < spec->ports.n; i++)
		code = check_port(spec, i, err);
	for (size_t i = 0; !code && i < spec->mounts.n; i++)
		code = check_mount(spec, i, err);
	for (size_t i = 0; !code && i < spec->networks.n; i++)
		code = check_network(spec, i, err);
	for (size_t i = 0; !code && i < spec->extra_hosts.n; i++)
		code = check_extra_host(&spec->extra_hosts, i, err);
	for (size_t i = 0; !code && i < spec->dns.n; i++)
		if (!is_ip_address(spec->dns.items[i]))
			code = refuse(err, ERR_INVALID, AT_ITEM("dns", i),
				      "\"%.*s\" is not an IP address", SHOWN_BYTES,
				      spec->dns.items[i]);
	return code;
}
