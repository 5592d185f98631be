#include "compose/yaml_write.h"

#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "compose/yaml_tree.h"

#define SIMPLE_KEY_BYTES_MAX 128

/* The indentation of a line, and its dash. A dash stands in the last two columns of it. */
static void begin_line(struct yaml_out *out)
{
	for (int i = 0; i < out->depth - out->dash; i++)
		text_add(out->text, "  ");
	if (out->dash)
		text_add(out->text, "- ");
	out->dash = false;
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Words that are, or once were, something else than a string. */
static bool is_reserved(const char *string)
{
	static const char *const words[] = { "y",   "n",    "yes",   "no",  "on",
					     "off", "true", "false", "null" };
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(string, words[i]) == 0)
			return true;
	return false;
}

/* May stand without quotes: begins with a letter, slash or underscore and holds nothing that means something to YAML
 * 1.1 or 1.2. */
static bool is_plain(const char *string)
{
	bool start = is_letter_or_digit(*string) && !(*string >= '0' && *string <= '9');
	if ((!start && *string != '/' && *string != '_') || is_reserved(string))
		return false;
	for (const char *c = string; *c; c++) {
		bool inner_colon = *c == ':' && is_letter_or_digit(c[1]);
		if (!is_letter_or_digit(*c) && !strchr("_-./@+", *c) && !inner_colon)
			return false;
	}
	return true;
}

/* Printable and no line break, as YAML 1.1 counts both. */
static bool is_printable(uint32_t c)
{
	if (c < 0xa0)
		return c >= 0x20 && c < 0x7f;
	return c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe && c != 0xffff;
}

static void add_escape(struct text *text, uint32_t c)
{
	static const char digits[] = "0123456789abcdef";
	int n = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
	text_addf(text, "\\%c", n == 2 ? 'x' : n == 4 ? 'u' : 'U');
	for (int i = n - 1; i >= 0; i--)
		text_add_char(text, digits[c >> (4 * i) & 0xf]);
}

static void add_quoted(struct text *text, const char *string, bool double_dollars)
{
	size_t len = strlen(string);
	text_add_char(text, '"');
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t n = utf8_read(string + at, len - at, &c);
		if (n == 0) {
			/* Bytes that are no UTF-8 cannot be written in YAML; nothing lets them come this far. */
			c = 0xfffd;
			n = 1;
			text_add(text, "\\ufffd");
		} else if (c == '$' && double_dollars)
			text_add(text, "$$");
		else if (c == '"' || c == '\\')
			text_addf(text, "\\%c", (char)c);
		else if (c == '\n')
			text_add(text, "\\n");
		else if (c == '\t')
			text_add(text, "\\t");
		else if (is_printable(c))
			text_add_bytes(text, string + at, n);
		else
			add_escape(text, c);
		at += n;
	}
	text_add_char(text, '"');
}

static void add_string(struct text *text, const char *string, bool double_dollars)
{
	if (is_plain(string))
		text_add(text, string);
	else
		add_quoted(text, string, double_dollars);
}

/* A key of more than 1024 characters needs the form with a question mark; it is kept for those that are long at all. */
static void add_key(struct yaml_out *out, const char *key)
{
	bool is_long = strlen(key) > SIMPLE_KEY_BYTES_MAX;
	begin_line(out);
	if (is_long)
		text_add(out->text, "? ");
	add_string(out->text, key, false);
	if (is_long) {
		text_add_char(out->text, '\n');
		begin_line(out);
	}
	text_add_char(out->text, ':');
}

void yaml_open(struct yaml_out *out, const char *key)
{
	add_key(out, key);
	text_add_char(out->text, '\n');
	out->depth++;
}

void yaml_close(struct yaml_out *out)
{
	out->depth--;
}

void yaml_open_item(struct yaml_out *out)
{
	out->depth++;
	out->dash = true;
}

void yaml_close_item(struct yaml_out *out)
{
	out->depth--;
	out->dash = false;
}

void yaml_word(struct yaml_out *out, const char *key, const char *word)
{
	add_key(out, key);
	text_addf(out->text, " %s\n", word);
}

void yaml_string(struct yaml_out *out, const char *key, const char *value)
{
	add_key(out, key);
	if (value) {
		text_add_char(out->text, ' ');
		add_string(out->text, value, true);
	}
	text_add_char(out->text, '\n');
}

void yaml_number(struct yaml_out *out, const char *key, int64_t number)
{
	add_key(out, key);
	text_addf(out->text, " %lld\n", (long long)number);
}

void yaml_bool(struct yaml_out *out, const char *key, bool value)
{
	yaml_word(out, key, value ? "true" : "false");
}

void yaml_duration(struct yaml_out *out, const char *key, int64_t duration_ms)
{
	add_key(out, key);
	text_add_char(out->text, ' ');
	if (duration_ms)
		text_add_duration(out->text, duration_ms);
	else
		text_add(out->text, "0s");
	text_add_char(out->text, '\n');
}

void yaml_item(struct yaml_out *out, const char *value)
{
	yaml_open_item(out);
	begin_line(out);
	add_string(out->text, value, true);
	text_add_char(out->text, '\n');
	yaml_close_item(out);
}

void yaml_comment(struct yaml_out *out, const char *text)
{
	for (int i = 0; i < out->depth; i++)
		text_add(out->text, "  ");
	text_addf(out->text, "# %s\n", text);
}

void yaml_strings(struct yaml_out *out, const char *key, const struct strings *strings)
{
	if (strings->n == 0)
		return;
	yaml_open(out, key);
	for (size_t i = 0; i < strings->n; i++)
		yaml_item(out, strings->items[i]);
	yaml_close(out);
}

void yaml_pairs(struct yaml_out *out, const char *key, const struct pairs *pairs)
{
	if (pairs->n == 0)
		return;
	yaml_open(out, key);
	for (size_t i = 0; i < pairs->n; i++)
		yaml_string(out, pairs->items[i].key, pairs->items[i].value);
	yaml_close(out);
}
