// The oracle for the rows of the kernel registry: what a covariance function should give, by MPFR, from its definition
// alone. Every mpfr_t is the caller's, of ORACLE_BITS bits.
#ifndef ISG_TESTS_ORACLE_ROWS_H
#define ISG_TESTS_ORACLE_ROWS_H

#include "oracle.h"

// k = f(u, b), and slope = u df/du, which is also s dk/ds. Aborts for a row that it does not know.
void oracle_row(mpfr_ptr k, mpfr_ptr slope, const char *row, mpfr_srcptr u, mpfr_srcptr b);

// What f takes, from the pair's number s: u in the units that the row's formula is written in, and b.
void oracle_row_numbers(mpfr_ptr u, mpfr_ptr b, const char *row, mpfr_srcptr s, double gamma, double length,
                        double param);

// Of rows of products: k = f(u), slope = df/du; u is gamma x.y, or x.y itself. degree: 0 where the row has none.
void oracle_dot_row(mpfr_ptr k, mpfr_ptr slope, const char *row, mpfr_srcptr u, double coef0, unsigned degree);

// The error of a result, in ulps. +0 stands for all numbers below the smallest normal one, and it may come where a
// number within `allowed` ulps is one of those; infinity for all above the largest. Infinite for results of another
// kind than the right one.
double oracle_row_error(double result, mpfr_srcptr exact, isg_dtype dtype, double allowed);

// s = x.y, and size = sum |x y|, for coordinates of type dtype.
void oracle_dot(mpfr_ptr s, mpfr_ptr size, const void *x, const void *y, int64_t dims, isg_dtype dtype);

// sum (x - y)^2/(x + y), 0/0 being 0.
void oracle_chi2(mpfr_ptr s, const void *x, const void *y, int64_t dims, isg_dtype dtype);

// |x - y|_1 for coordinates of type dtype.
void oracle_l1(mpfr_ptr s, const void *x, const void *y, int64_t dims, isg_dtype dtype);

#endif
