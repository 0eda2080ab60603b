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

// What a scan finds in one row.
typedef struct found {
    double largest, smallest; // of |x|, finite and not 0; smallest: infinite when there is none
    int64_t bad;              // the column of the first value that is not finite, or -1
} found;

static void look_at(found *f, double x, int64_t k)
{
    double size = fabs(x);
    if (!isfinite(x))
        f->bad = k;
    else if (size > f->largest)
        f->largest = size;
    if (size > 0 && size < f->smallest)
        f->smallest = size;
}

// The bits of non-negative floats are ordered as the floats, which lets the compiler vectorise the common case; 0 less
// 1 is above all others.
static found scan_f32(const float *row, int64_t dims)
{
    uint32_t top = 0, bottom = UINT32_MAX;
    for (int64_t k = 0; k < dims; k++) {
        uint32_t b;
        memcpy(&b, row + k, sizeof b);
        b &= 0x7fffffffu;
        top = b > top ? b : top;
        bottom = b - 1 < bottom ? b - 1 : bottom;
    }
    found f = {0, INFINITY, -1};
    if (top < 0x7f800000u) {
        float largest, smallest;
        bottom += 1;
        memcpy(&largest, &top, sizeof largest);
        memcpy(&smallest, &bottom, sizeof smallest);
        f.largest = largest;
        f.smallest = bottom ? smallest : f.smallest;
        return f;
    }
    for (int64_t k = dims - 1; k >= 0; k--)
        look_at(&f, row[k], k);
    return f;
}

static found scan_f64(const double *row, int64_t dims)
{
    found f = {0, INFINITY, -1};
    for (int64_t k = dims - 1; k >= 0; k--)
        look_at(&f, row[k], k);
    return f;
}

// Copies row i in the points' type and any stride of the array. The rounded value may have become infinite.
static void convert_row(const isg_array *array, int64_t i, isg_dtype dtype, void *to)
{
    for (int64_t k = 0; k < array->shape[1]; k++) {
        double v = isg_load_double(array->dtype, array->data, i * array->strides[0] + k * array->strides[1]);
        isg_store_double(dtype, to, k, v);
    }
}

isg_status isg_points_read(isg_points *points, const isg_array *array, const uint8_t *include, isg_dtype dtype,
                           bool allow_nonfinite, const char *name, isg_error *error)
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
    if (array->mem)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s: points in host memory are needed here", name);
    if (!array->data)
        return isg_fail(error, ISG_ERR_ARGUMENT, "%s: no data", name);
    int64_t all = points->count, total;
    isg_status st = isg_shape_count(dtype, 2, array->shape, &total, error);
    if (st)
        return st;

    for (int64_t i = 0; i < all && include; i++)
        points->count -= include[i] == 0;
    if (points->count < 1)
        return isg_fail(error, ISG_ERR_SHAPE, "%s: not one of its %lld rows is included", name, (long long)all);

    size_t element = isg_dtype_bytes(dtype);
    // A view with wide gaps between its rows is copied: what is uploaded or wrapped are whole stretches of memory.
    int64_t stride = array->strides[0];
    bool in_place = array->dtype == dtype && (array->strides[1] == 1 || points->dims == 1) && stride >= points->dims &&
                    stride / 2 <= points->dims && points->count == all;
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
    double smallest = INFINITY;
    for (int64_t i = 0, at = 0; i < all; i++) { // row i of the array is point `at`
        if (include && !include[i])
            continue;
        const char *row = (const char *)points->rows + (size_t)(at++ * points->stride) * element;
        if (!in_place)
            convert_row(array, i, dtype, (void *)(uintptr_t)row);
        found f = dtype == ISG_F32 ? scan_f32((const float *)(const void *)row, points->dims)
                                   : scan_f64((const double *)(const void *)row, points->dims);
        for (int64_t k = f.bad; k >= 0 && k < points->dims; k++) {
            double v = isg_load_double(array->dtype, array->data, i * array->strides[0] + k * array->strides[1]);
            bool held = dtype == ISG_F64 || !isfinite(v) || isfinite((float)v);
            if (isfinite(v) ? held : allow_nonfinite)
                continue;
            isg_points_free(points);
            return bad_value(v, i, k, dtype, name, error);
        }
        points->largest = fmax(points->largest, f.largest);
        smallest = fmin(smallest, f.smallest);
    }
    points->smallest = smallest < INFINITY ? smallest : 0;
    return ISG_OK;
}

void isg_points_free(isg_points *points)
{
    free(points->owned);
    points->owned = NULL;
    points->rows = NULL;
}

isg_status isg_points_shift(isg_points *points, const int *exponents, const char *name, isg_error *error)
{
    bool wide = points->dtype == ISG_F64;
    size_t element = isg_dtype_bytes(points->dtype);
    double least = wide ? DBL_MIN : (double)FLT_MIN, most = wide ? DBL_MAX : (double)FLT_MAX;
    void *rows = isg_alloc(points->count * points->dims, element);
    if (!rows)
        return isg_fail(error, ISG_ERR_MEMORY, "%s: no memory for a copy of %lld points", name,
                        (long long)points->count);
    points->largest = points->smallest = 0;
    for (int64_t i = 0; i < points->count; i++) {
        for (int64_t k = 0; k < points->dims; k++) {
            double v = isg_load_double(points->dtype, points->rows, i * points->stride + k);
            double scaled = ldexp(v, exponents[k]), size = fabs(scaled);
            if (isfinite(v) && size > most) {
                free(rows);
                return isg_fail(error, ISG_ERR_RANGE,
                                "%s: row %lld, column %lld is %g, too many lengthscales from 0 for %s arithmetic", name,
                                (long long)i, (long long)k, v, isg_dtype_name(points->dtype));
            }
            if (size < least)
                scaled = size = 0;
            if (size > points->largest && size <= most)
                points->largest = size;
            if (size > 0 && (points->smallest == 0 || size < points->smallest))
                points->smallest = size;
            isg_store_double(points->dtype, rows, i * points->dims + k, scaled);
        }
    }
    free(points->owned);
    points->rows = points->owned = rows;
    points->stride = points->dims;
    return ISG_OK;
}

bool isg_points_negative(const isg_points *points, int64_t *row, int64_t *column)
{
    for (*row = 0; *row < points->count; ++*row)
        for (*column = 0; *column < points->dims; ++*column)
            if (isg_load_double(points->dtype, points->rows, *row * points->stride + *column) < 0)
                return true;
    return false;
}
