// What a Gram operator is made of, checked: the covariance function, the points, and the plan for both. Knows nothing
// of devices: the reference computes from it what a device does.
#ifndef ISG_LIB_OPERATOR_H
#define ISG_LIB_OPERATOR_H

#include "plan.h"

#include <isogram/gram.h>

typedef struct isg_operator {
    isg_composite composite;
    isg_points x, y; // y: the same rows as x when there is one set
    bool alone;      // K(X, X): one set of points
    bool symmetric;  // and without row factors
    isg_plan plan;
    void *weights, *factors; // of the dtype: what the plan points to
    double *lengthscales;    // of coordinates, as they were given, or NULL
} isg_operator;

// The precision that params ask for.
isg_dtype isg_operator_dtype(const isg_gram_params *params);

// Checks params and reads the points as dtype. On failure there is nothing to free.
isg_status isg_operator_make(isg_operator *op, const isg_gram_params *params, isg_dtype dtype, isg_error *error);
// An exponent: |K[i, j]| is at most 2^it, or infinite.
int isg_operator_largest(const isg_operator *op);
void isg_operator_free(isg_operator *op);

#endif
