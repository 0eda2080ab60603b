// The diagonal of the Gram matrix: k[i - lo] = FORMULA(gamma * |x_i - y_i|^2) for i in [lo, hi), one work-item each.
// rows and cols are packed as for gram.cl, in panels of ROW_PANEL and COL_PANEL points; the arithmetic is gram.cl's.
#include "formulas.h"

kernel void diagonal(global const scalar *rows, global const scalar *cols, global scalar *k, int lo, int hi, int d,
                     scalar gamma)
{
    int i = lo + (int)get_global_id(0);
    if (i >= hi)
        return;
    global const scalar *a = rows + (long)(i / ROW_PANEL) * ROW_PANEL * d + i % ROW_PANEL;
    global const scalar *b = cols + (long)(i / COL_PANEL) * COL_PANEL * d + i % COL_PANEL;
    real sum = REAL(0);
    for (int q = 0; q < d; q++) {
        real t = a[(long)q * ROW_PANEL] - b[(long)q * COL_PANEL];
        sum = FMA(t, t, sum);
    }
    k[i - lo] = FORMULA(sum * gamma);
}
