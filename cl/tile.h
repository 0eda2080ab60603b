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
//   LOGS        1: not K's values but their logarithms, each and a further number of the source's added; K's factors
//   are
//               left out
//   LOG_VALUE   with LOGS: the logarithm, an expression as VALUE
//   SHIFTED     1: the exponentials of these, less a number of the target's that none exceeds
//   BLOCK_SOURCES   the contract's 1024, of sums
//   SKIP        1: pairs that are far apart are left out (skip.h)
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

// The end of the block that source j is in; `before`: sources of its first block that lie in front of source 0.
#define BLOCK_END(j) (((j) + before) / BLOCK_SOURCES * BLOCK_SOURCES + BLOCK_SOURCES - before)

// What is known of one set of points: panels, further numbers (value.h), and how many places these have.
typedef struct side {
    global const scalar *points, *data, *further; // further: for LOGS and SHIFTED
    int pitch;
} side;

#include "skip.h"

// What kernels over tiles begin their arguments with (lib/walk.h), and the sides that these make.
#define TILE_ARGUMENTS                                                                                                 \
    global const scalar *target_points, global const scalar *source_points, global const scalar *target_data,          \
        global const scalar *source_data, global const scalar *target_further, global const scalar *source_further,    \
        int target_pitch, int source_pitch, global const scalar *numbers SKIP_ARGUMENTS
#define SIDES                                                                                                          \
    side targets, sources;                                                                                             \
    targets.points = target_points;                                                                                    \
    targets.data = target_data;                                                                                        \
    targets.further = target_further;                                                                                  \
    targets.pitch = target_pitch;                                                                                      \
    sources.points = source_points;                                                                                    \
    sources.data = source_data;                                                                                        \
    sources.further = source_further;                                                                                  \
    sources.pitch = source_pitch;

// The numbers of the pairs of a tile, in block.h's variables: of sources from `source` on, by the targets of the panel
// that begins at `first`, in the place of work-item `item`. And what a pair needs besides, where there is such a thing.
#if WEIGHTS
#define TILE_WEIGHT(q) const real w = (real)numbers[NUMBERS + (q)];
#else
#define TILE_WEIGHT(q)
#endif
#define TILE_PAIRS                                                                                                     \
    global const scalar *a = sources.points + (long)source * d;                                                        \
    global const scalar *b = targets.points + (long)first * d + item * LANES;                                          \
    EACH_PAIR(BLOCK)                                                                                                   \
    EACH_COORDINATE(q)                                                                                                 \
    {                                                                                                                  \
        real y[VECTORS];                                                                                               \
        EACH (c, VECTORS)                                                                                              \
            y[c] = LOAD(b + q * TARGET_PANEL + c * GROUP * LANES);                                                     \
        TILE_WEIGHT(q)                                                                                                 \
        EACH (r, SOURCES) {                                                                                            \
            real x = (real)a[q * SOURCES + r];                                                                         \
            EACH (c, VECTORS) {                                                                                        \
                EACH_PAIR(ADD_TO_BLOCK)                                                                                \
            }                                                                                                          \
        }                                                                                                              \
    }
#if NORMS
#define TILE_NORMS                                                                                                     \
    global const scalar *t = targets.data + first + TARGET(c), *s = sources.data + source + r;                         \
    pair inverse =                                                                                                     \
        inverse_norms(pair_of((real)s[0], (real)s[sources.pitch]), pair_of(LOAD(t), LOAD(t + targets.pitch)));
#else
#define TILE_NORMS
#endif

// k[r][c]: sources from `source` on, a multiple of SOURCES, by the targets of the panel that begins at `first`, in the
// place of work-item `item`.
FN void tile_values(side sources, int source, side targets, int first, int item, global const scalar *numbers, int d,
                    real k[SOURCES][VECTORS])
{
    TILE_PAIRS
    EACH (r, SOURCES)
        EACH (c, VECTORS) {
            EACH_PAIR(FROM_BLOCK)
            TILE_NORMS
#if LOGS
            real v = LOG_VALUE + (real)sources.further[source + r];
#else
            real v = VALUE;
#endif
#if SHIFTED
            v = exp_nonpositive(v - LOAD(targets.further + first + TARGET(c)));
#endif
#if ROW_FACTORS && TRANSPOSED && !LOGS
            v = real_product(v, (real)sources.data[2 * NORMS * sources.pitch + source + r]);
#elif ROW_FACTORS && !LOGS
            v = real_product(v, LOAD(targets.data + 2 * NORMS * targets.pitch + first + TARGET(c)));
#endif
            k[r][c] = v;
        }
}

#endif
