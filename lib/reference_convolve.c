// The host's convolution: the oracle that devices must equal.
#include "reference.h"

#include <stdlib.h>

bool isg_reference_convolve(const isg_reference *reference, const isg_convolve_plan *plan, const isg_array *in,
                            const isg_array *out)
{
    int64_t count = 1;
    int32_t *tables[ISG_CONVOLVE_MAX_NDIM] = {NULL};
    for (int32_t axis = 0; axis < in->ndim; axis++)
        count *= in->shape[axis];
    void *x = isg_alloc(count, isg_dtype_bytes(plan->dtype)), *y = isg_alloc(count, isg_dtype_bytes(plan->dtype));
    bool ok = x && y;
    for (int32_t i = 0; i < plan->count && ok; i++)
        ok = (tables[i] = isg_convolve_table(plan, i, in->shape[plan->axis[i]])) != NULL;
    for (int64_t i = 0; i < count && ok; i++)
        isg_store_double(plan->dtype, x, i, isg_load_double(in->dtype, in->data, isg_index_at(in, i)));
    if (ok) {
        double limit = isg_filter_large(plan->dtype);
        bool large = reference->filter_scale(isg_filter_scale_in(&plan->scale, false), limit, true, x, count);
        reference->filter_scale(isg_filter_scale_in(&plan->scale, large), limit, false, x, count);
        isg_convolve_plan four = *plan;
        int64_t shape[ISG_FILTER_MAX_NDIM] = {1, 1, 1, 1};
        int32_t more = ISG_FILTER_MAX_NDIM - in->ndim;
        for (int32_t axis = 0; axis < in->ndim; axis++)
            shape[more + axis] = in->shape[axis];
        for (int32_t i = 0; i < plan->count; i++)
            four.axis[i] += more;
        reference->convolve(&four, isg_filter_scale_axis(&plan->scale, 0, large), (const int32_t *const *)tables, shape,
                            x, y);
    }
    for (int64_t i = 0; i < count && ok; i++)
        reference->filter_store(y, i, out->dtype, out->data, isg_index_at(out, i));
    for (int32_t i = 0; i < ISG_CONVOLVE_MAX_NDIM; i++)
        free(tables[i]);
    free(x);
    free(y);
    return ok;
}
