// The certificate on a device: each case through the same calls that users make, its hash against the golden one.
#include "verify.h"
#include "functions.h"
#include "probe.h"
#include "verify_gradient.h"
#include "verify_sums.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct certificate {
    const isg_verify_params *params;
    isg_verify_summary *summary;
    isg_context *context;
} certificate;

static isg_status compute_function(isg_context *context, const isg_case *c, void *out)
{
    bool wide = c->dtype == ISG_F64;
    isg_real_type type = {c->dtype, c->fused, wide ? context->device.lanes_f64 : context->device.lanes_f32};
    if (c->kind == ISG_CASE_FORMULA)
        return isg_functions_formula(context, type, c->kernel, c->a, c->numbers, out, c->count);
    return isg_functions_run(context, type, c->function, c->a, c->b, out, c->count);
}

static isg_status compute_gram(isg_context *context, const isg_case *c, void *out)
{
    isg_gram *gram;
    isg_gram_params params = isg_case_gram(c);
    isg_status st = isg_gram_create(context, &gram, &params);
    if (!st && c->diagonal)
        st = isg_gram_diagonal(gram, isg_vector(c->dtype, out, c->count));
    else if (!st)
        st = isg_gram_dense(gram, isg_matrix(c->dtype, out, c->n, c->m ? c->m : c->n));
    isg_gram_destroy(&gram);
    return st;
}

static isg_status compute_grid(isg_context *context, const isg_case *c, void *out)
{
    isg_grid *grid;
    isg_status st = isg_grid_create(context, &grid, &c->grid);
    if (!st) {
        isg_array view = {.dtype = c->dtype, .ndim = c->grid.ndim, .data = out};
        int64_t stride = 1;
        for (int32_t axis = c->grid.ndim - 1; axis >= 0; axis--) {
            view.shape[axis] = c->grid.size[axis];
            view.strides[axis] = stride;
            stride *= view.shape[axis];
        }
        st = isg_grid_fill(grid, view);
    }
    isg_grid_destroy(&grid);
    return st;
}

// What beta multiplies is the number of each element.
static isg_status compute_apply(isg_context *context, const isg_case *c, void *out)
{
    isg_gram *gram;
    isg_gram_params params = isg_case_gram(c);
    isg_status st = isg_gram_create(context, &gram, &params);
    int64_t sources = c->apply.transpose ? c->n : c->m;
    for (int64_t i = 0; i < c->count; i++)
        isg_store_double(c->dtype, out, i, (double)i);
    if (!st)
        st = isg_gram_apply(gram, isg_matrix(c->dtype, c->v, sources, c->columns),
                            isg_matrix(c->dtype, out, c->count / c->columns, c->columns), &c->apply);
    isg_gram_destroy(&gram);
    return st;
}

static isg_status compute_reduce(isg_context *context, const isg_case *c, void *out)
{
    isg_gram *gram;
    isg_gram_params params = isg_case_gram(c);
    isg_status st = isg_gram_create(context, &gram, &params);
    int64_t *indices = isg_alloc(c->count, sizeof *indices);
    isg_reduce_params reduction = isg_sum_case_reduction(c, out, indices);
    if (!st && !indices)
        st = isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for indices");
    if (!st)
        st = isg_gram_reduce(gram, &reduction);
    if (!st)
        isg_sum_case_put_indices(c, out, indices);
    free(indices);
    isg_gram_destroy(&gram);
    return st;
}

static isg_status compute_filter(isg_context *context, const isg_case *c, void *out)
{
    isg_array views[ISG_FILTER_MOST_OUTPUTS], in = isg_filter_case_view(c, c->a);
    isg_derived_params params = isg_filter_case_derived(c);
    if (!c->derived)
        return isg_filter(context, in, isg_filter_case_view(c, out), &c->filter);
    isg_filter_case_views(c, out, views);
    return isg_filter_derived(context, (isg_derived)(c->derived - 1), in, views, isg_filter_case_outputs(c), &params);
}

