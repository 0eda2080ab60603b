// Gradients of f = sum_ij (v_i . w_j) K[i, j] for a Gram operator that is never stored: by its points and by the
// numbers of its covariance function. With V W' = dL/dK this is what training a Gaussian process takes. Memory of (n +
// m)(d + r) elements, whatever n m is.
#ifndef ISOGRAM_GRADIENT_H
#define ISOGRAM_GRADIENT_H

#include <isogram/gram.h>

#ifdef __cplusplus
extern "C" {
#endif

// A number of the covariance function that f has a derivative by.
typedef struct isg_gradient_parameter {
    // "sigma", "gamma" or "lengthscale", as it was given (or as the row's default is); a row's own parameter, as
    // "alpha"; "factor" of a multiple
    const char *name;
    double value;
    int32_t row;              // which row of the composite, from 0 in the order of its text; -1: no row's
    const isg_kernel *kernel; // that row; NULL
    int64_t coordinate;       // of lengthscales for each coordinate: which; -1
} isg_gradient_parameter;

// How many there are: scales, own parameters and factors in the order of the composite's text, a factor behind what it
// multiplies; then the lengthscales of coordinates. Whole numbers, as polynomial's degree, have none, nor have scales
// that lengthscales of coordinates take the place of.
ISG_API int64_t isg_gram_parameter_count(isg_gram *gram);
// ISG_ERR_ARGUMENT: index out of range.
ISG_API isg_status isg_gram_parameter(isg_gram *gram, int64_t index, isg_gradient_parameter *out);

// In host memory. v and w: any strides, any element type but ISG_F16, infinite and NaN elements too (what they reach
// becomes infinite or NaN); vectors are matrices of one column. x and y: of the operator's type, with any strides that
// keep elements apart; beside accumulate ISG_F64 will do as well.
typedef struct isg_gradient_params {
    isg_array v; // n x r
    isg_array w; // m x r
    isg_array x; // output, n x d: df/dX. Left out (dtype NONE): not wanted
    // output, m x d: df/dY likewise. Not of K(X, X): there x is the sum of both, for X stands on either side and both
    // sides of K move
    isg_array y;
    double *parameters; // output, isg_gram_parameter_count of them; NULL: not wanted
    // output, n x isg_gram_parameter_count of ISG_F64, any strides that keep elements apart: what each row of K adds to
    // `parameters`, sum_j (v_i . w_j) dK[i, j] by each number. Beside one point in Y these are derivatives of pairs. Of
    // K(X, X), where a pair is in a row and in a column, half of what either adds. Left out: not wanted
    isg_array rows;
    // The precision of the sums, as in isg_apply_params: of the operator, or ISG_PRECISION_F64.
    isg_precision accumulate;
} isg_gradient_params;

#define isg_gradient_params(...) (&(struct isg_gradient_params){__VA_ARGS__})

// Computes what is wanted, in a pass over all pairs for each of x, y, the numbers, and lengthscales of coordinates.
// The same bits on every device (docs/numerics.md), whatever else is wanted. Blocks until done; the operator's progress
// function is called between launches.
//
// Where K has no derivative it counts as 0: between equal points for matern12 and euclidean, in coordinates that are
// equal for laplacian and cityblock, at points 0 for cosine, where x and y are both 0 for chi2. The pairs i = j of
// K(X, X) are pairs like all others: they say nothing where K depends on differences, and count for products.
//
// ISG_ERR_ARGUMENT: a row without derivatives, named; nothing wanted; an output that overlaps another array; a cl_mem;
// ISG_ERR_SHAPE, ISG_ERR_DTYPE, ISG_ERR_CANCELLED as isg_gram_apply. A call that is cancelled or fails on the device
// leaves the outputs unspecified; context and operator stay usable.
ISG_API isg_status isg_gram_gradient(isg_gram *gram, const isg_gradient_params *params);

// Whether a row has derivatives. NULL: 0.
ISG_API int32_t isg_kernel_has_gradient(const isg_kernel *kernel);

#ifdef __cplusplus
}
#endif

#endif
