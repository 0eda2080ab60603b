// Logarithms and powers.
#ifndef ISG_CL_LOG_H
#define ISG_CL_LOG_H

#include "exp.h"

// |x| = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), by the bits; f is exact. Without the sign, which would have the
// difference leave its type: C leaves that open.
typedef struct split_log {
    bits k;
    real f;
} split_log;

#define SQRT_HALF_BITS PICK_BITS(0x3f3504f3, 0x3fe6a09e667f3bcd)

FN split_log log_split(real x)
{
    split_log s;
    bits above = (as_bits(x) & BITS(MAGNITUDE_BITS)) - SQRT_HALF_BITS;
    s.k = above >> FIELD;
    s.f = as_real((above & BITS(MANTISSA_BITS)) + SQRT_HALF_BITS) - REAL(1);
    return s;
}

// A small integer as a number.
FN real real_of_bits(bits k)
{
    const real shift = PICK_REAL(0x1.8p23f, 0x1.8p52);
    return as_real(as_bits(shift) + k) - shift;
}

// log(1 + f) = f + f^2 (-1/2 + f p(f)): p. tools/minimax.py finds it.
FN real log_polynomial(real f)
{
#if REAL_BITS == 64
    real p = REAL(-0x1.8dbe6dbf7bcb8p-6);
    p = FMA(p, f, REAL(0x1.d2b06a0db596cp-5));
    p = FMA(p, f, REAL(-0x1.01068d4211773p-4));
    p = FMA(p, f, REAL(0x1.bbacd08e178dp-5));
    p = FMA(p, f, REAL(-0x1.b45e9bc094184p-5));
    p = FMA(p, f, REAL(0x1.dc97c4858bb41p-5));
    p = FMA(p, f, REAL(-0x1.00cfa2c75825fp-4));
    p = FMA(p, f, REAL(0x1.1169ff7be6643p-4));
    p = FMA(p, f, REAL(-0x1.24894c442d076p-4));
    p = FMA(p, f, REAL(0x1.3b0d78e86e489p-4));
    p = FMA(p, f, REAL(-0x1.555576b4677dcp-4));
    p = FMA(p, f, REAL(0x1.745d58ce8107cp-4));
    p = FMA(p, f, REAL(-0x1.99999aa0d78b3p-4));
    p = FMA(p, f, REAL(0x1.c71c702e371eep-4));
    p = FMA(p, f, REAL(-0x1.fffffff3a59bbp-4));
    p = FMA(p, f, REAL(0x1.249249275d182p-3));
    p = FMA(p, f, REAL(-0x1.555555556b1e4p-3));
    p = FMA(p, f, REAL(0x1.9999999994dccp-3));
    p = FMA(p, f, REAL(-0x1.ffffffffffe7bp-3));
    p = FMA(p, f, REAL(0x1.555555555556bp-2));
#else
    real p = REAL(-0x1.38b852p-4f);
    p = FMA(p, f, REAL(0x1.055c4p-3f));
    p = FMA(p, f, REAL(-0x1.0d8518p-3f));
    p = FMA(p, f, REAL(0x1.22d9f8p-3f));
    p = FMA(p, f, REAL(-0x1.547246p-3f));
    p = FMA(p, f, REAL(0x1.99a00ap-3f));
    p = FMA(p, f, REAL(-0x1.000228p-2f));
    p = FMA(p, f, REAL(0x1.555554p-2f));
#endif
    return p;
}

// k ln 2 + log(1 + f + f_lo), f_lo being at most an ulp of f.
FN real log_joined(bits k, real f, real f_lo)
{
    real n = real_of_bits(k), z = f * f;
    pair s = sum_ordered(n * -EXP_MINUS_LN2_HI, f);
    real lo = FMA(n, -EXP_MINUS_LN2_LO, FMA(f_lo, z + (REAL(1) - f), s.lo)); // f_lo/(1 + f), nearly
    return s.hi + FMA(z, FMA(f, log_polynomial(f), REAL(-0.5f)), lo);
}

// The natural logarithm: log(x) = k ln 2 + log(1 + f), the last sum in two parts. Domain: x >= 0; NaN below, -inf at
// zero. Below 1 ulp.
FN real real_log(real x)
{
    bits zero = MASK(magnitude(x) < REAL(SMALLEST_NORMAL));
    split_log s = log_split(x);
    real y = log_joined(s.k, s.f, REAL(0));
    y = pick(MASK(as_bits(x) < 0), as_real(BITS(MAGNITUDE_BITS)), y);
    y = pick(zero, -as_real(BITS(INFINITE_BITS)), y);
    return pick(is_nan(x) | MASK(as_bits(x) == BITS(INFINITE_BITS)), x, y);
}

