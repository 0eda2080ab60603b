// The Gram matrix by products where these keep enough of the distances (cl/expanded.h), and by subtracting first where
// they do not. gram.c has checked its input.
//
// Points are seen from the mean of CHUNK consecutive ones: those of X, and where x and y are the same points the one in
// front of the two. So what is computed of a pair depends on the operator alone, K(X, X) is symmetric, and a block is
// the same block of the whole.
#include "cl.h"
#include "expansion.h"
#include "probe.h"
#include "tiles.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// Small enough for clusters that come one after the other, large enough that seeing points from a centre costs nothing;
// a multiple of every tile's height, lest tiles are cut.
enum { CHUNK = 960 };

// One side's points as they are seen from a centre.
typedef struct seen {
    cl_mem points, norms;
    int64_t elements, count; // that there is room for
} seen;

struct isg_fast {
    double tolerance;
    cl_mem centres;    // of the chunks, one behind the other
    cl_mem subtracted; // elements of K that were, in the last call: two parts of 32 bits
    bool counted;      // there was a call
    seen rows, cols;
};

isg_status isg_gram_fast_make(isg_gram *gram, double tolerance)
{
    gram->fast = calloc(1, sizeof *gram->fast);
    if (!gram->fast)
        return isg_fail(&gram->context->error, ISG_ERR_MEMORY, "no memory for a Gram operator");
    gram->fast->tolerance = tolerance > 0 ? tolerance : isg_tolerance_default(gram->op.x.dtype);
    return ISG_OK;
}

void isg_gram_fast_free(isg_gram *gram)
{
    isg_fast *f = gram->fast;
    if (!f)
        return;
    cl_mem *const all[] = {&f->centres,    &f->subtracted,  &f->rows.points,
                           &f->rows.norms, &f->cols.points, &f->cols.norms};
    for (size_t i = 0; i < sizeof all / sizeof *all && isg_context_is_ours(gram->context); i++)
        isg_buffer_free(all[i]);
    free(f);
    gram->fast = NULL;
}

// The mean of a chunk, as near as it comes: any point will do, so long as it is finite.
static void mean_of(const isg_points *points, const isg_scale *scale, int64_t first, int64_t count, double *sums)
{
    int64_t d = points->dims;
    for (int64_t k = 0; k < d; k++)
        sums[k] = 0;
    for (int64_t i = first; i < first + count; i++) {
        if (points->dtype == ISG_F64) {
            const double *row = (const double *)points->rows + i * points->stride;
            for (int64_t k = 0; k < d; k++)
                sums[k] += row[k] / (double)count;
        } else {
            const float *row = (const float *)points->rows + i * points->stride;
            for (int64_t k = 0; k < d; k++)
                sums[k] += (double)row[k];
        }
    }
    double by = points->dtype == ISG_F64 ? 1 : 1 / (double)count;
    for (int64_t k = 0; k < d; k++) {
        double mean = sums[k] * by;
        sums[k] = fabs(mean) <= points->largest ? mean * scale->factor1 * scale->factor2 : 0;
    }
}

static isg_status upload_centres(isg_gram *gram)
{
    isg_context *context = gram->context;
    // X is what the operator was made with; Y, while its sides are swapped.
    const isg_points *points = gram->swapped ? &gram->op.y : &gram->op.x;
    int64_t d = points->dims, chunks = (points->count + CHUNK - 1) / CHUNK;
    size_t element = isg_dtype_bytes(points->dtype);
    isg_status st = ISG_OK;
    char *all = isg_alloc(chunks * d, element);
    double *mean = isg_alloc(d, sizeof *mean);
    if (!all || !mean)
        st = isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for the centres of %lld points",
                      (long long)points->count);
    for (int64_t c = 0; c < chunks && !st; c++) {
        mean_of(points, &gram->op.plan.scale, c * CHUNK, isg_min(CHUNK, points->count - c * CHUNK), mean);
        for (int64_t k = 0; k < d; k++)
            isg_store_double(points->dtype, all, c * d + k, mean[k]);
    }
    if (!st)
        st = isg_buffer_copy_of(context, &gram->fast->centres, all, chunks * d * (int64_t)element);
    free(all);
    free(mean);
    return st;
}

