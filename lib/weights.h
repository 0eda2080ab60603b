// The weights of sums over an operator's points, as every device takes them: the columns of V, each multiplied by a
// power of two of its own. Knows nothing of devices.
//
// A device may flush subnormal numbers, so no product that comes close to one may count. The largest weight of a column
// goes so high that sums of 2^31 products stay just below the largest number, products below 2^-78 (2^-898 in double)
// count as 0, and sums of the others are multiples of 2^-126 at least, so that none is subnormal. A column's bits
// depend on no other column.
#ifndef ISG_LIB_WEIGHTS_H
#define ISG_LIB_WEIGHTS_H

#include "reference.h"

typedef struct isg_weights {
    isg_dtype dtype; // of the sums, and of values
    int64_t count, columns, groups;
    int32_t width;  // columns of a group, whose weights stand side by side
    void *values;   // row j, column p of group g: element (g count + j) width + p; 0 behind the last column
    int *exponents; // a sum times 2^it is the column's
    bool *fine;     // products have to be looked at, for some may be too small
} isg_weights;

// v: count x r, checked; any strides and element type. precision: of K. sums: of the sums; double beside single K takes
// weights of single precision, scaled to about 1, and has room for every product of theirs. largest: |K| is at most
// 2^largest.
isg_status isg_weights_make(isg_weights *weights, const isg_array *v, isg_dtype precision, isg_dtype sums, int largest,
                            int32_t width, isg_error *error);
void isg_weights_free(isg_weights *weights);

// logs[j] = log(weights[j]) in the reference's type, the weights rounded to it first; of a vector, or a matrix's first
// column, without negative numbers, or of ones (dtype NONE). And log(factors[j]) added, rounded once more: factors of
// the reference's type, or NULL; below 0 they give NaN.
void isg_log_weights(const isg_reference *reference, const isg_array *weights, const void *factors, int64_t count,
                     void *logs);

// log(factor) of K's row, to be added to a logarithm of sums.
double isg_log_factor(const isg_reference *reference, const void *factors, int64_t row);

#endif
