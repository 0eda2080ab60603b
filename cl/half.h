// Numbers rounded to IEEE binary16 (half precision), as 16 bits for memory. The rounding is done here and not by the
// device's conversions, which may be absent, round twice or flush. Half precision keeps its subnormal numbers: they are
// bits of an integer, where nothing can flush them.
#ifndef ISG_CL_HALF_H
#define ISG_CL_HALF_H

#include "real.h"

// The bits of x in half precision, rounded once, to nearest even, in the low 16 of each lane; the others are 0. Domain:
// all numbers. 65520 and more is infinite; every zero that comes out is +0; every NaN is 0x7e00.
//
// With 2^e the larger of 2^-14 and the power of two in |x|, a half's last place is 2^(e-10). That is also the last
// place of 2^(e+FIELD-10), to which adding |x| < 2^(e+1) rounds it: the sum's last bits count those places, and its
// exponent moved into a half's position counts the binades. Neither operands nor sum are subnormal, except for an x so
// small that it vanishes in the sum, flushed or not. The constant in the mantissa of the power of two makes up for the
// biases.
FN bits half_bits(real x)
{
    const bits smallest = PICK_BITS(0x38800000, 0x3f10000000000000); // 2^-14
    const bits infinite = PICK_BITS(0x47800000, 0x40f0000000000000); // 2^16, which stands for everything above
    const bits raise = PICK_BITS(0x06800800, 0x02a0000000001400);    // FIELD - 10 more in the exponent; the constant
    bits mag = as_bits(x) & BITS(MAGNITUDE_BITS);
    mag = pick_bits(MASK(mag < infinite), mag, infinite);
    bits power = mag & BITS(INFINITE_BITS);
    power = pick_bits(MASK(power > smallest), power, smallest);
    bits sum = as_bits(as_real(mag) + as_real(power + raise));
    bits r = (sum + (sum >> (FIELD - 10))) & BITS(0x7fff);
    bits negative = MASK(x < REAL(-0x1p-25f)); // and does not round to 0; false for NaN
    return r | (negative & BITS(0x8000)) | (is_nan(x) & BITS(0x0200));
}

#endif
