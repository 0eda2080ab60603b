// What the parts of a benchmark share: any failure ends it.
#ifndef ISG_BENCH_COMMON_H
#define ISG_BENCH_COMMON_H

#include "base.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static inline void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(EXIT_FAILURE);
}

static inline void *need(void *memory)
{
    if (!memory)
        fail("no memory");
    return memory;
}

// xorshift64* (Vigna 2016), 53 bits in [0, 1).
static inline double bench_uniform(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)(*state * 0x2545f4914f6cdd1dull >> 11) * 0x1p-53;
}

static inline const char *dtype_word(isg_dtype dtype)
{
    return dtype == ISG_F64 ? "f64" : "f32";
}

#endif
