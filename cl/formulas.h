// One function per row of the kernel registry (lib/kernels.def): the kernel's value from s, which is the pair's number
// (pairs.h), and the row's three: s a is what most formulas are written in. Read by the C compiler and by every OpenCL
// compiler.
//
// Each is within 2 ulp of its formula at u = s a, which is rounded once, unless its comment says otherwise; NaN gives
// NaN.
#ifndef ISG_CL_FORMULAS_H
#define ISG_CL_FORMULAS_H

#include "log.h"
#include "trig.h"

// exp(-u), u = gamma |x - y|^2
FN real f_rbf(real s, real a, real b, real c)
{
    return exp_nonpositive(-(s * a));
}

// exp(-u), u = gamma |x - y|_1
FN real f_laplacian(real s, real a, real b, real c)
{
    return exp_nonpositive(-(s * a));
}

// (1 + p) exp(-r), r and p in two parts, p not below 0; +0 where that is below the smallest normal number. As
// exp_reduce and exp_pair, with sums in two parts only where digits could be lost.
FN real damped(pair r, pair p)
{
    // Beyond `far` nothing is left. 2^n is lifted so that neither it nor the product is subnormal.
    const real far = PICK_REAL(120.0f, 800.0), lift = PICK_REAL(0x1p64f, 0x1p200), back = PICK_REAL(0x1p-64f, 0x1p-200);
    bits beyond = MASK(r.hi >= far);
    real hi = pick(beyond, far, r.hi), lo = as_real(as_bits(r.lo) & ~beyond);
    real z = FMA(-hi, EXP_LOG2_E, EXP_SHIFT), n = z - EXP_SHIFT;
    pair t = sum_ordered(FMA(n, EXP_MINUS_LN2_HI, -hi), FMA(n, EXP_MINUS_LN2_LO, -lo));
    pair x = sum_ordered(REAL(1), t.hi);
    x.lo = x.lo + exp_tail(t);
    real y = x.hi + FMA(x.hi, p.hi, FMA(x.hi, p.lo, FMA(x.lo, p.hi, x.lo)));
    real lifted = y * as_real(SHIFT_UP(as_bits(z) + PICK_BITS(64, 200), FIELD));
    return as_real(as_bits(lifted) & ~(beyond | MASK(lifted < REAL(SMALLEST_NORMAL) * lift))) * back;
}

// exp(-r), r = |x - y|/l, u = r^2
FN real f_matern12(real s, real a, real b, real c)
{
    pair r = sqrt_pair(s * a);
    return damped(r, pair_of(REAL(0), REAL(0)));
}

// (1 + r) exp(-r), r = sqrt(3) |x - y|/l, u = r^2
FN real f_matern32(real s, real a, real b, real c)
{
    pair r = sqrt_pair(s * a);
    return damped(r, r);
}

// (1 + r + r^2/3) exp(-r), r = sqrt(5) |x - y|/l, u = r^2
FN real f_matern52(real s, real a, real b, real c)
{
    real u = s * a;
    u = pick(MASK(u > REAL(0x1p100f)), REAL(0x1p100f), u);
    pair r = sqrt_pair(u), third = product_exact(u, PICK_REAL(0x1.555556p-2f, 0x1.5555555555555p-2));
    pair p = sum_exact(r.hi, third.hi);
    p.lo = p.lo + (r.lo + FMA(u, PICK_REAL(-0x1.555556p-27f, 0x1.5555555555555p-56), third.lo));
    return damped(r, p);
}

// (1 + u)^b, u = |x - y|^2/(2 alpha l^2), b = -alpha
FN real f_rational_quadratic(real s, real a, real b, real c)
{
    return power_of_sum(s * a, b);
}

// 1/(1 + u), u = (|x - y|/l)^2. It serves rational_quadratic too, where alpha is 1.
FN real f_cauchy(real s, real a, real b, real c)
{
    return reciprocal_from_one(REAL(1) + s * a);
}

