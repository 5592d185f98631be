/* Every kind of field: what is told of a change, and that nothing is told where nothing changed. */
#include "base/record_diff.h"

#include <string.h>

#include "base/testing.h"

#include "base/alloc.h"

struct part {
	char *name;
	int64_t size;
};
static const struct field part_fields[] = {
	ROW_STRING(1, struct part, name, 100),
	ROW_INT(2, struct part, size, 1000),
};
static RECORD_TYPE(part, struct part, part_fields);

static const struct enum_name color_names[] = { { 0, "red" }, { 1, "blue" }, { 0, NULL } };

struct thing {
	bool on;
	int64_t n;
	int color;
	char *label;
	struct uuid id;
	struct strings words;
	struct pairs values;
	struct pairs secrets;
	struct part part;
	LIST_OF(struct part) parts;
	struct part *spare;
	int64_t inner;
};
static const struct field thing_fields[] = {
	ROW_BOOL(1, struct thing, on),
	ROW_INT(2, struct thing, n, 1000),
	ROW_ENUM(3, struct thing, color, color_names),
	ROW_STRING(4, struct thing, label, 2000),
	ROW_UUID(5, struct thing, id),
	ROW_STRINGS(6, struct thing, words, 10),
	ROW_PAIRS(7, struct thing, values, 10),
	ROW_PAIRS(8, struct thing, secrets, 10, .flags = FIELD_SECRET),
	ROW_STRUCT(9, struct thing, part, part),
	ROW_STRUCTS(10, struct thing, parts, part, 10),
	ROW_OPTIONAL(11, struct thing, spare, part),
	ROW_INT(12, struct thing, inner, 10, .flags = FIELD_HIDDEN),
};
static RECORD_TYPE(thing, struct thing, thing_fields);

struct world {
	struct thing a, b;
	struct text told;
};

static void begin(struct world *world)
{
	*world = (struct world){ 0 };
	text_init(&world->told, 8192);
}

static void visit(void *context, const char *path, const char *before, const char *after)
{
	struct world *world = context;
	text_addf(&world->told, "%s: %s -> %s\n", path, before ? before : "-", after ? after : "-");
}

static void tells(struct world *world, const char *expected)
{
	record_diff(&thing_type, &world->a, &world->b, visit, world);
	assert_string_equal(text_string(&world->told), expected);
	text_release(&world->told);
	record_release(&thing_type, &world->a);
	record_release(&thing_type, &world->b);
}

static void add_part(void *list, const char *name, int64_t size)
{
	struct part *part = list_add(list, sizeof(*part));
	part->name = base_strdup(name);
	part->size = size;
}

static void equal_records_tell_nothing(void **state)
{
	struct world world;
	begin(&world);
	add_part(&world.a.parts, "x", 1);
	add_part(&world.b.parts, "x", 1);
	world.a.inner = 3;
	tells(&world, "");
	(void)state;
}

static void plain_fields(void **state)
{
	struct world world;
	begin(&world);
	world.b.on = true;
	world.a.n = 3;
	world.b.n = 4;
	world.b.color = 1;
	world.a.label = base_strdup("a \"b\"\nc\\\033");
	strings_add(&world.b.words, "run");
	strings_add(&world.b.words, "it");
	world.a.part.size = 7;
	tells(&world, "on: false -> true\n"
		      "n: 3 -> 4\n"
		      "color: red -> blue\n"
		      "label: \"a \\\"b\\\"\\nc\\\\\\x1b\" -> -\n"
		      "words: [] -> [\"run\", \"it\"]\n"
		      "part.size: 7 -> 0\n");
	(void)state;
}

static void pairs_by_key(void **state)
{
	struct world world;
	begin(&world);
	pairs_add(&world.a.values, "GONE", "1");
	pairs_add(&world.a.values, "SAME", "2");
	pairs_add(&world.a.values, "OTHER", "3");
	pairs_add(&world.b.values, "OTHER", "4");
	pairs_add(&world.b.values, "SAME", "2");
	pairs_add(&world.b.values, "NEW", NULL);
	tells(&world, "values.GONE: \"1\" -> -\n"
		      "values.OTHER: \"3\" -> \"4\"\n"
		      "values.NEW: - -> \"\"\n");
	(void)state;
}

