// Sums over an operator's points of its values times weights, for each target and column of weights, in the contract's
// order.
#ifndef ISG_LIB_SUMS_H
#define ISG_LIB_SUMS_H

#include "gram.h"

#include <isogram/skip.h>

typedef struct isg_sums {
    isg_gram *gram;
    bool transposed; // the sources are X's points
    isg_array v;     // sources x columns, at least one; any strides and element type
    isg_dtype dtype; // of the sums: the operator's, or ISG_F64
    double before;   // pairs that the call has done already
    // Values are K's, or with these, which go together, exp(log K + log_weights[source] - shifts[target]); of the
    // operator's type.
    const void *log_weights, *shifts;
    // Takes the sums: 2^exponent `sum` is the column's. Once for each, the targets of a set together.
    void (*put)(void *user, int64_t target, int64_t column, double sum, int exponent);
    void *user;
    // Blocks of pairs to be left out; tolerance: 0, or, without log_weights, what K's values in them may be at most.
    isg_skip skip;
    double tolerance;
    isg_skip_report *report; // NULL: nobody asks
} isg_sums;

isg_status isg_sums_run(const isg_sums *sums);

#endif
