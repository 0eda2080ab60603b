// Products, quotients and square roots, correctly rounded by the contract's own hand: the OpenCL specification lets
// devices be 2.5 ulp off in x / y and 3 in sqrt(x).
#ifndef ISG_CL_QUOTIENT_H
#define ISG_CL_QUOTIENT_H

#include "pair.h"

// 2^32 keeps a product above the subnormal numbers for long enough to look at it.
#define LIFT 4294967296.0f

// a * b for 0 <= a < 2^60, 0 <= b <= 2^30, neither of them subnormal; +0 where the product is below the smallest normal
// number. Looking at the plain product would not do: whether one that rounds up to the smallest normal number is
// flushed differs from device to device.
FN real mul_normal(real a, real b)
{
    real lifted = a * REAL(LIFT) * b;
    real kept = as_real(as_bits(lifted) & ~MASK(lifted < REAL(SMALLEST_NORMAL * LIFT)));
    return kept * REAL(1 / LIFT);
}

// x 2^n by its bits, for normal x and results that are normal or infinite; of others, some number.
FN real scale_bits(real x, bits n)
{
    return as_real(WRAP_SUM(as_bits(x), SHIFT_UP(n, FIELD)));
}

// x 2^n for x in (2^-20, 2^20) and any n of the exponents' size: +0 below the smallest normal number, infinite above
// the largest.
FN real scale_range(real x, bits n)
{
    bits field = ((as_bits(x) & BITS(INFINITE_BITS)) >> FIELD) + n;
    real inside = scale_bits(x, n & MASK(field > 0) & MASK(field < BITS(2 * BIAS + 1)));
    real r = pick(MASK(field < BITS(2 * BIAS + 1)), inside, with_sign(as_real(BITS(INFINITE_BITS)), x));
    return as_real(as_bits(r) & MASK(field > 0));
}

// A whole number |n| < 2^20 as an integer.
FN bits bits_of_real(real n)
{
    const real shift = PICK_REAL(0x1.8p23f, 0x1.8p52);
    return as_bits(n + shift) - as_bits(shift);
}

// x 2^n for any x and whole n: +0 below the smallest normal number. NaN and infinite x stay.
FN real scale_back(real x, real n)
{
    bits mag = as_bits(x) & BITS(MAGNITUDE_BITS);
    real y = scale_range(x, bits_of_real(n));
    y = as_real(as_bits(y) & MASK(mag >= BITS(NORMAL_BITS)));
    return pick(MASK(mag >= BITS(INFINITE_BITS)), x, y);
}

// a / b, correctly rounded. By Newton's reciprocal, one step on the quotient of the mantissas, and then the exact
// remainder, which tells the right neighbour; a quotient of normal numbers is never halfway between two. Domain: all
// numbers; x / 0 is infinite, 0 / 0 and inf / inf are NaN. Every zero that comes out is +0.
FN real real_divide(real a, real b)
{
    bits mag_a = as_bits(a) & BITS(MAGNITUDE_BITS), mag_b = as_bits(b) & BITS(MAGNITUDE_BITS);
    bits one = BITS(ONE_BITS);
    real ma = as_real((mag_a & BITS(MANTISSA_BITS)) | one), mb = as_real((mag_b & BITS(MANTISSA_BITS)) | one);
    bits less = MASK(ma < mb); // then one bit of the quotient stands before the mantissa
    ma = scale_bits(ma, less & 1);
    bits n = (mag_a >> FIELD) - (mag_b >> FIELD) + less;

    real y = reciprocal_of_mantissa(mb), q = ma * y;
    pair p = product_exact(q, mb);
    q = FMA((ma - p.hi) - p.lo, y, q);
    q = pick(MASK(q < REAL(1)), REAL(1), q);
    p = product_exact(q, mb);
    real rest = (ma - p.hi) - p.lo, half_ulp = mb * PICK_REAL(0x1p-24f, 0x1p-53);
    q = as_real(as_bits(q) - MASK(rest > half_ulp) + MASK(rest < -half_ulp));
    q = scale_range(q, n);

    bits zero_a = MASK(mag_a < BITS(NORMAL_BITS)), zero_b = MASK(mag_b < BITS(NORMAL_BITS));
    bits inf_a = MASK(mag_a == BITS(INFINITE_BITS)), inf_b = MASK(mag_b == BITS(INFINITE_BITS));
    bits infinite = inf_a | zero_b, zero = zero_a | inf_b;
    q = pick(infinite, as_real(BITS(INFINITE_BITS)), q);
    q = as_real(as_bits(q) & ~zero);
    bits negative = (as_bits(a) ^ as_bits(b)) & ~BITS(MAGNITUDE_BITS) & MASK(as_bits(q) != 0);
    q = as_real(as_bits(q) | negative);
    return pick((infinite & zero) | is_nan(a) | is_nan(b), as_real(BITS(MAGNITUDE_BITS)), q);
}

