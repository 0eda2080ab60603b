// The diagonal of the Gram matrix, k[i - lo] for i in [lo, hi), one work-item each. Points, numbers and build options
// are those of gram.cl, in panels of ROW_PANEL and COL_PANEL points; so is the arithmetic.
#include "pairs.h"
#include "value.h"

#define START(name, step) real name = REAL(0);
#define ADD(name, step)   name = step(name, y, x, w);

kernel void diagonal(global const scalar *rows, global const scalar *cols, global const scalar *row_data,
                     global const scalar *col_data, int row_pitch, int col_pitch, global const scalar *numbers,
                     global scalar *k, int lo, int hi, int d)
{
    int i = lo + (int)get_global_id(0);
    if (i >= hi)
        return;
    global const scalar *a = rows + (long)(i / ROW_PANEL) * ROW_PANEL * d + i % ROW_PANEL;
    global const scalar *b = cols + (long)(i / COL_PANEL) * COL_PANEL * d + i % COL_PANEL;
    EACH_PAIR(START)
    for (int q = 0; q < d; q++) {
        real x = a[(long)q * ROW_PANEL], y = b[(long)q * COL_PANEL];
#if WEIGHTS
        real w = numbers[NUMBERS + q];
#endif
        EACH_PAIR(ADD)
    }
#if NORMS
    pair inverse =
        inverse_norms(pair_of(row_data[i], row_data[row_pitch + i]), pair_of(col_data[i], col_data[col_pitch + i]));
#endif
    real value = VALUE;
#if ROW_FACTORS
    value = real_product(value, row_data[2 * NORMS * row_pitch + i]);
#endif
    k[i - lo] = value;
}
