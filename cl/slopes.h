// Derivatives of the formulas (formulas.h), by their rows in lib/kernels.def: d_NAME is dk/du, u = s a, from what the
// formula itself takes, of a row without a scale dk/ds where a = 1 and b = 0; d_NAME_PARAMETER is by one of the row's
// parameters: of a positive one theta dk/dtheta, of others dk/dtheta. Read by the C compiler and by every OpenCL
// compiler.
//
// Within some ulp of the exact value at u, which is rounded once, and +0 or -0 below 2^-100 (2^-1000) or so: nothing is
// a subnormal number. NaN gives NaN, but where the derivative is constant. Where dk/du has no bound as u goes to 0, it
// is 0 at 0, and so gradients are 0 at a kink.
#ifndef ISG_CL_SLOPES_H
#define ISG_CL_SLOPES_H

#include "combine.h"
#include "formulas.h"

// x, or 0 where a product of it could be subnormal.
FN real slope_kept(real x)
{
    return as_real(as_bits(x) & ~MASK(magnitude(x) < PICK_REAL(0x1p-100f, 0x1p-1000)));
}

// 1/sqrt(x) within 2 ulp for x >= 0; 0 for x below 2^-100 (2^-1000), where products are not the same on all devices,
// and for what is infinite.
FN real reciprocal_root(real x)
{
    const real infinite = as_real(BITS(INFINITE_BITS));
    bits large = MASK(x > REAL(0x1p60f)), inside = MASK(x >= PICK_REAL(0x1p-100f, 0x1p-1000)) & MASK(x < infinite);
    real v = pick(inside, x, REAL(1)) * pick(large & inside, REAL(0x1p-60f), REAL(1)), y = rsqrt_near(v);
    y = FMA(y * REAL(0.5f), FMA(-(v * y), y, REAL(1)), y) * pick(large, REAL(0x1p-30f), REAL(1));
    return pick(is_nan(x), x, as_real(as_bits(y) & inside));
}

// u dk/du, from dk/du; 0 where either is.
FN real times_argument(real s, real a, real slope)
{
    real u = s * a;
    bits none = MASK(magnitude(u) < PICK_REAL(0x1p-100f, 0x1p-1000)) | MASK(slope == REAL(0));
    return slope_kept(as_real(as_bits(u * slope) & ~none));
}

// exp(-u): -exp(-u). rbf, laplacian and chi2
FN real d_exponential(real s, real a, real b, real c)
{
    return -exp_nonpositive(-(s * a));
}

// exp(-r), r^2 = u: -exp(-r)/(2 r); 0 at 0
FN real d_matern12(real s, real a, real b, real c)
{
    real u = s * a;
    real y = slope_kept(damped(sqrt_pair(u), pair_of(REAL(0), REAL(0)))) * reciprocal_root(u) * REAL(-0.5f);
    return pick(is_nan(u), u, y);
}

// (1 + r) exp(-r): -exp(-r)/2
FN real d_matern32(real s, real a, real b, real c)
{
    return slope_kept(damped(sqrt_pair(s * a), pair_of(REAL(0), REAL(0)))) * REAL(-0.5f);
}

// (1 + r + r^2/3) exp(-r): -(1 + r) exp(-r)/6
FN real d_matern52(real s, real a, real b, real c)
{
    pair r = sqrt_pair(s * a);
    return slope_kept(damped(r, r)) * PICK_REAL(-0x1.555556p-3f, -0x1.5555555555555p-3);
}

// (1 + u)^b: b (1 + u)^b/(1 + u)
FN real d_rational_quadratic(real s, real a, real b, real c)
{
    real u = s * a;
    real y = real_product(real_product(b, power_of_sum(u, b)), reciprocal_from_one(REAL(1) + u));
    return pick(is_nan(u), u, slope_kept(y));
}

