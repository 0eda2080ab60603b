// Points as a kernel takes them: rows of one real type, checked, with the power of two that brings the lengthscale
// close to 1. Knows nothing of devices, so that the reference and the device read the same numbers.
#ifndef ISG_LIB_POINTS_H
#define ISG_LIB_POINTS_H

#include "base.h"

typedef struct isg_points {
    isg_dtype dtype; // ISG_F32 or ISG_F64
    int64_t count;
    int64_t dims;
    int64_t stride; // coordinate k of point i is element i * stride + k of rows
    const void *rows;
    void *owned;    // rows, when they are a converted copy; NULL when they are the caller's
    double largest; // of the finite |x|
} isg_points;

// Reads a 2-D array as points of `dtype`. name: what messages call the array. Rows that have the right type and unit
// stride are used where they lie. ISG_ERR_NONFINITE and ISG_ERR_RANGE (finite, but beyond the dtype) name row and
// column.
isg_status isg_points_read(isg_points *points, const isg_array *array, isg_dtype dtype, bool allow_nonfinite,
                           const char *name, isg_error *error);
void isg_points_free(isg_points *points);

// What a row's formula takes, and the power of two that makes it fit: x' = x * 2^exponent and a' = a * 2^(-power
// exponent) give the same kernel, where power is how the pair's number grows with the points. a' lies in [0.5, 2), or
// [0.25, 4), unless the data reach so far that x' would overflow.
typedef struct isg_scale {
    int exponent;
    double factor1, factor2; // their product is 2^exponent; each is a normal number of the dtype
    double tiny;             // |x| below it would be subnormal when scaled, and counts as 0
    double a, b;             // a' and the row's second number, still in double
} isg_scale;

// largest: of |x|. power: 2 for squared distances, 1 for absolute ones. ISG_ERR_RANGE: the data reach further, in
// lengthscales, than the dtype can hold.
isg_status isg_scale_plan(isg_scale *scale, double a, double b, int power, double largest, isg_dtype dtype,
                          isg_error *error);

// The plan of a row without a scale: x' is about 1, and the result comes back by 2^b. growth: the power of the points
// that it grows with.
void isg_scale_distance(isg_scale *scale, int growth, double largest, isg_dtype dtype);

#endif
