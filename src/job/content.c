/* Invariant: tags are on disk; a number is never given to another field. */
#include "job/content.h"

#include <string.h>

#include "base/limits.h"

// clang-format off
const struct enum_name content_kind_names[] = { { CONTENT_CONFIG, "config" }, { CONTENT_SECRET, "secret" }, { 0 } };
const struct enum_name content_origin_names[] = {
	{ CONTENT_INLINE, "content" }, { CONTENT_FILE, "file" }, { CONTENT_ENVIRONMENT, "environment" }, { 0 }
};

static const struct field content_use_fields[] = {
	ROW_STRING(1, struct content_use, source, LIMIT_NAME_BYTES, .flags = FIELD_REQUIRED),
	ROW_STRING(2, struct content_use, target, LIMIT_PATH_BYTES),
	ROW_INT(3, struct content_use, uid, CONTENT_ID_MAX),
	ROW_INT(4, struct content_use, gid, CONTENT_ID_MAX),
	ROW_INT(5, struct content_use, mode, CONTENT_MODE_MAX),
	ROW_STRING(6, struct content_use, hash, CONTENT_HASH_BYTES, .flags = FIELD_OUTPUT),
};
RECORD_TYPE(content_use, struct content_use, content_use_fields);

static const struct field content_request_fields[] = {
	ROW_STRING(1, struct content_request, key, LIMIT_NAME_BYTES, .flags = FIELD_REQUIRED),
	ROW_STRING(2, struct content_request, name, LIMIT_RESOURCE_NAME_BYTES),
	ROW_PAIRS(3, struct content_request, labels, LIMIT_LIST_ITEMS),
	ROW_STRING(4, struct content_request, data, LIMIT_CONTENT_DATA_BYTES, .flags = FIELD_REQUIRED | FIELD_SECRET),
	ROW_STRING(5, struct content_request, hash, CONTENT_HASH_BYTES, .flags = FIELD_HIDDEN),
	ROW_STRING(6, struct content_request, seal, LIMIT_NAME_BYTES, .flags = FIELD_HIDDEN),
	ROW_ENUM(7, struct content_request, origin, content_origin_names, .flags = FIELD_HIDDEN),
	ROW_STRING(8, struct content_request, origin_name, LIMIT_PATH_BYTES, .flags = FIELD_HIDDEN),
};
RECORD_TYPE(content_request, struct content_request, content_request_fields);
// clang-format on

bool content_is_forgotten(const char *seal)
{
	return seal && strcmp(seal, CONTENT_SEAL_FORGOTTEN) == 0;
}

char *content_use_target(int kind, const struct content_use *use)
{
	struct text target;
	text_init(&target, LIMIT_PATH_BYTES);
	if (use->target)
		text_add(&target, use->target);
	else
		text_addf(&target, "%s%s", kind == CONTENT_SECRET ? SECRET_FOLDER : CONFIG_FOLDER,
			  use->source);
	return text_take(&target);
}
