// One function per row of the kernel registry (lib/kernels.def): from u, which is gamma times the pair's number (a
// squared distance, ...), to the kernel's value. Read by the C compiler and by every OpenCL compiler; numerics.h comes
// first.
#ifndef ISG_CL_FORMULAS_H
#define ISG_CL_FORMULAS_H

#include "exp.h"

// exp(-u), u = gamma |x - y|^2
FN real f_rbf(real u)
{
    return exp_nonpositive(-u);
}

#endif
