#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/queue.h"

static void items_come_out_smallest_key_first(void **state)
{
	(void)state;
	struct queue queue = { 0 };
	struct random random = { 7 };
	for (int i = 0; i < 500; i++)
		queue_push(&queue, (struct queue_item){ .key = (int64_t)random_below(&random, 40),
							.id = uuid_make(&random, 1),
							.stamp = (uint64_t)i });
	assert_int_equal(queue.n, 500);
	struct queue_item last = queue.items[0];
	size_t n = 0;
	while (queue.n) {
		assert_true(queue_compare(&last, &queue.items[0]) <= 0);
		last = queue.items[0];
		queue_pop(&queue);
		n++;
	}
	assert_int_equal(n, 500);
	queue_release(&queue);
}

static void equal_keys_come_out_in_order_of_id(void **state)
{
	(void)state;
	struct queue queue = { 0 };
	for (uint8_t i = 5; i > 0; i--)
		queue_push(&queue, (struct queue_item){ .key = 1, .id = { { i } } });
	for (uint8_t i = 1; i <= 5; i++) {
		assert_int_equal(queue.items[0].id.bytes[0], i);
		queue_pop(&queue);
	}
	queue_release(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_smallest_key_first),
		cmocka_unit_test(equal_keys_come_out_in_order_of_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
