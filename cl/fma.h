// The multiply-add, in the three ways of the contract.
//
// The reader defines FUSED: 1: FMA(a, b, c) rounds once; 0: it is a multiply, then an add. And, where the device's fma
// is missing or not to be trusted, FMA_BY_INTEGERS: 1: what rounds once is fma_by_integers below. The host always has
// that function; in OpenCL, DEFINE_FMA_BY_INTEGERS asks for it alone.
#ifndef ISG_CL_FMA_H
#define ISG_CL_FMA_H

#include "real.h"

#ifndef FMA_BY_INTEGERS
#define FMA_BY_INTEGERS 0
#endif

#if FMA_BY_INTEGERS
#define FMA_FUSED(a, b, c) fma_by_integers(a, b, c)
#elif defined(__OPENCL_VERSION__) || REAL_BITS == 64
#define FMA_FUSED(a, b, c) fma(a, b, c)
#else
#define FMA_FUSED(a, b, c) fmaf(a, b, c)
#endif

#if FUSED
#define FMA(a, b, c) FMA_FUSED(a, b, c)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif

#if FMA_BY_INTEGERS || defined(DEFINE_FMA_BY_INTEGERS) || !defined(__OPENCL_VERSION__)

#ifdef __OPENCL_VERSION__

#define FMA_FN    FN __attribute__((noinline)) // a kernel calls it dozens of times
#define SIGNED(u) as_bits(u)
#if LANES == 1
typedef ISG_CAT(u, ISG_BITS_NAME) unsigned_bits;
#define UNSIGNED(b) ISG_CAT(as_u, ISG_BITS_NAME)(b)
#else
typedef ISG_CAT(ISG_CAT(u, ISG_BITS_NAME), LANES) unsigned_bits;
#define UNSIGNED(b) ISG_CAT(ISG_CAT(as_u, ISG_BITS_NAME), LANES)(b)
#endif

#else // the host

#define FMA_FN      FN
#define SIGNED(u)   ((bits)(u))
#define UNSIGNED(b) ((unsigned_bits)(b))

// OpenCL's mul_hi, the upper word of x y, from the products of halves: C has no integer for twice 64 bits.
FN unsigned_bits mul_hi(unsigned_bits x, unsigned_bits y)
{
    const int half = REAL_BITS / 2;
    const unsigned_bits low = ((unsigned_bits)1 << half) - 1;
    unsigned_bits middle = (x >> half) * (y & low) + ((x & low) * (y & low) >> half);
    unsigned_bits other = (x & low) * (y >> half) + (middle & low);
    return (x >> half) * (y >> half) + (middle >> half) + (other >> half);
}

// OpenCL's clz, the zeros in front of the first one; REAL_BITS - 1 for 0, where any number will do.
FN unsigned_bits clz(unsigned_bits x)
{
    unsigned_bits count = 0;
    for (int step = REAL_BITS / 2; step; step /= 2) {
        unsigned_bits none = x >> (REAL_BITS - step) == 0;
        x <<= none ? step : 0;
        count += none ? (unsigned_bits)step : 0;
    }
    return count;
}

#endif

#define UNSIGNED_MASK(condition) UNSIGNED(MASK(condition))
#define NEGATIVE(u)              UNSIGNED_MASK(SIGNED(u) < 0)

FN unsigned_bits choose(unsigned_bits mask, unsigned_bits yes, unsigned_bits no)
{
    return (yes & mask) | (no & ~mask);
}

// The exponent's field of a magnitude, less 1; a subnormal number has that of the smallest normal ones.
FN unsigned_bits exponent_above_least(unsigned_bits magnitude)
{
    unsigned_bits field = magnitude >> FIELD;
    return field + UNSIGNED_MASK(field > 0);
}

