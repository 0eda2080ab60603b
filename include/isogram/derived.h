// What is made of Gaussian filters: edges, blobs, sharper images, orientations.
//
// Bits are a contract here, too: each is put together from filters' results as they are before they become elements of
// the output's type, in an order that is said below. docs/numerics.md says more.
#ifndef ISOGRAM_DERIVED_H
#define ISOGRAM_DERIVED_H

#include <isogram/filter.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum isg_derived {
    // The sum of second derivatives along each filtered axis, smoothed along the others:
    // scipy.ndimage.gaussian_laplace.
    ISG_DERIVED_LAPLACIAN,
    // The root of the sum of the squares of first derivatives: scipy.ndimage.gaussian_gradient_magnitude.
    ISG_DERIVED_GRADIENT_MAGNITUDE,
    // Smoothed with sigma less smoothed with sigma2: skimage.filters.difference_of_gaussians.
    ISG_DERIVED_DIFFERENCE,
    // x + amount (x - smoothed x): skimage.filters.unsharp_mask, but what leaves [0, 1] stays.
    ISG_DERIVED_UNSHARP,
    // Products of first derivatives along any two filtered axes, smoothed with sigma:
    // skimage.feature.structure_tensor, whose derivatives are Sobel's and whose mode is constant.
    ISG_DERIVED_STRUCTURE_TENSOR,
    ISG_DERIVED_COUNT
} isg_derived;

// "laplacian", "gradient-magnitude", "difference", "unsharp", "structure-tensor": the words of the command line. Never
// NULL.
ISG_API const char *isg_derived_name(isg_derived derived);
// The one of a word, also of log and dog; ISG_DERIVED_COUNT: none.
ISG_API isg_derived isg_derived_named(const char *word);

typedef struct isg_derived_params {
    // As of isg_filter; order is 0. IGNORE and PRESERVE take what has no derivatives in it: DIFFERENCE and UNSHARP.
    // fills_nothing: what comes out as NaN becomes `fill`.
    isg_filter_params filter;
    double sigma2[ISG_FILTER_MAX_NDIM]; // DIFFERENCE: as filter.sigma, not smaller along any axis. 0: 1.6 sigma
    double amount;                      // UNSHARP: any finite number. 0: 1
    double inner; // STRUCTURE_TENSOR: sigma, in samples along every axis, of derivatives. 0: Sobel's, of 3 elements
} isg_derived_params;

#define isg_derived_params(...) (&(struct isg_derived_params){__VA_ARGS__})

// How many arrays come out: 1, and of a structure tensor n (n + 1)/2 for n filtered axes. 0: the parameters are wrong,
// or there is no memory to find out.
ISG_API int32_t isg_derived_outputs(isg_derived derived, const isg_derived_params *params, int32_t ndim);

// Filters `in` into out[0 … count - 1], and blocks until that is done.
//
// in, each of out: as of isg_filter. Of a structure tensor these are J00, J01, …, J0(n-1), J11, …, the pairs of
// filtered axes in ascending order, and none of them may be the input. count: as isg_derived_outputs says.
//
// Takes device memory for some arrays in the type of the arithmetic besides input and output: one per filtered axis,
// two more for what lies between axes. There are no blocks: ISG_ERR_MEMORY where that is too much. Else errors are
// isg_filter's.
ISG_API isg_status isg_filter_derived(isg_context *context, isg_derived derived, isg_array in, const isg_array *out,
                                      int32_t count, const isg_derived_params *params);

#ifdef __cplusplus
}
#endif

#endif
