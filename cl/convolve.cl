// Correlation with a stencil of up to three axes.
//
// The contract: an element becomes
//     sum = 0;  k = 0 ... last, row-major:  sum = FMA(w[k], x[i + k - before], sum)
// in one accumulator. What counts as 0 is said in lib/convolve_plan.h.
//
// Two kernels. convolve_pack copies a slab of the array, some rows or planes or items of it, borders filled, scaled, to
// `packed`; convolve adds up. Both take slabs of `rows` rows in blocks of TALL, padded with zeros:
//
//     packed[item][plane + K_PLANES - 1][blocks * TALL + K_ROWS - 1][PITCH]
//
// Sums are taken of TALL rows and WIDE vectors of columns at a time: each vector that is loaded serves TALL rows, each
// weight WIDE vectors. In rows and columns that are not the array's they come out as anything, and go nowhere.
//
// Build options, besides those of fma.h:
//   IN, OUT     elements in memory: FILTER_F32 ...
//   CHECKED     1: the input may hold numbers from CONVOLVE_LARGE on
//   TALL, WIDE  rows, 8 at most, and vectors; the stencil has at least TALL - 1 rows
#include "fma.h"
#include "lanes.h"
#include "convolve.h"
#include "filter_element.h"
#include "filter_scale.h"

#define NOT_UNROLLED _Pragma("nounroll")

// LANES elements side by side as numbers, rounded to nearest even where the real type is the narrower one.
#if LANES > 1 && REAL_IN
#define LOAD_ELEMENTS(p) LOAD_ANYWHERE(p)
#elif LANES > 1 && IN != FILTER_F16
#define LOAD_ELEMENTS(p) ISG_CAT(ISG_CAT(convert_, ISG_REAL_NAME), LANES)(ISG_CAT(vload, LANES)(0, p))
#endif

// Work-item (i, j): columns [i * span, (i + 1) * span) of packed row line + j. item, plane, row: the slab's first;
// planes, rows: packed ones of each item. index: which plane of the array stands at each place, then which row, then
// which column; -1: the constant does. flags[0]: set where finite input is large.
kernel void convolve_pack(global const element_in *in, global scalar *packed, global const long *shape,
                          global const scalar *numbers, global const int *index, global int *flags, long item,
                          int plane, int row, int planes, int rows, int span, long line, long line_end)
{
    const int pitch = (int)shape[CONVOLVE_PITCH], cols = (int)shape[CONVOLVE_COLS];
    const int row_places = (int)shape[CONVOLVE_ROWS] + (int)shape[CONVOLVE_K_ROWS] - 1;
    const int col_places = cols + (int)shape[CONVOLVE_K_COLS] - 1, before = (int)shape[CONVOLVE_BEFORE];
    const long at = line + (long)get_global_id(1), step = shape[CONVOLVE_IN_COL];
    int j = (int)get_global_id(0) * span;
    const int end = min(pitch, j + span);
    if (at >= line_end || j >= pitch)
        return;
    global const int *row_of = index + shape[CONVOLVE_PLANES] + shape[CONVOLVE_K_PLANES] - 1,
                     *col_of = row_of + row_places;
    const int row_place = row + (int)(at % rows), padding = row_place >= row_places;
    const int from_row = padding ? 0 : row_of[row_place], from_plane = index[plane + (int)(at / rows % planes)];
    global scalar *to = packed + at * pitch;
    if (padding || from_row < 0 || from_plane < 0) {
        const scalar all = padding ? (scalar)0 : numbers[CONVOLVE_CONSTANT];
        for (; j < end; j++)
            to[j] = all;
        return;
    }
    global const element_in *from = in + shape[CONVOLVE_IN] + (item + at / rows / planes) * shape[CONVOLVE_IN_ITEM] +
                                    from_plane * shape[CONVOLVE_IN_PLANE] + from_row * shape[CONVOLVE_IN_ROW];
    const real tiny = (real)numbers[CONVOLVE_TINY_IN], scale = (real)numbers[CONVOLVE_SCALE_IN];
    bits large = BITS(0);
#if CHECKED
    const real limit = (real)numbers[CONVOLVE_LARGE];
#define LOOK_AT(x) large |= is_large(x, limit)
#else
#define LOOK_AT(x)
#endif
    while (j < end) {
#ifdef LOAD_ELEMENTS
        if (step == 1 && j >= before)
            for (; j + LANES <= min(end, before + cols); j += LANES) {
                real x = LOAD_ELEMENTS(from + (j - before));
                LOOK_AT(x);
                STORE_ANYWHERE(kept(x, tiny, scale), to + j);
            }
        if (j >= end)
            break;
#endif
        const int col = j < col_places ? col_of[j] : -1;
        if (col >= 0) {
            real x = (real)from_element(from[col * step]);
            LOOK_AT(x);
            to[j] = FIRST_LANE(kept(x, tiny, scale));
        } else {
            to[j] = j < col_places ? numbers[CONVOLVE_CONSTANT] : (scalar)0;
        }
        j++;
    }
#if CHECKED
    if (any_lane(large))
        RAISE(flags);
#endif
}

// A vector of results to `count` columns of a row, LANES at most.
FN void put(real v, global element_out *to, long step, int count)
{
#if REAL_OUT && LANES > 1
    if (count >= LANES && step == 1) {
        STORE_ANYWHERE(v, to);
        return;
    }
#endif
    element_out lane[LANES];
    to_elements(v, lane);
    for (int l = 0; l < LANES && l < count; l++)
        to[l * step] = lane[l];
}

