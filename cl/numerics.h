// The contract's arithmetic, complete: one source, read by the C compiler and by every OpenCL compiler. See
// docs/numerics.md. real.h and fma.h say what the reader defines.
//
// Everything here uses + - *, fma and integer operations, nothing that a device may compute in its own way: no built-in
// function but fma, no division. No result depends on a subnormal number, for a device may flush them: subnormal
// arguments count as zero, results below the smallest normal number are +0.
#ifndef ISG_CL_NUMERICS_H
#define ISG_CL_NUMERICS_H

#include "erf.h"
#include "exp.h"
#include "fma.h"
#include "log.h"
#include "pair.h"
#include "quotient.h"
#include "real.h"
#include "trig.h"

#endif
