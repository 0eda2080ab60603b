// Points in panels (pack.cl) as they are seen from a centre, times the coordinates' weights where there are WEIGHTS, in
// panels like theirs; and their squared norms, within an ulp: Ogita, Rump, Oishi, Accurate sum and dot product, SIAM J.
// Sci. Comput. 26 (2005), algorithm 5.3. PANEL is a multiple of LANES. One work-item does LANES points.
#include "lanes.h"
#include "pair.h"

// first, count: places in the panels, multiples of LANES. numbers: gram.cl's, the weights behind NUMBERS of them.
kernel void recentre(global const scalar *panels, global scalar *seen, global scalar *norms,
                     global const scalar *centres, global const scalar *numbers, int centre, int first, int count,
                     int d)
{
    int p = first + (int)get_global_id(0) * LANES;
    if (p >= first + count)
        return;
    long at = (long)(p / PANEL) * PANEL * d + p % PANEL;
    real high = REAL(0), low = REAL(0);
    for (int k = 0; k < d; k++) {
        real t = LOAD_ALIGNED(panels + at) - (real)centres[(long)centre * d + k];
#if WEIGHTS
        t = t * (real)numbers[NUMBERS + k];
#endif
        STORE_ALIGNED(t, seen + at);
        pair square = product_exact(t, t), sum = sum_exact(high, square.hi);
        high = sum.hi;
        low = low + (sum.lo + square.lo);
        at += PANEL;
    }
    STORE_ALIGNED(high + low, norms + p);
}
