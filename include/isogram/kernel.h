// The registry of covariance functions: a row each, looked up by name.
#ifndef ISOGRAM_KERNEL_H
#define ISOGRAM_KERNEL_H

#include <isogram/base.h>

#ifdef __cplusplus
extern "C" {
#endif

// How two points become the one number that a kernel's formula takes.
typedef enum isg_pair {
    ISG_PAIR_SQDIST = 0, // sum over k of (x[k] - y[k])^2
    ISG_PAIR_COUNT
} isg_pair;

// One row. Rows are constants of the library and live for ever. u below is gamma times the pair's number.
typedef struct isg_kernel {
    const char *name;       // also what reports print
    const char *aliases[4]; // other names in use, NULL-terminated
    const char *summary;    // the formula, in plain text
    const char *formula;    // its function of u in cl/formulas.h
    isg_pair pair;
    int32_t at_zero; // 1: k(x, x) = 1 for every x
} isg_kernel;

// By name or alias, case-sensitive; NULL when there is none.
ISG_API const isg_kernel *isg_kernel_find(const char *name);

// All rows, NULL-terminated, in the order of the documentation.
ISG_API const isg_kernel *const *isg_kernel_list(void);

#ifdef __cplusplus
}
#endif

#endif
