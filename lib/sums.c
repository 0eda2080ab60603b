// Sums over sources: what goes along the walk, and the way of the weights there and of the sums back.
#include "sums.h"
#include "cl.h"
#include "probe.h"
#include "walk.h"
#include "weights.h"

#include <math.h>
#include <stdlib.h>

typedef struct walker {
    isg_walk walk;
    const isg_sums *asked;
    isg_weights weights;
    bool wide;             // columns share what is computed of K
    int64_t group, groups; // of columns: the pass's first, and how many
    cl_kernel kernel, join;
    cl_mem v, totals, open, partial; // of the walk's sets
    int64_t v_pitch;                 // sources that v has room for
    isg_skipping skipping;
} walker;

enum {
    MOST_GROUPS = 16, // of columns whose sums share K's values
    PARTIAL_BYTES = 16 << 20
};

static int64_t pass_columns(const walker *p)
{
    return p->groups * p->weights.width;
}

// Sums of all targets of the set, for each column of the pass: all 0.
static isg_status zeros(walker *p, cl_mem *mem)
{
    isg_context *context = p->walk.gram->context;
    int64_t count = pass_columns(p) * isg_walk_pitch(&p->walk);
    size_t element = isg_dtype_bytes(p->asked->dtype);
    void *all = isg_alloc(count, element);
    if (!all)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for %lld sums", (long long)count);
    isg_buffer_free(mem);
    isg_status st = isg_buffer_new(context, mem, CL_MEM_READ_WRITE, count * (int64_t)element);
    if (!st)
        CL_TRY(context,
               clEnqueueWriteBuffer(context->queue, *mem, CL_TRUE, 0, (size_t)count * element, all, 0, NULL, NULL));
fail:
    free(all);
    return st;
}

static isg_status begin(isg_walk *walk)
{
    walker *p = walk->job;
    isg_status st;
    int64_t element = (int64_t)isg_dtype_bytes(p->asked->dtype);
    TRY(zeros(p, &p->totals));
    TRY(zeros(p, &p->open));
    // What is not asked for of partial sums still wants a buffer.
    isg_buffer_free(&p->partial);
    walk->most_blocks = isg_min(PARTIAL_BYTES, walk->gram->context->max_alloc_bytes) /
                        (pass_columns(p) * isg_walk_pitch(&p->walk) * element);
    if (walk->most_blocks > 1)
        walk->most_blocks = isg_min(walk->most_blocks, isg_walk_sources(walk)->count / ISG_BLOCK_SOURCES + 1);
    if (walk->most_blocks > 1)
        TRY(isg_buffer_new(walk->gram->context, &p->partial, CL_MEM_READ_WRITE,
                           walk->most_blocks * pass_columns(p) * isg_walk_pitch(&p->walk) * element));
fail:
    return st;
}

// The set's weights, group by group.
static isg_status bring(isg_walk *walk)
{
    walker *p = walk->job;
    isg_context *context = walk->gram->context;
    const isg_weights *w = &p->weights;
    isg_status st;
    size_t row = (size_t)w->width * isg_dtype_bytes(w->dtype), bytes = (size_t)walk->source_count * row;
    isg_buffer_free(&p->v);
    p->v_pitch = walk->source_count;
    TRY(isg_buffer_new(context, &p->v, CL_MEM_READ_ONLY, p->groups * (int64_t)bytes));
    for (int64_t g = 0; g < p->groups; g++)
        CL_TRY(context, clEnqueueWriteBuffer(context->queue, p->v, CL_TRUE, (size_t)g * bytes, bytes,
                                             (const char *)w->values +
                                                 (size_t)((p->group + g) * w->count + walk->source_first) * row,
                                             0, NULL, NULL));
fail:
    return st;
}

// 0 times what is not finite is NaN.
static bool keeps(void *job, int64_t first, int64_t count)
{
    const walker *p = job;
    const isg_weights *w = &p->weights;
    for (int64_t g = p->group; g < p->group + p->groups; g++)
        for (int64_t i = (g * w->count + first) * w->width; i < (g * w->count + first + count) * w->width; i++)
            if (!isfinite(isg_load_double(w->dtype, w->values, i)))
                return true;
    return false;
}