static isg_status compute_gradient(isg_context *context, const isg_case *c, void *out)
{
    isg_gram *gram;
    isg_gram_params params = isg_case_gram(c);
    isg_status st = isg_gram_create(context, &gram, &params);
    double *parameters = isg_alloc(c->parameters + 1, sizeof *parameters);
    if (!st && !parameters)
        st = isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for parameters");
    if (!st) {
        isg_gradient_params wanted = isg_gradient_case_wanted(c, out, parameters);
        st = isg_gram_gradient(gram, &wanted);
    }
    if (!st)
        isg_gradient_case_put(c, out, parameters);
    free(parameters);
    isg_gram_destroy(&gram);
    return st;
}

isg_status isg_verify_compute(isg_context *context, const isg_case *c, void *out)
{
    switch (c->kind) {
    case ISG_CASE_FUNCTION:
    case ISG_CASE_FORMULA: return compute_function(context, c, out);
    case ISG_CASE_GRAM: return compute_gram(context, c, out);
    case ISG_CASE_FILTER: return compute_filter(context, c, out);
    case ISG_CASE_CONVOLVE:
        return isg_convolve(context, isg_filter_case_view(c, c->a), c->stencil, isg_filter_case_view(c, out),
                            &c->convolve);
    case ISG_CASE_APPLY: return compute_apply(context, c, out);
    case ISG_CASE_REDUCE: return compute_reduce(context, c, out);
    case ISG_CASE_GRADIENT: return compute_gradient(context, c, out);
    default: return compute_grid(context, c, out);
    }
}

// What differs, in words: the first element whose bits are not the reference's, or the reference itself.
static void explain(const isg_case *c, const void *got, const char *golden, isg_verify_check *check)
{
    char *text = check->message, inputs[600], hash[33];
    size_t bytes = sizeof check->message, element = isg_dtype_bytes(c->dtype);
    if (!golden) {
        snprintf(text, bytes, "there is no golden hash of this case");
        return;
    }
    char *want = isg_case_expected(c);
    if (!want) {
        snprintf(text, bytes, "the hash differs from the golden one; no memory to tell where");
        return;
    }
    isg_case_hash(c, want, hash);
    int64_t at = 0, last = c->count - 1;
    while (at < last && memcmp((const char *)got + (size_t)at * element, want + (size_t)at * element, element) == 0)
        at++;
    if (strcmp(hash, golden) != 0)
        snprintf(text, bytes,
                 "the host's own reference differs from the golden hash: this library was compiled to other bits");
    else {
        isg_case_describe(c, at, inputs, sizeof inputs);
        snprintf(text, bytes, "element %lld: %s: the device gives %a, right is %a", (long long)at, inputs,
                 isg_load_double(c->dtype, got, at), isg_load_double(c->dtype, want, at));
    }
    free(want);
}

static isg_status tell(certificate *v, const isg_verify_check *check)
{
    isg_verify_summary *s = v->summary;
    s->equal += check->status == ISG_OK;
    s->different += check->status == ISG_ERR_UNTRUSTED;
    s->unsupported += check->status == ISG_ERR_UNSUPPORTED;
    s->failed += check->status != ISG_OK && check->status != ISG_ERR_UNTRUSTED && check->status != ISG_ERR_UNSUPPORTED;
    if (v->params->each && v->params->each(v->params->user, check))
        return isg_fail(&v->context->error, ISG_ERR_CANCELLED, "cancelled");
    return ISG_OK;
}

