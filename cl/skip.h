// Part of tile.h: which pairs of points need not be looked at, for their values are +0, or smaller than asked.
//
// Consecutive points have a box, the lowest and the highest of each of their coordinates. Of two boxes those
// coordinates that are nearest to each other make a pair of points too, and its number is computed by the contract's
// own steps (pairs.h). Differences, weights, squares and sums are monotone, their rounding included, so no pair of
// points of the boxes has a lesser number: nothing is estimated (of chi-squared lib/far.c has the rest).
//
// Build options, besides those of tile.h:
//   UNIT          sources of the smallest boxes; it divides BLOCK_SOURCES, and SOURCES divides it
//   FAR_SQDIST, FAR_L1, FAR_CHI2   1: from far[isg_pair] on, that number says that a pair need not be looked at
//
// Of logarithms (LOGS) sources' boxes have the largest of what is added, and targets' a limit: sums below it are no
// largest ones, or too small for an exponential. A logarithm's rounding is not monotone; what it can be off is less
// than the 2^-10 of it that is allowed here, and what the limit has besides (lib/skipping.c).
#ifndef ISG_CL_SKIP_H
#define ISG_CL_SKIP_H

#if SKIP

// target_boxes: of each panel; blocks, units: of the sources' blocks and units, counted from the first ones that the
// panels' sources belong to. Of a box d lowest coordinates, then d highest, and one number more, of logarithms.
// skipped: for each part of the sources (the launch's second dimension) and panel of targets, to be added to.
#define SKIP_ARGUMENTS                                                                                                 \
    , global const scalar *target_boxes, global const scalar *block_boxes, global const scalar *unit_boxes,            \
        global const scalar *far, global int *skipped

#define NEAREST(name, step)     real name = REAL(0);
#define ADD_NEAREST(name, step) name = step(name, y, x, w);

// All lanes compute the same.
FN int boxes_far(global const scalar *a, global const scalar *b, global const scalar *far, global const scalar *numbers,
                 int d)
{
    EACH_PAIR(NEAREST)
    EACH_COORDINATE(q)
    {
        scalar low_a = a[q], high_a = a[d + q], low_b = b[q], high_b = b[d + q];
        // Where they overlap, the same coordinate twice.
        bool above = low_b > high_a, below = low_a > high_b;
        real x = (real)(above ? high_a : below ? low_a : (scalar)0);
        real y = (real)(above ? low_b : below ? high_b : (scalar)0);
#if WEIGHTS
        real w = (real)numbers[NUMBERS + q];
#endif
        EACH_PAIR(ADD_NEAREST)
    }
#if LOGS
    real l = LOG_VALUE;
    scalar most = FIRST_LANE(l);
    most = most * (most < 0 ? (scalar)0x1.ff8p-1f : (scalar)0x1.004p+0f);
    return most + b[2 * d] < a[2 * d];
#else
    int is_far = 0;
#if FAR_SQDIST
    is_far |= FIRST_LANE(sqdist) >= far[0];
#endif
#if FAR_L1
    is_far |= FIRST_LANE(l1) >= far[1];
#endif
#if FAR_CHI2
    is_far |= FIRST_LANE(chi2) >= far[3];
#endif
    return is_far;
#endif
}

#define BOX(boxes, at)      ((boxes) + (long)(at) * (2 * d + 1))
#define FAR_FROM(boxes, at) boxes_far(BOX(target_boxes, first / TARGET_PANEL), BOX(boxes, at), far, numbers, d)
// Of the block that source j is in; and the source's unit, and where it ends.
#define BLOCK_IS_FAR(j) FAR_FROM(block_boxes, ((j) + before) / BLOCK_SOURCES)
#define UNIT_IS_FAR(j)  FAR_FROM(unit_boxes, ((j) + before) / UNIT)
#define UNIT_END(j)     (((j) + before) / UNIT * UNIT + UNIT - before)

// Passes over what is left of j's unit, or has `stop` end there: at the head of a loop.
#define PASS_UNIT                                                                                                      \
    stop = min(end, UNIT_END(j));                                                                                      \
    if (UNIT_IS_FAR(j)) {                                                                                              \
        passed += stop - j;                                                                                            \
        j = stop;                                                                                                      \
    }

// What is passed over is counted.
#define COUNT_BEGIN int passed = 0;
#define COUNT_END                                                                                                      \
    if (item == 0)                                                                                                     \
        skipped[get_global_id(1) * (target_pitch / TARGET_PANEL) + first / TARGET_PANEL] += passed;

#else
#define SKIP_ARGUMENTS
#define PASS_UNIT
#define COUNT_BEGIN
#define COUNT_END
#endif

#endif
