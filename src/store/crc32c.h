/* CRC-32C (Castagnoli), as iSCSI and most stores use it: RFC 3720, appendix B.4. */
#ifndef STORE_CRC32C_H
#define STORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `bytes` after what `crc` stands for; 0 to begin. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);

/* The same without the processor's instruction; for its test. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
