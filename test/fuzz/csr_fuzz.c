/* Signing requests and certificates from outside: refused with a reason, or a request whose key has a hash. */
#include <string.h>

#include "base/check.h"
#include "trust/certificate.h"
#include "trust/keys.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	struct certificate certificate;
	struct csr *csr = NULL;
	struct err err = { 0 };
	if (csr_read(text, len, &csr, &err) == ERR_NONE)
		INVARIANT(strlen(csr_key_sha256(csr)) == ACCESS_HASH_TEXT_SIZE - 1);
	else
		INVARIANT(!csr && (err.code == ERR_INVALID || err.code == ERR_TOO_LARGE));
	csr_free(csr);
	if (certificate_read(text, len, &certificate, &err) == ERR_NONE)
		INVARIANT(certificate_renew_at_s(&certificate) <= certificate.not_after_s ||
			  certificate.not_after_s < certificate.not_before_s);
	return 0;
}
