// The generator of the certificate's inputs. Every input is made from its integers by exact steps or one IEEE
// operation, so that all hosts make the same ones.
#ifndef ISG_LIB_VERIFY_INPUTS_H
#define ISG_LIB_VERIFY_INPUTS_H

#include <stdint.h>

// splitmix64: Steele, Lea, Flood 2014.
static inline uint64_t next_integer(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

// In [-1, 1), 24 random bits.
static inline double next_fraction(uint64_t *state)
{
    return (double)((int64_t)(next_integer(state) >> 40) - (1 << 23)) * 0x1p-23;
}

#endif
