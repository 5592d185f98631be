/* Writing YAML in block style that reads back as the same values, dollar signs in values doubled against
 * interpolation. */
#ifndef COMPOSE_YAML_WRITE_H
#define COMPOSE_YAML_WRITE_H

#include "base/record.h"

/* All-zero but for `text` is the top level. */
struct yaml_out {
	struct text *text;
	int depth;
	bool dash; /* the next line begins a list item */
};

/* A nested mapping or list; items are wrapped when they are mappings themselves. */
void yaml_open(struct yaml_out *out, const char *key);
void yaml_close(struct yaml_out *out);
void yaml_open_item(struct yaml_out *out);
void yaml_close_item(struct yaml_out *out);

/* `KEY: VALUE`. A string is quoted where it must be; NULL is null. A word is written as it is. */
void yaml_string(struct yaml_out *out, const char *key, const char *value);
void yaml_word(struct yaml_out *out, const char *key, const char *word);
void yaml_number(struct yaml_out *out, const char *key, int64_t number);
void yaml_bool(struct yaml_out *out, const char *key, bool value);
void yaml_duration(struct yaml_out *out, const char *key, int64_t duration_ms);

/* `- VALUE` */
void yaml_item(struct yaml_out *out, const char *value);

/* `# TEXT` */
void yaml_comment(struct yaml_out *out, const char *text);

/* A list or mapping; nothing at all when it is empty. */
void yaml_strings(struct yaml_out *out, const char *key, const struct strings *strings);
void yaml_pairs(struct yaml_out *out, const char *key, const struct pairs *pairs);

#endif
