#include "api/envelope.h"

#include <string.h>

#include "base/limits.h"

void envelope_send(struct websocket *websocket, const char *kind, const struct record_type *type,
		   const void *record)
{
	json_t *root = json_object();
	json_object_set_new(root, kind, json_from_record(type, record, JSON_INTERNAL));
	char *text = json_dumps(root, JSON_COMPACT);
	websocket_send(websocket, true, text, strlen(text));
	free(text);
	json_decref(root);
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
