// The front of the Gram operator: it validates everything, so that the ways of computing behind it may trust what they
// get.
#include "gram_output.h"
#include "kernels.h"
#include "probe.h"
#include "program.h"
#include "reference.h"

#include <isogram/opencl.h>

#include <stdlib.h>
#include <stdio.h>
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

// Finds where points lie, and turns those in a caller's buffer into a copy in host memory.
static isg_status bring(isg_gram *gram, isg_array *points, isg_place *place, void **copy, const char *name)
{
    isg_status st;
    isg_place found;
    // What is not an array at all is told by whoever reads the points.
    if (!points->mem && (points->ndim != 2 || !points->data || points->shape[0] < 1 || points->shape[1] < 1))
        return ISG_OK;
    TRY(isg_view_place(gram->context, points, name, &found));
    // Retained, lest another buffer is made at the same address and taken for this one.
    if (found.root)
        CL_TRY(gram->context, clRetainMemObject(found.root));
    *place = found;
    if (points->mem)
        TRY(isg_view_read(gram->context, points, name, copy));
fail:
    return st;
}

// Only distances that are sums of squares can be expanded.
static isg_status make_fast(isg_gram *gram, const isg_gram_params *params)
{
    isg_error *error = &gram->context->error;
    if ((unsigned)params->method > ISG_METHOD_FAST)
        return isg_fail(error, ISG_ERR_ARGUMENT, "unknown method");
    if (params->method != ISG_METHOD_FAST)
        return params->tolerance == 0 ? ISG_OK
                                      : isg_fail(error, ISG_ERR_ARGUMENT, "a tolerance is for method fast only");
    if (!(params->tolerance >= 0 && params->tolerance < 1))
        return isg_fail(error, ISG_ERR_ARGUMENT, "tolerance %g; it must be a positive number below 1",
                        params->tolerance);
    // What it counts, it counts by atomic functions, which abort compilers for OpenCL C 1.1 (Clover).
    if (!isg_device_has_opencl_c_12(&gram->context->device))
        return isg_fail(error, ISG_ERR_UNSUPPORTED, "method fast needs OpenCL C 1.2; %s has %s",
                        gram->context->device.name, gram->context->device.c_version);
    for (int i = 0; i < gram->op.composite.count; i++) {
        const isg_step *step = &gram->op.composite.steps[i];
        const isg_kernel *row = step->params.kernel;
        if (step->kind == ISG_STEP_ROW && row->pair != ISG_PAIR_SQDIST)
            return isg_fail(error, ISG_ERR_ARGUMENT,
                            "method fast is for kernels of the squared distance, and %s is none (it takes %s)",
                            row->name, isg_pair_name(row->pair));
    }
    return isg_gram_fast_make(gram, params->tolerance);
}

// Columns of points on devices whose loops end after 65535 rounds (isg_probe.whole_loops): a tile takes some fifteen of
// them for each.
enum { MOST_CUT_DIMS = 1024 };

isg_status isg_gram_create(isg_context *context, isg_gram **out, const isg_gram_params *params)
{
    if (out)
        *out = NULL;
    isg_status st = isg_context_enter(context);
    if (st)
        return st;
    isg_error *error = &context->error;
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    if (!params || params->x.dtype == ISG_DTYPE_NONE)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a Gram operator needs points x");
    if ((unsigned)params->precision > ISG_PRECISION_F64)
        return isg_fail(error, ISG_ERR_ARGUMENT, "unknown precision");
    isg_gram *gram = calloc(1, sizeof *gram);
    if (!gram)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for a Gram operator");
    gram->context = context;
    isg_context_hold(context);
    gram->progress = params->progress;
    gram->progress_user = params->progress_user;
    isg_dtype dtype = isg_operator_dtype(params);
    TRY(isg_context_require(context, dtype));
    isg_gram_params host = *params;
    TRY(bring(gram, &host.x, &gram->x_place, &gram->copies[0], params->x_name ? params->x_name : "X"));
    if (host.y.dtype != ISG_DTYPE_NONE)
        TRY(bring(gram, &host.y, &gram->y_place, &gram->copies[1], params->y_name ? params->y_name : "Y"));
    TRY(isg_operator_make(&gram->op, &host, dtype, error));
    if (!context->probe.whole_loops && gram->op.x.dims > MOST_CUT_DIMS) {
        st = isg_fail(error, ISG_ERR_UNSUPPORTED,
                      "%s leaves loops before their end: operators there have at most %d columns", context->device.name,
                      MOST_CUT_DIMS);
        goto fail;
    }
    TRY(make_norms(gram));
    TRY(make_fast(gram, params));
    *out = gram;
    return ISG_OK;
fail:
    isg_gram_destroy(&gram); // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): only other processes' handles stay
    return st;
}

