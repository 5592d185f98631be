/* power_cut LOG --scratch FOLDER --store PATH [--images N] [--seed N] [--passes N] [--file PATH]
 *           [--export N FOLDER]
 *
 * Replays what a program did to its store (a log of shim.c) and cuts the power at every operation. The disk as it may
 * be found then (disk.h) is opened with drover's own store. It must open, and hold exactly what one commit left: the
 * last that had returned, or the one that was under way; never an older one, never half of one. Besides, what the
 * program said over its sockets must have been durable before: every identifier it ever named, and a commit between
 * each request to change something and the answer that it is done.
 *
 * The paths are below the log's root: of the store's folder, and of a file that must be there as it is from the first
 * word on. FOLDER is made, best where syncs cost nothing. The last line counts; the exit status is 1 when something was
 * lost, wrong or refused. --export writes N images for others to look at, each with the number of requests answered by
 * then in its name. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/text.h"
#include "disk.h"
#include "look.h"

#define META_BYTES  8192 /* LMDB's two heads */
#define TOLD_MAX    10
#define PATH_BYTES  4096
#define DESCRIPTORS 65536

/* What a store held at one time. */
struct state {
	struct contents_found found;
	size_t op;   /* the write that made it */
	bool failed; /* by a write that was said to have failed */
};

struct replay {
	struct oplog log;
	struct disk *disk;
	struct random random;
	char data_path[PATH_BYTES]; /* of the store's file, below the root */
	char scratch[PATH_BYTES];
	char store_dir[PATH_BYTES];
	struct state *states; /* [0]: the empty store */
	size_t n_states, states_capacity;
	const char *file; /* NULL: none */
	bool spoken;	  /* something was said by now */
	const char *export_folder;
	int64_t images, exports, passes;
	/* Writes that must come before the heads are sure again, after one of them failed.
	 * A power cut in between may leave a store that looks damaged and is refused. */
	int unsettled;
	/* Verdicts. */
	int64_t made, lost, refused, excused, wrong, hasty, exported;
	int told;
};

/* ---- commits ---- */

static bool is_commit(const struct replay *replay, const struct op *op)
{
	return op->head.kind == OP_WRITE && op->head.offset < META_BYTES &&
	       op->head.bytes < META_BYTES / 2 &&
	       strcmp(disk_path(replay->disk, op), replay->data_path) == 0;
}

static void add_state(struct replay *replay, const struct contents_found *found, size_t op)
{
	replay->states = base_grow(replay->states, replay->n_states, &replay->states_capacity,
				   sizeof(struct state));
	replay->states[replay->n_states++] = (struct state){
		.found = *found,
		.op = op,
		.failed = op > 0 && (replay->log.ops[op].head.flags & OP_FAILED),
	};
}

/* To put the older head back after a failed write, LMDB writes it, not durably. */
static bool is_undo(const struct replay *replay, const struct op *op)
{
	return replay->states[replay->n_states - 1].failed && !(op->head.flags & OP_DURABLE);
}

/* The state before the failed one again: drover does not open what LMDB leaves of the head before it has settled it. */
static void undo_state(struct replay *replay, size_t op)
{
	const struct contents_found *before = &replay->states[replay->n_states - 2].found;
	struct contents_found found = { .hash = before->hash };
	text_init(&found.bytes, (size_t)1 << 30);
	text_add_bytes(&found.bytes, before->bytes.bytes, before->bytes.len);
	add_state(replay, &found, op);
}

/* Every state that a commit left, as running programs saw it. */
static void find_states(struct replay *replay)
{
	struct contents_found found = { 0 };
	struct err err;
	text_init(&found.bytes, 1);
	add_state(replay, &found, 0);
	for (size_t i = 0; i < replay->log.n; i++) {
		const struct op *op = &replay->log.ops[i];
		/* What was said to have failed is in memory all the same. */
		struct op calm = *op;
		calm.head.flags &= ~(uint32_t)OP_FAILED;
		disk_begin(replay->disk, op);
		disk_end(replay->disk, &calm);
		if (!is_commit(replay, op))
			continue;
		if (is_undo(replay, op)) {
			undo_state(replay, i);
			continue;
		}
		disk_write(replay->disk, DISK_CACHE, replay->scratch);
		if (look(replay->store_dir, &found, &err)) {
			fprintf(stderr, "even without a cut: operation %zu: %s\n", i, err.message);
			exit(2);
		}
		add_state(replay, &found, i);
	}
	disk_free(replay->disk);
	replay->disk = disk_new(&replay->random);
}

/* ---- cuts ---- */

static void tell(struct replay *replay, size_t op, const char *what)
{
	if (replay->told++ < TOLD_MAX)
		printf("cut at operation %zu of %zu: %s\n", op, replay->log.n, what);
}

/* Follow the conversations: is this the answer that a change which was asked for is done? `*ret_asked_at`, where not
 * NULL: the state that was there when it was asked. */
