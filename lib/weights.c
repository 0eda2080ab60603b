// The weights of sums: columns of V, scaled.
#include "weights.h"

#include <math.h>
#include <stdlib.h>

typedef struct extremes {
    double largest, smallest; // of the finite |v| but 0; 0: there are none
} extremes;

static extremes extremes_of(const isg_array *v, int64_t column)
{
    extremes e = {0, 0};
    for (int64_t j = 0; j < v->shape[0]; j++) {
        double x = fabs(isg_load_double(v->dtype, v->data, j * v->strides[0] + column * v->strides[1]));
        if (!isfinite(x) || x == 0)
            continue;
        e.largest = fmax(e.largest, x);
        e.smallest = e.smallest == 0 ? x : fmin(e.smallest, x);
    }
    return e;
}

// Where the largest weight goes: 2^31 products of 2^(largest + top + 1) are below 2^127 (2^1023).
static int top_of(isg_dtype sums, int largest, int64_t count)
{
    int terms = 31;
    while (terms < 62 && ((int64_t)1 << terms) < count)
        terms++;
    return (sums == ISG_F64 ? 1022 : 126) - terms - (largest > 0 ? largest : 0);
}

// One column of weights into place.
static void put_column(const isg_weights *w, const isg_array *v, int64_t column, isg_dtype precision)
{
    int64_t group = column / w->width, at = column % w->width;
    double least = w->dtype == ISG_F64 ? 0x1p-1022 : 0x1p-126;
    for (int64_t j = 0; j < w->count; j++) {
        double x = isg_load_double(v->dtype, v->data, j * v->strides[0] + column * v->strides[1]);
        x = ldexp(x, -w->exponents[column]);
        if (precision == ISG_F32)
            x = (float)x;
        // Of the sums' own type a subnormal weight would be 0 on some devices.
        isg_store_double(w->dtype, w->values, (group * w->count + j) * w->width + at, fabs(x) < least ? 0 : x);
    }
}

isg_status isg_weights_make(isg_weights *weights, const isg_array *v, isg_dtype precision, isg_dtype sums, int largest,
                            int32_t width, isg_error *error)
{
    const int64_t count = v->shape[0], columns = v->shape[1], groups = (columns + width - 1) / width;
    int64_t all;
    // From here on products of any normal value are large enough.
    const int enough = sums == ISG_F64 ? 124 : 48;
    const bool mixed = sums != precision;
    *weights = (isg_weights){.dtype = sums, .count = count, .columns = columns, .groups = groups, .width = width};
    if (!isg_mul(groups * width, count, &all) || !(weights->values = isg_alloc(all, isg_dtype_bytes(sums))) ||
        !(weights->exponents = calloc((size_t)columns + 1, sizeof *weights->exponents)) ||
        !(weights->fine = calloc((size_t)columns + 1, sizeof *weights->fine))) {
        isg_weights_free(weights);
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for %lld x %lld weights", (long long)count,
                        (long long)columns);
    }
    for (int64_t p = 0; p < columns; p++) {
        extremes e = extremes_of(v, p);
        int top = mixed ? 0 : top_of(sums, largest, count);
        if (e.largest > 0)
            weights->exponents[p] = ilogb(e.largest) - top;
        weights->fine[p] = !mixed && e.smallest > 0 && ilogb(e.smallest) - weights->exponents[p] < enough;
        put_column(weights, v, p, precision);
    }
    return ISG_OK;
}

void isg_weights_free(isg_weights *weights)
{
    free(weights->values);
    free(weights->exponents);
    free(weights->fine);
    weights->values = NULL;
    weights->exponents = NULL;
    weights->fine = NULL;
}

double isg_log_factor(const isg_reference *reference, const void *factors, int64_t row)
{
    double log = 0, factor = 0;
    isg_store_double(reference->dtype, &factor, 0, isg_load_double(reference->dtype, factors, row));
    reference->apply(FUNCTION_real_log, &factor, NULL, &log, 1);
    return isg_load_double(reference->dtype, &log, 0);
}

void isg_log_weights(const isg_reference *reference, const isg_array *weights, const void *factors, int64_t count,
                     void *logs)
{
    const isg_dtype dtype = reference->dtype;
    for (int64_t j = 0; j < count; j++)
        isg_store_double(dtype, logs, j,
                         weights->dtype == ISG_DTYPE_NONE
                             ? 1
                             : isg_load_double(weights->dtype, weights->data, j * weights->strides[0]));
    reference->apply(FUNCTION_real_log, logs, NULL, logs, count);
    for (int64_t j = 0; j < count && factors; j++)
        isg_store_double(dtype, logs, j, isg_load_double(dtype, logs, j) + isg_log_factor(reference, factors, j));
}
