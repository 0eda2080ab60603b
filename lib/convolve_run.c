// The convolution on the device: which axes are rows and columns, slabs, tables, launches that stay short.
#include "buffer.h"
#include "convolve.h"
#include "filter_run.h"
#include "probe.h"
#include "program.h"

#include "../cl/convolve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NDIM = ISG_FILTER_MAX_NDIM, ITEM = 0, PLANE, ROW, COL };

typedef struct runner {
    isg_convolve_job *job;
    isg_context *context;
    const isg_convolve_plan *plan;
    isg_convolve_shape shape;
    bool cpu, large;
    int axis[4];                      // of the array: of items, planes, rows, columns
    int64_t n[4], size[4], places[4]; // elements, the stencil's places, and both together
    int64_t pitch;
    int64_t most[4]; // of a slab: items, planes, rows
    cl_kernel pack, add;
    cl_mem told, numbers, index, flags, packed;
    double done, total;
    double rate; // of work per second, as measured so far; 0: not known
} runner;

// The stencil's axes are the last of planes, rows and columns; with a long axis behind them that is in memory as
// columns are, that one is the columns.
static void assign_axes(runner *r)
{
    const isg_convolve_plan *plan = r->plan;
    const int64_t *shape = r->job->in.shape;
    bool used[NDIM] = {false};
    int role = COL, last = plan->axis[plan->count - 1];
    for (int i = 0; i < 4; i++) {
        r->axis[i] = -1;
        r->size[i] = 1;
    }
    if (last != NDIM - 1 && plan->count < 3 && (plan->count == 1 || shape[NDIM - 1] >= 16) && shape[NDIM - 1] > 1) {
        r->axis[COL] = NDIM - 1;
        used[NDIM - 1] = true;
        role = ROW;
    }
    for (int i = plan->count - 1; i >= 0; i--, role--) {
        r->axis[role] = plan->axis[i];
        r->size[role] = plan->size[i];
        used[plan->axis[i]] = true;
    }
    for (int i = COL, a = NDIM - 1; i >= 0; i--) {
        if (r->axis[i] >= 0)
            continue;
        while (used[a])
            a--;
        r->axis[i] = a;
        used[a] = true;
    }
    for (int i = 0; i < 4; i++) {
        r->n[i] = shape[r->axis[i]];
        r->places[i] = r->n[i] + r->size[i] - 1;
    }
}

// The place of an axis in the plan, or -1.
static int planned(const runner *r, int axis)
{
    for (int i = 0; i < r->plan->count; i++)
        if (r->plan->axis[i] == axis)
            return i;
    return -1;
}

// Registers hold TALL x WIDE sums; a stencil of few rows has fewer to share a vector.
static void choose_shape(runner *r)
{
    isg_convolve_shape *s = &r->shape;
    const isg_device *device = &r->context->device;
    *s = r->job->shape;
    if (!s->lanes) {
        s->lanes = r->plan->dtype == ISG_F64 ? device->lanes_f64 : device->lanes_f32;
        s->lanes = r->cpu ? s->lanes : 1;
    }
    bool wide_vectors = s->lanes * (int64_t)isg_dtype_bytes(r->plan->dtype) >= 64; // 32 registers
    // With at most 2^14 weights in rows of at least TALL - 1, no work-item has 65535 steps of loops (convolve.cl).
    if (!s->tall)
        s->tall = (int32_t)isg_min(r->size[ROW], 4);
    if (!s->wide)
        s->wide = s->lanes == 1 ? 1 : s->tall == 1 ? 8 : s->tall < 4 ? 4 : wide_vectors ? 4 : 3;
    int64_t step = (int64_t)s->lanes * s->wide;
    if (!s->span)
        s->span = !r->cpu ? step : isg_round_up(isg_min(r->n[COL], 1024), step);
    if (!s->slab)
        s->slab = r->cpu ? 1 << 19 : 1 << 26;
    // Rows a line apart from a multiple of a page, lest they fall on each other in a cache.
    int64_t line = isg_max(64 / (int64_t)isg_dtype_bytes(r->plan->dtype), s->lanes);
    r->pitch = isg_round_up(isg_round_up(r->n[COL], step) + r->size[COL] - 1, line);
    r->pitch += r->pitch / line % 2 ? 0 : line;
}

static int64_t packed_rows(const runner *r, int64_t rows)
{
    return isg_round_up(rows, r->shape.tall) + r->size[ROW] - 1;
}

static int64_t packed_elements(const runner *r, int64_t items, int64_t planes, int64_t rows)
{
    return items * (planes + r->size[PLANE] - 1) * packed_rows(r, rows) * r->pitch;
}

