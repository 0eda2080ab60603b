// A block of the Gram matrix from packed panels (pack.cl).
//
// Build options, besides those of numerics.h; lanes.h moves the vectors:
//   ROWS        rows of a block, which is what is held in registers while coordinates are added
//   VECTORS     vectors of LANES columns in a block
//   DOWN        blocks one below the other in a work-item's tile, one computed after the other
//   ACROSS      blocks side by side in a work-item's tile
//   GROUP_COLS  work-items side by side that share a panel of columns; neighbours store to neighbouring addresses
//   GROUP_ROWS  work-items one below the other that share a panel of rows; ROWS is a multiple of LANES then
//   SYMMETRIC   1: x and y are the same points; tiles below the diagonal are skipped and mirrored from above it.
//               Needs TALL that is a multiple of LANES, and of TILE_ROWS and TILE_COLS one that divides the other
//   STREAMED    1: k goes past the caches; tiles begin at multiples of a vector in memory
//   UNROLL      coordinates that are added in one round of the loop; 0: as the compiler likes
//   HALVES      1: k is stored in half precision, each value rounded once
//   LOWER       1: x and y are the same points; k is the lower triangle, one row behind the other
//   ADD_SQDIST, ADD_L1, ADD_DOT, ADD_CHI2
//               functions of pairs.h, for those of a pair's numbers that are needed
//   WEIGHTS     1: differences are multiplied by weights, one for each coordinate
//   NORMS       1: the value needs the points' norms
//   ROW_FACTORS 1: each row of K is multiplied by a factor of its own
//   VALUE       the kernel's value: an expression (value.h)
//   EXPANDED    1: distances come from products where these keep enough of them (expanded.h), and only the others by
//               subtracting first; sqdist is the only number then. Not under the contract
//   SAME        of EXPANDED: x and y are the same points
//
//             |<------- COL_PANEL ------->|
//   i     ->  [0: item 0][0: item 1] ... [1: item 0][1: item 1] ...     0, 1: vectors of LANES columns
//   i + 1     ...                                                     TILE_ROWS rows
//
// Likewise downwards: of work-items that share a panel of rows each has LANES rows in turn. So neighbours read and
// write neighbouring addresses both ways, in K and in its mirror image.
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
#define TILE_ROWS (ROW_PANEL * DOWN)
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

#if UNROLL > 0
#define ISG_TEXT_(a)    #a
#define ISG_TEXT(a)     ISG_TEXT_(a)
#define EACH_COORDINATE _Pragma(ISG_TEXT(unroll UNROLL))
#else
#define EACH_COORDINATE
#endif

// Element (i, j) lies at k[ROW_OF_K(i) + j]. Of a triangle, `stride` is what is added to i to have its row, and there
// are elements up to column i + below.
#if LOWER
#define ROW_OF_K(i)     (origin + ((long)(i) + stride) * ((long)(i) + stride + 1) / 2)
#define TILE_IN_K(i, j) ((j) + TILE_COLS - 1 <= (i) + below)
#define COLUMNS_END(i)  ((i) + below < col_hi ? (i) + below + 1 : col_hi)
#else
#define ROW_OF_K(i)     (origin + (long)(i)*stride)
#define TILE_IN_K(i, j) 1
#define COLUMNS_END(i)  col_hi
#endif

// Column of lane 0 of vector c, and row r, relative to the tile; and to the work-item's first ones.
#define COLUMN(c)      (COLUMN_STEP(c) + item * LANES)
#define COLUMN_STEP(c) ((c)*GROUP_COLS * LANES)
#if GROUP_ROWS > 1
#if ROWS % LANES != 0
#error "work-items that share rows have whole vectors of them"
#endif
#define ROW(r)      (ROW_STEP(r) + row_item * LANES)
#define ROW_STEP(r) ((r) / LANES * GROUP_ROWS * LANES + (r) % LANES)
#else
#define ROW(r)      (r)
#define ROW_STEP(r) (r)
#endif

// Squares along the diagonal, of which all pairs are computed; what lies above them is mirrored.
#define SQUARE (TILE_ROWS > TILE_COLS ? TILE_ROWS : TILE_COLS)

// One coordinate of a block's rows, from a panel: X_OF(r).
#if GROUP_ROWS > 1
#define LOAD_ROWS(from)                                                                                                \
    union {                                                                                                            \
        real vectors[ROWS / LANES];                                                                                    \
        scalar rows[ROWS];                                                                                             \
    } x_of;                                                                                                            \
    EACH (v, ROWS / LANES)                                                                                             \
        x_of.vectors[v] = LOAD_ALIGNED((from) + v * GROUP_ROWS * LANES);
#define X_OF(r) x_of.rows[r]
#else
#define LOAD_ROWS(from) global const scalar *x_of = (from);
#define X_OF(r)         x_of[r]
#endif

