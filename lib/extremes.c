// Extremes over sources: what goes along the walk.
#include "extremes.h"
#include "cl.h"
#include "probe.h"
#include "walk.h"
#include "reference.h"

#include <math.h>
#include <stdlib.h>

typedef struct walker {
    isg_walk walk;
    const isg_extremes *asked;
    cl_kernel kernel;
    cl_mem values, sources;                 // of the walk's targets
    cl_mem partial_values, partial_sources; // of parts of the sources
    isg_skipping skipping;
} walker;

enum { PARTIAL_BYTES = 8 << 20 };

static isg_dtype dtype_of(const walker *p)
{
    return p->asked->gram->op.x.dtype;
}

static int64_t element_bytes(const walker *p)
{
    return (int64_t)isg_dtype_bytes(dtype_of(p));
}

// Places for the targets' set.
static int64_t places(const walker *p)
{
    return p->asked->count * isg_walk_pitch(&p->walk);
}

static int64_t load_index(const walker *p, const void *indices, int64_t at)
{
    return dtype_of(p) == ISG_F64 ? ((const int64_t *)indices)[at] : ((const int32_t *)indices)[at];
}

static void store_index(const walker *p, void *indices, int64_t at, int64_t value)
{
    if (dtype_of(p) == ISG_F64)
        ((int64_t *)indices)[at] = value;
    else
        ((int32_t *)indices)[at] = (int32_t)value;
}

// Two arrays side by side in host memory.
typedef struct lists {
    char *values, *sources;
} lists;

static void lists_free(lists *l)
{
    free(l->values);
    free(l->sources);
}

static isg_status lists_make(const walker *p, lists *l, int64_t count)
{
    l->values = isg_alloc(count, (size_t)element_bytes(p));
    l->sources = isg_alloc(count, (size_t)element_bytes(p));
    if (!l->values || !l->sources)
        return isg_fail(&p->asked->gram->context->error, ISG_ERR_MEMORY, "no memory for %lld values", (long long)count);
    return ISG_OK;
}

static isg_status read_lists(const walker *p, cl_mem values, cl_mem sources, lists *l, int64_t count)
{
    isg_status st = ISG_OK;
    isg_context *context = p->asked->gram->context;
    size_t bytes = (size_t)(count * element_bytes(p));
    CL_TRY(context, clEnqueueReadBuffer(context->queue, values, CL_TRUE, 0, bytes, l->values, 0, NULL, NULL));
    CL_TRY(context, clEnqueueReadBuffer(context->queue, sources, CL_TRUE, 0, bytes, l->sources, 0, NULL, NULL));
fail:
    return st;
}

static isg_status write_lists(const walker *p, const lists *l)
{
    isg_status st = ISG_OK;
    isg_context *context = p->asked->gram->context;
    size_t bytes = (size_t)(places(p) * element_bytes(p));
    CL_TRY(context, clEnqueueWriteBuffer(context->queue, p->values, CL_TRUE, 0, bytes, l->values, 0, NULL, NULL));
    CL_TRY(context, clEnqueueWriteBuffer(context->queue, p->sources, CL_TRUE, 0, bytes, l->sources, 0, NULL, NULL));
fail:
    return st;
}

static isg_status begin(isg_walk *walk)
{
    walker *p = walk->job;
    isg_context *context = walk->gram->context;
    isg_status st;
    lists l = {NULL, NULL};
    const int64_t bytes = places(p) * element_bytes(p);
    isg_buffer_free(&p->values);
    isg_buffer_free(&p->sources);
    isg_buffer_free(&p->partial_values);
    isg_buffer_free(&p->partial_sources);
    TRY(isg_buffer_new(context, &p->values, CL_MEM_READ_WRITE, bytes));
    TRY(isg_buffer_new(context, &p->sources, CL_MEM_READ_WRITE, bytes));
    walk->most_blocks = isg_min(isg_min(PARTIAL_BYTES, context->max_alloc_bytes) / bytes,
                                isg_walk_sources(walk)->count / ISG_BLOCK_SOURCES + 1);
    if (walk->most_blocks > 1) {
        TRY(isg_buffer_new(context, &p->partial_values, CL_MEM_READ_WRITE, walk->most_blocks * bytes));
        TRY(isg_buffer_new(context, &p->partial_sources, CL_MEM_READ_WRITE, walk->most_blocks * bytes));
    }
    TRY(lists_make(p, &l, places(p)));
    for (int64_t i = 0; i < places(p); i++) {
        isg_store_double(dtype_of(p), l.values, i, NAN);
        store_index(p, l.sources, i, -1);
    }
    st = write_lists(p, &l);
fail:
    lists_free(&l);
    return st;
}

static isg_status bring(isg_walk *walk)
{
    (void)walk;
    return ISG_OK;
}

// Puts a value into its place among a target's: as extremes.cl does.
static void insert(const walker *p, lists *l, int64_t target, double value, int64_t source)
{
    const int64_t pitch = isg_walk_pitch(&p->walk);
    bool before = false;
    for (int32_t place = 0; place < p->asked->count; place++) {
        int64_t at = place * pitch + target;
        double old = isg_load_double(dtype_of(p), l->values, at);
        int64_t old_source = load_index(p, l->sources, at);
        before = before || (!(value >= old) && !isnan(value));
        if (!before)
            continue;
        isg_store_double(dtype_of(p), l->values, at, value);
        store_index(p, l->sources, at, source);
        value = old;
        source = old_source;
    }
}

