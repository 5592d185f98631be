#include "base/testing.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/record.h"
#include "base/record_fill.h"

enum colour { RED = 0, GREEN = 1, BLUE = 7 };
static const struct enum_name colour_names[] = {
	{ RED, "red" }, { GREEN, "green" }, { BLUE, "blue" }, { 0 }
};

struct leaf {
	int64_t port;
	char *name;
};

struct tree {
	bool flag;
	int colour;
	int64_t count;
	int64_t any;
	char *text;
	struct uuid id;
	struct strings words;
	struct pairs marks;
	struct leaf leaf;
	LIST_OF(struct leaf) leaves;
	struct leaf *rare;
};

// clang-format off
static const struct field leaf_fields[] = {
	ROW_INT(1, struct leaf, port, 65535, .min = 1, .initial = 80),
	ROW_STRING(2, struct leaf, name, 10),
};
static RECORD_TYPE(leaf, struct leaf, leaf_fields);

static const struct field tree_fields[] = {
	ROW_BOOL(1, struct tree, flag, .initial = 1),
	ROW_ENUM(2, struct tree, colour, colour_names, .initial = GREEN),
	ROW_INT(3, struct tree, count, 1000, .min = -1000, .initial = 5),
	ROW_INT(4, struct tree, any, INT64_MAX, .min = INT64_MIN),
	ROW_STRING(5, struct tree, text, 10),
	ROW_UUID(6, struct tree, id),
	ROW_STRINGS(7, struct tree, words, 3),
	ROW_PAIRS(8, struct tree, marks, 3),
	ROW_STRUCT(9, struct tree, leaf, leaf),
	ROW_STRUCTS(300, struct tree, leaves, leaf, 3),
	ROW_OPTIONAL(301, struct tree, rare, leaf),
};
static RECORD_TYPE(tree, struct tree, tree_fields);

/* The tree of another release: it knows fewer fields, in another order. */
static const struct field old_tree_fields[] = {
	ROW_STRING(5, struct tree, text, 10),
	ROW_INT(3, struct tree, count, 1000, .min = -1000),
};
static RECORD_TYPE(old_tree, struct tree, old_tree_fields);
// clang-format on

static void decode_fails(const void *bytes, size_t len)
{
	struct tree tree;
	struct err err;
	/* An exact copy, so that a sanitizer sees any byte read past the end. */
	_cleanup_free_ void *copy = base_memdup(bytes, len);
	memset(&tree, 0xff, sizeof(tree));
	assert_int_equal(record_decode(&tree_type, copy, len, &tree, &err), ERR_DAMAGED);
	static const struct tree zero;
	assert_memory_equal(&tree, &zero, sizeof(tree));
}

static void check_fails(const struct tree *tree, const char *field, const char *message)
{
	struct err err;
	assert_int_equal(record_check(&tree_type, tree, &err), ERR_INVALID);
	assert_string_equal(err.field, field);
	assert_string_equal(err.message, message);
	assert_int_equal(record_check(&tree_type, tree, NULL), ERR_INVALID);
}

static void tables_of_this_test_are_right(void **state)
{
	(void)state;
	assert_null(record_type_problem(&leaf_type));
	assert_null(record_type_problem(&tree_type));
	_cleanup_free_ char *problem = record_type_problem(&old_tree_type);
	assert_string_equal(problem, "old_tree.?: a member of the struct has no row");
}

static void init_gives_initial_values_below_too(void **state)
{
	(void)state;
	struct tree tree;
	record_init(&tree_type, &tree);
	assert_true(tree.flag);
	assert_int_equal(tree.colour, GREEN);
	assert_int_equal(tree.count, 5);
	assert_int_equal(tree.leaf.port, 80);
	assert_null(tree.text);
	record_release(&tree_type, &tree);
}

static void random_records_survive_copy_and_round_trip(void **state)
{
	(void)state;
	struct random random = { 1 };
	for (int i = 0; i < 300; i++) {
		struct tree tree;
		struct tree copy;
		struct tree back;
		struct err err;
		record_fill(&tree_type, &tree, 3, &random);
		assert_int_equal(record_check(&tree_type, &tree, &err),
				 tree.leaf.port ? ERR_NONE : ERR_INVALID);
		record_copy(&tree_type, &copy, &tree);
		assert_true(record_equal(&tree_type, &tree, &copy));
		assert_int_equal(record_hash(&tree_type, &tree), record_hash(&tree_type, &copy));
		struct text text;
		text_init(&text, SIZE_MAX / 2);
		record_encode(&tree_type, &tree, &text);
		record_release(&tree_type, &tree);
		assert_int_equal(
			record_decode(&tree_type, text_string(&text), text.len, &back, &err),
			ERR_NONE);
		assert_true(record_equal(&tree_type, &back, &copy));
		record_release(&tree_type, &back);
		record_release(&tree_type, &copy);
		text_release(&text);
	}
}

