// Reductions of an operator's rows: checked here, and put together from sums and extremes.
#include "cl.h"
#include "extremes.h"
#include "probe.h"
#include "sums.h"
#include "weights.h"

#include <isogram/reduce.h>

#include <math.h>
#include <stdlib.h>

// Arrays that may lie in buffers.
enum { LENT_WEIGHTS, LENT_V, LENT_OUT, LENT_INDICES, LENT_COUNT };

// One call.
typedef struct reduction {
    isg_gram *gram;
    const isg_reduce_params *params;
    isg_array out, indices, v; // two-dimensional
    int64_t targets, sources;
    const isg_reference *reference;
    double *sums; // of means: targets x columns of v, and one more
    int *powers;  // of two, of these columns
    char *shifts;
    isg_skip_report report;
    isg_lent lent[LENT_COUNT];
} reduction;

// Turns a vector into a matrix of one column.
static isg_status check_matrix(isg_array *a, int64_t rows, const char *name, isg_error *error)
{
    if (a->ndim == 1) {
        a->ndim = 2;
        a->shape[1] = 1;
        a->strides[1] = 1;
    }
    if (a->ndim != 2 || (!a->data && !a->mem && rows > 0) || a->shape[0] != rows || a->shape[1] < 1)
        return isg_fail(error, ISG_ERR_SHAPE, "%s must have data and %lld rows", name, (long long)rows);
    return ISG_OK;
}

// From here on it lies in host memory.
static isg_status check_input(isg_context *context, isg_array *a, isg_lent *lent, int64_t rows, const char *name)
{
    isg_error *error = &context->error;
    isg_place place;
    isg_status st = check_matrix(a, rows, name, error);
    if (!st && (isg_dtype_bytes(a->dtype) == 0 || a->dtype == ISG_F16))
        st = isg_fail(error, ISG_ERR_DTYPE, "%s is of %s", name, isg_dtype_name(a->dtype));
    if (st || (st = isg_view_place(context, a, name, &place)) || (st = isg_view_lend(context, lent, a, name)))
        return st;
    *a = lent->host;
    return ISG_OK;
}

// Checks where an output lies, against the points and the other arrays.
static isg_status check_output(reduction *r, isg_array *a, int64_t columns, isg_dtype dtype, const char *name,
                               const isg_array *const *others, int count)
{
    isg_error *error = &r->gram->context->error;
    isg_place place, other;
    isg_status st = check_matrix(a, r->targets, name, error);
    if (st)
        return st;
    if (a->dtype != dtype)
        return isg_fail(error, ISG_ERR_DTYPE, "%s is %s, and must be %s", name, isg_dtype_name(a->dtype),
                        isg_dtype_name(dtype));
    if (a->shape[1] != columns)
        return isg_fail(error, ISG_ERR_SHAPE, "%s has %lld columns, and must have %lld", name, (long long)a->shape[1],
                        (long long)columns);
    if (a->mem && (isg_view_flags(a->mem) & (CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_NO_ACCESS)))
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s: its buffer was made so that the host cannot write it", name);
    if (r->targets > 0 && isg_view_overlaps_itself(a))
        return isg_fail(error, ISG_ERR_SHAPE, "%s: its strides make elements of it overlap", name);
    if ((st = isg_view_place(r->gram->context, a, name, &place)))
        return st;
    bool meets = isg_places_meet(&place, &r->gram->x_place) || isg_places_meet(&place, &r->gram->y_place);
    for (int i = 0; i < count; i++)
        if (others[i]->dtype != ISG_DTYPE_NONE) {
            if ((st = isg_view_place(r->gram->context, others[i], name, &other)))
                return st;
            meets = meets || isg_places_meet(&place, &other);
        }
    return meets ? isg_fail(error, ISG_ERR_ARGUMENT, "%s overlaps the memory of another array", name) : ISG_OK;
}

static bool takes_weights(isg_reduction kind)
{
    return kind == ISG_REDUCE_LOGSUMEXP || kind == ISG_REDUCE_MEAN;
}

static bool takes_count(isg_reduction kind)
{
    return kind == ISG_REDUCE_LEAST || kind == ISG_REDUCE_LARGEST;
}

