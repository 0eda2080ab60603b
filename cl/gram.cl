// A block of the Gram matrix from packed panels (pack.cl): k[i, j] = FORMULA(gamma * |x_i - y_j|^2).
//
// Build options, besides those of numerics.h; lanes.h moves the vectors:
//   ROWS        rows of a work-item's tile
//   VECTORS     vectors of LANES columns in a work-item's tile
//   GROUP_COLS  work-items side by side that share a panel of columns; neighbours store to neighbouring addresses
//   GROUP_ROWS  work-items one below the other that share a panel of rows
//   SYMMETRIC   1: x and y are the same points; tiles below the diagonal are skipped and mirrored from above it.
//               Needs ROWS of 4 or 8 that divide COL_PANEL
//   STREAMED    1: k goes past the caches; tiles begin at multiples of a vector in memory
//   FORMULA     a function of formulas.h
//
//             |<------- COL_PANEL ------->|
//   i     ->  [0: item 0][0: item 1] ... [1: item 0][1: item 1] ...     0, 1: vectors of LANES columns
//   i + 1     ...                                                     ROWS rows
//
// The shape of tiles and groups changes no bit: each pair has one accumulator, filled over the coordinates in order.
#define COL_PANEL  (LANES * VECTORS * GROUP_COLS)
#define ROW_PANEL  (ROWS * GROUP_ROWS)

#if STREAMED
#define STORE_TILE(v, p) STREAM(v, p)
#else
#define STORE_TILE(v, p) STORE(v, p)
#endif

// Column of lane 0 of vector c, relative to the panel.
#define COLUMN(c) (((c) * GROUP_COLS + item) * LANES)

#if SYMMETRIC
// One column of the tile becomes ROWS neighbours of a row. Vectors are spelled out lane by lane: an index would send the tile to
// memory. Scalar code stays free of vectors, for the sake of old compilers.
#if LANES == 1
#define MIRROR(c, lane) EACH(r, ROWS) across[r] = sum[r][c];
#else
#if ROWS == 4
#define DOWN(c, lane) (sum[0][c] lane, sum[1][c] lane, sum[2][c] lane, sum[3][c] lane)
#elif ROWS == 8
#define DOWN(c, lane)                                                                                                  \
    (sum[0][c] lane, sum[1][c] lane, sum[2][c] lane, sum[3][c] lane, sum[4][c] lane, sum[5][c] lane, sum[6][c] lane,   \
     sum[7][c] lane)
#else
#error "mirrored tiles have 4 or 8 rows"
#endif
#define MIRROR(c, lane)                                                                                                \
    ISG_CAT(vstore, ROWS)((ISG_CAT(ISG_REAL_NAME, ROWS))DOWN(c, lane), 0, across);                                     \
    across += stride;
#endif
#define LANES_1(M, c)  M(c, )
#define LANES_2(M, c)  M(c, .s0) M(c, .s1)
#define LANES_4(M, c)  LANES_2(M, c) M(c, .s2) M(c, .s3)
#define LANES_8(M, c)  LANES_4(M, c) M(c, .s4) M(c, .s5) M(c, .s6) M(c, .s7)
#define LANES_16(M, c) LANES_8(M, c) M(c, .s8) M(c, .s9) M(c, .sa) M(c, .sb) M(c, .sc) M(c, .sd) M(c, .se) M(c, .sf)
#endif

// rows, cols: all panels of the two point sets. i0, j0: the points at which the launch begins, at a panel's border. row_lo ... col_hi: the
// block asked for. Element (i, j) lies at k[origin + i * stride + j]; origin may be negative.
kernel void gram(global const scalar *rows, global const scalar *cols, global scalar *k, long origin, long stride, int i0,
                 int j0, int row_lo, int row_hi, int col_lo, int col_hi, int d, scalar gamma)
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
    EACH(r, ROWS) EACH(c, VECTORS) sum[r][c] = REAL(0);
    for (int q = 0; q < d; q++) {
        real y[VECTORS];
        EACH(c, VECTORS) y[c] = LOAD(b + c * GROUP_COLS * LANES);
        EACH(r, ROWS) {
            real x = (real)a[r];
            EACH(c, VECTORS) {
                real t = x - y[c];
                sum[r][c] = FMA(t, t, sum[r][c]);
            }
        }
        a += ROW_PANEL;
        b += COL_PANEL;
    }
    EACH(r, ROWS) EACH(c, VECTORS) sum[r][c] = FORMULA(sum[r][c] * (real)gamma);

    global scalar *out = k + origin + (long)i * stride + j;
    if (i >= row_lo && i + ROWS <= row_hi && j >= col_lo && j + COL_PANEL <= col_hi) {
        EACH(r, ROWS) EACH(c, VECTORS) STORE_TILE(sum[r][c], out + (long)r * stride + COLUMN(c));
#if SYMMETRIC
        if (j >= i + ROWS) {
            EACH(c, VECTORS) {
                global scalar *across = k + origin + (long)(j + COLUMN(c)) * stride + i;
                ISG_CAT(LANES_, LANES)(MIRROR, c)
            }
        }
#endif
    } else {
        EACH(r, ROWS) EACH(c, VECTORS) {
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
