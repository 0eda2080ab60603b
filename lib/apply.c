// The front of products with vectors: it validates everything.
#include "cl.h"
#include "reference.h"
#include "sums.h"

#include <isogram/apply.h>

#include <float.h>
#include <math.h>

typedef struct product {
    isg_array out; // two-dimensional
    isg_dtype sums;
    double alpha, beta;
} product;

static isg_status check_matrix(isg_array *a, int64_t rows, int64_t columns, const char *name, isg_error *error)
{
    if (a->ndim == 1) {
        a->ndim = 2;
        a->shape[1] = 1;
        a->strides[1] = 1;
    }
    if (a->ndim != 2 || (!a->data && !a->mem && a->shape[0] > 0 && a->shape[1] > 0))
        return isg_fail(error, ISG_ERR_SHAPE, "%s must be a matrix or a vector, with data", name);
    if (a->shape[0] != rows || a->shape[1] < 0 || (columns >= 0 && a->shape[1] != columns))
        return isg_fail(error, ISG_ERR_SHAPE, "%s is %lld x %lld, and must have %lld rows%s", name,
                        (long long)a->shape[0], (long long)a->shape[1], (long long)rows,
                        a->shape[0] == rows ? " and V's columns" : "");
    return ISG_OK;
}

// Checks all that the caller gave.
static isg_status check(isg_gram *gram, isg_array *v, isg_array *out, const isg_apply_params *params)
{
    isg_error *error = &gram->context->error;
    isg_status st;
    isg_place v_place, out_place;
    const isg_operator *op = &gram->op;
    const isg_dtype dtype = op->x.dtype;
    if ((unsigned)params->accumulate > ISG_PRECISION_F64 ||
        (params->accumulate == ISG_PRECISION_F32 && dtype == ISG_F64))
        return isg_fail(error, ISG_ERR_ARGUMENT, "sums are of the operator's precision or of double");
    const bool mixed = params->accumulate == ISG_PRECISION_F64 && dtype == ISG_F32;
    const double most = dtype == ISG_F64 || mixed ? DBL_MAX : (double)FLT_MAX;
    if (!(fabs(params->alpha) <= most) || !(fabs(params->beta) <= most))
        return isg_fail(error, ISG_ERR_ARGUMENT, "alpha %g, beta %g; they must be finite%s", params->alpha,
                        params->beta, most < DBL_MAX ? " in single precision" : "");
    if ((unsigned)params->skip > ISG_SKIP_NEVER || !(params->tolerance >= 0 && params->tolerance < 1))
        return isg_fail(error, ISG_ERR_ARGUMENT, "skipping %d with tolerance %g; it must be in [0, 1)",
                        (int)params->skip, params->tolerance);
    if ((st = check_matrix(v, params->transpose ? op->x.count : op->y.count, -1, "V", error)) ||
        (st = check_matrix(out, params->transpose ? op->y.count : op->x.count, v->shape[1], "OUT", error)))
        return st;
    if (isg_dtype_bytes(v->dtype) == 0 || v->dtype == ISG_F16)
        return isg_fail(error, ISG_ERR_DTYPE, "V is of %s", isg_dtype_name(v->dtype));
    if (out->dtype != (mixed ? ISG_F64 : dtype) && !(mixed && out->dtype == ISG_F32))
        return isg_fail(error, ISG_ERR_DTYPE, "OUT is %s, the sums %s", isg_dtype_name(out->dtype),
                        isg_dtype_name(mixed ? ISG_F64 : dtype));
    if ((st = isg_view_place(gram->context, v, "V", &v_place)) ||
        (st = isg_view_place(gram->context, out, "OUT", &out_place)))
        return st;
    if (isg_places_meet(&out_place, &v_place) || isg_places_meet(&out_place, &gram->x_place) ||
        isg_places_meet(&out_place, &gram->y_place))
        return isg_fail(error, ISG_ERR_ARGUMENT, "OUT overlaps the memory of V or of the points");
    if (v->shape[1] > 0 && isg_view_overlaps_itself(out))
        return isg_fail(error, ISG_ERR_SHAPE, "OUT's strides of %lld and %lld make elements of it overlap",
                        (long long)out->strides[0], (long long)out->strides[1]);
    if (out->mem && (isg_view_flags(out->mem) & (CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_NO_ACCESS)))
        return isg_fail(error, ISG_ERR_ARGUMENT, "OUT: its buffer was made so that the host cannot write it");
    return mixed ? isg_context_require(gram->context, ISG_F64) : ISG_OK;
}

// alpha S + beta OUT, rounded once more where OUT is narrower than the sums.
static void put(void *user, int64_t target, int64_t column, double sum, int exponent)
{
    const product *p = user;
    const isg_array *out = &p->out;
    int64_t at = target * out->strides[0] + column * out->strides[1];
    double old = p->beta == 0 ? 0 : isg_load_double(out->dtype, out->data, at);
    double value = isg_reference_get(p->sums, false)->combine(p->alpha, sum, exponent, p->beta, old);
    if (out->dtype == ISG_F32 && fabs(value) < FLT_MIN)
        value = fabsf((float)value) < FLT_MIN ? 0 : value;
    isg_store_double(out->dtype, out->data, at, value);
}

isg_status isg_gram_apply(isg_gram *gram, isg_array v, isg_array out, const isg_apply_params *params)
{
    static const isg_apply_params defaults;
    params = params ? params : &defaults;
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    isg_lent in = {.copy = NULL}, back = {.copy = NULL};
    st = check(gram, &v, &out, params);
    if (params->report)
        *params->report = (isg_skip_report){0};
    if (st || v.shape[1] == 0 || out.shape[0] == 0)
        return st;
    TRY(isg_view_lend(gram->context, &in, &v, "V"));
    TRY(isg_view_lend(gram->context, &back, &out, "OUT"));
    const bool mixed = params->accumulate == ISG_PRECISION_F64;
    product p = {.out = back.host,
                 .sums = mixed ? ISG_F64 : gram->op.x.dtype,
                 .alpha = params->alpha == 0 ? 1 : params->alpha,
                 .beta = params->beta};
    TRY(isg_sums_run(&(isg_sums){.gram = gram,
                                 .transposed = params->transpose != 0,
                                 .v = in.host,
                                 .dtype = p.sums,
                                 .put = put,
                                 .user = &p,
                                 .skip = params->skip,
                                 .tolerance = params->tolerance,
                                 .report = params->report}));
    st = isg_view_return(gram->context, &back);
fail:
    isg_lent_free(&in);
    isg_lent_free(&back);
    return st;
}