static isg_status launch(isg_walk *walk, const isg_stretch *s)
{
    walker *p = walk->job;
    isg_context *context = walk->gram->context;
    isg_status st;
    isg_arg args[ISG_WALK_ARGS + 14];
    int n = isg_walk_args(walk, args);
    args[n++] = arg_mem(p->v);
    args[n++] = arg_mem(s->blocks ? p->partial : p->totals);
    args[n++] = arg_mem(p->open);
    args[n++] = arg_int(s->target_lo);
    args[n++] = arg_int(s->source_lo);
    args[n++] = arg_int(s->source_hi);
    args[n++] = arg_int(s->before);
    args[n++] = arg_int(s->opened);
    args[n++] = arg_int(s->last);
    args[n++] = arg_int(s->blocks > 0);
    args[n++] = arg_int(s->target_hi);
    args[n++] = arg_int(walk->gram->op.x.dims);
    if (p->wide) {
        args[n++] = arg_int(p->groups);
        args[n++] = arg_int(p->v_pitch);
    }
    TRY(isg_run(context, p->kernel, args, n, isg_walk_range(walk, s)));
    if (s->blocks) {
        int64_t size = pass_columns(p) * isg_walk_pitch(&p->walk);
        TRY(isg_run(context, p->join,
                    ISG_ARGS(arg_mem(p->partial), arg_mem(p->totals), arg_int(s->blocks), arg_int(size)),
                    (isg_range){{size, 1}, {64, 1}}));
    }
fail:
    return st;
}

static isg_status end(isg_walk *walk)
{
    walker *p = walk->job;
    isg_context *context = walk->gram->context;
    isg_status st = ISG_OK;
    const int64_t pitch = isg_walk_pitch(&p->walk), first = p->group * p->weights.width;
    size_t element = isg_dtype_bytes(p->asked->dtype), bytes = (size_t)(pass_columns(p) * pitch) * element;
    void *all = isg_alloc(pass_columns(p) * pitch, element);
    if (!all)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for sums");
    CL_TRY(context, clEnqueueReadBuffer(context->queue, p->totals, CL_TRUE, 0, bytes, all, 0, NULL, NULL));
    for (int64_t c = 0; c < isg_min(pass_columns(p), p->weights.columns - first); c++)
        for (int64_t i = 0; i < walk->target_count; i++)
            p->asked->put(p->asked->user, walk->target_first + i, first + c,
                          isg_load_double(p->asked->dtype, all, c * pitch + i), p->weights.exponents[first + c]);
fail:
    free(all);
    return st;
}

// The kernels of a pass. Its looking at walkers depends on its columns, its bits do not.
static isg_status get_kernels(walker *p)
{
    isg_status st;
    isg_gram *gram = p->walk.gram;
    isg_dtype dtype = gram->op.x.dtype;
    isg_real_type type = {dtype, isg_probe_fused(gram->context, dtype), p->walk.shape.lanes};
    char options[ISG_LONGEST_OPTIONS];
    isg_text text = {options, sizeof options, 0};
    bool fine = false;
    int64_t first = p->group * p->weights.width, room = 1;
    for (int64_t c = first; c < isg_min(first + pass_columns(p), p->weights.columns); c++)
        fine |= p->weights.fine[c];
    while (room < p->groups)
        room *= 2;
    isg_walk_put_options(&text, &p->walk);
    isg_put(&text, "-D COLUMNS=%d -D GROUPS=%d -D DEPTH=%d -D FINE=%d -D DOUBLE_SUMS=%d", (int)p->weights.width,
            p->wide ? (int)room : 0, (int)p->walk.shape.depth, fine, p->asked->dtype != dtype);
    TRY(isg_program_kernel(gram->context, &p->kernel, "apply.cl", p->wide ? "apply_wide" : "apply", type, options));
    TRY(isg_program_kernel(gram->context, &p->join, "apply.cl", "join", type, options));
fail:
    return st;
}