// Slabs of whole items, else of whole planes of an item, else of rows of a plane: as many as `slab` takes, but so many
// that borders are no more than half.
static void choose_slabs(runner *r)
{
    int64_t slab = r->shape.slab;
    for (int i = ITEM; i <= ROW; i++)
        r->most[i] = r->n[i];
    if (r->job->in_place || packed_elements(r, r->n[ITEM], r->n[PLANE], r->n[ROW]) <= slab)
        return;
    r->most[ITEM] = isg_max(slab / packed_elements(r, 1, r->n[PLANE], r->n[ROW]), 1);
    if (packed_elements(r, 1, r->n[PLANE], r->n[ROW]) <= slab)
        return;
    int64_t plane = packed_elements(r, 1, 1, r->n[ROW]) / r->size[PLANE];
    r->most[PLANE] = isg_min(isg_max(slab / plane - (r->size[PLANE] - 1), 2 * (r->size[PLANE] - 1) + 1), r->n[PLANE]);
    if (r->size[PLANE] > 1 || plane <= slab)
        return;
    int64_t rows = isg_max(slab / r->pitch - (r->size[ROW] - 1), 2 * (r->size[ROW] - 1) + 1);
    r->most[ROW] = isg_min(isg_round_up(rows, 4 * (int64_t)r->shape.tall), r->n[ROW]);
}

// --- tables

static isg_status upload_index(runner *r)
{
    isg_status st = ISG_OK;
    int64_t count = r->places[PLANE] + r->places[ROW] + r->places[COL], at = 0;
    int32_t *all = isg_alloc(count, sizeof *all);
    for (int i = PLANE; i <= COL && all && !st; i++) {
        int in_plan = planned(r, r->axis[i]);
        int32_t *table = in_plan >= 0 ? isg_convolve_table(r->plan, in_plan, r->n[i]) : NULL;
        if (in_plan >= 0 && !table)
            st = isg_fail(&r->context->error, ISG_ERR_MEMORY, "no memory for an index");
        for (int64_t p = 0; p < r->places[i] && !st; p++)
            all[at++] = table ? table[p] : (int32_t)p;
        free(table);
    }
    if (!all)
        st = isg_fail(&r->context->error, ISG_ERR_MEMORY, "no memory for an index of %lld elements", (long long)count);
    if (!st)
        st = isg_buffer_copy_of(r->context, &r->index, all, count * (int64_t)sizeof *all);
    free(all);
    return st;
}

static isg_status upload_numbers(runner *r)
{
    const isg_convolve_plan *plan = r->plan;
    isg_filter_scale in = isg_filter_scale_in(&plan->scale, r->large);
    isg_filter_scale out = isg_filter_scale_axis(&plan->scale, 0, r->large);
    const double first[CONVOLVE_WEIGHTS] = {[CONVOLVE_TINY_IN] = in.tiny,
                                            [CONVOLVE_SCALE_IN] = in.factor,
                                            [CONVOLVE_LARGE] = isg_filter_large(plan->dtype),
                                            [CONVOLVE_CONSTANT] = out.constant,
                                            [CONVOLVE_TINY_OUT] = out.tiny,
                                            [CONVOLVE_FACTOR] = out.factor};
    int64_t count = CONVOLVE_WEIGHTS + plan->weight_count;
    void *all = isg_alloc(count, isg_dtype_bytes(plan->dtype));
    if (!all)
        return isg_fail(&r->context->error, ISG_ERR_MEMORY, "no memory for %lld weights", (long long)count);
    for (int64_t i = 0; i < count; i++)
        isg_store_double(plan->dtype, all, i, i < CONVOLVE_WEIGHTS ? first[i] : plan->weights[i - CONVOLVE_WEIGHTS]);
    isg_buffer_free(&r->numbers);
    isg_status st = isg_buffer_copy_of(r->context, &r->numbers, all, count * (int64_t)isg_dtype_bytes(plan->dtype));
    free(all);
    return st;
}

