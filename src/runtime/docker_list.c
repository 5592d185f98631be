/* Reading a list without a tree of it.
 *
 * 1. Only whole steps are taken: '[', a container, ',', ']'. What is too little for one stays in `rest` until there is
 *    twice as much, so that a long container that comes in many pieces is not read once for each.
 * 2. What is looked for (keys, names, states, our labels) holds nothing that JSON escapes: strings are compared as they
 *    are written. */
#include "runtime/docker_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "runtime/docker_reply.h"

enum stage { LIST_BEGIN = 0, LIST_FIRST, LIST_ITEM, LIST_NEXT, LIST_OVER, LIST_FAILED };

/* A step that ends before it is done has come to `end`: more is needed. Elsewhere: this is no JSON. */
struct scan {
	const char *at;
	const char *end;
};

struct piece {
	const char *bytes;
	size_t len;
};

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
		scan->at++;
}

static bool take(struct scan *scan, char c)
{
	skip_blanks(scan);
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

static bool is_next(struct scan *scan, char c)
{
	skip_blanks(scan);
	return scan->at < scan->end && *scan->at == c;
}

/* Behind an odd number of backslashes it is not the end. */
static bool is_escaped(const char *from, const char *quote)
{
	const char *at = quote;
	while (at > from && at[-1] == '\\')
		at--;
	return (quote - at) % 2 != 0;
}

static bool take_string(struct scan *scan, struct piece *ret)
{
	if (!take(scan, '"'))
		return false;
	const char *from = scan->at, *quote;
	do {
		quote = memchr(scan->at, '"', (size_t)(scan->end - scan->at));
		scan->at = quote ? quote + 1 : scan->end;
	} while (quote && is_escaped(from, quote));
	if (!quote)
		return false;
	*ret = (struct piece){ from, (size_t)(quote - from) };
	return true;
}

/* true, false, null, a number. */
static bool skip_word(struct scan *scan)
{
	static const char more[] = "+-.";
	skip_blanks(scan);
	const char *from = scan->at;
	for (; scan->at < scan->end; scan->at++) {
		char c = *scan->at;
		bool of_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E' ||
			       memchr(more, c, sizeof(more) - 1);
		if (!of_word)
			return scan->at > from;
	}
	return false;
}

static bool skip_value(struct scan *scan, int depth)
{
	struct piece ignored;
	if (is_next(scan, '"'))
		return take_string(scan, &ignored);
	bool object = take(scan, '{');
	if (!object && !take(scan, '['))
		return skip_word(scan);
	char close = object ? '}' : ']';
	if (take(scan, close))
		return true;
	if (depth == LIMIT_JSON_DEPTH)
		return false;
	do {
		if (object && (!take_string(scan, &ignored) || !take(scan, ':')))
			return false;
		if (!skip_value(scan, depth + 1))
			return false;
	} while (take(scan, ','));
	return take(scan, close);
}

static bool is(const struct piece *piece, const char *word)
{
	return strlen(word) == piece->len && memcmp(piece->bytes, word, piece->len) == 0;
}

/* A member whose value is text; anything else leaves `out` empty. */
static bool take_text(struct scan *scan, char *out, size_t size)
{
	struct piece piece;
	*out = '\0';
	if (!is_next(scan, '"'))
		return skip_value(scan, 2);
	if (!take_string(scan, &piece))
		return false;
	size_t len = piece.len < size - 1 ? piece.len : size - 1;
	memcpy(out, piece.bytes, len);
	out[len] = '\0';
	return true;
}

/* ---- a container --------------------------------------------------------------------------------------- */

/* Links add further names with a second '/'; ours is the plain one. */
static bool take_names(struct scan *scan, struct container_seen *seen)
{
	char name[CONTAINER_NAME_SIZE + 1];
	if (!is_next(scan, '['))
		return skip_value(scan, 2);
	take(scan, '[');
	if (take(scan, ']'))
		return true;
	do {
		if (!take_text(scan, name, sizeof(name)))
			return false;
		if (!seen->name[0] && name[0] == '/' && !strchr(name + 1, '/'))
			text_print(seen->name, sizeof(seen->name), "%s", name + 1);
	} while (take(scan, ','));
	return take(scan, ']');
}

static bool take_id(struct scan *scan, struct uuid *ret_id)
{
	char text[UUID_TEXT_SIZE + 1];
	struct uuid id;
	if (!take_text(scan, text, sizeof(text)))
		return false;
	if (uuid_parse(text, &id, NULL) == ERR_NONE)
		*ret_id = id;
	return true;
}

/* What does not parse stays zero: the core decides what a container without them is. */
static bool take_label(struct scan *scan, const struct piece *key, struct container_seen *seen)
{
	char number[32];
	if (is(key, LABEL_CLUSTER))
		return take_id(scan, &seen->cluster);
	if (is(key, LABEL_TASK))
		return take_id(scan, &seen->task.uuid);
	if (!is(key, LABEL_ATTEMPT))
		return skip_value(scan, 3);
	if (!take_text(scan, number, sizeof(number)))
		return false;
	seen->attempt = strtoll(number, NULL, 10);
	return true;
}

static bool take_labels(struct scan *scan, struct container_seen *seen)
{
	struct piece key;
	if (!is_next(scan, '{'))
		return skip_value(scan, 2);
	take(scan, '{');
	if (take(scan, '}'))
		return true;
	do {
		if (!take_string(scan, &key) || !take(scan, ':') || !take_label(scan, &key, seen))
			return false;
	} while (take(scan, ','));
	return take(scan, '}');
}

/* "Exited (137) 3 seconds ago", "Up 2 minutes (health: starting)", "Up 3 seconds (healthy)". */
static bool take_status(struct scan *scan, struct container_seen *seen)
{
	char status[128];
	if (!take_text(scan, status, sizeof(status)))
		return false;
	if (strncmp(status, "Exited (", 8) == 0)
		seen->exit_code = strtoll(status + 8, NULL, 10);
	else if (strstr(status, "(health: starting)"))
		seen->health = HEALTH_STARTING;
	else if (strstr(status, "(unhealthy)"))
		seen->health = HEALTH_UNHEALTHY;
	else if (strstr(status, "(healthy)"))
		seen->health = HEALTH_HEALTHY;
	return true;
}

static bool take_member(struct scan *scan, const struct piece *key, struct container_seen *seen)
{
	char state[32];
	if (is(key, "Id"))
		return take_text(scan, seen->id, sizeof(seen->id));
	if (is(key, "Names"))
		return take_names(scan, seen);
	if (is(key, "Labels"))
		return take_labels(scan, seen);
	if (is(key, "Status"))
		return take_status(scan, seen);
	if (!is(key, "State"))
		return skip_value(scan, 2);
	if (!take_text(scan, state, sizeof(state)))
		return false;
	seen->state = docker_reply_state(state);
	return true;
}

static bool take_container(struct scan *scan, struct container_seen *seen)
{
	struct piece key;
	*seen = (struct container_seen){ .state = CONTAINER_EXITED, .exit_code = -1 };
	if (!take(scan, '{'))
		return false;
	if (take(scan, '}'))
		return true;
	do {
		if (!take_string(scan, &key) || !take(scan, ':') || !take_member(scan, &key, seen))
			return false;
	} while (take(scan, ','));
	return take(scan, '}');
}

/* ---- the list ------------------------------------------------------------------------------------------ */

void docker_list_init(struct docker_list *list)
{
	*list = (struct docker_list){ 0 };
	text_init(&list->rest, LIMIT_DOCKER_BODY_BYTES);
	list->n_max = LIMIT_DOCKER_LISTED;
}

void docker_list_release(struct docker_list *list)
{
	text_release(&list->rest);
	base_free(list->items);
	*list = (struct docker_list){ 0 };
}

static void fail(struct docker_list *list, enum err_code code, const char *message)
{
	list->stage = LIST_FAILED;
	err_set(&list->err, code, "%s", message);
}

static bool take_item(struct docker_list *list, struct scan *scan)
{
	struct container_seen seen;
	if (!take_container(scan, &seen))
		return false;
	list->n_read++;
	if (!seen.name[0] || !seen.id[0])
		return true;
	list->items = base_grow(list->items, list->n, &list->capacity, sizeof(*list->items));
	list->items[list->n++] = seen;
	return true;
}

/* One step; false: there is too little for it, or it is none that may come here. */
static bool advance(struct docker_list *list, struct scan *scan)
{
	switch ((enum stage)list->stage) {
	case LIST_BEGIN:
		if (!take(scan, '['))
			return false;
		list->stage = LIST_FIRST;
		return true;
	case LIST_FIRST:
	case LIST_NEXT:
		if (take(scan, ']'))
			list->stage = LIST_OVER;
		else if (list->stage == LIST_FIRST && is_next(scan, '{'))
			list->stage = LIST_ITEM;
		else if (list->stage == LIST_NEXT && take(scan, ','))
			list->stage = LIST_ITEM;
		else
			return false;
		return true;
	case LIST_ITEM:
		if (!take_item(list, scan))
			return false;
		list->stage = LIST_NEXT;
		return true;
	case LIST_OVER: skip_blanks(scan); return false;
	case LIST_FAILED: break;
	}
	return false;
}

static void read_on(struct docker_list *list)
{
	struct scan scan = { list->rest.bytes, list->rest.bytes + list->rest.len };
	const char *done = scan.at;
	while (list->n_read <= list->n_max && advance(list, &scan))
		done = scan.at;
	if (list->n_read > list->n_max) {
		fail(list, ERR_TOO_LARGE, "Docker's list of containers is too large");
		return;
	}
	if (scan.at < scan.end) {
		fail(list, ERR_PROTOCOL,
		     list->stage == LIST_BEGIN ? "Docker's list of containers is not a list"
					       : "Docker's list of containers cannot be read");
		return;
	}
	text_drop(&list->rest, (size_t)(done - list->rest.bytes));
	list->tried = list->rest.len;
}

/* Of an answer that has failed, only its words are wanted. */
static size_t room_of(const struct docker_list *list)
{
	size_t max = list->rest.max;
	if (list->stage == LIST_FAILED && max > LIMIT_DOCKER_MESSAGE_BYTES)
		max = LIMIT_DOCKER_MESSAGE_BYTES;
	return list->rest.len < max ? max - list->rest.len : 0;
}

void docker_list_feed(struct docker_list *list, const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len > 0) {
		/* What is left of `rest` and a piece of what came are never more than it may hold. */
		size_t room = room_of(list);
		size_t piece = len < room ? len : room;
		text_add_bytes(&list->rest, at, piece);
		at += piece;
		len -= piece;
		if (list->stage == LIST_FAILED)
			return;
		if (list->rest.len >= 2 * list->tried || list->rest.len == list->rest.max)
			read_on(list);
		if (list->stage != LIST_FAILED && list->rest.len == list->rest.max)
			fail(list, ERR_TOO_LARGE, "a container in Docker's list is too large");
	}
}

enum err_code docker_list_end(struct docker_list *list, struct container_seen **ret_items,
			      size_t *ret_n, struct err *err)
{
	if (list->stage != LIST_FAILED && list->rest.len > 0)
		read_on(list);
	if (list->stage != LIST_FAILED && list->stage != LIST_OVER)
		fail(list, ERR_PROTOCOL, "Docker's list of containers ends too early");
	if (list->stage == LIST_FAILED)
		return err_set(err, list->err.code, "%s", list->err.message);
	*ret_items = list->items;
	*ret_n = list->n;
	list->items = NULL;
	list->n = 0;
	list->capacity = 0;
	return ERR_NONE;
}
