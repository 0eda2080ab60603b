// A Gaussian grid from its profiles: out[i0, i1, i2, i3] = ((p0[i0] * p1[i1]) * p2[i2]) * p3[i3], row-major.
//
// profiles: the four, one behind the other, n0 ... n3 long; a grid of fewer axes begins with profiles of a single 1.
// One work-item per element of out: dimension 0 is the last axis, dimension 1 counts rows, which are all the other
// indices taken together.
#include "quotient.h"

kernel void grid(global const scalar *profiles, global scalar *out, int n0, int n1, int n2, int n3, long row,
                 long row_end, long column, long column_end)
{
    long j = column + (long)get_global_id(0);
    long r = row + (long)get_global_id(1);
    if (j >= column_end || r >= row_end)
        return;
    int i2 = (int)(r % n2), i1 = (int)(r / n2 % n1), i0 = (int)(r / n2 / n1);
    scalar v = mul_normal(profiles[i0], profiles[n0 + i1]);
    v = mul_normal(v, profiles[n0 + n1 + i2]);
    v = mul_normal(v, profiles[(long)n0 + n1 + n2 + j]);
    out[(r - row) * (column_end - column) + (j - column)] = v;
}