isg_status isg_gram_fast_begin(isg_gram *gram)
{
    isg_status st = ISG_OK;
    isg_context *context = gram->context;
    isg_fast *f = gram->fast;
    static const cl_uint none[2] = {0, 0}; // read when the queue comes to it
    if (!f->centres)
        TRY(upload_centres(gram));
    if (!f->subtracted)
        TRY(isg_buffer_new(context, &f->subtracted, CL_MEM_READ_WRITE, sizeof none));
    CL_TRY(context, clEnqueueWriteBuffer(context->queue, f->subtracted, CL_FALSE, 0, sizeof none, none, 0, NULL, NULL));
    f->counted = true;
fail:
    return st;
}

// Room for all points of a panel set.
static isg_status make_room(isg_gram *gram, const isg_panels *panels, seen *s)
{
    isg_status st = ISG_OK;
    int64_t element = (int64_t)isg_dtype_bytes(gram->op.x.dtype);
    int64_t count = isg_round_up(panels->lead + panels->count, panels->multiple), elements = count * gram->op.x.dims;
    if (s->points && s->norms && s->count >= count)
        return ISG_OK;
    isg_buffer_free(&s->points);
    isg_buffer_free(&s->norms);
    s->count = count;
    TRY(isg_buffer_new(gram->context, &s->points, CL_MEM_READ_WRITE, elements * element));
    TRY(isg_buffer_new(gram->context, &s->norms, CL_MEM_READ_WRITE, count * element));
fail:
    return st;
}

// Sees the places [lo, hi) of a side from a centre, and those around them that are in the same tiles.
static isg_status recentre(isg_gram *gram, const isg_panels *panels, const seen *s, int64_t centre, int64_t lo,
                           int64_t hi, int32_t lanes)
{
    isg_status st;
    isg_dtype dtype = gram->op.x.dtype;
    const isg_plan *plan = &gram->op.plan;
    cl_kernel kernel;
    char options[100];
    // A work-item goes through all coordinates: the more of them, the better for a GPU.
    const bool cpu = gram->context->device.device_class == ISG_DEVICE_CPU;
    while (panels->width % lanes != 0 || (!cpu && lanes > 1))
        lanes /= 2;
    isg_real_type type = {dtype, isg_probe_fused(gram->context, dtype), lanes};
    snprintf(options, sizeof options, "-D PANEL=%d -D WEIGHTS=%d -D NUMBERS=%d", (int)panels->width,
             plan->weights != NULL, plan->number_count);
    lo = lo / panels->multiple * panels->multiple;
    hi = isg_round_up(hi, panels->multiple);
    TRY(isg_program_kernel(gram->context, &kernel, "recentre.cl", "recentre", type, options));
    TRY(isg_run(gram->context, kernel,
                ISG_ARGS(arg_mem(panels->mem), arg_mem(s->points), arg_mem(s->norms), arg_mem(gram->fast->centres),
                         arg_mem(gram->numbers), arg_int(centre), arg_int(lo), arg_int(hi - lo),
                         arg_int(gram->op.x.dims)),
                (isg_range){{(hi - lo) / lanes, 1}, {cpu ? 16 : 64, 1}}));
fail:
    return st;
}

// Rows and columns of K, as the operator counts them.
typedef struct region {
    int64_t row_lo, row_hi, col_lo, col_hi;
} region;
static const int64_t ALL = INT64_MAX / 2; // more than there are, and room to shift it

// Clips a part to a region. False: nothing is left.
static bool clip(const isg_tiles *t, isg_part *p, region r)
{
    int64_t row_shift = t->gram->rows.first - t->gram->rows.lead, col_shift = t->cols->first - t->cols->lead;
    p->row_lo = isg_max(p->row_lo, r.row_lo - row_shift);
    p->row_hi = isg_min(p->row_hi, r.row_hi - row_shift);
    p->col_lo = isg_max(p->col_lo, r.col_lo - col_shift);
    p->col_hi = isg_min(p->col_hi, r.col_hi - col_shift);
    return p->row_lo < p->row_hi && p->col_lo < p->col_hi;
}