void isg_gram_destroy(isg_gram **gram)
{
    if (!gram || !*gram || (*gram)->context->asking)
        return;
    isg_gram *g = *gram;
    if (!isg_context_is_ours(g->context)) {
        g->pending = NULL;
        g->rows = g->cols = (isg_panels){0};
        g->numbers = g->x_place.root = g->y_place.root = NULL;
    }
    if (g->pending) {
        clWaitForEvents(1, &g->pending);
        clReleaseEvent(g->pending);
    }
    isg_panels_free(&g->rows);
    isg_panels_free(&g->cols);
    isg_buffer_free(&g->numbers);
    isg_gram_fast_free(g);
    isg_operator_free(&g->op);
    free(g->norms[0]);
    free(g->norms[1]);
    free(g->copies[0]);
    free(g->copies[1]);
    isg_buffer_free(&g->x_place.root);
    isg_buffer_free(&g->y_place.root);
    isg_context_drop(g->context);
    free(g);
    *gram = NULL;
}

void isg_gram_shape(const isg_gram *gram, int64_t *n, int64_t *m, int64_t *d)
{
    if (n)
        *n = gram ? gram->op.x.count : 0;
    if (m)
        *m = gram ? gram->op.y.count : 0;
    if (d)
        *d = gram ? gram->op.x.dims : 0;
}

isg_dtype isg_gram_dtype(const isg_gram *gram)
{
    return gram ? gram->op.x.dtype : ISG_DTYPE_NONE;
}

const isg_composite *isg_gram_composite(const isg_gram *gram)
{
    return gram ? &gram->op.composite : NULL;
}

const isg_kernel *isg_gram_kernel(const isg_gram *gram)
{
    return gram && gram->op.composite.count == 1 ? gram->op.composite.steps[0].params.kernel : NULL;
}

const char *isg_gram_contract(const isg_gram *gram)
{
    if (!gram)
        return "";
    isg_dtype dtype = gram->op.x.dtype;
    bool fused = isg_probe_fused(gram->context, dtype);
    static const char *const names[2][2] = {{"fast/f32/unfused", "fast/f32/fused"},
                                            {"fast/f64/unfused", "fast/f64/fused"}};
    return gram->fast ? names[dtype == ISG_F64][fused] : isg_contract_name(dtype, fused);
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
    return gram && index >= 0 && index < ISG_MAX_PARAMS ? values_of(gram).params[index] : 0;
}

static isg_status compute(isg_gram *gram, const isg_output *out)
{
    if (out->kind == ISG_OUTPUT_EMPTY)
        return ISG_OK;
    // A caller's commands that are still in the queue would count as this call's time.
    isg_status st = isg_finish(gram->context);
    if (st)
        return st;
    st = isg_output_compute(gram, out);
    isg_programs_save(gram->context);
    return st;
}

isg_status isg_gram_tile(isg_gram *gram, int64_t row, int64_t col, isg_array k)
{
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    isg_output out;
    st = isg_output_check(gram, row, col, &k, &out);
    return st ? st : compute(gram, &out);
}

isg_status isg_gram_packed(isg_gram *gram, isg_array k)
{
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    isg_output out;
    st = isg_output_check_lower(gram, &k, &out);
    return st ? st : compute(gram, &out);
}

// Events of the caller's as the beginning of a chain.
static isg_status begin_chain(isg_context *context, isg_chain *chain, cl_uint count, const cl_event *events)
{
    isg_error *error = &context->error;
    if (count > 0 && !events)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%u events to wait for, and no list of them", (unsigned)count);
    for (cl_uint i = 0; i < count; i++) {
        cl_context owner;
        cl_int status, code;
        if (!events[i])
            return isg_fail(error, ISG_ERR_ARGUMENT, "wait_list[%u] is NULL", (unsigned)i);
        code = clGetEventInfo(events[i], CL_EVENT_CONTEXT, sizeof owner, &owner, NULL);
        if (code == CL_SUCCESS)
            code = clGetEventInfo(events[i], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL);
        if (code != CL_SUCCESS) {
            char refusal[60];
            snprintf(refusal, sizeof refusal, "wait_list[%u] is no event", (unsigned)i);
            return isg_cl_refuse(context, code, "clGetEventInfo", refusal);
        }
        if (owner != context->cl)
            return isg_fail(error, ISG_ERR_ARGUMENT, "wait_list[%u] belongs to another OpenCL context", (unsigned)i);
        if (status < 0)
            return isg_fail(error, ISG_ERR_ARGUMENT, "wait_list[%u] has failed: %s (%d)", (unsigned)i,
                            isg_cl_error_name(status), (int)status);
        isg_status st = isg_chain_add(context, chain, events[i]);
        if (st)
            return st;
    }
    return ISG_OK;
}

