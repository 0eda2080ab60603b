// Gradients of sum_ij c_ij K_ij, c_ij = sum_p a_ip b_jp, of an operator that is never stored: sums over sources for
// each target, in the order of apply.cl. lib/gradient_plan.c says what is summed, and how derivatives come of it.
//
// A stretch of DEPTH sources' outputs is computed and kept, and then added to the sums of some coordinates after
// others: so any number of coordinates will do, and what is computed for a pair is computed once.
//
// Build options, besides those of tile.h:
//   FINE_COLUMNS 1: their products are looked at (add_dot_fine)
//   STATEMENTS   the outputs of a pair, in LET and OUT
//   OUTPUTS      how many
//   AT_SQDIST, AT_L1, AT_DOT, AT_CHI2   the place among them of K's derivative by each pair's number that it is written
//                in; not defined: there is none
//   SELF         1: the last output is summed as it is, behind the coordinates
//   BY_NUMBERS   1: all outputs are summed as they are
//   BY_LENGTHS   1: sums are for the coordinates' lengthscales
//   FINE         1: products of differences are looked at
//   COORDINATES  that are summed at once
//   DEPTH        a multiple of SOURCES that divides BLOCK_SOURCES
//   DOUBLE_SUMS  1: terms of single precision are summed in double
//   BLOCK_SOURCES   the contract's 1024
#include "sum.h"
#include "tile.h"
#include "slopes.h"
#include "terms.h"

#if DOUBLE_SUMS
#define ADD_PRODUCT(sum, g, t) ((sum) + TO_SUM(g) * TO_SUM(t)) // exact products
#elif FINE || BY_LENGTHS
#define ADD_PRODUCT(sum, g, t) add_dot_fine(sum, g, t)
#else
#define ADD_PRODUCT(sum, g, t) add_dot(sum, g, t)
#endif

// The sources of a stretch, by tiles and one by one. Where a tile is all of it, indices are constants: there are
// compilers that lose arrays which are indexed in loops.
#if DEPTH == SOURCES
#define EACH_TILE(q) EACH (q, 1)
#define EACH_KEPT(q)                                                                                                   \
    EACH (q, DEPTH)                                                                                                    \
        if (q < count)
#else
#define EACH_TILE(q) for (int q = 0; q < count; q += SOURCES)
#define EACH_KEPT(q) for (int q = 0; q < count; q++)
#endif

// What counts as 0 in output o.
#if BY_NUMBERS
#define SMALLEST(o) least
#elif SELF
#define SMALLEST(o) ((o) == OUTPUTS - 1 ? least : cut)
#else
#define SMALLEST(o) cut
#endif

#define LET(name, value) real name = value;
#define OUT(at, value)   out[at][r][c] = value;

// out[o][r][c]: the outputs of sources from `source` on, by the targets of the panel that begins at `first`.
FN void tile_outputs(side sources, int source, side targets, int first, int item, global const scalar *numbers, int d,
                     real out[OUTPUTS][SOURCES][VECTORS])
{
    TILE_PAIRS
    EACH (r, SOURCES)
        EACH (c, VECTORS) {
            EACH_PAIR(FROM_BLOCK)
            TILE_NORMS
            STATEMENTS
        }
}

// The same, each times c, and what is too small left out: into values[(o DEPTH + q + r) VECTORS + c]. v: of targets,
// column by column; w: of sources, side by side, from that source on.
FN void weighted_outputs(side sources, int source, side targets, int first, int item, global const scalar *numbers,
                         int d, global const scalar *v, global const scalar *w, int columns, scalar cut, scalar least,
                         int q, real *values)
{
    real out[OUTPUTS][SOURCES][VECTORS], k[SOURCES][VECTORS];
    tile_outputs(sources, source, targets, first, item, numbers, d, out);
    EACH (r, SOURCES)
        EACH (c, VECTORS)
            k[r][c] = REAL(0);
    for (int p = 0; p < columns; p++)
        EACH (c, VECTORS) {
            real x = LOAD(v + (long)p * targets.pitch + first + TARGET(c));
            EACH (r, SOURCES)
#if FINE_COLUMNS
                k[r][c] = add_dot_fine(k[r][c], x, (real)w[r * columns + p]);
#else
                k[r][c] = add_dot(k[r][c], x, (real)w[r * columns + p]);
#endif
        }
    EACH (o, OUTPUTS)
        EACH (r, SOURCES)
            EACH (c, VECTORS)
                values[(o * DEPTH + q + r) * VECTORS + c] = weighted(k[r][c], out[o][r][c], (real)SMALLEST(o));
}