static isg_status check_weights(reduction *r, isg_array *weights)
{
    isg_error *error = &r->gram->context->error;
    isg_status st = check_input(r->gram->context, weights, &r->lent[LENT_WEIGHTS], r->sources, "weights");
    for (int64_t j = 0; j < r->sources && !st; j++) {
        double w = isg_load_double(weights->dtype, weights->data, j * weights->strides[0]);
        if (!(w >= 0) || isinf(w))
            st = isg_fail(error, ISG_ERR_ARGUMENT, "weight %lld is %g; it must be finite and not negative",
                          (long long)j, w);
    }
    return st;
}

// Checks all that the caller gave. count: of extremes.
static isg_status check(reduction *r, isg_array *weights, int32_t *count)
{
    const isg_reduce_params *p = r->params;
    const isg_operator *op = &r->gram->op;
    isg_error *error = &r->gram->context->error;
    isg_status st;
    *count = p->count == 0 ? 1 : p->count;
    if ((unsigned)p->reduction >= ISG_REDUCTION_COUNT)
        return isg_fail(error, ISG_ERR_ARGUMENT, "unknown reduction");
    if ((unsigned)p->skip > ISG_SKIP_NEVER || !(p->tolerance >= 0 && p->tolerance < 1) ||
        (p->tolerance > 0 && p->reduction != ISG_REDUCE_SUM))
        return isg_fail(error, ISG_ERR_ARGUMENT, "skipping %d with tolerance %g; one in [0, 1) is for sums",
                        (int)p->skip, p->tolerance);
    if (takes_count(p->reduction) && (*count < 1 || *count > ISG_MOST_EXTREMES || *count > r->sources))
        return isg_fail(error, ISG_ERR_ARGUMENT, "%d values of each %lld; 1 to %lld are possible", (int)*count,
                        (long long)r->sources, (long long)isg_min(r->sources, ISG_MOST_EXTREMES));
    if (takes_count(p->reduction) && r->sources > INT32_MAX)
        return isg_fail(error, ISG_ERR_OVERFLOW, "%lld points are too many to be numbered", (long long)r->sources);
    if (!takes_weights(p->reduction) && (p->weights.dtype != ISG_DTYPE_NONE || p->v.dtype != ISG_DTYPE_NONE))
        return isg_fail(error, ISG_ERR_ARGUMENT, "weights are for logsumexp and means");
    if (!takes_count(p->reduction) && (p->count != 0 || p->indices.dtype != ISG_DTYPE_NONE))
        return isg_fail(error, ISG_ERR_ARGUMENT, "a count and indices are for extremes");
    if ((p->v.dtype != ISG_DTYPE_NONE) != (p->reduction == ISG_REDUCE_MEAN))
        return isg_fail(error, ISG_ERR_ARGUMENT, "means, and nothing else, are of vectors v");
    if ((weights->dtype != ISG_DTYPE_NONE && (st = check_weights(r, weights))) ||
        (p->reduction == ISG_REDUCE_MEAN &&
         (st = check_input(r->gram->context, &r->v, &r->lent[LENT_V], r->sources, "v"))))
        return st;
    int64_t columns = takes_count(p->reduction) ? *count : p->reduction == ISG_REDUCE_MEAN ? r->v.shape[1] : 1;
    const isg_array *others[] = {&p->weights, &p->v, &p->indices};
    if ((st = check_output(r, &r->out, columns, op->x.dtype, "out", others, 2)))
        return st;
    others[2] = &p->out;
    return r->indices.dtype == ISG_DTYPE_NONE ? ISG_OK
                                              : check_output(r, &r->indices, columns, ISG_I64, "indices", others, 3);
}

static void put_out(const reduction *r, int64_t target, int64_t column, double value)
{
    isg_store_double(r->out.dtype, r->out.data, target * r->out.strides[0] + column * r->out.strides[1], value);
}

static void put_sum(void *user, int64_t target, int64_t column, double sum, int exponent)
{
    const reduction *r = user;
    put_out(r, target, column, r->reference->combine(1, sum, exponent, 0, 0));
}

// Of the target's row of K.
static double log_factor(const reduction *r, int64_t target)
{
    const void *factors = r->params->transpose ? NULL : r->gram->op.factors;
    return factors ? isg_log_factor(r->reference, factors, target) : 0;
}

