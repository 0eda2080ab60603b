// Sine and cosine of multiples of pi.
#ifndef ISG_CL_TRIG_H
#define ISG_CL_TRIG_H

#include "quotient.h"

// |x| = 2 m + n/2 + r for whole m and n, |r| <= 1/4; all exact.
typedef struct split_turn {
    bits n; // modulo 4
    real r;
} split_turn;

FN split_turn turn_split(real x)
{
    split_turn s;
    const real shift = PICK_REAL(0x1.8p23f, 0x1.8p52);
    real rest = magnitude(x);
    rest = as_real(as_bits(rest) & MASK(rest < PICK_REAL(0x1p24f, 0x1p53))); // numbers from there on are even
    rest = rest - pick(MASK(rest >= PICK_REAL(0x1p23f, 0x1p52)), PICK_REAL(0x1p23f, 0x1p52), REAL(0));
    rest = rest - pick(MASK(rest >= PICK_REAL(0x1p22f, 0x1p51)), PICK_REAL(0x1p22f, 0x1p51), REAL(0));
    rest = rest - pick(MASK(rest >= PICK_REAL(0x1p21f, 0x1p50)), PICK_REAL(0x1p21f, 0x1p50), REAL(0));
    real z = (rest + rest) + shift;
    s.n = as_bits(z) & 3;
    s.r = rest - (z - shift) * REAL(0.5f);
    return s;
}

// sin(pi r) = r (pi + z p(z)), z = r^2, for |r| <= 1/4. tools/minimax.py finds p.
FN real sin_polynomial(real r)
{
    real z = r * r;
#if REAL_BITS == 64
    real p = REAL(-0x1.6c63ca55120d8p-16);
    p = FMA(p, z, REAL(0x1.e8eef0063aab3p-12));
    p = FMA(p, z, REAL(-0x1.e3074b7df0a82p-8));
    p = FMA(p, z, REAL(0x1.50783485eeb2bp-4));
    p = FMA(p, z, REAL(-0x1.32d2cce62ade5p-1));
    p = FMA(p, z, REAL(0x1.466bc6775aadbp+1));
    p = FMA(p, z, REAL(-0x1.4abbce625be53p+2));
#else
    real p = REAL(0x1.4be692p-4f);
    p = FMA(p, z, REAL(-0x1.32cb24p-1f));
    p = FMA(p, z, REAL(0x1.466bbcp+1f));
    p = FMA(p, z, REAL(-0x1.4abbcep+2f));
#endif
    return odd_joined(r, PICK_REAL(0x1.921fb6p+1f, 0x1.921fb54442d18p+1),
                      PICK_REAL(-0x1.777a5cp-24f, 0x1.1a62633145c07p-53), z, p)
        .hi;
}

// cos(pi r) = 1 - pi^2/2 z + z^2 p(z), z = r^2, for |r| <= 1/4. tools/minimax.py finds p.
FN real cos_polynomial(real r)
{
    pair square = product_exact(r, r);
    real z = square.hi;
#if REAL_BITS == 64
    real p = REAL(-0x1.b2a256e953e48p-14);
    p = FMA(p, z, REAL(0x1.f9cd2174abf13p-10));
    p = FMA(p, z, REAL(-0x1.a6d1edbcb91afp-6));
    p = FMA(p, z, REAL(0x1.e1f506852a2acp-3));
    p = FMA(p, z, REAL(-0x1.55d3c7e3ca708p+0));
    p = FMA(p, z, REAL(0x1.03c1f081b5abcp+2));
#else
    real p = REAL(0x1.dae694p-3f);
    p = FMA(p, z, REAL(-0x1.55ca32p+0f));
    p = FMA(p, z, REAL(0x1.03c1e8p+2f));
#endif
    pair c = product_exact(z, PICK_REAL(0x1.3bd3ccp+2f, 0x1.3bd3cc9be45dep+2)), s = sum_ordered(REAL(1), -c.hi);
    real lo = c.lo + FMA(z, PICK_REAL(0x1.37c8bcp-23f, 0x1.692b71366cc04p-52),
                         square.lo * PICK_REAL(0x1.3bd3ccp+2f, 0x1.3bd3cc9be45dep+2));
    return s.hi + (s.lo + FMA(z * z, p, -lo));
}

// +0 for both zeros.
FN real turn_sign(real y, bits negative)
{
    bits sign = negative & ~BITS(MAGNITUDE_BITS) & MASK(y != REAL(0));
    return as_real((as_bits(y) ^ sign) & MASK(y != REAL(0)));
}

// sin(pi x). Domain: all numbers, NaN for infinite ones; +0 where x is whole. Below 1 ulp.
FN real real_sinpi(real x)
{
    split_turn s = turn_split(x);
    real y = pick(MASK((s.n & 1) == 0), sin_polynomial(s.r), cos_polynomial(s.r));
    y = turn_sign(y, as_bits(x) ^ MASK((s.n & 2) != 0));
    y = as_real(as_bits(y) & ~MASK(magnitude(x) < REAL(SMALLEST_NORMAL)));
    return pick(MASK((as_bits(x) & BITS(MAGNITUDE_BITS)) >= BITS(INFINITE_BITS)), as_real(BITS(MAGNITUDE_BITS)), y);
}

// cos(pi x). Domain: all numbers, NaN for infinite ones. Below 1 ulp.
FN real real_cospi(real x)
{
    split_turn s = turn_split(x);
    real y = pick(MASK((s.n & 1) == 0), cos_polynomial(s.r), sin_polynomial(s.r));
    y = turn_sign(y, MASK(((s.n + 1) & 2) != 0));
    return pick(MASK((as_bits(x) & BITS(MAGNITUDE_BITS)) >= BITS(INFINITE_BITS)), as_real(BITS(MAGNITUDE_BITS)), y);
}

#endif