// What a source's value adds to one coordinate's sum: values of output 0 on begin at `g`; x and y: of target and
// source.
FN sum_real add_terms(sum_real sum, const real *g, real x, real y, real weight)
{
    real t = DIFFERENCE(x, y, weight);
#if FINE || BY_LENGTHS
    t = normal_difference(t);
#endif
#ifdef AT_SQDIST
#if BY_LENGTHS
    sum = ADD_PRODUCT(sum, length_part(g[AT_SQDIST * DEPTH * VECTORS], t), t);
#else
    sum = ADD_PRODUCT(sum, g[AT_SQDIST * DEPTH * VECTORS], t);
#endif
#endif
#ifdef AT_L1
#if BY_LENGTHS
    sum = ADD_PRODUCT(sum, g[AT_L1 * DEPTH * VECTORS], magnitude(t));
#else
    sum = sum + TO_SUM(sign_part(g[AT_L1 * DEPTH * VECTORS], t));
#endif
#endif
#ifdef AT_DOT
    sum = ADD_PRODUCT(sum, g[AT_DOT * DEPTH * VECTORS], y);
#endif
#ifdef AT_CHI2
    sum = ADD_PRODUCT(sum, g[AT_CHI2 * DEPTH * VECTORS], chi2_part(x, y));
#endif
    return sum;
}

// A sum's place, of vector c.
#define PLACE(sums, at, c) ((sums) + (long)(at)*targets.pitch + first + TARGET(c))

// Keeps the sums of a stretch: for good at a block's end.
#define KEEP(sum, at, c)                                                                                               \
    if (whole)                                                                                                         \
        STORE_SUM(LOAD_SUM(PLACE(totals, at, c)) + (sum), PLACE(totals, at, c));                                       \
    else                                                                                                               \
        STORE_SUM(sum, PLACE(open, at, c));

// As apply.cl's; v and w: the columns, as above. totals, open: sum by sum.
kernel void gradient(TILE_ARGUMENTS, global const scalar *v, global const scalar *w, global sum_scalar *totals,
                     global sum_scalar *open, int i0, int j_lo, int j_hi, int before, int opened, int last,
                     int targets_end, int d, int columns, scalar cut, scalar least)
{
    int item = (int)get_global_id(0) % GROUP, first = i0 + (int)get_global_id(0) / GROUP * TARGET_PANEL;
    if (first >= targets_end)
        return;
    SIDES
    real values[OUTPUTS * DEPTH * VECTORS];
    for (int j = j_lo; j < j_hi;) {
        int block_end = BLOCK_END(j), end = min(j_hi, block_end), count = min(end - j, DEPTH);
        bool whole = j + count == end && (end == block_end || last);
        EACH_TILE(q)
        weighted_outputs(sources, j + q, targets, first, item, numbers, d, v, w + (long)(j + q) * columns, columns, cut,
                         least, q, values);
#if !BY_NUMBERS
        for (int k0 = 0; k0 < d; k0 += COORDINATES) {
            sum_real sum[COORDINATES][VECTORS];
            real x[COORDINATES][VECTORS], weight[COORDINATES];
            EACH (u, COORDINATES) {
                int k = min(k0 + u, d - 1);
#if WEIGHTS
                weight[u] = (real)numbers[NUMBERS + k];
#else
                weight[u] = REAL(1);
#endif
                EACH (c, VECTORS) {
                    x[u][c] = LOAD(targets.points + (long)first * d + k * TARGET_PANEL + TARGET(c));
                    sum[u][c] = opened ? LOAD_SUM(PLACE(open, k, c)) : ZERO;
                }
            }
            EACH_KEPT(q)
            {
                int s = j + q, in = s % SOURCES;
                global const scalar *from = sources.points + (long)(s - in) * d + in;
                EACH (u, COORDINATES) {
                    real y = (real)from[min(k0 + u, d - 1) * SOURCES];
                    EACH (c, VECTORS)
                        sum[u][c] = add_terms(sum[u][c], values + q * VECTORS + c, x[u][c], y, weight[u]);
                }
            }
            EACH (u, COORDINATES)
                if (k0 + u < d)
                    EACH (c, VECTORS) {
                        KEEP(sum[u][c], k0 + u, c)
                    }
        }
#endif
#if BY_NUMBERS || SELF
        EACH (o, OUTPUTS)
            if (BY_NUMBERS | (o == OUTPUTS - 1))
                EACH (c, VECTORS) {
                    int at = BY_NUMBERS ? o : d;
                    sum_real sum = opened ? LOAD_SUM(PLACE(open, at, c)) : ZERO;
                    EACH_KEPT(q)
                    sum = sum + TO_SUM(values[(o * DEPTH + q) * VECTORS + c]);
                    KEEP(sum, at, c)
                }
#endif
        opened = !whole;
        j += count;
    }
}
