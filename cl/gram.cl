// A block of the Gram matrix from packed panels (pack.cl): k[i, j] = FORMULA(the pair's number, a, b).
//
// Build options, besides those of numerics.h; lanes.h moves the vectors:
//   ROWS        rows of a work-item's tile
//   VECTORS     vectors of LANES columns in a work-item's tile
//   GROUP_COLS  work-items side by side that share a panel of columns; neighbours store to neighbouring addresses
//   GROUP_ROWS  work-items one below the other that share a panel of rows
//   SYMMETRIC   1: x and y are the same points; tiles below the diagonal are skipped and mirrored from above it.
//               Needs ROWS that divide COL_PANEL, and are LANES unless that is 1
//   STREAMED    1: k goes past the caches; tiles begin at multiples of a vector in memory
//   ADD         a function of pairs.h
//   FORMULA     a function of formulas.h
//
//             |<------- COL_PANEL ------->|
//   i     ->  [0: item 0][0: item 1] ... [1: item 0][1: item 1] ...     0, 1: vectors of LANES columns
//   i + 1     ...                                                     ROWS rows
//
// The shape of tiles and groups changes no bit: each pair has one accumulator, filled over the coordinates in order.
#include "formulas.h"
#include "lanes.h"
#include "pairs.h"

#define COL_PANEL (LANES * VECTORS * GROUP_COLS)
#define ROW_PANEL (ROWS * GROUP_ROWS)

// The host has seen to the alignment, but a driver may have put a copy of k elsewhere: look before a store that must be
// aligned.
#if STREAMED
#define STORE_TILE(v, p)                                                                                               \
    if ((size_t)(p) % sizeof(real) == 0)                                                                               \
        STREAM(v, p);                                                                                                  \
    else                                                                                                               \
        STORE(v, p)
#else
#define STORE_TILE(v, p) STORE(v, p)
#endif

// Column of lane 0 of vector c, relative to the panel.
#define COLUMN(c) (((c)*GROUP_COLS + item) * LANES)

#if SYMMETRIC && LANES > 1
#if ROWS != LANES
#error "mirrored tiles are as high as a vector is wide"
#endif
// t = the transpose of a tile of LANES rows of one vector: log2(LANES) rounds, each of which interleaves row i with row
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

// rows, cols: all panels of the two point sets. i0, j0: the points at which the launch begins, at a panel's border.
// row_lo ... col_hi: the block asked for. Element (i, j) lies at k[origin + i * stride + j]; origin may be negative.
kernel void gram(global const scalar *rows, global const scalar *cols, global scalar *k, long origin, long stride,
                 int i0, int j0, int row_lo, int row_hi, int col_lo, int col_hi, int d, scalar number_a, scalar number_b)
{
    int item = (int)get_global_id(0) % GROUP_COLS;
    int j = j0 + (int)get_global_id(0) / GROUP_COLS * COL_PANEL;
    int i = i0 + (int)get_global_id(1) * ROWS;
    if (i >= row_hi || j >= col_hi)
        return;
#if SYMMETRIC
    if (j + COL_PANEL <= i)
        return;
#endif
    global const scalar *a = rows + (long)(i / ROW_PANEL) * ROW_PANEL * d + i % ROW_PANEL;
    global const scalar *b = cols + (long)j * d + item * LANES;

    real sum[ROWS][VECTORS];
    EACH (r, ROWS)
        EACH (c, VECTORS)
            sum[r][c] = REAL(0);
    for (int q = 0; q < d; q++) {
        real y[VECTORS];
        EACH (c, VECTORS)
            y[c] = LOAD(b + c * GROUP_COLS * LANES);
        EACH (r, ROWS) {
            real x = (real)a[r];
            EACH (c, VECTORS)
                sum[r][c] = ADD(sum[r][c], y[c], x);
        }
        a += ROW_PANEL;
        b += COL_PANEL;
    }
    EACH (r, ROWS)
        EACH (c, VECTORS)
            sum[r][c] = FORMULA(sum[r][c], (real)number_a, (real)number_b);

    global scalar *out = k + origin + (long)i * stride + j;
    if (i >= row_lo && i + ROWS <= row_hi && j >= col_lo && j + COL_PANEL <= col_hi) {
        EACH (r, ROWS)
            EACH (c, VECTORS)
                STORE_TILE(sum[r][c], out + (long)r * stride + COLUMN(c));
#if SYMMETRIC
        if (j >= i + ROWS) {
            EACH (c, VECTORS) {
                global scalar *across = k + origin + (long)(j + COLUMN(c)) * stride + i;
#if LANES == 1
                EACH (r, ROWS)
                    across[r] = sum[r][c];
#else
                real t[LANES];
                EACH (r, LANES)
                    t[r] = sum[r][c];
                TRANSPOSE(t)
                EACH (r, LANES)
                    STORE_TILE(t[r], across + (long)r * stride);
#endif
            }
        }
#endif
    } else {
        EACH (r, ROWS)
            EACH (c, VECTORS) {
                scalar lane[LANES];
                STORE(sum[r][c], lane);
                for (int l = 0; l < LANES; l++) {
                    int row = i + r, column = j + COLUMN(c) + l;
                    if (row < row_lo || row >= row_hi || column < col_lo || column >= col_hi)
                        continue;
                    k[origin + (long)row * stride + column] = lane[l];
#if SYMMETRIC
                    if (j >= i + ROWS)
                        k[origin + (long)column * stride + row] = lane[l];
#endif
                }
            }
    }
}