// 1 / x, correctly rounded: as real_divide.
FN real real_reciprocal(real x)
{
    return real_divide(REAL(1), x);
}

// 1/sqrt(x) for normal x > 0, within 2^-17 in single, 2^-34 in double precision: a first guess by halving the exponent
// in the bits (Lomont 2003), within 2^-4.8, then Newton's iteration, which squares the error and takes it 3/2 times:
// 2^-9.1, 2^-17.7, 2^-34.8.
FN real rsqrt_near(real x)
{
    real half_x = x * REAL(-0.5f);
#if REAL_BITS == 64
    real y = as_real(BITS(0x5fe6eb50c7b537a9) - (as_bits(x) >> 1));
    y = y * FMA(half_x * y, y, REAL(1.5f));
#else
    real y = as_real(BITS(0x5f375a86) - (as_bits(x) >> 1));
#endif
    y = y * FMA(half_x * y, y, REAL(1.5f));
    return y * FMA(half_x * y, y, REAL(1.5f));
}

// The square root of 0 <= x <= 2^100 in two parts, given y = (1 + e)/sqrt(x): the relative error is 3/2 e^2; below
// 2^-70 (2^-140) it is e, for the remainder would be subnormal. Subnormal x give 0, NaN gives NaN.
FN pair sqrt_pair_from(real x, real y)
{
    real g = x * y;
    pair p = product_exact(g, g);
    real lo = ((x - p.hi) - p.lo) * (y * REAL(0.5f));
    lo = as_real(as_bits(lo) & MASK(x >= PICK_REAL(0x1p-70f, 0x1p-140)));
    g = as_real(as_bits(g) & ~MASK(x < REAL(SMALLEST_NORMAL)));
    return sum_ordered(g, lo);
}

// To half as many digits again as a number has: what exp(-r) needs of r. Larger x give what 2^100 gives.
FN pair sqrt_pair(real x)
{
    x = pick(MASK(x > REAL(0x1p100f)), REAL(0x1p100f), x);
    return sqrt_pair_from(x, rsqrt_near(x));
}

// The same to twice the digits.
FN pair sqrt_pair_fine(real x)
{
    x = pick(MASK(x > REAL(0x1p100f)), REAL(0x1p100f), x);
    real y = rsqrt_near(x);
    return sqrt_pair_from(x, y * FMA(x * REAL(-0.5f) * y, y, REAL(1.5f)));
}

// The square root, correctly rounded: rsqrt_near, one step on the root, and then the exact remainder, which tells the
// right neighbour. Domain: x >= 0, NaN below; every zero that comes out is +0.
FN real real_sqrt(real x)
{
    bits mag = as_bits(x) & BITS(MAGNITUDE_BITS);
    bits exponent = (mag >> FIELD) - BITS(BIAS), odd = exponent & 1;
    real m = as_real((mag & BITS(MANTISSA_BITS)) | BITS(ONE_BITS));
    m = scale_bits(m, odd); // in [1, 4)
    real y = rsqrt_near(m), g = m * y;
    pair p = product_exact(g, g);
    g = FMA((m - p.hi) - p.lo, y * REAL(0.5f), g);
    g = pick(MASK(g < REAL(1)), REAL(1), g);
    p = product_exact(g, g);
    real rest = (m - p.hi) - p.lo, ulp = g * PICK_REAL(0x1p-23f, 0x1p-52);
    // (g + ulp/2)^2 = g^2 + g ulp + ulp^2/4, and the remainder is a multiple of ulp^2.
    g = as_real(as_bits(g) - MASK(rest > ulp) + MASK(rest <= -ulp));
    real root = scale_bits(g, (exponent - odd) >> 1);
    root = as_real(as_bits(root) & ~MASK(mag < BITS(NORMAL_BITS)));
    root = pick(MASK(mag >= BITS(INFINITE_BITS)), as_real(mag), root);
    return pick(MASK(as_bits(x) < 0) & MASK(mag >= BITS(NORMAL_BITS)), as_real(BITS(MAGNITUDE_BITS)), root);
}

#endif
