// Derived filters: the front, which validates; filters of the input side by side on the device, and what is made of
// them.
#include "buffer.h"
#include "derived_plan.h"
#include "filter_run.h"
#include "probe.h"
#include "program.h"
#include "view.h"

#include "../cl/derived_kinds.h"
#include "../cl/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NDIM = ISG_FILTER_MAX_NDIM };

typedef struct deriver {
    isg_context *context;
    const isg_derived_plan *plan;
    const isg_filter_params *params;
    isg_array in, mask; // of 4 axes, on the device or in host memory that it uses
    cl_mem parts[NDIM], product;
    void *blocks[NDIM + 1]; // host memory behind them, on devices that use it
    int32_t done, total;    // filters
} deriver;

// A new array on the device, of the arithmetic's type and the input's shape.
static isg_status make_array(deriver *d, cl_mem *mem, void **block)
{
    isg_filter_job job = {.in = d->in};
    isg_filter_plan type = {.dtype = d->plan->dtype};
    isg_filter_runner r = {.job = &job, .context = d->context, .plan = &type};
    isg_stage made;
    memcpy(r.shape, d->in.shape, sizeof r.shape);
    isg_status st = isg_filter_make_between(&r, 0, &made, block);
    *mem = made.mem;
    return st;
}

static isg_array array_of(const deriver *d, cl_mem mem)
{
    isg_array a = {.dtype = d->plan->dtype, .ndim = NDIM, .mem = mem};
    memcpy(a.shape, d->in.shape, sizeof a.shape);
    isg_filter_dense(a.shape, a.strides);
    return a;
}

static int tell(void *user, double done, double total)
{
    const deriver *d = user;
    return d->params->progress(d->params->progress_user, d->done + done / total, d->total);
}

static isg_status run_filter(deriver *d, const isg_filter_plan *plan, isg_array in, isg_array out, bool masked)
{
    isg_filter_job job = {.context = d->context,
                          .plan = plan,
                          .in = in,
                          .out = out,
                          .memory = d->params->memory,
                          .progress = d->params->progress ? tell : NULL,
                          .progress_user = d};
    if (masked)
        job.mask = d->mask;
    isg_status st = isg_filter_run(&job);
    d->done++;
    return st;
}

// Puts arrays together; out: on the device.
static isg_status join(deriver *d, int count, const cl_mem *x, const isg_stage *out)
{
    isg_status st;
    const isg_dtype dtype = d->plan->dtype;
    isg_real_type type = {dtype, isg_probe_fused(d->context, dtype), 1};
    const int64_t *n = d->in.shape, lines = n[0] * n[1] * n[2];
    int64_t shape[VALID_SHAPE_COUNT] = {
        [VALID_COUNT_1] = n[1], [VALID_COUNT_2] = n[2], [VALID_COUNT_3] = n[3], [VALID_IN] = out->offset};
    double numbers[2]; // room for either type
    char options[120];
    isg_text text = {options, sizeof options, 0};
    cl_kernel kernel;
    cl_mem shape_mem = NULL, numbers_mem = NULL;
    for (int a = 0; a < NDIM; a++)
        shape[VALID_IN_0 + a] = out->strides[a];
    isg_store_double(dtype, numbers, 0, d->plan->amount);
    isg_store_double(dtype, numbers, 1, d->plan->empty);
    isg_put(&text, "-D IN=%d -D OUT=%d -D CHECKED=0 -D KIND=%d -D COUNT=%d", isg_filter_code(dtype),
            isg_filter_code(out->dtype), d->plan->kind, count);
    TRY(isg_program_kernel(d->context, &kernel, "filter_derived.cl", "filter_derived", type, options));
    TRY(isg_buffer_copy_of(d->context, &shape_mem, shape, sizeof shape));
    TRY(isg_buffer_copy_of(d->context, &numbers_mem, numbers, 2 * (int64_t)isg_dtype_bytes(dtype)));
    const int64_t step = isg_min(isg_max(((int64_t)1 << 27) / n[3], 1), 1 << 20); // a launch that stays short
    for (int64_t at = 0; at < lines; at += step) {
        int64_t items = isg_min(step, lines - at);
        TRY(isg_run(d->context, kernel,
                    ISG_ARGS(arg_mem(x[0]), arg_mem(x[count > 1]), arg_mem(x[count > 2 ? 2 : 0]),
                             arg_mem(x[count > 3 ? 3 : 0]), arg_mem(out->mem), arg_mem(shape_mem), arg_mem(numbers_mem),
                             arg_long(at), arg_long(at + items)),
                    isg_filter_line_range(n[3], items)));
        TRY(isg_finish(d->context));
    }
fail:
    isg_buffer_free(&shape_mem);
    isg_buffer_free(&numbers_mem);
    return st;
}

static isg_status join_into(deriver *d, const isg_array *out)
{
    isg_filter_lent lent = {.own = NULL};
    isg_status st;
    TRY(isg_filter_lend(d->context, out, true, &lent));
    TRY(join(d, d->plan->part_count, d->parts, &lent.stage));
    if (lent.host)
        TRY(isg_buffer_to_host(d->context, lent.own, lent.host, lent.bytes));
fail:
    isg_buffer_free(&lent.own);
    return st;
}

