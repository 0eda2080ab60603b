// Boxes of a walk's sets.
#include "skipping.h"
#include "cl.h"
#include "probe.h"
#include "reference.h"

#include <math.h>
#include <stdlib.h>

enum { COARSE = ISG_BLOCK_SOURCES }; // points of the host's boxes

static const isg_points *targets_of(const isg_skipping *s)
{
    return s->transposed ? &s->gram->op.y : &s->gram->op.x;
}

static const isg_points *sources_of(const isg_skipping *s)
{
    return s->transposed ? &s->gram->op.x : &s->gram->op.y;
}

static bool apart(const isg_skipping *s, const isg_boxes *a, int64_t i, const isg_boxes *b, int64_t j)
{
    const isg_operator *op = &s->gram->op;
    return isg_boxes_apart(a, i, b, j, &s->far, op->x.dtype, op->plan.weights);
}

// Boxes of `width` points, at most `most` of them and evenly spread.
static bool sample(isg_boxes *boxes, const isg_skipping *s, const isg_points *points, int64_t width, int64_t most)
{
    const int64_t all = (points->count + width - 1) / width, count = isg_min(all, most), d = points->dims;
    *boxes = (isg_boxes){.count = count, .dims = d, .sides = isg_alloc(count, (size_t)d * 2 * sizeof(double))};
    for (int64_t i = 0; i < count && boxes->sides; i++) {
        int64_t first = i * all / count * width;
        isg_boxes one;
        bool made = isg_boxes_make(&one, points, &s->gram->op.plan.scale, first, isg_min(width, points->count - first),
                                   width, 0);
        for (int64_t k = 0; k < 2 * d && made; k++)
            boxes->sides[i * 2 * d + k] = one.sides[k];
        isg_boxes_free(&one);
        if (!made)
            isg_boxes_free(boxes);
    }
    return boxes->sides != NULL;
}

// What part of the pairs would be skipped.
static isg_status estimate(const isg_skipping *s, double *share)
{
    enum { TARGETS = 32, SOURCES = 256 };
    isg_boxes a, b = {0};
    int64_t found = 0;
    if (!sample(&a, s, targets_of(s), s->panel, TARGETS) || !sample(&b, s, sources_of(s), s->unit, SOURCES)) {
        isg_boxes_free(&a);
        return isg_fail(&s->gram->context->error, ISG_ERR_MEMORY, "no memory for boxes of points");
    }
    for (int64_t i = 0; i < a.count; i++)
        for (int64_t j = 0; j < b.count; j++)
            found += apart(s, &a, i, &b, j);
    *share = (double)found / ((double)a.count * (double)b.count);
    isg_boxes_free(&a);
    isg_boxes_free(&b);
    return ISG_OK;
}

isg_status isg_skipping_choose(isg_skipping *s, isg_skip asked, double tolerance, bool *use)
{
    const double least_share = 0.125, least_pairs = 0x1p24; // a new kernel has to be compiled
    const isg_operator *op = &s->gram->op;
    const double pairs = (double)op->x.count * (double)op->y.count;
    double share = 1;
    isg_status st = ISG_OK;
    *use = false;
    if (asked == ISG_SKIP_NEVER || (asked == ISG_SKIP_AUTO && pairs < least_pairs))
        return ISG_OK;
    s->far = isg_far_find(op, isg_probe_fused(s->gram->context, op->x.dtype), tolerance);
    if (!isg_far_known(&s->far))
        return ISG_OK;
    if (asked == ISG_SKIP_AUTO)
        st = estimate(s, &share);
    *use = share >= least_share && share * pairs >= (asked == ISG_SKIP_AUTO ? least_pairs : 0);
    return st;
}

static isg_status upload(const isg_skipping *s, cl_mem *mem, const double *numbers, int64_t count)
{
    isg_context *context = s->gram->context;
    const isg_dtype dtype = s->gram->op.x.dtype;
    const int64_t element = (int64_t)isg_dtype_bytes(dtype);
    isg_buffer_free(mem);
    void *all = isg_alloc(count, (size_t)element);
    if (!all)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for boxes of points");
    for (int64_t i = 0; i < count; i++)
        isg_store_double(dtype, all, i, numbers[i]);
    isg_status st = isg_buffer_copy_of(context, mem, all, count * element);
    free(all);
    return st;
}

static isg_status upload_boxes(const isg_skipping *s, cl_mem *mem, const isg_boxes *boxes)
{
    return upload(s, mem, boxes->sides, boxes->count * 2 * boxes->dims);
}

static isg_status no_memory(const isg_skipping *s)
{
    return isg_fail(&s->gram->context->error, ISG_ERR_MEMORY, "no memory for boxes of points");
}

static int64_t counted(const isg_skipping *s)
{
    return s->parts * isg_round_up(s->target_count, s->panel) / s->panel;
}

