/* A store's file, whatever is in it, is refused or not; nothing outside of it is read. */
#include "base/check.h"
#include "store/lmdb_pages.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err err = { 0 };
	enum err_code code = lmdb_pages_check(bytes, len, &err);
	INVARIANT(code == ERR_NONE || code == ERR_DAMAGED);
	INVARIANT(IMPLIES(code == ERR_DAMAGED, err.message[0] != '\0'));
	return 0;
}
