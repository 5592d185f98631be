#include "api/envelope.h"

#include <string.h>

#include "base/limits.h"

void envelope_send(struct websocket *websocket, const char *kind, const struct record_type *type,
		   const void *record)
{
	struct text text;
	text_init(&text, SIZE_MAX / 4);
	text_addf(&text, "{\"%s\":", kind);
	json_add_record(&text, type, record, JSON_INTERNAL);
	text_add_char(&text, '}');
	websocket_send(websocket, true, text.bytes, text.len);
	text_release(&text);
}

bool envelope_read(const void *bytes, size_t len, const char *kind, const struct record_type *type,
		   void *record)
{
	char head[32];
	size_t head_len = strlen(text_print(head, sizeof(head), "{\"%s\":", kind));
	const char *text = bytes;
	if (len <= head_len || memcmp(text, head, head_len) != 0 || text[len - 1] != '}')
		return false;
	return json_read_direct(type, text + head_len, len - head_len - 1, record);
}

enum err_code envelope_open(const void *bytes, size_t len, const char **ret_kind,
			    json_t **ret_value, json_t **ret_root, struct err *err)
{
	json_t *root;
	enum err_code code = json_parse(bytes, len, LIMIT_WS_MESSAGE_BYTES, &root, err);
	if (code)
		return code;
	void *member = json_is_object(root) ? json_object_iter(root) : NULL;
	if (!member || json_object_size(root) != 1) {
		json_decref(root);
		return err_set(err, ERR_PROTOCOL, "a message is an object with one member");
	}
	*ret_kind = json_object_iter_key(member);
	*ret_value = json_object_iter_value(member);
	*ret_root = root;
	return ERR_NONE;
}
