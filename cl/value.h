// The value of a pair of points, VALUE: an expression over formulas.h and combine.h, in the pairs' numbers (sqdist, l1,
// dot, chi2), N(i), and inverse, which is 1/(|x| |y|) in two parts. lib/plan.c writes it. N(i) are the first of the
// kernel's argument `numbers`; NUMBERS of them, and then the coordinates' weights.
//
// What else a kernel is given of the points, in arrays of row_pitch and col_pitch elements one after the other: 1/|x|
// in two parts where there are NORMS, and the factor of K's row where there are ROW_FACTORS.
#ifndef ISG_CL_VALUE_H
#define ISG_CL_VALUE_H

#include "combine.h"
#include "formulas.h"

#define N(i) ((real)numbers[i])

#endif
