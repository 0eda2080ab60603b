// A gradient's sums on the device: what goes along the walk.
#include "gradient_run.h"
#include "cl.h"
#include "probe.h"
#include "walk.h"

#include <stdlib.h>
#include <string.h>

typedef struct walker {
    isg_walk walk;
    const isg_gradient_pass *pass;
    int64_t sums, element; // of a target; bytes of one
    int32_t depth, coordinates;
    cl_kernel kernel;
    cl_mem v, w, totals, open;
} walker;

// Each row as measured: docs/performance.md. Functions of several rows are long, and so are tiles of them to compile.
static isg_tile_shape shape_of(const isg_gram *gram)
{
    isg_tile_shape s = isg_walk_shape(gram, 1);
    if (gram->op.plan.count > 2 && gram->context->device.device_class == ISG_DEVICE_CPU) {
        s.vectors = 1;
        s.sources = 2;
    }
    return s;
}

// Sources whose outputs are kept, a few KiB of them: a power of two, and a multiple of a tile's.
static int32_t depth_of(const isg_tile_shape *shape, int outputs, bool cpu)
{
    if (cpu && shape->lanes == 1)
        return shape->sources; // as isg_walk_shape says of such compilers
    int32_t depth = cpu ? 128 : 32;
    while (depth > shape->sources && depth * outputs > (cpu ? 128 : 32))
        depth /= 2;
    return depth > shape->sources ? depth : shape->sources;
}

// The columns of targets in their order, column by column with a pitch; of sources side by side.
static isg_status bring_columns(walker *p, cl_mem *mem, const void *all, int64_t first, int64_t count, int64_t pitch,
                                bool across)
{
    isg_context *context = p->walk.gram->context;
    const size_t element = isg_dtype_bytes(p->pass->op->x.dtype);
    const int64_t columns = p->pass->sides->columns;
    const char *from = (const char *)all + (size_t)(first * columns) * element;
    isg_buffer_free(mem);
    char *set = isg_alloc(isg_max(pitch * columns, 1), element);
    if (!set)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for %lld columns", (long long)columns);
    if (!across)
        memcpy(set, from, (size_t)(count * columns) * element);
    for (int64_t i = 0; i < count && across; i++)
        for (int64_t c = 0; c < columns; c++)
            memcpy(set + (size_t)(c * pitch + i) * element, from + (size_t)(i * columns + c) * element, element);
    isg_status st = isg_buffer_copy_of(context, mem, set, isg_max(pitch * columns, 1) * (int64_t)element);
    free(set);
    return st;
}

static isg_status zeros(walker *p, cl_mem *mem)
{
    isg_context *context = p->walk.gram->context;
    const int64_t bytes = p->sums * isg_walk_pitch(&p->walk) * p->element;
    isg_status st;
    isg_buffer_free(mem);
    void *all = isg_alloc(bytes, 1);
    if (!all)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for %lld sums", (long long)(bytes / p->element));
    TRY(isg_buffer_new(context, mem, CL_MEM_READ_WRITE, bytes));
    CL_TRY(context, clEnqueueWriteBuffer(context->queue, *mem, CL_TRUE, 0, (size_t)bytes, all, 0, NULL, NULL));
fail:
    free(all);
    return st;
}

static isg_status begin(isg_walk *walk)
{
    walker *p = walk->job;
    const isg_gradient_sides *sides = p->pass->sides;
    isg_status st;
    TRY(zeros(p, &p->totals));
    TRY(zeros(p, &p->open));
    TRY(bring_columns(p, &p->v, walk->transposed ? sides->y : sides->x, walk->target_first, walk->target_count,
                      isg_walk_pitch(walk), true));
fail:
    return st;
}

static isg_status bring(isg_walk *walk)
{
    walker *p = walk->job;
    const isg_gradient_sides *sides = p->pass->sides;
    return bring_columns(p, &p->w, walk->transposed ? sides->x : sides->y, walk->source_first, walk->source_count,
                         isg_round_up(walk->source_count, walk->shape.sources), false);
}

static isg_status launch(isg_walk *walk, const isg_stretch *s)
{
    walker *p = walk->job;
    const isg_gradient_plan *plan = p->pass->plan;
    const isg_dtype dtype = walk->gram->op.x.dtype;
    isg_arg args[ISG_WALK_ARGS + 15];
    int n = isg_walk_args(walk, args);
    args[n++] = arg_mem(p->v);
    args[n++] = arg_mem(p->w);
    args[n++] = arg_mem(p->totals);
    args[n++] = arg_mem(p->open);
    args[n++] = arg_int(s->target_lo);
    args[n++] = arg_int(s->source_lo);
    args[n++] = arg_int(s->source_hi);
    args[n++] = arg_int(s->before);
    args[n++] = arg_int(s->opened);
    args[n++] = arg_int(s->last);
    args[n++] = arg_int(s->target_hi);
    args[n++] = arg_int(walk->gram->op.x.dims);
    args[n++] = arg_int(p->pass->sides->columns);
    args[n++] = arg_real(dtype, plan->cut);
    args[n++] = arg_real(dtype, plan->least);
    return isg_run(walk->gram->context, p->kernel, args, n, isg_walk_range(walk, s));
}

