// Squared distances of a block of pairs by products, s = |x|^2 + |y|^2 - 2 x.y, where one multiply-add takes the place
// of a difference and a multiply-add; and which of them have lost too much by it. Of points as they are seen from one
// centre (recentre.cl), lest s is a small difference of large numbers wherever points lie far from the origin.
//
// The coordinates are added in stretches, each in an accumulator of its own, and these in order: that makes the number
// of roundings that a term goes through, and so the bound, STRETCH + d/STRETCH instead of d. lib/expansion.c has it:
//   |s - exact| <= growth (|x|^2 + |y|^2) + least
#ifndef ISG_CL_EXPANDED_H
#define ISG_CL_EXPANDED_H

#include "lanes.h"

// As lib/expansion.h has it.
#define STRETCH 32
// Where x and y are the same points, pairs of points that are less than this far from each other in their order are
// always subtracted: so the diagonal is exact whatever the points are. Mirrored tiles on the diagonal lie within.
#define BAND 64

#if LANES == 1
#define FOLD(t, op) (t)
#else
// The lanes of t, two by two, and once more behind them.
#define FOLD(t, op) (bits)((t).even op(t).odd, (t).even op(t).odd)
#endif
#if LANES == 1
#define FOLD_ALL(t, op)
#elif LANES == 2
#define FOLD_ALL(t, op) t = FOLD(t, op);
#elif LANES == 4
#define FOLD_ALL(t, op) t = FOLD(t, op), t = FOLD(t, op);
#elif LANES == 8
#define FOLD_ALL(t, op) t = FOLD(t, op), t = FOLD(t, op), t = FOLD(t, op);
#else
#define FOLD_ALL(t, op) t = FOLD(t, op), t = FOLD(t, op), t = FOLD(t, op), t = FOLD(t, op);
#endif

FN scalar_bits any_lane(bits t)
{
    FOLD_ALL(t, |)
    return FIRST_LANE(t);
}

FN scalar_bits sum_of_lanes(bits t)
{
    FOLD_ALL(t, +)
    return FIRST_LANE(t);
}

// -1 in the lanes l for which |from + l| < BAND.
FN bits within_band(int from)
{
    scalar_bits lane[LANES];
    for (int l = 0; l < LANES; l++)
        lane[l] = from + l < BAND && from + l > -BAND ? -1 : 0;
    return LOAD(lane);
}

// Part of gram.cl, which says how panels are read. a, b: of the block's rows and columns, in panels as gram.cl's.
// again: -1 where the difference has to be taken first. off: of the block's first column from its first row, in the
// order of the points. A distance is good enough where growth (|x|^2 + |y|^2) + least < enough or s times part. Gives
// whether there are any that are not.
FN int expanded_block(real s[ROWS][VECTORS], bits again[ROWS][VECTORS], global const scalar *a, global const scalar *b,
                      global const scalar *row_norms, global const scalar *col_norms, int d, int off, scalar growth,
                      scalar least, scalar enough, scalar part)
{
    real sums[ROWS][VECTORS];
    EACH (r, ROWS)
        EACH (c, VECTORS)
            s[r][c] = REAL(0);
    for (int q = 0; q < d;) {
        int end = q + STRETCH < d ? q + STRETCH : d;
        EACH (r, ROWS)
            EACH (c, VECTORS)
                sums[r][c] = REAL(0);
        EACH_COORDINATE
        for (; q < end; q++) {
            real y[VECTORS];
            EACH (c, VECTORS)
                y[c] = LOAD_ALIGNED(b + COLUMN_STEP(c));
            LOAD_ROWS(a)
            EACH (r, ROWS) {
                real x = (real)X_OF(r);
                EACH (c, VECTORS)
                    sums[r][c] = FMA(y[c], x, sums[r][c]);
            }
            a += ROW_PANEL;
            b += COL_PANEL;
        }
        EACH (r, ROWS)
            EACH (c, VECTORS)
                s[r][c] = s[r][c] + sums[r][c];
    }
    real norms[VECTORS];
    bits any = BITS(0);
    EACH (c, VECTORS)
        norms[c] = LOAD_ALIGNED(col_norms + COLUMN_STEP(c));
    EACH (r, ROWS)
        EACH (c, VECTORS) {
            real both = norms[c] + (real)row_norms[ROW_STEP(r)];
            real here = FMA(REAL(-2), s[r][c], both), error = FMA(both, (real)growth, (real)least);
            // What is no number is not good enough.
            bits good = MASK(error < (real)enough) | MASK(error < here * (real)part);
            s[r][c] = as_real(as_bits(here) & ~MASK(here < REAL(0)));
            again[r][c] = ~good;
        }
#if SAME
    if (off - ROW_STEP(ROWS - 1) < BAND && off + COLUMN_STEP(VECTORS - 1) + LANES - 1 > -BAND)
        EACH (r, ROWS)
            EACH (c, VECTORS)
                again[r][c] |= within_band(off - ROW_STEP(r) + COLUMN_STEP(c));
#endif
    EACH (r, ROWS)
        EACH (c, VECTORS)
            any |= again[r][c];
    return any_lane(any) != 0;
}

#endif
