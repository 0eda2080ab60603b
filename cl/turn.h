// The transpose of LANES vectors.
//
// CPUs mix two vectors in one instruction within their quarters of 128 bits, and move whole quarters in another. So
// the squares inside the quarters are transposed first (4 x 4 numbers, 2 x 2 doubles), and then the quarters go where
// they belong; any other order takes instructions that need a table of indices and a copy besides.
#ifndef ISG_CL_TURN_H
#define ISG_CL_TURN_H

#include "lanes.h"

#if defined(__clang__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define MIX(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#endif
#endif
#ifndef MIX
#if REAL_BITS == 64
#define MIX(a, b, ...) shuffle2(a, b, (ISG_CAT(ulong, LANES))(__VA_ARGS__))
#else
#define MIX(a, b, ...) shuffle2(a, b, (ISG_CAT(uint, LANES))(__VA_ARGS__))
#endif
#endif

// ONES_LOW, ONES_HIGH: numbers of a and b in turn, from the first and second half of each quarter; PAIRS: the same of
// pairs. QUARTERS_EVEN, QUARTERS_ODD: of a, then of b.
#if LANES == 16 && REAL_BITS == 32
#define ONES_LOW(a, b)      MIX(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define ONES_HIGH(a, b)     MIX(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define PAIRS_LOW(a, b)     MIX(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define PAIRS_HIGH(a, b)    MIX(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define QUARTERS_EVEN(a, b) MIX(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define QUARTERS_ODD(a, b)  MIX(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
#elif LANES == 8 && REAL_BITS == 32
#define ONES_LOW(a, b)   MIX(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define ONES_HIGH(a, b)  MIX(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define PAIRS_LOW(a, b)  MIX(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define PAIRS_HIGH(a, b) MIX(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#elif LANES == 4 && REAL_BITS == 32
#define ONES_LOW(a, b)   MIX(a, b, 0, 4, 1, 5)
#define ONES_HIGH(a, b)  MIX(a, b, 2, 6, 3, 7)
#define PAIRS_LOW(a, b)  MIX(a, b, 0, 1, 4, 5)
#define PAIRS_HIGH(a, b) MIX(a, b, 2, 3, 6, 7)
#elif LANES == 8
#define ONES_LOW(a, b)      MIX(a, b, 0, 8, 2, 10, 4, 12, 6, 14)
#define ONES_HIGH(a, b)     MIX(a, b, 1, 9, 3, 11, 5, 13, 7, 15)
#define QUARTERS_EVEN(a, b) MIX(a, b, 0, 1, 4, 5, 8, 9, 12, 13)
#define QUARTERS_ODD(a, b)  MIX(a, b, 2, 3, 6, 7, 10, 11, 14, 15)
#elif LANES == 4
#define ONES_LOW(a, b)  MIX(a, b, 0, 4, 2, 6)
#define ONES_HIGH(a, b) MIX(a, b, 1, 5, 3, 7)
#elif LANES == 2 // of either type
#define ONES_LOW(a, b)  MIX(a, b, 0, 2)
#define ONES_HIGH(a, b) MIX(a, b, 1, 3)
#endif
#define QUARTER (REAL_BITS == 32 && LANES >= 4 ? 4 : 2) // numbers in it

// t: LANES rows; to: as many columns, `step` vectors apart. They may not overlap.
#ifdef ONES_LOW
FN void turn(const real *t, global scalar *to, long step)
{
    real q[LANES];
    EACH (g, LANES / QUARTER) {
        const int first = g * QUARTER;
#ifdef PAIRS_LOW
        real a = ONES_LOW(t[first], t[first + 1]), b = ONES_HIGH(t[first], t[first + 1]);
        real c = ONES_LOW(t[first + 2], t[first + 3]), d = ONES_HIGH(t[first + 2], t[first + 3]);
        q[first] = PAIRS_LOW(a, c);
        q[first + 1] = PAIRS_HIGH(a, c);
        q[first + 2] = PAIRS_LOW(b, d);
        q[first + 3] = PAIRS_HIGH(b, d);
#else
        q[first] = ONES_LOW(t[first], t[first + 1]);
        q[first + 1] = ONES_HIGH(t[first], t[first + 1]);
#endif
    }
#define TURNED(n, v) STORE_ALIGNED(v, to + (long)(n)*step * LANES)
    EACH (k, QUARTER) {
#ifdef QUARTERS_EVEN
        real a = QUARTERS_EVEN(q[k], q[k + QUARTER]), b = QUARTERS_ODD(q[k], q[k + QUARTER]);
        real c = QUARTERS_EVEN(q[k + 2 * QUARTER], q[k + 3 * QUARTER]);
        real d = QUARTERS_ODD(q[k + 2 * QUARTER], q[k + 3 * QUARTER]);
        TURNED(k, QUARTERS_EVEN(a, c));
        TURNED(k + QUARTER, QUARTERS_EVEN(b, d));
        TURNED(k + 2 * QUARTER, QUARTERS_ODD(a, c));
        TURNED(k + 3 * QUARTER, QUARTERS_ODD(b, d));
#else
        if (LANES == QUARTER) {
            TURNED(k, q[k]);
        } else {
            real low, high;
            low.lo = q[k].lo;
            low.hi = q[k + LANES - QUARTER].lo;
            high.lo = q[k].hi;
            high.hi = q[k + LANES - QUARTER].hi;
            TURNED(k, low);
            TURNED(k + QUARTER, high);
        }
#endif
    }
#undef TURNED
}
#else // wider than vectors of processors are
FN void turn(const real *t, global scalar *to, long step)
{
    real q[LANES], u[LANES];
    EACH (r, LANES)
        q[r] = t[r];
    EACH (round, LANES > 8 ? 4 : LANES > 4 ? 3 : 2) {
        EACH (r, LANES / 2) {
            u[2 * r].even = q[r].lo;
            u[2 * r].odd = q[r + LANES / 2].lo;
            u[2 * r + 1].even = q[r].hi;
            u[2 * r + 1].odd = q[r + LANES / 2].hi;
        }
        EACH (r, LANES)
            q[r] = u[r];
    }
    EACH (r, LANES)
        STORE_ALIGNED(q[r], to + (long)r * step * LANES);
}
#endif

#endif