static bool is_done(size_t asked_at[DESCRIPTORS], const struct op *op, size_t state,
		    size_t *ret_asked_at)
{
	size_t *asked = &asked_at[op->head.file % DESCRIPTORS];
	if (op->head.kind == OP_HEARD && op->head.bytes > 7 &&
	    (memcmp(op->bytes, "POST ", 5) == 0 || memcmp(op->bytes, "DELETE ", 7) == 0))
		*asked = state + 1;
	if (op->head.kind != OP_SPEECH || *asked == 0)
		return false;
	if (ret_asked_at)
		*ret_asked_at = *asked - 1;
	*asked = 0;
	return op->head.bytes > 12 && memcmp(op->bytes, "HTTP/1.1 200", 12) == 0;
}

static void judge(struct replay *replay, size_t op, size_t oldest, size_t newest)
{
	struct contents_found found;
	struct err err;
	replay->made++;
	enum err_code code = look(replay->store_dir, &found, &err);
	if (code == ERR_DAMAGED && replay->unsettled > 0) {
		replay->excused++;
	} else if (code) {
		replay->refused++;
		tell(replay, op, err.message);
	} else {
		size_t i = oldest;
		while (i <= newest && replay->states[i].found.hash != found.hash)
			i++;
		bool older = false;
		for (size_t j = 0; j < oldest; j++)
			older |= replay->states[j].found.hash == found.hash;
		replay->lost += i > newest && older;
		replay->wrong += i > newest && !older;
		if (i > newest)
			tell(replay, op, older ? "a commit is lost" : "no commit left this");
	}
	text_release(&found.bytes);
	if (replay->file && replay->spoken &&
	    !disk_is_kept(replay->disk, replay->file, replay->scratch)) {
		replay->lost++;
		tell(replay, op, "a file is lost");
	}
}

static void export_image(struct replay *replay, int64_t answers)
{
	char folder[PATH_BYTES];
	char number[32];
	text_print(folder, sizeof(folder), "%s/%lld-%lld", replay->export_folder,
		   (long long)replay->exported++, (long long)answers);
	text_print(number, sizeof(number), "%lld", (long long)answers);
	if (mkdir(folder, 0700) != 0) {
		perror(folder);
		exit(2);
	}
	disk_write(replay->disk, DISK_CUT, folder);
}

/* The operations that change what a cut leaves. */
static bool is_boundary(const struct op *op)
{
	return op->head.kind != OP_SPEECH && op->head.kind != OP_HEARD && op->head.kind != OP_NAME;
}

static int64_t boundaries(const struct replay *replay)
{
	int64_t n = 0;
	for (size_t i = 0; i < replay->log.n; i++)
		n += is_boundary(&replay->log.ops[i]);
	return n > 0 ? n : 1;
}

/* One of the heads, written again by drover and not by LMDB. */
static bool is_settling(const struct replay *replay, const struct op *op)
{
	return op->head.kind == OP_WRITE && (op->head.flags & OP_DURABLE) &&
	       op->head.offset < META_BYTES && op->head.bytes == META_BYTES / 2 &&
	       strcmp(disk_path(replay->disk, op), replay->data_path) == 0;
}

/* Cut within each operation: a fair share of all images at each. */
static void cut_everywhere(struct replay *replay)
{
	int64_t n_boundaries = boundaries(replay);
	int64_t at = 0, answers = 0;
	/* The last state that must be there, the last that may be. */
	size_t sure = 0, last = 0;
	size_t *asked_at = base_calloc(DESCRIPTORS, sizeof(*asked_at));
	for (size_t i = 0; i < replay->log.n; i++) {
		const struct op *op = &replay->log.ops[i];
		bool last_fails = false;
		disk_begin(replay->disk, op);
		if (last + 1 < replay->n_states && replay->states[last + 1].op == i) {
			last++;
			/* To put the older head back, LMDB writes it, and that is not durable either. */
			last_fails =
				replay->states[last].failed ||
				(replay->states[last - 1].failed && !(op->head.flags & OP_DURABLE));
		}
		if (is_boundary(op)) {
			int64_t upto = replay->images * (at + 1) / n_boundaries;
			for (int64_t n = replay->images * at / n_boundaries; n < upto; n++) {
				disk_write(replay->disk, DISK_CUT, replay->scratch);
				judge(replay, i, sure, last);
			}
			if (replay->exported < replay->exports * (at + 1) / n_boundaries)
				export_image(replay, answers);
			at++;
		}
		disk_end(replay->disk, op);
		if (last_fails && replay->states[last].failed)
			replay->unsettled = 2;
		else if (replay->unsettled > 0 && is_settling(replay, op))
			replay->unsettled--;
		answers += is_done(asked_at, op, last, NULL);
		replay->spoken |= op->head.kind == OP_SPEECH;
		/* What failed may be there, and the one before with it, until something is said of it. */
		if (!last_fails && replay->states[last].op == i && i > 0)
			sure = last;
	}
	base_free(asked_at);
}

/* ---- commit, then speak ---- */

static int digit_of(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An identifier written out at `text`, as the store keeps it. */
static bool read_uuid(const uint8_t *text, uint8_t out[16])
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t digits = 0;
	for (size_t i = 0; form[i]; i++) {
		int digit = digit_of(text[i]);
		if (form[i] == '-' ? text[i] != '-' : digit < 0)
			return false;
		if (form[i] == '-')
			continue;
		out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] << 4 | digit : digit);
		digits++;
	}
	return true;
}

