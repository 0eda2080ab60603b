// The registry inside the library: rows by index, as the tables made from kernels.def are.
#ifndef ISG_LIB_KERNELS_H
#define ISG_LIB_KERNELS_H

#include "base.h"

#include <isogram/kernel.h>

enum {
#define KERNEL(id, ...) ISG_KERNEL_##id,
#include "kernels.def"
#undef KERNEL
    ISG_KERNEL_COUNT
};

// The place of a row in kernels.def; -1: it is none of the registry's.
int isg_kernel_index(const isg_kernel *kernel);

// A row with the values of its scale and parameters: what it was given, or its defaults.
typedef struct isg_kernel_values {
    double gamma, length; // 1 where the row has no scale
    double params[ISG_MAX_PARAMS];
} isg_kernel_values;

// dims: of the points, which some defaults depend on. ISG_ERR_ARGUMENT and ISG_ERR_RANGE as isg_kernel_single.
isg_status isg_kernel_resolve(isg_kernel_values *values, const isg_kernel_params *params, int64_t dims,
                              isg_error *error);

// What a formula takes besides the pair's number, for points as they are.
typedef struct isg_numbers {
    double a, b, c;
} isg_numbers;

isg_numbers isg_kernel_numbers(int kernel, const isg_kernel_values *values);

// A row's derivative as a function of cl/slopes.h; NULL: there is none. by: of these, or ISG_BY_PARAM + a parameter.
enum { ISG_BY_ARGUMENT, ISG_BY_LENGTHSCALE, ISG_BY_PARAM, ISG_BY_COUNT = ISG_BY_PARAM + ISG_MAX_PARAMS };
const char *isg_kernel_derivative(int kernel, int by);

// The row whose formula gives a kernel's value from the same numbers: another one where parameters make it as simple.
int isg_kernel_formula(int kernel, const isg_kernel_values *values);

// Every isg_pair: as F(SQDIST, sqdist), its name in programs.
#define ISG_PAIRS(F) F(SQDIST, sqdist) F(L1, l1) F(DOT, dot) F(CHI2, chi2)

// The power of the points that a pair's number grows with.
int isg_pair_power(isg_pair pair);

#endif
