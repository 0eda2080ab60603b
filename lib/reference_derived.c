#include "reference_derived.h"

#include <stdlib.h>

// Numbers of the arithmetic's type, of the array's shape, without gaps.
static isg_array dense(isg_dtype dtype, const isg_array *like, void *data)
{
    isg_array a = {.dtype = dtype, .ndim = like->ndim, .data = data};
    int64_t stride = 1;
    for (int32_t axis = like->ndim - 1; axis >= 0; axis--) {
        a.shape[axis] = like->shape[axis];
        a.strides[axis] = stride;
        stride *= like->shape[axis];
    }
    return a;
}

static int64_t index_at(const isg_array *a, int64_t at)
{
    int64_t index = 0;
    for (int32_t axis = a->ndim - 1; axis >= 0; axis--) {
        index += at % a->shape[axis] * a->strides[axis];
        at /= a->shape[axis];
    }
    return index;
}

bool isg_reference_derived(const isg_reference *reference, const isg_derived_plan *plan, const isg_array *in,
                           const isg_array *mask, const isg_array *out)
{
    int64_t count = 1;
    for (int32_t axis = 0; axis < in->ndim; axis++)
        count *= in->shape[axis];
    size_t element = isg_dtype_bytes(plan->dtype);
    void *parts[ISG_FILTER_MAX_NDIM] = {NULL}, *joined = isg_alloc(count, element);
    bool ok = joined != NULL;
    for (int i = 0; i < plan->part_count && ok; i++) {
        parts[i] = isg_alloc(count, element);
        isg_array part = dense(plan->dtype, in, parts[i]);
        ok = parts[i] && isg_reference_filter_masked(reference, &plan->parts[i], in, mask, &part);
    }
    if (ok && plan->derived != ISG_DERIVED_STRUCTURE_TENSOR) {
        reference->derive(plan->kind, plan->part_count, (const void *const *)parts, plan->amount, plan->empty, count,
                          joined);
        for (int64_t i = 0; i < count; i++)
            reference->filter_store(joined, i, out->dtype, out->data, index_at(out, i));
    } else if (ok) {
        isg_array product = dense(plan->dtype, in, joined);
        for (int a = 0, at = 0; a < plan->part_count; a++)
            for (int b = a; b < plan->part_count && ok; b++, at++) {
                const void *const two[] = {parts[a], parts[b]};
                reference->derive(plan->kind, 2, two, 0, plan->empty, count, joined);
                ok = isg_reference_filter(reference, &plan->smooth, &product, &out[at]);
            }
    }
    for (int i = 0; i < ISG_FILTER_MAX_NDIM; i++)
        free(parts[i]);
    free(joined);
    return ok;
}
