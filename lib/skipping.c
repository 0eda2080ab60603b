// Boxes of a walk's sets.
//
// Logarithms (walk.h's further numbers): a unit of sources can be left out for a panel of targets when l + w, l being
// the logarithm at the nearest corners and w its largest log weight, lies below a limit. Of the walk that looks for the
// largest sum of each target, that is a sum which every target of the panel reaches: with a source of some unit nearby,
// at the farthest corners at the most. Of the walk that sums up exponentials, it is the least shift and the logarithm
// of the smallest normal number: exp_nonpositive gives +0 below. The errors of logarithms are some ulp of their larger
// part, less than 2^-11 of them beside 2^-9; sums and differences are monotone.
#include "skipping.h"
#include "cl.h"
#include "probe.h"
#include "reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum {
    COARSE = ISG_BLOCK_SOURCES, // points of the host's boxes
    MOST_DIMS = 1 << 10         // of logarithms: what roundings of a pair's number do to them stays small
};

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
    *boxes = (isg_boxes){.count = count, .dims = d, .sides = isg_alloc(count, (size_t)(2 * d + 1) * sizeof(double))};
    for (int64_t i = 0; i < count && boxes->sides; i++) {
        int64_t first = i * all / count * width;
        isg_boxes one;
        bool made = isg_boxes_make(&one, points, &s->gram->op.plan.scale, first, isg_min(width, points->count - first),
                                   width, 0);
        for (int64_t k = 0; k < isg_boxes_stride(boxes) && made; k++)
            boxes->sides[i * isg_boxes_stride(boxes) + k] = one.sides[k];
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
    if (s->log_weights && !(isg_plan_has_logs(&op->plan) && op->x.dims <= MOST_DIMS))
        return ISG_OK;
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
    return upload(s, mem, boxes->sides, boxes->count * isg_boxes_stride(boxes));
}

static isg_status no_memory(const isg_skipping *s)
{
    return isg_fail(&s->gram->context->error, ISG_ERR_MEMORY, "no memory for boxes of points");
}

static int64_t counted(const isg_skipping *s)
{
    return s->parts * isg_round_up(s->target_count, s->panel) / s->panel;
}

// What is taken off a sum of numbers for all that they may be off.
static double margin(double a, double b)
{
    return 0x1p-8 + 0x1p-10 * (fabs(a) + (isfinite(b) ? fabs(b) : 0));
}

static double largest_log_weight(const isg_skipping *s)
{
    double largest = 0;
    for (int64_t j = 0; j < sources_of(s)->count; j++) {
        double w = fabs(isg_load_double(s->gram->op.x.dtype, s->log_weights, j));
        largest = w > largest && isfinite(w) ? w : largest;
    }
    return largest;
}

static void limit_exponentials(const isg_skipping *s, int64_t first)
{
    const bool wide = s->gram->op.x.dtype == ISG_F64;
    const double lowest = log(wide ? DBL_MIN : (double)FLT_MIN), weight = largest_log_weight(s);
    for (int64_t p = 0; p < s->fine_targets.count; p++) {
        double least = INFINITY;
        for (int64_t i = p * s->panel; i < isg_min((p + 1) * s->panel, s->target_count); i++)
            least = fmin(least, isg_load_double(s->gram->op.x.dtype, s->shifts, first + i));
        if (isg_boxes_is_open(&s->fine_targets, p))
            least = -INFINITY;
        *isg_boxes_number(&s->fine_targets, p) =
            isfinite(least) ? least + lowest - margin(fabs(least) - lowest, weight) : -INFINITY;
    }
}

// The logarithm at the farthest corners of two boxes, or less; and the units' weight.
static double reached(const isg_skipping *s, int64_t panel, const isg_boxes *units, int64_t unit, double *corners)
{
    const isg_operator *op = &s->gram->op;
    const isg_dtype dtype = op->x.dtype;
    const int64_t d = op->x.dims;
    double l, weight = *isg_boxes_number(units, unit);
    if (!(isg_boxes_span(&s->fine_targets, panel, units, unit, dtype, op->plan.weights, &op->plan.scale, corners) <
          INFINITY))
        return -INFINITY;
    char *rows = (char *)corners; // narrowed where they lie
    for (int64_t k = 0; k < 2 * d; k++)
        isg_store_double(dtype, rows, k, corners[k]);
    const isg_points x = {.dtype = dtype, .count = 1, .dims = d, .stride = d, .rows = rows},
                     y = {.dtype = dtype,
                          .count = 1,
                          .dims = d,
                          .stride = d,
                          .rows = rows + (size_t)d * isg_dtype_bytes(dtype)};
    isg_reference_get(dtype, isg_probe_fused(s->gram->context, dtype))->logs(&op->plan, &x, &y, &l, 1);
    l = isg_load_double(dtype, &l, 0);
    return l * (l < 0 ? 1 + 0x1p-10 : 1 - 0x1p-10) + weight - margin(0, weight);
}

enum { NEAR = 4 }; // blocks of sources

