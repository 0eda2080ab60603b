// Random operators for tests that hold for all of them: any rows with any scales and parameters, alone or put together,
// with lengthscales and factors, on points of any size.
#ifndef ISG_TESTS_ANY_OPERATOR_H
#define ISG_TESTS_ANY_OPERATOR_H

#include "operator.h"
#include "suite.h"

typedef struct any_operator {
    isg_dtype dtype;
    int64_t n, m, d; // m: 0 for K(X, X)
    void *x, *y;
    isg_composite *composite;
    double *lengthscales, *factors; // or NULL
    uint8_t *include;               // or NULL
} any_operator;

// A random operator with at most `most` points on each side. moderate: sizes that no precision has trouble with.
any_operator any_operator_make(suite_random *random, isg_dtype dtype, int64_t most, bool moderate);
void any_operator_free(any_operator *any);

// What makes it; points into it.
isg_gram_params any_operator_params(const any_operator *any);

// Its text and what goes with it, for messages.
void any_operator_describe(const any_operator *any, char *text, size_t bytes);

#endif
