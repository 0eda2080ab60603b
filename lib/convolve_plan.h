// From what a caller asked of a convolution to what is computed: correlation with weights in the order in which they
// are added. No OpenCL.
//
// What counts as 0 is as in filter_plan.h, a product w[k] x taking the place of w[k] (x + y): both are multiples of
// 2^-63 (2^-852, 2^-132), none of which can be subnormal together.
#ifndef ISG_LIB_CONVOLVE_PLAN_H
#define ISG_LIB_CONVOLVE_PLAN_H

#include "filter_plan.h"

#include <isogram/convolve.h>

typedef struct isg_convolve_plan {
    isg_dtype dtype; // of the arithmetic: ISG_F32 or ISG_F64
    int32_t count;   // of the stencil's axes, ascending
    int32_t axis[ISG_CONVOLVE_MAX_NDIM];
    int64_t size[ISG_CONVOLVE_MAX_NDIM], before[ISG_CONVOLVE_MAX_NDIM]; // places of the stencil, and those in front of
                                                                        // the element
    isg_mode mode[ISG_CONVOLVE_MAX_NDIM];
    int64_t weight_count;
    double *weights;       // row-major, for x[i - before + k], divided by 2^exponent and rounded to the dtype
    isg_filter_plan scale; // of scales alone, with one axis that stands for all: isg_filter_scale_in, ..._axis of 0
} isg_convolve_plan;

// shape: of the array, ndim axes. plan: to be freed, also after a failure. error: may be NULL.
isg_status isg_convolve_plan_make(isg_convolve_plan *plan, const isg_convolve_params *params, int32_t ndim,
                                  const int64_t *shape, const isg_array *stencil, isg_dtype in, isg_error *error);
void isg_convolve_plan_free(isg_convolve_plan *plan);

// Which element of n stands at places -before … n - 1 + size - 1 - before of the plan's axis `at`; -1: the constant.
// NULL: no memory. To be freed.
int32_t *isg_convolve_table(const isg_convolve_plan *plan, int32_t at, int64_t n);

#endif