static isg_status smooth_products(deriver *d, const isg_array *out)
{
    isg_status st;
    TRY(make_array(d, &d->product, &d->blocks[NDIM]));
    const isg_array product = array_of(d, d->product);
    isg_stage to = {.dtype = d->plan->dtype, .mem = d->product};
    isg_filter_dense(product.shape, to.strides);
    for (int a = 0, at = 0; a < d->plan->part_count; a++)
        for (int b = a; b < d->plan->part_count; b++, at++) {
            const cl_mem two[] = {d->parts[a], d->parts[b]};
            TRY(join(d, 2, two, &to));
            TRY(run_filter(d, &d->plan->smooth, product, out[at], false));
        }
fail:
    return st;
}

static isg_status derive(deriver *d, const isg_array *out)
{
    isg_status st;
    isg_filter_lent in = {.own = NULL}, mask = {.own = NULL};
    d->total = d->plan->part_count + (d->plan->derived == ISG_DERIVED_STRUCTURE_TENSOR ? d->plan->outputs : 0);
    // Once for all filters.
    TRY(isg_filter_lend(d->context, &d->in, false, &in));
    d->in.mem = in.stage.mem;
    d->in.offset = in.stage.offset;
    if (d->mask.dtype != ISG_DTYPE_NONE) {
        TRY(isg_filter_lend(d->context, &d->mask, false, &mask));
        d->mask.mem = mask.stage.mem;
        d->mask.offset = mask.stage.offset;
    }
    for (int i = 0; i < d->plan->part_count; i++) {
        TRY(make_array(d, &d->parts[i], &d->blocks[i]));
        TRY(run_filter(d, &d->plan->parts[i], d->in, array_of(d, d->parts[i]), true));
    }
    if (d->plan->derived == ISG_DERIVED_STRUCTURE_TENSOR)
        TRY(smooth_products(d, out));
    else
        TRY(join_into(d, out));
    isg_programs_save(d->context);
fail:
    for (int i = 0; i < NDIM; i++)
        isg_buffer_free(&d->parts[i]);
    isg_buffer_free(&d->product);
    isg_buffer_free(&in.own);
    isg_buffer_free(&mask.own);
    for (int i = 0; i <= NDIM; i++)
        isg_spare_give(&d->context->spare, d->blocks[i]);
    return st;
}

// Axes of the plan as those of arrays of 4.
static void widen_plan(isg_filter_plan *plan, int32_t ndim)
{
    for (int32_t i = 0; i < plan->count; i++)
        plan->axis[i].axis += NDIM - ndim;
}

static isg_status check_outputs(isg_context *context, const isg_array *in, const isg_array *out, int32_t count,
                                const isg_derived_plan *plan)
{
    isg_place places[NDIM * (NDIM + 1) / 2];
    isg_error *error = &context->error;
    if (count != plan->outputs)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%d outputs; of a %s here it takes %d", (int)count,
                        isg_derived_name(plan->derived), (int)plan->outputs);
    for (int32_t i = 0; i < count; i++) {
        bool in_place;
        isg_status st = isg_filter_check_pair(context, in, &out[i], &in_place);
        if (!st)
            st = isg_view_place(context, &out[i], "output", &places[i]);
        if (st)
            return st;
        if (in_place && plan->derived == ISG_DERIVED_STRUCTURE_TENSOR)
            return isg_fail(error, ISG_ERR_ARGUMENT, "a structure tensor cannot be computed in place");
        for (int32_t k = 0; k < i; k++)
            if (isg_places_meet(&places[i], &places[k]))
                return isg_fail(error, ISG_ERR_ARGUMENT, "outputs %d and %d overlap", (int)k, (int)i);
    }
    return ISG_OK;
}

isg_status isg_filter_derived(isg_context *context, isg_derived derived, isg_array in, const isg_array *out,
                              int32_t count, const isg_derived_params *params)
{
    isg_status st = isg_context_enter(context);
    if (st)
        return st;
    isg_derived_plan plan = {.part_count = 0};
    isg_array wide[NDIM * (NDIM + 1) / 2], mask = {.dtype = ISG_DTYPE_NONE};
    if (count < 1 || !out || !params)
        return isg_fail(&context->error, ISG_ERR_ARGUMENT, "a derived filter needs parameters and outputs");
    bool in_place;
    TRY(isg_filter_check_pair(context, &in, &out[0], &in_place));
    isg_dtype dtype = isg_filter_dtype(&params->filter, in.dtype);
    TRY(isg_derived_plan_make(&plan, derived, params, in.ndim, in.shape, dtype, in.dtype, &context->error));
    TRY(check_outputs(context, &in, out, count, &plan));
    TRY(isg_context_require(context, dtype));
    bool wide_elements = in.dtype == ISG_F64;
    for (int32_t i = 0; i < count; i++)
        wide_elements = wide_elements || out[i].dtype == ISG_F64;
    if (wide_elements)
        TRY(isg_context_require(context, ISG_F64));
    if (params->filter.mask.dtype != ISG_DTYPE_NONE) {
        mask = params->filter.mask;
        for (int32_t i = 0; i < count; i++) {
            mask = params->filter.mask;
            TRY(isg_filter_check_mask(context, &in, &out[i], &mask));
        }
        mask = isg_filter_widened(mask);
    }
    for (int32_t i = 0; i < count; i++)
        wide[i] = isg_filter_widened(out[i]);
    for (int32_t i = 0; i < plan.part_count; i++)
        widen_plan(&plan.parts[i], in.ndim);
    widen_plan(&plan.smooth, in.ndim);
    deriver d = {
        .context = context, .plan = &plan, .params = &params->filter, .in = isg_filter_widened(in), .mask = mask};
    TRY(derive(&d, wide));
fail:
    isg_derived_plan_free(&plan);
    return st;
}