isg_status isg_skipping_targets(isg_skipping *s, int64_t first, int64_t count, int64_t parts)
{
    isg_status st = ISG_OK;
    isg_context *context = s->gram->context;
    isg_boxes boxes;
    isg_boxes_free(&s->coarse_targets);
    isg_buffer_free(&s->counts);
    s->target_count = count;
    s->parts = parts;
    if (!isg_boxes_make(&boxes, targets_of(s), &s->gram->op.plan.scale, first, count, s->panel, 0) ||
        !isg_boxes_merge(&s->coarse_targets, &boxes, COARSE / s->panel))
        st = no_memory(s);
    if (!st)
        st = upload_boxes(s, &s->targets, &boxes);
    isg_boxes_free(&boxes);
    void *zeros = isg_alloc(counted(s), sizeof(cl_int));
    if (!st && !zeros)
        st = no_memory(s);
    if (!st)
        st = isg_buffer_new(context, &s->counts, CL_MEM_READ_WRITE, counted(s) * (int64_t)sizeof(cl_int));
    if (!st)
        CL_TRY(context, clEnqueueWriteBuffer(context->queue, s->counts, CL_TRUE, 0, (size_t)counted(s) * sizeof(cl_int),
                                             zeros, 0, NULL, NULL));
    if (!st && !s->from)
        st = upload(s, &s->from, s->far.from, ISG_PAIR_COUNT);
fail:
    free(zeros);
    return st;
}

isg_status isg_skipping_sources(isg_skipping *s, int64_t first, int64_t count,
                                bool (*keeps)(void *user, int64_t first, int64_t count), void *user)
{
    isg_status st = ISG_OK;
    const int64_t before = first % ISG_BLOCK_SOURCES, block = first - before;
    isg_boxes units;
    isg_boxes_free(&s->coarse_sources);
    bool made = isg_boxes_make(&units, sources_of(s), &s->gram->op.plan.scale, first, count, s->unit, before);
    for (int64_t u = before / s->unit; u < units.count && made && keeps; u++) {
        int64_t low = isg_max(block + u * s->unit, first), high = isg_min(block + (u + 1) * s->unit, first + count);
        if (keeps(user, low, high - low))
            isg_boxes_open(&units, u);
    }
    if (!made || !isg_boxes_merge(&s->coarse_sources, &units, ISG_BLOCK_SOURCES / s->unit))
        st = no_memory(s);
    if (!st)
        st = upload_boxes(s, &s->units, &units);
    if (!st)
        st = upload_boxes(s, &s->blocks, &s->coarse_sources);
    isg_boxes_free(&units);
    return st;
}

double isg_skipping_work(const isg_skipping *s, int64_t lo, int64_t hi, int64_t block)
{
    const double look = 1; // at a block's box, for each target
    const int64_t coarse = COARSE / s->panel * s->panel;
    double work = look * (double)(hi - lo);
    for (int64_t i = lo / coarse; i * coarse < hi; i++)
        if (!apart(s, &s->coarse_targets, i, &s->coarse_sources, block))
            work += (double)(isg_min((i + 1) * coarse, hi) - isg_max(i * coarse, lo)) * ISG_BLOCK_SOURCES;
    return work;
}

isg_status isg_skipping_count(isg_skipping *s)
{
    isg_status st = ISG_OK;
    isg_context *context = s->gram->context;
    const int64_t panels = counted(s) / s->parts;
    const size_t bytes = (size_t)counted(s) * sizeof(cl_int);
    cl_int *counts = isg_alloc(counted(s), sizeof *counts);
    if (!counts)
        return no_memory(s);
    CL_TRY(context, clEnqueueReadBuffer(context->queue, s->counts, CL_TRUE, 0, bytes, counts, 0, NULL, NULL));
    for (int64_t i = 0; i < counted(s); i++) {
        s->skipped += (double)counts[i] * (double)isg_min(s->panel, s->target_count - i % panels * s->panel);
        counts[i] = 0;
    }
    CL_TRY(context, clEnqueueWriteBuffer(context->queue, s->counts, CL_TRUE, 0, bytes, counts, 0, NULL, NULL));
fail:
    free(counts);
    return st;
}

void isg_skipping_put_options(isg_text *to, const isg_skipping *s)
{
    const double *from = s->far.from;
    isg_put(to, "-D SKIP=1 -D UNIT=%d -D FAR_SQDIST=%d -D FAR_L1=%d -D FAR_CHI2=%d ", (int)s->unit,
            from[ISG_PAIR_SQDIST] < INFINITY, from[ISG_PAIR_L1] < INFINITY, from[ISG_PAIR_CHI2] < INFINITY);
}

void isg_skipping_args(const isg_skipping *s, isg_arg *args)
{
    args[0] = arg_mem(s->targets);
    args[1] = arg_mem(s->blocks);
    args[2] = arg_mem(s->units);
    args[3] = arg_mem(s->from);
    args[4] = arg_mem(s->counts);
}

void isg_skipping_free(isg_skipping *s)
{
    isg_boxes_free(&s->coarse_targets);
    isg_boxes_free(&s->coarse_sources);
    isg_buffer_free(&s->targets);
    isg_buffer_free(&s->blocks);
    isg_buffer_free(&s->units);
    isg_buffer_free(&s->from);
    isg_buffer_free(&s->counts);
}