// The blocks that have to do with a coarse box of targets, nearest first; fewer where there are not so many.
static int nearest_blocks(const isg_skipping *s, int64_t target, int64_t nearest[NEAR])
{
    const isg_operator *op = &s->gram->op;
    double squares[NEAR];
    int count = 0;
    for (int64_t b = 0; b < s->coarse_sources.count; b++) {
        double square = isg_boxes_span(&s->coarse_targets, target, &s->coarse_sources, b, op->x.dtype, op->plan.weights,
                                       &op->plan.scale, NULL);
        int at = count;
        if (!(square < INFINITY) || *isg_boxes_number(&s->coarse_sources, b) == -INFINITY)
            continue;
        for (; at > 0 && squares[at - 1] > square; at--)
            if (at < NEAR) {
                squares[at] = squares[at - 1];
                nearest[at] = nearest[at - 1];
            }
        if (at < NEAR) {
            squares[at] = square;
            nearest[at] = b;
            count += count < NEAR;
        }
    }
    return count;
}

// A sum that every target of each panel reaches.
static isg_status limit_largest(const isg_skipping *s, const isg_boxes *units)
{
    const isg_operator *op = &s->gram->op;
    const int64_t panels = COARSE / s->panel, parts = ISG_BLOCK_SOURCES / s->unit;
    double *corners = isg_alloc(2 * op->x.dims, sizeof *corners);
    if (!corners)
        return no_memory(s);
    for (int64_t t = 0; t < s->coarse_targets.count; t++) {
        int64_t nearest[NEAR];
        const int count = nearest_blocks(s, t, nearest);
        for (int64_t p = t * panels; p < isg_min((t + 1) * panels, s->fine_targets.count); p++) {
            int64_t best = -1;
            double least = INFINITY;
            for (int b = 0; b < count; b++)
                for (int64_t u = nearest[b] * parts; u < isg_min((nearest[b] + 1) * parts, units->count); u++) {
                    double square = isg_boxes_span(&s->fine_targets, p, units, u, op->x.dtype, op->plan.weights,
                                                   &op->plan.scale, NULL);
                    if (square<least && * isg_boxes_number(units, u)> - INFINITY) {
                        least = square;
                        best = u;
                    }
                }
            *isg_boxes_number(&s->fine_targets, p) = best < 0 ? -INFINITY : reached(s, p, units, best, corners);
        }
    }
    free(corners);
    return ISG_OK;
}

isg_status isg_skipping_targets(isg_skipping *s, int64_t first, int64_t count, int64_t parts)
{
    isg_status st = ISG_OK;
    isg_context *context = s->gram->context;
    void *zeros = NULL;
    isg_boxes_free(&s->fine_targets);
    isg_boxes_free(&s->coarse_targets);
    isg_buffer_free(&s->counts);
    s->target_count = count;
    s->parts = parts;
    if (!isg_boxes_make(&s->fine_targets, targets_of(s), &s->gram->op.plan.scale, first, count, s->panel, 0) ||
        !isg_boxes_merge(&s->coarse_targets, &s->fine_targets, COARSE / s->panel) ||
        !(zeros = isg_alloc(counted(s), sizeof(cl_int)))) {
        st = no_memory(s);
        goto fail;
    }
    if (s->shifts)
        limit_exponentials(s, first);
    TRY(upload_boxes(s, &s->targets, &s->fine_targets));
    TRY(isg_buffer_new(context, &s->counts, CL_MEM_READ_WRITE, counted(s) * (int64_t)sizeof(cl_int)));
    CL_TRY(context, clEnqueueWriteBuffer(context->queue, s->counts, CL_TRUE, 0, (size_t)counted(s) * sizeof(cl_int),
                                         zeros, 0, NULL, NULL));
    if (!s->from)
        TRY(upload(s, &s->from, s->far.from, ISG_PAIR_COUNT));
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
    for (int64_t u = before / s->unit; made && u < units.count; u++) {
        int64_t low = isg_max(block + u * s->unit, first), high = isg_min(block + (u + 1) * s->unit, first + count);
        double *largest = isg_boxes_number(&units, u);
        for (int64_t j = low; j < high && s->log_weights; j++) {
            double w = isg_load_double(s->gram->op.x.dtype, s->log_weights, j);
            *largest = isnan(w) ? INFINITY : fmax(*largest, w);
        }
        if (*largest == INFINITY)
            isg_boxes_open(&units, u);
        if (keeps && keeps(user, low, high - low))
            isg_boxes_open(&units, u);
    }
    if (!made || !isg_boxes_merge(&s->coarse_sources, &units, ISG_BLOCK_SOURCES / s->unit)) {
        st = no_memory(s);
        goto fail;
    }
    TRY(upload_boxes(s, &s->units, &units));
    TRY(upload_boxes(s, &s->blocks, &s->coarse_sources));
    if (s->log_weights && !s->shifts) {
        TRY(limit_largest(s, &units));
        TRY(upload_boxes(s, &s->targets, &s->fine_targets));
    }
fail:
    isg_boxes_free(&units);
    return st;
}

double isg_skipping_work(const isg_skipping *s, int64_t lo, int64_t hi, int64_t block)
{
    const double look = 1; // at a block's box, for each target
    const int64_t coarse = (int64_t)COARSE / s->panel * s->panel;
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
    isg_boxes_free(&s->fine_targets);
    isg_boxes_free(&s->coarse_targets);
    isg_boxes_free(&s->coarse_sources);
    isg_buffer_free(&s->targets);
    isg_buffer_free(&s->blocks);
    isg_buffer_free(&s->units);
    isg_buffer_free(&s->from);
    isg_buffer_free(&s->counts);
}