// alpha dk/dalpha, b = -alpha: b (1 + u)^b (log(1 + u) - u/(1 + u)). The last factor is 2 z^2/(1 + z) + 2 z^3 (1/3 +
// z^2/5 + z^4/7 + ...), z = u/(2 + u), for small u: log(1 + u) = 2 artanh(z).
FN real d_rational_quadratic_alpha(real s, real a, real b, real c)
{
    real u = s * a;
    bits small = MASK(u < REAL(0.5f));
    real near = as_real(as_bits(u) & small & MASK(u >= PICK_REAL(0x1p-50f, 0x1p-500)));
    real z = near * reciprocal_quick(REAL(2) + near), w = z * z;
#if REAL_BITS == 64
    real p = REAL(1.0 / 27);
    p = FMA(p, w, REAL(1.0 / 25));
    p = FMA(p, w, REAL(1.0 / 23));
    p = FMA(p, w, REAL(1.0 / 21));
    p = FMA(p, w, REAL(1.0 / 19));
    p = FMA(p, w, REAL(1.0 / 17));
    p = FMA(p, w, REAL(1.0 / 15));
    p = FMA(p, w, REAL(1.0 / 13));
    p = FMA(p, w, REAL(1.0 / 11));
    p = FMA(p, w, REAL(1.0 / 9));
    p = FMA(p, w, REAL(1.0 / 7));
#else
    real p = REAL(1.0f / 11);
    p = FMA(p, w, REAL(1.0f / 9));
    p = FMA(p, w, REAL(1.0f / 7));
#endif
    p = FMA(p, w, PICK_REAL(1.0f / 5, 1.0 / 5));
    p = FMA(p, w, PICK_REAL(1.0f / 3, 1.0 / 3));
    real l = w * FMA(z, p, reciprocal_quick(REAL(1) + z)) * REAL(2);
    real far = real_log1p(u) - (REAL(1) - reciprocal_from_one(REAL(1) + u));
    l = pick(small, l, far);
    real y = real_product(real_product(b, power_of_sum(u, b)), l);
    return pick(is_nan(u), u, slope_kept(y));
}

// 1/(1 + u): -1/(1 + u)^2
FN real d_cauchy(real s, real a, real b, real c)
{
    real y = reciprocal_from_one(REAL(1) + s * a);
    y = as_real(as_bits(y) & ~MASK(y < PICK_REAL(0x1p-50f, 0x1p-500)));
    return -(y * y);
}

// -sqrt(1 + u): -1/(2 sqrt(1 + u))
FN real d_multiquadric(real s, real a, real b, real c)
{
    return f_inverse_multiquadric(s, a, b, c) * REAL(-0.5f);
}

// 1/sqrt(1 + u): -(1 + u)^(-3/2)/2
FN real d_inverse_multiquadric(real s, real a, real b, real c)
{
    real y = f_inverse_multiquadric(s, a, b, c);
    y = as_real(as_bits(y) & ~MASK(y < PICK_REAL(0x1p-33f, 0x1p-330)));
    return y * y * y * REAL(-0.5f);
}

// u log(u)/2: (log(u) + 1)/2; 0 at 0
FN real d_thin_plate(real s, real a, real b, real c)
{
    real u = s * a;
    bits inside = MASK(u >= PICK_REAL(0x1p-100f, 0x1p-1000));
    real y = FMA(real_log(pick(inside, u, REAL(1))), REAL(0.5f), REAL(0.5f));
    return pick(is_nan(u), u, as_real(as_bits(y) & inside));
}

// (1 - r)^4 (4 r + 1) for r < 1: -10 (1 - r)^3. 1 - r is (1 - u)/(1 + r), as in the formula.
FN real d_wendland(real s, real a, real b, real c)
{
    real u = s * a;
    bits inside = MASK(u < REAL(1));
    real v = pick(inside, u, REAL(0));
    real t = (REAL(1) - v) * reciprocal_from_one(REAL(1) + real_sqrt(v));
    real y = as_real(as_bits(t * t * t * REAL(-10)) & inside);
    return pick(is_nan(u), u, y);
}

