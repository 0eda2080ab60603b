// The front of the Gram operator: it validates everything, so that the ways of computing behind it may trust what they
// get.
#include "gram.h"
#include "kernels.h"
#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// The row's scale and parameter, from what the caller gave of them.
static isg_status resolve_numbers(isg_gram *gram, const isg_gram_params *p, isg_error *error)
{
    const isg_kernel *kernel = gram->kernel;
    const struct {
        const char *name;
        double value;
        bool length;
    } given[] = {{"gamma", p->gamma, false}, {"sigma", p->sigma, true}, {"lengthscale", p->lengthscale, true}};
    const char *used = NULL;
    double gamma = 1 / (double)gram->x.dims, length = 1;
    for (int i = 0; i < 3; i++) {
        double v = given[i].value;
        if (v == 0)
            continue;
        if (used)
            return isg_fail(error, ISG_ERR_ARGUMENT, "%s and %s say the same thing; give one of them", used,
                            given[i].name);
        used = given[i].name;
        if (kernel->scale == ISG_SCALE_NONE || (kernel->scale == ISG_SCALE_RATE && given[i].length))
            return isg_fail(error, ISG_ERR_ARGUMENT, "%s takes no %s", kernel->name, used);
        if (!isfinite(v) || v < 0)
            return isg_fail(error, ISG_ERR_ARGUMENT, "%s %g; it must be positive and finite", used, v);
        gamma = given[i].length ? 1 / (2 * v * v) : v;
        length = given[i].length ? v : sqrt(0.5 / v);
        if (!isfinite(gamma) || gamma == 0)
            return isg_fail(error, ISG_ERR_RANGE, "%s %g is out of range: gamma would be %g", used, v, gamma);
    }
    if (kernel->scale == ISG_SCALE_LENGTHSCALE)
        gamma = 0.5 / (length * length);
    gram->gamma = gamma;
    gram->param = kernel->param.name && p->param == 0 ? kernel->param.fallback : p->param;
    if (!kernel->param.name && p->param != 0)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s has no parameter besides its scale", kernel->name);
    if (!isfinite(gram->param) || gram->param < 0)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s %g; it must be positive and finite", kernel->param.name,
                        gram->param);
    return isg_kernel_plan(&gram->scale, isg_kernel_index(kernel), gamma, length, gram->param,
                           fmax(gram->x.largest, gram->y.largest), gram->x.dtype, error);
}

static bool needs_double(const isg_array *a)
{
    return a->dtype == ISG_F64 || a->dtype == ISG_I32 || a->dtype == ISG_U32 || a->dtype == ISG_I64 ||
           a->dtype == ISG_U64;
}

static isg_dtype resolve_dtype(const isg_gram_params *p)
{
    if (p->precision != ISG_PRECISION_DEFAULT)
        return p->precision == ISG_PRECISION_F64 ? ISG_F64 : ISG_F32;
    return needs_double(&p->x) || needs_double(&p->y) ? ISG_F64 : ISG_F32;
}

isg_status isg_gram_create(isg_context *context, isg_gram **out, const isg_gram_params *params)
{
    *out = NULL;
    isg_error *error = &context->error;
    isg_error_clear(error);
    isg_status st = ISG_OK;
    isg_gram *gram = calloc(1, sizeof *gram);
    if (!gram)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for a Gram operator");
    gram->context = context;
    if (!params || params->x.dtype == ISG_DTYPE_NONE) {
        st = isg_fail(error, ISG_ERR_ARGUMENT, "a Gram operator needs points x");
        goto fail;
    }
    if ((unsigned)params->precision > ISG_PRECISION_F64) {
        st = isg_fail(error, ISG_ERR_ARGUMENT, "unknown precision");
        goto fail;
    }
    gram->kernel = params->kernel ? params->kernel : isg_kernel_find("rbf");
    gram->progress = params->progress;
    gram->progress_user = params->progress_user;
    isg_dtype dtype = resolve_dtype(params);
    bool lenient = params->allow_nonfinite != 0;
    TRY(isg_context_require(context, dtype));
    const char *x_name = params->x_name ? params->x_name : "X", *y_name = params->y_name ? params->y_name : "Y";
    TRY(isg_points_read(&gram->x, &params->x, dtype, lenient, x_name, error));
    gram->symmetric = params->y.dtype == ISG_DTYPE_NONE;
    if (gram->symmetric) {
        gram->y = gram->x;
        gram->y.owned = NULL;
    } else {
        TRY(isg_points_read(&gram->y, &params->y, dtype, lenient, y_name, error));
        if (gram->y.dims != gram->x.dims) {
            st = isg_fail(error, ISG_ERR_SHAPE,
                          "%s has %lld columns and %s has %lld; points must have the same dimension", x_name,
                          (long long)gram->x.dims, y_name, (long long)gram->y.dims);
            goto fail;
        }
    }
    if (gram->x.dims > INT32_MAX) {
        st = isg_fail(error, ISG_ERR_OVERFLOW, "%s has %lld columns; %d are possible", x_name, (long long)gram->x.dims,
                      INT32_MAX);
        goto fail;
    }
    TRY(resolve_numbers(gram, params, error));
    *out = gram;
    return ISG_OK;
fail:
    isg_gram_destroy(&gram);
    return st;
}

