// Passes over arrays some of whose elements are not valid: what is valid is found out first; then others are filled in
// and the plain passes follow, or sums of valid elements and of their weights go from axis to axis together.
#include "buffer.h"
#include "filter_run.h"
#include "probe.h"
#include "program.h"
#include "reference.h"

#include "../cl/filter.h"

#include <math.h>
#include <stdlib.h>

enum { NDIM = ISG_FILTER_MAX_NDIM, MOST_LANES = 16 };

static isg_status upload_reals(isg_filter_runner *r, const double *numbers, int64_t count, const double *more,
                               int64_t more_count, cl_mem *mem)
{
    isg_dtype dtype = r->plan->dtype;
    void *all = isg_alloc(count + more_count, isg_dtype_bytes(dtype));
    if (!all)
        return isg_fail(&r->context->error, ISG_ERR_MEMORY, "no memory for %lld weights", (long long)more_count);
    for (int64_t i = 0; i < count + more_count; i++)
        isg_store_double(dtype, all, i, i < count ? numbers[i] : more[i - count]);
    isg_status st = isg_buffer_copy_of(r->context, mem, all, (count + more_count) * (int64_t)isg_dtype_bytes(dtype));
    free(all);
    return st;
}

static bool is_real(isg_dtype dtype)
{
    return dtype == ISG_F32 || dtype == ISG_F64;
}

// --- what is valid

typedef struct validity {
    double tiny, factor,
        beyond;   // what counts as 0; the scale of the rest; what stands for an element that is not valid
    bool checked; // large numbers are looked for
} validity;

static isg_status valid_kernel(isg_filter_runner *r, const validity *v, const isg_stage *in, const isg_stage *mask,
                               cl_kernel *kernel)
{
    const isg_dtype dtype = r->plan->dtype;
    isg_real_type type = {dtype, isg_probe_fused(r->context, dtype), 1};
    char options[200];
    isg_text text = {options, sizeof options, 0};
    int exponent = !mask                    ? 0
                   : mask->dtype == ISG_F16 ? 5
                   : mask->dtype == ISG_F32 ? 8
                   : mask->dtype == ISG_F64 ? 11
                                            : 0;
    isg_put(&text, "-D IN=%d -D OUT=%d -D CHECKED=%d -D MASK_BYTES=%d -D MASK_FLOAT=%d", isg_filter_code(in->dtype),
            isg_filter_code(dtype), v->checked && is_real(in->dtype), mask ? (int)isg_dtype_bytes(mask->dtype) : 0,
            exponent);
    return isg_program_kernel(r->context, kernel, "filter_masked.cl", "filter_valid", type, options);
}

// counts: of elements to look at, from the first on along each axis. *large: set where valid input is large.
static isg_status find_valid(isg_filter_runner *r, const validity *v, const int64_t *counts, const isg_stage *in,
                             const isg_stage *mask, const isg_stage *out, bool *large)
{
    isg_status st;
    cl_kernel kernel;
    cl_mem shape_mem = NULL, numbers_mem = NULL, flags_mem = NULL;
    int64_t shape[VALID_SHAPE_COUNT] = {[VALID_COUNT_1] = counts[1],
                                        [VALID_COUNT_2] = counts[2],
                                        [VALID_COUNT_3] = counts[3],
                                        [VALID_IN] = in->offset,
                                        [VALID_MASK] = mask ? mask->offset : 0};
    const double numbers[VALID_NUMBER_COUNT] = {[FILTER_TINY_IN] = v->tiny,
                                                [FILTER_SCALE_IN] = v->factor,
                                                [FILTER_LARGE] = isg_filter_large(r->plan->dtype),
                                                [VALID_BEYOND] = v->beyond};
    for (int a = 0; a < NDIM; a++) {
        shape[VALID_IN_0 + a] = in->strides[a];
        shape[VALID_MASK_0 + a] = mask ? mask->strides[a] : 0;
    }
    TRY(valid_kernel(r, v, in, mask, &kernel));
    TRY(isg_buffer_copy_of(r->context, &shape_mem, shape, sizeof shape));
    TRY(isg_filter_new_flags(r, &flags_mem));
    TRY(upload_reals(r, numbers, VALID_NUMBER_COUNT, NULL, 0, &numbers_mem));
    int64_t lines = counts[0] * counts[1] * counts[2];
    for (int64_t at = 0, count; at < lines; at += count) {
        double each = 8 * (double)counts[3], start = isg_seconds();
        count = isg_min(isg_min(isg_filter_launch_units(r, each, 1), 1 << 20), lines - at);
        TRY(isg_run(r->context, kernel,
                    ISG_ARGS(arg_mem(in->mem), arg_mem(mask ? mask->mem : in->mem), arg_mem(out->mem),
                             arg_mem(shape_mem), arg_mem(numbers_mem), arg_mem(flags_mem), arg_long(at),
                             arg_long(at + count)),
                    isg_filter_line_range(counts[3], count)));
        TRY(isg_filter_launched(r, each * (double)count, start));
    }
    TRY(isg_filter_read_flags(r, flags_mem, large));
fail:
    isg_buffer_free(&shape_mem);
    isg_buffer_free(&numbers_mem);
    isg_buffer_free(&flags_mem);
    return st;
}

