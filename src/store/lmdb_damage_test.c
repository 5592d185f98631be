/* A damaged store is refused with a sentence; it never crashes the program and never gives out wrong data. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/uuid.h"
#include "store/store_testing.h"

#define PAGE_BYTES 4096
#define META_PAGES 2
#define META_BYTES 152 /* head of the page and contents */

struct fixture {
	struct store_options options;
	struct err err;
	char dir[64];
	char file[80];
	uint8_t *image; /* data.mdb as it should be */
	size_t image_len;
	char *contents;
	struct random random;
};

static void write_image(const struct fixture *f, const uint8_t *image, size_t len)
{
	int fd = open(f->file, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, image, len), len);
	close(fd);
}

static void read_image(struct fixture *f)
{
	struct stat status;
	assert_int_equal(stat(f->file, &status), 0);
	f->image_len = (size_t)status.st_size;
	f->image = base_calloc(1, f->image_len);
	int fd = open(f->file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, f->image, f->image_len), f->image_len);
	close(fd);
}

static void fill(struct fixture *f)
{
	struct store *store;
	assert_int_equal(store_lmdb.open(&f->options, &store, &f->err), ERR_NONE);
	struct changes changes = { 0 };
	for (int round = 0; round < 6; round++) {
		for (int i = 0; i < 60; i++) {
			changes_begin_group(&changes);
			testing_put_bytes(&changes, i * 7 + round, 200 + (size_t)i * 20,
					  'a' + round);
		}
		for (int i = 0; i < 20; i++)
			testing_put(&changes, RECORD_TASK, i % 2 ? "key-7" : "key-14", NULL);
		assert_int_equal(testing_commit(&store_lmdb, store, &changes, &f->err), ERR_NONE);
	}
	f->contents = testing_contents(&store_lmdb, store);
	store_lmdb.close(store);
	changes_release(&changes);
}

