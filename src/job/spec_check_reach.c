#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "job/address.h"
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
	if (mount->kind != MOUNT_VOLUME && mount->subpath)
		foreign = "subpath";
	if (mount->kind != MOUNT_VOLUME && mount->labels.n)
		foreign = "labels";
	if (mount->kind != MOUNT_BIND && mount->recursive)
		foreign = "recursive";
	if (mount->kind != MOUNT_BIND && mount->selinux)
		foreign = "selinux";
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

/* What a volume that is named has is said where it is declared; what has no name is new and has nothing below it. */
static enum err_code check_volume_mount(const struct mount *mount, size_t i, struct err *err)
{
	if (mount->labels.n && mount->source)
		return refuse(err, ERR_INVALID, AT_MEMBER("mounts", i, "labels"),
			      "the labels of a volume with a name are written where it is "
			      "declared");
	if (!mount->subpath)
		return spec_check_labels(&mount->labels, AT_MEMBER("mounts", i, "labels"), err);
	if (!mount->source)
		return refuse(err, ERR_INVALID, AT_MEMBER("mounts", i, "subpath"),
			      "a volume without a name is empty, so it has no subpath");
	if (!mount->subpath[0] || mount->subpath[0] == '/' || path_climbs(mount->subpath))
		return refuse(err, ERR_INVALID, AT_MEMBER("mounts", i, "subpath"),
			      "\"%.*s\" is not a path within the volume", SHOWN_BYTES,
			      mount->subpath);
	return ERR_NONE;
}

/* Docker takes a relabelling in its short form only, and the others in its long form only. */
static enum err_code check_bind_mount(const struct mount *mount, size_t i, struct err *err)
{
	if (mount->selinux && (mount->recursive || !mount->create_host_path))
		return refuse(err, ERR_UNSUPPORTED, AT_MEMBER("mounts", i, "selinux"),
			      "Docker relabels only what it may make when it is missing, and "
			      "takes no word on recursion beside that");
	if ((mount->recursive == RECURSIVE_WRITABLE || mount->recursive == RECURSIVE_READONLY) &&
	    !mount->read_only)
		return refuse(err, ERR_INVALID, AT_MEMBER("mounts", i, "recursive"),
			      "%s is for a mount that is read_only",
			      enum_name(mount_recursive_names, mount->recursive));
	return ERR_NONE;
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
	if (!code && mount->kind == MOUNT_VOLUME)
		code = check_volume_mount(mount, i, err);
	if (!code && mount->kind == MOUNT_BIND)
		code = check_bind_mount(mount, i, err);
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

static enum err_code check_address(const char *text, bool six, struct spot spot, struct err *err)
{
	struct ip_address address;
	if (!text || (ip_address_parse(text, &address) && (strchr(text, ':') != NULL) == six))
		return ERR_NONE;
	return refuse(err, ERR_INVALID, spot, "\"%.*s\" is not an %s address", SHOWN_BYTES, text,
		      six ? "IPv6" : "IPv4");
}

static bool is_of_one(const struct job_spec *spec)
{
	return spec->replicas <= 1 && !job_spec_is_global(spec);
}

static enum err_code check_endpoint(const struct job_spec *spec, size_t i, struct err *err)
{
	const struct endpoint_settings *endpoint = spec->networks.items[i].endpoint;
	if (!endpoint)
		return ERR_NONE;
	bool own = endpoint->mac_address || endpoint->ipv4_address || endpoint->ipv6_address;
	if (own && !is_of_one(spec))
		return refuse(err, ERR_INVALID, AT_MEMBER("networks", i, "endpoint"),
			      "an address belongs to one task, but the job may have more");
	if (own && (spec->update.order == UPDATE_START_FIRST ||
		    spec->rollback.order == UPDATE_START_FIRST))
		return refuse(err, ERR_INVALID, AT_MEMBER("networks", i, "endpoint"),
			      "an address belongs to one task, but with order start-first two "
			      "would have it at once");
	if (endpoint->mac_address && !is_mac_address(endpoint->mac_address))
		return refuse(err, ERR_INVALID, AT_MEMBER("networks", i, "endpoint.mac_address"),
			      "\"%.*s\" is not an address like 02:42:ac:11:00:02", SHOWN_BYTES,
			      endpoint->mac_address);
	if (endpoint->interface_name && !is_interface_name(endpoint->interface_name))
		return refuse(err, ERR_INVALID, AT_MEMBER("networks", i, "endpoint.interface_name"),
			      "\"%.*s\" is not an interface's name", SHOWN_BYTES,
			      endpoint->interface_name);
	enum err_code code = check_address(endpoint->ipv4_address, false,
					   AT_MEMBER("networks", i, "endpoint.ipv4_address"), err);
	if (!code)
		code = check_address(endpoint->ipv6_address, true,
				     AT_MEMBER("networks", i, "endpoint.ipv6_address"), err);
	for (size_t j = 0; !code && j < endpoint->link_local_ips.n; j++)
		if (!is_ip_address(endpoint->link_local_ips.items[j]))
			code = refuse(err, ERR_INVALID,
				      AT_MEMBER("networks", i, "endpoint.link_local_ips"),
				      "\"%.*s\" is not an IP address", SHOWN_BYTES,
				      endpoint->link_local_ips.items[j]);
	return code;
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
	for (size_t i = 0; !code && i < spec->networks.n; i++)
		code = check_endpoint(spec, i, err);
	for (size_t i = 0; !code && i < spec->extra_hosts.n; i++)
		code = check_extra_host(&spec->extra_hosts, i, err);
	for (size_t i = 0; !code && i < spec->dns.n; i++)
		if (!is_ip_address(spec->dns.items[i]))
			code = refuse(err, ERR_INVALID, AT_ITEM("dns", i),
				      "\"%.*s\" is not an IP address", SHOWN_BYTES,
				      spec->dns.items[i]);
	return code;
}
