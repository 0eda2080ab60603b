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

static inline const char *dtype_word(isg_dtype dtype)
{
    return dtype == ISG_F64 ? "f64" : "f32";
}

#endif
