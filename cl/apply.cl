// The product of an operator that is never stored with the columns of V: sums over sources of K's values times weights,
// for each target. Weights come scaled (lib/weights.h).
//
// Sums have one order on every device: blocks of BLOCK_SOURCES consecutive sources, by their place in the operator,
// each in an accumulator of its own in order; then the blocks' sums in order. `totals` has the sums of whole blocks;
// `open` has that of a block that a launch leaves unfinished, for its sources may lie in two buffers. With `partial`,
// work-items one behind the other in the second dimension do a block each, and `join` adds their sums.
//
// Build options, besides those of tile.h:
//   COLUMNS     columns of V that are multiplied at once
//   GROUPS      the most groups of so many columns that share what is computed of K: 0 gives apply, others apply_wide
//   DEPTH       sources whose values are kept for that, a multiple of SOURCES that divides BLOCK_SOURCES
//   FINE        1: products that are too small are left out (add_dot_fine)
//   DOUBLE_SUMS 1: single precision's values are summed in double. V has no more digits than they, so that products are
//               exact
#include "sum.h"
#include "tile.h"

#if DOUBLE_SUMS
#define ADD_TO_SUM(sum, k, v) ((sum) + (k) * (v))
#elif FINE
#define ADD_TO_SUM(sum, k, v) add_dot_fine(sum, k, v)
#else
#define ADD_TO_SUM(sum, k, v) add_dot(sum, k, v)
#endif

// Where the sums of a column begin for vector c.
#define SUM_OF(sums, column, c) ((sums) + (long)(column)*targets.pitch + first + TARGET(c))

// What is far from all targets of the panel adds +0 or -0 to sums, which changes none: they begin as +0, and no sum of
// numbers that are not both -0 is -0. PASS_BLOCK passes over the block that begins at j, and over storing its sum, 0,
// unless somebody waits for that. No `continue`, which Clover's compiler gets wrong within two loops.
#if SKIP
#define PASS_BLOCK                                                                                                     \
    if (BLOCK_IS_FAR(j)) {                                                                                             \
        passed += end - j;                                                                                             \
        j = end;                                                                                                       \
        stored = opened || partial || (end < block_end && !last);                                                      \
    }                                                                                                                  \
    opened = 0;
#else
#define PASS_BLOCK
#endif

#if GROUPS == 0

// target_data, source_data: value.h's; target_pitch is also that of the sums. v: for each source COLUMNS weights side
// by side. i0: the target at which the launch begins, at a panel's border. j_lo, j_hi: sources, relative to the panels;
// j_lo a multiple of SOURCES. opened: j_lo lies within a block that has begun. last: behind j_hi there are no sources.
// partial: 1: j_lo is a block's beginning, and sums of block b are stored from b pitch COLUMNS on in `totals`.
kernel void apply(TILE_ARGUMENTS, global const sum_scalar *v, global sum_scalar *totals, global sum_scalar *open,
                  int i0, int j_lo, int j_hi, int before, int opened, int last, int partial, int targets_end, int d)
{
    int item = (int)get_global_id(0) % GROUP, first = i0 + (int)get_global_id(0) / GROUP * TARGET_PANEL;
    if (first >= targets_end)
        return;
    SIDES
    COUNT_BEGIN
    sum_real sum[COLUMNS][VECTORS];
    if (partial) {
        j_lo += (int)get_global_id(1) * BLOCK_SOURCES;
        j_hi = min(j_hi, j_lo + BLOCK_SOURCES);
        totals += (long)get_global_id(1) * COLUMNS * target_pitch;
    }
    EACH (p, COLUMNS)
        EACH (c, VECTORS)
            sum[p][c] = opened ? LOAD_SUM(SUM_OF(open, p, c)) : ZERO;
    for (int j = j_lo; j < j_hi;) {
        int block_end = BLOCK_END(j), end = min(j_hi, block_end), stop = end;
        bool stored = true;
        PASS_BLOCK
        while (j < end) {
            PASS_UNIT
            for (; j < stop; j += SOURCES) {
                real k[SOURCES][VECTORS];
                tile_values(sources, j, targets, first, item, numbers, d, k);
                global const sum_scalar *w = v + (long)j * COLUMNS;
                if (j + SOURCES <= stop) {
                    EACH (r, SOURCES)
                        EACH (p, COLUMNS)
                            EACH (c, VECTORS)
                                sum[p][c] = ADD_TO_SUM(sum[p][c], TO_SUM(k[r][c]), (sum_real)w[r * COLUMNS + p]);
                } else {
                    EACH (r, SOURCES - 1)
                        if (j + r < stop)
                            EACH (p, COLUMNS)
                                EACH (c, VECTORS)
                                    sum[p][c] = ADD_TO_SUM(sum[p][c], TO_SUM(k[r][c]), (sum_real)w[r * COLUMNS + p]);
                }
            }
            j = stop;
        }
        bool whole = end == block_end || last;
        if (stored)
            EACH (p, COLUMNS)
                EACH (c, VECTORS) {
                    if (partial)
                        STORE_SUM(sum[p][c], SUM_OF(totals, p, c));
                    else if (whole)
                        STORE_SUM(LOAD_SUM(SUM_OF(totals, p, c)) + sum[p][c], SUM_OF(totals, p, c));
                    else
                        STORE_SUM(sum[p][c], SUM_OF(open, p, c));
                    sum[p][c] = ZERO;
                }
    }
    COUNT_END
}

