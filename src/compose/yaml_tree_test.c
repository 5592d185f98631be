#include "compose/testing.h"

#include "base/limits.h"
#include "compose/yaml_tree.h"

static struct tree good(const char *text)
{
	struct tree tree = { 0 };
	struct err err;
	if (tree_parse(text, strlen(text), "f", &tree, &err) != ERR_NONE) {
		print_error("%s: %s\n", err.field, err.message);
		fail();
	}
	return tree;
}

static void bad(const char *text, enum err_code code, const char *field, const char *words)
{
	struct tree tree = { 0 };
	struct err err;
	assert_int_equal(tree_parse(text, strlen(text), "f", &tree, &err), code);
	assert_string_equal(err.field, field);
	if (!strstr(err.message, words)) {
		print_error("expected \"%s\" in \"%s\"\n", words, err.message);
		fail();
	}
	assert_null(tree.root);
}

static const char *text_of(const struct tree *tree, const char *key)
{
	struct tree_node *node = tree_get(tree->root, key);
	assert_non_null(node);
	return node->text;
}

static void nodes_know_their_line_and_column(void **state)
{
	(void)state;
	struct tree tree = good("a: 1\nb:\n  - x\n  - {c: 'd'}\n");
	struct tree_node *list = tree_get(tree.root, "b");
	assert_int_equal(tree_get(tree.root, "a")->line, 1);
	assert_int_equal(tree_get(tree.root, "a")->column, 4);
	assert_int_equal(list->n, 2);
	assert_int_equal(list->items[0]->line, 3);
	assert_int_equal(list->items[0]->column, 5);
	assert_int_equal(tree_get(list->items[1], "c")->column, 9);
	tree_release(&tree);
}

static void plain_text_has_the_type_it_looks_like_and_quoted_text_is_a_string(void **state)
{
	static const struct {
		const char *text;
		enum scalar_type type;
	} rows[] = {
		{ "22:22", SCALAR_STRING },    { "190:20:30", SCALAR_STRING },
		{ "yes", SCALAR_STRING },      { "No", SCALAR_STRING },
		{ "true", SCALAR_BOOL },       { "False", SCALAR_BOOL },
		{ "tRue", SCALAR_STRING },     { "~", SCALAR_NULL },
		{ "null", SCALAR_NULL },       { "", SCALAR_NULL },
		{ "0", SCALAR_INTEGER },       { "-17", SCALAR_INTEGER },
		{ "0x1F", SCALAR_INTEGER },    { "0o17", SCALAR_INTEGER },
		{ "0755", SCALAR_INTEGER },    { "1_000", SCALAR_INTEGER },
		{ "1.5", SCALAR_FLOAT },       { ".5", SCALAR_FLOAT },
		{ "5.", SCALAR_FLOAT },	       { "1e3", SCALAR_FLOAT },
		{ "-.inf", SCALAR_FLOAT },     { ".", SCALAR_STRING },
		{ "1.2.3", SCALAR_STRING },    { "1e", SCALAR_STRING },
		{ "+", SCALAR_STRING },	       { "0x", SCALAR_STRING },
		{ "1d", SCALAR_STRING },       { "'1'", SCALAR_STRING },
		{ "\"true\"", SCALAR_STRING }, { "''", SCALAR_STRING },
		{ "!!str 1", SCALAR_STRING },  { "! 1", SCALAR_STRING },
		{ "!!int 1", SCALAR_INTEGER }, { "|\n  1", SCALAR_STRING },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[64];
		text_print(text, sizeof(text), "a: %s\n", rows[i].text);
		struct tree tree = good(text);
		if (tree_scalar_type(tree_get(tree.root, "a")) != rows[i].type)
			print_error("%s\n", rows[i].text);
		assert_int_equal(tree_scalar_type(tree_get(tree.root, "a")), rows[i].type);
		tree_release(&tree);
	}
}

