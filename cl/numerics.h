// The contract's arithmetic: one source, read by the C compiler and by every OpenCL compiler.
//
// The reader defines, before including:
//   REAL_BITS  32 or 64: the precision
//   FUSED      1: FMA(a, b, c) rounds once; 0: it is a multiply, then an add
//   LANES      1, 2, 4, 8 or 16 values in a `real` (OpenCL only; the host is always scalar)
// and gets `real`, `bits` (the integer of the same size and lanes), REAL(c) for constants, and the functions below.
// They use + - *, fma and integer operations, nothing that a device may compute in its own way: no built-in function
// but fma, no division. Lanes never mix, so any number of lanes gives the same bits.
//
// No result depends on a subnormal number: a device may flush them. Results below the smallest normal number are +0.
#ifndef ISG_CL_NUMERICS_H
#define ISG_CL_NUMERICS_H

#define ISG_CAT_(a, b) a##b
#define ISG_CAT(a, b)  ISG_CAT_(a, b)

#ifdef __OPENCL_VERSION__

#pragma OPENCL FP_CONTRACT OFF
#if REAL_BITS == 64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double scalar;
#define ISG_REAL_NAME double
#define ISG_BITS_NAME long
#else
typedef float scalar;
#define ISG_REAL_NAME float
#define ISG_BITS_NAME int
#endif
#if LANES == 1
typedef ISG_REAL_NAME real;
typedef ISG_BITS_NAME bits;
#define as_real(b)      ISG_CAT(as_, ISG_REAL_NAME)(b)
#define as_bits(r)      ISG_CAT(as_, ISG_BITS_NAME)(r)
#define MASK(condition) (-(bits)(condition)) // a scalar comparison gives 0 or 1, a vector one 0 or -1
#else
typedef ISG_CAT(ISG_REAL_NAME, LANES) real;
typedef ISG_CAT(ISG_BITS_NAME, LANES) bits;
#define as_real(b)      ISG_CAT(ISG_CAT(as_, ISG_REAL_NAME), LANES)(b)
#define as_bits(r)      ISG_CAT(ISG_CAT(as_, ISG_BITS_NAME), LANES)(r)
#define MASK(condition) (condition)
#endif
#define FMA_FUSED(a, b, c) fma(a, b, c)
#define SHIFT_UP(b, n)     ((b) << (n))
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
#define FN static inline
#if REAL_BITS == 64
typedef double real;
typedef int64_t bits;
typedef uint64_t unsigned_bits;
#define FMA_FUSED(a, b, c) fma(a, b, c)
#else
typedef float real;
typedef int32_t bits;
typedef uint32_t unsigned_bits;
#define FMA_FUSED(a, b, c) fmaf(a, b, c)
#endif
typedef real scalar;
#define SHIFT_UP(b, n)  ((bits)((unsigned_bits)(b) << (n))) // C leaves a signed overflow open
#define MASK(condition) (-(bits)(condition))
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

#if FUSED
#define FMA(a, b, c) FMA_FUSED(a, b, c)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif

// The smallest normal number, and 2^32 to keep products above it for long enough to look at them.
#if REAL_BITS == 64
#define SMALLEST_NORMAL 0x1p-1022
#else
#define SMALLEST_NORMAL 0x1p-126f
#endif
#define LIFT 4294967296.0f

// a * b for 0 <= a < 2^60, 0 <= b <= 2^30; +0 where the product is below the smallest normal number. Looking at the
// plain product would not do: whether one that rounds up to the smallest normal number is flushed differs from device
// to device.
FN real mul_normal(real a, real b)
{
    real lifted = a * REAL(LIFT) * b;
    real kept = as_real(as_bits(lifted) & ~MASK(lifted < REAL(SMALLEST_NORMAL * LIFT)));
    return kept * REAL(1 / LIFT);
}

// exp(x) = 2^n exp(r), n = rint(x log2 e), r = x - n ln 2 in two steps (Cody and Waite 1980), exp(r) by a polynomial.
// tools/minimax.py finds its coefficients (relative error 2^-60 in double); those of single were then moved by some
// units in the last place, until no input at all was beyond 1 ulp in either arithmetic (tests/exhaust_exp.c). n comes
// by adding 1.5 * 2^(mantissa bits) and the exponent's bias, so that the sum's low bits are 2^n's exponent field: PoCL
// turns rint and convert into calls.
#if REAL_BITS == 64
#define EXP_SHIFT        REAL(0x1.8p52 + 1023)
#define EXP_FIELD        52
#define EXP_LOG2_E       REAL(0x1.71547652b82fep+0)
#define EXP_MINUS_LN2_HI REAL(-0x1.62e42fefa38p-1) // 42 bits: its product with n is exact
#define EXP_MINUS_LN2_LO REAL(-0x1.ef35793c7673p-45)
#define EXP_LOWEST       REAL(-0x1.6232bdd7abcd2p+9) // ln of the smallest normal number, rounded up
#else
#define EXP_SHIFT        REAL(0x1.8p23f + 127)
#define EXP_FIELD        23
#define EXP_LOG2_E       REAL(0x1.715476p+0f)
#define EXP_MINUS_LN2_HI REAL(-0x1.62e4p-1f) // 15 bits
#define EXP_MINUS_LN2_LO REAL(-0x1.7f7d1cp-20f)
#define EXP_LOWEST       REAL(-0x1.5d589ep+6f)
#endif

// exp(r) for |r| <= ln(2)/2, give or take a rounding.
FN real exp_reduced(real r)
{
#if REAL_BITS == 64
    real q = REAL(0x1.1e3d2c57ff672p-29);
    q = FMA(q, r, REAL(0x1.af6beaec94d02p-26));
    q = FMA(q, r, REAL(0x1.27e5b449991ecp-22));
    q = FMA(q, r, REAL(0x1.71ddf01f19fb2p-19));
    q = FMA(q, r, REAL(0x1.a01a01368c527p-16));
    q = FMA(q, r, REAL(0x1.a01a01b37ee23p-13));
    q = FMA(q, r, REAL(0x1.6c16c16c3049dp-10));
    q = FMA(q, r, REAL(0x1.111111110ec5cp-7));
    q = FMA(q, r, REAL(0x1.5555555555503p-5));
    q = FMA(q, r, REAL(0x1.555555555555bp-3));
    q = FMA(q, r, REAL(0x1p-1));
#else
    real q = REAL(0x1.6994c2p-10f);
    q = FMA(q, r, REAL(0x1.124312p-7f));
    q = FMA(q, r, REAL(0x1.555874p-5f));
    q = FMA(q, r, REAL(0x1.555478p-3f));
    q = FMA(q, r, REAL(0x1.fffffep-2f));
#endif
    return FMA(q, r * r, r) + REAL(1);
}

// exp(x) for x <= 0, the function of the Gaussian: +0 where the result would not be a normal number, NaN for NaN. Below
// 1 ulp. Unspecified for x > 0.
FN real exp_nonpositive(real x)
{
    real z = FMA(x, EXP_LOG2_E, EXP_SHIFT);
    real n = z - EXP_SHIFT;
    real r = FMA(n, EXP_MINUS_LN2_HI, x);
    r = FMA(n, EXP_MINUS_LN2_LO, r);
    real power = as_real(SHIFT_UP(as_bits(z), EXP_FIELD));
    return as_real(as_bits(exp_reduced(r) * power) & ~MASK(x < EXP_LOWEST));
}

#endif
