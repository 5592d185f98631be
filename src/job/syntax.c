#include "job/syntax.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/parse.h"
#include "job/address.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* One label of a host name: letters, digits, inner '-'. */
static bool is_label(const char *text, size_t len)
{
	if (!len || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '-')
			return false;
	return true;
}

static bool is_hostname_n(const char *text, size_t len)
{
	if (!len || len > LIMIT_HOSTNAME_BYTES)
		return false;
	size_t start = 0;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] != '.')
			continue;
		if (i - start > 63 || !is_label(text + start, i - start))
			return false;
		start = i + 1;
	}
	return true;
}

bool is_hostname(const char *text)
{
	return is_hostname_n(text, strlen(text));
}

/* domain[:port], where domain is a host name or an IPv6 address in brackets. */
static bool is_domain(const char *text, size_t len)
{
	size_t host_len = 0;
	if (len && text[0] == '[') {
		while (host_len < len && text[host_len] != ']')
			host_len++;
		char address[64];
		if (host_len == len || host_len > sizeof(address))
			return false;
		memcpy(address, text + 1, host_len - 1);
		address[host_len - 1] = '\0';
		if (!is_ip_address(address))
			return false;
		host_len++;
	} else {
		while (host_len < len && text[host_len] != ':')
			host_len++;
		if (!is_hostname_n(text, host_len))
			return false;
	}
	if (host_len == len)
		return true;
	int64_t port;
	return text[host_len] == ':' && parse_int_n(text + host_len + 1, len - host_len - 1, 1,
						    65535, &port, NULL) == ERR_NONE;
}

/* The first component is a domain when it could not be part of a path on Docker Hub. */
static bool looks_like_domain(const char *text, size_t len)
{
	if (len == 9 && memcmp(text, "localhost", 9) == 0)
		return true;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '.' || text[i] == ':' || text[i] == '[' ||
		    (is_letter(text[i]) && !is_lower(text[i])))
			return true;
	return false;
}

/* Lower-case letters and digits, parted by ".", "_", "__" or any number of "-". */
static bool is_path_component(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t start = i;
		while (i < len && (is_lower(text[i]) || is_digit(text[i])))
			i++;
		if (i == start)
			return false;
		if (i == len)
			return true;
		size_t n = 1;
		while (i + n < len && text[i + n] == text[i])
			n++;
		bool parts =
			text[i] == '-' || (text[i] == '_' && n <= 2) || (text[i] == '.' && n == 1);
		if (!parts)
			return false;
		i += n;
	}
	return false;
}

static bool is_image_path(const char *text, size_t len)
{
	size_t start = 0;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] != '/')
			continue;
		if (!is_path_component(text + start, i - start))
			return false;
		start = i + 1;
	}
	return true;
}

static bool is_tag(const char *text, size_t len)
{
	if (!len || len > 128 || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]) && !strchr("_.-", text[i]))
			return false;
	return true;
}

/* ALGORITHM:HEX, at least 32 digits; sha256 has 64. */
static bool is_digest(const char *text)
{
	const char *colon = strchr(text, ':');
	if (!colon || !is_letter(text[0]))
		return false;
	for (const char *at = text; at < colon; at++) {
		bool parts = strchr("+._-", *at) && is_letter(at[1]);
		if (!is_letter(*at) && !is_digit(*at) && !parts)
			return false;
	}
	size_t digits = 0;
	while (is_hex(colon[1 + digits]))
		digits++;
	if (colon[1 + digits])
		return false;
	bool is_sha256 = colon - text == 6 && memcmp(text, "sha256", 6) == 0;
	return is_sha256 ? digits == 64 : digits >= 32;
}

bool image_parse(const char *text, struct image_reference *ret_image)
{
	struct image_reference image = { 0 };
	const char *at_sign = strchr(text, '@');
	size_t len = at_sign ? (size_t)(at_sign - text) : strlen(text);
	if (at_sign)
		image.digest = at_sign + 1;
	if (image.digest && !is_digest(image.digest))
		return false;
	image.name_len = len;
	for (size_t i = len; i > 0 && text[i - 1] != '/'; i--) {
		if (text[i - 1] != ':')
			continue;
		image.name_len = i - 1;
		image.tag = text + i;
		image.tag_len = len - i;
	}
	if (image.tag && !is_tag(image.tag, image.tag_len))
		return false;
	const char *slash = memchr(text, '/', image.name_len);
	size_t first_len = slash ? (size_t)(slash - text) : 0;
	if (first_len && looks_like_domain(text, first_len))
		image.domain_len = first_len;
	size_t path = image.domain_len ? image.domain_len + 1 : 0;
	if (image.domain_len && !is_domain(text, image.domain_len))
		return false;
	if (image.name_len > 255 || path > image.name_len ||
	    !is_image_path(text + path, image.name_len - path))
		return false;
	if (ret_image)
		*ret_image = image;
	return true;
}

bool is_ip_address(const char *text)
{
	struct ip_address address;
	return ip_address_parse(text, &address);
}

