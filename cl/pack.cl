// Lays points out in panels, as gram.cl reads them.
//
// A panel holds PANEL consecutive points, coordinate by coordinate:
//
//     panels[(p / PANEL * d + k) * PANEL + p % PANEL] = x[i * stride + k] * scale1 * scale2,  p = lead + i
//
// The scale is a power of two, in two factors because one may leave the range. It brings the lengthscale close to 1, so
// that no difference of consequence is subnormal. What would become subnormal is zero here, on every device: |x| <
// tiny. In front of the first point are `lead` zeros, and behind the last one so many that there are `padded` points.
// One work-item does one point.
#include "real.h"

kernel void pack(global const scalar *x, global scalar *panels, long stride, int n, int lead, int padded, int d,
                 scalar tiny, scalar scale1, scalar scale2)
{
    int p = (int)get_global_id(0), i = p - lead;
    global scalar *to = panels + (long)(p / PANEL) * d * PANEL + p % PANEL;
    if (i >= 0 && i < n) {
        global const scalar *from = x + i * stride;
        for (int k = 0; k < d; k++) {
            scalar v = from[k];
            to[(long)k * PANEL] = v > -tiny && v < tiny ? 0 : v * scale1 * scale2;
        }
    } else if (p < padded) {
        for (int k = 0; k < d; k++)
            to[(long)k * PANEL] = 0;
    }
}