// What parts of the sources have found, part by part.
static isg_status join(walker *p, int64_t parts)
{
    isg_status st;
    lists all = {NULL, NULL}, part = {NULL, NULL};
    const int64_t pitch = isg_walk_pitch(&p->walk), count = places(p);
    TRY(lists_make(p, &all, count));
    TRY(lists_make(p, &part, parts * count));
    TRY(read_lists(p, p->values, p->sources, &all, count));
    TRY(read_lists(p, p->partial_values, p->partial_sources, &part, parts * count));
    for (int64_t b = 0; b < parts; b++)
        for (int64_t i = 0; i < p->walk.target_count; i++)
            for (int32_t place = 0; place < p->asked->count; place++) {
                int64_t at = b * count + place * pitch + i;
                insert(p, &all, i, isg_load_double(dtype_of(p), part.values, at), load_index(p, part.sources, at));
            }
    st = write_lists(p, &all);
fail:
    lists_free(&all);
    lists_free(&part);
    return st;
}

static isg_status launch(isg_walk *walk, const isg_stretch *s)
{
    walker *p = walk->job;
    isg_status st;
    isg_arg args[ISG_WALK_ARGS + 9];
    int n = isg_walk_args(walk, args);
    args[n++] = arg_mem(s->blocks ? p->partial_values : p->values);
    args[n++] = arg_mem(s->blocks ? p->partial_sources : p->sources);
    args[n++] = arg_int(s->target_lo);
    args[n++] = arg_int(s->source_lo);
    args[n++] = arg_int(s->source_hi);
    args[n++] = arg_int(walk->source_first);
    args[n++] = arg_int(s->blocks ? ISG_BLOCK_SOURCES : 0);
    args[n++] = arg_int(s->target_hi);
    args[n++] = arg_int(walk->gram->op.x.dims);
    TRY(isg_run(walk->gram->context, p->kernel, args, n, isg_walk_range(walk, s)));
    if (s->blocks)
        TRY(join(p, s->blocks));
fail:
    return st;
}

static isg_status end(isg_walk *walk)
{
    walker *p = walk->job;
    isg_status st;
    lists l = {NULL, NULL};
    const int64_t pitch = isg_walk_pitch(walk);
    TRY(lists_make(p, &l, places(p)));
    TRY(read_lists(p, p->values, p->sources, &l, places(p)));
    for (int64_t i = 0; i < walk->target_count; i++)
        for (int32_t place = 0; place < p->asked->count; place++) {
            int64_t to = (walk->target_first + i) * p->asked->count + place, at = place * pitch + i;
            double value = isg_load_double(dtype_of(p), l.values, at);
            isg_store_double(dtype_of(p), p->asked->values, to, p->asked->largest ? -value : value);
            if (p->asked->sources)
                p->asked->sources[to] = load_index(p, l.sources, at);
        }
fail:
    lists_free(&l);
    return st;
}

static isg_status compute(walker *p)
{
    isg_status st;
    isg_walk *walk = &p->walk;
    isg_gram *gram = walk->gram;
    isg_real_type type;
    char options[ISG_LONGEST_OPTIONS];
    isg_text text = {options, sizeof options, 0};
    walk->shape = isg_walk_shape(gram, 1);
    if (walk->log_weights)
        TRY(isg_walk_skip(walk, &p->skipping, p->asked->skip, 0));
    walk->cost = 16;
    walk->bytes_per_target = p->asked->count * element_bytes(p);
    walk->done = p->asked->before;
    walk->total = p->asked->total;
    type = (isg_real_type){dtype_of(p), isg_probe_fused(gram->context, dtype_of(p)), walk->shape.lanes};
    isg_walk_put_options(&text, walk);
    isg_put(&text, "-D COUNT=%d -D LARGEST=%d", (int)p->asked->count, p->asked->largest);
    TRY(isg_finish(gram->context));
    TRY(isg_program_kernel(gram->context, &p->kernel, "extremes.cl", "extremes", type, options));
    st = isg_walk_run(walk);
fail:
    return st;
}

// What there is of no sources.
static void put_nothing(const isg_extremes *asked)
{
    const isg_operator *op = &asked->gram->op;
    for (int64_t i = 0; i < (asked->transposed ? op->y.count : op->x.count) * asked->count; i++) {
        isg_store_double(op->x.dtype, asked->values, i, NAN);
        if (asked->sources)
            asked->sources[i] = -1;
    }
}

isg_status isg_extremes_run(const isg_extremes *asked)
{
    walker p = {.walk = {.gram = asked->gram,
                         .transposed = asked->transposed,
                         .log_weights = asked->log_weights,
                         .begin = begin,
                         .bring = bring,
                         .launch = launch,
                         .end = end},
                .asked = asked};
    p.walk.job = &p;
    p.walk.done = asked->before;
    isg_status st = ISG_OK;
    if (asked->gram->op.x.count > 0 && asked->gram->op.y.count > 0)
        st = compute(&p);
    else
        put_nothing(asked);
    if (asked->report) {
        double pairs = p.walk.done - asked->before;
        *asked->report = (isg_skip_report){pairs, pairs - p.skipping.skipped, 0};
    }
    isg_skipping_free(&p.skipping);
    isg_buffer_free(&p.values);
    isg_buffer_free(&p.sources);
    isg_buffer_free(&p.partial_values);
    isg_buffer_free(&p.partial_sources);
    isg_programs_save(asked->gram->context);
    return st;
}
