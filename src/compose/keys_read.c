#include "compose/keys.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "compose/nearest.h"
#include "compose/read.h"

static const struct key_row *row_named(const struct key_section *section, const char *name)
{
	for (size_t i = 0; i < section->n_rows; i++)
		if (strcmp(section->rows[i].name, name) == 0)
			return &section->rows[i];
	return NULL;
}

/* The section's key that is nearest to `name`, within `limit` edits; NULL when there is none. */
static const char *nearest_key(const struct key_section *section, const char *name, size_t limit)
{
	const char *nearest = NULL;
	for (size_t i = 0; i < section->n_rows; i++) {
		size_t distance = edit_distance(section->rows[i].name, name, limit + 1);
		if (distance < limit || (distance == limit && !nearest)) {
			limit = distance;
			nearest = section->rows[i].name;
		}
	}
	return nearest;
}

/* Another section whose honoured key this is: a key written one level too high or too low. */
static const char *other_place(const struct key_section *section, const char *name)
{
	for (size_t i = 0; i < SECTION_COUNT; i++) {
		const struct key_row *row = row_named(&key_sections[i], name);
		if (&key_sections[i] != section && row && row->status == KEY_HONOURED)
			return key_sections[i].place;
	}
	return NULL;
}

/* Files of version 1 have no `services`: each key of the top level is one. */
static bool is_version_1(const struct at *at, const struct key_section *section)
{
	return section == &key_sections[SECTION_FILE] && at->node->kind == TREE_MAP &&
	       !tree_entry_of(at->up->node, "services");
}

static enum err_code fail_unknown(const struct at *at, const struct key_section *section,
				  struct err *err)
{
	/* One slip of the finger is likelier than a key in the wrong place, more are not. */
	const char *nearest = nearest_key(section, at->name, 1);
	const char *place = nearest ? NULL : other_place(section, at->name);
	if (!nearest && is_version_1(at, section))
		return at_fail_key(at, err, ERR_INVALID,
				   "%s has no key \"%s\"; in a file of Compose version 1 it is a "
				   "service: write services: above and indent what is there",
				   section->place, at->name);
	if (!nearest)
		nearest = nearest_key(section, at->name, (strlen(at->name) + 2) / 3);
	if (strcmp(at->name, "x-drover") == 0)
		return at_fail_key(at, err, ERR_UNSUPPORTED,
				   "x-drover is read under a service only");
	if (place)
		return at_fail_key(at, err, ERR_INVALID,
				   "%s has no key \"%s\"; it belongs under %s", section->place,
				   at->name, place);
	if (nearest)
		return at_fail_key(at, err, ERR_INVALID,
				   "%s has no key \"%s\"; did you mean \"%s\"?", section->place,
				   at->name, nearest);
	return at_fail_key(at, err, ERR_INVALID, "%s has no key \"%s\"", section->place, at->name);
}

static bool is_free(const char *name)
{
	return strncmp(name, "x-", 2) == 0 && strcmp(name, "x-drover") != 0;
}

/* Every key of the mapping is known and, unless only names are looked at, not refused. */
static enum err_code check_keys(const struct at *at, const struct key_section *section,
				bool only_names, struct err *err)
{
	enum err_code code = ERR_NONE;
	for (size_t i = 0; i < at->node->n; i++) {
		const struct tree_entry *entry = &at->node->entries[i];
		struct at key = { .load = at->load,
				  .up = at,
				  .name = entry->key->text,
				  .key = entry->key,
				  .node = entry->value };
		const struct key_row *row = row_named(section, key.name);
		if (!row && is_free(key.name))
			continue;
		struct err mistake = { 0 };
		if (!row) {
			fail_unknown(&key, section, &mistake);
			code = at_note(at, code, &mistake, err);
			continue;
		}
		if (only_names)
			continue;
		if (row->status == KEY_REFUSED) {
			at_fail_key(&key, &mistake, ERR_UNSUPPORTED, "%s is refused: %s", row->name,
				    row->text);
			code = at_note(at, code, &mistake, err);
		}
		if (row->status == KEY_OBSOLETE)
			at_warn(&key, "%s is obsolete: %s", row->name, row->text);
		if (row->status == KEY_WARNED)
			at_warn(&key, "%s %s", row->name, row->text);
	}
	return code;
}