static void each_difference_is_seen(void **state)
{
	(void)state;
	struct random random = { 2 };
	for (size_t field = 0; field < ARRAY_LEN(tree_fields); field++) {
		struct tree a = { 0 };
		struct tree b = { 0 };
		size_t differs = 0;
		for (int i = 0; i < 20; i++) {
			struct tree filled;
			record_fill(&tree_type, &filled, 3, &random);
			record_copy(&tree_type, &a, &filled);
			record_copy(&tree_type, &b, &filled);
			/* Take one member from elsewhere; what was there goes where that came from. */
			struct tree other;
			record_fill(&tree_type, &other, 3, &random);
			size_t offset = tree_fields[field].offset;
			size_t end = field + 1 < ARRAY_LEN(tree_fields)
					     ? tree_fields[field + 1].offset
					     : sizeof(struct tree);
			char kept[sizeof(struct tree)];
			memcpy(kept, (char *)&b + offset, end - offset);
			memcpy((char *)&b + offset, (char *)&other + offset, end - offset);
			memcpy((char *)&other + offset, kept, end - offset);
			bool equal = record_equal(&tree_type, &a, &b);
			assert_int_equal(equal, record_hash(&tree_type, &a) ==
							record_hash(&tree_type, &b));
			differs += !equal;
			record_release(&tree_type, &a);
			record_release(&tree_type, &b);
			record_release(&tree_type, &other);
			record_release(&tree_type, &filled);
		}
		assert_true(differs > 0);
	}
}

/* What is on disk must be readable for ever: these bytes may never change. */
static void the_binary_form_is_fixed(void **state)
{
	(void)state;
	struct tree tree = { .flag = true, .colour = BLUE, .count = -3, .leaf.port = 1 };
	string_set(&tree.text, "hi");
	tree.id.bytes[0] = 9;
	strings_add(&tree.words, "");
	strings_add(&tree.words, "w");
	pairs_add(&tree.marks, "a", NULL);
	pairs_add(&tree.marks, "b", "");
	pairs_add(&tree.marks, "c", "d");
	struct leaf *leaf = list_add(&tree.leaves, sizeof(struct leaf));
	leaf->port = 300;
	static const uint8_t expected[] = {
		0x08, 1, 0x10, 7,    0x18, 5,	 0x2a, 2,    'h',  'i', 0x32, 16,   9,	  0,
		0,    0, 0,    0,    0,	   0,	 0,    0,    0,	   0,	0,    0,    0,	  0,
		0x3a, 3, 0,    1,    'w',  0x42, 10,   1,    'a',  0,	1,    'b',  1,	  1,
		'c',  2, 'd',  0x4a, 2,	   0x08, 2,    0xe2, 0x12, 4,	3,    0x08, 0xd8, 0x04,
	};
	struct text text;
	text_init(&text, 1000);
	record_encode(&tree_type, &tree, &text);
	assert_int_equal(text.len, sizeof(expected));
	assert_memory_equal(text_string(&text), expected, sizeof(expected));
	text_release(&text);
	record_release(&tree_type, &tree);
}

static void nothing_written_is_nothing_encoded(void **state)
{
	(void)state;
	struct tree tree = { 0 };
	struct text text;
	text_init(&text, 1000);
	record_encode(&tree_type, &tree, &text);
	assert_int_equal(text.len, 0);
	string_set(&tree.text, "");
	record_encode(&tree_type, &tree, &text);
	assert_int_equal(text.len, 2);
	text_release(&text);
	record_release(&tree_type, &tree);
}

/* Read back it is there, and it is not the same as nothing. */
static void a_struct_that_holds_nothing_is_not_none(void **state)
{
	(void)state;
	struct tree none = { .leaf.port = 1 };
	struct tree empty;
	struct tree back;
	struct text text;
	text_init(&text, 1000);
	record_copy(&tree_type, &empty, &none);
	empty.rare = base_calloc(1, sizeof(*empty.rare));
	assert_false(record_equal(&tree_type, &none, &empty));
	assert_int_equal(record_check(&tree_type, &none, NULL), ERR_NONE);
	check_fails(&empty, "rare.port", "0 is less than 1");
	record_encode(&tree_type, &empty, &text);
	assert_int_equal(text.len, 7);
	assert_memory_equal(text_string(&text), "\x4a\x02\x08\x02\xea\x12\x00", 7);
	empty.rare->port = 9;
	text_clear(&text);
	record_encode(&tree_type, &empty, &text);
	assert_int_equal(record_decode(&tree_type, text_string(&text), text.len, &back, NULL),
			 ERR_NONE);
	assert_true(record_equal(&tree_type, &empty, &back));
	text_release(&text);
	record_release(&tree_type, &back);
	record_release(&tree_type, &empty);
	assert_null(empty.rare);
}

