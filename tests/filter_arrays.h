// Arrays and parameters that tests of the filter share.
#ifndef ISG_TESTS_FILTER_ARRAYS_H
#define ISG_TESTS_FILTER_ARRAYS_H

#include "device.h"

#include <isogram/filter.h>

// From what to what, and in which precision: programs are compiled for each of them.
enum { KIND_COUNT = 12 };
extern const struct kind {
    isg_dtype in, out, arithmetic;
} kinds[KIND_COUNT];

// An array in memory between fences; axes in any order in memory, with gaps, some backwards.
typedef struct block {
    isg_array array;
    void *memory;
    int64_t count; // elements of memory
} block;

block make_block(suite_random *random, isg_dtype dtype, int32_t ndim, const int64_t *shape, bool strided);
void free_block(block *b);

// Every element of the memory, in gaps too. hostile: down to subnormal numbers.
void fill(suite_random *random, block *b, bool hostile);

isg_filter_params random_params(suite_random *random, int32_t ndim, const int64_t *shape);

#endif