static void merges_let_own_keys_win_and_earlier_maps_win_over_later_ones(void **state)
{
	(void)state;
	struct tree tree = good("one: &one {a: 1, b: 1, c: 1}\n"
				"two: &two {b: 2, c: 2, d: 2}\n"
				"all: {c: own, <<: [*one, *two], e: own}\n"
				"chain: &chain {<<: *two, x: 3}\n"
				"last: {<<: *chain}\n");
	struct tree_node *all = tree_get(tree.root, "all");
	assert_int_equal(all->n, 5);
	assert_string_equal(tree_get(all, "a")->text, "1");
	assert_string_equal(tree_get(all, "b")->text, "1");
	assert_string_equal(tree_get(all, "c")->text, "own");
	assert_string_equal(tree_get(all, "d")->text, "2");
	assert_string_equal(tree_get(all, "e")->text, "own");
	assert_string_equal(all->entries[0].key->text, "c");
	assert_string_equal(all->entries[1].key->text, "e");
	assert_int_equal(tree_get(tree.root, "last")->n, 4);
	tree_release(&tree);
}

static void a_quoted_merge_key_is_an_ordinary_key(void **state)
{
	(void)state;
	struct tree tree = good("'<<': x\n");
	assert_string_equal(text_of(&tree, "<<"), "x");
	tree_release(&tree);
}

static void an_anchor_may_be_set_again_and_an_alias_takes_the_last(void **state)
{
	(void)state;
	struct tree tree = good("a: &x 1\nb: *x\nc: &x 2\nd: *x\n");
	assert_string_equal(text_of(&tree, "b"), "1");
	assert_string_equal(text_of(&tree, "d"), "2");
	tree_release(&tree);
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	(void)state;
	bad("a: 1\nb: 2\na: 3\n", ERR_INVALID, "f:3:1",
	    "\"a\" stands twice in this mapping (first in line 1)");
	bad("a: {b: 1, c: 2, b: 3}\n", ERR_INVALID, "f:1:17", "\"b\" stands twice");
	bad("a: &a {x: 1}\nb: {<<: *a, <<: *a}\n", ERR_INVALID, "f:2:13", "\"<<\" stands twice");
	bad("a: *x\n", ERR_INVALID, "f:1:4", "*x has no anchor &x");
	bad("a: &x [*x]\n", ERR_INVALID, "f:1:8", "*x stands inside its own anchor");
	bad("a: &x {b: {<<: *x}}\n", ERR_INVALID, "f:1:16", "inside its own anchor");
	bad("a: {<<: 1}\n", ERR_INVALID, "f:1:9", "<< merges a mapping");
	bad("a: {<<: [{b: 1}, 2]}\n", ERR_INVALID, "f:1:18", "<< merges a mapping");
	bad("[a, b]: 1\n", ERR_INVALID, "f:1:1", "a list stands where a key is expected");
	bad("? {a: 1}\n: 2\n", ERR_INVALID, "f:1:3", "a mapping stands where a key is expected");
	bad("a: 1\n---\nb: 2\n", ERR_UNSUPPORTED, "f:2:1", "a second YAML document begins here");
	bad("a: !reset null\n", ERR_UNSUPPORTED, "f:1:4",
	    "!reset steers the merging of several Compose files");
	bad("a: !override [b]\n", ERR_UNSUPPORTED, "f:1:4", "!override");
	bad("a: !foo 1\n", ERR_UNSUPPORTED, "f:1:4", "!foo has no meaning");
	bad("a: !!binary aGk=\n", ERR_UNSUPPORTED, "f:1:4", "has no meaning");
	bad("a: !!str [1]\n", ERR_INVALID, "f:1:4", "!!str stands before a list");
	bad("a: \"x\\0y\"\n", ERR_SYNTAX, "f:1:4", "NUL");
	bad("a:\n\tb: 1\n", ERR_SYNTAX, "f:2:1", "a tab is used for indentation");
	bad("a: [1, 2\nb: 3\n", ERR_SYNTAX, "f:2:2", "not valid YAML");
	bad("a: 'open\n", ERR_SYNTAX, "f:2:1", "not valid YAML");
	bad("a: b: c\n", ERR_SYNTAX, "f:1:5", "not valid YAML");
	bad("a: \xff\n", ERR_SYNTAX, "f: byte 3", "the file is not text in UTF-8");
	bad("a: \x01\n", ERR_SYNTAX, "f: byte 3", "the file is not text in UTF-8");
}