#else

// The same for many columns, in groups: DEPTH sources' values are computed once and kept. v: one group's weights
// behind the other's, v_pitch sources each.
kernel void apply_wide(TILE_ARGUMENTS, global const sum_scalar *v, global sum_scalar *totals, global sum_scalar *open,
                       int i0, int j_lo, int j_hi, int before, int opened, int last, int partial, int targets_end,
                       int d, int groups, int v_pitch)
{
    int item = (int)get_global_id(0) % GROUP, first = i0 + (int)get_global_id(0) / GROUP * TARGET_PANEL;
    if (first >= targets_end)
        return;
    SIDES
    COUNT_BEGIN
    sum_real sums[GROUPS * COLUMNS * VECTORS];
    real values[DEPTH * VECTORS];
    if (partial) {
        j_lo += (int)get_global_id(1) * BLOCK_SOURCES;
        j_hi = min(j_hi, j_lo + BLOCK_SOURCES);
        totals += (long)get_global_id(1) * groups * COLUMNS * target_pitch;
    }
    for (int p = 0; p < groups * COLUMNS; p++)
        EACH (c, VECTORS)
            sums[p * VECTORS + c] = opened ? LOAD_SUM(SUM_OF(open, p, c)) : ZERO;
    for (int j = j_lo; j < j_hi;) {
        int block_end = BLOCK_END(j), end = min(j_hi, block_end), stop = end, count = 0;
        bool stored = true;
        PASS_BLOCK
        while (j < end) {
            PASS_UNIT
            count = min(stop - j, DEPTH);
            for (int q = 0; q < count; q += SOURCES) {
                real k[SOURCES][VECTORS];
                tile_values(sources, j + q, targets, first, item, numbers, d, k);
                EACH (r, SOURCES)
                    EACH (c, VECTORS)
                        values[(q + r) * VECTORS + c] = k[r][c];
            }
            for (int g = 0; g < groups; g++) {
                global const sum_scalar *w = v + ((long)g * v_pitch + j) * COLUMNS;
                sum_real sum[COLUMNS][VECTORS];
                EACH (p, COLUMNS)
                    EACH (c, VECTORS)
                        sum[p][c] = sums[(g * COLUMNS + p) * VECTORS + c];
                for (int q = 0; q < count; q++)
                    EACH (c, VECTORS) {
                        sum_real k = TO_SUM(values[q * VECTORS + c]);
                        EACH (p, COLUMNS)
                            sum[p][c] = ADD_TO_SUM(sum[p][c], k, (sum_real)w[q * COLUMNS + p]);
                    }
                EACH (p, COLUMNS)
                    EACH (c, VECTORS)
                        sums[(g * COLUMNS + p) * VECTORS + c] = sum[p][c];
            }
            j += count;
        }
        bool whole = end == block_end || last;
        for (int p = 0; stored && p < groups * COLUMNS; p++)
            EACH (c, VECTORS) {
                sum_real s = sums[p * VECTORS + c];
                if (partial)
                    STORE_SUM(s, SUM_OF(totals, p, c));
                else if (whole)
                    STORE_SUM(LOAD_SUM(SUM_OF(totals, p, c)) + s, SUM_OF(totals, p, c));
                else
                    STORE_SUM(s, SUM_OF(open, p, c));
                sums[p * VECTORS + c] = ZERO;
            }
    }
    COUNT_END
}

#endif

// Adds the sums of `blocks` blocks to the totals, in order; `size` of each. A work-item does one.
kernel void join(global const sum_scalar *partial, global sum_scalar *totals, int blocks, int size)
{
    int i = (int)get_global_id(0);
    if (i >= size)
        return;
    sum_scalar total = totals[i];
    for (int b = 0; b < blocks; b++)
        total += partial[(long)b * size + i];
    totals[i] = total;
}