static void pairs_in_another_order_are_the_same(void **state)
{
	struct world world;
	begin(&world);
	pairs_add(&world.a.values, "A", "1");
	pairs_add(&world.a.values, "B", "2");
	pairs_add(&world.b.values, "B", "2");
	pairs_add(&world.b.values, "A", "1");
	tells(&world, "");
	(void)state;
}

static void secrets_are_not_told(void **state)
{
	struct world world;
	begin(&world);
	pairs_add(&world.a.secrets, "KEY", "hunter2");
	pairs_add(&world.b.secrets, "KEY", "hunter3");
	tells(&world, "secrets.KEY: \"***\" -> \"***\"\n");
	(void)state;
}

static void items_wherever_they_stand(void **state)
{
	struct world world;
	begin(&world);
	add_part(&world.a.parts, "first", 1);
	add_part(&world.a.parts, "second", 2);
	add_part(&world.a.parts, "third", 3);
	add_part(&world.b.parts, "zeroth", 0);
	add_part(&world.b.parts, "third", 3);
	add_part(&world.b.parts, "first", 1);
	add_part(&world.b.parts, "fourth", 4);
	tells(&world, "parts[0].name: \"second\" -> \"zeroth\"\n"
		      "parts[0].size: 2 -> 0\n"
		      "parts[3]: - -> {name: \"fourth\", size: 4}\n");
	(void)state;
}

static void items_in_another_order(void **state)
{
	struct world world;
	begin(&world);
	add_part(&world.a.parts, "x", 1);
	add_part(&world.a.parts, "y", 2);
	add_part(&world.b.parts, "y", 2);
	add_part(&world.b.parts, "x", 1);
	tells(&world, "parts: [{name: \"x\", size: 1}, {name: \"y\", size: 2}] -> "
		      "[{name: \"y\", size: 2}, {name: \"x\", size: 1}]\n");
	(void)state;
}

static void optional_records(void **state)
{
	struct world world;
	begin(&world);
	world.b.spare = base_calloc(1, sizeof(struct part));
	world.b.spare->size = 5;
	tells(&world, "spare: - -> {size: 5}\n");
	begin(&world);
	world.a.spare = base_calloc(1, sizeof(struct part));
	world.b.spare = base_calloc(1, sizeof(struct part));
	world.b.spare->size = 5;
	tells(&world, "spare.size: 0 -> 5\n");
	(void)state;
}

static void long_values_are_cut(void **state)
{
	struct world world;
	char label[1000];
	begin(&world);
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	world.b.label = base_strdup(label);
	record_diff(&thing_type, &world.a, &world.b, visit, &world);
	assert_true(world.told.len < RECORD_DIFF_VALUE_BYTES + 20);
	assert_string_equal(text_string(&world.told) + world.told.len - 4, "...\n");
	text_clear(&world.told);
	/* Not within a character. */
	memset(label, 'x', sizeof(label) - 1);
	for (size_t i = 0; i + 1 < sizeof(label) - 1; i += 2)
		memcpy(label + i, "\xc3\xa4", 2);
	string_set(&world.b.label, label);
	record_diff(&thing_type, &world.a, &world.b, visit, &world);
	assert_string_equal(text_string(&world.told) + world.told.len - 6, "\xc3\xa4...\n");
	text_clear(&world.told);
	string_set(&world.b.label, NULL);
	tells(&world, "");
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_records_tell_nothing),
		TEST(plain_fields),
		TEST(pairs_by_key),
		TEST(pairs_in_another_order_are_the_same),
		TEST(secrets_are_not_told),
		TEST(items_wherever_they_stand),
		TEST(items_in_another_order),
		TEST(optional_records),
		TEST(long_values_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
