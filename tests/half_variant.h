// half_bits of one precision for test_half and exhaust_half: hard arguments, the function, and the compiler's
// conversion where it has the type. half_variant.c is compiled once for each precision.
#ifndef ISG_TESTS_HALF_VARIANT_H
#define ISG_TESTS_HALF_VARIANT_H

#include "suite.h"

#include <isogram/base.h>

#include <stdbool.h>

enum { HALF_LARGEST = 0x7bff, HALF_INFINITE = 0x7c00, HALF_NAN = 0x7e00, HALF_SIGN = 0x8000, HALF_CASES = 16 };

// Arrays of numbers are of the variant's real type.
typedef struct half_variant {
    isg_dtype dtype;
    void (*rounded)(const void *x, uint16_t *half, int64_t count);
    // NULL: the compiler lacks the type. NaN and zeros are made those of half_bits.
    void (*by_compiler)(const void *x, uint16_t *half, int64_t count);
    // The numbers from one finite half, which is not negative, to the next above that matter, of both signs, and what
    // they round to; how many.
    int64_t (*between)(uint16_t half, void *x, uint16_t *want);
    // Any bits, any number that half precision reaches, and those near ties, in turn.
    void (*draw)(suite_random *random, void *x, int64_t count);
} half_variant;

extern const half_variant half_variant_32, half_variant_64;

#endif
