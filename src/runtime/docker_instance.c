/* The credentials of a unix socket's peer are those of the process that called listen(): the daemon, or with socket
 * activation the init process, which outlives daemons; then the daemon's own pid file tells more. */
#include "runtime/docker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/socket.h"

#define PID_FILE "/run/docker.pid"

/* At most size-1 bytes of a small file, as a string; false when it cannot be read. */
static bool read_small(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, out, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	out[n] = '\0';
	return true;
}

/* Field 22 of /proc/PID/stat, counted behind the command's name, which may hold anything but the last ')'. */
static uint64_t start_time_of(long pid)
{
	char path[64], stat[1024];
	text_print(path, sizeof(path), "/proc/%ld/stat", pid);
	if (pid <= 0 || !read_small(path, stat, sizeof(stat)))
		return 0;
	const char *at = strrchr(stat, ')');
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoull(at, NULL, 10) : 0;
}

static uint64_t mix(uint64_t pid, uint64_t start_time)
{
	uint64_t hash = 14695981039346656037u;
	uint64_t parts[] = { pid, start_time };
	for (unsigned int i = 0; i < 16; i++)
		hash = (hash ^ ((parts[i / 8] >> (8 * (i % 8))) & 0xff)) * 1099511628211u;
	return hash ? hash : 1;
}

uint64_t docker_instance(const char *socket_path)
{
	int fd;
	if (socket_dial(socket_path, &fd, NULL) != ERR_NONE)
		return 0;
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	int failed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	close(fd);
	if (failed)
		return 0;
	long pid = peer.pid;
	char text[32];
	if (pid == 1) {
		if (!read_small(PID_FILE, text, sizeof(text)))
			return 0;
		pid = strtol(text, NULL, 10);
	}
	uint64_t start_time = start_time_of(pid);
	return start_time ? mix((uint64_t)pid, start_time) : 0;
}
