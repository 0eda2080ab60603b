// Separable filters: sums along one or two axes of a plane.
//
// The contract. Of an axis with weights w0 ... wr (w0 in the middle) an element becomes
//     sum = 0;  k = r ... 1:  sum = FMA(wk, x[i+k] + x[i-k], sum);  sum = FMA(w0, x[i], sum)
// from the outside in, the smallest terms first; of an odd order it is x[i+k] - x[i-k]. So a mirrored image gives the
// mirrored result, bit for bit. Axes are taken in order. What counts as 0 is said in lib/filter_plan.h.
//
// Build options, besides those of fma.h:
//   VERTICAL, HORIZONTAL  1: the pass filters along columns; along rows
//   ODD_V, ODD_H          1: the order is odd
//   IN, OUT               elements in memory: FILTER_F32 ...
//   CHECKED               1: the input may hold numbers from FILTER_LARGE on
//   SEGMENTED             1: too few rows for vectors: a tile's rows are HIGH stretches of one row, side by side
//   STREAMED              1: output goes past the caches
//   HIGH                  rows of a block; a multiple of LANES and of TALL
//
// Of vectors, one work-item takes tiles one after the other, each in three steps, all in its own scratch memory, which
// stays in a cache:
//
//     array      panel                      turned                        array
//     +----+     TILE_ROWS + 2 radius_v     TILE_COLS + 2 radius_h
//     |    | ->  rows, borders filled  ->   columns of HIGH sums      ->  rows again
//     +----+     in, scaled                 along the vertical axis
//
// Rows are put together a stretch at a time before they go, for memory likes few long stores better than many short
// ones. Vectors are consecutive columns in the vertical step, consecutive rows in the horizontal one, so that both load
// whole vectors: TALL sums at a time share what they load, in two windows that move towards each other.
#include "fma.h"
#include "filter.h"
#include "lanes.h"

#if LANES * REAL_BITS >= 512
#define TALL 8 // there are 32 registers
#else
#define TALL 4
#endif
#define ACROSS (64 * 8 / REAL_BITS / LANES > 0 ? 64 * 8 / REAL_BITS / LANES : 1) // vectors of a cache line
#define LINE   (LANES * ACROSS)
#define GROUP  (FILTER_GROUP * LINE) // columns that are stored together

#include "filter_element.h"

#if LANES > 1
#include "turn.h"

// Vectors in scratch memory are aligned.
#define SCRATCH(p) (*(global real *)(p))
#endif

// Loops that are long enough as they are: unrolled, they take a compiler seconds.
#define ONE_AFTER_THE_OTHER _Pragma("nounroll")

// Has a compiler for CPUs load a cache line ahead of its use, into the second cache: the first is full of sums. Where a
// program goes to a CPU through a portable form, translators know nothing of it and end the process.
#define ROWS_AHEAD 4
#if !defined(FETCH) && LANES > 1 && defined(__has_builtin) &&                                                          \
    (defined(__x86_64__) || defined(__i386__) || defined(__aarch64__) || defined(__arm__))
#if __has_builtin(__builtin_prefetch)
#define FETCH(p) __builtin_prefetch((const void *)(size_t)(p), 0, 2)
#endif
#endif
#ifndef FETCH
#define FETCH(p)
#endif

#if ODD_V
#define PAIR_V(low, high) ((high) - (low))
#else
#define PAIR_V(low, high) ((high) + (low))
#endif
#if ODD_H
#define PAIR_H(low, high) ((high) - (low))
#else
#define PAIR_H(low, high) ((high) + (low))
#endif

#if LANES > 1

// Columns [from, from + count) of a row, scaled, to the panel. ahead: from an element to the one that is asked for,
// some rows further on.
FN void pack_row(global const element_in *in, long step, long ahead, int from, int count, global const scalar *numbers,
                 global scalar *to, bits *large)
{
    int j = 0;
#if REAL_IN
    const real tiny = (real)numbers[FILTER_TINY_IN], scale = (real)numbers[FILTER_SCALE_IN];
    bits seen = BITS(0);
#if CHECKED
    const real limit = (real)numbers[FILTER_LARGE];
#endif
    if (step == 1)
        for (; j + LANES <= count; j += LANES) {
            FETCH(in + from + j + ahead);
            real x = LOAD(in + from + j);
#if CHECKED
            seen |= is_large(x, limit);
#endif
            STORE_ANYWHERE(kept(x, tiny, scale), to + j);
        }
    *large |= seen;
#endif
    for (; j < count; j++)
        to[j] = kept_one(from_element(in[(from + j) * step]), numbers, large);
}