struct speech {
	uint8_t (*known)[16];
	size_t n_known, capacity;
	size_t asked_at[DESCRIPTORS]; /* state and 1 when a change was asked for; 0: none */
};

static bool is_new(struct speech *speech, const uint8_t uuid[16])
{
	for (size_t i = 0; i < speech->n_known; i++)
		if (memcmp(speech->known[i], uuid, 16) == 0)
			return false;
	speech->known = base_grow(speech->known, speech->n_known, &speech->capacity,
				  sizeof(*speech->known));
	memcpy(speech->known[speech->n_known++], uuid, 16);
	return true;
}

static void check_uuids(struct replay *replay, struct speech *speech, const struct op *op,
			size_t number, const struct text *durable)
{
	for (size_t i = 0; i + 36 <= op->head.bytes; i++) {
		uint8_t uuid[16];
		if (!read_uuid(op->bytes + i, uuid) || !is_new(speech, uuid))
			continue;
		if (durable->bytes && memmem(durable->bytes, durable->len, uuid, 16))
			continue;
		replay->hasty++;
		tell(replay, number, "something was named that is not durable");
		printf("  %.*s\n", 200, (const char *)op->bytes);
	}
}

static void check_speech(struct replay *replay)
{
	struct speech *speech = base_calloc(1, sizeof(*speech));
	size_t state = 0;
	for (size_t i = 0; i < replay->log.n; i++) {
		const struct op *op = &replay->log.ops[i];
		size_t asked_at;
		while (state + 1 < replay->n_states && replay->states[state + 1].op < i)
			state++;
		if (is_done(speech->asked_at, op, state, &asked_at) && asked_at == state) {
			replay->hasty++;
			tell(replay, i, "a change was acknowledged without a commit");
		}
		if (op->head.kind == OP_SPEECH)
			check_uuids(replay, speech, op, i, &replay->states[state].found.bytes);
	}
	base_free(speech->known);
	base_free(speech);
}

/* ---- the program ---- */

static int64_t number_of(const char *text)
{
	int64_t number;
	if (!text || parse_int(text, 0, 100000000, &number, NULL) != ERR_NONE)
		exit(2);
	return number;
}

static void read_arguments(struct replay *replay, int argc, char **argv)
{
	const char *store = "";
	for (int i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--store") == 0)
			store = argv[i + 1];
		else if (strcmp(argv[i], "--scratch") == 0)
			text_print(replay->scratch, sizeof(replay->scratch), "%s", argv[i + 1]);
		else if (strcmp(argv[i], "--images") == 0)
			replay->images = number_of(argv[i + 1]);
		else if (strcmp(argv[i], "--seed") == 0)
			replay->random.state = (uint64_t)number_of(argv[i + 1]);
		else if (strcmp(argv[i], "--file") == 0)
			replay->file = argv[i + 1];
		else if (strcmp(argv[i], "--passes") == 0)
			replay->passes = number_of(argv[i + 1]);
		else if (strcmp(argv[i], "--export") == 0 && i + 2 < argc) {
			replay->exports = number_of(argv[i + 1]);
			replay->export_folder = argv[i++ + 2];
		} else
			exit(2);
	}
	text_print(replay->data_path, sizeof(replay->data_path), "%s/data.mdb", store);
	if (mkdir(replay->scratch, 0700) != 0) {
		perror(replay->scratch);
		exit(2);
	}
	text_print(replay->store_dir, sizeof(replay->store_dir), "%s/%s", replay->scratch, store);
}

int main(int argc, char **argv)
{
	struct replay replay = { .images = 1000, .passes = 1, .random = { .state = 1 } };
	if (argc < 4)
		return 2;
	oplog_read(&replay.log, argv[1]);
	read_arguments(&replay, argc, argv);
	replay.disk = disk_new(&replay.random);
	find_states(&replay);
	check_speech(&replay);
	replay.images /= replay.passes;
	for (int64_t i = 0; i < replay.passes; i++) {
		replay.spoken = false;
		cut_everywhere(&replay);
		disk_free(replay.disk);
		replay.disk = disk_new(&replay.random);
	}
	if (replay.excused > 0)
		printf("%lld refused within a write of a head that failed\n",
		       (long long)replay.excused);
	printf("%lld images, %zu commits, %zu operations: %lld lost, %lld wrong, %lld refused, "
	       "%lld hasty\n",
	       (long long)replay.made, replay.n_states - 1, replay.log.n, (long long)replay.lost,
	       (long long)replay.wrong, (long long)replay.refused, (long long)replay.hasty);
	bool bad = replay.lost + replay.wrong + replay.refused + replay.hasty > 0;
	for (size_t i = 0; i < replay.n_states; i++)
		text_release(&replay.states[i].found.bytes);
	base_free(replay.states);
	disk_free(replay.disk);
	oplog_release(&replay.log);
	return bad;
}
