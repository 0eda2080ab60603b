// The Gram operator K[i, j] = k(x_i, y_j) of a covariance function on two sets of points. It is never a matrix until
// asked for one.
#ifndef ISOGRAM_GRAM_H
#define ISOGRAM_GRAM_H

#include <isogram/context.h>
#include <isogram/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct isg_gram isg_gram;

typedef enum isg_method {
    ISG_METHOD_CONTRACT = 0, // differences first: the contract's bits
    // Squared distances by products, |x|^2 + |y|^2 - 2 x.y, from a centre near the points: one operation for each
    // coordinate in place of two. Distances that could have lost more than the tolerance that way are computed as under
    // the contract instead. Never chosen unless asked for; has a bound, and no bits that other devices must have too.
    // Of dense, tile and packed; all else goes by the contract.
    ISG_METHOD_FAST
} isg_method;

typedef struct isg_gram_params {
    const isg_kernel *kernel; // a row of isg_kernel_list; NULL: rbf
    isg_array x; // n x d, any strides, any element type. Must stay alive and unchanged until destroy. May be
                 // a view of a cl_mem (opencl.h), which is read once, now
    isg_array y; // m x d likewise. Left out (dtype NONE): K(X, X)
    // The scale, in one of its three parametrisations: gamma = 1/(2 sigma^2) = 1/(2 lengthscale^2). Positive and
    // finite. All left out: the row's default (isg_scale_kind). Some rows have gamma only, or none.
    double gamma;
    double sigma;
    double lengthscale;
    const isg_setting *settings; // of the row's own parameters, setting_count of them
    int32_t setting_count;
    // Instead of all of the above: a composite of rows. Copied.
    const isg_composite *composite;
    // A lengthscale for each of the d coordinates (automatic relevance determination): differences are divided by it,
    // after they were taken. Positive and finite. Of kernels of distances only; gamma, sigma and lengthscale must be
    // left out, and rows with gamma count as given gamma = 1/2 (of a squared distance) or 1. NULL: none. Copied.
    const double *lengthscales;
    // Which rows of x are points of the operator, in order: row i has include[i] != 0. n of them. NULL: all. Copied.
    const uint8_t *include;
    // K[i, j] = factors[i] k(x_i, y_j), a finite factor for each row of x, those that are not included too. K(X, X) is
    // not symmetric then. NULL: none. Copied.
    const double *factors;
    isg_precision precision; // of the arithmetic and of K; see isg_precision for the default
    isg_method method;       // FAST is for kernels of the squared distance, and devices of OpenCL C 1.2
    // Of FAST: what it may add to the contract's own error, in (0, 1). It is the larger of tolerance times the kernel's
    // largest value (1, of a single row), where its slope has a bound, and of what a change of the squared distance s
    // by tolerance times s makes of the value, which is about tolerance s |dk/ds|. For rbf, the Matern kernels,
    // rational_quadratic, cauchy, inverse_multiquadric and wendland no error is larger than the tolerance. 0: 512 times
    // the precision's epsilon, 6.1e-5 in single and 1.1e-13 in double precision.
    double tolerance;
    int32_t allow_nonfinite; // 1: NaN in a point gives NaN in its row or column, instead of ISG_ERR_NONFINITE
    // 1: sets may have no points, 0 x d: sums over none are 0 and K without rows or columns is no elements, instead of
    // ISG_ERR_SHAPE. Not of method fast.
    int32_t allow_empty;
    const char *x_name;       // what error messages call x; NULL: "X"
    const char *y_name;       // NULL: "Y"
    isg_progress_fn progress; // called between launches of dense and tile; may be NULL
    void *progress_user;
} isg_gram_params;

#define isg_gram_params(...) (&(struct isg_gram_params){__VA_ARGS__})

// Checks the input and lays it out on the device. ISG_ERR_SHAPE: no rows (but for allow_empty) or columns, or d that
// differ.
// ISG_ERR_NONFINITE names the first offending row and column; ISG_ERR_RANGE: a value, or the data's extent in
// lengthscales, that the precision cannot hold, or a negative value where the kernel takes none.
ISG_API isg_status isg_gram_create(isg_context *context, isg_gram **out, const isg_gram_params *params);
ISG_API void isg_gram_destroy(isg_gram **gram);

