// A block of the Gram matrix from packed panels (pack.cl).
//
// Build options, besides those of numerics.h; lanes.h moves the vectors:
//   ROWS        rows of a block, which is what is held in registers while coordinates are added
//   VECTORS     vectors of LANES columns in a block
//   DOWN        blocks one below the other in a work-item's tile, one computed after the other
//   ACROSS      blocks side by side in a work-item's tile
//   GROUP_COLS  work-items side by side that share a panel of columns; neighbours store to neighbouring addresses
//   GROUP_ROWS  work-items one below the other that share a panel of rows
//   SYMMETRIC   1: x and y are the same points; tiles below the diagonal are skipped and mirrored from above it.
//               Needs TALL that divides TILE_COLS and is a multiple of LANES
//   STREAMED    1: k goes past the caches; tiles begin at multiples of a vector in memory
//   HALVES      1: k is stored in half precision, each value rounded once
//   LOWER       1: x and y are the same points; k is the lower triangle, one row behind the other
//   ADD_SQDIST, ADD_L1, ADD_DOT, ADD_CHI2
//               functions of pairs.h, for those of a pair's numbers that are needed
//   WEIGHTS     1: differences are multiplied by weights, one for each coordinate
//   NORMS       1: the value needs the points' norms
//   ROW_FACTORS 1: each row of K is multiplied by a factor of its own
//   VALUE       the kernel's value: an expression (value.h)
//
//             |<------- COL_PANEL ------->|
//   i     ->  [0: item 0][0: item 1] ... [1: item 0][1: item 1] ...     0, 1: vectors of LANES columns
//   i + 1     ...                                                     TALL rows
//
// A tile is larger than a block so that whole cache lines are stored, of the mirror image too. The shape of blocks,
// tiles and groups changes no bit: each pair has one accumulator, filled over the coordinates in order.
#include "lanes.h"
#include "pairs.h"
#include "value.h"

#define HEIGHT ROWS
#include "block.h"

#define TALL      (ROWS * DOWN)
#define WIDE      (VECTORS * ACROSS)
#define COL_PANEL (LANES * VECTORS * GROUP_COLS)
#define ROW_PANEL (ROWS * GROUP_ROWS)
#define TILE_COLS (COL_PANEL * ACROSS) // of a group's tiles side by side
#if (DOWN > 1 && GROUP_ROWS > 1) || (ACROSS > 1 && GROUP_COLS > 1)
#error "work-items that share panels have one block each"
#endif

#if HALVES
#include "half.h"
typedef ushort element;
#if LANES == 1
#define TO_ELEMENT(v)      ((ushort)half_bits(v))
#define STORE_VECTOR(v, p) (*(p) = TO_ELEMENT(v))
#else
#define TO_ELEMENT(v)      ISG_CAT(convert_ushort, LANES)(half_bits(v))
#define STORE_VECTOR(v, p) ISG_CAT(vstore, LANES)(TO_ELEMENT(v), 0, p)
#endif
#else
typedef scalar element;
#define TO_ELEMENT(v)      (v)
#define STORE_VECTOR(v, p) STORE(v, p)
#endif

// The host has seen to the alignment, but a driver may have put a copy of k elsewhere: look before a store that must be
// aligned.
#if STREAMED
#define STORE_TILE(v, p)                                                                                               \
    if ((size_t)(p) % sizeof(real) == 0)                                                                               \
        STREAM(v, p);                                                                                                  \
    else                                                                                                               \
        STORE_VECTOR(v, p)
#else
#define STORE_TILE(v, p) STORE_VECTOR(v, p)
#endif

// Element (i, j) lies at k[ROW_OF_K(i) + j]. Of a triangle, `stride` is what is added to i to have its row, and there
// are elements up to column i + below.
#if LOWER
#define ROW_OF_K(i)     (origin + ((long)(i) + stride) * ((long)(i) + stride + 1) / 2)
#define TILE_IN_K(i, j) ((j) + TILE_COLS - 1 <= (i) + below)
#else
#define ROW_OF_K(i)     (origin + (long)(i)*stride)
#define TILE_IN_K(i, j) 1
#endif

// Column of lane 0 of vector c, relative to the panel.
#define COLUMN(c) (((c)*GROUP_COLS + item) * LANES)

#if SYMMETRIC && LANES > 1
#if TALL % LANES != 0
#error "mirrored tiles are whole vectors high"
#endif
// t = the transpose of LANES rows of one vector: log2(LANES) rounds, each of which interleaves row i with row
// i + LANES/2.
#define TRANSPOSE_ROUND(t)                                                                                             \
    {                                                                                                                  \
        real u[LANES];                                                                                                 \
        EACH (r, LANES / 2) {                                                                                          \
            u[2 * r].even = t[r].lo;                                                                                   \
            u[2 * r].odd = t[r + LANES / 2].lo;                                                                        \
            u[2 * r + 1].even = t[r].hi;                                                                               \
            u[2 * r + 1].odd = t[r + LANES / 2].hi;                                                                    \
        }                                                                                                              \
        EACH (r, LANES)                                                                                                \
            t[r] = u[r];                                                                                               \
    }
