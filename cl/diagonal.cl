// The diagonal of the Gram matrix: k[i - lo] = FORMULA(the pair's number, a, b) for i in [lo, hi), one work-item each.
// rows and cols are packed as for gram.cl, in panels of ROW_PANEL and COL_PANEL points; the arithmetic is gram.cl's.
#include "formulas.h"
#include "pairs.h"

kernel void diagonal(global const scalar *rows, global const scalar *cols, global scalar *k, int lo, int hi, int d,
                     scalar number_a, scalar number_b)
{
    int i = lo + (int)get_global_id(0);
    if (i >= hi)
        return;
    global const scalar *a = rows + (long)(i / ROW_PANEL) * ROW_PANEL * d + i % ROW_PANEL;
    global const scalar *b = cols + (long)(i / COL_PANEL) * COL_PANEL * d + i % COL_PANEL;
    real sum = REAL(0);
    for (int q = 0; q < d; q++)
        sum = ADD(sum, b[(long)q * COL_PANEL], a[(long)q * ROW_PANEL]);
    k[i - lo] = FORMULA(sum, number_a, number_b);
}
