// The filter's front: validates everything, then hands over to filter_run.c.
#include "filter.h"
#include "view.h"

#include <stdlib.h>

static bool takes(isg_dtype dtype)
{
    return dtype == ISG_U8 || dtype == ISG_U16 || dtype == ISG_I16 || dtype == ISG_I32 || dtype == ISG_F16 ||
           dtype == ISG_F32 || dtype == ISG_F64;
}

static isg_status check_array(isg_context *context, const isg_array *a, const char *name, isg_place *place)
{
    isg_error *error = &context->error;
    int64_t count;
    if (!takes(a->dtype))
        return isg_fail(error, ISG_ERR_DTYPE,
                        "the %s is %s; a filter takes uint8, uint16, int16, int32, float16, float32 and float64", name,
                        isg_dtype_name(a->dtype));
    if (a->ndim < 1 || a->ndim > ISG_FILTER_MAX_NDIM)
        return isg_fail(error, ISG_ERR_SHAPE, "the %s has %d dimensions; a filter takes 1 to %d", name, (int)a->ndim,
                        ISG_FILTER_MAX_NDIM);
    if (!a->data && !a->mem)
        return isg_fail(error, ISG_ERR_ARGUMENT, "the %s has no data", name);
    isg_status st = isg_shape_count(a->dtype, a->ndim, a->shape, &count, error);
    for (int32_t axis = 0; axis < a->ndim && !st; axis++) {
        if (a->shape[axis] == 0)
            st = isg_fail(error, ISG_ERR_SHAPE, "the %s is empty along axis %d", name, (int)axis);
        else if (a->shape[axis] > INT32_MAX / 4)
            st = isg_fail(error, ISG_ERR_OVERFLOW, "axis %d of the %s is too long", (int)axis, name);
    }
    return st ? st : isg_view_place(context, a, name, place);
}

static int64_t magnitude(int64_t stride)
{
    return stride < 0 ? -stride : stride;
}

