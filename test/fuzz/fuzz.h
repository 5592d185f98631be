/* What every fuzz target is: libFuzzer calls it with bytes it makes up, run_corpus.c with those of the files. */
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Give the bytes to a decoder. Crash when something is wrong; return 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
