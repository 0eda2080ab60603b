// From a covariance function and the extent of the data to what a device computes with: one power of two for the
// points, the pairs' numbers that are needed, and one expression in them. Knows nothing of devices, so that the
// reference and the device read the same numbers.
#ifndef ISG_LIB_PLAN_H
#define ISG_LIB_PLAN_H

#include "composite.h"
#include "points.h"

// Rows' three numbers, and a factor each for the steps that have one.
enum { ISG_MAX_NUMBERS = 3 * ISG_MAX_ROWS + ISG_MAX_STEPS };

typedef struct isg_plan_step {
    isg_step_kind kind;
    int kernel;  // ROW
    int formula; // ROW: the row whose formula is used
    int numbers; // ROW and MULTIPLE: where its numbers begin
} isg_plan_step;

typedef struct isg_plan {
    isg_scale scale;
    bool used[ISG_PAIR_COUNT]; // pairs' numbers
    bool fine[ISG_PAIR_COUNT]; // terms have to be looked at, for some may come close to subnormal numbers
    bool norms;                // a row needs the points' norms
    int count;
    isg_plan_step steps[ISG_MAX_STEPS];
    int number_count;
    double numbers[ISG_MAX_NUMBERS];
    // Of the dtype, and somebody else's:
    const void *weights; // that differences are multiplied by, one for each coordinate; NULL: none
    const void *factors; // of K's rows, one for each; NULL: none
} isg_plan;

// What of the points a plan depends on: |x| over both sets.
typedef struct isg_extent {
    double largest, smallest; // smallest: but 0; 0 when all are
    int64_t dims;
} isg_extent;

isg_extent isg_extent_of(const isg_points *x, const isg_points *y);

// ISG_ERR_RANGE: the data reach further, in lengthscales, than the dtype can hold; or a parameter. ISG_ERR_ARGUMENT: of
// a row's parameters. Weights and factors are left out.
isg_status isg_plan_make(isg_plan *plan, const isg_composite *composite, isg_extent extent, isg_dtype dtype,
                         isg_error *error);

// An exponent: values are at most 2^it in size, or infinite. Of the function and the extent of the data alone.
int isg_plan_largest(const isg_plan *plan, isg_extent extent, isg_dtype dtype);

// The same of the operand that ends at each step.
void isg_plan_bounds(const isg_plan *plan, isg_extent extent, isg_dtype dtype, int *bounds);
// And of a pair's number, as it is computed from scaled coordinates.
int isg_plan_pair_above(const isg_plan *plan, isg_pair pair, isg_extent extent);

// The last step of a sum's or product's first operand; that of the second is the step before `step`.
int isg_plan_left(const isg_plan *plan, int step);

// The function of cl/pairs.h that adds to a pair's number.
const char *isg_plan_add(const isg_plan *plan, isg_pair pair);

// The value of a pair as an expression over sqdist, l1, dot, chi2, inverse and N(i), the numbers; without spaces. Gives
// the length that it would have.
size_t isg_plan_expression(const isg_plan *plan, char *text, size_t bytes);

// The same of the value's logarithm: a sum of rows' own where all have one and are only multiplied, else the value's.
size_t isg_plan_log_expression(const isg_plan *plan, char *text, size_t bytes);
// Whether it is that sum.
bool isg_plan_has_logs(const isg_plan *plan);

#endif