static bool is_every_ip(const char *ip)
{
	return !ip || !*ip || strcmp(ip, "0.0.0.0") == 0 || strcmp(ip, "::") == 0;
}

bool host_ips_overlap(const char *a, const char *b)
{
	return is_every_ip(a) || is_every_ip(b) || strcmp(a, b) == 0;
}

static char upper(char c)
{
	return is_lower(c) ? (char)(c - 'a' + 'A') : c;
}

static bool starts_with_ignoring_case(const char *text, const char *start)
{
	for (; *start; text++, start++)
		if (upper(*text) != *start)
			return false;
	return true;
}

bool is_signal(const char *text)
{
	static const char *const names[] = {
		"ABRT", "ALRM",	  "BUS",  "CHLD",   "CLD",   "CONT", "FPE",  "HUP",  "ILL",
		"INT",	"IO",	  "IOT",  "KILL",   "PIPE",  "POLL", "PROF", "PWR",  "QUIT",
		"SEGV", "STKFLT", "STOP", "SYS",    "TERM",  "TRAP", "TSTP", "TTIN", "TTOU",
		"URG",	"USR1",	  "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
	};
	int64_t number;
	if (is_digit(text[0]))
		return parse_int(text, 1, 64, &number, NULL) == ERR_NONE;
	if (starts_with_ignoring_case(text, "SIG"))
		text += 3;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (starts_with_ignoring_case(text, names[i]) && !text[strlen(names[i])])
			return true;
	/* glibc has real-time signals RTMIN (34) to RTMAX (64), Docker writes their names from either end. */
	bool from_min = starts_with_ignoring_case(text, "RTMIN");
	if (!from_min && !starts_with_ignoring_case(text, "RTMAX"))
		return false;
	text += 5;
	if (!*text)
		return true;
	return *text == (from_min ? '+' : '-') &&
	       parse_int(text + 1, 1, from_min ? 15 : 14, &number, NULL) == ERR_NONE;
}

bool is_environment_key(const char *text)
{
	size_t len = 0;
	for (; text[len]; len++)
		if ((unsigned char)text[len] <= ' ' || text[len] == '=' || text[len] == 0x7f)
			return false;
	return len > 0 && len <= LIMIT_ENVIRONMENT_KEY_BYTES;
}

bool is_same_path(const char *a, const char *b)
{
	for (;;) {
		while (*a == '/' && (a[1] == '/' || !a[1]))
			a++;
		while (*b == '/' && (b[1] == '/' || !b[1]))
			b++;
		if (*a != *b)
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

bool path_climbs(const char *path)
{
	while (*path) {
		const char *end = strchr(path, '/');
		size_t len = end ? (size_t)(end - path) : strlen(path);
		if (len == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += len;
		while (*path == '/')
			path++;
	}
	return false;
}

/* Digits; NULL when there are none or too many. */
static const char *skip_number(const char *at)
{
	size_t len = strspn(at, "0123456789");
	return len && len < 6 ? at + len : NULL;
}

bool is_number_set(const char *text)
{
	for (const char *at = text;; at++) {
		at = skip_number(at);
		if (at && *at == '-')
			at = skip_number(at + 1);
		if (!at || (*at && *at != ','))
			return false;
		if (!*at)
			return true;
	}
}

bool is_device_path(const char *path)
{
	return strncmp(path, "/dev/", strlen("/dev/")) == 0 && path[strlen("/dev/")] &&
	       !path_climbs(path);
}

/* Past a number or '*'; NULL when there is neither. */
static const char *skip_device_number(const char *at)
{
	return *at == '*' ? at + 1 : skip_number(at);
}

bool is_device_rule(const char *text)
{
	if (!text[0] || !strchr("acb", text[0]) || text[1] != ' ')
		return false;
	const char *at = skip_device_number(text + 2);
	if (!at || *at != ':')
		return false;
	at = skip_device_number(at + 1);
	if (!at || *at != ' ')
		return false;
	size_t len = strspn(at + 1, "rwm");
	return len && len <= 3 && !at[1 + len];
}

bool is_port_with_protocol(const char *text)
{
	const char *slash = skip_number(text);
	int64_t port;
	if (!slash || *slash != '/' ||
	    parse_int_n(text, (size_t)(slash - text), 1, 65535, &port, NULL))
		return false;
	return strcmp(slash, "/tcp") == 0 || strcmp(slash, "/udp") == 0 ||
	       strcmp(slash, "/sctp") == 0;
}

bool is_mac_address(const char *text)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	for (size_t i = 0; i < 17; i++)
		if (!text[i] || (i % 3 == 2 ? text[i] != ':' : !strchr(hex, text[i])))
			return false;
	/* The lowest bit of the first byte: an address of many. */
	return !text[17] && !strchr("13579bBdDfF", text[1]);
}

bool is_interface_name(const char *text)
{
	size_t len = strcspn(text, "/: \t\r\n");
	return len && len < 16 && !text[len] && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}
