// Lays points out in panels, as gram.cl reads them.
//
// A panel holds PANEL consecutive points, coordinate by coordinate:
//
//     panels[(i / PANEL * d + k) * PANEL + i % PANEL] = x[i * stride + k] * scale1 * scale2
//
// The scale is a power of two, in two factors because one may leave the range. It brings the lengthscale close to 1, so
// that no difference of consequence is subnormal. What would become subnormal is zero here, on every device: |x| <
// tiny. The last panel is filled up with zeros. One work-item does one point.
kernel void pack(global const scalar *x, global scalar *panels, long stride, int n, int d, scalar tiny, scalar scale1,
                 scalar scale2)
{
    int i = (int)get_global_id(0);
    global scalar *to = panels + (long)(i / PANEL) * d * PANEL + i % PANEL;
    if (i < n) {
        global const scalar *from = x + i * stride;
        for (int k = 0; k < d; k++) {
            scalar v = from[k];
            to[(long)k * PANEL] = v > -tiny && v < tiny ? 0 : v * scale1 * scale2;
        }
    } else if (i < (n + PANEL - 1) / PANEL * PANEL) {
        for (int k = 0; k < d; k++)
            to[(long)k * PANEL] = 0;
    }
}
