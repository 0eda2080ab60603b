// How two coordinates add to a pair's number: one function per isg_pair. The coordinates come in order, and each pair
// has one accumulator. t is the difference y - x, or that times the coordinate's weight.
//
// Below 2^-126 (2^-1022) devices differ: some keep a subnormal number, some make it 0. Where the data, or what is done
// with the sum, could show that, the fine functions leave out small terms; lib/plan.c says when. For all other data
// they give what the plain ones give.
#ifndef ISG_CL_PAIRS_H
#define ISG_CL_PAIRS_H

#include "pair.h"

FN real add_sqdist(real sum, real t)
{
    return FMA(t, t, sum);
}

// Only squares that are normal numbers.
FN real add_sqdist_fine(real sum, real t)
{
    return add_sqdist(sum, as_real(as_bits(t) & ~MASK(magnitude(t) < PICK_REAL(0x1p-63f, 0x1p-511))));
}

FN real add_l1(real sum, real t)
{
    return sum + magnitude(t);
}

FN real add_l1_fine(real sum, real t)
{
    return add_l1(sum, as_real(as_bits(t) & ~MASK(magnitude(t) < REAL(SMALLEST_NORMAL))));
}

FN real add_dot(real sum, real y, real x)
{
    return FMA(y, x, sum);
}

// Only products of which no sum comes close to a subnormal number: they are multiples of 2^-125 (2^-1004).
FN real add_dot_fine(real sum, real y, real x)
{
    bits small = MASK(magnitude(y * x) < PICK_REAL(0x1p-78f, 0x1p-898));
    return FMA(as_real(as_bits(y) & ~small), x, sum);
}

// (y - x)^2/(y + x) for x, y >= 0, with 1/(y + x) within 2 ulp; 0/0 is 0: the quotient t/(x + y) comes first, for it is
// at most 1.
FN real add_chi2(real sum, real y, real x)
{
    real t = y - x, w = y + x;
    real q = t * reciprocal_quick(w);
    return FMA(as_real(as_bits(q) & ~MASK(w == REAL(0))), t, sum);
}

FN real add_chi2_fine(real sum, real y, real x)
{
    real t = y - x, w = y + x;
    bits small = MASK(w < PICK_REAL(0x1p-75f, 0x1p-899));
    real q = t * reciprocal_quick(pick(small, REAL(1), w));
    return FMA(as_real(as_bits(q) & ~small), t, sum);
}

// The pairs' numbers that a program is built with: those whose ADD_ is defined. EACH_PAIR(F) is F(name, step) for each;
// step(sum, y, x, w) adds two coordinates, w being the coordinate's weight where there are WEIGHTS.
#if defined(WEIGHTS) && WEIGHTS
#define DIFFERENCE(y, x, w) (((y) - (x)) * (w))
#else
#define DIFFERENCE(y, x, w) ((y) - (x))
#endif
#define STEP_SQDIST(sum, y, x, w) ADD_SQDIST(sum, DIFFERENCE(y, x, w))
#define STEP_L1(sum, y, x, w)     ADD_L1(sum, DIFFERENCE(y, x, w))
#define STEP_DOT(sum, y, x, w)    ADD_DOT(sum, y, x)
#define STEP_CHI2(sum, y, x, w)   ADD_CHI2(sum, y, x)
#ifdef ADD_SQDIST
#define WITH_SQDIST(F) F(sqdist, STEP_SQDIST)
#else
#define WITH_SQDIST(F)
#endif
#ifdef ADD_L1
#define WITH_L1(F) F(l1, STEP_L1)
#else
#define WITH_L1(F)
#endif
#ifdef ADD_DOT
#define WITH_DOT(F) F(dot, STEP_DOT)
#else
#define WITH_DOT(F)
#endif
#ifdef ADD_CHI2
#define WITH_CHI2(F) F(chi2, STEP_CHI2)
#else
#define WITH_CHI2(F)
#endif
#define EACH_PAIR(F) WITH_SQDIST(F) WITH_L1(F) WITH_DOT(F) WITH_CHI2(F)

#endif
