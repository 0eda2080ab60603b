// Numbers in two parts: hi + lo, where |lo| is at most about half an ulp of hi. The last steps of a function are taken
// with them, so that little but the final rounding is left of its error.
//
// No part may come close to the subnormal numbers: the functions scale their arguments first, or leave out the lesser
// part.
#ifndef ISG_CL_PAIR_H
#define ISG_CL_PAIR_H

#include "fma.h"

typedef struct pair {
    real hi, lo;
} pair;

FN pair pair_of(real hi, real lo)
{
    pair p;
    p.hi = hi;
    p.lo = lo;
    return p;
}

// a + b without error: Knuth, The Art of Computer Programming 2, 4.2.2, theorem B.
FN pair sum_exact(real a, real b)
{
    real s = a + b, t = s - a;
    return pair_of(s, (a - (s - t)) + (b - t));
}

// The same in half the operations, for |a| >= |b|, or a = 0: Dekker 1971.
FN pair sum_ordered(real a, real b)
{
    real s = a + b;
    return pair_of(s, b - (s - a));
}

// a b without error. Without a fused multiply-add by Veltkamp's splitting: Dekker 1971.
FN pair product_exact(real a, real b)
{
    real p = a * b;
#if FUSED
    return pair_of(p, FMA(a, b, -p));
#else
    const real split = PICK_REAL(4097.0f, 134217729.0);
    real a_up = a * split, b_up = b * split;
    real a_hi = a_up - (a_up - a), b_hi = b_up - (b_up - b);
    real a_lo = a - a_hi, b_lo = b - b_hi;
    return pair_of(p, ((a_hi * b_hi - p) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo);
#endif
}

FN pair pair_product(pair a, pair b)
{
    pair p = product_exact(a.hi, b.hi);
    return sum_ordered(p.hi, p.lo + FMA(a.hi, b.lo, a.lo * b.hi));
}

// a - b c, where that is a number and a and the product are nearly the same.
FN real rest_of(real a, real b, real c)
{
#if FUSED
    return FMA(-b, c, a);
#else
    pair p = product_exact(b, c);
    return (a - p.hi) - p.lo;
#endif
}

// Horner's step: a x + hi + lo.
FN pair pair_step(pair a, real x, real hi, real lo)
{
    pair p = product_exact(a.hi, x);
    pair s = sum_exact(hi, p.hi);
    return sum_ordered(s.hi, s.lo + (p.lo + FMA(a.lo, x, lo)));
}

// 1/m for m in [1, 2), within 2 ulp: the polynomial of degree 2 of least relative error, (1 - T3(3 - 2m)/99)/m, where
// T3 is Chebyshev's, then Newton's iteration, which squares the error of 1/99.
FN real reciprocal_of_mantissa(real m)
{
    real y = FMA(FMA(m, REAL(32.0f / 99), REAL(-144.0f / 99)), m, REAL(210.0f / 99));
    y = FMA(y, FMA(-m, y, REAL(1)), y);
    y = FMA(y, FMA(-m, y, REAL(1)), y);
#if REAL_BITS == 64
    y = FMA(y, FMA(-m, y, REAL(1)), y);
#endif
    return y;
}

// 1/b within 2 ulp for b > 0 far from the ends of the range.
FN real reciprocal_near(real b)
{
    bits mantissa = as_bits(b) & BITS(MANTISSA_BITS);
    real y = reciprocal_of_mantissa(as_real(mantissa | BITS(ONE_BITS)));
    return as_real(as_bits(y) + BITS(ONE_BITS) + mantissa - as_bits(b)); // the exponent
}

// The same with less care for the last step and for b's range: 2^-100 to 2^100 (2^-900 to 2^900). The exponent and a
// straight line for the mantissa in one subtraction of bits, within 0.0505 of 1/b (the line that makes the largest
// error least), then a cubic step, (two,) and Newton's.
FN real reciprocal_quick(real b)
{
    real y = as_real(PICK_BITS(0x7ef311c3, 0x7fde6238502484b9) - as_bits(b)), e = FMA(-b, y, REAL(1));
    y = FMA(y, FMA(e, e, e), y);
    e = FMA(-b, y, REAL(1));
#if REAL_BITS == 64
    y = FMA(y, FMA(e, e, e), y);
    e = FMA(-b, y, REAL(1));
#endif
    return FMA(y, e, y);
}

// 1/x within 1 ulp for x from 1 to infinity; +0 where that is below the smallest normal number, NaN for NaN. As
// reciprocal_quick, with a cubic step more. Large x are scaled, lest the first guess is subnormal; the least result is
// a power of two, which no rounding may take below itself.
FN real reciprocal_from_one(real x)
{
    const real least = PICK_REAL(0x1p-90f, 0x1p-722), most = PICK_REAL(0x1p126f, 0x1p1022);
    real scale = pick(MASK(x > PICK_REAL(0x1p90f, 0x1p722)), PICK_REAL(0x1p-36f, 0x1p-300), REAL(1)), b = x * scale;
    real y = as_real(PICK_BITS(0x7ef311c3, 0x7fde6238502484b9) - as_bits(b)), e = FMA(-b, y, REAL(1));
    y = FMA(y, FMA(e, e, e), y);
#if REAL_BITS == 64
    e = FMA(-b, y, REAL(1));
    y = FMA(y, FMA(e, e, e), y);
#endif
    e = rest_of(REAL(1), b, y);
    y = FMA(y, FMA(e, e, e), y);
    y = pick(MASK(y < least), least, y) * scale;
    return as_real(as_bits(y) & ~MASK(x > most));
}

// a / b, b likewise.
FN pair pair_quotient(pair a, pair b)
{
    real y = reciprocal_near(b.hi), q = a.hi * y;
    pair p = product_exact(q, b.hi);
    real rest = (a.hi - p.hi) - p.lo + FMA(-q, b.lo, a.lo);
    return sum_ordered(q, rest * y);
}

// Small arguments grow by this before two parts are made of them, so that the lesser part is no subnormal number.
#define GROW   18446744073709551616.0f // 2^64
#define SHRINK (1 / GROW)

// x (hi + lo) + x z p for p of about the size of hi; x may be as small as numbers are.
FN pair odd_joined(real x, real hi, real lo, real z, real p)
{
    bits tiny = MASK(magnitude(x) < REAL(0x1p-30f));
    real grown = pick(tiny, x * REAL(GROW), x), back = pick(tiny, REAL(SHRINK), REAL(1));
    pair s = product_exact(grown, hi);
    s = sum_ordered(s.hi, FMA(grown * z, p, FMA(grown, lo, s.lo)));
    return pair_of(s.hi * back, s.lo * back);
}

#endif
