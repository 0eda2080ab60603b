// What a pair adds to sums for gradients: from c and dK/dt, t a pair's number (pairs.h), to the terms of a coordinate.
// Differences t are the target's coordinate less the source's. Read by the C compiler and by every OpenCL compiler.
#ifndef ISG_CL_TERMS_H
#define ISG_CL_TERMS_H

#include "pairs.h"

// c d; 0 where that is below `cut`, which no device flushes.
FN real weighted(real c, real d, real cut)
{
    real g = c * d;
    return as_real(as_bits(g) & ~MASK(magnitude(g) < cut));
}

// A difference, 0 where it is subnormal.
FN real normal_difference(real t)
{
    return as_real(as_bits(t) & ~MASK(magnitude(t) < REAL(SMALLEST_NORMAL)));
}

// g t, which is to be multiplied by t once more: of squares by a lengthscale.
FN real length_part(real g, real t)
{
    return normal_difference(g * t);
}

// g d|t|/dt; 0 where t is.
FN real sign_part(real g, real t)
{
    return as_real((as_bits(g) ^ (as_bits(t) & ~BITS(MAGNITUDE_BITS))) & ~MASK(t == REAL(0)));
}

// d/dx (x - y)^2/(x + y) = q (2 - q), q = (x - y)/(x + y); 0 where x + y is what add_chi2_fine takes for 0.
FN real chi2_part(real x, real y)
{
    real w = x + y;
    bits small = MASK(w < PICK_REAL(0x1p-75f, 0x1p-899));
    real q = (x - y) * reciprocal_quick(pick(small, REAL(1), w));
    return as_real(as_bits(q * (REAL(2) - q)) & ~small);
}

#endif
