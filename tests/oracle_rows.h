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

// |x - y|_1 for coordinates of type dtype.
void oracle_l1(mpfr_ptr s, const void *x, const void *y, int64_t dims, isg_dtype dtype);

#endif