static void put_log(void *user, int64_t target, int64_t column, double sum, int exponent)
{
    const reduction *r = user;
    const double shift = isg_load_double(r->out.dtype, r->shifts, target), factor = log_factor(r, target);
    put_out(r, target, column, r->reference->log_sum(shift + factor, sum, exponent));
}

static void keep_sum(void *user, int64_t target, int64_t column, double sum, int exponent)
{
    reduction *r = user;
    r->sums[target * (r->v.shape[1] + 1) + column] = sum;
    r->powers[column] = exponent;
}

// A column of ones that takes no memory.
static const double one = 1;

static isg_array ones(int64_t count)
{
    isg_array a = isg_matrix(ISG_F64, &one, count, 1);
    a.strides[0] = 0;
    return a;
}

static isg_status sum_rows(reduction *r)
{
    return isg_sums_run(&(isg_sums){.gram = r->gram,
                                    .transposed = r->params->transpose != 0,
                                    .v = ones(r->sources),
                                    .dtype = r->out.dtype,
                                    .put = put_sum,
                                    .user = r,
                                    .skip = r->params->skip,
                                    .tolerance = r->params->tolerance,
                                    .report = &r->report});
}

static isg_status find_extremes(reduction *r, int32_t count)
{
    isg_status st;
    isg_error *error = &r->gram->context->error;
    const bool told = r->indices.dtype != ISG_DTYPE_NONE;
    void *values = isg_alloc(r->targets * count, isg_dtype_bytes(r->out.dtype));
    int64_t *sources = told ? isg_alloc(r->targets * count, sizeof *sources) : NULL;
    if (!values || (told && !sources))
        st = isg_fail(error, ISG_ERR_MEMORY, "no memory for %lld x %d values", (long long)r->targets, (int)count);
    else
        st = isg_extremes_run(&(isg_extremes){.gram = r->gram,
                                              .transposed = r->params->transpose != 0,
                                              .largest = r->params->reduction == ISG_REDUCE_LARGEST,
                                              .count = count,
                                              .report = &r->report,
                                              .values = values,
                                              .sources = sources});
    for (int64_t i = 0; i < r->targets && !st; i++)
        for (int32_t c = 0; c < count; c++) {
            put_out(r, i, c, isg_load_double(r->out.dtype, values, i * count + c));
            if (told)
                ((int64_t *)r->indices.data)[i * r->indices.strides[0] + c * r->indices.strides[1]] =
                    sources[i * count + c];
        }
    free(values);
    free(sources);
    return st;
}

// v with a column of ones behind it, in double, which every element type but 64-bit integers fits exactly.
static double *with_ones(const reduction *r)
{
    int64_t columns = r->v.shape[1];
    double *all = isg_alloc(r->sources * (columns + 1), sizeof *all);
    for (int64_t j = 0; all && j < r->sources; j++) {
        for (int64_t c = 0; c < columns; c++)
            all[j * (columns + 1) + c] =
                isg_load_double(r->v.dtype, r->v.data, j * r->v.strides[0] + c * r->v.strides[1]);
        all[j * (columns + 1) + columns] = 1;
    }
    return all;
}