// -sqrt(1 + u), u = (|x - y|/l)^2
FN real f_multiquadric(real s, real a, real b, real c)
{
    const real infinite = as_real(BITS(INFINITE_BITS));
    real x = REAL(1) + s * a, y = rsqrt_near(x), g = x * y;
    pair p = product_exact(g, g);
    real root = FMA((x - p.hi) - p.lo, y * REAL(0.5f), g);
    return -pick(MASK(x == infinite), infinite, root);
}

// 1/sqrt(1 + u), u = (|x - y|/l)^2: rsqrt_near, and Newton's step with the exact remainder. Large x shrink, for their
// product could not be split.
FN real f_inverse_multiquadric(real s, real a, real b, real c)
{
    real x = REAL(1) + s * a;
    bits large = MASK(x > REAL(0x1p60f));
    real v = x * pick(large, REAL(0x1p-60f), REAL(1)), y = rsqrt_near(v);
    pair g = product_exact(v, y);
    real rest = FMA(-g.hi, y, REAL(1)) - g.lo * y;
    y = FMA(y * REAL(0.5f), rest, y) * pick(large, REAL(0x1p-30f), REAL(1));
    return as_real(as_bits(y) & ~MASK(x == as_real(BITS(INFINITE_BITS))));
}

// r^2 log(r) = u log(u)/2, u = r^2, r = |x - y|/l; 0 at 0
FN real f_thin_plate(real s, real a, real b, real c)
{
    const real infinite = as_real(BITS(INFINITE_BITS));
    real u = s * a;
    bits inside = MASK(u >= REAL(SMALLEST_NORMAL)) & MASK(u < infinite);
    pair l = log_pair(pick(inside, u, REAL(1)));
    // Large u shrink, for their products could not be split.
    bits large = MASK(u >= REAL(0x1p60f)) & inside;
    real v = pick(inside, u, REAL(0)) * pick(large, REAL(0x1p-40f), REAL(1));
    real y = odd_joined(v, l.hi * REAL(0.5f), l.lo * REAL(0.5f), REAL(0), REAL(0)).hi;
    y = y * pick(large, REAL(0x1p40f), REAL(1));
    return pick(is_nan(u) | MASK(u == infinite), u, y);
}

// (1 - r)^4 (4 r + 1) for r < 1, else 0; r = |x - y|/l, u = r^2
FN real f_wendland(real s, real a, real b, real c)
{
    // The fourth power of a small number may have subnormal parts: 1 - r grows first, not beyond what product_exact
    // splits. 1 - r is (1 - u)/(1 + r), for the difference would magnify the root's own error.
    const real grow = REAL(0x1p20f), shrink = REAL(0x1p-40f);
    real u = s * a;
    bits inside = MASK(u < REAL(1));
    real v = pick(inside, u, REAL(0));
    pair r = sqrt_pair_fine(v), under = sum_ordered(REAL(1), r.hi);
    pair t = pair_quotient(sum_ordered(REAL(1), -v), pair_of(under.hi, under.lo + r.lo));
    t = pair_of(t.hi * grow, t.lo * grow);
    t = pair_product(t, t);
    t = pair_product(t, t);
    pair q = sum_exact(r.hi * REAL(4), REAL(1));
    t = pair_product(t, pair_of(q.hi, FMA(r.lo, REAL(4), q.lo)));
    real y = as_real(as_bits(t.hi) & inside) * shrink * shrink;
    return pick(is_nan(u), u, y);
}

// exp(-b sin(pi d)^2), d = |x - y|/p, u = d^2, b = 2/l^2. Within 2 + 8 t ulp, t = b sin(pi d)^2 the exponent, and for d
// up to 1000 periods.
FN real f_periodic(real s, real a, real b, real c)
{
    real u = s * a;
    pair d = sqrt_pair_fine(u);
    split_turn turn = turn_split(d.hi);
    pair r = sum_exact(turn.r, d.lo);
    bits even = MASK((turn.n & 1) == 0);
    real sine = sin_polynomial(r.hi), cosine = cos_polynomial(r.hi),
         step = r.lo * PICK_REAL(0x1.921fb6p+1f, 0x1.921fb54442d18p+1);
    real w = pick(even, FMA(step, cosine, sine), FMA(-step, sine, cosine));
    real y = exp_nonpositive(-(w * w * b));
    return pick(is_nan(u), u, y);
}