// A place of the panel: columns from begin - radius_h on of a row, those in front of the array, in it and behind it;
// the rest holds anything. outside: the row lies outside the array.
FN void pack_place(global const element_in *line, int outside, long step, long ahead, int begin, int wide, int cols,
                   int radius_h, global const int *col_of, global const scalar *numbers, global scalar *to, bits *large)
{
    const int first = outside ? wide : min(wide, max(0, radius_h - begin)), last = min(wide, cols - begin + radius_h);
    int j = 0;
    for (; j < wide && outside; j++)
        to[j] = numbers[FILTER_CONSTANT_V];
    for (; j < first; j++) {
        int col = col_of[begin + j];
        to[j] = col < 0 ? numbers[FILTER_CONSTANT_H] : kept_one(from_element(line[col * step]), numbers, large);
    }
    if (last > j) {
        pack_row(line, step, ahead, begin - radius_h + j, last - j, numbers, to + j, large);
        j = last;
    }
    for (; j < wide; j++) {
        int col = begin + j < cols + 2 * radius_h ? col_of[begin + j] : -1;
        to[j] = col < 0 ? numbers[FILTER_CONSTANT_H] : kept_one(from_element(line[col * step]), numbers, large);
    }
}

// One step of TALL sums, the places m + a from the outside: each window takes in one vector. `a` is known to the
// compiler, so that windows stay in registers and nothing moves.
#define STEP(a, PAIR)                                                                                                  \
    {                                                                                                                  \
        low[((a) + TALL - 1) % TALL] = SCRATCH(ahead);                                                                 \
        high[((a) + TALL - 1) % TALL] = SCRATCH(behind);                                                               \
        ahead += pitch;                                                                                                \
        behind -= pitch;                                                                                               \
        real w = (real)weights[m + (a)];                                                                               \
        EACH (s, TALL)                                                                                                 \
            sum[s] = FMA(w, PAIR(low[((a) + s) % TALL], high[((a) + TALL - 1 - s) % TALL]), sum[s]);                   \
    }

// sum[s]: of the line of vectors, `pitch` elements apart, in which first + s * pitch is `radius` places in front of the
// element.
#define FOLD(name, PAIR)                                                                                               \
    FN void name(global scalar *first, long pitch, int radius, global const scalar *weights, real *sum)                \
    {                                                                                                                  \
        global scalar *ahead = first, *behind = first + (2 * radius + TALL - 1) * pitch;                               \
        real low[TALL], high[TALL];                                                                                    \
        EACH (s, TALL)                                                                                                 \
            sum[s] = REAL(0);                                                                                          \
        EACH (s, TALL - 1) {                                                                                           \
            low[s] = SCRATCH(ahead);                                                                                   \
            high[s] = SCRATCH(behind);                                                                                 \
            ahead += pitch;                                                                                            \
            behind -= pitch;                                                                                           \
        }                                                                                                              \
        int m = 0;                                                                                                     \
        for (; m + TALL <= radius; m += TALL) {                                                                        \
            EACH (a, TALL)                                                                                             \
                STEP(a, PAIR)                                                                                          \
        }                                                                                                              \
        EACH (a, TALL - 1)                                                                                             \
            if (m + a < radius)                                                                                        \
                STEP(a, PAIR)                                                                                          \
        real w = (real)weights[radius];                                                                                \
        ahead -= (TALL - 1) * pitch;                                                                                   \
        EACH (s, TALL)                                                                                                 \
            sum[s] = FMA(w, SCRATCH(ahead + s * pitch), sum[s]);                                                       \
    }
FOLD(fold_v, PAIR_V)
FOLD(fold_h, PAIR_H)

// `count` results to a row, which may begin anywhere: where it can, in whole cache lines past the caches.
FN void put_row(global const scalar *from, global element_out *to, long step, int count)
{
    int j = 0;
#if REAL_OUT
    if (step == 1) {
#if STREAMED
        const int head = min(count, (int)(-(size_t)to / sizeof(scalar) % LANES));
        for (; j < head; j++)
            to[j] = from[j];
        for (; j + LANES <= count; j += LANES)
            STREAM(LOAD(from + j), to + j);
#else
        for (; j + LANES <= count; j += LANES)
            STORE_ANYWHERE(LOAD(from + j), to + j);
#endif
        for (; j < count; j++)
            to[j] = from[j];
        return;
    }
#endif
    for (; j < count; j += LANES) {
        element_out lane[LANES];
        to_elements(SCRATCH(from + j), lane);
        for (int l = 0; l < LANES && j + l < count; l++)
            to[(j + l) * step] = lane[l];
    }
}