// exp(-b sin(pi d)^2), d^2 = u: the sine and the cosine of pi d, each but for its sign, and that of their product.
typedef struct turn_parts {
    real sine, cosine;
} turn_parts;

FN turn_parts periodic_turn(real u)
{
    turn_parts t;
    pair d = sqrt_pair_fine(u);
    split_turn turn = turn_split(d.hi);
    pair r = sum_exact(turn.r, d.lo);
    bits even = MASK((turn.n & 1) == 0);
    real sine = sin_polynomial(r.hi), cosine = cos_polynomial(r.hi),
         step = r.lo * PICK_REAL(0x1.921fb6p+1f, 0x1.921fb54442d18p+1);
    real x = FMA(step, cosine, sine), y = FMA(-step, sine, cosine);
    t.sine = pick(even, x, y);
    t.cosine = pick(even, y, -x); // a quarter of a turn on, sin is cos, and cos is -sin
    return t;
}

// -b pi sin(pi d) cos(pi d)/d exp(-b sin(pi d)^2); -b pi^2 at 0
FN real d_periodic(real s, real a, real b, real c)
{
    const real pi = PICK_REAL(0x1.921fb6p+1f, 0x1.921fb54442d18p+1);
    real u = s * a;
    turn_parts t = periodic_turn(u);
    real k = slope_kept(exp_nonpositive(-(t.sine * t.sine * b)));
    bits tiny = MASK(u < PICK_REAL(0x1p-60f, 0x1p-500));
    real w = pick(tiny, pi, t.sine * reciprocal_root(pick(tiny, REAL(1), u)));
    real y = real_product(real_product(k * t.cosine, w), b) * -pi;
    return pick(is_nan(u), u, slope_kept(y));
}

// l dk/dl, b = 2/l^2: 2 b sin(pi d)^2 k
FN real d_periodic_lengthscale(real s, real a, real b, real c)
{
    real u = s * a;
    turn_parts t = periodic_turn(u);
    real e = t.sine * t.sine * b;
    real y = real_product(e + e, slope_kept(exp_nonpositive(-e)));
    return pick(is_nan(u), u, slope_kept(y));
}

// p dk/dp, a = 1/p^2: -2 u dk/du
FN real d_periodic_period(real s, real a, real b, real c)
{
    return times_argument(s, a, d_periodic(s, a, b, c)) * REAL(-2);
}

// s: 1
FN real d_identity(real s, real a, real b, real c)
{
    return REAL(1);
}

// -s: -1
FN real d_negative(real s, real a, real b, real c)
{
    return REAL(-1);
}

// sqrt(s): 1/(2 sqrt(s)); 0 at 0
FN real d_euclidean(real s, real a, real b, real c)
{
    return reciprocal_root(s) * REAL(0.5f);
}

// (u + b)^c: c (u + b)^(c - 1), by u and by b
FN real d_polynomial(real s, real a, real b, real c)
{
    int n = (int)FIRST_LANE(c);
    if (n == 1)
        return REAL(1);
    return real_product(power_whole(affine(s, a, b), n - 1), c);
}

// tanh(v), v = u + b: 4 e/(1 + e)^2, e = exp(-2 |v|), by u and by b
FN real d_sigmoid(real s, real a, real b, real c)
{
    pair v = affine(s, a, b);
    real size = magnitude(v.hi), e = exp_nonpositive(REAL(-2) * size);
    real lo = as_real(as_bits(v.lo) ^ (as_bits(v.hi) & ~BITS(MAGNITUDE_BITS)));
    e = slope_kept(FMA(e * REAL(-2), as_real(as_bits(lo) & MASK(size < REAL(64))), e));
    real q = reciprocal_from_one(REAL(1) + e);
    return pick(is_nan(v.hi), v.hi, e * q * q * REAL(4));
}

#endif
