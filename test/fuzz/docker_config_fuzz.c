/* The user's Docker configuration, image references, and what credential helpers print. What becomes a header is safe
 * in one; what becomes a program's name has no folder. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "runtime/docker_image.h"

#include "fuzz.h"

static void check_header(const char *header)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789-_=";
	INVARIANT(strspn(header, alphabet) == strlen(header));
	INVARIANT(strlen(header) % 4 == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const registries[] = { "docker.io", "a.example", "localhost:5000" };
	const char *text = (const char *)bytes;
	for (size_t i = 0; i < ARRAY_LEN(registries); i++) {
		struct docker_credentials found = { 0 };
		char *header = NULL;
		if (docker_credentials_find(text, len, registries[i], &found, NULL) == ERR_NONE) {
			INVARIANT(!found.header || !found.helper);
			INVARIANT(!found.helper || !strchr(found.helper, '/'));
			if (found.header)
				check_header(found.header);
		}
		docker_credentials_release(&found);
		if (docker_credentials_answer(text, len, registries[i], &header, NULL) == ERR_NONE)
			check_header(header);
		base_free(header);
	}
	struct docker_image image;
	char *reference = base_strndup(text, len);
	if (docker_image_parse(reference, &image, NULL) == ERR_NONE)
		INVARIANT(image.name[0] && image.tag[0] && image.registry[0]);
	base_free(reference);
	return 0;
}