// Clover, which is what there is of OpenCL 1.1, reads the arguments of a launch when the events before it are done; by
// then the next launch has set them anew.
static isg_status wait_first(isg_context *context, isg_chain *chain)
{
    isg_status st = ISG_OK;
    if (chain->count)
        CL_TRY(context, clWaitForEvents(chain->count, chain->events));
    TRY(isg_finish(context));
    isg_chain_free(chain);
fail:
    return st;
}

// An event for a block without elements: done when those before it are.
static isg_status enqueue_nothing(isg_context *context, isg_chain *chain)
{
    isg_status st;
    const cl_event *waits;
    cl_uint count;
    cl_event event;
    TRY(isg_chain_waits(context, chain, &waits, &count));
    CL_TRY(context, clEnqueueMarkerWithWaitList(context->queue, count, waits, &event));
    isg_chain_follow(chain, event);
fail:
    return st;
}

isg_status isg_gram_tile_enqueue(isg_gram *gram, int64_t row, int64_t col, isg_array k, cl_uint wait_count,
                                 const cl_event *wait_list, cl_event *done)
{
    if (done)
        *done = NULL;
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    isg_context *context = gram->context;
    isg_output out;
    isg_chain chain = {0};
    if (!k.mem)
        return isg_fail(&context->error, ISG_ERR_ARGUMENT,
                        "K is host memory; only a cl_mem can be written while nobody waits");
    TRY(isg_output_check(gram, row, col, &k, &out));
    TRY(begin_chain(context, &chain, wait_count, wait_list));
    if (strncmp(context->device.version, "OpenCL 1.1", 10) == 0)
        TRY(wait_first(context, &chain));
    if (out.kind != ISG_OUTPUT_EMPTY) {
        context->chain = &chain;
        st = isg_output_compute(gram, &out);
        context->chain = NULL;
    } else {
        st = enqueue_nothing(context, &chain);
    }
    TRY(st);
    CL_TRY(context, clFlush(context->queue));
    if (done) {
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a block has a launch, and nothing a marker
        CL_TRY(context, clRetainEvent(chain.events[0]));
        *done = chain.events[0];
    }
fail:
    // Also of what a call that failed has enqueued. The queue is in order: the last launch stands for those before.
    if (chain.begun) {
        if (gram->pending)
            clReleaseEvent(gram->pending);
        gram->pending = chain.events[0];
        chain.events[0] = chain.events[--chain.count];
    }
    isg_chain_free(&chain);
    return st;
}

isg_status isg_gram_dense(isg_gram *gram, isg_array k)
{
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    if (k.ndim == 2 && (k.shape[0] != gram->op.x.count || k.shape[1] != gram->op.y.count)) {
        return isg_fail(&gram->context->error, ISG_ERR_SHAPE, "K is %lld x %lld, the operator %lld x %lld",
                        (long long)k.shape[0], (long long)k.shape[1], (long long)gram->op.x.count,
                        (long long)gram->op.y.count);
    }
    return isg_gram_tile(gram, 0, 0, k);
}

isg_status isg_gram_diagonal(isg_gram *gram, isg_array k)
{
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    isg_error *error = &gram->context->error;
    st = isg_output_check_type(gram, &k, 1, false);
    if (st)
        return st;
    if (k.mem)
        return isg_fail(error, ISG_ERR_ARGUMENT, "the diagonal goes to host memory only, and K is a cl_mem");
    int64_t count = isg_min(gram->op.x.count, gram->op.y.count);
    if (k.shape[0] != count)
        return isg_fail(error, ISG_ERR_SHAPE, "the diagonal has %lld elements, K %lld", (long long)count,
                        (long long)k.shape[0]);
    if (count > 0 && (st = isg_array_addressable(&k, "K", error)))
        return st;
    size_t element = isg_dtype_bytes(k.dtype);
    void *values = isg_alloc(count, element);
    if (!values)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for a diagonal of %lld", (long long)count);
    if (count > 0)
        st = isg_gram_direct_diagonal(gram, count, values);
    for (int64_t i = 0; i < count && !st; i++)
        memcpy((char *)k.data + i * k.strides[0] * (int64_t)element, (char *)values + i * (int64_t)element, element);
    free(values);
    isg_programs_save(gram->context);
    return st;
}
