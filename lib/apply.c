// The operator's products with vectors: what goes along the walk, and the way of sums back to where OUT lies.
#include "cl.h"
#include "probe.h"
#include "reference.h"
#include "walk.h"
#include "weights.h"

#include <isogram/apply.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// One call.
typedef struct product {
    isg_walk walk;
    isg_weights weights;
    isg_array out; // two-dimensional
    isg_dtype sums;
    double alpha, beta;
    bool wide;             // columns share what is computed of K
    int64_t group, groups; // of columns: the pass's first, and how many
    cl_kernel kernel, join;
    cl_mem v, totals, open, partial; // of the walk's sets
    int64_t v_pitch;                 // sources that v has room for
} product;

enum {
    MOST_GROUPS = 16, // of columns whose sums share K's values
    PARTIAL_BYTES = 16 << 20
};

static isg_status check_matrix(isg_array *a, int64_t rows, int64_t columns, const char *name, isg_error *error)
{
    if (a->mem)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s is a cl_mem; it must lie in host memory", name);
    if (a->ndim == 1) {
        a->ndim = 2;
        a->shape[1] = 1;
        a->strides[1] = 1;
    }
    if (a->ndim != 2 || (!a->data && a->shape[0] > 0 && a->shape[1] > 0))
        return isg_fail(error, ISG_ERR_SHAPE, "%s must be a matrix or a vector, with data", name);
    if (a->shape[0] != rows || a->shape[1] < 0 || (columns >= 0 && a->shape[1] != columns))
        return isg_fail(error, ISG_ERR_SHAPE, "%s is %lld x %lld, and must have %lld rows%s", name,
                        (long long)a->shape[0], (long long)a->shape[1], (long long)rows,
                        a->shape[0] == rows ? " and V's columns" : "");
    return ISG_OK;
}

// Checks all that the caller gave.
static isg_status check(isg_gram *gram, isg_array *v, isg_array *out, const isg_apply_params *params)
{
    isg_error *error = &gram->context->error;
    isg_status st;
    isg_place v_place, out_place;
    const isg_operator *op = &gram->op;
    const isg_dtype dtype = op->x.dtype;
    if ((unsigned)params->accumulate > ISG_PRECISION_F64 ||
        (params->accumulate == ISG_PRECISION_F32 && dtype == ISG_F64))
        return isg_fail(error, ISG_ERR_ARGUMENT, "sums are of the operator's precision or of double");
    const bool mixed = params->accumulate == ISG_PRECISION_F64 && dtype == ISG_F32;
    const double most = dtype == ISG_F64 || mixed ? DBL_MAX : (double)FLT_MAX;
    if (!(fabs(params->alpha) <= most) || !(fabs(params->beta) <= most))
        return isg_fail(error, ISG_ERR_ARGUMENT, "alpha %g, beta %g; they must be finite%s", params->alpha,
                        params->beta, most < DBL_MAX ? " in single precision" : "");
    if ((st = check_matrix(v, params->transpose ? op->x.count : op->y.count, -1, "V", error)) ||
        (st = check_matrix(out, params->transpose ? op->y.count : op->x.count, v->shape[1], "OUT", error)))
        return st;
    if (isg_dtype_bytes(v->dtype) == 0 || v->dtype == ISG_F16)
        return isg_fail(error, ISG_ERR_DTYPE, "V is of %s", isg_dtype_name(v->dtype));
    if (out->dtype != (mixed ? ISG_F64 : dtype) && !(mixed && out->dtype == ISG_F32))
        return isg_fail(error, ISG_ERR_DTYPE, "OUT is %s, the sums %s", isg_dtype_name(out->dtype),
                        isg_dtype_name(mixed ? ISG_F64 : dtype));
    if ((st = isg_view_place(gram->context, v, "V", &v_place)) ||
        (st = isg_view_place(gram->context, out, "OUT", &out_place)))
        return st;
    if (isg_places_meet(&out_place, &v_place) || isg_places_meet(&out_place, &gram->x_place) ||
        isg_places_meet(&out_place, &gram->y_place))
        return isg_fail(error, ISG_ERR_ARGUMENT, "OUT overlaps the memory of V or of the points");
    if (v->shape[1] > 0 && isg_view_overlaps_itself(out))
        return isg_fail(error, ISG_ERR_SHAPE, "OUT's strides of %lld and %lld make elements of it overlap",
                        (long long)out->strides[0], (long long)out->strides[1]);
    return mixed ? isg_context_require(gram->context, ISG_F64) : ISG_OK;
}

static int64_t pass_columns(const product *p)
{
    return p->groups * p->weights.width;
}

static int64_t pitch_of(const product *p)
{
    const isg_tile_shape *s = &p->walk.shape;
    return isg_round_up(p->walk.target_count, (int64_t)s->lanes * s->vectors * s->group);
}

// Sums of all targets of the set, for each column of the pass: all 0.
static isg_status zeros(product *p, cl_mem *mem)
{
    isg_context *context = p->walk.gram->context;
    int64_t count = pass_columns(p) * pitch_of(p);
    size_t element = isg_dtype_bytes(p->sums);
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
    product *p = walk->job;
    isg_status st;
    int64_t element = (int64_t)isg_dtype_bytes(p->sums);
    TRY(zeros(p, &p->totals));
    TRY(zeros(p, &p->open));
    // What is not asked for of partial sums still wants a buffer.
    isg_buffer_free(&p->partial);
    walk->most_blocks =
        isg_min(PARTIAL_BYTES, walk->gram->context->max_alloc_bytes) / (pass_columns(p) * pitch_of(p) * element);
    if (walk->most_blocks > 1)
        walk->most_blocks = isg_min(walk->most_blocks, isg_walk_sources(walk)->count / ISG_BLOCK_SOURCES + 1);
    if (walk->most_blocks > 1)
        TRY(isg_buffer_new(walk->gram->context, &p->partial, CL_MEM_READ_WRITE,
                           walk->most_blocks * pass_columns(p) * pitch_of(p) * element));
fail:
    return st;
}

