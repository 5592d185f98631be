/* The written forms that job specifications use: each function answers whether a text has the form. ASCII only. */
#ifndef JOB_SYNTAX_H
#define JOB_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

/* Parts of an image reference, [DOMAIN[:PORT]/]PATH[:TAG][@DIGEST], as the distribution project's grammar has it. They
 * point into the text they were read from. */
struct image_reference {
	size_t name_len;   /* of domain and path together, from the start */
	size_t domain_len; /* 0: Docker Hub */
	const char *tag;   /* NULL: none */
	size_t tag_len;
	const char *digest; /* NULL: none; "sha256:..." up to the end */
};

/* False when the text is no image reference. `ret_image` may be NULL. */
bool image_parse(const char *text, struct image_reference *ret_image);

/* Host names of RFC 1123: labels of letters, digits and inner '-', at most 63 each and 253 in all. */
bool is_hostname(const char *text);

/* As job/address.h reads it. */
bool is_ip_address(const char *text);

/* Do two addresses of the machine exclude each other on one port? NULL, "", 0.0.0.0 and :: are all addresses and
 * exclude every one; others compare as they are written. */
bool host_ips_overlap(const char *a, const char *b);

/* "SIGTERM", "TERM", "SIGRTMIN+3" in either case, or a number 1..64. */
bool is_signal(const char *text);

/* An environment variable's name: whatever the kernel and Docker pass on, but no blanks and control characters. Images
 * take "discovery.type", "Logging:LogLevel:Default", "2FA_KEY". At most LIMIT_ENVIRONMENT_KEY_BYTES. */
bool is_environment_key(const char *text);

/* Do two absolute paths name the same place when doubled and trailing slashes do not count? */
bool is_same_path(const char *a, const char *b);

/* Has the path a component ".."? */
bool path_climbs(const char *path);

/* Numbers and ranges of them: "0-3,6". */
bool is_number_set(const char *text);

/* TYPE MAJOR:MINOR PERMISSIONS, as the kernel's device cgroup has it: "c 1:3 mr", "a *:* rwm". */
bool is_device_rule(const char *text);

/* "80/tcp", also udp and sctp. */
bool is_port_with_protocol(const char *text);

/* Six pairs of hexadecimal digits with colons, of one station and not of many. */
bool is_mac_address(const char *text);

/* What Linux takes for a network interface. */
bool is_interface_name(const char *text);

/* A path below /dev, without "..". */
bool is_device_path(const char *path);

#endif
