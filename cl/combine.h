// Sums and products of kernels' values: of any size and sign, and +0 below the smallest normal number on every device.
#ifndef ISG_CL_COMBINE_H
#define ISG_CL_COMBINE_H

#include "quotient.h"

// a + b. A sum that small is exact, so that it matters not whether the device keeps it.
FN real real_sum(real a, real b)
{
    real s = a + b;
    return as_real(as_bits(s) & ~MASK(magnitude(s) < REAL(SMALLEST_NORMAL)));
}

// a b, by the product of the mantissas: whether a product that rounds up to the smallest normal number is flushed
// differs from device to device. 0 times infinity is NaN.
FN real real_product(real a, real b)
{
    bits mag_a = as_bits(a) & BITS(MAGNITUDE_BITS), mag_b = as_bits(b) & BITS(MAGNITUDE_BITS), one = BITS(ONE_BITS);
    real m = as_real((mag_a & BITS(MANTISSA_BITS)) | one) * as_real((mag_b & BITS(MANTISSA_BITS)) | one);
    real p = scale_range(m, (mag_a >> FIELD) + (mag_b >> FIELD) - BITS(2 * BIAS));
    bits zero = MASK(mag_a < BITS(NORMAL_BITS)) | MASK(mag_b < BITS(NORMAL_BITS));
    bits infinite = MASK(mag_a == BITS(INFINITE_BITS)) | MASK(mag_b == BITS(INFINITE_BITS));
    p = pick(infinite, as_real(BITS(INFINITE_BITS)), p);
    p = as_real(as_bits(p) & ~zero);
    bits negative = (as_bits(a) ^ as_bits(b)) & ~BITS(MAGNITUDE_BITS) & MASK(as_bits(p) != 0);
    p = as_real(as_bits(p) | negative);
    return pick((infinite & zero) | is_nan(a) | is_nan(b), as_real(BITS(MAGNITUDE_BITS)), p);
}

#endif
