// Points as a kernel takes them: rows of one real type, checked. Knows nothing of devices, so that the reference and
// the device read the same numbers.
#ifndef ISG_LIB_POINTS_H
#define ISG_LIB_POINTS_H

#include "base.h"

typedef struct isg_points {
    isg_dtype dtype; // ISG_F32 or ISG_F64
    int64_t count;
    int64_t dims;
    int64_t stride; // coordinate k of point i is element i * stride + k of rows
    const void *rows;
    void *owned;     // rows, when they are a converted copy; NULL when they are the caller's
    double largest;  // of the finite |x|
    double smallest; // of the |x| that are not 0; 0 when all are
} isg_points;

// Reads a 2-D array as points of `dtype`: those rows i with include[i] != 0, or all where include is NULL. name: what
// messages call the array. Rows that have the right type and unit stride are used where they lie. ISG_ERR_NONFINITE and
// ISG_ERR_RANGE (finite, but beyond the dtype) name row and column.
isg_status isg_points_read(isg_points *points, const isg_array *array, const uint8_t *include, isg_dtype dtype,
                           bool allow_nonfinite, const char *name, isg_error *error);
void isg_points_free(isg_points *points);

// Whether two sets are one, point by point: in the same place, and as many.
static inline bool isg_points_same(const isg_points *a, const isg_points *b)
{
    return a->rows == b->rows && a->count == b->count && a->dims == b->dims && a->stride == b->stride;
}

// Multiplies column k by 2^exponents[k] in an own copy; what becomes subnormal is 0 then. ISG_ERR_RANGE: a value that
// becomes too large.
isg_status isg_points_shift(isg_points *points, const int *exponents, const char *name, isg_error *error);

// The first value below 0: its row and column, or false.
bool isg_points_negative(const isg_points *points, int64_t *row, int64_t *column);

// The power of two that all coordinates are multiplied by when they are packed: x' = x * 2^exponent.
typedef struct isg_scale {
    int exponent;
    double factor1, factor2; // their product is 2^exponent; each is a normal number of the dtype
    double tiny;             // |x| below it would be subnormal when scaled, and counts as 0
} isg_scale;

#endif
