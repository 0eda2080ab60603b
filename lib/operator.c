// What a Gram operator is made of, checked: the covariance function, the points, and the plan for both.
#include "operator.h"
#include "kernels.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static bool needs_double(const isg_array *a)
{
    return a->dtype == ISG_F64 || a->dtype == ISG_I32 || a->dtype == ISG_U32 || a->dtype == ISG_I64 ||
           a->dtype == ISG_U64;
}

isg_dtype isg_operator_dtype(const isg_gram_params *p)
{
    if (p->precision != ISG_PRECISION_DEFAULT)
        return p->precision == ISG_PRECISION_F64 ? ISG_F64 : ISG_F32;
    return needs_double(&p->x) || needs_double(&p->y) ? ISG_F64 : ISG_F32;
}
// The covariance function, from whichever way it was given.
static isg_status resolve_kernel(isg_operator *op, const isg_gram_params *p, isg_error *error)
{
    const isg_kernel_params row = {.kernel = p->kernel,
                                   .gamma = p->gamma,
                                   .sigma = p->sigma,
                                   .lengthscale = p->lengthscale,
                                   .settings = p->settings,
                                   .setting_count = p->setting_count};
    bool scaled = p->gamma != 0 || p->sigma != 0 || p->lengthscale != 0;
    if (p->lengthscales && scaled)
        return isg_fail(error, ISG_ERR_ARGUMENT, "lengthscales and a scale say the same thing; give one of them");
    if (!p->composite)
        return isg_composite_set(&op->composite, &row, error);
    if (p->kernel || scaled || p->setting_count)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a composite has its scales and parameters in its rows");
    op->composite = *p->composite;
    return ISG_OK;
}

// Lengthscales go in two steps: a power of two into the points, which is exact, and what is left of them into weights
// in (1/2, 1] that multiply the differences.
static isg_status apply_lengthscales(isg_operator *op, const double *lengthscales, const char *x_name,
                                     const char *y_name, isg_error *error)
{
    int64_t dims = op->x.dims;
    isg_status st = ISG_OK;
    for (int i = 0; i < op->composite.count; i++) {
        const isg_kernel_params *row = &op->composite.steps[i].params;
        if (op->composite.steps[i].kind != ISG_STEP_ROW)
            continue;
        bool squares = row->kernel->pair == ISG_PAIR_SQDIST;
        if (row->kernel->scale == ISG_SCALE_NONE || !(squares || row->kernel->pair == ISG_PAIR_L1))
            return isg_fail(error, ISG_ERR_ARGUMENT, "%s takes no lengthscales", row->kernel->name);
    }
    int *exponents = calloc((size_t)dims, sizeof *exponents);
    op->weights = isg_alloc(dims, isg_dtype_bytes(op->x.dtype));
    op->lengthscales = isg_alloc(dims, sizeof *op->lengthscales);
    if (!exponents || !op->weights || !op->lengthscales)
        st = isg_fail(error, ISG_ERR_MEMORY, "no memory for %lld lengthscales", (long long)dims);
    for (int64_t k = 0; k < dims && !st; k++) {
        if (!(lengthscales[k] > 0) || !isfinite(lengthscales[k])) {
            st = isg_fail(error, ISG_ERR_ARGUMENT, "lengthscale %g of column %lld; it must be positive and finite",
                          lengthscales[k], (long long)k);
            break;
        }
        int e;
        double mantissa = frexp(lengthscales[k], &e); // in [1/2, 1)
        exponents[k] = 1 - e;
        op->lengthscales[k] = lengthscales[k];
        isg_store_double(op->x.dtype, op->weights, k, 0.5 / mantissa);
    }
    if (!st)
        st = isg_points_shift(&op->x, exponents, x_name, error);
    if (!st && op->y.rows)
        st = isg_points_shift(&op->y, exponents, y_name, error);
    free(exponents);
    return st;
}

// Beside lengthscales a row without a scale takes that of lengthscale 1. The composite stays as it was given.
static isg_status make_plan(isg_operator *op, isg_dtype dtype, isg_error *error)
{
    isg_composite composite = op->composite;
    for (int i = 0; i < composite.count && op->weights; i++) {
        isg_kernel_params *row = &composite.steps[i].params;
        if (composite.steps[i].kind == ISG_STEP_ROW && row->gamma == 0 && row->sigma == 0 && row->lengthscale == 0)
            row->gamma = row->kernel->pair == ISG_PAIR_SQDIST ? 0.5 : 1;
    }
    isg_status st = isg_plan_make(&op->plan, &composite, isg_extent_of(&op->x, &op->y), dtype, error);
    op->plan.weights = op->weights;
    op->plan.factors = op->factors;
    return st;
}