// What of a part lies in a region, from the region's centre.
static isg_status launch_region(isg_tiles *t, const isg_part *p, int64_t centre, region r)
{
    isg_status st;
    isg_gram *gram = t->gram;
    isg_fast *f = gram->fast;
    isg_part q = *p;
    if (!clip(t, &q, r))
        return ISG_OK;
    TRY(recentre(gram, &gram->rows, &f->rows, centre, q.row_lo, q.row_hi, t->shape.lanes));
    TRY(recentre(gram, t->cols, &f->cols, centre, q.col_lo, q.col_hi, t->shape.lanes));
    if (t->mirrored) // tiles on the diagonal reach below it, into columns in front of the region's
        q.col_lo = p->col_lo;
    TRY(isg_tiles_launch(t, &q));
fail:
    return st;
}

static isg_status launch(isg_tiles *t, const isg_part *p)
{
    isg_status st = ISG_OK;
    isg_gram *gram = t->gram;
    isg_fast *f = gram->fast;
    const bool same = isg_points_same(&gram->op.x, &gram->op.y), lower = *(const bool *)t->user;
    TRY(make_room(gram, &gram->rows, &f->rows));
    TRY(make_room(gram, t->cols, &f->cols));
    const cl_mem buffers[] = {f->rows.points, f->cols.points, f->rows.norms, f->cols.norms, f->subtracted};
    for (int i = 0; i < 5; i++)
        t->more[i] = arg_mem(buffers[i]);
    int64_t all = gram->swapped ? gram->op.y.count : gram->op.x.count;
    for (int64_t c = 0; c * CHUNK < all; c++) {
        int64_t lo = c * CHUNK, hi = lo + CHUNK;
        if (!same) {
            TRY(launch_region(t, p, c, gram->swapped ? (region){0, ALL, lo, hi} : (region){lo, hi, 0, ALL}));
            continue;
        }
        // Launches count with the half of a triangle's square that they skip.
        isg_part above = *p;
        if (lower && clip(t, &above, (region){lo, hi, hi, ALL}))
            t->done += (double)(above.row_hi - above.row_lo) * (double)(above.col_hi - above.col_lo);
        // All pairs of which the first point is in the chunk; of a triangle, those of which the second one is no later.
        TRY(launch_region(t, p, c, (region){lo, hi, lo, lower ? hi : ALL}));
        if (!t->mirrored)
            TRY(launch_region(t, p, c, (region){hi, ALL, lo, hi}));
    }
fail:
    return st;
}

isg_status isg_gram_fast_block(isg_gram *gram, isg_block block)
{
    char options[60];
    isg_dtype dtype = gram->op.x.dtype;
    bool lower = block.lower;
    isg_allowance a = isg_allowance_of(&gram->op.plan, gram->op.x.dims, dtype, gram->fast->tolerance);
    snprintf(options, sizeof options, " -D EXPANDED=1 -D SAME=%d", isg_points_same(&gram->op.x, &gram->op.y));
    isg_tiles t = {.gram = gram, .options = options, .launch = launch, .user = &lower, .more_count = 9};
    const double numbers[] = {a.growth, a.least, a.enough, a.part};
    for (int i = 0; i < 4; i++)
        t.more[5 + i] = arg_real(dtype, numbers[i]);
    return isg_tiles_compute(&t, block);
}

isg_status isg_gram_fast_report(isg_gram *gram, isg_fast_report *out)
{
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    isg_context *context = gram->context;
    cl_uint parts[2];
    if (!out)
        return isg_fail(&context->error, ISG_ERR_ARGUMENT, "no place for a report");
    *out = (isg_fast_report){0};
    if (!gram->fast)
        return isg_fail(&context->error, ISG_ERR_ARGUMENT, "the operator was not made with method fast");
    out->tolerance = gram->fast->tolerance;
    if (!gram->fast->counted)
        return ISG_OK;
    CL_TRY(context,
           clEnqueueReadBuffer(context->queue, gram->fast->subtracted, CL_TRUE, 0, sizeof parts, parts, 0, NULL, NULL));
    out->elements = gram->elements;
    out->recomputed = (double)parts[0] + 0x1p32 * (double)parts[1];
fail:
    return st;
}