// s 2^b: what scaling the points took away comes back.
FN real f_sqeuclidean(real s, real a, real b, real c)
{
    return scale_back(s, b);
}

FN real f_cityblock(real s, real a, real b, real c)
{
    return scale_back(s, b);
}

// sqrt(s) 2^b
FN real f_euclidean(real s, real a, real b, real c)
{
    return scale_back(real_sqrt(s), b);
}

// s 2^b
FN real f_linear(real s, real a, real b, real c)
{
    return scale_back(s, b);
}

// u = s a + c in two parts, for |c| up to 2^60; in one part only for products from 2^100 (2^900) on, the squares of
// which are infinite. Products below 2^-76 (2^-900), whose lesser part would be subnormal, count as 0. Where a is so
// small that its own lower digits would be subnormal, s lends it a power of two.
FN pair affine(real s, real a, real c)
{
    bits small = MASK(a < PICK_REAL(0x1p-60f, 0x1p-500));
    s = s * pick(small, PICK_REAL(0x1p-50f, 0x1p-400), REAL(1));
    a = a * pick(small, PICK_REAL(0x1p50f, 0x1p400), REAL(1));
    pair p = product_exact(s, a);
    bits tiny = MASK(magnitude(p.hi) < PICK_REAL(0x1p-76f, 0x1p-900)),
         large = MASK(magnitude(p.hi) >= PICK_REAL(0x1p100f, 0x1p900));
    pair u = sum_exact(as_real(as_bits(p.hi) & ~tiny), c);
    return sum_ordered(u.hi, as_real(as_bits(u.lo + as_real(as_bits(p.lo) & ~tiny)) & ~large));
}

// u^n for whole n from 1 on, by squaring, in two parts that are kept within [1, 4); their exponent is carried beside
// them.
FN real power_whole(pair u, int n)
{
    bits mag = as_bits(u.hi) & BITS(MAGNITUDE_BITS), zero = MASK(mag < BITS(NORMAL_BITS)),
         infinite = MASK(mag >= BITS(INFINITE_BITS)), inside = ~(zero | infinite);
    bits exponent = ((mag >> FIELD) - BITS(BIAS)) & inside, half_way = -exponent >> 1;
    // Both parts by the same power of two, the lesser one in two steps, and with the sign that it has beside |u|.
    real lo = as_real(as_bits(with_sign(REAL(1), u.hi) * u.lo) & inside);
    lo = lo * scale_bits(REAL(1), half_way) * scale_bits(REAL(1), -exponent - half_way);
    pair x = pair_of(as_real((mag & BITS(MANTISSA_BITS)) | BITS(ONE_BITS)), lo), y = x;
    bits e = exponent;
    int bit = 1;
    while (bit <= n / 2)
        bit *= 2;
    for (bit /= 2; bit > 0; bit /= 2) {
        y = pair_product(y, y);
        e = e + e;
        if (n & bit) {
            y = pair_product(y, x);
            e = e + exponent;
        }
        bits more = (as_bits(y.hi) >> FIELD) - BITS(BIAS);
        y = pair_of(scale_bits(y.hi, -more), y.lo * scale_bits(REAL(1), -more));
        e = e + more;
    }
    real r = as_real(as_bits(scale_range(y.hi, e)) & ~zero), beyond = magnitude(u.hi);
    if (n & 1) {
        r = as_real(as_bits(r) | (as_bits(u.hi) & ~BITS(MAGNITUDE_BITS) & MASK(as_bits(r) != 0)));
        beyond = u.hi;
    }
    return pick(infinite, beyond, r);
}

// (u + b)^c, u = gamma x.y; c whole, from 1 to 100
FN real f_polynomial(real s, real a, real b, real c)
{
    return power_whole(affine(s, a, b), (int)FIRST_LANE(c));
}