enum err_code keys_check(const struct at *at, enum section_id section, struct err *err)
{
	enum err_code code = expect_map(at, err);
	return code ? code : check_keys(at, &key_sections[section], false, err);
}

enum err_code keys_check_names(const struct at *at, enum section_id section, struct err *err)
{
	enum err_code code = expect_map(at, err);
	return code ? code : check_keys(at, &key_sections[section], true, err);
}

/* Whoever writes `hostname: ${NAME:-}` leaves it open whether there is one: an empty value that a variable left is as
 * none, where an empty text has no meaning of its own. */
static bool is_left_open(enum section_id section, const struct key_row *row,
			 const struct tree_node *node)
{
	static const char *const meant[] = { "image", "command", "entrypoint" };
	for (size_t i = 0; i < ARRAY_LEN(meant); i++)
		if (strcmp(row->name, meant[i]) == 0)
			return false;
	return section == SECTION_SERVICE && node->kind == TREE_SCALAR && node->interpolated &&
	       !*node->text;
}

enum err_code keys_read(const struct at *at, enum section_id section_id, void *target,
			struct err *err)
{
	const struct key_section *section = &key_sections[section_id];
	enum err_code all = expect_map(at, err);
	if (all)
		return all;
	all = check_keys(at, section, false, err);
	for (size_t i = 0; i < section->n_rows; i++) {
		const struct key_row *row = &section->rows[i];
		const struct tree_entry *entry =
			row->read ? tree_entry_of(at->node, row->name) : NULL;
		struct at value;
		if (!entry)
			continue;
		struct err mistake = { 0 };
		enum err_code code = at_entry(at, entry, &value, &mistake);
		if (!code && is_left_open(section_id, row, value.node))
			continue;
		value.record = row->record;
		if (!code && row->record)
			at_origin(&value, "%s", row->record);
		if (!code)
			code = row->read(&value, (char *)target + row->offset, &mistake);
		if (code)
			all = at_note(at, all, &mistake, err);
	}
	return all;
}

static const char *status_word(enum key_status status)
{
	switch (status) {
	case KEY_HONOURED: return "honoured";
	case KEY_OBSOLETE:
	case KEY_WARNED: return "accepted with a warning";
	case KEY_REFUSED: return "refused";
	}
	UNREACHABLE("status of a key");
}

/* `|` would end a table's cell. */
static void add_cell(struct text *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			text_add_char(out, '\\');
		text_add_char(out, *text);
	}
}

static void add_engine(struct text *out, enum engine_feature feature)
{
	const struct engine_need *need = &engine_needs[feature];
	if (feature == ENGINE_ANY)
		return;
	text_addf(out, "1.%lld, Docker %s%s", (long long)need->minor, need->docker,
		  *need->when ? ": " : " ");
	if (*need->when)
		text_addf(out, "%s ", need->when);
}

void keys_markdown(struct text *out)
{
	for (size_t i = 0; i < SECTION_COUNT; i++) {
		const struct key_section *section = &key_sections[i];
		text_addf(out,
			  "\n### `%s`\n\n| key | status | default, values, or the reason "
			  "| Engine API | in Swarm |\n|---|---|---|---|---|\n",
			  section->place);
		for (size_t j = 0; j < section->n_rows; j++) {
			const struct key_row *row = &section->rows[j];
			text_addf(out, "| `%s` | %s | ", row->name, status_word(row->status));
			add_cell(out, row->text);
			text_add(out, *row->text ? " | " : "| ");
			add_engine(out, row->engine);
			text_addf(out, "| %s |\n", keys_in_swarm((enum section_id)i, row->name));
		}
	}
}