// The set's weights, group by group.
static isg_status bring(isg_walk *walk)
{
    product *p = walk->job;
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

static isg_status launch(isg_walk *walk, const isg_stretch *s)
{
    product *p = walk->job;
    isg_context *context = walk->gram->context;
    isg_status st;
    isg_arg args[ISG_WALK_ARGS + 14];
    int n = ISG_WALK_ARGS;
    isg_walk_args(walk, args);
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
        int64_t size = pass_columns(p) * pitch_of(p);
        TRY(isg_run(context, p->join,
                    ISG_ARGS(arg_mem(p->partial), arg_mem(p->totals), arg_int(s->blocks), arg_int(size)),
                    (isg_range){{size, 1}, {64, 1}}));
    }
fail:
    return st;
}

// alpha S + beta OUT, rounded once more where OUT is narrower than the sums.
static void put(const product *p, int64_t target, int64_t column, double sum)
{
    const isg_array *out = &p->out;
    int64_t at = target * out->strides[0] + column * out->strides[1];
    double old = p->beta == 0 ? 0 : isg_load_double(out->dtype, out->data, at);
    double value =
        isg_reference_get(p->sums, false)->combine(p->alpha, sum, p->weights.exponents[column], p->beta, old);
    if (out->dtype == ISG_F32 && fabs(value) < FLT_MIN)
        value = fabs((float)value) < FLT_MIN ? 0 : value;
    isg_store_double(out->dtype, out->data, at, value);
}

static isg_status end(isg_walk *walk)
{
    product *p = walk->job;
    isg_context *context = walk->gram->context;
    isg_status st = ISG_OK;
    const int64_t pitch = pitch_of(p), first = p->group * p->weights.width;
    size_t element = isg_dtype_bytes(p->sums), bytes = (size_t)(pass_columns(p) * pitch) * element;
    void *all = isg_alloc(pass_columns(p) * pitch, element);
    if (!all)
        return isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for sums");
    CL_TRY(context, clEnqueueReadBuffer(context->queue, p->totals, CL_TRUE, 0, bytes, all, 0, NULL, NULL));
    for (int64_t c = 0; c < isg_min(pass_columns(p), p->weights.columns - first); c++)
        for (int64_t i = 0; i < walk->target_count; i++)
            put(p, walk->target_first + i, first + c, isg_load_double(p->sums, all, c * pitch + i));
fail:
    free(all);
    return st;
}

// The kernels of a pass. Its looking at products depends on its columns, its bits do not.
static isg_status get_kernels(product *p)
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
            p->wide ? (int)room : 0, (int)p->walk.shape.depth, fine, p->sums != dtype);
    TRY(isg_program_kernel(gram->context, &p->kernel, "apply.cl", p->wide ? "apply_wide" : "apply", type, options));
    TRY(isg_program_kernel(gram->context, &p->join, "apply.cl", "join", type, options));
fail:
    return st;
}

static isg_status compute(product *p, const isg_array *v)
{
    isg_status st;
    isg_gram *gram = p->walk.gram;
    isg_context *context = gram->context;
    const int64_t r = v->shape[1], element = (int64_t)isg_dtype_bytes(p->sums);
    isg_walk *walk = &p->walk;
    walk->shape = isg_walk_shape(gram, r);
    p->wide = walk->shape.depth > 0;
    // Groups of equal width; in double beside single values, half as wide.
    const int64_t widest = walk->shape.columns / (p->wide && p->sums != gram->op.x.dtype ? 2 : 1);
    const int64_t groups = (r + widest - 1) / widest;
    const int32_t width = (int32_t)((r + groups - 1) / groups);
    TRY(isg_finish(context)); // a caller's commands in the queue would count as this call's time
    TRY(isg_weights_make(&p->weights, v, gram->op.x.dtype, p->sums, isg_operator_largest(&gram->op), width,
                         &context->error));
    const int64_t most = p->wide ? MOST_GROUPS : 1;
    walk->total = (double)gram->op.x.count * (double)gram->op.y.count * (double)((p->weights.groups + most - 1) / most);
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

isg_status isg_gram_apply(isg_gram *gram, isg_array v, isg_array out, const isg_apply_params *params)
{
    static const isg_apply_params defaults;
    params = params ? params : &defaults;
    isg_error_clear(&gram->context->error);
    isg_status st = check(gram, &v, &out, params);
    if (st || v.shape[1] == 0)
        return st;
    const bool mixed = params->accumulate == ISG_PRECISION_F64;
    product p = {.walk = {.gram = gram,
                          .transposed = params->transpose != 0,
                          .begin = begin,
                          .bring = bring,
                          .launch = launch,
                          .end = end},
                 .out = out,
                 .sums = mixed ? ISG_F64 : gram->op.x.dtype,
                 .alpha = params->alpha == 0 ? 1 : params->alpha,
                 .beta = params->beta};
    p.walk.job = &p;
    st = compute(&p, &v);
    isg_weights_free(&p.weights);
    isg_buffer_free(&p.v);
    isg_buffer_free(&p.totals);
    isg_buffer_free(&p.open);
    isg_buffer_free(&p.partial);
    isg_programs_save(gram->context);
    return st;
}