static int setup(void **state)
{
	struct fixture *f = base_calloc(1, sizeof(*f));
	f->options.dir = testing_make_dir(f->dir);
	f->options.reserve_bytes = 4096;
	f->random.state = 42;
	snprintf(f->file, sizeof(f->file), "%s/data.mdb", f->dir);
	fill(f);
	read_image(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	testing_remove_dir(f->dir);
	base_free(f->image);
	base_free(f->contents);
	base_free(f);
	return 0;
}

/* Open what lies there now: refused as damaged, or whole to the last byte. Returns whether it was refused. */
static bool refused_or_whole(struct fixture *f)
{
	struct store *store;
	f->err = (struct err){ 0 };
	enum err_code code = store_lmdb.open(&f->options, &store, &f->err);
	if (code == ERR_NONE) {
		testing_assert_contents(&store_lmdb, store, f->contents);
		store_lmdb.close(store);
		return false;
	}
	if (code != ERR_DAMAGED)
		fail_msg("%s", f->err.message);
	assert_non_null(strstr(f->err.message, f->dir));
	assert_non_null(strstr(f->err.message, "is damaged: "));
	return true;
}

/* A page that holds data, so that damage to it matters or does not, but is never in LMDB's two headers. */
static size_t random_data_page(struct fixture *f)
{
	size_t pages = f->image_len / PAGE_BYTES;
	return META_PAGES + (size_t)random_below(&f->random, pages - META_PAGES);
}

static void a_store_that_is_whole_opens(void **state)
{
	struct fixture *f = *state;
	write_image(f, f->image, f->image_len);
	assert_false(refused_or_whole(f));
}

static int refusals(struct fixture *f, int trials, void (*damage)(struct fixture *, uint8_t *image))
{
	int n = 0;
	for (int i = 0; i < trials; i++) {
		uint8_t *image = base_memdup(f->image, f->image_len);
		damage(f, image);
		write_image(f, image, f->image_len);
		base_free(image);
		n += refused_or_whole(f);
	}
	return n;
}

static void flip_bit(struct fixture *f, uint8_t *image)
{
	size_t at = random_data_page(f) * PAGE_BYTES + (size_t)random_below(&f->random, PAGE_BYTES);
	image[at] ^= (uint8_t)(1u << random_below(&f->random, 8));
}

static void flip_bit_in_page_head(struct fixture *f, uint8_t *image)
{
	size_t at = random_data_page(f) * PAGE_BYTES + (size_t)random_below(&f->random, 64);
	image[at] ^= (uint8_t)(1u << random_below(&f->random, 8));
}

/* LMDB's two heads alone: to take the older for the newer would lose what was committed last. */
static void flip_bit_in_lmdb_head(struct fixture *f, uint8_t *image)
{
	size_t page = (size_t)random_below(&f->random, META_PAGES);
	size_t at = page * PAGE_BYTES + (size_t)random_below(&f->random, META_BYTES);
	image[at] ^= (uint8_t)(1u << random_below(&f->random, 8));
}

static void zero_page(struct fixture *f, uint8_t *image)
{
	memset(image + random_data_page(f) * PAGE_BYTES, 0, PAGE_BYTES);
}

static void swap_pages(struct fixture *f, uint8_t *image)
{
	size_t to = random_data_page(f);
	memcpy(image + to * PAGE_BYTES, f->image + random_data_page(f) * PAGE_BYTES, PAGE_BYTES);
}

static void fill_page_with_noise(struct fixture *f, uint8_t *image)
{
	size_t page = random_data_page(f);
	for (size_t i = 0; i < PAGE_BYTES; i++)
		image[page * PAGE_BYTES + i] = (uint8_t)random_next(&f->random);
}

static void a_flipped_bit_is_found_or_harmless(void **state)
{
	assert_true(refusals(*state, 80, flip_bit) > 20);
}

static void a_flipped_bit_in_a_page_head_is_found_or_harmless(void **state)
{
	assert_true(refusals(*state, 80, flip_bit_in_page_head) > 10);
}

static void a_flipped_bit_in_lmdbs_head_is_found_or_harmless(void **state)
{
	assert_true(refusals(*state, 120, flip_bit_in_lmdb_head) > 30);
}

static void a_zeroed_page_is_found_or_harmless(void **state)
{
	assert_true(refusals(*state, 30, zero_page) > 10);
}

static void a_page_in_the_place_of_another_is_found_or_harmless(void **state)
{
	assert_true(refusals(*state, 30, swap_pages) > 10);
}

static void a_page_of_noise_is_found_or_harmless(void **state)
{
	assert_true(refusals(*state, 30, fill_page_with_noise) > 10);
}

static void a_file_cut_short_is_found_or_harmless(void **state)
{
	struct fixture *f = *state;
	int refused = 0;
	for (size_t i = 0; i < 40; i++) {
		write_image(f, f->image, f->image_len * i / 40);
		refused += refused_or_whole(f);
	}
	assert_true(refused > 20);
}

static void a_missing_or_empty_file_is_not_taken_for_a_new_store(void **state)
{
	struct fixture *f = *state;
	write_image(f, f->image, 0);
	assert_true(refused_or_whole(f));
	assert_non_null(strstr(f->err.message, "data.mdb is empty"));
	unlink(f->file);
	assert_true(refused_or_whole(f));
	assert_non_null(strstr(f->err.message, "data.mdb is missing"));
	close(open(f->file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static void a_file_of_something_else_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t *image = base_calloc(1, f->image_len);
	memset(image, '#', f->image_len);
	write_image(f, image, f->image_len);
	base_free(image);
	assert_true(refused_or_whole(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_that_is_whole_opens),
		cmocka_unit_test(a_flipped_bit_is_found_or_harmless),
		cmocka_unit_test(a_flipped_bit_in_a_page_head_is_found_or_harmless),
		cmocka_unit_test(a_flipped_bit_in_lmdbs_head_is_found_or_harmless),
		cmocka_unit_test(a_zeroed_page_is_found_or_harmless),
		cmocka_unit_test(a_page_in_the_place_of_another_is_found_or_harmless),
		cmocka_unit_test(a_page_of_noise_is_found_or_harmless),
		cmocka_unit_test(a_file_cut_short_is_found_or_harmless),
		cmocka_unit_test(a_missing_or_empty_file_is_not_taken_for_a_new_store),
		cmocka_unit_test(a_file_of_something_else_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