// Whether elements of a view may share an address: not when, sorted by their strides, no axis reaches the next one's
// stride.
static bool overlaps_itself(const isg_array *a)
{
    int32_t sorted[ISG_FILTER_MAX_NDIM], count = 0;
    for (int32_t axis = 0; axis < a->ndim; axis++) {
        if (a->shape[axis] == 1)
            continue;
        int32_t at = count++;
        for (; at > 0 && magnitude(a->strides[sorted[at - 1]]) > magnitude(a->strides[axis]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = axis;
    }
    int64_t reach = 0;
    for (int32_t i = 0; i < count; i++) {
        int64_t stride = magnitude(a->strides[sorted[i]]);
        if (stride <= reach)
            return true;
        reach += (a->shape[sorted[i]] - 1) * stride;
    }
    return false;
}

static bool same_view(const isg_array *a, const isg_array *b)
{
    bool same = a->dtype == b->dtype && a->data == b->data && a->mem == b->mem && (!a->mem || a->offset == b->offset);
    for (int32_t axis = 0; axis < a->ndim; axis++)
        same = same && (a->strides[axis] == b->strides[axis] || a->shape[axis] == 1);
    return same;
}

isg_status isg_filter_check_pair(isg_context *context, const isg_array *in, const isg_array *out, bool *in_place)
{
    isg_error *error = &context->error;
    isg_place from, to;
    isg_status st = check_array(context, in, "input", &from);
    if (st || (st = check_array(context, out, "output", &to)))
        return st;
    bool fits = in->ndim == out->ndim;
    for (int32_t axis = 0; axis < in->ndim && fits; axis++)
        fits = in->shape[axis] == out->shape[axis];
    if (!fits)
        return isg_fail(error, ISG_ERR_SHAPE, "the output must have the input's shape");
    if (overlaps_itself(out))
        return isg_fail(error, ISG_ERR_SHAPE, "the output's strides make elements of it overlap, or might");
    if (out->mem && (isg_view_flags(out->mem) & CL_MEM_READ_ONLY))
        return isg_fail(error, ISG_ERR_ARGUMENT, "the output: kernels may not write to its buffer");
    if (in->mem && (isg_view_flags(in->mem) & CL_MEM_WRITE_ONLY))
        return isg_fail(error, ISG_ERR_ARGUMENT, "the input: kernels may not read its buffer");
    *in_place = same_view(in, out);
    if (!*in_place && isg_places_meet(&from, &to))
        return isg_fail(error, ISG_ERR_ARGUMENT,
                        "the output overlaps the input; it must be the very same view, or lie apart from it");
    return ISG_OK;
}

isg_status isg_filter_check_mask(isg_context *context, const isg_array *in, const isg_array *out, isg_array *mask)
{
    isg_error *error = &context->error;
    isg_place place, to;
    int32_t more = in->ndim - mask->ndim;
    if (isg_dtype_bytes(mask->dtype) == 0)
        return isg_fail(error, ISG_ERR_DTYPE, "the mask is of an unknown type");
    if (!mask->data && !mask->mem)
        return isg_fail(error, ISG_ERR_ARGUMENT, "the mask has no data");
    bool fits = mask->ndim >= 1 && more >= 0;
    for (int32_t axis = 0; axis < mask->ndim && fits; axis++)
        fits = mask->shape[axis] == in->shape[axis + more] || mask->shape[axis] == 1;
    if (!fits)
        return isg_fail(error, ISG_ERR_SHAPE, "the mask's axes must be the input's last ones, or of length 1");
    isg_status st = isg_view_place(context, mask, "mask", &place);
    if (!st)
        st = isg_view_place(context, out, "output", &to);
    if (st)
        return st;
    if (mask->mem && (isg_view_flags(mask->mem) & CL_MEM_WRITE_ONLY))
        return isg_fail(error, ISG_ERR_ARGUMENT, "the mask: kernels may not read its buffer");
    if (isg_places_meet(&place, &to))
        return isg_fail(error, ISG_ERR_ARGUMENT, "the output overlaps the mask");
    for (int32_t axis = in->ndim - 1; axis >= 0; axis--) {
        bool stretched = axis < more || mask->shape[axis - more] == 1;
        mask->strides[axis] = stretched ? 0 : mask->strides[axis - more];
        mask->shape[axis] = in->shape[axis];
    }
    mask->ndim = in->ndim;
    return ISG_OK;
}

isg_array isg_filter_widened(isg_array a)
{
    int32_t more = ISG_FILTER_MAX_NDIM - a.ndim;
    for (int32_t axis = ISG_FILTER_MAX_NDIM - 1; axis >= 0; axis--) {
        a.shape[axis] = axis >= more ? a.shape[axis - more] : 1;
        a.strides[axis] = axis >= more ? a.strides[axis - more] : 0;
    }
    a.ndim = ISG_FILTER_MAX_NDIM;
    return a;
}

isg_status isg_filter_call(isg_context *context, isg_array in, isg_array out, const isg_filter_params *params,
                           bool each)
{
    isg_status st = isg_context_enter(context);
    if (st)
        return st;
    isg_filter_plan plan = {0};
    bool in_place;
    st = isg_filter_check_pair(context, &in, &out, &in_place);
    if (st)
        return st;
    isg_array mask = {.dtype = ISG_DTYPE_NONE};
    if (params && params->mask.dtype != ISG_DTYPE_NONE) {
        mask = params->mask;
        if ((st = isg_filter_check_mask(context, &in, &out, &mask)))
            return st;
        mask = isg_filter_widened(mask);
    }
    isg_dtype dtype = params ? isg_filter_dtype(params, in.dtype) : ISG_F32;
    TRY(isg_filter_plan_make(&plan, params, in.ndim, in.shape, dtype, in.dtype, &context->error));
    TRY(isg_context_require(context, dtype));
    if (in.dtype == ISG_F64 || out.dtype == ISG_F64)
        TRY(isg_context_require(context, ISG_F64));
    for (int32_t i = 0; i < plan.count; i++)
        plan.axis[i].axis += ISG_FILTER_MAX_NDIM - in.ndim;
    isg_filter_job job = {.context = context,
                          .plan = &plan,
                          .in = isg_filter_widened(in),
                          .out = isg_filter_widened(out),
                          .mask = mask,
                          // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): without parameters there is no plan
                          .memory = params->memory,
                          .in_place = in_place,
                          .progress = params->progress,
                          .progress_user = params->progress_user,
                          .each = each};
    TRY(isg_filter_fits(&job) ? isg_filter_run(&job) : isg_filter_run_slabs(&job));
fail:
    isg_filter_plan_free(&plan);
    return st;
}

isg_status isg_filter(isg_context *context, isg_array in, isg_array out, const isg_filter_params *params)
{
    return isg_filter_call(context, in, out, params, false);
}
