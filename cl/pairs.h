// How two coordinates add to the pair's number: one function per isg_pair. The coordinates come in order, and each pair
// has one accumulator.
#ifndef ISG_CL_PAIRS_H
#define ISG_CL_PAIRS_H

#include "fma.h"

FN real add_sqdist(real sum, real y, real x)
{
    real t = y - x;
    return FMA(t, t, sum);
}

FN real add_l1(real sum, real y, real x)
{
    return sum + magnitude(y - x);
}

#endif
