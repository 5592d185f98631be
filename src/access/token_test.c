/* Tokens as text: there and back, and every mistake of a person. */
#include "base/testing.h"

#include <string.h>

#include "access/token.h"
#include "base/alloc.h"
#include "base/uuid.h"

static void fill(struct token *token, uint64_t seed)
{
	struct random random = { seed };
	uint8_t *bytes = (uint8_t *)token;
	for (size_t i = 0; i < sizeof(*token); i++)
		bytes[i] = (uint8_t)random_next(&random);
}

static void a_token_is_read_as_it_was_written(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct token token, back;
		char text[TOKEN_TEXT_SIZE], id[TOKEN_ID_TEXT_SIZE];
		struct err err;
		fill(&token, seed);
		token_format(&token, text);
		assert_int_equal(strlen(text), TOKEN_TEXT_SIZE - 1);
		assert_int_equal(token_parse(text, &back, &err), ERR_NONE);
		assert_memory_equal(&token, &back, sizeof(token));
		assert_memory_equal(text + 8, token_id_format(&token, id), TOKEN_ID_TEXT_LEN);
		assert_int_equal(strlen(id), TOKEN_ID_TEXT_LEN);
	}
}

static void the_text_never_changes(void **state)
{
	(void)state;
	struct token token = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } };
	char text[TOKEN_TEXT_SIZE];
	assert_string_equal(token_format(&token, text),
			    "drover1-aebagaaaaaaaaaaaaqcqmaaaaaaaaaaaaaaaaaaaaadq"
			    "qciaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabyob");
}

static void is_refused(const char *text, const char *why)
{
	struct token token;
	struct err err;
	assert_int_equal(token_parse(text, &token, &err), ERR_INVALID);
	assert_string_equal(err.message, why);
}

static void a_text_that_is_no_token_is_told_what_is_wrong(void **state)
{
	(void)state;
	struct token token;
	char text[TOKEN_TEXT_SIZE];
	fill(&token, 1);
	token_format(&token, text);
	is_refused("", "a token begins with drover1-");
	is_refused("SWMTKN-1-abc", "a token begins with drover1-");
	is_refused("drover2-abc",
		   "a token begins with drover1-; this one is of another release, or mistyped");
	is_refused("drover1-abc", "a token has 104 characters and this has 11: part of it is "
				  "missing, or something was joined to it");
	text[20] = '1';
	is_refused(text, "character 21 of the token is none of a-z and 2-7");
}

static void every_wrong_letter_and_every_swap_is_noticed(void **state)
{
	(void)state;
	struct token token, back;
	char text[TOKEN_TEXT_SIZE];
	fill(&token, 2);
	token_format(&token, text);
	for (size_t i = 8; i + 1 < TOKEN_TEXT_SIZE; i++) {
		char kept = text[i];
		for (const char *letter = "abcdefghijklmnopqrstuvwxyz234567"; *letter; letter++) {
			text[i] = *letter;
			assert_int_equal(token_parse(text, &back, NULL) == ERR_NONE,
					 *letter == kept);
		}
		text[i] = kept;
		if (i + 2 == TOKEN_TEXT_SIZE || text[i] == text[i + 1])
			continue;
		text[i] = text[i + 1];
		text[i + 1] = kept;
		assert_int_equal(token_parse(text, &back, NULL), ERR_INVALID);
		text[i + 1] = text[i];
		text[i] = kept;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_is_read_as_it_was_written),
		TEST(the_text_never_changes),
		TEST(a_text_that_is_no_token_is_told_what_is_wrong),
		TEST(every_wrong_letter_and_every_swap_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