static void encoding_into_too_little_room_is_cut_and_says_so(void **state)
{
	(void)state;
	struct random random = { 3 };
	struct tree tree;
	struct text whole;
	record_fill(&tree_type, &tree, 3, &random);
	text_init(&whole, 10000);
	record_encode(&tree_type, &tree, &whole);
	for (size_t max = 0; max < whole.len; max++) {
		struct text text;
		text_init(&text, max);
		record_encode(&tree_type, &tree, &text);
		assert_true(text.cut);
		text_release(&text);
	}
	text_release(&whole);
	record_release(&tree_type, &tree);
}

static void unknown_fields_are_skipped(void **state)
{
	(void)state;
	struct random random = { 4 };
	struct tree tree;
	struct tree back;
	struct text text;
	struct err err;
	record_fill(&tree_type, &tree, 3, &random);
	text_init(&text, 10000);
	record_encode(&tree_type, &tree, &text);
	assert_int_equal(record_decode(&old_tree_type, text_string(&text), text.len, &back, &err),
			 ERR_NONE);
	assert_int_equal(back.count, tree.count);
	assert_int_equal(back.flag, false);
	record_release(&old_tree_type, &back);
	record_release(&tree_type, &tree);
	text_release(&text);
}

static void a_prefix_is_a_shorter_record_or_damaged(void **state)
{
	(void)state;
	struct random random = { 5 };
	size_t damaged = 0;
	for (int i = 0; i < 40; i++) {
		struct tree tree;
		struct text text;
		struct err err;
		record_fill(&tree_type, &tree, 3, &random);
		text_init(&text, 10000);
		record_encode(&tree_type, &tree, &text);
		for (size_t len = 0; len < text.len; len++) {
			struct tree back;
			_cleanup_free_ void *part = base_memdup(text_string(&text), len);
			enum err_code code = record_decode(&tree_type, part, len, &back, &err);
			assert_true(code == ERR_NONE || code == ERR_DAMAGED);
			if (code == ERR_NONE)
				assert_false(record_equal(&tree_type, &tree, &back));
			damaged += code == ERR_DAMAGED;
			record_release(&tree_type, &back);
		}
		text_release(&text);
		record_release(&tree_type, &tree);
	}
	assert_true(damaged > 100);
}

static void flipped_bits_never_break_more_than_the_record(void **state)
{
	(void)state;
	struct random random = { 6 };
	for (int i = 0; i < 2000; i++) {
		struct tree tree;
		struct tree back;
		struct text text;
		struct err err;
		record_fill(&tree_type, &tree, 2, &random);
		text_init(&text, 10000);
		record_encode(&tree_type, &tree, &text);
		for (int flips = 0; text.len && flips < 3; flips++)
			text.bytes[random_below(&random, text.len)] ^=
				(char)(1 << random_below(&random, 8));
		if (record_decode(&tree_type, text_string(&text), text.len, &back, &err) ==
		    ERR_NONE)
			assert_int_equal(record_check(&tree_type, &back, &err), ERR_NONE);
		record_release(&tree_type, &back);
		record_release(&tree_type, &tree);
		text_release(&text);
	}
}

