// A Gram operator's options, numbers and points on the device.
#include "sides.h"
#include "cl.h"
#include "kernels.h"
#include "shape.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_EXTRAS = 3 }; // two parts of a norm, a factor

void isg_gram_put_options(isg_text *to, const isg_gram *gram)
{
#define NAME(id, name) [ISG_PAIR_##id] = #id,
    static const char *const names[] = {ISG_PAIRS(NAME)};
#undef NAME
    const isg_plan *plan = &gram->op.plan;
    char value[ISG_LONGEST_OPTIONS];
    isg_plan_expression(plan, value, sizeof value);
    for (int pair = 0; pair < ISG_PAIR_COUNT; pair++)
        if (plan->used[pair])
            isg_put(to, "-D ADD_%s=%s ", names[pair], isg_plan_add(plan, (isg_pair)pair));
    isg_put(to, "-D WEIGHTS=%d -D NORMS=%d -D ROW_FACTORS=%d -D NUMBERS=%d -D VALUE=%s ", plan->weights != NULL,
            plan->norms, plan->factors != NULL, plan->number_count, value);
}

isg_status isg_gram_upload_numbers(isg_gram *gram)
{
    if (gram->numbers)
        return ISG_OK;
    isg_status st;
    isg_context *context = gram->context;
    const isg_plan *plan = &gram->op.plan;
    isg_dtype dtype = gram->op.x.dtype;
    size_t element = isg_dtype_bytes(dtype);
    int64_t count = plan->number_count + (plan->weights ? gram->op.x.dims : 0);
    char *all = isg_alloc(count, element);
    if (!all)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for %lld numbers", (long long)count);
    for (int i = 0; i < plan->number_count; i++)
        isg_store_double(dtype, all, i, plan->numbers[i]);
    if (plan->weights)
        memcpy(all + (size_t)plan->number_count * element, plan->weights, (size_t)gram->op.x.dims * element);
    st = isg_buffer_copy_of(context, &gram->numbers, all, count * (int64_t)element);
    free(all);
    return st;
}

isg_status isg_side_pack(isg_gram *gram, bool rows, int64_t first, int64_t count, int32_t width, int32_t multiple,
                         int32_t lead)
{
    const isg_points *points = rows ? &gram->op.x : &gram->op.y;
    const char *norms = gram->norms[!rows];
    const void *extras[MOST_EXTRAS];
    int n = 0;
    if (norms) {
        extras[n++] = norms;
        extras[n++] = norms + (size_t)points->count * isg_dtype_bytes(points->dtype);
    }
    if (rows && gram->op.factors)
        extras[n++] = gram->op.factors;
    return isg_panels_pack(gram->context, rows ? &gram->rows : &gram->cols, points, &gram->op.plan.scale, extras, n,
                           first, count, width, multiple, lead);
}

cl_mem isg_side_data(const isg_gram *gram, const isg_panels *panels)
{
    return panels->data ? panels->data : gram->numbers;
}

int64_t isg_points_per_set(const isg_gram *gram)
{
    const int64_t step = isg_shape_border(&gram->context->device, gram->op.x.dtype);
    int64_t element = (int64_t)isg_dtype_bytes(gram->op.x.dtype);
    int64_t widest = isg_max(isg_max(gram->op.x.stride, gram->op.y.stride), isg_max(gram->op.x.dims, MOST_EXTRAS));
    int64_t count = gram->context->max_alloc_bytes / element / widest;
    count = isg_min(count, INT32_MAX / 4) / step * step - step;
    return isg_max(count, step);
}
