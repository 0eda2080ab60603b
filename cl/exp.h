// The exponential function and its kin.
#ifndef ISG_CL_EXP_H
#define ISG_CL_EXP_H

#include "quotient.h"

// exp(x) = 2^n exp(r), n = rint(x log2 e), r = x - n ln 2 in two steps (Cody and Waite 1980), exp(r) by a polynomial.
// tools/minimax.py finds its coefficients (relative error 2^-60 in double); those of single were then moved by some
// units in the last place, until no input at all was beyond 1 ulp in either arithmetic (tests/exhaust.c). n comes
// by adding 1.5 * 2^(mantissa bits) and the exponent's bias, so that the sum's low bits are 2^n's exponent field: PoCL
// turns rint and convert into calls.
#if REAL_BITS == 64
#define EXP_SHIFT        REAL(0x1.8p52 + 1023)
#define EXP_LOG2_E       REAL(0x1.71547652b82fep+0)
#define EXP_MINUS_LN2_HI REAL(-0x1.62e42fefa38p-1) // 42 bits: its product with n is exact
#define EXP_MINUS_LN2_LO REAL(-0x1.ef35793c7673p-45)
#define EXP_LOWEST       REAL(-0x1.6232bdd7abcd2p+9) // ln of the smallest normal number, rounded up
#define EXP_HIGHEST      REAL(0x1.62e42fefa39efp+9)  // ln of the largest number, rounded down
#else
#define EXP_SHIFT        REAL(0x1.8p23f + 127)
#define EXP_LOG2_E       REAL(0x1.715476p+0f)
#define EXP_MINUS_LN2_HI REAL(-0x1.62e4p-1f) // 15 bits
#define EXP_MINUS_LN2_LO REAL(-0x1.7f7d1cp-20f)
#define EXP_LOWEST       REAL(-0x1.5d589ep+6f)
#define EXP_HIGHEST      REAL(0x1.62e42ep+6f)
#endif

// p for |r| <= ln(2)/2, give or take a rounding: exp(r) = 1 + r + r^2/2 + r^3 p.
FN real exp_third(real r)
{
#if REAL_BITS == 64
    real p = REAL(0x1.1e3d2c57ff672p-29);
    p = FMA(p, r, REAL(0x1.af6beaec94d02p-26));
    p = FMA(p, r, REAL(0x1.27e5b449991ecp-22));
    p = FMA(p, r, REAL(0x1.71ddf01f19fb2p-19));
    p = FMA(p, r, REAL(0x1.a01a01368c527p-16));
    p = FMA(p, r, REAL(0x1.a01a01b37ee23p-13));
    p = FMA(p, r, REAL(0x1.6c16c16c3049dp-10));
    p = FMA(p, r, REAL(0x1.111111110ec5cp-7));
    p = FMA(p, r, REAL(0x1.5555555555503p-5));
    p = FMA(p, r, REAL(0x1.555555555555bp-3));
#else
    real p = REAL(0x1.a18a1p-13f);
    p = FMA(p, r, REAL(0x1.6d40ecp-10f));
    p = FMA(p, r, REAL(0x1.1110a2p-7f));
    p = FMA(p, r, REAL(0x1.5554f2p-5f));
    p = FMA(p, r, REAL(0x1.555556p-3f));
#endif
    return p;
}

// q: exp(r) = 1 + r + r^2 q. One operation less in single precision than exp_third would need.
FN real exp_polynomial(real r)
{
#if REAL_BITS == 64
    return FMA(exp_third(r), r, REAL(0x1p-1));
#else
    real q = REAL(0x1.6994c2p-10f);
    q = FMA(q, r, REAL(0x1.124312p-7f));
    q = FMA(q, r, REAL(0x1.555874p-5f));
    q = FMA(q, r, REAL(0x1.555478p-3f));
    q = FMA(q, r, REAL(0x1.fffffep-2f));
    return q;
#endif
}

FN real exp_reduced(real r)
{
    return FMA(exp_polynomial(r), r * r, r) + REAL(1);
}

// exp(x) for x <= 0, the function of the Gaussian: +0 where the result would not be a normal number, NaN for NaN. Below
// 1 ulp. Unspecified for x > 0.
FN real exp_nonpositive(real x)
{
    real z = FMA(x, EXP_LOG2_E, EXP_SHIFT);
    real n = z - EXP_SHIFT;
    real r = FMA(n, EXP_MINUS_LN2_HI, x);
    r = FMA(n, EXP_MINUS_LN2_LO, r);
    real power = as_real(SHIFT_UP(as_bits(z), FIELD));
    return as_real(as_bits(exp_reduced(r) * power) & ~MASK(x < EXP_LOWEST));
}