static void bytes_that_no_encoder_writes_are_damaged(void **state)
{
	(void)state;
	/* `leaf.port` may not be zero, so every case carries a good leaf first. */
#define LEAF "\x4a\x02\x08\x02"
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
#define CASE(bytes) { LEAF bytes, sizeof(LEAF bytes) - 1 }
		CASE("\x08"),			  /* tag without value */
		CASE("\x08\x00"),		  /* a zero is left out */
		CASE("\x08\x02"),		  /* a bool that is neither */
		CASE("\x08\x01\x08\x01"),	  /* twice */
		CASE("\x10\x02"),		  /* no colour has the number 2 */
		CASE("\x10\xff\xff\xff\xff\x0f"), /* more than an int holds */
		CASE("\x18\xd2\x0f"),		  /* count 1001 */
		CASE("\x18\x81\x00"),		  /* varint longer than needed */
		CASE("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),	  /* varint of 65 bits */
		CASE("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* of 11 bytes */
		CASE("\x18"),
		CASE("\x1a\x01\x01"),  /* a number as bytes */
		CASE("\x28\x01"),      /* a string as a number */
		CASE("\x2a\x02h"),     /* string longer than the rest */
		CASE("\x2a\x02h\x00"), /* NUL inside */
		CASE("\x2a\x0b"
		     "12345678901"),				      /* longer than its bound */
		CASE("\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* length of 2^64 - 1 */
		CASE("\x32\x01\x01"),				      /* a short id */
		CASE("\x32\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),     /* a zero id */
		CASE("\x3a\x00"),		  /* an empty list is left out */
		CASE("\x3a\x04\x00\x00\x00\x00"), /* 4 words, 3 are allowed */
		CASE("\x3a\x02\x05w"),		  /* item past the list's end */
		CASE("\x42\x02\x01"
		     "a"), /* key without value */
		CASE("\x42\x04\x01"
		     "a\x03"
		     "b"), /* value past the list's end */
		CASE("\x42\x06\x01"
		     "a\x00\x01"
		     "a\x00"),				      /* the same key twice */
		CASE("\x4a\x02\x08\x02"),		      /* the leaf twice */
		CASE("\xe2\x12\x01\x00"),		      /* a leaf with port 0 */
		CASE("\xe2\x12\x02\x01\x08"),		      /* a damaged leaf */
		CASE("\x00\x01"),			      /* tag 0 */
		CASE("\x0b"),				      /* wire kind 3 */
		CASE("\x09\x01\x02\x03\x04\x05\x06\x07\x08"), /* wire kind 1 */
#undef CASE
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		decode_fails(cases[i].bytes, cases[i].len);
	decode_fails("\x4a\x00", 2); /* an empty struct is left out */
	struct tree tree;
	struct err err;
	assert_int_equal(record_decode(&tree_type, LEAF, sizeof(LEAF) - 1, &tree, &err), ERR_NONE);
	assert_int_equal(tree.leaf.port, 1);
	record_release(&tree_type, &tree);
#undef LEAF
}

static void each_bound_is_checked_and_named_by_its_path(void **state)
{
	(void)state;
	struct tree tree;
	record_init(&tree_type, &tree);
	assert_int_equal(record_check(&tree_type, &tree, NULL), ERR_NONE);
	tree.count = 1001;
	check_fails(&tree, "count", "1001 is more than 1000");
	tree.count = -1001;
	check_fails(&tree, "count", "-1001 is less than -1000");
	tree.count = -1000;
	tree.colour = 2;
	check_fails(&tree, "colour", "no value has the number 2");
	tree.colour = BLUE;
	string_set(&tree.text, "12345678901");
	check_fails(&tree, "text", "longer than 10 bytes");
	string_set(&tree.text, "1234567890");
	tree.leaf.port = 70000;
	check_fails(&tree, "leaf.port", "70000 is more than 65535");
	tree.leaf.port = 65535;
	for (int i = 0; i < 3; i++)
		((struct leaf *)list_add(&tree.leaves, sizeof(struct leaf)))->port = 1;
	assert_int_equal(record_check(&tree_type, &tree, NULL), ERR_NONE);
	tree.leaves.items[2].port = 0;
	check_fails(&tree, "leaves[2].port", "0 is less than 1");
	list_add(&tree.leaves, sizeof(struct leaf));
	check_fails(&tree, "leaves", "4 items, at most 3 are allowed");
	record_release(&tree_type, &tree);
}

static void lists_of_text_are_checked_too(void **state)
{
	(void)state;
	struct tree tree;
	record_init(&tree_type, &tree);
	struct text text;
	text_init(&text, LIMIT_STRING_BYTES + 1);
	while (!text.cut && text.len < LIMIT_STRING_BYTES + 1)
		text_add(&text, "x");
	strings_add(&tree.words, "fine");
	strings_add(&tree.words, text_string(&text));
	check_fails(&tree, "words[1]", "longer than 65536 bytes");
	string_set(&tree.words.items[1], NULL);
	string_set(&tree.words.items[1], "x");
	pairs_add(&tree.marks, "k", text_string(&text));
	check_fails(&tree, "marks.k", "longer than 65536 bytes");
	pairs_put(&tree.marks, "k", "v");
	pairs_add(&tree.marks, text_string(&text), NULL);
	check_fails(&tree, "marks.a key", "longer than 65536 bytes");
	string_set(&tree.marks.items[1].key, "k");
	check_fails(&tree, "marks", "\"k\" is written twice");
	text_release(&text);
	record_release(&tree_type, &tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tables_of_this_test_are_right),
		TEST(init_gives_initial_values_below_too),
		TEST(random_records_survive_copy_and_round_trip),
		TEST(each_difference_is_seen),
		TEST(the_binary_form_is_fixed),
		TEST(nothing_written_is_nothing_encoded),
		TEST(a_struct_that_holds_nothing_is_not_none),
		TEST(encoding_into_too_little_room_is_cut_and_says_so),
		TEST(unknown_fields_are_skipped),
		TEST(a_prefix_is_a_shorter_record_or_damaged),
		TEST(flipped_bits_never_break_more_than_the_record),
		TEST(bytes_that_no_encoder_writes_are_damaged),
		TEST(each_bound_is_checked_and_named_by_its_path),
		TEST(lists_of_text_are_checked_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
