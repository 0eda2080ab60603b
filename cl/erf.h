// The error function and its complement.
#ifndef ISG_CL_ERF_H
#define ISG_CL_ERF_H

#include "exp.h"

// erf(x) = x (2/sqrt(pi) + z p(z)), z = x^2, for |x| <= 1/2. tools/minimax.py finds p.
FN pair erf_small(real x)
{
    real z = x * x;
#if REAL_BITS == 64
    real p = REAL(0x1.8b90769690bfbp-20);
    p = FMA(p, z, REAL(-0x1.f22e2c3f6e10fp-17));
    p = FMA(p, z, REAL(0x1.f98e37668ffadp-14));
    p = FMA(p, z, REAL(-0x1.c02d5353397aep-11));
    p = FMA(p, z, REAL(0x1.565bcc09a23eep-8));
    p = FMA(p, z, REAL(-0x1.b82ce30f7d058p-6));
    p = FMA(p, z, REAL(0x1.ce2f21a03e551p-4));
    p = FMA(p, z, REAL(-0x1.812746b0379c4p-2));
#else
    real p = REAL(0x1.360046p-8f);
    p = FMA(p, z, REAL(-0x1.b6807cp-6f));
    p = FMA(p, z, REAL(0x1.ce264ep-4f));
    p = FMA(p, z, REAL(-0x1.812738p-2f));
#endif
    return odd_joined(x, PICK_REAL(0x1.20dd76p+0f, 0x1.20dd750429b6dp+0),
                      PICK_REAL(-0x1.f7ac92p-25f, 0x1.1ae3a914fed8p-56), z, p);
}

