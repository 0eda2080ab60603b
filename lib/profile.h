// One-dimensional Gaussian weights in double: samplings and normalisation. No OpenCL; the same bits on every host.
#ifndef ISG_LIB_PROFILE_H
#define ISG_LIB_PROFILE_H

#include "recipe.h"

// weights: output, axis->size doubles. ISG_ERR_RANGE: nothing is left to normalise, or weights beyond 2^30.
// ISG_ERR_MEMORY.
isg_status isg_profile(const isg_axis *axis, double *weights, isg_error *error);

// Weights of a filter of 2 radius + 1 places, normalised to a sum of 1, times the polynomial of the derivative of that
// order, 0 to 4, as SciPy has it. half[k], k = 0 … radius: output; what the element k places ahead is multiplied by;
// the one behind likewise, but with the other sign for odd orders. exact: another polynomial of the same order and
// parity takes SciPy's place, the one that derives every polynomial of that order exactly in the middle of the filter:
// the sum of w[k] k^j is 0 for j < order, and order! for j = order. ISG_ERR_RANGE: weights beyond 2^30; or exact asks
// for what the weights cannot give. ISG_ERR_MEMORY.
isg_status isg_profile_taps(double sigma, int32_t order, int64_t radius, isg_sampling sampling, bool exact,
                            double *half, isg_error *error);

// Rounds weights to the dtype; what would be subnormal becomes 0.
void isg_profile_round(const double *weights, int64_t count, isg_dtype dtype, void *out);

#endif
