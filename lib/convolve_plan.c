#include "convolve_plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static isg_status check_stencil(const isg_array *s, int32_t ndim, int64_t *count, isg_error *error)
{
    if (s->mem || !s->data)
        return isg_fail(error, ISG_ERR_ARGUMENT,
                        s->mem ? "the stencil must be in host memory" : "the stencil has no data");
    if (isg_dtype_bytes(s->dtype) == 0)
        return isg_fail(error, ISG_ERR_DTYPE, "the stencil has no type of numbers");
    if (s->ndim < 1 || s->ndim > ISG_CONVOLVE_MAX_NDIM || s->ndim > ndim)
        return isg_fail(error, ISG_ERR_SHAPE, "the stencil has %d axes; of an array of %d axes it has 1 to %d",
                        (int)s->ndim, (int)ndim, (int)isg_min(ndim, ISG_CONVOLVE_MAX_NDIM));
    isg_status st = isg_shape_count(s->dtype, s->ndim, s->shape, count, error);
    if (st)
        return st;
    if (*count < 1 || *count > ISG_CONVOLVE_MAX_WEIGHTS)
        return isg_fail(error, ISG_ERR_SHAPE, "the stencil has %lld weights; it has 1 to %d", (long long)*count,
                        ISG_CONVOLVE_MAX_WEIGHTS);
    return isg_array_addressable(s, "the stencil", error);
}

static isg_status find_axes(isg_convolve_plan *plan, const isg_convolve_params *p, int32_t ndim, isg_error *error)
{
    if (p->axis_count != 0 && p->axis_count != plan->count)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%d axes are named for a stencil of %d", (int)p->axis_count,
                        (int)plan->count);
    for (int32_t i = 0; i < plan->count; i++) {
        int32_t axis = p->axis_count == 0 ? ndim - plan->count + i : p->axes[i] < 0 ? p->axes[i] + ndim : p->axes[i];
        if (axis < 0 || axis >= ndim)
            return isg_fail(error, ISG_ERR_ARGUMENT, "axis %d of an array of %d axes", (int)p->axes[i], (int)ndim);
        if (i > 0 && axis <= plan->axis[i - 1])
            return isg_fail(error, ISG_ERR_ARGUMENT, "the axes must be named once each, in ascending order");
        isg_mode mode = p->mode[p->each ? i : 0];
        if ((unsigned)mode >= ISG_MODE_COUNT)
            return isg_fail(error, ISG_ERR_ARGUMENT, "unknown mode");
        plan->axis[i] = axis;
        plan->mode[i] = mode == ISG_MODE_DEFAULT ? ISG_MODE_REFLECT : mode;
    }
    return ISG_OK;
}

// Weight `at`, row-major.
static double weight(const isg_array *s, int64_t at)
{
    int64_t index = 0;
    for (int32_t axis = s->ndim - 1; axis >= 0; axis--) {
        index += at % s->shape[axis] * s->strides[axis];
        at /= s->shape[axis];
    }
    return isg_load_double(s->dtype, s->data, index);
}

static double rounded(isg_dtype dtype, double x)
{
    return dtype == ISG_F64 ? x : (double)(float)x;
}

static isg_status set_weights(isg_convolve_plan *plan, const isg_array *stencil, bool turned, isg_error *error)
{
    double sum = 0, least = plan->dtype == ISG_F64 ? 0x1p-80 : 0x1p-40;
    for (int64_t i = 0; i < plan->weight_count; i++) {
        double w = weight(stencil, i);
        if (!isfinite(w))
            return isg_fail(error, ISG_ERR_NONFINITE, "weight %lld of the stencil, row-major, is %g", (long long)i, w);
        plan->weights[turned ? plan->weight_count - 1 - i : i] = w;
        sum += fabs(w);
    }
    if (sum != 0 && !(sum >= 0x1p-60 && sum <= 0x1p30))
        return isg_fail(error, ISG_ERR_RANGE, "the magnitudes of the stencil's weights add up to %g, out of range",
                        sum);
    int exponent = sum > 0 ? ilogb(sum) : 0;
    for (int64_t i = 0; i < plan->weight_count; i++) {
        double w = rounded(plan->dtype, ldexp(plan->weights[i], -exponent));
        plan->weights[i] = fabs(w) < least ? 0 : w;
    }
    plan->scale.count = 1;
    plan->scale.axis[0].exponent = exponent;
    return ISG_OK;
}

isg_status isg_convolve_plan_make(isg_convolve_plan *plan, const isg_convolve_params *params, int32_t ndim,
                                  const int64_t *shape, const isg_array *stencil, isg_dtype in, isg_error *error)
{
    static const isg_convolve_params defaults;
    const isg_convolve_params *p = params ? params : &defaults;
    *plan = (isg_convolve_plan){.dtype = ISG_F32};
    if ((unsigned)p->precision > ISG_PRECISION_F64)
        return isg_fail(error, ISG_ERR_ARGUMENT, "unknown precision");
    if ((p->correlate != 0 && p->correlate != 1) || (p->each != 0 && p->each != 1))
        return isg_fail(error, ISG_ERR_ARGUMENT, "correlate and each are 0 or 1");
    plan->dtype = plan->scale.dtype = isg_filter_dtype(&(isg_filter_params){.precision = p->precision}, in);
    isg_status st = check_stencil(stencil, ndim, &plan->weight_count, error);
    if (st)
        return st;
    plan->count = stencil->ndim;
    if ((st = find_axes(plan, p, ndim, error)))
        return st;
    for (int32_t i = 0; i < plan->count; i++) {
        plan->size[i] = stencil->shape[i];
        plan->before[i] = p->correlate ? plan->size[i] / 2 : (plan->size[i] - 1) / 2;
        if (shape[plan->axis[i]] > INT32_MAX / 4)
            return isg_fail(error, ISG_ERR_OVERFLOW, "axis %d of %lld elements is too long", (int)plan->axis[i],
                            (long long)shape[plan->axis[i]]);
    }
    plan->scale.constant = rounded(plan->dtype, p->constant);
    plan->weights = isg_alloc(plan->weight_count, sizeof *plan->weights);
    if (!plan->weights)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for %lld weights", (long long)plan->weight_count);
    return set_weights(plan, stencil, !p->correlate, error);
}

void isg_convolve_plan_free(isg_convolve_plan *plan)
{
    free(plan->weights);
    plan->weights = NULL;
}

int32_t *isg_convolve_table(const isg_convolve_plan *plan, int32_t at, int64_t n)
{
    // That of a filter reaches as far on both sides.
    int64_t behind = plan->size[at] - 1 - plan->before[at], radius = isg_max(plan->before[at], behind);
    int32_t *table = isg_alloc(n + 2 * radius, sizeof *table);
    if (table) {
        isg_filter_table(plan->mode[at], n, radius, table);
        memmove(table, table + (radius - plan->before[at]), (size_t)(n + plan->size[at] - 1) * sizeof *table);
    }
    return table;
}