// erfc(x) = 2^n r for x >= 0: exp(-x^2) p(t)/(x + 2), t = (x - 2)/(x + 2), which is a smooth function of t all the way.
// (Such a t for erfc: Schonfelder 1978; Shepherd and Laframboise 1981.) All in two parts; t's lesser part by the
// derivative, of which a few terms do. tools/minimax.py finds p.
FN reduced erfc_reduced(real x)
{
    const real largest = PICK_REAL(11.0f, 28.0), least = PICK_REAL(0x1p-30f, 0x1p-60);
    x = pick(MASK(x > largest), largest, x);
    x = as_real(as_bits(x) & ~MASK(x < least));
    pair below = sum_exact(x, REAL(2)), v = pair_quotient(sum_exact(x, REAL(-2)), below);
    real t = v.hi;
#if REAL_BITS == 64
    real p = REAL(0x1.202cce6156963p-30);
    p = FMA(p, t, REAL(0x1.5ab9a1c1d5e8p-34));
    p = FMA(p, t, REAL(-0x1.c079a956e6a4p-27));
    p = FMA(p, t, REAL(-0x1.16703e947141bp-26));
    p = FMA(p, t, REAL(0x1.80383f8e4f27dp-25));
    p = FMA(p, t, REAL(0x1.f4ef8dd14395fp-24));
    p = FMA(p, t, REAL(0x1.afdb93f88910ap-27));
    p = FMA(p, t, REAL(-0x1.6044140b5043ep-22));
    p = FMA(p, t, REAL(-0x1.391e6d5009325p-21));
    p = FMA(p, t, REAL(0x1.b9383cd26c46cp-29));
    p = FMA(p, t, REAL(0x1.0d801214cc16p-19));
    p = FMA(p, t, REAL(0x1.e909c81fefc51p-19));
    p = FMA(p, t, REAL(-0x1.2eb50eadc57aep-20));
    p = FMA(p, t, REAL(-0x1.0e76b5cd679p-16));
    p = FMA(p, t, REAL(-0x1.6bfe31590c0b7p-16));
    p = FMA(p, t, REAL(0x1.1e7629684bd4ep-15));
    p = FMA(p, t, REAL(0x1.2efa15c8b537p-13));
    p = FMA(p, t, REAL(0x1.20541c20f08e6p-15));
    p = FMA(p, t, REAL(-0x1.5ba437aafcabcp-11));
    p = FMA(p, t, REAL(-0x1.b6fbf9ad049d5p-11));
    p = FMA(p, t, REAL(0x1.9517bb6d7a59p-9));
    p = FMA(p, t, REAL(0x1.a89eaff891364p-8));
    p = FMA(p, t, REAL(-0x1.606e4155260cap-6));
    p = FMA(p, t, REAL(-0x1.2a88e6107d762p-5));
    pair s = pair_of(p, REAL(0));
    s = pair_step(s, t, REAL(0x1.1e2deea6b1166p-2), REAL(-0x1.4771c4a1a4509p-57));
    s = pair_step(s, t, REAL(-0x1.5fd386754eff9p-1), REAL(0x1.a8ab5ee7ab0d1p-55));
    s = pair_step(s, t, REAL(0x1.058671b52c776p+0), REAL(-0x1.17a6f50161c79p-56));
#else
    real p = REAL(0x1.ddf8fcp-16f);
    p = FMA(p, t, REAL(0x1.e4f7cap-14f));
    p = FMA(p, t, REAL(0x1.be7eecp-16f));
    p = FMA(p, t, REAL(-0x1.54006ap-11f));
    p = FMA(p, t, REAL(-0x1.b3d306p-11f));
    p = FMA(p, t, REAL(0x1.94a088p-9f));
    p = FMA(p, t, REAL(0x1.a88532p-8f));
    p = FMA(p, t, REAL(-0x1.606c78p-6f));
    p = FMA(p, t, REAL(-0x1.2a8898p-5f));
    pair s = pair_of(p, REAL(0));
    s = pair_step(s, t, REAL(0x1.1e2deep-2f), REAL(-0x1.85d4f8p-27f));
    s = pair_step(s, t, REAL(-0x1.5fd386p-1f), REAL(-0x1.2856ep-26f));
    s = pair_step(s, t, REAL(0x1.058672p+0f), REAL(-0x1.280a72p-26f));
#endif
    real slope = FMA(t, FMA(t, REAL(3 * -0.03644f), REAL(2 * 0.2795f)), REAL(-0.6872f));
    s.lo = FMA(v.lo, slope, s.lo);
    pair square = product_exact(x, x);
    reduced e = exp_reduce(-square.hi, -square.lo);
    e.r = pair_quotient(pair_product(exp_pair(e.r), s), below);
    return e;
}

// 1 - erfc(x) or 2 - erfc(x) for x >= 0, given erfc's two parts.
FN real erfc_from(real whole, reduced e)
{
    const bits least = BITS(-2 * FIELD - 10);
    bits n = pick_bits(MASK(e.n < least), least, e.n);
    pair s = sum_ordered(whole, -scale_bits(e.r.hi, n));
    return s.hi + FMA(-e.r.lo, scale_bits(REAL(1), n), s.lo);
}

// The error function. Close to zero a polynomial, else 1 - erfc. Domain: all numbers. Below 1 ulp.
FN real real_erf(real x)
{
    real size = magnitude(x);
    real y = pick(MASK(size <= REAL(0.5f)), erf_small(size).hi, erfc_from(REAL(1), erfc_reduced(size)));
    y = as_real(as_bits(with_sign(y, x)) & ~MASK(size < REAL(SMALLEST_NORMAL)));
    return pick(is_nan(x), x, y);
}

// 1 - erf(x), relatively exact also where it is small; +0 where it would not be a normal number. Domain: all numbers.
// Below 1 ulp.
FN real real_erfc(real x)
{
    reduced e = erfc_reduced(magnitude(x));
    real y = pick(MASK(as_bits(x) < 0), erfc_from(REAL(2), e), scale_range(e.r.hi, e.n));
    return pick(is_nan(x), x, y);
}

#endif