static isg_status upload_shape(runner *r, const isg_stage *in, const isg_stage *out)
{
    int in_plan = planned(r, r->axis[COL]);
    const int64_t told[CONVOLVE_SHAPE_COUNT] = {[CONVOLVE_PLANES] = r->n[PLANE],
                                                [CONVOLVE_ROWS] = r->n[ROW],
                                                [CONVOLVE_COLS] = r->n[COL],
                                                [CONVOLVE_K_PLANES] = r->size[PLANE],
                                                [CONVOLVE_K_ROWS] = r->size[ROW],
                                                [CONVOLVE_K_COLS] = r->size[COL],
                                                [CONVOLVE_BEFORE] = in_plan >= 0 ? r->plan->before[in_plan] : 0,
                                                [CONVOLVE_PITCH] = r->pitch,
                                                [CONVOLVE_IN] = in->offset,
                                                [CONVOLVE_IN_ITEM] = in->strides[r->axis[ITEM]],
                                                [CONVOLVE_IN_PLANE] = in->strides[r->axis[PLANE]],
                                                [CONVOLVE_IN_ROW] = in->strides[r->axis[ROW]],
                                                [CONVOLVE_IN_COL] = in->strides[r->axis[COL]],
                                                [CONVOLVE_OUT] = out->offset,
                                                [CONVOLVE_OUT_ITEM] = out->strides[r->axis[ITEM]],
                                                [CONVOLVE_OUT_PLANE] = out->strides[r->axis[PLANE]],
                                                [CONVOLVE_OUT_ROW] = out->strides[r->axis[ROW]],
                                                [CONVOLVE_OUT_COL] = out->strides[r->axis[COL]]};
    return isg_buffer_copy_of(r->context, &r->told, told, sizeof told);
}

static isg_status get_kernels(runner *r, isg_dtype in, isg_dtype out)
{
    isg_dtype dtype = r->plan->dtype;
    isg_real_type type = {dtype, isg_probe_fused(r->context, dtype), r->shape.lanes};
    char options[200];
    isg_text text = {options, sizeof options, 0};
    isg_put(&text, "-D IN=%d -D OUT=%d -D CHECKED=%d -D TALL=%d -D WIDE=%d", isg_filter_code(in), isg_filter_code(out),
            in == ISG_F32 || in == ISG_F64, (int)r->shape.tall, (int)r->shape.wide);
    isg_status st = isg_program_kernel(r->context, &r->pack, "convolve.cl", "convolve_pack", type, options);
    return st ? st : isg_program_kernel(r->context, &r->add, "convolve.cl", "convolve", type, options);
}

// --- launches

typedef struct slab {
    int64_t first[3], count[3]; // items, planes, rows
} slab;

static isg_status report(runner *r, double work)
{
    r->done += work;
    if (isg_context_ask(r->job->context, r->job->progress, r->job->progress_user, r->done, r->total))
        return isg_fail(&r->context->error, ISG_ERR_CANCELLED, "cancelled");
    return ISG_OK;
}

static isg_range range_of(const runner *r, int64_t columns, int64_t lines)
{
    return (isg_range){{columns, lines}, {r->cpu ? 1 : 64, 1}};
}

// Fills r->packed; sets *seen where finite input is large.
static isg_status pack(runner *r, const isg_stage *in, const slab *s, bool *seen)
{
    isg_status st = ISG_OK;
    int64_t planes = s->count[PLANE] + r->size[PLANE] - 1, rows = packed_rows(r, s->count[ROW]);
    int64_t lines = s->count[ITEM] * planes * rows, span = r->cpu ? r->pitch : 1;
    int64_t step = isg_max(((int64_t)1 << 26) / r->pitch, 1); // some 0.1 s at most
    int32_t flags = 0;
    for (int64_t at = 0; at < lines; at += step) {
        int64_t end = isg_min(lines, at + step);
        TRY(isg_run(r->context, r->pack,
                    ISG_ARGS(arg_mem(in->mem), arg_mem(r->packed), arg_mem(r->told), arg_mem(r->numbers),
                             arg_mem(r->index), arg_mem(r->flags), arg_long(s->first[ITEM]), arg_int(s->first[PLANE]),
                             arg_int(s->first[ROW]), arg_int(planes), arg_int(rows), arg_int(span), arg_long(at),
                             arg_long(end)),
                    range_of(r, (r->pitch + span - 1) / span, end - at)));
    }
    if (!r->large && (in->dtype == ISG_F32 || in->dtype == ISG_F64))
        CL_TRY(r->context,
               clEnqueueReadBuffer(r->context->queue, r->flags, CL_TRUE, 0, sizeof flags, &flags, 0, NULL, NULL));
    *seen = flags != 0;
fail:
    return st;
}

