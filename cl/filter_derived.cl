// Results of filters put together, element by element.
//
// Build options, besides those of fma.h:
//   IN, OUT  elements in memory: FILTER_F32 ...; IN is the real type
//   CHECKED  0
//   KIND     DERIVED_SUM ...
//   COUNT    arrays that are put together
#include "fma.h"
#include "lanes.h"
#include "filter_element.h"
#include "derived.h"

// x0 ... x3: COUNT arrays without gaps; the others are not read. numbers: the amount; what takes the place of NaN.
// Dimension 1 counts all lines, dimension 0 work-items that share one.
kernel void filter_derived(global const scalar *x0, global const scalar *x1, global const scalar *x2,
                           global const scalar *x3, global element_out *out, global const long *shape,
                           global const scalar *numbers, long line, long line_end)
{
    const long at = line + (long)get_global_id(1), cols = shape[VALID_COUNT_3], step = shape[VALID_IN_3];
    if (at >= line_end)
        return;
    const long c = at % shape[VALID_COUNT_2], rest = at / shape[VALID_COUNT_2];
    const long b = rest % shape[VALID_COUNT_1], a = rest / shape[VALID_COUNT_1];
    out += shape[VALID_IN] + a * shape[VALID_IN_0] + b * shape[VALID_IN_1] + c * shape[VALID_IN_2];
    for (long col = (long)get_global_id(0); col < cols; col += (long)get_global_size(0)) {
        const long i = at * cols + col;
        real x[DERIVED_MOST];
        x[0] = x0[i];
        x[1] = COUNT > 1 ? x1[i] : REAL(0);
        x[2] = COUNT > 2 ? x2[i] : REAL(0);
        x[3] = COUNT > 3 ? x3[i] : REAL(0);
        real y = derived_of(KIND, x, COUNT, numbers[0]);
        y = pick(is_nan(y), numbers[1], y);
        element_out lane[LANES];
        to_elements(y, lane);
        out[col * step] = lane[0];
    }
}
