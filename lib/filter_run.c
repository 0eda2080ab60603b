// The filter's passes on the device: their tables, launches that stay short, and what lies between them.
#include "buffer.h"
#include "filter_run.h"
#include "probe.h"
#include "program.h"
#include "view.h"

#include "../cl/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NDIM = ISG_FILTER_MAX_NDIM };

typedef isg_stage stage;
typedef isg_filter_runner runner;

int64_t isg_filter_elements(const runner *r)
{
    int64_t n = 1;
    for (int a = 0; a < NDIM; a++)
        n *= r->shape[a];
    return n;
}

int isg_filter_code(isg_dtype dtype)
{
    switch (dtype) {
    case ISG_F32: return FILTER_F32;
    case ISG_F64: return FILTER_F64;
    case ISG_U8: return FILTER_U8;
    case ISG_U16: return FILTER_U16;
    case ISG_I16: return FILTER_I16;
    case ISG_I32: return FILTER_I32;
    default: return FILTER_F16;
    }
}

// The buffers of one pass besides its arrays.
typedef struct tables {
    cl_mem shape, numbers, rows, cols, scratch, flags;
} tables;

static void free_tables(tables *t)
{
    isg_buffer_free(&t->shape);
    isg_buffer_free(&t->numbers);
    isg_buffer_free(&t->rows);
    isg_buffer_free(&t->cols);
    isg_buffer_free(&t->scratch);
    isg_buffer_free(&t->flags);
}

isg_status isg_filter_upload_index(runner *r, const isg_filter_axis *axis, int64_t n, cl_mem *mem)
{
    int64_t radius = axis ? axis->radius : 0;
    const int32_t *given = axis ? r->job->tables[axis->axis] : NULL;
    if (given)
        return isg_buffer_copy_of(r->context, mem, given, (n + 2 * radius) * (int64_t)sizeof *given);
    int32_t *table = isg_alloc(n + 2 * radius, sizeof *table);
    if (!table)
        return isg_fail(&r->context->error, ISG_ERR_MEMORY, "no memory for an index of %lld elements", (long long)n);
    isg_filter_table(axis ? axis->mode : ISG_MODE_NEAREST, n, radius, table);
    isg_status st = isg_buffer_copy_of(r->context, mem, table, (n + 2 * radius) * (int64_t)sizeof *table);
    free(table);
    return st;
}

isg_status isg_filter_new_flags(runner *r, cl_mem *flags)
{
    isg_status st;
    const int32_t clear = 0;
    TRY(isg_buffer_new(r->context, flags, CL_MEM_READ_WRITE, sizeof clear));
    CL_TRY(r->context,
           clEnqueueWriteBuffer(r->context->queue, *flags, CL_TRUE, 0, sizeof clear, &clear, 0, NULL, NULL));
fail:
    return st;
}

isg_status isg_filter_read_flags(runner *r, cl_mem flags, bool *raised)
{
    isg_status st = ISG_OK;
    int32_t found = 0;
    CL_TRY(r->context, clEnqueueReadBuffer(r->context->queue, flags, CL_TRUE, 0, sizeof found, &found, 0, NULL, NULL));
    *raised = *raised || found != 0;
fail:
    return st;
}

void isg_filter_settle_axis(runner *r, int at)
{
    int32_t axis = r->plan->axis[at].axis;
    r->shape[axis] = r->job->out.shape[axis];
}

