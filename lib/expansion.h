// What squared distances by products may lose, and what a covariance function can bear of it (method fast). Knows
// nothing of devices.
#ifndef ISG_LIB_EXPANSION_H
#define ISG_LIB_EXPANSION_H

#include "plan.h"

// As cl/expanded.h has them.
enum { ISG_STRETCH = 32, ISG_BAND = 64 };

// A distance s' is good enough where growth (|x|^2 + |y|^2) + least < enough or s' part, the left side being a bound
// of |s' - s| for the exact s; x and y as they are seen from their centre. All scaled as the points are.
typedef struct isg_allowance {
    double growth, least, enough, part;
} isg_allowance;

// tolerance: in (0, 1). Then a good s' is within tolerance times s of s, or shifts the function's value by no more than
// tolerance times its largest one.
isg_allowance isg_allowance_of(const isg_plan *plan, int64_t dims, isg_dtype dtype, double tolerance);

// What is taken where no tolerance is given: 512 times the distance of 1 from the next number.
double isg_tolerance_default(isg_dtype dtype);

#endif
