#include "net/shell.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

/* jemalloc's, where it is linked: sanitizers bring an allocator of their own. */
extern int mallctl(const char *name, void *old, size_t *old_len, void *new, size_t new_len)
	__attribute__((weak));

#define TIDY_GAP_MS	5000
#define LOG_HEAD_SIZE	96
#define LOG_PIECE_BYTES (64 * 1024)

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t shell_now_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

int64_t shell_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

uint64_t shell_seed(void)
{
	uint64_t seed;
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		UNREACHABLE("getrandom() of eight bytes cannot fail");
	return seed;
}

void shell_arm(struct event *timer, int64_t deadline_ms)
{
	if (deadline_ms == INT64_MAX) {
		event_del(timer);
		return;
	}
	int64_t left_ms = deadline_ms - shell_now_ms();
	if (left_ms < 0)
		left_ms = 0;
	if (left_ms > SHELL_SLEEP_MAX_MS)
		left_ms = SHELL_SLEEP_MAX_MS;
	struct timeval left = { .tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000 };
	event_add(timer, &left);
}

void shell_tidy_memory(void)
{
	static int64_t next_ms;
	int64_t now_ms = shell_now_ms();
	if (!mallctl || now_ms < next_ms)
		return;
	next_ms = now_ms + TIDY_GAP_MS;
	/* 4096 is all arenas (MALLCTL_ARENAS_ALL). Who is idle allocates too little for it to happen of itself. */
	mallctl("arena.4096.decay", NULL, NULL, NULL, 0);
}

/* What a line of the log begins with. */
static const char *log_head(const char *part, char out[LOG_HEAD_SIZE])
{
	int64_t wall_ms = shell_wall_ms();
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	char stamp[32];
	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out, LOG_HEAD_SIZE, "%s.%03dZ %s: ", stamp, (int)(wall_ms % 1000), part);
	return out;
}

void shell_log(const char *part, const char *format, ...)
{
	struct text text;
	text_init(&text, LIMIT_MESSAGE_BYTES);
	va_list arguments;
	va_start(arguments, format);
	text_addv(&text, format, arguments);
	va_end(arguments);
	char head[LOG_HEAD_SIZE];
	fprintf(stderr, "%s%s\n", log_head(part, head), text_string(&text));
	text_release(&text);
}

void shell_log_notes(const char *part, const struct notes *notes)
{
	char head[LOG_HEAD_SIZE];
	struct text text;
	if (!notes->n)
		return;
	log_head(part, head);
	text_init(&text, SIZE_MAX / 4);
	for (size_t i = 0; i < notes->n; i++) {
		text_add(&text, head);
		text_add(&text, notes->items[i]);
		text_add_char(&text, '\n');
		/* A call of the kernel for each of many lines costs more than the rest. */
		if (text.len >= LOG_PIECE_BYTES || i + 1 == notes->n) {
			fwrite(text.bytes, 1, text.len, stderr);
			text_clear(&text);
		}
	}
	text_release(&text);
}

static void write_all(const char *string)
{
	ssize_t ignored = write(STDERR_FILENO, string, strlen(string));
	(void)ignored;
}

/* Without allocation: this runs in a signal handler. */
static const char *print_line(char out[16], int line)
{
	char *at = out + 15;
	*at = '\0';
	do
		*--at = (char)('0' + line % 10);
	while ((line /= 10) > 0);
	return at;
}

static void on_abort(int signal_number)
{
	if (check_last.what) {
		char line[16] = "";
		write_all("drover: broken ");
		write_all(check_last.kind);
		write_all(" \"");
		write_all(check_last.what);
		write_all("\" at ");
		write_all(check_last.file);
		write_all(":");
		write_all(print_line(line, check_last.line));
		write_all("\n");
	}
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

void shell_install_crash_handler(void)
{
	signal(SIGABRT, on_abort);
}
