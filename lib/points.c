#include "points.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static isg_status bad_value(double value, int64_t row, int64_t column, isg_dtype dtype, const char *name,
                            isg_error *error)
{
    if (isfinite(value))
        return isg_fail(error, ISG_ERR_RANGE, "%s: row %lld, column %lld is %g, too large for %s", name, (long long)row,
                        (long long)column, value, isg_dtype_name(dtype));
    return isg_fail(error, ISG_ERR_NONFINITE, "%s: row %lld, column %lld is %s", name, (long long)row,
                    (long long)column, isnan(value) ? "not a number" : "infinite");
}

// The largest finite |x| of one row; the column of the first value that is not finite in *bad, or -1. The bits of
// non-negative floats are ordered as the floats, which lets the compiler vectorise the common case.
static double scan_f32(const float *row, int64_t dims, int64_t *bad)
{
    uint32_t top = 0;
    for (int64_t k = 0; k < dims; k++) {
        uint32_t b;
        memcpy(&b, row + k, sizeof b);
        b &= 0x7fffffffu;
        top = b > top ? b : top;
    }
    *bad = -1;
    if (top < 0x7f800000u) {
        float largest;
        memcpy(&largest, &top, sizeof largest);
        return largest;
    }
    double largest = 0;
    for (int64_t k = dims - 1; k >= 0; k--) {
        if (!isfinite(row[k]))
            *bad = k;
        else
            largest = fmax(largest, fabs((double)row[k]));
    }
    return largest;
}

static double scan_f64(const double *row, int64_t dims, int64_t *bad)
{
    double largest = 0;
    *bad = -1;
    for (int64_t k = dims - 1; k >= 0; k--) {
        double a = fabs(row[k]);
        if (!(a <= DBL_MAX))
            *bad = k;
        else if (a > largest)
            largest = a;
    }
    return largest;
}

// Copies row i in the points' type and any stride of the array. The rounded value may have become infinite.
static void convert_row(const isg_array *array, int64_t i, isg_dtype dtype, void *to)
{
    for (int64_t k = 0; k < array->shape[1]; k++) {
        double v = isg_load_double(array->dtype, array->data, i * array->strides[0] + k * array->strides[1]);
        if (dtype == ISG_F32)
            ((float *)to)[k] = (float)v;
        else
            ((double *)to)[k] = v;
    }
}

isg_status isg_points_read(isg_points *points, const isg_array *array, isg_dtype dtype, bool allow_nonfinite,
                           const char *name, isg_error *error)
{
    *points = (isg_points){.dtype = dtype};
    if (isg_dtype_bytes(array->dtype) == 0)
        return isg_fail(error, ISG_ERR_DTYPE, "%s: unknown element type", name);
    if (array->ndim != 2)
        return isg_fail(error, ISG_ERR_SHAPE, "%s: %d-dimensional, where rows of points (2-D) are meant", name,
                        (int)array->ndim);
    points->count = array->shape[0];
    points->dims = array->shape[1];
    if (points->count < 1 || points->dims < 1)
        return isg_fail(error, ISG_ERR_SHAPE, "%s: %lld rows and %lld columns; at least one of each is needed", name,
                        (long long)points->count, (long long)points->dims);
    if (!array->data)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s: no data", name);
    int64_t total;
    isg_status st = isg_shape_count(dtype, 2, array->shape, &total, error);
    if (st)
        return st;

    size_t element = isg_dtype_bytes(dtype);
    // A view with wide gaps between its rows is copied: what is uploaded or wrapped are whole stretches of memory.
    int64_t stride = array->strides[0];
    bool in_place = array->dtype == dtype && (array->strides[1] == 1 || points->dims == 1) && stride >= points->dims &&
                    stride / 2 <= points->dims;
    if (in_place) {
        points->rows = array->data;
        points->stride = array->strides[0];
    } else {
        points->owned = isg_alloc(total, element);
        if (!points->owned)
            return isg_fail(error, ISG_ERR_MEMORY, "%s: no memory for a copy of %lld numbers", name, (long long)total);
        points->rows = points->owned;
        points->stride = points->dims;
    }
    for (int64_t i = 0; i < points->count; i++) {
        if (!in_place)
            convert_row(array, i, dtype, (char *)points->owned + (size_t)(i * points->stride) * element);
        const char *row = (const char *)points->rows + (size_t)(i * points->stride) * element;
        int64_t bad;
        double largest = dtype == ISG_F32 ? scan_f32((const float *)(const void *)row, points->dims, &bad)
                                          : scan_f64((const double *)(const void *)row, points->dims, &bad);
        for (int64_t k = bad; k >= 0 && k < points->dims; k++) {
            double v = isg_load_double(array->dtype, array->data, i * array->strides[0] + k * array->strides[1]);
            bool held = dtype == ISG_F64 || !isfinite(v) || isfinite((float)v);
            if (isfinite(v) ? held : allow_nonfinite)
                continue;
            isg_points_free(points);
            return bad_value(v, i, k, dtype, name, error);
        }
        points->largest = fmax(points->largest, largest);
    }
    return ISG_OK;
}

