#include "reference.h"

#include <stdlib.h>

extern const isg_reference isg_reference_f32_unfused, isg_reference_f32_fused;
extern const isg_reference isg_reference_f64_unfused, isg_reference_f64_fused;

const isg_reference *isg_reference_get(isg_dtype dtype, bool fused)
{
    if (dtype == ISG_F64)
        return fused ? &isg_reference_f64_fused : &isg_reference_f64_unfused;
    return fused ? &isg_reference_f32_fused : &isg_reference_f32_unfused;
}

// The element at a row-major place of an array with any strides.
static int64_t index_at(const isg_array *a, int64_t at)
{
    int64_t index = 0;
    for (int32_t axis = a->ndim - 1; axis >= 0; axis--) {
        index += at % a->shape[axis] * a->strides[axis];
        at /= a->shape[axis];
    }
    return index;
}

bool isg_reference_filter(const isg_reference *reference, const isg_filter_plan *plan, const isg_array *in,
                          const isg_array *out)
{
    int64_t count = 1;
    for (int32_t axis = 0; axis < in->ndim; axis++)
        count *= in->shape[axis];
    void *x = isg_alloc(count, isg_dtype_bytes(plan->dtype)), *y = isg_alloc(count, isg_dtype_bytes(plan->dtype));
    bool ok = x && y;
    for (int64_t i = 0; i < count && ok; i++)
        isg_store_double(plan->dtype, x, i, isg_load_double(in->dtype, in->data, index_at(in, i)));
    bool large =
        ok && reference->filter_scale(isg_filter_scale_in(plan, false), isg_filter_large(plan->dtype), true, x, count);
    if (ok)
        reference->filter_scale(isg_filter_scale_in(plan, large), isg_filter_large(plan->dtype), false, x, count);
    for (int32_t at = 0; at < plan->count && ok; at++) {
        const isg_filter_axis *axis = &plan->axis[at];
        int64_t n = in->shape[axis->axis], inner = 1;
        for (int32_t a = axis->axis + 1; a < in->ndim; a++)
            inner *= in->shape[a];
        int32_t *table = isg_alloc(n + 2 * axis->radius, sizeof *table);
        ok = table != NULL;
        if (ok) {
            isg_filter_table(axis->mode, n, axis->radius, table);
            reference->filter_axis(axis, isg_filter_scale_axis(plan, at, large), table, count / n / inner, n, inner, x,
                                   y);
        }
        free(table);
        void *other = x;
        x = y;
        y = other;
    }
    for (int64_t i = 0; i < count && ok; i++)
        reference->filter_store(x, i, out->dtype, out->data, index_at(out, i));
    free(x);
    free(y);
    return ok;
}

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
        isg_store_double(plan->dtype, x, i, isg_load_double(in->dtype, in->data, index_at(in, i)));
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
        reference->filter_store(y, i, out->dtype, out->data, index_at(out, i));
    for (int32_t i = 0; i < ISG_CONVOLVE_MAX_NDIM; i++)
        free(tables[i]);
    free(x);
    free(y);
    return ok;
}

const char *isg_contract_name(isg_dtype dtype, bool fused)
{
    if (dtype == ISG_F64)
        return fused ? "isogram-2/f64/fused" : "isogram-2/f64/unfused";
    return fused ? "isogram-2/f32/fused" : "isogram-2/f32/unfused";
}
