// The contract's functions (cl/functions.h) on the device, element by element: for the self-check, the certificate and
// tests.
#ifndef ISG_LIB_FUNCTIONS_H
#define ISG_LIB_FUNCTIONS_H

#include "kernels.h"
#include "program.h"

#include "../cl/functions.h"

// y[i] = f(a[i]) or f(a[i], b[i]) for count < 2^31 elements of type.dtype in host memory. function: FUNCTION_... of
// cl/functions.h; b: read for functions of two arguments only, else NULL. Blocks until done.
isg_status isg_functions_run(isg_context *context, isg_real_type type, int function, const void *a, const void *b,
                             void *y, int64_t count);

// y[i] = f(s[i], n.a, n.b, n.c) likewise, f the formula of a row of the registry (isg_kernel_index).
isg_status isg_functions_formula(isg_context *context, isg_real_type type, int kernel, const void *s, isg_numbers n,
                                 void *y, int64_t count);

#endif
