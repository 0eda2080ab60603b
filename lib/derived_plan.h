// From what a caller asked of a derived filter to the filters that it is made of. No OpenCL.
#ifndef ISG_LIB_DERIVED_PLAN_H
#define ISG_LIB_DERIVED_PLAN_H

#include "filter_plan.h"

#include <isogram/derived.h>

typedef struct isg_derived_plan {
    isg_derived derived;
    isg_dtype dtype;
    int32_t part_count, outputs;
    // Filters of the input, whose results are put together as `kind` of cl/derived.h says; of a structure tensor each
    // two of them, DERIVED_PRODUCT, and the products are smoothed.
    isg_filter_plan parts[ISG_FILTER_MAX_NDIM], smooth;
    int kind;
    double amount, empty; // rounded to the dtype; what NaN becomes
} isg_derived_plan;

// As isg_filter_plan_make.
isg_status isg_derived_plan_make(isg_derived_plan *plan, isg_derived derived, const isg_derived_params *params,
                                 int32_t ndim, const int64_t *shape, isg_dtype dtype, isg_dtype in, isg_error *error);
void isg_derived_plan_free(isg_derived_plan *plan);

#endif
