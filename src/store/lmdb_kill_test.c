/* kill -9 in the middle of commits: everything that was acknowledged is there, and no group is there by half. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/uuid.h"
#include "store/store_testing.h"

#define ROUNDS 30
#define SLOTS  16

static void put_number(struct changes *changes, uint8_t kind, int number)
{
	char key[16];
	char value[16];
	text_print(key, sizeof(key), "slot-%d", number % SLOTS);
	text_print(value, sizeof(value), "%d", number);
	testing_put(changes, kind, key, value);
}

/* The child: commit rising numbers, each in a group of two records, and say so after each. */
static _Noreturn void commit_forever(const char *dir, int first, int ack_fd)
{
	struct store_options options = { .dir = dir, .reserve_bytes = 4096 };
	struct store *store;
	if (store_lmdb.open(&options, &store, NULL) != ERR_NONE)
		_exit(1);
	for (int number = first;; number++) {
		struct changes changes = { 0 };
		put_number(&changes, RECORD_TASK, number);
		put_number(&changes, RECORD_OBSERVED, number);
		if (store_lmdb.commit(store, &changes, NULL) != ERR_NONE)
			_exit(2);
		changes_release(&changes);
		if (write(ack_fd, &number, sizeof(number)) != sizeof(number))
			_exit(3);
	}
}

struct found {
	int numbers[2][SLOTS]; /* by kind and slot */
	int highest;
};

static enum err_code find_numbers(void *visitor, const struct change *change, struct err *err)
{
	(void)err;
	struct found *found = visitor;
	int number = 0;
	for (size_t i = 0; i < change->value_len; i++)
		number = number * 10 + (((const char *)change->value)[i] - '0');
	found->numbers[change->kind == RECORD_OBSERVED][number % SLOTS] = number;
	if (number > found->highest)
		found->highest = number;
	return ERR_NONE;
}

static struct found read_back(const char *dir)
{
	struct store_options options = { .dir = dir, .reserve_bytes = 4096 };
	struct store *store;
	struct err err = { 0 };
	if (store_lmdb.open(&options, &store, &err) != ERR_NONE)
		fail_msg("%s", err.message);
	struct found found = { 0 };
	assert_int_equal(store_lmdb.replay(store, find_numbers, &found, &err), ERR_NONE);
	store_lmdb.close(store);
	return found;
}

/* Let a child commit, kill it after `acks` acknowledgements; returns the last one that was read. */
static int run_and_kill(const char *dir, int first, int acks)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		commit_forever(dir, first, fds[1]);
	close(fds[1]);
	int acked = first - 1;
	for (int i = 0; i < acks; i++)
		assert_int_equal(read(fds[0], &acked, sizeof(acked)), sizeof(acked));
	kill(child, SIGKILL);
	int more;
	while (read(fds[0], &more, sizeof(more)) == sizeof(more))
		acked = more;
	close(fds[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return acked;
}

static void nothing_acknowledged_is_lost_and_no_group_is_split(void **state)
{
	(void)state;
	char dir[64];
	testing_make_dir(dir);
	struct random random = { .state = 7 };
	int next = 1;
	for (int round = 0; round < ROUNDS; round++) {
		int acked = run_and_kill(dir, next, 1 + (int)random_below(&random, 12));
		struct found found = read_back(dir);
		assert_in_range(found.highest, acked, acked + 1);
		for (int slot = 0; slot < SLOTS; slot++) {
			int newest =
				found.highest - ((found.highest - slot) % SLOTS + SLOTS) % SLOTS;
			assert_int_equal(found.numbers[0][slot], newest > 0 ? newest : 0);
			assert_int_equal(found.numbers[1][slot], found.numbers[0][slot]);
		}
		next = found.highest + 1;
	}
	testing_remove_dir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_acknowledged_is_lost_and_no_group_is_split),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