static isg_status end(isg_walk *walk)
{
    walker *p = walk->job;
    isg_context *context = walk->gram->context;
    isg_status st = ISG_OK;
    const int64_t pitch = isg_walk_pitch(walk), targets = isg_walk_targets(walk)->count;
    void *all = isg_alloc(p->sums * pitch, (size_t)p->element);
    if (!all)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for sums");
    CL_TRY(context, clEnqueueReadBuffer(context->queue, p->totals, CL_TRUE, 0, (size_t)(p->sums * pitch * p->element),
                                        all, 0, NULL, NULL));
    for (int64_t s = 0; s < p->sums; s++)
        for (int64_t i = 0; i < walk->target_count; i++)
            p->pass->out[s * targets + walk->target_first + i] = isg_load_double(p->pass->sums, all, s * pitch + i);
fail:
    free(all);
    return st;
}

static isg_status get_kernel(walker *p, char *options, size_t bytes)
{
    const isg_gradient_pass *pass = p->pass;
    isg_gram *gram = p->walk.gram;
    const isg_plan *plan = &gram->op.plan;
    isg_real_type type = {gram->op.x.dtype, isg_probe_fused(gram->context, gram->op.x.dtype), p->walk.shape.lanes};
    isg_text text = {options, bytes, 0};
#define NAME(id, name) [ISG_PAIR_##id] = #id,
    static const char *const names[] = {ISG_PAIRS(NAME)};
#undef NAME
    int at = 0;
    isg_walk_put_options(&text, &p->walk);
    isg_put(&text, "-D OUTPUTS=%d -D SELF=%d -D BY_NUMBERS=%d -D BY_LENGTHS=%d -D FINE=%d -D FINE_COLUMNS=%d ",
            isg_gradient_outputs(pass->plan, pass->mode), pass->plan->self && pass->mode == ISG_BY_POINTS,
            pass->mode == ISG_BY_NUMBERS, pass->mode == ISG_BY_LENGTHS, pass->plan->fine, pass->sides->fine);
    for (int pair = 0; pair < ISG_PAIR_COUNT && pass->mode != ISG_BY_NUMBERS; pair++)
        if (plan->used[pair])
            isg_put(&text, "-D AT_%s=%d ", names[pair], at++);
    isg_put(&text, "-D COORDINATES=%d -D DEPTH=%d -D DOUBLE_SUMS=%d -D STATEMENTS=", (int)p->coordinates, (int)p->depth,
            pass->sums != gram->op.x.dtype);
    size_t before = text.length;
    if (before < bytes)
        text.length += isg_gradient_statements(pass->plan, pass->mode, options + before, bytes - before);
    if (text.length >= bytes)
        return isg_fail(&gram->context->error, ISG_ERR_ARGUMENT,
                        "the covariance function has too many rows and operations for a gradient");
    return isg_program_kernel(gram->context, &p->kernel, "gradient.cl", "gradient", type, options);
}

isg_status isg_gradient_pass_run(void *user, const isg_gradient_pass *pass)
{
    isg_gram *gram = user;
    isg_status st;
    walker p = {.walk = {.gram = gram,
                         .transposed = pass->transposed,
                         .begin = begin,
                         .bring = bring,
                         .launch = launch,
                         .end = end,
                         .done = pass->done,
                         .total = pass->of},
                .pass = pass};
    isg_walk *walk = &p.walk;
    const int64_t d = gram->op.x.dims;
    const bool cpu = gram->context->device.device_class == ISG_DEVICE_CPU;
    char *options = malloc(ISG_MOST_OPTIONS);
    if (!options)
        return isg_fail(&gram->context->error, ISG_ERR_MEMORY, "no memory for a program's options");
    walk->job = &p;
    walk->shape = shape_of(gram);
    p.sums = isg_gradient_sums(pass->plan, pass->mode, d);
    p.element = (int64_t)isg_dtype_bytes(pass->sums);
    p.depth = depth_of(&walk->shape, isg_gradient_outputs(pass->plan, pass->mode), cpu);
    p.coordinates = (int32_t)(d <= 4 ? d : 4);
    walk->cost = 16 + pass->sides->columns + (pass->mode == ISG_BY_NUMBERS ? 0 : 2 * (double)d);
    walk->bytes_per_target = isg_max(p.sums, pass->sides->columns) * p.element;
    walk->bytes_per_source = isg_max(pass->sides->columns, 1) * p.element;
    TRY(isg_finish(gram->context)); // a caller's commands in the queue would count as this call's time
    TRY(get_kernel(&p, options, ISG_MOST_OPTIONS));
    TRY(isg_walk_run(walk));
fail:
    free(options);
    isg_buffer_free(&p.v);
    isg_buffer_free(&p.w);
    isg_buffer_free(&p.totals);
    isg_buffer_free(&p.open);
    isg_programs_save(gram->context);
    return st;
}