// log(1 + x): what 1 + x loses goes along. Domain: x >= -1; NaN below, -inf at -1. Below 1 ulp.
FN real real_log1p(real x)
{
    real small = magnitude(x);
    pair u = sum_exact(REAL(1), x);
    split_log s = log_split(u.hi);
    bits far = MASK(s.k > BITS(2 * FIELD)); // u.lo is lost there
    bits k = s.k & ~far;
    real lo = as_real(as_bits(u.lo * scale_bits(REAL(1), -k)) & ~far);
    pair f = sum_exact(s.f, lo);
    real y = log_joined(s.k, f.hi, f.lo);
    y = pick(MASK(small < PICK_REAL(0x1p-26f, 0x1p-55)), x, y);
    y = as_real(as_bits(y) & ~MASK(small < REAL(SMALLEST_NORMAL)));
    y = pick(MASK(x < REAL(-1)), as_real(BITS(MAGNITUDE_BITS)), y);
    y = pick(MASK(x == REAL(-1)), -as_real(BITS(INFINITE_BITS)), y);
    return pick(is_nan(x) | MASK(as_bits(x) == BITS(INFINITE_BITS)), x, y);
}

// log(x) in two parts for normal x > 0; its relative error is 2^-35 in single, 2^-65 in double precision.
FN pair log_pair(real x)
{
    split_log l = log_split(x);
    real f = l.f, n = real_of_bits(l.k);
#if REAL_BITS == 64
    real p = REAL(-0x1.2a800a68a50e4p-6);
    p = FMA(p, f, REAL(0x1.812b9ce51bf56p-5));
    p = FMA(p, f, REAL(-0x1.c2fb079078ce7p-5));
    p = FMA(p, f, REAL(0x1.7c1c9b1a933eep-5));
    p = FMA(p, f, REAL(-0x1.5f6d5353c648ap-5));
    p = FMA(p, f, REAL(0x1.7cb5cd2f2d532p-5));
    p = FMA(p, f, REAL(-0x1.9b4959b652381p-5));
    p = FMA(p, f, REAL(0x1.b098852158d5cp-5));
    p = FMA(p, f, REAL(-0x1.c7187801c75afp-5));
    p = FMA(p, f, REAL(0x1.e1c1b8b177634p-5));
    p = FMA(p, f, REAL(-0x1.fffddef95b88bp-5));
    p = FMA(p, f, REAL(0x1.1111f324997c1p-4));
    p = FMA(p, f, REAL(-0x1.249261d212afp-4));
    p = FMA(p, f, REAL(0x1.3b13a931de259p-4));
    p = FMA(p, f, REAL(-0x1.55555441f413ep-4));
    p = FMA(p, f, REAL(0x1.745d1774e7b54p-4));
    p = FMA(p, f, REAL(-0x1.999999a06c67bp-4));
    p = FMA(p, f, REAL(0x1.c71c71c670d07p-4));
    pair s = pair_of(p, REAL(0));
    s = pair_step(s, f, REAL(-0x1.ffffffffe7a1fp-4), REAL(0x1.dbfeefe049f75p-58));
    s = pair_step(s, f, REAL(0x1.2492492492fdcp-3), REAL(0x1.133c60f792145p-58));
    s = pair_step(s, f, REAL(-0x1.55555555556b4p-3), REAL(-0x1.df926683d35a9p-57));
    s = pair_step(s, f, REAL(0x1.999999999998ep-3), REAL(-0x1.490c16e077e91p-58));
    s = pair_step(s, f, REAL(-0x1.fffffffffffffp-3), REAL(-0x1.6a2f8f17cfad1p-59));
    s = pair_step(s, f, REAL(0x1.5555555555555p-2), REAL(0x1.5d85de70cd0e2p-56));
#else
    real p = REAL(-0x1.8b10b8p-5f);
    p = FMA(p, f, REAL(0x1.756176p-4f));
    p = FMA(p, f, REAL(-0x1.7c64d6p-4f));
    p = FMA(p, f, REAL(0x1.72496ap-4f));
    p = FMA(p, f, REAL(-0x1.9511b4p-4f));
    p = FMA(p, f, REAL(0x1.c6e14cp-4f));
    p = FMA(p, f, REAL(-0x1.001df4p-3f));
    pair s = pair_of(p, REAL(0));
    s = pair_step(s, f, REAL(0x1.2494bap-3f), REAL(-0x1.dddf7cp-28f));
    s = pair_step(s, f, REAL(-0x1.5554a2p-3f), REAL(0x1.97d0b8p-28f));
    s = pair_step(s, f, REAL(0x1.99998cp-3f), REAL(-0x1.a0f17ep-28f));
    s = pair_step(s, f, REAL(-0x1p-2f), REAL(-0x1.82ca82p-27f));
    s = pair_step(s, f, REAL(0x1.555556p-2f), REAL(-0x1.3eb5b6p-27f));
#endif
    s = pair_step(s, f, REAL(-0.5f), REAL(0));
    pair w = pair_product(product_exact(f, f), s);
    pair t = sum_ordered(n * -EXP_MINUS_LN2_HI, f);
    pair u = sum_exact(t.hi, w.hi);
    return sum_ordered(u.hi, u.lo + (t.lo + FMA(n, -EXP_MINUS_LN2_LO, w.lo)));
}