void isg_points_free(isg_points *points)
{
    free(points->owned);
    points->owned = NULL;
    points->rows = NULL;
}

// The factors of 2^e.
static void set_exponent(isg_scale *scale, int e, int lowest)
{
    int widest = -2 * lowest; // two normal factors
    e = e < -widest ? -widest : e > widest ? widest : e;
    scale->exponent = e;
    scale->factor1 = ldexp(1, e / 2);
    scale->factor2 = ldexp(1, e - e / 2);
    scale->tiny = ldexp(1, e < 0 ? lowest - e : lowest);
}

isg_status isg_scale_plan(isg_scale *scale, double a, double b, int power, double largest, isg_dtype dtype,
                          isg_error *error)
{
    bool wide = dtype == ISG_F64;
    int lowest = wide ? -1022 : -126; // exponent of the smallest normal number
    int highest = wide ? 1021 : 125;  // of the largest x', one bit below the type's own: differences double it
    // Each square below 2^lowest may be flushed, and up to 2^24 of them together must not matter: a' times their sum
    // has to stay below half an ulp of 1.
    int highest_a = -lowest - 24 - (wide ? 54 : 25);

    int q;
    frexp(a, &q);
    int e = power == 2 ? (q - (q & 1)) / 2 : q; // a * 2^(-power e) in [0.5, 2)
    if (largest > 0) {
        int room = highest - ilogb(largest);
        e = e < room ? e : room;
    }
    set_exponent(scale, e, lowest);
    scale->a = ldexp(a, -power * scale->exponent);
    scale->b = b;
    if (!(fabs(b) < ldexp(1, -lowest)))
        return isg_fail(error, ISG_ERR_RANGE,
                        "a lengthscale or parameter is out of range for %s arithmetic: a factor of %g",
                        isg_dtype_name(dtype), b);
    if (largest == 0)
        scale->a = fmin(scale->a, 1); // every distance is 0, whatever it is multiplied by
    if (!(scale->a < ldexp(1, highest_a)))
        return isg_fail(error, ISG_ERR_RANGE, "values up to %g are too many lengthscales (%g) apart for %s arithmetic",
                        largest, power == 2 ? sqrt(0.5 / a) : 1 / a, isg_dtype_name(dtype));
    if (scale->a < ldexp(1, lowest))
        scale->a = 0; // every pair is far closer than a lengthscale
    return ISG_OK;
}

void isg_scale_distance(isg_scale *scale, int growth, double largest, isg_dtype dtype)
{
    set_exponent(scale, largest > 0 ? -ilogb(largest) : 0, dtype == ISG_F64 ? -1022 : -126);
    scale->a = 1;
    scale->b = -growth * scale->exponent;
}