// --- sums and their weights

// Two arrays that go together; the first pass's input is one.
typedef struct sums {
    isg_stage sum, weight;
    void *blocks[2];
} sums;

static isg_status make_sums(isg_filter_runner *r, sums *s)
{
    isg_status st;
    TRY(isg_filter_make_between(r, MOST_LANES, &s->sum, &s->blocks[0]));
    TRY(isg_filter_make_between(r, MOST_LANES, &s->weight, &s->blocks[1]));
fail:
    return st;
}

static void free_sums(isg_context *context, sums *s)
{
    isg_buffer_free(&s->sum.mem);
    isg_buffer_free(&s->weight.mem);
    for (int i = 0; i < 2; i++)
        isg_spare_give(&context->spare, s->blocks[i]);
}

// Columns of a work-item. Those of a GPU stand side by side: vectors would only be in their way.
static int lanes_of(const isg_filter_runner *r)
{
    return r->context->device.device_class == ISG_DEVICE_CPU && !r->job->each ? r->lanes : 1;
}

static isg_status pass_kernel(isg_filter_runner *r, bool vertical, bool first, bool last, isg_dtype out,
                              cl_kernel *kernel)
{
    const isg_dtype dtype = r->plan->dtype;
    isg_real_type type = {dtype, isg_probe_fused(r->context, dtype), lanes_of(r)};
    char options[200];
    isg_text text = {options, sizeof options, 0};
    isg_put(&text, "-D IN=%d -D OUT=%d -D CHECKED=0 -D VERTICAL=%d -D FIRST=%d -D LAST=%d", isg_filter_code(dtype),
            isg_filter_code(out), vertical, first, last);
    return isg_program_kernel(r->context, kernel, "filter_masked.cl", "filter_weighted", type, options);
}

static isg_status upload_pass(isg_filter_runner *r, int at, bool first, cl_mem *mem)
{
    const isg_filter_weighing w = isg_filter_weighing_of(r->plan, r->large);
    const isg_filter_axis *axis = &r->plan->axis[at];
    double numbers[WEIGH_WEIGHTS] = {[WEIGH_UNIT] = w.unit,
                                     [WEIGH_TINY] = w.tiny,
                                     [WEIGH_NONE] = w.none,
                                     [WEIGH_EMPTY] = r->plan->fill,
                                     [WEIGH_TINY_WHOLE] = w.whole.tiny,
                                     [WEIGH_FACTOR_WHOLE] = w.whole.factor,
                                     [WEIGH_TINY_MEAN] = w.mean.tiny,
                                     [WEIGH_FACTOR_MEAN] = w.mean.factor,
                                     [WEIGH_CONSTANT] = w.constant_weight > 0 || first ? w.constant : 0,
                                     [WEIGH_CONSTANT_WEIGHT] = w.constant_weight};
    const bool fused = isg_probe_fused(r->context, r->plan->dtype);
    numbers[WEIGH_WHOLE] = isg_reference_filter_whole(isg_reference_get(r->plan->dtype, fused), r->plan);
    if (isnan(numbers[WEIGH_WHOLE]))
        return isg_fail(&r->context->error, ISG_ERR_MEMORY, "no memory for the weight of a whole neighbourhood");
    return upload_reals(r, numbers, WEIGH_WEIGHTS, axis->weights, axis->radius + 1, mem);
}