// Loops would do, but not all compilers unroll them, and Mesa's ends all loops of a work-item together after 65535
// steps: so a place of the stencil is one step.
#if WIDE == 1
#define EACH_VECTOR(statement)                                                                                         \
    {                                                                                                                  \
        const int c = 0;                                                                                               \
        statement                                                                                                      \
    }
#else
#define EACH_VECTOR(statement)                                                                                         \
    EACH (c, WIDE) {                                                                                                   \
        statement                                                                                                      \
    }
#endif
#define MOST_TALL 8
#define ADD_ROW(r, FIRST, LAST)                                                                                        \
    if (TALL > (r) && (r) >= (FIRST) && (r) <= (LAST)) {                                                               \
        const real w = (real)weights[k - (r)*k_cols];                                                                  \
        EACH_VECTOR(sum[r][c] = FMA(w, x[c], sum[r][c]);)                                                              \
    }

// One packed row and one place of the stencil's row: sums of rows [FIRST, LAST] of the block, row r with the weight r
// rows up. FIRST and LAST are known to the compiler once loops around are unrolled.
#define ADD_PLACE(FIRST, LAST)                                                                                         \
    {                                                                                                                  \
        real x[WIDE];                                                                                                  \
        EACH_VECTOR(x[c] = LOAD_ANYWHERE(places + k + c * LANES);)                                                     \
        ADD_ROW(0, FIRST, LAST)                                                                                        \
        ADD_ROW(1, FIRST, LAST)                                                                                        \
        ADD_ROW(2, FIRST, LAST)                                                                                        \
        ADD_ROW(3, FIRST, LAST)                                                                                        \
        ADD_ROW(4, FIRST, LAST)                                                                                        \
        ADD_ROW(5, FIRST, LAST)                                                                                        \
        ADD_ROW(6, FIRST, LAST)                                                                                        \
        ADD_ROW(7, FIRST, LAST)                                                                                        \
    }

// Work-item (i, j): columns [i * span, (i + 1) * span), span being a multiple of WIDE * LANES, of block unit + j of
// TALL rows. planes, blocks: of each item of the slab; rows: of a plane of it.
kernel void convolve(global const scalar *packed, global element_out *out, global const long *shape,
                     global const scalar *numbers, long item, int plane, int row, int planes, int blocks, int rows,
                     int span, long unit, long unit_end)
{
    const int cols = (int)shape[CONVOLVE_COLS], k_planes = (int)shape[CONVOLVE_K_PLANES];
    const int k_rows = (int)shape[CONVOLVE_K_ROWS], k_cols = (int)shape[CONVOLVE_K_COLS];
    const long pitch = shape[CONVOLVE_PITCH], step = shape[CONVOLVE_OUT_COL];
    const long at = unit + (long)get_global_id(1), packed_rows = (long)blocks * TALL + k_rows - 1;
    const int left = (int)get_global_id(0) * span, right = min(cols, left + span);
    if (at >= unit_end || left >= cols)
        return;
    const int block = (int)(at % blocks), p = (int)(at / blocks % planes);
    const long i = at / blocks / planes;
    global const scalar *from = packed + ((i * (planes + k_planes - 1) + p) * packed_rows + (long)block * TALL) * pitch;
    global element_out *to = out + shape[CONVOLVE_OUT] + (item + i) * shape[CONVOLVE_OUT_ITEM] +
                             (plane + p) * shape[CONVOLVE_OUT_PLANE] +
                             (row + (long)block * TALL) * shape[CONVOLVE_OUT_ROW];
    const int height = min(TALL, rows - block * TALL);
    const real tiny = (real)numbers[CONVOLVE_TINY_OUT], factor = (real)numbers[CONVOLVE_FACTOR];
    for (int col = left; col < right; col += WIDE * LANES) {
        real sum[MOST_TALL][WIDE];
        EACH (r, TALL)
            EACH (c, WIDE)
                sum[r][c] = REAL(0);
        for (int kp = 0; kp < k_planes; kp++) {
            // Weights of the stencil's row m, and the packed row that row 0 of the block needs then.
            global const scalar *weights = numbers + CONVOLVE_WEIGHTS + (long)kp * k_rows * k_cols;
            global const scalar *places = from + kp * packed_rows * pitch + col;
            EACH (m, TALL - 1) {
                NOT_UNROLLED
                for (int k = 0; k < k_cols; k++)
                    ADD_PLACE(0, m)
                weights += k_cols;
                places += pitch;
            }
            for (int m = TALL - 1; m < k_rows; m++) {
                NOT_UNROLLED
                for (int k = 0; k < k_cols; k++)
                    ADD_PLACE(0, TALL - 1)
                weights += k_cols;
                places += pitch;
            }
            EACH (m, TALL - 1) {
                NOT_UNROLLED
                for (int k = 0; k < k_cols; k++)
                    ADD_PLACE(m + 1, TALL - 1)
                weights += k_cols;
                places += pitch;
            }
        }
        EACH (r, TALL)
            if (r < height)
                EACH (c, WIDE)
                    if (col + c * LANES < right)
                        put(kept(sum[r][c], tiny, factor), to + r * shape[CONVOLVE_OUT_ROW] + (col + c * LANES) * step,
                            step, right - col - c * LANES);
    }
}