static isg_status upload_numbers(runner *r, const isg_filter_pass *p, bool first, cl_mem *mem)
{
    const isg_filter_plan *plan = r->plan;
    const isg_filter_axis *v = p->v >= 0 ? &plan->axis[p->v] : NULL, *h = p->h >= 0 ? &plan->axis[p->h] : NULL;
    const double least = plan->dtype == ISG_F64 ? 0x1p-1022 : 0x1p-126;
    int64_t count = FILTER_WEIGHTS + (v ? v->radius + 1 : 0) + (h ? h->radius + 1 : 1);
    double numbers[FILTER_WEIGHTS] = {0};
    isg_filter_scale in = isg_filter_scale_in(plan, r->large);
    numbers[FILTER_TINY_IN] = first ? in.tiny : least;
    numbers[FILTER_SCALE_IN] = first ? in.factor : 1;
    numbers[FILTER_LARGE] = isg_filter_large(plan->dtype);
    numbers[FILTER_TINY_H] = least;
    numbers[FILTER_FACTOR_H] = 1;
    if (v) {
        isg_filter_scale s = isg_filter_scale_axis(plan, p->v, r->large);
        numbers[FILTER_TINY_V] = s.tiny;
        numbers[FILTER_FACTOR_V] = s.factor;
        numbers[FILTER_CONSTANT_V] = s.constant;
    }
    if (h) {
        isg_filter_scale s = isg_filter_scale_axis(plan, p->h, r->large);
        numbers[FILTER_TINY_H] = s.tiny;
        numbers[FILTER_FACTOR_H] = s.factor;
        numbers[FILTER_CONSTANT_H] = s.constant;
    }
    void *all = isg_alloc(count, isg_dtype_bytes(plan->dtype));
    if (!all)
        return isg_fail(&r->context->error, ISG_ERR_MEMORY, "no memory for %lld weights", (long long)count);
    int64_t at = 0;
    for (; at < FILTER_WEIGHTS; at++)
        isg_store_double(plan->dtype, all, at, numbers[at]);
    for (int64_t k = 0; v && k <= v->radius; k++)
        isg_store_double(plan->dtype, all, at++, v->weights[k]);
    for (int64_t k = 0; h && k <= h->radius; k++)
        isg_store_double(plan->dtype, all, at++, h->weights[k]);
    if (!h)
        isg_store_double(plan->dtype, all, at, 1);
    isg_status st = isg_buffer_copy_of(r->context, mem, all, count * (int64_t)isg_dtype_bytes(plan->dtype));
    free(all);
    return st;
}

static isg_status make_tables(runner *r, const isg_filter_pass *p, bool first, const isg_filter_layout *l,
                              const isg_filter_tiling *t, const stage *in, const stage *out, tables *made)
{
    isg_status st;
    const isg_filter_axis *v = p->v >= 0 ? &r->plan->axis[p->v] : NULL, *h = p->h >= 0 ? &r->plan->axis[p->h] : NULL;
    int64_t shape[FILTER_SHAPE_COUNT] = {[FILTER_PLANES_0] = l->count[0],
                                         [FILTER_PLANES_1] = l->count[1],
                                         [FILTER_ROWS] = l->count[2],
                                         [FILTER_COLS] = l->count[3],
                                         [FILTER_IN] = in->offset,
                                         [FILTER_IN_0] = l->in[0],
                                         [FILTER_IN_1] = l->in[1],
                                         [FILTER_IN_ROW] = l->in[2],
                                         [FILTER_IN_COL] = l->in[3],
                                         [FILTER_OUT] = out->offset,
                                         [FILTER_OUT_0] = l->out[0],
                                         [FILTER_OUT_1] = l->out[1],
                                         [FILTER_OUT_ROW] = l->out[2],
                                         [FILTER_OUT_COL] = l->out[3],
                                         [FILTER_RADIUS_V] = v ? v->radius : 0,
                                         [FILTER_RADIUS_H] = h ? h->radius : 0};
    if (r->tiled) {
        shape[FILTER_TILE_ROWS] = t->rows;
        shape[FILTER_TILE_COLS] = t->cols;
        shape[FILTER_TILES_DOWN] = t->down;
        shape[FILTER_TILES_ACROSS] = t->across;
        shape[FILTER_PITCH] = t->pitch;
        shape[FILTER_READY] = t->ready;
        shape[FILTER_TURNED] = t->turned;
        shape[FILTER_ROOM] = t->room;
    }
    TRY(isg_buffer_copy_of(r->context, &made->shape, shape, sizeof shape));
    TRY(isg_filter_new_flags(r, &made->flags));
    TRY(upload_numbers(r, p, first, &made->numbers));
    TRY(isg_filter_upload_index(r, v, l->count[2], &made->rows));
    TRY(isg_filter_upload_index(r, h, l->count[3], &made->cols));
    if (r->tiled)
        TRY(isg_buffer_new(r->context, &made->scratch, CL_MEM_READ_WRITE,
                           r->groups * t->room * (int64_t)isg_dtype_bytes(r->plan->dtype)));
fail:
    return st;
}

// Whether output goes past the caches: what is large, and not read soon.
static bool streams(const runner *r, const stage *out, bool last)
{
    return r->tiled && last && r->context->zero_copy &&
           isg_filter_elements(r) * (int64_t)isg_dtype_bytes(out->dtype) > (int64_t)4 << 20;
}

