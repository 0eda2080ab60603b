// Convolution and correlation of arrays with any stencil: rotated Gaussians, Gabor functions, or weights of the
// caller's own. Separable Gaussians are faster by isg_filter.
//
// The results are a contract, as all of isogram's: bits depend on the array, the stencil, the parameters, the precision
// and the arithmetic, and on nothing else.
#ifndef ISOGRAM_CONVOLVE_H
#define ISOGRAM_CONVOLVE_H

#include <isogram/filter.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ISG_CONVOLVE_MAX_NDIM = 3, ISG_CONVOLVE_MAX_WEIGHTS = 1 << 14 };

typedef struct isg_convolve_params {
    // 0: convolution, out[i] = sum over k of w[k] x[i + s/2 - k], s being the stencil's size along each axis and s/2
    // rounded down: scipy.ndimage.convolve. 1: correlation, out[i] = sum of w[k] x[i + k - s/2]:
    // scipy.ndimage.correlate, and OpenCV's filter2D. They differ by the stencil turned around; sums run over ascending
    // places of x in both.
    int32_t correlate;
    // The array's axes that the stencil's lie along, ascending; negative ones count from the last. axis_count 0: the
    // array's last ones. Along other axes (batches, channels) each place is by itself.
    int32_t axes[ISG_CONVOLVE_MAX_NDIM];
    int32_t axis_count;
    int32_t each;                         // 1: a mode for each of the stencil's axes. 0: the first is for all
    isg_mode mode[ISG_CONVOLVE_MAX_NDIM]; // DEFAULT: REFLECT
    double constant;                      // what CONSTANT puts beyond the border
    isg_precision precision;              // of the arithmetic. DEFAULT: as base.h says, by the array
    isg_progress_fn progress;             // may be NULL
    void *progress_user;
} isg_convolve_params;

#define isg_convolve_params(...) (&(struct isg_convolve_params){__VA_ARGS__})

// Convolves `in` with `stencil` into `out`, and blocks until that is done.
//
// in, out: as of isg_filter: 1 … 4 dimensions, of ISG_U8, U16, I16, I32, F16, F32 or F64, any strides, host memory or a
// cl_mem; `out` of the same shape, the very view that `in` is, or apart from it. Whole numbers are rounded once, at the
// end. stencil: in host memory, 1 … ISG_CONVOLVE_MAX_NDIM dimensions, no more than `in` has, at most
// ISG_CONVOLVE_MAX_WEIGHTS numbers in all, of any type and strides; they are rounded to the arithmetic's precision
// once. Weights below 2^-40 (2^-80 in double precision) of the sum of all magnitudes count as 0, and elements as
// docs/numerics.md says.
//
// ISG_ERR_NONFINITE: the stencil holds NaN or infinity. ISG_ERR_RANGE: its magnitudes add up to less than 2^-60, and
// not to 0, or to more than 2^30. ISG_ERR_MEMORY: the host's is out, or what one buffer of the device may hold: done in
// place, the whole array with its borders; else some rows of it, or planes. Others as of isg_filter.
ISG_API isg_status isg_convolve(isg_context *context, isg_array in, isg_array stencil, isg_array out,
                                const isg_convolve_params *params);

#ifdef __cplusplus
}
#endif

#endif
