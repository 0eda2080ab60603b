// The oracle for gradients: covariance functions from their definitions, on coordinates and parameters of any
// precision, so that differences of theirs are derivatives to more digits than any number has.
#ifndef ISG_TESTS_ORACLE_GRADIENT_H
#define ISG_TESTS_ORACLE_GRADIENT_H

#include "operator.h"

#include <mpfr.h>

#include <stdbool.h>

enum { ORACLE_GRADIENT_BITS = 320 };

// A covariance function, two sets of points and weights, as exact numbers: f = sum_ij (v_i . w_j) F_i k(x_i, y_j).
typedef struct oracle_objective {
    const isg_composite *composite;
    int64_t n, m, d, r;
    bool alone; // y is x
    mpfr_t *x, *y, *v, *w;
    mpfr_t *lengths;               // of coordinates; NULL: none
    double *factors;               // of rows; NULL: none
    mpfr_t *numbers;               // of step s: 3 s, 3 s + 1, 3 s + 2: its scale or factor, and its own parameters
    bool by_length[ISG_MAX_STEPS]; // the scale is a lengthscale; else gamma
} oracle_objective;

// From an operator's params, V (n x r) and W (m x r), all of the operator's type and without gaps.
oracle_objective oracle_objective_make(const isg_gram_params *params, isg_dtype dtype, const void *v, const void *w,
                                       int64_t r);
void oracle_objective_free(oracle_objective *f);

// d term/d variable of each term of f by the central difference, and of all terms: their sum, and that of their
// magnitudes. of_x, of_y: the variable is a coordinate of that point alone, else -1.
void oracle_derivative(const oracle_objective *f, mpfr_ptr variable, int64_t of_x, int64_t of_y, mpfr_ptr sum,
                       mpfr_ptr size);

#endif
