// The host's reductions, row by row of all of K.
#include "reference_reduce.h"
#include "weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put(const isg_reduce_params *p, int64_t i, int64_t c, double value)
{
    isg_store_double(p->out.dtype, p->out.data, i * p->out.strides[0] + c * p->out.strides[1], value);
}

// The extremes of one row, by looking for each through all of them.
static bool extremes(const isg_reduce_params *p, isg_dtype dtype, const void *row, int64_t count, int64_t i)
{
    const bool largest = p->reduction == ISG_REDUCE_LARGEST;
    bool *taken = calloc((size_t)count + 1, sizeof *taken);
    for (int32_t c = 0; taken && c < (p->count ? p->count : 1); c++) {
        int64_t best = -1;
        double value = NAN;
        for (int64_t j = 0; j < count; j++) {
            double v = isg_load_double(dtype, row, j);
            if (!taken[j] && !isnan(v) && (best < 0 || (largest ? v > value : v < value))) {
                best = j;
                value = v;
            }
        }
        if (best >= 0)
            taken[best] = true;
        put(p, i, c, value);
        if (p->indices.dtype != ISG_DTYPE_NONE)
            ((int64_t *)p->indices.data)[i * p->indices.strides[0] + c * p->indices.strides[1]] = best;
    }
    free(taken);
    return taken != NULL;
}

// The largest of the row, or 0 where there is none that counts.
static double shift_of(isg_dtype dtype, const void *row, int64_t count)
{
    double largest = -INFINITY;
    for (int64_t j = 0; j < count; j++) {
        double v = isg_load_double(dtype, row, j);
        largest = v > largest ? v : largest;
    }
    return largest == -INFINITY ? 0 : largest;
}

// What the rows have in common. v: of ones, or a mean's, and ones.
typedef struct shared {
    const isg_reference *reference;
    const void *factors; // of the targets' rows of K, which logarithms leave out; NULL: none
    isg_weights v, ones;
    void *log_weights;
} shared;

static double sum_of(const shared *s, const isg_weights *w, int64_t column, const void *row)
{
    const char *v = (const char *)w->values + (size_t)(column * w->count) * isg_dtype_bytes(w->dtype);
    return s->reference->sum(row, v, 1, w->count, w->dtype);
}

// false: no memory.
static bool exponentials(const shared *s, const isg_reduce_params *p, char *row, int64_t count, int64_t i)
{
    isg_dtype dtype = s->reference->dtype;
    double shift[1];
    s->reference->shift(row, s->log_weights, NULL, count);
    isg_store_double(dtype, shift, 0, shift_of(dtype, row, count));
    // exp(row - shift), the weights being there already.
    void *none = isg_alloc(count, isg_dtype_bytes(dtype));
    if (!none)
        return false;
    s->reference->shift(row, none, shift, count);
    free(none);
    double total = sum_of(s, &s->ones, 0, row);
    const double factor = s->factors ? isg_log_factor(s->reference, s->factors, i) : 0;
    if (p->reduction == ISG_REDUCE_LOGSUMEXP)
        put(p, i, 0, s->reference->log_sum(isg_load_double(dtype, shift, 0) + factor, total, s->ones.exponents[0]));
    for (int64_t c = 0; p->reduction == ISG_REDUCE_MEAN && c < p->v.shape[1]; c++)
        put(p, i, c,
            factor > -INFINITY
                ? s->reference->quotient(sum_of(s, &s->v, c, row), total, s->v.exponents[c] - s->ones.exponents[0])
                : NAN);
    return true;
}

static bool make_shared(shared *s, const isg_operator *op, const isg_reduce_params *p, int64_t sources)
{
    static const double one = 1;
    isg_dtype dtype = op->x.dtype;
    const bool logs = p->reduction == ISG_REDUCE_LOGSUMEXP || p->reduction == ISG_REDUCE_MEAN;
    const int largest = logs ? 0 : isg_operator_largest(op);
    isg_array ones = isg_matrix(ISG_F64, &one, sources, 1);
    ones.strides[0] = 0;
    s->log_weights = isg_alloc(sources, isg_dtype_bytes(dtype));
    if (!s->log_weights || isg_weights_make(&s->ones, &ones, dtype, dtype, largest, 1, NULL))
        return false;
    isg_log_weights(s->reference, &p->weights, p->transpose ? op->factors : NULL, sources, s->log_weights);
    s->factors = p->transpose ? NULL : op->factors;
    return p->reduction != ISG_REDUCE_MEAN || isg_weights_make(&s->v, &p->v, dtype, dtype, 0, 1, NULL) == ISG_OK;
}

bool isg_reference_reduce(const isg_operator *op, bool fused, const isg_reduce_params *p)
{
    const bool transposed = p->transpose != 0;
    const bool logs = p->reduction == ISG_REDUCE_LOGSUMEXP || p->reduction == ISG_REDUCE_MEAN;
    const int64_t n = op->x.count, m = op->y.count, sources = transposed ? n : m;
    isg_dtype dtype = op->x.dtype;
    size_t bytes = isg_dtype_bytes(dtype);
    shared s = {.reference = isg_reference_get(dtype, fused)};
    char *k = isg_alloc(n * m, bytes), *row = isg_alloc(sources, bytes);
    bool ok = k && row && make_shared(&s, op, p, sources);
    if (ok)
        (logs ? s.reference->logs : s.reference->gram)(&op->plan, &op->x, &op->y, k, m);
    for (int64_t i = 0; ok && i < (transposed ? m : n); i++) {
        for (int64_t j = 0; j < sources; j++)
            memcpy(row + (size_t)j * bytes, k + (size_t)(transposed ? j * m + i : i * m + j) * bytes, bytes);
        if (logs)
            ok = exponentials(&s, p, row, sources, i);
        else if (p->reduction == ISG_REDUCE_SUM)
            put(p, i, 0, s.reference->combine(1, sum_of(&s, &s.ones, 0, row), s.ones.exponents[0], 0, 0));
        else
            ok = extremes(p, dtype, row, sources, i);
    }
    isg_weights_free(&s.v);
    isg_weights_free(&s.ones);
    free(s.log_weights);
    free(row);
    free(k);
    return ok;
}
