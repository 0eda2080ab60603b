// What counts as 0, and what is too large: lib/filter_plan.h says why.
#ifndef ISG_CL_FILTER_SCALE_H
#define ISG_CL_FILTER_SCALE_H

#include "lanes.h"

// x times the scale, or 0 where x is below `tiny`.
FN real kept(real x, real tiny, real scale)
{
    bits mag = as_bits(x) & BITS(MAGNITUDE_BITS);
    return as_real(as_bits(x) & MASK(mag >= as_bits(tiny))) * scale;
}

FN bits is_large(real x, real large)
{
    bits mag = as_bits(x) & BITS(MAGNITUDE_BITS);
    return MASK(mag >= as_bits(large)) & MASK(mag < BITS(INFINITE_BITS));
}

// For a work-item to say so; several may, at once. Atomic functions abort compilers for OpenCL C 1.1.
#if defined(__OPENCL_C_VERSION__) && __OPENCL_C_VERSION__ >= 120
#define RAISE(flag) atomic_or((volatile global int *)(flag), 1)
#else
#define RAISE(flag) (*(flag) = 1)
#endif

FN int any_lane(bits mask)
{
#if LANES == 1
    return mask != 0;
#else
    scalar_bits lane[LANES];
    ISG_CAT(vstore, LANES)(mask, 0, lane);
    int any = 0;
    for (int l = 0; l < LANES; l++)
        any |= lane[l] != 0;
    return any;
#endif
}

#endif
