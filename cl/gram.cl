// A block of the Gram matrix from packed panels (pack.cl): k[row(i), col(j)] = FORMULA(gamma * |x_i - y_j|^2).
//
// Build options, besides those of numerics.h:
//   ROWS           rows of a work-item's tile
//   VECTORS        vectors of LANES columns in a work-item's tile
//   GROUP_COLS     work-items of a group along the columns (local size 0); neighbours store to neighbouring addresses
//   GROUP_ROWS     work-items of a group that share a panel of rows
//   SYMMETRIC      1: x and y are the same points, tiles below the diagonal are skipped and mirrored from above
//   FORMULA        a function of formulas.h
//
// Panels of rows hold ROWS * GROUP_ROWS points, panels of columns LANES * VECTORS * GROUP_COLS. The shape of tiles and
// groups changes no bit: each pair has one accumulator, filled over k in order.
#define COLS        (LANES * VECTORS)
#define ROW_PANEL   (ROWS * GROUP_ROWS)
#define COL_PANEL   (COLS * GROUP_COLS)
#define EACH(v, n)  _Pragma("unroll") for (int v = 0; v < (n); v++)

#if LANES == 1
#define LOAD(p)     (*(p))
#define STORE(v, p) (*(p) = (v))
#else
#define LOAD(p)     ISG_CAT(vload, LANES)(0, p)
#define STORE(v, p) ISG_CAT(vstore, LANES)(v, 0, p)
#endif

#if ROWS == 4
#define ACROSS(c, lane) ISG_CAT(vstore, 4)((ISG_CAT(ISG_REAL_NAME, 4))(sum[0][c]lane, sum[1][c]lane, sum[2][c]lane, sum[3][c]lane), 0, across)
#elif ROWS == 8
#define ACROSS(c, lane) ISG_CAT(vstore, 8)((ISG_CAT(ISG_REAL_NAME, 8))(sum[0][c]lane, sum[1][c]lane, sum[2][c]lane, sum[3][c]lane, sum[4][c]lane, sum[5][c]lane, sum[6][c]lane, sum[7][c]lane), 0, across)
#else
#define ACROSS(c, lane) EACH(r, ROWS) across[r] = sum[r][c]lane
#endif
#define A1(c, e) ACROSS(c, e); across += stride;
#if LANES == 1
#define ALL(c) A1(c,)
#elif LANES == 2
#define ALL(c) A1(c,.s0) A1(c,.s1)
#elif LANES == 4
#define ALL(c) A1(c,.s0) A1(c,.s1) A1(c,.s2) A1(c,.s3)
#elif LANES == 8
#define ALL(c) A1(c,.s0) A1(c,.s1) A1(c,.s2) A1(c,.s3)A1(c,.s4) A1(c,.s5) A1(c,.s6) A1(c,.s7)
#elif LANES == 16
#define ALL(c) A1(c,.s0) A1(c,.s1) A1(c,.s2) A1(c,.s3)A1(c,.s4) A1(c,.s5) A1(c,.s6) A1(c,.s7) A1(c,.s8) A1(c,.s9) A1(c,.sa) A1(c,.sb)A1(c,.sc) A1(c,.sd) A1(c,.se) A1(c,.sf)
#endif

// Column of lane 0 of vector c, relative to the first column of the group.
#define LANE_COLUMN(c, item) (((c) * GROUP_COLS + (item)) * LANES)

// rows, cols: panels in the launch's first row and column. i0, j0: the points that they begin with. row_lo … col_hi: the block asked
// for. Element (i, j) lies at k[origin + i * stride + j]; origin may be negative.
kernel void gram(global const scalar *rows, global const scalar *cols, global scalar *k, long origin, long stride, int i0,
                 int j0, int row_lo, int row_hi, int col_lo, int col_hi, int d, scalar gamma)
{
    int item = (int)get_global_id(0) % GROUP_COLS;
    int j = j0 + (int)get_global_id(0) / GROUP_COLS * COL_PANEL;
    int i = i0 + (int)get_global_id(1) * ROWS;
    if (i >= row_hi || j >= col_hi)
        return;
#if SYMMETRIC
    if (j + COLS <= i)
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
        EACH(r, ROWS) EACH(c, VECTORS) STORE(sum[r][c], out + (long)r * stride + LANE_COLUMN(c, item));
    } else {
        EACH(r, ROWS) EACH(c, VECTORS) {
            scalar lane[LANES];
            STORE(sum[r][c], lane);
            for (int l = 0; l < LANES; l++) {
                int column = LANE_COLUMN(c, item) + l;
                if (i + r >= row_lo && i + r < row_hi && j + column >= col_lo && j + column < col_hi)
                    out[(long)r * stride + column] = lane[l];
            }
        }
    }
#if SYMMETRIC
    if (j >= i + ROWS && i + ROWS <= row_hi && j + COL_PANEL <= col_hi) {
        EACH(c, VECTORS) {
            global scalar *across = k + origin + (long)(j + LANE_COLUMN(c, item)) * stride + i;
            ALL(c)
        }
    }
#endif
}