// n of exp_reduce as an integer.
FN bits exp_exponent(real z)
{
    return as_bits(z) - as_bits(EXP_SHIFT);
}

// e^x. Reduced as above. Domain: all numbers; +0 where the result would not be a normal number, infinite above the
// largest. Below 1 ulp.
FN real real_exp(real x)
{
    real inside = pick(MASK(x <= EXP_HIGHEST) & MASK(x >= EXP_LOWEST), x, REAL(0));
    real z = FMA(inside, EXP_LOG2_E, EXP_SHIFT);
    real n = z - EXP_SHIFT;
    real r = FMA(n, EXP_MINUS_LN2_HI, inside);
    r = FMA(n, EXP_MINUS_LN2_LO, r);
    real y = scale_bits(exp_reduced(r), exp_exponent(z));
    y = as_real(as_bits(y) & ~MASK(x < EXP_LOWEST));
    y = pick(MASK(x > EXP_HIGHEST), as_real(BITS(INFINITE_BITS)), y);
    return pick(is_nan(x), x, y);
}

// What is left of a number in two parts after the powers of two: exp(hi + lo) = 2^n exp(r). Needs |n| < 2^20.
typedef struct reduced {
    bits n;
    pair r;
} reduced;

FN reduced exp_reduce(real hi, real lo)
{
    reduced p;
    real z = FMA(hi, EXP_LOG2_E, EXP_SHIFT);
    real n = z - EXP_SHIFT;
    p.n = exp_exponent(z);
    p.r = sum_exact(FMA(n, EXP_MINUS_LN2_HI, hi), FMA(n, EXP_MINUS_LN2_LO, lo));
    return p;
}

// exp(r) - 1 - r.hi, r as exp_reduce gives it.
FN real exp_tail(pair r)
{
    real square = r.hi * r.hi;
    return FMA(r.lo, r.hi, FMA(square, FMA(exp_third(r.hi), r.hi, REAL(0.5f)), r.lo));
}

// exp(r) in two parts, r as exp_reduce gives it. Its relative error is 2^-27 in single, 2^-56 in double precision.
FN pair exp_pair(pair r)
{
    pair s = sum_ordered(REAL(1), r.hi);
    return sum_ordered(s.hi, s.lo + exp_tail(r));
}

// exp(y) - 1 = 2^n v for y in (-2^20, 2^20): v = exp(r) - 2^-n.
FN reduced expm1_reduced(real y)
{
    reduced p = exp_reduce(y, REAL(0));
    bits least = MASK(p.n > BITS(2 * FIELD)); // 2^-n is lost there
    bits n = (p.n & ~least) | (BITS(2 * FIELD) & least);
    pair one = sum_exact(REAL(1), -scale_bits(REAL(1), -n));
    pair s = sum_exact(one.hi, p.r.hi);
    p.r = sum_exact(s.hi, s.lo + (one.lo + exp_tail(p.r)));
    return p;
}

// e^x - 1. The last additions are done in two parts. Domain: all numbers; infinite above the largest. Below 1 ulp.
FN real real_expm1(real x)
{
    const real least = PICK_REAL(0x1p-26f, 0x1p-55), lowest = PICK_REAL(-18.0f, -38.0);
    real small = magnitude(x);
    real inside = pick(MASK(x <= EXP_HIGHEST) & MASK(small >= least), x, REAL(1));
    inside = pick(MASK(x < lowest), lowest, inside);
    reduced p = expm1_reduced(inside);
    real y = scale_bits(p.r.hi, p.n);
    y = pick(MASK(small < least), x, y);
    y = as_real(as_bits(y) & ~MASK(small < REAL(SMALLEST_NORMAL)));
    y = pick(MASK(x > EXP_HIGHEST), as_real(BITS(INFINITE_BITS)), y);
    return pick(is_nan(x), x, y);
}

// The hyperbolic tangent: (e^2x - 1)/(e^2x + 1), both in two parts. Domain: all numbers. Below 1 ulp.
FN real real_tanh(real x)
{
    const real least = PICK_REAL(0x1p-13f, 0x1p-28), highest = PICK_REAL(10.0f, 20.0);
    real small = magnitude(x);
    real inside = pick(MASK(small >= least), small, least);
    inside = pick(MASK(small > highest), highest, inside);
    reduced p = expm1_reduced(inside + inside);
    pair under = sum_exact(p.r.hi, scale_bits(REAL(1), 1 - p.n));
    pair q = pair_quotient(p.r, pair_of(under.hi, under.lo + p.r.lo));
    real y = pick(MASK(small < least), small, q.hi);
    y = as_real(as_bits(with_sign(y, x)) & ~MASK(small < REAL(SMALLEST_NORMAL)));
    return pick(is_nan(x), x, y);
}

#endif