// tile, tile_end: of the pass's tiles, counted down a column of tiles, then across, then over the planes.
// flags[0]: set where finite input is large.
kernel void filter(global const element_in *in, global element_out *out, global const long *shape,
                   global const scalar *numbers, global const int *row_of, global const int *col_of,
                   global scalar *scratch, global int *flags, long tile, long tile_end)
{
    const int rows = (int)shape[FILTER_ROWS], cols = (int)shape[FILTER_COLS];
    const int radius_v = (int)shape[FILTER_RADIUS_V], radius_h = (int)shape[FILTER_RADIUS_H];
    const int tile_rows = (int)shape[FILTER_TILE_ROWS], tile_cols = (int)shape[FILTER_TILE_COLS];
    const long down = shape[FILTER_TILES_DOWN], across = shape[FILTER_TILES_ACROSS];
    const int pitch = (int)shape[FILTER_PITCH];
    global scalar *panel = scratch + (long)get_global_id(0) * shape[FILTER_ROOM];
    global scalar *turned = panel + shape[FILTER_TURNED], *ready = panel + shape[FILTER_READY];
    global const scalar *weights_v = numbers + FILTER_WEIGHTS, *weights_h = weights_v + VERTICAL * (radius_v + 1);
    bits large = BITS(0);

    for (long t = tile + (long)get_global_id(0); t < tile_end; t += (long)get_global_size(0)) {
        const long plane = t / (down * across);
        const int top = (int)(t % down) * tile_rows,
                  left = (int)(t / down % across) * tile_cols * (SEGMENTED ? HIGH : 1);
        const int high = SEGMENTED ? HIGH : min(tile_rows, rows - top);
        const int width = SEGMENTED ? tile_cols : min(tile_cols, cols - left);
        const int blocks = (high + HIGH - 1) / HIGH, lines = (width + LINE - 1) / LINE;
        const int wide = (lines * LINE + 2 * radius_h + LINE - 1) / LINE * LINE; // columns of the panel
        global const element_in *from = in + shape[FILTER_IN] + plane / shape[FILTER_PLANES_1] * shape[FILTER_IN_0] +
                                        plane % shape[FILTER_PLANES_1] * shape[FILTER_IN_1];
        global element_out *to = out + shape[FILTER_OUT] + plane / shape[FILTER_PLANES_1] * shape[FILTER_OUT_0] +
                                 plane % shape[FILTER_PLANES_1] * shape[FILTER_OUT_1];

        int packed = 0; // rows of the panel
        for (int b = 0; b < blocks; b++) {
            const int needed = (b + 1) * HIGH + 2 * radius_v;
            for (; packed < needed; packed++) {
                // Places behind the borders, in a block that is not full, hold anything.
                const int place = SEGMENTED ? top : top + packed, begin = left + (SEGMENTED ? packed * tile_cols : 0);
                const int row = place < rows + 2 * radius_v ? row_of[place] : -1;
                pack_place(from + row * shape[FILTER_IN_ROW], row < 0, shape[FILTER_IN_COL],
                           ROWS_AHEAD * shape[FILTER_IN_ROW], begin, wide, cols, radius_h, col_of, numbers,
                           panel + (long)packed * pitch, &large);
            }
            global scalar *block = panel + (long)b * HIGH * pitch;
            global element_out *rows_out = to + (top + (SEGMENTED ? 0 : b * HIGH)) * shape[FILTER_OUT_ROW];
            const int height = min(HIGH, high - b * HIGH);
            const long step = shape[FILTER_OUT_COL];
#if VERTICAL
            const real tiny_v = (real)numbers[FILTER_TINY_V], factor_v = (real)numbers[FILTER_FACTOR_V];
#endif
#if HORIZONTAL
#define SUM(r) v[r]
#else
#define SUM(r) SCRATCH(ready + (r)*GROUP + c % GROUP)
#endif
            for (int c = 0; c < wide; c += LANES) {
#if HORIZONTAL
                real v[HIGH];
#endif
                ONE_AFTER_THE_OTHER
                for (int r = 0; r < HIGH; r += TALL) {
#if VERTICAL
                    real sum[TALL];
                    fold_v(block + (long)r * pitch + c, pitch, radius_v, weights_v, sum);
                    EACH (s, TALL)
                        SUM(r + s) = kept(sum[s], tiny_v, factor_v);
#else
                    EACH (s, TALL)
                        SUM(r + s) = SCRATCH(block + (long)(r + s) * pitch + c);
#endif
                }
#if HORIZONTAL
                for (int r = 0; r < HIGH; r += LANES)
                    turn(v + r, turned + ((long)(r / LANES) * pitch + c) * LANES, 1);
#else
                if (c % GROUP + LANES == GROUP || c + LANES >= wide) {
                    const int begin = c / GROUP * GROUP;
                    for (int r = 0; r < height; r++)
                        put_row(ready + r * GROUP, rows_out + r * shape[FILTER_OUT_ROW] + (left + begin) * step, step,
                                min(GROUP, width - begin));
                }
#endif
            }
#if HORIZONTAL
#if VERTICAL
            // Outside the array stands the constant, not what the constant becomes along the other axis.
            for (int j = 0; j < wide; j++) {
                const int outside = left + j < radius_h || left + j >= cols + radius_h;
                if (outside && left + j < cols + 2 * radius_h && col_of[left + j] < 0)
                    for (int r = 0; r < HIGH; r++)
                        turned[((long)(r / LANES) * pitch + j) * LANES + r % LANES] = numbers[FILTER_CONSTANT_H];
            }
#endif
            const real tiny_h = (real)numbers[FILTER_TINY_H], factor_h = (real)numbers[FILTER_FACTOR_H];
            for (int h = 0; h < HIGH && h < height; h += LANES) {
                global scalar *columns = turned + (long)(h / LANES) * pitch * LANES;
                for (int group = 0; group < width; group += GROUP) {
                    for (int c = group; c < min(group + GROUP, width); c += LINE) {
                        real v[LINE];
                        ONE_AFTER_THE_OTHER
                        for (int q = 0; q < LINE; q += TALL) {
                            real sum[TALL];
                            fold_h(columns + (long)(c + q) * LANES, LANES, radius_h, weights_h, sum);
                            EACH (s, TALL)
                                v[q + s] = kept(sum[s], tiny_h, factor_h);
                        }
                        for (int q = 0; q < LINE; q += LANES)
                            turn(v + q, ready + c - group + q, GROUP / LANES);
                    }
                    for (int r = 0; r < LANES && h + r < height; r++) {
                        const int begin = left + (SEGMENTED ? (h + r) * tile_cols : 0) + group;
                        put_row(ready + r * GROUP,
                                rows_out + (SEGMENTED ? 0 : h + r) * shape[FILTER_OUT_ROW] + begin * step, step,
                                min(min(GROUP, width - group), cols - begin));
                    }
                }
            }
#endif
        }
    }
#if CHECKED
    if (any_lane(large))
        RAISE(flags);
#endif
}

