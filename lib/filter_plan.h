// From what a caller asked of a filter to what is computed: axes, weights, index tables, and the powers of two that
// keep subnormal numbers out. No OpenCL.
//
// What counts as 0. Everything is done on scaled numbers, x 2^E; the scaled number, and what comes out of an axis,
// counts as 0 below 2^-40 in single precision (2^-800 in double), a weight below 2^-40 (2^-80) of the sum of all. So a
// sum x[i+k] +- x[i-k] is a multiple of 2^-63, a product with a weight is one of 2^-126, and so is every sum of
// products: none of them can be subnormal, nor can rounding an unfused product bring one about, and no device has
// anything to flush. E is 60 (100): numbers below 2^-100 (2^-900) count as 0. Arrays with numbers, or a constant, from
// 2^60 (2^900) on have no room for that: of them E is -8 (-20). A derivative's weights may be larger than 1 together:
// E falls by their power of two. Since E is a constant but for those arrays, a result depends on what the filter
// reaches and on nothing else.
//
// Weights are divided by the power of two in the sum of their magnitudes, and the sums multiplied by it, both exactly.
//
// With elements that are not valid, weights of those that are become sums as elements do: of 2^60 (2^100), whatever E
// is, for each of them. All that is said above holds for them, too. The share that the valid elements have of all
// weights may so be as small as 2^-100, but a mean is a quotient by it: what counts as 0 in a mean is what counts as 0
// in a sum, divided by the share. Shares below 2^-60 (2^-400) are no shares, so that in arrays with numbers of about 1
// single precision keeps its digits.
#ifndef ISG_LIB_FILTER_PLAN_H
#define ISG_LIB_FILTER_PLAN_H

#include "base.h"

#include <isogram/filter.h>

typedef struct isg_filter_axis {
    int32_t axis, order;
    isg_mode mode;
    int64_t radius;
    int32_t exponent; // of the sums: they are multiplied by 2^exponent
    double *weights;  // radius + 1, from the outside in, rounded to the plan's dtype
} isg_filter_axis;

typedef struct isg_filter_plan {
    isg_dtype dtype; // of the arithmetic: ISG_F32 or ISG_F64
    int32_t count;   // of filtered axes, ascending
    isg_filter_axis axis[ISG_FILTER_MAX_NDIM];
    double constant; // rounded to the dtype
    // PROPAGATE: there are no elements to look after. FILL: they become `fill`. IGNORE, PRESERVE: those without a
    // result become `fill`.
    isg_nan_policy policy;
    double fill; // rounded to the dtype; may be NaN
} isg_filter_plan;

// The arithmetic for these types, as base.h says of ISG_PRECISION_DEFAULT.
isg_dtype isg_filter_dtype(const isg_filter_params *params, isg_dtype in);

// shape, in: of the array. plan: to be freed, also after a failure. error: may be NULL.
isg_status isg_filter_plan_make(isg_filter_plan *plan, const isg_filter_params *params, int32_t ndim,
                                const int64_t *shape, isg_dtype dtype, isg_dtype in, isg_error *error);
void isg_filter_plan_free(isg_filter_plan *plan);

// Numbers of an axis, or of the input.
typedef struct isg_filter_scale {
    double tiny;     // below it a number counts as 0
    double factor;   // what the rest is multiplied by
    double constant; // what stands outside, in the unit of what goes into the axis
} isg_filter_scale;

// large: the array holds finite numbers of isg_filter_large or more.
double isg_filter_large(isg_dtype dtype);
isg_filter_scale isg_filter_scale_in(const isg_filter_plan *plan, bool large);
// Of plan->axis[at]; the last one's results lose the scale.
isg_filter_scale isg_filter_scale_axis(const isg_filter_plan *plan, int32_t at, bool large);

// Numbers of passes over valid elements.
typedef struct isg_filter_weighing {
    double unit, tiny, none;          // the weight of a valid element; what counts as 0 between axes; as no weight
    isg_filter_scale whole, mean;     // of the last axis' sums, and of quotients; no constants
    double constant, constant_weight; // NaN and 0: the constant is not valid
} isg_filter_weighing;

isg_filter_weighing isg_filter_weighing_of(const isg_filter_plan *plan, bool large);

// The element that stands at place i, of n; -1: the constant does.
int64_t isg_filter_source(isg_mode mode, int64_t i, int64_t n);

// Which element stands at places -radius … n + radius - 1; -1: the constant. table: output, n + 2 radius.
void isg_filter_table(isg_mode mode, int64_t n, int64_t radius, int32_t *table);

#endif