void isg_gram_destroy(isg_gram **gram)
{
    if (!gram || !*gram)
        return;
    isg_buffer_free(&(*gram)->rows.mem);
    isg_buffer_free(&(*gram)->cols.mem);
    isg_points_free(&(*gram)->x);
    isg_points_free(&(*gram)->y);
    free(*gram);
    *gram = NULL;
}

void isg_gram_shape(const isg_gram *gram, int64_t *n, int64_t *m, int64_t *d)
{
    if (n)
        *n = gram->x.count;
    if (m)
        *m = gram->y.count;
    if (d)
        *d = gram->x.dims;
}

isg_dtype isg_gram_dtype(const isg_gram *gram)
{
    return gram->x.dtype;
}

const isg_kernel *isg_gram_kernel(const isg_gram *gram)
{
    return gram->kernel;
}

double isg_gram_gamma(const isg_gram *gram)
{
    return gram->kernel->scale == ISG_SCALE_NONE ? 0 : gram->gamma;
}

double isg_gram_param(const isg_gram *gram)
{
    return gram->param;
}

static isg_status check_output(const isg_gram *gram, const isg_array *k, int32_t ndim)
{
    isg_error *error = &gram->context->error;
    if (k->dtype != gram->x.dtype)
        return isg_fail(error, ISG_ERR_DTYPE, "K is %s, the operator %s", isg_dtype_name(k->dtype),
                        isg_dtype_name(gram->x.dtype));
    if (k->ndim != ndim || !k->data)
        return isg_fail(error, ISG_ERR_SHAPE, "K must be a %s with data", ndim == 2 ? "matrix" : "vector");
    return ISG_OK;
}

isg_status isg_gram_tile(isg_gram *gram, int64_t row, int64_t col, isg_array k)
{
    isg_error *error = &gram->context->error;
    isg_error_clear(error);
    isg_status st = check_output(gram, &k, 2);
    if (st)
        return st;
    int64_t rows = k.shape[0], cols = k.shape[1], total;
    if (rows < 0 || cols < 0 || row < 0 || col < 0 || rows > gram->x.count - row || cols > gram->y.count - col)
        return isg_fail(error, ISG_ERR_SHAPE,
                        "the block of %lld x %lld at (%lld, %lld) leaves the %lld x %lld operator", (long long)rows,
                        (long long)cols, (long long)row, (long long)col, (long long)gram->x.count,
                        (long long)gram->y.count);
    if (rows == 0 || cols == 0)
        return ISG_OK;
    if ((k.strides[1] != 1 && cols > 1) || (k.strides[0] < cols && rows > 1))
        return isg_fail(error, ISG_ERR_SHAPE, "K needs unit stride within its rows, and rows that do not overlap");
    const int64_t extent[2] = {rows, isg_max(k.strides[0], cols)};
    st = isg_shape_count(k.dtype, 2, extent, &total, error);
    if (st)
        return st;
    st = isg_gram_direct_block(gram, (isg_block){row, col, rows, cols, extent[1], k.data});
    isg_programs_save(gram->context);
    return st;
}

isg_status isg_gram_dense(isg_gram *gram, isg_array k)
{
    if (k.ndim == 2 && (k.shape[0] != gram->x.count || k.shape[1] != gram->y.count)) {
        isg_error_clear(&gram->context->error);
        return isg_fail(&gram->context->error, ISG_ERR_SHAPE, "K is %lld x %lld, the operator %lld x %lld",
                        (long long)k.shape[0], (long long)k.shape[1], (long long)gram->x.count,
                        (long long)gram->y.count);
    }
    return isg_gram_tile(gram, 0, 0, k);
}

isg_status isg_gram_diagonal(isg_gram *gram, isg_array k)
{
    isg_error *error = &gram->context->error;
    isg_error_clear(error);
    isg_status st = check_output(gram, &k, 1);
    if (st)
        return st;
    int64_t count = isg_min(gram->x.count, gram->y.count);
    if (k.shape[0] != count)
        return isg_fail(error, ISG_ERR_SHAPE, "the diagonal has %lld elements, K %lld", (long long)count,
                        (long long)k.shape[0]);
    size_t element = isg_dtype_bytes(k.dtype);
    void *values = isg_alloc(count, element);
    if (!values)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for a diagonal of %lld", (long long)count);
    st = isg_gram_direct_diagonal(gram, count, values);
    for (int64_t i = 0; i < count && !st; i++)
        memcpy((char *)k.data + i * k.strides[0] * (int64_t)element, (char *)values + i * (int64_t)element, element);
    free(values);
    isg_programs_save(gram->context);
    return st;
}
