#include "derived_plan.h"

#include "../cl/derived_kinds.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"laplacian", "gradient-magnitude", "difference", "unsharp", "structure-tensor"};

const char *isg_derived_name(isg_derived derived)
{
    return (unsigned)derived < ISG_DERIVED_COUNT ? names[derived] : "unknown";
}

isg_derived isg_derived_named(const char *word)
{
    if (!word)
        return ISG_DERIVED_COUNT;
    if (strcmp(word, "log") == 0)
        return ISG_DERIVED_LAPLACIAN;
    if (strcmp(word, "dog") == 0)
        return ISG_DERIVED_DIFFERENCE;
    int i = 0;
    while (i < ISG_DERIVED_COUNT && strcmp(names[i], word) != 0)
        i++;
    return (isg_derived)i;
}

// The plan's axes as params name them: params->axes may be in any order, and of all axes none is named.
static int32_t place_of(const isg_filter_params *p, int32_t ndim, int32_t axis)
{
    for (int32_t i = 0; i < p->axis_count; i++)
        if (p->axes[i] == axis || p->axes[i] + ndim == axis)
            return i;
    return axis;
}

// Values for each axis in place of one for all.
static isg_filter_params spread(const isg_filter_params *p)
{
    isg_filter_params s = *p;
    for (int32_t i = 0; i < ISG_FILTER_MAX_NDIM && !p->each; i++) {
        s.sigma[i] = p->sigma[0];
        s.order[i] = p->order[0];
        s.mode[i] = p->mode[0];
        s.radius[i] = p->radius[0];
    }
    s.each = 1;
    return s;
}

typedef struct maker {
    isg_derived_plan *plan;
    const isg_filter_params *params; // spread
    int32_t ndim;
    const int64_t *shape;
    isg_dtype in;
    isg_error *error;
} maker;

static isg_status add(maker *m, const isg_filter_params *p)
{
    // Counted first: what a failure leaves is freed.
    return isg_filter_plan_make(&m->plan->parts[m->plan->part_count++], p, m->ndim, m->shape, m->plan->dtype, m->in,
                                m->error);
}

// One part for each filtered axis, of an order along it.
static isg_status add_derivatives(maker *m, const isg_filter_params *p, int32_t order)
{
    isg_status st = ISG_OK;
    for (int32_t axis = 0; axis < m->ndim && !st; axis++) {
        isg_filter_params one = *p;
        int32_t place = place_of(p, m->ndim, axis);
        bool named = p->axis_count == 0;
        for (int32_t i = 0; i < p->axis_count; i++)
            named = named || p->axes[i] == axis || p->axes[i] + m->ndim == axis;
        if (!named)
            continue;
        one.order[place] = order;
        st = add(m, &one);
    }
    return st;
}

// Sobel's weights: 1 0 -1 along an axis, 1 2 1 along the others; from the outside in, divided by powers of two.
static void set_sobel(isg_filter_plan *plan, int32_t along)
{
    for (int32_t i = 0; i < plan->count; i++) {
        isg_filter_axis *a = &plan->axis[i];
        a->order = i == along;
        a->exponent = i == along ? 1 : 2;
        a->weights[0] = i == along ? 0.5 : 0.25;
        a->weights[1] = i == along ? 0 : 0.5;
    }
}

static isg_status add_sobel(maker *m)
{
    isg_filter_params p = *m->params;
    isg_status st = ISG_OK;
    p.sampling = ISG_SAMPLING_POINT;
    for (int i = 0; i < ISG_FILTER_MAX_NDIM; i++) {
        p.sigma[i] = 1;
        p.radius[i] = 1;
    }
    do {
        if ((st = add(m, &p)))
            return st;
        set_sobel(&m->plan->parts[m->plan->part_count - 1], m->plan->part_count - 1);
    } while (m->plan->part_count < m->plan->parts[0].count);
    return ISG_OK;
}

static isg_status add_tensor(maker *m, double inner)
{
    isg_filter_params p = *m->params;
    if (!(inner >= 0) || isinf(inner))
        return isg_fail(m->error, ISG_ERR_ARGUMENT, "an inner sigma of %g; it is a finite number, at least 0", inner);
    for (int i = 0; i < ISG_FILTER_MAX_NDIM; i++) {
        p.sigma[i] = inner;
        p.radius[i] = 0;
    }
    isg_status st = inner > 0 ? add_derivatives(m, &p, 1) : add_sobel(m);
    p = *m->params;
    p.nan = ISG_NAN_PROPAGATE; // what was to be filled is filled
    p.mask.dtype = ISG_DTYPE_NONE;
    if (!st)
        st = isg_filter_plan_make(&m->plan->smooth, &p, m->ndim, m->shape, m->plan->dtype, m->plan->dtype, m->error);
    m->plan->outputs = m->plan->part_count * (m->plan->part_count + 1) / 2;
    return st;
}

