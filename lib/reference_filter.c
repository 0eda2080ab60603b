// The host's filter, axis by axis: the oracle that devices must equal.
#include "reference.h"

#include <math.h>
#include <stdlib.h>

// Numbers of the plan's type, without gaps.
typedef struct field {
    const isg_reference *reference;
    const isg_filter_plan *plan;
    const isg_array *in;
    int64_t count;
    bool large;
} field;

// Along one axis of the plan, scaled so. false: no memory.
static bool filter_axis(const field *f, int32_t at, isg_filter_scale scale, const void *x, void *y)
{
    const isg_filter_axis *axis = &f->plan->axis[at];
    int64_t n = f->in->shape[axis->axis], inner = 1;
    for (int32_t a = axis->axis + 1; a < f->in->ndim; a++)
        inner *= f->in->shape[a];
    int32_t *table = isg_alloc(n + 2 * axis->radius, sizeof *table);
    if (!table)
        return false;
    isg_filter_table(axis->mode, n, axis->radius, table);
    f->reference->filter_axis(axis, scale, table, f->count / n / inner, n, inner, x, y);
    free(table);
    return true;
}

static void swap(void **x, void **y)
{
    void *other = *x;
    *x = *y;
    *y = other;
}

// Sums of valid elements and of their weights along all axes, and their quotients into x.
static bool filter_valid(const field *f, void *x)
{
    const isg_filter_plan *plan = f->plan;
    const isg_filter_weighing s = isg_filter_weighing_of(plan, f->large);
    size_t element = isg_dtype_bytes(plan->dtype);
    void *sums = isg_alloc(f->count, element), *weights = isg_alloc(f->count, element);
    void *other = isg_alloc(f->count, element);
    bool ok = sums && weights && other;
    for (int64_t i = 0; i < f->count && ok; i++) {
        double value = isg_load_double(plan->dtype, x, i);
        isg_store_double(plan->dtype, sums, i, isnan(value) ? 0 : value);
        isg_store_double(plan->dtype, weights, i, isnan(value) ? 0 : s.unit);
    }
    for (int32_t at = 0; at < plan->count && ok; at++) {
        double least = at < plan->count - 1 ? s.tiny : 0; // of the last axis' sums all counts
        ok = filter_axis(f, at, (isg_filter_scale){least, 1, s.constant_weight > 0 ? s.constant : 0}, sums, other);
        swap(&sums, &other);
        ok = ok && filter_axis(f, at, (isg_filter_scale){least, 1, s.constant_weight}, weights, other);
        swap(&weights, &other);
    }
    const double whole = isg_reference_filter_whole(f->reference, plan);
    ok = ok && !isnan(whole);
    if (ok)
        f->reference->filter_weigh(&s, whole, plan->fill, sums, weights, plan->policy == ISG_NAN_PRESERVE ? x : NULL,
                                   f->count, x);
    free(sums);
    free(weights);
    free(other);
    return ok;
}

double isg_reference_filter_whole(const isg_reference *reference, const isg_filter_plan *plan)
{
    const isg_filter_weighing s = isg_filter_weighing_of(plan, false);
    double x[2], whole = s.unit; // room for either type
    for (int32_t at = 0; at < plan->count; at++) {
        int32_t *table = isg_alloc(2 * plan->axis[at].radius + 1, sizeof *table); // one element, all around
        if (!table)
            return NAN;
        isg_store_double(plan->dtype, x, 0, whole);
        reference->filter_axis(&plan->axis[at], (isg_filter_scale){at < plan->count - 1 ? s.tiny : 0, 1, 0}, table, 1,
                               1, 1, x, x + 1);
        whole = isg_load_double(plan->dtype, x + 1, 0);
        free(table);
    }
    return whole;
}

bool isg_reference_filter_masked(const isg_reference *reference, const isg_filter_plan *plan, const isg_array *in,
                                 const isg_array *mask, const isg_array *out)
{
    field f = {.reference = reference, .plan = plan, .in = in, .count = 1};
    for (int32_t axis = 0; axis < in->ndim; axis++)
        f.count *= in->shape[axis];
    void *x = isg_alloc(f.count, isg_dtype_bytes(plan->dtype)), *y = isg_alloc(f.count, isg_dtype_bytes(plan->dtype));
    bool ok = x && y;
    for (int64_t i = 0; i < f.count && ok; i++) {
        double value = isg_load_double(in->dtype, in->data, isg_index_at(in, i));
        double counts = mask ? isg_load_double(mask->dtype, mask->data, isg_index_at(mask, i)) : 1;
        if (plan->policy != ISG_NAN_PROPAGATE && (isnan(value) || isnan(counts) || counts == 0))
            value = plan->policy == ISG_NAN_FILL ? plan->fill : NAN;
        isg_store_double(plan->dtype, x, i, value);
    }
    double limit = isg_filter_large(plan->dtype);
    f.large = ok && reference->filter_scale(isg_filter_scale_in(plan, false), limit, true, x, f.count);
    if (ok)
        reference->filter_scale(isg_filter_scale_in(plan, f.large), limit, false, x, f.count);
    if (ok && (plan->policy == ISG_NAN_IGNORE || plan->policy == ISG_NAN_PRESERVE)) {
        ok = filter_valid(&f, x);
    } else {
        for (int32_t at = 0; at < plan->count && ok; at++) {
            ok = filter_axis(&f, at, isg_filter_scale_axis(plan, at, f.large), x, y);
            swap(&x, &y);
        }
    }
    for (int64_t i = 0; i < f.count && ok; i++)
        reference->filter_store(x, i, out->dtype, out->data, isg_index_at(out, i));
    free(x);
    free(y);
    return ok;
}

bool isg_reference_filter(const isg_reference *reference, const isg_filter_plan *plan, const isg_array *in,
                          const isg_array *out)
{
    return isg_reference_filter_masked(reference, plan, in, NULL, out);
}