#if LANES == 2
#define TRANSPOSE(t) TRANSPOSE_ROUND(t)
#elif LANES == 4
#define TRANSPOSE(t) TRANSPOSE_ROUND(t) TRANSPOSE_ROUND(t)
#elif LANES == 8
#define TRANSPOSE(t) TRANSPOSE_ROUND(t) TRANSPOSE_ROUND(t) TRANSPOSE_ROUND(t)
#else
#define TRANSPOSE(t) TRANSPOSE_ROUND(t) TRANSPOSE_ROUND(t) TRANSPOSE_ROUND(t) TRANSPOSE_ROUND(t)
#endif
#endif

// rows, cols: all panels of the two point sets. row_data, col_data: what else is known of the points (value.h).
// numbers: those of the expression, then the weights. i0, j0: the points at which the launch begins, at a panel's
// border. row_lo ... col_hi: the block asked for. origin, stride, below: where elements lie (ROW_OF_K); origin may be
// negative.
kernel void gram(global const scalar *rows, global const scalar *cols, global const scalar *row_data,
                 global const scalar *col_data, int row_pitch, int col_pitch, global const scalar *numbers,
                 global element *k, long origin, long stride, int below, int i0, int j0, int row_lo, int row_hi,
                 int col_lo, int col_hi, int d)
{
    int item = (int)get_global_id(0) % GROUP_COLS;
    int j = j0 + (int)get_global_id(0) / GROUP_COLS * TILE_COLS;
    int i = i0 + (int)get_global_id(1) * TALL;
    if (i >= row_hi || j >= col_hi)
        return;
#if SYMMETRIC
    if (j + TILE_COLS <= i)
        return;
#endif
#if LOWER
    if (j > i + TALL - 1 + below)
        return;
#endif
    real value[TALL][WIDE];
    for (int top = 0; top < TALL; top += ROWS)
        for (int left = 0; left < WIDE; left += VECTORS) {
            // The block's panels; with several work-items to a panel, theirs is a part of it.
            int row = i + top;
            global const scalar *a = rows + (long)(row / ROW_PANEL) * ROW_PANEL * d + row % ROW_PANEL;
            global const scalar *b = cols + (long)(j + left * LANES) * d + item * LANES;
            EACH_PAIR(BLOCK)
            for (int q = 0; q < d; q++) {
                real y[VECTORS];
                EACH (c, VECTORS)
                    y[c] = LOAD(b + c * GROUP_COLS * LANES);
#if WEIGHTS
                real w = (real)numbers[NUMBERS + q];
#endif
                EACH (r, ROWS) {
                    real x = (real)a[r];
                    EACH (c, VECTORS) {
                        EACH_PAIR(ADD_TO_BLOCK)
                    }
                }
                a += ROW_PANEL;
                b += COL_PANEL;
            }
            EACH (r, ROWS)
                EACH (c, VECTORS) {
                    int point = row + r, column = j + COLUMN(left + c);
                    EACH_PAIR(FROM_BLOCK)
#if NORMS
                    pair inverse = inverse_norms(pair_of((real)row_data[point], (real)row_data[row_pitch + point]),
                                                 pair_of(LOAD(col_data + column), LOAD(col_data + col_pitch + column)));
#endif
                    real v = VALUE;
#if ROW_FACTORS
                    v = real_product(v, (real)row_data[2 * NORMS * row_pitch + point]);
#endif
                    value[top + r][left + c] = v;
                }
        }

    if (i >= row_lo && i + TALL <= row_hi && j >= col_lo && j + TILE_COLS <= col_hi && TILE_IN_K(i, j)) {
        EACH (r, TALL)
            EACH (c, WIDE)
                STORE_TILE(value[r][c], k + ROW_OF_K(i + r) + j + COLUMN(c));
#if SYMMETRIC
        if (j >= i + TALL) {
            EACH (c, WIDE) {
                global element *mirrored = k + ROW_OF_K(j + COLUMN(c)) + i;
#if LANES == 1
                EACH (r, TALL)
                    mirrored[r] = TO_ELEMENT(value[r][c]);
#else
                EACH (top, TALL / LANES) {
                    real t[LANES];
                    EACH (r, LANES)
                        t[r] = value[top * LANES + r][c];
                    TRANSPOSE(t)
                    EACH (r, LANES)
                        STORE_TILE(t[r], mirrored + (long)r * stride + top * LANES);
                }
#endif
            }
        }
#endif
    } else {
        EACH (r, TALL)
            EACH (c, WIDE) {
                element lane[LANES];
                STORE_VECTOR(value[r][c], lane);
                for (int l = 0; l < LANES; l++) {
                    int row = i + r, column = j + COLUMN(c) + l;
                    if (row < row_lo || row >= row_hi || column < col_lo || column >= col_hi)
                        continue;
#if LOWER
                    if (column > row + below)
                        continue;
#endif
                    k[ROW_OF_K(row) + column] = lane[l];
#if SYMMETRIC
                    if (j >= i + TALL)
                        k[ROW_OF_K(column) + row] = lane[l];
#endif
                }
            }
    }
}