// tanh(u + b), u = gamma x.y: m/(m + 2), m = exp(2 |u + b|) - 1. u + b is taken in two parts where its size lets it
// matter.
FN real f_sigmoid(real s, real a, real b, real c)
{
    const real highest = PICK_REAL(10.0f, 20.0); // tanh is 1 from here on
    pair u = affine(s, a, b);
    real size = magnitude(u.hi), w = pick(MASK(size > highest), highest, size) * REAL(2);
    real lo = as_real(as_bits(u.lo + u.lo) & MASK(size < highest));
    lo = as_real(as_bits(lo) ^ (as_bits(u.hi) & ~BITS(MAGNITUDE_BITS)));
    real z = FMA(w, EXP_LOG2_E, EXP_SHIFT), n = z - EXP_SHIFT;
    pair r = sum_ordered(FMA(n, EXP_MINUS_LN2_HI, w), FMA(n, EXP_MINUS_LN2_LO, lo));
    real power = as_real(SHIFT_UP(as_bits(z), FIELD));
    real m = FMA(r.hi + FMA(exp_polynomial(r.hi), r.hi * r.hi, r.lo), power, power - REAL(1));
    pair under = sum_exact(m, REAL(2));
    real y = reciprocal_quick(under.hi), q = m * y;
    q = FMA(FMA(-q, under.lo, rest_of(m, q, under.hi)), y, q);
    return as_real(as_bits(with_sign(q, u.hi)) & ~MASK(size < REAL(SMALLEST_NORMAL)));
}

// s (a + b), a + b = 1/(|x| |y|) in two parts, no further from 0 than 1; +0 below the smallest normal number. s is
// lifted so far that the lesser part of its product is no subnormal number either where that counts.
FN real f_cosine(real s, real a, real b, real c)
{
    const real lift = PICK_REAL(0x1p48f, 0x1p128), back = PICK_REAL(0x1p-48f, 0x1p-128);
    real lifted = s * lift;
    pair p = product_exact(lifted, a);
    real y = p.hi + FMA(lifted, b, p.lo);
    y = as_real(as_bits(y) & ~MASK(magnitude(y) < REAL(SMALLEST_NORMAL) * lift));
    y = pick(MASK(magnitude(y) > lift), with_sign(lift, y), y);
    return y * back;
}

// 1/(|x| |y|) from the reciprocals of the norms: the same bits either way round.
FN pair inverse_norms(pair x, pair y)
{
    pair p = product_exact(x.hi, y.hi);
    return pair_of(p.hi, p.lo + (x.hi * y.lo + x.lo * y.hi));
}

// exp(-u), u = gamma sum (x - y)^2/(x + y)
FN real f_chi2(real s, real a, real b, real c)
{
    return exp_nonpositive(-(s * a));
}

// -s 2^b, and never -0
FN real f_additive_chi2(real s, real a, real b, real c)
{
    real y = scale_back(s, b);
    return as_real(as_bits(-y) & ~MASK(y == REAL(0)));
}

// Logarithms of those that underflow, for sums that are kept as logarithms; from s and a as above. Their absolute
// errors are some ulp of their larger part. What they are written in is 0 below 2^-100 (2^-1000), where a device may
// flush.
FN real log_argument(real s, real a)
{
    real u = s * a;
    return as_real(as_bits(u) & ~MASK(u < PICK_REAL(0x1p-100f, 0x1p-1000)));
}

// -u
FN real l_exponential(real s, real a)
{
    return -log_argument(s, a);
}

// -sqrt(u)
FN real l_matern12(real s, real a)
{
    return -real_sqrt(log_argument(s, a));
}

// log(1 + r) - r, r = sqrt(u)
FN real l_matern32(real s, real a)
{
    real r = real_sqrt(log_argument(s, a));
    return real_log1p(r) - r;
}

// log(1 + r + u/3) - r, r = sqrt(u)
FN real l_matern52(real s, real a)
{
    real u = log_argument(s, a), r = real_sqrt(u);
    return real_log1p(FMA(u, PICK_REAL(0x1.555556p-2f, 0x1.5555555555555p-2), r)) - r;
}

#endif
