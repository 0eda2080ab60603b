// A gradient from its parts: weights scaled, passes over all pairs, and derivatives from their sums. Whoever computes
// the sums, a device or the reference, the rest is done here, and the same.
#ifndef ISG_LIB_GRADIENT_WORK_H
#define ISG_LIB_GRADIENT_WORK_H

#include "gradient_plan.h"

#include <isogram/gradient.h>

// The columns of V and W as c = V W' takes them, of the operator's type: each matrix times a power of two, and V's rows
// times K's row factors. Of one set of points, [V, W] for targets and [W, V] for sources, for c_ij = v_i w_j + w_i v_j.
typedef struct isg_gradient_sides {
    int32_t columns;
    void *x, *y;  // for X's points, and for Y's: points x columns, without gaps
    int exponent; // the right c is 2^it times that of these
    bool fine;    // products have to be looked at, for some may be too small
} isg_gradient_sides;

typedef struct isg_gradient_pass {
    const isg_operator *op;
    const isg_gradient_plan *plan;
    const isg_gradient_sides *sides;
    isg_gradient_mode mode;
    bool transposed; // the targets are Y's points
    isg_dtype sums;  // the operator's type, or ISG_F64
    double done, of; // pairs of the call: before this pass, and in all
    double *out;     // isg_gradient_sums of them for each target: sum s of target i is element s targets + i
} isg_gradient_pass;

// Computes a pass's sums.
typedef isg_status (*isg_gradient_compute)(void *user, const isg_gradient_pass *pass);

// params: checked, with matrices in place of vectors. norms: of x and y, as isg_reference.norms gives them one behind
// the other, or NULL where the plan needs none.
isg_status isg_gradient_run(const isg_operator *op, void *const *norms, const isg_gradient_params *params,
                            isg_gradient_compute compute, void *user, isg_error *error);

// The host's: what isg_gram_gradient must give, computed plainly.
isg_status isg_reference_gradient(const isg_operator *op, bool fused, const isg_gradient_params *params,
                                  isg_error *error);

#endif