static isg_status get_kernel(runner *r, const isg_filter_pass *p, bool first, bool last, const isg_filter_tiling *t,
                             const stage *in, const stage *out, cl_kernel *kernel)
{
    const isg_filter_plan *plan = r->plan;
    isg_real_type type = {plan->dtype, isg_probe_fused(r->context, plan->dtype), r->tiled ? r->lanes : 1};
    char options[300];
    isg_text text = {options, sizeof options, 0};
    bool odd_v = p->v >= 0 && plan->axis[p->v].order % 2, odd_h = p->h >= 0 && plan->axis[p->h].order % 2;
    isg_put(&text, "-D VERTICAL=%d -D HORIZONTAL=%d -D ODD_V=%d -D ODD_H=%d -D IN=%d -D OUT=%d -D CHECKED=%d",
            p->v >= 0, p->v < 0 || p->h >= 0, odd_v, odd_h, isg_filter_code(in->dtype), isg_filter_code(out->dtype),
            first && (in->dtype == ISG_F32 || in->dtype == ISG_F64));
    isg_put(&text, " -D SEGMENTED=%d -D STREAMED=%d -D HIGH=%d", r->tiled && t->segmented, streams(r, out, last),
            r->tiled ? t->high : 8);
    return isg_program_kernel(r->context, kernel, "filter.cl", r->tiled ? "filter" : "filter_each", type, options);
}

isg_status isg_filter_launched(runner *r, double work, double start)
{
    isg_status st = isg_finish(r->context);
    if (st)
        return st;
    r->rate = work / (isg_seconds() - start + 1e-9);
    r->done += work;
    if (isg_context_ask(r->job->context, r->job->progress, r->job->progress_user, r->done, r->total))
        return isg_fail(&r->context->error, ISG_ERR_CANCELLED, "cancelled");
    return ISG_OK;
}

isg_range isg_filter_line_range(int64_t elements, int64_t lines)
{
    enum { GROUP = 64, MOST = 1024 }; // elements of a work-item, of which some rounds each
    return (isg_range){{isg_max(GROUP, isg_round_up((elements + MOST - 1) / MOST, GROUP)), lines}, {GROUP, 1}};
}

// What one launch may take: about a fifth of a second, so that no watchdog bites and progress is seen.
int64_t isg_filter_launch_units(const runner *r, double work_per_unit, int64_t least)
{
    // CPUs, which have tiles, stop no launch that takes its time.
    double work = r->rate > 0 ? 0.2 * r->rate : r->tiled ? 0x1p31 : 0x1p28, units = work / work_per_unit;
    return isg_max((int64_t)fmin(units, 1e15), least);
}

static double taps_of(const runner *r, const isg_filter_pass *p)
{
    double taps = 8; // an element's way through memory
    taps += p->v >= 0 ? 2 * (double)r->plan->axis[p->v].radius + 1 : 0;
    return taps + (p->h >= 0 ? 2 * (double)r->plan->axis[p->h].radius + 1 : 0);
}

static isg_status launch(runner *r, const isg_filter_pass *p, const isg_filter_layout *l, const isg_filter_tiling *t,
                         const tables *b, cl_kernel kernel, const stage *in, const stage *out)
{
    isg_status st = ISG_OK;
    int64_t planes = l->count[0] * l->count[1], lines = planes * l->count[2];
    int64_t units = r->tiled ? t->down * t->across * planes : lines;
    double each = taps_of(r, p) * (double)lines * (double)l->count[3] / (double)units;
    for (int64_t at = 0, count; at < units; at += count) {
        count = isg_min(isg_filter_launch_units(r, each, r->tiled ? r->groups : 1), units - at);
        double start = isg_seconds();
        if (r->tiled) {
            TRY(isg_run(r->context, kernel,
                        ISG_ARGS(arg_mem(in->mem), arg_mem(out->mem), arg_mem(b->shape), arg_mem(b->numbers),
                                 arg_mem(b->rows), arg_mem(b->cols), arg_mem(b->scratch), arg_mem(b->flags),
                                 arg_long(at), arg_long(at + count)),
                        (isg_range){{r->groups, 1}, {1, 1}}));
        } else {
            count = isg_min(count, 1 << 20);
            TRY(isg_run(r->context, kernel,
                        ISG_ARGS(arg_mem(in->mem), arg_mem(out->mem), arg_mem(b->shape), arg_mem(b->numbers),
                                 arg_mem(b->rows), arg_mem(b->cols), arg_mem(b->flags), arg_long(at),
                                 arg_long(at + count)),
                        (isg_range){{l->count[3], count}, {64, 1}}));
        }
        TRY(isg_filter_launched(r, each * (double)count, start));
    }
fail:
    return st;
}

// Scratch memory for all work-items.
static int64_t scratch_limit(const runner *r)
{
    int64_t most = r->job->memory > 0 ? r->job->memory / 4 : (int64_t)1 << 30;
    return isg_min(isg_min(r->context->max_alloc_bytes, (int64_t)1 << 30), most) /
           (int64_t)isg_dtype_bytes(r->plan->dtype);
}