// Along axis `at` of the plan. own: what is valid, of the output's shape.
static isg_status run_pass(isg_filter_runner *r, int at, const sums *in, const isg_stage *out, const isg_stage *weight,
                           const isg_stage *own)
{
    isg_status st;
    const isg_filter_axis *axis = &r->plan->axis[at];
    const bool first = at == 0, last = at == r->plan->count - 1;
    int64_t behind = 1;
    for (int a = axis->axis + 1; a < NDIM; a++)
        behind *= r->shape[a];
    const bool vertical = behind >= 16; // as isg_filter_passes has it
    const isg_filter_pass pass = {vertical ? at : -1, vertical ? -1 : at};
    isg_filter_layout l = isg_filter_layout_of(r->plan, &pass, r->shape, in->sum.strides, out->strides);
    isg_filter_layout o = isg_filter_layout_of(r->plan, &pass, r->shape, own->strides, out->strides);
    const int64_t shape[WEIGH_SHAPE_COUNT] = {
        [FILTER_PLANES_0] = l.count[0],   [FILTER_PLANES_1] = l.count[1],
        [FILTER_ROWS] = l.count[2],       [FILTER_COLS] = l.count[3],
        [FILTER_IN_0] = l.in[0],          [FILTER_IN_1] = l.in[1],
        [FILTER_IN_ROW] = l.in[2],        [FILTER_IN_COL] = l.in[3],
        [FILTER_OUT] = out->offset,       [FILTER_OUT_0] = l.out[0],
        [FILTER_OUT_1] = l.out[1],        [FILTER_OUT_ROW] = l.out[2],
        [FILTER_OUT_COL] = l.out[3],      [FILTER_RADIUS_V] = axis->radius,
        [FILTER_RADIUS_H] = axis->radius, [WEIGH_PRESERVE] = r->plan->policy == ISG_NAN_PRESERVE,
        [WEIGH_OWN_0] = o.in[0],          [WEIGH_OWN_1] = o.in[1],
        [WEIGH_OWN_ROW] = o.in[2],        [WEIGH_OWN_COL] = o.in[3]};
    cl_kernel kernel;
    cl_mem shape_mem = NULL, numbers = NULL, index = NULL;
    TRY(pass_kernel(r, vertical, first, last, out->dtype, &kernel));
    TRY(isg_buffer_copy_of(r->context, &shape_mem, shape, sizeof shape));
    TRY(upload_pass(r, at, first, &numbers));
    TRY(isg_filter_upload_index(r, axis, r->shape[axis->axis], &index));
    cl_mem in_weight = first ? in->sum.mem : in->weight.mem; // which the first pass does not read
    const int64_t lines = l.count[0] * l.count[1] * l.count[2];
    const int64_t items = (l.count[3] + lanes_of(r) - 1) / lanes_of(r);
    double each = 2 * (2 * (double)axis->radius + 9) * (double)l.count[3];
    for (int64_t line = 0, count; line < lines; line += count) {
        double start = isg_seconds();
        count = isg_min(isg_min(isg_filter_launch_units(r, each, 1), 1 << 20), lines - line);
        TRY(isg_run(r->context, kernel,
                    ISG_ARGS(arg_mem(in->sum.mem), arg_mem(in_weight), arg_mem(out->mem), arg_mem(weight->mem),
                             arg_mem(own->mem), arg_mem(shape_mem), arg_mem(numbers), arg_mem(index), arg_long(line),
                             arg_long(line + count)),
                    (isg_range){{items, count}, {64, 1}}));
        TRY(isg_filter_launched(r, each * (double)count, start));
    }
fail:
    isg_buffer_free(&shape_mem);
    isg_buffer_free(&numbers);
    isg_buffer_free(&index);
    return st;
}

