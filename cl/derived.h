// How results of filters are put together: read by the host's reference and by filter_derived.cl. Numbers are normal,
// 0, infinite or NaN, and so is what comes out.
#ifndef ISG_CL_DERIVED_H
#define ISG_CL_DERIVED_H

#include "combine.h"
#include "derived_kinds.h"

// The root of x0^2 + x1^2 + ..., summed in this order. The largest number becomes one from 2 to 4 by a power of two,
// so that squares neither overflow nor come close to the subnormal numbers; what then is below 2^-40 (2^-80) counts as
// 0.
FN real root_of_squares(const real *x, int count)
{
    bits largest = BITS(0);
    for (int i = 0; i < count; i++) {
        const bits mag = as_bits(x[i]) & BITS(MAGNITUDE_BITS);
        largest = pick_bits(MASK(mag > largest), mag, largest);
    }
    const bits usual = MASK(largest >= BITS(NORMAL_BITS)) & MASK(largest < BITS(INFINITE_BITS));
    const bits field = pick_bits(usual, largest >> FIELD, BITS(BIAS));
    const real scale = as_real(SHIFT_UP(BITS(2 * BIAS + 1) - field, FIELD));
    real sum = REAL(0);
    for (int i = 0; i < count; i++) {
        real t = pick(usual, x[i], REAL(1)) * scale;
        t = as_real(as_bits(t) & MASK(magnitude(t) >= PICK_REAL(0x1p-40f, 0x1p-80)));
        sum = FMA(t, t, sum);
    }
    const real root = scale_range(real_sqrt(sum), field - BITS(BIAS + 1));
    return pick(usual, root, as_real(largest & MASK(largest >= BITS(NORMAL_BITS))));
}

FN real derived_of(int kind, const real *x, int count, real amount)
{
    if (kind == DERIVED_MAGNITUDE)
        return root_of_squares(x, count);
    if (kind == DERIVED_DIFFERENCE)
        return real_sum(x[0], -x[1]);
    if (kind == DERIVED_UNSHARP)
        return real_sum(x[0], real_product(amount, real_sum(x[0], -x[1])));
    // A product that could be flushed is one that the filter behind it takes for 0.
    if (kind == DERIVED_PRODUCT)
        return x[0] * x[1];
    real sum = x[0];
    for (int i = 1; i < count; i++)
        sum = real_sum(sum, x[i]);
    return sum;
}

#endif