// What memory allocators keep at hand, rather than having the system clear it for every call.
static int64_t scratch_liked(const runner *r)
{
    return ((int64_t)24 << 20) / (int64_t)isg_dtype_bytes(r->plan->dtype);
}

static isg_status run_pass(runner *r, const isg_filter_pass *p, bool first, bool last, const stage *in,
                           const stage *out)
{
    isg_status st;
    tables b = {0};
    cl_kernel kernel;
    isg_filter_layout l = isg_filter_layout_of(r->plan, p, r->shape, in->strides, out->strides);
    isg_filter_tiling t = isg_filter_tiling_of(r->plan, p, &l, r->lanes);
    const int64_t units = isg_max(r->context->device.compute_units, 1);
    r->groups = isg_min(scratch_limit(r) / t.room, isg_max(scratch_liked(r) / t.room, units));
    r->groups = isg_max(isg_min(r->groups, 4 * units), 1);
    r->groups = isg_min(r->groups, t.down * t.across * l.count[0] * l.count[1]);
    TRY(get_kernel(r, p, first, last, &t, in, out, &kernel));
    TRY(make_tables(r, p, first, &l, &t, in, out, &b));
    TRY(launch(r, p, &l, &t, &b, kernel, in, out));
    if (first)
        TRY(isg_filter_read_flags(r, b.flags, &r->large));
fail:
    free_tables(&b);
    return st;
}

void isg_filter_dense(const int64_t *shape, int64_t *strides)
{
    int64_t stride = 1;
    for (int a = NDIM - 1; a >= 0; a--) {
        strides[a] = stride;
        stride *= shape[a];
    }
}

// Between passes; on huge pages where the host's memory is the device's, for a page that is touched first costs more
// than filtering it.
isg_status isg_filter_make_between(runner *r, int64_t more, stage *between, void **block)
{
    int64_t bytes = (isg_filter_elements(r) + more) * (int64_t)isg_dtype_bytes(r->plan->dtype);
    *between = (stage){.dtype = r->plan->dtype};
    isg_filter_dense(r->shape, between->strides);
    if (!r->context->zero_copy)
        return isg_buffer_new(r->context, &between->mem, CL_MEM_READ_WRITE, bytes);
    *block = isg_spare_take(&r->context->spare, bytes);
    if (!*block)
        return isg_fail(&r->context->error, ISG_ERR_MEMORY, "no memory for what goes from one axis to the next");
    return isg_buffer_of_host(r->context, &between->mem, CL_MEM_READ_WRITE, *block, bytes, false);
}

// Whether tiles of all passes leave scratch memory for some work-items: those of very large radii do not.
static bool tiles_fit(const runner *r)
{
    isg_filter_pass passes[ISG_FILTER_MAX_PASSES];
    int64_t strides[NDIM];
    int count = isg_filter_passes(r->plan, r->shape, true, r->in_place, passes);
    bool fit = true;
    isg_filter_dense(r->shape, strides);
    for (int i = 0; i < count; i++) {
        isg_filter_layout l = isg_filter_layout_of(r->plan, &passes[i], r->shape, strides, strides);
        fit = fit && isg_filter_tiling_of(r->plan, &passes[i], &l, r->lanes).room <= scratch_limit(r) / 8;
    }
    return fit;
}

isg_status isg_filter_run_passes(runner *r, const stage *in, const stage *out)
{
    isg_status st = ISG_OK;
    isg_filter_pass passes[ISG_FILTER_MAX_PASSES];
    r->tiled = r->tiled && tiles_fit(r);
    int count = isg_filter_passes(r->plan, r->shape, r->tiled, r->in_place, passes);
    int64_t elements = isg_filter_elements(r);
    void *blocks[2] = {NULL};
    stage between[2] = {{.mem = NULL}, {.mem = NULL}};
    for (int i = 0; i < 2 && i < count - 1; i++)
        TRY(isg_filter_make_between(r, 0, &between[i], &blocks[i]));
    for (int i = 0; i < count; i++)
        r->total += taps_of(r, &passes[i]) * (double)elements;
    for (int i = 0; i < count; i++) {
        const stage *from = i == 0 ? in : &between[(i - 1) % 2], *to = i == count - 1 ? out : &between[i % 2];
        bool large = r->large;
        if (passes[i].v >= 0)
            isg_filter_settle_axis(r, passes[i].v);
        if (passes[i].h >= 0)
            isg_filter_settle_axis(r, passes[i].h);
        if (i < count - 1) // without gaps, also where axes have become shorter
            isg_filter_dense(r->shape, between[i % 2].strides);
        TRY(run_pass(r, &passes[i], i == 0, i == count - 1, from, to));
        if (r->large != large) { // then all of it again, with the scale that such numbers need
            r->total += taps_of(r, &passes[i]) * (double)elements;
            TRY(run_pass(r, &passes[i], true, i == count - 1, from, to));
        }
    }
fail:
    for (int i = 0; i < 2; i++)
        isg_buffer_free(&between[i].mem);
    for (int i = 0; i < 2; i++)
        isg_spare_give(&r->context->spare, blocks[i]);
    return st;
}