// valid: what find_valid wrote. own: likewise, of the output's shape.
static isg_status run_weighted(isg_filter_runner *r, const isg_stage *valid, const isg_stage *own, const isg_stage *out)
{
    isg_status st = ISG_OK;
    const int count = r->plan->count;
    sums between[2] = {{.sum = {.mem = NULL}}, {.sum = {.mem = NULL}}}, in = {.sum = *valid};
    for (int i = 0; i < 2 && i < count - 1; i++)
        TRY(make_sums(r, &between[i]));
    for (int at = 0; at < count; at++) {
        sums *to = &between[at % 2];
        const isg_stage *result = at == count - 1 ? out : &to->sum;
        isg_filter_settle_axis(r, at);
        isg_filter_dense(r->shape, to->sum.strides);
        TRY(run_pass(r, at, &in, result, at == count - 1 ? valid : &to->weight, own));
        in = *to;
    }
fail:
    free_sums(r->context, &between[0]);
    free_sums(r->context, &between[1]);
    return st;
}

isg_status isg_filter_run_masked(isg_filter_runner *r, const isg_stage *in, const isg_stage *mask, const isg_stage *out)
{
    isg_status st;
    isg_stage valid = {.mem = NULL}, own = {.mem = NULL};
    void *valid_block = NULL, *own_block = NULL;
    const bool fill = r->plan->policy == ISG_NAN_FILL;
    isg_filter_scale in_scale = isg_filter_scale_in(r->plan, r->large);
    validity v = {in_scale.tiny, in_scale.factor, NAN, true};
    if (fill) // what is filtered then is not scaled yet
        v = (validity){r->plan->dtype == ISG_F64 ? 0x1p-1022 : 0x1p-126, 1, r->plan->fill, false};
    double elements = (double)isg_filter_elements(r);
    r->total += 8 * elements;
    for (int i = 0; i < r->plan->count && !fill; i++)
        r->total += 2 * (2 * (double)r->plan->axis[i].radius + 9) * elements;
    TRY(isg_filter_make_between(r, MOST_LANES, &valid, &valid_block));
    bool large = r->large;
    TRY(find_valid(r, &v, r->shape, in, mask, &valid, &r->large));
    if (r->large != large) { // once more, scaled as such numbers need it
        in_scale = isg_filter_scale_in(r->plan, r->large);
        v.tiny = in_scale.tiny;
        v.factor = in_scale.factor;
        r->total += 8 * elements;
        TRY(find_valid(r, &v, r->shape, in, mask, &valid, &r->large));
    }
    if (fill) {
        r->in_place = false;
        TRY(isg_filter_run_passes(r, &valid, out));
    } else {
        // Of a block, the part that the output has.
        bool part = false;
        for (int a = 0; a < NDIM; a++)
            part = part || r->shape[a] != r->job->out.shape[a];
        if (part && r->plan->policy == ISG_NAN_PRESERVE) {
            isg_filter_runner whole = *r; // whose shape is the output's
            for (int a = 0; a < NDIM; a++)
                whole.shape[a] = r->job->out.shape[a];
            TRY(isg_filter_make_between(&whole, 0, &own, &own_block));
            TRY(find_valid(r, &v, r->job->out.shape, in, mask, &own, &r->large));
        }
        TRY(run_weighted(r, &valid, own.mem ? &own : &valid, out));
    }
fail:
    isg_buffer_free(&valid.mem);
    isg_buffer_free(&own.mem);
    isg_spare_give(&r->context->spare, valid_block);
    isg_spare_give(&r->context->spare, own_block);
    return st;
}
