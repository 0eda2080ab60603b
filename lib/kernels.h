// The registry inside the library: rows by index, as the tables made from kernels.def are.
#ifndef ISG_LIB_KERNELS_H
#define ISG_LIB_KERNELS_H

#include <isogram/kernel.h>

enum {
#define KERNEL(id, ...) ISG_KERNEL_##id,
#include "kernels.def"
#undef KERNEL
    ISG_KERNEL_COUNT
};

// The place of a row in kernels.def. kernel: a row of the registry.
int isg_kernel_index(const isg_kernel *kernel);

#endif