// include: of X's rows, which are counted as the caller has them.
static isg_status check_signs(const isg_operator *op, const uint8_t *include, const char *x_name, const char *y_name,
                              isg_error *error)
{
    const isg_points *sets[] = {&op->x, &op->y};
    const char *names[] = {x_name, y_name};
    int64_t row, column;
    for (int i = 0; i < (isg_points_same(&op->x, &op->y) ? 1 : 2); i++)
        if (op->plan.used[ISG_PAIR_CHI2] && isg_points_negative(sets[i], &row, &column)) {
            double v = isg_load_double(sets[i]->dtype, sets[i]->rows, row * sets[i]->stride + column);
            for (int64_t at = 0; i == 0 && include && at <= row; at++)
                row += include[at] == 0;
            return isg_fail(error, ISG_ERR_RANGE, "%s: row %lld, column %lld is %g; chi2 takes no number below 0",
                            names[i], (long long)row, (long long)column, v);
        }
    return ISG_OK;
}
static isg_status take_factors(isg_operator *op, const isg_gram_params *p, isg_error *error)
{
    bool wide = op->x.dtype == ISG_F64;
    double least = wide ? DBL_MIN : (double)FLT_MIN, most = wide ? DBL_MAX : (double)FLT_MAX;
    op->factors = isg_alloc(op->x.count, isg_dtype_bytes(op->x.dtype));
    if (!op->factors)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for %lld factors", (long long)op->x.count);
    for (int64_t i = 0, at = 0; i < p->x.shape[0]; i++) {
        double f = p->factors[i];
        if (!(fabs(f) <= most))
            return isg_fail(error, ISG_ERR_ARGUMENT, "factor %g of row %lld; it must be finite%s", f, (long long)i,
                            isfinite(f) ? " in single precision" : "");
        if (!p->include || p->include[i])
            isg_store_double(op->x.dtype, op->factors, at++, fabs(f) < least ? 0 : f);
    }
    return ISG_OK;
}
// A set without points, where that is allowed: it lies nowhere.
static bool is_empty(const isg_array *a, const uint8_t *include)
{
    if (a->ndim != 2 || a->shape[0] < 0 || a->shape[1] < 1 || isg_dtype_bytes(a->dtype) == 0)
        return false;
    for (int64_t i = 0; i < a->shape[0]; i++)
        if (!include || include[i])
            return false;
    return true;
}

static isg_status read_points(isg_points *points, const isg_array *a, const uint8_t *include, isg_dtype dtype,
                              const isg_gram_params *params, const char *name, isg_error *error)
{
    static const double nowhere;
    if (params->allow_empty && params->method == ISG_METHOD_CONTRACT && is_empty(a, include)) {
        *points = (isg_points){.dtype = dtype, .dims = a->shape[1], .stride = a->shape[1], .rows = &nowhere};
        return ISG_OK;
    }
    return isg_points_read(points, a, include, dtype, params->allow_nonfinite != 0, name, error);
}

isg_status isg_operator_make(isg_operator *op, const isg_gram_params *params, isg_dtype dtype, isg_error *error)
{
    *op = (isg_operator){.symmetric = false};
    isg_status st = ISG_OK;
    const char *x_name = params->x_name ? params->x_name : "X", *y_name = params->y_name ? params->y_name : "Y";
    bool alone = params->y.dtype == ISG_DTYPE_NONE;
    if ((st = resolve_kernel(op, params, error)) ||
        (st = read_points(&op->x, &params->x, params->include, dtype, params, x_name, error)) ||
        (!alone && (st = read_points(&op->y, &params->y, NULL, dtype, params, y_name, error))))
        goto fail;
    if (!alone && op->y.dims != op->x.dims) {
        st = isg_fail(error, ISG_ERR_SHAPE, "%s has %lld columns and %s has %lld; points must have the same dimension",
                      x_name, (long long)op->x.dims, y_name, (long long)op->y.dims);
        goto fail;
    }
    if (op->x.dims > INT32_MAX) {
        st = isg_fail(error, ISG_ERR_OVERFLOW, "%s has %lld columns; %d are possible", x_name, (long long)op->x.dims,
                      INT32_MAX);
        goto fail;
    }
    if ((params->factors && (st = take_factors(op, params, error))) ||
        (params->lengthscales && (st = apply_lengthscales(op, params->lengthscales, x_name, y_name, error))))
        goto fail;
    op->alone = alone;
    op->symmetric = alone && !params->factors;
    if (alone) {
        op->y = op->x;
        op->y.owned = NULL;
    }
    if ((st = make_plan(op, dtype, error)) || (st = check_signs(op, params->include, x_name, y_name, error)))
        goto fail;
    return ISG_OK;
fail:
    isg_operator_free(op);
    return st;
}

int isg_operator_largest(const isg_operator *op)
{
    int largest = isg_plan_largest(&op->plan, isg_extent_of(&op->x, &op->y), op->x.dtype),
        end = op->x.dtype == ISG_F64 ? 1024 : 128;
    double factor = 0;
    for (int64_t i = 0; op->factors && i < op->x.count; i++)
        factor = fmax(factor, fabs(isg_load_double(op->x.dtype, op->factors, i)));
    largest += factor > 0 ? ilogb(factor) + 1 : 0;
    return largest < end ? largest : end;
}

void isg_operator_free(isg_operator *op)
{
    isg_points_free(&op->x);
    isg_points_free(&op->y);
    free(op->weights);
    free(op->factors);
    free(op->lengthscales);
    op->weights = op->factors = NULL;
    op->lengthscales = NULL;
}