static isg_status add_difference(maker *m, const isg_derived_params *params)
{
    isg_filter_params wide = *m->params;
    for (int32_t i = 0; i < ISG_FILTER_MAX_NDIM; i++) {
        double sigma2 = params->sigma2[params->filter.each ? i : 0];
        if (!(sigma2 >= 0) || (sigma2 > 0 && sigma2 < wide.sigma[i]))
            return isg_fail(m->error, ISG_ERR_ARGUMENT, "sigma2 %g is smaller than sigma %g", sigma2, wide.sigma[i]);
        wide.sigma[i] = sigma2 > 0 ? sigma2 : 1.6 * wide.sigma[i];
    }
    isg_status st = add(m, m->params);
    return st ? st : add(m, &wide);
}

// The input as it is, but for elements that are not valid; and smoothed.
static isg_status add_unsharp(maker *m, double amount)
{
    isg_filter_params as_it_is = *m->params;
    if (!isfinite(amount))
        return isg_fail(m->error, ISG_ERR_ARGUMENT, "an amount of %g; it is a finite number", amount);
    amount = amount != 0 ? amount : 1;
    m->plan->amount = m->plan->dtype == ISG_F64 ? amount : (double)(float)amount;
    as_it_is.like = NULL; // which could find a sigma
    for (int32_t i = 0; i < ISG_FILTER_MAX_NDIM; i++) {
        as_it_is.sigma[i] = 0;
        as_it_is.radius[i] = 0;
    }
    isg_status st = add(m, &as_it_is);
    return st ? st : add(m, m->params);
}

static isg_status add_parts(maker *m, const isg_derived_params *params)
{
    static const int kinds[] = {DERIVED_SUM, DERIVED_MAGNITUDE, DERIVED_DIFFERENCE, DERIVED_UNSHARP, DERIVED_PRODUCT};
    isg_derived derived = m->plan->derived;
    const bool differentiates = derived != ISG_DERIVED_DIFFERENCE && derived != ISG_DERIVED_UNSHARP;
    const bool masked = m->params->mask.dtype != ISG_DTYPE_NONE;
    isg_nan_policy nan = m->params->nan ? m->params->nan : masked ? ISG_NAN_IGNORE : ISG_NAN_PROPAGATE;
    for (int i = 0; i < ISG_FILTER_MAX_NDIM; i++)
        if (m->params->order[i] != 0)
            return isg_fail(m->error, ISG_ERR_ARGUMENT, "order %d; of what is derived it is 0",
                            (int)m->params->order[i]);
    if (differentiates && (nan == ISG_NAN_IGNORE || nan == ISG_NAN_PRESERVE))
        return isg_fail(m->error, ISG_ERR_ARGUMENT,
                        "a %s is made of derivatives, and a mean of the valid elements is none; fill the others, or "
                        "let NaN propagate",
                        isg_derived_name(derived));
    m->plan->kind = kinds[derived];
    switch (derived) {
    case ISG_DERIVED_LAPLACIAN: return add_derivatives(m, m->params, 2);
    case ISG_DERIVED_GRADIENT_MAGNITUDE: return add_derivatives(m, m->params, 1);
    case ISG_DERIVED_DIFFERENCE: return add_difference(m, params);
    case ISG_DERIVED_UNSHARP: return add_unsharp(m, params->amount);
    default: return add_tensor(m, params->inner);
    }
}

isg_status isg_derived_plan_make(isg_derived_plan *plan, isg_derived derived, const isg_derived_params *params,
                                 int32_t ndim, const int64_t *shape, isg_dtype dtype, isg_dtype in, isg_error *error)
{
    *plan = (isg_derived_plan){.derived = derived, .dtype = dtype, .outputs = 1, .empty = NAN};
    if (!params)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a filter needs parameters");
    if ((unsigned)derived >= ISG_DERIVED_COUNT)
        return isg_fail(error, ISG_ERR_ARGUMENT, "unknown derived filter");
    // Axes are looked for in the list before a filter's plan checks it.
    if (params->filter.axis_count < 0 || params->filter.axis_count > ndim)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%d axes of an array of %d dimensions", (int)params->filter.axis_count,
                        (int)ndim);
    isg_filter_params each = spread(&params->filter);
    maker m = {plan, &each, ndim, shape, in, error};
    if (params->filter.fills_nothing)
        plan->empty = dtype == ISG_F64 ? params->filter.fill : (double)(float)params->filter.fill;
    if (each.nan != ISG_NAN_FILL) // what has no result gets its number when all is put together
        each.fills_nothing = 0;
    isg_status st = add_parts(&m, params);
    // Where no axis is filtered there is nothing to differentiate.
    if (!st && plan->part_count == 0)
        st = isg_fail(error, ISG_ERR_ARGUMENT, "no axis is filtered");
    return st;
}

void isg_derived_plan_free(isg_derived_plan *plan)
{
    for (int32_t i = 0; i < plan->part_count; i++)
        isg_filter_plan_free(&plan->parts[i]);
    isg_filter_plan_free(&plan->smooth);
    plan->part_count = 0;
}

int32_t isg_derived_outputs(isg_derived derived, const isg_derived_params *params, int32_t ndim)
{
    isg_derived_plan plan;
    const int64_t shape[ISG_FILTER_MAX_NDIM] = {1, 1, 1, 1};
    isg_status st = isg_derived_plan_make(&plan, derived, params, ndim, shape, ISG_F64, ISG_F64, NULL);
    int32_t outputs = st ? 0 : plan.outputs;
    isg_derived_plan_free(&plan);
    return outputs;
}