// n, m and d of the operator; any pointer may be NULL.
ISG_API void isg_gram_shape(const isg_gram *gram, int64_t *n, int64_t *m, int64_t *d);
// The element type of K: ISG_F32 or ISG_F64.
ISG_API isg_dtype isg_gram_dtype(const isg_gram *gram);
// The covariance function in use, with all that it was given: as isg_composite_text. Lives as long as the operator.
ISG_API const isg_composite *isg_gram_composite(const isg_gram *gram);
// The name of what its results obey: the contract's (isg_context_contract), or "fast/f32/fused" and the like. Never
// NULL; a constant.
ISG_API const char *isg_gram_contract(const isg_gram *gram);
// Its row; NULL for a composite of several.
ISG_API const isg_kernel *isg_gram_kernel(const isg_gram *gram);
// Of a single row, gamma in use, whichever way it was given; for a row with a lengthscale 1/(2 lengthscale^2). 0
// without a scale and for composites.
ISG_API double isg_gram_gamma(const isg_gram *gram);
// Of a single row, its own parameter `index` in use; 0: it has none.
ISG_API double isg_gram_param(const isg_gram *gram, int32_t index);

// Computes all of K. k: output, n x m, of the gram's dtype, or ISG_F16 beside single precision (each value rounded
// once more). Any strides, negative ones too, that keep elements apart; unit stride along rows or along columns is
// written straight, others by way of a strip of at most 16 MiB. What lies between the elements is left alone. Blocks
// until done. Of K(X, X) one half is computed and mirrored where that is faster; the bits are the same.
// ISG_ERR_SHAPE: strides that make elements overlap; ISG_ERR_ARGUMENT: K overlaps the points. On failure the content of
// k is unspecified.
ISG_API isg_status isg_gram_dense(isg_gram *gram, isg_array k);

// Computes K[row + a, col + b] for every (a, b) of k's shape: the same bits as the same block of the whole.
// ISG_ERR_SHAPE: the block leaves the operator; k is untouched. Otherwise as isg_gram_dense.
ISG_API isg_status isg_gram_tile(isg_gram *gram, int64_t row, int64_t col, isg_array k);

// Computes the lower triangle of K(X, X), row by row: element (i, j), j <= i, is k[i (i + 1)/2 + j]. k: a vector of
// n (n + 1)/2 elements of unit stride, otherwise as isg_gram_dense.
ISG_API isg_status isg_gram_packed(isg_gram *gram, isg_array k);

// What method fast made of the last call of dense, tile or packed; waits for one that was enqueued. ISG_ERR_ARGUMENT:
// the operator has another method.
typedef struct isg_fast_report {
    double tolerance;  // in use: the bound held, as isg_gram_params has it
    double elements;   // of K, in the last call; 0 before the first
    double recomputed; // those that were computed by differences after all
} isg_fast_report;
ISG_API isg_status isg_gram_fast_report(isg_gram *gram, isg_fast_report *out);

// The least time that isg_gram_dense could take on this device, measured now (about 0.5 s, and a compilation), with K
// in the device's memory where it has one of its own: K has to be written, and each
// pair that is computed needs d steps of the contract's and a value, which kernels in registers do at these rates.
typedef struct isg_gram_limits {
    double fill_bytes_per_s;   // as isg_limits
    double steps_per_s;        // a coordinate added to all numbers of a pair that the kernel takes
    double values_per_s;       // from a pair's numbers to an element of K
    double computed_pairs;     // n m; n (n + 1)/2 where one half of K(X, X) is mirrored
    double memory_seconds;     // bytes of K / fill_bytes_per_s
    double arithmetic_seconds; // computed_pairs (d/steps_per_s + 1/values_per_s)
    double seconds;            // the larger of the two
} isg_gram_limits;
ISG_API isg_status isg_gram_measure(isg_gram *gram, isg_gram_limits *out);

// Computes K[i, i] for i < min(n, m) into the vector k, of the gram's dtype and any stride, in host memory.
ISG_API isg_status isg_gram_diagonal(isg_gram *gram, isg_array k);

#ifdef __cplusplus
}
#endif

#endif