static isg_status add(runner *r, const isg_stage *out, const slab *s)
{
    isg_status st = ISG_OK;
    int64_t blocks = (s->count[ROW] + r->shape.tall - 1) / r->shape.tall;
    int64_t units = s->count[ITEM] * s->count[PLANE] * blocks;
    double each = (double)(r->plan->weight_count + 8) * (double)r->shape.tall * (double)r->n[COL];
    for (int64_t at = 0, count; at < units; at += count) {
        double want = (r->rate > 0 ? 0.2 * r->rate : 0x1p28) / each;
        count = isg_min(units - at, isg_max((int64_t)fmin(want, 1e9), 1));
        double start = isg_seconds();
        TRY(isg_run(r->context, r->add,
                    ISG_ARGS(arg_mem(r->packed), arg_mem(out->mem), arg_mem(r->told), arg_mem(r->numbers),
                             arg_long(s->first[ITEM]), arg_int(s->first[PLANE]), arg_int(s->first[ROW]),
                             arg_int(s->count[PLANE]), arg_int(blocks), arg_int(s->count[ROW]), arg_int(r->shape.span),
                             arg_long(at), arg_long(at + count)),
                    range_of(r, (r->n[COL] + r->shape.span - 1) / r->shape.span, count)));
        TRY(isg_finish(r->context));
        r->rate = each * (double)count / (isg_seconds() - start + 1e-9);
        TRY(report(r, each * (double)count));
    }
fail:
    return st;
}

// All slabs. *again: there is large input, and r->large was not set: some of the output is to be written anew.
static isg_status run_slabs(runner *r, const isg_stage *in, const isg_stage *out, bool *again)
{
    isg_status st = ISG_OK;
    slab s;
    for (s.first[ITEM] = 0; s.first[ITEM] < r->n[ITEM]; s.first[ITEM] += r->most[ITEM])
        for (s.first[PLANE] = 0; s.first[PLANE] < r->n[PLANE]; s.first[PLANE] += r->most[PLANE])
            for (s.first[ROW] = 0; s.first[ROW] < r->n[ROW]; s.first[ROW] += r->most[ROW]) {
                for (int i = ITEM; i <= ROW; i++)
                    s.count[i] = isg_min(r->most[i], r->n[i] - s.first[i]);
                TRY(pack(r, in, &s, again));
                if (*again)
                    return ISG_OK;
                TRY(add(r, out, &s));
            }
fail:
    return st;
}

isg_status isg_convolve_run(isg_convolve_job *job)
{
    isg_context *context = job->context;
    isg_status st;
    isg_filter_lent in = {0}, out = {0};
    runner r = {.job = job, .context = context, .plan = job->plan};
    const int32_t clear = 0;
    bool again = false;
    // As the filter's tiles: for CPUs whose compiler takes vectors, and whose work-items may be long.
    r.cpu = context->device.device_class == ISG_DEVICE_CPU && context->probe.whole_loops &&
            (r.plan->dtype == ISG_F64 ? context->device.lanes_f64 : context->device.lanes_f32) > 1;
    assign_axes(&r);
    choose_shape(&r);
    choose_slabs(&r);
    r.total = (double)(r.plan->weight_count + 8) * (double)r.n[ITEM] * (double)r.n[PLANE] * (double)r.n[COL] *
              (double)isg_round_up(r.n[ROW], r.shape.tall);
    TRY(isg_filter_lend(context, &job->out, true, &out));
    if (job->in_place && !context->zero_copy && out.host)
        CL_TRY(context,
               clEnqueueWriteBuffer(context->queue, out.own, CL_TRUE, 0, (size_t)out.bytes, out.host, 0, NULL, NULL));
    if (job->in_place)
        in.stage = out.stage;
    else
        TRY(isg_filter_lend(context, &job->in, false, &in));
    TRY(get_kernels(&r, job->in.dtype, job->out.dtype));
    TRY(upload_shape(&r, &in.stage, &out.stage));
    TRY(upload_index(&r));
    TRY(upload_numbers(&r));
    TRY(isg_buffer_copy_of(context, &r.flags, &clear, sizeof clear));
    TRY(isg_buffer_new(context, &r.packed, CL_MEM_READ_WRITE,
                       packed_elements(&r, r.most[ITEM], r.most[PLANE], r.most[ROW]) *
                           (int64_t)isg_dtype_bytes(r.plan->dtype)));
    TRY(run_slabs(&r, &in.stage, &out.stage, &again));
    if (again) {
        r.large = true;
        r.total += r.done;
        TRY(upload_numbers(&r));
        TRY(run_slabs(&r, &in.stage, &out.stage, &again));
    }
    if (out.host)
        TRY(isg_buffer_to_host(context, out.own, out.host, out.bytes));
    isg_programs_save(context);
fail:
    isg_buffer_free(&r.told);
    isg_buffer_free(&r.numbers);
    isg_buffer_free(&r.index);
    isg_buffer_free(&r.flags);
    isg_buffer_free(&r.packed);
    isg_buffer_free(&in.own);
    isg_buffer_free(&out.own);
    return st;
}
