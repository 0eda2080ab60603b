// The two halves of what gram.cl does for a pair, in registers alone: how fast a device can do them at most. Build
// options as there, for the value and the pair's numbers.
//
// What a round computes must not be known from the round before, or a compiler would take it out of the loop; and what
// keeps it unknown must cost next to nothing. All numbers that come in are in [1, 2), and no result is ever infinite or
// subnormal.
#include "lanes.h"
#include "pairs.h"
#include "value.h"

// Coordinates of one side that one of the other meets in a round; and accumulators, of all a pair's numbers together
// few enough to stay in 16 registers and enough to keep every unit busy. Two steps of one accumulator follow each
// other, so that no more than one result is on its way to a register of its own.
#define POINTS 20
#if defined(ADD_SQDIST) + defined(ADD_L1) + defined(ADD_DOT) + defined(ADD_CHI2) > 1
#define SUMS 5
#else
#define SUMS 10
#endif

// Values beside each other: enough that none waits for the one of the round before.
#define VALUES 12

#define START(name, step)                                                                                              \
    real sums_##name[SUMS];                                                                                            \
    EACH (p, SUMS)                                                                                                     \
        sums_##name[p] = REAL(0);
#define ADD(name, step) sums_##name[p * SUMS / POINTS] = step(sums_##name[p * SUMS / POINTS], y, x[p], w);
#define GATHER(name, step)                                                                                             \
    EACH (p, SUMS)                                                                                                     \
        all = all + sums_##name[p];

// POINTS steps a round. values: POINTS + 2 vectors in [1, 2).
kernel void limit_steps(global const scalar *values, global scalar *out, int rounds)
{
    real x[POINTS];
    EACH (p, POINTS)
        x[p] = LOAD(values + p * LANES);
    real y = LOAD(values + POINTS * LANES), w = LOAD(values + (POINTS + 1) * LANES);
    EACH_PAIR(START)
    for (int n = 0; n < rounds; n++) {
        y = REAL(3) - y; // takes two values by turns, which only one who knows them can tell
        EACH (p, POINTS) {
            EACH_PAIR(ADD)
        }
    }
    real all = REAL(0);
    EACH_PAIR(GATHER)
    STORE(all, out + (int)get_global_id(0) * LANES);
}

#define FROM_NUMBER(name, step) real name = number[p];

// VALUES values a round; each value's mantissa, as a number in [1, 2), is what the next one is computed from. values:
// VALUES + 1 vectors in [1, 2).
kernel void limit_values(global const scalar *values, global const scalar *numbers, global scalar *out, int rounds)
{
    real number[VALUES], other = LOAD(values + VALUES * LANES);
    EACH (p, VALUES)
        number[p] = LOAD(values + p * LANES);
    for (int n = 0; n < rounds; n++) {
        EACH (p, VALUES) {
            EACH_PAIR(FROM_NUMBER)
#if NORMS
            const real least = PICK_REAL(0x1p-26f, 0x1p-55);
            pair inverse = inverse_norms(pair_of(other, other * least), pair_of(number[p], least));
#endif
            real value = VALUE;
#if ROW_FACTORS
            value = real_product(value, other);
#endif
            number[p] = as_real((as_bits(value) & BITS(MANTISSA_BITS)) | BITS(ONE_BITS));
        }
    }
    real all = other;
    EACH (p, VALUES)
        all = all + number[p];
    STORE(all, out + (int)get_global_id(0) * LANES);
}