#else // one lane

// The portable twin, for devices that run scalar code on lanes of their own: one work-item per element, one axis per
// pass, no scratch memory. Dimension 0 counts columns, dimension 1 rows of all planes.
kernel void filter_each(global const element_in *in, global element_out *out, global const long *shape,
                        global const scalar *numbers, global const int *row_of, global const int *col_of,
                        global int *flags, long line, long line_end)
{
    const int rows = (int)shape[FILTER_ROWS], cols = (int)shape[FILTER_COLS];
    const int col = (int)get_global_id(0);
    const long at = line + (long)get_global_id(1), plane = at / rows;
    const int row = (int)(at % rows);
    if (col >= cols || at >= line_end)
        return;
    const long plane_0 = plane / shape[FILTER_PLANES_1], plane_1 = plane % shape[FILTER_PLANES_1];
    global const element_in *from = in + shape[FILTER_IN] + plane_0 * shape[FILTER_IN_0] + plane_1 * shape[FILTER_IN_1];
    const int radius = (int)shape[VERTICAL ? FILTER_RADIUS_V : FILTER_RADIUS_H], place = VERTICAL ? row : col;
    const scalar beyond = numbers[VERTICAL ? FILTER_CONSTANT_V : FILTER_CONSTANT_H];
    const long step = shape[VERTICAL ? FILTER_IN_ROW : FILTER_IN_COL];
    from += VERTICAL ? col * shape[FILTER_IN_COL] : row * shape[FILTER_IN_ROW];
    global const int *index = VERTICAL ? row_of : col_of;
    global const scalar *weights = numbers + FILTER_WEIGHTS;
    bits large = BITS(0);
    scalar sum = (scalar)0;
    for (int m = 0; m < radius; m++) {
        const int a = index[place + m], b = index[place + 2 * radius - m];
        const scalar low = a < 0 ? beyond : kept_one(from_element(from[a * step]), numbers, &large);
        const scalar high = b < 0 ? beyond : kept_one(from_element(from[b * step]), numbers, &large);
#if VERTICAL
        sum = FMA(weights[m], PAIR_V(low, high), sum);
#else
        sum = FMA(weights[m], PAIR_H(low, high), sum);
#endif
    }
    const scalar middle = kept_one(from_element(from[place * step]), numbers, &large);
    sum = FMA(weights[radius], middle, sum);
    const real v = kept((real)sum, (real)numbers[VERTICAL ? FILTER_TINY_V : FILTER_TINY_H],
                        (real)numbers[VERTICAL ? FILTER_FACTOR_V : FILTER_FACTOR_H]);
    element_out lane[LANES];
    to_elements(v, lane);
    out[shape[FILTER_OUT] + plane_0 * shape[FILTER_OUT_0] + plane_1 * shape[FILTER_OUT_1] +
        row * shape[FILTER_OUT_ROW] + col * shape[FILTER_OUT_COL]] = lane[0];
#if CHECKED
    if (any_lane(large))
        RAISE(flags);
#endif
}
#endif