// The same within 2^-31, for single precision: only the last terms in two parts. (Not with what both share in a
// function of its own: Oclgrind's compiler makes calls of something that Oclgrind does not know from it.)
#if REAL_BITS == 32
FN pair log_pair_near(real x)
{
    split_log l = log_split(x);
    real f = l.f, n = real_of_bits(l.k), q = REAL(-0x1.8b10b8p-5f);
    q = FMA(q, f, REAL(0x1.756176p-4f));
    q = FMA(q, f, REAL(-0x1.7c64d6p-4f));
    q = FMA(q, f, REAL(0x1.72496ap-4f));
    q = FMA(q, f, REAL(-0x1.9511b4p-4f));
    q = FMA(q, f, REAL(0x1.c6e14cp-4f));
    q = FMA(q, f, REAL(-0x1.001df4p-3f));
    q = FMA(q, f, REAL(0x1.2494bap-3f));
    q = FMA(q, f, REAL(-0x1.5554a2p-3f));
    q = FMA(q, f, REAL(0x1.99998cp-3f));
    pair r = pair_step(pair_of(q, REAL(0)), f, REAL(-0x1p-2f), REAL(-0x1.82ca82p-27f));
    r = pair_step(r, f, REAL(0x1.555556p-2f), REAL(-0x1.3eb5b6p-27f));
    r = pair_step(r, f, REAL(-0.5f), REAL(0));
    pair w = pair_product(product_exact(f, f), r);
    pair t = sum_ordered(n * -EXP_MINUS_LN2_HI, f);
    pair u = sum_exact(t.hi, w.hi);
    return sum_ordered(u.hi, u.lo + (t.lo + FMA(n, -EXP_MINUS_LN2_LO, w.lo)));
}
#endif

// exp(e l) for a product within or close to exp's range.
FN real power_of_log(real e, pair l)
{
    pair p = product_exact(e, l.hi);
    reduced r = exp_reduce(p.hi, FMA(e, l.lo, p.lo));
    return scale_range(exp_pair(r.r).hi, r.n);
}

// (1 + u)^e for u >= 0 and e <= 0, with all digits of 1 + u. Below 1.5 ulp. Domain: u from 0 to infinity, e from -2^40
// to -2^-40.
FN real power_of_sum(real u, real e)
{
    const real most = PICK_REAL(0x1p120f, 0x1p1000);
    real inside = pick(MASK(u > most), most, u);
    inside = as_real(as_bits(inside) & MASK(inside >= PICK_REAL(0x1p-70f, 0x1p-140)));
    pair x = sum_exact(REAL(1), inside);
#if REAL_BITS == 32
    pair l = log_pair_near(x.hi);
#else
    pair l = log_pair(x.hi);
#endif
    l = sum_exact(l.hi, FMA(x.lo, reciprocal_near(x.hi), l.lo));
    bits left = MASK(e * l.hi >= EXP_LOWEST - REAL(1));
    real y = power_of_log(as_real(as_bits(e) & left), l);
    return pick(is_nan(u), u, as_real(as_bits(y) & left));
}

// x^y = exp(y log(x)), the logarithm and the product in two parts. Domain: x >= 0 and any y; NaN for x < 0. x^0 is 1,
// and 0^y is infinite for y < 0. Below 1 ulp.
FN real real_pow(real x, real y)
{
    const real least = PICK_REAL(0x1p-60f, 0x1p-100), most = PICK_REAL(0x1p60f, 0x1p100);
    const real infinite = as_real(BITS(INFINITE_BITS));
    real size = magnitude(y);
    // Exponents beyond these give what these give.
    size = pick(MASK(size > most), most, size);
    real e = with_sign(as_real(as_bits(size) & ~MASK(size < least)), y);
    bits normal = MASK(x >= REAL(SMALLEST_NORMAL)) & MASK(x < infinite);
    pair l = log_pair(pick(normal, x, REAL(1)));
    real plain = e * l.hi;
    bits inside = MASK(plain >= EXP_LOWEST - REAL(1)) & MASK(plain <= EXP_HIGHEST + REAL(1));
    real z = power_of_log(as_real(as_bits(e) & inside), l);
    bits up = (~inside & MASK(plain > REAL(0))) | (MASK(x == infinite) & MASK(y > REAL(0))) |
              (MASK(magnitude(x) < REAL(SMALLEST_NORMAL)) & MASK(y < REAL(0)));
    bits down = (~inside & MASK(plain < REAL(0))) | (MASK(x == infinite) & MASK(y < REAL(0))) |
                (MASK(magnitude(x) < REAL(SMALLEST_NORMAL)) & MASK(y > REAL(0)));
    z = as_real(as_bits(pick(up, infinite, z)) & ~down);
    z = pick(MASK(x <= -REAL(SMALLEST_NORMAL)) | is_nan(x) | is_nan(y), as_real(BITS(MAGNITUDE_BITS)), z);
    return pick(MASK(magnitude(y) < REAL(SMALLEST_NORMAL)), REAL(1), z);
}

#endif
