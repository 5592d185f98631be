/* The headers cmocka needs before its own, in one place; for tests only. */
#ifndef BASE_TESTING_H
#define BASE_TESTING_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define TEST(function) cmocka_unit_test(function)

#endif
