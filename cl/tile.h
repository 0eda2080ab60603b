// K's values where K is never stored: a tile of SOURCES points that are summed over, or searched, by VECTORS vectors of
// LANES points that results belong to, the targets. Lanes are always different targets, so that whatever goes on over
// the sources goes on in their order.
//
// Build options, besides those of numerics.h, pairs.h and value.h:
//   SOURCES     sources of a tile, which is also the width of their panels (pack.cl)
//   VECTORS     vectors of targets in a tile
//   GROUP       work-items side by side that share a panel of targets
//   DIMS        the number of coordinates where it is small enough to unroll their loop, else 0
//   TRANSPOSED  1: the sources are X's points, which K's factors belong to; 0: the targets are
#ifndef ISG_CL_TILE_H
#define ISG_CL_TILE_H

#include "lanes.h"
#include "pairs.h"
#include "value.h"

#define HEIGHT SOURCES
#include "block.h"

#define TARGET_PANEL (LANES * VECTORS * GROUP)
#define TILE_TARGETS (LANES * VECTORS)

// The target in lane 0 of vector c of a work-item, relative to the panel.
#define TARGET(c) (((c)*GROUP + item) * LANES)

#if DIMS
#define EACH_COORDINATE(q) EACH (q, DIMS)
#else
#define EACH_COORDINATE(q) for (int q = 0; q < d; q++)
#endif

// What is known of one set of points: panels, further numbers (value.h), and how many places these have.
typedef struct side {
    global const scalar *points, *data;
    int pitch;
} side;

// k[r][c]: sources from `source` on, a multiple of SOURCES, by the targets of the panel that begins at `first`, in the
// place of work-item `item`.
FN void tile_values(side sources, int source, side targets, int first, int item, global const scalar *numbers, int d,
                    real k[SOURCES][VECTORS])
{
    global const scalar *a = sources.points + (long)source * d;
    global const scalar *b = targets.points + (long)first * d + item * LANES;
    EACH_PAIR(BLOCK)
    EACH_COORDINATE(q)
    {
        real y[VECTORS];
        EACH (c, VECTORS)
            y[c] = LOAD(b + q * TARGET_PANEL + c * GROUP * LANES);
#if WEIGHTS
        real w = (real)numbers[NUMBERS + q];
#endif
        EACH (r, SOURCES) {
            real x = (real)a[q * SOURCES + r];
            EACH (c, VECTORS) {
                EACH_PAIR(ADD_TO_BLOCK)
            }
        }
    }
    EACH (r, SOURCES)
        EACH (c, VECTORS) {
            EACH_PAIR(FROM_BLOCK)
#if NORMS
            global const scalar *t = targets.data + first + TARGET(c), *s = sources.data + source + r;
            pair inverse =
                inverse_norms(pair_of((real)s[0], (real)s[sources.pitch]), pair_of(LOAD(t), LOAD(t + targets.pitch)));
#endif
            real v = VALUE;
#if ROW_FACTORS && TRANSPOSED
            v = real_product(v, (real)sources.data[2 * NORMS * sources.pitch + source + r]);
#elif ROW_FACTORS
            v = real_product(v, LOAD(targets.data + 2 * NORMS * targets.pitch + first + TARGET(c)));
#endif
            k[r][c] = v;
        }
}

#endif