// Sums of exponentials, each row's relative to its largest one. Two walks: what a row is relative to, and the sums.
static isg_status sum_exponentials(reduction *r, const char *log_weights)
{
    isg_status st;
    isg_context *context = r->gram->context;
    const bool mean = r->params->reduction == ISG_REDUCE_MEAN;
    const int64_t columns = mean ? r->v.shape[1] : 0;
    const double pairs = (double)r->targets * (double)r->sources;
    isg_skip_report largest;
    double *v = NULL;
    TRY(isg_extremes_run(&(isg_extremes){.gram = r->gram,
                                         .transposed = r->params->transpose != 0,
                                         .largest = true,
                                         .count = 1,
                                         .total = 2 * pairs,
                                         .log_weights = log_weights,
                                         .skip = r->params->skip,
                                         .report = &largest,
                                         .values = r->shifts}));
    // A row of nothing but log 0, or of NaN, is relative to 0: its exponentials are 0, or NaN.
    for (int64_t i = 0; i < r->targets; i++) {
        double shift = isg_load_double(r->out.dtype, r->shifts, i);
        if (isnan(shift) || shift == -INFINITY)
            isg_store_double(r->out.dtype, r->shifts, i, 0);
    }
    if (mean) {
        v = with_ones(r);
        r->sums = isg_alloc(r->targets * (columns + 1), sizeof *r->sums);
        r->powers = calloc((size_t)columns + 1, sizeof *r->powers);
    }
    if (mean && (!v || !r->sums || !r->powers)) {
        st = isg_fail(&context->error, ISG_ERR_MEMORY, "no memory for means");
        goto fail;
    }
    TRY(isg_sums_run(&(isg_sums){.gram = r->gram,
                                 .transposed = r->params->transpose != 0,
                                 .v = mean ? isg_matrix_f64(v, r->sources, columns + 1) : ones(r->sources),
                                 .dtype = r->out.dtype,
                                 .before = pairs,
                                 .log_weights = log_weights,
                                 .shifts = r->shifts,
                                 .put = mean ? keep_sum : put_log,
                                 .user = r,
                                 .skip = r->params->skip,
                                 .report = &r->report}));
    r->report.pairs += largest.pairs;
    r->report.computed += largest.computed;
    for (int64_t i = 0; i < r->targets; i++)
        for (int64_t c = 0; c < columns; c++) {
            const double *row = r->sums + i * (columns + 1);
            // A factor of the row goes in both sums; 0/0 and negative ones are no number.
            put_out(r, i, c,
                    log_factor(r, i) > -INFINITY
                        ? r->reference->quotient(row[c], row[columns], r->powers[c] - r->powers[columns])
                        : NAN);
        }
fail:
    free(v);
    return st;
}

static isg_status reduce_exponentials(reduction *r, const isg_array *weights)
{
    isg_status st;
    size_t element = isg_dtype_bytes(r->out.dtype);
    char *log_weights = isg_alloc(r->sources, element);
    r->shifts = isg_alloc(r->targets, element);
    if (!log_weights || !r->shifts) {
        st = isg_fail(&r->gram->context->error, ISG_ERR_MEMORY, "no memory for weights");
    } else {
        isg_log_weights(r->reference, weights, r->params->transpose ? r->gram->op.factors : NULL, r->sources,
                        log_weights);
        st = sum_exponentials(r, log_weights);
    }
    free(log_weights);
    free(r->shifts);
    free(r->sums);
    free(r->powers);
    return st;
}

isg_status isg_gram_reduce(isg_gram *gram, const isg_reduce_params *params)
{
    isg_status st = isg_gram_enter(gram);
    if (st)
        return st;
    if (!params)
        return isg_fail(&gram->context->error, ISG_ERR_ARGUMENT, "a reduction needs an output");
    const bool transposed = params->transpose != 0;
    reduction r = {.gram = gram,
                   .params = params,
                   .out = params->out,
                   .indices = params->indices,
                   .v = params->v,
                   .targets = transposed ? gram->op.y.count : gram->op.x.count,
                   .sources = transposed ? gram->op.x.count : gram->op.y.count,
                   .reference = isg_reference_get(gram->op.x.dtype, isg_probe_fused(gram->context, gram->op.x.dtype))};
    isg_array weights = params->weights;
    int32_t count;
    TRY(check(&r, &weights, &count));
    TRY(isg_view_lend(gram->context, &r.lent[LENT_OUT], &r.out, "out"));
    r.out = r.lent[LENT_OUT].host;
    if (r.indices.dtype != ISG_DTYPE_NONE)
        TRY(isg_view_lend(gram->context, &r.lent[LENT_INDICES], &r.indices, "indices"));
    r.indices = r.lent[LENT_INDICES].host;
    if (takes_weights(params->reduction))
        TRY(reduce_exponentials(&r, &weights));
    else
        TRY(params->reduction == ISG_REDUCE_SUM ? sum_rows(&r) : find_extremes(&r, count));
    TRY(isg_view_return(gram->context, &r.lent[LENT_OUT]));
    TRY(isg_view_return(gram->context, &r.lent[LENT_INDICES]));
    if (params->report)
        *params->report = r.report;
fail:
    for (int i = 0; i < LENT_COUNT; i++)
        isg_lent_free(&r.lent[i]);
    return st;
}
