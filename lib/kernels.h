// The registry inside the library: rows by index, as the tables made from kernels.def are.
#ifndef ISG_LIB_KERNELS_H
#define ISG_LIB_KERNELS_H

#include "points.h"

#include <isogram/kernel.h>

enum {
#define KERNEL(id, a, b, ...) ISG_KERNEL_##id,
#include "kernels.def"
#undef KERNEL
    ISG_KERNEL_COUNT
};

// The place of a row in kernels.def. kernel: a row of the registry.
int isg_kernel_index(const isg_kernel *kernel);

// The numbers that a row's formula takes besides the pair's, and the power of two that makes them fit the data. gamma,
// length and param: what the row's scale and parameter are; those that it does not have are not read. largest: of |x|.
// ISG_ERR_RANGE as isg_scale_plan.
isg_status isg_kernel_plan(isg_scale *scale, int kernel, double gamma, double length, double param, double largest,
                           isg_dtype dtype, isg_error *error);

// The function of cl/pairs.h that adds to the pair's number.
const char *isg_pair_add(isg_pair pair);

#endif
