// Numbers in two parts, hi + lo with lo below half an ulp of hi (Dekker 1971): the arithmetic of weights on the host,
// about 2^-104 off. IEEE additions, multiplications, divisions and fma in double alone, and the contract's fused exp:
// the same bits on every host.
#ifndef ISG_LIB_TWOFOLD_H
#define ISG_LIB_TWOFOLD_H

#include "reference.h"

#include <math.h>

typedef struct pair {
    double hi, lo;
} pair;

static inline pair two_sum(double a, double b)
{
    double s = a + b, t = s - a;
    return (pair){s, (a - (s - t)) + (b - t)};
}

static inline pair two_product(double a, double b)
{
    double p = a * b;
    return (pair){p, fma(a, b, -p)};
}

static inline pair renormalized(double hi, double lo)
{
    double s = hi + lo;
    return (pair){s, lo - (s - hi)};
}

static inline pair add(pair a, pair b)
{
    pair s = two_sum(a.hi, b.hi);
    return renormalized(s.hi, s.lo + a.lo + b.lo);
}

static inline pair multiply(pair a, pair b)
{
    pair p = two_product(a.hi, b.hi);
    return renormalized(p.hi, p.lo + a.hi * b.lo + a.lo * b.hi);
}

static inline pair divide(pair a, pair b)
{
    double q = a.hi / b.hi;
    pair r = two_product(q, b.hi);
    return renormalized(q, ((a.hi - r.hi) - r.lo + a.lo - q * b.lo) / b.hi);
}

static inline pair minus(pair a)
{
    return (pair){-a.hi, -a.lo};
}

static inline pair exactly(double a)
{
    return (pair){a, 0};
}

static inline double exp_minus(double u)
{
    double x = -u, y;
    isg_reference_get(ISG_F64, true)->apply(FUNCTION_exp_nonpositive, &x, NULL, &y, 1);
    return y;
}

// exp(-u), as good as exp itself.
static inline pair exp_minus_pair(pair u)
{
    double e = exp_minus(u.hi);
    return renormalized(e, -e * u.lo);
}

// exp(-z^2/2)
static inline pair gaussian(pair z)
{
    pair u = multiply(z, z);
    return exp_minus_pair((pair){u.hi / 2, u.lo / 2});
}

// Place i of n from a to b, both included; mirror images are exact when a = -b.
static inline pair place(int64_t i, int64_t n, double a, double b)
{
    if (n < 2)
        return exactly(a);
    pair sum = add(two_product(a, (double)(n - 1 - i)), two_product(b, (double)i));
    return divide(sum, exactly((double)(n - 1)));
}

#endif
