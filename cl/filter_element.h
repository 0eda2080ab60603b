// Elements of arrays to numbers and back, and what counts as 0 or as large on the way. The build options IN and OUT say
// what lies in memory; CHECKED, whether input may be large.
#ifndef ISG_CL_FILTER_ELEMENT_H
#define ISG_CL_FILTER_ELEMENT_H

#include "filter.h"
#include "filter_scale.h"
#include "half.h"

#if IN == FILTER_F64 || OUT == FILTER_F64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
#if IN == FILTER_F32
typedef float element_in;
#elif IN == FILTER_F64
typedef double element_in;
#elif IN == FILTER_U8
typedef uchar element_in;
#elif IN == FILTER_I16
typedef short element_in;
#elif IN == FILTER_I32
typedef int element_in;
#else
typedef ushort element_in;
#endif
#if OUT == FILTER_F32
typedef float element_out;
#elif OUT == FILTER_F64
typedef double element_out;
#elif OUT == FILTER_U8
typedef uchar element_out;
#elif OUT == FILTER_I16
typedef short element_out;
#elif OUT == FILTER_I32
typedef int element_out;
#else
typedef ushort element_out;
#endif
#define REAL_IN  (IN == (REAL_BITS == 64 ? FILTER_F64 : FILTER_F32))
#define REAL_OUT (OUT == (REAL_BITS == 64 ? FILTER_F64 : FILTER_F32))

#if IN == FILTER_F16
// The number that 16 bits are, exactly; a NaN's digits move along.
FN scalar from_element(ushort half_number)
{
    const int field = half_number >> 10 & 31, digits = half_number & 1023;
    scalar value = (scalar)digits * (scalar)0x1p-24f; // subnormal, or zero
    if (field > 0) {
        scalar_bits b = ((scalar_bits)(field < 31 ? field - 15 + BIAS : 2 * BIAS + 1) << FIELD) |
                        ((scalar_bits)digits << (FIELD - 10));
#if REAL_BITS == 64
        value = as_double(b);
#else
        value = as_float(b);
#endif
    }
    return half_number >> 15 ? -value : value;
}
#else
// Rounded to nearest even where the real type is the narrower one.
FN scalar from_element(element_in element)
{
    return (scalar)element;
}
#endif

#if OUT == FILTER_F16
FN void to_elements(real v, element_out *lane)
{
    bits b = half_bits(v);
#if LANES == 1
    lane[0] = (ushort)b;
#else
    scalar_bits each[LANES];
    ISG_CAT(vstore, LANES)(b, 0, each);
    for (int l = 0; l < LANES; l++)
        lane[l] = (ushort)each[l];
#endif
}
#elif OUT == FILTER_F32 || OUT == FILTER_F64
FN void to_elements(real v, element_out *lane)
{
    scalar each[LANES];
#if REAL_BITS == 64 && OUT == FILTER_F32
    v = as_real(as_bits(v) & ~MASK(magnitude(v) < REAL(0x1p-126f))); // which would be subnormal
#endif
    STORE(v, each);
    for (int l = 0; l < LANES; l++)
        lane[l] = (element_out)each[l];
}
#else

#if OUT == FILTER_U8
#define LOWEST  0
#define HIGHEST 255
#elif OUT == FILTER_U16
#define LOWEST  0
#define HIGHEST 65535
#elif OUT == FILTER_I16
#define LOWEST  (-32768)
#define HIGHEST 32767
#else
#define LOWEST  (-2147483647 - 1)
#define HIGHEST 2147483647
#endif

// Whole numbers: rounded to nearest even, by adding a power of two to which halves are too small; then the nearest one
// that there is; 0 for NaN.
FN void to_elements(real v, element_out *lane)
{
    const real shift = PICK_REAL(0x1p23f, 0x1p52);
    real mag = magnitude(v);
    real whole = pick(MASK(mag < shift), with_sign((mag + shift) - shift, v), v);
    scalar each[LANES];
    STORE(as_real(as_bits(whole) & ~is_nan(v)), each);
    for (int l = 0; l < LANES; l++) {
        // The bounds are powers of two, or small: numbers of either precision.
        const scalar above = OUT == FILTER_I32 ? (scalar)2147483648.0f : (scalar)HIGHEST;
        lane[l] = each[l] >= above ? HIGHEST : each[l] <= (scalar)LOWEST ? LOWEST : (element_out)each[l];
    }
}

#endif

// One element scaled, or 0, in lane 0 of a vector.
FN scalar kept_one(scalar x, global const scalar *numbers, bits *large)
{
    real v = (real)x;
#if CHECKED
    *large |= is_large(v, (real)numbers[FILTER_LARGE]);
#endif
    return FIRST_LANE(kept(v, (real)numbers[FILTER_TINY_IN], (real)numbers[FILTER_SCALE_IN]));
}

#endif
