/* Join tokens and names in certificates: a text is refused with a reason, or it is the only text of what it means. */
#include <string.h>

#include "access/access.h"
#include "access/token.h"
#include "base/alloc.h"
#include "base/check.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_free_ char *text = base_strndup((const char *)bytes, len);
	char again[TOKEN_TEXT_SIZE];
	char uri[ACCESS_URI_SIZE];
	struct token token;
	struct access_name name;
	struct err err = { 0 };
	if (token_parse(text, &token, &err) == ERR_NONE)
		INVARIANT(strcmp(token_format(&token, again), text) == 0);
	else
		INVARIANT(err.code == ERR_INVALID && err.message[0] != '\0');
	if (access_uri_parse(text, &name, &err) == ERR_NONE)
		INVARIANT(strcmp(access_uri_format(&name, uri), text) == 0);
	return 0;
}
