// Multiply-adds of one precision for test_fma and exhaust_fma: hard arguments, the integer function, and the C
// library's, which is the yardstick. fma_variant.c is compiled once for each precision.
#ifndef ISG_TESTS_FMA_VARIANT_H
#define ISG_TESTS_FMA_VARIANT_H

#include "suite.h"

#include <isogram/base.h>

#include <stdbool.h>

// Arrays are of the variant's real type; one may not serve twice in a call.
typedef struct fma_variant {
    isg_dtype dtype;
    // Triples of every class in turn.
    void (*draw)(suite_random *random, void *a, void *b, void *c, int64_t count);
    // Every triple of special values in order, from number `first`; how many were stored, 0 behind the last.
    int64_t (*special)(int64_t first, void *a, void *b, void *c, int64_t count);
    void (*by_integers)(const void *a, const void *b, const void *c, void *result, int64_t count);
    void (*by_library)(const void *a, const void *b, const void *c, void *result, int64_t count);
    // The first place where bits differ, a NaN being equal to any other; -1 when there is none.
    int64_t (*difference)(const void *x, const void *y, int64_t count);
} fma_variant;

extern const fma_variant fma_variant_32, fma_variant_64;

#endif
