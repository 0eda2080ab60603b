// The oracle: what the library's numbers should be, by MPFR, from the definitions alone. It shares no code and no
// constant with the library, so that the two cannot be wrong together.
//
// Results go into an mpfr_t that the caller has initialised; inner computations carry ORACLE_BITS bits whatever its
// precision.
#ifndef ISG_TESTS_ORACLE_H
#define ISG_TESTS_ORACLE_H

#include <isogram/base.h>

#include <mpfr.h>

#include <stdbool.h>

enum { ORACLE_BITS = 256 };

// The ulp of `exact` in dtype (ISG_F32 or ISG_F64) is 2^oracle_ulp: the distance from the correctly rounded exact value
// to its neighbour away from zero. Just below a power of two, values that round to it have the larger ulp above it;
// below the normal numbers the ulp stays that of the smallest of them.
long oracle_ulp(mpfr_srcptr exact, isg_dtype dtype);

// |result - exact| / ulp; infinite when the result is not finite.
double oracle_error(double result, mpfr_srcptr exact, isg_dtype dtype);

// Whether |exact| is at least the smallest normal number.
bool oracle_is_normal(mpfr_srcptr exact, isg_dtype dtype);
double oracle_smallest_normal(isg_dtype dtype);

// Memory for `count` numbers of type dtype, to be freed; aborts without.
void *oracle_array(isg_dtype dtype, int64_t count);
void oracle_put(isg_dtype dtype, void *array, int64_t i, double value);

// |x - y|^2 for coordinates of type dtype.
void oracle_sqdist(mpfr_ptr s, const void *x, const void *y, int64_t dims, isg_dtype dtype);
// exp(-gamma s)
void oracle_gaussian(mpfr_ptr k, double gamma, mpfr_srcptr s);

// Place i of n from a to b: a + i (b - a)/(n - 1), and a when n is 1.
void oracle_place(mpfr_ptr x, int64_t i, int64_t n, double a, double b);

// exp(-x^2/(2 sigma^2)) at place i of n from a to b.
void oracle_point(mpfr_ptr w, int64_t i, int64_t n, double a, double b, double sigma);
// The probability under N(0, sigma^2) of cell i of n that divide [a, b] evenly.
void oracle_cell(mpfr_ptr w, int64_t i, int64_t n, double a, double b, double sigma);
// exp(-t) I_n(t), t = sigma^2, for whole n of either sign.
void oracle_bessel(mpfr_ptr w, int64_t n, double sigma);
// Sample i of n of a unit impulse at n/2, rounded down, filtered by a Gaussian cut off at int(4 sigma + 0.5) and scaled
// to sum 1, with the signal continued by reflection: dcba|abcd|dcba.
void oracle_delta(mpfr_ptr w, int64_t i, int64_t n, double sigma);
// What a probability density divides by: sigma sqrt(2 pi).
void oracle_density(mpfr_ptr by, double sigma);

#endif