static isg_status check_case(certificate *v, int index, isg_dtype dtype, bool fused)
{
    bool quick = v->params->quick != 0;
    isg_error *error = &v->context->error;
    isg_case c;
    char key[160];
    if (!isg_case_make(&c, index, dtype, fused, quick))
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for the inputs of a check");
    isg_case_key(&c, quick, key, sizeof key);
    isg_verify_check check = {
        .contract = isg_contract_name(dtype, fused), .what = c.what, .inputs = c.inputs, .count = c.count};
    void *got = isg_alloc(c.count, isg_dtype_bytes(dtype));
    if (!got) {
        isg_case_free(&c);
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for the results of a check");
    }
    const char *golden = isg_golden(key);
    double start = isg_seconds();
    check.status = isg_verify_compute(v->context, &c, got);
    check.seconds = isg_seconds() - start;
    if (check.status) {
        snprintf(check.message, sizeof check.message, "%.790s", error->message);
    } else {
        isg_case_canonical(&c, got);
        isg_case_hash(&c, got, check.hash);
        if (!golden || strcmp(golden, check.hash) != 0) {
            check.status = ISG_ERR_UNTRUSTED;
            explain(&c, got, golden, &check);
        }
    }
    isg_status st = tell(v, &check);
    free(got);
    isg_case_free(&c);
    return st;
}

// All cases of one precision and arithmetic; one line for all of them where the device cannot do it.
static isg_status check_contract(certificate *v, isg_dtype dtype, bool fused)
{
    isg_status st = isg_context_require(v->context, dtype);
    if (st) {
        isg_verify_check check = {
            .contract = isg_contract_name(dtype, fused), .what = "device", .inputs = "", .status = st};
        snprintf(check.message, sizeof check.message, "%.790s", v->context->error.message);
        return tell(v, &check);
    }
    for (int i = 0; i < isg_case_count(v->params->quick != 0) && !st; i++)
        st = check_case(v, i, dtype, fused);
    return st;
}

static isg_status check_arithmetic(certificate *v, bool fused)
{
    isg_status st = ISG_OK;
    isg_context_turn(v->context, fused ? ISG_ARITHMETIC_FUSED : ISG_ARITHMETIC_UNFUSED);
    for (int wide = 0; wide < 2 && !st; wide++)
        if (v->params->precision == ISG_PRECISION_DEFAULT || (v->params->precision == ISG_PRECISION_F64) == (wide != 0))
            st = check_contract(v, wide ? ISG_F64 : ISG_F32, fused);
    return st;
}

isg_status isg_verify_context(isg_context *context, const isg_verify_params *params, isg_verify_summary *out)
{
    certificate v = {.params = params, .summary = out, .context = context};
    isg_arithmetic asked = context->arithmetic;
    isg_error *error = &context->error;
    isg_status st = ISG_OK;
    *out = (isg_verify_summary){.device = context->device};
    context->passing = true;
    for (int fused = 0; fused < 2 && !st; fused++)
        if (asked == ISG_ARITHMETIC_AUTO || (asked == ISG_ARITHMETIC_FUSED) == (fused != 0))
            st = check_arithmetic(&v, fused);
    if (st)
        return st;
    isg_error_clear(error); // of single checks; what follows sums up
    if (out->different)
        return isg_fail(error, ISG_ERR_UNTRUSTED, "%d checks gave other bits than the contract's", (int)out->different);
    if (out->failed)
        return isg_fail(error, ISG_ERR_DEVICE, "%d checks could not be computed", (int)out->failed);
    return ISG_OK;
}

isg_status isg_verify(const isg_verify_params *params, isg_verify_summary *out)
{
    static const isg_verify_params defaults;
    static const isg_context_params any_device;
    params = params ? params : &defaults;
    const isg_context_params *wanted = params->context ? params->context : &any_device;
    isg_context *context;
    if (!out)
        return isg_fail(wanted->error, ISG_ERR_ARGUMENT, "no place for a summary");
    *out = (isg_verify_summary){.equal = 0};
    isg_status st = isg_context_create(&context, wanted);
    if (st)
        return st;
    st = isg_verify_context(context, params, out);
    if (st && wanted->error)
        *wanted->error = context->error;
    isg_context_destroy(&context);
    return st;
}
