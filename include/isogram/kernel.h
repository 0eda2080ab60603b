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
    ISG_PAIR_L1,         // sum over k of |x[k] - y[k]|
    ISG_PAIR_COUNT
} isg_pair;

// What sets a kernel's scale.
typedef enum isg_scale_kind {
    ISG_SCALE_GAMMA = 0,   // gamma = 1/(2 sigma^2) = 1/(2 lengthscale^2); 1/d if none is given
    ISG_SCALE_RATE,        // gamma alone; 1/d if it is not given
    ISG_SCALE_LENGTHSCALE, // lengthscale; 1 if it is not given
    ISG_SCALE_NONE         // takes none: a distance
} isg_scale_kind;

// A parameter besides the scale, in (0, infinity).
typedef struct isg_kernel_param {
    const char *name; // NULL: the row has none
    double fallback;  // the value when it is not given
    const char *summary;
} isg_kernel_param;

// One row. Rows are constants of the library and live for ever. In summaries r is |x-y|/lengthscale.
typedef struct isg_kernel {
    const char *name;       // also what reports print
    const char *aliases[4]; // other names in use, NULL-terminated
    const char *summary;    // the formula, in plain text
    const char *formula;    // its function in cl/formulas.h
    isg_pair pair;
    isg_scale_kind scale;
    isg_kernel_param param;
    double on_diagonal; // k(x, x), the same for every x
} isg_kernel;

// By name or alias, case-sensitive; NULL when there is none.
ISG_API const isg_kernel *isg_kernel_find(const char *name);

// All rows, NULL-terminated, in the order of the documentation.
ISG_API const isg_kernel *const *isg_kernel_list(void);

#ifdef __cplusplus
}
#endif

#endif
