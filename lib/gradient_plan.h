// What a gradient is made of: which sums over pairs, of what, and how they become derivatives. Knows nothing of
// devices, so that the reference and a device compute the same sums, and finish them alike.
//
// f = sum_ij c_ij K_ij, c_ij = sum_p a_ip b_jp. With K = F(t, theta), t a pair's numbers, what is summed over j for
// each target i is g_ij dt_ij/dx_ik, g_ij = c_ij dF/dt, for each coordinate k; or c_ij times F's derivative by a
// number that all pairs share.
#ifndef ISG_LIB_GRADIENT_PLAN_H
#define ISG_LIB_GRADIENT_PLAN_H

#include "kernels.h"
#include "operator.h"

// What a pass over all pairs sums.
typedef enum isg_gradient_mode {
    ISG_BY_POINTS,  // for each coordinate of the target; of rows with norms one more sum: isg_gradient_plan.self
    ISG_BY_LENGTHS, // for each coordinate's lengthscale
    ISG_BY_NUMBERS  // for each of the plan's numbers
} isg_gradient_mode;

typedef enum isg_number_kind { ISG_NUMBER_FACTOR, ISG_NUMBER_SCALE, ISG_NUMBER_PARAM } isg_number_kind;

// A number of the covariance function that has a derivative: a multiple's factor, a row's scale or own parameter.
typedef struct isg_gradient_number {
    isg_number_kind kind;
    int step;         // whose it is
    int param;        // PARAM: which of the row's
    const char *name; // "factor", "sigma", "alpha"
    double value;
    double by; // the derivative is `by` times the sum
} isg_gradient_number;

enum { ISG_MOST_GRADIENT_NUMBERS = ISG_MAX_STEPS + ISG_MAX_ROWS * (1 + ISG_MAX_PARAMS) };

typedef struct isg_gradient_plan {
    const isg_plan *plan;
    int count;
    isg_gradient_number numbers[ISG_MOST_GRADIENT_NUMBERS];
    int left[ISG_MAX_STEPS];   // of sums and products: where the first operand ends
    int parent[ISG_MAX_STEPS]; // the operation that a step's operand goes into; -1: none
    bool forward;              // values of operands are needed: there are products or multiples
    bool lone;                 // one row: `point` has its a
    bool self;                 // rows with norms: their values, which the norms' share of dK/dx is made of
    double point;              // sums for points are multiplied by it, besides powers of two
    int point_exponent;
    // Products g dt: g below `cut` counts as 0, and then none comes close to a subnormal number; or, if fine, they are
    // looked at. least: the same for what is summed as it is.
    bool fine;
    double cut, least;
    int top; // |c| is below 2^top
} isg_gradient_plan;

// ISG_ERR_ARGUMENT: a row without derivatives. norms: of x and y, as isg_reference.norms gives them, one part behind
// the other; NULL where the plan needs none, or where only the numbers are asked for.
isg_status isg_gradient_plan_make(isg_gradient_plan *to, const isg_operator *op, void *const *norms, isg_error *error);

// The statements by which a pair's outputs come from its numbers, in macros of cl/gradient.cl, without spaces. Gives
// the length that they would have.
size_t isg_gradient_statements(const isg_gradient_plan *plan, isg_gradient_mode mode, char *text, size_t bytes);

// Outputs of a pair: g for each pair's number that K is written in, in order, then self; or one for each number.
int isg_gradient_outputs(const isg_gradient_plan *plan, isg_gradient_mode mode);

// Sums of a target.
int64_t isg_gradient_sums(const isg_gradient_plan *plan, isg_gradient_mode mode, int64_t dims);

#endif