// a b + c rounded once, to nearest even, exactly as IEEE 754 says: subnormal numbers, infinities, NaN and the signs of
// zeros included. Integers only, and masks in place of branches, for lanes take different ways.
//
// The product and c are numbers of two words, hi and lo, side by side: the digit of weight 1 of either mantissa is
// third from the top. The one of the lesser exponent is shifted right, and what it loses leaves a 1 in the last place.
// That is all that rounding needs to know, for the greater one ends in zeros, and whenever something is lost, the sum
// is of the greater one's size or it is subnormal: either way the digits that it keeps end above the last place.
FMA_FN real fma_by_integers(real a, real b, real c)
{
    const unsigned_bits word = REAL_BITS, infinite = INFINITE_BITS, top = (unsigned_bits)1 << (REAL_BITS - 1);
    unsigned_bits sign_ab = UNSIGNED(as_bits(a) ^ as_bits(b)), sign_c = UNSIGNED(as_bits(c));
    unsigned_bits mag_a = UNSIGNED(as_bits(a)) & MAGNITUDE_BITS, mag_b = UNSIGNED(as_bits(b)) & MAGNITUDE_BITS;
    unsigned_bits mag_c = sign_c & MAGNITUDE_BITS;

    unsigned_bits exponent_a = exponent_above_least(mag_a), exponent_b = exponent_above_least(mag_b);
    unsigned_bits exponent_c = exponent_above_least(mag_c);
    unsigned_bits digits_a = (mag_a - (exponent_a << FIELD)) << (REAL_BITS - 1 - FIELD);
    unsigned_bits digits_b = (mag_b - (exponent_b << FIELD)) << (REAL_BITS - 2 - FIELD);
    unsigned_bits big_hi = mul_hi(digits_a, digits_b), big_lo = digits_a * digits_b;
    unsigned_bits small_hi = (mag_c - (exponent_c << FIELD)) << (REAL_BITS - 3 - FIELD), small_lo;

    // A product of 0 goes below any c, which must not lose bits beside it. (Others without a high word are there.)
    unsigned_bits exponent = exponent_a + exponent_b - (BIAS - 1) - (UNSIGNED_MASK(big_hi == 0) & (2 * BIAS));
    unsigned_bits distance = exponent - exponent_c, swap = NEGATIVE(distance);
    unsigned_bits exchange = (big_hi ^ small_hi) & swap;
    exponent = choose(swap, exponent_c, exponent);
    big_hi ^= exchange;
    small_hi ^= exchange;
    small_lo = big_lo & swap;
    big_lo &= ~swap;

    // The shift, of 2 REAL_BITS - 1 places at most: no number reaches the topmost.
    distance = (distance ^ swap) - swap;
    distance = (distance | UNSIGNED_MASK(distance >= 2 * word)) & (2 * REAL_BITS - 1);
    unsigned_bits whole = UNSIGNED_MASK(distance >= word), rest = distance & (REAL_BITS - 1);
    unsigned_bits lost = small_lo & whole;
    small_lo = choose(whole, small_hi, small_lo);
    small_hi &= ~whole;
    lost |= (small_lo << 1) << (rest ^ (REAL_BITS - 1));
    small_lo = (small_lo >> rest) | ((small_hi << 1) << (rest ^ (REAL_BITS - 1))) | (UNSIGNED_MASK(lost != 0) & 1);
    small_hi >>= rest;

    // big - small = big + ~small + 1, and big is even; the same turns a negative difference about.
    unsigned_bits subtract = NEGATIVE(sign_ab ^ sign_c);
    big_lo |= subtract & 1;
    unsigned_bits lo = big_lo + (small_lo ^ subtract);
    unsigned_bits hi = big_hi + (small_hi ^ subtract) - UNSIGNED_MASK(lo < big_lo);
    unsigned_bits turn = subtract & NEGATIVE(hi);
    lo = (lo ^ turn) - turn;
    hi = (hi ^ turn) - (turn & UNSIGNED_MASK(lo == 0));
    unsigned_bits zero = UNSIGNED_MASK((hi | lo) == 0);
    unsigned_bits sign = (choose(swap, sign_c, sign_ab) ^ turn) & ~(subtract & zero);

    // Shifted left until the first digit is at the top, or until the exponent is the least.
    exponent += 2;
    unsigned_bits empty = UNSIGNED_MASK(hi == 0);
    unsigned_bits up = clz(choose(empty, lo, hi)) + (empty & word);
    up = choose(UNSIGNED_MASK(up < exponent), up, exponent);
    whole = UNSIGNED_MASK(up >= word);
    rest = up & (REAL_BITS - 1);
    hi = choose(whole, lo, hi);
    lo &= ~whole;
    hi = (hi << rest) | ((lo >> 1) >> (rest ^ (REAL_BITS - 1)));
    lo <<= rest;

    // A first digit adds 1 to the exponent's field; so does rounding up from all ones, and that may reach infinity. The
    // digits beyond the mantissa, a 1 for those of lo and a 1 for an odd mantissa are together above half, or not.
    unsigned_bits mantissa = hi >> (REAL_BITS - 1 - FIELD);
    unsigned_bits beyond = (hi << (FIELD + 1)) | (UNSIGNED_MASK(lo != 0) & 1) | (mantissa & 1);
    unsigned_bits result = ((exponent - up) << FIELD) + mantissa;
    result -= UNSIGNED_MASK(beyond > top);
    result = choose(UNSIGNED_MASK(result < infinite), result, infinite) & ~zero;

    unsigned_bits infinite_ab = UNSIGNED_MASK((mag_a == infinite) | (mag_b == infinite));
    unsigned_bits infinite_c = UNSIGNED_MASK(mag_c == infinite);
    unsigned_bits zero_ab = UNSIGNED_MASK((mag_a == 0) | (mag_b == 0));
    unsigned_bits nan = UNSIGNED_MASK((mag_a > infinite) | (mag_b > infinite) | (mag_c > infinite));
    nan |= infinite_ab & (zero_ab | (infinite_c & subtract));
    result = choose(infinite_ab | infinite_c, infinite, result) | (nan & MAGNITUDE_BITS);
    sign = choose(infinite_c, sign_c, choose(infinite_ab, sign_ab, sign));
    return as_real(SIGNED(result | (sign & top)));
}

#undef FMA_FN
#undef SIGNED
#undef UNSIGNED
#undef UNSIGNED_MASK
#undef NEGATIVE

#endif

#endif
