// The front of the Gram operator: it validates everything, so that the ways of computing behind it may trust what they
// get.
#include "gram.h"
#include "kernels.h"
#include "probe.h"
#include "program.h"
#include "reference.h"

#include <stdlib.h>
#include <string.h>

// The points' norms, where the plan needs them.
static isg_status make_norms(isg_gram *gram)
{
    const isg_points *sets[] = {&gram->op.x, &gram->op.y};
    isg_dtype dtype = gram->op.x.dtype;
    for (int i = 0; i < 2 && gram->op.plan.norms; i++) {
        size_t bytes = (size_t)sets[i]->count * isg_dtype_bytes(dtype);
        char *norms = gram->norms[i] = isg_alloc(2 * sets[i]->count, isg_dtype_bytes(dtype));
        if (!norms)
            return isg_fail(&gram->context->error, ISG_ERR_MEMORY, "no memory for the norms of %lld points",
                            (long long)sets[i]->count);
        isg_reference_get(dtype, isg_probe_fused(gram->context, dtype))
            ->norms(&gram->op.plan, sets[i], norms, norms + bytes);
    }
    return ISG_OK;
}

isg_status isg_gram_create(isg_context *context, isg_gram **out, const isg_gram_params *params)
{
    *out = NULL;
    isg_error *error = &context->error;
    isg_error_clear(error);
    isg_status st = ISG_OK;
    if (!params || params->x.dtype == ISG_DTYPE_NONE)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a Gram operator needs points x");
    if ((unsigned)params->precision > ISG_PRECISION_F64)
        return isg_fail(error, ISG_ERR_ARGUMENT, "unknown precision");
    isg_gram *gram = calloc(1, sizeof *gram);
    if (!gram)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for a Gram operator");
    gram->context = context;
    gram->progress = params->progress;
    gram->progress_user = params->progress_user;
    isg_dtype dtype = isg_operator_dtype(params);
    TRY(isg_context_require(context, dtype));
    TRY(isg_operator_make(&gram->op, params, dtype, error));
    TRY(make_norms(gram));
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
    isg_gram *g = *gram;
    isg_panels_free(&g->rows);
    isg_panels_free(&g->cols);
    isg_buffer_free(&g->numbers);
    isg_operator_free(&g->op);
    free(g->norms[0]);
    free(g->norms[1]);
    free(g);
    *gram = NULL;
}

void isg_gram_shape(const isg_gram *gram, int64_t *n, int64_t *m, int64_t *d)
{
    if (n)
        *n = gram->op.x.count;
    if (m)
        *m = gram->op.y.count;
    if (d)
        *d = gram->op.x.dims;
}

isg_dtype isg_gram_dtype(const isg_gram *gram)
{
    return gram->op.x.dtype;
}

const isg_composite *isg_gram_composite(const isg_gram *gram)
{
    return &gram->op.composite;
}

const isg_kernel *isg_gram_kernel(const isg_gram *gram)
{
    return gram->op.composite.count == 1 ? gram->op.composite.steps[0].params.kernel : NULL;
}

// The values in use; all 0 for composites.
static isg_kernel_values values_of(const isg_gram *gram)
{
    isg_kernel_values values = {0};
    isg_kernel_params row = isg_step_params(&gram->op.composite.steps[0]);
    if (gram->op.composite.count == 1)
        isg_kernel_resolve(&values, &row, gram->op.x.dims, NULL);
    return values;
}

double isg_gram_gamma(const isg_gram *gram)
{
    const isg_kernel *row = isg_gram_kernel(gram);
    return row && row->scale != ISG_SCALE_NONE ? values_of(gram).gamma : 0;
}

double isg_gram_param(const isg_gram *gram, int32_t index)
{
    return index >= 0 && index < ISG_MAX_PARAMS ? values_of(gram).params[index] : 0;
}

static isg_status check_output(const isg_gram *gram, const isg_array *k, int32_t ndim)
{
    isg_error *error = &gram->context->error;
    if (k->dtype != gram->op.x.dtype)
        return isg_fail(error, ISG_ERR_DTYPE, "K is %s, the operator %s", isg_dtype_name(k->dtype),
                        isg_dtype_name(gram->op.x.dtype));
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
    if (rows < 0 || cols < 0 || row < 0 || col < 0 || rows > gram->op.x.count - row || cols > gram->op.y.count - col)
        return isg_fail(error, ISG_ERR_SHAPE,
                        "the block of %lld x %lld at (%lld, %lld) leaves the %lld x %lld operator", (long long)rows,
                        (long long)cols, (long long)row, (long long)col, (long long)gram->op.x.count,
                        (long long)gram->op.y.count);
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
    if (k.ndim == 2 && (k.shape[0] != gram->op.x.count || k.shape[1] != gram->op.y.count)) {
        isg_error_clear(&gram->context->error);
        return isg_fail(&gram->context->error, ISG_ERR_SHAPE, "K is %lld x %lld, the operator %lld x %lld",
                        (long long)k.shape[0], (long long)k.shape[1], (long long)gram->op.x.count,
                        (long long)gram->op.y.count);
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
    int64_t count = isg_min(gram->op.x.count, gram->op.y.count);
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
