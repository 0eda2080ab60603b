// Arguments of the functions of cl/functions.h where things go wrong if they do.
#ifndef ISG_TESTS_HARD_INPUTS_H
#define ISG_TESTS_HARD_INPUTS_H

#include "suite.h"

#include <isogram/base.h>

#include "../cl/functions.h"

// Fills a, and b for functions of two arguments, with `count` numbers of type dtype of the function's domain: near the
// borders of its reductions, near its zeros and poles, where results become too small or too large, and anywhere at
// all, zeros, subnormal and infinite numbers and NaN included.
void hard_inputs(int function, isg_dtype dtype, suite_random *random, void *a, void *b, int64_t count);

// The number `steps` places above x.
double hard_moved(isg_dtype dtype, double x, int64_t steps);

#endif