#if EXPANDED
#include "expanded.h"
#if SYMMETRIC && SQUARE > BAND
#error "squares on the diagonal are wider than the band of pairs that are subtracted"
#endif
#endif

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
// negative. Of EXPANDED: the points as they are seen from a centre, in panels like rows and cols; their squared norms;
// where elements of K that were subtracted first are counted, in two parts of 32 bits; what distances may lose.
kernel void gram(global const scalar *rows, global const scalar *cols, global const scalar *row_data,
                 global const scalar *col_data, int row_pitch, int col_pitch, global const scalar *numbers,
                 global element *k, long origin, long stride, int below, int i0, int j0, int row_lo, int row_hi,
                 int col_lo, int col_hi, int d
#if EXPANDED
                 ,
                 global const scalar *seen_rows, global const scalar *seen_cols, global const scalar *row_norms,
                 global const scalar *col_norms, global uint *subtracted, scalar growth, scalar least, scalar enough,
                 scalar part
#endif
)
{
    int item = (int)get_global_id(0) % GROUP_COLS;
    int j = j0 + (int)get_global_id(0) / GROUP_COLS * TILE_COLS;
    int i = i0 + (int)get_global_id(1) / GROUP_ROWS * TILE_ROWS;
#if GROUP_ROWS > 1
    int row_item = (int)get_global_id(1) % GROUP_ROWS;
#endif
    if (i >= row_hi || j >= col_hi)
        return;
#if SYMMETRIC
    if (j / SQUARE < i / SQUARE)
        return;
#endif
#if LOWER
    if (j > i + TILE_ROWS - 1 + below)
        return;
#endif
    int inside = i >= row_lo && i + TILE_ROWS <= row_hi && j >= col_lo && j + TILE_COLS <= col_hi && TILE_IN_K(i, j);
#if EXPANDED
    uint count = 0;
#endif
    real value[TALL][WIDE];
    for (int top = 0; top < TALL; top += ROWS)
        for (int left = 0; left < WIDE; left += VECTORS) {
            // The block's panels; with several work-items to a panel, theirs is a part of it.
            long row_at = (long)(i + top) * d + ROW(0), column_at = (long)(j + left * LANES) * d + COLUMN(0);
            global const scalar *a = rows + row_at;
            global const scalar *b = cols + column_at;
#if EXPANDED
            int row_0 = i + ROW(top), column_0 = j + COLUMN(left);
            real expanded[ROWS][VECTORS];
            bits again[ROWS][VECTORS];
            int any = expanded_block(expanded, again, seen_rows + row_at, seen_cols + column_at, row_norms + row_0,
                                     col_norms + column_0, d, column_0 - (row_0 + below), growth, least, enough, part);
#endif
            EACH_PAIR(BLOCK)
#if EXPANDED
            if (any)
#endif
                EACH_COORDINATE
            for (int q = 0; q < d; q++) {
                real y[VECTORS];
                EACH (c, VECTORS)
                    y[c] = LOAD_ALIGNED(b + COLUMN_STEP(c));
                LOAD_ROWS(a)
#if WEIGHTS
                real w = (real)numbers[NUMBERS + q];
#endif
                EACH (r, ROWS) {
                    real x = (real)X_OF(r);
                    EACH (c, VECTORS) {
                        EACH_PAIR(ADD_TO_BLOCK)
                    }
                }
                a += ROW_PANEL;
                b += COL_PANEL;
            }
            EACH (r, ROWS)
                EACH (c, VECTORS) {
                    int point = i + ROW(top + r), column = j + COLUMN(left + c);
                    EACH_PAIR(FROM_BLOCK)
#if EXPANDED
                    sqdist = pick(again[r][c], sqdist, expanded[r][c]);
#endif
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
#if EXPANDED
            if (any && inside) {
                bits all = BITS(0);
                EACH (r, ROWS)
                    EACH (c, VECTORS)
                        all = all - again[r][c];
                count += (uint)sum_of_lanes(all);
            } else if (any) {
                EACH (r, ROWS)
                    EACH (c, VECTORS) {
                        scalar_bits lane[LANES];
                        STORE(again[r][c], lane);
                        for (int l = 0; l < LANES; l++) {
                            int p = i + ROW(top + r), q = j + COLUMN(left + c) + l;
                            count += lane[l] && p >= row_lo && p < row_hi && q >= col_lo && q < COLUMNS_END(p);
                        }
                    }
            }
#endif
        }
#if EXPANDED
#if SYMMETRIC
    if (j / SQUARE > i / SQUARE)
        count *= 2;
#endif
    // The carry goes into the second part.
    if (count && (uint)atomic_add(subtracted, count) + count < count)
        atomic_inc(subtracted + 1);
#endif

    if (inside) {
        EACH (r, TALL)
            EACH (c, WIDE)
                STORE_TILE(value[r][c], k + ROW_OF_K(i + ROW(r)) + j + COLUMN(c));
#if SYMMETRIC
        if (j / SQUARE > i / SQUARE) {
            EACH (c, WIDE) {
                global element *mirrored = k + ROW_OF_K(j + COLUMN(c)) + i;
#if LANES == 1
                EACH (r, TALL)
                    mirrored[ROW(r)] = TO_ELEMENT(value[r][c]);
#else
                EACH (top, TALL / LANES) {
                    real t[LANES];
                    EACH (r, LANES)
                        t[r] = value[top * LANES + r][c];
                    TRANSPOSE(t)
                    EACH (r, LANES)
                        STORE_TILE(t[r], mirrored + (long)r * stride + ROW(top * LANES));
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
                    int row = i + ROW(r), column = j + COLUMN(c) + l;
                    if (row < row_lo || row >= row_hi || column < col_lo || column >= COLUMNS_END(row))
                        continue;
                    k[ROW_OF_K(row) + column] = lane[l];
#if SYMMETRIC
                    if (j / SQUARE > i / SQUARE)
                        k[ROW_OF_K(column) + row] = lane[l];
#endif
                }
            }
    }
}