static void an_empty_text_has_no_root(void **state)
{
	(void)state;
	struct tree tree = good("");
	assert_null(tree.root);
	tree_release(&tree);
	tree = good("# only a comment\n");
	assert_null(tree.root);
	tree_release(&tree);
}

/* n times `open`, then `close`. */
static char *repeated(const char *before, const char *open, int n, const char *after)
{
	struct text text;
	text_init(&text, 1 << 26);
	text_add(&text, before);
	for (int i = 0; i < n; i++)
		text_add(&text, open);
	text_add(&text, after);
	return text_take(&text);
}

static void nesting_is_refused_before_it_is_read(void **state)
{
	static const char *const opens[] = { "[", "{a: ", "- ", "? " };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(opens); i++) {
		char *text = repeated("", opens[i], 100000, "");
		struct tree tree = { 0 };
		struct err err;
		assert_int_equal(tree_parse(text, strlen(text), "f", &tree, &err), ERR_TOO_LARGE);
		assert_string_equal(err.message, "lists and mappings are nested too deeply");
		base_free(text);
	}
	_cleanup_free_ char *open = repeated("", "[", LIMIT_YAML_DEPTH - 1, "x");
	_cleanup_free_ char *just = repeated(open, "]", LIMIT_YAML_DEPTH - 1, "\n");
	struct tree tree = good(just);
	tree_release(&tree);
}

static void aliases_cannot_multiply_without_bound(void **state)
{
	(void)state;
	struct text laughs;
	text_init(&laughs, 1 << 20);
	text_add(&laughs, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
	for (int i = 1; i < 10; i++) {
		text_addf(&laughs, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			text_addf(&laughs, "%s*a%d", j ? ", " : "", i - 1);
		text_add(&laughs, "]\n");
	}
	bad(text_string(&laughs), ERR_TOO_LARGE, "f:6:10",
	    "too many values once its aliases are written out");
	text_release(&laughs);
}

static void long_texts_cannot_be_multiplied_by_aliases(void **state)
{
	(void)state;
	char *start = repeated("a: &a \"", "0123456789abcdef", 65536, "\"\nb: [");
	char *text = repeated(start, "*a, ", 100, "]\n");
	struct tree tree = { 0 };
	struct err err;
	assert_int_equal(tree_parse(text, strlen(text), "f", &tree, &err), ERR_TOO_LARGE);
	assert_string_equal(err.message, "the file is too large once its aliases are written out");
	base_free(start);
	base_free(text);
}

static void values_anchors_and_bytes_are_counted(void **state)
{
	(void)state;
	struct tree tree = { 0 };
	struct err err;
	char *many = repeated("a:\n", "- 1\n", LIMIT_YAML_NODES, "");
	assert_int_equal(tree_parse(many, strlen(many), "f", &tree, &err), ERR_TOO_LARGE);
	base_free(many);
	char *anchors = repeated("a:\n", "- &a 1\n", 1025, "");
	assert_int_equal(tree_parse(anchors, strlen(anchors), "f", &tree, &err), ERR_TOO_LARGE);
	assert_string_equal(err.message, "the file has more than 1024 anchors");
	base_free(anchors);
	char *large = repeated("# ", "0123456789abcdef", LIMIT_YAML_FILE_BYTES / 16, "\n");
	assert_int_equal(tree_parse(large, strlen(large), "f", &tree, &err), ERR_TOO_LARGE);
	assert_string_equal(err.field, "f");
	base_free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_know_their_line_and_column),
		cmocka_unit_test(plain_text_has_the_type_it_looks_like_and_quoted_text_is_a_string),
		cmocka_unit_test(merges_let_own_keys_win_and_earlier_maps_win_over_later_ones),
		cmocka_unit_test(a_quoted_merge_key_is_an_ordinary_key),
		cmocka_unit_test(an_anchor_may_be_set_again_and_an_alias_takes_the_last),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(an_empty_text_has_no_root),
		cmocka_unit_test(nesting_is_refused_before_it_is_read),
		cmocka_unit_test(aliases_cannot_multiply_without_bound),
		cmocka_unit_test(long_texts_cannot_be_multiplied_by_aliases),
		cmocka_unit_test(values_anchors_and_bytes_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
