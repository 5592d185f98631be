#include "base/testing.h"

#include <string.h>

#include "base/id_index.h"

#define VALUES 500

struct value {
	struct uuid id;
	int number;
};

static struct uuid id_of_number(uint64_t number)
{
	struct uuid id = { 0 };
	memcpy(id.bytes, &number, sizeof(number));
	return id;
}

static void an_empty_index_has_nothing(void **state)
{
	(void)state;
	struct id_index index = { 0 };
	size_t position = 0;
	assert_null(id_index_get(&index, id_of_number(1)));
	assert_null(id_index_next(&index, &position));
	id_index_release(&index);
}

static size_t count(const struct id_index *index)
{
	size_t position = 0;
	size_t n = 0;
	while (id_index_next(index, &position))
		n++;
	return n;
}

/* Against the plainest model: an array of present or not. */
static void random_adds_and_removes_agree_with_an_array(void **state)
{
	(void)state;
	struct id_index index = { 0 };
	struct random random = { 1 };
	static struct value values[VALUES];
	bool present[VALUES] = { 0 };
	size_t n = 0;
	for (size_t i = 0; i < VALUES; i++)
		values[i] = (struct value){ id_of_number(i), (int)i };
	for (int i = 0; i < 20000; i++) {
		size_t at = (size_t)random_below(&random, VALUES);
		/* Long runs of each, so that the index fills and empties. */
		bool add = random_below(&random, 100) < (i / 2000 % 2 ? 20 : 80);
		if (add && !present[at])
			id_index_add(&index, &values[at]);
		else if (!add && present[at])
			id_index_remove(&index, &values[at]);
		n = n + add - present[at];
		present[at] = add;
		assert_int_equal(index.n, n);
		for (size_t j = 0; j < VALUES && i % 50 == 0; j++)
			assert_ptr_equal(id_index_get(&index, values[j].id),
					 present[j] ? &values[j] : NULL);
		if (i % 50 == 0)
			assert_int_equal(count(&index), n);
	}
	id_index_release(&index);
	assert_int_equal(index.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_index_has_nothing),
		TEST(random_adds_and_removes_agree_with_an_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
