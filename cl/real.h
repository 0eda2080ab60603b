// The real type and its bits: one source, read by the C compiler and by every OpenCL compiler.
//
// The reader defines, before including:
//   REAL_BITS  32 or 64: the precision
//   LANES      1, 2, 4, 8 or 16 values in a `real` (OpenCL only; the host is always scalar)
// and gets `real`; `bits`, the signed integer of the same size and lanes; `scalar` and `scalar_bits`, those of one
// lane. Lanes never mix, so any number of lanes gives the same bits.
#ifndef ISG_CL_REAL_H
#define ISG_CL_REAL_H

#define ISG_CAT_(a, b) a##b
#define ISG_CAT(a, b)  ISG_CAT_(a, b)

#ifdef __OPENCL_VERSION__

#pragma OPENCL FP_CONTRACT OFF
#if REAL_BITS == 64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double scalar;
typedef long scalar_bits;
#define ISG_REAL_NAME double
#define ISG_BITS_NAME long
#else
typedef float scalar;
typedef int scalar_bits;
#define ISG_REAL_NAME float
#define ISG_BITS_NAME int
#endif
#if LANES == 1
typedef ISG_REAL_NAME real;
typedef ISG_BITS_NAME bits;
#define as_real(b)      ISG_CAT(as_, ISG_REAL_NAME)(b)
#define as_bits(r)      ISG_CAT(as_, ISG_BITS_NAME)(r)
#define MASK(condition) (-(bits)(condition)) // a scalar comparison gives 0 or 1, a vector one 0 or -1
#define FIRST_LANE(r)   (r)
#else
typedef ISG_CAT(ISG_REAL_NAME, LANES) real;
typedef ISG_CAT(ISG_BITS_NAME, LANES) bits;
#define as_real(b)      ISG_CAT(ISG_CAT(as_, ISG_REAL_NAME), LANES)(b)
#define as_bits(r)      ISG_CAT(ISG_CAT(as_, ISG_BITS_NAME), LANES)(r)
#define MASK(condition) (condition)
#define FIRST_LANE(r)   ((r).s0)
#endif
#define SHIFT_UP(b, n) ((b) << (n))
#define WRAP_SUM(a, b) ((a) + (b))
#if __OPENCL_C_VERSION__ >= 120
#define FN static
#else
#define FN // OpenCL C 1.1 has no static functions
#endif

#else // the host

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#if FLT_EVAL_METHOD != 0
#error "isogram needs arithmetic without extra precision: on 32-bit x86 compile with -msse2 -mfpmath=sse"
#endif
#ifdef __FAST_MATH__
#error "isogram cannot be compiled with -ffast-math: results would not be the contract's"
#endif
#define FN    static inline
#define LANES 1
#if REAL_BITS == 64
typedef double real;
typedef int64_t bits;
typedef uint64_t unsigned_bits;
#else
typedef float real;
typedef int32_t bits;
typedef uint32_t unsigned_bits;
#endif
typedef real scalar;
typedef bits scalar_bits;
#define SHIFT_UP(b, n)  ((bits)((unsigned_bits)(b) << (n))) // C leaves a signed overflow open
#define WRAP_SUM(a, b)  ((bits)((unsigned_bits)(a) + (unsigned_bits)(b)))
#define MASK(condition) (-(bits)(condition))
#define FIRST_LANE(r)   (r)
FN real as_real(bits b)
{
    real r;
    memcpy(&r, &b, sizeof r);
    return r;
}
FN bits as_bits(real r)
{
    bits b;
    memcpy(&b, &r, sizeof b);
    return b;
}

#endif

#define REAL(constant) ((real)(scalar)(constant))
#define BITS(constant) ((bits)(scalar_bits)(constant))

// The format: digits, the exponent's bias, and where its field begins.
#if REAL_BITS == 64
#define FIELD               52
#define BIAS                1023
#define SMALLEST_NORMAL     0x1p-1022
#define INFINITE_BITS       0x7ff0000000000000
#define MANTISSA_BITS       0x000fffffffffffff
#define ONE_BITS            0x3ff0000000000000
#define NORMAL_BITS         0x0010000000000000 // of the smallest normal number
#define PICK_REAL(f32, f64) REAL(f64)
#define PICK_BITS(f32, f64) BITS(f64)
#else
#define FIELD               23
#define BIAS                127
#define SMALLEST_NORMAL     0x1p-126f
#define INFINITE_BITS       0x7f800000
#define MANTISSA_BITS       0x007fffff
#define ONE_BITS            0x3f800000
#define NORMAL_BITS         0x00800000
#define PICK_REAL(f32, f64) REAL(f32)
#define PICK_BITS(f32, f64) BITS(f32)
#endif
#define MAGNITUDE_BITS (INFINITE_BITS | MANTISSA_BITS) // all but the sign

// yes where the mask is -1, no where it is 0. MASK makes masks of comparisons.
FN real pick(bits mask, real yes, real no)
{
    return as_real((as_bits(yes) & mask) | (as_bits(no) & ~mask));
}

FN bits pick_bits(bits mask, bits yes, bits no)
{
    return (yes & mask) | (no & ~mask);
}

FN real magnitude(real x)
{
    return as_real(as_bits(x) & BITS(MAGNITUDE_BITS));
}

// |x| with the sign of s.
FN real with_sign(real x, real s)
{
    return as_real((as_bits(x) & BITS(MAGNITUDE_BITS)) | (as_bits(s) & ~BITS(MAGNITUDE_BITS)));
}

// -1 where x is a NaN; by its bits, for compilers have been seen to drop x != x.
FN bits is_nan(real x)
{
    return MASK((as_bits(x) & BITS(MAGNITUDE_BITS)) > BITS(INFINITE_BITS));
}

#endif