isg_status isg_filter_lend(isg_context *context, const isg_array *a, bool written, isg_filter_lent *to)
{
    int64_t low = 0, end = 1, element = (int64_t)isg_dtype_bytes(a->dtype), count = 1;
    *to = (isg_filter_lent){.stage = {.dtype = a->dtype, .mem = a->mem, .offset = a->offset}};
    for (int axis = 0; axis < NDIM; axis++) {
        int64_t reach = (a->shape[axis] - 1) * a->strides[axis];
        *(reach < 0 ? &low : &end) += reach;
        count *= a->shape[axis];
        to->stage.strides[axis] = a->strides[axis];
    }
    if (a->mem)
        return ISG_OK;
    to->host = (char *)a->data + low * element;
    to->bytes = (end - low) * element;
    to->stage.offset = -low;
    // What lies in gaps of the output comes along and goes back.
    isg_status st = isg_buffer_of_host(context, &to->own, written ? CL_MEM_READ_WRITE : CL_MEM_READ_ONLY, to->host,
                                       to->bytes, !written || count < end - low);
    to->stage.mem = to->own;
    return st;
}

// On devices whose loops end after 65535 rounds (isg_probe.whole_loops) a sum takes a round for each weight of one
// side, and of valid elements some five: counted as if they were one, and three, more.
static isg_status check_rounds(const isg_filter_job *job)
{
    const int64_t most = 65535 / (job->plan->policy == ISG_NAN_PROPAGATE ? 2 : 8);
    for (int i = 0; i < job->plan->count && !job->context->probe.whole_loops; i++)
        if (job->plan->axis[i].radius > most)
            return isg_fail(&job->context->error, ISG_ERR_UNSUPPORTED,
                            "%s leaves loops before their end: a radius there is at most %lld, not %lld",
                            job->context->device.name, (long long)most, (long long)job->plan->axis[i].radius);
    return ISG_OK;
}

isg_status isg_filter_run(isg_filter_job *job)
{
    isg_context *context = job->context;
    isg_status st = check_rounds(job);
    if (st)
        return st;
    isg_filter_lent in = {0}, out = {0}, mask = {0};
    runner r = {.job = job, .context = context, .plan = job->plan, .in_place = job->in_place, .large = job->large};
    memcpy(r.shape, job->in.shape, sizeof r.shape);
    r.lanes = job->plan->dtype == ISG_F64 ? context->device.lanes_f64 : context->device.lanes_f32;
    // Tiles are made for a processor's vectors and caches; work-items of a GPU stand side by side. Where loops end
    // early a work-item has to be short.
    r.tiled = r.lanes > 1 && context->device.device_class == ISG_DEVICE_CPU && context->probe.whole_loops && !job->each;
    if (job->in_place) {
        TRY(isg_filter_lend(context, &job->out, true, &out));
        if (!context->zero_copy && out.host)
            CL_TRY(context, clEnqueueWriteBuffer(context->queue, out.own, CL_TRUE, 0, (size_t)out.bytes, out.host, 0,
                                                 NULL, NULL));
        in.stage = out.stage;
    } else {
        TRY(isg_filter_lend(context, &job->in, false, &in));
        TRY(isg_filter_lend(context, &job->out, true, &out));
    }
    if (job->mask.dtype != ISG_DTYPE_NONE)
        TRY(isg_filter_lend(context, &job->mask, false, &mask));
    if (job->plan->policy == ISG_NAN_PROPAGATE)
        TRY(isg_filter_run_passes(&r, &in.stage, &out.stage));
    else
        TRY(isg_filter_run_masked(&r, &in.stage, mask.stage.mem ? &mask.stage : NULL, &out.stage));
    job->large = r.large;
    if (out.host)
        TRY(isg_buffer_to_host(context, out.own, out.host, out.bytes));
    isg_programs_save(context);
fail:
    isg_buffer_free(&mask.own);
    isg_buffer_free(&in.own);
    isg_buffer_free(&out.own);
    return st;
}
