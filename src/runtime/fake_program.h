/* What runs in a fake container: a handful of commands, with the effects that matter to who supervises them: output,
 * time, exit code, reaction to signals, memory. Known: true, false, echo WORDS [>&2], sleep SECONDS, exit N,
 * trap "exit N" SIGNAL, trap "" SIGNAL, echo TEXT > FILE, cat FILE, test -f FILE, ping ... NAME, tail /dev/zero (takes
 * all memory there is), httpd -f -p PORT -h FOLDER (answers for ever: 200 where there
 * is the file, else 404), and sh -c with these joined by ';' or '&&', and `while :; do sleep N; done`. */
#ifndef RUNTIME_FAKE_PROGRAM_H
#define RUNTIME_FAKE_PROGRAM_H

#include "base/record.h"

/* What a program can reach; a container's side of the world. */
struct fake_program_host {
	void *owner;
	void (*output)(void *owner, int stream, const char *text);
	/* NULL: no such file. Borrowed. */
	const char *(*file_read)(void *owner, const char *path);
	void (*file_write)(void *owner, const char *path, const char *text);
	bool (*resolves)(void *owner, const char *name);
	bool memory_limited;
};

enum fake_program_state {
	FAKE_PROGRAM_RUNS = 1, /* until `sleep_ms` from now, for ever when negative */
	FAKE_PROGRAM_ENDED,
};

struct fake_program {
	struct strings steps;  /* simple commands */
	struct strings joints; /* before each: ";" or "&&" */
	size_t at;
	bool init;
	bool own;     /* the image's own program: runs until a signal */
	int64_t port; /* that it listens on; 0: none */
	char *folder; /* whose files it serves there */
	int64_t sleep_ms;
	int status; /* of the last command; the exit code in the end */
	bool out_of_memory;
	int trapped_exit; /* what the trap of SIGTERM exits with; -1: none */
	bool term_ignored;
};

/* `argv` empty: the image's own program. False: no such command, and `*ret_why` says it as runc does: "executable file
 * not found", ... */
bool fake_program_init(struct fake_program *program, const struct strings *argv, bool init,
		       const char **ret_why);
void fake_program_release(struct fake_program *program);

/* Go on until it sleeps or ends. */
enum fake_program_state fake_program_run(struct fake_program *program,
					 const struct fake_program_host *host);

/* Send a signal. True: it ended, with program->status. As process 1 of its container it only feels SIGKILL and what
 * it has a trap for, unless an init process is in between. */
bool fake_program_signal(struct fake_program *program, int signal);

#endif