static isg_status compute(walker *p)
{
    isg_status st;
    isg_gram *gram = p->walk.gram;
    isg_context *context = gram->context;
    const int64_t r = p->asked->v.shape[1], element = (int64_t)isg_dtype_bytes(p->asked->dtype);
    isg_walk *walk = &p->walk;
    walk->shape = isg_walk_shape(gram, r);
    p->wide = walk->shape.depth > 0;
    // Groups of equal width; in double beside single values, half as wide.
    const int64_t widest = walk->shape.columns / (p->wide && p->asked->dtype != gram->op.x.dtype ? 2 : 1);
    const int64_t groups = (r + widest - 1) / widest;
    const int32_t width = (int32_t)((r + groups - 1) / groups);
    TRY(isg_finish(context)); // a caller's commands in the queue would count as this call's time
    TRY(isg_weights_make(&p->weights, &p->asked->v, gram->op.x.dtype, p->asked->dtype,
                         p->asked->log_weights ? 0 : isg_operator_largest(&gram->op), width, &context->error));
    // As many groups as buffers of one panel of targets have room for.
    const isg_tile_shape *shape = &walk->shape;
    const int64_t group_bytes = (int64_t)shape->lanes * shape->vectors * shape->group * width * element;
    const int64_t most = p->wide ? isg_min(isg_max(context->max_alloc_bytes / (2 * group_bytes), 1), MOST_GROUPS) : 1;
    walk->done = p->asked->before;
    walk->total = p->asked->before +
                  (double)gram->op.x.count * (double)gram->op.y.count * (double)((p->weights.groups + most - 1) / most);
    TRY(isg_walk_skip(walk, &p->skipping, p->asked->skip, p->asked->tolerance));
    for (p->group = 0; p->group < p->weights.groups; p->group += p->groups) {
        p->groups = isg_min(most, p->weights.groups - p->group);
        walk->cost = 16 + (double)pass_columns(p);
        walk->bytes_per_target = walk->bytes_per_source = pass_columns(p) * element;
        TRY(get_kernels(p));
        TRY(isg_walk_run(walk));
    }
fail:
    return st;
}

// Sums over nothing.
static void put_zeros(const isg_sums *sums)
{
    const int64_t targets = sums->transposed ? sums->gram->op.y.count : sums->gram->op.x.count;
    for (int64_t c = 0; c < sums->v.shape[1]; c++)
        for (int64_t i = 0; i < targets; i++)
            sums->put(sums->user, i, c, 0, 0);
}

static void tell(const walker *p)
{
    const double pairs = p->walk.done - p->asked->before, skipped = p->skipping.skipped;
    if (p->asked->report)
        *p->asked->report = (isg_skip_report){pairs, pairs - skipped, skipped > 0 ? p->asked->tolerance : 0};
}

isg_status isg_sums_run(const isg_sums *sums)
{
    walker p = {.walk = {.gram = sums->gram,
                         .transposed = sums->transposed,
                         .shifts = sums->shifts,
                         .log_weights = sums->log_weights,
                         .begin = begin,
                         .bring = bring,
                         .launch = launch,
                         .end = end,
                         .keeps = keeps},
                .asked = sums};
    p.walk.job = &p;
    p.walk.done = sums->before;
    if (sums->gram->op.x.count == 0 || sums->gram->op.y.count == 0) {
        put_zeros(sums);
        tell(&p);
        return ISG_OK;
    }
    isg_status st = compute(&p);
    tell(&p);
    isg_skipping_free(&p.skipping);
    isg_weights_free(&p.weights);
    isg_buffer_free(&p.v);
    isg_buffer_free(&p.totals);
    isg_buffer_free(&p.open);
    isg_buffer_free(&p.partial);
    isg_programs_save(sums->gram->context);
    return st;
}
